/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "fuzz_source.h"
#include "windows/symbols/pdb/pdb.h"

enum { MAX_INPUT = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile_source *src = NULL;
	struct error *err;

	if (size > MAX_INPUT)
		return 0;
	err = pdb_parse(data, size, "fuzz.pdb", &src);
	if (err) {
		check(!src && error_message(err)[0]);
		error_destroy(err);
		return 0;
	}
	check(pdb_probe(data, size));
	fuzz_check_source(src);
	src->ops->destroy(src);
	return 0;
}
