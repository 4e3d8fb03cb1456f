/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/names.h"
#include "windows/kernel/kernel.h"
#include "windows/symbols/type_info.h"

enum {
	SYMBOLS_ADDRESS,
	SYMBOLS_RVA,
	SYMBOLS_NAME,
	SYMBOLS_OFFSET,
	SYMBOLS_MODULE,
	SYMBOLS_SOURCE,
	SYMBOLS_NUM_COLUMNS
};

/* An argument of so many hexadecimal digits is no name, whatever it begins with. */
enum { MIN_ADDRESS_DIGITS = 8 };

static const struct column symbols_columns[SYMBOLS_NUM_COLUMNS] = {
	[SYMBOLS_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, 0,
			      "virtual address of the symbol" },
	[SYMBOLS_RVA] = { "rva", "RVA", CELL_ADDR, 10, 0, "its distance from the module's base" },
	[SYMBOLS_NAME] = { "name", "NAME", CELL_STR, 32, 0, "as the symbols name it" },
	[SYMBOLS_OFFSET] = { "offset", "OFFSET", CELL_ADDR, 8, 0,
			     "how far the address that was asked for lies above it" },
	[SYMBOLS_MODULE] = { "module", "MODULE", CELL_STR, 6, 0, "whose symbol it is: nt" },
	[SYMBOLS_SOURCE] = { "source", "SOURCE", CELL_STR, 0, 0,
			     "what says so: pdb, isf, store, builtin, discovery" },
};

/* One symbol of one source. */
struct listed {
	struct symbol symbol;
	size_t source; /* index in the profile: an earlier one is asked first */
};

struct listing {
	const struct kernel *kernel;
	struct listed *items; /* owned; by RVA, name, source */
	size_t count, capacity;
};

static void listing_cleanup(struct listing *l)
{
	free(l->items);
}

static void index_cleanup(struct symbol_index **index)
{
	symbol_index_destroy(*index);
}

static int compare_listed(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int order;

	if (x->symbol.rva != y->symbol.rva)
		return x->symbol.rva < y->symbol.rva ? -1 : 1;
	order = strcmp(x->symbol.name, y->symbol.name);
	return order ? order : (x->source > y->source) - (x->source < y->source);
}

static struct error *add_source(struct listing *l, size_t number, const struct profile_source *src)
{
	struct symbol_index *index CLEANUP(index_cleanup) = NULL;
	const struct symbol *symbols;
	struct error *err;
	size_t count;

	if ((err = symbol_index_create(src, &index)))
		return err;
	symbols = symbol_index_all(index, &count);
	err = array_reserve(&l->items, &l->capacity, l->count + count, sizeof(*l->items),
			    SYMBOL_INDEX_MAX, "symbols");
	for (size_t i = 0; !err && i < count; i++)
		l->items[l->count++] = (struct listed){ symbols[i], number };
	return err;
}

/* What several sources agree on is the first one's. */
static void drop_repeated(struct listing *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct symbol *here = &l->items[i].symbol;

		if (kept && l->items[kept - 1].symbol.rva == here->rva &&
		    strcmp(l->items[kept - 1].symbol.name, here->name) == 0)
			continue;
		l->items[kept++] = l->items[i];
	}
	l->count = kept;
}

/* Those of exactly this kernel. */
static struct error *listing_read(struct listing *l)
{
	const struct profile *p = l->kernel->profile;
	struct error *err;
	bool exact;

	for (size_t i = 0; i < profile_num_sources(p); i++) {
		const struct profile_source *src = profile_source_at(p, i, &exact);

		if (exact && (err = add_source(l, i, src)))
			return err;
	}
	if (!l->count)
		return error_new(ERROR_NOT_FOUND, "no symbols of exactly this kernel (%s)",
				 profile_description(p));
	qsort(l->items, l->count, sizeof(*l->items), compare_listed);
	drop_repeated(l);
	return NULL;
}

/* The nearest at or below; of several there, the first by name. NULL if there is none. */
static const struct listed *find_nearest(const struct listing *l, uint64_t rva)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->items[middle].symbol.rva <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	for (low--; low && l->items[low - 1].symbol.rva == l->items[low].symbol.rva; low--)
		;
	return &l->items[low];
}

