/* SPDX-License-Identifier: MIT */
#include "fake_source.h"

#include <stdlib.h>
#include <string.h>

struct fake_source {
	struct profile_source base;
	const struct fake_field *fields;
	const struct fake_symbol *symbols;
	size_t num_fields, num_symbols;
};

static const struct fake_source *fake(const struct profile_source *src)
{
	return (const struct fake_source *)src;
}

static const struct fake_field *find_field(const struct profile_source *src, const char *type,
					   const char *path)
{
	const struct fake_field *f = fake(src)->fields;

	for (size_t i = 0; i < fake(src)->num_fields; i++, f++) {
		if (strcmp(f->type, type) == 0 && strcmp(f->path, path) == 0)
			return f;
	}
	return NULL;
}

static bool fake_type_size(const struct profile_source *src, const char *type, uint32_t *ret)
{
	const struct fake_field *f = find_field(src, type, "");

	if (f)
		*ret = f->size;
	return f;
}

static bool fake_field(const struct profile_source *src, const char *type, const char *path,
		       struct field *ret)
{
	const struct fake_field *f = find_field(src, type, path);

	if (f)
		*ret = (struct field){ .offset = f->offset, .size = f->size, .present = true };
	return f;
}

static bool fake_symbol(const struct profile_source *src, const char *name, uint64_t *rva_ret)
{
	const struct fake_symbol *s = fake(src)->symbols;

	for (size_t i = 0; i < fake(src)->num_symbols; i++, s++) {
		if (strcmp(s->name, name) == 0) {
			*rva_ret = s->rva;
			return true;
		}
	}
	return false;
}

static void fake_destroy(struct profile_source *src)
{
	free(src);
}

static const struct profile_source_ops fake_ops = {
	.kind = "fake",
	.type_size = fake_type_size,
	.field = fake_field,
	.symbol = fake_symbol,
	.destroy = fake_destroy,
};

struct profile_source *fake_source_create(const struct fake_field *fields, size_t num_fields,
					  const struct fake_symbol *symbols, size_t num_symbols)
{
	struct fake_source *src = malloc(sizeof(*src));

	if (!src)
		abort();
	*src = (struct fake_source){ { &fake_ops }, fields, symbols, num_fields, num_symbols };
	return &src->base;
}
