/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "fake_kernel.h"
#include "fake_machine.h"
#include "windows/locate/private.h"

static struct fake_machine m;
static struct locate_options options;

static void setup(void)
{
	fake_machine_init(&m);
	options = (struct locate_options){ .quiet = true };
}

static void teardown(void)
{
	fake_machine_deinit(&m);
}

TestSuite(locate, .init = setup, .fini = teardown, .timeout = 120);

/* The fake's kernel, by the strategy named, under root. */
static void expect_kernel(unsigned strategies, const char *by, uint64_t root, unsigned levels)
{
	struct kernel_location loc;
	struct error *err = locate_with(&m.snap, &options, strategies, &loc);

	cr_assert_null(err, "%s", error_message(err));
	cr_expect_str_eq(loc.located_by, by);
	cr_expect_eq(loc.root, root, "root 0x%llx", (unsigned long long)loc.root);
	cr_expect_eq(loc.levels, levels);
	cr_expect_eq(loc.base, FAKE_KERNEL_BASE);
	cr_expect_eq(loc.size, (uint64_t)FAKE_KERNEL_SIZE);
	cr_expect(loc.has_pe);
	cr_assert_gt(loc.num_trail, 0);
	cr_expect(loc.trail[loc.num_trail - 1].won);
	kernel_location_deinit(&loc);
}

static void expect_error(unsigned strategies, enum error_code code, const char *part)
{
	struct kernel_location loc;
	struct error *err = locate_with(&m.snap, &options, strategies, &loc);

	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), code);
	cr_expect_not_null(strstr(error_message(err), part), "'%s' lacks '%s'", error_message(err),
			   part);
	error_destroy(err);
}

Test(locate, registers_by_lstar)
{
	fake_machine_add_cpu(&m, FAKE_ROOT, 4);
	m.regs.known |= REGS_SYSCALL;
	m.regs.lstar = FAKE_ENTRY;
	fake_machine_open(&m, NULL);
	expect_kernel(1 << STRATEGY_REGISTERS, "registers", FAKE_ROOT, 4);
	expect_kernel(ALL_STRATEGIES, "registers", FAKE_ROOT, 4);
}

Test(locate, registers_by_kpcr_alone)
{
	fake_machine_add_cpu(&m, FAKE_ROOT, 4);
	fake_machine_open(&m, NULL);
	expect_kernel(1 << STRATEGY_REGISTERS, "registers", FAKE_ROOT, 4);
}

/* KVA shadow: CR3 is the user root, the kernel's is in KPCR. */
Test(locate, registers_in_the_user_root)
{
	fake_machine_add_cpu(&m, FAKE_USER_ROOT | 1, 4);
	fake_machine_open(&m, NULL);
	expect_kernel(1 << STRATEGY_REGISTERS, "registers", FAKE_ROOT, 4);
}

/* ... or is the table next to it. */
Test(locate, registers_next_to_the_user_root)
{
	memmove(m.bytes + FAKE_ROOT - 0x1000, m.bytes + FAKE_USER_ROOT, 0x1000);
	store_u64(m.bytes + FAKE_SHADOW_PA, 0);
	fake_machine_add_cpu(&m, FAKE_ROOT - 0x1000, 4);
	fake_machine_open(&m, NULL);
	expect_kernel(1 << STRATEGY_REGISTERS, "registers", FAKE_ROOT, 4);
}

Test(locate, header_hints)
{
	m.snap.info.hints =
		(struct dump_hints){ .dtb = FAKE_ROOT, .ps_loaded_module_list = FAKE_ENTRY };
	fake_machine_open(&m, NULL);
	expect_kernel(1 << STRATEGY_REGISTERS, "registers", FAKE_ROOT, 4);
}

/* The header page is mapped but not captured: KDBG knows the base. */
Test(locate, header_kdbg_when_the_image_header_is_absent)
{
	static const uint64_t absent[] = { FAKE_IMAGE_PA, 0 };
	struct kernel_location loc;

	m.snap.info.hints =
		(struct dump_hints){ .dtb = FAKE_ROOT, .kdbg = FAKE_KERNEL_BASE + FAKE_KDBG };
	fake_machine_open(&m, absent);
	struct error *err = locate_with(&m.snap, &options, ALL_STRATEGIES, &loc);

	cr_assert_null(err, "%s", error_message(err));
	cr_expect_eq(loc.base, FAKE_KERNEL_BASE);
	cr_expect_eq(loc.root, (uint64_t)FAKE_ROOT);
	cr_expect_not(loc.has_pe);
	cr_expect_eq(loc.size, 0);
	cr_expect_str_eq(loc.how_sure, "KDBG, self-map, KUSER_SHARED_DATA");
	kernel_location_deinit(&loc);
}

