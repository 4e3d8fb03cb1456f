/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H

#include "base/error.h"

/*
 * What the benchmarks share. A benchmark prints work per second and its ratio to a plain pass
 * over the same bytes that it measures in the same run, because machines differ. It takes
 * "-n COUNT", how often it measures, and "-d DIR", where its scratch files are; a failure ends it
 * with exit status 1, a wrong word on its command line with 2.
 */
struct bench_options {
	unsigned long count; /* set before to what it is without -n; never 0 */
	const char *dir;     /* borrowed from the arguments or the environment */
};

#define MEGA	    1e6
#define MILLISECOND 1e-3
#define NANOSECOND  1e-9
#define MIB	    (UINT64_C(1) << 20)
#define GIB	    (UINT64_C(1) << 30)

/* The rest of the arguments begins at optind; there are `arguments` of them. */
void bench_parse(struct bench_options *o, int argc, char **argv, int arguments, const char *usage);

/* Seconds, from some point on. */
double bench_now(void);
void bench_check(struct error *err); /* takes err; NULL is fine */
/* Prints "what: strerror(errno)". */
_Noreturn void bench_die_errno(const char *what);
/* Sorts the values; count > 0. */
double bench_median(double *values, size_t count);
/* For i in 0..size-1 each index below size once, in no order that a cache could like; another
 * order for another round. size is a power of two. */
uint64_t bench_scatter(uint64_t i, uint64_t round, uint64_t size);

/* The plain pass: the sum of all words of [bytes, bytes + len), len in whole words. */
uint64_t bench_sum(const uint8_t *bytes, size_t len);
/* Seconds for reading one word each of so many of the num_pages pages at bytes, in an order that a
 * cache does not like: another one for another round. */
double bench_touch(const uint8_t *bytes, uint64_t num_pages, uint64_t count, uint64_t round);
/* The next of a sequence that *state, not 0, is the seed of. */
uint64_t bench_random(uint64_t *state);

/* Seconds of one run of a program, its output dropped; raises *peak_kib to its resident memory. It
 * may find that a snapshot has gaps (exit status 3), and must not fail otherwise. */
double bench_program(const char *const *argv, long *peak_kib);

/* An empty file in dir that vanishes with this process: a descriptor that a child inherits. */
int bench_scratch(const char *dir);
/* The path by which this process and its children open a descriptor. */
enum { BENCH_PATH_SIZE = 32 };
void bench_fd_path(int fd, char ret[BENCH_PATH_SIZE]);
void bench_write(int fd, const void *bytes, size_t len);
void bench_truncate(int fd, uint64_t size);

/* A scratch file of `blocks` blocks of random words. */
enum { BENCH_BLOCK = 16 << 20 };
int bench_random_file(const char *dir, uint64_t blocks);
/* Seconds of a plain pass over such a file, on all processors and from a new mapping of it. */
double bench_file_pass(const char *path);
/* One row: bytes a second, and the time as a multiple of the plain pass's. */
void bench_row_bytes(const char *what, double seconds, uint64_t bytes, double pass_seconds);

/* One row: so many pieces of work in so many seconds, against one piece of the baseline. */
void bench_row(const char *what, double count, double seconds, double baseline_seconds_each);

#endif
