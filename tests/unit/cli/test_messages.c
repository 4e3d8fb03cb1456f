/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cli/messages.h"

struct capture {
	char *text;
	size_t size;
	struct messages messages;
	struct messages_diag reported;
	struct diag diag;
};

static void capture_open(struct capture *c, bool quiet, bool verbose)
{
	*c = (struct capture){ .messages = { .quiet = quiet, .verbose = verbose } };
	c->messages.err = open_memstream(&c->text, &c->size);
	cr_assert(c->messages.err);
	c->reported.messages = &c->messages;
	diag_init(&c->diag, messages_diag_fn, &c->reported);
}

static void capture_expect(struct capture *c, const char *expected)
{
	fclose(c->messages.err);
	cr_expect_str_eq(c->text, expected);
	free(c->text);
}

static size_t count_lines(const char *s)
{
	size_t lines = 0;

	for (; (s = strchr(s, '\n')) != NULL; s++)
		lines++;
	return lines;
}

Test(messages, are_prefixed_and_escaped)
{
	struct capture c;

	capture_open(&c, false, false);
	messages_print(&c.messages, "a\x1b[2J");
	messages_print(&c.messages, "two\n  lines\n");
	messages_print(&c.messages, "");
	capture_expect(&c, "ntscope: a\\x1b[2J\nntscope: two\n  lines\nntscope: \n");
}

Test(messages, summary_says_how_much_is_missing)
{
	struct capture c;

	capture_open(&c, false, false);
	diag_note(&c.diag, "by the way");
	diag_partial(&c.diag, "process at 0x%x", 16);
	messages_summary(&c.reported);
	capture_expect(&c, "ntscope: by the way\nntscope: process at 0x10\n"
			   "ntscope: partial result: 1 thing could not be read\n");
	capture_open(&c, false, false);
	messages_summary(&c.reported);
	capture_expect(&c, "");
}

Test(messages, quiet_drops_notes_only)
{
	struct capture c;

	capture_open(&c, true, false);
	diag_note(&c.diag, "by the way");
	diag_partial(&c.diag, "bad");
	capture_expect(&c, "ntscope: bad\n");
}

Test(messages, many_are_cut_short)
{
	struct capture c;

	for (unsigned verbose = 0; verbose < 2; verbose++) {
		capture_open(&c, false, verbose);
		for (unsigned i = 0; i < 30; i++)
			diag_partial(&c.diag, "bad %u", i);
		messages_summary(&c.reported);
		fclose(c.messages.err);
		cr_expect_eq(count_lines(c.text), verbose ? 31 : MESSAGES_SHOWN + 2);
		cr_expect_eq(!strstr(c.text, "... and 10 more (--verbose shows all)"), verbose);
		cr_expect(strstr(c.text, "partial result: 30 things could not be read"));
		free(c.text);
	}
}
