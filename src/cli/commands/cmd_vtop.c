/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "cli/commands.h"
#include "cli/commands/vtop_pte.h"
#include "cli/spaces.h"

enum {
	VTOP_VA,
	VTOP_LEVEL,
	VTOP_ENTRY_ADDRESS,
	VTOP_ENTRY,
	VTOP_FLAGS,
	VTOP_PA,
	VTOP_PAGE_SIZE,
	VTOP_ACCESS,
	VTOP_STATE,
	VTOP_CAPTURED,
	VTOP_PAGEFILE,
	VTOP_OFFSET,
	VTOP_STORE,
	VTOP_STORE_ADDRESS,
	VTOP_STORE_LENGTH,
	VTOP_READABLE,
	VTOP_REASON,
	VTOP_ENTRY_VA,
	VTOP_PFN,
	VTOP_PTE,
	VTOP_DETAIL,
	VTOP_NUM_COLUMNS
};

static const struct column vtop_columns[VTOP_NUM_COLUMNS] = {
	[VTOP_VA] = { "va", "VA", CELL_ADDR, 18, 0, "the virtual address asked for" },
	[VTOP_LEVEL] = { "level", "LEVEL", CELL_STR, 9, 0,
			 "table of this step: pml5, pml4, pdpt, pd, pt; prototype" },
	[VTOP_ENTRY_ADDRESS] = { "entry_address", "ENTRY ADDRESS", CELL_ADDR, 13, 0,
				 "where the entry is: physical, of a prototype virtual" },
	[VTOP_ENTRY] = { "entry", "ENTRY", CELL_ADDR, 18, 0, "its value; absent: not captured" },
	[VTOP_FLAGS] = { "flags", "FLAGS", CELL_STR, 18, 0, "its bits" },
	[VTOP_PA] = { "pa", "PA", CELL_ADDR, 13, 0, "physical address, in the last step" },
	[VTOP_PAGE_SIZE] = { "page_size", "SIZE", CELL_U64, 7, COL_RIGHT,
			     "bytes of the page, or of the hole where the walk ended" },
	[VTOP_ACCESS] = { "access", "ACCESS", CELL_STR, 6, 0,
			  "what all entries together allow: u user, r, w, x" },
	[VTOP_STATE] = { "state", "STATE", CELL_STR, 12, 0,
			 "mapped, not_captured, not_present, transition, prototype, pagefile, "
			 "compressed, demand_zero, table_not_captured, bad_entry, non_canonical" },
	[VTOP_CAPTURED] = { "captured", "CAPTURED", CELL_BOOL, 0, COL_HIDDEN,
			    "is the byte at pa in the snapshot?" },
	[VTOP_PAGEFILE] = { "pagefile", "PAGE FILE", CELL_U64, 9, COL_RIGHT | COL_HIDDEN,
			    "number of the page file that has the page" },
	[VTOP_OFFSET] = { "pagefile_offset", "OFFSET", CELL_ADDR, 12, COL_HIDDEN,
			  "where in the page file the page begins, in bytes" },
	[VTOP_STORE] = { "store", "STORE", CELL_U64, 5, COL_RIGHT | COL_HIDDEN,
			 "number of the compressed store that has the page" },
	[VTOP_STORE_ADDRESS] = { "store_address", "STORE ADDRESS", CELL_ADDR, 18, COL_HIDDEN,
				 "of the compressed bytes, in the process that keeps the store" },
	[VTOP_STORE_LENGTH] = { "store_length", "LENGTH", CELL_U64, 6, COL_RIGHT | COL_HIDDEN,
				"of the compressed bytes; 0: zeros, 4096: not compressed" },
	[VTOP_READABLE] = { "readable", "READABLE", CELL_BOOL, 0, COL_HIDDEN,
			    "can the byte be read: from memory, a page file, the store, or as the "
			    "zero that Windows would give" },
	[VTOP_REASON] = { "reason", "REASON", CELL_STR, 0, COL_HIDDEN,
			  "why it cannot, where more is known than the state" },
	[VTOP_ENTRY_VA] = { "entry_va", "ENTRY VA", CELL_ADDR, 18, COL_ASKED,
			    "virtual address of the entry, through the tables' own mapping" },
	[VTOP_PFN] = { "pfn", "PFN", CELL_ADDR, 8, COL_ASKED, "the entry's page frame number" },
	[VTOP_PTE] = { "pte", "PTE", CELL_STR, 11, COL_ASKED,
		       "the bits of a valid entry: C copy on write, G global, L large, D dirty, "
		       "A accessed, N not cached, T write through, U user or K kernel, W or R, "
		       "E executable, V valid" },
	[VTOP_DETAIL] = { "detail", "DETAIL", CELL_STR, 0, COL_ASKED,
			  "what an entry says that is not valid: transition, prototype, page file, "
			  "demand zero; its protection" },
};

