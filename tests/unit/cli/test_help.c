/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/man.h"

/* The tables of all commands, and what is made from them. */

struct text {
	char *bytes;
	size_t size;
};

static struct text help_of(const struct command *command)
{
	struct text t;
	FILE *out = open_memstream(&t.bytes, &t.size);

	cr_assert(out);
	if (command)
		help_command(out, command);
	else
		help_overview(out);
	fclose(out);
	return t;
}

static struct text man_text(void)
{
	struct text t;
	FILE *out = open_memstream(&t.bytes, &t.size);

	cr_assert(out);
	man_print(out);
	fclose(out);
	return t;
}

static bool is_snake_case(const char *s)
{
	if (!islower((unsigned char)*s))
		return false;
	for (; *s; s++) {
		if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) && *s != '_')
			return false;
	}
	return true;
}

static bool is_filled(const char *s)
{
	return s && *s;
}

Test(tables, columns_are_complete_and_unique)
{
	for (size_t c = 0; c < num_commands; c++) {
		const struct command *command = commands[c];

		cr_expect(command->num_columns || (command->flags & COMMAND_RAW_OUTPUT), "%s",
			  command->name);
		for (size_t i = 0; i < command->num_columns; i++) {
			const struct column *column = &command->columns[i];

			cr_assert(is_filled(column->key), "%s: column %zu", command->name, i);
			cr_expect(is_snake_case(column->key), "%s", column->key);
			cr_expect(is_filled(column->header), "%s", column->key);
			cr_expect(is_filled(column->help), "%s", column->key);
			for (size_t j = 0; j < i; j++)
				cr_expect_str_neq(command->columns[j].key, column->key);
		}
	}
}

static void check_option(const struct option_row *row)
{
	cr_assert(is_filled(row->name));
	cr_expect(is_filled(row->help), "%s", row->name);
	cr_expect_eq(row->kind == OPTION_FLAG, row->argument == NULL, "%s", row->name);
}

/* Own options next to the common ones, which a command must not shadow. */
Test(tables, options_are_complete_and_unique)
{
	for (size_t c = 0; c < num_commands; c++) {
		const struct command *command = commands[c];
		size_t total = common_options.count + command->num_options;
		const struct option_row **rows = calloc(total, sizeof(*rows));

		for (size_t i = 0; i < total; i++)
			rows[i] = i < common_options.count
					  ? &common_options.rows[i]
					  : &command->options[i - common_options.count];
		for (size_t i = 0; i < total; i++) {
			check_option(rows[i]);
			for (size_t j = 0; j < i; j++) {
				cr_expect_str_neq(rows[i]->name, rows[j]->name);
				cr_expect(!rows[i]->letter || rows[i]->letter != rows[j]->letter,
					  "%s: -%c", command->name, rows[i]->letter);
			}
		}
		free(rows);
	}
}

/* By a name of any number of words. */
static const struct command *find(const char *name)
{
	char *copy = strdup(name), *save = NULL;
	const char *words[4];
	size_t count = 0, used;
	const struct command *found;

	for (char *w = strtok_r(copy, " ", &save); w && count < 4; w = strtok_r(NULL, " ", &save))
		words[count++] = w;
	found = command_find(words, count, &used);
	free(copy);
	return used == count ? found : NULL;
}

Test(tables, commands_are_complete_and_unique)
{
	for (size_t c = 0; c < num_commands; c++) {
		const struct command *command = commands[c];

		cr_assert(is_filled(command->name));
		cr_expect(is_filled(command->summary), "%s", command->name);
		cr_expect(is_filled(command->description), "%s", command->name);
		cr_expect(is_filled(command->example), "%s", command->name);
		cr_expect_eq(strncmp(command->example, "ntscope ", 8), 0, "%s", command->example);
		cr_expect(command->run, "%s", command->name);
		cr_expect_leq(command->min_args, command->max_args, "%s", command->name);
		cr_expect_eq(command->max_args > 0, is_filled(command->arguments), "%s",
			     command->name);
		cr_expect_eq(find(command->name), command);
		for (size_t j = 0; j < c; j++)
			cr_expect_str_neq(commands[j]->name, command->name);
	}
}

Test(tables, suggestions)
{
	cr_expect_eq(command_suggest("pss"), find("ps"));
	cr_expect_eq(command_suggest("modlues"), find("modules"));
	cr_expect_eq(command_suggest("registry"), find("registry hives"));
	cr_expect_eq(command_suggest("frobnicate"), NULL);
	cr_expect_eq(find("frobnicate"), NULL);
}

