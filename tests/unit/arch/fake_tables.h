/* SPDX-License-Identifier: MIT */
#ifndef FAKE_TABLES_H
#define FAKE_TABLES_H

#include <criterion/criterion.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "base/cursor.h"

/* A machine of a few pages. Page n is at physical address n << 12; tables are written into it. */
enum { FAKE_PAGES = 16 };
#define PAGE(n) ((uint64_t)(n) << 12)
#define TABLE	(PTE_PRESENT | PTE_WRITE | PTE_USER)

struct fake_machine {
	uint8_t bytes[FAKE_PAGES * PAGE_SIZE];
	struct file file;
	struct physmem *mem;
	struct space *space;
};

static inline void set_entry(struct fake_machine *m, unsigned page, unsigned index, uint64_t entry)
{
	store_u64(m->bytes + PAGE(page) + index * 8, entry);
}

static inline void fill_table(struct fake_machine *m, unsigned page, uint64_t entry)
{
	for (unsigned i = 0; i < 512; i++)
		set_entry(m, page, i, entry);
}

/* Captures [start, end) only; call it as often as needed, or never for all of the memory. */
static inline void capture(struct fake_machine *m, uint64_t start, uint64_t end)
{
	if (!m->mem) {
		m->file = (struct file){ .fd = -1, .bytes = m->bytes, .size = sizeof(m->bytes) };
		cr_assert_null(physmem_create(&m->mem));
	}
	cr_assert_null(physmem_add_file(m->mem, start, end - start, &m->file, start));
}

static inline struct space *open_machine(struct fake_machine *m, uint64_t root, unsigned levels,
					 const struct soft_pte_ops *soft)
{
	if (!m->mem)
		capture(m, 0, sizeof(m->bytes));
	cr_assert_null(physmem_seal(m->mem));
	cr_assert_null(space_create_amd64(m->mem, root, levels, soft, NULL, &m->space));
	return m->space;
}

static inline void close_machine(struct fake_machine *m)
{
	space_destroy(m->space);
	physmem_destroy(m->mem);
}

#endif
