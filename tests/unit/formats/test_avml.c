/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <snappy-c.h>

#include "base/cursor.h"
#include "capture_check.h"

enum { CHUNK = 1 << 16, STORED = 1, COMPRESSED = 0 };

static struct capture c;
static size_t stream; /* where the range's stream begins */

static void add_header(uint64_t start, uint64_t len)
{
	uint8_t *p = capture_add(&c, 32);

	memcpy(p, "AVML", 4);
	store_u32(p + 4, 2);
	store_u64(p + 8, start);
	store_u64(p + 16, start + len - 1);
	stream = c.size;
}

/* Bit by bit, by the definition. */
static uint32_t masked_sum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		sum ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78 : 0);
	}
	sum = ~sum;
	return (sum >> 15 | sum << 17) + 0xa282ead8;
}

static size_t add_chunk(uint8_t kind, const void *bytes, size_t len)
{
	size_t at = c.size;

	store_u32(capture_add(&c, 4), (uint32_t)len << 8 | kind);
	capture_put(&c, bytes, len);
	return at;
}

static void add_identifier(void)
{
	add_chunk(0xff, "sNaPpY", 6);
}

/* A data chunk of bytes of one value but for the last one, which is 0xee. */
static size_t add_data(uint8_t kind, int value, size_t len)
{
	static uint8_t data[CHUNK], packed[4 + 2 * CHUNK];
	size_t packed_len = len;

	memset(data, value, len);
	data[len - 1] = 0xee;
	store_u32(packed, masked_sum(data, len));
	if (kind == STORED) {
		memcpy(packed + 4, data, len);
	} else {
		packed_len = sizeof(packed) - 4;
		cr_assert_eq(snappy_compress((char *)data, len, (char *)packed + 4, &packed_len),
			     SNAPPY_OK);
	}
	return add_chunk(kind, packed, 4 + packed_len);
}

static void add_trailer(void)
{
	uint64_t len = c.size - stream;

	store_u64(capture_add(&c, 8), len);
}

/* One and a half chunks at 1 MiB. */
static void build(void)
{
	add_header(0x100000, 0x18000);
	add_identifier();
	add_data(COMPRESSED, 0x11, CHUNK);
	add_data(COMPRESSED, 0x12, CHUNK / 2);
	add_trailer();
}

static void add_page(uint64_t pa, int value)
{
	add_header(pa, 0x1000);
	add_identifier();
	add_data(COMPRESSED, value, 0x1000);
	add_trailer();
}

static void done(void)
{
	capture_deinit(&c);
}

TestSuite(avml, .init = build, .fini = done);

Test(avml, chunks_are_memory)
{
	add_page(0x400000, 0x22);
	capture_open_ok(&c);
	cr_expect_str_eq(c.snapshot->format->name, "avml");
	cr_expect_str_eq(c.snapshot->info.format, "avml");
	capture_expect_absent(&c, 0xfffff);
	capture_expect_byte(&c, 0x100000, 0x11);
	capture_expect_byte(&c, 0x10ffff, 0xee);
	capture_expect_byte(&c, 0x110000, 0x12);
	capture_expect_byte(&c, 0x117fff, 0xee);
	capture_expect_absent(&c, 0x118000);
	capture_expect_byte(&c, 0x400000, 0x22);
	capture_expect_byte(&c, 0x400fff, 0xee);
	cr_expect_eq(c.diag.partial + c.diag.notes, 0, "%s", c.said);
}

Test(avml, chunks_of_any_kind_and_length)
{
	c.size = 0;
	add_header(0x1000, 0x2000);
	add_identifier();
	add_chunk(0xfe, "padding", 7);
	add_data(STORED, 1, 1);
	add_chunk(0x80, "may be skipped", 14);
	add_chunk(0xfe, "", 0);
	add_data(COMPRESSED, 2, 0xffe);
	add_identifier(); /* streams may be put one after another */
	add_data(STORED, 3, 0x1001);
	add_trailer();
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x1000, 0xee);
	capture_expect_byte(&c, 0x1001, 2);
	capture_expect_byte(&c, 0x1ffe, 0xee);
	capture_expect_byte(&c, 0x1fff, 3);
	capture_expect_byte(&c, 0x2fff, 0xee);
	cr_expect_eq(c.diag.partial + c.diag.notes, 0, "%s", c.said);
}

Test(avml, where_ranges_overlap_the_first_one_counts)
{
	add_page(0x117000, 0x33);
	add_page(0x118000, 0x44);
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x117000, 0x12);
	capture_expect_byte(&c, 0x118000, 0x44);
}

