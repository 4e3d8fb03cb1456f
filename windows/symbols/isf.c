/* SPDX-License-Identifier: MIT */
#include "windows/symbols/isf.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "windows/symbols/isf_json.h"
#include "windows/symbols/type_info.h"

struct isf {
	struct profile_source source;
	json_t *root; /* owned; the others are borrowed from it */
	json_t *base_types, *user_types, *enums, *symbols;
	struct symbol_identity identity;
};

static const struct isf *as_isf(const struct profile_source *src)
{
	return (const struct isf *)src;
}

/* Numbers. */

static bool json_u64(const json_t *value, uint64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(value);
	return true;
}

static bool json_u32(const json_t *value, uint32_t *ret)
{
	uint64_t v;

	if (!json_u64(value, &v) || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool member_u32(const json_t *object, const char *key, uint32_t *ret)
{
	return json_u32(json_object_get(object, key), ret);
}

/* Types: a type_ref is a JSON value, as a definition one of user_types or enums, elsewhere a
 * reference {kind, name | subtype | type}. */

static const json_t *as_json(struct type_ref type)
{
	return (const json_t *)type.id;
}

static struct type_ref as_ref(const json_t *value)
{
	return (struct type_ref){ (uintptr_t)value };
}

/* The kinds of reference, and of definition. "class" is C++'s word for a struct. */
static const struct {
	const char *name;
	enum type_kind kind;
} kinds[] = {
	{ "base", TYPE_BASE },	  { "struct", TYPE_STRUCT },	  { "union", TYPE_UNION },
	{ "class", TYPE_STRUCT }, { "enum", TYPE_ENUM },	  { "pointer", TYPE_POINTER },
	{ "array", TYPE_ARRAY },  { "bitfield", TYPE_BIT_FIELD }, { "function", TYPE_FUNCTION },
};

static enum type_kind kind_of(const json_t *type)
{
	const char *name = json_string_value(json_object_get(type, "kind"));

	for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(name, kinds[i].name) == 0)
			return kinds[i].kind;
	return TYPE_NONE;
}

/* What one of the dictionaries defines; a structure may be declared and not defined. */
static bool named_node(const json_t *dictionary, const char *name, struct type_node *node)
{
	const json_t *definition = name ? json_object_get(dictionary, name) : NULL;

	node->name = name;
	if (!definition)
		return name && node->kind != TYPE_BASE;
	if (node->kind != TYPE_BASE)
		node->definition = as_ref(definition);
	return json_u64(json_object_get(definition, "size"), &node->size) &&
	       node->size <= UINT32_MAX;
}

static bool bit_field_node(const json_t *type, struct type_node *node)
{
	uint32_t pos, size;

	if (!member_u32(type, "bit_position", &pos) || !member_u32(type, "bit_length", &size) ||
	    pos > UINT8_MAX || size > UINT8_MAX)
		return false;
	node->bit_pos = (uint8_t)pos;
	node->bit_size = (uint8_t)size;
	node->target = as_ref(json_object_get(type, "type"));
	return true;
}

static bool isf_node(const struct profile_source *src, struct type_ref ref, struct type_node *ret)
{
	const struct isf *isf = as_isf(src);
	const json_t *type = as_json(ref);
	const char *name = json_string_value(json_object_get(type, "name"));
	struct type_node node = { .kind = kind_of(type) };
	bool good = true;
	uint32_t n;

	switch (node.kind) {
	case TYPE_BASE:
		good = named_node(isf->base_types, name, &node);
		break;
	case TYPE_STRUCT:
	case TYPE_UNION:
		good = named_node(isf->user_types, name, &node);
		break;
	case TYPE_ENUM:
		good = named_node(isf->enums, name, &node);
		break;
	case TYPE_POINTER:
		node.target = as_ref(json_object_get(type, "subtype"));
		good = member_u32(json_object_get(isf->base_types, "pointer"), "size", &n);
		node.size = good ? n : 0;
		break;
	case TYPE_ARRAY:
		node.target = as_ref(json_object_get(type, "subtype"));
		good = member_u32(type, "count", &n);
		node.count = good ? n : 0;
		break;
	case TYPE_BIT_FIELD:
		good = bit_field_node(type, &node);
		break;
	case TYPE_FUNCTION:
		break;
	case TYPE_NONE:
		good = false;
		break;
	}
	if (good)
		*ret = node;
	return good;
}

static bool isf_find(const struct profile_source *src, const char *name, struct type_node *ret)
{
	const struct isf *isf = as_isf(src);
	const json_t *definition = json_object_get(isf->user_types, name);
	struct type_node node = { .kind = kind_of(definition) };

	if (node.kind != TYPE_UNION) /* old files do not say */
		node.kind = definition ? TYPE_STRUCT : TYPE_ENUM;
	if (!named_node(definition ? isf->user_types : isf->enums, name, &node) ||
	    !node.definition.id)
		return false;
	*ret = node;
	return true;
}

static void isf_each_member(const struct profile_source *src, struct type_ref definition,
			    member_visit_fn *visit, void *arg)
{
	json_t *fields = json_object_get(as_json(definition), "fields");
	const char *name;
	json_t *field;

	(void)src;
	json_object_foreach(fields, name, field)
	{
		const json_t *type = json_object_get(field, "type");
		struct member_ref member = { .name = name, .type = as_ref(type) };

		if (json_is_object(type) &&
		    json_u64(json_object_get(field, "offset"), &member.offset) &&
		    member.offset <= UINT32_MAX && !visit(arg, &member))
			return;
	}
}

static void isf_each_constant(const struct profile_source *src, struct type_ref definition,
			      constant_visit_fn *visit, void *arg)
{
	json_t *constants = json_object_get(as_json(definition), "constants");
	const char *name;
	json_t *value;

	(void)src;
	json_object_foreach(constants, name, value)
	{
		if (json_is_integer(value) && !visit(arg, name, json_integer_value(value)))
			return;
	}
}

static bool each_name(json_t *dictionary, name_visit_fn *visit, void *arg)
{
	const char *name;
	json_t *value;

	json_object_foreach(dictionary, name, value)
	{
		if (!type_is_unnamed(name) && !visit(arg, name))
			return false;
	}
	return true;
}

static void isf_each_type(const struct profile_source *src, name_visit_fn *visit, void *arg)
{
	if (each_name(as_isf(src)->user_types, visit, arg))
		each_name(as_isf(src)->enums, visit, arg);
}

/* Symbols. */

static bool isf_symbol(const struct profile_source *src, const char *name, uint64_t *rva_ret)
{
	const json_t *symbol = json_object_get(as_isf(src)->symbols, name);

	return json_u64(json_object_get(symbol, "address"), rva_ret);
}

static void isf_each_symbol(const struct profile_source *src, symbol_visit_fn *visit, void *arg)
{
	const char *name;
	json_t *symbol;
	uint64_t rva;

	json_object_foreach(as_isf(src)->symbols, name, symbol)
	{
		if (json_u64(json_object_get(symbol, "address"), &rva) && !visit(arg, name, rva))
			return;
	}
}

static void isf_destroy(struct profile_source *src)
{
	struct isf *isf = (struct isf *)src;

	json_decref(isf->root);
	free(isf);
}

static const struct type_graph_ops isf_graph = {
	.find = isf_find,
	.node = isf_node,
	.each_member = isf_each_member,
	.each_constant = isf_each_constant,
};

static const struct type_info_ops isf_info = {
	.each_type = isf_each_type,
	.each_symbol = isf_each_symbol,
	.graph = &isf_graph,
};

static const struct profile_source_ops isf_ops = {
	.kind = "isf",
	.type_size = type_graph_size,
	.field = type_graph_field,
	.symbol = isf_symbol,
	.identity = isf_identity,
	.info = &isf_info,
	.destroy = isf_destroy,
};

const struct symbol_identity *isf_identity(const struct profile_source *src)
{
	return &as_isf(src)->identity;
}

/* Opening. */

/* 32 hex digits in the order that symbol stores use; the first three fields are stored
 * little-endian (guid_format() is the inverse). */
static bool guid_parse(const char *text, uint8_t ret[16])
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	if (strlen(text) != 32 || strspn(text, "0123456789abcdefABCDEF") != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		const char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };

		ret[order[i]] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return true;
}

