/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_VALUE_H
#define WINDOWS_REGISTRY_VALUE_H

#include "windows/registry/key.h"

/* Values and their data. */

enum registry_type { /* winnt.h */
		     REG_NONE = 0,
		     REG_SZ = 1,
		     REG_EXPAND_SZ = 2,
		     REG_BINARY = 3,
		     REG_DWORD = 4,
		     REG_DWORD_BIG_ENDIAN = 5,
		     REG_LINK = 6,
		     REG_MULTI_SZ = 7,
		     REG_RESOURCE_LIST = 8,
		     REG_FULL_RESOURCE_DESCRIPTOR = 9,
		     REG_RESOURCE_REQUIREMENTS_LIST = 10,
		     REG_QWORD = 11,
};
/* "REG_SZ"; "0x2a" for others. NULL when memory is out. */
MUST_CHECK const char *registry_type_name(struct arena *a, uint32_t type);

enum { MAX_VALUE_DATA = 64 << 20 /* bytes */ };

struct registry_value {
	const struct hive *hive;
	uint32_t cell;
	uint64_t va;	  /* of the value's cell content */
	const char *name; /* "": the key's default value */
	uint32_t type;	  /* enum registry_type, or another number */
	uint32_t size;	  /* bytes of data */
	bool tombstone;	  /* in a differencing hive: the value of the hive below is deleted */
	bool resident;	  /* the data is in the value itself */
	uint8_t resident_data[MAX_RESIDENT_DATA];
	uint32_t data_cell;
};

MUST_CHECK bool registry_value_read(const struct hive *h, uint32_t cell, struct arena *a,
				    struct registry_value *ret, struct hive_fault *fault);
/* All of its data, value->size bytes owned by the arena; or false. */
MUST_CHECK bool registry_value_data(const struct registry_value *value, struct arena *a,
				    const uint8_t **ret, struct hive_fault *fault);
/*
 * Data as text: strings without what follows their NUL, multi-strings joined by "\\0" as reg.exe
 * does, numbers in decimal, everything else (also numbers and strings of an impossible size) as
 * hex digits, at most max_bytes of them and then "...". NULL when memory is out.
 */
MUST_CHECK const char *registry_data_text(struct arena *a, uint32_t type, const uint8_t *data,
					  size_t size, size_t max_bytes);

#endif
