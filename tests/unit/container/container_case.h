/* SPDX-License-Identifier: MIT */
#ifndef CONTAINER_CASE_H
#define CONTAINER_CASE_H

#include <criterion/criterion.h>
#include <string.h>

#include "container/container.h"
#include "tests/memfile.h"
#include "tests/pack.h"

/* Everything that packs, by what unpacks it. */
struct container_case {
	const char *name, *container;
	pack_fn *pack;
	bool spools; /* it is unpacked to a temporary file */
	bool checks; /* every changed byte of the content is noticed */
};

static const struct container_case container_cases[] = {
	{ "gzip", "gzip", pack_gzip, false, true },
	{ "gzip members", "gzip", pack_gzip_members, false, true },
	{ "gzip header fields", "gzip", pack_gzip_fields, false, true },
	{ "bgzf", "gzip", pack_bgzf, false, true },
	{ "bzip2", "bzip2", pack_bzip2, true, true },
	{ "xz", "xz", pack_xz, false, true },
	{ "xz blocks", "xz", pack_xz_blocks, false, true },
	{ "zstd", "zstd", pack_zstd, true, true },
	{ "zstd frames", "zstd", pack_zstd_frames, false, true },
	{ "zstd seekable", "zstd", pack_zstd_seekable, false, true },
	{ "lz4", "lz4", pack_lz4, false, false },
	{ "lz4 size", "lz4", pack_lz4_size, false, false },
	{ "lz4 linked", "lz4", pack_lz4_linked, true, false },
	{ "lz4 checksums", "lz4", pack_lz4_checked, false, true },
	{ "lz4 flushed", "lz4", pack_lz4_flushed, false, false },
	{ "lz4 flushed size", "lz4", pack_lz4_flushed_size, false, false },
	{ "lz4 legacy", "lz4", pack_lz4_legacy, false, false },
};

/* An open container and what it was opened with. */
struct unpacked {
	struct block_cache *cache;
	struct diag diag;
	struct file file;
	struct container_levels levels;
};

static inline struct error *unpack_given(struct unpacked *u, const void *bytes, size_t len,
					 uint64_t max_memory,
					 const struct container_options *options)
{
	struct error *err;

	*u = (struct unpacked){ 0 };
	cr_assert_null(block_cache_create(max_memory, &u->cache));
	diag_init(&u->diag, NULL, NULL);
	memfile_open(&u->file, bytes, len);
	err = container_open(&u->file, "packed", u->cache, &u->diag, options, &u->levels);
	if (err)
		block_cache_destroy(u->cache);
	return err;
}

static inline struct error *unpack(struct unpacked *u, const struct packed *p)
{
	return unpack_given(u, p->bytes, p->len, 0, NULL);
}

static inline void unpacked_close(struct unpacked *u)
{
	file_close(&u->file);
	block_cache_destroy(u->cache);
}

/* The error has this code and says this; it is destroyed. */
static inline void expect_error(struct error *err, enum error_code code, const char *text)
{
	cr_assert_not_null(err, "expected '%s'", text);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), text), "expected '%s' in '%s'", text,
			   error_message(err));
	error_destroy(err);
}

#endif
