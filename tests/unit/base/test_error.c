/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/error.h"

Test(error, new_keeps_code_and_text)
{
	struct error *err = error_new(ERROR_LIMIT, "%s: %d runs", "a.dmp", 12);
	uint64_t address = 0;

	cr_assert_eq(error_code(err), ERROR_LIMIT);
	cr_assert_str_eq(error_message(err), "a.dmp: 12 runs");
	cr_assert_eq(error_errno(err), 0);
	cr_assert(!error_address(err, &address));
	error_destroy(err);
}

Test(error, os_names_the_reason)
{
	struct error *err = error_os(ENOENT, "%s", "/no/such");

	cr_assert_eq(error_code(err), ERROR_OS);
	cr_assert_eq(error_errno(err), ENOENT);
	cr_assert_str_eq(error_message(err), "/no/such: No such file or directory");
	error_destroy(err);
}

Test(error, fault_keeps_the_address)
{
	struct error *err = error_fault(UINT64_C(0xfffff80000001000), "unmapped");
	uint64_t address;

	cr_assert_eq(error_code(err), ERROR_FAULT);
	cr_assert(error_address(err, &address));
	cr_assert_eq(address, UINT64_C(0xfffff80000001000));
	error_destroy(err);
}

Test(error, wrap_prefixes_and_keeps_the_rest)
{
	struct error *err = error_fault(0x2000, "truncated at 0x2000");
	uint64_t address;

	err = error_wrap(err, "run %d", 3);
	err = error_wrap(err, "%s", "a.dmp");
	cr_assert_str_eq(error_message(err), "a.dmp: run 3: truncated at 0x2000");
	cr_assert_eq(error_code(err), ERROR_FAULT);
	cr_assert(error_address(err, &address));
	cr_assert_eq(address, 0x2000);
	error_destroy(err);
	cr_assert_null(error_wrap(NULL, "run"));
}

Test(error, no_memory_is_static)
{
	struct error *err = error_new(ERROR_NO_MEMORY, "never %s", "shown");

	cr_assert_eq(err, &error_no_memory);
	err = error_wrap(err, "prefix");
	cr_assert_eq(err, &error_no_memory);
	cr_assert_str_eq(error_message(err), "out of memory");
	error_destroy(err);
	error_destroy(err);
	cr_assert(error_catch(&err, ERROR_NO_MEMORY));
	cr_assert_null(err);
}

Test(error, catch_takes_one_kind)
{
	struct error *err = error_new(ERROR_NOT_FOUND, "no such field");

	cr_assert(!error_catch(&err, ERROR_CORRUPT));
	cr_assert_not_null(err);
	cr_assert(error_catch(&err, ERROR_NOT_FOUND));
	cr_assert_null(err);
	cr_assert(!error_catch(&err, ERROR_NOT_FOUND));
}

Test(error, guard_frees_what_is_not_taken)
{
	CLEANUP(error_cleanup) struct error *kept = error_new(ERROR_USAGE, "freed by its guard");
	CLEANUP(error_cleanup) struct error *moved = error_new(ERROR_USAGE, "moved out");
	struct error *err = take_ptr(moved);

	cr_assert_not_null(kept);
	cr_assert_null(moved);
	error_destroy(err);
	error_destroy(NULL);
}
