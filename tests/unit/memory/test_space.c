/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "memory/space.h"

enum { BYTES = 3 * PAGE_SIZE };
#define BASE UINT64_C(0xffff800000001000)

static uint8_t bytes[BYTES];
static struct file file = { .fd = -1, .bytes = bytes, .size = BYTES };
static struct physmem *mem;
static struct virtmem *virt;
static struct space *s;

static void init(void)
{
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)(i * 7 + i / PAGE_SIZE);
}

static void fini(void)
{
	space_destroy(s);
	physmem_destroy(mem);
	virtmem_destroy(virt);
}

TestSuite(space, .init = init, .fini = fini);

/* Captured: [0x1000, 0x2000), [0x2100, 0x2200) and [0x2300, 0x4000). */
static void open_physical(void)
{
	cr_assert_null(physmem_create(&mem));
	cr_assert_null(physmem_add_file(mem, 0x1000, 0x1000, &file, 0));
	cr_assert_null(physmem_add_file(mem, 0x2100, 0x100, &file, 0x1100));
	cr_assert_null(physmem_add_file(mem, 0x2300, 0x1d00, &file, 0x1300));
	cr_assert_null(physmem_seal(mem));
	cr_assert_null(space_create_physical(mem, &s));
}

static void open_virtual(uint64_t va, uint64_t length)
{
	cr_assert_null(virtmem_create(&virt));
	cr_assert_null(virtmem_add(virt, va, length, &file, 0));
	cr_assert_null(virtmem_seal(virt));
	cr_assert_null(space_create_virtual(virt, &s));
}

struct gaps {
	unsigned count;
	struct {
		uint64_t va, length;
		enum va_state state;
	} items[8];
};

static void add_gap(void *arg, uint64_t va, uint64_t length, enum va_state state)
{
	struct gaps *gaps = arg;

	cr_assert_lt(gaps->count, 8);
	gaps->items[gaps->count].va = va;
	gaps->items[gaps->count].length = length;
	gaps->items[gaps->count++].state = state;
}

Test(space, every_state_has_its_words)
{
	for (enum va_state state = VA_MAPPED; state < NUM_VA_STATES; state++) {
		cr_expect_not_null(va_state_name(state));
		cr_expect_not_null(va_state_text(state));
		for (enum va_state other = VA_MAPPED; other < state; other++)
			cr_expect_str_neq(va_state_name(state), va_state_name(other));
	}
	cr_expect_str_eq(va_state_name(VA_TABLE_NOT_CAPTURED), "table_not_captured");
}

Test(space, physical)
{
	struct walk w;
	uint64_t pa = 0;
	struct va_range r;

	open_physical();
	cr_expect_eq(space_translate(s, 0x1234, &pa), VA_MAPPED);
	cr_expect_eq(pa, 0x1234);
	cr_expect_eq(space_translate(s, 0x2000, NULL), VA_NOT_CAPTURED);
	space_walk(s, 0x2345, &w);
	cr_expect_eq(w.state, VA_MAPPED);
	cr_expect(w.has_pa && w.pa == 0x2345 && w.num_steps == 0);
	cr_assert(space_next(s, 0, &r));
	cr_expect(r.start == 0x1000 && r.last == 0x1fff && r.pa == 0x1000 && r.state == VA_MAPPED);
	cr_assert(space_next(s, r.last + 1, &r));
	cr_expect(r.start == 0x2100 && r.last == 0x21ff);
	cr_expect(!space_next(s, 0x4000, &r));
}

Test(space, read_is_all_or_nothing)
{
	uint8_t buf[0x200], expected[] = { bytes[0xffe], bytes[0xfff] };
	struct fault fault;
	struct error *err;

	open_physical();
	cr_expect(space_try_read(s, 0x1ffe, buf, 2, &fault));
	cr_expect_arr_eq(buf, expected, 2);
	cr_expect(space_try_read(s, 0x5000, buf, 0, &fault));
	cr_expect(!space_try_read(s, 0x1ffe, buf, 3, &fault));
	cr_expect_eq(fault.va, 0x2000);
	cr_expect_eq(fault.state, VA_NOT_CAPTURED);
	cr_expect(!space_try_read(s, 0x1ffe, buf, 3, NULL));
	err = space_read(s, 0x2180, buf, 0x100);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_FAULT);
	cr_expect_str_eq(error_message(err), "0x2200: mapped but not captured");
	error_destroy(err);
	cr_expect_null(space_read(s, 0x2ff0, buf, 0x200));
	cr_expect_arr_eq(buf, bytes + 0x1ff0, 0x200);
}

