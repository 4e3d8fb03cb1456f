/* SPDX-License-Identifier: MIT */
#include "windows/locate/location_cache.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/cursor.h"
#include "fake_kernel.h"
#include "fake_machine.h"
#include "windows/locate/private.h"

enum { MAX_PATH = 512, TEXT_SIZE = 16 << 10, SCANNED = 1 << STRATEGY_SELF_MAP };

static struct fake_machine m;
static char top[MAX_PATH], folder[MAX_PATH], path[MAX_PATH];
static char last_note[1024];
static struct diag diag;
static struct location_cache cache = { .folder = folder, .diag = &diag };
static struct locate_options options, without;

static void remember(void *arg, enum diag_kind kind, const char *message)
{
	(void)arg;
	(void)kind;
	snprintf(last_note, sizeof(last_note), "%s", message);
}

static void setup(void)
{
	snprintf(top, sizeof(top), "%s/ntscope-cache.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	cr_assert_not_null(mkdtemp(top));
	snprintf(folder, sizeof(folder), "%.300s/not/yet", top);
	diag_init(&diag, remember, NULL);
	fake_machine_init(&m);
	without = options = (struct locate_options){ .quiet = true, .threads = 1 };
	options.cache = &cache;
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void teardown(void)
{
	fake_machine_deinit(&m);
	nftw(top, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(location_cache, .init = setup, .fini = teardown, .timeout = 120);

/* Where what is kept of the machine is. */
static void find_path(void)
{
	uint8_t fingerprint[SHA256_SIZE];
	char name[SHA256_TEXT_SIZE];

	cr_assert_null(snapshot_fingerprint(&m.snap, fingerprint));
	sha256_format(fingerprint, name);
	snprintf(path, sizeof(path), "%.300s/%s.scan", folder, name);
}

static void open_machine(void)
{
	fake_machine_open(&m, NULL);
	m.snap.file = m.file;
	find_path();
}

/* All that a search says. */
static void locate(const struct locate_options *how, unsigned strategies, char ret[TEXT_SIZE])
{
	struct kernel_location loc;
	struct error *err = locate_with(&m.snap, how, strategies, &loc);
	size_t used = 0;

	if (err) {
		snprintf(ret, TEXT_SIZE, "%s", error_message(err));
		error_destroy(err);
		return;
	}
	used = (size_t)snprintf(ret, TEXT_SIZE, "%llx %u %llx %s %s", (unsigned long long)loc.root,
				loc.levels, (unsigned long long)loc.base, loc.located_by,
				loc.how_sure);
	for (size_t i = 0; i < loc.num_trail && used < TEXT_SIZE; i++)
		used += (size_t)snprintf(ret + used, TEXT_SIZE - used, "\n%s: %s",
					 loc.trail[i].strategy, loc.trail[i].text);
	kernel_location_deinit(&loc);
}

/* With and without the cache the answer is the same. */
static void expect_same(unsigned strategies)
{
	static char plain[TEXT_SIZE], cached[TEXT_SIZE];

	locate(&without, strategies, plain);
	locate(&options, strategies, cached);
	cr_expect_str_eq(cached, plain);
}

/* Is the file there, and does it fit? */
static bool is_kept(struct scan_log *ret)
{
	uint8_t fingerprint[SHA256_SIZE];

	cr_assert_null(snapshot_fingerprint(&m.snap, fingerprint));
	return location_cache_find(&cache, fingerprint, ret);
}

static uint8_t *read_kept(size_t *len_ret)
{
	uint8_t *bytes = NULL;

	cr_assert_null(cache_file_read(path, SCAN_LOG_MAX_BYTES, &bytes, len_ret));
	return bytes;
}

static void put(const uint8_t *bytes, size_t len)
{
	cr_assert_null(cache_file_write(path, bytes, len));
}

static ino_t inode(void)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

Test(location_cache, is_used_by_searches_that_scan)
{
	static const unsigned strategies[] = { SCANNED, 1 << STRATEGY_PHYSICAL };
	struct scan_log log;

	open_machine();
	for (size_t i = 0; i < ARRAY_SIZE(strategies); i++) {
		expect_same(strategies[i]);
		ino_t first = inode();

		cr_assert(first);
		expect_same(strategies[i]); /* what is used is not written again */
		cr_expect_eq(inode(), first);
		cr_assert(is_kept(&log));
		cr_expect_gt(log.num_hits, 0);
		scan_log_deinit(&log);
		cr_assert_eq(unlink(path), 0);
	}
	cr_expect_str_empty(last_note);
}

Test(location_cache, physical_search_by_record_scans_twice)
{
	struct scan_log log;

	memset(m.bytes + FAKE_SYSTEM_PA + 0x80 + 0x5a8, 0, 8);
	open_machine();
	expect_same(1 << STRATEGY_PHYSICAL);
	expect_same(1 << STRATEGY_PHYSICAL);
	cr_assert(is_kept(&log));
	cr_expect_gt(log.num_scans, 1);
	scan_log_deinit(&log);
}

Test(location_cache, is_not_asked_by_searches_that_do_not_scan)
{
	open_machine();
	expect_same(ALL_STRATEGIES);
	cr_expect_eq(inode(), 0);
}

Test(location_cache, small_searches_are_not_kept)
{
	struct location_cache frugal = cache;

	open_machine();
	frugal.min_scanned = FAKE_MEMORY + 1;
	options.cache = &frugal;
	expect_same(SCANNED);
	cr_expect_eq(inode(), 0);
	frugal.min_scanned = FAKE_MEMORY;
	expect_same(SCANNED);
	cr_expect_neq(inode(), 0);
}

Test(location_cache, a_search_that_finds_nothing_is_not_kept)
{
	memset(m.bytes + FAKE_IMAGE_PA, 0, 0x1000);
	open_machine();
	expect_same(ALL_STRATEGIES & ~(1U << STRATEGY_OPTIONS));
	cr_expect_eq(inode(), 0);
}

Test(location_cache, options_do_without_it)
{
	open_machine();
	without.has_kernel_base = options.has_kernel_base = true;
	without.kernel_base = options.kernel_base = FAKE_KERNEL_BASE;
	expect_same(SCANNED);
	cr_expect_eq(inode(), 0);
}

Test(location_cache, every_changed_byte_is_noticed)
{
	struct scan_log log;
	uint8_t *bytes;
	size_t len;

	open_machine();
	expect_same(SCANNED);
	bytes = read_kept(&len);
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 0x10;
		put(bytes, len);
		cr_expect_not(is_kept(&log), "byte %zu", i);
		bytes[i] ^= 0x10;
	}
	for (size_t cut = 0; cut < len; cut++) {
		put(bytes, cut);
		cr_expect_not(is_kept(&log), "cut at %zu", cut);
	}
	cr_expect_not_null(strstr(last_note, "not used: "));
	expect_same(SCANNED); /* and it is written anew */
	cr_assert(is_kept(&log));
	scan_log_deinit(&log);
	free(bytes);
}

Test(location_cache, another_version_is_not_read_but_replaced)
{
	struct scan_log log;
	uint8_t *bytes;
	size_t len;

	open_machine();
	expect_same(SCANNED);
	bytes = read_kept(&len);
	for (uint32_t version = 0; version < 4; version++) {
		if (version == SCAN_LOG_VERSION)
			continue;
		store_u32(bytes + SCAN_LOG_VERSION_AT, version);
		scan_log_seal(bytes, len);
		put(bytes, len);
		cr_expect_not(is_kept(&log));
		cr_expect_not_null(strstr(last_note, "version"));
		expect_same(SCANNED);
		cr_assert(is_kept(&log));
		scan_log_deinit(&log);
	}
	free(bytes);
}

/* Well-formed, with a checksum that fits, and wrong: what it says is checked, and it is replaced.
 */
static void expect_harmless(const struct scan_log *lie)
{
	uint8_t fingerprint[SHA256_SIZE], *bytes, *after;
	size_t len, after_len;

	cr_assert_null(snapshot_fingerprint(&m.snap, fingerprint));
	cr_assert_null(scan_log_write(lie, fingerprint, &bytes, &len));
	put(bytes, len);
	expect_same(SCANNED);
	after = read_kept(&after_len);
	cr_expect(after_len != len || memcmp(after, bytes, len) != 0, "the lie is still there");
	free(after);
	free(bytes);
}

Test(location_cache, lies_are_harmless)
{
	struct scan_hit lies[SCAN_LOG_MAX_HITS];
	struct scan_log truth, lie;

	open_machine();
	expect_same(SCANNED);
	cr_assert(is_kept(&truth));

	lie = truth;
	lie.end[0] ^= 1;
	expect_harmless(&lie);
	lie = truth; /* it found nothing */
	memset(lie.end, 0, sizeof(lie.end));
	expect_harmless(&lie);
	lie = truth; /* another table in place of the first */
	lie.hits = lies;
	memcpy(lies, truth.hits, truth.num_hits * sizeof(*lies));
	lies[0].pa += 0x1000;
	expect_harmless(&lie);
	lie = truth;
	lie.num_scans = lie.num_hits = 0;
	expect_harmless(&lie);
	lie = truth; /* pages of which none is a table, or is there at all */
	lie.hits = lies;
	lie.num_hits = lie.ends[0] = SCAN_LOG_MAX_HITS;
	for (size_t i = 0; i < SCAN_LOG_MAX_HITS; i++)
		lies[i] = (struct scan_hit){ .pa = i % 2 ? i << 12 : PHYSMEM_MAX_END - 1 - i };
	lies[FAKE_ROOT >> 12].kind = 1;
	expect_harmless(&lie);
	scan_log_deinit(&truth);
}

Test(location_cache, a_changed_snapshot_is_searched_anew)
{
	uint8_t fingerprint[SHA256_SIZE], *bytes;
	struct scan_log log;
	size_t len;

	open_machine();
	expect_same(SCANNED);
	bytes = read_kept(&len);
	/* what a fingerprint would not see if the file were larger: what was kept is put where
	 * it is looked for */
	memset(m.bytes + FAKE_ROOT, 0, 0x1000);
	find_path();
	cr_assert_null(snapshot_fingerprint(&m.snap, fingerprint));
	memcpy(bytes + 24, fingerprint, sizeof(fingerprint));
	scan_log_seal(bytes, len);
	put(bytes, len);
	cr_assert(is_kept(&log));
	scan_log_deinit(&log);
	expect_same(SCANNED);
	free(bytes);
}

Test(location_cache, what_cannot_be_read_or_written_is_no_error)
{
	open_machine();
	snprintf(folder, sizeof(folder), "/dev/null/sub");
	expect_same(SCANNED);
	cr_expect_not_null(strstr(last_note, "is not kept: "));
	snprintf(folder, sizeof(folder), "%.300s", top);
	find_path();
	for (int fifo = 0; fifo < 2; fifo++) { /* neither is waited for, nor followed */
		unlink(path);
		cr_assert_eq(fifo ? mkfifo(path, 0600) : symlink("/dev/zero", path), 0);
		expect_same(SCANNED);
	}
}

Test(location_cache, fingerprint_sees_content_and_shape)
{
	uint8_t a[SHA256_SIZE], b[SHA256_SIZE];

	open_machine();
	cr_assert_null(snapshot_fingerprint(&m.snap, a));
	m.bytes[0] ^= 1;
	cr_assert_null(snapshot_fingerprint(&m.snap, b));
	cr_expect_neq(memcmp(a, b, sizeof(a)), 0);
	m.bytes[0] ^= 1;
	m.snap.file.size--;
	cr_assert_null(snapshot_fingerprint(&m.snap, b));
	cr_expect_neq(memcmp(a, b, sizeof(a)), 0);
	m.snap.file.size = 0;
	cr_assert_null(snapshot_fingerprint(&m.snap, b));
	m.snap.file.size = FAKE_MEMORY;
	cr_assert_null(snapshot_fingerprint(&m.snap, b));
	cr_expect_eq(memcmp(a, b, sizeof(a)), 0);
}
