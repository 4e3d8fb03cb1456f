/* SPDX-License-Identifier: MIT */
/*
 * Pages per second from kdump-compressed dumps, all of them in order, with one and with two
 * threads. The baseline is the codec's library alone on the same bytes with as many threads, each
 * with one state: no cache, no lookup. The cache is a quarter of the memory, so that each page is
 * decoded anew in each round; the baseline decodes to as much memory, in turn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#ifdef HAVE_LZO
#include <lzo/lzo1x.h>
#endif
#ifdef HAVE_SNAPPY
#include <snappy-c.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "bench.h"

#include "base/cursor.h"
#include "base/workers.h"
#include "formats/format.h"

enum {
	MAX_THREADS = 2,
	ROUNDS = 5,
	MAX_PACKED = 2 * PAGE_SIZE,
	/* The layout: formats/kdump/header.h. */
	VERSION = 8,
	STATUS = 424,
	BLOCK_SIZE = 428,
	SUB_BLOCKS = 432,
	BITMAP_BLOCKS = 436,
	SUB_NUM_PAGES = PAGE_SIZE + 96,
	BITMAPS = 2 * PAGE_SIZE,
	DESCRIPTOR = 24,
	BITS_PER_BLOCK = 8 * PAGE_SIZE,
};

struct codec_row {
	const char *name;
	uint32_t flag;
	void *(*create)(void); /* a state to decode with; NULL: none is needed */
	void (*destroy)(void *state);
	size_t (*pack)(const uint8_t *page, uint8_t *out);
	bool (*unpack)(void *state, const uint8_t *in, size_t len, uint8_t *page);
};

static void *zlib_create(void)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (!z || inflateInit(z) != Z_OK)
		abort();
	return z;
}

static void zlib_destroy(void *state)
{
	inflateEnd(state);
	free(state);
}

static size_t zlib_pack(const uint8_t *page, uint8_t *out)
{
	uLongf len = MAX_PACKED;

	if (compress2(out, &len, page, PAGE_SIZE, 1) != Z_OK)
		abort();
	return len;
}

static bool zlib_unpack(void *state, const uint8_t *in, size_t len, uint8_t *page)
{
	z_stream *z = state;

	inflateReset(z);
	z->next_in = (Bytef *)(uintptr_t)in;
	z->avail_in = (uInt)len;
	z->next_out = page;
	z->avail_out = PAGE_SIZE;
	return inflate(z, Z_FINISH) == Z_STREAM_END;
}

#ifdef HAVE_LZO
static size_t lzo_pack(const uint8_t *page, uint8_t *out)
{
	static lzo_align_t work[LZO1X_1_MEM_COMPRESS / sizeof(lzo_align_t) + 1];
	lzo_uint len = MAX_PACKED;

	if (lzo1x_1_compress(page, PAGE_SIZE, out, &len, work) != LZO_E_OK)
		abort();
	return len;
}

static bool lzo_unpack(void *state, const uint8_t *in, size_t len, uint8_t *page)
{
	lzo_uint out = PAGE_SIZE;

	(void)state;
	return lzo1x_decompress_safe(in, len, page, &out, NULL) == LZO_E_OK;
}
#endif

#ifdef HAVE_SNAPPY
static size_t snappy_pack(const uint8_t *page, uint8_t *out)
{
	size_t len = MAX_PACKED;

	if (snappy_compress((const char *)page, PAGE_SIZE, (char *)out, &len) != SNAPPY_OK)
		abort();
	return len;
}

static bool snappy_unpack(void *state, const uint8_t *in, size_t len, uint8_t *page)
{
	size_t out = PAGE_SIZE;

	(void)state;
	return snappy_uncompress((const char *)in, len, (char *)page, &out) == SNAPPY_OK;
}
#endif

#ifdef HAVE_ZSTD
static void *zstd_create(void)
{
	return ZSTD_createDCtx();
}

static void zstd_destroy(void *state)
{
	ZSTD_freeDCtx(state);
}

static size_t zstd_pack(const uint8_t *page, uint8_t *out)
{
	return ZSTD_compress(out, MAX_PACKED, page, PAGE_SIZE, 1);
}

