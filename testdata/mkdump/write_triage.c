/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/cursor.h"
#include "writers.h"

/*
 * Triage dumps ("small memory dumps"): DUMP_HEADER64, TRIAGE_DUMP64, then the structures and
 * data blocks that it points to (Ghidra ghidra/file/formats/dump/pagedump; rizin
 * librz/bin/format/dmp). Offsets are from the start of the file.
 */
enum triage_field {
	F_SERVICE_PACK_BUILD = 0x2000,
	F_SIZE_OF_DUMP = 0x2004,
	F_VALID_OFFSET = 0x2008,
	F_CONTEXT_OFFSET = 0x200c,
	F_EXCEPTION_OFFSET = 0x2010,
	F_MM_OFFSET = 0x2014,
	F_UNLOADED_OFFSET = 0x2018,
	F_PRCB_OFFSET = 0x201c,
	F_PROCESS_OFFSET = 0x2020,
	F_THREAD_OFFSET = 0x2024,
	F_STACK_OFFSET = 0x2028,
	F_STACK_SIZE = 0x202c,
	F_DRIVERS_OFFSET = 0x2030,
	F_DRIVERS_COUNT = 0x2034,
	F_STRINGS_OFFSET = 0x2038,
	F_STRINGS_SIZE = 0x203c,
	F_TRIAGE_OPTIONS = 0x2044,
	F_STACK_TOP = 0x2048,
	F_KDBG_OFFSET = 0x2070,
	F_KDBG_SIZE = 0x2074,
	F_BLOCKS_OFFSET = 0x2078,
	F_BLOCKS_COUNT = 0x207c,
	TRIAGE_END = 0x2080,
};
enum {
	HEADER_CONTEXT = 0x348,
	HEADER_EXCEPTION = 0xf00,
	HEADER_REQUIRED_SPACE = 0xfa0,
	MM_SIZE = 0x50,
	DRIVER_SIZE = 0x90, /* DUMP_DRIVER_ENTRY64: name offset, KLDR_DATA_TABLE_ENTRY64 */
	UNLOADED_NAME = 12, /* characters of DUMP_UNLOADED_DRIVERS64 */
	BLOCK_SIZE = 16,
};

/* Characters of an ASCII name as UTF-16; the paths of the specs have no others. */
static void put_utf16(struct out *o, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out_u16(o, (uint8_t)text[i]);
}

static struct error *put_virtual(struct out *o, const struct image *img, const struct extent *e)
{
	struct error *err;
	size_t at = o->len;

	out_zero(o, e->size);
	if (o->err)
		return NULL;
	err = image_read(img, &img->spaces[0], e->start, o->bytes + at, e->size);
	return error_wrap(err, "triage dump");
}

static void put_unloaded(struct out *o, const struct image *img)
{
	out_patch_u32(o, F_UNLOADED_OFFSET, (uint32_t)o->len);
	out_u64(o, img->num_unloaded);
	for (size_t i = 0; i < img->num_unloaded; i++) {
		const struct unloaded *u = &img->unloaded[i];
		size_t len = strlen(u->name);

		len = len > UNLOADED_NAME ? UNLOADED_NAME : len;
		out_u16(o, (uint16_t)(2 * len));
		out_u16(o, (uint16_t)(2 * len));
		out_zero(o, 12);
		put_utf16(o, u->name, len);
		out_zero(o, 2 * (UNLOADED_NAME - len));
		out_u64(o, u->start);
		out_u64(o, u->end);
	}
}

static struct error *put_parts(struct out *o, const struct image *img)
{
	static const struct {
		enum triage_part part;
		enum triage_field offset, size; /* size 0: not told */
	} rows[] = {
		{ TRIAGE_PRCB, F_PRCB_OFFSET, 0 },
		{ TRIAGE_PROCESS, F_PROCESS_OFFSET, 0 },
		{ TRIAGE_THREAD, F_THREAD_OFFSET, 0 },
		{ TRIAGE_STACK, F_STACK_OFFSET, F_STACK_SIZE },
		{ TRIAGE_KDBG, F_KDBG_OFFSET, F_KDBG_SIZE },
	};
	struct error *err = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && !err; i++) {
		const struct extent *e = &img->parts[rows[i].part];

		if (!e->size)
			continue;
		out_align(o, 8);
		out_patch_u32(o, rows[i].offset, (uint32_t)o->len);
		if (rows[i].size)
			out_patch_u32(o, rows[i].size, (uint32_t)e->size);
		err = put_virtual(o, img, e);
	}
	out_patch_u64(o, F_STACK_TOP, img->parts[TRIAGE_STACK].start);
	return err;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '\\');

	return slash ? slash + 1 : path;
}

