/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "container/file_part.h"
#include "container/zip.h"
#include "tests/memfile.h"
#include "zip_builder.h"

static struct built_zip built;
static struct file file;
static struct block_cache *cache;
static struct diag diag;
static struct zip *zip;

static struct error *open_bytes(const void *bytes, size_t len, uint64_t max_memory)
{
	struct error *err;

	memfile_open(&file, bytes, len);
	cr_assert_null(block_cache_create(max_memory, &cache));
	diag_init(&diag, NULL, NULL);
	zip = NULL;
	err = zip_open(&file, cache, &diag, &zip);
	cr_assert(!err == !!zip);
	return err;
}

static void close_all(void)
{
	zip_close(zip);
	file_close(&file);
	block_cache_destroy(cache);
}

static struct error *open_built(const struct built_member *members, size_t count, bool zip64)
{
	built.len = 0;
	built_zip_make(&built, members, count, zip64, "");
	return open_bytes(built.bytes, built.len, 0);
}

static void expect(struct error *err, enum error_code code, const char *text)
{
	cr_assert_not_null(err, "%s", text);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), text), "%s", error_message(err));
	error_destroy(err);
}

static const char text[] = "text that is packed, text that is packed, text that is packed";
static const struct built_member two[] = {
	STORED("stored.bin", "0123456789", 10),
	{ "folder/packed.txt", text, sizeof(text), .method = 8 },
};

static void check_two(void)
{
	const struct zip_member *m;
	const uint8_t *bytes;
	uint64_t offset;

	cr_assert_eq(zip_num_members(zip), 2);
	cr_expect_eq(diag.partial, 0);
	m = zip_find(zip, "stored.bin");
	cr_assert_eq(m, zip_member(zip, 0));
	cr_expect_eq(m->size, 10);
	cr_assert_null(zip_locate(zip, m, &offset));
	cr_expect(!memcmp(file.bytes + offset, "0123456789", 10));
	cr_assert_null(zip_read(zip, m, 10, &bytes));
	cr_expect_eq(bytes, file.bytes + offset, "no copy");
	m = zip_find(zip, "folder/packed.txt");
	cr_assert_eq(m, zip_member(zip, 1));
	cr_assert_null(zip_read(zip, m, sizeof(text), &bytes));
	cr_expect_str_eq((const char *)bytes, text);
	cr_expect_null(zip_find(zip, "folder"));
	cr_expect_null(zip_find(zip, "zzz"));
	cr_expect_null(zip_find(zip, ""));
}

Test(zip, members_by_name)
{
	cr_assert_null(open_built(two, 2, false));
	check_two();
	close_all();
}

Test(zip, zip64_sizes_and_offsets)
{
	struct built_member members[] = { two[0], two[1] };

	members[0].zip64 = members[1].zip64 = true;
	cr_assert_null(open_built(members, 2, true));
	check_two();
	close_all();
}

Test(zip, bytes_before_the_archive)
{
	for (int zip64 = 0; zip64 < 2; zip64++) {
		memset(built.bytes, 'M', 1000);
		built.len = 1000;
		built_zip_make(&built, two, 2, zip64, "a comment");
		cr_assert_null(open_bytes(built.bytes, built.len, 0));
		check_two();
		close_all();
	}
}

Test(zip, comment_and_bytes_after_the_archive)
{
	const char *comment;
	size_t len;

	for (size_t extra = 0; extra < 3; extra++) {
		built.len = 0;
		built_zip_make(&built, two, 2, false, "aff4://volume");
		built.len += extra;
		cr_assert_null(open_bytes(built.bytes, built.len, 0));
		comment = zip_comment(zip, &len);
		cr_expect_eq(len, 13);
		cr_expect(!memcmp(comment, "aff4://volume", 13));
		check_two();
		close_all();
	}
}

Test(zip, the_last_of_one_name_counts)
{
	const struct built_member members[] = {
		STORED("a", "1", 1), STORED("ab", "2", 1), STORED("a", "3", 1),
		STORED("b", "4", 1), STORED("a", "5", 1),
	};
	size_t first;

	cr_assert_null(open_built(members, 5, false));
	cr_expect_eq(zip_find(zip, "a"), zip_member(zip, 4));
	cr_expect_eq(zip_find_prefix(zip, "a", &first), 4);
	cr_expect_eq(first, 0);
	cr_expect_eq(zip_find_prefix(zip, "ab", &first), 1);
	cr_expect_eq(zip_member_by_name(zip, first), zip_member(zip, 1));
	cr_expect_eq(zip_find_prefix(zip, "c", &first), 0);
	cr_expect_eq(zip_find_prefix(zip, "", &first), 5);
	close_all();
}