static const struct option_row vtop_options[] = {
	{ "brief", 'b', OPTION_FLAG, NULL, "one row per address, not per step" },
	{ "pte", 0, OPTION_FLAG, NULL,
	  "the entries as a kernel debugger shows them (!pte): their virtual addresses, frame "
	  "numbers and bits" },
	SPACE_OPTION_ROWS,
};

/* By walk_step.level. */
static const char *const level_words[] = { "prototype", "pt", "pd", "pdpt", "pml4", "pml5" };

struct translator {
	struct command_run *run;
	struct space *space;
	bool brief;
	struct pte_view view;
	uint64_t asked, lacking; /* addresses; those whose page or table was not captured */
	uint64_t paged_out;	 /* those in a page file that is not there */
};

static const char *vtop_default_columns(const struct option_values *options)
{
	if (option_flag(options, "brief"))
		return "va,pa,page_size,access,state,captured";
	if (option_flag(options, "pte"))
		return "va,level,entry_va,entry,pfn,pte,state,detail";
	return NULL;
}

static bool is_captured(struct space *s, uint64_t pa)
{
	struct page_view view;

	if (!s->mem || !physmem_view(s->mem, pa, &view, NULL))
		return false;
	page_release(&view);
	return true;
}

/* Where the bytes are that are not in memory. */
static void fill_backing(const struct walk *w, struct cell *cells)
{
	const struct walk_backing *b = &w->backing;

	cells[VTOP_READABLE] = cell_bool(w->has_bytes);
	if (b->has_pagefile) {
		cells[VTOP_PAGEFILE] = cell_u64(b->pagefile);
		cells[VTOP_OFFSET] = cell_addr(b->offset);
	}
	if (b->has_store) {
		cells[VTOP_STORE] = cell_u64(b->store);
		cells[VTOP_STORE_ADDRESS] = cell_addr(b->address);
		cells[VTOP_STORE_LENGTH] = cell_u64(b->length);
	}
	if (b->why)
		cells[VTOP_REASON] = cell_str(b->why);
}

static void fill_result(struct space *s, const struct walk *w, char access[5], struct cell *cells)
{
	access[0] = w->access & VA_USER ? 'u' : '-';
	access[1] = 'r';
	access[2] = w->access & VA_WRITE ? 'w' : '-';
	access[3] = w->access & VA_NO_EXEC ? '-' : 'x';
	access[4] = '\0';
	if (w->page_size)
		cells[VTOP_PAGE_SIZE] = cell_u64(w->page_size);
	cells[VTOP_STATE] = cell_str(va_state_name(w->state));
	fill_backing(w, cells);
	if (!w->has_pa)
		return;
	cells[VTOP_PA] = cell_addr(w->pa);
	cells[VTOP_CAPTURED] = cell_bool(is_captured(s, w->pa));
	/* the processor gives no rights by an entry that is not present */
	if (w->num_steps && w->state != VA_TRANSITION && w->state != VA_PROTOTYPE)
		cells[VTOP_ACCESS] = cell_str(access);
}

static void fill_pte(const struct translator *t, const struct walk *w, unsigned step,
		     struct pte_text *text, struct cell *cells)
{
	pte_view_step(&t->view, w, step, text);
	cells[VTOP_ENTRY_VA] = cell_opt(text->entry_va);
	cells[VTOP_PFN] = cell_opt(text->pfn);
	if (text->word[0])
		cells[VTOP_PTE] = cell_str(text->word);
	if (text->detail[0])
		cells[VTOP_DETAIL] = cell_str(text->detail);
}

static struct error *print_steps(struct translator *t, const struct walk *w)
{
	for (unsigned i = 0; i < w->num_steps || i == 0; i++) {
		struct cell cells[VTOP_NUM_COLUMNS] = { [VTOP_VA] = cell_addr(w->va) };
		const struct walk_step *step = &w->steps[i];
		struct pte_text text;
		char flags[64], access[5];
		struct error *err;

		if (i < w->num_steps) {
			if (step->level < ARRAY_SIZE(level_words))
				cells[VTOP_LEVEL] = cell_str(level_words[step->level]);
			if (!step->paged_out)
				cells[VTOP_ENTRY_ADDRESS] = cell_addr(step->entry_address);
		}
		if (i < w->num_steps && step->captured) {
			enum page_level level =
				step->level ? (enum page_level)step->level : LEVEL_PT;

			pte_flags_text(step->entry, level, flags);
			cells[VTOP_ENTRY] = cell_addr(step->entry);
			cells[VTOP_FLAGS] = cell_str(flags);
		}
		if (i < w->num_steps)
			fill_pte(t, w, i, &text, cells);
		if (i + 1 >= w->num_steps)
			fill_result(t->space, w, access, cells);
		if ((err = sink_row(t->run->sink, cells, 0)) != NULL)
			return err;
	}
	return NULL;
}

static struct error *print_brief(struct translator *t, const struct walk *w)
{
	struct cell cells[VTOP_NUM_COLUMNS] = { [VTOP_VA] = cell_addr(w->va) };
	char access[5];

