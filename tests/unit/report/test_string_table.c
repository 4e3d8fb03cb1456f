/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>

#include "report/string_table.h"

Test(string_table, each_once)
{
	static const char *const words[] = { "a", "", "b", "a", "", "ab" };
	static const size_t numbers[] = { 0, 1, 2, 0, 1, 3 };
	struct string_table t;
	size_t number;

	string_table_init(&t);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		cr_assert_null(string_table_add(&t, words[i], &number));
		cr_assert_eq(number, numbers[i]);
	}
	cr_assert_eq(t.count, 4u);
	string_table_deinit(&t);
}

Test(string_table, grows)
{
	enum { COUNT = 20000 };
	struct string_table t;
	char word[16];
	size_t number;

	string_table_init(&t);
	for (unsigned i = 0; i < 2 * COUNT; i++) {
		snprintf(word, sizeof(word), "%u", i % COUNT);
		cr_assert_null(string_table_add(&t, word, &number));
		cr_assert_eq(number, i % COUNT);
	}
	cr_assert_eq(t.count, (size_t)COUNT);
	cr_assert_str_eq(t.items[COUNT - 1], "19999");
	string_table_deinit(&t);
}
