/* SPDX-License-Identifier: MIT */
#include "windows/symbols/pdb/codeview.h"

#include <string.h>

#include "windows/symbols/pdb/records.h"

/* Simple types. */

static const struct {
	uint8_t kind, size;
	const char *name;
} simple_kinds[] = {
	{ 0x03, 0, "void" },
	{ 0x08, 4, "HRESULT" },
	{ 0x10, 1, "signed char" },
	{ 0x11, 2, "short" },
	{ 0x12, 4, "long" },
	{ 0x13, 8, "long long" },
	{ 0x14, 16, "__int128" },
	{ 0x20, 1, "unsigned char" },
	{ 0x21, 2, "unsigned short" },
	{ 0x22, 4, "unsigned long" },
	{ 0x23, 8, "unsigned long long" },
	{ 0x24, 16, "unsigned __int128" },
	{ 0x30, 1, "bool" },
	{ 0x31, 2, "bool16" },
	{ 0x32, 4, "bool32" },
	{ 0x33, 8, "bool64" },
	{ 0x40, 4, "float" },
	{ 0x41, 8, "double" },
	{ 0x42, 10, "long double" },
	{ 0x43, 16, "__float128" },
	{ 0x46, 2, "_Float16" },
	{ 0x68, 1, "__int8" },
	{ 0x69, 1, "unsigned __int8" },
	{ 0x70, 1, "char" },
	{ 0x71, 2, "wchar_t" },
	{ 0x72, 2, "short" },
	{ 0x73, 2, "unsigned short" },
	{ 0x74, 4, "int" },
	{ 0x75, 4, "unsigned int" },
	{ 0x76, 8, "long long" },
	{ 0x77, 8, "unsigned long long" },
	{ 0x78, 16, "__int128" },
	{ 0x79, 16, "unsigned __int128" },
	{ 0x7a, 2, "char16_t" },
	{ 0x7b, 4, "char32_t" },
	{ 0x7c, 1, "char8_t" },
};

struct simple_type simple_type(uint32_t index)
{
	/* by mode, bits 8 to 10: direct; near, far and huge 16; near and far 32; 64; 128 */
	static const uint8_t pointer_sizes[] = { 0, 2, 4, 4, 4, 6, 8, 16 };
	struct simple_type ret = { .pointer_size = pointer_sizes[index >> 8 & 7] };

	for (size_t i = 0; i < ARRAY_SIZE(simple_kinds); i++) {
		if (simple_kinds[i].kind != (index & SIMPLE_TYPE_MASK))
			continue;
		ret.name = simple_kinds[i].name;
		ret.size = simple_kinds[i].size;
	}
	return ret;
}

bool numeric_leaf(struct cursor *c, uint64_t *ret)
{
	static const struct {
		uint16_t kind;
		uint8_t size;
		bool is_signed;
	} leaves[] = {
		{ 0x8000, 1, true },  { 0x8001, 2, true },  { 0x8002, 2, false },
		{ 0x8003, 4, true },  { 0x8004, 4, false }, { 0x8009, 8, true },
		{ 0x800a, 8, false },
	};
	uint8_t bytes[8] = { 0 };
	uint16_t kind;

	if (!cur_u16(c, &kind))
		return false;
	if (kind < 0x8000) {
		*ret = kind;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		size_t size = leaves[i].size;

		if (leaves[i].kind != kind)
			continue;
		if (!cur_copy(c, bytes, size))
			return false;
		if (leaves[i].is_signed && bytes[size - 1] & 0x80)
			memset(bytes + size, 0xff, sizeof(bytes) - size);
		*ret = load_u64(bytes);
		return true;
	}
	return false;
}

/* Structures, unions, enumerations. */

/* Their common fixed part: count of members, properties, then type indices. */
static const struct tag_row {
	uint16_t kind;
	bool has_underlying; /* before the field list */
	uint8_t after_list;  /* bytes of indices after it: base classes, virtual functions */
	bool has_size;
} tag_rows[] = {
	{ LEAF_CLASS, false, 8, true },	    { LEAF_STRUCTURE, false, 8, true },
	{ LEAF_INTERFACE, false, 8, true }, { LEAF_UNION, false, 0, true },
	{ LEAF_ENUM, true, 0, false },
};

enum { PROPERTY_FORWARD = 1 << 7, PROPERTY_UNIQUE_NAME = 1 << 9 };

static const struct tag_row *tag_row(uint16_t kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(tag_rows); i++)
		if (tag_rows[i].kind == kind)
			return &tag_rows[i];
	return NULL;
}

