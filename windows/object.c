/* SPDX-License-Identifier: MIT */
#include "windows/object.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "base/text.h"

enum {
	FAST_REF_MASK = 0xf,
	MAX_ANSI_FIELD = 4096, /* bytes of an inline array */
	MAX_NUMBER = 8,
};

/* UNICODE_STRING and its 32-bit form (ntdef.h). */
enum {
	STRING_LENGTH = 0,
	STRING32_BUFFER = 4,
	STRING32_SIZE = 8,
	STRING64_BUFFER = 8,
	STRING64_SIZE = 16,
};

/* A field in the build, at an address that does not wrap around. */
static bool field_address(const struct object *o, unsigned field, uint64_t *ret)
{
	const struct field *f = &o->fields[field];

	return f->present && !__builtin_add_overflow(o->va, (uint64_t)f->offset, ret);
}

static bool has_address(struct object *o, unsigned field, uint64_t *ret)
{
	o->fault = (struct fault){ 0 };
	return field_address(o, field, ret);
}

bool object_address(const struct object *o, unsigned field, uint64_t *ret)
{
	return field_address(o, field, ret);
}

bool object_u64(struct object *o, unsigned field, uint64_t *ret)
{
	const struct field *f = &o->fields[field];
	uint8_t bytes[MAX_NUMBER] = { 0 };
	uint64_t va, value;

	if (!has_address(o, field, &va) ||
	    (f->size != 1 && f->size != 2 && f->size != 4 && f->size != 8) ||
	    !space_try_read(o->space, va, bytes, f->size, &o->fault))
		return false;
	value = load_u64(bytes);
	if (f->bit_size)
		value = (value >> f->bit_pos) & (UINT64_MAX >> (64 - f->bit_size));
	*ret = value;
	return true;
}

struct opt_u64 object_opt(struct object *o, unsigned field)
{
	struct opt_u64 ret = { 0 };

	ret.present = object_u64(o, field, &ret.value);
	return ret;
}

struct opt_u64 object_nonzero(struct object *o, unsigned field)
{
	struct opt_u64 ret = object_opt(o, field);

	ret.present = ret.present && ret.value;
	return ret;
}

bool object_fast_ref(struct object *o, unsigned field, uint64_t *ret)
{
	uint64_t value;

	if (!object_u64(o, field, &value))
		return false;
	*ret = value & ~(uint64_t)FAST_REF_MASK;
	return true;
}

bool object_ansi(struct object *o, unsigned field, struct arena *a, char **ret)
{
	const struct field *f = &o->fields[field];
	uint8_t bytes[MAX_ANSI_FIELD];
	uint64_t va;
	char *text;

	if (!has_address(o, field, &va) || f->size > sizeof(bytes) ||
	    !space_try_read(o->space, va, bytes, f->size, &o->fault))
		return false;
	text = text_from_ansi(a, bytes, f->size);
	if (text)
		*ret = text;
	return text;
}

/* The bytes of the string, all or none. */
static bool read_utf16(struct space *s, uint64_t va, size_t len, struct arena *a, char **ret,
		       struct fault *fault)
{
	uint8_t *bytes = malloc(len);
	char *text = NULL;

	if (bytes && space_try_read(s, va, bytes, len, fault))
		text = text_from_utf16(a, bytes, len, NULL);
	free(bytes);
	if (text)
		*ret = text;
	return text;
}

/* As read_unicode_string(); header and buffer may be in two spaces. */
static bool read_string(struct space *header_space, uint64_t va, bool is_32bit,
			struct space *buffer_space, struct arena *a, char **ret,
			struct fault *fault)
{
	uint8_t header[STRING64_SIZE];
	uint64_t buffer;
	uint16_t len;
	char *empty;

	if (!space_try_read(header_space, va, header, is_32bit ? STRING32_SIZE : STRING64_SIZE,
			    fault))
		return false;
	len = load_u16(header + STRING_LENGTH);
	buffer = is_32bit ? load_u32(header + STRING32_BUFFER) : load_u64(header + STRING64_BUFFER);
	if (len == 0) {
		empty = arena_strdup(a, "");
		if (empty)
			*ret = empty;
		return empty;
	}
	/* The header is there, and is none: the fault is at its own address. */
	*fault = (struct fault){ va, VA_MAPPED };
	if (len % 2 || !buffer)
		return false;
	return read_utf16(buffer_space, buffer, len, a, ret, fault);
}

bool object_unicode(struct object *o, unsigned field, struct space *s, struct arena *a, char **ret)
{
	bool is_32bit = o->fields[field].size == STRING32_SIZE;
	uint64_t va;

	return has_address(o, field, &va) &&
	       read_string(o->space, va, is_32bit, s, a, ret, &o->fault);
}

bool read_unicode_string(struct space *s, uint64_t va, bool is_32bit, struct arena *a, char **ret,
			 struct fault *fault)
{
	return read_string(s, va, is_32bit, s, a, ret, fault);
}
