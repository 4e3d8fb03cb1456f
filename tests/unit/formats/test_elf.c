/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "elf_builder.h"
#include "formats/format.h"
#include "tests/memfile.h"

static struct elf_builder b;
static struct snapshot *snapshot;
static struct diag diag;
static char last_diag[512];

static void remember(void *arg, enum diag_kind kind, const char *message)
{
	(void)arg;
	(void)kind;
	snprintf(last_diag, sizeof(last_diag), "%s", message);
}

static struct error *open_size(size_t size)
{
	char path[MEMFILE_PATH_SIZE];
	int fd = memfile_create(b.bytes, size, path);
	struct error *err;

	diag_init(&diag, remember, NULL);
	last_diag[0] = '\0';
	err = snapshot_open(path, &(struct snapshot_options){ .format = "elf" }, &diag, &snapshot);
	close(fd);
	return err;
}

static void open_ok(void)
{
	struct error *err = open_size(b.size);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

static void expect_refusal(enum error_code code, const char *text)
{
	struct error *err = open_size(b.size);

	cr_assert_not_null(err, "expected: %s", text);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), text), "%s", error_message(err));
	error_destroy(err);
}

static void expect_byte(uint64_t pa, int value)
{
	uint8_t byte;

	cr_assert_eq(physmem_read(snapshot->mem, pa, &byte, 1), 1, "0x%lx is absent", (long)pa);
	cr_expect_eq(byte, value, "0x%lx: %d instead of %d", (long)pa, byte, value);
}

static void expect_absent(uint64_t pa)
{
	uint8_t byte;

	cr_expect_eq(physmem_read(snapshot->mem, pa, &byte, 1), 0, "0x%lx is there", (long)pa);
}

/* Two pages at 1 MiB. */
static void build_plain(void)
{
	elf_begin(&b);
	elf_add_program(&b, 1, elf_put_pages(&b, 0x11, 2), 0x100000, 0x2000, 0x2000);
}

static void close_snapshot(void)
{
	snapshot_close(snapshot);
}

TestSuite(elf, .init = build_plain, .fini = close_snapshot);

Test(elf, a_segment_is_memory_at_its_physical_address)
{
	open_ok();
	cr_expect_str_eq(snapshot->format->name, "elf");
	cr_expect_str_eq(snapshot->info.format, "elf-core");
	cr_expect_eq(snapshot->info.num_cpus, 0);
	expect_byte(0x100000, 0x11);
	expect_byte(0x101fff, 0x12);
	expect_absent(0xfffff);
	expect_absent(0x102000);
	cr_expect_eq(diag.partial + diag.notes, 0);
}

Test(elf, a_tail_that_is_not_in_the_file_is_absent)
{
	elf_add_program(&b, 1, elf_put_pages(&b, 0x21, 1), 0x200000, 0x1000, 0x3000);
	open_ok();
	expect_byte(0x200fff, 0x21);
	expect_absent(0x201000);
	cr_expect_eq(diag.partial, 0, "%s", last_diag);
}

Test(elf, overlapping_segments_give_the_first)
{
	elf_add_program(&b, 1, elf_put_pages(&b, 0x21, 2), 0x101000, 0x2000, 0x2000);
	elf_add_program(&b, 1, elf_put_pages(&b, 0x31, 1), 0x000000, 0x1000, 0x1000);
	open_ok();
	expect_byte(0x101000, 0x12);
	expect_byte(0x102000, 0x22);
	expect_byte(0, 0x31);
	cr_expect_eq(physmem_overlap_bytes(snapshot->mem), 0x1000);
}

Test(elf, a_segment_past_the_end_keeps_what_is_there)
{
	b.size -= 0x800;
	elf_add_program(&b, 1, 0x10000000, 0x200000, 0x1000, 0x1000);
	elf_add_program(&b, 1, UINT64_MAX, 0x300000, UINT64_MAX, UINT64_MAX);
	open_ok();
	expect_byte(0x1017ff, 0x12);
	expect_absent(0x101800);
	expect_absent(0x200000);
	cr_expect_eq(diag.partial, 1);
	cr_expect_not_null(strstr(last_diag, "bytes of memory are past the end of the file"));
	cr_expect_not_null(strstr(last_diag, "file offset 0x1000"), "%s", last_diag);
}

Test(elf, addresses_that_no_machine_has_are_left_out)
{
	elf_add_program(&b, 1, ELF_DATA, UINT64_MAX, 0x1000, 0x1000);
	elf_add_program(&b, 1, ELF_DATA, PHYSMEM_MAX_END - 0x800, 0x1000, 0x1000);
	open_ok();
	expect_byte(PHYSMEM_MAX_END - 1, 0x11);
	cr_expect_eq(diag.partial, 1);
	cr_expect_not_null(strstr(last_diag, "0x1800 bytes have physical addresses"), "%s",
			   last_diag);
}

