/* SPDX-License-Identifier: MIT */
/*
 * Pages per second from an AVML file with ranges of 16 MiB, all of them in order, with one and
 * with two threads. The baseline is snappy's library alone on the same chunks with as many
 * threads: no sums checked, no cache, no lookup. The cache is a quarter of the file, so that each
 * chunk is decoded anew in each round; the baseline decodes to as much memory, in turn.
 */
#include <pthread.h>
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#include "base/crc32c.h"
#include "base/cursor.h"
#include "formats/format.h"

enum {
	CHUNK = 1 << 16,
	RANGE = 16 << 20,
	MAX_THREADS = 2,
	ROUNDS = 5,
	CHUNK_HEADER = 8, /* kind, length, sum */
};

/* The layout: formats/lime/ranges.h and snappy_frame.h. */
struct machine {
	uint64_t ranges;
	uint64_t *chunks; /* file offsets */
	uint64_t num_chunks, file_size;
	uint64_t memory;    /* what decoded chunks may take, in bytes */
	uint8_t *decoded;   /* as much, for the baseline */
	struct snapshot *s; /* of the file */
};

/* Words that repeat and pages of zeros: what memory packs to, about a half. */
static void fill_page(uint8_t *page, uint64_t *state)
{
	uint64_t kind = bench_random(state) >> 62;

	memset(page, 0, PAGE_SIZE);
	for (size_t i = 0; kind && i < PAGE_SIZE; i += 8)
		store_u64(page + i, bench_random(state) >> 63 ? bench_random(state) >> 24
							      : 0xffff800000000000 + i);
}

static uint32_t masked(uint32_t sum)
{
	return (sum >> 15 | sum << 17) + 0xa282ead8;
}

static void put(struct machine *m, int fd, const void *bytes, size_t len)
{
	bench_write(fd, bytes, len);
	m->file_size += len;
}

static void put_chunk(struct machine *m, int fd, const struct crc32c *crc, uint64_t *state)
{
	static uint8_t data[CHUNK], packed[CHUNK_HEADER + 2 * CHUNK];
	size_t len = sizeof(packed) - CHUNK_HEADER;

	for (size_t i = 0; i < CHUNK; i += PAGE_SIZE)
		fill_page(data + i, state);
	if (snappy_compress((char *)data, CHUNK, (char *)packed + CHUNK_HEADER, &len) != SNAPPY_OK)
		abort();
	store_u32(packed, (uint32_t)(len + 4) << 8);
	store_u32(packed + 4, masked(crc32c_of(crc, data, CHUNK)));
	m->chunks[m->num_chunks++] = m->file_size;
	put(m, fd, packed, CHUNK_HEADER + len);
}

static void put_range(struct machine *m, int fd, uint64_t start, const struct crc32c *crc,
		      uint64_t *state)
{
	static const uint8_t identifier[] = "\xff\x06\x00\x00sNaPpY";
	uint8_t header[32] = "AVML\x02";
	uint8_t trailer[8];
	uint64_t begin;

	store_u64(header + 8, start);
	store_u64(header + 16, start + RANGE - 1);
	put(m, fd, header, sizeof(header));
	begin = m->file_size;
	put(m, fd, identifier, sizeof(identifier) - 1);
	for (size_t i = 0; i < RANGE / CHUNK; i++)
		put_chunk(m, fd, crc, state);
	store_u64(trailer, m->file_size - begin);
	put(m, fd, trailer, sizeof(trailer));
}

static void machine_init(struct machine *m, uint64_t ranges, const char *dir)
{
	struct snapshot_options options = { .max_memory = ranges * RANGE / 4, .threads = 1 };
	char path[BENCH_PATH_SIZE];
	struct crc32c *crc = malloc(sizeof(*crc));
	int fd = bench_scratch(dir);
	uint64_t state = 1;
	struct diag diag;

	*m = (struct machine){ .ranges = ranges, .memory = options.max_memory };
	m->decoded = malloc(m->memory);
	m->chunks = calloc(ranges * (RANGE / CHUNK), sizeof(*m->chunks));
	if (!crc || !m->chunks || !m->decoded)
		bench_check(&error_no_memory);
	crc32c_init(crc);
	for (uint64_t i = 0; i < ranges; i++)
		put_range(m, fd, i * RANGE, crc, &state);
	free(crc);
	bench_fd_path(fd, path);
	diag_init(&diag, NULL, NULL);
	bench_check(snapshot_open(path, &options, &diag, &m->s));
	if (diag.partial || physmem_captured_bytes(m->s->mem) != ranges * RANGE)
		abort();
}

