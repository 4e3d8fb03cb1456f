/* SPDX-License-Identifier: MIT */
#ifndef OUTPUT_JSON_TEXT_H
#define OUTPUT_JSON_TEXT_H

#include <stdio.h>

/*
 * s as a JSON string with its quotes. The string may be hostile: what acts on a terminal is
 * \uXXXX, C0 80 (an embedded NUL) is \u0000, and a byte that is not UTF-8 is U+FFFD. Never a
 * line break. Write errors stay in the FILE.
 */
void json_put_string(FILE *out, const char *s);

#endif
