/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_VMWARE_COMPANION_H
#define FORMATS_VMWARE_COMPANION_H

#include "base/error.h"

/*
 * Files of one VMware snapshot have one stem and lie in one folder: "Machine-Snapshot1.vmem"
 * and "Machine-Snapshot1.vmsn". A suffix of a container after that does not count.
 */
enum { VMWARE_SUFFIX_SIZE = sizeof(".vmem") };

/* The suffix, lower-case and with its dot: ".vmem", ".vmss", ".vmsn"; false: another one. */
bool vmware_suffix(const char *path, char ret[VMWARE_SUFFIX_SIZE]);
/* The path with another suffix, in the case of the one that it has, and with the container's
 * suffix if that is wanted; owned by the caller, free(). path: one that vmware_suffix() knows.
 * Errors: NO_MEMORY. */
MUST_CHECK struct error *vmware_companion(const char *path, const char *suffix, bool in_container,
					  char **ret);

#endif
