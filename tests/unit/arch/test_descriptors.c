/* SPDX-License-Identifier: MIT */
#include "arch/amd64/descriptors.h"

#include "tests/unit/windows/fake_space.h"

static const uint8_t page_fault_gate[GATE_SIZE] = { 0x40, 0x18, 0x10, 0x00, 0x03, 0x8e, 0x41, 0x43,
						    0x00, 0xf8, 0xff, 0xff, 0,	  0,	0,    0 };

Test(descriptors, gate)
{
	struct gate gate;

	gate_decode(page_fault_gate, &gate);
	cr_assert(gate.captured && gate.present);
	cr_assert_eq(gate.handler, UINT64_C(0xfffff80043411840));
	cr_assert_eq(gate.selector, 0x10);
	cr_assert_eq(gate.ist, 3);
	cr_assert_eq(gate.type, GATE_INTERRUPT);
	cr_assert_eq(gate.dpl, 0);
	cr_assert_str_eq(gate_type_name(gate.type), "interrupt");
	cr_assert_str_eq(gate_type_name(GATE_TRAP), "trap");
	cr_assert_null(gate_type_name(5));
	gate_decode((const uint8_t[GATE_SIZE]){ [5] = 0x6f }, &gate);
	cr_assert(!gate.present && gate.dpl == 3 && gate.type == GATE_TRAP);
}

/* The limit is that of the last byte: 0xfff is 256 gates, 0xffe one less, 0 and 0xe none. */
Test(descriptors, idt_limits_and_holes)
{
	static const struct {
		uint16_t limit;
		unsigned count;
	} rows[] = { { 0, 0 },	     { 0xe, 0 },     { 0xf, 1 },
		     { 0xffe, 255 }, { 0xfff, 256 }, { 0xffff, 256 } };
	static struct gate gates[IDT_MAX_GATES];
	static struct fake_space fake;
	struct table_register idtr = { .base = FAKE_BASE };

	memcpy(fake.bytes + 14 * GATE_SIZE, page_fault_gate, GATE_SIZE);
	fake_show(&fake, FAKE_BASE, FAKE_BASE + 0x808); /* ends in mid-gate */
	fake_open(&fake);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		idtr.limit = rows[i].limit;
		cr_assert_eq(idt_read(fake.space, idtr, gates), rows[i].count);
	}
	cr_assert_eq(gates[14].handler, UINT64_C(0xfffff80043411840));
	cr_assert(gates[127].captured && !gates[127].present);
	cr_assert_not(gates[128].captured);
	cr_assert_not(gates[255].captured);
	idtr.base = UINT64_MAX - 7; /* runs over the end of the space */
	cr_assert_eq(idt_read(fake.space, idtr, gates), 256);
	cr_assert_not(gates[0].captured);
	fake_close(&fake);
}

static struct fake_space gdt;

static void open_gdt(uint64_t end)
{
	memset(&gdt, 0, sizeof(gdt));
	fake_put_u64(&gdt, FAKE_BASE + 0x10, UINT64_C(0x00209b0000000000));
	fake_put_u64(&gdt, FAKE_BASE + 0x18, UINT64_C(0x00cf93000000ffff));
	fake_put_u64(&gdt, FAKE_BASE + 0x20, UINT64_C(0x00008900cc001067) | UINT64_C(0x1b) << 56);
	fake_put_u64(&gdt, FAKE_BASE + 0x28, UINT64_C(0xfffff801));
	fake_put_u64(&gdt, FAKE_BASE + 0x30, UINT64_C(0x12348c0000105678)); /* call gate */
	fake_show(&gdt, FAKE_BASE, end);
	fake_open(&gdt);
}

