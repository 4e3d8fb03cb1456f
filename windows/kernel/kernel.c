/* SPDX-License-Identifier: MIT */
#include "windows/kernel/kernel.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "windows/kernel/globals.h"
#include "windows/kernel/profile_choose.h"
#include "windows/kernel/shared_data.h"
#include "windows/kernel/triage.h"
#include "windows/paging/mask.h"
#include "windows/process/process.h"

enum { MAX_BUILD_LAB = 256 };

bool kernel_contains(const struct kernel *k, uint64_t va)
{
	return va >= k->loc.base && va - k->loc.base < k->loc.size;
}

bool kernel_symbol(const struct kernel *k, const char *name, uint64_t *va_ret)
{
	uint64_t rva;
	uint32_t export;
	struct error *err;

	if (profile_symbol(k->profile, name, &rva)) {
		*va_ret = k->loc.base + rva;
		return true;
	}
	if (!k->loc.has_pe)
		return false;
	err = pe_export(k->space, &k->loc.pe, name, &export);
	if (err) {
		error_destroy(err);
		return false;
	}
	*va_ret = k->loc.base + export;
	return true;
}

/* The build number that the snapshot states by itself, before any profile is chosen. */
static void find_build(struct kernel *k, const struct shared_data *shared, bool has_shared)
{
	struct error *err;
	uint32_t rva, value;

	if (k->snap->info.has_build) {
		k->build = k->snap->info.build;
		k->build_source = "header";
		return;
	}
	if (has_shared && shared->build) {
		k->build = shared->build;
		k->build_source = "KUSER_SHARED_DATA";
		return;
	}
	if (!k->loc.has_pe)
		return;
	err = pe_export(k->space, &k->loc.pe, "NtBuildNumber", &rva);
	if (!err && space_try_u32(k->space, k->loc.base + rva, &value, NULL)) {
		k->build = value & 0xffff; /* the top nibble says free or checked build */
		k->build_source = "NtBuildNumber";
	}
	error_destroy(err);
}

/* The build's bit fields of not-present entries, and how their frame numbers are disguised. */
static void read_pte_config(struct kernel *k)
{
	struct windows_pte_config *config = &k->pte_config;
	struct field fields[soft_pte_num_fields];
	struct error *err;
	uint64_t va;

	err = profile_bind(k->profile, soft_pte_field_rows, soft_pte_num_fields, fields);
	if (err) { /* no row is required */
		error_destroy(err);
		return;
	}
	if (fields[SOFT_PTE_FILE_LOW].present) {
		config->file_shift = fields[SOFT_PTE_FILE_LOW].bit_pos;
		config->as_stored = !fields[SOFT_PTE_SWIZZLE_BIT].present;
	}
	if (kernel_symbol(k, "MiState", &va) && fields[SOFT_PTE_INVALID_MASK].present)
		va += fields[SOFT_PTE_INVALID_MASK].offset;
	else if (!kernel_symbol(k, "MiInvalidPteMask", &va))
		va = 0;
	config->known = va && space_try_u64(k->space, va, &config->invalid_pte_mask, NULL);
	if (!config->known && !config->as_stored)
		find_invalid_pte_mask(k->space, config);
}

struct error *kernel_open_space(struct kernel *k, uint64_t root, uint64_t eprocess,
				struct space **ret)
{
	if (!k->snap->mem)
		return error_new(ERROR_UNSUPPORTED, "a triage dump has no page tables");
	if (!k->paging) /* a kernel that was put together by hand: page tables alone */
		return space_create_amd64(k->snap->mem, root, k->loc.levels, &windows_soft_pte,
					  &k->pte_config, ret);
	return paging_open_space(k->paging, root, eprocess, ret);
}

/*
 * The locator's root may be a process's, or the loader's: System's own is the one that every
 * build keeps. It is taken when it maps the same page at the kernel's base.
 */
static void adopt_system_root(struct kernel *k)
{
	const struct global_value *global = &k->globals[GLOBAL_PS_INITIAL_SYSTEM_PROCESS];
	struct field fields[process_num_fields];
	uint64_t system, dtb, pa_old, pa_new;
	struct object process;
	struct space *space;
	struct error *err;

	if (!global->present || !space_try_u64(k->space, global->va, &system, NULL))
		return;
	err = profile_bind(k->profile, process_field_rows, process_num_fields, fields);
	if (err) {
		error_destroy(err);
		return;
	}
	process = object_at(k->space, system, fields);
	if (!object_u64(&process, PROCESS_DTB, &dtb) || dtb_to_root(dtb) == k->dtb)
		return;
	if ((err = kernel_open_space(k, dtb, system, &space))) {
		error_destroy(err);
		return;
	}
	if (space_translate(k->space, k->loc.base, &pa_old) == VA_MAPPED &&
	    space_translate(space, k->loc.base, &pa_new) == VA_MAPPED && pa_old == pa_new) {
		space_destroy(k->space);
		k->space = space;
		k->dtb = dtb_to_root(dtb);
	} else {
		space_destroy(space);
	}
}

