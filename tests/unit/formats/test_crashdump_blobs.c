/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "crashdump_fake.h"

/* Two blobs of 5 and 3 bytes behind the dump proper, the first padded on both sides. */
enum { BLOBS_SIZE = 16 + 32 + 2 + 5 + 1 + 32 + 3 };
static struct fake f;

static void put_blob(size_t at, uint8_t tag, uint32_t size, uint32_t pre, uint32_t post)
{
	memset(f.bytes + at, 0, 32);
	fake_set32(&f, at, 32);
	memset(f.bytes + at + 4, tag, 16);
	fake_set32(&f, at + 20, size);
	fake_set32(&f, at + 24, pre);
	fake_set32(&f, at + 28, post);
}

static size_t add_blobs(void)
{
	size_t start = f.size;

	memcpy(f.bytes + start, "DumpBlob", 8);
	fake_set32(&f, start + 8, 16);
	fake_set32(&f, start + 12, 19041);
	put_blob(start + 16, 0x11, 5, 2, 1);
	memset(f.bytes + start + 48, 0xee, 8);
	put_blob(start + 56, 0x22, 3, 0, 0);
	memset(f.bytes + start + 88, 0xee, 3);
	f.size = start + BLOBS_SIZE;
	return start;
}

static void expect_blobs(size_t start)
{
	fake_expect_open(&f);
	cr_assert_eq(f.info.num_blobs, 2);
	const struct dump_blob *b = f.info.blobs;
	cr_expect(b[0].tag[0] == 0x11 && b[0].tag[15] == 0x11 && b[1].tag[0] == 0x22);
	cr_expect(b[0].file_offset == start + 50 && b[0].size == 5 && b[0].captured == 5);
	cr_expect(b[1].file_offset == start + 88 && b[1].size == 3 && b[1].captured == 3);
	cr_expect_str_empty(f.messages);
	fake_close(&f);
}

Test(crashdump_blobs, follow_a_dump_of_any_type)
{
	for (unsigned kind = 0; kind < FAKE_NUM_KINDS; kind++) {
		fake_any(&f, kind);
		expect_blobs(add_blobs());
	}
}

Test(crashdump_blobs, absent_by_default)
{
	for (unsigned kind = 0; kind < FAKE_NUM_KINDS; kind++) {
		fake_any(&f, kind);
		fake_expect_open(&f);
		cr_expect_eq(f.info.num_blobs, 0);
		fake_close(&f);
	}
}

Test(crashdump_blobs, cut_at_every_length)
{
	for (size_t cut = 0; cut < BLOBS_SIZE; cut++) {
		fake_triage(&f);
		size_t start = add_blobs();
		size_t headers = cut >= 88 ? 2 : cut >= 50;

		f.size = start + cut;
		fake_expect_open(&f);
		cr_expect_eq(f.info.num_blobs, headers, "%zu: %zu", cut, f.info.num_blobs);
		for (size_t i = 0; i < f.info.num_blobs; i++)
			cr_expect_leq(f.info.blobs[i].file_offset + f.info.blobs[i].captured,
				      f.size);
		fake_close(&f);
	}
}

Test(crashdump_blobs, a_cut_blob_is_said)
{
	fake_triage(&f);
	size_t start = add_blobs();
	fake_set32(&f, start + 56 + 20, UINT32_MAX);
	fake_expect_open(&f);
	cr_assert_eq(f.info.num_blobs, 2);
	cr_expect(f.info.blobs[1].size == UINT32_MAX && f.info.blobs[1].captured == 3);
	cr_expect_not_null(strstr(f.messages, "secondary data at 0x"), "%s", f.messages);
	fake_close(&f);
}

/* Every number of the headers at its edges: nothing outside of the file, nothing without end. */
Test(crashdump_blobs, wrong_numbers)
{
	static const uint32_t values[] = { 0, 1, 31, 33, 4096, 4097, 0x80000000, UINT32_MAX };

	for (size_t at = 8; at < BLOBS_SIZE - 4; at += 4) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			fake_triage(&f);
			size_t start = add_blobs();

			fake_set32(&f, start + at, values[i]);
			fake_expect_open(&f);
			cr_expect_leq(f.info.num_blobs, 2);
			for (size_t n = 0; n < f.info.num_blobs; n++)
				cr_expect_leq(f.info.blobs[n].file_offset +
						      f.info.blobs[n].captured,
					      f.size);
			fake_close(&f);
		}
	}
}

Test(crashdump_blobs, a_header_of_size_zero_ends_them)
{
	fake_triage(&f);
	size_t start = add_blobs();
	fake_set32(&f, start + 56, 0);
	fake_expect_open(&f);
	cr_expect_eq(f.info.num_blobs, 1);
	cr_expect_str_empty(f.messages);
	fake_close(&f);
}
