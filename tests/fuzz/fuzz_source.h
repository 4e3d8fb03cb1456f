/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_SOURCE_H
#define FUZZ_SOURCE_H

#include <stdlib.h>

#include "windows/symbols/type_info.h"

/* Asks a source of symbols in every way; what it answers must hold. */
enum { FUZZ_MAX_DESCRIBED = 64 };

static inline void check(bool holds)
{
	if (!holds)
		abort();
}

struct fuzz_round {
	const struct profile_source *src;
	unsigned described;
};

static inline bool fuzz_describe(void *arg, const char *name)
{
	struct fuzz_round *round = arg;
	struct type_info info;
	struct arena arena;
	struct error *err;

	arena_init(&arena, 16 << 20);
	err = type_describe(round->src, name, &arena, &info);
	for (size_t i = 1; !err && i < info.num_members; i++)
		check(info.members[i - 1].offset <= info.members[i].offset);
	error_destroy(err);
	arena_deinit(&arena);
	return ++round->described < FUZZ_MAX_DESCRIBED;
}

/* Types and paths of the corpora, and some that nothing has. */
static inline void fuzz_check_fields(const struct profile_source *src)
{
	static const char *const types[] = { "_ITEM",	      "_IN",	       "_STATE",
					     "__anonymous_1", "<unnamed-tag>", "" };
	static const char *const paths[] = {
		"Id",	 "Name",      "Next.Id",	"Inner.Low",	 "Inners.Low",
		"Bits",	 "Flags.Low", "Deepest",	"u1.Flags.Bits", "Table.Low",
		"State", "Routine",   "Self.Self.Self", "Nothing",	 "",
		".",
	};
	struct field f;
	uint32_t size;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		src->ops->type_size(src, types[i], &size);
		for (size_t j = 0; j < ARRAY_SIZE(paths); j++) {
			if (!src->ops->field(src, types[i], paths[j], &f))
				continue;
			check(f.present);
			check(!f.bit_size || (f.size <= 8 && f.bit_pos + f.bit_size <= 8 * f.size));
		}
	}
}

static inline void fuzz_check_symbols(const struct profile_source *src)
{
	const struct symbol *all, *nearest;
	struct symbol_index *index;
	uint64_t rva;
	size_t count;

	src->ops->symbol(src, "Head", &rva);
	check(!symbol_index_create(src, &index));
	all = symbol_index_all(index, &count);
	for (size_t i = 0; i < count; i++) {
		nearest = symbol_index_nearest(index, all[i].rva);
		check(nearest && nearest->rva == all[i].rva);
	}
	symbol_index_destroy(index);
}

static inline void fuzz_check_source(const struct profile_source *src)
{
	struct fuzz_round round = { .src = src };

	fuzz_check_fields(src);
	type_each(src, fuzz_describe, &round);
	fuzz_check_symbols(src);
}

#endif
