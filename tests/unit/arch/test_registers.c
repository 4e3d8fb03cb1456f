/* SPDX-License-Identifier: MIT */
#include "arch/amd64/registers.h"

#include "arch/amd64/descriptors.h"
#include "fake_tables.h"
#include "tests/unit/windows/fake_space.h"

/* A processor in 64-bit kernel code of which every group is known. */
static struct registers kernel_mode(void)
{
	return (struct registers){
		.known = (1 << 14) - 1,
		.rip = UINT64_C(0xfffff80000001000),
		.rsp = FAKE_BASE + 0x100,
		.rflags = 0x246,
		.cr0 = 0x80050033,
		.cr3 = UINT64_C(0x80000000001ad002),
		.cr4 = 0x3706f8,
		.cs = { .selector = 0x10, .access = 0x29b },
		.efer = 0xd01,
	};
}

Test(registers, every_row_has_a_place_and_a_group)
{
	for (unsigned i = 0; i < NUM_REGISTERS; i++) {
		const struct register_row *row = &register_rows[i];

		cr_assert_not_null(row->name, "%u", i);
		cr_assert_neq(row->any, 0, "%s", row->name);
		cr_assert_leq(row->offset + row->size, sizeof(struct registers));
		cr_assert_eq(register_find(row->name), row, "%s is there twice", row->name);
	}
	cr_assert_null(register_find("eax"));
	cr_assert_str_eq(register_rows[REGISTER_INSTRUCTION_POINTER].name, "rip");
	cr_assert_str_eq(register_rows[REGISTER_STACK_POINTER].name, "rsp");
	cr_assert_str_eq(register_rows[REGISTER_RESULT].name, "rax");
}

/* Each register: set and read back, other registers untouched, unknown without its group. */
Test(registers, get_and_set_on_a_copy)
{
	for (unsigned i = 0; i < NUM_REGISTERS; i++) {
		struct registers copy = { .known = (1 << 14) - 1 }, zero = copy;
		uint64_t value = 0x1234, got;

		if (register_rows[i].size > 2)
			value = 0x12345678;
		cr_assert(register_set(&copy, i, value));
		cr_assert(register_get(&copy, i, &got));
		cr_assert_eq(got, value);
		for (unsigned j = 0; j < NUM_REGISTERS; j++)
			cr_assert(register_get(&copy, j, &got) && (j == i || got == 0));
		if (register_rows[i].size < 8)
			cr_assert_not(register_set(&copy, i, UINT64_MAX), "too wide");
		zero.known &= ~(register_rows[i].any | register_rows[i].all);
		cr_assert_not(register_get(&zero, i, &got));
		cr_assert_not(register_set(&zero, i, 1));
	}
}

Test(registers, groups_that_only_tell_together)
{
	struct registers r = { .known = REGS_TASK, .cr3 = 5 };
	uint64_t value;

	cr_assert(register_known(&r, AMD64_TR) && !register_known(&r, AMD64_TR_BASE));
	r.known = REGS_SEGMENTS;
	cr_assert(!register_known(&r, AMD64_TR_BASE) && register_known(&r, AMD64_CS_BASE));
	cr_assert(!register_known(&r, AMD64_CS));
	r.known |= REGS_TASK;
	cr_assert(register_known(&r, AMD64_TR_BASE));
	r.known = REGS_CR3;
	cr_assert(register_get(&r, AMD64_CR3, &value) && value == 5);
	cr_assert(!register_known(&r, AMD64_CR0));
	r.known = REGS_GS_BASE;
	cr_assert(register_known(&r, AMD64_GS_BASE) && !register_known(&r, AMD64_FS_BASE));
}

Test(registers, general_registers_at_once)
{
	struct registers r = { .known = 0 };
	uint64_t values[NUM_GP_REGISTERS], got[NUM_GP_REGISTERS];

	cr_assert_not(registers_get_general(&r, got));
	for (unsigned i = 0; i < NUM_GP_REGISTERS; i++)
		values[i] = 0x100 + i;
	registers_set_general(&r, values);
	cr_assert(registers_get_general(&r, got));
	cr_assert_arr_eq(got, values, sizeof(values));
	cr_assert(r.rax == 0x100 && r.r15 == 0x10f && r.rip == 0x110 && r.rflags == 0x111);
}

