/* SPDX-License-Identifier: MIT */
#ifndef CLI_ADDRESSES_H
#define CLI_ADDRESSES_H

#include "cli/command.h"
#include "windows/modules/place.h"

/*
 * An address as people write it: a hexadecimal number; "rip" (where the processor was that crashed,
 * or that --cpu names); the name of a symbol or export of the kernel, with or without "nt!"; the
 * name of a module; each but the first with "+OFFSET" behind it. book may be NULL: numbers and
 * "rip" only. USAGE: it is none of these; NOT_FOUND: the snapshot does not hold it.
 */
MUST_CHECK struct error *address_find(struct command_run *run, const struct place_book *book,
				      const char *word, uint64_t *ret);

#endif
