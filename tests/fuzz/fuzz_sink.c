/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "output/sink.h"

/*
 * The input as two strings of a snapshot, through every sink: what comes out is valid UTF-8, one
 * line a row, and text and JSON hold no control character.
 */
enum { MAX_INPUT = 4096 };

static const struct column columns[] = {
	{ "name", "NAME", CELL_STR, 8, COL_INDENT, "a name" },
	{ "bytes", "BYTES", CELL_BYTES, 0, 0, "bytes" },
	{ "path", "PATH", CELL_STR, 0, 0, "a path" },
	{ "both", "BOTH", CELL_STRS, 0, 0, "name and path" },
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void must(struct error *err)
{
	require(!err);
}

static void check_output(enum sink_kind kind, bool terminal, const char *out, size_t size)
{
	size_t lines = 0;

	require(strlen(out) == size);
	require(text_is_utf8(out));
	if (kind == SINK_CSV && !terminal)
		return;
	for (const char *p = out; *p; p++) {
		lines += *p == '\n';
		require(*p == '\n' || ((unsigned char)*p >= 0x20 && *p != 0x7f));
	}
	require(lines == (kind == SINK_JSON ? 3 : kind == SINK_JSONL ? 1 : 2));
}

static void write_row(enum sink_kind kind, bool terminal, const struct cell *cells)
{
	const struct sink_options options = { .terminal = terminal };
	struct sink *s;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	require(out);
	must(sink_create(kind, out, &options, &s));
	must(sink_begin(s, columns, ARRAY_SIZE(columns)));
	must(sink_row(s, cells, 1));
	must(sink_end(s));
	sink_destroy(s);
	fclose(out);
	check_output(kind, terminal, text, size);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[MAX_INPUT + 1];
	const char *both[2] = { text, NULL };
	struct cell cells[ARRAY_SIZE(columns)];

	if (size > MAX_INPUT)
		return 0;
	/* A NUL byte parts the two strings. */
	memcpy(text, data, size);
	text[size] = '\0';
	cells[0] = cell_str(text);
	cells[1] = cell_bytes(data, size);
	if (strlen(text) < size)
		both[1] = text + strlen(text) + 1;
	cells[2] = cell_str(both[1]);
	cells[3] = cell_strs(both, ARRAY_SIZE(both));
	for (unsigned kind = 0; kind < NUM_SINK_KINDS; kind++) {
		write_row((enum sink_kind)kind, false, cells);
		write_row((enum sink_kind)kind, true, cells);
	}
	return 0;
}