Test(elf, more_programs_than_the_header_can_count)
{
	elf_add_section(&b, "", 0, 0, 0, 0);
	store_u32(b.bytes + ELF_SECTIONS + 44, 1);
	store_u16(b.bytes + ELF_PHNUM, 0xffff);
	open_ok();
	expect_byte(0x100000, 0x11);
	cr_expect_eq(diag.partial, 0, "%s", last_diag);
}

Test(elf, a_program_table_that_is_cut_short)
{
	store_u16(b.bytes + ELF_PHNUM, 0xfffe);
	open_ok();
	expect_byte(0x100000, 0x11);
	cr_expect_eq(diag.partial, 1);
	cr_expect_not_null(strstr(last_diag, "program headers at file offset 0x40: expected 65534"),
			   "%s", last_diag);
}

Test(elf, qemu_says_386_and_a_header_of_eight_bytes)
{
	store_u16(b.bytes + 0x12, 3);
	store_u16(b.bytes + 0x34, 8);
	open_ok();
	expect_byte(0x100000, 0x11);
}

Test(elf, other_files_are_refused_by_name)
{
	static const struct {
		size_t offset;
		uint16_t value;
		enum error_code code;
		const char *text;
	} rows[] = {
		{ 0x04, 0x0101, ERROR_UNSUPPORTED, "32-bit ELF file" },
		{ 0x04, 0x0202, ERROR_UNSUPPORTED, "big-endian ELF file" },
		{ 0x04, 0x0103, ERROR_CORRUPT, "found 3 and 1" },
		{ 0x10, 2, ERROR_UNSUPPORTED, "type 2 (executable)" },
		{ 0x10, 9, ERROR_UNSUPPORTED, "type 9 (not known)" },
		{ 0x12, 183, ERROR_UNSUPPORTED, "machine 183 (AArch64)" },
		{ 0x12, 9999, ERROR_UNSUPPORTED, "machine 9999 (not known)" },
		{ 0x36, 55, ERROR_CORRUPT, "program headers of 56 bytes, found 55" },
		{ 0x38, 0, ERROR_CORRUPT, "found only headers" },
		{ 0x00, 0, ERROR_CORRUPT, "ELF magic" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		build_plain();
		store_u16(b.bytes + rows[i].offset, rows[i].value);
		expect_refusal(rows[i].code, rows[i].text);
	}
}

Test(elf, a_core_of_a_process_is_refused)
{
	elf_begin(&b);
	elf_add_program(&b, 1, elf_put_pages(&b, 1, 1), 0, 0x1000, 0x1000);
	elf_add_program(&b, 1, elf_put_pages(&b, 2, 1), 0, 0x1000, 0x1000);
	expect_refusal(ERROR_UNSUPPORTED, "core of a single process");
}

Test(elf, prstatus_gives_general_registers)
{
	uint8_t desc[336] = { 0 };
	const struct registers *regs;

	for (size_t i = 0; i < 27; i++)
		store_u64(desc + 112 + i * 8, 0x100 + i);
	elf_add_program(&b, 4, elf_put_note(&b, "CORE", 1, desc, sizeof(desc)), 0, 356, 0);
	open_ok();
	cr_assert_eq(snapshot->info.num_registers, 1);
	cr_expect_eq(snapshot->info.num_cpus, 1);
	regs = &snapshot->info.registers[0];
	cr_expect_eq(regs->known, REGS_GENERAL | REGS_SELECTORS);
	cr_expect_eq(regs->r15, 0x100);
	cr_expect_eq(regs->rdi, 0x10e);
	cr_expect_eq(regs->rip, 0x110);
	cr_expect_eq(regs->cs.selector, 0x111);
	cr_expect_eq(regs->rflags, 0x112);
	cr_expect_eq(regs->rsp, 0x113);
	cr_expect_eq(regs->ss.selector, 0x114);
	cr_expect_eq(regs->gs.selector, 0x11a);
}

static void fill_qemu(uint8_t desc[440], uint32_t version, uint32_t size)
{
	memset(desc, 0, 440);
	store_u32(desc, version);
	store_u32(desc + 4, size);
	for (size_t i = 0; i < 18; i++)
		store_u64(desc + 8 + i * 8, 0x200 + i);
	for (size_t i = 0; i < 10; i++) {
		store_u32(desc + 152 + i * 24, (uint32_t)(0x10 + i));
		store_u32(desc + 156 + i * 24, (uint32_t)(0x300 + i));
		store_u32(desc + 160 + i * 24, 0x00af9b00);
		store_u64(desc + 168 + i * 24, 0x400 + i);
	}
	for (size_t i = 0; i < 6; i++)
		store_u64(desc + 392 + i * 8, 0x500 + i);
}

Test(elf, qemu_notes_win_over_prstatus_in_any_order)
{
	uint8_t prstatus[336] = { 0 }, desc[440];
	const struct registers *regs;
	size_t notes;

	fill_qemu(desc, 1, 440);
	store_u64(prstatus + 112 + 10 * 8, 0xbad); /* rax */
	notes = elf_put_note(&b, "QEMU", 0, desc, sizeof(desc));
	elf_put_note(&b, "CORE", 1, prstatus, sizeof(prstatus));
	elf_put_note(&b, "CORE", 1, prstatus, sizeof(prstatus));
	elf_add_program(&b, 4, notes, 0, b.size - notes, 0);
	open_ok();
	cr_assert_eq(snapshot->info.num_registers, 2);
	regs = &snapshot->info.registers[0];
	cr_expect_eq(regs->known, REGS_GENERAL | REGS_SELECTORS | REGS_SEGMENTS | REGS_GS_BASE |
					  REGS_CONTROL | REGS_CR3 | REGS_TABLES | REGS_TASK |
					  REGS_KERNEL_GS);
	cr_expect_eq(regs->rax, 0x200);
	cr_expect_eq(regs->rsp, 0x206);
	cr_expect_eq(regs->rip, 0x210);
	cr_expect_eq(regs->cs.selector, 0x10);
	cr_expect_eq(regs->cs.access, 0xa9b, "type 9b, then AVL, L, D/B, G");
	cr_expect_eq(regs->cs.limit, 0x300);
	cr_expect_eq(regs->gs.base, 0x404);
	cr_expect_eq(regs->ldtr.selector, 0x16);
	cr_expect_eq(regs->tr.base, 0x407);
	cr_expect_eq(regs->gdtr.base, 0x408);
	cr_expect_eq(regs->gdtr.limit, 0x308);
	cr_expect_eq(regs->idtr.base, 0x409);
	cr_expect_eq(regs->cr0, 0x500);
	cr_expect_eq(regs->cr2, 0x502);
	cr_expect_eq(regs->cr3, 0x503);
	cr_expect_eq(regs->cr4, 0x504);
	cr_expect_eq(regs->kernel_gs_base, 0x505);
	cr_expect_eq(snapshot->info.registers[1].rax, 0xbad);
	cr_expect_eq(snapshot->info.registers[1].known, REGS_GENERAL | REGS_SELECTORS);
}

Test(elf, qemu_notes_of_other_sizes)
{
	static const struct {
		uint32_t version, size, note_size;
		bool decoded, kernel_gs;
	} rows[] = {
		{ 1, 432, 432, true, false }, /* before QEMU 3.0 */
		{ 2, 440, 440, true, true },  { 1, 4096, 440, true, true },
		{ 1, 432, 440, true, false }, { 1, 431, 440, false, false },
		{ 1, 0, 440, false, false },  { 0, 440, 440, false, false },
		{ 1, 440, 7, false, false },
	};
	uint8_t desc[440];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t notes;

		build_plain();
		fill_qemu(desc, rows[i].version, rows[i].size);
		notes = elf_put_note(&b, "QEMU", 0, desc, rows[i].note_size);
		elf_add_program(&b, 4, notes, 0, b.size - notes, 0);
		open_ok();
		cr_assert_eq(snapshot->info.num_registers, 1);
		cr_expect_eq(diag.partial, !rows[i].decoded, "row %zu", i);
		cr_expect_eq(!!snapshot->info.registers[0].known, rows[i].decoded, "row %zu", i);
		cr_expect_eq(!!(snapshot->info.registers[0].known & REGS_KERNEL_GS),
			     rows[i].kernel_gs, "row %zu", i);
		snapshot_close(take_ptr(snapshot));
	}
}

