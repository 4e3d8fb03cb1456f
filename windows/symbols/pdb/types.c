/* SPDX-License-Identifier: MIT */
#include "windows/symbols/pdb/types.h"

#include <stdlib.h>
#include <string.h>

#include "windows/symbols/pdb/codeview.h"

enum {
	TPI_VERSION_80 = 20040203,
	TPI_HEADER_SIZE = 56,
	MAX_MODIFIERS = 16,   /* const and volatile around one type */
	MAX_LIST_PARTS = 256, /* records of one field list */
	POINTER_SIZE_SHIFT = 13,
	POINTER_SIZE_MASK = 0x3f,
};

/* Opening. */

struct tpi_header {
	uint32_t version, size, begin, end, record_bytes;
};

static struct error *read_header(const struct msf_stream *stream, struct tpi_header *ret)
{
	uint8_t bytes[TPI_HEADER_SIZE];
	struct cursor c;

	if (!msf_copy(stream, 0, sizeof(bytes), bytes))
		return error_new(ERROR_CORRUPT, "type stream: %u bytes; the header has %d",
				 stream->size, TPI_HEADER_SIZE);
	cur_init(&c, bytes, sizeof(bytes), 0);
	if (!cur_u32(&c, &ret->version) || !cur_u32(&c, &ret->size) || !cur_u32(&c, &ret->begin) ||
	    !cur_u32(&c, &ret->end) || !cur_u32(&c, &ret->record_bytes))
		return cur_error(&c, "type stream");
	if (ret->version != TPI_VERSION_80)
		return error_new(ERROR_UNSUPPORTED, "type stream: version %u; expected %u",
				 ret->version, TPI_VERSION_80);
	if (ret->size < TPI_HEADER_SIZE || ret->size > stream->size ||
	    ret->record_bytes > stream->size - ret->size)
		return error_new(ERROR_CORRUPT,
				 "type stream: header of %u bytes and records of %u; the stream "
				 "has %u",
				 ret->size, ret->record_bytes, stream->size);
	if (ret->begin < FIRST_TYPE_RECORD || ret->end < ret->begin ||
	    ret->end - ret->begin > PDB_MAX_TYPES)
		return error_new(ERROR_CORRUPT, "type stream: types 0x%x to 0x%x", ret->begin,
				 ret->end);
	return NULL;
}

static struct error *add_type(void *arg, const struct record *record)
{
	struct pdb_types *types = arg;
	uint32_t index = types->first_index + (uint32_t)types->count;
	struct tag_record tag;
	struct error *err;

	err = array_reserve(&types->offsets, &types->capacity, types->count + 1,
			    sizeof(*types->offsets), PDB_MAX_TYPES, "types");
	if (err)
		return err;
	types->offsets[types->count++] = record->offset;
	if (!is_tag_record(record->kind) || !tag_record(record->kind, record->data, &tag) ||
	    tag.is_forward)
		return NULL;
	if (tag.unique_name && (err = name_table_add(&types->names, tag.unique_name, index)))
		return err;
	/* Of unnamed types there are thousands of the same name, and nobody can ask for one. */
	return type_is_unnamed(tag.name) ? NULL : name_table_add(&types->names, tag.name, index);
}

struct error *pdb_types_init(struct pdb_types *ret, const struct msf_stream *stream)
{
	struct tpi_header header;
	struct error *err;

	*ret = (struct pdb_types){ 0 };
	if (stream->size == 0)
		return NULL;
	if ((err = read_header(stream, &header)))
		return err;
	ret->first_index = header.begin;
	err = records_init(&ret->records, stream, header.size, header.size + header.record_bytes,
			   "type stream", add_type, ret);
	if (!err && ret->count != header.end - header.begin)
		err = error_new(ERROR_CORRUPT, "type stream: %u types expected, %zu found",
				header.end - header.begin, ret->count);
	if (!err)
		err = name_table_link(&ret->names);
	if (err)
		pdb_types_deinit(ret);
	return err;
}