bool is_tag_record(uint16_t kind)
{
	return tag_row(kind);
}

bool tag_record(uint16_t kind, struct cursor data, struct tag_record *ret)
{
	const struct tag_row *row = tag_row(kind);
	struct tag_record tag = { 0 };
	uint16_t count, properties;

	if (!row || !cur_u16(&data, &count) || !cur_u16(&data, &properties) ||
	    (row->has_underlying && !cur_u32(&data, &tag.underlying)) ||
	    !cur_u32(&data, &tag.field_list) || !cur_skip(&data, row->after_list) ||
	    (row->has_size && !numeric_leaf(&data, &tag.size)) || !record_string(&data, &tag.name))
		return false;
	tag.is_forward = properties & PROPERTY_FORWARD;
	if (properties & PROPERTY_UNIQUE_NAME && !record_string(&data, &tag.unique_name))
		tag.unique_name = NULL;
	*ret = tag;
	return true;
}

/* Field lists. */

/* Items: an attribute or padding of 2 bytes, a type index, then what the row says. */
static const struct item_row {
	uint16_t kind;
	bool has_type;
	uint8_t extra;	  /* bytes after the type */
	uint8_t numerics; /* numeric leaves after that; the first is kept */
	bool has_name;
} item_rows[] = {
	{ LEAF_MEMBER, true, 0, 1, true }, { LEAF_ENUMERATE, false, 0, 1, true },
	{ LEAF_INDEX, true, 0, 0, false }, { 0x1400, true, 0, 1, false }, /* base class */
	{ 0x1401, true, 4, 2, false },					  /* virtual base class */
	{ 0x1402, true, 4, 2, false },					  /* the same, indirect */
	{ 0x1409, true, 0, 0, false }, /* pointer to a virtual function table */
	{ 0x140b, true, 0, 0, false }, /* friend class */
	{ 0x140c, true, 4, 0, false }, /* virtual function table at an offset */
	{ 0x150c, true, 0, 0, true },  /* friend function */
	{ 0x150e, true, 0, 0, true },  /* static member */
	{ 0x150f, true, 0, 0, true },  /* overloaded method */
	{ 0x1510, true, 0, 0, true },  /* nested type */
	{ 0x1511, true, 0, 0, true },  /* method */
	{ 0x1512, true, 0, 0, true },  /* nested type with attributes */
	{ 0x151a, true, 0, 1, false }, /* base interface */
};

enum {
	ITEM_METHOD = 0x1511,
	PADDING = 0xf0, /* and the number of bytes to the next item */
};

/* A method that introduces a virtual function has its offset in the table after the type. */
static bool has_vtable_offset(uint16_t kind, uint16_t attributes)
{
	uint16_t property = attributes >> 2 & 7;

	return kind == ITEM_METHOD && (property == 4 || property == 6);
}

static bool skip_padding(struct cursor *c)
{
	uint8_t n;

	while (cur_left(c) && c->base[c->pos] >= PADDING) {
		n = c->base[c->pos] & 0x0f;
		if (!cur_skip(c, n ? n : 1))
			return false;
	}
	return true;
}

bool list_next(struct cursor *c, struct list_item *ret)
{
	const struct item_row *row = NULL;
	struct list_item item = { 0 };
	uint16_t attributes;
	uint64_t number;

	if (!skip_padding(c) || !cur_u16(c, &item.kind) || !cur_u16(c, &attributes))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(item_rows) && !row; i++)
		if (item_rows[i].kind == item.kind)
			row = &item_rows[i];
	if (!row || (row->has_type && !cur_u32(c, &item.type)) ||
	    !cur_skip(c, has_vtable_offset(item.kind, attributes) ? 4 : row->extra))
		return false;
	for (unsigned i = 0; i < row->numerics; i++) {
		if (!numeric_leaf(c, &number))
			return false;
		if (i == 0)
			item.number = number;
	}
	if (row->has_name && !record_string(c, &item.name))
		return false;
	*ret = item;
	return true;
}

/* Symbols. */

bool symbol_record(uint16_t kind, struct cursor data, struct symbol_record *ret)
{
	struct symbol_record symbol;

	if (kind != SYMBOL_PUBLIC && kind != SYMBOL_GLOBAL_DATA && kind != SYMBOL_LOCAL_DATA)
		return false;
	/* flags of publics, the type of the others */
	if (!cur_skip(&data, 4) || !cur_u32(&data, &symbol.offset) ||
	    !cur_u16(&data, &symbol.section) || !record_string(&data, &symbol.name))
		return false;
	*ret = symbol;
	return true;
}
