/* SPDX-License-Identifier: MIT */
#include "windows/pool/plausible.h"

#include "windows/kernel/kernel_address.h"
#include "windows/objects/dispatcher.h"

enum {
	FIRST_YEAR = 1995 - 1601,
	LAST_YEAR = 2155 - 1601,
	HANDLE_STEP = 4,
};
/* 100 ns units */
#define FILETIME_YEAR (UINT64_C(10000000) * 86400 * 36525 / 100)

static bool is_kernel_pointer(uint64_t va)
{
	return kernel_address_is_plausible(va) && !(va & 7);
}

bool plausible_time(struct object *o, unsigned field)
{
	uint64_t time;

	if (!o->fields[field].present)
		return true;
	return object_u64(o, field, &time) &&
	       (!time || (time >= FIRST_YEAR * FILETIME_YEAR && time <= LAST_YEAR * FILETIME_YEAR));
}

static bool read_links(struct object *o, unsigned field, uint64_t *flink, uint64_t *blink)
{
	uint64_t va;

	return object_address(o, field, &va) && space_try_u64(o->space, va, flink, NULL) &&
	       space_try_u64(o->space, va + 8, blink, NULL);
}

bool plausible_list(struct object *o, unsigned field)
{
	uint64_t flink, blink;

	if (!o->fields[field].present)
		return true;
	return read_links(o, field, &flink, &blink) && is_kernel_pointer(flink) &&
	       is_kernel_pointer(blink);
}

bool plausible_links(struct object *o, unsigned field)
{
	uint64_t flink, blink;

	return plausible_list(o, field) ||
	       (read_links(o, field, &flink, &blink) && !flink && !blink);
}

bool plausible_pointer(struct object *o, unsigned field)
{
	uint64_t va;

	if (!o->fields[field].present)
		return true;
	return object_u64(o, field, &va) && (!va || is_kernel_pointer(va));
}

bool plausible_id(struct object *o, unsigned field)
{
	uint64_t id;

	return object_u64(o, field, &id) && id && id < MAX_CLIENT_ID && id % HANDLE_STEP == 0;
}
