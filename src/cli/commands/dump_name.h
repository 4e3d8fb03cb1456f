/* SPDX-License-Identifier: MIT */
#ifndef CLI_DUMP_NAME_H
#define CLI_DUMP_NAME_H

#include "base/opt.h"

enum { DUMP_NAME_MAX = 100 };

/*
 * The name of a file to be written, made of what a snapshot says, which may be hostile or NULL:
 * the last part of a path, of the characters [A-Za-z0-9._+-] alone (others become '_'), never
 * beginning with '.' or '-', at most DUMP_NAME_MAX long. Where names may repeat, an address makes
 * the name unique: "kernel32.0x7ff8a0000000.dll".
 */
void dump_name(const char *proposed, struct opt_u64 address, char ret[DUMP_NAME_MAX + 1]);
/* What follows the last separator that something follows. */
const char *dump_last_part(const char *path);

#endif
