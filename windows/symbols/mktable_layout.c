/* SPDX-License-Identifier: MIT */
#include "windows/symbols/mktable_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

enum { MAX_WORDS = 6 };

struct line {
	const char *name; /* of the file */
	unsigned number;
	char *words[MAX_WORDS];
	size_t num_words;
};

static const struct layout_file *as_layout(const struct profile_source *src)
{
	return (const struct layout_file *)src;
}

static int compare_fields(const void *a, const void *b)
{
	const struct layout_field *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	return order ? order : strcmp(x->path, y->path);
}

static const struct layout_field *find(const struct profile_source *src, const char *type,
				       const char *path)
{
	const struct layout_file *l = as_layout(src);
	const struct layout_field key = { .type = type, .path = path };

	return bsearch(&key, l->fields, l->num_fields, sizeof(key), compare_fields);
}

static bool layout_type_size(const struct profile_source *src, const char *type, uint32_t *ret)
{
	const struct layout_field *found = find(src, type, "");

	if (!found)
		return false;
	*ret = found->field.size;
	return true;
}

static bool layout_field(const struct profile_source *src, const char *type, const char *path,
			 struct field *ret)
{
	const struct layout_field *found = *path ? find(src, type, path) : NULL;

	if (!found)
		return false;
	*ret = found->field;
	return true;
}

static bool layout_symbol(const struct profile_source *src, const char *name, uint64_t *rva_ret)
{
	(void)src, (void)name, (void)rva_ret;
	return false;
}

static void layout_destroy(struct profile_source *src)
{
	struct layout_file *l = (struct layout_file *)src;

	arena_deinit(&l->arena);
	free(l);
}

static const struct profile_source_ops layout_ops = {
	.kind = "layout",
	.type_size = layout_type_size,
	.field = layout_field,
	.symbol = layout_symbol,
	.destroy = layout_destroy,
};

/* Lines. */

static struct error *expected(const struct line *line, const char *what, const char *found)
{
	return error_new(ERROR_CORRUPT, "%s:%u: expected %s, found '%s'", line->name, line->number,
			 what, found);
}