Test(zip, an_empty_archive)
{
	cr_assert_null(open_built(NULL, 0, false));
	cr_expect_eq(zip_num_members(zip), 0);
	cr_expect_eq(diag.partial, 0);
	close_all();
}

Test(zip, stored_members_are_files)
{
	const struct built_member members[] = { STORED("x", NULL, 0),
						STORED("y", "hello world", 11) };
	struct file part;
	struct file_view v;
	uint64_t start, end;

	cr_assert_null(open_built(members, 2, false));
	cr_assert_null(zip_open_stored(zip, zip_find(zip, "y"), "y", &part));
	cr_expect_eq(part.size, 11);
	cr_assert_null(file_view(&part, 6, 5, &v));
	cr_expect(!memcmp(v.bytes, "world", 5));
	file_view_release(&v);
	cr_assert(file_next_data(&part, 3, &start, &end));
	cr_expect_eq(start, 3);
	cr_expect_eq(end, 11);
	file_close(&part);
	cr_assert_null(zip_open_stored(zip, zip_find(zip, "x"), "x", &part));
	cr_expect_eq(part.size, 0);
	file_close(&part);
	close_all();
}

Test(zip, what_cannot_be_read_is_named)
{
	const struct built_member members[] = {
		{ "secret", "12345", 5, .flags = 1 },
		{ "lzma", "12345", 5, .method = 14 },
		{ "packed", text, sizeof(text), .method = 8 },
	};
	const uint8_t *bytes;
	uint64_t offset;
	struct file part;

	cr_assert_null(open_built(members, 3, false));
	expect(zip_locate(zip, zip_member(zip, 0), &offset), ERROR_UNSUPPORTED,
	       "zip member 'secret': encrypted");
	expect(zip_read(zip, zip_member(zip, 1), 100, &bytes), ERROR_UNSUPPORTED, "14 (lzma)");
	expect(zip_open_stored(zip, zip_member(zip, 2), "p", &part), ERROR_UNSUPPORTED, "deflate");
	expect(zip_read(zip, zip_member(zip, 2), 10, &bytes), ERROR_LIMIT, "expected at most 10");
	close_all();
}

Test(zip, several_disks_are_refused)
{
	built.len = 0;
	built_zip_make(&built, two, 2, false, "");
	store_u16(built.bytes + built.end + 4, 2);
	expect(open_bytes(built.bytes, built.len, 0), ERROR_UNSUPPORTED, "several disks");
	close_all();
	store_u16(built.bytes + built.end + 4, 0);
	store_u16(built.bytes + built.end + 8, 1);
	expect(open_bytes(built.bytes, built.len, 0), ERROR_UNSUPPORTED, "several disks");
	close_all();
	built.len = 0;
	built_zip_make(&built, two, 2, true, "");
	store_u32(built.bytes + built.end + 56 + 16, 3);
	expect(open_bytes(built.bytes, built.len, 0), ERROR_UNSUPPORTED, "on 3 disks");
	close_all();
}

Test(zip, a_count_that_lies_is_said)
{
	static const uint16_t counts[] = { 0, 1, 3, 0xffff };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		built.len = 0;
		built_zip_make(&built, two, 2, false, "");
		store_u16(built.bytes + built.end + 8, counts[i]);
		store_u16(built.bytes + built.end + 10, counts[i]);
		cr_assert_null(open_bytes(built.bytes, built.len, 0));
		cr_expect_eq(zip_num_members(zip), 2);
		cr_expect_eq(diag.partial, 1);
		close_all();
	}
}

Test(zip, a_directory_out_of_place_is_refused)
{
	built.len = 0;
	built_zip_make(&built, two, 2, false, "");
	store_u32(built.bytes + built.end + 16, 0x7fffffff);
	expect(open_bytes(built.bytes, built.len, 0), ERROR_CORRUPT, "zip directory");
	close_all();
	store_u32(built.bytes + built.end + 16, 0);
	store_u32(built.bytes + built.end + 12, 0xfffffff0);
	expect(open_bytes(built.bytes, built.len, 0), ERROR_CORRUPT, "zip directory");
	close_all();
}

