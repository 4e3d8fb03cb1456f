/* SPDX-License-Identifier: MIT */
#include "windows/registry/value.h"

#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "windows/registry/name.h"

static bool fail(struct hive_fault *fault, uint32_t cell, uint64_t va, const char *why)
{
	*fault = (struct hive_fault){ .cell = cell, .va = va, .why = why };
	return false;
}

static bool fail_no_memory(struct hive_fault *fault, uint32_t cell)
{
	return fail(fault, cell, 0, error_message(&error_no_memory));
}

static bool read_name(const struct hive *h, const struct hive_cell *content, const uint8_t *head,
		      struct arena *a, const char **ret, struct hive_fault *fault)
{
	uint8_t name[MAX_VALUE_NAME];
	uint16_t length = load_u16(head + VALUE_NAME_LENGTH);

	if (length > sizeof(name))
		return fail(fault, content->cell, 0, "the value's name is too long");
	if (!hive_cell_read(h, content, VALUE_NAME, name, length, fault))
		return false;
	*ret = registry_name_text(a, name, length,
				  load_u16(head + VALUE_FLAGS) & VALUE_COMPRESSED_NAME);
	return *ret || fail_no_memory(fault, content->cell);
}

bool registry_value_read(const struct hive *h, uint32_t cell, struct arena *a,
			 struct registry_value *ret, struct hive_fault *fault)
{
	struct registry_value v = { .hive = h, .cell = cell };
	struct hive_cell content;
	uint8_t head[VALUE_NAME];

	if (!hive_cell(h, cell, &content, fault) ||
	    !hive_cell_read(h, &content, 0, head, sizeof(head), fault))
		return false;
	v.va = content.va;
	if (load_u16(head) != VALUE_SIGNATURE)
		return fail(fault, cell, v.va, "the signature is not that of a value");
	if (!read_name(h, &content, head, a, &v.name, fault))
		return false;
	v.tombstone = load_u16(head + VALUE_FLAGS) & VALUE_TOMBSTONE;
	v.type = load_u32(head + VALUE_TYPE);
	v.size = load_u32(head + VALUE_DATA_LENGTH);
	v.resident = v.size & VALUE_RESIDENT || !v.size;
	v.size &= ~VALUE_RESIDENT;
	v.data_cell = load_u32(head + VALUE_DATA);
	if (v.resident)
		memcpy(v.resident_data, head + VALUE_DATA, sizeof(v.resident_data));
	*ret = v;
	return true;
}

/* The segments of big data: all of them are full but the last. */
static bool read_big_data(const struct registry_value *v, const struct hive_cell *content,
			  uint8_t *data, struct hive_fault *fault)
{
	uint32_t segments = (v->size + BIG_DATA_SEGMENT - 1) / BIG_DATA_SEGMENT;
	uint8_t head[BIG_DATA_SIZE], number[4];
	struct hive_cell list, segment;

	if (!hive_cell_read(v->hive, content, 0, head, sizeof(head), fault))
		return false;
	if (load_u16(head) != BIG_DATA_SIGNATURE)
		return fail(fault, content->cell, 0, "the signature is not that of big data");
	if (load_u16(head + BIG_DATA_COUNT) != segments)
		return fail(fault, content->cell, 0,
			    "the number of segments does not fit the size of the data");
	if (!hive_cell(v->hive, load_u32(head + BIG_DATA_LIST), &list, fault))
		return false;
	for (uint32_t i = 0; i < segments; i++) {
		uint32_t done = i * BIG_DATA_SEGMENT, left = v->size - done;

		if (!hive_cell_read(v->hive, &list, 4 * i, number, sizeof(number), fault) ||
		    !hive_cell(v->hive, load_u32(number), &segment, fault) ||
		    !hive_cell_read(v->hive, &segment, 0, data + done,
				    left < BIG_DATA_SEGMENT ? left : BIG_DATA_SEGMENT, fault))
			return false;
	}
	return true;
}

/* Could the value's cells hold that much? Asked before memory is made for it. */
static bool size_is_possible(const struct registry_value *v, const struct hive_cell *content,
			     bool big, struct hive_fault *fault)
{
	if (v->size > MAX_VALUE_DATA)
		return fail(fault, v->cell, v->va, "the data is larger than the limit allows");
	if (!big && v->size > content->size)
		return fail(fault, content->cell, 0, "the cell is smaller than the data");
	if (big && v->size > v->hive->storage[STORAGE_STABLE].length &&
	    v->size > v->hive->storage[STORAGE_VOLATILE].length)
		return fail(fault, v->cell, v->va, "the data is larger than the hive");
	return true;
}

static bool is_older_than_big_data(const struct hive *h)
{
	return h->version.present && h->version.value < REGF_MINOR_WITH_BIG_DATA;
}

bool registry_value_data(const struct registry_value *v, struct arena *a, const uint8_t **ret,
			 struct hive_fault *fault)
{
	bool big = v->size > BIG_DATA_SEGMENT && !is_older_than_big_data(v->hive);
	struct hive_cell content;
	uint8_t *data;

	if (v->resident && v->size > MAX_RESIDENT_DATA)
		return fail(fault, v->cell, v->va, "more resident data than fits");
	if (!v->resident && (!hive_cell(v->hive, v->data_cell, &content, fault) ||
			     !size_is_possible(v, &content, big, fault)))
		return false;
	if (!(data = arena_alloc(a, v->size + 1)))
		return fail_no_memory(fault, v->cell);
	if (v->resident)
		memcpy(data, v->resident_data, v->size);
	else if (big && !read_big_data(v, &content, data, fault))
		return false;
	else if (!big && !hive_cell_read(v->hive, &content, 0, data, v->size, fault))
		return false;
	*ret = data;
	return true;
}
