/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "fuzz.h"
#include "windows/pdb/pdb.h"
#include "windows/type_info.h"

enum { MAX_INPUT = 64 << 10, MAX_DESCRIBED = 64 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Types and paths of the corpus; what the fuzzer makes of them is asked in every way. */
static const char *const types[] = { "_ITEM", "_IN", "_STATE", "<unnamed-tag>", "" };
static const char *const paths[] = { "Id",	   "Flags.Low", "Table.Low", "Self.Self.Self",
				     "Bits",	   "Nothing",	"Deepest",   "u1.Flags.Bits",
				     "Inners.Low", "State",	"Next.Id",   "" };

struct round {
	struct profile_source *src;
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

static void check_fields(const struct profile_source *src)
{
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

static void check_symbols(const struct profile_source *src)
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct round round = { 0 };
	struct error *err;

	if (size > MAX_INPUT)
		return 0;
	err = pdb_parse(data, size, "fuzz.pdb", &round.src);
	if (err) {
		check(!round.src && error_message(err)[0]);
		error_destroy(err);
		return 0;
	}
	check(pdb_probe(data, size));
	check_fields(round.src);
	type_each(round.src, describe, &round);
	check_symbols(round.src);
	round.src->ops->destroy(round.src);
	return 0;
}
