/* SPDX-License-Identifier: MIT */
/*
 * Generates windows/builtin_table.inc, the built-in layouts and symbol addresses:
 *
 *	git clone https://github.com/JPCERTCC/Windows-Symbol-Tables w
 *	mktable w/README.md w/symbols/windows/ntkrnlmp.pdb/[0-9A-F]* > windows/builtin_table.inc
 *
 * and, once built again, `mktable --check w/symbols/windows/ntkrnlmp.pdb/[0-9A-F]*` asks each
 * ISF and the compiled table the same questions and counts the answers that differ. The first
 * argument lists file versions: lines that hold a version (10.0.19041.1526) and a GUID followed
 * by the age, separated by blanks and '|', as that repository's README.md does. The fields come
 * from windows/fields.h, the globals from windows/profile_globals.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "windows/builtin.h"
#include "windows/fields.h"
#include "windows/isf.h"

enum {
	MAX_NAMES = 4096,
	MAX_KERNELS = 4096,
	MAX_VERSIONS = 1 << 16,
	MAX_FIELDS = 1 << 16,
	MAX_LAYOUTS = 1 << 12,
	MAX_GUID_AGE = 48, /* bytes of text */
	NUMBERS_PER_LINE = 8,
};

static const struct field_row rows[] = { ALL_FIELDS(FIELD_ROW_) };

struct name {
	const char *type, *path; /* path "": the type's size */
};

struct version {
	unsigned numbers[4];
	char guid_age[MAX_GUID_AGE];
};

struct kernel_row {
	uint8_t guid[16];
	uint32_t age;
	unsigned version[4];
	size_t layout;
	uint64_t *rvas; /* UINT64_MAX: absent */
};

struct table {
	struct arena arena;
	struct name *names;
	struct version *versions;
	const char **globals;
	struct kernel_row *kernels;
	struct field *fields; /* distinct answers */
	size_t **layouts;     /* each num_names indices into fields */
	size_t num_names, num_versions, num_kernels, num_fields, num_layouts;
};

static void *must_alloc(struct table *t, size_t count, size_t size)
{
	void *p = arena_calloc(&t->arena, count, size);

	if (!p) {
		fprintf(stderr, "mktable: out of memory\n");
		exit(1);
	}
	return p;
}

static void must_fit(size_t count, size_t limit, const char *what)
{
	if (count < limit)
		return;
	fprintf(stderr, "mktable: more than %zu %s\n", limit, what);
	exit(1);
}

/* Names: every alternative of every row, and every type's size. */

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	return order ? order : strcmp(x->path, y->path);
}

static void add_name(struct table *t, const char *type, size_t type_len, const char *path,
		     size_t path_len)
{
	struct name *name = &t->names[t->num_names];

	must_fit(t->num_names++, MAX_NAMES, "names");
	name->type = arena_strndup(&t->arena, type, type_len);
	name->path = arena_strndup(&t->arena, path, path_len);
}

static void add_row(struct table *t, const struct field_row *row)
{
	const char *type, *path;
	size_t type_len, path_len;

	for (type = row->type; *type; type += type_len + (type[type_len] == '|')) {
		type_len = strcspn(type, "|");
		add_name(t, type, type_len, "", 0);
		for (path = row->name; *path; path += path_len + (path[path_len] == '|')) {
			path_len = strcspn(path, "|");
			add_name(t, type, type_len, path, path_len);
		}
	}
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void collect_names(struct table *t)
{
	size_t kept = 0;

	t->names = must_alloc(t, MAX_NAMES, sizeof(*t->names));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		add_row(t, &rows[i]);
	qsort(t->names, t->num_names, sizeof(*t->names), compare_names);
	for (size_t i = 0; i < t->num_names; i++)
		if (kept == 0 || compare_names(&t->names[kept - 1], &t->names[i]) != 0)
			t->names[kept++] = t->names[i];
	t->num_names = kept;

	t->globals = must_alloc(t, profile_num_globals, sizeof(*t->globals));
	memcpy(t->globals, profile_globals, profile_num_globals * sizeof(*t->globals));
	qsort(t->globals, profile_num_globals, sizeof(*t->globals), compare_strings);
}

/* Versions. */

/* "10.0.19041.1526" and nothing else. */
static bool parse_version(const char *word, unsigned ret[4])
{
	unsigned numbers[4];
	int end = 0;

	if (sscanf(word, "%u.%u.%u.%u%n", &numbers[0], &numbers[1], &numbers[2], &numbers[3],
		   &end) != 4 ||
	    word[end] != '\0')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i] > UINT16_MAX)
			return false;
	memcpy(ret, numbers, sizeof(numbers));
	return true;
}

