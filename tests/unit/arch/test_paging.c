/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "base/workers.h"
#include "fake_tables.h"

static struct fake_machine m;

static void fini(void)
{
	close_machine(&m);
}

TestSuite(paging, .fini = fini);

/* Page 1 is the root; 2, 3 and 4 lead to page 5 at 0x8080604000 (indices 1, 2, 3, 4). */
static const uint64_t mapped_va = UINT64_C(0x8080604000);

static void chain(uint64_t pml4e, uint64_t pdpte, uint64_t pde, uint64_t pte)
{
	set_entry(&m, 1, 1, pml4e);
	set_entry(&m, 2, 2, pdpte);
	set_entry(&m, 3, 3, pde);
	set_entry(&m, 4, 4, pte);
}

static void expect_walk(uint64_t va, enum va_state state, uint64_t pa, uint64_t page_size,
			unsigned steps)
{
	struct walk w;
	uint64_t translated = 0;

	space_walk(m.space, va, &w);
	cr_expect_eq(w.state, state, "0x%llx: %s", (unsigned long long)va, va_state_name(w.state));
	cr_expect_eq(w.has_pa, pa != 0);
	cr_expect_eq(w.pa, pa, "0x%llx: pa 0x%llx", (unsigned long long)va,
		     (unsigned long long)w.pa);
	cr_expect_eq(w.page_size, page_size, "0x%llx: size 0x%llx", (unsigned long long)va,
		     (unsigned long long)w.page_size);
	cr_expect_eq(w.num_steps, steps);
	for (int i = 0; i < 2; i++) { /* from the tables, and from the cache */
		cr_expect_eq(space_translate(m.space, va, &translated), state);
		if (w.has_pa)
			cr_expect_eq(translated, pa);
	}
}

Test(paging, small_page)
{
	struct walk w;

	chain(PAGE(2) | TABLE, PAGE(3) | TABLE, PAGE(4) | TABLE, PAGE(5) | TABLE);
	open_machine(&m, PAGE(1) | 0x18, 4, NULL);
	cr_expect_eq(m.space->root, PAGE(1));
	expect_walk(mapped_va + 0x123, VA_MAPPED, PAGE(5) + 0x123, 0x1000, 4);
	space_walk(m.space, mapped_va, &w);
	for (unsigned i = 0; i < 4; i++) {
		cr_expect_eq(w.steps[i].level, 4 - i);
		cr_expect_eq(w.steps[i].entry_address, PAGE(1 + i) + (i + 1) * 8);
		cr_expect_eq(w.steps[i].entry, PAGE(2 + i) | TABLE);
		cr_expect(w.steps[i].captured);
	}
	cr_expect_eq(w.access, VA_WRITE | VA_USER);
	expect_walk(mapped_va + 0x1000, VA_NOT_PRESENT, 0, 0x1000, 4);
	expect_walk(mapped_va + 0x200000, VA_NOT_PRESENT, 0, 0x200000, 3);
	expect_walk(mapped_va + 0x40000000, VA_NOT_PRESENT, 0, 0x40000000, 2);
	expect_walk(0, VA_NOT_PRESENT, 0, UINT64_C(1) << 39, 1);
}

