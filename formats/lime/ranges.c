/* SPDX-License-Identifier: MIT */
#include "formats/lime/ranges.h"

#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/file_reader.h"

enum {
	MAGIC_SIZE = 4,
	MAX_RANGES = 1 << 20, /* AVML makes one per 16 MiB of memory */
	SEARCHED_AT_ONCE = 4096,
};

unsigned lime_probe(const struct lime_kind *kind, const struct probe_input *in)
{
	if (in->head_size < MAGIC_SIZE || memcmp(in->head, kind->magic, MAGIC_SIZE) != 0)
		return 0;
	return in->head_size >= 8 && load_u32(in->head + 4) == kind->version ? 64 : 32;
}

static struct error *read_header(const struct lime_kind *kind, const struct file *file,
				 uint64_t offset, struct lime_range *ret)
{
	uint8_t bytes[LIME_HEADER_SIZE];
	struct error *err;
	uint32_t version;
	uint64_t last;

	if (offset > file->size || file->size - offset < LIME_HEADER_SIZE)
		return error_new(ERROR_CORRUPT,
				 "expected a range header of %d bytes at file offset 0x%" PRIx64
				 ", the file ends at 0x%" PRIx64,
				 LIME_HEADER_SIZE, offset, file->size);
	if ((err = file_read(file, offset, bytes, sizeof(bytes))))
		return err;
	if (memcmp(bytes, kind->magic, MAGIC_SIZE) != 0)
		return error_new(ERROR_CORRUPT,
				 "expected a range header ('%s') at file offset 0x%" PRIx64
				 ", found 0x%08" PRIx32,
				 kind->magic, offset, load_u32(bytes));
	version = load_u32(bytes + 4);
	if (version != kind->version)
		return error_new(ERROR_UNSUPPORTED,
				 "%s version %" PRIu32 " at file offset 0x%" PRIx64
				 ": expected version %" PRIu32,
				 kind->name, version, offset, kind->version);
	*ret = (struct lime_range){
		.offset = offset,
		.data = offset + LIME_HEADER_SIZE,
		.start = load_u64(bytes + 8),
	};
	/* The last address is in the range: an empty one can only be said by one before start. */
	last = load_u64(bytes + 16);
	ret->length = last - ret->start + 1;
	if ((last < ret->start && ret->length) || (last >= ret->start && !ret->length))
		return error_new(ERROR_CORRUPT,
				 "range at file offset 0x%" PRIx64
				 ": expected its last address at or above 0x%" PRIx64
				 ", found 0x%" PRIx64,
				 offset, ret->start, last);
	return NULL;
}

bool lime_header_at(const struct lime_kind *kind, const struct file *file, uint64_t offset,
		    struct lime_range *ret)
{
	struct error *err CLEANUP(error_cleanup) = read_header(kind, file, offset, ret);

	return !err;
}

uint64_t lime_clip(const struct lime_range *range, struct diag *diag)
{
	uint64_t room = range->start < PHYSMEM_MAX_END ? PHYSMEM_MAX_END - range->start : 0;

	if (range->length <= room)
		return range->length;
	diag_partial(diag,
		     "range at file offset 0x%" PRIx64 ": 0x%" PRIx64
		     " bytes have physical addresses of 0x%" PRIx64
		     " or above, which no machine has: left out",
		     range->offset, range->length - room, PHYSMEM_MAX_END);
	return room;
}

struct search {
	const struct lime_kind *kind;
	const struct file *file;
	void *arg;
	uint64_t above; /* physical address that the next range does not start below */
	bool in_range;	/* damage ended a range, rather than being between two */
	/* the first byte on the way that is not known to be zero; UINT64_MAX: none */
	uint64_t first_data;
};

/* Memory holds what looks like headers as well: in file caches, in the tools' own code. So one that
 * is searched for has to be right in all that can be checked. */