Test(registers, merge_completes_and_never_overwrites)
{
	struct registers into = { .known = REGS_CR3 | REGS_GS_BASE, .cr3 = 1, .gs.base = 2 };
	struct registers from = { .known = REGS_CONTROL | REGS_CR3 | REGS_GENERAL | REGS_DEBUG,
				  .cr0 = 10,
				  .cr3 = 11,
				  .rip = 12,
				  .dr7 = 13,
				  .gs.base = 14 };

	cr_assert_eq(registers_merge(&into, &from, ~UINT32_C(0) & ~(uint32_t)REGS_DEBUG),
		     REGS_CONTROL | REGS_GENERAL);
	cr_assert(into.cr0 == 10 && into.cr3 == 1 && into.rip == 12 && into.gs.base == 2);
	cr_assert(into.dr7 == 0 && !(into.known & REGS_DEBUG));
	cr_assert_eq(registers_merge(&into, &from, ~UINT32_C(0)), REGS_DEBUG);
	cr_assert_eq(registers_merge(&into, &from, ~UINT32_C(0)), 0);
}

/* TR's base would be that of one processor state and its selector that of another. */
Test(registers, merge_keeps_task_and_segments_together)
{
	struct registers into = { .known = REGS_SEGMENTS, .tr.base = 1 };
	struct registers from = { .known = REGS_TASK, .tr.selector = 0x40 };

	cr_assert_eq(registers_merge(&into, &from, ~UINT32_C(0)), 0);
	cr_assert_not(register_known(&into, AMD64_TR));
	into = (struct registers){ .known = REGS_TASK };
	from = (struct registers){ .known = REGS_SEGMENTS, .tr.base = 1 };
	cr_assert_eq(registers_merge(&into, &from, ~UINT32_C(0)), 0);
}

Test(registers, bits_by_name)
{
	static const struct bit_table *const tables[] = {
		&cr0_bits,     &cr4_bits,   &cr8_bits,
		&dr6_bits,     &dr7_bits,   &efer_bits,
		&rflags_bits,  &mxcsr_bits, &segment_access_bits,
		&selector_bits
	};
	char text[BITS_TEXT_SIZE];
	uint64_t value;

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		unsigned end = 0;

		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct bit_field *field = &tables[t]->fields[i];

			cr_assert_geq(field->shift, end, "%s overlaps", field->name);
			end = field->shift + field->width;
			cr_assert_leq(end, 32);
			cr_assert(bits_get(tables[t], field->name, UINT64_MAX, &value));
			cr_assert_eq(value, (1u << field->width) - 1);
			cr_assert(bits_get(tables[t], field->name,
					   ~((UINT64_C(1) << field->width) - 1) << field->shift |
						   ((UINT64_C(1) << field->shift) - 1),
					   &value));
			cr_assert_eq(value, 0, "%s is wider than it says", field->name);
		}
		bits_text(tables[t], UINT64_MAX, text);
		cr_assert_lt(strlen(text), BITS_TEXT_SIZE - 16, "all names fit");
	}
	cr_assert_not(bits_get(&cr0_bits, "LA57", 0, &value));
	bits_text(&rflags_bits, 0x3246, text);
	cr_assert_str_eq(text, "PF|ZF|IF|IOPL=3");
	bits_text(&cr0_bits, 0, text);
	cr_assert_str_eq(text, "");
	bits_text(&segment_access_bits, 0xa9b, text);
	cr_assert_str_eq(text, "TYPE=11|S|P|L|G");
}