Test(space, numbers)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	memcpy(bytes, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	open_physical();
	cr_expect(space_try_u16(s, 0x1000, &u16, NULL));
	cr_expect_eq(u16, 0x0201);
	cr_expect(space_try_u32(s, 0x1001, &u32, NULL));
	cr_expect_eq(u32, 0x05040302);
	cr_expect(space_try_u64(s, 0x1000, &u64, NULL));
	cr_expect_eq(u64, UINT64_C(0x0807060504030201));
	u64 = 5;
	cr_expect(!space_try_u64(s, 0x21fc, &u64, NULL));
	cr_expect(!space_try_u32(s, 0x21fe, &u32, NULL));
	cr_expect(!space_try_u16(s, 0x21ff, &u16, NULL));
	cr_expect_eq(u64, 5);
}

Test(space, partial_read_tells_each_gap)
{
	static const struct {
		uint64_t va, length;
	} expected[] = {
		{ 0xf00, 0x100 }, { 0x2000, 0x100 }, { 0x2200, 0x100 }, { 0x4000, 0x300 }
	};
	uint8_t buf[0x3400];
	struct gaps gaps = { 0 };

	memset(buf, 0xee, sizeof(buf));
	open_physical();
	cr_expect_eq(space_read_partial(s, 0xf00, buf, sizeof(buf), add_gap, &gaps),
		     0x1000 + 0x100 + 0x1d00);
	cr_assert_eq(gaps.count, ARRAY_SIZE(expected));
	for (unsigned i = 0; i < gaps.count; i++) {
		cr_expect_eq(gaps.items[i].va, expected[i].va);
		cr_expect_eq(gaps.items[i].length, expected[i].length);
		cr_expect_eq(gaps.items[i].state, VA_NOT_CAPTURED);
		cr_expect_eq(buf[expected[i].va - 0xf00], 0xee, "a gap leaves the buffer alone");
	}
	cr_expect_arr_eq(buf + 0x100, bytes, 0x1000);
	cr_expect_arr_eq(buf + 0x2300 - 0xf00, bytes + 0x1300, 0x1d00);
	cr_expect_eq(space_read_partial(s, 0x5000, buf, 0x2000, NULL, NULL), 0);
}

Test(space, virtual_blocks)
{
	uint64_t pa = 7;
	struct walk w;
	struct va_range r;
	uint8_t buf[BYTES];

	open_virtual(BASE + 0x10, BYTES - 0x10);
	cr_expect_eq(space_translate(s, BASE + 0x10, &pa), VA_MAPPED);
	cr_expect_eq(pa, 7);
	space_walk(s, BASE, &w);
	cr_expect_eq(w.state, VA_NOT_CAPTURED);
	cr_expect(!w.has_pa);
	cr_assert(space_next(s, 0, &r));
	cr_expect(r.start == BASE + 0x10 && r.last == BASE + BYTES - 1 && !r.has_pa);
	cr_expect(!space_next(s, r.last + 1, &r));
	cr_expect(space_try_read(s, BASE + 0x10, buf, BYTES - 0x10, NULL));
	cr_expect_arr_eq(buf, bytes, BYTES - 0x10);
}

Test(space, the_end_of_the_space_is_a_gap)
{
	uint8_t buf[16];
	struct gaps gaps = { 0 };
	struct fault fault;

	open_virtual(UINT64_MAX - 7, 8);
	cr_expect(!space_try_read(s, UINT64_MAX - 3, buf, 8, &fault));
	cr_expect_eq(fault.va, 0);
	cr_expect_eq(fault.state, VA_NON_CANONICAL);
	cr_expect_eq(space_read_partial(s, UINT64_MAX - 3, buf, 16, add_gap, &gaps), 4);
	cr_assert_eq(gaps.count, 1);
	cr_expect_eq(gaps.items[0].va, 0);
	cr_expect_eq(gaps.items[0].length, 12);
	cr_expect_eq(gaps.items[0].state, VA_NON_CANONICAL);
}
