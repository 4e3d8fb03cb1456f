/* SPDX-License-Identifier: MIT */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

#include <stdbool.h>
#include <stdio.h>

/* A library that the program can be built with. */
struct version_library {
	const char *name;
	const char *(*version)(void); /* of the one in use; NULL: built without it */
	const char *without;	      /* what is missing then; NULL: it is always there */
};
extern const struct version_library version_libraries[];
extern const size_t num_version_libraries;

/* The program's version, and the libraries' on further lines; json: one object. */
void version_print(FILE *out, bool json);

#endif
