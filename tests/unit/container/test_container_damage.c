/* SPDX-License-Identifier: MIT */
#include "container_case.h"

#include "base/cursor.h"
#include "container/lz4_block.h"

enum { CONTENT = 550 << 10, PIECE = 16 << 10, STEPS = 29 };

static uint8_t *content;

static void setup(void)
{
	content = malloc(CONTENT);
	cr_assert_not_null(content);
	pack_fill_memory(content, CONTENT, 7);
}

static void teardown(void)
{
	free(content);
}

TestSuite(container_damage, .init = setup, .fini = teardown);

/* What can be read of the file, piece by piece. */
struct reading {
	size_t failed, wrong; /* pieces */
};

static struct reading read_pieces(const struct file *f)
{
	uint8_t piece[PIECE];
	struct reading r = { 0 };

	for (uint64_t at = 0; at < f->size; at += PIECE) {
		size_t len = f->size - at < PIECE ? (size_t)(f->size - at) : PIECE;
		struct error *err = file_read(f, at, piece, len);

		if (err)
			r.failed++;
		else if (at + len > CONTENT || memcmp(piece, content + at, len) != 0)
			r.wrong++;
		error_destroy(err);
	}
	return r;
}

/* Cut at many lengths: what is there is the beginning, and what is not is said to be missing. */
Test(container_damage, what_is_cut_off_is_read_up_to_there)
{
	for (size_t i = 0; i < ARRAY_SIZE(container_cases); i++) {
		const struct container_case *c = &container_cases[i];
		struct packed p = { 0 };
		size_t longest = 0;

		c->pack(&p, content, CONTENT);
		for (size_t k = 0; k < 2 * STEPS; k++) {
			size_t len = k < STEPS ? p.len * k / STEPS : p.len - (2 * STEPS - k);
			struct unpacked u;
			struct error *err = unpack_given(&u, p.bytes, len, 0, NULL);

			if (err) {
				cr_expect_eq(error_code(err), ERROR_CORRUPT, "%s cut to %zu: %s",
					     c->name, len, error_message(err));
				error_destroy(err);
				continue;
			}
			if (u.levels.count) {
				struct reading r = read_pieces(&u.file);

				cr_expect_eq(r.wrong, 0, "%s cut to %zu", c->name, len);
				longest = u.file.size > longest ? u.file.size : longest;
			}
			unpacked_close(&u);
		}
		if (c->pack != pack_lz4_legacy) /* that is one block */
			cr_expect_gt(longest, CONTENT / 3, "%s: %zu", c->name, longest);
		packed_free(&p);
	}
}

static void flip_and_read(const struct container_case *c, struct packed *p, size_t at, uint8_t bit)
{
	struct unpacked u;
	struct error *err;

	p->bytes[at] ^= bit;
	err = unpack(&u, p);
	p->bytes[at] ^= bit;
	if (err) {
		error_destroy(err);
		return;
	}
	if (u.levels.count) {
		struct reading r = read_pieces(&u.file);

		if (c->checks && !u.diag.partial && !r.failed)
			cr_expect(!r.wrong && u.file.size == CONTENT, "%s: 0x%zx ^ 0x%x: %zu %lu",
				  c->name, at, bit, r.wrong, u.file.size);
	}
	unpacked_close(&u);
}

Test(container_damage, no_flipped_bit_goes_unnoticed_where_there_are_checksums)
{
	for (size_t i = 0; i < ARRAY_SIZE(container_cases); i++) {
		struct packed p = { 0 };

		container_cases[i].pack(&p, content, CONTENT);
		for (size_t k = 0; k < 3 * STEPS; k++) {
			size_t at = k < STEPS	    ? k
				    : k < 2 * STEPS ? p.len - 1 - (k - STEPS)
						    : p.len * (k - 2 * STEPS) / STEPS;

			flip_and_read(&container_cases[i], &p, at, (uint8_t)(1 << k % 8));
		}
		packed_free(&p);
	}
}

/* A bad block costs its own content. */
Test(container_damage, blocks_beside_a_bad_one_are_read)
{
	static const size_t cases[] = { 3, 6, 8, 9, 13 }; /* of container_cases */

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct container_case *c = &container_cases[cases[i]];
		struct packed p = { 0 };
		struct reading r;
		struct unpacked u;

		c->pack(&p, content, CONTENT);
		memset(p.bytes + p.len / 4, 0x55, 64);
		cr_assert_null(unpack(&u, &p), "%s", c->name);
		r = read_pieces(&u.file);
		cr_expect_eq(u.file.size, CONTENT, "%s", c->name);
		cr_expect_eq(r.wrong, 0, "%s: %zu", c->name, r.wrong);
		cr_expect(r.failed > 0 && r.failed < CONTENT / PIECE * 2 / 3, "%s: %zu", c->name,
			  r.failed);
		unpacked_close(&u);
		packed_free(&p);
	}
}

/* The content is all there; that it is not what was packed is said. */
static void expect_said(struct packed *p, const char *what)
{
	struct unpacked u;

	cr_assert_null(unpack(&u, p), "%s", what);
	cr_expect_gt(u.diag.partial, 0, "%s", what);
	cr_expect_eq(u.file.size, CONTENT, "%s", what);
	cr_expect_eq(read_pieces(&u.file).wrong, 0, "%s", what);
	unpacked_close(&u);
}

