/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_AFF4_IRI_H
#define FORMATS_AFF4_IRI_H

#include "base/error.h"

/* The longest name of a thing that is told apart, with its NUL. */
enum { IRI_MAX = 4096 };

/*
 * The absolute IRI that a reference means where base is the base (RFC 3986, section 5.2), without
 * slashes at its end: "aff4://volume/" and "aff4://volume" name one thing. base may be "": then
 * the reference stays as it is. Errors: LIMIT when it does not fit.
 */
MUST_CHECK struct error *iri_resolve(const char *base, const char *reference, char ret[IRI_MAX]);

#endif