Test(registers, paging_mode_by_control_registers)
{
	struct registers r = kernel_mode();
	enum paging_mode mode;

	cr_assert(registers_paging_mode(&r, &mode) && mode == PAGING_LONG);
	r.cr4 |= CR4_LA57;
	cr_assert(registers_paging_mode(&r, &mode) && mode == PAGING_LONG_LA57);
	r.efer = 0;
	cr_assert(registers_paging_mode(&r, &mode) && mode == PAGING_PAE);
	r.cr4 &= ~CR4_PAE;
	cr_assert(registers_paging_mode(&r, &mode) && mode == PAGING_LEGACY);
	r.cr0 &= ~CR0_PG;
	cr_assert(registers_paging_mode(&r, &mode) && mode == PAGING_NONE);
	r.known &= ~(uint32_t)REGS_CONTROL;
	cr_assert_not(registers_paging_mode(&r, &mode));
	for (unsigned i = 0; i < NUM_PAGING_MODES; i++)
		cr_assert_not_null(paging_mode_name(i));
	cr_assert_null(paging_mode_name(NUM_PAGING_MODES));
}

/* Formats that lack EFER still show long mode: what is wider than 32 bits cannot be else. */
Test(registers, paging_mode_without_efer)
{
	struct registers r = { .known = REGS_CONTROL, .cr0 = CR0_PG, .cr4 = CR4_PAE };
	enum paging_mode mode;

	cr_assert_not(registers_paging_mode(&r, &mode), "PAE or long mode");
	r.known |= REGS_GENERAL;
	r.rip = 0x1000;
	cr_assert_not(registers_paging_mode(&r, &mode));
	r.rip = UINT64_C(0x100000000);
	cr_assert(registers_paging_mode(&r, &mode) && mode == PAGING_LONG);
	r.rip = 0;
	r.known |= REGS_SEGMENTS;
	r.cs.access = SEGMENT_PRESENT | SEGMENT_LONG;
	cr_assert(registers_paging_mode(&r, &mode) && mode == PAGING_LONG);
	r.cs.access = SEGMENT_LONG;
	cr_assert_not(registers_paging_mode(&r, &mode));
	r.known |= REGS_TABLES;
	r.idtr.base = UINT64_C(0xfffff80000000000);
	cr_assert(registers_paging_mode(&r, &mode) && mode == PAGING_LONG);
}

Test(registers, address_widths)
{
	struct registers r = kernel_mode();
	unsigned width;

	cr_assert(registers_address_width(&r, &width) && width == 8);
	cr_assert(registers_effective_address_width(&r, NULL, &width) && width == 8);
	r.cs.access = SEGMENT_PRESENT | SEGMENT_DEFAULT_BIG; /* compatibility mode */
	cr_assert(registers_address_width(&r, &width) && width == 8);
	cr_assert(registers_effective_address_width(&r, NULL, &width) && width == 4);
	r.efer = 0;
	cr_assert(registers_address_width(&r, &width) && width == 4);
	cr_assert(registers_effective_address_width(&r, NULL, &width) && width == 4);
	r.cr0 = 0;
	cr_assert(registers_address_width(&r, &width) && width == 0);
	r.known = 0;
	cr_assert_not(registers_address_width(&r, &width));
	r.known = REGS_GENERAL;
	cr_assert(registers_address_width(&r, &width) && width == 8, "by RIP");
	cr_assert(registers_effective_address_width(&r, NULL, &width) && width == 8);
}

/* A format that has selectors but no access words: the GDT tells. */
Test(registers, effective_width_by_the_gdt)
{
	struct registers r = { .known = REGS_GENERAL | REGS_SELECTORS | REGS_TABLES,
			       .rip = 0x401000,
			       .cs.selector = 0x23,
			       .gdtr = { .base = FAKE_BASE, .limit = 0x57 } };
	static struct fake_space fake;
	unsigned width;

	fake_put_u64(&fake, FAKE_BASE + 0x20, UINT64_C(0x00cffb000000ffff));
	fake_put_u64(&fake, FAKE_BASE + 0x30, UINT64_C(0x0020fb0000000000));
	fake_open(&fake);
	cr_assert_not(registers_effective_address_width(&r, NULL, &width));
	cr_assert(registers_effective_address_width(&r, fake.space, &width) && width == 4);
	r.cs.selector = 0x33;
	cr_assert(registers_effective_address_width(&r, fake.space, &width) && width == 8);
	r.cs.selector = 0;
	cr_assert_not(registers_effective_address_width(&r, fake.space, &width));
	fake_close(&fake);
}

