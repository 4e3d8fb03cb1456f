/* SPDX-License-Identifier: MIT */
/*
 * LiME's own format, which AVML writes as well unless it compresses: ranges stored as they are.
 * (LiME's modes raw and padded are raw memory.) Source of the layout: LiME, doc/README.md.
 */
#include <inttypes.h>

#include "formats/lime/ranges.h"
#include "formats/registry.h"

static const struct lime_kind kind;

/* Does a range end where the file does or the next one begins? */
static bool ends_well(const struct file *file, const struct lime_range *range)
{
	struct lime_range next;

	return range->length <= file->size - range->data &&
	       (range->data + range->length == file->size ||
		lime_header_at(&kind, file, range->data + range->length, &next));
}

/*
 * Some writers leave out the bytes of a range that they found empty, and go on with the next
 * header. Those are absent: nobody says that they were zero.
 */
static bool is_left_out(const struct file *file, const struct lime_range *range)
{
	struct lime_range next;

	return !ends_well(file, range) && lime_header_at(&kind, file, range->data, &next) &&
	       next.start >= range->start + range->length;
}

static struct error *take(void *arg, const struct lime_range *range, uint64_t *next_ret,
			  struct error **why)
{
	const struct format_input *in = arg;
	uint64_t room = in->file->size - range->data;
	uint64_t stored = range->length < room ? range->length : room;
	uint64_t length = lime_clip(range, in->diag);

	(void)why; /* the header alone says where a range ends */
	if (is_left_out(in->file, range))
		stored = 0;
	if (stored < range->length)
		diag_partial(in->diag,
			     "range at file offset 0x%" PRIx64 ": expected 0x%" PRIx64
			     " bytes, the file has 0x%" PRIx64 " of them",
			     range->offset, range->length, stored);
	*next_ret = range->data + stored;
	if (length > stored)
		length = stored;
	return length ? physmem_add_file(in->mem, range->start, length, in->file, range->data)
		      : NULL;
}

static bool looks_right(void *arg, const struct lime_range *range)
{
	const struct format_input *in = arg;

	return ends_well(in->file, range);
}

static const struct lime_kind kind = {
	.name = "LiME",
	.magic = "EMiL",
	.version = 1,
	.take = take,
	.looks_right = looks_right,
};

static unsigned probe(const struct probe_input *in)
{
	return lime_probe(&kind, in);
}

static struct error *open_lime(const struct format_input *in)
{
	in->info->format = "lime";
	in->info->machine = "amd64";
	return lime_each_range(&kind, in, (void *)(uintptr_t)in);
}

const struct format_ops lime_format = {
	.name = "lime",
	.description = "LiME and uncompressed AVML: ranges of physical memory",
	.recognised = "EMiL",
	.probe = probe,
	.open = open_lime,
};
