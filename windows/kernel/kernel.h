/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_H
#define WINDOWS_KERNEL_H

#include "windows/kernel/kdbg.h"
#include "windows/locate.h"
#include "windows/object.h"
#include "windows/paging/paging.h"
#include "windows/paging/pte.h"
#include "windows/profile.h"

/*
 * A located Windows kernel with its profile: where listings start. Borrows the snapshot and
 * the diag, which must outlive it. Read-only once open; safe across threads.
 */
enum kernel_global {
	GLOBAL_KI_PROCESSOR_BLOCK, /* before the lists, whose search asks the processors */
	GLOBAL_PS_LOADED_MODULE_LIST,
	GLOBAL_PS_ACTIVE_PROCESS_HEAD,
	GLOBAL_PS_INITIAL_SYSTEM_PROCESS,
	GLOBAL_NT_BUILD_NUMBER,
	GLOBAL_NT_BUILD_LAB,
	GLOBAL_MM_UNLOADED_DRIVERS,
	GLOBAL_MM_LAST_UNLOADED_DRIVER,
	GLOBAL_KE_BOOT_TIME,
	GLOBAL_PSP_CID_TABLE,
	NUM_KERNEL_GLOBALS
};

struct global_value {
	bool present;
	uint64_t va;
	const char *source; /* "symbols", "header", "kdbg", "export", "search" */
};

struct kernel_options {
	struct locate_options locate;
	struct profile_options profile;
	const char *const *pagefiles; /* words: windows/paging/pagefile.h */
	size_t num_pagefiles;
};

struct kernel {
	const struct snapshot *snap;
	struct diag *diag;
	struct arena arena;
	struct kernel_location loc;
	struct space *space;	       /* the kernel's own space (triage: the captured blocks) */
	struct virtmem *triage_blocks; /* triage dumps: what space reads; owned */
	uint64_t triage_process;       /* triage dumps: EPROCESS; 0: unknown */
	uint64_t triage_thread;	       /* triage dumps: ETHREAD that was running; 0: unknown */
	uint64_t triage_kprcb;	       /* triage dumps: of the processor that crashed; 0: unknown */
	struct windows_pte_config pte_config;
	struct paging *paging; /* what spaces share; NULL: page tables alone */
	uint64_t dtb;	       /* root in use: System's own once it is known; 0: none */
	struct profile *profile;
	uint32_t build;	       /* 0: unknown */
	const char *build_lab; /* NULL: unknown */
	const char *build_source;
	const char *version; /* of the image file, "10.0.19041.1526"; NULL: unknown */
	const char *version_source;
	bool has_kdbg, kdbg_tried;
	struct kdbg kdbg;
	struct global_value globals[NUM_KERNEL_GLOBALS];
	bool has_system_time, has_boot_time;
	uint64_t system_time, boot_time; /* FILETIME */
	const char *system_time_source;
	unsigned scan_threads; /* for scans of all memory; 0: one per processor */
	bool scan_quiet;       /* no progress line in them */
};

MUST_CHECK struct error *kernel_open(const struct snapshot *snap,
				     const struct kernel_options *options, struct diag *diag,
				     struct kernel **ret);
void kernel_close(struct kernel *k); /* NULL ok */
/*
 * The space of a page table root (flag bits allowed), as Windows would see it, owned by the caller;
 * the kernel must outlive it. eprocess: whose it is, 0: unknown or the kernel's.
 */
MUST_CHECK struct error *kernel_open_space(struct kernel *k, uint64_t root, uint64_t eprocess,
					   struct space **ret);
/* The address of a symbol of exactly this kernel, else of an export. False: neither names it. */
MUST_CHECK bool kernel_symbol(const struct kernel *k, const char *name, uint64_t *va_ret);
const char *kernel_global_name(enum kernel_global g);
/* Is va inside the kernel image? */
bool kernel_contains(const struct kernel *k, uint64_t va);

#endif
