/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "windows/crash/secondary_data.h"

Test(secondary_data, names)
{
	static const uint8_t display[16] = { 0xfd, 0x33, 0x0a, 0x27, 0xa6, 0x3d, 0x0d, 0x46,
					     0xba, 0x89, 0x3c, 0x1b, 0xae, 0x21, 0xe3, 0x9b };
	uint8_t tag[16];

	cr_expect_str_eq(secondary_data_name(display),
			 "display (watchdog!WdDxgkSecondaryDataGUID)");
	for (size_t i = 0; i < sizeof(tag); i++) {
		memcpy(tag, display, sizeof(tag));
		tag[i] ^= 1;
		cr_expect_null(secondary_data_name(tag), "byte %zu", i);
	}
}
