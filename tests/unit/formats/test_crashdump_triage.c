/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "crashdump_fake.h"

static struct fake f;

static void expect_open(void)
{
	fake_expect_open(&f);
	cr_assert_not_null(f.info.triage);
}

static void expect_message(const char *part)
{
	cr_expect_not_null(strstr(f.messages, part), "expected '%s': %s", part, f.messages);
}

static bool has_bytes(uint64_t va, uint8_t value, size_t size)
{
	const uint8_t *bytes;
	size_t len;

	if (!virtmem_view(f.virt, va, &bytes, &len) || len != size)
		return false;
	return bytes[0] == value && bytes[len - 1] == value;
}

static void expect_block(const struct dump_block *block, uint64_t offset, uint64_t size)
{
	cr_expect(block->file_offset == offset && block->size == size, "0x%lx 0x%lx",
		  (unsigned long)block->file_offset, (unsigned long)block->size);
}

Test(crashdump_triage, pieces)
{
	fake_triage(&f);
	expect_open();
	const struct dump_triage *t = f.info.triage;
	expect_block(&t->mm, FAKE_TRIAGE_MM, 0x50);
	expect_block(&t->prcb, FAKE_TRIAGE_PRCB, 0x20);
	expect_block(&t->process, FAKE_TRIAGE_PROCESS, 0x10);
	expect_block(&t->thread, FAKE_TRIAGE_THREAD, 0x10);
	expect_block(&t->call_stack, FAKE_TRIAGE_STACK, 0x20);
	cr_expect(t->call_stack.va == 0xffffa70000000000 && t->stack_top == t->call_stack.va);
	cr_expect_eq(t->debugger_data_offset, FAKE_TRIAGE_DEBUGGER);
	cr_expect_eq(t->triage_options, 0x41);
	cr_expect_str_eq(f.info.subtype, "triage");
	cr_expect_str_empty(f.messages);
	cr_expect_eq(physmem_num_runs(f.mem), 0);
	fake_close(&f);
}

Test(crashdump_triage, virtual_memory)
{
	const uint8_t *bytes;
	size_t len;

	fake_triage(&f);
	expect_open();
	cr_expect_eq(virtmem_num_blocks(f.virt), 5);
	cr_expect(virtmem_view(f.virt, 0xffffa70000000000, &bytes, &len) && len == 0x20);
	cr_expect(has_bytes(0xffffa70000100000, FAKE_TRIAGE_PAGE >> 4 & 0xff, 0x10));
	cr_expect(has_bytes(0xfffff80000400000, FAKE_TRIAGE_DEBUGGER >> 4 & 0xff, 0x10));
	cr_expect(has_bytes(0xffffa70000200000, 0xaa, 0x10));
	cr_expect(has_bytes(0xffffa70000300000, 0xbb, 0x10));
	fake_close(&f);
}

Test(crashdump_triage, drivers)
{
	fake_triage(&f);
	expect_open();
	const struct dump_triage *t = f.info.triage;
	cr_assert_eq(t->num_modules, 2);
	const struct dump_module *m = t->modules;
	cr_expect_str_eq(m[0].name, "ntoskrnl.exe");
	cr_expect_null(m[0].path);
	cr_expect(m[0].base == FAKE_KERNEL && m[0].size == 0x1000000);
	cr_expect(m[0].entry_point == FAKE_KERNEL + 0x10 && m[0].checksum == 0xc0ffee);
	cr_expect(m[0].time_date_stamp == 0x5dee2b07 && m[0].file_offset == FAKE_TRIAGE_DRIVERS);
	cr_expect_str_eq(m[1].name, "drv.sys");
	cr_expect_str_eq(m[1].path, "\\??\\C:\\drv.sys");
	cr_expect_eq(f.info.hints.kernel_base, FAKE_KERNEL);
	cr_assert(t->has_unloaded && t->num_unloaded == 1);
	cr_expect_str_eq(t->unloaded[0].name, "dam.sys");
	cr_expect_eq(t->unloaded[0].start, 0xfffff80700000000);
	cr_expect_eq(t->unloaded[0].end, 0xfffff80700010000);
	fake_close(&f);
}

Test(crashdump_triage, no_kernel_without_the_module_list)
{
	fake_triage(&f);
	fake_set64(&f, 0x20, FAKE_KERNEL + 0x1000000); /* one past it */
	expect_open();
	cr_expect_eq(f.info.hints.kernel_base, 0);
	fake_close(&f);
}