void pdb_types_deinit(struct pdb_types *types)
{
	records_deinit(&types->records);
	name_table_deinit(&types->names);
	free(types->offsets);
	*types = (struct pdb_types){ 0 };
}

/* Asking. */

static bool type_record(const struct pdb_types *types, uint32_t index, struct record *ret)
{
	if (index < types->first_index || index - types->first_index >= types->count)
		return false;
	return records_at(&types->records, types->offsets[index - types->first_index], ret);
}

/* The definition of a name, preferably the one with the same unique name (may be NULL). */
static bool find_definition(const struct pdb_types *types, const char *name,
			    const char *unique_name, uint32_t *ret)
{
	struct name_search search;
	struct tag_record tag;
	struct record record;
	uint32_t index;
	bool found = false;

	name_search_start(&types->names, name, &search);
	while (name_search_next(&types->names, &search, &index)) {
		if (!type_record(types, index, &record) ||
		    !tag_record(record.kind, record.data, &tag))
			continue;
		if (unique_name && tag.unique_name && strcmp(tag.unique_name, unique_name) == 0) {
			*ret = index;
			return true;
		}
		if (!found && strcmp(tag.name, name) == 0) {
			*ret = index;
			found = true;
		}
	}
	return found;
}

/* Where a forward reference leads. An unnamed type has nothing but its unique name. */
static bool resolve(const struct pdb_types *types, const struct tag_record *tag, uint32_t *ret)
{
	if (type_is_unnamed(tag->name))
		return tag->unique_name &&
		       find_definition(types, tag->unique_name, tag->unique_name, ret);
	return find_definition(types, tag->name, tag->unique_name, ret);
}

static enum type_kind tag_kind(uint16_t leaf)
{
	return leaf == LEAF_UNION ? TYPE_UNION : leaf == LEAF_ENUM ? TYPE_ENUM : TYPE_STRUCT;
}

static bool simple_node(uint32_t index, struct type_node *ret)
{
	struct simple_type simple = simple_type(index);

	if (!simple.name)
		return false;
	if (simple.pointer_size)
		*ret = (struct type_node){ .kind = TYPE_POINTER,
					   .size = simple.pointer_size,
					   .target = { index & SIMPLE_TYPE_MASK } };
	else
		*ret = (struct type_node){ .kind = TYPE_BASE,
					   .name = simple.name,
					   .size = simple.size };
	return true;
}

static bool tag_node(const struct pdb_types *types, uint32_t index, const struct record *record,
		     struct type_node *ret)
{
	struct type_node node = { .kind = tag_kind(record->kind) };
	struct tag_record tag;
	struct record definition = *record;

	if (!tag_record(record->kind, record->data, &tag))
		return false;
	node.name = tag.name;
	if (tag.is_forward) {
		if (!resolve(types, &tag, &index) || !type_record(types, index, &definition) ||
		    !tag_record(definition.kind, definition.data, &tag)) {
			*ret = node; /* known by name only */
			return true;
		}
		node.kind = tag_kind(definition.kind);
	}
	node.size = tag.size;
	node.definition.id = index;
	if (node.kind == TYPE_ENUM) {
		if (tag.underlying >= FIRST_TYPE_RECORD) /* it is always a simple type */
			return false;
		node.size = simple_type(tag.underlying).size;
	}
	*ret = node;
	return true;
}

static bool pointer_node(struct cursor c, struct type_node *ret)
{
	uint32_t target, attributes;

	if (!cur_u32(&c, &target) || !cur_u32(&c, &attributes))
		return false;
	*ret = (struct type_node){ .kind = TYPE_POINTER,
				   .size = attributes >> POINTER_SIZE_SHIFT & POINTER_SIZE_MASK,
				   .target = { target } };
	return true;
}

static bool array_node(struct cursor c, struct type_node *ret)
{
	uint32_t element, index_type;
	uint64_t size;

	if (!cur_u32(&c, &element) || !cur_u32(&c, &index_type) || !numeric_leaf(&c, &size))
		return false;
	*ret = (struct type_node){ .kind = TYPE_ARRAY, .size = size, .target = { element } };
	return true;
}

