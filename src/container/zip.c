/* SPDX-License-Identifier: MIT */
/*
 *	[bytes before the archive] member ... | directory | [zip64 end, its locator] | end, comment
 *
 * The end is looked for backwards, since the comment has any length. All offsets count from the
 * archive's first byte, which follows from where the directory really ends.
 */
#include "container/zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "container/zip_private.h"

enum {
	END_SIGNATURE = 0x06054b50,
	END_SIZE = 22,
	MAX_COMMENT = 0xffff,
	LOCATOR_SIGNATURE = 0x07064b50,
	LOCATOR_SIZE = 20,
	END64_SIGNATURE = 0x06064b50,
	END64_SIZE = 56,
	ENTRY_SIGNATURE = 0x02014b50,
	ENTRY_SIZE = 46,
	EXTRA_ZIP64 = 0x0001,
	IN_ZIP64_16 = 0xffff, /* "see the zip64 record", of 16 and of 32 bits */
};
#define IN_ZIP64_32 UINT32_C(0xffffffff)

/* What the end of the archive says of the directory. */
struct end {
	uint64_t position; /* where the end of the directory is expected, in the file */
	uint64_t count;	   /* of members */
	bool count_is_16_bits;
	uint64_t size, offset; /* of the directory; the offset in the archive */
	uint64_t disk, directory_disk, count_on_disk;
};

static bool parse_end(struct cursor c, struct end *ret, uint16_t *comment_len_ret)
{
	uint16_t disk, directory_disk, on_disk, count;
	uint32_t signature, size, offset;

	if (!cur_u32(&c, &signature) || signature != END_SIGNATURE || !cur_u16(&c, &disk) ||
	    !cur_u16(&c, &directory_disk) || !cur_u16(&c, &on_disk) || !cur_u16(&c, &count) ||
	    !cur_u32(&c, &size) || !cur_u32(&c, &offset) || !cur_u16(&c, comment_len_ret))
		return false;
	*ret = (struct end){
		.count = count,
		.count_is_16_bits = true,
		.size = size,
		.offset = offset,
		.disk = disk,
		.directory_disk = directory_disk,
		.count_on_disk = on_disk,
	};
	return true;
}

/*
 * The last end record whose comment reaches just to the end of the file; else the last one whose
 * comment fits (something was appended to the archive).
 */
static bool find_end(struct zip *z, const uint8_t *tail, size_t len, struct end *ret)
{
	uint64_t tail_offset = z->file->size - len;
	bool found = false;

	for (size_t left = END_SIZE; left <= len; left++) {
		uint16_t comment_len;
		struct cursor c;
		struct end end;

		if (load_u32(tail + len - left) != END_SIGNATURE)
			continue;
		cur_init(&c, tail + len - left, left, 0);
		if (!parse_end(c, &end, &comment_len) || comment_len > left - END_SIZE)
			continue;
		if (found && comment_len != left - END_SIZE)
			continue;
		*ret = end;
		ret->position = tail_offset + len - left;
		z->comment = (const char *)tail + len - left + END_SIZE;
		z->comment_len = comment_len;
		found = true;
		if (comment_len == left - END_SIZE)
			break;
	}
	return found;
}

/* The zip64 end record at an offset of the file: replaces what the older one says. */
static bool read_end64(const struct file *file, uint64_t offset, struct end *end)
{
	uint8_t bytes[END64_SIZE];
	uint32_t signature, disk, directory_disk;
	struct end e = { .position = offset };
	struct cursor c;

	struct error *err = file_read(file, offset, bytes, sizeof(bytes));

	if (err) {
		error_destroy(err);
		return false;
	}
	cur_init(&c, bytes, sizeof(bytes), offset);
	/* size of the record, version made by, version needed */
	if (!cur_u32(&c, &signature) || signature != END64_SIGNATURE || !cur_skip(&c, 12) ||
	    !cur_u32(&c, &disk) || !cur_u32(&c, &directory_disk) ||
	    !cur_u64(&c, &e.count_on_disk) || !cur_u64(&c, &e.count) || !cur_u64(&c, &e.size) ||
	    !cur_u64(&c, &e.offset))
		return false;
	e.disk = disk;
	e.directory_disk = directory_disk;
	*end = e;
	return true;
}

