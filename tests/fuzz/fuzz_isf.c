/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "fuzz_source.h"
#include "windows/symbols/isf.h"

enum { MAX_INPUT = 16 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile_source *src = NULL;
	struct error *err;
	uint64_t rva;

	if (size > MAX_INPUT)
		return 0;
	err = isf_parse(data, size, &src);
	if (err) {
		check(!src && error_message(err)[0]);
		error_destroy(err);
		return 0;
	}
	check(isf_probe(data, size));
	fuzz_check_source(src);
	if (src->ops->symbol(src, "Head", &rva))
		check(rva <= INT64_MAX);
	src->ops->destroy(src);
	return 0;
}
