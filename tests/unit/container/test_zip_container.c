/* SPDX-License-Identifier: MIT */
#include "container_case.h"

#include "base/cursor.h"

enum { CONTENT = 300 << 10 };

static uint8_t *content;

static void setup(void)
{
	content = malloc(CONTENT);
	cr_assert_not_null(content);
	pack_fill_memory(content, CONTENT, 3);
}

static void teardown(void)
{
	free(content);
}

TestSuite(zip_container, .init = setup, .fini = teardown);

static struct error *unpack_zip(struct unpacked *u, const struct pack_member *members, size_t count,
				const char *member)
{
	const struct container_options options = { .member = member };
	struct packed p = { 0 };
	struct error *err;

	pack_zip(&p, members, count);
	err = unpack_given(u, p.bytes, p.len, 0, &options);
	packed_free(&p);
	return err;
}

static void expect_content(struct unpacked *u, size_t len, uint64_t partial)
{
	uint8_t *out = malloc(len);

	cr_assert_not_null(out);
	cr_expect_str_eq(u->levels.name, "zip");
	cr_assert_eq(u->file.size, len);
	cr_assert_null(file_read(&u->file, 0, out, len));
	cr_expect_arr_eq(out, content, len);
	cr_expect_eq(u->diag.partial, partial);
	unpacked_close(u);
	free(out);
}

Test(zip_container, reads_every_method_that_another_container_knows)
{
	static const struct {
		uint16_t method;
		pack_fn *pack;
	} methods[] = {
		{ 12, pack_bzip2 }, { 93, pack_zstd }, { 93, pack_zstd_frames }, { 95, pack_xz }
	};
	struct pack_member m = { "mem.raw", 0, content, CONTENT, 0 };
	struct unpacked u;

	cr_assert_null(unpack_zip(&u, &m, 1, NULL));
	expect_content(&u, CONTENT, 0);
	m.method = 8;
	cr_assert_null(unpack_zip(&u, &m, 1, NULL));
	expect_content(&u, CONTENT, 0);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct packed p = { 0 };

		methods[i].pack(&p, content, CONTENT);
		m = (struct pack_member){ "mem.raw", methods[i].method, p.bytes, p.len, CONTENT };
		cr_assert_null(unpack_zip(&u, &m, 1, NULL), "method %u", m.method);
		expect_content(&u, CONTENT, 0);
		packed_free(&p);
	}
}

Test(zip_container, names_methods_that_it_does_not_read)
{
	struct pack_member m = { "mem.raw", 9, content, CONTENT, 0 };
	struct unpacked u;

	expect_error(unpack_zip(&u, &m, 1, NULL), ERROR_UNSUPPORTED, "deflate64");
	m.method = 14;
	expect_error(unpack_zip(&u, &m, 1, NULL), ERROR_UNSUPPORTED, "lzma");
}

Test(zip_container, takes_the_only_member_that_can_be_meant)
{
	const struct pack_member members[] = {
		{ "case/", 0, content, 0, 0 },
		{ "case/notes.txt", 8, content, 100, 0 },
		{ "case/mem.raw", 8, content, CONTENT, 0 },
		{ "other.raw", 0, content, CONTENT - 1, 0 },
	};
	struct unpacked u;

	cr_assert_null(unpack_zip(&u, members, 2, NULL));
	expect_content(&u, 100, 0);
	cr_assert_null(unpack_zip(&u, members, 3, NULL));
	expect_content(&u, CONTENT, 0);
	expect_error(unpack_zip(&u, members, 4, NULL), ERROR_USAGE, "'case/mem.raw', 'other.raw'");
	cr_assert_null(unpack_zip(&u, members, 4, "other.raw"));
	expect_content(&u, CONTENT - 1, 0);
	expect_error(unpack_zip(&u, members, 4, "third"), ERROR_USAGE, "no member 'third'");
	expect_error(unpack_zip(&u, members, 1, NULL), ERROR_UNSUPPORTED, "no member");
}

Test(zip_container, only_an_archive_has_members)
{
	const struct container_options options = { .member = "a" };
	struct packed p = { 0 };
	struct unpacked u;

	pack_gzip(&p, content, CONTENT);
	expect_error(unpack_given(&u, p.bytes, p.len, 0, &options), ERROR_USAGE, "no archive");
	packed_free(&p);
}

Test(zip_container, leaves_aff4_volumes_to_their_format)
{
	const struct pack_member members[] = {
		{ "container.description", 0, content, 10, 0 },
		{ "information.turtle", 8, content, 1000, 0 },
	};
	struct unpacked u;

	cr_assert_null(unpack_zip(&u, members, 2, NULL));
	cr_expect_eq(u.levels.count, 0);
	unpacked_close(&u);
}

Test(zip_container, without_its_end_the_first_member_is_read)
{
	static const uint16_t methods[] = { 0, 8 };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		const struct pack_member m = { "mem.raw", methods[i], content, CONTENT, 0 };
		struct packed p = { 0 };
		struct unpacked u;
		uint8_t *out;

		pack_zip(&p, &m, 1);
		cr_assert_null(unpack_given(&u, p.bytes, p.len - 22, 0, NULL));
		expect_content(&u, CONTENT, 1);
		cr_assert_null(unpack_given(&u, p.bytes, p.len / 2, 0, NULL));
		cr_expect_gt(u.file.size, CONTENT / 4);
		cr_expect_lt(u.file.size, CONTENT);
		out = malloc(u.file.size);
		cr_assert_not_null(out);
		cr_expect_null(file_read(&u.file, 0, out, u.file.size));
		cr_expect_arr_eq(out, content, u.file.size);
		cr_expect_gt(u.diag.partial, 0);
		free(out);
		unpacked_close(&u);
		packed_free(&p);
	}
}

Test(zip_container, sizes_and_checksums_that_lie_are_said)
{
	static const size_t fields[] = { 16, 24 }; /* of the directory: CRC-32, size */

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct pack_member m = { "mem.raw", 8, content, CONTENT, 0 };
		struct packed p = { 0 };
		struct unpacked u;

		pack_zip(&p, &m, 1);
		p.bytes[p.len - 22 - 46 - strlen(m.name) + fields[i]] ^= 1;
		cr_assert_null(unpack(&u, &p));
		expect_content(&u, CONTENT, 1);
		packed_free(&p);
	}
}

Test(zip_container, a_claim_beyond_the_limit_is_refused)
{
	const struct pack_member m = { "mem.raw", 8, content, CONTENT, 0xf0000000 };
	const struct container_options options = { .max_unpacked = 1 << 30 };
	struct packed p = { 0 };
	struct unpacked u;

	pack_zip(&p, &m, 1);
	expect_error(unpack_given(&u, p.bytes, p.len, 0, &options), ERROR_LIMIT, "--max-unpacked");
	packed_free(&p);
}
