/* SPDX-License-Identifier: MIT */
/*
 * Several listings of one snapshot: a run of the program each, and one run for all of them. Then
 * one listing of the same snapshot without its first MiB, which holds the start block that tells
 * of the kernel, so that all memory is searched for it: each time, and with what the first such
 * search left in the cache. Wall time, median and best, and the largest run's resident memory; the
 * ratio is to the line before it, of the best.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

enum { MAX_ROUNDS = 101, MAX_RUNS = 4, MAX_PATH = 512 };

static const struct way {
	const char *what;
	bool no_stub;
	const char *cache;	    /* an option about it */
	const char *runs[MAX_RUNS]; /* commands, up to a NULL */
} ways[] = {
	{ "three runs", false, "--no-cache", { "ps", "modules", "handles" } },
	{ "one run", false, "--no-cache", { "ps,modules,handles" } },
	{ "ps, searched", true, "--no-cache", { "ps" } },
	{ "ps, kept", true, "--quiet", { "ps" } },
};
enum { NUM_WAYS = ARRAY_SIZE(ways) };

static double seconds[NUM_WAYS][MAX_ROUNDS];
static long resident_kib[NUM_WAYS];

static double time_way(const char *program, const struct way *way, const char *path, long *peak)
{
	double total = 0;

	for (size_t i = 0; i < MAX_RUNS && way->runs[i]; i++) {
		const char *const argv[] = { program,	 way->runs[i], "--quiet",
					     way->cache, path,	       NULL };

		total += bench_program(argv, peak);
	}
	return total;
}

/* The snapshot without its first MiB, with the holes that it has. */
static int make_no_stub(const char *from, const char *dir)
{
	static char block[1 << 16];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = bench_scratch(dir);
	off_t at = (off_t)MIB;
	struct stat st;

	if (in < 0 || fstat(in, &st) < 0)
		bench_die_errno(from);
	while ((at = lseek(in, at, SEEK_DATA)) >= 0) {
		ssize_t got = pread(in, block, sizeof(block), at);

		if (got <= 0 || lseek(out, at, SEEK_SET) < 0)
			bench_die_errno(from);
		bench_write(out, block, (size_t)got);
		at += got;
	}
	close(in);
	bench_truncate(out, (uint64_t)st.st_size);
	return out;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void print(size_t rounds)
{
	printf("%-14s %10s %8s %8s %8s\n", "", "median ms", "best ms", "RSS MiB", "ratio");
	for (size_t i = 0; i < NUM_WAYS; i++) {
		double median = bench_median(seconds[i], rounds), best = seconds[i][0];

		printf("%-14s %10.2f %8.2f %8.1f", ways[i].what, median / MILLISECOND,
		       best / MILLISECOND, (double)resident_kib[i] / 1024);
		if (i % 2)
			printf(" %6.2f x", best / seconds[i - 1][0]);
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 31 };
	char cache[MAX_PATH], path[BENCH_PATH_SIZE];

	bench_parse(&options, argc, argv, 2, " PROGRAM SNAPSHOT");
	if (options.count > MAX_ROUNDS)
		options.count = MAX_ROUNDS;
	bench_fd_path(make_no_stub(argv[optind + 1], options.dir), path);
	snprintf(cache, sizeof(cache), "%.400s/cache.XXXXXX", options.dir);
	if (!mkdtemp(cache) || setenv("XDG_CACHE_HOME", cache, 1) < 0)
		bench_die_errno(cache);
	/* in each round the ways take turns: what else the machine does falls on all alike; the
	 * first round, which fills the caches, does not count */
	for (size_t n = 0; n < (options.count + 1) * NUM_WAYS; n++) {
		size_t i = n % NUM_WAYS, round = n / NUM_WAYS;

		if (round == 1)
			resident_kib[i] = 0;
		seconds[i][round ? round - 1 : 0] =
			time_way(argv[optind], &ways[i], ways[i].no_stub ? path : argv[optind + 1],
				 &resident_kib[i]);
	}
	nftw(cache, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	printf("ps, modules and handles of %s\n", argv[optind + 1]);
	print(options.count);
	return 0;
}
