/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cursor.h"
#include "cli/addresses.h"
#include "cli/commands.h"
#include "cli/names.h"
#include "cli/spaces.h"
#include "windows/kernel/kernel.h"
#include "windows/symbols/type_info.h"

enum {
	TYPE_OFFSET,
	TYPE_NAME,
	TYPE_TYPE,
	TYPE_SIZE,
	TYPE_BIT,
	TYPE_BITS,
	TYPE_VALUE,
	TYPE_STATE,
	TYPE_ADDRESS,
	TYPE_SOURCE,
	TYPE_NUM_COLUMNS
};

enum {
	MAX_DEPTH = 8,
	MAX_ROWS = 1 << 20, /* of members in members: each level may have TYPE_MAX_MEMBERS */
	SHOWN_BYTES = 64,   /* of an array's value */
	MAX_NUMBER = 8,	    /* bytes */
};

static const struct column type_columns[TYPE_NUM_COLUMNS] = {
	[TYPE_OFFSET] = { "offset", "OFFSET", CELL_ADDR, 6, 0,
			  "bytes from the start of the type; absent in a list of types" },
	[TYPE_NAME] = { "name", "NAME", CELL_STR, 28, 0,
			"of the member, as a path; of the constant; in a list, of the type" },
	[TYPE_TYPE] = { "type", "TYPE", CELL_STR, 28, 0,
			"of the member; absent where the source does not know it. In a list: "
			"struct, union, enum" },
	[TYPE_SIZE] = { "size", "SIZE", CELL_U64, 5, COL_RIGHT, "bytes" },
	[TYPE_BIT] = { "bit", "BIT", CELL_U64, 3, COL_RIGHT, "first bit of a bit field" },
	[TYPE_BITS] = { "bits", "BITS", CELL_U64, 4, COL_RIGHT, "how many it has" },
	[TYPE_VALUE] = { "value", "VALUE", CELL_STR, 18, 0,
			 "at ADDRESS: a number in hexadecimal, text in quotes, else the first "
			 "bytes in their order; of a constant its number" },
	[TYPE_STATE] = { "state", "STATE", CELL_STR, 0, 0,
			 "at ADDRESS: mapped, or why the value is absent (see vtop)" },
	[TYPE_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, COL_HIDDEN,
			   "where the member lies" },
	[TYPE_SOURCE] = { "source", "SOURCE", CELL_STR, 0, 0,
			  "what says so: pdb, isf, store, builtin, discovery" },
};

static const struct option_row type_options[] = {
	{ "depth", 'd', OPTION_U64, "N",
	  "show members of members, so many levels deep (default 0, at most 8)" },
	{ "physical", 0, OPTION_FLAG, NULL, "ADDRESS is a physical address" },
	SPACE_OPTION_ROWS,
};

/* A type that is being shown. */
struct view {
	struct command_run *run;
	const struct profile_source *src;
	struct space *space; /* NULL: no address is given */
	uint64_t address;
	uint64_t max_depth;
	uint64_t absent, rows;
};

/* Finding. */

/* *src_ret is NULL if no source knows it. */
static struct error *find_exactly(const struct command_run *run, const char *name,
				  struct type_info *ret, const struct profile_source **src_ret)
{
	const struct profile *p = run->kernel->profile;
	bool exact;

	*src_ret = NULL;
	for (size_t i = 0; i < profile_num_sources(p); i++) {
		const struct profile_source *src = profile_source_at(p, i, &exact);
		struct error *err = type_describe(src, name, run->arena, ret);

		if (!error_catch(&err, ERROR_NOT_FOUND)) {
			*src_ret = src;
			return err;
		}
	}
	return NULL;
}

/* For a name in any case, with or without underscore: the type's own. */
struct name_search {
	const char *wanted;
	const char *found;
};

static const char *without_underscore(const char *name)
{
	return name + (name[0] == '_');
}

static bool match_name(void *arg, const char *name)
{
	struct name_search *search = arg;

	if (strcasecmp(without_underscore(name), search->wanted) == 0)
		search->found = name;
	return !search->found;
}

static struct error *find_type(const struct command_run *run, const char *name,
			       struct type_info *ret, const struct profile_source **src_ret)
{
	const struct profile *p = run->kernel->profile;
	struct name_search search = { .wanted = without_underscore(name) };
	struct error *err = find_exactly(run, name, ret, src_ret);
	bool exact;

