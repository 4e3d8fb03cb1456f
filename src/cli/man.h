/* SPDX-License-Identifier: MIT */
#ifndef CLI_MAN_H
#define CLI_MAN_H

#include <stdio.h>

/* ntscope(1) in roff's man macros, made from the same tables as the help. */
void man_print(FILE *out);

#endif