Test(zip, members_that_share_bytes_are_left_alone)
{
	const struct built_member members[] = {
		STORED("a", "0123456789", 10),
		{ "b", "0123456789", 10, .shift = -5 },
		STORED("c", "0123456789", 10),
		{ "a", "0123456789", 10, .shift = -3 * (30 + 1 + 3 + 10) },
	};
	uint64_t offset;

	cr_assert_null(open_built(members, 4, false));
	cr_expect_eq(diag.partial, 1);
	expect(zip_locate(zip, zip_member(zip, 0), &offset), ERROR_CORRUPT, "another member");
	expect(zip_locate(zip, zip_member(zip, 1), &offset), ERROR_CORRUPT, "another member");
	cr_expect_null(zip_locate(zip, zip_member(zip, 2), &offset));
	expect(zip_locate(zip, zip_member(zip, 3), &offset), ERROR_CORRUPT, "another member");
	close_all();
}

Test(zip, a_length_past_the_directory_costs_no_other_member)
{
	enum { ENTRY_COMPRESSED_SIZE = 20 };
	const struct built_member members[] = {
		STORED("a", "0123456789", 10),
		STORED("b", "0123456789", 10),
		STORED("c", "0123456789", 10),
	};
	uint64_t offset;

	built.len = 0;
	built_zip_make(&built, members, 3, false, "");
	store_u32(built.bytes + built.directory + ENTRY_COMPRESSED_SIZE, 1 << 30 | 10);
	cr_assert_null(open_bytes(built.bytes, built.len, 0));
	expect(zip_locate(zip, zip_member(zip, 0), &offset), ERROR_CORRUPT, "before the directory");
	cr_expect_null(zip_locate(zip, zip_member(zip, 1), &offset));
	cr_expect_null(zip_locate(zip, zip_member(zip, 2), &offset));
	close_all();
}

Test(zip, local_headers_that_contradict)
{
	const struct built_member members[] = {
		{ "name", "1", 1, .local_name = "eman" },
		{ "name2", "1", 1, .local_name = "longer name" },
		{ "past", "1", 1, .shift = 100000 },
		{ "nowhere", "1", 1, .zip64 = true, .shift = INT64_MIN },
		STORED("fine", "1", 1),
	};
	uint64_t offset;

	cr_assert_null(open_built(members, 5, false));
	expect(zip_locate(zip, zip_member(zip, 0), &offset), ERROR_CORRUPT, "another name");
	expect(zip_locate(zip, zip_member(zip, 1), &offset), ERROR_CORRUPT, "a name of 5 bytes");
	expect(zip_locate(zip, zip_member(zip, 2), &offset), ERROR_CORRUPT, "before the directory");
	expect(zip_locate(zip, zip_member(zip, 3), &offset), ERROR_CORRUPT, "before the directory");
	cr_expect_null(zip_locate(zip, zip_member(zip, 4), &offset));
	close_all();
}

/* Stored bytes are given as they are, from the mapping or a copy; their CRC is the caller's. */
Test(zip, a_stored_member_is_checked_on_its_own)
{
	const struct built_member members[] = {
		STORED("fine", "12345", 5),
		{ "changed", "12345", 5, .bad_crc = true },
	};
	const uint8_t *bytes;
	struct file whole;

	cr_assert_null(open_built(members, 2, false));
	cr_assert_null(zip_read(zip, zip_member(zip, 0), 5, &bytes));
	cr_expect_null(zip_check(zip_member(zip, 0), bytes));
	cr_assert_null(zip_read(zip, zip_member(zip, 1), 5, &bytes));
	expect(zip_check(zip_member(zip, 1), bytes), ERROR_CORRUPT, "'changed': expected CRC");
	close_all();
	memfile_open(&whole, built.bytes, built.len);
	cr_assert_null(block_cache_create(0, &cache));
	cr_assert_null(file_part_open(&whole, 0, whole.size, "part", cache, &file));
	cr_assert_null(zip_open(&file, cache, &diag, &zip));
	cr_assert_null(zip_read(zip, zip_member(zip, 1), 5, &bytes));
	expect(zip_check(zip_member(zip, 1), bytes), ERROR_CORRUPT, "'changed': expected CRC");
	close_all();
	file_close(&whole);
}

