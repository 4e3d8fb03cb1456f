/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "cli/commands.h"
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
};

static const struct option_row vtop_options[] = {
	{ "brief", 'b', OPTION_FLAG, NULL, "one row per address, not per step" },
	SPACE_OPTION_ROWS,
};

/* By walk_step.level. */
static const char *const level_words[] = { "prototype", "pt", "pd", "pdpt", "pml4", "pml5" };

struct translator {
	struct command_run *run;
	struct space *space;
	bool brief;
	uint64_t asked, lacking; /* addresses; those whose page or table was not captured */
};

static const char *vtop_default_columns(const struct option_values *options)
{
	if (option_flag(options, "brief"))
		return "va,pa,page_size,access,state,captured";
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
	if (!w->has_pa)
		return;
	cells[VTOP_PA] = cell_addr(w->pa);
	cells[VTOP_CAPTURED] = cell_bool(is_captured(s, w->pa));
	/* the processor gives no rights by an entry that is not present */
	if (w->num_steps && w->state != VA_TRANSITION)
		cells[VTOP_ACCESS] = cell_str(access);
}

static struct error *print_steps(struct translator *t, const struct walk *w)
{
	for (unsigned i = 0; i < w->num_steps || i == 0; i++) {
		struct cell cells[VTOP_NUM_COLUMNS] = { [VTOP_VA] = cell_addr(w->va) };
		const struct walk_step *step = &w->steps[i];
		char flags[64], access[5];
		struct error *err;

		if (i < w->num_steps) {
			if (step->level < ARRAY_SIZE(level_words))
				cells[VTOP_LEVEL] = cell_str(level_words[step->level]);
			cells[VTOP_ENTRY_ADDRESS] = cell_addr(step->entry_address);
		}
		if (i < w->num_steps && step->captured) {
			enum page_level level =
				step->level ? (enum page_level)step->level : LEVEL_PT;

			pte_flags_text(step->entry, level, flags);
			cells[VTOP_ENTRY] = cell_addr(step->entry);
			cells[VTOP_FLAGS] = cell_str(flags);
		}
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
		"the way was not captured makes the exit status 3.",
	.example = "ntscope vtop --brief memory.dmp fffff80000000000",
	.options = vtop_options,
	.num_options = ARRAY_SIZE(vtop_options),
	.columns = vtop_columns,
	.num_columns = VTOP_NUM_COLUMNS,
	.flags = COMMAND_TRIES_KERNEL,
	.default_columns = vtop_default_columns,
	.without_kernel = space_without_kernel,
	.run = vtop_run,
};
