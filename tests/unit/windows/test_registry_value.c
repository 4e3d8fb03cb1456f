/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "../../hive_builder.h"
#include "base/cursor.h"
#include "windows/registry/name.h"
#include "windows/registry/value.h"

enum { BIG = 2 * BIG_DATA_SEGMENT + 100 };

/* A hive with one key and values of every size of data. */
struct sample {
	struct hive_builder b;
	struct built_hive built;
	uint32_t root, small, normal, big, cells[3];
	uint8_t data[BIG];
};

static void sample_init(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < BIG; i++)
		s->data[i] = (uint8_t)(i * 7 + i / 256);
	hive_builder_init(&s->b, 32, 1);
	s->root = hive_builder_key(&s->b, STORAGE_STABLE, "root", CELL_NONE);
	s->cells[0] = s->small =
		hive_builder_value(&s->b, STORAGE_STABLE, "small", REG_DWORD, s->data, 4);
	s->cells[1] = s->normal =
		hive_builder_value(&s->b, STORAGE_STABLE, "normal", REG_BINARY, s->data, 5000);
	s->cells[2] = s->big =
		hive_builder_value(&s->b, STORAGE_STABLE, "", REG_BINARY, s->data, BIG);
	hive_builder_set_values(&s->b, s->root, s->cells, 3);
}

static const struct hive *sample_open(struct sample *s)
{
	hive_builder_finish(&s->b);
	cr_assert(built_hive_open(&s->built, s->b.bytes, s->b.size, s->b.hidden, s->b.num_hidden));
	return &s->built.hive;
}

static void sample_close(struct sample *s)
{
	built_hive_close(&s->built);
	hive_builder_deinit(&s->b);
}

static void expect_value(struct sample *s, uint32_t cell, const char *name, uint32_t size)
{
	struct registry_value v;
	struct hive_fault fault;
	const uint8_t *data;

	cr_assert(registry_value_read(&s->built.hive, cell, &s->built.arena, &v, &fault));
	cr_expect_str_eq(v.name, name);
	cr_expect_eq(v.size, size);
	cr_assert(registry_value_data(&v, &s->built.arena, &data, &fault));
	cr_expect_arr_eq(data, s->data, size);
}

/* The value is there, its data is not. */
static void expect_no_data(struct sample *s, uint32_t cell, const char *why)
{
	struct registry_value v;
	struct hive_fault fault;
	const uint8_t *data;

	sample_open(s);
	cr_assert(registry_value_read(&s->built.hive, cell, &s->built.arena, &v, &fault));
	cr_assert_not(registry_value_data(&v, &s->built.arena, &data, &fault));
	cr_expect_str_eq(fault.why, why);
	sample_close(s);
}

Test(registry_value, sizes)
{
	struct registry_key key;
	struct hive_fault fault;
	struct cell_list list;
	struct sample s;

	sample_init(&s);
	sample_open(&s);
	cr_assert(registry_key_read(&s.built.hive, s.root, &s.built.arena, &key, &fault));
	cr_assert_null(registry_key_values(&key, &list));
	cr_assert_eq(list.count, 3);
	cr_expect_eq(list.num_faults, 0);
	cr_expect_arr_eq(list.cells, s.cells, sizeof(s.cells));
	expect_value(&s, s.small, "small", 4);
	expect_value(&s, s.normal, "normal", 5000);
	expect_value(&s, s.big, "", BIG);
	cell_list_deinit(&list);
	sample_close(&s);
}

/* Windows XP's format has no big data: one cell holds all of it. */
Test(registry_value, old_format_has_no_big_data)
{
	struct registry_value v;
	struct hive_fault fault;
	const uint8_t *data;
	struct sample s;

	sample_init(&s);
	sample_open(&s);
	s.built.hive.version = opt_u64(3);
	cr_assert(registry_value_read(&s.built.hive, s.big, &s.built.arena, &v, &fault));
	cr_assert_not(registry_value_data(&v, &s.built.arena, &data, &fault));
	cr_expect_str_eq(fault.why, "the cell is smaller than the data");
	sample_close(&s);
}

static uint8_t *big_data(struct sample *s)
{
	return hive_builder_at(&s->b, load_u32(hive_builder_at(&s->b, s->big) + VALUE_DATA));
}

Test(registry_value, big_data_torn)
{
	struct sample s;
	uint8_t *list;

	sample_init(&s);
	store_u16(big_data(&s), 0x4141);
	expect_no_data(&s, s.big, "the signature is not that of big data");

	sample_init(&s);
	store_u16(big_data(&s) + BIG_DATA_COUNT, 2);
	expect_no_data(&s, s.big, "the number of segments does not fit the size of the data");

	sample_init(&s);
	store_u32(big_data(&s) + BIG_DATA_LIST, 0x7ffffff8);
	expect_no_data(&s, s.big, "outside of the hive");

	sample_init(&s);
	list = hive_builder_at(&s.b, load_u32(big_data(&s) + BIG_DATA_LIST));
	store_u32(list + 4, CELL_NONE);
	expect_no_data(&s, s.big, "no number of a cell");

	sample_init(&s);
	list = hive_builder_at(&s.b, load_u32(big_data(&s) + BIG_DATA_LIST));
	store_u32(list + 4, s.root); /* a cell that is too small for a segment */
	expect_no_data(&s, s.big, "the cell is too small for what it holds");

	sample_init(&s);
	list = hive_builder_at(&s.b, load_u32(big_data(&s) + BIG_DATA_LIST));
	hive_builder_hide(&s.b, load_u32(list + 4) + 0x2000);
	expect_no_data(&s, s.big, va_state_text(VA_NOT_CAPTURED));
}

