/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_MODULE_H
#define WINDOWS_MODULE_H

#include "windows/kernel/kernel.h"

/* Kernel modules of PsLoadedModuleList; on triage dumps the dump's own driver list. */

#define MODULE_FIELDS(F)                                                                         \
	F(MODULE, LINKS, "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY", "InLoadOrderLinks",     \
	  REQUIRED)                                                                              \
	F(MODULE, BASE, "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY", "DllBase", REQUIRED)     \
	F(MODULE, ENTRY_POINT, "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY", "EntryPoint",     \
	  OPTIONAL)                                                                              \
	F(MODULE, SIZE, "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY", "SizeOfImage", REQUIRED) \
	F(MODULE, PATH, "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY", "FullDllName", REQUIRED) \
	F(MODULE, NAME, "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY", "BaseDllName", REQUIRED) \
	F(MODULE, TIME_DATE_STAMP, "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY",               \
	  "TimeDateStamp", OPTIONAL)                                                             \
	F(MODULE, CHECKSUM, "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY", "CheckSum", OPTIONAL)
DECLARE_FIELDS(module, MODULE_FIELDS);

enum { MAX_KERNEL_MODULES = 1 << 16 };

struct kernel_module {
	uint64_t object; /* KLDR_DATA_TABLE_ENTRY; 0 on triage dumps */
	uint64_t base;
	bool has_size, has_entry_point, has_time_date_stamp, has_checksum;
	uint64_t size, entry_point;
	uint32_t time_date_stamp, checksum;
	const char *name, *path; /* NULL: absent */
	const char *source;	 /* "list", "pool_scan", "triage" */
	bool in_list;		 /* PsLoadedModuleList, or the triage dump's own, has it */
	struct opt_u64 pool;	 /* pool_scan: physical address of its POOL_HEADER */
};

struct kernel_module_list {
	struct arena arena; /* owns every string */
	struct kernel_module *items;
	size_t count;
	bool complete;
	size_t absent_paths; /* records whose path could not be read; the first one's fault */
	struct fault first_absent_path;
};

MUST_CHECK struct error *kernel_modules_read(struct kernel *k, struct kernel_module_list *ret);
/*
 * The loader's records that the pools still hold, in order of physical address, whether the list
 * leads to them or not; then what kernel_modules_read() has and the pools have not. UNSUPPORTED on
 * triage dumps.
 */
MUST_CHECK struct error *kernel_modules_scan(struct kernel *k, struct kernel_module_list *ret);
/* Says as partial how many paths are absent: for those who print them. */
void kernel_modules_report_paths(const struct kernel_module_list *list, struct diag *diag);
void kernel_modules_deinit(struct kernel_module_list *list);

#endif
