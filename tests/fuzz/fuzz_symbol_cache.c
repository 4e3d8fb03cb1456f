/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "fuzz_source.h"
#include "windows/symbols/symbol_cache.h"

enum { MAX_INPUT = 64 << 10 };

/* What was read can be written, and then reads as well. */
static void check_rewrite(const struct profile_source *src)
{
	const struct symbol_origin origin = symbol_cache_origin(src);
	struct profile_source *again = NULL;
	uint8_t *bytes;
	size_t len;
	struct error *err = symbol_cache_write(src, &origin, &bytes, &len);

	if (err) {
		check(error_code(err) == ERROR_LIMIT);
		error_destroy(err);
		return;
	}
	check(!symbol_cache_parse(bytes, len, "fuzz", &again));
	again->ops->destroy(again);
	free(bytes);
}

/* The input with its size and checksum made right, without which little would be reached. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile_source *src = NULL;
	struct error *err;
	uint8_t *bytes;

	if (size > MAX_INPUT)
		return 0;
	bytes = malloc(size ? size : 1);
	check(bytes);
	if (size)
		memcpy(bytes, data, size);
	if (size >= SYMBOL_CACHE_HEADER_SIZE) {
		store_u64(bytes + HEADER_FILE_SIZE, size);
		symbol_cache_seal(bytes, size);
	}
	err = symbol_cache_parse(bytes, size, "fuzz", &src);
	if (err) {
		check(!src && error_message(err)[0]);
		error_destroy(err);
	} else {
		fuzz_check_source(src);
		check_rewrite(src);
		src->ops->destroy(src);
	}
	free(bytes);
	return 0;
}
