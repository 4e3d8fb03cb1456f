/* SPDX-License-Identifier: MIT */
/*
 * makedumpfile's flattened form of a dump, for pipes: a header, then records that say where in the
 * dump their bytes belong, in any order; of those that overlap the later one counts, and what no
 * record covers is zeros, as if they were written into an empty file. All numbers are big-endian.
 * Layout: makedumpfile.h (struct makedumpfile_header, makedumpfile_data_header) and its
 * IMPLEMENTATION; QEMU's dump/dump.c.
 */
#include "formats/registry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "memory/extent.h"

enum {
	SIGNATURE_SIZE = 16,
	HEADER_TYPE = 16,    /* 1 */
	HEADER_VERSION = 24, /* 1 */
	HEADER_SIZE = 4096,
	RECORD_SIZE = 16, /* offset in the dump, bytes that follow; both -1 at the end */
	KNOWN_TYPE = 1,
	KNOWN_VERSION = 1,
};
static const char signature[SIGNATURE_SIZE] = "makedumpfile";

/* Memory of the index: sealing a list of extents takes as much again, and twice a number each. */
enum {
	RECORD_MEMORY = 2 * (sizeof(struct extent) + sizeof(size_t)),
	RESERVED_AT_ONCE = 1 << 12,
	MAX_STRETCH = 64 << 20, /* of next_data(): more is told by the next call */
};

struct flattened {
	const struct file *file; /* borrowed, likewise cache */
	struct block_cache *cache;
	struct extent_list records; /* by offset in the dump */
	size_t reserved;
	uint64_t size; /* of the dump */
	/* Records are missing: what none covers is not zeros but lost. */
	bool is_cut_short;
};

static unsigned flattened_probe(const struct probe_input *in)
{
	if (in->head_size < SIGNATURE_SIZE || memcmp(in->head, signature, SIGNATURE_SIZE))
		return 0;
	return 8 * SIGNATURE_SIZE;
}

static uint64_t load_big_u64(const uint8_t *p)
{
	return __builtin_bswap64(load_u64(p));
}

static struct error *check_header(const struct file *file)
{
	const uint8_t *header;
	struct error *err = file_bytes(file, 0, HEADER_VERSION + 8, &header);

	if (err)
		return error_wrap(err, "makedumpfile_header");
	if (memcmp(header, signature, SIGNATURE_SIZE))
		return error_new(ERROR_CORRUPT, "file offset 0: expected 'makedumpfile'");
	uint64_t type = load_big_u64(header + HEADER_TYPE);
	uint64_t version = load_big_u64(header + HEADER_VERSION);
	if (type == KNOWN_TYPE && version == KNOWN_VERSION)
		return NULL;
	return error_new(ERROR_UNSUPPORTED,
			 "flattened dump of type %" PRIu64 ", version %" PRIu64
			 ": expected type %d, version %d",
			 type, version, KNOWN_TYPE, KNOWN_VERSION);
}

struct record {
	uint64_t start, length; /* in the dump */
	uint64_t at;		/* file offset of its bytes */
};

static struct error *add_record(struct flattened *f, const struct record *r)
{
	struct extent extent = {
		.start = r->start,
		.last = r->start + r->length - 1,
		.file = f->file,
		.offset = r->at,
	};
	struct error *err;

	if (f->records.count == f->reserved) {
		err = block_cache_reserve(f->cache, RESERVED_AT_ONCE * (uint64_t)RECORD_MEMORY,
					  "the index of a flattened dump's records");
		if (err)
			return err;
		f->reserved += RESERVED_AT_ONCE;
	}
	if (extent.last >= f->size)
		f->size = extent.last + 1;
	return extent_list_add(&f->records, &extent);
}

/*
 * The record at `offset`, clipped to the file. False at the end of the dump, or where it is cut
 * short or no record is: *why then says so.
 */
static bool next_record(const struct flattened *f, uint64_t offset, struct record *ret,
			const char **why)
{
	uint8_t header[RECORD_SIZE];
	struct error *err = file_read(f->file, offset, header, sizeof(header));
	struct record r = { .start = load_big_u64(header),
			    .length = load_big_u64(header + 8),
			    .at = offset + RECORD_SIZE };

	if (err) {
		error_destroy(err);
		*why = "the file ends without an end record";
		return false;
	}
	if (r.start == UINT64_MAX && r.length == UINT64_MAX)
		return false;
	if (r.start > INT64_MAX || r.length > INT64_MAX - r.start) {
		*why = "no record of a flattened dump";
		return false;
	}
	if (r.length > f->file->size - r.at) {
		*why = "the file ends in this record";
		r.length = f->file->size - r.at;
	}
	*ret = r;
	return true;
}

/* The list keeps what was added first, a flattened dump what was written last. */
static void reverse(struct extent_list *list)
{
	for (size_t i = 0, j = list->count; i + 1 < j; i++) {
		struct extent swapped = list->items[--j];

		list->items[j] = list->items[i];
		list->items[i] = swapped;
	}
}

static struct error *read_records(struct flattened *f, struct diag *diag)
{
	uint64_t offset = HEADER_SIZE;
	const char *why = NULL;
	struct record r;
	struct error *err;

	while (next_record(f, offset, &r, &why)) {
		if (r.length && (err = add_record(f, &r)))
			return error_wrap(err, "record at file offset 0x%" PRIx64, offset);
		if (why)
			break;
		offset = r.at + r.length;
	}
	if (why) {
		f->is_cut_short = true;
		diag_partial(diag, "flattened dump: file offset 0x%" PRIx64 ": %s", offset, why);
	}
	reverse(&f->records);
	return extent_list_seal(&f->records);
}

