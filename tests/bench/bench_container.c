/* SPDX-License-Identifier: MIT */
/*
 * Pages per second from raw memory in compressed files, through physmem as scans read them: each
 * thread goes over its own stretch, in order, with less cache than the memory has. The baseline
 * decodes the same bytes to memory with the bare library, block by block (gzip: all of it in one
 * stream, as often as there are threads), in the same number of threads.
 */
#include <lz4.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "bench.h"

#include "base/cursor.h"
#include "formats/format.h"
#include "tests/pack.h"

enum { ROUNDS = 5, MAX_THREADS = 2, SPAN = 1 << 20 };

/* A block of the file: where it is, and how long what it decodes to. */
struct block {
	size_t offset, len, out_len;
};

struct packing {
	const char *name;
	void (*pack)(struct packed *p, const uint8_t *memory, size_t len, struct block *blocks,
		     size_t *count);
	void (*decode)(const uint8_t *in, const struct block *b, uint8_t *out);
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void pack_lz4_blocks(struct packed *p, const uint8_t *memory, size_t len,
			    struct block *blocks, size_t *count)
{
	size_t at = 15; /* behind the frame's header */

	pack_lz4_frame(p, memory, len, PACK_LZ4_LARGE | PACK_LZ4_SIZE);
	for (*count = 0; load_u32(p->bytes + at); (*count)++) {
		uint32_t word = load_u32(p->bytes + at);

		must(!(word >> 31)); /* stored: nothing would be decoded */
		blocks[*count] = (struct block){ at + 4, word, SPAN };
		at += 4 + word;
	}
}

static void decode_lz4(const uint8_t *in, const struct block *b, uint8_t *out)
{
	must(LZ4_decompress_safe((const char *)in + b->offset, (char *)out, (int)b->len,
				 (int)b->out_len) == (int)b->out_len);
}

static void pack_zstd_blocks(struct packed *p, const uint8_t *memory, size_t len,
			     struct block *blocks, size_t *count)
{
	for (*count = 0; *count * SPAN < len; (*count)++) {
		size_t bound = ZSTD_compressBound(SPAN), got;
		void *out = malloc(bound);

		must(out != NULL);
		got = ZSTD_compress(out, bound, memory + *count * SPAN, SPAN, 1);
		must(!ZSTD_isError(got));
		blocks[*count] = (struct block){ p->len, got, SPAN };
		packed_add(p, out, got);
		free(out);
	}
}

static void decode_zstd(const uint8_t *in, const struct block *b, uint8_t *out)
{
	must(ZSTD_decompress(out, b->out_len, in + b->offset, b->len) == b->out_len);
}

static void pack_gzip_block(struct packed *p, const uint8_t *memory, size_t len,
			    struct block *blocks, size_t *count)
{
	pack_gzip(p, memory, len);
	blocks[0] = (struct block){ 0, p->len, len };
	*count = 1;
}

static void decode_gzip(const uint8_t *in, const struct block *b, uint8_t *out)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)(in + b->offset), .avail_in = (uInt)b->len };

	must(inflateInit2(&z, MAX_WBITS + 16) == Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)b->out_len;
	must(inflate(&z, Z_FINISH) == Z_STREAM_END);
	inflateEnd(&z);
}

struct job {
	const struct packing *packing;
	const struct packed *packed;
	const struct block *blocks;
	size_t num_blocks;
	uint8_t *out[MAX_THREADS]; /* as long as the memory, and touched */
	struct physmem *mem;
	uint64_t pages;
	unsigned thread, threads;
};

static void *run_bare(void *arg)
{
	const struct job *j = arg;

	for (size_t i = 0; i < j->num_blocks; i++) {
		if (j->num_blocks == 1 || i % j->threads == j->thread)
			j->packing->decode(j->packed->bytes, &j->blocks[i],
					   j->out[j->thread] + i * SPAN);
	}
	return NULL;
}

static void *run_ours(void *arg)
{
	const struct job *j = arg;
	uint64_t first = j->pages * j->thread / j->threads;
	uint64_t last = j->pages * (j->thread + 1) / j->threads;

	for (uint64_t page = first; page < last; page++) {
		struct page_view view;

		must(physmem_view(j->mem, page << PAGE_SHIFT, &view, NULL));
		page_release(&view);
	}
	return NULL;
}