static bool is_header(const struct search *s, uint64_t offset, struct lime_range *ret)
{
	return lime_header_at(s->kind, s->file, offset, ret) && ret->length &&
	       ret->start >= s->above && !(ret->start & PAGE_MASK) && !(ret->length & PAGE_MASK) &&
	       s->kind->looks_right(s->arg, ret);
}

static void note_data(struct search *s, uint64_t offset, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; s->first_data == UINT64_MAX && i < len; i++) {
		if (bytes[i])
			s->first_data = offset + i;
	}
}

/* The first header in a stretch of the file. */
static bool find_in(struct search *s, uint64_t offset, const uint8_t *bytes, size_t len,
		    struct lime_range *ret)
{
	const uint8_t *at = bytes, *end = bytes + len;

	while ((at = memmem(at, (size_t)(end - at), s->kind->magic, MAGIC_SIZE)) != NULL) {
		if (is_header(s, offset + (uint64_t)(at - bytes), ret))
			return true;
		at++;
	}
	return false;
}

/* The first header at or after an offset. What cannot be read holds none. */
static bool find_header(struct search *s, uint64_t offset, struct lime_range *ret)
{
	struct file_reader r;
	bool found = false;

	file_reader_init(&r, s->file, offset);
	for (uint64_t left; !found && (left = file_reader_left(&r)) != 0;) {
		size_t len = left < SEARCHED_AT_ONCE ? (size_t)left : SEARCHED_AT_ONCE;
		uint64_t start = r.pos;
		const uint8_t *bytes;
		struct error *err = file_reader_take(&r, len, &bytes);

		if (err) {
			error_destroy(err);
			if (s->first_data == UINT64_MAX)
				s->first_data = start;
			r.pos = start + len;
			continue;
		}
		note_data(s, start, bytes, len);
		found = find_in(s, start, bytes, len, ret);
		/* A magic may lie across two pieces. */
		if (len < left)
			r.pos -= MAGIC_SIZE - 1;
	}
	file_reader_deinit(&r);
	return found;
}

/* Reports damage at `offset` and goes on behind it: false at the end of the file. */
static bool pass_damage(struct search *s, uint64_t offset, struct error *why, struct diag *diag,
			struct lime_range *ret)
{
	s->first_data = UINT64_MAX;
	if (find_header(s, offset, ret)) {
		diag_error(diag, why, "0x%" PRIx64 " bytes of the file were passed over",
			   ret->offset - offset);
		return true;
	}
	if (!s->in_range && s->first_data == UINT64_MAX) {
		error_destroy(why);
		diag_note(diag,
			  "0x%" PRIx64
			  " zero bytes after the last range, at file offset 0x%" PRIx64,
			  s->file->size - offset, offset);
	} else {
		diag_error(diag, why, "lost to the end of the file");
	}
	return false;
}

struct error *lime_each_range(const struct lime_kind *kind, const struct format_input *in,
			      void *arg)
{
	struct search search = { .kind = kind, .file = in->file, .arg = arg };
	struct error *why CLEANUP(error_cleanup) = NULL;
	struct lime_range range;
	uint64_t offset = 0;
	struct error *err;

	for (unsigned count = 0; offset < in->file->size || why; count++) {
		if (count == MAX_RANGES)
			return error_new(ERROR_LIMIT, "more than %d %s ranges", MAX_RANGES,
					 kind->name);
		search.in_range = why != NULL;
		if (!why)
			why = read_header(kind, in->file, offset, &range);
		if (why && !offset)
			return take_ptr(why);
		if (why && !pass_damage(&search, offset, take_ptr(why), in->diag, &range))
			return NULL;
		if ((err = kind->take(arg, &range, &offset, &why)))
			return error_wrap(err, "range at file offset 0x%" PRIx64, range.offset);
		/* What no machine has says nothing of where the next range is. */
		if (range.start < PHYSMEM_MAX_END &&
		    range.length <= PHYSMEM_MAX_END - range.start &&
		    range.start + range.length > search.above)
			search.above = range.start + range.length;
	}
	return NULL;
}
