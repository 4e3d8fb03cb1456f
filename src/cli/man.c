/* SPDX-License-Identifier: MIT */
#include "cli/man.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"

/* Text as roff takes it: no backslash, hyphen or leading dot or quote is a command. */
static void put_text(FILE *out, const char *text)
{
	bool line_start = true;

	for (; *text; text++) {
		if (line_start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			putc(*text, out);
		line_start = *text == '\n';
	}
}

/* Blank lines in a description begin a paragraph. */
static void put_paragraphs(FILE *out, const char *text)
{
	for (; *text; text++) {
		char c[] = { *text, '\0' };

		if (text[0] == '\n' && text[1] == '\n') {
			fputs("\n.PP\n", out);
			text++;
		} else {
			put_text(out, c);
		}
	}
	putc('\n', out);
}

static void put_italic(FILE *out, const char *text)
{
	fputs(" \\fI", out);
	put_text(out, text);
	fputs("\\fR", out);
}

static void put_item(FILE *out, const char *term, const char *help)
{
	fputs(".TP\n.B ", out);
	put_text(out, term);
	putc('\n', out);
	put_text(out, help);
	putc('\n', out);
}

static void put_options(FILE *out, const struct option_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct option_row *row = &rows[i];

		fputs(".TP\n", out);
		if (row->letter)
			fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
		fputs("\\fB\\-\\-", out);
		put_text(out, row->name);
		fputs("\\fR", out);
		if (row->argument)
			put_italic(out, row->argument);
		putc('\n', out);
		put_text(out, row->help);
		putc('\n', out);
	}
}

static void put_command(FILE *out, const struct command *command)
{
	fprintf(out, ".SS %s\n.B ntscope %s\n[\\fIOPTIONS\\fR]", command->name, command->name);
	if (!(command->flags & COMMAND_NO_SNAPSHOT))
		put_italic(out, "SNAPSHOT");
	if (command->arguments)
		put_italic(out, command->arguments);
	fputs("\n.PP\n", out);
	put_text(out, command->summary);
	fputs(".\n.PP\n", out);
	if (command->description)
		put_paragraphs(out, command->description);
	put_options(out, command->options, command->num_options);
	if (command->num_columns)
		fputs(".PP\nColumns:\n.RS\n", out);
	for (size_t i = 0; i < command->num_columns; i++)
		put_item(out, command->columns[i].key, command->columns[i].help);
	if (command->num_columns)
		fputs(".RE\n", out);
	if (command->example) {
		fputs(".PP\nExample:\n.PP\n.RS\n.nf\n", out);
		put_text(out, command->example);
		fputs("\n.fi\n.RE\n", out);
	}
}

/* Paragraphs that begin with a space are shown as they are. */
static void put_topic(FILE *out, const struct help_topic *topic)
{
	const char *text = topic->text;

	fputs(".SH ", out);
	for (const char *c = topic->name; *c; c++)
		putc(toupper((unsigned char)*c), out);
	putc('\n', out);
	for (bool first = true; *text; first = false) {
		const char *end = strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) : strlen(text);
		char *copy = strndup(text, len);
		bool as_it_is = copy && *copy == ' ';

		if (!copy)
			return;
		fprintf(out, "%s%s", first ? "" : ".PP\n", as_it_is ? ".nf\n" : "");
		put_text(out, copy);
		fputs(as_it_is ? "\n.fi\n" : "\n", out);
		free(copy);
		text += end ? len + 2 : len;
	}
}

void man_print(FILE *out)
{
	fprintf(out, ".TH NTSCOPE 1 \"\" \"ntscope %s\" \"User Commands\"\n", NTSCOPE_VERSION);
	fputs(".SH NAME\nntscope \\- ", out);
	put_text(out, help_summary);
	fputs("\n.SH SYNOPSIS\n.B ntscope\n"
	      "\\fICOMMAND\\fR [\\fIOPTIONS\\fR] \\fISNAPSHOT\\fR [\\fIARGUMENTS\\fR]\n",
	      out);
	fputs(".SH DESCRIPTION\n", out);
	put_text(out,
		 "ntscope reads a snapshot of a 64-bit Windows machine's memory from a file and "
		 "says what was running on it. Rows go to standard output, everything else to "
		 "standard error. It never writes to the snapshot, and needs no network.\n");
	fputs(".SH COMMANDS\n", out);
	for (size_t i = 0; i < num_commands; i++)
		put_command(out, commands[i]);
	fputs(".SS help\n.B ntscope help\n[\\fICOMMAND\\fR|\\fITOPIC\\fR]\n.PP\n"
	      "Explains a command and its columns, or a topic.\n.SH OPTIONS\n"
	      "Options may stand anywhere; \\fB\\-\\-\\fR ends them.\n",
	      out);
	put_options(out, common_options.rows, common_options.count);
	fputs(".SH FORMATS\n", out);
	for (size_t i = 0; i < num_formats; i++)
		put_item(out, format_registry[i]->name, format_registry[i]->description);
	for (size_t i = 0; i < num_help_topics; i++)
		put_topic(out, &help_topics[i]);
	fputs(".SH EXIT STATUS\n", out);
	for (size_t i = 0; i < num_help_statuses; i++) {
		fprintf(out, ".TP\n.B %d\n", help_statuses[i].status);
		put_text(out, help_statuses[i].help);
		putc('\n', out);
	}
}
