/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "fuzz.h"
#include "windows/symbols/mktable_layout.h"

enum { MAX_INPUT = 16 << 10 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What was read answers for itself, inside its type. */
static void check_field(const struct layout_file *l, const struct layout_field *f)
{
	struct field field = { 0 };
	uint32_t size = 0;

	check(l->source.ops->type_size(&l->source, f->type, &size) && size > 0);
	if (!*f->path) {
		check(size == f->field.size);
		return;
	}
	check(l->source.ops->field(&l->source, f->type, f->path, &field) && field.present);
	check(field.size > 0 && field.size <= size && field.offset <= size - field.size);
	check(field.bit_size == 0 || field.bit_pos + field.bit_size <= (int)field.size * 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct layout_file *l;
	struct error *err;

	if (size > MAX_INPUT)
		return 0;
	err = layout_parse(size ? (const char *)data : "", size, "input", &l);
	if (err) {
		error_destroy(err);
		return 0;
	}
	check(l->num_targets > 0 && l->num_targets <= LAYOUT_MAX_TARGETS);
	for (size_t i = 0; i < l->num_fields; i++)
		check_field(l, &l->fields[i]);
	l->source.ops->destroy(&l->source);
	return 0;
}
