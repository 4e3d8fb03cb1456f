/* SPDX-License-Identifier: MIT */
#include "container_case.h"

#include <signal.h>
#include <sys/resource.h>

enum { CONTENT = (3 << 19) + 1234 };

static uint8_t *content;

static void setup(void)
{
	content = malloc(CONTENT);
	cr_assert_not_null(content);
	pack_fill_memory(content, CONTENT, 1);
}

static void teardown(void)
{
	free(content);
}

TestSuite(containers, .init = setup, .fini = teardown);

/* All of it, in order and then in pieces from the end to the front. */
static void expect_content(const struct file *f, const uint8_t *bytes, size_t len, const char *name)
{
	static uint8_t piece[32 << 10];

	cr_assert_eq(f->size, len, "%s: %lu", name, f->size);
	for (size_t at = 0; at < len; at += sizeof(piece)) {
		size_t part = len - at < sizeof(piece) ? len - at : sizeof(piece);

		cr_assert_null(file_read(f, at, piece, part), "%s", name);
		cr_assert_arr_eq(piece, bytes + at, part, "%s at %zu", name, at);
	}
	for (size_t at = len; at > 4097; at -= 4097) {
		struct file_view v;

		cr_assert_null(file_view(f, at - 4097, 4097, &v), "%s", name);
		cr_assert_arr_eq(v.bytes, bytes + at - 4097, 4097, "%s at %zu", name, at);
		file_view_release(&v);
	}
}

Test(containers, hold_what_was_packed)
{
	for (size_t i = 0; i < ARRAY_SIZE(container_cases); i++) {
		const struct container_case *c = &container_cases[i];
		struct packed p = { 0 };
		struct unpacked u;

		c->pack(&p, content, CONTENT);
		cr_assert_null(unpack(&u, &p), "%s", c->name);
		expect_content(&u.file, content, CONTENT, c->name);
		cr_expect_eq(u.file.content == NULL, c->spools, "%s", c->name);
		cr_expect_eq(u.diag.notes > 0, c->spools || strstr(c->name, "flushed"), "%s",
			     c->name);
		cr_expect_eq(u.diag.partial, 0, "%s", c->name);
		cr_expect_str_eq(u.levels.name, c->container);
		cr_expect_eq(u.levels.packed_size, p.len);
		cr_expect(u.file.is_internal);
		unpacked_close(&u);
		packed_free(&p);
	}
}

Test(containers, one_byte_is_content)
{
	for (size_t i = 0; i < ARRAY_SIZE(container_cases); i++) {
		const struct container_case *c = &container_cases[i];
		struct packed p = { 0 };
		struct unpacked u;

		c->pack(&p, (const uint8_t *)"x", 1);
		cr_assert_null(unpack(&u, &p), "%s", c->name);
		expect_content(&u.file, (const uint8_t *)"x", 1, c->name);
		unpacked_close(&u);
		packed_free(&p);
	}
}

Test(containers, zeros_are_known_without_decoding)
{
	static const uint8_t zeros[2 << 20];
	static pack_fn *const packs[] = { pack_gzip, pack_lz4, pack_lz4_size, pack_bzip2 };

	for (size_t i = 0; i < ARRAY_SIZE(packs); i++) {
		struct packed p = { 0 };
		struct unpacked u;
		uint64_t start, end;

		packs[i](&p, zeros, sizeof(zeros));
		cr_assert_null(unpack(&u, &p));
		cr_expect_eq(u.file.size, sizeof(zeros));
		cr_expect_not(file_next_data(&u.file, 0, &start, &end), "case %zu", i);
		unpacked_close(&u);
		packed_free(&p);
	}
}

