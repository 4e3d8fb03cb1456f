/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/listings.h"
#include "tests/memfile.h"
#include "windows/modules/module.h"
#include "windows/process/process.h"

/*
 * Each fixture is cut at many lengths, and bytes of it are changed, always the same ones: what
 * comes out is a snapshot or an error that says why, in bounded time and memory.
 */
enum {
	SECONDS_PER_SNAPSHOT = 10,
	MEMORY_LIMIT = 1 << 30, /* bytes, with which a snapshot of 2 MiB must do */
	MAX_FIXTURE = 4 << 20,
	MAX_RANGES = 4096,
	HEADER_BYTES = 0x2100, /* where crash dumps and ELF cores have theirs */
	HEADER_FLIPS = 200,
	FILE_FLIPS = 60,
	OPENS_PER_LISTING = 4, /* as all listings take long */
	SEED = 0x5eed,
};

static const char *const fixtures[] = {
	"small-windows.raw",	    "small-windows.dmp-triage",	   "small-windows.dmp-bitmap",
	"small-windows.elf-sparse", "small-windows.xen",	   "five-level.elf-qemu",
	"five-level.elf-unsorted",  "five-level.elf-xnum",	   "five-level.elf-short",
	"five-level.virtualbox",    "five-level.dmp-full",	   "five-level.dmp-summary",
	"five-level.dmp-triage",    "five-level.dmp-triage-paths", "five-level.dmp-live",
	"five-level.dmp-automatic", "five-level.dmp-kernel",	   "five-level.dmp-kernel-user",
	"five-level.dmp-complete",
};

