/* SPDX-License-Identifier: MIT */
#include "cli/names.h"

#include <criterion/criterion.h>

Test(names, modules)
{
	cr_expect_str_eq(names_without_module("nt!_EPROCESS"), "_EPROCESS");
	cr_expect_str_eq(names_without_module("NT!x"), "x");
	cr_expect_str_eq(names_without_module("nt"), "nt");
	cr_expect_str_eq(names_without_module("nt!"), "");
	cr_expect_str_eq(names_without_module("ntfs!x"), "ntfs!x");
	cr_expect_str_eq(names_without_module(""), "");
}

Test(names, words_match_anywhere)
{
	cr_expect(names_match("process", "PsGetCurrentProcess"));
	cr_expect(names_match("", "x"));
	cr_expect_not(names_match("processes", "PsGetCurrentProcess"));
	cr_expect_not(names_match("[Ps]", "PsGetCurrentProcess"));
}

Test(names, patterns_match_the_whole_name)
{
	cr_expect_not(names_is_pattern("_EPROCESS"));
	cr_expect(names_is_pattern("*") && names_is_pattern("a?"));
	cr_expect(names_match("ps*process", "PsGetCurrentProcess"));
	cr_expect_not(names_match("ps*current", "PsGetCurrentProcess"));
	cr_expect(names_match("?sGet*", "PsGetCurrentProcess"));
	cr_expect_not(names_match("?PsGet*", "PsGetCurrentProcess"));
	cr_expect(names_match("*", ""));
	cr_expect(names_match("a\\*", "a\\b"));
}
