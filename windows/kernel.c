/* SPDX-License-Identifier: MIT */
#include "windows/kernel.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "windows/discover.h"
#include "windows/globals.h"
#include "windows/process.h"
#include "windows/shared_data.h"
#include "windows/symbols/kernel_versions.h"
#include "windows/triage.h"

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

/* The file version, by the GUID or by two fields of the PE header. */
static struct error *find_version(struct kernel *k, bool *la57_ret)
{
	struct kernel_version v;

	*la57_ret = k->loc.has_codeview && !strncmp(k->loc.codeview.name, "ntkrla57", 8);
	if (!kernel_version_find(k->loc.pe.time_date_stamp, k->loc.pe.size_of_image, &v))
		return NULL;
	*la57_ret = *la57_ret || v.la57;
	k->version = arena_printf(&k->arena, "%u.%u.%u.%u", v.major, v.minor, v.build, v.revision);
	k->version_source = "time stamp and size of the image";
	if (!k->build) {
		k->build = v.build;
		k->build_source = k->version_source;
	}
	return k->version ? NULL : &error_no_memory;
}

static uint64_t exported_system_process(struct kernel *k)
{
	uint64_t system = 0;
	uint32_t rva;
	struct error *err;

	if (!k->loc.has_pe)
		return 0;
	err = pe_export(k->space, &k->loc.pe, "PsInitialSystemProcess", &rva);
	if (!err && !space_try_u64(k->space, k->loc.base + rva, &system, NULL))
		system = 0;
	error_destroy(err);
	return system;
}

/* What the snapshot itself shows of its kernel's layouts. */
static struct error *discover_profile(struct kernel *k, struct profile **ret)
{
	const struct dump_info *info = &k->snap->info;
	struct profile_source *source;
	struct error *err;

	err = discover_open(k->space, &k->loc.pe, k->snap->mem, k->loc.levels,
			    info->num_registers ? &info->registers[0] : NULL,
			    exported_system_process(k), k->diag, &source);
	return err ? err : profile_from_source(source, k->build, ret);
}

/*
 * A layout that is not known to be this kernel's must hold on System and its neighbours; if it does
 * not, what the snapshot shows takes its place.
 */
static struct error *check_profile(struct kernel *k)
{
	struct profile *found;
	struct error *err;
	uint64_t system;

	if (profile_is_exact(k->profile) || !(system = exported_system_process(k)))
		return NULL;
	err = discover_check_profile(k->space, &k->loc.pe, k->snap->mem, k->loc.levels, system,
				     k->profile);
	if (!err || (error_code(err) != ERROR_CORRUPT && error_code(err) != ERROR_NOT_FOUND))
		return err;
	diag_note(k->diag, "%s does not fit this kernel (%s): layouts are discovered",
		  profile_description(k->profile), error_message(err));
	error_destroy(err);
	if ((err = discover_profile(k, &found)))
		return err;
	profile_close(k->profile);
	k->profile = found;
	return NULL;
}

static struct error *open_profile(struct kernel *k, const struct profile_options *options)
{
	struct profile_key key = {
		.has_guid = k->loc.has_codeview,
		.age = k->loc.codeview.age,
		.pdb_name = k->loc.has_codeview ? k->loc.codeview.name : NULL,
		.time_date_stamp = k->loc.pe.time_date_stamp,
		.size_of_image = k->loc.pe.size_of_image,
	};
	struct error *err, *discover_err;

	memcpy(key.guid, k->loc.codeview.guid, sizeof(key.guid));
	if ((err = find_version(k, &key.la57)))
		return err;
	key.build = k->build;
	err = profile_open(&key, options, k->diag, &k->profile);
	if (err && error_code(err) == ERROR_NOT_FOUND && k->snap->mem && k->loc.has_pe) {
		discover_err = discover_profile(k, &k->profile);
		if (discover_err)
			err = error_wrap(err, "%s", error_message(discover_err));
		else
			error_catch(&err, ERROR_NOT_FOUND);
		error_destroy(discover_err);
	} else if (!err && k->snap->mem && k->loc.has_pe) {
		err = check_profile(k);
	}
	if (err)
		return err;
	if (!k->build && profile_is_exact(k->profile)) {
		k->build = profile_build(k->profile);
		k->build_source = "profile";
	}
	if (profile_version(k->profile)) {
		k->version = profile_version(k->profile);
		k->version_source = "GUID";
	}
	return NULL;
}

/* MiState.Hardware.InvalidPteMask: how frame numbers of not-present entries are disguised. */
static void read_pte_config(struct kernel *k)
{
	struct field mask;
	uint64_t rva;

	if (!profile_symbol(k->profile, "MiState", &rva) ||
	    !profile_field(k->profile, "_MI_SYSTEM_INFORMATION", "Hardware.InvalidPteMask", &mask))
		return;
	k->pte_config.known = space_try_u64(k->space, k->loc.base + rva + mask.offset,
					    &k->pte_config.invalid_pte_mask, NULL);
}

struct error *kernel_open_space(struct kernel *k, uint64_t root, uint64_t eprocess,
				struct space **ret)
{
	(void)eprocess; /* page tables alone say all */
	return space_create_amd64(k->snap->mem, root, k->loc.levels, &windows_soft_pte,
				  &k->pte_config, ret);
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

	locate_triage(k);
	find_build(k, NULL, false);
	if ((err = open_profile(k, &options->profile)) || (err = triage_open_space(k)))
		return err;
	kernel_globals_find(k);
	read_times(k, NULL, false);
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
	if ((err = kernel_open_space(k, k->loc.root, 0, &k->space)))
		return err;
	has_shared = shared_data_read(k->space, &shared);
	find_build(k, &shared, has_shared);
	if ((err = open_profile(k, &options->profile)))
		return err;
	read_pte_config(k);
	kernel_globals_find(k);
	if (!options->locate.has_dtb)
		adopt_system_root(k);
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
	virtmem_destroy(k->triage_blocks);
	profile_close(k->profile);
	kernel_location_deinit(&k->loc);
	arena_deinit(&k->arena);
	free(k);
}