static struct error *read_identity(const json_t *root, struct symbol_identity *ret)
{
	const json_t *windows = json_object_get(json_object_get(root, "metadata"), "windows");
	const json_t *pdb = json_object_get(windows, "pdb");
	const char *guid = json_string_value(json_object_get(pdb, "GUID"));

	if (!json_is_object(pdb))
		return error_new(ERROR_CORRUPT, "no object 'metadata.windows.pdb': not the "
						"symbols of a Windows binary");
	if (!guid || !guid_parse(guid, ret->guid))
		return error_new(ERROR_CORRUPT,
				 "metadata.windows.pdb.GUID: expected 32 hex digits, found '%.40s'",
				 guid ? guid : "");
	if (!member_u32(pdb, "age", &ret->age))
		return error_new(ERROR_CORRUPT,
				 "metadata.windows.pdb.age: expected a 32-bit number");
	ret->pdb_name = json_string_value(json_object_get(pdb, "database"));
	if (!ret->pdb_name)
		return error_new(ERROR_CORRUPT, "metadata.windows.pdb.database: expected a string");
	return NULL;
}

static struct error *find_dictionaries(struct isf *isf)
{
	const struct {
		const char *key;
		json_t **ret;
	} dictionaries[] = {
		{ "base_types", &isf->base_types },
		{ "user_types", &isf->user_types },
		{ "enums", &isf->enums },
		{ "symbols", &isf->symbols },
	};

	for (size_t i = 0; i < ARRAY_SIZE(dictionaries); i++) {
		*dictionaries[i].ret = json_object_get(isf->root, dictionaries[i].key);
		if (!json_is_object(*dictionaries[i].ret))
			return error_new(ERROR_CORRUPT, "no object '%s'", dictionaries[i].key);
	}
	return read_identity(isf->root, &isf->identity);
}

struct error *isf_parse(const uint8_t *bytes, size_t len, struct profile_source **ret)
{
	json_t *root;
	struct isf *isf;
	struct error *err = isf_load_json(bytes, len, &root);

	if (err)
		return err;
	isf = calloc(1, sizeof(*isf));
	if (!isf) {
		json_decref(root);
		return &error_no_memory;
	}
	isf->source.ops = &isf_ops;
	isf->root = root;
	if ((err = find_dictionaries(isf))) {
		isf_destroy(&isf->source);
		return err;
	}
	*ret = &isf->source;
	return NULL;
}

struct error *isf_open(const char *path, struct profile_source **ret)
{
	struct file file;
	struct error *err = file_open(&file, path);

	if (err)
		return err;
	err = error_wrap(isf_parse(file.bytes, file.size, ret), "%s", path);
	file_close(&file);
	return err;
}