Test(descriptors, gdt)
{
	struct table_register gdtr = { .base = FAKE_BASE, .limit = 0x3f };
	struct descriptor d;
	uint32_t offset = 0;

	open_gdt(FAKE_BASE + 0x40);
	cr_assert(gdt_next(gdt.space, gdtr, &offset, &d) && d.captured && d.segment.access == 0);
	cr_assert(gdt_next(gdt.space, gdtr, &offset, &d) && d.segment.selector == 8);
	cr_assert(gdt_next(gdt.space, gdtr, &offset, &d));
	cr_assert(d.segment.selector == 0x10 && d.segment.access == 0x29b && d.size == 8);
	cr_assert_str_eq(descriptor_type_name(d.segment.access), "code");
	cr_assert(gdt_next(gdt.space, gdtr, &offset, &d));
	cr_assert_eq(d.segment.limit, UINT32_MAX, "in pages");
	cr_assert_str_eq(descriptor_type_name(d.segment.access), "data");
	cr_assert(gdt_next(gdt.space, gdtr, &offset, &d) && d.size == 16);
	cr_assert_str_eq(descriptor_type_name(d.segment.access), "tss_available");
	cr_assert_eq(d.segment.base, UINT64_C(0xfffff8011b00cc00));
	cr_assert_eq(d.segment.limit, 0x1067);
	cr_assert(gdt_next(gdt.space, gdtr, &offset, &d) && d.size == 16);
	cr_assert_str_eq(descriptor_type_name(d.segment.access), "call_gate");
	cr_assert(d.segment.base == 0 && d.segment.limit == 0);
	cr_assert_not(gdt_next(gdt.space, gdtr, &offset, &d));
	fake_close(&gdt);
}

/* Cut at every byte: what is not whole is not captured, and nothing is made up. */
Test(descriptors, gdt_cut_at_every_length)
{
	for (uint64_t len = 1; len <= 0x40; len++) {
		struct table_register gdtr = { .base = FAKE_BASE, .limit = 0x3f };
		unsigned calls = 0, captured = 0;
		struct descriptor d;
		uint32_t offset = 0;

		open_gdt(FAKE_BASE + len);
		while (gdt_next(gdt.space, gdtr, &offset, &d)) {
			calls++;
			captured += d.captured;
			cr_assert(!d.captured || d.segment.selector + d.size <= len);
			cr_assert(d.captured || (!d.segment.base && !d.segment.access));
		}
		cr_assert_geq(calls, 6);
		cr_assert_leq(calls, 8);
		cr_assert(captured == 6 || len < 0x40);
		fake_close(&gdt);
	}
}

Test(descriptors, gdt_limits)
{
	static const struct {
		uint16_t limit;
		unsigned calls;
	} rows[] = { { 0, 0 }, { 6, 0 }, { 7, 1 }, { 0x27, 5 }, { 0xffff, 8190 } };

	open_gdt(FAKE_BASE + 0x40);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct table_register gdtr = { .base = FAKE_BASE, .limit = rows[i].limit };
		struct descriptor d;
		uint32_t offset = 0;
		unsigned calls = 0;

		while (gdt_next(gdt.space, gdtr, &offset, &d))
			calls++;
		cr_assert_eq(calls, rows[i].calls, "limit 0x%x: %u", rows[i].limit, calls);
	}
	fake_close(&gdt);
}

Test(descriptors, gdt_find)
{
	struct table_register gdtr = { .base = FAKE_BASE, .limit = 0x3f };
	struct descriptor d;

	open_gdt(FAKE_BASE + 0x38);
	cr_assert(gdt_find(gdt.space, gdtr, 0x13, &d));
	cr_assert(d.segment.selector == 0x13 && d.segment.access & SEGMENT_LONG);
	cr_assert_not(gdt_find(gdt.space, gdtr, 3, &d), "the null selector");
	cr_assert_not(gdt_find(gdt.space, gdtr, 0x14, &d), "of the LDT");
	cr_assert_not(gdt_find(gdt.space, gdtr, 0x30, &d), "half of it is absent");
	cr_assert_not(gdt_find(gdt.space, gdtr, 0x40, &d), "behind the limit");
	fake_close(&gdt);
}
