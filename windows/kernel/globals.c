/* SPDX-License-Identifier: MIT */
#include "windows/kernel/globals.h"

#include "base/cursor.h"
#include "windows/kernel/cpu.h"
#include "windows/list.h"
#include "windows/modules/module.h"
#include "windows/process/process.h"

enum { NO_KDBG = -1, MAX_LINKS_TO_HEAD = MAX_PROCESSES };

/* One row a global: its name in symbols and exports, and where else it is named. */
struct global_row {
	const char *name;
	int kdbg; /* enum kdbg_field or NO_KDBG */
	bool exported, is_list;
	size_t hint; /* offset in struct dump_hints; SIZE_MAX: none */
	bool (*search)(struct kernel *k, uint64_t *ret); /* last resort */
};

static bool search_module_list(struct kernel *k, uint64_t *ret);
static bool search_process_list(struct kernel *k, uint64_t *ret);

#define HINT(member) offsetof(struct dump_hints, member)
static const struct global_row global_rows[NUM_KERNEL_GLOBALS] = {
	[GLOBAL_PS_LOADED_MODULE_LIST] = { "PsLoadedModuleList", KDBG_PS_LOADED_MODULE_LIST, true,
					   true, HINT(ps_loaded_module_list), search_module_list },
	[GLOBAL_PS_ACTIVE_PROCESS_HEAD] = { "PsActiveProcessHead", KDBG_PS_ACTIVE_PROCESS_HEAD,
					    false, true, HINT(ps_active_process_head),
					    search_process_list },
	[GLOBAL_PS_INITIAL_SYSTEM_PROCESS] = { "PsInitialSystemProcess", NO_KDBG, true, false,
					       SIZE_MAX, NULL },
	[GLOBAL_NT_BUILD_NUMBER] = { "NtBuildNumber", NO_KDBG, true, false, SIZE_MAX, NULL },
	[GLOBAL_NT_BUILD_LAB] = { "NtBuildLab", KDBG_NT_BUILD_LAB, false, false, SIZE_MAX, NULL },
	[GLOBAL_KI_PROCESSOR_BLOCK] = { "KiProcessorBlock", KDBG_KI_PROCESSOR_BLOCK, false, false,
					SIZE_MAX, NULL },
	[GLOBAL_MM_UNLOADED_DRIVERS] = { "MmUnloadedDrivers", KDBG_MM_UNLOADED_DRIVERS, false,
					 false, SIZE_MAX, NULL },
	[GLOBAL_MM_LAST_UNLOADED_DRIVER] = { "MmLastUnloadedDriver", KDBG_MM_LAST_UNLOADED_DRIVER,
					     false, false, SIZE_MAX, NULL },
	[GLOBAL_KE_BOOT_TIME] = { "KeBootTime", NO_KDBG, false, false, SIZE_MAX, NULL },
	[GLOBAL_PSP_CID_TABLE] = { "PspCidTable", KDBG_PSP_CID_TABLE, false, false, SIZE_MAX,
				   NULL },
};

const char *kernel_global_name(enum kernel_global g)
{
	return global_rows[g].name;
}

static bool by_symbols(struct kernel *k, const struct global_row *row, uint64_t *ret)
{
	uint64_t rva;

	if (!profile_symbol(k->profile, row->name, &rva))
		return false;
	*ret = k->loc.base + rva;
	return true;
}

static bool by_header(struct kernel *k, const struct global_row *row, uint64_t *ret)
{
	if (row->hint == SIZE_MAX)
		return false;
	*ret = load_u64((const uint8_t *)&k->snap->info.hints + row->hint);
	return *ret != 0;
}

/* KDBG is read at most once, and searched for only when something still needs it. */
void kernel_need_kdbg(struct kernel *k)
{
	uint64_t va = k->snap->info.hints.kdbg, rva;
	struct error *err;

	if (k->has_kdbg || k->kdbg_tried)
		return;
	k->kdbg_tried = true;
	if (!va && profile_symbol(k->profile, "KdDebuggerDataBlock", &rva))
		va = k->loc.base + rva;
	if (va) {
		err = kdbg_read(k->space, va, k->loc.base, &k->kdbg);
		k->has_kdbg = !err;
		error_destroy(err);
	}
	if (!k->has_kdbg && k->loc.has_pe) {
		err = kdbg_find(k->space, &k->loc.pe, &k->kdbg);
		k->has_kdbg = !err;
		error_destroy(err);
	}
}

static bool by_kdbg(struct kernel *k, const struct global_row *row, uint64_t *ret)
{
	if (row->kdbg == NO_KDBG)
		return false;
	kernel_need_kdbg(k);
	if (!k->has_kdbg || !k->kdbg.has[row->kdbg])
		return false;
	*ret = k->kdbg.value[row->kdbg];
	return true;
}

