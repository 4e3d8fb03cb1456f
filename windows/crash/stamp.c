/* SPDX-License-Identifier: MIT */
#include "windows/crash/stamp.h"

#include "base/filetime.h"
#include "windows/pe/tables.h"

enum {
	DEBUG_TYPE_REPRO = 16,
	FIRST_PLAUSIBLE_YEAR = 978307200, /* 2001-01-01: no 64-bit driver is older */
};
#define TICKS_CLOCK_SLACK (UINT64_C(86400) * FILETIME_SECOND)

uint64_t stamp_time(uint32_t stamp)
{
	return FILETIME_OF_1970 + (uint64_t)stamp * FILETIME_SECOND;
}

const char *stamp_kind_name(enum stamp_kind kind)
{
	static const char *const names[] = {
		[STAMP_DATE] = "date",
		[STAMP_HASH] = "hash",
		[STAMP_UNSURE] = "unsure",
	};

	return names[kind];
}

/* False: the debug directory cannot be read as a whole. */
static bool is_reproducible(struct space *s, const struct pe_image *pe, bool *ret)
{
	struct pe_debug debug;
	struct error *err = pe_debug_read(s, pe, &debug);

	*ret = false;
	if (error_catch(&err, ERROR_NOT_FOUND))
		return true; /* there is none */
	if (err) {
		error_destroy(err);
		return false;
	}
	for (size_t i = 0; i < debug.count; i++)
		*ret |= debug.items[i].type == DEBUG_TYPE_REPRO;
	return *ret || !debug.holes.count;
}

enum stamp_kind stamp_kind_of(struct space *s, const struct pe_image *pe, uint32_t stamp,
			      uint64_t now)
{
	bool reproducible;

	if (!stamp)
		return STAMP_ABSENT;
	if (pe && is_reproducible(s, pe, &reproducible))
		return reproducible ? STAMP_HASH : STAMP_DATE;
	if (stamp < FIRST_PLAUSIBLE_YEAR || (now && stamp_time(stamp) > now + TICKS_CLOCK_SLACK))
		return STAMP_HASH;
	return STAMP_UNSURE;
}