Test(container_damage, gzip_trailers_that_lie)
{
	struct packed p = { 0 };

	pack_gzip(&p, content, CONTENT);
	p.bytes[p.len - 1] ^= 0x40;
	expect_said(&p, "ISIZE");
	p.bytes[p.len - 1] ^= 0x40;
	p.bytes[p.len - 8] ^= 1;
	expect_said(&p, "CRC");
	p.bytes[p.len - 8] ^= 1;
	packed_add(&p, "junk", 4);
	expect_said(&p, "junk behind the last member");
	packed_free(&p);
}

Test(container_damage, lz4_sizes_that_lie)
{
	static const uint64_t sizes[] = { CONTENT - 1, CONTENT + 1, 1, UINT64_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct packed p = { 0 };

		pack_lz4_size(&p, content, CONTENT);
		store_u64(p.bytes + 6, sizes[i]);
		p.bytes[14] = (uint8_t)(xxh32(p.bytes + 4, 10) >> 8);
		expect_said(&p, "content size");
		packed_free(&p);
	}
}

/* A frame of one megabyte that claims more: not believed before it is decoded. */
Test(container_damage, zstd_sizes_that_lie)
{
	struct packed p = { 0 };
	struct reading r;
	struct unpacked u;

	pack_zstd_frames(&p, content, 200 << 10);
	/* skippable frame, magic, descriptor (single segment, 4 bytes of size), size */
	cr_assert_eq(p.bytes[16] & 0xe0, 0xa0);
	store_u32(p.bytes + 17, 4 << 20);
	cr_assert_null(unpack(&u, &p));
	r = read_pieces(&u.file);
	cr_expect_eq(r.wrong, 0);
	cr_expect_gt(r.failed, 0);
	unpacked_close(&u);
	store_u32(p.bytes + 17, UINT32_MAX);
	expect_error(unpack(&u, &p), ERROR_LIMIT, "--max-memory");
	packed_free(&p);
}

Test(container_damage, zstd_seek_tables_that_lie)
{
	struct packed p = { 0 };
	struct reading r;
	struct unpacked u;
	uint8_t *first;

	pack_zstd_seekable(&p, content, CONTENT);
	first = p.bytes + p.len - 9 - 3 * 8;
	store_u32(first, load_u32(first) + 1); /* does not end where the table begins */
	cr_assert_null(unpack(&u, &p));
	cr_expect_eq(u.file.size, CONTENT);
	cr_expect_eq(read_pieces(&u.file).wrong, 0);
	cr_expect_eq(u.diag.partial, 0);
	unpacked_close(&u);
	store_u32(first, load_u32(first) - 1);
	store_u32(first + 4, load_u32(first + 4) + 5); /* longer than the frame is */
	cr_assert_null(unpack(&u, &p));
	r = read_pieces(&u.file);
	cr_expect_gt(r.failed, 0);
	unpacked_close(&u);
	packed_free(&p);
}

Test(container_damage, lz4_lengths_that_pass_the_file)
{
	static const uint32_t words[] = { 65537, 0x7fffffff, 0xffffffff, 65536 };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct packed p = { 0 };
		struct unpacked u;

		pack_lz4_size(&p, content, 1000);
		store_u32(p.bytes + 15, words[i]);
		expect_error(unpack(&u, &p), ERROR_CORRUPT, "lz4");
		packed_free(&p);
	}
}

Test(container_damage, measured_blocks_are_as_long_as_decoded_ones)
{
	uint8_t block[] = { 0x1f, 0, 1, 0, 255, 255, 3, 0x10, 7 };
	size_t len;
	bool zero;

	/* one zero, repeated 4 + 15 + 255 + 255 + 3 times, then a literal */
	cr_assert(lz4_block_measure(block, sizeof(block), 1 << 16, &len, &zero));
	cr_expect_eq(len, 1 + 4 + 15 + 255 + 255 + 3 + 1);
	cr_expect_not(zero);
	block[8] = 0;
	cr_assert(lz4_block_measure(block, sizeof(block), 1 << 16, &len, &zero));
	cr_expect(zero);
	cr_expect_not(lz4_block_measure(block, sizeof(block), 533, &len, &zero), "too long");
	for (size_t cut = 0; cut < sizeof(block); cut++)
		cr_expect_eq(lz4_block_measure(block, cut, 1 << 16, &len, &zero), cut == 2,
			     "%zu: only behind literals", cut);
	block[2] = 2;
	cr_expect_not(lz4_block_measure(block, sizeof(block), 1 << 16, &len, &zero),
		      "a match before the beginning");
}

/* xxHash's own: cli/xsum_sanity_check.c has such pairs, and so does every lz4 file. */
Test(container_damage, xxh32_of_nothing_and_of_a_word)
{
	cr_expect_eq(xxh32((const uint8_t *)"", 0), 0x02cc5d05);
	cr_expect_eq(xxh32((const uint8_t *)"abc", 3), 0x32d153ff);
}
