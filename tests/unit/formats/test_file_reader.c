/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "formats/file_reader.h"

enum { SIZE = FILE_MAX_VIEW + 4096, DAMAGED = FILE_MAX_VIEW - 4096 };

/* A decoded file of zeros with one byte that cannot be decoded. */
struct fake {
	uint64_t bytes, looks; /* that were asked for */
};

static const uint8_t zeros[FILE_MAX_VIEW];

static struct error *fake_view(void *arg, uint64_t offset, size_t len, const uint8_t **ret,
			       void **pin)
{
	struct fake *f = arg;

	*pin = NULL;
	f->bytes += len;
	f->looks++;
	if (offset <= DAMAGED && len > DAMAGED - offset)
		return error_new(ERROR_CORRUPT, "damaged");
	*ret = zeros;
	return NULL;
}

static void fake_release(void *arg, void *pin)
{
	(void)arg;
	(void)pin;
}

static void fake_destroy(void *arg)
{
	(void)arg;
}

static void fake_open(struct file *ret, struct fake *fake, struct block_cache **cache)
{
	static const struct file_ops ops = {
		.view = fake_view,
		.release = fake_release,
		.destroy = fake_destroy,
	};

	*fake = (struct fake){ 0 };
	cr_assert_null(block_cache_create(0, cache));
	cr_assert_null(file_create(ret, "decoded", SIZE, *cache, &ops, fake));
}

/* All that is not damaged is there, in pieces of 8 bytes, and little of it is decoded twice. */
Test(file_reader, damage_is_not_decoded_again_for_every_piece)
{
	struct block_cache *cache;
	struct file_reader r;
	struct fake fake;
	struct file file;
	unsigned damaged = 0;

	fake_open(&file, &fake, &cache);
	file_reader_init(&r, &file, 0);
	while (file_reader_left(&r)) {
		const uint8_t *bytes;
		struct error *err = file_reader_take(&r, 8, &bytes);

		if (!err)
			continue;
		cr_expect_eq(r.pos, DAMAGED, "0x%lx", (long)r.pos);
		error_destroy(err);
		damaged++;
		cr_assert_null(file_reader_skip(&r, 8));
	}
	cr_expect_eq(damaged, 1);
	cr_expect_lt(fake.bytes, 4 * (uint64_t)SIZE, "%lu bytes", (long)fake.bytes);
	cr_expect_lt(fake.looks, 1000, "%lu looks", (long)fake.looks);
	file_reader_deinit(&r);
	file_close(&file);
	block_cache_destroy(cache);
}
