/* SPDX-License-Identifier: MIT */
#include "windows/isf.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "windows/isf_json.h"

enum {
	MAX_TYPE_DEPTH = 16,	  /* arrays of arrays, and the type inside a bit field */
	MAX_UNNAMED_PLACES = 128, /* unnamed members searched for one name */
	MAX_STORAGE = 8,	  /* bytes of a number that holds a bit field */
};

struct isf {
	struct profile_source source;
	json_t *root; /* owned; the others are borrowed from it */
	json_t *base_types, *user_types, *enums, *symbols;
	struct isf_identity identity;
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

/* Types. */

/* Where a reference {kind, name} leads, by its kind. */
static const json_t *referenced_type(const struct isf *isf, const json_t *type, const char *kind)
{
	const struct {
		const char *kind;
		const json_t *dictionary;
	} kinds[] = {
		{ "struct", isf->user_types }, { "union", isf->user_types },
		{ "class", isf->user_types },  { "base", isf->base_types },
		{ "enum", isf->enums },
	};
	const char *name = json_string_value(json_object_get(type, "name"));

	if (strcmp(kind, "pointer") == 0)
		return json_object_get(isf->base_types, "pointer");
	for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kind, kinds[i].kind) == 0)
			return json_object_get(kinds[i].dictionary, name);
	return NULL;
}

static const char *type_kind(const json_t *type)
{
	const char *kind = json_string_value(json_object_get(type, "kind"));

	return kind ? kind : "";
}

/* Bytes of a type reference. False for what has no size (functions, types left out). */
static bool type_bytes(const struct isf *isf, const json_t *type, uint32_t *ret)
{
	uint64_t count = 1;

	for (unsigned depth = 0; depth < MAX_TYPE_DEPTH; depth++) {
		const char *kind = type_kind(type);
		uint32_t n;

		if (strcmp(kind, "array") == 0) {
			if (!member_u32(type, "count", &n) ||
			    __builtin_mul_overflow(count, (uint64_t)n, &count))
				return false;
			type = json_object_get(type, "subtype");
		} else if (strcmp(kind, "bitfield") == 0) {
			type = json_object_get(type, "type");
		} else {
			if (!member_u32(referenced_type(isf, type, kind), "size", &n) ||
			    __builtin_mul_overflow(count, (uint64_t)n, &count) ||
			    count > UINT32_MAX)
				return false;
			*ret = (uint32_t)count;
			return true;
		}
	}
	return false;
}

/* The members of a struct or union, or of the elements of an array of them; NULL if none. */
static const json_t *type_fields(const struct isf *isf, const json_t *type)
{
	for (unsigned depth = 0; depth < MAX_TYPE_DEPTH && type; depth++) {
		const char *kind = type_kind(type);

		if (strcmp(kind, "array") != 0) {
			if (strcmp(kind, "pointer") == 0)
				return NULL;
			return json_object_get(referenced_type(isf, type, kind), "fields");
		}
		type = json_object_get(type, "subtype");
	}
	return NULL;
}

/* Paths. */