	if (err || *src_ret)
		return err;
	for (size_t i = 0; !search.found && i < profile_num_sources(p); i++)
		type_each(profile_source_at(p, i, &exact), match_name, &search);
	if (search.found)
		return find_exactly(run, search.found, ret, src_ret);
	return error_new(ERROR_NOT_FOUND,
			 "no type '%s' in %s (a pattern such as '*%s*' lists types)", name,
			 profile_description(p), search.wanted);
}

/* Values. */

static uint64_t number_at(const uint8_t *bytes, size_t size)
{
	uint8_t padded[MAX_NUMBER] = { 0 };

	memcpy(padded, bytes, size);
	return load_u64(padded);
}

static const char *number_text(struct arena *a, const struct type_member *m, const uint8_t *bytes)
{
	uint64_t value = number_at(bytes, (size_t)m->size);

	if (m->bit_size) {
		value >>= m->bit_pos;
		if (m->bit_size < 64)
			value &= (UINT64_C(1) << m->bit_size) - 1;
	}
	return arena_printf(a, "0x%" PRIx64, value);
}

/* Printable up to a NUL, and not empty. */
static bool is_text(const uint8_t *bytes, size_t len)
{
	size_t i = 0;

	while (i < len && isprint(bytes[i]))
		i++;
	return i && (i == len || bytes[i] == 0);
}

static const char *bytes_text(struct arena *a, const struct type_member *m, const uint8_t *bytes,
			      size_t len)
{
	char text[2 * SHOWN_BYTES + 1];

	if (m->count == m->size && is_text(bytes, len))
		return arena_printf(a, "\"%.*s\"", (int)strnlen((const char *)bytes, len), bytes);
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return arena_printf(a, "%s%s", text, len < m->size ? "..." : "");
}

/* A structure has no value of its own; its members have. */
static bool has_value(const struct type_member *m)
{
	return m->size && m->structure.kind == TYPE_NONE;
}

static bool is_number(const struct type_member *m)
{
	return !m->count && m->size <= MAX_NUMBER;
}

static struct error *fill_value(struct view *v, const struct type_member *m, uint64_t address,
				struct arena *a, struct cell *cells)
{
	size_t len = m->size < SHOWN_BYTES ? (size_t)m->size : SHOWN_BYTES;
	struct fault fault = { .state = VA_MAPPED };
	uint8_t bytes[SHOWN_BYTES];
	const char *text;

	cells[TYPE_ADDRESS] = cell_addr(address);
	if (!has_value(m))
		return NULL;
	if (!space_try_read(v->space, address, bytes, len, &fault)) {
		cells[TYPE_STATE] = cell_str(va_state_name(fault.state));
		v->absent++;
		return NULL;
	}
	cells[TYPE_STATE] = cell_str(va_state_name(VA_MAPPED));
	text = is_number(m) ? number_text(a, m, bytes) : bytes_text(a, m, bytes, len);
	cells[TYPE_VALUE] = cell_str(text);
	return text ? NULL : &error_no_memory;
}

/* Rows. */

/* "Pcb." and "Header" for Pcb.Header. */
struct spot {
	const char *prefix;
	uint64_t offset;
	unsigned depth;
};

static struct error *put_type(struct view *v, const struct type_info *info,
			      const struct spot *place);

static struct error *put_nested(struct view *v, const struct type_member *m, const char *name,
				uint64_t offset, unsigned depth, struct arena *a)
{
	const char *prefix = arena_printf(a, "%s%s.", name, m->count ? "[0]" : "");
	const struct spot place = { prefix, offset, depth };
	struct type_info info;
	struct error *err;

	if (!prefix)
		return &error_no_memory;
	err = type_describe_node(v->src, &m->structure, a, &info);
	if (error_catch(&err, ERROR_NOT_FOUND)) /* declared only */
		return NULL;
	return err ? err : put_type(v, &info, &place);
}