/* Just before the end record; without it the archive is not zip64. The record is where the locator
 * says, or, when bytes lie before the archive, just before the locator. */
static struct error *find_end64(const struct file *file, struct end *end)
{
	uint8_t bytes[LOCATOR_SIZE];
	uint64_t locator, stated;
	struct error *err;

	if (end->position < LOCATOR_SIZE)
		return NULL;
	locator = end->position - LOCATOR_SIZE;
	if ((err = file_read(file, locator, bytes, sizeof(bytes))))
		return err;
	if (load_u32(bytes) != LOCATOR_SIGNATURE)
		return NULL;
	stated = load_u64(bytes + 8);
	if (load_u32(bytes + 16) > 1)
		return error_new(ERROR_UNSUPPORTED,
				 "zip archive on %u disks: expected one that is whole",
				 load_u32(bytes + 16));
	if (read_end64(file, stated, end) ||
	    (locator >= END64_SIZE && read_end64(file, locator - END64_SIZE, end)))
		return NULL;
	return error_new(ERROR_CORRUPT,
			 "zip64 end of central directory: expected at file offset 0x%" PRIx64
			 ", found something else",
			 stated);
}

static struct error *check_disks(const struct end *end)
{
	/* A disk of its own is left to zip64 when it does not fit. */
	bool split = (end->disk && end->disk != IN_ZIP64_16) ||
		     (end->directory_disk && end->directory_disk != IN_ZIP64_16);

	if (split || end->count_on_disk != end->count)
		return error_new(ERROR_UNSUPPORTED,
				 "zip archive on several disks (this is number %" PRIu64
				 "): expected one that is whole",
				 end->disk);
	return NULL;
}

static bool entry_is_at(const struct file *file, uint64_t offset)
{
	uint8_t signature[4];
	struct error *err = file_read(file, offset, signature, sizeof(signature));

	if (!err)
		return load_u32(signature) == ENTRY_SIGNATURE;
	error_destroy(err);
	return false;
}

/* How many bytes lie before the archive. */
static struct error *find_prefix(const struct file *file, const struct end *end, uint64_t *ret)
{
	if (end->offset > end->position || end->size > end->position - end->offset)
		return error_new(ERROR_CORRUPT,
				 "zip directory: %" PRIu64 " bytes at 0x%" PRIx64
				 ", expected them before file offset 0x%" PRIx64,
				 end->size, end->offset, end->position);
	*ret = end->position - end->size - end->offset;
	/* Something else may lie between directory and end (a signature). */
	if (*ret && end->count && !entry_is_at(file, end->offset + *ret) &&
	    entry_is_at(file, end->offset))
		*ret = 0;
	return NULL;
}

struct entry {
	struct zip_member member;
	struct cursor extra;
	uint32_t compressed_size, size, offset;
};

static bool next_entry(struct cursor *directory, struct entry *ret)
{
	uint16_t name_len, extra_len, comment_len;
	struct cursor c = *directory;
	struct entry e = { 0 };
	const uint8_t *name;
	uint32_t signature;

	/* versions made by and needed; time and date; disk, attributes within and without */
	if (!cur_u32(&c, &signature) || signature != ENTRY_SIGNATURE || !cur_skip(&c, 4) ||
	    !cur_u16(&c, &e.member.flags) || !cur_u16(&c, &e.member.method) || !cur_skip(&c, 4) ||
	    !cur_u32(&c, &e.member.crc32) || !cur_u32(&c, &e.compressed_size) ||
	    !cur_u32(&c, &e.size) || !cur_u16(&c, &name_len) || !cur_u16(&c, &extra_len) ||
	    !cur_u16(&c, &comment_len) || !cur_skip(&c, 8) || !cur_u32(&c, &e.offset) ||
	    !cur_take(&c, name_len, &name) || !cur_sub(&c, extra_len, &e.extra) ||
	    !cur_skip(&c, comment_len))
		return false;
	e.member.name = (const char *)name;
	e.member.name_len = name_len;
	*directory = c;
	*ret = e;
	return true;
}