/* Under AddressSanitizer, whose shadow has no room below a limit on address space. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "max_allocation_size_mb=1024:hard_rss_limit_mb=1024";
}

#ifdef __SANITIZE_ADDRESS__
static void limit_memory(void)
{
}
#else
static void limit_memory(void)
{
	struct rlimit limit = { .rlim_cur = MEMORY_LIMIT, .rlim_max = MEMORY_LIMIT };

	cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}
#endif

struct subject {
	const char *name;
	char path[MEMFILE_PATH_SIZE];
	int fd;
	uint8_t *bytes;
	size_t size;
	size_t opens;
};

static void subject_init(struct subject *s, const char *name)
{
	char path[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", FIXTURES_DIR, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	s->bytes = malloc(MAX_FIXTURE);
	cr_assert_not_null(s->bytes);
	n = read(fd, s->bytes, MAX_FIXTURE);
	cr_assert(n > 0 && n < MAX_FIXTURE, "%s", path);
	close(fd);
	s->name = name;
	s->size = (size_t)n;
	s->opens = 0;
	s->fd = memfile_create(s->bytes, s->size, s->path);
}

static void subject_deinit(struct subject *s)
{
	close(s->fd);
	free(s->bytes);
}

static void check_error(struct error *err, const char *what)
{
	if (err)
		cr_expect_neq(error_message(err)[0], '\0', "%s: an error without a word", what);
	error_destroy(err);
}

static void read_memory(struct physmem *mem)
{
	struct mem_range range;
	uint64_t pa = 0;
	uint8_t byte;

	for (size_t i = 0; i < MAX_RANGES && physmem_next(mem, pa, false, &range); i++) {
		cr_expect(range.start >= pa && range.start < range.end);
		cr_expect_leq(physmem_read(mem, range.end - 1, &byte, 1), 1);
		pa = range.end;
	}
}

static void read_windows(struct snapshot *snap, struct diag *diag, const char *what, bool list_all)
{
	struct kernel_options options = { .locate = { .quiet = true, .threads = 1 } };
	struct kernel_module_list modules;
	struct process_list processes;
	struct kernel *k = NULL;
	struct error *err;

	if ((err = kernel_open(snap, &options, diag, &k))) {
		check_error(err, what);
		return;
	}
	if ((err = process_list_read(k, PROCESS_FULL, &processes)))
		check_error(err, what);
	else
		process_list_deinit(&processes);
	if ((err = kernel_modules_read(k, &modules)))
		check_error(err, what);
	else
		kernel_modules_deinit(&modules);
	if (list_all)
		run_listings(snap, k, diag);
	kernel_close(k);
}

static void try_open(struct subject *s, const char *what)
{
	struct timespec start, end;
	struct snapshot *snap = NULL;
	struct error *err;
	struct diag diag;

	clock_gettime(CLOCK_MONOTONIC, &start);
	diag_init(&diag, NULL, NULL);
	if ((err = snapshot_open(s->path, NULL, &diag, &snap))) {
		check_error(err, what);
	} else {
		if (snap->mem)
			read_memory(snap->mem);
		read_windows(snap, &diag, what, s->opens++ % OPENS_PER_LISTING == 0);
		snapshot_close(snap);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	cr_expect_lt(end.tv_sec - start.tv_sec, SECONDS_PER_SNAPSHOT, "%s takes too long", what);
}

static void try_cut(struct subject *s, size_t length)
{
	char what[128];

	snprintf(what, sizeof(what), "%s cut at 0x%zx", s->name, length);
	cr_assert_eq(ftruncate(s->fd, (off_t)length), 0);
	try_open(s, what);
	cr_assert_eq(ftruncate(s->fd, (off_t)s->size), 0);
	cr_assert_eq(pwrite(s->fd, s->bytes + length, s->size - length, (off_t)length),
		     (ssize_t)(s->size - length));
}

/* xorshift64: the same numbers everywhere. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One to eight bytes below `end` become zero, ones, or anything. */
static void try_flip(struct subject *s, size_t end, uint64_t *state)
{
	static const uint8_t fills[] = { 0x00, 0xff, 0x7f, 0x80 };
	size_t at = next_random(state) % end, len = 1 + next_random(state) % 8;
	size_t kind = next_random(state) % (ARRAY_SIZE(fills) + 2);
	uint8_t bytes[8];
	char what[128];

	if (len > s->size - at)
		len = s->size - at;
	for (size_t i = 0; i < len; i++)
		bytes[i] = kind < ARRAY_SIZE(fills) ? fills[kind] : (uint8_t)next_random(state);
	snprintf(what, sizeof(what), "%s with %zu bytes changed at 0x%zx", s->name, len, at);
	cr_assert_eq(pwrite(s->fd, bytes, len, (off_t)at), (ssize_t)len);
	try_open(s, what);
	cr_assert_eq(pwrite(s->fd, s->bytes + at, len, (off_t)at), (ssize_t)len);
}

ParameterizedTestParameters(mutations, cut)
{
	return cr_make_param_array(const char *, (void *)fixtures, ARRAY_SIZE(fixtures));
}

ParameterizedTest(const char **name, mutations, cut, .timeout = 120)
{
	struct subject s;

	limit_memory();
	subject_init(&s, *name);
	for (size_t i = 0; i < HEADER_BYTES && i < s.size; i += i < 0x100 ? 13 : 151)
		try_cut(&s, i);
	for (size_t i = 0; i < 40; i++)
		try_cut(&s, s.size * i / 40 + i);
	for (size_t i = 1; i < 9; i++)
		try_cut(&s, s.size - i);
	subject_deinit(&s);
}

ParameterizedTestParameters(mutations, flip)
{
	return cr_make_param_array(const char *, (void *)fixtures, ARRAY_SIZE(fixtures));
}

ParameterizedTest(const char **name, mutations, flip, .timeout = 120)
{
	uint64_t state = SEED;
	struct subject s;
	size_t header;

	limit_memory();
	subject_init(&s, *name);
	header = s.size < HEADER_BYTES ? s.size : HEADER_BYTES;
	for (size_t i = 0; i < HEADER_FLIPS; i++)
		try_flip(&s, header, &state);
	for (size_t i = 0; i < FILE_FLIPS; i++)
		try_flip(&s, s.size, &state);
	subject_deinit(&s);
}
