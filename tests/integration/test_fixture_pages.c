/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "formats/format.h"

/*
 * The same memory in every format: what the readers give is compared with the raw fixture, where
 * the offset is the address, byte for byte.
 */
struct row {
	char file[40], format[20];
	uint64_t pages, overlap;
	uint32_t num_cpus, num_registers;
};

static struct row rows[] = {
	{ "small-windows.elf", "elf-core", 414, 0, 1, 1 },
	{ "small-windows.elf-sparse", "elf-core", 94, 0, 1, 1 },
	{ "small-windows.elf-unsorted", "elf-core", 94, PAGE_SIZE, 1, 1 },
	{ "small-windows.elf-xnum", "elf-core", 94, 0, 1, 1 },
	{ "small-windows.elf-short", "elf-core", 414, 0, 1, 1 },
	{ "small-windows.elf-qemu", "elf-core", 414, 0, 1, 1 },
	{ "small-windows.virtualbox", "virtualbox-core", 414, 0, 1, 1 },
	{ "small-windows.xen", "xen-core", 94, 0, 1, 1 },
	{ "small-windows.dmp-full", "crash-dump", 414, 0, 1, 1 },
	{ "small-windows.dmp-summary", "crash-dump", 90, 0, 1, 1 },
	{ "small-windows.dmp-bitmap", "crash-dump", 94, 0, 1, 1 },
	{ "small-windows.dmp-live", "crash-dump", 90, 0, 1, 1 },
	{ "small-windows.dmp-automatic", "crash-dump", 90, 0, 1, 1 },
	{ "small-windows.dmp-kernel", "crash-dump", 90, 0, 1, 1 },
	{ "small-windows.dmp-kernel-user", "crash-dump", 94, 0, 1, 1 },
	{ "small-windows.dmp-complete", "crash-dump", 414, 0, 1, 1 },
	{ "five-level.elf", "elf-core", 254, 0, 2, 2 },
	{ "five-level.elf-sparse", "elf-core", 27, 0, 2, 2 },
	{ "five-level.elf-unsorted", "elf-core", 27, PAGE_SIZE, 2, 2 },
	{ "five-level.elf-qemu", "elf-core", 254, 0, 2, 2 },
	{ "five-level.virtualbox", "virtualbox-core", 254, 0, 2, 2 },
	{ "five-level.xen", "xen-core", 27, 0, 2, 2 },
	{ "five-level.dmp-full", "crash-dump", 254, 0, 2, 1 },
	{ "five-level.dmp-bitmap", "crash-dump", 27, 0, 2, 1 },
	{ "five-level.dmp-kernel", "crash-dump", 27, 0, 2, 1 },
	{ "five-level.dmp-complete", "crash-dump", 254, 0, 2, 1 },
};

static struct snapshot *open_fixture(const char *file)
{
	struct snapshot *snap = NULL;
	char path[4096];
	struct diag diag;
	struct error *err;

	snprintf(path, sizeof(path), "%s/%s", FIXTURES_DIR, file);
	diag_init(&diag, NULL, NULL);
	err = snapshot_open(path, NULL, &diag, &snap);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return snap;
}

static void compare_pages(struct physmem *mem, struct physmem *raw)
{
	static uint8_t a[PAGE_SIZE], b[PAGE_SIZE];
	struct mem_range range;

	for (uint64_t pa = 0; physmem_next(mem, pa, false, &range); pa = range.end) {
		for (uint64_t p = range.start; p < range.end; p += PAGE_SIZE) {
			cr_assert_eq(physmem_read(mem, p, a, PAGE_SIZE), PAGE_SIZE);
			cr_assert_eq(physmem_read(raw, p, b, PAGE_SIZE), PAGE_SIZE);
			cr_assert_eq(memcmp(a, b, PAGE_SIZE), 0, "page 0x%llx",
				     (unsigned long long)p);
		}
	}
}

ParameterizedTestParameters(fixtures, pages)
{
	return cr_make_param_array(struct row, rows, ARRAY_SIZE(rows));
}

