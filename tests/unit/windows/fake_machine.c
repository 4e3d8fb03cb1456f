/* SPDX-License-Identifier: MIT */
#include "fake_machine.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fake_kernel.h"

enum { TABLE = 0x63, SYSTEM_NAME = 0x5a8 };

static void entry(struct fake_machine *m, uint64_t table, unsigned index, uint64_t pa)
{
	store_u64(m->bytes + table + 8 * index, pa | TABLE);
}

static void build_tables(struct fake_machine *m)
{
	static const uint64_t roots[] = { FAKE_ROOT, FAKE_STALE_ROOT };

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		entry(m, roots[i], 0x1f0, FAKE_PDPT);
		entry(m, roots[i], 0x1ef, FAKE_SHARED_PDPT);
		entry(m, roots[i], 0x1bf, roots[i]);
	}
	entry(m, FAKE_PDPT, 0, FAKE_PD);
	entry(m, FAKE_PD, 1, FAKE_PT);
	for (unsigned i = 0; i < 3; i++)
		entry(m, FAKE_PT, i, FAKE_IMAGE_PA + 0x1000 * i);
	entry(m, FAKE_PT, 0x180, FAKE_SYSTEM_PA);
	entry(m, FAKE_PT, 0x181, FAKE_IDT_PA);
	entry(m, FAKE_PT, 0x182, FAKE_KPCR_PA);
	/* 0xfffff78000000000 */
	entry(m, FAKE_SHARED_PDPT, 0, FAKE_SHARED_PDPT + 0x1000);
	entry(m, FAKE_SHARED_PDPT + 0x1000, 0, FAKE_SHARED_PDPT + 0x2000);
	entry(m, FAKE_SHARED_PDPT + 0x2000, 0, FAKE_SHARED_PA);
	/* the user root: a table of its own at each level */
	entry(m, FAKE_USER_ROOT, 0x1f0, FAKE_USER_ROOT + 0x1000);
	entry(m, FAKE_USER_ROOT, 0x1bf, FAKE_USER_ROOT);
	entry(m, FAKE_USER_ROOT + 0x1000, 0, FAKE_USER_ROOT + 0x2000);
	entry(m, FAKE_USER_ROOT + 0x2000, 1, FAKE_USER_ROOT + 0x3000);
	entry(m, FAKE_USER_ROOT + 0x3000, 0x182, FAKE_KPCR_PA);
	entry(m, FAKE_USER_ROOT + 0x3000, 0x18b, FAKE_SHADOW_PA);
	/* five levels: one more above */
	entry(m, FAKE_PML5, 0x1ff, FAKE_ROOT);
	entry(m, FAKE_PML5, 0x1bf, FAKE_PML5);
}

static void build_structures(struct fake_machine *m)
{
	uint8_t *stub = m->bytes + FAKE_STUB_PA;
	uint8_t *system = m->bytes + FAKE_SYSTEM_PA + 0x80;
	uint8_t *kpcr = m->bytes + FAKE_KPCR_PA;

	store_u64(stub, 0x100064de9);
	store_u64(stub + 0x70, FAKE_ENTRY);
	store_u64(stub + 0xa0, FAKE_ROOT);
	system[0] = 3;
	store_u64(system + 0x18, FAKE_SYSTEM_VA + 0x18);
	store_u64(system + 0x20, FAKE_SYSTEM_VA + 0x18);
	store_u64(system + 0x28, FAKE_ROOT | 2);
	memcpy(system + SYSTEM_NAME, "System", 7);
	store_u32(m->bytes + FAKE_SHARED_PA + 0x26c, 10);
	for (unsigned vector = 0; vector < 32; vector++) {
		uint8_t *gate = m->bytes + FAKE_IDT_PA + 16 * vector;

		store_u16(gate, (uint16_t)FAKE_ENTRY);
		store_u16(gate + 6, (uint16_t)(FAKE_ENTRY >> 16));
		store_u32(gate + 8, (uint32_t)(FAKE_ENTRY >> 32));
	}
	store_u64(kpcr + 0x18, FAKE_KPCR_VA);
	store_u64(kpcr + 0x38, FAKE_IDT_VA);
	store_u64(kpcr + 0x280, FAKE_ENTRY);
	store_u64(m->bytes + FAKE_SHADOW_PA, FAKE_ROOT);
}

void fake_machine_init(struct fake_machine *m)
{
	uint8_t *copy;

	*m = (struct fake_machine){ .bytes = calloc(1, FAKE_MEMORY) };
	if (!m->bytes)
		abort();
	copy = m->bytes + FAKE_COPY_PA;
	fake_kernel_build(m->bytes + FAKE_IMAGE_PA, FAKE_KERNEL_BASE, FAKE_SYSTEM_VA);
	fake_kernel_build(copy, UINT64_C(0x140000000), 0);
	memcpy(m->bytes + FAKE_OLD_RECORD_PA, copy + FAKE_RSDS, FAKE_RSDS_SIZE);
	build_tables(m);
	build_structures(m);
}

static bool is_absent(const uint64_t *absent, uint64_t pa)
{
	for (; absent && *absent; absent++)
		if (*absent == pa)
			return true;
	return false;
}

void fake_machine_open(struct fake_machine *m, const uint64_t *absent)
{
	struct error *err;

	m->file = (struct file){ .fd = -1, .bytes = m->bytes, .size = FAKE_MEMORY };
	err = physmem_create(&m->snap.mem);
	for (uint64_t pa = 0; !err && pa < FAKE_MEMORY; pa += 0x1000)
		if (!is_absent(absent, pa))
			err = physmem_add_file(m->snap.mem, pa, 0x1000, &m->file, pa);
	if (err || (err = physmem_seal(m->snap.mem)))
		abort();
}

void fake_machine_deinit(struct fake_machine *m)
{
	physmem_destroy(m->snap.mem);
	free(m->bytes);
}

void fake_machine_add_cpu(struct fake_machine *m, uint64_t cr3, unsigned levels)
{
	m->regs = (struct registers){
		.known = REGS_CONTROL | REGS_CR3 | REGS_GS_BASE,
		.cr3 = cr3,
		.cr4 = levels == 5 ? 1 << 12 : 0,
		.gs.base = FAKE_KPCR_VA,
	};
	m->snap.info.registers = &m->regs;
	m->snap.info.num_registers = 1;
}
