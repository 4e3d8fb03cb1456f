/* SPDX-License-Identifier: MIT */
#include "windows/convention.h"

#include "arch/amd64/descriptors.h"
#include "arch/amd64/interrupts.h"
#include "fake_space.h"
#include "tests/unit/arch/fake_tables.h"
#include "windows/struct_layout.h"

#define STACK (FAKE_BASE + 0x100)
#define LOW   UINT64_C(0x10000) /* where 32-bit pointers reach */

static struct fake_space fake;

static struct registers in_function(uint16_t access)
{
	return (struct registers){
		.known = REGS_GENERAL | REGS_SEGMENTS | REGS_SELECTORS,
		.rax = 0xa,
		.rcx = 0xc,
		.rdx = 0xd,
		.r8 = 8,
		.r9 = 9,
		.r10 = 10,
		.rip = UINT64_C(0xfffff80000001000),
		.rsp = STACK,
		.cs = { .selector = 0x10, .access = access },
	};
}

static void open_stack(void)
{
	memset(&fake, 0, sizeof(fake));
	for (unsigned i = 0; i < 32; i++)
		fake_put_u64(&fake, STACK + i * 8, (uint64_t)(i * 2 + 1) << 32 | i * 2);
	fake_show(&fake, FAKE_BASE, STACK + 0x40);
	fake_open(&fake);
}

Test(convention, arguments_of_64_bit_code)
{
	static const uint64_t in_registers[] = { 0xc, 0xd, 8, 9 };
	struct registers r = in_function(SEGMENT_PRESENT | SEGMENT_LONG);
	struct fault fault;
	uint64_t value;

	open_stack();
	for (unsigned i = 0; i < 7; i++) {
		uint64_t want =
			i < 4 ? in_registers[i] : (uint64_t)((i + 1) * 2 + 1) << 32 | (i + 1) * 2;

		cr_assert(function_argument(&r, fake.space, i, &value, NULL));
		cr_assert_eq(value, want, "%u", i);
		cr_assert(syscall_argument(&r, fake.space, i, &value, NULL));
		cr_assert_eq(value, i ? want : 10, "%u", i);
	}
	cr_assert_not(function_argument(&r, fake.space, 7, &value, &fault));
	cr_assert_eq(fault.va, STACK + 0x40);
	cr_assert_not(syscall_argument(&r, fake.space, UINT32_MAX, &value, &fault));
	cr_assert(function_return_value(&r, &value) && value == 0xa);
	r.known = 0;
	cr_assert_not(function_argument(&r, fake.space, 0, &value, &fault));
	cr_assert_eq(fault.va, 0);
	cr_assert_not(syscall_argument(&r, fake.space, 0, &value, NULL));
	cr_assert_not(function_return_value(&r, &value));
	fake_close(&fake);
}

Test(convention, arguments_of_32_bit_code)
{
	struct registers r = in_function(SEGMENT_PRESENT);
	uint64_t value;

	open_stack();
	for (unsigned i = 0; i < 15; i++) {
		cr_assert(function_argument(&r, fake.space, i, &value, NULL));
		cr_assert_eq(value, i + 1, "%u", i);
	}
	cr_assert_not(function_argument(&r, fake.space, 15, &value, NULL));
	fake_close(&fake);
}

/* Formats that keep selectors without access words: Windows' own are fixed. */
Test(convention, code_width_by_selector)
{
	struct registers r = { .known = REGS_GENERAL | REGS_SELECTORS | REGS_EFER,
			       .efer = EFER_LME,
			       .rip = 0x401000 };
	unsigned width;

	r.cs.selector = 0x23;
	cr_assert(windows_code_width(&r, NULL, &width) && width == 4);
	r.cs.selector = 0x33;
	cr_assert(windows_code_width(&r, NULL, &width) && width == 8);
	r.cs.selector = 0x10;
	cr_assert(windows_code_width(&r, NULL, &width) && width == 8);
	r.cs.selector = 0x48;
	cr_assert_not(windows_code_width(&r, NULL, &width));
	r.known = REGS_GENERAL;
	cr_assert_not(windows_code_width(&r, NULL, &width));
}

