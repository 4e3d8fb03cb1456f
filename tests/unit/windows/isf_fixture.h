/* SPDX-License-Identifier: MIT */
#ifndef ISF_FIXTURE_H
#define ISF_FIXTURE_H

#include <criterion/criterion.h>
#include <string.h>

#include "windows/symbols/isf.h"

/* A small kernel's symbols in the ISF format, with every kind of type that it has. */
#define FIXTURE_GUID_TEXT "0123456789ABCDEF0123456789ABCDEF"
#define FIXTURE_METADATA                                                     \
	"'metadata': {'windows': {'pdb': {'GUID': '" FIXTURE_GUID_TEXT "', " \
	"'age': 2, 'database': 'ntkrnlmp.pdb'}}}"
#define FIXTURE_BASE_TYPES                                                      \
	"'base_types': {'pointer': {'size': 8}, 'unsigned long': {'size': 4}, " \
	"'unsigned char': {'size': 1}, 'unsigned long long': {'size': 8}}"
#define FIXTURE_U32 "{'kind': 'base', 'name': 'unsigned long'}"
#define FIXTURE_TYPES                                                            \
	"'_ITEM': {'size': 64, 'fields': {"                                      \
	" 'Id': {'offset': 4, 'type': " FIXTURE_U32 "},"                         \
	" 'Next': {'offset': 8, 'type': {'kind': 'pointer', 'subtype':"          \
	"  {'kind': 'struct', 'name': '_ITEM'}}},"                               \
	" 'Name': {'offset': 16, 'type': {'kind': 'array', 'count': 15,"         \
	"  'subtype': {'kind': 'base', 'name': 'unsigned char'}}},"              \
	" 'State': {'offset': 32, 'type': {'kind': 'enum', 'name': '_STATE'}},"  \
	" 'Routine': {'offset': 36, 'type': {'kind': 'function'}},"              \
	" 'Inner': {'offset': 40, 'type': {'kind': 'struct', 'name': '_IN'}},"   \
	" 'Inners': {'offset': 40, 'type': {'kind': 'array', 'count': 2,"        \
	"  'subtype': {'kind': 'struct', 'name': '_IN'}}},"                      \
	" 'u1': {'offset': 56, 'type': {'kind': 'union',"                        \
	"  'name': '__anonymous_1'}}}},"                                         \
	"'_IN': {'size': 8, 'fields': {"                                         \
	" 'Low': {'offset': 2, 'type': {'kind': 'base',"                         \
	"  'name': 'unsigned char'}},"                                           \
	" 'Bits': {'offset': 4, 'type': {'kind': 'bitfield', 'bit_position': 3," \
	"  'bit_length': 5, 'type': " FIXTURE_U32 "}},"                          \
	" 'BadBits': {'offset': 4, 'type': {'kind': 'bitfield',"                 \
	"  'bit_position': 30, 'bit_length': 5, 'type': " FIXTURE_U32 "}}}},"    \
	"'__anonymous_1': {'size': 8, 'fields': {"                               \
	" 'Flags': {'offset': 4, 'type': {'kind': 'struct', 'name': '_IN'}},"    \
	" 'Deep': {'offset': 0, 'type': {'kind': 'struct',"                      \
	"  'name': '<unnamed-tag>'}},"                                           \
	" 'Self': {'offset': 0, 'type': {'kind': 'union',"                       \
	"  'name': '__anonymous_1'}}}},"                                         \
	"'<unnamed-tag>': {'size': 4, 'fields': {"                               \
	" 'Id': {'offset': 1, 'type': " FIXTURE_U32 "},"                         \
	" 'Deepest': {'offset': 1, 'type': " FIXTURE_U32 "}}}"
#define FIXTURE_JSON                                                            \
	"{" FIXTURE_METADATA ", " FIXTURE_BASE_TYPES ","                        \
	" 'user_types': {" FIXTURE_TYPES "}, 'enums': {'_STATE': {'size': 4}}," \
	" 'symbols': {'Head': {'address': 4096}, 'Far': {'address': -1}}}"

enum { FIXTURE_MAX = 8192 };

/* The text with ' for ", which reads better here. The length. */
static inline size_t fixture_json(const char *text, char ret[FIXTURE_MAX])
{
	size_t len = strlen(text);

	cr_assert_lt(len, FIXTURE_MAX);
	for (size_t i = 0; i <= len; i++)
		ret[i] = text[i] == '\'' ? '"' : text[i];
	return len;
}

static inline struct error *fixture_parse(const char *text, struct profile_source **ret)
{
	char json[FIXTURE_MAX];
	size_t len = fixture_json(text, json);

	return isf_parse((const uint8_t *)json, len, ret);
}

#endif