static struct error *put(struct command_run *run, const struct listed *item, struct cell offset)
{
	const struct kernel *k = run->kernel;
	struct cell cells[SYMBOLS_NUM_COLUMNS] = { 0 };
	bool exact;

	if (k->loc.base)
		cells[SYMBOLS_ADDRESS] = cell_addr(k->loc.base + item->symbol.rva);
	cells[SYMBOLS_RVA] = cell_addr(item->symbol.rva);
	cells[SYMBOLS_NAME] = cell_str(item->symbol.name);
	cells[SYMBOLS_OFFSET] = offset;
	cells[SYMBOLS_MODULE] = cell_str(names_kernel_module);
	cells[SYMBOLS_SOURCE] =
		cell_str(profile_source_at(k->profile, item->source, &exact)->ops->kind);
	return sink_row(run->sink, cells, 0);
}

static struct error *put_matching(struct command_run *run, const struct listing *l,
				  const char *pattern)
{
	bool found = false;
	struct error *err;

	for (size_t i = 0; i < l->count && !sink_full(run->sink); i++) {
		if (!names_match(pattern, l->items[i].symbol.name))
			continue;
		found = true;
		if ((err = put(run, &l->items[i], CELL_ABSENT)))
			return err;
	}
	if (!found && !sink_full(run->sink))
		return error_new(ERROR_NOT_FOUND, "no symbol matches '%s'", pattern);
	return NULL;
}

static bool is_address(const char *word, uint64_t *ret)
{
	size_t digits = 0;

	for (const char *s = word; *s; s++)
		digits += isxdigit((unsigned char)*s) != 0;
	return (isdigit((unsigned char)word[0]) || digits >= MIN_ADDRESS_DIGITS) &&
	       address_parse(word, ret);
}

/* An address below the kernel's size is a distance from its base. */
static struct error *put_address(struct command_run *run, const struct listing *l, uint64_t address)
{
	const struct kernel *k = run->kernel;
	uint64_t rva = kernel_contains(k, address) ? address - k->loc.base : address;
	const struct listed *item = find_nearest(l, rva);

	if (k->loc.size && rva >= k->loc.size)
		return error_new(ERROR_NOT_FOUND,
				 "0x%" PRIx64 " is not in the kernel, which lies at 0x%" PRIx64
				 " to 0x%" PRIx64,
				 address, k->loc.base, k->loc.base + k->loc.size - 1);
	if (!item)
		return error_new(ERROR_NOT_FOUND, "no symbol at or below 0x%" PRIx64, address);
	return put(run, item, cell_addr(rva - item->symbol.rva));
}

static struct error *symbols_run(struct command_run *run)
{
	struct listing listing CLEANUP(listing_cleanup) = { .kernel = run->kernel };
	struct error *err = listing_read(&listing);
	uint64_t address;

	if (!err && run->num_args == 0)
		err = put_matching(run, &listing, "*");
	for (size_t i = 0; i < run->num_args && !err; i++) {
		if (is_address(run->args[i], &address))
			err = put_address(run, &listing, address);
		else
			err = put_matching(run, &listing, names_without_module(run->args[i]));
	}
	return err;
}

const struct command cmd_symbols = {
	.name = "symbols",
	.summary = "search the kernel's symbols by name or address",
	.arguments = "[PATTERN|ADDRESS]...",
	.max_args = UINT32_MAX,
	.description =
		"Prints the symbols whose name matches, by address. A pattern with * or ? matches "
		"the whole name, any other word a part of it; upper and lower case are the same. "
		"An argument that is a number (hexadecimal, beginning with a digit or of 8 digits "
		"or more) is an address in the kernel, or a distance from its base: of it the "
		"nearest symbol at or below is printed, and how far it lies above. Without an "
		"argument all symbols are printed.\n\n"
		"Only symbols of exactly this kernel are used: those of --symbols, those that "
		"'ntscope symbols add' keeps, and the few hundred that the program knows or "
		"discovers itself.",
	.example = "ntscope symbols memory.dmp 'Ps*Process*' fffff805`1a09f000",
	.columns = symbols_columns,
	.num_columns = SYMBOLS_NUM_COLUMNS,
	.key_columns = "address,name",
	.flags = COMMAND_NEEDS_KERNEL,
	.run = symbols_run,
};
