/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "windows/paging/pte.h"

enum { NO_PA = 1 };

static const struct windows_pte_config usual = { .known = true,
						 .invalid_pte_mask = UINT64_C(1) << 45 };
static const struct windows_pte_config no_mask = { .known = true };
static const struct windows_pte_config old = { .as_stored = true, .file_shift = 1 };

struct row {
	const char *what;
	const struct windows_pte_config *config;
	enum page_level level;
	uint64_t entry;
	enum va_state state;
	uint64_t pa;
};

static const struct row rows[] = {
	{ "zero", &usual, LEVEL_PT, 0, VA_NOT_PRESENT, NO_PA },
	{ "demand zero", &usual, LEVEL_PT, 0x200000000080, VA_DEMAND_ZERO, NO_PA },
	{ "demand zero, no mask", &no_mask, LEVEL_PT, 0x80, VA_DEMAND_ZERO, NO_PA },
	{ "demand zero, as stored", &usual, LEVEL_PT, 0x90, VA_DEMAND_ZERO, NO_PA },
	{ "demand zero, unknown mask", NULL, LEVEL_PT, 0x200000000080, VA_DEMAND_ZERO, NO_PA },
	{ "demand zero, old build, unknown mask", NULL, LEVEL_PT, 0x80, VA_DEMAND_ZERO, NO_PA },
	{ "page file", &usual, LEVEL_PT, 0xe5e600000084, VA_PAGEFILE, NO_PA },
	{ "page file, only offset bit 13", &no_mask, LEVEL_PT, 0x200000000084, VA_PAGEFILE, NO_PA },
	{ "page file, as stored", &usual, LEVEL_PT, 0x200000000094, VA_PAGEFILE, NO_PA },
	{ "transition", &usual, LEVEL_PT, 0x200002852860, VA_TRANSITION, 0x2852000 },
	{ "transition, no mask", &no_mask, LEVEL_PT, 0x6c89880, VA_TRANSITION, 0x6c89000 },
	{ "transition, as stored", &usual, LEVEL_PT, 0x200002852870, VA_TRANSITION,
	  0x200002852000 },
	{ "transition, unknown mask", NULL, LEVEL_PT, 0x200002852860, VA_TRANSITION, 0x2852000 },
	{ "transition, unused bits", &usual, LEVEL_PT, 0xfff0000000001800, VA_TRANSITION, 0x1000 },
	{ "prototype", &usual, LEVEL_PT, 0xb22980e282380400, VA_PROTOTYPE, NO_PA },
	{ "prototype in transition", &usual, LEVEL_PT, 0xb22980e282380c00, VA_PROTOTYPE, NO_PA },
	{ "prototype by the VAD", &no_mask, LEVEL_PT, 0xffffffff00000460, VA_PROTOTYPE, NO_PA },
	{ "table in transition", &usual, LEVEL_PD, 0x200002852860, VA_TRANSITION, 0x2852000 },
	{ "table in a page file", &usual, LEVEL_PD, 0xe5e600000084, VA_PAGEFILE, NO_PA },
	{ "table to be", &usual, LEVEL_PD, 0x200000000080, VA_NOT_PRESENT, NO_PA },
	{ "prototype for a table", &usual, LEVEL_PDPT, 0x400, VA_NOT_PRESENT, NO_PA },
	{ "taken back", &usual, LEVEL_PT, 0x200000000200, VA_NOT_PRESENT, NO_PA },
	{ "guard page, untouched", &usual, LEVEL_PT, 0x200000000280, VA_DEMAND_ZERO, NO_PA },
	{ "bit 45 of a build that disguises nothing", &old, LEVEL_PT, 0x200000000080, VA_PAGEFILE,
	  NO_PA },
	{ "hole above", &usual, LEVEL_PML4, 0, VA_NOT_PRESENT, NO_PA },
};

ParameterizedTestParameters(pte, classify)
{
	return cr_make_param_array(const struct row, (void *)rows, ARRAY_SIZE(rows));
}

ParameterizedTest(const struct row *row, pte, classify)
{
	uint64_t pa = NO_PA;
	enum va_state state = windows_soft_pte.classify(row->config, row->entry, row->level, &pa);

	cr_expect_eq(state, row->state, "%s: %s", row->what, va_state_name(state));
	cr_expect_eq(pa, row->pa, "%s: 0x%llx", row->what, (unsigned long long)pa);
}

Test(pte, unknown_configuration_takes_the_usual_mask)
{
	struct windows_pte_config unknown = { .invalid_pte_mask = UINT64_MAX };
	uint64_t pa = NO_PA;

	cr_expect_eq(windows_soft_pte.classify(&unknown, 0x200002852860, LEVEL_PT, &pa),
		     VA_TRANSITION);
	cr_expect_eq(pa, 0x2852000);
}

Test(pte, where_a_page_is)
{
	static const struct {
		const struct windows_pte_config *config;
		uint64_t entry;
		unsigned file;
		uint64_t offset;
	} files[] = {
		{ &usual, 0xe5e600000084, 0, 0xc5e6000 },
		{ &usual, 0x297c00000094, 0, 0x297c000 },
		{ &usual, 0x1234000020e0, 2, 0x1234000 },
		{ &no_mask, 0xfeb400000080, 0, 0xfeb4000 },
		{ &old, 0x2001000000c4, 2, 0x2001000 },
		{ &old, 0x2001000000d0, 8, 0x2001000 },
		{ NULL, UINT64_C(0xffffffff0000f080), 15, UINT64_C(0xffffdfff000) },
	};
	struct windows_pte pte;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		pte = windows_pte_decode(files[i].config, files[i].entry);
		cr_expect_eq(pte.kind, WINDOWS_PTE_IN_PAGEFILE, "%zu", i);
		cr_expect_eq(pte.file, files[i].file, "%zu: %u", i, pte.file);
		cr_expect_eq(pte.offset, files[i].offset, "%zu", i);
	}
	pte = windows_pte_decode(&usual, 0xb22980e282380400);
	cr_expect_eq(pte.kind, WINDOWS_PTE_AT_PROTO);
	cr_expect_eq(pte.address, UINT64_C(0xffffb22980e28238));
	cr_expect_eq(windows_pte_decode(&usual, 0xffffffff00000460).kind, WINDOWS_PTE_AT_VAD);
	cr_expect_eq(windows_pte_decode(&usual, 0).kind, WINDOWS_PTE_ZERO);
}