Test(locate, five_levels_known_and_unknown)
{
	fake_machine_add_cpu(&m, FAKE_PML5, 5);
	m.snap.info.hints.ps_loaded_module_list = FAKE_ENTRY;
	store_u64(m.bytes + FAKE_SYSTEM_PA + 0x80 + 0x28, FAKE_PML5);
	fake_machine_open(&m, NULL);
	expect_kernel(1 << STRATEGY_REGISTERS, "registers", FAKE_PML5, 5);
	m.regs.known = REGS_CR3;
	expect_kernel(1 << STRATEGY_REGISTERS, "registers", FAKE_PML5, 5);
	expect_kernel(1 << STRATEGY_PHYSICAL, "physical", FAKE_PML5, 5);
}

Test(locate, idt)
{
	fake_machine_add_cpu(&m, FAKE_ROOT, 4);
	m.regs.known |= REGS_TABLES;
	m.regs.idtr.base = FAKE_IDT_VA;
	fake_machine_open(&m, NULL);
	expect_kernel(1 << STRATEGY_IDT, "idt", FAKE_ROOT, 4);
	m.regs.known &= ~(unsigned)REGS_TABLES; /* KPCR has it too */
	expect_kernel(1 << STRATEGY_IDT, "idt", FAKE_ROOT, 4);
}

Test(locate, low_stub)
{
	fake_machine_open(&m, NULL);
	expect_kernel(1 << STRATEGY_LOW_STUB, "low-stub", FAKE_ROOT, 4);
	expect_kernel(ALL_STRATEGIES, "low-stub", FAKE_ROOT, 4);
}

/* The stub's root may be the loader's or a process'; System's own replaces it. */
Test(locate, low_stub_with_another_root_gives_systems)
{
	store_u64(m.bytes + FAKE_STUB_PA + 0xa0, FAKE_STALE_ROOT);
	fake_machine_open(&m, NULL);
	expect_kernel(1 << STRATEGY_LOW_STUB, "low-stub", FAKE_ROOT, 4);
}

Test(locate, self_map_prefers_systems_root)
{
	fake_machine_open(&m, NULL);
	for (options.threads = 1; options.threads <= 4; options.threads++)
		expect_kernel(1 << STRATEGY_SELF_MAP, "self-map", FAKE_ROOT, 4);
}

/* Without exports nobody knows System's root: the lowest table that maps the kernel. */
Test(locate, self_map_without_exports)
{
	static const uint64_t absent[] = { FAKE_IMAGE_PA + 0x1000, 0 };

	fake_machine_open(&m, absent);
	expect_kernel(1 << STRATEGY_SELF_MAP, "self-map", FAKE_STALE_ROOT, 4);
}

Test(locate, physical_by_system_process)
{
	fake_machine_open(&m, NULL);
	for (options.threads = 1; options.threads <= 4; options.threads++)
		expect_kernel(1 << STRATEGY_PHYSICAL, "physical", FAKE_ROOT, 4);
}

Test(locate, physical_by_codeview_record)
{
	memset(m.bytes + FAKE_SYSTEM_PA + 0x80 + 0x5a8, 0, 8);
	fake_machine_open(&m, NULL);
	expect_kernel(1 << STRATEGY_PHYSICAL, "physical", FAKE_ROOT, 4);
}

Test(locate, physical_names_records_that_lead_nowhere)
{
	static const uint64_t absent[] = { FAKE_SYSTEM_PA, FAKE_IMAGE_PA + 0x1000, 0 };

	fake_machine_open(&m, absent);
	expect_error(1 << STRATEGY_PHYSICAL, ERROR_NOT_FOUND,
		     "its image at 0x28000 was not loaded (ImageBase 0x140000000)");
	expect_error(1 << STRATEGY_PHYSICAL, ERROR_NOT_FOUND, "0x30100: no image around it");
}

Test(locate, dtb_is_validated)
{
	fake_machine_open(&m, NULL);
	options.has_dtb = true;
	options.dtb = FAKE_STALE_ROOT | 5;
	expect_kernel(ALL_STRATEGIES, "options", FAKE_STALE_ROOT, 4);
	options.dtb = FAKE_PDPT;
	expect_error(ALL_STRATEGIES, ERROR_NOT_FOUND, "--dtb 0x11000, 4 levels: no MZ page");
	options.dtb = UINT64_C(0x123456789000);
	expect_error(ALL_STRATEGIES, ERROR_NOT_FOUND, "the table is not in the snapshot");
}

