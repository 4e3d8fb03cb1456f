/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"

enum { MAX_NAME = 64 };

static const struct option_row common_rows[] = {
	{ "format", 'f', OPTION_STRING, "text|json|jsonl|csv", "how to print rows (default text)" },
	{ "columns", 'C', OPTION_STRING, "KEY,...",
	  "which columns to print, in this order; 'help' lists them" },
	{ "where", 'w', OPTION_LIST, "CONDITION",
	  "only rows that meet it: COLUMN=VALUE, or !=, <, <=, >, >=, ~ (regular expression), !~; "
	  "may be repeated" },
	{ "sort", 0, OPTION_STRING, "KEY,...", "order of the rows; -KEY: descending" },
	{ "limit", 'n', OPTION_U64, "N", "stop after N rows" },
	{ "command", 'c', OPTION_LIST, "COMMAND",
	  "run this command; may be repeated: all of them on one opening of the snapshot" },
	{ "wide", 'W', OPTION_FLAG, NULL,
	  "on a terminal: whole rows, however long, instead of rows cut to its width" },
	{ "color", 0, OPTION_STRING, "auto|always|never",
	  "colors in text (default auto: on a terminal, by NO_COLOR and CLICOLOR_FORCE)" },
	{ "symbols", 's', OPTION_LIST, "PATH",
	  "symbols of the kernel: a PDB or ISF file (.json, .json.xz), or a symbol tree; may be "
	  "repeated" },
	{ "no-symbol-store", 0, OPTION_FLAG, NULL,
	  "neither use symbols that were added before (symbols add) nor keep what --symbols "
	  "read" },
	{ "no-builtin-symbols", 0, OPTION_FLAG, NULL, "do not use the built-in layouts" },
	{ "no-cache", 0, OPTION_FLAG, NULL,
	  "neither use nor keep what a search of the whole snapshot for its kernel met" },
	{ "pagefile", 0, OPTION_LIST, "[N=]PATH",
	  "a page file of the machine (pagefile.sys, swapfile.sys), for what is not in memory; may "
	  "be repeated: the first is number 0 unless N says otherwise" },
	{ "dtb", 0, OPTION_ADDRESS, "ADDRESS",
	  "physical address of the page tables' root; kernel layouts are checked against it" },
	{ "kernel-base", 0, OPTION_ADDRESS, "ADDRESS", "virtual address of the kernel's image" },
	{ "pid", 'p', OPTION_U64, "PID", "the process whose address space, or rows, are meant" },
	{ "input-format", 0, OPTION_STRING, "NAME",
	  "read the snapshot as this format instead of by its content" },
	{ "memory-map", 0, OPTION_STRING, "START-END@OFFSET,...",
	  "raw snapshots without their holes: which physical addresses are where in the file" },
	{ "max-memory", 0, OPTION_SIZE, "SIZE",
	  "memory for decompressed blocks and the indexes of compressed snapshots (default 512M)" },
	{ "max-unpacked", 0, OPTION_SIZE, "SIZE",
	  "refuse a compressed snapshot that holds more (default 256G)" },
	{ "member", 0, OPTION_STRING, "NAME",
	  "the snapshot's name in a zip archive that holds several files" },
	{ "threads", 0, OPTION_U64, "N", "threads for scans (default: one per processor)" },
	{ "quiet", 'q', OPTION_FLAG, NULL, "no notes and no progress on standard error" },
	{ "verbose", 'v', OPTION_FLAG, NULL, "all messages, and how the kernel was found" },
	{ "help", 'h', OPTION_FLAG, NULL, "show help and exit" },
	{ "version", 0, OPTION_FLAG, NULL, "show the version and exit" },
	{ "man", 0, OPTION_FLAG, NULL, "print the manual page (roff) and exit" },
};

const struct option_table common_options = { common_rows, ARRAY_SIZE(common_rows) };

/* A word with a value that an option may or may not take. */
struct option_word {
	const char *name; /* "--limit", as given up to its '=' */
	int name_len;
	const char *value; /* after '='; NULL: none attached */
};

bool address_parse(const char *s, uint64_t *ret)
{
	uint64_t value = 0;
	bool digit_before = false;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	for (; *s; s++) {
		char c = (char)tolower((unsigned char)*s);

		if (c == '`' && digit_before && isxdigit((unsigned char)s[1])) {
			digit_before = false;
			continue;
		}
		if (!isxdigit((unsigned char)c) || value >> 60)
			return false;
		value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
		digit_before = true;
	}
	if (!digit_before)
		return false;
	*ret = value;
	return true;
}

