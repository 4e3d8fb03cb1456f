/* SPDX-License-Identifier: MIT */
#include "../arch/fake_tables.h"
#include "cli/commands/vtop_pte.h"
#include "windows/kernel/kernel.h"

enum { ROOT = 1, SELF = 0x1ed };

static struct fake_machine *m;
static struct kernel kernel;
static struct command_run run;
static struct pte_view view;

static void setup(void)
{
	m = calloc(1, sizeof(*m));
	kernel = (struct kernel){ .pte_config = { .known = false } };
	run = (struct command_run){ .kernel = NULL };
}

static void teardown(void)
{
	close_machine(m);
	free(m);
}

TestSuite(vtop_pte, .init = setup, .fini = teardown);

static void begin(unsigned levels)
{
	pte_view_init(&run, open_machine(m, PAGE(ROOT), levels, NULL), &view);
	view.kernel = &kernel;
}

static struct pte_text text_of(uint64_t entry, unsigned level)
{
	const struct walk w = {
		.va = 0x1000,
		.num_steps = 1,
		.steps = { { .level = level, .entry = entry, .captured = true } },
	};
	struct pte_text text;

	pte_view_step(&view, &w, 0, &text);
	return text;
}

static void expect_entry_vas(uint64_t va, unsigned levels, const uint64_t *expected)
{
	struct walk w = { .va = va, .num_steps = levels };
	struct pte_text text;

	for (unsigned i = 0; i < levels; i++) {
		w.steps[i] = (struct walk_step){ .level = levels - i };
		pte_view_step(&view, &w, i, &text);
		cr_expect(text.entry_va.present && text.entry_va.value == expected[i],
			  "level %u: 0x%lx", levels - i, text.entry_va.value);
	}
}

/* Where every 64-bit Windows had its tables before they were placed at random. */
Test(vtop_pte, addresses_of_entries)
{
	static const uint64_t lowest[] = {
		UINT64_C(0xfffff6fb7dbed000),
		UINT64_C(0xfffff6fb7da00000),
		UINT64_C(0xfffff6fb40000000),
		UINT64_C(0xfffff68000000000),
	};
	static const uint64_t highest[] = {
		UINT64_C(0xfffff6fb7dbedff8),
		UINT64_C(0xfffff6fb7dbffff8),
		UINT64_C(0xfffff6fb7ffffff8),
		UINT64_C(0xfffff6fffffffff8),
	};

	set_entry(m, ROOT, SELF, PAGE(ROOT) | TABLE);
	begin(4);
	cr_assert(view.self_index.present && view.self_index.value == SELF);
	expect_entry_vas(0, 4, lowest);
	expect_entry_vas(UINT64_MAX, 4, highest);
}

Test(vtop_pte, addresses_of_five_levels)
{
	static const uint64_t lowest[] = {
		UINT64_C(0xffedf6fb7dbed000), UINT64_C(0xffedf6fb7da00000),
		UINT64_C(0xffedf6fb40000000), UINT64_C(0xffedf68000000000),
		UINT64_C(0xffed000000000000),
	};

	set_entry(m, ROOT, SELF, PAGE(ROOT) | TABLE);
	begin(5);
	expect_entry_vas(0, 5, lowest);
}

Test(vtop_pte, the_lower_half_and_other_tables_are_no_self_map)
{
	set_entry(m, ROOT, 3, PAGE(ROOT) | TABLE);
	set_entry(m, ROOT, SELF, PAGE(ROOT)); /* not present */
	set_entry(m, ROOT, SELF + 1, PAGE(ROOT + 1) | TABLE);
	begin(4);
	cr_expect_not(view.self_index.present);
	cr_expect_not(text_of(TABLE, LEVEL_PT).entry_va.present);
}

Test(vtop_pte, a_root_that_is_captured_in_part)
{
	set_entry(m, ROOT, 300, PAGE(ROOT) | TABLE);
	set_entry(m, ROOT, SELF, PAGE(ROOT) | TABLE);
	capture(m, PAGE(ROOT) + 400 * 8, PAGE(ROOT + 1));
	begin(4);
	cr_expect(view.self_index.present && view.self_index.value == SELF);
}

Test(vtop_pte, letters)
{
	static const struct {
		uint64_t entry;
		unsigned level;
		const char *word;
		uint64_t pfn;
	} rows[] = {
		{ 0x108063, LEVEL_PML4, "---DA--KWEV", 0x108 },
		{ 0x1, LEVEL_PT, "-------KREV", 0 },
		{ UINT64_C(0x8000000000123001), LEVEL_PT, "-------KR-V", 0x123 },
		{ 0x3ff | 0x5000, LEVEL_PT, "CG-DANTUWEV", 5 },
		{ 0x3ff | 0x40000000, LEVEL_PD, "CGLDANTUWEV", 0x40000 },
		/* bit 12 of a large page belongs to its memory type */
		{ 0x2010e3, LEVEL_PD, "--LDA--KWEV", 0x200 },
		{ 0x80 | 0x3001, LEVEL_PML4, "-------KREV", 3 },
	};

	begin(4);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pte_text text = text_of(rows[i].entry, rows[i].level);

		cr_expect_str_eq(text.word, rows[i].word);
		cr_expect(text.pfn.present && text.pfn.value == rows[i].pfn, "%zu", i);
		cr_expect_str_eq(text.detail, "");
	}
}

Test(vtop_pte, entries_that_are_not_valid)
{
	static const struct {
		uint64_t entry;
		unsigned level;
		const char *detail;
	} rows[] = {
		{ 0, LEVEL_PT, "" },
		{ 0x80, LEVEL_PT, "demand zero; PAGE_READWRITE" },
		{ UINT64_C(0x200002852860), LEVEL_PT, "transition; PAGE_EXECUTE_READ" },
		{ UINT64_C(0xb22980e282380400), LEVEL_PT,
		  "prototype 0xffffb22980e28238; PAGE_NOACCESS" },
		{ UINT64_C(0xc62e40427da80460), 0,
		  "subsection 0xffffc62e40427da8; PAGE_EXECUTE_READ" },
		{ UINT64_C(0xffffffff00000460), LEVEL_PT,
		  "prototype of the VAD; PAGE_EXECUTE_READ" },
		{ UINT64_C(0x0000123400002094), LEVEL_PT,
		  "page file 2, offset 0x1234000; PAGE_READWRITE" },
	};

	begin(4);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pte_text text = text_of(rows[i].entry, rows[i].level);

		cr_expect_str_eq(text.detail, rows[i].detail);
		cr_expect_str_empty(text.word);
	}
	cr_expect_eq(text_of(UINT64_C(0x200002852860), LEVEL_PT).pfn.value, 0x2852);
}

Test(vtop_pte, without_a_kernel_nothing_is_decoded)
{
	begin(4);
	view.kernel = NULL;
	cr_expect_str_empty(text_of(0x80, LEVEL_PT).detail);
	cr_expect_str_eq(text_of(0x1, LEVEL_PT).word, "-------KREV");
}
