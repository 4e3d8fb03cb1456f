/* SPDX-License-Identifier: MIT */
/*
 * Opening a raw snapshot and listing its processes, with the snapshot made 1 GiB and 64 GiB long
 * by a hole at its end: in this process through the layers, and as a run of the program. The
 * baseline maps the file and reads one word of as many pages as the listing touched, at random.
 * Goals: under 20 ms and 64 MiB of resident memory each, whatever the size. All times are medians
 * with the file in the page cache; "cold" is the layers' after it was dropped from there.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#include "base/cursor.h"
#include "windows/kernel.h"
#include "windows/process.h"

extern char **environ;

enum { EXIT_PARTIAL = 3, COLD_ROUNDS = 5, MAX_ROUNDS = 1001 };

static const struct size {
	const char *name;
	uint64_t bytes;
} sizes[] = { { "1 GiB", GIB }, { "64 GiB", 64 * GIB } };
enum { NUM_SIZES = ARRAY_SIZE(sizes) };

struct result {
	double program, layers, cold, baseline; /* seconds */
	long resident_kib;			/* the program's peak */
	uint64_t pages;				/* distinct, touched by the layers */
	size_t processes;
	char located_by[32];
};

/* The captured parts of the snapshot, at their offsets in a new file of this size. */
static int copy_sparse(const char *from, const char *dir, uint64_t size)
{
	static char block[1 << 16];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = bench_scratch(dir);
	off_t at = 0;

	if (in < 0)
		bench_die_errno(from);
	if ((uint64_t)lseek(in, 0, SEEK_END) > size) {
		errno = EFBIG;
		bench_die_errno(from);
	}
	while ((at = lseek(in, at, SEEK_DATA)) >= 0) {
		off_t end = lseek(in, at, SEEK_HOLE);

		if (lseek(out, at, SEEK_SET) < 0)
			bench_die_errno("scratch file");
		while (at < end) {
			size_t want = end - at < (off_t)sizeof(block) ? (size_t)(end - at)
								      : sizeof(block);
			ssize_t got = pread(in, block, want, at);

			if (got <= 0)
				bench_die_errno(from);
			bench_write(out, block, (size_t)got);
			at += got;
		}
	}
	close(in);
	bench_truncate(out, size);
	if (fsync(out) < 0) /* only clean pages can be dropped */
		bench_die_errno("scratch file");
	return out;
}

/* One run of `ntscope ps`, its output dropped. */
static double time_program(const char *program, const char *path, long *resident_kib)
{
	const char *argv[] = { program, "ps", "--quiet", path, NULL };
	double start = bench_now();
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	errno = posix_spawn(&pid, program, &actions, NULL, (char **)(uintptr_t)argv, environ);
	if (errno || wait4(pid, &status, 0, &usage) < 0)
		bench_die_errno(program);
	posix_spawn_file_actions_destroy(&actions);
	if (!WIFEXITED(status) ||
	    (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != EXIT_PARTIAL)) {
		fprintf(stderr, "bench_open: %s failed: wait status 0x%x\n", program,
			(unsigned)status);
		exit(1);
	}
	*resident_kib = usage.ru_maxrss;
	return bench_now() - start;
}

/* Opens and lists. With `ret`: also counts, which costs time. */
static double time_layers(const char *path, struct result *ret)
{
	const struct kernel_options options = { .locate.quiet = true };
	double start = bench_now();
	struct process_list list;
	struct snapshot *s;
	struct kernel *k;
	struct diag diag;

	diag_init(&diag, NULL, NULL);
	bench_check(snapshot_open(path, NULL, &diag, &s));
	if (ret)
		physmem_count_pages(s->mem);
	bench_check(kernel_open(s, &options, &diag, &k));
	bench_check(process_list_read(k, &list));
	if (ret) {
		ret->pages = physmem_pages_touched(s->mem);
		ret->processes = list.count;
		snprintf(ret->located_by, sizeof(ret->located_by), "%s", k->loc.located_by);
	}
	process_list_deinit(&list);
	kernel_close(k);
	snapshot_close(s);
	return bench_now() - start;
}

