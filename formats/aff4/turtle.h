/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_AFF4_TURTLE_H
#define FORMATS_AFF4_TURTLE_H

#include "formats/aff4/iri.h"

/*
 * Reads RDF 1.1 Turtle (W3C recommendation of 2014) as AFF4 writers emit it: everything but
 * blank node property lists and collections, which are named and refused. A parser of our own:
 * the library that there is (raptor) brings XML, XSLT and a network client with it, for a grammar
 * of two pages over bytes that nobody vouches for.
 */
enum turtle_kind { TURTLE_IRI, TURTLE_BLANK, TURTLE_LITERAL };

enum {
	TURTLE_MAX_LITERAL = 64 << 10, /* what is longer is cut */
	TURTLE_MAX_PREFIXES = 256,
};

/* Strings are terminated and borrowed for the call. */
struct turtle_triple {
	const char *subject;   /* absolute IRI, or "_:label" */
	const char *predicate; /* absolute IRI */
	enum turtle_kind kind; /* of the object */
	const char *object;    /* IRI, "_:label", or the literal's text, escapes resolved */
	const char *datatype;  /* IRI of a literal's type; "": none given */
	unsigned line;	       /* where the object is, from 1 */
};

/* What it returns ends the parse. */
typedef struct error *turtle_fn(void *arg, const struct turtle_triple *triple);

/* Errors begin with "line N: ": CORRUPT, UNSUPPORTED, LIMIT, NO_MEMORY, and what fn says. */
MUST_CHECK struct error *turtle_parse(const char *text, size_t len, turtle_fn *fn, void *arg);

#endif
