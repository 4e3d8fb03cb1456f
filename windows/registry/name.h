/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_NAME_H
#define WINDOWS_REGISTRY_NAME_H

#include "base/arena.h"

/*
 * Names of keys and values. The registry keeps a name in UTF-16, or, where every character fits,
 * "compressed" to one byte each (Latin-1). Names are counted: a NUL may be inside.
 */
enum {
	MAX_KEY_DEPTH = 512,   /* levels of keys; Windows' own limit */
	MAX_KEY_NAME = 512,    /* bytes; Windows allows 255 characters */
	MAX_VALUE_NAME = 32768 /* bytes; Windows allows 16383 characters */
};

/* UTF-8, as text_from_utf16() writes it. NULL when memory is out. */
MUST_CHECK char *registry_name_text(struct arena *a, const uint8_t *bytes, size_t len,
				    bool compressed);
/* Are the len bytes at word the same name? Case does not matter for Latin, Greek and Cyrillic
 * letters. */
bool registry_name_equal(const char *name, const char *word, size_t len);

#endif