Test(tables, names_of_two_words)
{
	const char *const add[] = { "symbols", "add", "x.pdb" }, *const other[] = { "symbols",
										    "x" };
	size_t used;

	cr_expect_str_eq(command_find(add, 3, &used)->name, "symbols add");
	cr_expect_eq(used, 2);
	cr_expect_str_eq(command_find(add, 1, &used)->name, "symbols");
	cr_expect_eq(used, 1);
	cr_expect_str_eq(command_find(other, 2, &used)->name, "symbols");
	cr_expect_eq(used, 1);
	cr_expect_null(command_find(add, 0, &used));
}

static void expect_contains(const struct text *t, const char *what, const char *where)
{
	cr_expect(strstr(t->bytes, what), "'%s' is not in the help of %s", what, where);
}

Test(help, names_everything)
{
	struct text overview = help_of(NULL);

	for (size_t c = 0; c < num_commands; c++) {
		const struct command *command = commands[c];
		struct text t = help_of(command);

		expect_contains(&overview, command->name, "ntscope");
		expect_contains(&t, command->example, command->name);
		for (size_t i = 0; i < command->num_options; i++)
			expect_contains(&t, command->options[i].name, command->name);
		for (size_t i = 0; i < common_options.count; i++)
			expect_contains(&t, common_options.rows[i].name, command->name);
		for (size_t i = 0; i < command->num_columns; i++)
			expect_contains(&t, command->columns[i].key, command->name);
		free(t.bytes);
	}
	for (size_t i = 0; i < num_formats; i++)
		expect_contains(&overview, format_registry[i]->name, "ntscope");
	free(overview.bytes);
}

Test(help, fits_80_columns)
{
	for (size_t c = 0; c <= num_commands; c++) {
		struct text t = help_of(c < num_commands ? commands[c] : NULL);

		for (char *line = strtok(t.bytes, "\n"); line; line = strtok(NULL, "\n"))
			cr_expect_leq(strlen(line), 80, "%s", line);
		free(t.bytes);
	}
}

Test(help, topics)
{
	static const char *const names[] = { "options", "registry" };

	for (size_t i = 0; i < num_help_topics + ARRAY_SIZE(names); i++) {
		const char *name =
			i < num_help_topics ? help_topics[i].name : names[i - num_help_topics];
		struct text t;
		FILE *out = open_memstream(&t.bytes, &t.size);

		cr_expect(help_topic(out, name), "%s", name);
		fclose(out);
		cr_expect_gt(t.size, 100, "%s", name);
		for (char *line = strtok(t.bytes, "\n"); line; line = strtok(NULL, "\n"))
			cr_expect_leq(strlen(line), 80, "%s", line);
		free(t.bytes);
	}
	cr_expect_not(help_topic(stdout, "frobnicate"));
}

/* s as the manual page writes it. */
static void roff_text(const char *s, char *ret, size_t size)
{
	size_t used = 0;

	for (; *s && used + 3 < size; s++) {
		if (*s == '-' || *s == '\\')
			ret[used++] = '\\';
		ret[used++] = *s == '\\' ? 'e' : *s;
	}
	ret[used] = '\0';
}

Test(man, names_everything)
{
	struct text t = man_text();
	char roff[256];

	for (size_t c = 0; c < num_commands; c++) {
		const struct command *command = commands[c];

		roff_text(command->example, roff, sizeof(roff));
		expect_contains(&t, roff, command->name);
		for (size_t i = 0; i < command->num_options; i++) {
			roff_text(command->options[i].name, roff, sizeof(roff));
			expect_contains(&t, roff, command->name);
		}
		for (size_t i = 0; i < command->num_columns; i++)
			expect_contains(&t, command->columns[i].key, command->name);
	}
	for (size_t i = 0; i < common_options.count; i++) {
		roff_text(common_options.rows[i].name, roff, sizeof(roff));
		expect_contains(&t, roff, "man");
	}
	free(t.bytes);
}

/* No text of a table is taken for a request: lines that begin with a dot are the page's own. */
Test(man, has_only_known_requests)
{
	static const char *const requests[] = { ".TH ", ".SH ", ".SS ", ".TP", ".B ",
						".PP",	".RS",	".RE",	".nf", ".fi" };
	struct text t = man_text();

	for (char *line = strtok(t.bytes, "\n"); line; line = strtok(NULL, "\n")) {
		bool known = line[0] != '.' && line[0] != '\'';

		for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
			known |= strncmp(line, requests[i], strlen(requests[i])) == 0;
		cr_expect(known, "%s", line);
	}
	free(t.bytes);
}
