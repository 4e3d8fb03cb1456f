/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_VMWARE_PROCESSORS_H
#define FORMATS_VMWARE_PROCESSORS_H

#include "formats/format.h"

/* Registers and number of processors from a state file's group "cpu". Damage goes to diag.
 * Errors: LIMIT, NO_MEMORY. */
MUST_CHECK struct error *vmware_read_processors(const struct file *state, struct dump_info *info,
						struct diag *diag);

#endif
