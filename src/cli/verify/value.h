/* SPDX-License-Identifier: MIT */
#ifndef CLI_VERIFY_VALUE_H
#define CLI_VERIFY_VALUE_H

#include <jansson.h>

#include "base/arena.h"

/* Values of a recorded result (expected.h) and what jansson makes of them. NULL: out of memory. */
#define VALUE_ABSENT "null"

MUST_CHECK const char *value_of_json(struct arena *a, const json_t *json);
/* Of a string as in CELL_STR; NULL is absent. */
MUST_CHECK const char *value_of_text(struct arena *a, const char *text);
/* A JSON string as in CELL_STR. */
MUST_CHECK const char *text_of_json(struct arena *a, const json_t *json);

#endif
