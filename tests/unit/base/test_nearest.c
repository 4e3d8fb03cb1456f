/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "base/nearest.h"

Test(nearest, edit_distance)
{
	char longer[100];

	cr_expect_eq(edit_distance("", ""), 0);
	cr_expect_eq(edit_distance("ps", "ps"), 0);
	cr_expect_eq(edit_distance("pss", "ps"), 1);
	cr_expect_eq(edit_distance("", "abc"), 3);
	cr_expect_eq(edit_distance("modlues", "modules"), 1);
	cr_expect_eq(edit_distance("ca", "abc"), 3);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	cr_expect_eq(edit_distance(longer, ""), 64);
	cr_expect_eq(edit_distance(longer, longer), 0);
}

static const char *nearest_of(const char *asked, const char *const *names, size_t count)
{
	struct nearest n = { .asked = asked };

	for (size_t i = 0; i < count; i++)
		nearest_offer(&n, names[i]);
	return nearest_best(&n);
}

Test(nearest, only_what_is_like_it)
{
	static const char *const names[] = { "name", "pid", "ppid", "x" };

	cr_expect_str_eq(nearest_of("nmae", names, 4), "name");
	cr_expect_str_eq(nearest_of("pidd", names, 4), "pid");
	cr_expect_str_eq(nearest_of("PID", names, 4), "pid");
	cr_expect_null(nearest_of("y", names, 4));
	cr_expect_null(nearest_of("", names, 4));
	cr_expect_null(nearest_of("frobnicate", names, 4));
	cr_expect_null(nearest_of("name", names, 0));
}