Test(convention, current_kpcr)
{
	struct registers r = { .known = REGS_SELECTORS | REGS_GS_BASE | REGS_KERNEL_GS,
			       .cs.selector = 0x10,
			       .gs.base = UINT64_C(0xfffff80012340000),
			       .kernel_gs_base = 0x7ff000 };
	uint64_t kpcr;

	cr_assert(current_kpcr(&r, &kpcr) && kpcr == r.gs.base);
	r.gs.base = UINT64_C(0xff20000012304000); /* five levels: bit 47 is clear */
	cr_assert(current_kpcr(&r, &kpcr) && kpcr == r.gs.base);
	r.cs.selector = 0x33;
	cr_assert_not(current_kpcr(&r, &kpcr), "the other base is the TEB's");
	r.kernel_gs_base = UINT64_C(0xfffff80012350000);
	cr_assert(current_kpcr(&r, &kpcr) && kpcr == r.kernel_gs_base);
	r.cs.selector = 0x10; /* before SWAPGS */
	r.gs.base = 0x7ff000;
	cr_assert(current_kpcr(&r, &kpcr) && kpcr == r.kernel_gs_base);
	r.known = REGS_SELECTORS;
	cr_assert_not(current_kpcr(&r, &kpcr));
}

Test(convention, names)
{
	cr_assert_str_eq(windows_vector_name(0x1f), "APC");
	cr_assert_str_eq(windows_vector_name(0x2f), "DPC");
	cr_assert_str_eq(windows_vector_name(14), "page fault");
	cr_assert_null(windows_vector_name(0x80));
	cr_assert_str_eq(windows_selector_name(0x33), "64-bit code");
	cr_assert_str_eq(windows_selector_name(0x23), "32-bit code");
	cr_assert_null(windows_selector_name(0x38));
}

Test(convention, dtb_to_root)
{
	cr_assert_eq(dtb_to_root(UINT64_C(0x80000000001ad002)), 0x1ad000);
	cr_assert_eq(dtb_to_root(UINT64_MAX), UINT64_C(0x000ffffffffff000));
}

Test(convention, present_or_in_transition)
{
	static struct fake_machine machine;
	struct space *s;

	set_entry(&machine, 1, 0, PAGE(2) | TABLE);
	set_entry(&machine, 2, 0, PAGE(3) | TABLE);
	set_entry(&machine, 2, 1, PTE_LARGE | TABLE); /* 1 GiB */
	set_entry(&machine, 3, 0, PAGE(4) | TABLE);
	set_entry(&machine, 3, 1, PTE_LARGE | TABLE); /* 2 MiB */
	set_entry(&machine, 4, 0, PAGE(7) | TABLE);
	set_entry(&machine, 4, 1, PAGE(8) | WINDOWS_PTE_TRANSITION);
	set_entry(&machine, 4, 2, PAGE(8) | WINDOWS_PTE_TRANSITION | WINDOWS_PTE_PROTOTYPE);
	set_entry(&machine, 4, 3, UINT64_C(0x12345) << 32);	 /* page file */
	set_entry(&machine, 4, 4, UINT64_C(0x12345000) | TABLE); /* not captured */
	s = open_machine(&machine, PAGE(1), 4, &windows_soft_pte);
	cr_assert(is_page_present_or_transition(s, 0x0fff));
	cr_assert(is_page_present_or_transition(s, 0x1000));
	cr_assert_not(is_page_present_or_transition(s, 0x2000));
	cr_assert_not(is_page_present_or_transition(s, 0x3000));
	cr_assert(is_page_present_or_transition(s, 0x4000));
	cr_assert_not(is_page_present_or_transition(s, 0x5000));
	cr_assert(is_page_present_or_transition(s, 0x200000));
	cr_assert(is_page_present_or_transition(s, 0x40000000));
	cr_assert_not(is_page_present_or_transition(s, 0x80000000));
	cr_assert_not(is_page_present_or_transition(s, UINT64_C(0x8000000000000000)));
	close_machine(&machine);
}

/* Symbols of a kernel: two rows. */
static bool fake_symbol(const struct profile_source *src, const char *name, uint64_t *rva_ret)
{
	(void)src;
	if (strcmp(name, "KiSystemCall64") == 0)
		*rva_ret = 0x400100;
	else if (strcmp(name, "KiSystemCall64Shadow") == 0)
		*rva_ret = 0xa13180;
	else
		return false;
	return true;
}

