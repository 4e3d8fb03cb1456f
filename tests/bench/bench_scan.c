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

#include "base/workers.h"
#include "formats/format.h"
#include "windows/locate/private.h"

enum { ROUNDS = 3 };

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

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 64 };
	double pass[ROUNDS], self_map[ROUNDS], physical[ROUNDS];
	char path[BENCH_PATH_SIZE];
	uint64_t size;

	bench_parse(&options, argc, argv, 0, "   (COUNT: size in units of 16 MiB)");
	size = options.count * BENCH_BLOCK;
	bench_fd_path(bench_random_file(options.dir, options.count), path);
	bench_file_pass(path);
	for (unsigned i = 0; i < ROUNDS; i++) {
		pass[i] = bench_file_pass(path);
		self_map[i] = time_strategy(path, STRATEGY_SELF_MAP);
		physical[i] = time_strategy(path, STRATEGY_PHYSICAL);
	}
	double baseline = bench_median(pass, ROUNDS);

	printf("scans of a dense snapshot of %llu MiB, %u threads (x: the plain pass)\n",
	       (unsigned long long)(size / MIB), workers_default_threads());
	bench_row_bytes("plain pass", baseline, size, baseline);
	bench_row_bytes("self-referencing page tables", bench_median(self_map, ROUNDS), size,
			baseline);
	bench_row_bytes("CodeView record, System process", bench_median(physical, ROUNDS), size,
			baseline);
	return 0;
}
