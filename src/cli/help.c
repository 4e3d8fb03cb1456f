/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/program.h"

enum {
	LINE_WIDTH = 80,
	TERM_INDENT = 2,
	HELP_INDENT = 26, /* where the right column of lists begins */
};

const char help_synopsis[] = "ntscope COMMAND [OPTIONS] SNAPSHOT [ARGUMENTS]";
const char help_summary[] = "reads a snapshot of a 64-bit Windows machine's memory";

const struct help_status help_statuses[] = {
	{ STATUS_OK, "everything was read" },
	{ STATUS_FAILED, "no result, or only its beginning" },
	{ STATUS_USAGE, "the command line is wrong" },
	{ STATUS_PARTIAL, "a partial result: something that should be there could not be read" },
};
const size_t num_help_statuses = ARRAY_SIZE(help_statuses);

/* Words of text from column `at` on, lines broken to `indent`. '\n' breaks as well. */
static void put_wrapped(FILE *out, const char *text, size_t at, size_t indent)
{
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (!first && at + 1 + len > LINE_WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		fprintf(out, "%s%.*s", first ? "" : " ", (int)len, text);
		at += len + (first ? 0 : 1);
		first = false;
		text += len;
		if (*text == '\n') {
			fprintf(out, "\n%*s", text[1] == '\n' ? 0 : (int)indent, "");
			at = indent;
			first = true;
		}
		if (*text)
			text++;
	}
	putc('\n', out);
}

/* "  term                    help", the help on the next line after a long term. */
static void put_item(FILE *out, const char *term, const char *help)
{
	size_t width = TERM_INDENT + strlen(term);

	fprintf(out, "%*s%s", TERM_INDENT, "", term);
	if (width + 1 < HELP_INDENT)
		fprintf(out, "%*s", (int)(HELP_INDENT - width), "");
	else
		fprintf(out, "\n%*s", HELP_INDENT, "");
	put_wrapped(out, help, HELP_INDENT, HELP_INDENT);
}

static void put_options(FILE *out, const char *title, const struct option_row *rows, size_t count)
{
	fprintf(out, "\n%s:\n", title);
	for (size_t i = 0; i < count; i++) {
		const struct option_row *row = &rows[i];
		const char letter[] = { '-', row->letter, ',', ' ', '\0' };
		char term[128];

		snprintf(term, sizeof(term), "%s--%s%s%s", row->letter ? letter : "    ", row->name,
			 row->argument ? " " : "", row->argument ? row->argument : "");
		put_item(out, term, row->help);
	}
}

void help_overview(FILE *out)
{
	fprintf(out, "usage: %s\n\nntscope %s.\n", help_synopsis, help_summary);
	for (size_t i = 0; i < num_commands; i++) {
		const char *topic = command_topic_title(commands[i]);

		if (topic)
			fprintf(out, "\n%s:\n", topic);
		put_item(out, commands[i]->name, commands[i]->summary);
	}
	fprintf(out, "\nhelp:\n");
	put_item(out, "help", "explain a command and its columns, or a topic:");
	for (size_t i = 0; i < num_help_topics; i++)
		put_item(out, help_topics[i].name, help_topics[i].summary);
	put_options(out, "options of every command", common_options.rows, common_options.count);
	fprintf(out, "\nformats (--input-format):\n");
	for (size_t i = 0; i < num_formats; i++)
		put_item(out, format_registry[i]->name, format_registry[i]->description);
	fprintf(out, "\nexit status:\n");
	for (size_t i = 0; i < num_help_statuses; i++) {
		const char digit[] = { (char)('0' + help_statuses[i].status), '\0' };

		put_item(out, digit, help_statuses[i].help);
	}
	fprintf(out, "\n'ntscope help COMMAND' tells more.\n");
}

static void put_columns(FILE *out, const struct command *command)
{
	for (size_t i = 0; i < command->num_columns; i++)
		put_item(out, command->columns[i].key, command->columns[i].help);
}

const char *help_usage(struct arena *a, const struct command *command)
{
	return arena_printf(a, "usage: ntscope %s [OPTIONS]%s%s%s", command->name,
			    command->flags & COMMAND_NO_SNAPSHOT ? "" : " SNAPSHOT",
			    command->arguments ? " " : "",
			    command->arguments ? command->arguments : "");
}

void help_command(FILE *out, const struct command *command)
{
	struct arena a CLEANUP(arena_deinit);
	const char *usage;

	arena_init(&a, 0);
	usage = help_usage(&a, command);
	fprintf(out, "%s\n\n", usage ? usage : "");
	fprintf(out, "%s: %s\n", command->name, command->summary);
	if (command->description) {
		putc('\n', out);
		put_wrapped(out, command->description, 0, 0);
	}
	if (command->num_options)
		put_options(out, "options", command->options, command->num_options);
	put_options(out, "options of every command", common_options.rows, common_options.count);
	if (command->num_columns)
		fprintf(out, "\ncolumns:\n");
	put_columns(out, command);
	if (command->example)
		fprintf(out, "\nexample:\n%*s%s\n", TERM_INDENT, "", command->example);
}

void help_columns(FILE *out, const struct command *command)
{
	put_columns(out, command);
}

/* A paragraph that begins with a space is shown as it is. */
static void put_paragraphs(FILE *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) : strlen(text);
		char *copy = strndup(text, len);

		if (copy && *copy == ' ')
			fprintf(out, "%s\n", copy);
		else if (copy)
			put_wrapped(out, copy, 0, 0);
		free(copy);
		if (!end)
			return;
		putc('\n', out);
		text = end + 2;
	}
}

/* The commands whose first word it is. */
static bool put_family(FILE *out, const char *word)
{
	size_t len = strlen(word), count = 0;

	for (size_t i = 0; i < num_commands; i++) {
		const char *name = commands[i]->name;

		if (strncmp(name, word, len) != 0 || name[len] != ' ')
			continue;
		if (count++ == 0)
			fprintf(out, "usage: ntscope %s COMMAND [OPTIONS] SNAPSHOT\n\n", word);
		put_item(out, name, commands[i]->summary);
	}
	if (count)
		fprintf(out, "\n'ntscope help %s COMMAND' tells more.\n", word);
	return count;
}

bool help_topic(FILE *out, const char *name)
{
	for (size_t i = 0; i < num_help_topics; i++) {
		if (strcmp(help_topics[i].name, name) != 0)
			continue;
		fprintf(out, "%s: %s\n\n", name, help_topics[i].summary);
		put_paragraphs(out, help_topics[i].text);
		return true;
	}
	if (strcmp(name, "options") == 0) {
		fprintf(out, "options: what every command takes, anywhere on the line\n");
		put_options(out, "options of every command", common_options.rows,
			    common_options.count);
		return true;
	}
	return put_family(out, name);
}
