/* SPDX-License-Identifier: MIT */
#include "windows/symbols/mktable.h"

#include <stdio.h>
#include <string.h>

enum { MAX_RUNS = 1 << 16 };

/* Where the answers of a type begin in table_runs[], for each layout. */
struct runs {
	size_t *start; /* [layout * num_types + type] */
	size_t *values;
	size_t num_values;
};

void print_separator(size_t index, size_t count)
{
	if (index + 1 == count || index % NUMBERS_PER_LINE == NUMBERS_PER_LINE - 1)
		printf(",\n");
	else
		printf(", ");
}

static void print_names(const struct table *t)
{
	printf("static const struct table_type table_types[] = {\n");
	for (size_t i = 0; i < t->num_types; i++)
		printf("{ \"%s\", %zu },\n", t->names[t->types[i].first].type, t->types[i].first);
	printf("{ \"\", %zu },\n};\n\nstatic const char *const table_paths[] = {\n", t->num_names);
	for (size_t i = 0; i < t->num_names; i++)
		printf("\"%s\",\n", t->names[i].path);
	printf("};\n\nstatic const char *const table_globals[] = {\n");
	for (size_t i = 0; i < profile_num_globals; i++)
		printf("\"%s\",\n", t->globals[i]);
	printf("};\n\n");
}

static void print_fields(const struct table *t)
{
	printf("static const struct table_field table_fields[] = {\n");
	for (size_t i = 0; i < t->num_fields; i++) {
		const struct field *f = &t->fields[i];

		if (f->present)
			printf("{ %u, %u, %u, %u }", f->offset, f->size, f->bit_pos, f->bit_size);
		else
			printf("{ ABSENT, 0, 0, 0 }");
		print_separator(i, t->num_fields);
	}
	printf("};\n\n");
}

/* Most types are the same in most layouts: each distinct run of answers is kept once. */
static size_t add_run(const struct table *t, struct runs *runs, size_t layout, size_t type)
{
	const struct type_span *span = &t->types[type];
	const size_t *answers = &t->layouts[layout][span->first];
	size_t start = runs->num_values;

	for (size_t i = 0; i < layout; i++)
		if (memcmp(&t->layouts[i][span->first], answers, span->count * sizeof(*answers)) ==
		    0)
			return runs->start[i * t->num_types + type];
	must_fit(start + span->count, MAX_RUNS, "answers");
	memcpy(&runs->values[start], answers, span->count * sizeof(*answers));
	runs->num_values += span->count;
	return start;
}

static void collect_runs(struct table *t, struct runs *runs)
{
	runs->start = must_alloc(t, t->num_layouts * t->num_types, sizeof(*runs->start));
	runs->values = must_alloc(t, MAX_RUNS, sizeof(*runs->values));
	for (size_t i = 0; i < t->num_layouts; i++)
		for (size_t j = 0; j < t->num_types; j++)
			runs->start[i * t->num_types + j] = add_run(t, runs, i, j);
}

static void print_layouts(struct table *t)
{
	struct runs runs = { 0 };

	collect_runs(t, &runs);
	printf("static const uint16_t table_runs[] = {\n");
	for (size_t i = 0; i < runs.num_values; i++) {
		printf("%zu", runs.values[i]);
		print_separator(i, runs.num_values);
	}
	printf("};\n\nstatic const uint16_t table_layouts[][%zu] = {\n", t->num_types);
	for (size_t i = 0; i < t->num_layouts; i++) {
		printf("{\n");
		for (size_t j = 0; j < t->num_types; j++) {
			printf("%zu", runs.start[i * t->num_types + j]);
			print_separator(j, t->num_types);
		}
		printf("},\n");
	}
	printf("};\n\n");
}

static void print_kernels(const struct table *t)
{
	printf("enum { NUM_EXACT = %zu };\n\n", t->num_exact);
	printf("static const struct builtin_kernel table_kernels[] = {\n");
	for (size_t i = 0; i < t->num_kernels; i++) {
		const struct kernel_row *k = &t->kernels[i];

		printf("{ { ");
		for (size_t j = 0; j < (k->has_guid ? sizeof(k->guid) : 1); j++)
			printf("%s0x%02x", j ? ", " : "", k->guid[j]);
		printf(" }, %u, %u, %u, %u, %u, %s, %zu },\n", k->age, k->version[0], k->version[1],
		       k->version[2], k->version[3], k->la57 ? "true" : "false", k->layout);
	}
	printf("};\n\n");
}

static void print_rvas(const struct table *t)
{
	printf("static const uint32_t table_rvas[][%zu] = {\n", profile_num_globals);
	for (size_t i = 0; i < t->num_exact; i++) {
		printf("{\n");
		for (size_t j = 0; j < profile_num_globals; j++) {
			if (t->kernels[i].rvas[j] < UINT32_MAX)
				printf("0x%llx", (unsigned long long)t->kernels[i].rvas[j]);
			else
				printf("ABSENT");
			print_separator(j, profile_num_globals);
		}
		printf("},\n");
	}
	printf("};\n\n");
}

static bool is_newer(const struct kernel_row *a, const struct kernel_row *b)
{
	if (a->version[3] != b->version[3])
		return a->version[3] > b->version[3];
	return a->has_guid && !b->has_guid;
}

/* The newest kernel of the smallest build above `above`; num_kernels if there is none. */
static size_t next_newest(const struct table *t, unsigned above, bool la57)
{
	size_t best = t->num_kernels;

	for (size_t i = 0; i < t->num_kernels; i++) {
		const struct kernel_row *k = &t->kernels[i], *b;

		if (k->version[2] <= above || k->la57 != la57)
			continue;
		b = best < t->num_kernels ? &t->kernels[best] : NULL;
		if (!b || k->version[2] < b->version[2] ||
		    (k->version[2] == b->version[2] && is_newer(k, b)))
			best = i;
	}
	return best;
}

static void print_newest(const struct table *t, const char *name, bool la57)
{
	unsigned build = 0;
	size_t i;

	printf("static const uint16_t %s[] = {\n", name);
	while ((i = next_newest(t, build, la57)) < t->num_kernels) {
		build = t->kernels[i].version[2];
		printf("%zu, /* %u.%u */\n", i, build, t->kernels[i].version[3]);
	}
	printf("};\n");
}

void print_table(struct table *t)
{
	printf("/* SPDX-License-Identifier: MIT */\n"
	       "/* Generated by windows/symbols/mktable.c from public symbols of %zu kernels and "
	       "from "
	       "windows/symbols/layouts. */\n"
	       "/* clang-format off */\n",
	       t->num_exact);
	print_names(t);
	print_fields(t);
	print_layouts(t);
	print_kernels(t);
	print_rvas(t);
	print_newest(t, "table_newest", false);
	printf("\n");
	print_newest(t, "table_newest_la57", true);
}