/* The list, then the pool: length in characters u32, UTF-16, NUL, to a multiple of 8. */
static void put_drivers(struct out *o, const struct image *img, bool full_paths)
{
	size_t list = o->len, pool;

	out_patch_u32(o, F_DRIVERS_OFFSET, (uint32_t)list);
	out_patch_u32(o, F_DRIVERS_COUNT, (uint32_t)img->num_drivers);
	for (size_t i = 0; i < img->num_drivers; i++) {
		const struct driver *d = &img->drivers[i];
		size_t at = o->len;

		out_zero(o, DRIVER_SIZE);
		out_patch_u64(o, at + 0x38, d->base);
		if (!full_paths)
			out_patch_u64(o, at + 0x40, d->entry);
		out_patch_u32(o, at + 0x48, d->size);
		out_patch_u32(o, at + 0x80, d->checksum);
		out_patch_u32(o, at + 0x88, d->time_date_stamp);
	}
	pool = o->len;
	out_patch_u32(o, F_STRINGS_OFFSET, (uint32_t)pool);
	for (size_t i = 0; i < img->num_drivers; i++) {
		const char *path = img->drivers[i].path;
		const char *name = full_paths ? path : base_name(path);

		out_patch_u32(o, list + i * DRIVER_SIZE, (uint32_t)o->len);
		out_u32(o, (uint32_t)strlen(name));
		put_utf16(o, name, strlen(name));
		out_u16(o, 0);
		out_align(o, 8);
	}
	out_patch_u32(o, F_STRINGS_SIZE, (uint32_t)(o->len - pool));
}

/* The table {address u64, offset u32, size u32}, then the bytes. */
static struct error *put_blocks(struct out *o, const struct image *img)
{
	size_t table = o->len;
	struct error *err = NULL;

	out_patch_u32(o, F_BLOCKS_OFFSET, (uint32_t)table);
	out_patch_u32(o, F_BLOCKS_COUNT, (uint32_t)img->num_blocks);
	out_zero(o, img->num_blocks * BLOCK_SIZE);
	for (size_t i = 0; i < img->num_blocks && !err; i++) {
		const struct extent *block = &img->blocks[i];
		size_t row = table + i * BLOCK_SIZE;

		out_patch_u64(o, row, block->start);
		out_patch_u32(o, row + 8, (uint32_t)o->len);
		out_patch_u32(o, row + 12, (uint32_t)block->size);
		err = put_virtual(o, img, block);
	}
	return err;
}

struct error *write_triage(const struct image *img, unsigned variant, const char *path)
{
	CLEANUP(out_deinit) struct out o = { 0 };
	bool by_kernel = variant == TRIAGE_BY_KERNEL;
	struct error *err;

	if (!img->num_spaces)
		return error_new(ERROR_USAGE, "a triage dump needs a space");
	out_crash_header(&o, img, DUMP_TRIAGE, by_kernel);
	out_seek(&o, TRIAGE_END);
	out_patch_u32(&o, F_CONTEXT_OFFSET, HEADER_CONTEXT);
	out_patch_u32(&o, F_EXCEPTION_OFFSET, HEADER_EXCEPTION);
	out_patch_u32(&o, F_MM_OFFSET, (uint32_t)o.len);
	out_patch_u32(&o, F_TRIAGE_OPTIONS, by_kernel ? 0x41 : UINT32_MAX);
	out_zero(&o, MM_SIZE);
	if (!by_kernel)
		put_unloaded(&o, img);
	if ((err = put_parts(&o, img)))
		return err;
	if (by_kernel)
		put_unloaded(&o, img);
	put_drivers(&o, img, !by_kernel);
	if ((err = put_blocks(&o, img)))
		return err;
	out_align(&o, 4);
	out_patch_u32(&o, F_VALID_OFFSET, (uint32_t)o.len);
	out_put(&o, "TRGD", 4);
	out_patch_u32(&o, F_SIZE_OF_DUMP, (uint32_t)o.len);
	out_patch_u64(&o, HEADER_REQUIRED_SPACE, o.len);
	return out_save(&o, path);
}
