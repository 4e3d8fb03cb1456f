/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_ZIP_H
#define CONTAINER_ZIP_H

#include "base/block_cache.h"
#include "base/diag.h"
#include "base/file.h"

/*
 * The directory of a zip archive (layout: PKWARE's APPNOTE.TXT 6.3.10), with zip64, and with
 * bytes before the archive that its offsets do not count (it was appended to another file). What
 * is compressed with deflate is decoded here only as a whole, into memory.
 */
struct zip;

enum zip_method { ZIP_STORED = 0, ZIP_DEFLATE = 8 };
enum { ZIP_MAX_MEMBERS = 1 << 24 };

struct zip_member {
	const char *name; /* not terminated; borrowed from the zip; bytes as stored */
	uint16_t name_len;
	uint16_t method;
	uint16_t flags;
	bool overlaps; /* shares bytes of the archive with another member: not to be read */
	uint32_t crc32;
	uint64_t compressed_size, size;
	uint64_t header_offset; /* of its local header in the file */
};

/* file, cache and diag are borrowed, the first two until zip_close(). Errors: NOT_FOUND without an
 * end of central directory, CORRUPT, UNSUPPORTED (several disks), LIMIT. Damage that leaves
 * members goes to diag. */
MUST_CHECK struct error *zip_open(const struct file *file, struct block_cache *cache,
				  struct diag *diag, struct zip **ret);
void zip_close(struct zip *z); /* NULL ok */

/* In the order of the directory. index < zip_num_members(). */
size_t zip_num_members(const struct zip *z);
const struct zip_member *zip_member(const struct zip *z, size_t index);
/* By exact name; of several the last one, which replaces those before; NULL: none. */
const struct zip_member *zip_find(const struct zip *z, const char *name);
/* Those whose names begin with prefix are [first, first + count) of the order by name. */
size_t zip_find_prefix(const struct zip *z, const char *prefix, size_t *first_ret);
const struct zip_member *zip_member_by_name(const struct zip *z, size_t index);
/* The archive's comment, as stored. Borrowed; "" when there is none. */
const char *zip_comment(const struct zip *z, size_t *len_ret);

/*
 * Where the member's (compressed) bytes are: its local header is read and checked against the
 * directory. All compressed_size bytes lie in the file. Errors: CORRUPT (also what overlaps),
 * UNSUPPORTED (encrypted).
 */
MUST_CHECK struct error *zip_locate(const struct zip *z, const struct zip_member *m,
				    uint64_t *offset_ret);
/*
 * A stored member as a file, without copying; path names it in messages; the zip may go, its file
 * stays. Errors: as zip_locate(); UNSUPPORTED names another method.
 */
MUST_CHECK struct error *zip_open_stored(const struct zip *z, const struct zip_member *m,
					 const char *path, struct file *ret);
/*
 * All bytes of a stored or deflated member, at most max_size: borrowed until zip_close(), and
 * taken off the cache's memory when they are not the mapping itself. Checks the CRC of what was
 * deflated; of what is stored zip_check() does. Not safe across threads. Errors: as zip_locate();
 * LIMIT, CORRUPT; UNSUPPORTED names another method.
 */
MUST_CHECK struct error *zip_read(struct zip *z, const struct zip_member *m, uint64_t max_size,
				  const uint8_t **ret);
/* CORRUPT when these bytes of the whole member are not those whose CRC the directory has. */
MUST_CHECK struct error *zip_check(const struct zip_member *m, const uint8_t *bytes);
const char *zip_method_name(uint16_t method);

#endif