	fill_result(t->space, w, access, cells);
	return sink_row(t->run->sink, cells, 0);
}

static struct error *translate(struct translator *t, uint64_t va)
{
	struct walk walk;

	space_walk(t->space, va, &walk);
	t->asked++;
	t->lacking += walk.state == VA_NOT_CAPTURED || walk.state == VA_TABLE_NOT_CAPTURED;
	t->paged_out += walk.state == VA_PAGEFILE && !walk.has_bytes;
	return t->brief ? print_brief(t, &walk) : print_steps(t, &walk);
}

static char *trim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/* Reads to the end of a line that did not fit. */
static void skip_line(FILE *in)
{
	int c;

	do
		c = getc(in);
	while (c != '\n' && c != EOF);
}

/* One address a line; blank lines are skipped, bad ones reported. */
static struct error *translate_lines(struct translator *t, FILE *in)
{
	char line[128];
	uint64_t number = 0;
	struct error *err = NULL;

	while (!err && !sink_full(t->run->sink) && fgets(line, sizeof(line), in)) {
		bool whole = strchr(line, '\n') || feof(in);
		const char *word = trim(line);
		uint64_t va;

		number++;
		if (!whole)
			skip_line(in);
		if (whole && !*word)
			continue;
		if (whole && address_parse(word, &va))
			err = translate(t, va);
		else
			diag_partial(t->run->diag,
				     "standard input: line %" PRIu64
				     ": '%s' is not a hexadecimal address",
				     number, word);
	}
	return err;
}

static struct error *check_addresses(const struct command_run *run)
{
	uint64_t va;

	for (size_t i = 0; i < run->num_args; i++) {
		if (strcmp(run->args[i], "-") != 0 && !address_parse(run->args[i], &va))
			return error_new(ERROR_USAGE, "vtop: '%s' is not a hexadecimal address",
					 run->args[i]);
	}
	return NULL;
}

static struct error *translate_all(struct translator *t)
{
	struct command_run *run = t->run;
	struct error *err = NULL;
	uint64_t va;

	for (size_t i = 0; i < run->num_args && !err; i++) {
		if (address_parse(run->args[i], &va))
			err = translate(t, va);
		else
			err = translate_lines(t, run->in);
	}
	if (!err && t->lacking)
		diag_partial(run->diag,
			     "%" PRIu64 " of %" PRIu64
			     " addresses end in pages that the snapshot lacks",
			     t->lacking, t->asked);
	if (!err && t->paged_out)
		diag_note(run->diag,
			  "%" PRIu64 " of %" PRIu64
			  " addresses are in page files that were not given (--pagefile)",
			  t->paged_out, t->asked);
	return err;
}

static struct error *vtop_run(struct command_run *run)
{
	struct chosen_space chosen CLEANUP(chosen_space_deinit) = { 0 };
	struct translator t = { .run = run, .brief = option_flag(run->options, "brief") };
	struct error *err;

	if ((err = check_addresses(run)) != NULL)
		return err;
	if ((err = chosen_space_init(run, &chosen)) != NULL)
		return err;
	t.space = chosen.space;
	pte_view_init(run, t.space, &t.view);
	return translate_all(&t);
}

const struct command cmd_vtop = {
	.name = "vtop",
	.summary = "translate virtual addresses, step by step",
	.arguments = "ADDRESS...|-",
	.min_args = 1,
	.max_args = UINT_MAX,
	.description =
		"Prints one row per page-table entry visited; the last row of each address says "
		"how it "
		"ends. Addresses are hexadecimal, with or without 0x, also as WinDbg prints them "
		"(fffff805`1a09f000); '-' reads one a line from standard input.\n\n"
		"The space is the kernel's unless --pid, --dtb or --cpu names another. Where no "
		"Windows kernel is found, --dtb and --cpu still work, and the default is the space "
		"of "
		"processor 0. That an address is not mapped is an answer; that a page or a table "
		"on "
		"the way was not captured makes the exit status 3.\n\n"
		"--pte shows each entry as WinDbg's !pte does: at which virtual address it is "
		"mapped (of pml4, pdpt, pd and pt: the PXE, PPE, PDE and PTE), its frame number "
		"and its bits by letter, or what Windows says in an entry that is not valid.\n\n"
		"What the processor calls not present Windows may still find; the last row says "
		"where. A prototype row is the page table entry of a section, in the kernel's "
		"memory. Of a page in a page file the columns pagefile and pagefile_offset say "
		"which and where; --pagefile gives such bytes to all commands.",
	.example = "ntscope vtop --brief memory.dmp fffff80000000000",
	.options = vtop_options,
	.num_options = ARRAY_SIZE(vtop_options),
	.columns = vtop_columns,
	.num_columns = VTOP_NUM_COLUMNS,
	.key_columns = "va,level",
	.flags = COMMAND_TRIES_KERNEL,
	.default_columns = vtop_default_columns,
	.without_kernel = space_without_kernel,
	.run = vtop_run,
};