Test(paging, large_pages_mask_pat_and_refuse_reserved_bits)
{
	chain(PAGE(2) | TABLE, PAGE(3) | TABLE, 0x200000 | 0x1000 | PTE_LARGE | TABLE, 0);
	set_entry(&m, 2, 5, UINT64_C(0x40000000) | 0x1000 | PTE_LARGE | TABLE);
	set_entry(&m, 2, 6, UINT64_C(0x40000000) | 0x2000 | PTE_LARGE | TABLE);
	set_entry(&m, 3, 4, 0x200000 | 0x100000 | PTE_LARGE | TABLE);
	set_entry(&m, 3, 5, PTE_LARGE | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	expect_walk(0x8080600000 + 0x1234, VA_NOT_CAPTURED, 0x201234, 0x200000, 3);
	expect_walk(0x8140000000 + 0x1234567, VA_NOT_CAPTURED, 0x41234567, 0x40000000, 2);
	expect_walk(0x8180000000, VA_BAD_ENTRY, 0, 0x40000000, 2);
	expect_walk(0x8080800000, VA_BAD_ENTRY, 0, 0x200000, 3);
	expect_walk(0x8080a05000, VA_MAPPED, 0x5000, 0x200000, 3);
}

Test(paging, bit_7_is_pat_in_the_lowest_level_and_reserved_in_the_highest)
{
	chain(PAGE(2) | TABLE, PAGE(3) | TABLE, PAGE(4) | TABLE, PAGE(5) | PTE_LARGE | TABLE);
	set_entry(&m, 1, 2, PAGE(2) | PTE_LARGE | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	expect_walk(mapped_va, VA_MAPPED, PAGE(5), 0x1000, 4);
	expect_walk(UINT64_C(2) << 39, VA_BAD_ENTRY, 0, UINT64_C(1) << 39, 1);
}

Test(paging, access_accumulates_over_all_levels)
{
	struct walk w;

	chain(PAGE(2) | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_NX, PAGE(3) | TABLE,
	      PAGE(4) | PTE_PRESENT | PTE_WRITE, PAGE(5) | TABLE);
	set_entry(&m, 4, 5, PAGE(5) | PTE_PRESENT | PTE_USER);
	open_machine(&m, PAGE(1), 4, NULL);
	space_walk(m.space, mapped_va, &w);
	cr_expect_eq(w.access, VA_WRITE | VA_NO_EXEC);
	space_walk(m.space, mapped_va + 0x1000, &w);
	cr_expect_eq(w.access, VA_NO_EXEC);
}

Test(paging, canonical_addresses)
{
	cr_expect(va_is_canonical(UINT64_C(0x00007fffffffffff), 4));
	cr_expect(!va_is_canonical(UINT64_C(0x0000800000000000), 4));
	cr_expect(!va_is_canonical(UINT64_C(0xffff7fffffffffff), 4));
	cr_expect(va_is_canonical(UINT64_C(0xffff800000000000), 4));
	cr_expect(va_is_canonical(UINT64_C(0x00ffffffffffffff), 5));
	cr_expect(!va_is_canonical(UINT64_C(0x0100000000000000), 5));
	cr_expect(!va_is_canonical(UINT64_C(0xfeffffffffffffff), 5));
	cr_expect(va_is_canonical(UINT64_C(0xff00000000000000), 5));
	open_machine(&m, PAGE(1), 4, NULL);
	expect_walk(UINT64_C(0x800000000000), VA_NON_CANONICAL, 0, 0, 0);
}

Test(paging, five_levels)
{
	chain(PAGE(2) | TABLE, PAGE(3) | TABLE, PAGE(4) | TABLE, PAGE(5) | TABLE);
	set_entry(&m, 6, 0x1f0, PAGE(1) | TABLE);
	set_entry(&m, 6, 1, PAGE(1) | PTE_LARGE | TABLE);
	open_machine(&m, PAGE(6), 5, NULL);
	expect_walk(UINT64_C(0xfff0000000000000) + mapped_va, VA_MAPPED, PAGE(5), 0x1000, 5);
	expect_walk(UINT64_C(1) << 48, VA_BAD_ENTRY, 0, UINT64_C(1) << 48, 1);
	expect_walk(UINT64_C(2) << 48, VA_NOT_PRESENT, 0, UINT64_C(1) << 48, 1);
}

Test(paging, absent_tables_and_pages)
{
	chain(PAGE(2) | TABLE, PAGE(3) | TABLE, PAGE(99) | TABLE, 0);
	set_entry(&m, 3, 4, PAGE(4) | TABLE);
	set_entry(&m, 4, 0, PAGE(98) | TABLE);
	set_entry(&m, 1, 2, PAGE(97) | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	expect_walk(mapped_va, VA_TABLE_NOT_CAPTURED, 0, 0x200000, 4);
	expect_walk(0x8080800008, VA_NOT_CAPTURED, PAGE(98) + 8, 0x1000, 4);
	expect_walk(UINT64_C(2) << 39, VA_TABLE_NOT_CAPTURED, 0, UINT64_C(1) << 39, 2);
}

Test(paging, absent_table_before_a_captured_page)
{
	chain(PAGE(2) | TABLE, PAGE(3) | TABLE, PAGE(4) | TABLE, PAGE(5) | TABLE);
	capture(&m, 0, PAGE(4));
	capture(&m, PAGE(5), PAGE(6));
	open_machine(&m, PAGE(1), 4, NULL);
	expect_walk(mapped_va, VA_TABLE_NOT_CAPTURED, 0, 0x200000, 4);
}

Test(paging, absent_root)
{
	open_machine(&m, PAGE(99), 4, NULL);
	expect_walk(0, VA_TABLE_NOT_CAPTURED, 0, UINT64_C(1) << 48, 1);
}

Test(paging, table_captured_in_part)
{
	chain(PAGE(2) | TABLE, PAGE(3) | TABLE, PAGE(4) | TABLE, PAGE(5) | TABLE);
	set_entry(&m, 4, 1, PAGE(5) | TABLE);
	capture(&m, 0, PAGE(4) + 12); /* one entry and a half */
	capture(&m, PAGE(4) + 4 * 8, PAGE(6));
	set_entry(&m, 4, 0, PAGE(5) | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	expect_walk(0x8080600000, VA_MAPPED, PAGE(5), 0x1000, 4);
	expect_walk(0x8080601000, VA_TABLE_NOT_CAPTURED, 0, 0x1000, 4);
	expect_walk(0x8080603000, VA_TABLE_NOT_CAPTURED, 0, 0x1000, 4);
	expect_walk(mapped_va, VA_MAPPED, PAGE(5), 0x1000, 4);
	expect_walk(mapped_va + 0x1000, VA_NOT_PRESENT, 0, 0x1000, 4);
}

static enum va_state classify(const void *arg, uint64_t entry, enum page_level level, uint64_t *pa)
{
	(void)arg;
	(void)level;
	*pa = entry & PTE_PFN_MASK;
	return entry & 2 ? VA_TRANSITION : entry & 4 ? VA_PAGEFILE : VA_NOT_PRESENT;
}

static const struct soft_pte_ops soft_ops = { .classify = classify };

Test(paging, transition_of_a_page_and_of_its_table)
{
	char text[4];

	memcpy(m.bytes + PAGE(5), "abc", 4);
	chain(PAGE(2) | TABLE, PAGE(3) | TABLE, PAGE(4) | 2, PAGE(5) | TABLE);
	set_entry(&m, 4, 5, PAGE(5) | 2);
	set_entry(&m, 4, 6, 4);
	set_entry(&m, 4, 7, PAGE(99) | 2);
	set_entry(&m, 2, 7, PAGE(3) | 2);
	open_machine(&m, PAGE(1), 4, &soft_ops);
	expect_walk(mapped_va, VA_TRANSITION, PAGE(5), 0x1000, 4);
	expect_walk(mapped_va + 0x1000, VA_TRANSITION, PAGE(5), 0x1000, 4);
	expect_walk(mapped_va + 0x2000, VA_PAGEFILE, 0, 0x1000, 4);
	expect_walk(mapped_va + 0x3000, VA_NOT_CAPTURED, PAGE(99), 0x1000, 4);
	/* only a page table is followed, not a table of them */
	expect_walk(0x81c0000000, VA_NOT_PRESENT, 0, 0x40000000, 2);
	cr_expect(space_try_read(m.space, mapped_va, text, sizeof(text), NULL));
	cr_expect_str_eq(text, "abc");
}

Test(paging, read_crosses_pages)
{
	uint64_t value;
	struct fault fault;

	chain(PAGE(2) | TABLE, PAGE(3) | TABLE, PAGE(4) | TABLE, PAGE(6) | TABLE);
	set_entry(&m, 4, 5, PAGE(5) | TABLE);
	store_u32(m.bytes + PAGE(7) - 4, 0x11223344);
	store_u32(m.bytes + PAGE(5), 0x55667788);
	open_machine(&m, PAGE(1), 4, NULL);
	cr_expect(space_try_u64(m.space, mapped_va + 0xffc, &value, &fault));
	cr_expect_eq(value, UINT64_C(0x5566778811223344));
	cr_expect(!space_try_u64(m.space, mapped_va + 0x1ffc, &value, &fault));
	cr_expect_eq(fault.va, mapped_va + 0x2000);
	cr_expect_eq(fault.state, VA_NOT_PRESENT);
}

static struct error *walk_job(void *arg, size_t index)
{
	uint64_t pa;
	struct va_range range;

	(void)arg;
	for (unsigned i = 0; i < 4096; i++) {
		uint64_t va = UINT64_C(0x8080600000) + ((index * 7 + i * 13) % 512) * 0x1000;

		if (space_translate(m.space, va, &pa) != VA_MAPPED ||
		    pa != PAGE((va >> 12) % 8 + 5))
			return error_new(ERROR_CORRUPT, "wrong page");
		if (!i && !space_next(m.space, va, &range))
			return error_new(ERROR_CORRUPT, "no range");
	}
	return NULL;
}

Test(paging, threads_agree)
{
	chain(PAGE(2) | TABLE, PAGE(3) | TABLE, PAGE(4) | TABLE, 0);
	for (unsigned i = 0; i < 512; i++)
		set_entry(&m, 4, i, PAGE(i % 8 + 5) | TABLE);
	open_machine(&m, PAGE(1), 4, NULL);
	cr_expect_null(workers_run(4, 64, walk_job, NULL));
}

Test(paging, levels_are_checked)
{
	struct space *s;
	struct error *err = space_create_amd64(NULL, 0, 3, NULL, NULL, &s);

	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_USAGE);
	error_destroy(err);
}

Test(paging, address_arithmetic)
{
	uint64_t up = 1;

	cr_expect_eq(va_align_down(0x12345678, LEVEL_PD), 0x12200000);
	cr_expect(va_align_up(0x12345678, LEVEL_PT, &up));
	cr_expect_eq(up, 0x12346000);
	cr_expect(va_align_up(0x12346000, LEVEL_PT, &up));
	cr_expect_eq(up, 0x12346000);
	cr_expect(va_align_up(UINT64_C(0xfffffffffffff000), LEVEL_PT, &up));
	cr_expect_eq(up, UINT64_C(0xfffffffffffff000));
	cr_expect(!va_align_up(UINT64_C(0xfffffffffffff001), LEVEL_PT, &up));
	cr_expect_eq(up, 0);
	cr_expect_eq(va_offset(0x12345678, LEVEL_PD), 0x145678);
	cr_expect_eq(va_index(UINT64_MAX, LEVEL_PML5), 511);
	cr_expect_eq(va_index(mapped_va, LEVEL_PML4), 1);
	cr_expect_eq(va_index(mapped_va, LEVEL_PT), 4);
	cr_expect_eq(level_size(LEVEL_PML5), UINT64_C(1) << 48);
}

Test(paging, flags_in_words)
{
	char text[64];

	pte_flags_text(0, LEVEL_PT, text);
	cr_expect_str_empty(text);
	pte_flags_text(UINT64_MAX & ~UINT64_C(1), LEVEL_PT, text);
	cr_expect_str_empty(text);
	pte_flags_text(UINT64_MAX, LEVEL_PT, text);
	cr_expect_str_eq(text, "P|W|U|PWT|PCD|A|D|PAT|G|NX");
	pte_flags_text(PAGE(5) | PTE_PRESENT | PTE_LARGE | PTE_NX, LEVEL_PD, text);
	cr_expect_str_eq(text, "P|L|NX");
}
