/* SPDX-License-Identifier: MIT */
#include "formats/registry.h"
#include "fuzz.h"
#include "fuzz_file.h"

enum { MAX_INPUT = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && size <= MAX_INPUT)
		fuzz_open(&lime_format, data, size, NULL);
	return 0;
}
