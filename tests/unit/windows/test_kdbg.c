/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "fake_kernel.h"
#include "fake_space.h"
#include "windows/kernel/kdbg.h"

#define BASE FAKE_BASE

static struct fake_space *fake;

static void setup(void)
{
	fake = calloc(1, sizeof(*fake));
	fake_kernel_build(fake->bytes, BASE, BASE + 0x5000);
}

static void teardown(void)
{
	fake_close(fake);
	free(fake);
}

TestSuite(kdbg, .init = setup, .fini = teardown, .timeout = 60);

static void must(struct error *err)
{
	cr_assert_null(err, "%s", error_message(err));
}

static void check_values(const struct kdbg *kdbg)
{
	cr_expect_eq(kdbg->va, BASE + FAKE_KDBG);
	cr_expect_eq(kdbg->size, (uint32_t)FAKE_KDBG_SIZE);
	for (unsigned i = 0; i < KDBG_NUM_FIELDS; i++)
		cr_expect(kdbg->has[i]);
	cr_expect_eq(kdbg->value[KDBG_KERN_BASE], BASE);
	cr_expect_eq(kdbg->value[KDBG_PS_LOADED_MODULE_LIST], BASE + 0x10048);
	cr_expect_eq(kdbg->value[KDBG_PS_ACTIVE_PROCESS_HEAD], BASE + 0x10050);
	cr_expect_eq(kdbg->value[KDBG_NT_BUILD_LAB], BASE + 0x10208);
	cr_expect_eq(kdbg->value[KDBG_MM_PHYSICAL_MEMORY_BLOCK], BASE + 0x10270);
}

Test(kdbg, plain_block)
{
	struct kdbg kdbg;

	must(kdbg_read(fake_open(fake), BASE + FAKE_KDBG, BASE, &kdbg));
	cr_expect_not(kdbg.encoded);
	check_values(&kdbg);
	cr_expect_eq(kdbg_decode(&kdbg, 0x1234), 0x1234);
}

/* Keys as in one real machine, then every rotation. */
Test(kdbg, encoded_block_with_every_rotation)
{
	struct space *s = fake_open(fake);

	for (unsigned rotation = 0; rotation < 64; rotation++) {
		uint64_t never = (UINT64_C(0x5c876e8ea0fbb3bd) & ~UINT64_C(63)) | rotation;
		struct kdbg kdbg;

		fake_kernel_build(fake->bytes, BASE, 0);
		fake_kernel_encode_kdbg(fake->bytes, never, UINT64_C(0xb71a02c3d4e5f607),
					BASE + 0x77728);
		must(kdbg_read(s, BASE + FAKE_KDBG, BASE, &kdbg));
		cr_expect(kdbg.encoded);
		check_values(&kdbg);
		cr_expect_eq(kdbg_decode(&kdbg, load_u64(fake->bytes + FAKE_KDBG + 0x18)), BASE);
	}
}

Test(kdbg, found_in_the_data_section)
{
	struct space *s = fake_open(fake);
	struct pe_image pe;
	struct kdbg kdbg;

	must(pe_read(s, BASE, &pe));
	must(kdbg_find(s, &pe, &kdbg));
	cr_expect_not(kdbg.encoded);
	check_values(&kdbg);
	fake_kernel_encode_kdbg(fake->bytes, 17, 42, BASE + 8);
	must(kdbg_find(s, &pe, &kdbg));
	cr_expect(kdbg.encoded);
	check_values(&kdbg);
	pe.num_sections = 0; /* section headers absent: the whole image is searched */
	must(kdbg_find(s, &pe, &kdbg));
	check_values(&kdbg);
}

Test(kdbg, a_block_across_two_pages_is_found)
{
	struct pe_image pe;
	struct kdbg kdbg;

	/* tag and KernBase on either side of a page boundary */
	memmove(fake->bytes + 0x3000 - 0x18, fake->bytes + FAKE_KDBG, FAKE_KDBG_SIZE);
	memset(fake->bytes + FAKE_KDBG, 0, FAKE_KDBG_SIZE);
	struct space *s = fake_open(fake);

	must(pe_read(s, BASE, &pe));
	pe.sections[1].virtual_size = 0x2000;
	must(kdbg_find(s, &pe, &kdbg));
	cr_expect_eq(kdbg.va, BASE + 0x3000 - 0x18);
}

Test(kdbg, a_block_cut_at_every_field_keeps_the_rest)
{
	for (unsigned len = 0; len <= FAKE_KDBG_SIZE; len += 8) {
		struct fake_space *cut = calloc(1, sizeof(*cut));
		struct kdbg kdbg;

		memcpy(cut->bytes, fake->bytes, FAKE_KERNEL_BYTES);
		fake_show(cut, BASE, BASE + FAKE_KDBG + len);
		struct error *err = kdbg_read(fake_open(cut), BASE + FAKE_KDBG, BASE, &kdbg);

		if (len < 0x20) {
			cr_assert_not_null(err);
			cr_expect_eq(error_code(err), ERROR_FAULT);
			error_destroy(err);
		} else {
			must(err);
			cr_expect_eq(kdbg.has[KDBG_PS_LOADED_MODULE_LIST], len >= 0x50);
			cr_expect_eq(kdbg.has[KDBG_MM_PHYSICAL_MEMORY_BLOCK], len >= 0x278);
		}
		fake_close(cut);
		free(cut);
	}
	fake_open(fake);
}

Test(kdbg, what_is_not_a_block_is_refused)
{
	static const struct {
		unsigned offset;
		uint32_t value;
	} bad[] = {
		{ 0x10, 0x4742444c }, { 0x14, 0 },   { 0x14, 0xffffffff },
		{ 0x14, 0x381 },      { 0x18, 0x1 },
	};
	struct space *s = fake_open(fake);
	struct pe_image pe;
	struct kdbg kdbg;
	struct error *err;

	must(pe_read(s, BASE, &pe));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t *at = fake->bytes + FAKE_KDBG + bad[i].offset;
		uint32_t old = load_u32(at);

		store_u32(at, bad[i].value);
		err = kdbg_read(s, BASE + FAKE_KDBG, BASE, &kdbg);
		cr_assert_not_null(err);
		cr_expect_eq(error_code(err), ERROR_CORRUPT, "%s", error_message(err));
		error_destroy(err);
		err = kdbg_find(s, &pe, &kdbg);
		cr_assert_not_null(err);
		cr_expect_eq(error_code(err), ERROR_NOT_FOUND);
		error_destroy(err);
		store_u32(at, old);
	}
}

Test(kdbg, fields_beyond_its_size_are_absent)
{
	struct kdbg kdbg;

	store_u32(fake->bytes + FAKE_KDBG + 0x14, 0x228);
	must(kdbg_read(fake_open(fake), BASE + FAKE_KDBG, BASE, &kdbg));
	cr_expect(kdbg.has[KDBG_MM_UNLOADED_DRIVERS]);
	cr_expect_not(kdbg.has[KDBG_MM_LAST_UNLOADED_DRIVER]);
}