Test(crashdump_triage, flags_say_what_is_there)
{
	fake_triage(&f);
	fake_set32(&f, 0x1038, 0x40);
	expect_open();
	const struct dump_triage *t = f.info.triage;
	cr_expect(!t->mm.file_offset && !t->prcb.file_offset && !t->call_stack.file_offset);
	cr_expect_eq(virtmem_num_blocks(f.virt), 0);
	cr_expect_eq(t->num_modules, 2);
	cr_expect_str_empty(f.messages);
	fake_close(&f);
	memcpy(f.bytes + 0x1038, "PAGE", 4); /* not said: what has an offset */
	expect_open();
	cr_expect_eq(virtmem_num_blocks(f.virt), 5);
	fake_close(&f);
}

Test(crashdump_triage, cut_at_every_length)
{
	fake_triage(&f);
	for (f.size = FAKE_HEADER; f.size < FAKE_TRIAGE_SIZE; f.size++) {
		struct error *err = fake_open(&f);
		if (f.size < 0x2080) {
			cr_assert_not_null(err);
			cr_expect_eq(error_code(err), ERROR_CORRUPT);
			cr_expect_not_null(strstr(error_message(err), "triage header at 0x2000"));
		} else {
			cr_assert_null(err, "%s", error_message(err));
			cr_expect_neq(f.diag.partial, 0, "%zx", f.size);
		}
		error_destroy(err);
		fake_close(&f);
	}
}

/* Each word of the triage header at its worst: it costs its own part, and not the rest. */
Test(crashdump_triage, every_field_at_maximum)
{
	static const uint32_t values[] = {
		0, 1, 0x2000, FAKE_TRIAGE_SIZE - 1, FAKE_TRIAGE_SIZE, 0x7fffffff, 0xffffffff
	};

	for (size_t offset = 0x2000; offset < 0x2080; offset += 4) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			fake_triage(&f);
			fake_set32(&f, offset, values[i]);
			expect_open();
			const struct dump_triage *t = f.info.triage;
			if (offset < 0x2030 || offset >= 0x2040)
				cr_expect_eq(t->num_modules, 2);
			if (offset < 0x2078)
				cr_expect(has_bytes(0xffffa70000200000, 0xaa, 0x10));
			fake_close(&f);
		}
	}
}

Test(crashdump_triage, broken_parts_are_said)
{
	fake_triage(&f);
	fake_set32(&f, 0x2034, 0xffffffff);
	expect_open();
	expect_message("0x2190: 4294967295 drivers, there is room for 2");
	fake_close(&f);

	fake_triage(&f);
	fake_set32(&f, FAKE_TRIAGE_DRIVERS, 0x2000); /* a name outside of the string pool */
	fake_set32(&f, FAKE_TRIAGE_STRINGS + 0x24, 0x10000);
	expect_open();
	cr_expect_null(f.info.triage->modules[0].name);
	cr_expect_null(f.info.triage->modules[1].name);
	expect_message("the names of 2 of 2 drivers are not there");
	fake_close(&f);

	fake_triage(&f);
	fake_set32(&f, FAKE_TRIAGE_UNLOADED, 0xffffffff);
	expect_open();
	cr_expect_eq(f.info.triage->num_unloaded, 1);
	expect_message("0x2158: 4294967295 unloaded drivers, there is room for 1");
	fake_close(&f);

	fake_triage(&f);
	fake_set32(&f, 0x207c, 0xffffffff);
	expect_open();
	cr_expect(has_bytes(0xffffa70000200000, 0xaa, 0x10));
	expect_message("list of data blocks at 0x2300");
	fake_close(&f);

	fake_triage(&f);
	fake_set64(&f, FAKE_TRIAGE_BLOCKS, UINT64_MAX - 1);  /* wraps */
	fake_set32(&f, FAKE_TRIAGE_BLOCKS + 28, 0xffffffff); /* ends behind the file */
	expect_open();
	expect_message(
		"2 of 2 data blocks are not wholly in the file, the first is named at 0x2300");
	cr_expect(virtmem_num_blocks(f.virt) == 4 && !has_bytes(UINT64_MAX - 1, 0xaa, 0x10));
	fake_close(&f);

	fake_triage(&f);
	memcpy(f.bytes + FAKE_TRIAGE_VALID, "DGRT", 4);
	expect_open();
	expect_message("0x2340: expected 'TRGD', found 0x54524744");
	fake_close(&f);
}
