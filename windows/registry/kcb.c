/* SPDX-License-Identifier: MIT */
#include "windows/registry/kcb.h"

#include <string.h>

DEFINE_FIELDS(kcb, KCB_FIELDS);

struct error *kcb_reader_init(struct kernel *k, struct kcb_reader *ret)
{
	ret->k = k;
	return profile_bind(k->profile, kcb_field_rows, kcb_num_fields, ret->fields);
}

/* Its own name, not the path. */
static bool read_name(const struct kcb_reader *r, struct arena *a, uint64_t kcb, const char **ret,
		      struct fault *fault)
{
	struct object o = object_at(r->k->space, kcb, r->fields);
	uint64_t block, length, compressed, text;
	uint8_t bytes[MAX_KEY_NAME];

	if (!object_u64(&o, KCB_NAME_BLOCK, &block)) {
		*fault = o.fault;
		return false;
	}
	o = object_at(r->k->space, block, r->fields);
	if (!object_u64(&o, KCB_NAME_LENGTH, &length) ||
	    !object_u64(&o, KCB_NAME_COMPRESSED, &compressed)) {
		*fault = o.fault;
		return false;
	}
	*fault = (struct fault){ block, VA_MAPPED };
	if (!length || length > sizeof(bytes) || !object_address(&o, KCB_NAME, &text) ||
	    !space_try_read(o.space, text, bytes, length, fault))
		return false;
	*ret = registry_name_text(a, bytes, length, compressed);
	return *ret;
}

static bool read_parent(const struct kcb_reader *r, uint64_t kcb, uint64_t *ret,
			struct fault *fault)
{
	struct object o = object_at(r->k->space, kcb, r->fields);

	if (object_u64(&o, KCB_PARENT, ret))
		return true;
	*fault = o.fault;
	return false;
}

bool registry_kcb_path(const struct kcb_reader *r, struct arena *a, uint64_t kcb, char **ret,
		       struct fault *fault)
{
	const char *names[MAX_KEY_DEPTH];
	size_t depth = 0, len = 0;
	char *path, *end;

	*fault = (struct fault){ 0 };
	do {
		if (depth == MAX_KEY_DEPTH) {
			*fault = (struct fault){ kcb, VA_MAPPED };
			return false;
		}
		if (!read_name(r, a, kcb, &names[depth], fault))
			return false;
		len += 1 + strlen(names[depth++]);
		if (!read_parent(r, kcb, &kcb, fault))
			return false;
	} while (kcb);
	if (!(path = end = arena_alloc(a, len + 1)))
		return false;
	while (depth-- > 0) {
		*end++ = '\\';
		end = stpcpy(end, names[depth]);
	}
	*ret = path;
	return true;
}

bool registry_key_body_kcb(const struct kcb_reader *r, uint64_t body, uint64_t *kcb_ret,
			   struct fault *fault)
{
	struct object o = object_at(r->k->space, body, r->fields);

	if (object_u64(&o, KCB_OF_BODY, kcb_ret))
		return true;
	*fault = o.fault;
	return false;
}

bool registry_kcb_key(const struct kcb_reader *r, uint64_t kcb, uint64_t *hive_ret,
		      uint32_t *cell_ret, struct fault *fault)
{
	struct object o = object_at(r->k->space, kcb, r->fields);
	uint64_t cell;

	if (!object_u64(&o, KCB_HIVE, hive_ret) || !object_u64(&o, KCB_CELL, &cell)) {
		*fault = o.fault;
		return false;
	}
	*cell_ret = (uint32_t)cell;
	return true;
}