ParameterizedTest(struct row *row, fixtures, pages, .timeout = 60)
{
	struct snapshot *snap = open_fixture(row->file), *raw;
	char raw_file[40] = "";

	memcpy(raw_file, row->file, (size_t)(strchr(row->file, '.') - row->file));
	strcat(raw_file, ".raw");
	raw = open_fixture(raw_file);
	cr_expect_str_eq(raw->info.format, "raw");
	cr_expect_str_eq(snap->info.format, row->format, "%s", row->file);
	cr_expect_eq(physmem_captured_pages(snap->mem), row->pages, "%s: %llu pages", row->file,
		     (unsigned long long)physmem_captured_pages(snap->mem));
	cr_expect_eq(physmem_overlap_bytes(snap->mem), row->overlap, "%s", row->file);
	cr_expect_eq(snap->info.num_cpus, row->num_cpus, "%s", row->file);
	cr_expect_eq(snap->info.num_registers, row->num_registers, "%s", row->file);
	cr_expect_eq(snap->info.has_bugcheck, strcmp(row->format, "crash-dump") == 0, "%s",
		     row->file);
	compare_pages(snap->mem, raw->mem);
	snapshot_close(snap);
	snapshot_close(raw);
}

static const struct registers *first_cpu(const struct snapshot *snap, uint32_t groups)
{
	const struct registers *r = &snap->info.registers[0];

	cr_assert_geq(snap->info.num_registers, 1);
	cr_expect_eq(r->known & groups, groups, "known 0x%x", r->known);
	cr_expect_eq(r->rip, 0xfffff80042df73b0);
	cr_expect_eq(r->rsp, 0xffff8b01a5a09e00);
	cr_expect_eq(r->rbx, 0x1122334455667788);
	cr_expect_eq(r->rcx, 0xe2);
	cr_expect_eq(r->rflags, 0x282);
	return r;
}

static void expect_control(const struct registers *r)
{
	cr_expect_eq(r->cr0, 0x80050033);
	cr_expect_eq(r->cr2, 0x1f2a4c0d8);
	cr_expect_eq(r->cr3, 0x1ad002);
	cr_expect_eq(r->cr4, 0x3706f8);
}

static void expect_segments(const struct registers *r)
{
	cr_expect_eq(r->cs.selector, 0x10);
	cr_expect_eq(r->cs.access, 0x29b, "0x%x", r->cs.access);
	cr_expect_eq(r->ss.access, 0x493, "0x%x", r->ss.access);
	cr_expect_eq(r->gs.base, 0xffff8b01a5b80000);
	cr_expect_eq(r->gs.access, 0xcf3, "0x%x", r->gs.access);
	cr_expect_eq(r->idtr.base, 0xffff8b01a5bb0000);
	cr_expect_eq(r->idtr.limit, 0xfff);
	cr_expect_eq(r->gdtr.base, 0xffff8b01a5bb1000);
	cr_expect_eq(r->tr.base, 0xffff8b01a5b81000);
}

Test(fixtures, registers_of_qemu_notes)
{
	struct snapshot *snap = open_fixture("small-windows.elf-qemu");
	const struct registers *r = first_cpu(snap, REGS_GENERAL | REGS_CONTROL | REGS_SEGMENTS |
							    REGS_TABLES | REGS_TASK);

	expect_control(r);
	expect_segments(r);
	cr_expect_eq(r->known & (REGS_EFER | REGS_SYSCALL | REGS_DEBUG), 0, "not in the note");
	snapshot_close(snap);
}

Test(fixtures, registers_of_virtualbox)
{
	struct snapshot *snap = open_fixture("small-windows.virtualbox");
	const struct registers *r =
		first_cpu(snap, REGS_GENERAL | REGS_CONTROL | REGS_SEGMENTS | REGS_TABLES |
					REGS_TASK | REGS_EFER | REGS_SYSCALL | REGS_DEBUG);

	expect_control(r);
	expect_segments(r);
	cr_expect_eq(r->efer, 0xd01);
	cr_expect_eq(r->lstar, 0xfffff80043413180);
	cr_expect_eq(r->star, 0x0023001000000000);
	cr_expect_eq(r->dr6, 0xffff0ff0);
	cr_expect_eq(r->dr7, 0x400);
	snapshot_close(snap);
}

Test(fixtures, registers_of_xen)
{
	struct snapshot *snap = open_fixture("small-windows.xen");

	expect_control(first_cpu(snap, REGS_GENERAL | REGS_CONTROL));
	snapshot_close(snap);
}