Test(avml, a_wrong_sum_costs_its_chunk_alone)
{
	size_t damaged;

	add_header(0x400000, 0x30000);
	add_identifier();
	add_data(COMPRESSED, 1, CHUNK);
	damaged = add_data(COMPRESSED, 2, CHUNK);
	add_data(COMPRESSED, 3, CHUNK);
	add_trailer();
	c.bytes[damaged + 4] ^= 1;
	capture_open_ok(&c);
	cr_expect_eq(c.diag.partial, 0);
	capture_expect_byte(&c, 0x40ffff, 0xee);
	capture_expect_damage(&c, 0x410000, "expected the masked CRC-32C 0x");
	capture_expect_damage(&c, 0x41f000, "snappy chunk at file offset 0x");
	capture_expect_byte(&c, 0x420000, 3);
}

Test(avml, data_that_is_no_snappy_costs_its_chunk_alone)
{
	size_t damaged;

	add_header(0x400000, 0x11000);
	add_identifier();
	damaged = add_data(COMPRESSED, 1, CHUNK);
	add_data(COMPRESSED, 3, 0x1000);
	add_trailer();
	memset(c.bytes + damaged + 11, 0xff, 16);
	capture_open_ok(&c);
	capture_expect_damage(&c, 0x400000, "no snappy block");
	capture_expect_byte(&c, 0x410000, 3);
}

/* A chunk in the middle range is overwritten: what is before and behind it is read. */
static void expect_damage(const char *text)
{
	add_page(0x800000, 0x77);
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x100000, 0x11);
	capture_expect_byte(&c, 0x400000, 1);
	capture_expect_byte(&c, 0x40ffff, 0xee);
	capture_expect_absent(&c, 0x410000);
	capture_expect_byte(&c, 0x800000, 0x77);
	capture_expect_said(&c, 1, text);
	cr_expect_not_null(strstr(c.said, "bytes of the file were passed over"), "%s", c.said);
	cr_expect_not_null(strstr(c.said, "0x10000 of 0x20000 bytes are missing"), "%s", c.said);
}

static size_t add_two_chunks(void)
{
	size_t second;

	add_header(0x400000, 2 * CHUNK);
	add_identifier();
	add_data(COMPRESSED, 1, CHUNK);
	second = add_data(COMPRESSED, 2, CHUNK);
	add_trailer();
	return second;
}

Test(avml, an_unknown_chunk_ends_its_range)
{
	size_t at = add_two_chunks();

	c.bytes[at] = 0x02;
	expect_damage("expected a kind of chunk that is known, found 0x2");
}

Test(avml, a_chunk_that_claims_too_much_ends_its_range)
{
	size_t at = add_two_chunks();

	memcpy(c.bytes + at + 8, "\xff\xff\xff\xff\x0f", 5); /* decodes to 4 GiB */
	expect_damage("expected the length of at most 65536 bytes");
}

Test(avml, a_chunk_that_decodes_to_too_much_ends_its_range)
{
	size_t at = add_two_chunks();

	memcpy(c.bytes + at + 8, "\xff\xff\x7f", 3);
	expect_damage("expected at most 65536 bytes of data, found 0x1fffff");
}

Test(avml, a_chunk_past_the_end_ends_its_range)
{
	size_t at = add_two_chunks();

	store_u32(c.bytes + at, 0x11000 << 8);
	expect_damage("the file has 0x");
}

Test(avml, a_long_chunk_ends_its_range)
{
	size_t at = add_two_chunks();

	capture_add(&c, 0x20000);
	store_u32(c.bytes + at, 0x13000 << 8);
	expect_damage("expected at most 65536 bytes of data");
}

Test(avml, what_is_behind_a_chunk_that_lies_is_not_misplaced)
{
	size_t second;

	add_header(0x400000, 3 * CHUNK);
	add_identifier();
	add_data(COMPRESSED, 1, CHUNK);
	second = add_data(COMPRESSED, 2, CHUNK);
	add_data(COMPRESSED, 3, CHUNK);
	add_trailer();
	memcpy(c.bytes + second + 8, "\x80\xa0\x00", 3); /* 4096 instead of 65536 */
	add_page(0x800000, 0x77);
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x400000, 1);
	capture_expect_absent(&c, 0x410000);
	capture_expect_absent(&c, 0x411000);
	capture_expect_byte(&c, 0x800000, 0x77);
	capture_expect_said(&c, 1, "0x20000 of 0x30000 bytes are missing: the stream ends at");
}