Test(elf, damaged_notes_leave_the_memory)
{
	uint8_t desc[440];
	size_t notes;

	fill_qemu(desc, 1, 440);
	notes = elf_put_note(&b, "QEMU", 0, desc, sizeof(desc));
	elf_put_note(&b, "QEMU", 0, desc, sizeof(desc));
	store_u32(b.bytes + notes + 20 + 440 + 4, UINT32_MAX); /* size of the second */
	elf_add_program(&b, 4, notes, 0, b.size - notes, 0);
	elf_add_program(&b, 4, UINT64_MAX, 0, UINT64_MAX, 0);
	open_ok();
	expect_byte(0x100000, 0x11);
	cr_expect_eq(snapshot->info.num_registers, 1);
	cr_expect_eq(diag.partial, 2);
}

/* All program headers are notes over the same bytes: the work stays linear. */
Test(elf, notes_that_overlap_have_a_limit)
{
	size_t notes = b.size;

	memset(b.bytes + notes, 0, 0x8000);
	b.size += 0x8000;
	for (int i = 0; i < 15; i++)
		elf_add_program(&b, 4, notes, 0, 0x8000, 0);
	open_ok();
	cr_expect_geq(diag.partial, 13);
}

Test(elf, virtualbox_tells_model_specific_registers)
{
	static uint8_t cpu[1024];
	uint8_t core[24] = { 0xde, 0xc0, 0x1a, 0xc0, 6, 0, 1, 0, 24 };
	const struct registers *regs;
	size_t notes;

	for (size_t i = 0; i < sizeof(cpu) / 8; i++)
		store_u64(cpu + i * 8, i);
	store_u32(cpu + 144 + 12, 0xa09b); /* cs */
	store_u32(core + 20, 3);
	notes = elf_put_note(&b, "VBCORE", 0xb00, core, sizeof(core));
	elf_put_note(&b, "VBCPU", 0xb01, cpu, sizeof(cpu));
	elf_add_program(&b, 4, notes, 0, b.size - notes, 0);
	open_ok();
	cr_expect_str_eq(snapshot->info.format, "virtualbox-core");
	cr_expect_eq(snapshot->info.num_cpus, 3);
	cr_assert_eq(snapshot->info.num_registers, 1);
	regs = &snapshot->info.registers[0];
	cr_expect(regs->known & REGS_EFER && regs->known & REGS_SYSCALL);
	cr_expect_eq(regs->rdi, 5);
	cr_expect_eq(regs->r8, 6);
	cr_expect_eq(regs->rip, 14);
	cr_expect_eq(regs->rflags, 17);
	cr_expect_eq(regs->cs.base, 18);
	cr_expect_eq(regs->cs.access, 0xa9b);
	cr_expect_eq(regs->cs.selector, 20);
	cr_expect_eq(regs->gs.base, 18 + 4 * 3);
	cr_expect_eq(regs->cr0, 36);
	cr_expect_eq(regs->cr4, 39);
	cr_expect_eq(regs->dr3, 43);
	cr_expect_eq(regs->dr7, 47);
	cr_expect_eq(regs->gdtr.base, 48);
	cr_expect_eq(regs->gdtr.limit, 49);
	cr_expect_eq(regs->tr.base, 55);
	cr_expect_eq(regs->efer, 61);
	cr_expect_eq(regs->star, 62);
	cr_expect_eq(regs->lstar, 64);
	cr_expect_eq(regs->sfmask, 66);
	cr_expect_eq(regs->kernel_gs_base, 67);
}