static bool zstd_unpack(void *state, const uint8_t *in, size_t len, uint8_t *page)
{
	return ZSTD_decompressDCtx(state, page, PAGE_SIZE, in, len) == PAGE_SIZE;
}
#endif

static const struct codec_row codecs[] = {
	{ "zlib", 1, zlib_create, zlib_destroy, zlib_pack, zlib_unpack },
#ifdef HAVE_LZO
	{ "LZO", 2, NULL, NULL, lzo_pack, lzo_unpack },
#endif
#ifdef HAVE_SNAPPY
	{ "snappy", 4, NULL, NULL, snappy_pack, snappy_unpack },
#endif
#ifdef HAVE_ZSTD
	{ "zstd", 32, zstd_create, zstd_destroy, zstd_pack, zstd_unpack },
#endif
};

struct machine {
	const struct codec_row *codec;
	uint64_t pages;
	uint64_t memory;      /* what decoded pages may take, in bytes */
	uint8_t *decoded;     /* as much, for the baseline */
	uint8_t *descriptors; /* as in the file */
	struct snapshot *s;
};

/* Pointers with common upper halves, counters, words that repeat: memory packs to a third. */
static void fill_page(uint8_t *page, uint64_t *state)
{
	memset(page, 0, PAGE_SIZE);
	for (size_t i = 0; i < PAGE_SIZE; i += 8) {
		uint64_t random = bench_random(state);

		if (random >> 62 == 0)
			store_u64(page + i, UINT64_C(0xffffe00000000000) + (random >> 40));
		else if (random >> 62 == 1)
			store_u64(page + i, i);
	}
}

static uint64_t bitmap_blocks(uint64_t pages)
{
	return (pages + BITS_PER_BLOCK - 1) / BITS_PER_BLOCK;
}

static void write_headers(int fd, const struct machine *m)
{
	uint64_t blocks = bitmap_blocks(m->pages), size = BITMAPS + 2 * blocks * PAGE_SIZE;
	uint8_t *head = calloc(1, size);

	if (!head)
		bench_check(&error_no_memory);
	memcpy(head, "KDUMP   ", 8);
	store_u32(head + VERSION, 6);
	store_u32(head + STATUS, m->codec->flag);
	store_u32(head + BLOCK_SIZE, PAGE_SIZE);
	store_u32(head + SUB_BLOCKS, 1);
	store_u32(head + BITMAP_BLOCKS, (uint32_t)(2 * blocks));
	store_u64(head + SUB_NUM_PAGES, m->pages);
	for (uint64_t i = 0; i < m->pages; i++) {
		head[BITMAPS + i / 8] |= (uint8_t)(1 << i % 8);
		head[BITMAPS + blocks * PAGE_SIZE + i / 8] |= (uint8_t)(1 << i % 8);
	}
	bench_write(fd, head, size);
	bench_write(fd, m->descriptors, m->pages * DESCRIPTOR);
	free(head);
}

static void write_dump(int fd, struct machine *m)
{
	uint64_t offset = BITMAPS + 2 * bitmap_blocks(m->pages) * PAGE_SIZE + m->pages * DESCRIPTOR;
	uint8_t page[PAGE_SIZE], *data = malloc(m->pages * MAX_PACKED);
	uint64_t state = 1, used = 0;

	if (!data)
		bench_check(&error_no_memory);
	for (uint64_t i = 0; i < m->pages; i++) {
		uint8_t *descriptor = m->descriptors + i * DESCRIPTOR;
		size_t len;

		fill_page(page, &state);
		len = m->codec->pack(page, data + used);
		store_u64(descriptor, offset + used);
		store_u32(descriptor + 8, (uint32_t)len);
		store_u32(descriptor + 12, m->codec->flag);
		used += len;
	}
	write_headers(fd, m);
	bench_write(fd, data, used);
	free(data);
}

