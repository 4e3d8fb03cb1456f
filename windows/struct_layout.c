/* SPDX-License-Identifier: MIT */
#include "windows/struct_layout.h"

const struct struct_layout struct_layout32 = {
	.address_width = 4,
	.unicode_buffer = 4,
	.unicode_size = 8,
};
const struct struct_layout struct_layout64 = {
	.address_width = 8,
	.unicode_buffer = 8,
	.unicode_size = 16,
};

const struct struct_layout *struct_layout_of_width(unsigned address_width)
{
	switch (address_width) {
	case 4:
		return &struct_layout32;
	case 8:
		return &struct_layout64;
	default:
		return NULL;
	}
}

bool layout_read_va(const struct struct_layout *l, struct space *s, uint64_t va, uint64_t *ret,
		    struct fault *fault)
{
	uint64_t value = 0;

	if (!space_try_read(s, va, &value, l->address_width, fault))
		return false;
	*ret = value;
	return true;
}

bool layout_read_unicode_string(const struct struct_layout *l, struct space *s, uint64_t va,
				struct arena *a, char **ret, struct fault *fault)
{
	return read_unicode_string(s, va, l->address_width == 4, a, ret, fault);
}
