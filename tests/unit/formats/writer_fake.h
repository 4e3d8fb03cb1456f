/* SPDX-License-Identifier: MIT */
#ifndef WRITER_FAKE_H
#define WRITER_FAKE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "formats/writer.h"

/*
 * A small machine that writers write: runs of a file, which may begin and end in mid-page, and one
 * page source in which pages cannot be decoded. Everything that is written goes into a folder of
 * its own.
 */
enum { FAKE_SIZE = 4 << 20 };

struct writer_fake {
	uint8_t *bytes; /* [FAKE_SIZE], what the runs are of */
	struct file file;
	struct block_cache *cache;
	struct physmem *mem;
	struct dump_info info;
	struct registers registers[4];
	struct diag diag;
	char messages[2048];
	struct write_patch patch; /* len 0: none */
	uint64_t bad_gfn;	  /* that the page source cannot decode; 0: all are good */
	bool lz4;
	unsigned threads;
	/* results */
	uint64_t lost;
	uint8_t memory_sha256[SHA256_SIZE];
	struct output_result result;
	char folder[64], path[96];
};

static inline void fake_must(struct error *err)
{
	cr_assert_null(err, "%s", error_message(err));
}

static inline void fake_keep_message(void *arg, enum diag_kind kind, const char *message)
{
	struct writer_fake *f = arg;
	size_t used = strlen(f->messages);

	snprintf(f->messages + used, sizeof(f->messages) - used, "%s%s\n",
		 kind == DIAG_PARTIAL ? "partial: " : "", message);
}

static inline struct writer_fake *fake_create(void)
{
	struct writer_fake *f = calloc(1, sizeof(*f));
	uint64_t random = 1;

	cr_assert_not_null(f);
	f->bytes = malloc(FAKE_SIZE);
	cr_assert_not_null(f->bytes);
	for (size_t i = 0; i < FAKE_SIZE; i += 8) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		/* pages of three kinds: random, compressible, zero */
		store_u64(f->bytes + i, i / PAGE_SIZE % 3 == 0	 ? random
					: i / PAGE_SIZE % 3 == 1 ? i / 256
								 : 0);
	}
	f->file = (struct file){ .fd = -1, .bytes = f->bytes, .size = FAKE_SIZE };
	f->threads = 2;
	diag_init(&f->diag, fake_keep_message, f);
	fake_must(block_cache_create(0, &f->cache));
	fake_must(physmem_create(&f->mem));
	snprintf(f->folder, sizeof(f->folder), "%s/writer.XXXXXX", P_tmpdir);
	cr_assert_not_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/out", f->folder);
	return f;
}

/* The folder must be empty by then but for the output. */
static inline void fake_destroy(struct writer_fake *f)
{
	unlink(f->path);
	cr_expect_eq(rmdir(f->folder), 0, "something was left in %s", f->folder);
	physmem_destroy(f->mem);
	block_cache_destroy(f->cache);
	free(f->bytes);
	free(f);
}

static inline void fake_add_run(struct writer_fake *f, uint64_t pa, uint64_t len, uint64_t offset)
{
	fake_must(physmem_add_file(f->mem, pa, len, &f->file, offset));
}

/* One writing of what is in m, without anything that a caller may do about lost pages. */
static inline struct error *fake_write_once(struct writer_fake *f,
					    const struct format_writer *writer,
					    const struct write_memory *m, struct page_set *lost)
{
	const struct output_options options = { .hash = true, .lz4 = f->lz4 };
	struct output *out CLEANUP(output_cleanup) = NULL;
	struct sha256 sum;
	struct write_job job = {
		.mem = f->mem,
		.memory = m,
		.lost = lost,
		.info = &f->info,
		.patches = &f->patch,
		.num_patches = f->patch.len ? 1 : 0,
		.memory_hash = &sum,
		.diag = &f->diag,
		.threads = f->threads,
	};
	struct error *err;

	if ((err = output_create(f->path, &options, &out)))
		return err;
	sha256_init(&sum);
	job.out = out;
	if ((err = writer->write(&job)))
		return err;
	sha256_end(&sum, f->memory_sha256);
	return output_finish(out, &f->result);
}

static inline struct error *fake_write(struct writer_fake *f, const struct format_writer *writer)
{
	bool whole = writer->flags & WRITER_WHOLE_PAGES;
	struct write_memory all = { 0 }, m = { 0 };
	struct page_set lost = { 0 };
	struct error *err;

	fake_must(physmem_seal(f->mem));
	fake_must(write_memory_init(f->mem, f->cache, &all));
	fake_must(write_memory_filter(&all, NULL, false, whole, f->cache, &m));
	fake_must(page_set_init(&m, f->cache, &lost));
	err = fake_write_once(f, writer, &m, &lost);
	f->lost = lost.count;
	page_set_deinit(&lost);
	write_memory_deinit(&m);
	write_memory_deinit(&all);
	return err;
}

/* Every captured byte of a is there in b, and the same. */
static inline void fake_expect_subset(struct physmem *a, struct physmem *b)
{
	struct mem_range range;
	uint8_t want[PAGE_SIZE], got[PAGE_SIZE];

	for (uint64_t pa = 0; physmem_next(a, pa, false, &range); pa = range.end) {
		for (uint64_t at = range.start; at < range.end;) {
			size_t len = PAGE_SIZE - (size_t)(at & PAGE_MASK);

			if (len > range.end - at)
				len = (size_t)(range.end - at);
			cr_assert_eq(physmem_read(a, at, want, len), len);
			cr_assert_eq(physmem_read(b, at, got, len), len, "0x%lx", (long)at);
			cr_assert_arr_eq(got, want, len, "0x%lx", (long)at);
			at += len;
		}
	}
}

#endif
