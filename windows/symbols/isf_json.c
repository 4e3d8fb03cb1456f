/* SPDX-License-Identifier: MIT */
#include "windows/symbols/isf_json.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "windows/symbols/isf.h"

enum {
	XZ_MAX_MEMORY = 128 << 20, /* xz -9 needs 65 MiB to decompress */
	MIN_TEXT_BUFFER = 1 << 16,
};

struct text {
	uint8_t *bytes; /* owned */
	size_t len, capacity;
};

static void text_cleanup(struct text *text)
{
	free(text->bytes);
}

static const uint8_t xz_magic[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

static bool is_xz(const uint8_t *bytes, size_t len)
{
	return len >= sizeof(xz_magic) && memcmp(bytes, xz_magic, sizeof(xz_magic)) == 0;
}

bool isf_probe(const uint8_t *bytes, size_t len)
{
	size_t i = 0;

	if (is_xz(bytes, len))
		return true;
	while (i < len && strchr(" \t\r\n", bytes[i]) && bytes[i] != '\0')
		i++;
	return i < len && bytes[i] == '{';
}

static struct error *xz_error(lzma_ret ret, uint64_t offset)
{
	switch (ret) {
	case LZMA_MEM_ERROR:
		return &error_no_memory;
	case LZMA_MEMLIMIT_ERROR:
		return error_new(ERROR_LIMIT, "xz: needs more than %d MiB to decompress",
				 XZ_MAX_MEMORY >> 20);
	case LZMA_OPTIONS_ERROR:
		return error_new(ERROR_UNSUPPORTED, "xz: unknown options at offset 0x%llx",
				 (unsigned long long)offset);
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return error_new(ERROR_CORRUPT, "xz: truncated at offset 0x%llx",
				 (unsigned long long)offset);
	default:
		return error_new(ERROR_CORRUPT, "xz: bad data near offset 0x%llx",
				 (unsigned long long)offset);
	}
}

static void lzma_cleanup(lzma_stream *stream)
{
	lzma_end(stream);
}

static struct error *decompress(const uint8_t *bytes, size_t len, struct text *ret)
{
	CLEANUP(lzma_cleanup) lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret status = lzma_stream_decoder(&stream, XZ_MAX_MEMORY, LZMA_CONCATENATED);
	struct error *err;

	stream.next_in = bytes;
	stream.avail_in = len;
	while (status == LZMA_OK) {
		if (ret->len == ret->capacity) {
			size_t need = ret->len ? ret->len + 1 : MIN_TEXT_BUFFER;

			err = array_reserve(&ret->bytes, &ret->capacity, need, 1, ISF_MAX_TEXT,
					    "bytes of JSON");
			if (err)
				return err;
		}
		stream.next_out = ret->bytes + ret->len;
		stream.avail_out = ret->capacity - ret->len;
		status = lzma_code(&stream, LZMA_FINISH);
		ret->len = ret->capacity - stream.avail_out;
	}
	if (status != LZMA_STREAM_END)
		return xz_error(status, stream.total_in);
	return NULL;
}

/* JSON values cost far more memory than their text: counts them before anything is built.
 * Characters inside strings count too, which errs on the safe side. */
static struct error *check_value_count(const uint8_t *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == ',' || text[i] == '{' || text[i] == '[';
	if (count > ISF_MAX_VALUES)
		return error_new(ERROR_LIMIT, "%zu JSON values, the limit is %d", count,
				 ISF_MAX_VALUES);
	return NULL;
}

static struct error *parse_text(const uint8_t *text, size_t len, json_t **ret)
{
	json_error_t why;
	json_t *root;
	struct error *err;

	if (len > ISF_MAX_TEXT)
		return error_new(ERROR_LIMIT, "%zu bytes of JSON, the limit is %d", len,
				 ISF_MAX_TEXT);
	if ((err = check_value_count(text, len)))
		return err;
	root = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, &why);
	if (root) {
		*ret = root;
		return NULL;
	}
	if (json_error_code(&why) == json_error_out_of_memory)
		return &error_no_memory;
	return error_new(ERROR_CORRUPT, "JSON: line %d, offset 0x%x: %s", why.line,
			 (unsigned)why.position, why.text);
}

struct error *isf_load_json(const uint8_t *bytes, size_t len, json_t **ret)
{
	CLEANUP(text_cleanup) struct text text = { 0 };
	struct error *err;

	if (!is_xz(bytes, len))
		return parse_text(bytes, len, ret);
	if ((err = decompress(bytes, len, &text)))
		return err;
	return parse_text(text.bytes, text.len, ret);
}
