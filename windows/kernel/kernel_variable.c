/* SPDX-License-Identifier: MIT */
#include "windows/kernel/kernel_variable.h"

#include <inttypes.h>

bool kernel_variable_read(struct kernel *k, const char *name, uint64_t *ret)
{
	struct fault fault;
	uint64_t va;

	if (!kernel_symbol(k, name, &va)) {
		diag_partial(k->diag, "%s is not known: symbols of exactly this kernel are needed",
			     name);
		return false;
	}
	if (!space_try_u64(k->space, va, ret, &fault)) {
		diag_partial(k->diag, "%s: 0x%" PRIx64 ": %s", name, fault.va,
			     va_state_text(fault.state));
		return false;
	}
	return true;
}