static bool no_field(const struct profile_source *src, const char *type, const char *path,
		     struct field *ret)
{
	(void)src, (void)type, (void)path, (void)ret;
	return false;
}

static void keep(struct profile_source *src)
{
	(void)src;
}

Test(convention, kernel_image_base)
{
	static const struct profile_source_ops ops = {
		.kind = "fake", .symbol = fake_symbol, .field = no_field, .destroy = keep
	};
	struct profile_source source = { .ops = &ops };
	struct kernel k = { .loc.base = UINT64_C(0xfffff80042a00000) };
	struct registers r = { .known = REGS_SYSCALL };
	struct entry_check check;

	cr_assert_null(profile_from_source(&source, 19041, &k.profile));
	r.lstar = k.loc.base + 0x400100;
	cr_assert(kernel_image_base(&k, &r, &check));
	cr_assert(check.agrees && check.base == k.loc.base);
	cr_assert_str_eq(check.symbol, "KiSystemCall64");
	r.lstar = k.loc.base + 0xa13180; /* KVA shadow */
	cr_assert(kernel_image_base(&k, &r, &check) && check.agrees);
	cr_assert_str_eq(check.symbol, "KiSystemCall64Shadow");
	r.lstar += 0x1000; /* a hook, or another kernel */
	cr_assert(kernel_image_base(&k, &r, &check) && !check.agrees);
	cr_assert_eq(check.base, k.loc.base + 0x1000);
	r.lstar = 0;
	cr_assert_not(kernel_image_base(&k, &r, &check));
	r.known = 0;
	cr_assert_not(kernel_image_base(&k, &r, &check));
	profile_close(k.profile);
}

Test(convention, structures_of_both_widths)
{
	static const char text[] = { 'a', 0, 'b', 0 };
	struct arena arena;
	struct fault fault;
	uint64_t va;
	char *name;

	arena_init(&arena, 0);
	memset(&fake, 0, sizeof(fake));
	fake_put_u64(&fake, FAKE_BASE, UINT64_C(0x1122334455667788));
	fake_put_u64(&fake, FAKE_BASE + 0x10, 4 | 4 << 16);
	fake_put_u64(&fake, FAKE_BASE + 0x18, FAKE_BASE + 0x40);
	fake_put_u64(&fake, FAKE_BASE + 0x20, 4 | 4 << 16 | (LOW + 0x40) << 32);
	memcpy(fake.bytes + 0x40, text, sizeof(text));
	fake_show(&fake, FAKE_BASE, FAKE_BASE + 0x44);
	cr_assert_null(virtmem_add(fake.mem, LOW, 0x44, &fake.file, 0));
	fake_open(&fake);
	cr_assert(layout_read_va(&struct_layout64, fake.space, FAKE_BASE, &va, NULL));
	cr_assert_eq(va, UINT64_C(0x1122334455667788));
	cr_assert(layout_read_va(&struct_layout32, fake.space, FAKE_BASE, &va, NULL));
	cr_assert_eq(va, 0x55667788);
	cr_assert(layout_read_va(&struct_layout32, fake.space, FAKE_BASE + 0x40, &va, NULL));
	cr_assert_not(layout_read_va(&struct_layout64, fake.space, FAKE_BASE + 0x40, &va, &fault));
	cr_assert_eq(fault.va, FAKE_BASE + 0x44);
	cr_assert(layout_read_unicode_string(&struct_layout64, fake.space, FAKE_BASE + 0x10, &arena,
					     &name, &fault));
	cr_assert_str_eq(name, "ab");
	cr_assert(layout_read_unicode_string(&struct_layout32, fake.space, LOW + 0x20, &arena,
					     &name, &fault));
	cr_assert_str_eq(name, "ab");
	cr_assert_eq(struct_layout_of_width(4), &struct_layout32);
	cr_assert_eq(struct_layout_of_width(8), &struct_layout64);
	cr_assert_null(struct_layout_of_width(2));
	fake_close(&fake);
	arena_deinit(&arena);
}
