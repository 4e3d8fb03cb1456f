/* SPDX-License-Identifier: MIT */
/*
 * What `convert` writes a second: raw and ELF against a plain copy of the same bytes to a new
 * file, kdump-zlib against zlib's library alone (its fastest level, the usual state, a page at a
 * time) on the same pages with as many threads, SHA-256 against the same plain pass. Hashes are
 * off, but for the row that says so. Files are in memory where the folder is.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "bench.h"

#include "base/cursor.h"
#include "formats/writer.h"

enum { ROUNDS = 3, MAX_THREADS = 2 };

struct machine {
	uint8_t *bytes;
	uint64_t size;
	struct file file;
	struct block_cache *cache;
	struct physmem *mem;
	struct write_memory memory;
	struct page_set lost;
	struct dump_info info;
	struct diag diag;
	char path[256];
};

/* Words that repeat, and pages of zeros: what memory packs to, about a half. */
static void fill(uint8_t *bytes, uint64_t size)
{
	uint64_t state = 1;

	for (uint64_t page = 0; page < size; page += PAGE_SIZE) {
		uint64_t kind = bench_random(&state) >> 62;

		for (size_t i = 0; kind && i < PAGE_SIZE; i += 8)
			store_u64(bytes + page + i, bench_random(&state) >> 63
							    ? bench_random(&state) >> 24
							    : 0xffff800000000000 + i);
	}
}

static void machine_init(struct machine *m, uint64_t size, const char *dir)
{
	*m = (struct machine){ .size = size, .bytes = calloc(1, size) };
	if (!m->bytes)
		bench_check(&error_no_memory);
	fill(m->bytes, size);
	m->file = (struct file){ .fd = -1, .bytes = m->bytes, .size = size };
	diag_init(&m->diag, NULL, NULL);
	snprintf(m->path, sizeof(m->path), "%s/bench_convert.%d", dir, (int)getpid());
	bench_check(block_cache_create(0, &m->cache));
	bench_check(physmem_create(&m->mem));
	bench_check(physmem_add_file(m->mem, 0, size, &m->file, 0));
	bench_check(physmem_seal(m->mem));
	bench_check(write_memory_init(m->mem, m->cache, &m->memory));
	bench_check(page_set_init(&m->memory, m->cache, &m->lost));
}

static void machine_deinit(struct machine *m)
{
	page_set_deinit(&m->lost);
	write_memory_deinit(&m->memory);
	physmem_destroy(m->mem);
	block_cache_destroy(m->cache);
	free(m->bytes);
}

static double time_writer(struct machine *m, const struct format_writer *writer, unsigned threads,
			  bool hash)
{
	const struct output_options options = { .hash = hash };
	struct output_result result;
	struct sha256 sum;
	struct write_job job = {
		.mem = m->mem,
		.memory = &m->memory,
		.lost = &m->lost,
		.info = &m->info,
		.memory_hash = hash ? &sum : NULL,
		.diag = &m->diag,
		.threads = threads,
	};
	double start = bench_now();

	sha256_init(&sum);
	bench_check(output_create(m->path, &options, &job.out));
	bench_check(writer->write(&job));
	bench_check(output_finish(job.out, &result));
	output_destroy(job.out);
	start = bench_now() - start;
	unlink(m->path);
	return start;
}

static double time_copy(const struct machine *m)
{
	double start = bench_now();
	int fd = open(m->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		bench_die_errno(m->path);
	bench_write(fd, m->bytes, m->size);
	close(fd);
	start = bench_now() - start;
	unlink(m->path);
	return start;
}

struct share {
	const struct machine *m;
	uint64_t first, step; /* bytes */
	uint64_t packed;
};

static void *pack_share(void *arg)
{
	static const uint8_t zeros[PAGE_SIZE];
	struct share *s = arg;
	uint8_t out[2 * PAGE_SIZE];

	for (uint64_t at = s->first; at < s->m->size; at += s->step) {
		uLongf len = sizeof(out);

		if (!memcmp(s->m->bytes + at, zeros, PAGE_SIZE))
			continue;
		if (compress2(out, &len, s->m->bytes + at, PAGE_SIZE, Z_BEST_SPEED) != Z_OK)
			abort();
		s->packed += len;
	}
	return NULL;
}

static double time_zlib(const struct machine *m, unsigned threads)
{
	struct share shares[MAX_THREADS];
	pthread_t ids[MAX_THREADS];
	double start = bench_now();

	for (unsigned i = 0; i < threads; i++) {
		shares[i] = (struct share){ m, (uint64_t)i * PAGE_SIZE, threads * PAGE_SIZE, 0 };
		if (pthread_create(&ids[i], NULL, pack_share, &shares[i]))
			bench_die_errno("pthread_create");
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return bench_now() - start;
}

static void row(struct machine *m, const char *what, const struct format_writer *writer,
		unsigned threads, bool hash)
{
	bool packs = writer->flags & WRITER_COMPRESSES;
	double seconds[ROUNDS], baseline[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		baseline[i] = packs ? time_zlib(m, threads) : time_copy(m);
		seconds[i] = time_writer(m, writer, threads, hash);
	}
	bench_row_bytes(what, bench_median(seconds, ROUNDS), m->size,
			bench_median(baseline, ROUNDS));
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 256 };
	struct machine m;

	bench_parse(&options, argc, argv, 0, "   (COUNT: size in MiB)");
	machine_init(&m, options.count * MIB, options.dir);
	printf("converting %lu MiB (x: a plain copy, or zlib alone with as many threads)\n",
	       options.count);
	row(&m, "raw", &raw_writer, 1, false);
	row(&m, "elf", &elf_writer, 1, false);
	row(&m, "elf, hashes", &elf_writer, 1, true);
	row(&m, "kdump-zlib, 1 thread", &kdump_writer, 1, false);
	row(&m, "kdump-zlib, 2 threads", &kdump_writer, 2, false);
	machine_deinit(&m);
	return 0;
}
