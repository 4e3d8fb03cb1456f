/* SPDX-License-Identifier: MIT */
#ifndef SOURCE_CHECKS_H
#define SOURCE_CHECKS_H

#include <criterion/criterion.h>

#include "windows/profile.h"

/* Both symbol file formats' fixtures have a structure _ITEM. */
static inline void expect_field(const struct profile_source *src, const char *path, uint32_t offset,
				uint32_t size)
{
	struct field f = { 0 };

	cr_expect(src->ops->field(src, "_ITEM", path, &f), "%s", path);
	cr_expect(f.present && f.offset == offset && f.size == size, "%s: +%u, %u bytes", path,
		  f.offset, f.size);
}

static inline void expect_no_field(const struct profile_source *src, const char *type,
				   const char *path)
{
	struct field f;

	cr_expect_not(src->ops->field(src, type, path, &f), "%s.%s", type, path);
}

#endif