static void machine_deinit(struct machine *m)
{
	snapshot_close(m->s);
	free(m->chunks);
	free(m->decoded);
}

/* A thread's share of the chunks: [first, end). */
struct share {
	const struct machine *m;
	uint64_t first, end;
	unsigned index, threads; /* whose, of how many */
	uint64_t sum;		 /* of a word a page: the same for both ways */
};

static uint64_t sum_pages(const uint8_t *chunk)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < CHUNK; i += PAGE_SIZE)
		sum += load_u64(chunk + i);
	return sum;
}

static void *run_snappy(void *arg)
{
	struct share *s = arg;
	/* Each thread has a part of the memory. */
	uint64_t part = s->m->memory / CHUNK / s->threads;
	uint8_t *decoded = s->m->decoded + s->index * part * CHUNK;

	for (uint64_t i = s->first; i < s->end; i++) {
		const uint8_t *chunk = s->m->s->file.bytes + s->m->chunks[i];
		uint8_t *out = decoded + i % part * CHUNK;
		size_t len = CHUNK;

		if (snappy_uncompress((const char *)chunk + CHUNK_HEADER,
				      (load_u32(chunk) >> 8) - 4, (char *)out, &len) != SNAPPY_OK)
			abort();
		s->sum += sum_pages(out);
	}
	return NULL;
}

static void *run_pages(void *arg)
{
	struct share *s = arg;

	for (uint64_t pa = s->first * CHUNK; pa < s->end * CHUNK; pa += PAGE_SIZE) {
		struct page_view view;

		if (!physmem_view(s->m->s->mem, pa, &view, NULL))
			abort();
		s->sum += load_u64(view.bytes);
		page_release(&view);
	}
	return NULL;
}

/* Seconds that the threads take together. */
static double time_threads(const struct machine *m, unsigned threads, void *(*run)(void *),
			   uint64_t *sum_ret)
{
	struct share shares[MAX_THREADS];
	pthread_t ids[MAX_THREADS];
	double start = bench_now();

	for (unsigned i = 0; i < threads; i++) {
		shares[i] = (struct share){ .m = m,
					    .index = i,
					    .threads = threads,
					    .first = m->num_chunks * i / threads,
					    .end = m->num_chunks * (i + 1) / threads };
		if (pthread_create(&ids[i], NULL, run, &shares[i]))
			bench_die_errno("pthread_create");
	}
	*sum_ret = 0;
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		*sum_ret += shares[i].sum;
	}
	return bench_now() - start;
}

static void measure(const struct machine *m, unsigned threads)
{
	double baseline[ROUNDS], seconds[ROUNDS];
	uint64_t expected, sum, pages = m->num_chunks * (CHUNK / PAGE_SIZE);
	char name[64];

	for (unsigned i = 0; i < ROUNDS; i++) {
		baseline[i] = time_threads(m, threads, run_snappy, &expected);
		seconds[i] = time_threads(m, threads, run_pages, &sum);
		if (sum != expected)
			abort();
	}
	snprintf(name, sizeof(name), "pages in order, %u thread%s", threads,
		 threads == 1 ? "" : "s");
	bench_row(name, (double)pages, bench_median(seconds, ROUNDS),
		  bench_median(baseline, ROUNDS) / (double)pages);
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 16 };
	struct machine m;

	bench_parse(&options, argc, argv, 0, "");
	machine_init(&m, options.count, options.dir);
	printf("AVML, packed to %.0f%% (x: snappy alone, with as many threads)\n",
	       100.0 * (double)m.file_size / (double)(m.ranges * RANGE));
	for (unsigned threads = 1; threads <= MAX_THREADS; threads++)
		measure(&m, threads);
	machine_deinit(&m);
	return 0;
}