Test(locate, kernel_base_is_validated)
{
	fake_machine_open(&m, NULL);
	options.has_kernel_base = true;
	options.kernel_base = FAKE_KERNEL_BASE;
	expect_kernel(ALL_STRATEGIES, "low-stub", FAKE_ROOT, 4);
	options.kernel_base = FAKE_KERNEL_BASE + 0x1000;
	expect_error(ALL_STRATEGIES, ERROR_NOT_FOUND, "0xfffff80000201000: no MZ page");
	options.kernel_base = 0x140000000;
	expect_error(ALL_STRATEGIES, ERROR_USAGE, "0x140000000 is not a kernel address");
}

Test(locate, sections_stand_in_for_an_absent_codeview_and_exports)
{
	static const uint64_t absent[] = { FAKE_IMAGE_PA + 0x1000, 0 };

	fake_machine_open(&m, absent);
	expect_kernel(1 << STRATEGY_LOW_STUB, "low-stub", FAKE_ROOT, 4);
}

Test(locate, a_copy_of_the_file_is_not_the_kernel)
{
	static const uint64_t absent[] = { FAKE_COPY_PA + 0x1000, 0 };

	for (unsigned i = 0; i < 3; i++)
		store_u64(m.bytes + FAKE_PT + 8 * i, (FAKE_COPY_PA + 0x1000 * i) | 0x63);
	fake_machine_open(&m, absent);
	expect_error(1 << STRATEGY_LOW_STUB, ERROR_NOT_FOUND, "a copy of the file");
}

Test(locate, other_images_are_named_in_the_error)
{
	memcpy(m.bytes + FAKE_IMAGE_PA + FAKE_RSDS + 24, "hal.pdb\0", 8);
	fake_machine_open(&m, NULL);
	expect_error(1 << STRATEGY_LOW_STUB, ERROR_NOT_FOUND, "CodeView names 'hal.pdb'");
	expect_error(ALL_STRATEGIES, ERROR_NOT_FOUND, "registers: the snapshot has no CR3");
}

Test(locate, hints_at_the_ends_of_the_address_space)
{
	static const uint64_t addresses[] = {
		0, 1, 0xfff, UINT64_MAX, UINT64_C(0xff00000000000000), UINT64_C(0xffff800000000000)
	};
	struct pe_image pe;
	struct codeview cv;
	struct space *s;
	bool has_codeview;

	fake_machine_open(&m, NULL);
	struct error *err = space_create_amd64(m.snap.mem, FAKE_ROOT, 4, NULL, NULL, &s);

	cr_assert_null(err);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		cr_expect_not(find_kernel(s, addresses[i], &pe, &cv, &has_codeview));
	cr_assert(find_kernel(s, FAKE_KERNEL_BASE, &pe, &cv, &has_codeview));
	cr_expect(has_codeview);
	cr_expect_str_eq(cv.name, "ntkrnlmp.pdb");
	cr_expect(find_kernel(s, FAKE_KERNEL_BASE + (32 << 20), &pe, &cv, &has_codeview));
	cr_expect_not(
		find_kernel(s, FAKE_KERNEL_BASE + (32 << 20) + 4096, &pe, &cv, &has_codeview));
	space_destroy(s);
}

Test(locate, any_page_may_be_absent)
{
	for (uint64_t pa = 0x1000; pa < FAKE_MEMORY; pa += 0x1000) {
		struct fake_machine other;
		struct kernel_location loc;
		uint64_t absent[] = { pa, 0 };

		fake_machine_init(&other);
		fake_machine_open(&other, absent);
		struct error *err = locate_with(&other.snap, &options, ALL_STRATEGIES, &loc);
		bool needed =
			pa == FAKE_PDPT || pa == FAKE_PD || pa == FAKE_PT || pa == FAKE_IMAGE_PA;

		cr_expect_eq(err == NULL, !needed, "without 0x%llx: %s", (unsigned long long)pa,
			     err ? error_message(err) : "found");
		if (!err) {
			cr_expect_eq(loc.base, FAKE_KERNEL_BASE);
			kernel_location_deinit(&loc);
		}
		error_destroy(err);
		fake_machine_deinit(&other);
	}
	fake_machine_open(&m, NULL);
}

/* Every page is a table whose every entry points to the next page, and to itself. */
Test(locate, a_maze_of_tables_ends)
{
	for (uint64_t pa = 0; pa < FAKE_MEMORY; pa += 0x1000)
		for (unsigned i = 0; i < 512; i++)
			store_u64(m.bytes + pa + 8 * i,
				  (i == 0x1f0 ? (pa + 0x1000) % FAKE_MEMORY : pa) | 0x63);
	fake_machine_open(&m, NULL);
	expect_error(ALL_STRATEGIES, ERROR_NOT_FOUND, "self-map");
}