/* Names that tools give to types that have none in C. */
static bool is_unnamed(const json_t *type)
{
	static const char *const prefixes[] = { "__anonymous", "__unnamed", "_unnamed", "<unnamed",
						"<anonymous" };
	const char *name = json_string_value(json_object_get(type, "name"));

	for (size_t i = 0; name && i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* Members at an offset from the start of the outermost structure. */
struct place {
	const json_t *fields;
	uint64_t offset;
};

struct member {
	const json_t *type;
	uint64_t offset;
};

static bool direct_member(const struct place *place, const char *name, struct member *ret)
{
	const json_t *field = json_object_get(place->fields, name);
	const json_t *type = json_object_get(field, "type");
	uint32_t offset;

	if (!json_is_object(type) || !member_u32(field, "offset", &offset))
		return false;
	*ret = (struct member){ type, place->offset + offset };
	return true;
}

/* Appends the members of unnamed type of one place to the queue. */
static size_t add_unnamed(const struct isf *isf, struct place from, struct place *queue,
			  size_t count)
{
	json_t *object = (json_t *)from.fields; /* the iterator's prototype is not const */
	const char *name;
	json_t *field;
	struct member member;

	json_object_foreach(object, name, field)
	{
		const json_t *fields;

		if (count == MAX_UNNAMED_PLACES)
			break;
		if (!is_unnamed(json_object_get(field, "type")) ||
		    !direct_member(&from, name, &member))
			continue;
		fields = type_fields(isf, member.type);
		if (fields)
			queue[count++] = (struct place){ fields, member.offset };
	}
	return count;
}

/* A name among the direct members, else in the nearest level of unnamed ones; of several in one
 * level the one at the lowest offset. */
static bool find_member(const struct isf *isf, struct place place, const char *name,
			struct member *ret)
{
	struct place queue[MAX_UNNAMED_PLACES] = { place };
	size_t begin = 0, end = 1, next;
	struct member member, best = { 0 };

	for (; begin < end && !best.type; begin = end, end = next) {
		for (size_t i = begin; i < end; i++) {
			if (!direct_member(&queue[i], name, &member))
				continue;
			if (!best.type || member.offset < best.offset)
				best = member;
		}
		next = end;
		for (size_t i = begin; i < end && !best.type; i++)
			next = add_unnamed(isf, queue[i], queue, next);
	}
	*ret = best;
	return best.type;
}

static bool follow_path(const struct isf *isf, const char *type, const char *path,
			struct member *ret)
{
	struct place place = { json_object_get(json_object_get(isf->user_types, type), "fields"),
			       0 };
	char name[ISF_MAX_NAME];

	for (;;) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(name))
			return false;
		memcpy(name, path, len);
		name[len] = '\0';
		if (!find_member(isf, place, name, ret))
			return false;
		if (path[len] == '\0')
			return true;
		place = (struct place){ type_fields(isf, ret->type), ret->offset };
		path += len + 1;
	}
}

/* Turns a bit field's place inside its storage into *ret; false if it does not fit. */
static bool bit_field(const json_t *type, struct field *ret)
{
	uint32_t pos, size;

	if (!member_u32(type, "bit_position", &pos) || !member_u32(type, "bit_length", &size))
		return false;
	if (ret->size > MAX_STORAGE || size == 0 || size > 8 * ret->size ||
	    pos > 8 * ret->size - size)
		return false;
	ret->bit_pos = (uint8_t)pos;
	ret->bit_size = (uint8_t)size;
	return true;
}

static bool isf_field(const struct profile_source *src, const char *type, const char *path,
		      struct field *ret)
{
	const struct isf *isf = as_isf(src);
	struct field field = { .present = true };
	struct member member;

	if (!follow_path(isf, type, path, &member) || member.offset > UINT32_MAX)
		return false;
	field.offset = (uint32_t)member.offset;
	if (!type_bytes(isf, member.type, &field.size))
		return false;
	if (strcmp(type_kind(member.type), "bitfield") == 0 && !bit_field(member.type, &field))
		return false;
	*ret = field;
	return true;
}

static bool isf_type_size(const struct profile_source *src, const char *type, uint32_t *ret)
{
	return member_u32(json_object_get(as_isf(src)->user_types, type), "size", ret);
}

static bool isf_symbol(const struct profile_source *src, const char *name, uint64_t *rva_ret)
{
	const json_t *symbol = json_object_get(as_isf(src)->symbols, name);

	return json_u64(json_object_get(symbol, "address"), rva_ret);
}

static void isf_destroy(struct profile_source *src)
{
	struct isf *isf = (struct isf *)src;

	json_decref(isf->root);
	free(isf);
}

static const struct profile_source_ops isf_ops = {
	.kind = "isf",
	.type_size = isf_type_size,
	.field = isf_field,
	.symbol = isf_symbol,
	.destroy = isf_destroy,
};

const struct isf_identity *isf_identity(const struct profile_source *src)
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

static struct error *read_identity(const json_t *root, struct isf_identity *ret)
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