static bool find_extra(struct cursor extra, uint16_t id, struct cursor *ret)
{
	uint16_t found, len;

	while (cur_u16(&extra, &found) && cur_u16(&extra, &len) && cur_sub(&extra, len, ret)) {
		if (found == id)
			return true;
	}
	return false;
}

static bool widen(uint32_t narrow, struct cursor *zip64, uint64_t *ret)
{
	*ret = narrow;
	return narrow != IN_ZIP64_32 || cur_u64(zip64, ret);
}

/* Sizes and offset that do not fit 32 bits are in the extra field, in this order. */
static bool widen_entry(struct entry *e, uint64_t prefix)
{
	struct zip_member *m = &e->member;
	struct cursor zip64;

	if (!find_extra(e->extra, EXTRA_ZIP64, &zip64))
		cur_init(&zip64, NULL, 0, 0);
	return widen(e->size, &zip64, &m->size) &&
	       widen(e->compressed_size, &zip64, &m->compressed_size) &&
	       widen(e->offset, &zip64, &m->header_offset) &&
	       !__builtin_add_overflow(m->header_offset, prefix, &m->header_offset);
}

static uint64_t count_entries(struct cursor directory)
{
	struct entry e;
	uint64_t count = 0;

	while (next_entry(&directory, &e))
		count++;
	return count;
}

static struct error *allocate(struct zip *z, uint64_t count)
{
	struct error *err;

	if (count > ZIP_MAX_MEMBERS)
		return error_new(ERROR_LIMIT, "zip archive: more than %d members", ZIP_MAX_MEMBERS);
	err = block_cache_reserve(z->cache, count * (sizeof(*z->members) + sizeof(*z->by_name)),
				  "the zip archive's directory");
	if (err)
		return err;
	z->members = calloc(count + 1, sizeof(*z->members));
	z->by_name = calloc(count + 1, sizeof(*z->by_name));
	return z->members && z->by_name ? NULL : &error_no_memory;
}

static struct error *read_directory(struct zip *z, const struct end *end, struct diag *diag)
{
	uint64_t prefix = 0, count;
	const uint8_t *bytes = NULL;
	struct cursor c;
	struct entry e;
	struct error *err;

	if ((err = find_prefix(z->file, end, &prefix)))
		return err;
	z->directory_offset = end->offset + prefix;
	if (end->size && (err = file_bytes(z->file, z->directory_offset, end->size, &bytes)))
		return err;
	cur_init(&c, bytes, (size_t)end->size, z->directory_offset);
	count = count_entries(c);
	if (end->count_is_16_bits ? (uint16_t)count != end->count : count != end->count)
		diag_partial(diag,
			     "zip directory at file offset 0x%" PRIx64 ": expected %" PRIu64
			     " members, found %" PRIu64,
			     z->directory_offset, end->count, count);
	if ((err = allocate(z, count)))
		return err;
	while (next_entry(&c, &e)) {
		if (widen_entry(&e, prefix))
			z->members[z->count++] = e.member;
		else
			diag_partial(diag,
				     "zip directory: a member without its zip64 sizes before "
				     "file offset 0x%" PRIx64,
				     cur_offset(&c));
	}
	return NULL;
}

static int compare_offsets(const void *a, const void *b, void *arg)
{
	const struct zip_member *members = arg;
	uint64_t first = members[*(const uint32_t *)a].header_offset;
	uint64_t second = members[*(const uint32_t *)b].header_offset;

	return (first > second) - (first < second);
}

