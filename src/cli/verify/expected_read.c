/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "cli/verify/expected.h"
#include "cli/verify/value.h"

/* Rough costs of parsing, in bytes, so that a small file cannot ask for much memory. */
enum { COST_ARRAY = 192, COST_OBJECT = 512, COST_ITEM = 128 };

/* Of opening and closing, each with one that counts the others. */
enum { MAX_READ_MESSAGES = 2 * (EXPECTED_MAX_MESSAGES + 1) };

static void json_cleanup(json_t **value)
{
	json_decref(*value);
}

/* What parsing the bytes would cost; how deep they are nested is checked on the way. */
static struct error *check_shape(const uint8_t *bytes, size_t len, uint64_t max_memory)
{
	uint64_t cost = len;
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = bytes[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		if (in_string)
			continue;
		cost += c == '[' ? COST_ARRAY : c == '{' ? COST_OBJECT : c == ',' ? COST_ITEM : 0;
		if ((c == '[' || c == '{') && ++depth > EXPECTED_MAX_DEPTH)
			return error_new(ERROR_CORRUPT,
					 "byte %zu: nested deeper than a recorded result", i);
		if ((c == ']' || c == '}') && depth)
			depth--;
	}
	if (cost <= max_memory)
		return NULL;
	return error_new(ERROR_LIMIT,
			 "reading it would take %" PRIu64 " MiB of memory (--max-memory allows it)",
			 (cost >> 20) + 1);
}

static struct error *wrong(const char *member, const char *what)
{
	return error_new(ERROR_CORRUPT, "'%s' is not %s", member, what);
}

static struct error *read_text(struct arena *a, const json_t *object, const char *member,
			       const char **ret)
{
	const json_t *value = json_object_get(object, member);

	if (!json_is_string(value))
		return wrong(member, "a string");
	*ret = text_of_json(a, value);
	return *ret ? NULL : &error_no_memory;
}

static struct error *read_words(struct arena *a, const json_t *object, const char *member,
				size_t max, struct word_list *ret)
{
	const json_t *array = json_object_get(object, member);
	size_t count = json_array_size(array);
	const char **items;

	if (!json_is_array(array))
		return wrong(member, "an array of strings");
	if (count > max)
		return error_new(ERROR_LIMIT, "'%s' has %zu items, at most %zu are read", member,
				 count, max);
	items = arena_calloc(a, count + 1, sizeof(*items));
	if (!items)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(array, i);

		if (!json_is_string(item))
			return wrong(member, "an array of strings");
		if (!(items[i] = text_of_json(a, item)))
			return &error_no_memory;
	}
	*ret = (struct word_list){ items, count };
	return NULL;
}

static bool is_digits(const json_t *value)
{
	const char *s = json_string_value(value);

	return s && *s && strlen(s) == json_string_length(value) &&
	       strspn(s, "0123456789") == strlen(s);
}

static bool each_is_text(const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		if (!json_is_string(item) && !json_is_null(item))
			return false;
	}
	return json_is_array(array);
}

static bool each_is_explained(const json_t *array)
{
	static const char *const members[] = { "value", "meaning", "detail" };

	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		if (json_object_size(item) != ARRAY_SIZE(members))
			return false;
		for (size_t j = 0; j < ARRAY_SIZE(members); j++) {
			const json_t *part = json_object_get(item, members[j]);

			if (!json_is_string(part) && !json_is_null(part))
				return false;
		}
	}
	return json_is_array(array);
}

/* Is this how a cell of the type is written? */
static bool value_fits(enum cell_type type, const json_t *value)
{
	if (json_is_null(value))
		return true;
	switch (type) {
	case CELL_U64:
		return json_is_integer(value) ? json_integer_value(value) >= 0 : is_digits(value);
	case CELL_I64:
		return json_is_integer(value);
	case CELL_BOOL:
		return json_is_boolean(value);
	case CELL_ADDR:
	case CELL_STR:
	case CELL_TIME:
	case CELL_BYTES:
		return json_is_string(value);
	case CELL_ADDRS:
	case CELL_STRS:
		return each_is_text(value);
	case CELL_EXPLAINED:
		return each_is_explained(value);
	}
	return false;
}

