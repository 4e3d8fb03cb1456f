/* SPDX-License-Identifier: MIT */
/*
 * The search of all memory for pool blocks by tag, as "ps --scan" and "threads --scan" make it:
 * here in random bytes with a block of a wanted tag in every 64 KiB and a page table that maps
 * nothing. The baseline adds up the same bytes with the same number of threads from a new mapping
 * of the file, in memory like the other's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#include "arch/amd64/paging.h"
#include "base/workers.h"
#include "formats/format.h"
#include "windows/pool/pool_scan.h"
#include "windows/symbols/builtin.h"

enum { ROUNDS = 3, HIT_STEP = 64 << 10, BUILD = 19041, MAX_TAGS = 16 };

static void write_at(int fd, const void *bytes, size_t len, uint64_t offset)
{
	if (pwrite(fd, bytes, len, (off_t)offset) != (ssize_t)len)
		bench_die_errno("scratch file");
}

static int make_snapshot(const char *dir, uint64_t blocks)
{
	static const uint8_t header[POOL_UNIT] = { 0, 0, 8, 2, 'P', 'r', 'o', 'c' };
	static const uint8_t empty_table[PAGE_SIZE];
	int fd = bench_random_file(dir, blocks);

	for (uint64_t at = 0; at < blocks * BENCH_BLOCK; at += HIT_STEP)
		write_at(fd, header, sizeof(header), at);
	/* the root of all page tables */
	write_at(fd, empty_table, sizeof(empty_table), PAGE_SIZE);
	return fd;
}

static double time_scan(const char *path, struct profile *profile, size_t num_tags)
{
	uint32_t tags[MAX_TAGS] = { POOL_TAG('P', 'r', 'o', 'c') };
	const struct pool_query query = { .tags = tags, .num_tags = num_tags };
	struct kernel k = { .profile = profile, .scan_quiet = true };
	struct pool_hits hits;
	struct snapshot *s;
	struct diag diag;
	double seconds;

	for (size_t i = 1; i < num_tags; i++)
		tags[i] = POOL_TAG('T', 'a', 'g', 'A' + i);
	diag_init(&diag, NULL, NULL);
	double start = bench_now();

	bench_check(snapshot_open(path, NULL, &diag, &s));
	k.snap = s;
	k.diag = &diag;
	bench_check(space_create_amd64(s->mem, PAGE_SIZE, 4, NULL, NULL, &k.space));
	bench_check(pool_scan(&k, &query, &hits));
	seconds = bench_now() - start;
	if (hits.count < physmem_captured_bytes(s->mem) / HIT_STEP) {
		fprintf(stderr, "bench_pool_scan: %zu blocks found\n", hits.count);
		exit(1);
	}
	pool_hits_deinit(&hits);
	space_destroy(k.space);
	snapshot_close(s);
	return seconds;
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 64 };
	double pass[ROUNDS], one[ROUNDS], many[ROUNDS];
	struct profile_source *source;
	struct profile *profile;
	char path[BENCH_PATH_SIZE];
	uint64_t size;

	bench_parse(&options, argc, argv, 0, "   (COUNT: size in units of 16 MiB)");
	size = options.count * BENCH_BLOCK;
	bench_fd_path(make_snapshot(options.dir, options.count), path);
	bench_check(builtin_open(builtin_nearest(BUILD), &source));
	bench_check(profile_from_source(source, BUILD, &profile));
	bench_file_pass(path);
	for (unsigned i = 0; i < ROUNDS; i++) {
		pass[i] = bench_file_pass(path);
		one[i] = time_scan(path, profile, 1);
		many[i] = time_scan(path, profile, MAX_TAGS);
	}
	double baseline = bench_median(pass, ROUNDS);

	printf("pool tags in a dense snapshot of %llu MiB, %u threads (x: the plain pass)\n",
	       (unsigned long long)(size / MIB), workers_default_threads());
	bench_row_bytes("plain pass", baseline, size, baseline);
	bench_row_bytes("one tag", bench_median(one, ROUNDS), size, baseline);
	bench_row_bytes("16 tags", bench_median(many, ROUNDS), size, baseline);
	profile_close(profile);
	return 0;
}
