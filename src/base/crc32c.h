/* SPDX-License-Identifier: MIT */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "base/compiler.h"

/*
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4) of buffers, by the processor's own instruction
 * where it has one. Read-only once set up: any number of threads may share it.
 */
struct crc32c {
	uint32_t table[8][256];
	bool has_instruction;
};

void crc32c_init(struct crc32c *c);
uint32_t crc32c_of(const struct crc32c *c, const void *data, size_t len);

#endif