static struct error *read_build_lab(struct kernel *k)
{
	const struct global_value *global = &k->globals[GLOBAL_NT_BUILD_LAB];
	uint8_t text[MAX_BUILD_LAB];
	size_t len = sizeof(text), page_left;

	if (!global->present)
		return NULL;
	page_left = PAGE_SIZE - (global->va & PAGE_MASK);
	if (page_left < len && !space_try_read(k->space, global->va, text, len, NULL))
		len = page_left;
	if (!space_try_read(k->space, global->va, text, len, NULL) || !memchr(text, 0, len))
		return NULL;
	k->build_lab = text_from_ansi(&k->arena, text, len);
	return k->build_lab ? NULL : &error_no_memory;
}

static void read_times(struct kernel *k, const struct shared_data *shared, bool has_shared)
{
	const struct global_value *boot = &k->globals[GLOBAL_KE_BOOT_TIME];
	const struct dump_info *info = &k->snap->info;

	if (has_shared && shared->system_time) {
		k->system_time = shared->system_time;
		k->system_time_source = "KUSER_SHARED_DATA";
	} else if (info->has_system_time) {
		k->system_time = info->system_time;
		k->system_time_source = "header";
	}
	k->has_system_time = k->system_time != 0;
	if (boot->present && space_try_u64(k->space, boot->va, &k->boot_time, NULL)) {
		k->has_boot_time = k->boot_time != 0;
	} else if (has_shared && shared->interrupt_time && shared->system_time) {
		k->boot_time = shared->system_time - shared->interrupt_time;
		k->has_boot_time = true;
	} else if (info->has_system_time && info->has_uptime) {
		k->boot_time = info->system_time - info->system_uptime;
		k->has_boot_time = true;
	}
}

/* A triage dump names its kernel in the header and the driver list; it has no page tables. */
static void locate_triage(struct kernel *k)
{
	const struct dump_triage *triage = k->snap->info.triage;

	arena_init(&k->loc.arena, 0);
	k->loc.base = k->snap->info.hints.kernel_base;
	k->loc.located_by = "driver list";
	k->dtb = dtb_to_root(k->snap->info.hints.dtb);
	for (size_t i = 0; i < triage->num_modules; i++) {
		if (triage->modules[i].base != k->loc.base)
			continue;
		k->loc.size = triage->modules[i].size;
		k->loc.pe.time_date_stamp = triage->modules[i].time_date_stamp;
		k->loc.pe.size_of_image = (uint32_t)triage->modules[i].size;
	}
}

static struct error *open_triage(struct kernel *k, const struct kernel_options *options)
{
	struct error *err;

	if (options->num_pagefiles)
		diag_note(k->diag, "a triage dump has no page tables: page files are of no use");
	locate_triage(k);
	find_build(k, NULL, false);
	if ((err = profile_choose(k, &options->profile)) || (err = triage_open_space(k)))
		return err;
	kernel_globals_find(k);
	read_times(k, NULL, false);
	return NULL;
}

/* From here on spaces know where Windows keeps what is not in memory; the one that is open knows
 * tables as empty that are not. */
static struct error *start_paging(struct kernel *k)
{
	struct space *space;
	struct error *err;

	if ((err = paging_start(k->paging, k)) || (err = kernel_open_space(k, k->dtb, 0, &space)))
		return err;
	space_destroy(k->space);
	k->space = space;
	return NULL;
}

static struct error *open_physical(struct kernel *k, const struct kernel_options *options)
{
	struct shared_data shared;
	struct error *err;
	bool has_shared;

	err = kernel_locate(k->snap, &options->locate, k->diag, &k->loc);
	if (err)
		return err;
	k->dtb = k->loc.root;
	err = paging_create(k->snap->mem, k->loc.levels, &k->pte_config, options->pagefiles,
			    options->num_pagefiles, &k->paging);
	if (err)
		return err;
	if ((err = kernel_open_space(k, k->loc.root, 0, &k->space)))
		return err;
	has_shared = shared_data_read(k->space, &shared);
	find_build(k, &shared, has_shared);
	if ((err = profile_choose(k, &options->profile)))
		return err;
	read_pte_config(k);
	kernel_globals_find(k);
	if (!options->locate.has_dtb)
		adopt_system_root(k);
	if ((err = start_paging(k)))
		return err;
	read_times(k, &shared, has_shared);
	return read_build_lab(k);
}

struct error *kernel_open(const struct snapshot *snap, const struct kernel_options *options,
			  struct diag *diag, struct kernel **ret)
{
	struct kernel *k = calloc(1, sizeof(*k));
	struct error *err;

	if (!k)
		return &error_no_memory;
	k->snap = snap;
	k->diag = diag;
	k->scan_threads = options->locate.threads;
	k->scan_quiet = options->locate.quiet;
	arena_init(&k->arena, 0);
	err = snap->mem ? open_physical(k, options) : open_triage(k, options);
	if (err) {
		kernel_close(k);
		return err;
	}
	*ret = k;
	return NULL;
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	space_destroy(k->space);
	paging_destroy(k->paging);
	virtmem_destroy(k->triage_blocks);
	profile_close(k->profile);
	kernel_location_deinit(&k->loc);
	arena_deinit(&k->arena);
	free(k);
}
