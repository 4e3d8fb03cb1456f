/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* One run over one input, as libFuzzer calls it; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
