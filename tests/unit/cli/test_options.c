/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "cli/options.h"

enum { MAX_WORDS = 12 };

static const struct option_row own_rows[] = {
	{ "tree", 't', OPTION_FLAG, NULL, "as a tree" },
	{ "size", 0, OPTION_SIZE, "BYTES", "how much" },
	{ "name", 'N', OPTION_STRING, "NAME", "which" },
};
static const struct option_table own = { own_rows, ARRAY_SIZE(own_rows) };

static struct arena arena;

static void set_up(void)
{
	arena_init(&arena, 0);
}

static void tear_down(void)
{
	arena_deinit(&arena);
}

TestSuite(options, .init = set_up, .fini = tear_down);

/* Words separated by one '|'; "" is no word. */
static int split(const char *line, char *words[MAX_WORDS])
{
	char *copy = arena_strdup(&arena, line), *save = NULL;
	int count = 0;

	for (char *w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save))
		words[count++] = w;
	return count;
}

static struct error *parse(const char *line, struct option_values *ret)
{
	char *words[MAX_WORDS];
	int count = split(line, words);

	return options_parse(&arena, &own, count, words, ret);
}

static struct option_values parse_ok(const char *line)
{
	struct option_values o;
	struct error *err = parse(line, &o);

	cr_assert(err == NULL, "%s: %s", line, err ? error_message(err) : "");
	return o;
}

Test(options, stand_anywhere)
{
	struct option_values o = parse_ok("a.raw|--tree|1000|--limit|5|-q|2000");
	uint64_t limit = 0;

	cr_expect(option_flag(&o, "tree"));
	cr_expect(option_flag(&o, "quiet"));
	cr_expect_not(option_flag(&o, "verbose"));
	cr_expect(option_u64(&o, "limit", &limit));
	cr_expect_eq(limit, 5);
	cr_assert_eq(o.num_args, 3);
	cr_expect_str_eq(o.args[0], "a.raw");
	cr_expect_str_eq(o.args[2], "2000");
}

Test(options, every_way_to_give_a_value)
{
	static const char *const lines[] = { "--limit|0x10", "--limit=16", "-n|16",
					     "-n16",	     "-qn16",	   "-qtn|0x10" };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct option_values o = parse_ok(lines[i]);
		uint64_t limit = 0;

		cr_expect(option_u64(&o, "limit", &limit) && limit == 16, "%s", lines[i]);
	}
}

Test(options, end_and_dash)
{
	struct option_values o = parse_ok("--|--tree|-|-x");

	cr_expect_not(option_flag(&o, "tree"));
	cr_assert_eq(o.num_args, 3);
	o = parse_ok("-|a");
	cr_assert_eq(o.num_args, 2);
	cr_expect_str_eq(o.args[0], "-");
}

Test(options, lists_collect_and_others_are_replaced)
{
	struct option_values o = parse_ok("-s|a|-sb|--symbols=c|--symbols|d|-s|e|-N|x|-N|y");
	const char *const *list;

	cr_assert_eq(option_list(&o, "symbols", &list), 5);
	cr_expect_str_eq(list[0], "a");
	cr_expect_str_eq(list[4], "e");
	cr_expect_str_eq(option_string(&o, "name"), "y");
	cr_expect_eq(option_list(&o, "name", &list), 0);
	cr_expect_eq(option_string(&o, "no such option"), NULL);
}

Test(options, empty_values_are_values)
{
	struct option_values o = parse_ok("--name=");

	cr_expect_str_eq(option_string(&o, "name"), "");
}