static struct error *put_member(struct view *v, const struct type_member *m,
				const struct spot *place)
{
	struct arena a CLEANUP(arena_deinit);
	struct cell cells[TYPE_NUM_COLUMNS] = { 0 };
	uint64_t offset = place->offset + m->offset;
	struct error *err = NULL;
	const char *name;

	if (v->rows++ == MAX_ROWS)
		return error_new(ERROR_LIMIT, "more than %d members; a smaller --depth shows less",
				 MAX_ROWS);
	arena_init(&a, 0);
	name = arena_printf(&a, "%s%s", place->prefix, m->name);
	if (!name)
		return &error_no_memory;
	cells[TYPE_OFFSET] = cell_addr(offset);
	cells[TYPE_NAME] = cell_str(name);
	cells[TYPE_TYPE] = cell_str(m->type);
	if (m->size)
		cells[TYPE_SIZE] = cell_u64(m->size);
	if (m->bit_size) {
		cells[TYPE_BIT] = cell_u64(m->bit_pos);
		cells[TYPE_BITS] = cell_u64(m->bit_size);
	}
	cells[TYPE_SOURCE] = cell_str(v->src->ops->kind);
	if (v->space)
		err = fill_value(v, m, v->address + offset, &a, cells);
	if (err || (err = sink_row(v->run->sink, cells, place->depth)))
		return err;
	if (place->depth >= v->max_depth || m->structure.kind == TYPE_NONE)
		return NULL;
	return put_nested(v, m, name, offset, place->depth + 1, &a);
}

static struct error *put_constant(const struct view *v, const struct type_constant *constant,
				  uint64_t size)
{
	struct cell cells[TYPE_NUM_COLUMNS] = { 0 };
	uint64_t number = (uint64_t)constant->value;
	char value[32];

	/* the bits that a variable of the type would have */
	if (size && size < MAX_NUMBER)
		number &= (UINT64_C(1) << 8 * size) - 1;
	snprintf(value, sizeof(value), "0x%" PRIx64, number);
	cells[TYPE_NAME] = cell_str(constant->name);
	cells[TYPE_SIZE] = cell_u64(size);
	cells[TYPE_VALUE] = cell_str(value);
	cells[TYPE_SOURCE] = cell_str(v->src->ops->kind);
	return sink_row(v->run->sink, cells, 0);
}

static struct error *put_type(struct view *v, const struct type_info *info,
			      const struct spot *place)
{
	struct error *err = NULL;

	for (size_t i = 0; i < info->num_members && !err && !sink_full(v->run->sink); i++)
		err = put_member(v, &info->members[i], place);
	for (size_t i = 0; i < info->num_constants && !err && !sink_full(v->run->sink); i++)
		err = put_constant(v, &info->constants[i], info->size);
	return err;
}

/* Where the user says. The list of modules is read only where a name asks for it. */
static struct error *read_address(struct command_run *run, const char *word, uint64_t *ret)
{
	struct place_book book CLEANUP(place_book_deinit) = { 0 };
	struct error *err;

	if (!address_parse(word, ret) && (err = place_book_read(run->kernel, &book)))
		return err;
	return address_find(run, &book, word, ret);
}

static struct error *show_type(struct command_run *run, const char *name)
{
	struct chosen_space chosen CLEANUP(chosen_space_deinit) = { 0 };
	const struct spot start = { "", 0, 0 };
	struct view v = { .run = run };
	struct type_info info;
	struct error *err;

	if ((err = find_type(run, name, &info, &v.src)))
		return err;
	if (option_u64(run->options, "depth", &v.max_depth) && v.max_depth > MAX_DEPTH)
		return error_new(ERROR_USAGE, "option '--depth': at most %d", MAX_DEPTH);
	if (run->num_args > 1) {
		if ((err = read_address(run, run->args[1], &v.address)) ||
		    (err = chosen_space_init(run, &chosen)))
			return err;
		v.space = chosen.space;
	}
	if (!v.src->ops->info->graph)
		diag_note(run->diag, "%s: not all of its fields are known (%s)", name,
			  v.src->ops->kind);
	if ((err = put_type(&v, &info, &start)))
		return err;
	if (v.absent)
		diag_partial(run->diag, "%" PRIu64 " values are not in the snapshot", v.absent);
	return NULL;
}

/* Lists. */

struct type_list {
	const char *pattern;
	const struct profile_source *src;
	struct named_type {
		const char *name;
		const struct profile_source *src;
		size_t rank; /* of the source: an earlier one is asked first */
	} * items;	     /* owned */
	size_t count, capacity, rank;
	struct error *err;
};

static void type_list_cleanup(struct type_list *list)
{
	free(list->items);
	error_destroy(list->err);
}