static int compare_names(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_members(const void *a, const void *b, void *arg)
{
	const struct zip_member *members = arg;
	uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
	int order = compare_names(members[first].name, members[first].name_len,
				  members[second].name, members[second].name_len);

	return order ? order : (first > second) - (first < second);
}

/* At the least: the local header's extra field is not counted. */
static uint64_t end_of(const struct zip_member *m)
{
	uint64_t end;

	if (__builtin_add_overflow(m->header_offset, m->compressed_size, &end) ||
	    __builtin_add_overflow(end, ZIP_LOCAL_SIZE + m->name_len, &end))
		return UINT64_MAX;
	return end;
}

/* A zip bomb has its members share one stretch of compressed bytes (D. Fifield, "A better zip
 * bomb", 2019); no writer does. One that says it reaches into the directory is damaged, not those
 * behind it: it alone cannot be read (zip_locate()). */
static void mark_overlaps(struct zip *z, struct diag *diag)
{
	struct zip_member *widest = NULL;
	size_t marked = 0;

	qsort_r(z->by_name, z->count, sizeof(*z->by_name), compare_offsets, z->members);
	for (size_t i = 0; i < z->count; i++) {
		struct zip_member *m = &z->members[z->by_name[i]];

		if (widest && m->header_offset < end_of(widest)) {
			marked += !widest->overlaps + 1u;
			m->overlaps = widest->overlaps = true;
		}
		if (end_of(m) <= z->directory_offset && (!widest || end_of(m) > end_of(widest)))
			widest = m;
	}
	if (marked)
		diag_partial(diag, "zip archive: %zu members overlap: left alone", marked);
}

static struct error *open_into(struct zip *z, struct diag *diag)
{
	const uint64_t max_tail = END_SIZE + MAX_COMMENT;
	size_t tail_len = (size_t)(z->file->size < max_tail ? z->file->size : max_tail);
	const uint8_t *tail;
	struct end end;
	struct error *err = file_bytes(z->file, z->file->size - tail_len, tail_len, &tail);

	if (err)
		return err;
	if (!find_end(z, tail, tail_len, &end))
		return error_new(ERROR_NOT_FOUND,
				 "expected a zip archive's end of central directory in the last "
				 "%zu bytes, found none: is the file cut off?",
				 tail_len);
	if ((err = find_end64(z->file, &end)) || (err = check_disks(&end)) ||
	    (err = read_directory(z, &end, diag)))
		return err;
	for (size_t i = 0; i < z->count; i++)
		z->by_name[i] = (uint32_t)i;
	mark_overlaps(z, diag);
	qsort_r(z->by_name, z->count, sizeof(*z->by_name), compare_members, z->members);
	return NULL;
}

struct error *zip_open(const struct file *file, struct block_cache *cache, struct diag *diag,
		       struct zip **ret)
{
	struct zip *z = calloc(1, sizeof(*z));
	struct error *err;

	if (!z)
		return &error_no_memory;
	*z = (struct zip){ .file = file, .cache = cache, .comment = "" };
	if ((err = open_into(z, diag))) {
		zip_close(z);
		return err;
	}
	*ret = z;
	return NULL;
}

void zip_close(struct zip *z)
{
	if (!z)
		return;
	while (z->kept) {
		struct zip_kept *k = z->kept;

		z->kept = k->next;
		free(k);
	}
	free(z->members);
	free(z->by_name);
	free(z);
}

size_t zip_num_members(const struct zip *z)
{
	return z->count;
}

const struct zip_member *zip_member(const struct zip *z, size_t index)
{
	return &z->members[index];
}

const struct zip_member *zip_member_by_name(const struct zip *z, size_t index)
{
	return &z->members[z->by_name[index]];
}

const char *zip_comment(const struct zip *z, size_t *len_ret)
{
	*len_ret = z->comment_len;
	return z->comment;
}

/* The first by name that is not below; `after`: that is above. Only prefix_len bytes of names
 * count; SIZE_MAX: all. */
static size_t bound(const struct zip *z, const char *name, size_t prefix_len, bool after)
{
	size_t low = 0, high = z->count, name_len = strlen(name);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct zip_member *m = zip_member_by_name(z, middle);
		size_t len = m->name_len < prefix_len ? m->name_len : prefix_len;
		int order = compare_names(m->name, len, name, name_len);

		if (order < 0 || (after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct zip_member *zip_find(const struct zip *z, const char *name)
{
	size_t end = bound(z, name, SIZE_MAX, true);
	const struct zip_member *m = end ? zip_member_by_name(z, end - 1) : NULL;

	return m && !compare_names(m->name, m->name_len, name, strlen(name)) ? m : NULL;
}

size_t zip_find_prefix(const struct zip *z, const char *prefix, size_t *first_ret)
{
	*first_ret = bound(z, prefix, strlen(prefix), false);
	return bound(z, prefix, strlen(prefix), true) - *first_ret;
}
