/* SPDX-License-Identifier: MIT */
#include "cli/commands/dump.h"

#include <inttypes.h>
#include <string.h>

#include "windows/registry/hive_file.h"
#include "windows/registry/registry.h"

static const char made[] = "made";

struct hive_dump {
	struct dump *dump;
	struct dump_file *file;
	const struct hive *hive;
	uint64_t made; /* bytes */
};

static struct error *copy(void *arg, uint64_t file_offset, uint32_t offset, size_t len)
{
	struct hive_dump *d = arg;
	struct hive_fault fault;
	struct space *space;
	uint64_t va;

	if (hive_locate(d->hive, offset, &space, &va, &fault))
		return dump_range(d->file, file_offset, space, va, len);
	return dump_gap(d->file, file_offset,
			(struct opt_u64){ .present = fault.va, .value = fault.va }, len,
			fault.state ? fault.state : "not_mapped");
}

static struct error *copy_base(void *arg, uint64_t file_offset, uint64_t va, size_t len)
{
	struct hive_dump *d = arg;

	return dump_range(d->file, file_offset, d->hive->memory->kernel, va, len);
}

static struct error *put_made(void *arg, uint64_t file_offset, const uint8_t *bytes, size_t len)
{
	struct hive_dump *d = arg;

	d->made += len;
	return dump_bytes(d->file, file_offset, (struct opt_u64){ 0 }, bytes, len, made);
}

/* The last part of a path; NULL stays NULL. */
static const char *base_name(const char *path)
{
	const char *last = path ? strrchr(path, '\\') : NULL;

	return last ? last + 1 : path;
}

static struct error *write_hive(struct dump *dump, const struct registry_hive *h)
{
	struct dump_file *file CLEANUP(dump_file_cleanup) = NULL;
	struct hive_dump d = { .dump = dump, .hive = &h->hive };
	const struct hive_file_writer writer = {
		.copy = copy,
		.copy_base = copy_base,
		.put_made = put_made,
		.arg = &d,
	};
	struct error *err;

	if ((err = dump_begin(dump, base_name(h->path), opt_u64(h->hive.va), &file)))
		return err;
	d.file = file;
	if ((err = hive_file_write(&h->hive, &writer)))
		return err;
	if (d.made)
		diag_note(dump->run->diag,
			  "hive at 0x%" PRIx64 ": %" PRIu64
			  " bytes of the file are made, not of the snapshot (state made)",
			  h->hive.va, d.made);
	return dump_end(take_ptr(file));
}

static struct error *hive_run(struct dump *dump)
{
	const char *word = option_string(dump->run->options, "hive");
	const struct registry_hive *h;
	struct registry *registry;
	struct error *err;

	if ((err = registry_open(dump->run->kernel, &registry)))
		return err;
	err = registry_find_hive(registry, word, &h);
	if (!err)
		err = write_hive(dump, h);
	registry_close(registry);
	return err;
}

const struct dump_kind dump_hive = { .option = "hive", .run = hive_run };
