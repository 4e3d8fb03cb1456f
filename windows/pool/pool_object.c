/* SPDX-License-Identifier: MIT */
#include "windows/pool/pool_object.h"

DEFINE_FIELDS(pool_object, POOL_OBJECT_FIELDS);

enum {
	/* of the largest known set of optional headers, and alignment to a cache line */
	MAX_OPTIONAL_SIZE = 0x100,
	FREED_TYPE_INDEX = 1, /* ObTypeIndexTable[1] stands for objects that were deleted */
};

/* By bit of InfoMask. */
static const struct {
	const char *type;
	uint32_t size; /* where the symbols lack the type */
} infos[POOL_OBJECT_INFOS] = {
	{ "_OBJECT_HEADER_CREATOR_INFO", 0x20 },  { "_OBJECT_HEADER_NAME_INFO", 0x20 },
	{ "_OBJECT_HEADER_HANDLE_INFO", 0x10 },	  { "_OBJECT_HEADER_QUOTA_INFO", 0x20 },
	{ "_OBJECT_HEADER_PROCESS_INFO", 0x10 },  { "_OBJECT_HEADER_AUDIT_INFO", 0x10 },
	{ "_OBJECT_HEADER_EXTENDED_INFO", 0x10 },
};

struct error *pool_object_begin(struct kernel *k, struct pool_object_reader *ret)
{
	struct error *err;

	*ret = (struct pool_object_reader){ .k = k };
	for (size_t i = 0; i < POOL_OBJECT_INFOS; i++) {
		if (!profile_type_size(k->profile, infos[i].type, &ret->info_sizes[i]) ||
		    ret->info_sizes[i] > MAX_OPTIONAL_SIZE)
			ret->info_sizes[i] = infos[i].size;
	}
	err = profile_bind(k->profile, pool_object_field_rows, pool_object_num_fields, ret->fields);
	return err ? err : space_create_physical(k->snap->mem, &ret->physical);
}

void pool_object_end(struct pool_object_reader *r)
{
	space_destroy(r->physical);
	r->physical = NULL;
}

static uint64_t header_size(const struct pool_object_reader *r)
{
	const struct field *body = &r->fields[POOL_OBJECT_BODY];

	return body->present ? body->offset : 0;
}

static uint8_t mix(uint64_t type_index, uint64_t header)
{
	return (uint8_t)(type_index ^ header >> 8);
}

void type_code_learn(const struct pool_object_reader *r, struct type_code *code, uint64_t object)
{
	uint64_t at = object - header_size(r), index;
	struct object header = object_at(r->k->space, at, r->fields);

	if (!header_size(r) || !object_u64(&header, POOL_OBJECT_TYPE_INDEX, &index))
		return;
	if (!code->known) {
		*code = (struct type_code){ true, true, true, (uint8_t)index, mix(index, at) };
		return;
	}
	code->plain = code->plain && code->plain_value == index;
	code->mixed = code->mixed && code->mixed_value == mix(index, at);
}

/* Where only the physical address is known, so are just the bits of the address within a page. */
static bool type_fits(const struct type_code *code, uint64_t index, uint64_t header,
		      bool is_virtual)
{
	uint8_t known_bits = is_virtual ? 0xff : PAGE_MASK >> 8;

	if (!code->known || (!code->plain && !code->mixed))
		return true;
	if (code->plain && (index == code->plain_value || index == FREED_TYPE_INDEX))
		return true;
	return code->mixed && !((mix(index, header) ^ code->mixed_value) & known_bits);
}

/* Do an OBJECT_HEADER and its optional headers fit there? gap: bytes before it in the block. */
static bool header_fits(const struct pool_object_reader *r, const struct pool_place *place,
			const struct type_code *code, uint64_t gap)
{
	uint64_t at = place->address - header_size(r), index, mask, size = 0;
	struct object header = object_at(place->space, at, r->fields);

	if (!header_size(r))
		return true;
	if (object_u64(&header, POOL_OBJECT_TYPE_INDEX, &index) &&
	    !type_fits(code, index, at, place->is_virtual))
		return false;
	if (!object_u64(&header, POOL_OBJECT_INFO_MASK, &mask))
		return true;
	for (size_t i = 0; i < POOL_OBJECT_INFOS; i++)
		size += mask >> i & 1 ? r->info_sizes[i] : 0;
	return size <= gap;
}

bool pool_object_find(const struct pool_object_reader *r, const struct pool_hit *hit,
		      const struct type_code *code, uint32_t min_size, pool_object_fn *fn,
		      void *arg, struct pool_place *ret)
{
	struct pool_place place = {
		.space = hit->va.present ? r->k->space : r->physical,
		.pa = hit->pa,
		.is_virtual = hit->va.present,
	};
	uint64_t block = hit->va.present ? hit->va.value : hit->pa;
	uint64_t end = hit->size;

	if (!hit->va.present && end > PAGE_SIZE - (hit->pa & PAGE_MASK))
		end = PAGE_SIZE - (hit->pa & PAGE_MASK);
	for (uint64_t gap = 0; gap <= MAX_OPTIONAL_SIZE; gap += POOL_UNIT) {
		uint64_t offset = POOL_UNIT + gap + header_size(r);

		if (offset > end || end - offset < min_size)
			break;
		place.address = block + offset;
		if (header_fits(r, &place, code, gap) && fn(arg, &place)) {
			*ret = place;
			return true;
		}
	}
	return false;
}
