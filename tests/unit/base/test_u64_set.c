/* SPDX-License-Identifier: MIT */
#include "base/u64_set.h"

#include <criterion/criterion.h>

enum { COUNT = 10000 };

static bool add(struct u64_set *s, uint64_t value)
{
	bool is_new = false;

	cr_assert_null(u64_set_add(s, value, &is_new));
	return is_new;
}

Test(u64_set, empty)
{
	struct u64_set s = { 0 };

	cr_expect_not(u64_set_has(&s, 0));
	cr_expect_not(u64_set_has(&s, 1));
	u64_set_deinit(&s);
}

Test(u64_set, each_value_once)
{
	struct u64_set s = { 0 };

	for (uint64_t i = 0; i < COUNT; i++)
		cr_expect(add(&s, i << 12));
	for (uint64_t i = 0; i < COUNT; i++) {
		cr_expect_not(add(&s, i << 12));
		cr_expect(u64_set_has(&s, i << 12));
		cr_expect_not(u64_set_has(&s, i << 12 | 8));
	}
	u64_set_deinit(&s);
	cr_expect_not(u64_set_has(&s, 0));
	cr_expect_not(u64_set_has(&s, 1 << 12));
}

Test(u64_set, extremes)
{
	struct u64_set s = { 0 };

	cr_expect(add(&s, 0));
	cr_expect_not(add(&s, 0));
	cr_expect(add(&s, UINT64_MAX));
	cr_expect_not(add(&s, UINT64_MAX));
	cr_expect(u64_set_has(&s, UINT64_MAX));
	u64_set_deinit(&s);
}
