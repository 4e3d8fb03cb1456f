/* SPDX-License-Identifier: MIT */
/*
 * The slow ways to the kernel: a raw snapshot that keeps no start block in its first MiB is
 * scanned for page tables that map themselves, and one without those for the kernel's CodeView
 * record and the System process. Here a snapshot of random bytes, where neither finds anything
 * and so both see all of it. The baseline adds up the same bytes with the same number of threads
 * from a new mapping of the file, in memory like the other's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#include "base/cursor.h"
#include "base/workers.h"
#include "formats/format.h"
#include "windows/locate/private.h"

enum { BLOCK = 16 << 20, ROUNDS = 3 };

struct pass {
	const uint8_t *bytes;
	uint64_t sum; /* atomic: the compiler may not leave the reading out */
};

static int make_snapshot(const char *dir, uint64_t blocks)
{
	uint8_t *block = malloc(BLOCK);
	uint64_t state = 1;
	int fd = bench_scratch(dir);

	if (!block)
		bench_check(&error_no_memory);
	for (uint64_t i = 0; i < blocks; i++) {
		for (size_t at = 0; at < BLOCK; at += 8)
			store_u64(block + at, bench_random(&state));
		bench_write(fd, block, BLOCK);
	}
	free(block);
	return fd;
}

static struct error *add_up(void *arg, size_t index)
{
	struct pass *pass = arg;
	uint64_t sum = bench_sum(pass->bytes + index * BLOCK, BLOCK);

	__atomic_fetch_add(&pass->sum, sum, __ATOMIC_RELAXED);
	return NULL;
}

static double time_pass(const char *path)
{
	double start = bench_now();
	struct pass pass = { .sum = 0 };
	struct file file;

	bench_check(file_open(&file, path));
	pass.bytes = file.bytes;
	bench_check(workers_run(0, file.size / BLOCK, add_up, &pass));
	file_close(&file);
	return bench_now() - start;
}

static double time_strategy(const char *path, enum strategy_id strategy)
{
	const struct locate_options options = { .quiet = true };
	double start = bench_now();
	struct kernel_location location;
	struct snapshot *s;
	struct error *err;
	struct diag diag;

	diag_init(&diag, NULL, NULL);
	bench_check(snapshot_open(path, NULL, &diag, &s));
	err = locate_with(s, &options, 1U << strategy, &location);
	if (!error_catch(&err, ERROR_NOT_FOUND)) {
		bench_check(err);
		fprintf(stderr, "bench_scan: a kernel in random bytes\n");
		exit(1);
	}
	snapshot_close(s);
	return bench_now() - start;
}

static void row(const char *what, double *seconds, uint64_t size, double baseline)
{
	double median = bench_median(seconds, ROUNDS);

	printf("%-34s %9.2f GiB/s %24.3f x\n", what, (double)size / (double)GIB / median,
	       median / baseline);
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 64 };
	double pass[ROUNDS], self_map[ROUNDS], physical[ROUNDS];
	char path[BENCH_PATH_SIZE];
	uint64_t size;

	bench_parse(&options, argc, argv, 0, "   (COUNT: size in units of 16 MiB)");
	size = options.count * BLOCK;
	bench_fd_path(make_snapshot(options.dir, options.count), path);
	time_pass(path);
	for (unsigned i = 0; i < ROUNDS; i++) {
		pass[i] = time_pass(path);
		self_map[i] = time_strategy(path, STRATEGY_SELF_MAP);
		physical[i] = time_strategy(path, STRATEGY_PHYSICAL);
	}
	double baseline = bench_median(pass, ROUNDS);

	printf("scans of a dense snapshot of %llu MiB, %u threads (x: the plain pass)\n",
	       (unsigned long long)(size / MIB), workers_default_threads());
	row("plain pass", pass, size, baseline);
	row("self-referencing page tables", self_map, size, baseline);
	row("CodeView record, System process", physical, size, baseline);
	return 0;
}