/* Little memory: blocks and indexes that do not fit are spooled, what fits stays in it. */
Test(containers, memory_is_bounded)
{
	static const uint64_t sizes[] = { 256 << 10, 2 << 20 };

	for (size_t i = 0; i < ARRAY_SIZE(container_cases) * ARRAY_SIZE(sizes); i++) {
		const struct container_case *c = &container_cases[i / ARRAY_SIZE(sizes)];
		uint64_t max = sizes[i % ARRAY_SIZE(sizes)];
		struct packed p = { 0 };
		struct block_cache_stats stats;
		struct unpacked u;
		struct error *err;

		c->pack(&p, content, CONTENT);
		err = unpack_given(&u, p.bytes, p.len, max, NULL);
		if (err) {
			expect_error(err, ERROR_LIMIT, "--max-memory");
		} else {
			expect_content(&u.file, content, CONTENT, c->name);
			block_cache_stats(u.cache, &stats);
			cr_expect_leq(stats.peak, max, "%s: %lu", c->name, stats.peak);
			unpacked_close(&u);
		}
		packed_free(&p);
	}
}

/* What nobody can compress has windows as large as they get. */
Test(containers, gzip_index_grows_coarser_rather_than_large)
{
	enum { NOISE = 24 << 20, MEMORY = 16 << 20 };
	uint8_t *noise = malloc(NOISE);
	struct packed p = { 0 };
	struct block_cache_stats stats;
	struct unpacked u;
	uint64_t x = 88172645463325252u;

	cr_assert_not_null(noise);
	for (size_t at = 0; at < NOISE; at += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(noise + at, &x, 8);
	}
	pack_gzip(&p, noise, NOISE);
	cr_assert_null(unpack_given(&u, p.bytes, p.len, MEMORY, NULL));
	block_cache_stats(u.cache, &stats);
	cr_expect_leq(stats.reserved, MEMORY / 3);
	cr_expect_not_null(u.file.content, "not spooled");
	expect_content(&u.file, noise, NOISE, "noise");
	block_cache_stats(u.cache, &stats);
	cr_expect_leq(stats.peak, MEMORY);
	unpacked_close(&u);
	packed_free(&p);
	free(noise);
}

Test(containers, bombs_are_refused)
{
	enum { BOMB = 16 << 20, LIMIT = 1 << 20 };
	uint8_t *zeros = calloc(1, BOMB);
	const struct container_options options = { .max_unpacked = LIMIT };

	cr_assert_not_null(zeros);
	for (size_t i = 0; i < ARRAY_SIZE(container_cases); i++) {
		struct packed p = { 0 };
		struct unpacked u;

		container_cases[i].pack(&p, zeros, BOMB);
		expect_error(unpack_given(&u, p.bytes, p.len, 0, &options), ERROR_LIMIT,
			     "--max-unpacked");
		packed_free(&p);
	}
	free(zeros);
}

Test(containers, nest_twice_and_no_deeper)
{
	struct packed levels[3] = { { 0 } };
	struct unpacked u;

	pack_lz4(&levels[0], content, CONTENT);
	pack_gzip(&levels[1], levels[0].bytes, levels[0].len);
	pack_xz_blocks(&levels[2], levels[1].bytes, levels[1].len);
	cr_assert_null(unpack(&u, &levels[1]));
	expect_content(&u.file, content, CONTENT, "lz4 in gzip");
	cr_expect_str_eq(u.levels.name, "lz4 in gzip");
	unpacked_close(&u);
	expect_error(unpack(&u, &levels[2]), ERROR_UNSUPPORTED, "lz4 in gzip in xz");
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		packed_free(&levels[i]);
}

/* Each container in each other, which it then reads by views. */
Test(containers, lie_in_each_other)
{
	enum { LEN = 600 << 10 };

	for (size_t i = 0; i < ARRAY_SIZE(container_cases); i++) {
		struct packed inner = { 0 };

		container_cases[i].pack(&inner, content, LEN);
		for (size_t k = 0; k < ARRAY_SIZE(container_cases); k++) {
			struct packed outer = { 0 };
			struct unpacked u;

			container_cases[k].pack(&outer, inner.bytes, inner.len);
			cr_assert_null(unpack(&u, &outer), "%s in %s", container_cases[i].name,
				       container_cases[k].name);
			expect_content(&u.file, content, LEN, container_cases[i].name);
			cr_expect_eq(u.diag.partial, 0);
			unpacked_close(&u);
			packed_free(&outer);
		}
		packed_free(&inner);
	}
}

