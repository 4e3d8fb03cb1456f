/* SPDX-License-Identifier: MIT */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

/* What a terminal takes, by the environment and by itself. */

/* Columns of the terminal that fd is: $COLUMNS, or as it says; 0: fd is none, or none is known. */
unsigned terminal_width(int fd);
/* May text have colors? NO_COLOR (https://no-color.org), CLICOLOR and CLICOLOR_FORCE
 * (https://bixense.com/clicolors), TERM, and whether it is a terminal; in this order. */
bool terminal_has_color(bool is_terminal);

#endif