static bool size_parse(const char *s, uint64_t *ret)
{
	static const char units[] = "KMGT";
	size_t len = strlen(s);
	const char *unit = len > 1 ? strchr(units, toupper((unsigned char)s[len - 1])) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	char digits[32];
	uint64_t value;

	if (!unit || len > sizeof(digits))
		return text_parse_u64(s, ret);
	memcpy(digits, s, len - 1);
	digits[len - 1] = '\0';
	if (!text_parse_u64(digits, &value) || value > UINT64_MAX >> shift)
		return false;
	*ret = value << shift;
	return true;
}

/* What a number of each kind looks like; kinds without parse take any text. */
static const struct {
	bool (*parse)(const char *s, uint64_t *ret);
	const char *what;
} number_kinds[] = {
	[OPTION_FLAG] = { NULL, NULL },
	[OPTION_STRING] = { NULL, NULL },
	[OPTION_U64] = { text_parse_u64, "a number" },
	[OPTION_ADDRESS] = { address_parse, "a hexadecimal address" },
	[OPTION_SIZE] = { size_parse, "a size (4096, 0x1000, 4K)" },
	[OPTION_LIST] = { NULL, NULL },
};

static struct error *list_add(struct arena *a, struct option_value *v, const char *text)
{
	if (v->list_count == v->list_capacity) {
		size_t capacity = v->list_capacity ? 2 * v->list_capacity : 4;
		const char **list = arena_calloc(a, capacity, sizeof(*list));

		if (!list)
			return &error_no_memory;
		for (size_t i = 0; i < v->list_count; i++)
			list[i] = v->list[i];
		v->list = list;
		v->list_capacity = capacity;
	}
	v->list[v->list_count++] = text;
	return NULL;
}

static struct error *set_value(struct arena *a, struct option_value *v,
			       const struct option_word *word, const char *text)
{
	enum option_kind kind = v->row->kind;

	v->given = true;
	v->text = text;
	if (kind == OPTION_LIST)
		return list_add(a, v, text);
	if (!number_kinds[kind].parse || number_kinds[kind].parse(text, &v->number))
		return NULL;
	return error_new(ERROR_USAGE, "option '%.*s': '%s' is not %s", word->name_len, word->name,
			 text, number_kinds[kind].what);
}

static struct option_value *find_long(struct option_values *o, const struct option_word *word)
{
	const char *name = word->name + 2;
	size_t len = (size_t)word->name_len - 2;

	for (size_t i = 0; i < o->count; i++) {
		const char *row_name = o->items[i].row->name;

		if (strlen(row_name) == len && memcmp(row_name, name, len) == 0)
			return &o->items[i];
	}
	return NULL;
}

static struct option_value *find_letter(struct option_values *o, char letter)
{
	for (size_t i = 0; i < o->count; i++) {
		if (o->items[i].row->letter && o->items[i].row->letter == letter)
			return &o->items[i];
	}
	return NULL;
}

/* Is it one of the words of "text|json|csv"? */
static bool is_choice(const char *argument, const char *name)
{
	size_t len = strlen(name);

	for (; argument && len; argument = strchr(argument, '|')) {
		argument += *argument == '|';
		if (strcspn(argument, "|") == len && strncmp(argument, name, len) == 0)
			return true;
	}
	return false;
}

static struct error *unknown_option(const struct option_values *o, const struct option_word *word)
{
	char name[MAX_NAME] = "";
	struct nearest nearest = { .asked = name };
	const char *best;

	snprintf(name, sizeof(name), "%.*s", word->name_len - 2, word->name + 2);
	for (size_t i = 0; i < o->count; i++) {
		const struct option_row *row = o->items[i].row;

		if (is_choice(row->argument, name))
			return error_new(ERROR_USAGE,
					 "unknown option '%.*s'; did you mean '--%s %s'?",
					 word->name_len, word->name, row->name, name);
		nearest_offer(&nearest, row->name);
	}
	best = nearest_best(&nearest);
	if (best)
		return error_new(ERROR_USAGE, "unknown option '%.*s'; did you mean '--%s'?",
				 word->name_len, word->name, best);
	return error_new(ERROR_USAGE, "unknown option '%.*s'", word->name_len, word->name);
}

/*
 * Takes v's value from the word itself or from the next one. "--columns" at the very end asks for
 * the list of columns, as "--columns help" does.
 */
static struct error *take_value(struct arena *a, struct option_value *v,
				const struct option_word *word, int argc, char *const *argv, int *i)
{
	if (v->row->kind == OPTION_FLAG) {
		if (word->value)
			return error_new(ERROR_USAGE, "option '%.*s' takes no value",
					 word->name_len, word->name);
		v->given = true;
		return NULL;
	}
	if (word->value)
		return set_value(a, v, word, word->value);
	if (*i + 1 < argc)
		return set_value(a, v, word, argv[++*i]);
	if (strcmp(v->row->name, "columns") == 0)
		return set_value(a, v, word, "help");
	return error_new(ERROR_USAGE, "option '%.*s' needs a value (%s)", word->name_len,
			 word->name, v->row->argument);
}

