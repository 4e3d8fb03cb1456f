/* SPDX-License-Identifier: MIT */
#include "windows/object.h"

#include "fake_space.h"

/* A structure at the start of a captured page; the page behind it is absent. */
#define BASE	  FAKE_BASE
#define PAGE_END  (FAKE_BASE + 0x1000)
#define BUFFER	  (FAKE_BASE + 0x800)
#define NOT_THERE (FAKE_BASE + 0x2000)

enum {
	U8,
	U16,
	U32,
	U64,
	BITS,
	TOP_BITS,
	ALL_BITS,
	ODD_SIZE,
	MISSING,
	NAME,
	STRING,
	STRING32,
	BEYOND,
	HUGE_ANSI,
	NUM_FIELDS
};

static const struct field fields[NUM_FIELDS] = {
	[U8] = { .offset = 0, .size = 1, .present = true },
	[U16] = { .offset = 0, .size = 2, .present = true },
	[U32] = { .offset = 0, .size = 4, .present = true },
	[U64] = { .offset = 0, .size = 8, .present = true },
	[BITS] = { .offset = 0, .size = 4, .bit_pos = 4, .bit_size = 8, .present = true },
	[TOP_BITS] = { .offset = 0, .size = 8, .bit_pos = 60, .bit_size = 4, .present = true },
	[ALL_BITS] = { .offset = 0, .size = 8, .bit_pos = 0, .bit_size = 64, .present = true },
	[ODD_SIZE] = { .offset = 0, .size = 3, .present = true },
	[MISSING] = { .present = false },
	[NAME] = { .offset = 16, .size = 15, .present = true },
	[STRING] = { .offset = 32, .size = 16, .present = true },
	[STRING32] = { .offset = 32, .size = 8, .present = true },
	[BEYOND] = { .offset = 0xffc, .size = 8, .present = true },
	[HUGE_ANSI] = { .offset = 0, .size = UINT32_MAX, .present = true },
};

static struct fake_space fake;
static struct arena arena;
static struct object object;

static void setup(void)
{
	arena_init(&arena, 0);
	memset(&fake, 0, sizeof(fake));
	fake_put_u64(&fake, BASE, UINT64_C(0xfedcba9876543210));
	memcpy(fake.bytes + 16, "System", 6);
	memcpy(fake.bytes + 0x800, "a\0\xe9\0b\0", 6);
}

/* A UNICODE_STRING of len bytes; 64-bit unless the buffer fits in 32 bits. */
static void put_string(uint16_t len, uint64_t buffer)
{
	store_u16(fake.bytes + 32, len);
	store_u16(fake.bytes + 34, len);
	store_u64(fake.bytes + 40, buffer);
}

static void open_fake(void)
{
	fake_show(&fake, BASE, PAGE_END);
	object = object_at(fake_open(&fake), BASE, fields);
}

static void teardown(void)
{
	fake_close(&fake);
	arena_deinit(&arena);
}

TestSuite(object, .init = setup, .fini = teardown);

static void expect_u64(unsigned field, uint64_t value)
{
	uint64_t v = 0;

	cr_expect(object_u64(&object, field, &v), "field %u", field);
	cr_expect_eq(v, value, "field %u: 0x%lx", field, (unsigned long)v);
}

Test(object, numbers_and_bit_fields)
{
	uint64_t v;

	open_fake();
	expect_u64(U8, 0x10);
	expect_u64(U16, 0x3210);
	expect_u64(U32, 0x76543210);
	expect_u64(U64, UINT64_C(0xfedcba9876543210));
	expect_u64(BITS, 0x21);
	expect_u64(TOP_BITS, 0xf);
	expect_u64(ALL_BITS, UINT64_C(0xfedcba9876543210));
	cr_expect_not(object_u64(&object, ODD_SIZE, &v));
	cr_expect(object_fast_ref(&object, U64, &v) && v == UINT64_C(0xfedcba9876543210));
	fake.bytes[0] = 0x17;
	cr_expect(object_fast_ref(&object, U64, &v) && v == UINT64_C(0xfedcba9876543210));
}

