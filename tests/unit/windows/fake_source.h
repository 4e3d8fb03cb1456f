/* SPDX-License-Identifier: MIT */
#ifndef FAKE_SOURCE_H
#define FAKE_SOURCE_H

#include "windows/profile.h"

/* Layouts and symbols for fakes: what a table of rows says. */
struct fake_field {
	const char *type, *path; /* path "": the size of the type itself */
	uint32_t offset, size;
};
struct fake_symbol {
	const char *name;
	uint64_t rva;
};

/* A source of exactly the fake's kernel; the rows are borrowed. Aborts when memory is out. */
struct profile_source *fake_source_create(const struct fake_field *fields, size_t num_fields,
					  const struct fake_symbol *symbols, size_t num_symbols);

#endif