static struct error *read_columns(struct arena *a, const json_t *object,
				  struct expected_result *ret)
{
	const json_t *array = json_object_get(object, "columns");
	size_t count = json_array_size(array);
	struct expected_column *columns;

	if (!json_is_array(array))
		return wrong("columns", "an array");
	if (count > EXPECTED_MAX_COLUMNS)
		return error_new(ERROR_LIMIT, "%zu columns, at most %d are read", count,
				 EXPECTED_MAX_COLUMNS);
	columns = arena_calloc(a, count + 1, sizeof(*columns));
	if (!columns)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		const json_t *pair = json_array_get(array, i);
		const char *type = json_string_value(json_array_get(pair, 1));

		if (json_array_size(pair) != 2 || !json_is_string(json_array_get(pair, 0)) || !type)
			return wrong("columns", "an array of [key, type]");
		if (!expected_type_from_name(type, &columns[i].type))
			return error_new(ERROR_UNSUPPORTED,
					 "column %zu has the type '%s', which is not known", i,
					 type);
		if (!(columns[i].key = text_of_json(a, json_array_get(pair, 0))))
			return &error_no_memory;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(columns[j].key, columns[i].key) == 0)
				return error_new(ERROR_CORRUPT, "column '%s' is there twice",
						 columns[i].key);
		}
	}
	ret->columns = columns;
	ret->num_columns = count;
	return NULL;
}

static struct error *read_row(struct arena *a, const struct expected_result *r, size_t index,
			      const json_t *row, const char **ret)
{
	if (!json_is_array(row) || json_array_size(row) != r->num_columns)
		return error_new(ERROR_CORRUPT, "row %zu is not an array of %zu values", index,
				 r->num_columns);
	for (size_t i = 0; i < r->num_columns; i++) {
		const json_t *value = json_array_get(row, i);

		if (!value_fits(r->columns[i].type, value))
			return error_new(ERROR_CORRUPT, "row %zu: '%s' is not a value of type %s",
					 index, r->columns[i].key,
					 expected_type_name(r->columns[i].type));
		if (!(ret[i] = value_of_json(a, value)))
			return &error_no_memory;
	}
	return NULL;
}

static struct error *read_rows(struct arena *a, const json_t *object, struct expected_result *ret)
{
	const json_t *array = json_object_get(object, "rows");
	size_t count = json_array_size(array);
	const char **values;
	struct error *err = NULL;

	if (!json_is_array(array))
		return wrong("rows", "an array");
	if (count && !ret->num_columns)
		return error_new(ERROR_CORRUPT, "%zu rows without columns", count);
	values = arena_calloc(a, count * ret->num_columns + 1, sizeof(*values));
	if (!values)
		return &error_no_memory;
	for (size_t i = 0; i < count && !err; i++)
		err = read_row(a, ret, i, json_array_get(array, i), values + i * ret->num_columns);
	ret->values = values;
	ret->num_rows = count;
	return err;
}

static struct error *read_result(struct arena *a, const json_t *object, struct expected_result *ret)
{
	const char *status;
	struct error *err;

	if (!json_is_object(object))
		return wrong("results", "an array of objects");
	if ((err = read_words(a, object, "command", EXPECTED_MAX_WORDS, &ret->command)))
		return err;
	if (!ret->command.count)
		return error_new(ERROR_CORRUPT, "'command' is empty");
	if ((err = read_text(a, object, "status", &status)))
		return err;
	if (!expected_status_from_name(status, &ret->status))
		return error_new(ERROR_CORRUPT, "'status' is '%s'", status);
	if ((err = read_words(a, object, "messages", MAX_READ_MESSAGES, &ret->messages)) ||
	    (err = read_columns(a, object, ret)))
		return err;
	return read_rows(a, object, ret);
}

static struct error *read_results(struct arena *a, const json_t *root, struct expected *ret)
{
	const json_t *array = json_object_get(root, "results");
	size_t count = json_array_size(array);
	struct error *err = NULL;

