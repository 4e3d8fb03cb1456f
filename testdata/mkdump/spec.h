/* SPDX-License-Identifier: MIT */
#ifndef MKDUMP_SPEC_H
#define MKDUMP_SPEC_H

#include "image.h"

/*
 * Reads a spec (testdata/README.md describes the language) into an image. Errors begin with
 * "path:line: ".
 */
MUST_CHECK struct error *spec_read(const char *path, struct image **ret);

/* For the statement tables of spec_memory.c and spec_facts.c. */
enum { SPEC_MAX_TOKENS = 600, SPEC_MAX_NAMES = 4096 };

struct token {
	char *text; /* NUL-terminated; quoted text is decoded */
	size_t len; /* bytes: quoted text may hold NULs */
	bool quoted;
};

struct name {
	char *text;
	uint64_t value;
};

struct spec {
	struct image *img;
	/*
	 * Names may be used before they are defined: the spec is run twice, first just to learn
	 * the names (nothing is written, unknown names are 0), then in earnest.
	 */
	bool writing;
	struct name *names;
	size_t num_names, cap_names;
	struct vspace *space;		      /* of addresses; NULL: physical */
	uint64_t base;			      /* set by @ADDR; +OFFSET is relative to it */
	uint64_t pos;			      /* where the next value goes */
	uint64_t strings;		      /* where the next string buffer goes */
	struct token tokens[SPEC_MAX_TOKENS]; /* of the current line */
};

struct statement {
	const char *name;
	size_t min, max; /* number of arguments */
	struct error *(*run)(struct spec *s, const struct token *args, size_t n);
};
/* Both end in a row without a name. */
extern const struct statement memory_statements[];
extern const struct statement fact_statements[];

/* NUMBER, $NAME, joined by + and -. */
MUST_CHECK struct error *spec_value(const struct spec *s, const struct token *t, uint64_t *ret);
MUST_CHECK struct error *spec_define(struct spec *s, const struct token *t, uint64_t value);
MUST_CHECK struct error *spec_put(struct spec *s, const void *bytes, size_t len);

#endif