Test(containers, other_files_stay_as_they_are)
{
	static const char *const files[] = { "EMiL", "\x1f\x8b\x08", "", "BZh9 is no stream",
					     "PK\5\6" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct unpacked u;

		cr_assert_null(unpack_given(&u, files[i], strlen(files[i]), 0, NULL));
		cr_expect_eq(u.levels.count, 0);
		cr_expect_str_empty(u.levels.name);
		cr_expect_null(u.file.content);
		cr_expect_eq(u.file.size, strlen(files[i]));
		unpacked_close(&u);
	}
}

/* The first bytes of a container, with memory behind them. */
Test(containers, memory_that_begins_like_one_is_none)
{
	static const struct {
		const char *bytes;
		size_t len;
	} heads[] = {
		{ "\x1f\x8b\x08\0", 4 },
		{ "\x1f\x8b\x08\x04", 4 },
		{ "\x1f\x8b\x08\x08", 4 },
		{ "\xfd"
		  "7zXZ\0",
		  6 },
		{ "\x28\xb5\x2f\xfd", 4 },
		{ "\x04\x22\x4d\x18\x64\x40", 6 },
		{ "\x02\x21\x4c\x18\xff\xff", 6 },
		{ "PK\3\4\xff", 5 },
		{ "HPAK", 4 },
		{ "ZDMP", 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		uint8_t *memory = malloc(CONTENT);
		struct unpacked u;

		cr_assert_not_null(memory);
		/* noise: what decodes by chance does not go far */
		for (size_t k = 0; k < CONTENT; k++)
			memory[k] = (uint8_t)((k + 1) * (k + 7) * UINT32_C(2654435761) >> 23);
		memcpy(memory, heads[i].bytes, heads[i].len);
		cr_assert_null(unpack_given(&u, memory, CONTENT, 0, NULL), "head %zu", i);
		cr_expect_eq(u.levels.count, 0, "head %zu", i);
		cr_expect_eq(u.file.size, CONTENT);
		cr_expect_eq(u.diag.partial, 1, "head %zu", i);
		unpacked_close(&u);
		free(memory);
	}
}

Test(containers, stand_as_they_are_where_that_is_asked_for)
{
	static const struct container_options options = { .as_it_stands = true };

	for (size_t i = 0; i < ARRAY_SIZE(container_cases); i++) {
		const struct container_case *c = &container_cases[i];
		struct packed p = { 0 };
		struct unpacked u;

		c->pack(&p, content, CONTENT);
		cr_assert_null(unpack_given(&u, p.bytes, p.len, 0, &options), "%s", c->name);
		cr_expect_eq(u.levels.count, 0, "%s", c->name);
		cr_expect_eq(u.file.size, p.len, "%s", c->name);
		cr_expect_eq(u.diag.notes, 1, "%s", c->name);
		cr_expect_eq(u.diag.partial, 0, "%s", c->name);
		unpacked_close(&u);
		packed_free(&p);
	}
}

Test(containers, that_hold_nothing_say_so)
{
	struct packed p = { 0 };
	struct unpacked u;

	pack_gzip(&p, content, 0);
	expect_error(unpack(&u, &p), ERROR_CORRUPT, "nothing in it");
	packed_free(&p);
}

/* The temporary file may not be larger than this process may write. */
Test(containers, no_room_for_a_temporary_file)
{
	const struct rlimit limit = { 1 << 20, 1 << 20 };
	struct packed p = { 0 };
	struct unpacked u;

	pack_bzip2(&p, content, CONTENT);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect_error(unpack(&u, &p), ERROR_OS, "temporary file in");
	packed_free(&p);
}