static bool by_export(struct kernel *k, const struct global_row *row, uint64_t *ret)
{
	struct error *err;
	uint32_t rva;

	if (!row->exported || !k->loc.has_pe)
		return false;
	err = pe_export(k->space, &k->loc.pe, row->name, &rva);
	if (err) {
		error_destroy(err);
		return false;
	}
	*ret = k->loc.base + rva;
	return true;
}

static bool by_search(struct kernel *k, const struct global_row *row, uint64_t *ret)
{
	return row->search && row->search(k, ret);
}

/* In order of trust; info names the one that answered. */
static const struct {
	const char *name;
	bool (*find)(struct kernel *k, const struct global_row *row, uint64_t *ret);
} global_sources[] = {
	{ "symbols", by_symbols }, { "header", by_header }, { "kdbg", by_kdbg },
	{ "export", by_export },   { "search", by_search },
};

static bool holds(struct kernel *k, const struct global_row *row, uint64_t va)
{
	if (!kernel_contains(k, va))
		return false;
	return !row->is_list || list_head_is_sane(k->space, va);
}

/* An answer that cannot be checked because its page is absent is kept, behind one that can. */
static void find_global(struct kernel *k, enum kernel_global g)
{
	const struct global_row *row = &global_rows[g];
	struct global_value *value = &k->globals[g];
	uint64_t va, byte;

	for (size_t i = 0; i < ARRAY_SIZE(global_sources); i++) {
		if (!global_sources[i].find(k, row, &va))
			continue;
		if (holds(k, row, va)) {
			*value = (struct global_value){ true, va, global_sources[i].name };
			return;
		}
		if (!value->present && kernel_contains(k, va) &&
		    !space_try_u64(k->space, va, &byte, NULL))
			*value = (struct global_value){ true, va, global_sources[i].name };
	}
}

void kernel_globals_find(struct kernel *k)
{
	for (int g = 0; g < NUM_KERNEL_GLOBALS; g++)
		find_global(k, (enum kernel_global)g);
}

/* Is there a list head at va whose first entry is the kernel's own module record? */
static bool is_module_list(struct kernel *k, const struct field *fields, uint64_t va,
			   uint64_t first)
{
	struct object module = object_at(k->space, first - fields[MODULE_LINKS].offset, fields);
	uint64_t back, base;

	return space_try_u64(k->space, first + 8, &back, NULL) && back == va &&
	       object_u64(&module, MODULE_BASE, &base) && base == k->loc.base;
}

/*
 * PsLoadedModuleList without a symbol: the kernel is the first module that was loaded, so the
 * list head is a variable of the image that points to a record with the image's own base, and
 * that points back.
 */
static bool search_module_list(struct kernel *k, uint64_t *ret)
{
	struct field fields[module_num_fields];
	uint8_t page[PAGE_SIZE];
	struct error *err;

	err = profile_bind(k->profile, module_field_rows, module_num_fields, fields);
	if (err) {
		error_destroy(err);
		return false;
	}
	for (uint64_t at = 0; at < k->loc.size; at += PAGE_SIZE) {
		if (!space_try_read(k->space, k->loc.base + at, page, sizeof(page), NULL))
			continue;
		for (size_t i = 0; i < PAGE_SIZE; i += 8) {
			uint64_t first = load_u64(page + i);

			*ret = k->loc.base + at + i;
			if (first >> 47 == 0x1ffff && !(first & 7) &&
			    is_module_list(k, fields, *ret, first))
				return true;
		}
	}
	return false;
}

/* Follows one direction of a process's links until they enter the kernel image. */
static bool follow_to_head(struct kernel *k, uint64_t entry, uint64_t link, uint64_t *ret)
{
	for (size_t i = 0; i < MAX_LINKS_TO_HEAD; i++) {
		if (!space_try_u64(k->space, entry + link, &entry, NULL))
			return false;
		if (kernel_contains(k, entry)) {
			*ret = entry;
			return true;
		}
	}
	return false;
}

/* PsActiveProcessHead without a symbol: the one entry of the ring that lies in the image. */
static bool search_process_list(struct kernel *k, uint64_t *ret)
{
	struct field fields[process_num_fields];
	struct kernel_cpu *cpus;
	struct arena arena;
	size_t count = 0;
	bool found = false;
	struct error *err;

	arena_init(&arena, 0);
	err = profile_bind(k->profile, process_field_rows, process_num_fields, fields);
	if (!err)
		err = kernel_cpus_read(k, &arena, &cpus, &count);
	for (size_t i = 0; !err && i < count && !found; i++) {
		uint64_t links = cpus[i].current_process + fields[PROCESS_LINKS].offset;

		if (cpus[i].current_process)
			found = follow_to_head(k, links, 0, ret) ||
				follow_to_head(k, links, 8, ret);
	}
	error_destroy(err);
	arena_deinit(&arena);
	return found;
}