static double time_baseline(const char *path, uint64_t pages)
{
	double start = bench_now();
	struct file file;
	uint64_t sum = 0;

	bench_check(file_open(&file, path));
	for (uint64_t i = 0; i < pages; i++)
		sum |= load_u64(file.bytes +
				(bench_scatter(i, 0, file.size >> PAGE_SHIFT) << PAGE_SHIFT));
	/* a use of the sum, so that the compiler keeps the reads */
	__asm__ volatile("" : : "r"(sum));
	file_close(&file);
	return bench_now() - start;
}

/* While this process is small: a child's peak counts from what it was before the program. */
static void measure_program(const char *program, int fd, size_t rounds, struct result *ret)
{
	double seconds[MAX_ROUNDS];
	char path[BENCH_PATH_SIZE];

	bench_fd_path(fd, path);
	time_program(program, path, &ret->resident_kib);
	for (size_t i = 0; i < rounds; i++)
		seconds[i] = time_program(program, path, &ret->resident_kib);
	ret->program = bench_median(seconds, rounds);
}

static void measure_layers(int fd, size_t rounds, struct result *ret)
{
	double layers[MAX_ROUNDS], baseline[MAX_ROUNDS], cold[COLD_ROUNDS];
	char path[BENCH_PATH_SIZE];

	bench_fd_path(fd, path);
	time_layers(path, ret);
	time_baseline(path, ret->pages);
	for (size_t i = 0; i < rounds; i++) {
		layers[i] = time_layers(path, NULL);
		baseline[i] = time_baseline(path, ret->pages);
	}
	ret->layers = bench_median(layers, rounds);
	ret->baseline = bench_median(baseline, rounds);
	for (size_t i = 0; i < COLD_ROUNDS; i++) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		cold[i] = time_layers(path, NULL);
	}
	ret->cold = bench_median(cold, COLD_ROUNDS);
}

static void print(const struct result *results, const char *snapshot)
{
	printf("open and ps of %s: %zu processes, kernel located by %s\n"
	       "%-8s %8s %10s %10s %8s %8s %12s %8s\n",
	       snapshot, results->processes, results->located_by, "size", "pages", "program ms",
	       "layers ms", "cold ms", "RSS MiB", "baseline ms", "ratio");
	for (size_t i = 0; i < NUM_SIZES; i++) {
		const struct result *r = &results[i];

		printf("%-8s %8llu %10.2f %10.2f %8.2f %8.1f %12.3f %6.1f x\n", sizes[i].name,
		       (unsigned long long)r->pages, r->program / MILLISECOND,
		       r->layers / MILLISECOND, r->cold / MILLISECOND,
		       (double)r->resident_kib / 1024, r->baseline / MILLISECOND,
		       r->layers / r->baseline);
	}
	printf("%s to %s: program %.2f x, layers %.2f x\n", sizes[1].name, sizes[0].name,
	       results[1].program / results[0].program, results[1].layers / results[0].layers);
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 31 };
	struct result results[NUM_SIZES] = { 0 };
	int fds[NUM_SIZES];
	size_t rounds;

	bench_parse(&options, argc, argv, 2, " PROGRAM SNAPSHOT");
	rounds = options.count < MAX_ROUNDS ? options.count : MAX_ROUNDS;
	for (size_t i = 0; i < NUM_SIZES; i++)
		fds[i] = copy_sparse(argv[optind + 1], options.dir, sizes[i].bytes);
	for (size_t i = 0; i < NUM_SIZES; i++)
		measure_program(argv[optind], fds[i], rounds, &results[i]);
	for (size_t i = 0; i < NUM_SIZES; i++)
		measure_layers(fds[i], rounds, &results[i]);
	print(results, argv[optind + 1]);
	return 0;
}
