/* SPDX-License-Identifier: MIT */
#include "cli/batch/record.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/filetime.h"
#include "base/text.h"
#include "cli/batch/worker.h"
#include "output/json_text.h"

const struct record_member record_members[] = {
	{ "schema", NULL, "always \"" RECORD_SCHEMA "\"" },
	{ "version", NULL, "of the schema; SQLite: PRAGMA user_version" },
	{ "run", "TEXT NOT NULL",
	  "what made the record: the program's version, the commands, the options that results "
	  "depend on" },
	{ "path", "TEXT NOT NULL",
	  "the snapshot as given, or the folder as given with the path "
	  "below it; bytes that are not UTF-8 are U+FFFD" },
	{ "path_hex", "TEXT", "all bytes of the path in hexadecimal where it is not UTF-8" },
	{ "size", "INTEGER", "of the file in bytes; null: it is no readable file" },
	{ "modified", "TEXT", "when the file was changed last" },
	{ "status", "TEXT NOT NULL",
	  "ok: everything was read; partial: something could not be; failed: it is no snapshot "
	  "that "
	  "can be read, its kernel was not found though a command needs it, a limit of memory or "
	  "output was met, or no command has a result; timeout; crashed" },
	{ "exit_reason", "TEXT NOT NULL",
	  "how its process ended: 'exit N', 'signal NAME', 'timeout', 'memory limit', 'output "
	  "limit', or 'not started'" },
	{ "error", "TEXT", "why it failed" },
	{ "seconds", "REAL", "that it took; null with --no-timing" },
	{ "messages", NULL, "notes and what could not be read: kind (note, partial) and text" },
	{ "more_messages", "INTEGER NOT NULL", "how many further ones there were" },
	{ "errors", NULL, "by command: why it failed; the rows before its error are there" },
};
const size_t num_record_members = ARRAY_SIZE(record_members);

/* The path's text is its bytes: C0 80, which text.h takes for a NUL, is none in a path. */
static bool is_plain_path(const char *path)
{
	return text_is_utf8(path) && !strchr(path, '\xc0');
}

static void put_member(FILE *out, const char *key, const char *value)
{
	fprintf(out, "\"%s\": ", key);
	if (value)
		json_put_string(out, value);
	else
		fputs("null", out);
	fputs(", ", out);
}

char *record_run(struct arena *arena, const struct plan *plan, const char *options)
{
	char *text = NULL, *copy;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fprintf(out, "{\"program\": \"ntscope %s\", \"commands\": [", NTSCOPE_VERSION);
	for (size_t i = 0; i < plan->count; i++) {
		if (i)
			fputs(", ", out);
		json_put_string(out, plan->items[i].words);
	}
	fputs("], \"options\": ", out);
	json_put_string(out, options);
	putc('}', out);
	copy = fclose(out) == 0 ? arena_strndup(arena, text, len) : NULL;
	free(text);
	return copy;
}

static void put_path(FILE *out, const char *path)
{
	put_member(out, "path", path);
	fputs("\"path_hex\": ", out);
	if (is_plain_path(path)) {
		fputs("null, ", out);
		return;
	}
	putc('"', out);
	for (; *path; path++)
		fprintf(out, "%02x", (uint8_t)*path);
	fputs("\", ", out);
}

/* Takes the next whole line. */
static bool next_line(struct span *rest, struct span *line)
{
	const char *end = rest->len ? memchr(rest->text, '\n', rest->len) : NULL;

	if (!end || end == rest->text)
		return false;
	*line = (struct span){ rest->text, (size_t)(end - rest->text) };
	rest->len -= line->len + 1;
	rest->text = end + 1;
	return true;
}

/* The lines of one kind, with commas between them. */
static size_t put_lines(FILE *out, struct span report, enum report_line kind, const char *before,
			const char *after)
{
	struct span line;
	size_t count = 0;

	while (next_line(&report, &line)) {
		if (line.text[0] != (char)kind)
			continue;
		fprintf(out, "%s%s", count++ ? ", " : "", before);
		fwrite(line.text + 1, 1, line.len - 1, out);
		fputs(after, out);
	}
	return count;
}

static void put_messages(FILE *out, struct span report)
{
	const char *separator = "";
	struct span line, more = { "0", 1 };

	fputs("\"messages\": [", out);
	while (next_line(&report, &line)) {
		bool note = line.text[0] == REPORT_NOTE;

		if (line.text[0] == REPORT_MORE)
			more = (struct span){ line.text + 1, line.len - 1 };
		if (!note && line.text[0] != REPORT_PARTIAL)
			continue;
		fprintf(out, "%s{\"kind\": \"%s\", \"text\": ", separator,
			note ? "note" : "partial");
		fwrite(line.text + 1, 1, line.len - 1, out);
		putc('}', out);
		separator = ", ";
	}
	fprintf(out, "], \"more_messages\": %.*s, ", (int)more.len, more.text);
}

