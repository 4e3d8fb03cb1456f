/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_STRUCT_LAYOUT_H
#define WINDOWS_STRUCT_LAYOUT_H

#include "windows/object.h"

/* What differs between the structures of native and of WoW64 (32-bit) code: the width of a
 * pointer. One set of accessors for both. */
struct struct_layout {
	unsigned address_width;	 /* bytes of a pointer */
	unsigned unicode_buffer; /* offset of UNICODE_STRING.Buffer */
	unsigned unicode_size;	 /* bytes of a UNICODE_STRING */
};
extern const struct struct_layout struct_layout32, struct_layout64;
/* NULL: there is no layout of this pointer width. */
const struct struct_layout *struct_layout_of_width(unsigned address_width);

/* A pointer, zero-extended. */
MUST_CHECK bool layout_read_va(const struct struct_layout *l, struct space *s, uint64_t va,
			       uint64_t *ret, struct fault *fault);
/* A UNICODE_STRING; see read_unicode_string(): fault is not NULL. */
MUST_CHECK bool layout_read_unicode_string(const struct struct_layout *l, struct space *s,
					   uint64_t va, struct arena *a, char **ret,
					   struct fault *fault);

#endif
