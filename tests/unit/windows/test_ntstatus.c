/* SPDX-License-Identifier: MIT */
#include "windows/crash/ntstatus.h"

#include <criterion/criterion.h>

Test(ntstatus, names)
{
	static const struct {
		uint32_t status;
		const char *name;
	} rows[] = {
		{ 0, "STATUS_SUCCESS" },
		{ 0x80000003, "STATUS_BREAKPOINT" },
		{ 0xc0000005, "STATUS_ACCESS_VIOLATION" },
		{ 0xc000000e, "STATUS_NO_SUCH_DEVICE" },
		{ 0xc000001d, "STATUS_ILLEGAL_INSTRUCTION" },
		{ 0xc0000094, "STATUS_INTEGER_DIVIDE_BY_ZERO" },
		{ 0xc000009c, "STATUS_DEVICE_DATA_ERROR" },
		{ 0xc00000fd, "STATUS_STACK_OVERFLOW" },
		{ 0xc0000185, "STATUS_IO_DEVICE_ERROR" },
		{ 0xc0000409, "STATUS_STACK_BUFFER_OVERRUN" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *name = ntstatus_name(rows[i].status);

		cr_assert_not_null(name, "0x%x", rows[i].status);
		cr_expect_str_eq(name, rows[i].name);
	}
	cr_expect_null(ntstatus_name(0xdeadbeef));
	cr_expect_null(ntstatus_name(UINT32_MAX));
}

Test(ntstatus, in_64_bits)
{
	cr_expect_str_eq(ntstatus_name_64(UINT64_C(0xffffffffc0000005)), "STATUS_ACCESS_VIOLATION");
	cr_expect_str_eq(ntstatus_name_64(0xc0000005), "STATUS_ACCESS_VIOLATION");
	cr_expect_null(ntstatus_name_64(UINT64_C(0x1c0000005)));
	cr_expect_null(ntstatus_name_64(UINT64_C(0xffffffff00000000)));
}
