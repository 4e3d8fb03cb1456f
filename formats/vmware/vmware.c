/* SPDX-License-Identifier: MIT */
/*
 * VMware's suspended machines and snapshots: a state file (.vmss, .vmsn) that has the memory in
 * it or, from Workstation 5.5 and ESXi on, beside it (.vmem). Either may be given. Memory alone
 * has no magic: it is known by its name, and without its state it is raw memory.
 */
#include "formats/registry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/vmware/companion.h"
#include "formats/vmware/memory.h"
#include "formats/vmware/processors.h"
#include "formats/vmware/state.h"

/* Where VMware leaves a hole in physical memory, up to 4 GiB (LeechCore device_vmware.c). */
#define HOLE_START UINT64_C(0xc0000000)

static bool is_memory_file(const char *path)
{
	char suffix[VMWARE_SUFFIX_SIZE];

	return path && vmware_suffix(path, suffix) && !strcmp(suffix, ".vmem");
}

/* By name just above raw memory, whose content says as little. */
static unsigned vmware_probe(const struct probe_input *in)
{
	if (in->head_size >= STATE_MAGIC_SIZE && state_is_magic(in->head))
		return 32;
	return is_memory_file(in->path) ? 2 : 0;
}

/* Opens the file of that suffix beside the one given, itself or in a container as that one is;
 * NULL in *ret where there is none. */
static struct error *open_companion(const struct format_input *in, const char *suffix,
				    const struct file **ret)
{
	*ret = NULL;
	for (unsigned in_container = 0; in_container < 2; in_container++) {
		char *path;
		struct error *err = vmware_companion(in->path, suffix, in_container, &path);

		if (err)
			return err;
		err = format_open_beside(in, path, ret);
		free(path);
		if (!err || error_code(err) != ERROR_OS || error_errno(err) != ENOENT)
			return err;
		error_destroy(err);
	}
	return NULL;
}

static struct error *visit_platform(void *arg, const struct state_tag *tag)
{
	enum { ARM64 = 3 }; /* LeechCore device_file.c */
	uint64_t platform;

	if (strcmp(tag->name, "Platform") != 0 || !state_value(arg, tag, 0, 4, &platform) ||
	    platform != ARM64)
		return NULL;
	return error_new(ERROR_UNSUPPORTED, "snapshot of an ARM machine: expected an AMD64 one");
}

static struct error *check_platform(const struct file *state)
{
	bool found;
	struct error *err = state_walk(state, "Checkpoint", visit_platform, (void *)state, &found);

	error_catch(&err, ERROR_CORRUPT); /* damage there says nothing of memory */
	return err;
}

/* The state: registers, and where memory is in `memory_file` (NULL: there is none, and it would
 * have been `expected`). What a state file that was given has in it is preferred. */
static struct error *open_both(const struct format_input *in, const struct file *state,
			       const struct file *memory_file, const char *expected)
{
	struct vmware_memory memory;
	uint64_t start = 0, size;
	struct error *err = vmware_read_memory(state, &memory, in->diag);

	if (err || (err = check_platform(state)))
		return err;
	if (memory_file && (state != in->file || !memory.num_blocks)) {
		size = memory_file->size;
		if (!memory.is_described)
			diag_note(in->diag, "the state has no group 'memory': memory is taken to "
					    "be in one piece");
	} else if (memory.num_blocks) {
		memory_file = state;
		start = memory.block_offset < state->size ? memory.block_offset : state->size;
		size = state->size - start;
		if (memory.block_size < size)
			size = memory.block_size;
	} else {
		return error_new(ERROR_UNSUPPORTED,
				 "snapshot state without memory: expected %s beside it%s", expected,
				 memory.is_described
					 ? ""
					 : "; there is none if the machine was off, or the "
					   "snapshot was taken without its memory");
	}
	if (!memory.num_regions && size > HOLE_START)
		diag_note(in->diag, "the state has no regions of memory: it is taken to be in one "
				    "piece, although VMware moves what is above 3 GiB to 4 GiB");
	err = vmware_add_memory(&memory, memory_file, start, size, in->mem, in->diag);
	return err ? err : vmware_read_processors(state, in->info, in->diag);
}

/* Given a state file. */
static struct error *open_state(const struct format_input *in)
{
	const struct file *memory_file = NULL;
	char suffix[VMWARE_SUFFIX_SIZE];
	bool has_name = vmware_suffix(in->path, suffix) && strcmp(suffix, ".vmem") != 0;
	char *path = NULL;
	struct error *err;

	in->info->subtype = has_name && !strcmp(suffix, ".vmss") ? "suspended" : "snapshot";
	if (in->memory_map)
		return error_new(ERROR_USAGE, "a memory map is for raw snapshots, not for a state "
					      "file, which has one");
	if (!has_name)
		return open_both(in, in->file, NULL, "a file that ends in .vmem");
	if (!(err = open_companion(in, ".vmem", &memory_file)) &&
	    !(err = vmware_companion(in->path, ".vmem", false, &path)))
		err = open_both(in, in->file, memory_file, path);
	free(path);
	return err;
}

/* Memory alone. */
static struct error *open_raw(const struct format_input *in)
{
	char *vmss = NULL, *vmsn = NULL;
	struct error *err;

	in->info->format = "raw";
	if (in->memory_map)
		return raw_format.open(in);
	if (!(err = vmware_companion(in->path, ".vmss", false, &vmss)) &&
	    !(err = vmware_companion(in->path, ".vmsn", false, &vmsn)))
		diag_note(in->diag, "neither '%s' nor '%s' is there: taken as raw memory%s", vmss,
			  vmsn,
			  in->file->size > HOLE_START
				  ? ", although VMware moves what is above 3 GiB to 4 GiB, which "
				    "only these files tell (--memory-map)"
				  : "");
	free(vmss);
	free(vmsn);
	return err ? err : raw_format.open(in);
}

/* Given a memory file. */
static struct error *open_memory(const struct format_input *in)
{
	static const char *const suffixes[] = { ".vmss", ".vmsn" };
	const struct file *state = NULL;
	struct error *err = NULL;
	size_t i = 0;

	while (!err && !in->memory_map && !state && i < ARRAY_SIZE(suffixes))
		err = open_companion(in, suffixes[i++], &state);
	if (err)
		return err;
	if (!state)
		return open_raw(in);
	in->info->subtype = i == 1 ? "suspended" : "snapshot";
	return error_wrap(open_both(in, state, in->file, NULL), "%s", state->path);
}

static struct error *vmware_open(const struct format_input *in)
{
	const uint8_t *magic;
	struct error *err;

	in->info->format = "vmware";
	in->info->machine = "amd64";
	if (in->file->size < STATE_MAGIC_SIZE)
		return error_new(ERROR_CORRUPT, "0x%" PRIx64 " bytes: expected a VMware snapshot",
				 in->file->size);
	if ((err = file_bytes(in->file, 0, STATE_MAGIC_SIZE, &magic)))
		return err;
	if (state_is_magic(magic))
		return open_state(in);
	if (is_memory_file(in->path))
		return open_memory(in);
	return error_new(ERROR_CORRUPT, "expected the magic of a VMware snapshot state, or a name "
					"that ends in .vmem");
}

const struct format_ops vmware_format = {
	.name = "vmware",
	.description =
		"VMware snapshot: .vmss, .vmsn, .vmem; memory in the state file, beside it, alone",
	.recognised = "d0 to d3 be or d1, d2 ba, each twice; d0 be d2 be; the name of a .vmem file",
	.takes_memory_map = true,
	.probe = vmware_probe,
	.open = vmware_open,
};