Test(object, what_is_absent_says_why)
{
	uint64_t v = 1;
	char *text;

	open_fake();
	cr_expect_not(object_u64(&object, BEYOND, &v));
	cr_expect_eq(object.fault.va, PAGE_END);
	cr_expect_eq(v, 1);
	cr_expect_not(object_u64(&object, MISSING, &v));
	cr_expect_eq(object.fault.va, 0);
	cr_expect_not(object_address(&object, MISSING, &v));
	cr_expect_not(object_ansi(&object, MISSING, &arena, &text));
	cr_expect_not(object_unicode(&object, MISSING, object.space, &arena, &text));
	cr_expect(object_address(&object, BEYOND, &v) && v == BASE + 0xffc);
	object.va = UINT64_MAX - 0x10;
	cr_expect_not(object_address(&object, STRING, &v), "no wrap around");
	cr_expect_not(object_u64(&object, BEYOND, &v));
	cr_expect_eq(object.fault.va, 0);
}

Test(object, ansi)
{
	char *text = NULL;

	open_fake();
	cr_expect(object_ansi(&object, NAME, &arena, &text));
	cr_expect_str_eq(text, "System");
	memset(fake.bytes + 16, 'x', 16);
	cr_expect(object_ansi(&object, NAME, &arena, &text));
	cr_expect_str_eq(text, "xxxxxxxxxxxxxxx");
	cr_expect_not(object_ansi(&object, HUGE_ANSI, &arena, &text));
	object.va = NOT_THERE;
	cr_expect_not(object_ansi(&object, NAME, &arena, &text));
	cr_expect_eq(object.fault.va, NOT_THERE + 16);
}

static void expect_string(uint16_t len, uint64_t buffer, const char *expected)
{
	char *text = NULL;

	put_string(len, buffer);
	cr_expect(object_unicode(&object, STRING, object.space, &arena, &text), "%u bytes", len);
	cr_expect_str_eq(text, expected);
}

static void expect_no_string(uint16_t len, uint64_t buffer, uint64_t fault)
{
	char *text = NULL;

	put_string(len, buffer);
	cr_expect_not(object_unicode(&object, STRING, object.space, &arena, &text), "%u", len);
	cr_expect_null(text);
	cr_expect_eq(object.fault.va, fault, "0x%lx", (unsigned long)object.fault.va);
}

Test(object, unicode)
{
	open_fake();
	expect_string(6, BUFFER,
		      "a\xc3\xa9"
		      "b");
	expect_string(2, BUFFER, "a");
	expect_string(0, 0, "");
	expect_string(0, NOT_THERE, "");
	expect_no_string(3, BUFFER, BASE + 32);
	expect_no_string(6, 0, BASE + 32);
	expect_no_string(6, NOT_THERE, NOT_THERE);
	expect_no_string(0xfffe, BUFFER, PAGE_END);
	expect_no_string(6, UINT64_MAX - 1, UINT64_MAX - 1);
}

/* A 32-bit string's buffer lies in the process's space, which here is another one. */
Test(object, unicode32_in_another_space)
{
	enum { LOW = 0x7000 };
	struct file file = { .fd = -1, .bytes = (const uint8_t *)"w\0o\0w\0", .size = 6 };
	struct virtmem *mem;
	struct space *user;
	struct fault fault;
	char *text = NULL;

	cr_assert_null(virtmem_create(&mem));
	cr_assert_null(virtmem_add(mem, LOW, 6, &file, 0));
	cr_assert_null(virtmem_seal(mem));
	cr_assert_null(space_create_virtual(mem, &user));
	open_fake();
	store_u16(fake.bytes + 32, 6);
	store_u16(fake.bytes + 34, 8);
	store_u32(fake.bytes + 36, LOW);
	store_u64(fake.bytes + 40, UINT64_MAX);
	cr_expect(object_unicode(&object, STRING32, user, &arena, &text));
	cr_expect_str_eq(text, "wow");
	cr_expect_not(read_unicode_string(object.space, BASE + 32, true, &arena, &text, &fault));
	cr_expect_eq(fault.va, LOW);
	cr_expect_not(read_unicode_string(user, BASE + 32, true, &arena, &text, &fault));
	cr_expect_eq(fault.va, BASE + 32);
	space_destroy(user);
	virtmem_destroy(mem);
}

Test(object, no_memory_is_no_answer)
{
	char *text = NULL;

	open_fake();
	arena.limit = 1;
	put_string(6, BUFFER);
	cr_expect_not(object_unicode(&object, STRING, object.space, &arena, &text));
	put_string(0, 0);
	cr_expect_not(object_unicode(&object, STRING, object.space, &arena, &text));
	cr_expect_not(object_ansi(&object, NAME, &arena, &text));
	cr_expect_null(text);
}
