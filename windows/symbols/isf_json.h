/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_ISF_JSON_H
#define WINDOWS_ISF_JSON_H

#include <jansson.h>

#include "base/error.h"

/* The bytes of an ISF file, plain or xz-compressed, as JSON within the limits of isf.h. *ret is
 * owned (json_decref). CORRUPT with the offset in the file (xz) or in the text (JSON), LIMIT,
 * UNSUPPORTED for options of xz that the library does not know. */
MUST_CHECK struct error *isf_load_json(const uint8_t *bytes, size_t len, json_t **ret);

#endif