static bool is_guid_age(const char *word)
{
	size_t len = strlen(word);

	return len > GUID_TEXT_SIZE - 1 && len < MAX_GUID_AGE &&
	       strspn(word, "0123456789abcdefABCDEF") == len;
}

static void read_version_line(struct table *t, char *line)
{
	static const char blanks[] = " |\t\r\n";
	struct version v = { 0 };
	bool has_numbers = false;
	char *save = NULL;

	for (char *word = strtok_r(line, blanks, &save); word; word = strtok_r(NULL, blanks, &save))
		if (parse_version(word, v.numbers))
			has_numbers = true;
		else if (is_guid_age(word))
			memcpy(v.guid_age, word, strlen(word) + 1);
	if (!has_numbers || !v.guid_age[0])
		return;
	/* Two rows of the public list read 18326. Their revisions (535, 778) are updates of
	 * 18362, and there was no release 18326: the digits are swapped. */
	if (v.numbers[2] == 18326)
		v.numbers[2] = 18362;
	must_fit(t->num_versions, MAX_VERSIONS, "versions");
	t->versions[t->num_versions++] = v;
}

static void read_versions(struct table *t, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024];

	if (!f) {
		fprintf(stderr, "mktable: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	t->versions = must_alloc(t, MAX_VERSIONS, sizeof(*t->versions));
	while (fgets(line, sizeof(line), f))
		read_version_line(t, line);
	fclose(f);
}

static bool find_version(const struct table *t, const struct isf_identity *id, unsigned ret[4])
{
	char guid[GUID_TEXT_SIZE], text[MAX_GUID_AGE];

	guid_format(id->guid, guid);
	snprintf(text, sizeof(text), "%s%X", guid, id->age);
	for (size_t i = 0; i < t->num_versions; i++)
		if (strcasecmp(t->versions[i].guid_age, text) == 0) {
			memcpy(ret, t->versions[i].numbers, sizeof(t->versions[i].numbers));
			return true;
		}
	return false;
}

/* Kernels. */

static struct field ask(const struct profile_source *src, const struct name *name)
{
	struct field field = { 0 };

	if (*name->path)
		field.present = src->ops->field(src, name->type, name->path, &field);
	else
		field.present = src->ops->type_size(src, name->type, &field.size);
	return field;
}

static bool same_field(const struct field *a, const struct field *b)
{
	return a->offset == b->offset && a->size == b->size && a->bit_pos == b->bit_pos &&
	       a->bit_size == b->bit_size && a->present == b->present;
}

static size_t add_field(struct table *t, const struct field *field)
{
	size_t i;

	for (i = 0; i < t->num_fields; i++)
		if (same_field(&t->fields[i], field))
			return i;
	must_fit(i, MAX_FIELDS, "distinct fields");
	t->fields[t->num_fields++] = *field;
	return i;
}

static size_t add_layout(struct table *t, const struct profile_source *src)
{
	size_t *layout = must_alloc(t, t->num_names, sizeof(*layout));

	for (size_t i = 0; i < t->num_names; i++) {
		struct field field = ask(src, &t->names[i]);

		layout[i] = add_field(t, &field);
	}
	for (size_t i = 0; i < t->num_layouts; i++)
		if (memcmp(t->layouts[i], layout, t->num_names * sizeof(*layout)) == 0)
			return i;
	must_fit(t->num_layouts, MAX_LAYOUTS, "layouts");
	t->layouts[t->num_layouts] = layout;
	return t->num_layouts++;
}

static uint64_t ask_symbol(const struct profile_source *src, const char *name)
{
	uint64_t rva;

	return src->ops->symbol(src, name, &rva) ? rva : UINT64_MAX;
}

static struct error *add_kernel(struct table *t, const char *path)
{
	struct kernel_row *kernel = &t->kernels[t->num_kernels];
	const struct isf_identity *id;
	struct profile_source *src;
	struct error *err = isf_open(path, &src);

	if (err)
		return err;
	id = isf_identity(src);
	memcpy(kernel->guid, id->guid, sizeof(kernel->guid));
	kernel->age = id->age;
	if (!find_version(t, id, kernel->version)) {
		src->ops->destroy(src);
		return error_new(ERROR_NOT_FOUND, "%s: its version is not in the list", path);
	}
	kernel->layout = add_layout(t, src);
	kernel->rvas = must_alloc(t, profile_num_globals, sizeof(*kernel->rvas));
	for (size_t i = 0; i < profile_num_globals; i++)
		kernel->rvas[i] = ask_symbol(src, t->globals[i]);
	t->num_kernels++;
	src->ops->destroy(src);
	return NULL;
}

static int compare_kernels(const void *a, const void *b)
{
	const struct kernel_row *x = a, *y = b;
	int order = memcmp(x->guid, y->guid, sizeof(x->guid));

	return order ? order : (x->age > y->age) - (x->age < y->age);
}

/* Output. */

static void print_separator(size_t index, size_t count)
{
	if (index + 1 == count || index % NUMBERS_PER_LINE == NUMBERS_PER_LINE - 1)
		printf(",\n");
	else
		printf(", ");
}

static void print_names(const struct table *t)
{
	printf("static const struct table_name table_names[] = {\n");
	for (size_t i = 0; i < t->num_names; i++)
		printf("{ \"%s\", \"%s\" },\n", t->names[i].type, t->names[i].path);
	printf("};\n\nstatic const char *const table_globals[] = {\n");
	for (size_t i = 0; i < profile_num_globals; i++)
		printf("\"%s\",\n", t->globals[i]);
	printf("};\n\n");
}

static void print_layouts(const struct table *t)
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
	printf("};\n\nstatic const uint16_t table_layouts[][%zu] = {\n", t->num_names);
	for (size_t i = 0; i < t->num_layouts; i++) {
		printf("{\n");
		for (size_t j = 0; j < t->num_names; j++) {
			printf("%zu", t->layouts[i][j]);
			print_separator(j, t->num_names);
		}
		printf("},\n");
	}
	printf("};\n\n");
}