Test(fixtures, header_of_crash_dumps)
{
	struct snapshot *snap = open_fixture("small-windows.dmp-bitmap");
	const struct dump_info *info = &snap->info;

	first_cpu(snap, REGS_GENERAL | REGS_SELECTORS);
	cr_expect_eq(info->dump_type, 5);
	cr_expect_eq(info->build, 19041);
	cr_expect_eq(info->bugcheck.code, 0xe2);
	cr_expect_eq(info->bugcheck.parameters[1], 0x1122334455667788);
	cr_expect_eq(info->system_time, 133637796904860740);
	cr_expect_eq(info->system_uptime, 204001403960);
	cr_expect_str_eq(info->comment, "small synthetic Windows");
	cr_expect_eq(info->hints.dtb, 0x1ad000);
	cr_expect_eq(info->hints.kdbg, 0xfffff80043600b20);
	cr_expect_eq(info->hints.ps_loaded_module_list, 0xfffff8004362a2d0);
	cr_expect_eq(info->hints.ps_active_process_head, 0xfffff8004361dfa0);
	cr_expect_eq(info->exception.code, 0x80000003);
	cr_assert_eq(info->num_machine_runs, 2);
	cr_expect_eq(info->machine_runs[0].end, 0x9f000);
	cr_expect_eq(info->machine_runs[1].start, 0x100000);
	snapshot_close(snap);
}

static void check_triage(const char *file, bool full_paths)
{
	struct snapshot *snap = open_fixture(file);
	const struct dump_triage *t = snap->info.triage;
	struct space *space = NULL;
	uint8_t mz[2];

	cr_assert_not_null(t);
	cr_expect_null(snap->mem);
	cr_assert_eq(t->num_modules, 3);
	cr_expect_eq(t->modules[2].base, 0xfffff80046000000);
	cr_expect_eq(t->modules[2].size, 0x73000);
	cr_expect_eq(t->modules[0].checksum, 0xa1b2c3);
	cr_expect_eq(t->modules[0].time_date_stamp, 0x5a9533cd);
	cr_expect_str_eq(t->modules[2].name, "FLTMGR.SYS");
	if (full_paths)
		cr_expect_str_eq(t->modules[2].path, "\\SystemRoot\\System32\\drivers\\FLTMGR.SYS");
	else
		cr_expect_null(t->modules[2].path);
	cr_assert_eq(t->num_unloaded, 2);
	cr_expect_str_eq(t->unloaded[0].name, "dump_storpor", "12 characters are kept");
	cr_expect_eq(t->unloaded[1].end, 0xfffff8004710a000);
	cr_expect_eq(t->stack_top, 0xffff8b01a5a09e00);
	cr_assert_null(space_create_virtual(snap->virt, &space));
	cr_expect(space_try_read(space, 0xfffff80042a00000, mz, sizeof(mz), NULL));
	cr_expect_eq(memcmp(mz, "MZ", 2), 0);
	space_destroy(space);
	snapshot_close(snap);
}

Test(fixtures, triage_with_short_names)
{
	check_triage("small-windows.dmp-triage", false);
}

Test(fixtures, triage_with_full_paths)
{
	check_triage("small-windows.dmp-triage-paths", true);
}

static const struct {
	uint64_t va, pa;
	enum va_state state;
} five_level_rows[] = {
	{ 0xff1234567a800000, 0x100005000, VA_MAPPED },
	{ 0xff1234567a801fff, 0x100006fff, VA_MAPPED },
	{ 0xff1234567a802000, 0, VA_NOT_PRESENT },
	{ 0xff1234567aa00123, 0xe0000123, VA_NOT_CAPTURED },
	{ 0xff12345680005678, 0x100005678, VA_MAPPED },
	{ 0xff123456bfffffff, 0x13fffffff, VA_NOT_CAPTURED },
	{ 0xfffff80355600000, 0x100000000, VA_MAPPED },
	{ 0xfeffffffffffffff, 0, VA_NON_CANONICAL },
};

Test(fixtures, five_levels)
{
	struct snapshot *snap = open_fixture("five-level.elf-sparse");
	struct space *space = NULL;

	cr_assert_null(space_create_amd64(snap->mem, 0x100000, 5, NULL, NULL, &space));
	for (size_t i = 0; i < ARRAY_SIZE(five_level_rows); i++) {
		uint64_t pa = 0;
		enum va_state state = space_translate(space, five_level_rows[i].va, &pa);

		cr_expect_eq(state, five_level_rows[i].state, "row %zu: %s", i,
			     va_state_name(state));
		if (five_level_rows[i].pa)
			cr_expect_eq(pa, five_level_rows[i].pa, "row %zu: 0x%llx", i,
				     (unsigned long long)pa);
	}
	space_destroy(space);
	snapshot_close(snap);
}
