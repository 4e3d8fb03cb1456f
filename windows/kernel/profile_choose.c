/* SPDX-License-Identifier: MIT */
#include "windows/kernel/profile_choose.h"

#include <string.h>

#include "windows/discover.h"
#include "windows/symbols/kernel_versions.h"

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

static struct error *make_key(struct kernel *k, struct profile_key *ret)
{
	struct profile_key key = {
		.has_guid = k->loc.has_codeview,
		.age = k->loc.codeview.age,
		.pdb_name = k->loc.has_codeview ? k->loc.codeview.name : NULL,
		.time_date_stamp = k->loc.pe.time_date_stamp,
		.size_of_image = k->loc.pe.size_of_image,
	};
	struct error *err;

	memcpy(key.guid, k->loc.codeview.guid, sizeof(key.guid));
	if ((err = find_version(k, &key.la57)))
		return err;
	key.build = k->build;
	*ret = key;
	return NULL;
}

/* Nothing matches the build: not_found says so, and stays the error if discovery fails too. */
static struct error *discover_instead(struct kernel *k, struct error *not_found)
{
	struct error *err = discover_profile(k, &k->profile);

	if (err)
		not_found = error_wrap(not_found, "%s", error_message(err));
	else
		error_catch(&not_found, ERROR_NOT_FOUND);
	error_destroy(err);
	return not_found;
}

/* What the profile knows of the kernel beyond layouts. */
static void adopt_facts(struct kernel *k)
{
	if (!k->build && profile_is_exact(k->profile)) {
		k->build = profile_build(k->profile);
		k->build_source = "profile";
	}
	if (profile_version(k->profile)) {
		k->version = profile_version(k->profile);
		k->version_source = "GUID";
	}
}

struct error *profile_choose(struct kernel *k, const struct profile_options *options)
{
	bool can_discover = k->snap->mem && k->loc.has_pe;
	struct profile_key key;
	struct error *err;

	if ((err = make_key(k, &key)))
		return err;
	err = profile_open(&key, options, k->diag, &k->profile);
	if (can_discover && err && error_code(err) == ERROR_NOT_FOUND)
		err = discover_instead(k, err);
	else if (can_discover && !err)
		err = check_profile(k);
	if (!err)
		adopt_facts(k);
	return err;
}