static struct error *parse_long(struct arena *a, struct option_values *o, int argc,
				char *const *argv, int *i)
{
	const char *equals = strchr(argv[*i], '=');
	struct option_word word = { .name = argv[*i], .value = equals ? equals + 1 : NULL };
	struct option_value *v;

	word.name_len = (int)(equals ? (size_t)(equals - word.name) : strlen(word.name));
	v = find_long(o, &word);
	if (!v)
		return unknown_option(o, &word);
	return take_value(a, v, &word, argc, argv, i);
}

/* "-qv", "-n5", "-qn 5". */
static struct error *parse_letters(struct arena *a, struct option_values *o, int argc,
				   char *const *argv, int *i)
{
	const char *letters = argv[*i] + 1;
	struct error *err;

	for (; *letters; letters++) {
		const char name[] = { '-', *letters, '\0' };
		struct option_word word = { .name = name, .name_len = 2 };
		struct option_value *v = find_letter(o, *letters);
		bool has_value = v && v->row->kind != OPTION_FLAG;

		if (!v)
			return error_new(ERROR_USAGE, "unknown option '%s'", name);
		if (has_value && letters[1])
			word.value = letters + 1;
		if ((err = take_value(a, v, &word, argc, argv, i)) != NULL)
			return err;
		if (has_value)
			return NULL;
	}
	return NULL;
}

static struct error *init_values(struct arena *a, const struct option_table *own, size_t max_args,
				 struct option_values *ret)
{
	struct option_values o = { .count = common_options.count + own->count };

	o.items = arena_calloc(a, o.count, sizeof(*o.items));
	o.args = arena_calloc(a, max_args + 1, sizeof(*o.args));
	if (!o.items || !o.args)
		return &error_no_memory;
	for (size_t i = 0; i < o.count; i++)
		o.items[i].row = i < common_options.count ? &common_options.rows[i]
							  : &own->rows[i - common_options.count];
	*ret = o;
	return NULL;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static struct error *parse_option(struct arena *a, struct option_values *o, int argc,
				  char *const *argv, int *i)
{
	if (argv[*i][1] == '-')
		return parse_long(a, o, argc, argv, i);
	return parse_letters(a, o, argc, argv, i);
}

/* What --command names from argv[i] on, among options that only the commands know. */
static void find_named(struct arena *a, struct option_values *o, int argc, char *const *argv, int i)
{
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (is_option(argv[i]))
			error_destroy(parse_option(a, o, argc, argv, &i));
	}
}

struct error *options_find_commands(struct arena *a, int argc, char *const *argv,
				    struct command_words *ret)
{
	static const struct option_table none = { NULL, 0 };
	struct option_values o;
	struct error *err;
	int i = 0;

	if ((err = init_values(a, &none, 0, &o)) != NULL)
		return err;
	for (; i < argc && is_option(argv[i]); i++) {
		if (strcmp(argv[i], "--") == 0) {
			i = i + 1;
			break;
		}
		if ((err = parse_option(a, &o, argc, argv, &i)) != NULL)
			return err;
	}
	ret->first = i < argc ? i : argc;
	ret->named_before = option_flag(&o, "command");
	if (ret->first == 0 || strcmp(argv[ret->first - 1], "--") != 0)
		find_named(a, &o, argc, argv, i);
	ret->num_named = option_list(&o, "command", &ret->named);
	return NULL;
}

struct error *options_parse(struct arena *a, const struct option_table *own, int argc,
			    char *const *argv, struct option_values *ret)
{
	struct option_values o;
	struct error *err;
	bool ended = false;

	if ((err = init_values(a, own, (size_t)argc, &o)) != NULL)
		return err;
	for (int i = 0; i < argc; i++) {
		if (ended || !is_option(argv[i]))
			o.args[o.num_args++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			ended = true;
		else if ((err = parse_option(a, &o, argc, argv, &i)) != NULL)
			return err;
	}
	*ret = o;
	return NULL;
}

static const struct option_value *find_given(const struct option_values *o, const char *name)
{
	for (size_t i = 0; i < o->count; i++) {
		if (o->items[i].given && strcmp(o->items[i].row->name, name) == 0)
			return &o->items[i];
	}
	return NULL;
}

bool option_flag(const struct option_values *o, const char *name)
{
	return find_given(o, name) != NULL;
}

const char *option_string(const struct option_values *o, const char *name)
{
	const struct option_value *v = find_given(o, name);

	return v ? v->text : NULL;
}

bool option_u64(const struct option_values *o, const char *name, uint64_t *ret)
{
	const struct option_value *v = find_given(o, name);

	if (!v)
		return false;
	*ret = v->number;
	return true;
}

size_t option_list(const struct option_values *o, const char *name, const char *const **ret)
{
	const struct option_value *v = find_given(o, name);

	*ret = v ? v->list : NULL;
	return v ? v->list_count : 0;
}
