/* SPDX-License-Identifier: MIT */
/*
 * Opening symbols and asking for every field and global that the project uses: the built-in
 * table, a PDB or ISF file, and what the symbol store keeps of that. The baseline reads every byte
 * of the file that is opened; of the table, which is part of the program, it copies as many bytes
 * as the kernels' answers have. Goals: the table under 1 ms, a PDB of 20 MB under 100 ms. Medians,
 * with the files in the page cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#include "base/file.h"
#include "windows/fields.h"
#include "windows/symbols/builtin.h"
#include "windows/symbols/symbol_cache.h"
#include "windows/symbols/symbol_file.h"

enum { MAX_ROUNDS = 101 };

typedef struct profile_source *open_fn(const void *what);

static struct profile_source *open_builtin(const void *kernel)
{
	struct profile_source *src = NULL;

	bench_check(builtin_open(kernel, &src));
	return src;
}

static struct profile_source *open_file(const void *path)
{
	const struct symbol_reader *reader = NULL;
	struct profile_source *src = NULL;
	struct file file;

	bench_check(file_open(&file, path));
	bench_check(symbol_file_reader(&file, &reader));
	file_close(&file);
	bench_check(reader->open(path, &src));
	return src;
}

static struct profile_source *open_kept(const void *path)
{
	struct profile_source *src = NULL;

	bench_check(symbol_cache_open(path, "kept", &src));
	return src;
}

/* First alternatives only: the work is the same. */
static void first_of(const char *alternatives, char *ret, size_t size)
{
	snprintf(ret, size, "%.*s", (int)strcspn(alternatives, "|"), alternatives);
}

static size_t ask_all(const struct profile_source *src)
{
	static const struct field_row rows[] = { ALL_FIELDS(FIELD_ROW_) };
	char type[256], name[256];
	size_t answers = 0;
	struct field field;
	uint64_t rva;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		first_of(rows[i].type, type, sizeof(type));
		first_of(rows[i].name, name, sizeof(name));
		answers += src->ops->field(src, type, name, &field);
	}
	for (size_t i = 0; i < profile_num_globals; i++)
		answers += src->ops->symbol(src, profile_globals[i], &rva);
	return answers;
}

struct timing {
	double seconds; /* median */
	size_t answers;
};

static struct timing time_source(open_fn *open, const void *what, size_t rounds)
{
	static double seconds[MAX_ROUNDS];
	struct timing ret = { .seconds = 0 };

	for (size_t i = 0; i < rounds; i++) {
		double start = bench_now();
		struct profile_source *src = open(what);

		ret.answers = ask_all(src);
		src->ops->destroy(src);
		seconds[i] = bench_now() - start;
	}
	ret.seconds = bench_median(seconds, rounds);
	return ret;
}

/* Maps the file and reads all of it. */
static double time_plain(const char *path, size_t rounds, uint64_t *size_ret)
{
	static double seconds[MAX_ROUNDS];
	struct file file;

	for (size_t i = 0; i < rounds; i++) {
		double start = bench_now();
		uint64_t sum;

		bench_check(file_open(&file, path));
		sum = bench_sum(file.bytes, file.size & ~UINT64_C(7));
		__asm__ volatile("" : : "r"(sum));
		*size_ret = file.size;
		file_close(&file);
		seconds[i] = bench_now() - start;
	}
	return bench_median(seconds, rounds);
}

static void print_row(const char *what, uint64_t size, const struct timing *t, double plain)
{
	printf("%-44s %8.2f %10.3f %12.3f %9.1f x %9zu\n", what, (double)size / MEGA,
	       t->seconds / MILLISECOND, plain / MILLISECOND, t->seconds / plain, t->answers);
}

static void bench_path(const char *what, open_fn *open, const char *path, size_t rounds)
{
	struct timing t;
	uint64_t size = 0;
	double plain = time_plain(path, rounds, &size);

	t = time_source(open, path, rounds);
	print_row(what, size, &t, plain);
}

/* What would be kept of the file, in one of its own. */
static void bench_kept(const char *path, const struct bench_options *o)
{
	const struct symbol_origin origin = { 0, 0 };
	struct profile_source *src = open_file(path);
	int fd = bench_scratch(o->dir);
	char kept[BENCH_PATH_SIZE];
	uint8_t *bytes;
	size_t len;

	bench_check(symbol_cache_write(src, &origin, &bytes, &len));
	src->ops->destroy(src);
	bench_write(fd, bytes, len);
	free(bytes);
	bench_fd_path(fd, kept);
	bench_path("  the same, kept", open_kept, kept, o->count);
	close(fd);
}

static void bench_builtin(size_t rounds)
{
	const struct builtin_kernel *kernel = builtin_nearest(19041);
	struct timing t = time_source(open_builtin, kernel, rounds);
	static uint8_t from[1 << 16], to[1 << 16];
	size_t size = t.answers * sizeof(struct field);
	double start = bench_now();

	for (size_t i = 0; i < rounds; i++) {
		memcpy(to, from, size);
		__asm__ volatile("" : : "r"(to) : "memory");
	}
	print_row("built-in table", size, &t, (bench_now() - start) / (double)rounds);
}

int main(int argc, char **argv)
{
	struct bench_options options = { .count = 31 };
	const char *path, *slash;

	bench_parse(&options, argc, argv, 1, " FILE");
	if (options.count > MAX_ROUNDS)
		options.count = MAX_ROUNDS;
	path = argv[optind];
	slash = strrchr(path, '/');
	printf("%-44s %8s %10s %12s %11s %9s\n", "symbols", "MB", "open, ms", "plain, ms", "ratio",
	       "answers");
	bench_builtin(options.count);
	bench_path(slash ? slash + 1 : path, open_file, path, options.count);
	bench_kept(path, &options);
	return 0;
}