	if (!json_is_array(array))
		return wrong("results", "an array of objects");
	if (count > EXPECTED_MAX_COMMANDS)
		return error_new(ERROR_LIMIT, "%zu results, at most %d are read", count,
				 EXPECTED_MAX_COMMANDS);
	ret->results = arena_calloc(a, count + 1, sizeof(*ret->results));
	ret->num_results = count;
	if (!ret->results)
		return &error_no_memory;
	for (size_t i = 0; i < count && !err; i++)
		err = error_wrap(read_result(a, json_array_get(array, i), &ret->results[i]),
				 "result %zu", i);
	return err;
}

static struct error *read_snapshot(struct arena *a, const json_t *root, struct expected *ret)
{
	const json_t *snapshot = json_object_get(root, "snapshot");
	const json_t *size = json_object_get(snapshot, "size");
	struct error *err;

	if (!json_is_object(snapshot))
		return wrong("snapshot", "an object");
	if ((err = read_text(a, snapshot, "name", &ret->snapshot.name)) ||
	    (err = read_text(a, snapshot, "sha256", &ret->snapshot.sha256)))
		return err;
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return wrong("size", "a number");
	ret->snapshot.size = (uint64_t)json_integer_value(size);
	return NULL;
}

static struct error *read_profile(struct arena *a, const json_t *root, struct expected *ret)
{
	const json_t *profile = json_object_get(root, "profile");

	if (!json_is_object(profile))
		return wrong("profile", "an object");
	for (unsigned i = 0; i < NUM_EXPECTED_PROFILE; i++) {
		const json_t *value = json_object_get(profile, expected_profile_keys[i]);

		if (json_is_array(value) || json_is_object(value) || !value)
			return wrong(expected_profile_keys[i], "a value");
		if (!(ret->profile[i] = value_of_json(a, value)))
			return &error_no_memory;
	}
	return NULL;
}

/* Says what the file is before anything else in it is believed. */
static struct error *check_version(const json_t *root)
{
	const char *schema = json_string_value(json_object_get(root, "schema"));
	const json_t *version = json_object_get(root, "version");

	if (!schema || strcmp(schema, expected_schema) != 0)
		return error_new(ERROR_UNSUPPORTED, "not a recorded result ('schema' is not '%s')",
				 expected_schema);
	if (!json_is_integer(version))
		return wrong("version", "a number");
	if (json_integer_value(version) == EXPECTED_VERSION)
		return NULL;
	return error_new(ERROR_UNSUPPORTED,
			 "a recorded result of version %" JSON_INTEGER_FORMAT
			 ", %s than %d, which this program reads; %s",
			 json_integer_value(version),
			 json_integer_value(version) < EXPECTED_VERSION ? "older" : "newer",
			 EXPECTED_VERSION,
			 json_integer_value(version) < EXPECTED_VERSION
				 ? "record it again, or use the program that wrote it"
				 : "use a newer ntscope");
}

struct error *expected_read(struct arena *a, const uint8_t *bytes, size_t len, uint64_t max_memory,
			    struct expected *ret)
{
	json_t *root CLEANUP(json_cleanup) = NULL;
	struct expected e = { 0 };
	json_error_t where;
	struct error *err;

	if (len > EXPECTED_MAX_BYTES)
		return error_new(ERROR_LIMIT, "%zu bytes, at most %d are read", len,
				 EXPECTED_MAX_BYTES);
	if ((err = check_shape(bytes, len, max_memory)))
		return err;
	root = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
			  &where);
	if (!root && json_error_code(&where) == json_error_out_of_memory)
		return &error_no_memory;
	if (!root)
		return error_new(ERROR_CORRUPT, "line %d: not JSON: %s", where.line, where.text);
	if ((err = check_version(root)) || (err = read_text(a, root, "program", &e.program)) ||
	    (err = read_snapshot(a, root, &e)) || (err = read_profile(a, root, &e)) ||
	    (err = read_words(a, root, "options", EXPECTED_MAX_WORDS, &e.options)) ||
	    (err = read_words(a, root, "messages", MAX_READ_MESSAGES, &e.messages)) ||
	    (err = read_results(a, root, &e)))
		return err;
	*ret = e;
	return NULL;
}