static bool parse_number(const char *word, uint32_t *ret)
{
	uint64_t value;

	if (!text_parse_u64(word, &value) || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* "BUILD" or "BUILD.REVISION". */
static bool parse_build(char *word, struct layout_target *ret)
{
	char *dot = strchr(word, '.');
	uint32_t build, revision = 0;

	if (dot)
		*dot++ = '\0';
	if (!parse_number(word, &build) || build == 0 || build > UINT16_MAX ||
	    (dot && (!parse_number(dot, &revision) || revision > UINT16_MAX)))
		return false;
	ret->build = build;
	ret->revision = revision;
	ret->has_revision = dot;
	return true;
}

static struct error *parse_target(struct layout_file *l, struct line *line)
{
	struct layout_target target = { 0 };
	uint32_t like = 0;
	size_t i = 2;

	if (line->num_words < 2 || !parse_build(line->words[1], &target))
		return expected(line, "layout BUILD", line->words[line->num_words < 2 ? 0 : 1]);
	if (i < line->num_words && strcmp(line->words[i], "la57") == 0) {
		target.la57 = true;
		i++;
	}
	if (i + 1 < line->num_words && strcmp(line->words[i], "like") == 0 &&
	    parse_number(line->words[i + 1], &like) && like > 0)
		i += 2;
	if (i != line->num_words)
		return expected(line, "[la57] [like BUILD]", line->words[i]);
	if (!target.has_revision && !like)
		return expected(line, "a revision", line->words[1]);
	if (l->num_targets == LAYOUT_MAX_TARGETS)
		return error_new(ERROR_LIMIT, "%s: more than %d layouts", line->name,
				 LAYOUT_MAX_TARGETS);
	target.like = like;
	l->targets[l->num_targets++] = target;
	return NULL;
}

static struct error *parse_type(struct line *line, struct layout_field *ret)
{
	if (line->num_words != 3 || !parse_number(line->words[2], &ret->field.size) ||
	    ret->field.size == 0)
		return expected(line, "type NAME SIZE", line->words[line->num_words - 1]);
	ret->type = line->words[1];
	ret->path = "";
	return NULL;
}

static bool parse_bits(const char *word, struct field *field)
{
	unsigned position, width;
	int end = 0;

	if (sscanf(word, "%2u:%2u%n", &position, &width, &end) != 2 || word[end] || width == 0 ||
	    field->size > 8 || position + width > field->size * 8)
		return false;
	field->bit_pos = (uint8_t)position;
	field->bit_size = (uint8_t)width;
	return true;
}

static struct error *parse_field(struct line *line, const struct layout_field *type,
				 struct layout_field *ret)
{
	size_t i = 3;

	if (!type)
		return expected(line, "a type before its fields", line->words[0]);
	if (line->num_words < 3 || !parse_number(line->words[1], &ret->field.offset) ||
	    !parse_number(line->words[2], &ret->field.size) || ret->field.size == 0)
		return expected(line, "PATH OFFSET SIZE", line->words[line->num_words - 1]);
	if (ret->field.size > type->field.size ||
	    ret->field.offset > type->field.size - ret->field.size)
		return expected(line, "a field inside its type", line->words[0]);
	if (i < line->num_words && parse_bits(line->words[i], &ret->field))
		i++;
	if (i < line->num_words && strcmp(line->words[i], "derived") == 0) {
		ret->derived = true;
		i++;
	}
	if (i != line->num_words)
		return expected(line, "[POSITION:WIDTH] [derived]", line->words[i]);
	ret->type = type->type;
	ret->path = line->words[0];
	ret->field.present = true;
	return NULL;
}

/* *type: index of the type that fields belong to; SIZE_MAX before the first. */
static struct error *parse_line(struct layout_file *l, struct line *line, size_t *type)
{
	struct layout_field *field = &l->fields[l->num_fields];
	struct error *err;

	if (strcmp(line->words[0], "layout") == 0)
		return parse_target(l, line);
	if (l->num_fields == LAYOUT_MAX_FIELDS)
		return error_new(ERROR_LIMIT, "%s: more than %d fields", line->name,
				 LAYOUT_MAX_FIELDS);
	if (strcmp(line->words[0], "type") == 0) {
		err = parse_type(line, field);
		*type = l->num_fields;
	} else {
		err = parse_field(line, *type == SIZE_MAX ? NULL : &l->fields[*type], field);
	}
	if (!err)
		l->num_fields++;
	return err;
}

static struct error *split(char *text, struct line *line)
{
	char *save = NULL;

	line->num_words = 0;
	for (char *word = strtok_r(text, " \t\r", &save); word && *word != '#';
	     word = strtok_r(NULL, " \t\r", &save)) {
		if (line->num_words == MAX_WORDS)
			return expected(line, "the end of the line", word);
		line->words[line->num_words++] = word;
	}
	return NULL;
}

static struct error *parse_text(struct layout_file *l, char *text, const char *name)
{
	struct line line = { .name = name };
	size_t type = SIZE_MAX;
	struct error *err;

	for (char *next; text; text = next) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		line.number++;
		if ((err = split(text, &line)))
			return err;
		if (line.num_words && (err = parse_line(l, &line, &type)))
			return err;
	}
	if (l->num_targets == 0)
		return error_new(ERROR_CORRUPT, "%s: expected a line 'layout BUILD', found none",
				 name);
	qsort(l->fields, l->num_fields, sizeof(*l->fields), compare_fields);
	for (size_t i = 1; i < l->num_fields; i++)
		if (compare_fields(&l->fields[i - 1], &l->fields[i]) == 0)
			return error_new(ERROR_CORRUPT, "%s: %s.%s is there twice", name,
					 l->fields[i].type, l->fields[i].path);
	return NULL;
}

struct error *layout_parse(const char *text, size_t len, const char *name, struct layout_file **ret)
{
	struct layout_file *l;
	struct error *err;
	char *copy;

	if (len > LAYOUT_MAX_TEXT)
		return error_new(ERROR_LIMIT, "%s: more than %d bytes", name, LAYOUT_MAX_TEXT);
	l = calloc(1, sizeof(*l));
	if (!l)
		return &error_no_memory;
	l->source.ops = &layout_ops;
	arena_init(&l->arena, 0);
	copy = arena_strndup(&l->arena, text, len);
	l->fields = arena_calloc(&l->arena, LAYOUT_MAX_FIELDS, sizeof(*l->fields));
	err = copy && l->fields ? parse_text(l, copy, name) : &error_no_memory;
	if (err) {
		layout_destroy(&l->source);
		return err;
	}
	*ret = l;
	return NULL;
}

struct error *layout_open(const char *path, struct layout_file **ret)
{
	struct file file;
	struct error *err = file_open(&file, path);

	if (err)
		return err;
	err = layout_parse(file.bytes ? (const char *)file.bytes : "", file.size, path, ret);
	file_close(&file);
	return err;
}
