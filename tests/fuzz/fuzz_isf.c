/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "fuzz.h"
#include "windows/isf.h"

enum { MAX_INPUT = 16 << 10 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Types and paths of the corpus; what the fuzzer makes of them is asked in every way. */
static const char *const types[] = { "_ITEM", "_IN", "__anonymous_1", "<unnamed-tag>", "" };
static const char *const paths[] = { "Id",	    "Name",  "Next.Id", "Inner.Low",
				     "Inners.Low",  "Bits",  "Deepest", "u1.Flags.Bits",
				     "Flags.Low",   "State", "Routine", "Self.Self",
				     "NoSuchField", "",	     "." };

static void check_answers(const struct profile_source *src)
{
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
	if (src->ops->symbol(src, "Head", &rva))
		check(rva <= INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile_source *src = NULL;
	struct error *err;

	if (size > MAX_INPUT)
		return 0;
	err = isf_parse(data, size, &src);
	if (err) {
		check(!src && error_message(err)[0]);
		error_destroy(err);
		return 0;
	}
	check(isf_probe(data, size));
	check_answers(src);
	src->ops->destroy(src);
	return 0;
}