/* The look at a file below, or a copy: at most one of them is there. */
struct pin {
	struct file_view view;
	void *copy;
};

static void release(void *arg, void *pin)
{
	const struct flattened *f = arg;
	struct pin *p = pin;

	if (!p)
		return;
	file_view_release(&p->view);
	block_cache_release(f->cache, p->copy);
	free(p);
}

/* The bytes of the dump at offset and how many they are; none in a hole. */
static const struct extent *find(const struct flattened *f, uint64_t offset, uint64_t *length)
{
	size_t i = extent_list_find(&f->records, offset);
	const struct extent *e = i < f->records.count ? &f->records.items[i] : NULL;

	if (e && e->start <= offset) {
		*length = e->last - offset + 1;
		return e;
	}
	*length = (e ? e->start : f->size) - offset;
	return NULL;
}

static struct error *read_hole(const struct flattened *f, uint64_t offset, uint8_t *out, size_t len)
{
	if (f->is_cut_short)
		return error_new(ERROR_CORRUPT,
				 "flattened dump that is cut short: no record has offset 0x%" PRIx64
				 " of the dump",
				 offset);
	memset(out, 0, len);
	return NULL;
}

static struct error *copy(const struct flattened *f, uint64_t offset, uint8_t *out, size_t len)
{
	struct error *err = NULL;

	while (len && !err) {
		uint64_t length;
		const struct extent *e = find(f, offset, &length);
		size_t part = length < len ? (size_t)length : len;

		err = e ? file_read(f->file, e->offset + (offset - e->start), out, part)
			: read_hole(f, offset, out, part);
		out += part;
		offset += part;
		len -= part;
	}
	return err;
}

static struct error *view_copy(const struct flattened *f, uint64_t offset, size_t len,
			       const uint8_t **ret, struct pin *pin)
{
	uint8_t *bytes;
	struct error *err = block_cache_scratch(f->cache, len, &bytes, &pin->copy);

	if (err)
		return err;
	*ret = bytes;
	return copy(f, offset, bytes, len);
}

static struct error *view(void *arg, uint64_t offset, size_t len, const uint8_t **ret, void **pin)
{
	struct flattened *f = arg;
	uint64_t length;
	const struct extent *e = find(f, offset, &length);
	uint64_t at = e ? e->offset + (offset - e->start) : 0;
	struct error *err;
	struct pin *p;

	*pin = NULL;
	if (e && len <= length && !f->file->content) {
		*ret = f->file->bytes + at;
		return NULL;
	}
	if (!(p = calloc(1, sizeof(*p))))
		return &error_no_memory;
	if (e && len <= length) {
		err = file_view(f->file, at, len, &p->view);
		*ret = p->view.bytes;
	} else {
		err = view_copy(f, offset, len, ret, p);
	}
	if (err)
		release(f, p);
	else
		*pin = p;
	return err;
}

static bool next_data(void *arg, uint64_t offset, uint64_t *start, uint64_t *end)
{
	const struct flattened *f = arg;
	size_t i = extent_list_find(&f->records, offset);
	const struct extent *items = f->records.items;

	if (i == f->records.count)
		return false;
	*start = offset > items[i].start ? offset : items[i].start;
	for (*end = items[i].last + 1;
	     ++i < f->records.count && items[i].start == *end && *end - *start < MAX_STRETCH;)
		*end = items[i].last + 1;
	return true;
}

static void destroy(void *arg)
{
	struct flattened *f = arg;

	extent_list_deinit(&f->records);
	free(f);
}

static const struct file_ops flattened_ops = {
	.view = view,
	.release = release,
	.next_data = next_data,
	.destroy = destroy,
};

/* The dump as a file of its own, which *ret borrows. */
static struct error *open_dump(const struct format_input *in, const struct file **ret)
{
	struct flattened *f = calloc(1, sizeof(*f));
	struct error *err;
	struct file dump;

	if (!f)
		return &error_no_memory;
	f->file = in->file;
	f->cache = in->cache;
	if ((err = read_records(f, in->diag))) {
		destroy(f);
		return err;
	}
	if ((err = file_create(&dump, in->file->path, f->size, in->cache, &flattened_ops, f)))
		return err;
	dump.is_internal = true;
	return file_set_add(in->files, &dump, ret);
}

static struct error *flattened_open(const struct format_input *in)
{
	/* what makedumpfile writes, and QEMU */
	static const struct format_ops *const formats[] = { &kdump_format, &elf_format };
	struct probe_input head = { .head_size = SIGNATURE_SIZE };
	struct format_input inner = *in;
	struct error *err = check_header(in->file);

	if (err || (err = open_dump(in, &inner.file)))
		return err;
	head.file_size = inner.file->size;
	if (head.file_size < head.head_size)
		return error_new(ERROR_CORRUPT, "flattened dump of %" PRIu64 " bytes: no dump",
				 head.file_size);
	if ((err = file_bytes(inner.file, 0, head.head_size, &head.head)))
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (formats[i]->probe(&head))
			return error_wrap(formats[i]->open(&inner), "flattened dump");
	}
	return error_new(ERROR_UNSUPPORTED,
			 "flattened dump: expected a kdump-compressed or ELF core in it");
}

const struct format_ops flattened_format = {
	.name = "flattened",
	.description =
		"flattened dump, as makedumpfile -F and QEMU write it: kdump-compressed, ELF",
	.recognised = "makedumpfile",
	.probe = flattened_probe,
	.open = flattened_open,
};