static void print_kernels(const struct table *t)
{
	printf("static const struct builtin_kernel table_kernels[] = {\n");
	for (size_t i = 0; i < t->num_kernels; i++) {
		const struct kernel_row *k = &t->kernels[i];

		printf("{ { ");
		for (size_t j = 0; j < sizeof(k->guid); j++)
			printf("%s0x%02x", j ? ", " : "", k->guid[j]);
		printf(" }, %u, %u, %u, %u, %u, %zu },\n", k->age, k->version[0], k->version[1],
		       k->version[2], k->version[3], k->layout);
	}
	printf("};\n\nstatic const uint32_t table_rvas[][%zu] = {\n", profile_num_globals);
	for (size_t i = 0; i < t->num_kernels; i++) {
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

/* The newest kernel of the smallest build above `above`; num_kernels if there is none. */
static size_t next_newest(const struct table *t, unsigned above)
{
	size_t best = t->num_kernels;

	for (size_t i = 0; i < t->num_kernels; i++) {
		const unsigned *v = t->kernels[i].version, *b;

		if (v[2] <= above)
			continue;
		b = best < t->num_kernels ? t->kernels[best].version : NULL;
		if (!b || v[2] < b[2] || (v[2] == b[2] && v[3] > b[3]))
			best = i;
	}
	return best;
}

static void print_newest(const struct table *t)
{
	unsigned build = 0;
	size_t i;

	printf("static const uint16_t table_newest[] = {\n");
	while ((i = next_newest(t, build)) < t->num_kernels) {
		build = t->kernels[i].version[2];
		printf("%zu, /* %u.%u */\n", i, build, t->kernels[i].version[3]);
	}
	printf("};\n");
}

static int generate(struct table *t, char **paths, size_t count)
{
	struct error *err;

	t->kernels = must_alloc(t, MAX_KERNELS, sizeof(*t->kernels));
	t->fields = must_alloc(t, MAX_FIELDS, sizeof(*t->fields));
	t->layouts = must_alloc(t, MAX_LAYOUTS, sizeof(*t->layouts));
	must_fit(count, MAX_KERNELS, "kernels");
	for (size_t i = 0; i < count; i++) {
		if ((err = add_kernel(t, paths[i]))) {
			fprintf(stderr, "mktable: %s\n", error_message(err));
			error_destroy(err);
			return 1;
		}
	}
	qsort(t->kernels, t->num_kernels, sizeof(*t->kernels), compare_kernels);
	printf("/* SPDX-License-Identifier: MIT */\n"
	       "/* Generated by windows/mktable.c from public symbols of %zu kernels. */\n"
	       "/* clang-format off */\n",
	       t->num_kernels);
	print_names(t);
	print_layouts(t);
	print_kernels(t);
	print_newest(t);
	fprintf(stderr,
		"mktable: %zu kernels, %zu names, %zu layouts, %zu distinct fields, %zu globals\n",
		t->num_kernels, t->num_names, t->num_layouts, t->num_fields, profile_num_globals);
	return 0;
}

/* Check. */

static size_t count_differences(const struct table *t, const struct profile_source *isf,
				const struct profile_source *builtin, const char *path)
{
	size_t differences = 0;

	for (size_t i = 0; i < t->num_names; i++) {
		struct field a = ask(isf, &t->names[i]), b = ask(builtin, &t->names[i]);

		if (same_field(&a, &b))
			continue;
		fprintf(stderr, "%s: %s.%s differs\n", path, t->names[i].type, t->names[i].path);
		differences++;
	}
	for (size_t i = 0; i < profile_num_globals; i++) {
		if (ask_symbol(isf, t->globals[i]) == ask_symbol(builtin, t->globals[i]))
			continue;
		fprintf(stderr, "%s: %s differs\n", path, t->globals[i]);
		differences++;
	}
	return differences;
}

static struct error *check_kernel(const struct table *t, const char *path, size_t *differences)
{
	const struct builtin_kernel *kernel;
	const struct isf_identity *id;
	struct profile_source *isf, *builtin;
	struct error *err = isf_open(path, &isf);

	if (err)
		return err;
	id = isf_identity(isf);
	kernel = builtin_find(id->guid, id->age);
	if (!kernel) {
		err = error_new(ERROR_NOT_FOUND, "%s: not in the table", path);
	} else if (!(err = builtin_open(kernel, &builtin))) {
		*differences += count_differences(t, isf, builtin, path);
		builtin->ops->destroy(builtin);
	}
	isf->ops->destroy(isf);
	return err;
}

static int check(const struct table *t, char **paths, size_t count)
{
	size_t differences = 0;
	struct error *err;

	for (size_t i = 0; i < count; i++) {
		if ((err = check_kernel(t, paths[i], &differences))) {
			fprintf(stderr, "mktable: %s\n", error_message(err));
			error_destroy(err);
			return 1;
		}
	}
	fprintf(stderr, "mktable: %zu kernels, %zu answers each, %zu differences\n", count,
		t->num_names + profile_num_globals, differences);
	return differences != 0;
}

int main(int argc, char **argv)
{
	struct table table = { 0 };
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: mktable VERSIONS ISF... > builtin_table.inc\n"
				"       mktable --check ISF...\n");
		return 2;
	}
	arena_init(&table.arena, 0);
	collect_names(&table);
	if (strcmp(argv[1], "--check") == 0) {
		status = check(&table, argv + 2, (size_t)argc - 2);
	} else {
		read_versions(&table, argv[1]);
		status = generate(&table, argv + 2, (size_t)argc - 2);
	}
	arena_deinit(&table.arena);
	return status;
}