Test(options, sizes)
{
	static const struct {
		const char *line;
		uint64_t value;
	} rows[] = {
		{ "--size=4096", 4096 },  { "--size=0x1000", 4096 },
		{ "--size=4K", 4096 },	  { "--size=2m", 2 << 20 },
		{ "--size=1G", 1 << 30 }, { "--size=16777215T", UINT64_MAX - 0xffffffffffu },
		{ "--size=0", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct option_values o = parse_ok(rows[i].line);
		uint64_t size = 1;

		cr_expect(option_u64(&o, "size", &size) && size == rows[i].value, "%s",
			  rows[i].line);
	}
}

Test(options, columns_at_the_end_asks_for_the_list)
{
	struct option_values o = parse_ok("a.raw|--columns");

	cr_expect_str_eq(option_string(&o, "columns"), "help");
}

Test(options, what_is_off_is_named)
{
	static const struct {
		const char *line, *message;
	} rows[] = {
		{ "--frob", "unknown option '--frob'" },
		{ "--tre", "unknown option '--tre'; did you mean '--tree'?" },
		{ "--tree=1", "option '--tree' takes no value" },
		{ "--limit", "option '--limit' needs a value (N)" },
		{ "-n", "option '-n' needs a value (N)" },
		{ "--limit=x", "option '--limit': 'x' is not a number" },
		{ "--limit|-1", "option '--limit': '-1' is not a number" },
		{ "--limit=18446744073709551616",
		  "option '--limit': '18446744073709551616' is not a number" },
		{ "--dtb=xyz", "option '--dtb': 'xyz' is not a hexadecimal address" },
		{ "--size=K", "option '--size': 'K' is not a size (4096, 0x1000, 4K)" },
		{ "--size=16777216T",
		  "option '--size': '16777216T' is not a size (4096, 0x1000, 4K)" },
		{ "-qx", "unknown option '-x'" },
		{ "--json", "unknown option '--json'; did you mean '--format json'?" },
		{ "--js", "unknown option '--js'" },
		{ "--=1", "unknown option '--'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct option_values o;
		struct error *err = parse(rows[i].line, &o);

		cr_assert(err, "%s", rows[i].line);
		cr_expect_eq(error_code(err), ERROR_USAGE);
		cr_expect_str_eq(error_message(err), rows[i].message);
		error_destroy(err);
	}
}

Test(options, commands_are_the_first_word_and_named_ones)
{
	static const struct {
		const char *line;
		int first;
		bool before;
		size_t named;
	} rows[] = {
		{ "ps|a.raw", 0, false, 0 },
		{ "--quiet|ps|a.raw", 1, false, 0 },
		{ "--format|json|ps", 2, false, 0 },
		{ "-fjson|ps", 1, false, 0 },
		{ "--|ps|a.raw", 1, false, 0 },
		{ "--help", 1, false, 0 },
		{ "--columns", 1, false, 0 },
		{ "-c|ps|a.raw", 2, true, 1 },
		{ "-cps|--command=modules|a.raw", 2, true, 2 },
		{ "a.raw|-c|ps|-q|--command|modules", 0, false, 2 },
		{ "ps|a.raw|--tree|-c|modules", 0, false, 1 },
		{ "ps|a.raw|--|-c|modules", 0, false, 0 },
		{ "--|a.raw|-c|modules", 1, false, 0 },
		{ "ps|--limit|many|-c|modules", 0, false, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct arena a CLEANUP(arena_deinit);
		char *words[MAX_WORDS];
		int count = split(rows[i].line, words);
		struct command_words found = { .first = -1 };

		arena_init(&a, 0);
		cr_assert(options_find_commands(&a, count, words, &found) == NULL);
		cr_expect_eq(found.first, rows[i].first, "%s", rows[i].line);
		cr_expect_eq(found.named_before, rows[i].before, "%s", rows[i].line);
		cr_expect_eq(found.num_named, rows[i].named, "%s", rows[i].line);
	}
}

Test(options, addresses_are_hexadecimal)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
	} rows[] = {
		{ "0x1000", true, 0x1000 },
		{ "1000", true, 0x1000 },
		{ "fffff805`1a09f000", true, UINT64_C(0xfffff8051a09f000) },
		{ "0XFFFFF8051A09F000", true, UINT64_C(0xfffff8051a09f000) },
		{ "ffffffffffffffff", true, UINT64_MAX },
		{ "00000000`00000000`00000001", true, 1 },
		{ "10000000000000000", false, 0 },
		{ "", false, 0 },
		{ "0x", false, 0 },
		{ "`1", false, 0 },
		{ "1`", false, 0 },
		{ "1``2", false, 0 },
		{ "12g", false, 0 },
		{ "-1", false, 0 },
		{ " 1", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 0;

		cr_expect_eq(address_parse(rows[i].text, &value), rows[i].ok, "%s", rows[i].text);
		cr_expect_eq(value, rows[i].value, "%s", rows[i].text);
	}
}