/* Commands come in the order of the plan: what a report lacks are the last ones. */
static void put_rows(FILE *out, struct span report, const struct plan *plan)
{
	size_t have;

	fputs(", ", out);
	have = put_lines(out, report, REPORT_ROWS, "", "");
	for (size_t i = have; i < plan->count; i++) {
		fputs(i ? ", " : "", out);
		json_put_string(out, plan->items[i].command->name);
		fputs(": null", out);
	}
}

void record_write(FILE *out, const char *run, const struct input *input, const struct plan *plan,
		  const struct record_result *result, const char *text, size_t len)
{
	const struct span report = { text, len };
	char modified[FILETIME_TEXT_SIZE];
	bool has_time = filetime_format(input->modified, modified);

	fprintf(out, "{\"schema\": \"%s\", \"version\": %d, \"run\": %s, ", RECORD_SCHEMA,
		RECORD_VERSION, run);
	put_path(out, input->path);
	if (input->problem)
		fputs("\"size\": null, ", out);
	else
		fprintf(out, "\"size\": %" PRIu64 ", ", input->size);
	put_member(out, "modified", has_time ? modified : NULL);
	put_member(out, "status", result->status);
	put_member(out, "exit_reason", result->exit_reason);
	fprintf(out, "\"error\": %.*s, ", result->error ? (int)result->error_len : 4,
		result->error ? result->error : "null");
	if (result->has_seconds)
		fprintf(out, "\"seconds\": %.3f, ", result->seconds);
	else
		fputs("\"seconds\": null, ", out);
	put_messages(out, report);
	fputs("\"errors\": {", out);
	put_lines(out, report, REPORT_FAILURE, "", "");
	putc('}', out);
	put_rows(out, report, plan);
	putc('}', out);
}

bool record_read_result(struct arena *arena, const char *text, size_t len,
			struct record_result *ret)
{
	struct span report = { text, len }, line;
	const char *tab;

	*ret = (struct record_result){ 0 };
	while (next_line(&report, &line)) {
		if (line.text[0] == REPORT_ERROR) {
			ret->error = line.text + 1;
			ret->error_len = line.len - 1;
		}
		if (line.text[0] != REPORT_RESULT ||
		    (tab = memchr(line.text, '\t', line.len)) == NULL)
			continue;
		ret->status = arena_strndup(arena, line.text + 1, (size_t)(tab - line.text - 1));
		ret->exit_reason =
			arena_strndup(arena, tab + 1, (size_t)(line.text + line.len - tab - 1));
	}
	return ret->status && ret->exit_reason;
}

static void skip_spaces(struct span *s)
{
	while (s->len && strchr(" \t\r\n", *s->text)) {
		s->text++;
		s->len--;
	}
}

/* Bytes of the string at the beginning, with its quotes; 0: it does not end. */
static size_t string_length(const struct span *s)
{
	for (size_t i = 1; i < s->len; i++) {
		if (s->text[i] == '"')
			return i + 1;
		if (s->text[i] == '\\')
			i++;
	}
	return 0;
}

/* Bytes of the value at the beginning; 0: it does not end. Brackets are counted, not matched: what
 * is inside is parsed by whoever needs it. */
static size_t value_length(const struct span *s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s->len; i++) {
		const struct span rest = { s->text + i, s->len - i };
		char c = s->text[i];

		if (c == '"') {
			size_t len = string_length(&rest);

			if (!len)
				return 0;
			i += len - 1;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (depth == 0)
				return i;
			depth--;
		} else if (c == ',' && depth == 0) {
			return i;
		}
	}
	return depth ? 0 : s->len;
}

/* *s is moved behind the value and a comma. */
static bool take_value(struct span *s, struct span *value)
{
	size_t len;

	skip_spaces(s);
	len = value_length(s);
	if (!len)
		return false;
	*value = (struct span){ s->text, len };
	while (value->len > 1 && strchr(" \t\r\n", value->text[value->len - 1]))
		value->len--;
	s->text += len;
	s->len -= len;
	if (s->len && *s->text == ',') {
		s->text++;
		s->len--;
	}
	return true;
}