Test(elf, virtualbox_format_1_0_has_no_registers)
{
	uint8_t core[24] = { 0xde, 0xc0, 0x1a, 0xc0, 0, 0, 1, 0, 24 }, cpu[1000] = { 1 };
	size_t notes = elf_put_note(&b, "VBCORE", 0xb00, core, sizeof(core));

	elf_put_note(&b, "VBCPU", 0xb01, cpu, sizeof(cpu));
	elf_add_program(&b, 4, notes, 0, b.size - notes, 0);
	open_ok();
	cr_expect_eq(snapshot->info.registers[0].known, 0);
	cr_expect_eq(diag.notes, 1);
	cr_expect_eq(diag.partial, 0);
}

static void open_and_close(size_t size)
{
	struct error *err = open_size(size);

	if (err)
		cr_expect_gt(strlen(error_message(err)), 20);
	else
		snapshot_close(take_ptr(snapshot));
	error_destroy(err);
}

Test(elf, cut_at_every_length)
{
	uint8_t desc[440];
	size_t notes;

	fill_qemu(desc, 1, 440);
	notes = elf_put_note(&b, "QEMU", 0, desc, sizeof(desc));
	elf_add_program(&b, 4, notes, 0, b.size - notes, 0);
	for (size_t size = 0; size < 0x200; size++)
		open_and_close(size);
	for (size_t size = ELF_DATA - 1; size < b.size; size += 61)
		open_and_close(size);
}

Test(elf, every_header_byte_at_its_extremes)
{
	struct elf_builder good;

	elf_add_section(&b, ".xen_pfn", 1, ELF_DATA, 8, 8);
	good = b;
	for (size_t i = 4; i < ELF_PROGRAMS + 56; i++) {
		for (unsigned value = 0; value < 3; value++) {
			b = good;
			b.bytes[i] = (uint8_t)(value == 0 ? 0 : value == 1 ? 0xff : 0x7f);
			open_and_close(b.size);
		}
	}
}
