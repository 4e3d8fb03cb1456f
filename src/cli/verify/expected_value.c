/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/filetime.h"
#include "base/text.h"
#include "cli/verify/expected.h"
#include "cli/verify/value.h"
#include "output/cell_text.h"

enum { ADDRESS_SIZE = sizeof("0x0123456789abcdef") };

static void json_cleanup(json_t **value)
{
	json_decref(*value);
}

static void free_text(char **text)
{
	free(*text);
}

/* What jansson takes for text: C0 80 becomes a NUL, what is not UTF-8 becomes U+FFFD. */
static json_t *json_of_text(const char *s)
{
	size_t len = 0;
	char *bytes CLEANUP(free_text) = NULL;

	if (!s)
		return json_null();
	if (!strstr(s, "\xc0\x80") && text_is_utf8(s))
		return json_string(s);
	bytes = malloc(3 * strlen(s) + 1);
	while (bytes && *s) {
		const char *next = s;

		if (strncmp(s, "\xc0\x80", 2) == 0) {
			bytes[len++] = '\0';
			s += 2;
			continue;
		}
		if (text_next(&next) == 0xfffd) {
			memcpy(bytes + len, "\xef\xbf\xbd", 3);
			len += 3;
		} else {
			memcpy(bytes + len, s, (size_t)(next - s));
			len += (size_t)(next - s);
		}
		s = next;
	}
	return bytes ? json_stringn(bytes, len) : NULL;
}

static json_t *json_of_address(uint64_t address)
{
	char text[ADDRESS_SIZE];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	return json_string(text);
}

static json_t *json_of_number(uint64_t number)
{
	char text[sizeof("18446744073709551615")];

	if (number <= INT64_MAX)
		return json_integer((json_int_t)number);
	snprintf(text, sizeof(text), "%" PRIu64, number);
	return json_string(text);
}

static json_t *json_of_addresses(const struct cell *cell)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < cell->addrs.count; i++) {
		if (json_array_append_new(array, json_of_address(cell->addrs.items[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *json_of_texts(const struct cell *cell)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < cell->strs.count; i++) {
		if (json_array_append_new(array, json_of_text(cell->strs.items[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *json_of_explained(const struct cell *cell)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < cell->explained.count; i++) {
		const struct explained_value *v = &cell->explained.items[i];
		json_t *item =
			json_pack("{s:o, s:o, s:o}", "value", json_of_address(v->value), "meaning",
				  json_of_text(v->meaning), "detail", json_of_text(v->detail));

		if (json_array_append_new(array, item) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* "4d5a", "2024-05-01T10:20:30.1234567Z". */
static json_t *json_of_shown(enum cell_type type, const struct cell *cell)
{
	struct arena a CLEANUP(arena_deinit);
	const char *text;

	arena_init(&a, 0);
	text = cell_to_text(&a, type, cell, CELL_STYLE_DATA);
	return text ? json_string(text) : NULL;
}

static json_t *json_of_cell(enum cell_type type, const struct cell *cell)
{
	if (!cell_has_value(type, cell))
		return json_null();
	switch (type) {
	case CELL_U64:
		return json_of_number(cell->u64);
	case CELL_I64:
		return json_integer(cell->i64);
	case CELL_ADDR:
		return json_of_address(cell->u64);
	case CELL_STR:
		return json_of_text(cell->str);
	case CELL_BOOL:
		return json_boolean(cell->boolean);
	case CELL_ADDRS:
		return json_of_addresses(cell);
	case CELL_STRS:
		return json_of_texts(cell);
	case CELL_EXPLAINED:
		return json_of_explained(cell);
	case CELL_TIME:
	case CELL_BYTES:
		return json_of_shown(type, cell);
	}
	return NULL;
}

const char *value_of_json(struct arena *a, const json_t *json)
{
	char *text CLEANUP(free_text) = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII |
								 JSON_SORT_KEYS | JSON_ENCODE_ANY);

	return text ? arena_strdup(a, text) : NULL;
}

const char *expected_value(struct arena *a, enum cell_type type, const struct cell *cell)
{
	json_t *json CLEANUP(json_cleanup) = json_of_cell(type, cell);

	return json ? value_of_json(a, json) : NULL;
}

const char *value_of_text(struct arena *a, const char *text)
{
	json_t *json CLEANUP(json_cleanup) = json_of_text(text);

	return json ? value_of_json(a, json) : NULL;
}

const char *text_of_json(struct arena *a, const json_t *json)
{
	const char *from = json_string_value(json);
	size_t len = json_string_length(json), used = 0;
	char *text = len < SIZE_MAX / 2 ? arena_alloc(a, 2 * len + 1) : NULL;

	for (size_t i = 0; text && i < len; i++) {
		if (!from[i])
			text[used++] = '\xc0';
		text[used++] = from[i] ? from[i] : '\x80';
	}
	return text;
}

bool expected_value_text(struct arena *a, const char *value, const char **ret)
{
	json_t *json CLEANUP(json_cleanup) = NULL;

	if (strcmp(value, VALUE_ABSENT) == 0) {
		*ret = NULL;
		return true;
	}
	if (value[0] != '"') {
		*ret = value;
		return true;
	}
	json = json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	*ret = json ? text_of_json(a, json) : NULL;
	return *ret != NULL;
}