Test(registry_value, sizes_that_cannot_be)
{
	struct sample s;

	sample_init(&s);
	store_u32(hive_builder_at(&s.b, s.small) + VALUE_DATA_LENGTH, VALUE_RESIDENT | 5);
	expect_no_data(&s, s.small, "more resident data than fits");

	sample_init(&s);
	store_u32(hive_builder_at(&s.b, s.normal) + VALUE_DATA_LENGTH, 5008);
	expect_no_data(&s, s.normal, "the cell is smaller than the data");

	sample_init(&s);
	store_u32(hive_builder_at(&s.b, s.big) + VALUE_DATA_LENGTH, MAX_VALUE_DATA);
	expect_no_data(&s, s.big, "the data is larger than the hive");

	sample_init(&s);
	store_u32(hive_builder_at(&s.b, s.big) + VALUE_DATA_LENGTH, 0x7fffffff);
	expect_no_data(&s, s.big, "the data is larger than the limit allows");
}

static void expect_no_value(struct sample *s, uint32_t cell, const char *why)
{
	struct registry_value v;
	struct hive_fault fault;

	sample_open(s);
	cr_assert_not(registry_value_read(&s->built.hive, cell, &s->built.arena, &v, &fault));
	cr_expect_str_eq(fault.why, why);
	sample_close(s);
}

Test(registry_value, damaged)
{
	struct sample s;

	sample_init(&s);
	store_u16(hive_builder_at(&s.b, s.small), NK_SIGNATURE);
	expect_no_value(&s, s.small, "the signature is not that of a value");

	sample_init(&s);
	store_u16(hive_builder_at(&s.b, s.small) + VALUE_NAME_LENGTH, 100);
	expect_no_value(&s, s.small, "the cell is too small for what it holds");

	sample_init(&s);
	store_u16(hive_builder_at(&s.b, s.small) + VALUE_NAME_LENGTH, MAX_VALUE_NAME + 1);
	expect_no_value(&s, s.small, "the value's name is too long");
}

static void expect_values(struct sample *s, size_t count, size_t faults)
{
	struct registry_key key;
	struct hive_fault fault;
	struct cell_list list;

	sample_open(s);
	cr_assert(registry_key_read(&s->built.hive, s->root, &s->built.arena, &key, &fault));
	cr_assert_null(registry_key_values(&key, &list));
	cr_expect_eq(list.count, count);
	cr_expect_eq(list.num_faults, faults);
	cell_list_deinit(&list);
	sample_close(s);
}

Test(registry_value, lists)
{
	struct sample s;
	uint8_t *node;

	sample_init(&s); /* count beyond the cell: room for four with the padding */
	store_u32(hive_builder_at(&s.b, s.root) + NK_VALUE_COUNT, 3 + 100);
	expect_values(&s, 3, 100);

	sample_init(&s);
	store_u32(hive_builder_at(&s.b, s.root) + NK_VALUE_COUNT, UINT32_MAX);
	expect_values(&s, 3, UINT32_MAX - 3u);

	sample_init(&s);
	store_u32(hive_builder_at(&s.b, s.root) + NK_VALUE_LIST, CELL_NONE);
	expect_values(&s, 0, 3);

	sample_init(&s);
	node = hive_builder_at(&s.b, s.root);
	store_u32(hive_builder_at(&s.b, load_u32(node + NK_VALUE_LIST)) + 4, s.small);
	expect_values(&s, 2, 1);
}

struct text_case {
	uint32_t type;
	const char *data;
	size_t size;
	const char *text;
};

Test(registry_value, text)
{
	static const struct text_case cases[] = {
		{ REG_SZ, "a\0b\0\0\0", 6, "ab" },
		{ REG_SZ, "a\0b\0", 4, "ab" },
		{ REG_SZ, "a\0\0\0b\0", 6, "a" },
		{ REG_SZ, "", 0, "" },
		{ REG_SZ, "abc", 3, "616263" },
		{ REG_EXPAND_SZ, "%\0\0\0", 4, "%" },
		{ REG_LINK, "\\\0a\0", 4, "\\a" },
		{ REG_MULTI_SZ, "a\0\0\0b\0\0\0\0\0", 10, "a\\0b" },
		{ REG_MULTI_SZ, "a\0\0\0\0\0b\0\0\0\0\0", 12, "a\\0\\0b" },
		{ REG_MULTI_SZ, "\0\0", 2, "" },
		{ REG_MULTI_SZ, "a\0", 2, "a" },
		{ REG_DWORD, "\x01\x02\0\0", 4, "513" },
		{ REG_DWORD, "\x01\x02", 2, "0102" },
		{ REG_DWORD_BIG_ENDIAN, "\0\0\x02\x01", 4, "513" },
		{ REG_QWORD, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "18446744073709551615" },
		{ REG_NONE, "\x01", 1, "01" },
		{ REG_BINARY, "\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9, "0102030405060708..." },
		{ 0x10001, "\xab", 1, "ab" },
	};
	struct arena a;

	arena_init(&a, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_str_eq(registry_data_text(&a, cases[i].type,
						    (const uint8_t *)cases[i].data, cases[i].size,
						    8),
				 cases[i].text, "case %zu", i);
	cr_expect_str_eq(registry_type_name(&a, REG_MULTI_SZ), "REG_MULTI_SZ");
	cr_expect_str_eq(registry_type_name(&a, 0xffff0011), "0xffff0011");
	arena_deinit(&a);
}
