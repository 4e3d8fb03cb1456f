/* SPDX-License-Identifier: MIT */
#include "windows/objects/access_mask.h"

#include <criterion/criterion.h>

static void expect(const char *type, uint32_t mask, const char *text)
{
	struct arena arena;

	arena_init(&arena, 0);
	cr_expect_str_eq(access_mask_text(&arena, type, mask), text);
	arena_deinit(&arena);
}

Test(access_mask, words)
{
	expect("File", 0x1f01ff, "FILE_ALL_ACCESS");
	expect("File", 0x12019f, "FILE_GENERIC_READ|FILE_GENERIC_WRITE");
	expect("File", 0x120089, "FILE_GENERIC_READ");
	expect("File", 0x100020, "FILE_EXECUTE|SYNCHRONIZE");
	expect("File", 0x110080, "FILE_READ_ATTRIBUTES|DELETE|SYNCHRONIZE");
	expect("Key", 0x20019, "KEY_READ");
	expect("Key", 0x9, "KEY_QUERY_VALUE|KEY_ENUMERATE_SUB_KEYS");
	expect("Process", 0x1478,
	       "PROCESS_VM_OPERATION|PROCESS_VM_READ|PROCESS_VM_WRITE|PROCESS_DUP_HANDLE|"
	       "PROCESS_QUERY_INFORMATION|PROCESS_QUERY_LIMITED_INFORMATION");
	expect("EtwRegistration", 0x804, "WMIGUID_NOTIFICATION|TRACELOG_REGISTER_GUIDS");
}

Test(access_mask, bits_without_a_name)
{
	expect("Event", 0x1f0007, "EVENT_ALL_ACCESS|0x4");
	expect("NoSuchType", 0x120001, "READ_CONTROL|SYNCHRONIZE|0x1");
	expect(NULL, 0x80000000, "GENERIC_READ");
	expect(NULL, 0, "0");
	expect("File", 0, "0");
}

Test(access_mask, no_memory)
{
	struct arena arena;

	arena_init(&arena, 1);
	cr_expect_null(access_mask_text(&arena, "File", 0x12019f));
	arena_deinit(&arena);
}
