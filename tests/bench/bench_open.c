/* SPDX-License-Identifier: MIT */
/*
 * Opening a raw snapshot and listing its processes: in this process through the layers, and as a
 * run of the program. The snapshot is made 1 GiB and 64 GiB long by a hole at its end, and each
 * of these once more without its first MiB, which holds the start block that tells of the
 * kernel, so that page tables have to be searched for it. The baseline maps the file and reads a
 * word of as many pages as the listing touched, at random among those that are no hole. Goals:
 * under 20 ms and 64 MiB of resident memory each, whatever the size. Times are medians with the
 * file in the page cache, beside the best; "cold" is the layers' after the file was dropped from
 * there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#include "base/cursor.h"
#include "windows/kernel/kernel.h"
#include "windows/process/process.h"

enum { MAX_ROUNDS = 101 };

static const struct form {
	const char *name;
	uint64_t size, skipped; /* bytes, and how many of them at the start are a hole */
} forms[] = {
	{ "1 GiB", GIB, 0 },
	{ "64 GiB", 64 * GIB, 0 },
	{ "1 GiB, no stub", GIB, MIB },
	{ "64 GiB, no stub", 64 * GIB, MIB },
};
enum { NUM_FORMS = ARRAY_SIZE(forms) };

enum { TIME_PROGRAM, TIME_LAYERS, TIME_COLD, TIME_BASELINE, NUM_TIMES };

struct result {
	double median[NUM_TIMES], best[NUM_TIMES]; /* milliseconds */
	long resident_kib;			   /* the program's peak */
	uint64_t pages;				   /* distinct, touched by the layers */
	size_t processes;
	char located_by[32];
};

/* Pages of a file in some order. */
struct page_order {
	uint64_t *offsets; /* owned */
	uint64_t count;	   /* not 0 */
};

/* [at, end) of one file to the same place in another. */
static void copy_stretch(int in, int out, off_t at, off_t end, const char *name)
{
	static char block[1 << 16];

	if (lseek(out, at, SEEK_SET) < 0)
		bench_die_errno("scratch file");
	while (at < end) {
		size_t left = (size_t)(end - at);
		ssize_t got = pread(in, block, left < sizeof(block) ? left : sizeof(block), at);

		if (got <= 0)
			bench_die_errno(name);
		bench_write(out, block, (size_t)got);
		at += got;
	}
}

/* A new file of this form, with the snapshot's bytes that are not in holes. */
static int make_snapshot(const char *from, const char *dir, const struct form *form)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = bench_scratch(dir);
	off_t at = (off_t)form->skipped;

	if (in < 0)
		bench_die_errno(from);
	while ((at = lseek(in, at, SEEK_DATA)) >= 0) {
		off_t end = lseek(in, at, SEEK_HOLE);

		if (end > (off_t)form->size) {
			errno = EFBIG;
			bench_die_errno(from);
		}
		copy_stretch(in, out, at, end, from);
		at = end;
	}
	close(in);
	bench_truncate(out, form->size);
	if (fsync(out) < 0) /* only clean pages can be dropped */
		bench_die_errno("scratch file");
	return out;
}

