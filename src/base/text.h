/* SPDX-License-Identifier: MIT */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"

/*
 * UTF-16LE bytes to UTF-8. An unpaired surrogate becomes U+FFFD and sets *lossy (may be NULL);
 * an odd last byte is dropped and counts as lossy. An embedded NUL, which would end a C string,
 * becomes the two bytes C0 80 ("modified UTF-8"); the sinks print it as \u0000. NULL when
 * memory is out.
 */
MUST_CHECK char *text_from_utf16(struct arena *a, const uint8_t *bytes, size_t len, bool *lossy);
/* Bytes of an ASCII/ANSI field of at most len bytes, up to its NUL; bytes above 0x7f become
 * U+00XX (Latin-1), which is reversible. */
MUST_CHECK char *text_from_ansi(struct arena *a, const uint8_t *bytes, size_t len);
/* Is s valid UTF-8 (C0 80 allowed)? */
bool text_is_utf8(const char *s);
/* Decodes one code point at *s and moves on; an invalid byte yields U+FFFD and moves by one. */
uint32_t text_next(const char **s);
/* Safe to put on a terminal: control characters, invalid bytes and bidirectional or invisible
 * format characters appear as \xNN or \u{NNNN}; a backslash as \\. */
MUST_CHECK char *text_escape(struct arena *a, const char *s);
/* Columns that s takes on a terminal (combining marks 0, wide characters 2). */
size_t text_width(const char *s);
/* How many bytes of s take at most *columns, which becomes what they take. */
size_t text_fit(const char *s, size_t *columns);
/* ASCII-case-insensitive comparison, NULL never equal. */
bool text_equal_nocase(const char *a, const char *b);
/* Unsigned number in C notation (0x.., decimal); WinDbg's back quote is skipped in hex. False
 * on junk, sign or overflow. */
MUST_CHECK bool text_parse_u64(const char *s, uint64_t *ret);

#endif