Test(registers, root_and_context)
{
	struct registers r = kernel_mode();
	struct address_context context;
	uint64_t root;
	uint16_t pcid;

	cr_assert(registers_translation_root(&r, &root));
	cr_assert_eq(root, 0x1ad000, "neither PCID nor bit 63");
	cr_assert(registers_address_context(&r, 0x1234, &context));
	cr_assert(context.va == 0x1234 && context.root == 0x1ad000);
	cr_assert(registers_pcid(&r, &pcid) && pcid == 2);
	r.cr4 &= ~CR4_PCIDE;
	cr_assert_not(registers_pcid(&r, &pcid));
	r.known = REGS_GENERAL;
	cr_assert_not(registers_translation_root(&r, &root));
	cr_assert_not(registers_address_context(&r, 0, &context));
}

Test(registers, space_of_a_processor)
{
	static struct fake_machine machine;
	struct registers r = kernel_mode();
	struct space *s = NULL;
	struct error *err;
	uint64_t pa;

	r.cr3 = PAGE(1);
	set_entry(&machine, 1, 0, PAGE(2) | TABLE);
	set_entry(&machine, 2, 0, PAGE(3) | TABLE);
	set_entry(&machine, 3, 0, PAGE(4) | TABLE);
	set_entry(&machine, 4, 5, PAGE(7) | TABLE);
	open_machine(&machine, PAGE(1), 4, NULL);
	cr_assert_null(registers_open_space(&r, machine.mem, NULL, NULL, &s));
	cr_assert_eq(space_translate(s, 0x5008, &pa), VA_MAPPED);
	cr_assert_eq(pa, PAGE(7) + 8);
	cr_assert_eq(s->levels, 4);
	space_destroy(s);
	r.cr4 |= CR4_LA57;
	cr_assert_null(registers_open_space(&r, machine.mem, NULL, NULL, &s));
	cr_assert_eq(s->levels, 5);
	space_destroy(s);
	r.cr0 = 0;
	err = registers_open_space(&r, machine.mem, NULL, NULL, &s);
	cr_assert_eq(error_code(err), ERROR_UNSUPPORTED);
	error_destroy(err);
	r.known = REGS_CR3;
	err = registers_open_space(&r, machine.mem, NULL, NULL, &s);
	cr_assert_eq(error_code(err), ERROR_NOT_FOUND);
	error_destroy(err);
	close_machine(&machine);
}

Test(registers, return_from_a_function)
{
	static struct fake_space fake;
	struct registers r = kernel_mode(), before;
	struct fault fault;
	uint64_t va;

	fake_put_u64(&fake, r.rsp, UINT64_C(0xfffff80012345678));
	fake_show(&fake, FAKE_BASE, FAKE_BASE + 0x200);
	fake_open(&fake);
	cr_assert(registers_return_address(&r, fake.space, &va, NULL));
	cr_assert_eq(va, UINT64_C(0xfffff80012345678));
	before = r;
	cr_assert(registers_return(&r, fake.space, 42, NULL));
	cr_assert(r.rax == 42 && r.rip == va && r.rsp == before.rsp + 8);
	r = before;
	r.cs.access = SEGMENT_PRESENT; /* 32-bit code */
	cr_assert(registers_return(&r, fake.space, 42, NULL));
	cr_assert(r.rip == 0x12345678 && r.rsp == before.rsp + 4);
	r = before;
	r.rsp = FAKE_BASE + 0x1fc;
	cr_assert_not(registers_return(&r, fake.space, 42, &fault));
	cr_assert_eq(fault.va, FAKE_BASE + 0x200);
	cr_assert(r.rip == before.rip && r.rax == before.rax, "untouched");
	r.known = 0;
	cr_assert_not(registers_return_address(&r, fake.space, &va, &fault));
	cr_assert_eq(fault.va, 0);
	fake_close(&fake);
}
