/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "formats/crashdump/parts.h"

/*
 * A triage dump's lists of drivers. A loaded one is DUMP_DRIVER_ENTRY64: the file offset of its
 * name and a KLDR_DATA_TABLE_ENTRY; its name is {Length u32 in UTF-16 units, then those}: a path,
 * or a base name where the kernel wrote the dump by itself. An unloaded one is
 * DUMP_UNLOADED_DRIVERS64: a UNICODE_STRING whose buffer is not in the dump, and up to 12 units
 * of the name. Source: rizin librz/bin/format/dmp/dmp_specs.h and dmp64.c; Windows driver kit.
 */
enum driver_field {
	DRIVER_NAME_OFFSET = 0x00,
	DRIVER_BASE = 0x38,
	DRIVER_ENTRY_POINT = 0x40,
	DRIVER_SIZE = 0x48, /* u32 */
	DRIVER_CHECKSUM = 0x80,
	DRIVER_TIME_DATE_STAMP = 0x88,
	DRIVER_ENTRY_SIZE = 0x90,
};
enum unloaded_field {
	UNLOADED_COUNT_SIZE = 8,     /* u32, padded */
	UNLOADED_NAME_LENGTH = 0x00, /* u16, bytes */
	UNLOADED_NAME = 0x10,
	UNLOADED_NAME_SIZE = 24,
	UNLOADED_START = 0x28,
	UNLOADED_END = 0x30,
	UNLOADED_ENTRY_SIZE = 0x38,
};

static void cursor_of(const struct crash_dump *d, const struct dump_block *block,
		      struct cursor *ret)
{
	cur_init(ret, d->bytes + block->file_offset, (size_t)block->size, block->file_offset);
}

/*
 * How many of `named` entries to read: a list ends where the next piece begins, and what a wrong
 * count would find there is no driver.
 */
static size_t clip_count(const struct crash_dump *d, const char *what, const struct cursor *c,
			 uint32_t named, size_t entry_size, size_t limit)
{
	size_t room = cur_left(c) / entry_size, most = room < limit ? room : limit;

	if (named <= most)
		return named;
	diag_partial(d->diag, "triage dump: 0x%" PRIx64 ": %" PRIu32 " %s, there is room for %zu",
		     cur_offset(c), named, what, most);
	return most;
}

/* The name's bytes; false if the string pool does not have them all. */
static bool find_name(const struct crash_dump *d, const struct crash_lists *lists, uint32_t offset,
		      const uint8_t **units, size_t *size)
{
	struct cursor c;
	uint32_t length;

	cursor_of(d, &lists->strings, &c);
	if (offset < cur_offset(&c) || !cur_skip(&c, offset - cur_offset(&c)) ||
	    !cur_u32(&c, &length) || length == 0 || length > CRASH_MAX_NAME)
		return false;
	*size = (size_t)length * 2;
	return cur_take(&c, *size, units);
}

/* Name and path of a row; *readable is false if the dump does not have them. */
static struct error *read_name(struct crash_dump *d, const struct crash_lists *lists,
			       uint32_t offset, struct dump_module *ret, bool *readable)
{
	const uint8_t *units;
	size_t size;

	*readable = find_name(d, lists, offset, &units, &size);
	if (!*readable)
		return NULL;
	char *text = text_from_utf16(&d->info->arena, units, size, NULL);
	if (!text)
		return &error_no_memory;
	char *slash = strrchr(text, '\\');
	ret->name = slash ? slash + 1 : text;
	ret->path = slash ? text : NULL;
	return NULL;
}

static void find_kernel(struct dump_info *info, const struct dump_module *m)
{
	uint64_t list = info->hints.ps_loaded_module_list;

	if (list && list >= m->base && list - m->base < m->size)
		info->hints.kernel_base = m->base;
}

struct error *crash_read_drivers(struct crash_dump *d, const struct crash_lists *lists)
{
	struct dump_triage *t = d->info->triage;
	struct cursor c;
	struct error *err;
	size_t unreadable = 0;

	if (!lists->drivers.file_offset)
		return NULL;
	cursor_of(d, &lists->drivers, &c);
	size_t count = clip_count(d, "drivers", &c, lists->num_drivers, DRIVER_ENTRY_SIZE,
				  CRASH_MAX_DRIVERS);
	t->modules = arena_calloc(&d->info->arena, count, sizeof(*t->modules));
	if (!t->modules && count)
		return &error_no_memory;
	for (; t->num_modules < count; t->num_modules++) {
		struct dump_module *m = &t->modules[t->num_modules];
		const uint8_t *row;
		bool readable;

		m->file_offset = cur_offset(&c);
		if (!cur_take(&c, DRIVER_ENTRY_SIZE, &row))
			return cur_error(&c, "triage driver list");
		m->base = load_u64(row + DRIVER_BASE);
		m->entry_point = load_u64(row + DRIVER_ENTRY_POINT);
		m->size = load_u32(row + DRIVER_SIZE);
		m->checksum = load_u32(row + DRIVER_CHECKSUM);
		m->time_date_stamp = load_u32(row + DRIVER_TIME_DATE_STAMP);
		find_kernel(d->info, m);
		if ((err = read_name(d, lists, load_u32(row + DRIVER_NAME_OFFSET), m, &readable)))
			return err;
		unreadable += !readable;
	}
	if (unreadable)
		diag_partial(d->diag, "triage dump: the names of %zu of %zu drivers are not there",
			     unreadable, count);
	return NULL;
}

struct error *crash_read_unloaded(struct crash_dump *d, const struct crash_lists *lists)
{
	struct dump_triage *t = d->info->triage;
	struct cursor c;
	uint32_t named;

	if (!lists->unloaded.file_offset)
		return NULL;
	cursor_of(d, &lists->unloaded, &c);
	if (!cur_u32(&c, &named) || !cur_skip(&c, UNLOADED_COUNT_SIZE - sizeof(named))) {
		diag_error(d->diag, cur_error(&c, "unloaded drivers"), "triage dump");
		return NULL;
	}
	t->has_unloaded = true;
	size_t count = clip_count(d, "unloaded drivers", &c, named, UNLOADED_ENTRY_SIZE,
				  CRASH_MAX_UNLOADED);
	t->unloaded = arena_calloc(&d->info->arena, count, sizeof(*t->unloaded));
	if (!t->unloaded && count)
		return &error_no_memory;
	for (; t->num_unloaded < count; t->num_unloaded++) {
		struct dump_unloaded_module *m = &t->unloaded[t->num_unloaded];
		const uint8_t *row;

		if (!cur_take(&c, UNLOADED_ENTRY_SIZE, &row))
			return cur_error(&c, "triage list of unloaded drivers");
		size_t size = load_u16(row + UNLOADED_NAME_LENGTH);
		if (size > UNLOADED_NAME_SIZE)
			size = UNLOADED_NAME_SIZE;
		m->start = load_u64(row + UNLOADED_START);
		m->end = load_u64(row + UNLOADED_END);
		m->name = text_from_utf16(&d->info->arena, row + UNLOADED_NAME, size, NULL);
		if (!m->name)
			return &error_no_memory;
	}
	return NULL;
}
