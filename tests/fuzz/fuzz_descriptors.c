/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "arch/amd64/descriptors.h"
#include "base/cursor.h"
#include "fuzz.h"

/*
 * The first eight bytes say where the tables are and how long: base below BASE u16, limits of IDT
 * and GDT u16, a selector u16. The rest is memory at BASE.
 */
#define BASE UINT64_C(0xfffff80000000000)
enum { HEADER = 8, MAX_INPUT = 16 << 10 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_idt(struct space *s, struct table_register idtr)
{
	struct gate gates[IDT_MAX_GATES];
	unsigned count = idt_read(s, idtr, gates);

	check(count <= IDT_MAX_GATES && count * GATE_SIZE <= idtr.limit + 1u);
	for (unsigned i = 0; i < count; i++) {
		check(gates[i].captured || (!gates[i].handler && !gates[i].present));
		check(gates[i].ist < 8 && gates[i].type < 16 && gates[i].dpl < 4);
		if (gates[i].type == GATE_INTERRUPT)
			check(gate_type_name(gates[i].type) != NULL);
	}
}

static void check_gdt(struct space *s, struct table_register gdtr, uint16_t selector)
{
	struct descriptor d, found;
	uint32_t offset = 0, before = 0;
	unsigned calls = 0;

	while (gdt_next(s, gdtr, &offset, &d)) {
		check(++calls <= 8192 && offset > before && offset - before == d.size);
		check(d.segment.selector == before);
		check(d.captured || (!d.segment.base && !d.segment.limit && !d.segment.access));
		check(offset <= gdtr.limit + 1u);
		before = offset;
	}
	if (gdt_find(s, gdtr, selector, &found))
		check(found.captured && found.segment.selector == selector && selector > 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file = { .fd = -1, .bytes = data, .size = size };
	struct table_register table;
	struct virtmem *mem = NULL;
	struct space *s = NULL;
	struct error *err;

	if (size <= HEADER || size > MAX_INPUT)
		return 0;
	err = virtmem_create(&mem);
	check(!err);
	err = virtmem_add(mem, BASE, size - HEADER, &file, HEADER);
	check(!err);
	err = virtmem_seal(mem);
	check(!err);
	err = space_create_virtual(mem, &s);
	check(!err);
	table.base = BASE - load_u16(data) % 64;
	table.limit = load_u16(data + 2);
	check_idt(s, table);
	table.limit = load_u16(data + 4);
	check_gdt(s, table, load_u16(data + 6));
	space_destroy(s);
	virtmem_destroy(mem);
	return 0;
}
