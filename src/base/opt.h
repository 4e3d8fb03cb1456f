/* SPDX-License-Identifier: MIT */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include "base/compiler.h"

/* A value that may be absent. */
struct opt_u64 {
	bool present;
	uint64_t value;
};

static inline struct opt_u64 opt_u64(uint64_t value)
{
	return (struct opt_u64){ .present = true, .value = value };
}

#endif