/* The length of a stream may look like a chunk that is to be skipped: 0x80 and its like. */
Test(avml, a_stream_that_is_too_short_does_not_cost_the_next_range)
{
	for (size_t pad = 0; pad < 256; pad++) {
		static const uint8_t zeros[256];

		c.size = 0;
		add_header(0x400000, 0x2000);
		add_identifier();
		add_chunk(0xfe, zeros, pad);
		add_data(STORED, 1, 0x1000);
		add_trailer();
		add_page(0x800000, 0x77);
		capture_open_ok(&c);
		capture_expect_byte(&c, 0x400000, 1);
		capture_expect_absent(&c, 0x401000);
		capture_expect_byte(&c, 0x800000, 0x77);
		capture_expect_said(&c, 1, "0x1000 of 0x2000 bytes are missing: the stream ends");
	}
}

Test(avml, a_wrong_identifier_ends_its_range)
{
	c.size = 0;
	add_page(0x400000, 1);
	c.bytes[40] = '?';
	add_page(0x800000, 2);
	capture_open_ok(&c);
	capture_expect_absent(&c, 0x400000);
	capture_expect_byte(&c, 0x800000, 2);
	capture_expect_said(&c, 1, "expected 'sNaPpY'");
}

Test(avml, a_range_without_a_stream_is_damage)
{
	c.size = 0;
	add_header(0x400000, 0x1000);
	add_data(COMPRESSED, 1, 0x1000);
	add_trailer();
	add_page(0x800000, 2);
	capture_open_ok(&c);
	capture_expect_said(&c, 1, "expected a snappy stream at file offset 0x20");
}

Test(avml, a_damaged_header_costs_its_range_alone)
{
	size_t at = c.size;

	add_page(0x400000, 1);
	add_page(0x800000, 2);
	c.bytes[at + 1] = '?';
	capture_open_ok(&c);
	capture_expect_absent(&c, 0x400000);
	capture_expect_byte(&c, 0x800000, 2);
	capture_expect_said(&c, 1, "expected a range header ('AVML')");
}

Test(avml, a_wrong_length_behind_the_stream_is_noted)
{
	c.bytes[c.size - 1] = 1;
	add_page(0x400000, 1);
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x117fff, 0xee);
	capture_expect_byte(&c, 0x400000, 1);
	capture_expect_said(&c, 0, "expected its stream's length");
	cr_expect_eq(c.diag.notes, 1);
}

Test(avml, a_missing_length_behind_the_stream_is_noted)
{
	c.size -= 8;
	add_page(0x400000, 1);
	c.size -= 3;
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x117fff, 0xee);
	capture_expect_byte(&c, 0x400000, 1);
	capture_expect_said(&c, 0, "the length behind its stream is cut");
	cr_expect_eq(c.diag.notes, 2);
}

Test(avml, a_stream_longer_than_its_range_is_noted)
{
	store_u64(c.bytes + 16, 0x10ffff + 0x1000);
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x110fff, 0x12);
	capture_expect_absent(&c, 0x111000);
	capture_expect_said(&c, 0, "expected 0x11000 bytes, its stream has 0x18000");
}

Test(avml, every_length_of_the_file_opens_or_says_why)
{
	add_page(0x400000, 1);
	while (c.size) {
		struct error *err;

		c.size--;
		err = capture_open(&c, "avml", 0);
		if (err) {
			cr_expect_eq(error_code(err), ERROR_CORRUPT, "%s", error_message(err));
			error_destroy(err);
		} else {
			capture_expect_byte(&c, 0x10ffff, 0xee);
			cr_expect(c.diag.partial || c.diag.notes || c.snapshot->file.size > 0);
		}
	}
}

Test(avml, an_index_that_is_too_large_names_the_option)
{
	struct error *err;

	c.size = 0;
	add_header(0, 1 << 30);
	add_identifier();
	for (unsigned i = 0; i < 1 << 16; i++)
		add_data(STORED, 1, 1 + i % 2);
	err = capture_open(&c, NULL, 1 << 20);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), "--max-memory"), "%s", error_message(err));
	error_destroy(err);
}

Test(avml, addresses_that_no_machine_has_are_left_out)
{
	add_page(PHYSMEM_MAX_END, 1);
	add_page(0x800000, 2);
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x800000, 2);
	capture_expect_said(&c, 1, "which no machine has");
}

Test(avml, other_versions_are_refused_by_name)
{
	store_u32(c.bytes + 4, 3);
	capture_expect_refusal(&c, ERROR_UNSUPPORTED,
			       "AVML version 3 at file offset 0x0: expected version 2");
}
