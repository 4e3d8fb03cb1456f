/* SPDX-License-Identifier: MIT */
#include "output/cell_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/filetime.h"
#include "base/text.h"

enum { ADDRESS_TEXT_SIZE = sizeof("0x0123456789abcdef") };

static bool looks_escaped(const char *s)
{
	for (; (s = strchr(s, '\\')) != NULL; s++) {
		if (s[1] == 'x' && isxdigit((unsigned char)s[2]) && isxdigit((unsigned char)s[3]))
			return true;
		if (s[1] == 'u' && s[2] == '{')
			return true;
	}
	return false;
}

/* Is `escaped` s with nothing but its backslashes doubled? */
static bool only_backslashes(const char *s, const char *escaped)
{
	for (; *s; s++, escaped++) {
		if (*s != *escaped)
			return false;
		if (*s == '\\' && *++escaped != '\\')
			return false;
	}
	return *escaped == '\0';
}

const char *text_show(struct arena *a, const char *s)
{
	const char *escaped = text_escape(a, s);

	if (escaped && only_backslashes(s, escaped) && !looks_escaped(s))
		return s;
	return escaped;
}

bool cell_has_value(enum cell_type type, const struct cell *cell)
{
	char text[FILETIME_TEXT_SIZE];

	if (!cell->present)
		return false;
	if (type == CELL_TIME)
		return filetime_format(cell->u64, text);
	return type != CELL_STR || cell->str != NULL;
}

static const char *time_text(struct arena *a, uint64_t filetime)
{
	char text[FILETIME_TEXT_SIZE] = "";

	if (!filetime_format(filetime, text))
		return "";
	return arena_strdup(a, text);
}

static const char *addresses_text(struct arena *a, const struct cell *cell, char separator)
{
	size_t count = cell->addrs.count, used = 0;
	size_t size = count * ADDRESS_TEXT_SIZE + 1;
	char *text;

	if (count > SIZE_MAX / ADDRESS_TEXT_SIZE - 1)
		return NULL;
	text = arena_alloc(a, size);
	if (!text)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (i)
			text[used++] = separator;
		used += (size_t)snprintf(text + used, size - used, "0x%" PRIx64,
					 cell->addrs.items[i]);
	}
	return text;
}

/* A string that is absent leaves its place empty. */
static const char *strings_text(struct arena *a, const struct cell *cell, enum cell_style style)
{
	size_t count = cell->strs.count, size = 1, used = 0;
	const char **parts = arena_calloc(a, count + 1, sizeof(*parts));
	bool for_people = style == CELL_STYLE_TEXT;
	char *text;

	if (!parts)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		parts[i] = cell->strs.items[i] ? cell->strs.items[i] : "";
		if (for_people)
			parts[i] = text_show(a, parts[i]);
		if (!parts[i])
			return NULL;
		size += strlen(parts[i]) + 1;
	}
	text = arena_alloc(a, size);
	for (size_t i = 0; text && i < count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
					 !i	      ? ""
					 : for_people ? ","
						      : ";",
					 parts[i]);
	return text;
}

static const char *bytes_text(struct arena *a, const struct cell *cell, bool spaced)
{
	static const char digits[] = "0123456789abcdef";
	size_t count = cell->bytes.count, used = 0;
	char *text = arena_calloc(a, count + 1, 3);

	if (!text)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (i && spaced)
			text[used++] = ' ';
		text[used++] = digits[cell->bytes.bytes[i] >> 4];
		text[used++] = digits[cell->bytes.bytes[i] & 0xf];
	}
	return text;
}

/* "0x0  access: read" for people, "0x0=access: read" as data. */
static const char *explained_text(struct arena *a, const struct explained_value *v,
				  enum cell_style style)
{
	const char *meaning = v->meaning ? v->meaning : "", *detail = v->detail ? v->detail : "";
	const char *gap = style == CELL_STYLE_TEXT ? "  " : "=";

	if (style == CELL_STYLE_TEXT) {
		meaning = text_show(a, meaning);
		detail = text_show(a, detail);
		if (!meaning || !detail)
			return NULL;
	}
	return arena_printf(a, "0x%" PRIx64 "%s%s%s%s", v->value,
			    v->meaning || v->detail ? gap : "", meaning,
			    v->meaning && v->detail ? ": " : "", detail);
}

static const char *explained_texts(struct arena *a, const struct cell *cell, enum cell_style style)
{
	size_t count = cell->explained.count, size = 1, used = 0;
	const char **parts = arena_calloc(a, count + 1, sizeof(*parts));
	char *text;

	if (!parts)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		parts[i] = explained_text(a, &cell->explained.items[i], style);
		if (!parts[i])
			return NULL;
		size += strlen(parts[i]) + strlen("; ");
	}
	text = arena_alloc(a, size);
	for (size_t i = 0; text && i < count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "; " : "", parts[i]);
	return text;
}

const char *cell_to_text(struct arena *a, enum cell_type type, const struct cell *cell,
			 enum cell_style style)
{
	bool for_people = style == CELL_STYLE_TEXT;

	switch (type) {
	case CELL_U64:
		return arena_printf(a, "%" PRIu64, cell->u64);
	case CELL_I64:
		return arena_printf(a, "%" PRId64, cell->i64);
	case CELL_ADDR:
		return arena_printf(a, "0x%" PRIx64, cell->u64);
	case CELL_STR:
		return for_people ? text_show(a, cell->str) : cell->str;
	case CELL_TIME:
		return time_text(a, cell->u64);
	case CELL_BOOL:
		return cell->boolean ? "true" : "false";
	case CELL_ADDRS:
		return addresses_text(a, cell, for_people ? ',' : ' ');
	case CELL_STRS:
		return strings_text(a, cell, style);
	case CELL_BYTES:
		return bytes_text(a, cell, for_people);
	case CELL_EXPLAINED:
		return explained_texts(a, cell, style);
	}
	return "";
}