static void machine_init(struct machine *m, const struct codec_row *codec, uint64_t pages,
			 const char *dir)
{
	struct snapshot_options options = { .max_memory = pages * PAGE_SIZE / 4 + 2 * MIB,
					    .threads = 1 };
	char path[BENCH_PATH_SIZE];
	int fd = bench_scratch(dir);
	struct diag diag;

	*m = (struct machine){ .codec = codec, .pages = pages, .memory = options.max_memory };
	m->decoded = malloc(m->memory);
	m->descriptors = calloc(pages, DESCRIPTOR);
	if (!m->decoded || !m->descriptors)
		bench_check(&error_no_memory);
	write_dump(fd, m);
	bench_fd_path(fd, path);
	diag_init(&diag, NULL, NULL);
	bench_check(snapshot_open(path, &options, &diag, &m->s));
	if (diag.partial || physmem_captured_pages(m->s->mem) != pages)
		abort();
}

static void machine_deinit(struct machine *m)
{
	snapshot_close(m->s);
	free(m->descriptors);
	free(m->decoded);
}

/* One pass over all pages; each job has as many of them. */
struct pass {
	const struct machine *m;
	unsigned threads;
	uint64_t sum; /* atomic; of a word a page: the same for both ways */
};

static uint64_t share_start(const struct pass *p, size_t index)
{
	return p->m->pages * index / p->threads;
}

static struct error *run_codec(void *arg, size_t index)
{
	struct pass *p = arg;
	const struct machine *m = p->m;
	const uint8_t *file = m->s->file.bytes;
	uint64_t part = m->memory / PAGE_SIZE / p->threads, sum = 0;
	uint8_t *decoded = m->decoded + index * part * PAGE_SIZE;
	void *state = m->codec->create ? m->codec->create() : NULL;

	for (uint64_t i = share_start(p, index); i < share_start(p, index + 1); i++) {
		const uint8_t *descriptor = m->descriptors + i * DESCRIPTOR;
		uint8_t *page = decoded + i % part * PAGE_SIZE;

		if (!m->codec->unpack(state, file + load_u64(descriptor), load_u32(descriptor + 8),
				      page))
			abort();
		sum += load_u64(page + i * 8 % PAGE_SIZE);
	}
	if (state)
		m->codec->destroy(state);
	__atomic_fetch_add(&p->sum, sum, __ATOMIC_RELAXED);
	return NULL;
}

static struct error *run_physmem(void *arg, size_t index)
{
	struct pass *p = arg;
	struct physmem *mem = p->m->s->mem;
	uint64_t sum = 0;

	for (uint64_t i = share_start(p, index); i < share_start(p, index + 1); i++) {
		struct page_view view;

		if (!physmem_view(mem, i << PAGE_SHIFT, &view, NULL))
			abort();
		sum += load_u64(view.bytes + i * 8 % PAGE_SIZE);
		page_release(&view);
	}
	__atomic_fetch_add(&p->sum, sum, __ATOMIC_RELAXED);
	return NULL;
}

static double time_pass(const struct machine *m, unsigned threads, worker_fn *fn, uint64_t *sum)
{
	struct pass p = { .m = m, .threads = threads };
	double start = bench_now();

	bench_check(workers_run(threads, threads, fn, &p));
	*sum = p.sum;
	return bench_now() - start;
}

static void measure(const struct machine *m, unsigned threads)
{
	double baseline[ROUNDS], seconds[ROUNDS];
	uint64_t expected, found;
	char name[64];

	for (unsigned i = 0; i < ROUNDS; i++) {
		baseline[i] = time_pass(m, threads, run_codec, &expected);
		seconds[i] = time_pass(m, threads, run_physmem, &found);
		if (expected != found)
			abort();
	}
	snprintf(name, sizeof(name), "%s, %u thread%s", m->codec->name, threads,
		 threads == 1 ? "" : "s");
	bench_row(name, (double)m->pages, bench_median(seconds, ROUNDS),
		  bench_median(baseline, ROUNDS) / (double)m->pages);
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 1 << 15 };

	bench_parse(&options, argc, argv, 0, "");
	printf("pages of kdump-compressed dumps (x: the codec's library alone, as many threads)\n");
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		struct machine m;

		machine_init(&m, &codecs[i], options.count, options.dir);
		for (unsigned threads = 1; threads <= MAX_THREADS; threads++)
			measure(&m, threads);
		machine_deinit(&m);
	}
	return 0;
}
