/* SPDX-License-Identifier: MIT */
#include "windows/crash/bugcheck.h"

#include <criterion/criterion.h>

enum { MIN_CODES_WITH_PARAMETERS = 60 };

Test(bugcheck, names)
{
	cr_expect_str_eq(bugcheck_name(0x0a), "IRQL_NOT_LESS_OR_EQUAL");
	cr_expect_str_eq(bugcheck_name(0x1a), "MEMORY_MANAGEMENT");
	cr_expect_str_eq(bugcheck_name(0x4a), "IRQL_GT_ZERO_AT_SYSTEM_SERVICE");
	cr_expect_str_eq(bugcheck_name(0xe2), "MANUALLY_INITIATED_CRASH");
	cr_expect_str_eq(bugcheck_name(0x1c8), "MANUALLY_INITIATED_POWER_BUTTON_HOLD");
	cr_expect_str_eq(bugcheck_name(0xdeaddead), "MANUALLY_INITIATED_CRASH1");
	cr_expect_null(bugcheck_name(0xffffffff));
	cr_expect_null(bugcheck_name(0));
}

Test(bugcheck, the_mark_of_small_dumps)
{
	cr_expect_str_eq(bugcheck_name(0x1000007e), "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M");
	cr_expect_str_eq(bugcheck_name(0x1000000a), "IRQL_NOT_LESS_OR_EQUAL");
	cr_expect_eq(bugcheck_plain_code(0x1000007e), 0x7e);
	cr_expect_eq(bugcheck_plain_code(0xdeaddead), 0xdeaddead);
	cr_expect_eq(bugcheck_plain_code(0xc000021a), 0xc000021a);
	cr_expect_eq(bugcheck_layout_any(0x1000007e)->code, 0x7e);
}

Test(bugcheck, layouts_by_value)
{
	struct bugcheck b = { .code = 0x1a, .parameters = { 0x41792 } };

	cr_expect_str_eq(bugcheck_layout(&b)->cause, "a PTE is corrupt");
	b.parameters[0] = 0x402;
	cr_expect_eq(bugcheck_layout(&b), bugcheck_layout_any(0x1a));
	cr_expect_null(bugcheck_layout(&b)->parameters[1].meaning);
	b = (struct bugcheck){ .code = 0xc1, .parameters = { 1, 2, 3, 0x24 } };
	cr_expect_eq(bugcheck_layout(&b)->selector, 4);
	b = (struct bugcheck){ .code = 0xffff };
	cr_expect_null(bugcheck_layout(&b));
	cr_expect_null(bugcheck_layout_any(0xffff));
}

Test(bugcheck, words)
{
	cr_expect_str_eq(bugcheck_word(BUGCHECK_IRQL, 2), "DISPATCH_LEVEL");
	cr_expect_str_eq(bugcheck_word(BUGCHECK_ACCESS, 8), "execute");
	cr_expect_str_eq(bugcheck_word(BUGCHECK_ACCESS_50, 2), "write");
	cr_expect_str_eq(bugcheck_word(BUGCHECK_TRAP, 8), "double fault");
	cr_expect_str_eq(bugcheck_word(BUGCHECK_FAST_FAIL, 3), "FAST_FAIL_CORRUPT_LIST_ENTRY");
	cr_expect_str_eq(bugcheck_word(BUGCHECK_REGION_109, 2), "interrupt descriptor table");
	cr_expect_null(bugcheck_word(BUGCHECK_IRQL, 16));
	cr_expect_null(bugcheck_word(BUGCHECK_NUMBER, 0));
}

static bool is_new_code(size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (bugcheck_layouts[i].code == bugcheck_layouts[at].code)
			return false;
	}
	return true;
}

/* Each code has a name and, behind all rows for single values, one for any value. */
Test(bugcheck, the_table_is_whole)
{
	size_t codes = 0;

	for (size_t i = 0; i < num_bugcheck_layouts; i++) {
		const struct bugcheck_layout *l = &bugcheck_layouts[i];
		const struct bugcheck_layout *any = bugcheck_layout_any(l->code);

		cr_expect_not_null(bugcheck_name(l->code), "0x%x", l->code);
		cr_expect_leq(l->selector, MAX_BUGCHECK_PARAMETERS);
		cr_expect(any && any->cause, "0x%x", l->code);
		codes += is_new_code(i);
	}
	cr_expect_geq(codes, MIN_CODES_WITH_PARAMETERS);
}

Test(bugcheck, every_row_is_reached)
{
	for (size_t i = 0; i < num_bugcheck_layouts; i++) {
		const struct bugcheck_layout *l = &bugcheck_layouts[i], *found;
		struct bugcheck b = { .code = l->code };

		if (!l->selector)
			continue;
		b.parameters[l->selector - 1] = l->value;
		found = bugcheck_layout(&b);
		cr_expect(found && found->selector == l->selector && found->value == l->value,
			  "0x%x, 0x%lx", l->code, (unsigned long)l->value);
	}
}