static bool add_name(void *arg, const char *name)
{
	struct type_list *list = arg;

	if (!names_match(list->pattern, name))
		return true;
	list->err = array_reserve(&list->items, &list->capacity, list->count + 1,
				  sizeof(*list->items), SYMBOL_INDEX_MAX, "types");
	if (list->err)
		return false;
	list->items[list->count++] = (struct named_type){ name, list->src, list->rank };
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct named_type *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

static struct error *put_name(struct command_run *run, const struct named_type *named)
{
	static const char *const kinds[] = {
		[TYPE_STRUCT] = "struct", [TYPE_UNION] = "union", [TYPE_ENUM] = "enum"
	};
	struct arena a CLEANUP(arena_deinit);
	struct cell cells[TYPE_NUM_COLUMNS] = { 0 };
	struct type_info info;
	struct error *err;

	arena_init(&a, 0);
	err = type_describe(named->src, named->name, &a, &info);
	if (error_catch(&err, ERROR_NOT_FOUND)) /* declared only */
		return NULL;
	if (err)
		return err;
	cells[TYPE_NAME] = cell_str(named->name);
	cells[TYPE_TYPE] = cell_str(info.kind < ARRAY_SIZE(kinds) ? kinds[info.kind] : NULL);
	if (info.size)
		cells[TYPE_SIZE] = cell_u64(info.size);
	cells[TYPE_SOURCE] = cell_str(named->src->ops->kind);
	return sink_row(run->sink, cells, 0);
}

static struct error *list_types(struct command_run *run, const char *pattern)
{
	const struct profile *p = run->kernel->profile;
	struct type_list list CLEANUP(type_list_cleanup) = { .pattern = pattern };
	struct error *err = NULL;
	bool exact;

	for (; list.rank < profile_num_sources(p) && !list.err; list.rank++) {
		list.src = profile_source_at(p, list.rank, &exact);
		type_each(list.src, add_name, &list);
	}
	if (list.err)
		return take_ptr(list.err);
	if (!list.count)
		return error_new(ERROR_NOT_FOUND, "no type matches '%s' in %s", pattern,
				 profile_description(p));
	qsort(list.items, list.count, sizeof(*list.items), compare_names);
	for (size_t i = 0; i < list.count && !err && !sink_full(run->sink); i++)
		if (i == 0 || strcmp(list.items[i - 1].name, list.items[i].name) != 0)
			err = put_name(run, &list.items[i]);
	return err;
}

/* What a list of types has. The arguments begin with the snapshot. */
static const char *type_default_columns(const struct option_values *options)
{
	if (options->num_args > 1 && !names_is_pattern(options->args[1]))
		return NULL;
	return "name,type,size,source";
}

static struct error *type_run(struct command_run *run)
{
	const char *name = run->num_args ? names_without_module(run->args[0]) : "*";

	if (!names_is_pattern(name))
		return show_type(run, name);
	if (run->num_args > 1)
		return error_new(ERROR_USAGE, "type: an address needs one type, not a pattern");
	return list_types(run, name);
}

const struct command cmd_type = {
	.name = "type",
	.summary = "show the members of a structure, and their values at an address",
	.arguments = "[NAME [ADDRESS]]",
	.max_args = 2,
	.description =
		"Prints a row for each member of a structure or union (by offset), or each "
		"constant of an enumeration. With an address also what is there: a value that is "
		"not in the snapshot is absent, its state says why, and the exit status is 3. The "
		"address is hexadecimal, or a name as disasm takes it: of a symbol, an export or a "
		"module, each with +OFFSET.\n\n"
		"NAME may be written as EPROCESS, _eprocess or nt!_EPROCESS. A pattern with * or ? "
		"lists the types that match, and nothing lists them all. With --depth members of "
		"members follow their own row; of an array the first element.\n\n"
		"The source is the first that knows the type: --symbols, the symbol store, then "
		"the built-in table or discovery, which know some fields of each.",
	.example = "ntscope type --depth 1 memory.dmp _EPROCESS ffffe786`5c0a1080",
	.options = type_options,
	.num_options = ARRAY_SIZE(type_options),
	.columns = type_columns,
	.num_columns = TYPE_NUM_COLUMNS,
	.flags = COMMAND_NEEDS_KERNEL,
	.default_columns = type_default_columns,
	.run = type_run,
};
