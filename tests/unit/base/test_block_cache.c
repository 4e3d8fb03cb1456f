/* SPDX-License-Identifier: MIT */
#include "base/block_cache.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 4096, BAD = 7, NUM = 64 };

/* Blocks filled with their number; block BAD cannot be decoded. */
struct fake {
	struct block_cache *cache;
	struct block_source source;
	unsigned fills[NUM]; /* atomic */
};

static struct error *fill(void *arg, uint64_t index, uint8_t *buf, size_t size)
{
	struct fake *f = arg;

	__atomic_fetch_add(&f->fills[index], 1, __ATOMIC_RELAXED);
	if (index == BAD)
		return error_new(ERROR_CORRUPT, "block 7 is bad");
	memset(buf, (int)index, size);
	return NULL;
}

static size_t size_of(void *arg, uint64_t index)
{
	(void)arg;
	return index < NUM ? SIZE : 0;
}

static void open_fake(struct fake *f, uint64_t max_bytes)
{
	*f = (struct fake){ .source = { .fill = fill, .arg = f } };
	cr_assert_null(block_cache_create(max_bytes, &f->cache));
	block_cache_join(f->cache, &f->source);
}

static void close_fake(struct fake *f)
{
	block_cache_leave(f->cache, &f->source);
	block_cache_destroy(f->cache);
}

static struct error *touch(struct fake *f, uint64_t index)
{
	const uint8_t *bytes;
	void *pin;
	struct error *err = block_cache_get(f->cache, &f->source, index, SIZE, &bytes, &pin);

	if (err)
		return err;
	cr_assert_eq(bytes[0], (uint8_t)index);
	cr_assert_eq(bytes[SIZE - 1], (uint8_t)index);
	block_cache_release(f->cache, pin);
	return NULL;
}

static void expect_error(struct error *err, enum error_code code, const char *part)
{
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), code);
	cr_expect_not_null(strstr(error_message(err), part), "%s", error_message(err));
	error_destroy(err);
}

static struct block_cache_stats stats(const struct fake *f)
{
	struct block_cache_stats s;

	block_cache_stats(f->cache, &s);
	return s;
}

Test(block_cache, decodes_a_block_once)
{
	struct fake f;

	open_fake(&f, 0);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_null(touch(&f, 5));
	cr_expect_eq(f.fills[5], 1);
	cr_expect_eq(stats(&f).hits, 2);
	cr_expect_eq(stats(&f).misses, 1);
	close_fake(&f);
}

Test(block_cache, makes_room_by_dropping_the_least_recently_used)
{
	struct fake f;

	open_fake(&f, 4 * SIZE);
	for (uint64_t i = 10; i < 40; i++) {
		cr_assert_null(touch(&f, i));
		cr_assert_leq(stats(&f).bytes, 4 * SIZE);
	}
	cr_expect_leq(stats(&f).peak, 4 * SIZE);
	cr_assert_null(touch(&f, 10));
	cr_expect_eq(f.fills[10], 2);
	close_fake(&f);
}

Test(block_cache, a_block_that_is_pinned_stays)
{
	struct fake f;
	const uint8_t *bytes;
	void *pin;

	open_fake(&f, 2 * SIZE);
	cr_assert_null(block_cache_get(f.cache, &f.source, 3, SIZE, &bytes, &pin));
	for (uint64_t i = 10; i < 40; i++)
		cr_assert_null(touch(&f, i));
	cr_expect_eq(bytes[100], 3);
	block_cache_release(f.cache, pin);
	cr_assert_null(touch(&f, 3));
	cr_expect_eq(f.fills[3], 1);
	close_fake(&f);
}

Test(block_cache, refuses_a_block_that_does_not_fit_alone)
{
	struct fake f;
	uint8_t *scratch;
	void *pin;

	open_fake(&f, SIZE - 1);
	expect_error(touch(&f, 1), ERROR_LIMIT, "--max-memory");
	expect_error(block_cache_scratch(f.cache, SIZE, &scratch, &pin), ERROR_LIMIT,
		     "--max-memory");
	cr_expect_eq(f.fills[1], 0);
	close_fake(&f);
}

Test(block_cache, what_is_reserved_is_no_room_for_blocks)
{
	struct fake f;

	open_fake(&f, 4 * SIZE);
	cr_assert_null(block_cache_reserve(f.cache, 3 * SIZE, "an index"));
	for (uint64_t i = 10; i < 20; i++)
		cr_assert_null(touch(&f, i));
	cr_expect_leq(stats(&f).peak, 4 * SIZE);
	expect_error(block_cache_reserve(f.cache, SIZE + 1, "a table"), ERROR_LIMIT, "a table");
	expect_error(block_cache_reserve(f.cache, UINT64_MAX, "a table"), ERROR_LIMIT, "a table");
	cr_assert_null(block_cache_reserve(f.cache, 1, "a byte"));
	expect_error(touch(&f, 1), ERROR_LIMIT, "--max-memory");
	close_fake(&f);
}

