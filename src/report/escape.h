/* SPDX-License-Identifier: MIT */
#ifndef REPORT_ESCAPE_H
#define REPORT_ESCAPE_H

#include <stdio.h>

/*
 * The only two ways in which text gets into the page. Whatever s holds, it stays text: it can
 * neither end what it stands in nor begin anything. Invalid UTF-8 becomes U+FFFD; what acts on a
 * reader (control and bidirectional characters) is the caller's to show, see text_show().
 */

/* As content of an element, or between the double quotes of an attribute; not inside of script or
 * style. */
void escape_html(FILE *out, const char *s);
/* As a JSON string with its quotes, which may also stand in a script element. */
void escape_json(FILE *out, const char *s);

#endif
