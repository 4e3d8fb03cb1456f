/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "windows/registry/value.h"

const char *registry_type_name(struct arena *a, uint32_t type)
{
	static const char *const names[] = {
		[REG_NONE] = "REG_NONE",
		[REG_SZ] = "REG_SZ",
		[REG_EXPAND_SZ] = "REG_EXPAND_SZ",
		[REG_BINARY] = "REG_BINARY",
		[REG_DWORD] = "REG_DWORD",
		[REG_DWORD_BIG_ENDIAN] = "REG_DWORD_BIG_ENDIAN",
		[REG_LINK] = "REG_LINK",
		[REG_MULTI_SZ] = "REG_MULTI_SZ",
		[REG_RESOURCE_LIST] = "REG_RESOURCE_LIST",
		[REG_FULL_RESOURCE_DESCRIPTOR] = "REG_FULL_RESOURCE_DESCRIPTOR",
		[REG_RESOURCE_REQUIREMENTS_LIST] = "REG_RESOURCE_REQUIREMENTS_LIST",
		[REG_QWORD] = "REG_QWORD",
	};

	return type < ARRAY_SIZE(names) ? names[type] : arena_printf(a, "0x%" PRIx32, type);
}

static const char *hex_text(struct arena *a, const uint8_t *data, size_t size, size_t max_bytes)
{
	static const char digits[] = "0123456789abcdef";
	size_t shown = size > max_bytes ? max_bytes : size;
	char *text = arena_alloc(a, 2 * shown + sizeof("..."));

	if (!text)
		return NULL;
	for (size_t i = 0; i < shown; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 0xf];
	}
	if (shown < size)
		memcpy(text + 2 * shown, "...", sizeof("..."));
	return text;
}

/* Bytes of UTF-16 before the first NUL. */
static size_t string_size(const uint8_t *data, size_t size)
{
	size_t len = 0;

	while (len + 2 <= size && load_u16(data + len))
		len += 2;
	return len;
}

/*
 * All strings but the empty ones at the end: some programs put empty strings between others. An
 * embedded NUL, two bytes in text_from_utf16()'s form, makes room for the separator.
 */
static const char *multi_text(struct arena *a, const uint8_t *data, size_t size)
{
	char *text;

	while (size >= 2 && !load_u16(data + size - 2))
		size -= 2;
	if (!(text = text_from_utf16(a, data, size, NULL)))
		return NULL;
	for (char *nul = text; (nul = strstr(nul, "\xc0\x80")); nul += 2)
		memcpy(nul, "\\0", 2);
	return text;
}

const char *registry_data_text(struct arena *a, uint32_t type, const uint8_t *data, size_t size,
			       size_t max_bytes)
{
	switch (type) {
	case REG_SZ:
	case REG_EXPAND_SZ:
	case REG_LINK:
		if (size % 2)
			break;
		return text_from_utf16(a, data, string_size(data, size), NULL);
	case REG_MULTI_SZ:
		if (size % 2)
			break;
		return multi_text(a, data, size);
	case REG_DWORD:
		if (size != 4)
			break;
		return arena_printf(a, "%" PRIu32, load_u32(data));
	case REG_DWORD_BIG_ENDIAN:
		if (size != 4)
			break;
		return arena_printf(a, "%" PRIu32, __builtin_bswap32(load_u32(data)));
	case REG_QWORD:
		if (size != 8)
			break;
		return arena_printf(a, "%" PRIu64, load_u64(data));
	}
	return hex_text(a, data, size, max_bytes);
}
