/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "windows/symbol_cache.h"

enum { MAX_INPUT = 64 << 10, MAX_DESCRIBED = 64 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static const char *const types[] = { "_ITEM", "_IN", "__anonymous_1", "<unnamed-tag>", "" };
static const char *const paths[] = { "Id",	   "Name",  "Next.Id",	 "Inner.Low",
				     "Inners.Low", "Bits",  "Deepest",	 "u1.Flags.Bits",
				     "Flags.Low",  "State", "Self.Self", "" };

struct round {
	const struct profile_source *src;
	unsigned described;
};

static bool describe(void *arg, const char *name)
{
	struct round *round = arg;
	struct type_info info;
	struct arena arena;
	struct error *err;

	arena_init(&arena, 16 << 20);
	err = type_describe(round->src, name, &arena, &info);
	for (size_t i = 1; !err && i < info.num_members; i++)
		check(info.members[i - 1].offset <= info.members[i].offset);
	error_destroy(err);
	arena_deinit(&arena);
	return ++round->described < MAX_DESCRIBED;
}

static void check_answers(const struct profile_source *src)
{
	struct symbol_index *index;
	struct field f;
	uint32_t size;
	uint64_t rva;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		src->ops->type_size(src, types[i], &size);
		for (size_t j = 0; j < ARRAY_SIZE(paths); j++) {
			if (!src->ops->field(src, types[i], paths[j], &f))
				continue;
			check(f.present);
			check(!f.bit_size || (f.size <= 8 && f.bit_pos + f.bit_size <= 8 * f.size));
		}
	}
	src->ops->symbol(src, "Head", &rva);
	check(!symbol_index_create(src, &index));
	symbol_index_destroy(index);
}

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
	struct round round = { 0 };
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
		round.src = src;
		check_answers(src);
		type_each(src, describe, &round);
		check_rewrite(src);
		src->ops->destroy(src);
	}
	free(bytes);
	return 0;
}