/* One run of `ntscope ps`, its output dropped; raises *resident_kib to its peak. */
static double time_program(const char *program, const char *path, long *resident_kib)
{
	const char *const argv[] = { program, "ps", "--quiet", "--no-cache", path, NULL };

	return bench_program(argv, resident_kib);
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
	bench_check(process_list_read(k, PROCESS_FULL, &list));
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

static void drop_from_cache(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	errno = fd < 0 ? errno : posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (errno)
		bench_die_errno(path);
	close(fd);
}

/* Offsets of all pages of the file that are not in a hole, shuffled. */
static struct page_order read_order(const char *path)
{
	struct page_order order = { .count = 0 };
	uint64_t state = 1, start = 0, end = 0;
	struct file file;

	bench_check(file_open(&file, path));
	while (file_next_data(&file, end, &start, &end))
		order.count += (end - start) >> PAGE_SHIFT;
	order.offsets = calloc(order.count + 1, sizeof(*order.offsets));
	if (!order.offsets)
		bench_check(&error_no_memory);
	order.count = end = 0;
	while (file_next_data(&file, end, &start, &end)) {
		for (; end - start >= PAGE_SIZE; start += PAGE_SIZE) {
			uint64_t other = bench_random(&state) % (order.count + 1);

			order.offsets[order.count++] = order.offsets[other];
			order.offsets[other] = start;
		}
	}
	file_close(&file);
	return order;
}

static double time_baseline(const char *path, const struct page_order *order, uint64_t pages)
{
	double start = bench_now();
	struct file file;
	uint64_t sum = 0;

	bench_check(file_open(&file, path));
	for (uint64_t i = 0; i < pages; i++)
		sum |= load_u64(file.bytes + order->offsets[i % order->count]);
	/* a use of the sum, so that the compiler keeps the reads */
	__asm__ volatile("" : : "r"(sum));
	file_close(&file);
	return bench_now() - start;
}

static double seconds[NUM_FORMS][NUM_TIMES][MAX_ROUNDS];

/* In each round the files take turns: what else the machine does falls on all alike. */
static void time_all(const char *program, char (*paths)[BENCH_PATH_SIZE], size_t rounds,
		     struct result *results)
{
	struct page_order orders[NUM_FORMS];

	/* while this process is small: a child's peak counts from what it was before exec */
	for (size_t n = 0; n < rounds * NUM_FORMS; n++) {
		size_t i = n % NUM_FORMS;

		seconds[i][TIME_PROGRAM][n / NUM_FORMS] =
			time_program(program, paths[i], &results[i].resident_kib);
	}
	for (size_t i = 0; i < NUM_FORMS; i++) {
		orders[i] = read_order(paths[i]);
		time_layers(paths[i], &results[i]);
		time_baseline(paths[i], &orders[i], results[i].pages);
	}
	for (size_t n = 0; n < rounds * NUM_FORMS; n++) {
		size_t i = n % NUM_FORMS, round = n / NUM_FORMS;

		seconds[i][TIME_LAYERS][round] = time_layers(paths[i], NULL);
		seconds[i][TIME_BASELINE][round] =
			time_baseline(paths[i], &orders[i], results[i].pages);
	}
	for (size_t n = 0; n < rounds * NUM_FORMS; n++) {
		size_t i = n % NUM_FORMS;

		drop_from_cache(paths[i]);
		seconds[i][TIME_COLD][n / NUM_FORMS] = time_layers(paths[i], NULL);
	}
	for (size_t i = 0; i < NUM_FORMS; i++)
		free(orders[i].offsets);
}

static void print(const struct result *results, const char *snapshot)
{
	printf("open and ps of %s, %zu processes\n"
	       "%-16s %10s %7s %8s %11s %6s %10s %6s %8s %12s %8s\n",
	       snapshot, results->processes, "size", "located by", "pages", "RSS MiB", "program ms",
	       "best", "layers ms", "best", "cold ms", "baseline ms", "ratio");
	for (size_t i = 0; i < NUM_FORMS; i++) {
		const struct result *r = &results[i];
		const double *ms = r->median, *best = r->best;

		printf("%-16s %10s %7llu %8.1f %11.2f %6.2f %10.2f %6.2f %8.2f %12.3f %6.2f x\n",
		       forms[i].name, r->located_by, (unsigned long long)r->pages,
		       (double)r->resident_kib / 1024, ms[TIME_PROGRAM], best[TIME_PROGRAM],
		       ms[TIME_LAYERS], best[TIME_LAYERS], ms[TIME_COLD], ms[TIME_BASELINE],
		       ms[TIME_LAYERS] / ms[TIME_BASELINE]);
	}
	/* of the best: the noise of medians is larger than what this should show */
	printf("%s to %s: program %.2f x, layers %.2f x\n", forms[1].name, forms[0].name,
	       results[1].best[TIME_PROGRAM] / results[0].best[TIME_PROGRAM],
	       results[1].best[TIME_LAYERS] / results[0].best[TIME_LAYERS]);
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 31 };
	struct result results[NUM_FORMS] = { 0 };
	char paths[NUM_FORMS][BENCH_PATH_SIZE];

	bench_parse(&options, argc, argv, 2, " PROGRAM SNAPSHOT");
	if (options.count > MAX_ROUNDS)
		options.count = MAX_ROUNDS;
	for (size_t i = 0; i < NUM_FORMS; i++)
		bench_fd_path(make_snapshot(argv[optind + 1], options.dir, &forms[i]), paths[i]);
	time_all(argv[optind], paths, options.count, results);
	for (size_t i = 0; i < NUM_FORMS; i++) {
		for (size_t t = 0; t < NUM_TIMES; t++) {
			results[i].median[t] =
				bench_median(seconds[i][t], options.count) / MILLISECOND;
			results[i].best[t] = seconds[i][t][0] / MILLISECOND; /* sorted now */
		}
	}
	print(results, argv[optind + 1]);
	return 0;
}
