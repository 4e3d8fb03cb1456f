/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "fuzz_container.h"

FUZZ_CONTAINER(&xz_container)