Test(block_cache, a_block_that_cannot_be_decoded_is_tried_once)
{
	struct fake f;

	open_fake(&f, 0);
	for (unsigned i = 0; i < 3; i++)
		expect_error(touch(&f, BAD), ERROR_CORRUPT, "block 7 is bad");
	cr_expect_eq(f.fills[BAD], 1);
	cr_assert_null(touch(&f, BAD + 1));
	close_fake(&f);
}

Test(block_cache, a_source_that_leaves_takes_its_blocks_along)
{
	struct fake f;
	struct block_source other;

	open_fake(&f, 0);
	other = f.source;
	block_cache_join(f.cache, &other);
	cr_assert_null(touch(&f, 1));
	block_cache_leave(f.cache, &other);
	cr_expect_eq(stats(&f).bytes, SIZE);
	block_cache_leave(f.cache, &f.source);
	cr_expect_eq(stats(&f).bytes, 0);
	close_fake(&f);
}

static struct error *fill_all(void *arg, uint64_t index, uint8_t *buf, size_t size)
{
	(void)arg;
	memset(buf, (int)index, size);
	return NULL;
}

/* Pages of this process. */
static size_t resident(void)
{
	size_t all = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	cr_assert_not_null(f);
	cr_assert_eq(fscanf(f, "%zu %zu", &all, &pages), 2);
	fclose(f);
	return pages;
}

Test(block_cache, memory_of_long_blocks_is_given_back)
{
	enum { LIMIT = 64 << 20, STEP = 256 << 10, PAGE = 4096, ROUNDS = 1000 };
	struct fake f;
	size_t before = resident();

	open_fake(&f, LIMIT);
	f.source.fill = fill_all;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		const uint8_t *bytes;
		void *pin;

		cr_assert_null(block_cache_get(f.cache, &f.source, i, STEP * (1 + i * i % 31),
					       &bytes, &pin));
		block_cache_release(f.cache, pin);
	}
	cr_expect_leq(stats(&f).peak, LIMIT);
	cr_expect_leq(resident() - before, (LIMIT + LIMIT / 8) / PAGE);
	close_fake(&f);
}

static void *touch_all(void *arg)
{
	for (unsigned round = 0; round < 50; round++) {
		for (uint64_t i = 0; i < NUM; i++) {
			struct error *err = touch(arg, i);

			cr_assert((err != NULL) == (i == BAD));
			error_destroy(err);
		}
	}
	return NULL;
}

static void touch_on_threads(struct fake *f)
{
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, touch_all, f), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

Test(block_cache, threads_that_want_one_block_decode_it_once)
{
	struct fake f;

	open_fake(&f, 0);
	touch_on_threads(&f);
	for (size_t i = 0; i < NUM; i++)
		cr_expect_eq(f.fills[i], 1);
	close_fake(&f);
}

Test(block_cache, threads_share_little_room)
{
	struct fake f;

	open_fake(&f, 8 * SIZE);
	touch_on_threads(&f);
	cr_expect_leq(stats(&f).bytes, 8 * SIZE);
	/* each of four threads may pin one block and be at another */
	cr_expect_leq(stats(&f).peak, 16 * SIZE);
	close_fake(&f);
}

Test(block_cache, reads_ahead_of_one_who_reads_in_order)
{
	struct fake f;

	open_fake(&f, 0);
	f.source.size_of = size_of;
	block_cache_read_ahead(f.cache, 2);
	for (uint64_t i = 0; i < 3; i++)
		cr_assert_null(touch(&f, i));
	/* the whole of the source lies in the first window */
	while (!__atomic_load_n(&f.fills[NUM - 16], __ATOMIC_RELAXED))
		;
	for (uint64_t i = 0; i < NUM; i++)
		error_destroy(touch(&f, i));
	for (size_t i = 0; i < NUM; i++)
		cr_expect_eq(f.fills[i], 1);
	close_fake(&f);
}

Test(block_cache, does_not_read_ahead_of_one_who_jumps)
{
	struct fake f;

	open_fake(&f, 0);
	f.source.size_of = size_of;
	block_cache_read_ahead(f.cache, 4);
	for (uint64_t i = 0; i < NUM; i += 2)
		cr_assert_null(touch(&f, i));
	block_cache_leave(f.cache, &f.source);
	cr_expect_eq(stats(&f).ahead, 0);
	close_fake(&f);
}

Test(block_cache, a_source_may_leave_while_it_is_read_ahead)
{
	for (unsigned round = 0; round < 100; round++) {
		struct fake f;

		open_fake(&f, 0);
		f.source.size_of = size_of;
		block_cache_read_ahead(f.cache, 3);
		for (uint64_t i = 0; i < 3; i++)
			cr_assert_null(touch(&f, i));
		close_fake(&f);
	}
}