static bool bit_field_node(struct cursor c, struct type_node *ret)
{
	uint8_t size, pos;
	uint32_t type;

	if (!cur_u32(&c, &type) || !cur_u8(&c, &size) || !cur_u8(&c, &pos))
		return false;
	*ret = (struct type_node){
		.kind = TYPE_BIT_FIELD, .bit_pos = pos, .bit_size = size, .target = { type }
	};
	return true;
}

bool pdb_types_node(const struct pdb_types *types, struct type_ref type, struct type_node *ret)
{
	uint32_t index = (uint32_t)type.id;
	struct record record;

	for (unsigned depth = 0; depth < MAX_MODIFIERS; depth++) {
		if (index < FIRST_TYPE_RECORD)
			return simple_node(index, ret);
		if (!type_record(types, index, &record))
			return false;
		switch (record.kind) {
		case LEAF_MODIFIER:
			if (!cur_u32(&record.data, &index))
				return false;
			break;
		case LEAF_POINTER:
			return pointer_node(record.data, ret);
		case LEAF_ARRAY:
			return array_node(record.data, ret);
		case LEAF_BIT_FIELD:
			return bit_field_node(record.data, ret);
		case LEAF_PROCEDURE:
		case LEAF_MEMBER_FUNCTION:
			*ret = (struct type_node){ .kind = TYPE_FUNCTION };
			return true;
		default:
			return tag_node(types, index, &record, ret);
		}
	}
	return false;
}

bool pdb_types_find(const struct pdb_types *types, const char *name, struct type_node *ret)
{
	uint32_t index;

	return find_definition(types, name, NULL, &index) &&
	       pdb_types_node(types, (struct type_ref){ index }, ret);
}

/* Walks the items of a definition's field list, through the records that continue it. */
static void each_item(const struct pdb_types *types, struct type_ref definition,
		      bool (*visit)(void *arg, const struct list_item *item), void *arg)
{
	uint32_t index = (uint32_t)definition.id;
	struct tag_record tag;
	struct list_item item;
	struct record record;

	if (!type_record(types, index, &record) || !tag_record(record.kind, record.data, &tag))
		return;
	index = tag.field_list;
	for (unsigned part = 0; part < MAX_LIST_PARTS; part++) {
		if (!type_record(types, index, &record) || record.kind != LEAF_FIELD_LIST)
			return;
		index = 0;
		while (list_next(&record.data, &item)) {
			if (item.kind == LEAF_INDEX)
				index = item.type;
			else if (!visit(arg, &item))
				return;
		}
	}
}

struct member_walk {
	member_visit_fn *visit;
	void *arg;
};

static bool visit_member(void *arg, const struct list_item *item)
{
	const struct member_walk *walk = arg;
	const struct member_ref member = { item->name, item->number, { item->type } };

	return item->kind != LEAF_MEMBER || walk->visit(walk->arg, &member);
}

void pdb_types_each_member(const struct pdb_types *types, struct type_ref definition,
			   member_visit_fn *visit, void *arg)
{
	struct member_walk walk = { visit, arg };

	each_item(types, definition, visit_member, &walk);
}

struct constant_walk {
	constant_visit_fn *visit;
	void *arg;
};

static bool visit_constant(void *arg, const struct list_item *item)
{
	const struct constant_walk *walk = arg;

	return item->kind != LEAF_ENUMERATE ||
	       walk->visit(walk->arg, item->name, (int64_t)item->number);
}

void pdb_types_each_constant(const struct pdb_types *types, struct type_ref definition,
			     constant_visit_fn *visit, void *arg)
{
	struct constant_walk walk = { visit, arg };

	each_item(types, definition, visit_constant, &walk);
}

void pdb_types_each_name(const struct pdb_types *types, name_visit_fn *visit, void *arg)
{
	struct record record = { 0 };
	struct tag_record tag;

	while (records_next(&types->records, &record))
		if (is_tag_record(record.kind) && tag_record(record.kind, record.data, &tag) &&
		    !tag.is_forward && !type_is_unnamed(tag.name) && !visit(arg, tag.name))
			return;
}
