/* SPDX-License-Identifier: MIT */
#include "arch/arch.h"

#include "tests/unit/windows/fake_space.h"

Test(architecture, constants)
{
	cr_assert_str_eq(arch_amd64.name, "amd64");
	cr_assert_eq(arch_amd64.page_size, 0x1000);
	cr_assert_eq(arch_amd64.page_shift, 12);
	cr_assert_eq(arch_amd64.page_mask, UINT64_C(0xfffffffffffff000));
	cr_assert_eq(arch_amd64.address_width, 8);
	cr_assert_eq(arch_amd64.breakpoint_size, 1);
	cr_assert_eq(arch_amd64.breakpoint[0], 0xcc);
	cr_assert_eq(arch_amd64.top_level, LEVEL_PML5);
	for (enum page_level l = LEVEL_PT; l <= arch_amd64.top_level; l++)
		cr_assert_eq(arch_amd64.levels[l].shift, 12 + 9 * (l - LEVEL_PT));
}

Test(architecture, frames)
{
	cr_assert_eq(gfn_from_pa(0x12345fff), 0x12345);
	cr_assert_eq(pa_from_gfn(0x12345), 0x12345000);
	cr_assert_eq(pa_offset(0x12345fff), 0xfff);
	cr_assert_eq(gfn_from_pa(UINT64_MAX), UINT64_C(0xfffffffffffff));
}

/* The last page is where sums wrap: down and offset stay in it, up has no answer. */
Test(architecture, last_page_of_the_space)
{
	for (enum page_level l = LEVEL_PT; l <= LEVEL_PML5; l++) {
		uint64_t mask = level_size(l) - 1, up = 7;

		cr_assert_eq(va_align_down(UINT64_MAX, l), ~mask);
		cr_assert_eq(va_offset(UINT64_MAX, l), mask);
		cr_assert_eq(va_index(UINT64_MAX, l), 0x1ff);
		cr_assert_not(va_align_up(UINT64_MAX, l, &up));
		cr_assert_eq(up, 0);
		cr_assert(va_align_up(~mask, l, &up) && up == ~mask);
		cr_assert(va_align_up(1, l, &up) && up == mask + 1);
	}
}

Test(architecture, breakpoints)
{
	static struct fake_space fake;
	struct fault fault;

	fake.bytes[0x10] = 0xcc;
	fake_show(&fake, FAKE_BASE, FAKE_BASE + 0x20);
	fake_open(&fake);
	cr_assert(arch_breakpoint_at(&arch_amd64, fake.space, FAKE_BASE + 0x10, NULL));
	cr_assert_not(arch_breakpoint_at(&arch_amd64, fake.space, FAKE_BASE + 0x11, &fault));
	cr_assert_eq(fault.va, 0);
	cr_assert_not(arch_breakpoint_at(&arch_amd64, fake.space, FAKE_BASE + 0x20, &fault));
	cr_assert_eq(fault.va, FAKE_BASE + 0x20);
	fake_close(&fake);
}

Test(architecture, vectors)
{
	static const unsigned with_error_code[] = { 8, 10, 11, 12, 13, 14, 17, 21 };
	unsigned count = 0;

	for (unsigned v = 0; v < NUM_VECTORS; v++)
		count += vector_has_error_code(v);
	cr_assert_eq(count, ARRAY_SIZE(with_error_code));
	for (size_t i = 0; i < ARRAY_SIZE(with_error_code); i++)
		cr_assert(vector_has_error_code(with_error_code[i]));
	cr_assert_str_eq(vector_name(VECTOR_PAGE_FAULT), "page fault");
	cr_assert_str_eq(vector_rows[VECTOR_PAGE_FAULT].mnemonic, "#PF");
	cr_assert_null(vector_name(15));
	cr_assert_null(vector_name(32));
	cr_assert_null(vector_name(UINT32_MAX));
	cr_assert_eq(vector_interrupt_type(3), INTERRUPT_SOFTWARE_EXCEPTION);
	cr_assert_eq(vector_interrupt_type(2), INTERRUPT_NMI);
	cr_assert_eq(vector_interrupt_type(14), INTERRUPT_HARDWARE_EXCEPTION);
	cr_assert_eq(vector_interrupt_type(0xd1), INTERRUPT_EXTERNAL);
	cr_assert_str_eq(interrupt_type_name(INTERRUPT_SOFTWARE_EXCEPTION), "software_exception");
	cr_assert_null(interrupt_type_name(1));
	cr_assert_null(interrupt_type_name(7));
}

Test(architecture, page_fault_error_codes)
{
	cr_assert_eq(page_fault_access(0), ACCESS_READ);
	cr_assert_eq(page_fault_access(PAGE_FAULT_PRESENT | PAGE_FAULT_USER), ACCESS_READ);
	cr_assert_eq(page_fault_access(PAGE_FAULT_WRITE), ACCESS_WRITE);
	cr_assert_eq(page_fault_access(PAGE_FAULT_EXECUTE | PAGE_FAULT_USER), ACCESS_EXECUTE);
	cr_assert_str_eq(access_kind_name(ACCESS_EXECUTE), "execute");
	cr_assert_null(access_kind_name(ACCESS_UNKNOWN));
	cr_assert_null(access_kind_name(9));
}
