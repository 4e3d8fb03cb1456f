/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/file.h"
#include "base/workers.h"

extern char **environ;

enum { BENCH_PAGE = 4096, EXIT_PARTIAL = 3 };

void bench_parse(struct bench_options *o, int argc, char **argv, int arguments, const char *usage)
{
	bool ok = true;
	int option;

	o->dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	while ((option = getopt(argc, argv, "n:d:")) != -1) {
		char *end = NULL;

		if (option == 'n') {
			o->count = strtoul(optarg, &end, 10);
			ok &= o->count > 0 && *end == '\0';
		} else if (option == 'd') {
			o->dir = optarg;
		} else {
			ok = false;
		}
	}
	if (ok && argc - optind == arguments)
		return;
	fprintf(stderr, "usage: %s [-n COUNT] [-d DIR]%s\n", argv[0], usage);
	exit(2);
}

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * NANOSECOND;
}

void bench_check(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, error_message(err));
	error_destroy(err);
	exit(1);
}

void bench_die_errno(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

double bench_program(const char *const *argv, long *peak_kib)
{
	double start = bench_now();
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	errno = posix_spawn(&pid, argv[0], &actions, NULL, (char **)(uintptr_t)argv, environ);
	if (errno || wait4(pid, &status, 0, &usage) < 0)
		bench_die_errno(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	if (!WIFEXITED(status) ||
	    (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != EXIT_PARTIAL)) {
		fprintf(stderr, "%s: %s %s failed: wait status 0x%x\n",
			program_invocation_short_name, argv[0], argv[1], (unsigned)status);
		exit(1);
	}
	if (*peak_kib < usage.ru_maxrss)
		*peak_kib = usage.ru_maxrss;
	return bench_now() - start;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_doubles);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

uint64_t bench_scatter(uint64_t i, uint64_t round, uint64_t size)
{
	/* odd steps over a power of two meet every index */
	return (i * (UINT64_C(2654435761) + 2 * round) + round) & (size - 1);
}

uint64_t bench_sum(const uint8_t *bytes, size_t len)
{
	uint64_t sum = 0, word;

	for (size_t i = 0; i < len; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	return sum;
}

double bench_touch(const uint8_t *bytes, uint64_t num_pages, uint64_t count, uint64_t round)
{
	double start = bench_now();
	uint64_t size = 1, sum = 0;

	while (size < num_pages)
		size *= 2;
	for (uint64_t i = 0, seen = 0; i < size && seen < count; i++) {
		uint64_t page = bench_scatter(i, round, size);

		if (page >= num_pages)
			continue;
		sum += bench_sum(bytes + page * BENCH_PAGE, sizeof(uint64_t));
		seen++;
	}
	__asm__ volatile("" : : "r"(sum)); /* so that the compiler keeps the reads */
	return bench_now() - start;
}

/* Marsaglia's xorshift64. */
uint64_t bench_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

int bench_scratch(const char *dir)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/bench-XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0)
		bench_die_errno(path);
	unlink(path);
	return fd;
}

void bench_fd_path(int fd, char ret[BENCH_PATH_SIZE])
{
	snprintf(ret, BENCH_PATH_SIZE, "/proc/self/fd/%d", fd);
}

void bench_write(int fd, const void *bytes, size_t len)
{
	const char *next = bytes;

	while (len > 0) {
		ssize_t done = write(fd, next, len);

		if (done < 0)
			bench_die_errno("scratch file");
		next += done;
		len -= (size_t)done;
	}
}

void bench_truncate(int fd, uint64_t size)
{
	if (ftruncate(fd, (off_t)size) < 0)
		bench_die_errno("scratch file");
}

void bench_row(const char *what, double count, double seconds, double baseline_seconds_each)
{
	printf("%-34s %9.2f M/s %9.1f ns each %8.3f x\n", what, count / seconds / MEGA,
	       seconds / count / NANOSECOND, seconds / count / baseline_seconds_each);
}

int bench_random_file(const char *dir, uint64_t blocks)
{
	uint8_t *block = malloc(BENCH_BLOCK);
	uint64_t state = 1;
	int fd = bench_scratch(dir);

	if (!block)
		bench_check(&error_no_memory);
	for (uint64_t i = 0; i < blocks; i++) {
		for (size_t at = 0; at < BENCH_BLOCK; at += 8)
			store_u64(block + at, bench_random(&state));
		bench_write(fd, block, BENCH_BLOCK);
	}
	free(block);
	return fd;
}

struct pass {
	const uint8_t *bytes;
	uint64_t sum; /* atomic: the compiler may not leave the reading out */
};

static struct error *add_up(void *arg, size_t index)
{
	struct pass *pass = arg;
	uint64_t sum = bench_sum(pass->bytes + index * BENCH_BLOCK, BENCH_BLOCK);

	__atomic_fetch_add(&pass->sum, sum, __ATOMIC_RELAXED);
	return NULL;
}

double bench_file_pass(const char *path)
{
	double start = bench_now();
	struct pass pass = { .sum = 0 };
	struct file file;

	bench_check(file_open(&file, path));
	pass.bytes = file.bytes;
	bench_check(workers_run(0, file.size / BENCH_BLOCK, add_up, &pass));
	file_close(&file);
	return bench_now() - start;
}

void bench_row_bytes(const char *what, double seconds, uint64_t bytes, double pass_seconds)
{
	printf("%-34s %9.2f GiB/s %24.3f x\n", what, (double)bytes / (double)GIB / seconds,
	       seconds / pass_seconds);
}
