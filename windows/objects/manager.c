/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/objects/private.h"

DEFINE_FIELDS(object_manager, OBJECT_MANAGER_FIELDS);

/* OBJECT_HEADER.InfoMask: the optional headers before the header, nearest first. */
enum {
	INFO_CREATOR = 1 << 0,
	INFO_NAME = 1 << 1,
};

enum { MAX_HEADER_SIZE = 128 };		      /* of a header that is read at once */
#define MAX_POINTER_COUNT (UINT64_C(1) << 48) /* from 8.1 on each handle counts as 2^15 */

/* Layouts, the readers of others, types. */
static struct error *prepare(struct object_manager *om)
{
	const struct profile *profile = om->k->profile;
	struct error *err;

	om->has_name_infos =
		profile_type_size(profile, "_OBJECT_HEADER_CREATOR_INFO", &om->creator_size) &&
		profile_type_size(profile, "_OBJECT_HEADER_NAME_INFO", &om->name_size);
	if ((err = profile_bind(profile, object_manager_field_rows, object_manager_num_fields,
				om->fields)) ||
	    (err = kcb_reader_init(om->k, &om->keys)) ||
	    (err = section_reader_init(om->k, &om->sections)) ||
	    (err = token_reader_init(om->k, &om->tokens)))
		return err;
	return object_types_find(om);
}

struct error *object_manager_open(struct kernel *k, struct object_manager **ret)
{
	struct object_manager *om = calloc(1, sizeof(*om));
	struct error *err;

	if (!om)
		return &error_no_memory;
	om->k = k;
	arena_init(&om->arena, 0);
	if ((err = prepare(om))) {
		object_manager_close(om);
		return err;
	}
	*ret = om;
	return NULL;
}

void object_manager_close(struct object_manager *om)
{
	if (!om)
		return;
	free(om->paths.items);
	object_directory_deinit(&om->root);
	arena_deinit(&om->arena);
	free(om);
}

bool object_body_offset(const struct object_manager *om, uint64_t *ret)
{
	if (om->fields[OBJECT_BODY].present)
		*ret = om->fields[OBJECT_BODY].offset;
	return om->fields[OBJECT_BODY].present;
}

/* Which type the header's byte stands for; false: none. */
static bool find_type(struct object_manager *om, uint8_t raw, struct object_info *info)
{
	const struct object_types *types = &om->types;
	const struct object_type *type;
	uint8_t index = raw;

	if (types->has_cookie)
		index ^= (uint8_t)(info->header >> 8) ^ types->cookie;
	type = object_type_of(om, index);
	/* a table that was learned from exports does not have every type */
	if (!type && types->table)
		return false;
	info->type_index = opt_u64(index);
	info->type_va = type ? type->va : 0;
	info->type = type ? type->name : NULL;
	return true;
}

/* Can bytes have been there when the snapshot was taken? Objects lie in pools, whose pages are in
 * memory or somewhere that Windows notes. */
static bool may_be_there(enum va_state state)
{
	return state != VA_NOT_PRESENT && state != VA_NON_CANONICAL && state != VA_BAD_ENTRY &&
	       state != VA_DEMAND_ZERO;
}

/*
 * A small structure, read at once where that can be, else field by field: where it is cut short by
 * an absent page, what is there still counts.
 */
struct loaded {
	struct object object;
	size_t size; /* 0: field by field */
	uint8_t bytes[MAX_HEADER_SIZE];
};

static void load(struct object_manager *om, uint64_t va, size_t size, struct loaded *ret)
{
	ret->object = om_object(om, va);
	ret->size = size <= sizeof(ret->bytes) &&
				    space_try_read(om->k->space, va, ret->bytes, size, NULL)
			    ? size
			    : 0;
}

static bool is_loaded(const struct loaded *l, const struct field *f)
{
	return f->present && !f->bit_size && f->size <= l->size && f->offset <= l->size - f->size;
}

static struct opt_u64 loaded_number(struct loaded *l, unsigned field)
{
	const struct field *f = &l->object.fields[field];
	uint8_t bytes[sizeof(uint64_t)] = { 0 };

	if (!is_loaded(l, f) || f->size > sizeof(bytes))
		return object_opt(&l->object, field);
	memcpy(bytes, l->bytes + f->offset, f->size);
	return opt_u64(load_u64(bytes));
}

enum object_state object_read_header(struct object_manager *om, uint64_t va,
				     struct object_info *ret)
{
	const struct field *body = &om->fields[OBJECT_BODY];
	struct opt_u64 raw;
	struct loaded l;

	memset(ret, 0, sizeof(*ret));
	ret->va = va;
	ret->header = va - body->offset;
	if (!body->present)
		return OBJECT_ABSENT;
	if (!is_kernel_address(va) || !is_kernel_address(ret->header))
		return OBJECT_INVALID;
	load(om, ret->header, body->offset, &l);
	raw = loaded_number(&l, OBJECT_TYPE_INDEX);
	if (!raw.present) {
		ret->fault = l.object.fault;
		return may_be_there(ret->fault.state) ? OBJECT_ABSENT : OBJECT_INVALID;
	}
	ret->pointer_count = loaded_number(&l, OBJECT_POINTER_COUNT);
	/* one byte alone would make an object of much that is none */
	if (ret->pointer_count.value >= MAX_POINTER_COUNT ||
	    (om->types.known && !find_type(om, (uint8_t)raw.value, ret)))
		return OBJECT_INVALID;
	ret->flags = loaded_number(&l, OBJECT_FLAGS);
	ret->handle_count = loaded_number(&l, OBJECT_HANDLE_COUNT);
	/* last: without it nobody knows whether there is a name, so its fault is the one to keep */
	ret->info_mask = loaded_number(&l, OBJECT_INFO_MASK);
	ret->fault = l.object.fault;
	return OBJECT_READ;
}

bool object_is(struct object_manager *om, uint64_t va, const char *type)
{
	struct object_info info;

	return object_read_header(om, va, &info) == OBJECT_READ && info.type &&
	       strcmp(info.type, type) == 0;
}

void object_read_name(struct object_manager *om, struct arena *a, struct object_info *info)
{
	struct opt_u64 directory;
	struct loaded l;
	uint64_t offset;
	char *name;

	if (!om->has_name_infos || !(info->info_mask.value & INFO_NAME))
		return;
	offset = om->name_size + (info->info_mask.value & INFO_CREATOR ? om->creator_size : 0);
	load(om, info->header - offset, om->name_size, &l);
	directory = loaded_number(&l, OBJECT_NAME_DIRECTORY);
	info->directory = directory.value;
	if (!directory.present)
		info->fault = l.object.fault;
	if (!object_unicode(&l.object, OBJECT_NAME, l.object.space, a, &name))
		info->fault = l.object.fault;
	else if (*name)
		info->name = name;
}

enum object_state object_read(struct object_manager *om, uint64_t va, struct arena *a,
			      struct object_info *ret)
{
	enum object_state state = object_read_header(om, va, ret);

	if (state == OBJECT_READ)
		object_read_name(om, a, ret);
	return state;
}