static double time_threads(const struct job *job, unsigned threads, void *(*run)(void *))
{
	pthread_t ids[MAX_THREADS];
	struct job jobs[MAX_THREADS];
	double start = bench_now();

	for (unsigned i = 0; i < threads; i++) {
		jobs[i] = *job;
		jobs[i].thread = i;
		jobs[i].threads = threads;
		must(!pthread_create(&ids[i], NULL, run, &jobs[i]));
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return bench_now() - start;
}

static struct snapshot *open_packed(const struct packed *p, const char *dir, uint64_t len,
				    unsigned threads)
{
	const struct snapshot_options options = {
		.max_memory = len / 2,
		.container.quiet = true,
		.threads = threads,
	};
	char path[BENCH_PATH_SIZE];
	struct snapshot *s;
	struct diag diag;
	int fd = bench_scratch(dir);

	bench_write(fd, p->bytes, p->len);
	bench_fd_path(fd, path);
	diag_init(&diag, NULL, NULL);
	bench_check(snapshot_open(path, &options, &diag, &s));
	must(!diag.notes && !diag.partial && s->container.count == 1);
	close(fd);
	return s;
}

static void measure(const struct packing *packing, const uint8_t *memory, uint64_t len,
		    const char *dir)
{
	struct block *blocks = calloc(len / SPAN + 1, sizeof(*blocks));
	struct packed p = { 0 };
	struct job job = {
		.packing = packing, .packed = &p, .blocks = blocks, .pages = len >> PAGE_SHIFT
	};

	must(blocks != NULL);
	for (unsigned i = 0; i < MAX_THREADS; i++) {
		must((job.out[i] = malloc(len)) != NULL);
		memset(job.out[i], 1, len);
	}
	packing->pack(&p, memory, len, blocks, &job.num_blocks);
	for (unsigned threads = 1; threads <= MAX_THREADS; threads++) {
		struct snapshot *s = open_packed(&p, dir, len, threads);
		double bare[ROUNDS], ours[ROUNDS];
		char name[64];

		job.mem = s->mem;
		for (unsigned i = 0; i < ROUNDS; i++) {
			bare[i] = time_threads(&job, threads, run_bare);
			ours[i] = time_threads(&job, threads, run_ours);
		}
		if (job.num_blocks == 1) /* each thread decoded all of it */
			for (unsigned i = 0; i < ROUNDS; i++)
				bare[i] /= threads;
		snprintf(name, sizeof(name), "%s, %u thread%s", packing->name, threads,
			 threads > 1 ? "s" : "");
		bench_row(name, (double)job.pages, bench_median(ours, ROUNDS),
			  bench_median(bare, ROUNDS) / (double)job.pages);
		snapshot_close(s);
	}
	packed_free(&p);
	for (unsigned i = 0; i < MAX_THREADS; i++)
		free(job.out[i]);
	free(blocks);
}

/* Pages that all codecs make smaller, and no 1 MiB of which is all zeros. */
static uint8_t *make_memory(uint64_t len)
{
	uint8_t *memory = malloc(len);
	uint64_t state = 1, words[64];

	must(memory != NULL);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = bench_random(&state);
	for (uint64_t at = 0; at < len; at += 8) {
		uint64_t x = bench_random(&state), word = words[x % ARRAY_SIZE(words)];

		if (x >> 62 == 0)
			word = x;
		else if (x >> 61 == 7)
			word = 0;
		store_u64(memory + at, word);
	}
	return memory;
}

int main(int argc, char **argv)
{
	static const struct packing packings[] = {
		{ "lz4, blocks of 1 MiB", pack_lz4_blocks, decode_lz4 },
		{ "gzip, one member", pack_gzip_block, decode_gzip },
		{ "zstd, frames of 1 MiB", pack_zstd_blocks, decode_zstd },
	};
	struct bench_options options = { .count = 128 };
	uint8_t *memory;
	uint64_t len;

	bench_parse(&options, argc, argv, 0, "");
	len = (options.count * MIB + SPAN - 1) / SPAN * SPAN;
	if (len < 20 * SPAN) /* half of it is the memory, which must hold 8 blocks and the index */
		len = 20 * SPAN;
	memory = make_memory(len);
	printf("pages of %llu MiB of compressed memory (x: the bare codec)\n",
	       (unsigned long long)(len / MIB));
	for (size_t i = 0; i < ARRAY_SIZE(packings); i++)
		measure(&packings[i], memory, len, options.dir);
	free(memory);
	return 0;
}
