/* SPDX-License-Identifier: MIT */
#include "cli/messages.h"

#include <inttypes.h>
#include <string.h>

#include "output/cell_text.h"

static void print_line(FILE *err, const char *prefix, const char *line, size_t len)
{
	struct arena a CLEANUP(arena_deinit);
	const char *copy, *shown;

	arena_init(&a, 0);
	copy = arena_strndup(&a, line, len);
	shown = copy ? text_show(&a, copy) : NULL;
	fprintf(err, "%s%s\n", prefix, shown ? shown : "out of memory");
}

void messages_print(const struct messages *m, const char *text)
{
	const char *prefix = "ntscope: ";

	for (;;) {
		size_t len = strcspn(text, "\n");

		print_line(m->err, prefix, text, len);
		if (!text[len] || !text[len + 1])
			return;
		text += len + 1;
		prefix = "";
	}
}

void messages_diag_fn(void *arg, enum diag_kind kind, const char *message)
{
	struct messages_diag *d = arg;

	if (kind == DIAG_NOTE) {
		if (!d->messages->quiet)
			messages_print(d->messages, message);
		return;
	}
	if (d->partial++ < MESSAGES_SHOWN || d->messages->verbose)
		messages_print(d->messages, message);
}

void messages_summary(const struct messages_diag *d)
{
	FILE *err = d->messages->err;

	if (!d->partial)
		return;
	if (d->partial > MESSAGES_SHOWN && !d->messages->verbose)
		fprintf(err, "ntscope: ... and %" PRIu64 " more (--verbose shows all)\n",
			d->partial - MESSAGES_SHOWN);
	fprintf(err, "ntscope: partial result: %" PRIu64 " thing%s could not be read\n", d->partial,
		d->partial == 1 ? "" : "s");
}
