/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_MKTABLE_H
#define WINDOWS_MKTABLE_H

#include "windows/symbols/builtin.h"

/* What the parts of the generator share; windows/symbols/mktable.c says what it does. */
enum { NUMBERS_PER_LINE = 8 };

struct name {
	const char *type, *path; /* path "": the type's size */
};

/* The names of one type: names[first .. first + count). */
struct type_span {
	size_t first, count;
};

struct version {
	unsigned numbers[4];
	char *guid_age;
};

struct kernel_row {
	bool has_guid; /* else a layout of a build, without symbols */
	uint8_t guid[16];
	uint32_t age;
	unsigned version[4];
	bool la57;
	size_t layout;
	uint64_t *rvas; /* UINT64_MAX: absent; NULL without GUID */
};

struct table {
	struct arena arena;
	struct name *names; /* sorted by type and path */
	struct type_span *types;
	struct version *versions;
	const char **globals;
	struct kernel_row *kernels;
	struct field *fields; /* distinct answers */
	size_t **layouts;     /* each num_names indices into fields */
	size_t num_names, num_types, num_versions, num_kernels, num_exact, num_fields, num_layouts;
};

/* The generator ends when it cannot go on. */
void *must_alloc(struct table *t, size_t count, size_t size);
void must_fit(size_t count, size_t limit, const char *what);
/* "10.0.19041.1526" and nothing else. */
bool parse_version(const char *word, unsigned ret[4]);
/* Between numbers of an array: a comma, or a comma and a new line. */
void print_separator(size_t index, size_t count);

/* mktable_print.c: windows/symbols/builtin_table.inc on stdout. */
void print_table(struct table *t);
/* mktable_kernels.c: windows/symbols/kernel_versions.inc on stdout, from kphdyn.xml. 0 or 1. */
int print_kernel_versions(struct table *t, const char *path);
/* mktable_markdown.c: the supported builds, as README.md shows them, on stdout. */
void print_markdown(void);

#endif