bool span_next_item(struct span *inside, struct span *value)
{
	return take_value(inside, value);
}

bool span_next_member(struct span *inside, struct span *key, struct span *value)
{
	size_t len;

	skip_spaces(inside);
	if (!inside->len || *inside->text != '"')
		return false;
	len = string_length(inside);
	if (!len)
		return false;
	*key = (struct span){ inside->text + 1, len - 2 };
	inside->text += len;
	inside->len -= len;
	skip_spaces(inside);
	if (!inside->len || *inside->text != ':')
		return false;
	inside->text++;
	inside->len--;
	return take_value(inside, value);
}

bool span_inside(const struct span *value, char bracket, struct span *ret)
{
	char end = bracket == '{' ? '}' : ']';

	if (value->len < 2 || value->text[0] != bracket || value->text[value->len - 1] != end)
		return false;
	*ret = (struct span){ value->text + 1, value->len - 2 };
	return true;
}

bool span_is(const struct span *s, const char *text)
{
	return s->len == strlen(text) && memcmp(s->text, text, s->len) == 0;
}

const char *span_string(struct arena *arena, const struct span *value)
{
	json_t *json = json_loadb(value->text, value->len, JSON_DECODE_ANY, NULL);
	const char *text = json ? json_string_value(json) : NULL;

	if (text)
		text = arena_strdup(arena, text);
	json_decref(json);
	return text;
}

const char *record_path_from_hex(struct arena *arena, const struct span *value)
{
	char *path = arena_alloc(arena, value->len / 2 + 1);
	uint64_t byte;

	if (!path || value->len < 4 || value->len % 2)
		return NULL;
	for (size_t i = 0; i < value->len / 2 - 1; i++) {
		const char digits[] = { '0', 'x', value->text[1 + 2 * i], value->text[2 + 2 * i],
					'\0' };

		if (!text_parse_u64(digits, &byte) || !byte)
			return NULL;
		path[i] = (char)byte;
	}
	return path;
}

static struct error *take_head(struct arena *arena, struct span inside, struct record_head *ret)
{
	static const char *const keys[] = { "path", "path_hex", "size", "modified" };
	struct span key, values[ARRAY_SIZE(keys)];
	char size[24] = "";

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!span_next_member(&inside, &key, &values[i]) || !span_is(&key, keys[i]))
			return error_new(ERROR_CORRUPT, "a record without '%s'", keys[i]);
	}
	ret->path = span_is(&values[1], "null") ? span_string(arena, &values[0])
						: record_path_from_hex(arena, &values[1]);
	if (!ret->path)
		return error_new(ERROR_CORRUPT, "a record without a path");
	if (values[2].len < sizeof(size))
		memcpy(size, values[2].text, values[2].len);
	ret->size = 0;
	if (!span_is(&values[2], "null") && !text_parse_u64(size, &ret->size))
		return error_new(ERROR_CORRUPT, "a record without a size");
	ret->modified = values[3];
	ret->rest = inside;
	return NULL;
}

struct error *record_read(struct arena *arena, const struct span *line, struct record_head *ret)
{
	struct span inside, key, schema, version;
	struct record_head head;
	char expected[8];
	struct error *err;

	if (!span_inside(line, '{', &inside) || !span_next_member(&inside, &key, &schema) ||
	    !span_is(&key, "schema") || !span_is(&schema, "\"" RECORD_SCHEMA "\"") ||
	    !span_next_member(&inside, &key, &version) || !span_is(&key, "version"))
		return error_new(ERROR_CORRUPT, "not a record of 'ntscope batch'");
	snprintf(expected, sizeof(expected), "%d", RECORD_VERSION);
	if (!span_is(&version, expected))
		return error_new(ERROR_UNSUPPORTED,
				 "results of version %.*s of the schema, expected version %d",
				 (int)(version.len < 20 ? version.len : 20), version.text,
				 RECORD_VERSION);
	if (!span_next_member(&inside, &key, &head.run) || !span_is(&key, "run"))
		return error_new(ERROR_CORRUPT, "a record without 'run'");
	if ((err = take_head(arena, inside, &head)))
		return err;
	*ret = head;
	return NULL;
}

bool record_is_of(const struct record_head *head, const struct input *input)
{
	char text[FILETIME_TEXT_SIZE], modified[FILETIME_TEXT_SIZE + 2] = "null";

	if (filetime_format(input->modified, text))
		snprintf(modified, sizeof(modified), "\"%s\"", text);
	return strcmp(head->path, input->path) == 0 && head->size == input->size &&
	       span_is(&head->modified, modified);
}