Test(zip, packed_members_that_lie)
{
	const struct built_member members[] = {
		{ "crc", text, sizeof(text), .method = 8, .bad_crc = true },
		{ "long", text, sizeof(text), .method = 8, .claimed_size = sizeof(text) + 1 },
		{ "short", text, sizeof(text), .method = 8, .claimed_size = 7 },
		{ "bomb", text, sizeof(text), .method = 8, .zip64 = true,
		  .claimed_size = UINT64_C(1) << 60 },
		{ "stored", "12345", 5, .claimed_size = 6 },
	};
	const uint8_t *bytes;

	cr_assert_null(open_built(members, 5, true));
	expect(zip_read(zip, zip_member(zip, 0), 1000, &bytes), ERROR_CORRUPT, "expected CRC");
	expect(zip_read(zip, zip_member(zip, 1), 1000, &bytes), ERROR_CORRUPT, "'long'");
	expect(zip_read(zip, zip_member(zip, 2), 1000, &bytes), ERROR_CORRUPT, "'short'");
	expect(zip_read(zip, zip_member(zip, 3), UINT64_MAX, &bytes), ERROR_CORRUPT, "cannot be");
	expect(zip_read(zip, zip_member(zip, 4), 1000, &bytes), ERROR_CORRUPT, "equal sizes");
	close_all();
}

Test(zip, decoded_members_come_off_the_memory)
{
	static uint8_t zeros[100 << 10];
	const struct built_member members[] = { { "zeros", zeros, sizeof(zeros), .method = 8 } };
	const uint8_t *bytes;

	built.len = 0;
	built_zip_make(&built, members, 1, false, "");
	cr_assert_null(open_bytes(built.bytes, built.len, sizeof(zeros) + 1000));
	cr_assert_null(zip_read(zip, zip_member(zip, 0), sizeof(zeros), &bytes));
	expect(zip_read(zip, zip_member(zip, 0), sizeof(zeros), &bytes), ERROR_LIMIT,
	       "--max-memory");
	close_all();
}

/* Of a file without a mapping a copy is decoded: that too comes off the memory. */
Test(zip, packed_bytes_come_off_the_memory)
{
	enum { SIZE = 100 << 10, TAIL = 64 << 10 };
	static uint8_t noise[SIZE];
	const struct built_member members[] = { { "noise", noise, SIZE, .method = 8 } };
	struct file whole;
	const uint8_t *bytes;
	uint32_t seed = 1;

	for (size_t i = 0; i < SIZE; i++)
		noise[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
	built.len = 0;
	built_zip_make(&built, members, 1, false, "");
	for (unsigned fits = 0; fits < 2; fits++) {
		memfile_open(&whole, built.bytes, built.len);
		cr_assert_null(block_cache_create(SIZE + 2 * TAIL + fits * SIZE, &cache));
		cr_assert_null(file_part_open(&whole, 0, whole.size, "part", cache, &file));
		diag_init(&diag, NULL, NULL);
		cr_assert_null(zip_open(&file, cache, &diag, &zip));
		if (fits)
			cr_expect_null(zip_read(zip, zip_member(zip, 0), SIZE, &bytes));
		else
			expect(zip_read(zip, zip_member(zip, 0), SIZE, &bytes), ERROR_LIMIT,
			       "'noise'");
		close_all();
		file_close(&whole);
	}
}

Test(zip, a_directory_that_is_too_much_is_refused)
{
	static struct built_member members[64];

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		members[i] = (struct built_member)STORED("n", "1", 1);
	built.len = 0;
	built_zip_make(&built, members, ARRAY_SIZE(members), false, "");
	expect(open_bytes(built.bytes, built.len, 1000), ERROR_LIMIT, "--max-memory");
	close_all();
}

/* Whatever is said of the members of an archive that is damaged: nothing worse happens. */
static void try_all(void)
{
	const uint8_t *bytes;

	for (size_t i = 0; i < zip_num_members(zip); i++)
		error_destroy(zip_read(zip, zip_member(zip, i), 1 << 20, &bytes));
}

Test(zip, cut_at_every_length)
{
	for (int zip64 = 0; zip64 < 2; zip64++) {
		built.len = 0;
		built_zip_make(&built, two, 2, zip64, "");
		for (size_t len = 1; len < built.len; len++) {
			struct error *err = open_bytes(built.bytes, len, 0);

			cr_expect_not_null(err, "length %zu", len);
			error_destroy(err);
			close_all();
		}
	}
}

Test(zip, every_byte_wrong)
{
	static uint8_t copy[4096];

	for (int zip64 = 0; zip64 < 2; zip64++) {
		built.len = 0;
		built_zip_make(&built, two, 2, zip64, "c");
		for (size_t at = 0; at < built.len; at++) {
			struct error *err;

			memcpy(copy, built.bytes, built.len);
			copy[at] ^= 0xff;
			err = open_bytes(copy, built.len, 0);
			if (!err)
				try_all();
			error_destroy(err);
			close_all();
		}
	}
}
