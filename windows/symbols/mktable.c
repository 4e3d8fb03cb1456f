/* SPDX-License-Identifier: MIT */
/*
 * Generates the constant tables of the windows layer. The layouts and symbol addresses:
 *
 *	git clone https://github.com/JPCERTCC/Windows-Symbol-Tables w
 *	mktable w/README.md windows/symbols/layouts/[0-9a-z]*.layout \
 *		w/symbols/windows/ntkrnlmp.pdb/[0-9A-F]* > windows/symbols/builtin_table.inc
 *
 * and, once built again, `mktable --check` with the same layouts and symbol files asks each of
 * them and the compiled table the same questions and counts the answers that differ. The first
 * argument lists file versions: lines that hold a version (10.0.19041.1526) and a GUID followed
 * by the age, separated by blanks and '|', as that repository's README.md does. The fields come
 * from windows/fields.h, the globals from windows/symbols/profile_globals.c, layouts of builds
 *without symbol files from windows/symbols/layouts (windows/symbols/mktable_layout.h says what a
 *line means).
 *
 * The kernels' versions by time stamp and size, from kphdyn.xml of winsiderss/systeminformer:
 *
 *	mktable --kernels kphdyn.xml > windows/symbols/kernel_versions.inc
 *
 * and what the compiled tables support, for README.md: mktable --markdown.
 */
#include "windows/symbols/mktable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "windows/fields.h"
#include "windows/symbols/isf.h"
#include "windows/symbols/mktable_layout.h"

enum {
	MAX_NAMES = 1 << 14,
	MAX_KERNELS = 4096,
	MAX_VERSIONS = 1 << 16,
	MAX_FIELDS = 1 << 16,
	MAX_LAYOUTS = 1 << 12,
	MAX_GUID_AGE = 48, /* bytes of text */
};

static const struct field_row rows[] = { ALL_FIELDS(FIELD_ROW_) };

void *must_alloc(struct table *t, size_t count, size_t size)
{
	void *p = arena_calloc(&t->arena, count, size);

	if (!p) {
		fprintf(stderr, "mktable: out of memory\n");
		exit(1);
	}
	return p;
}

void must_fit(size_t count, size_t limit, const char *what)
{
	if (count < limit)
		return;
	fprintf(stderr, "mktable: more than %zu %s\n", limit, what);
	exit(1);
}

static int fail(struct error *err)
{
	fprintf(stderr, "mktable: %s\n", error_message(err));
	error_destroy(err);
	return 1;
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
	if (!name->type || !name->path)
		must_fit(1, 0, "bytes of names");
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

static void collect_types(struct table *t)
{
	t->types = must_alloc(t, t->num_names, sizeof(*t->types));
	for (size_t i = 0; i < t->num_names; i++) {
		if (!*t->names[i].path)
			t->types[t->num_types++].first = i;
		t->types[t->num_types - 1].count++;
	}
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
	collect_types(t);

	t->globals = must_alloc(t, profile_num_globals, sizeof(*t->globals));
	memcpy(t->globals, profile_globals, profile_num_globals * sizeof(*t->globals));
	qsort(t->globals, profile_num_globals, sizeof(*t->globals), compare_strings);
}

/* Versions. */

bool parse_version(const char *word, unsigned ret[4])
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
			v.guid_age = arena_strdup(&t->arena, word);
	if (!has_numbers || !v.guid_age)
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

static bool find_version(const struct table *t, const struct symbol_identity *id, unsigned ret[4])
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

/* Layouts. */

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

/* Index of this answer; the layout read before, if any, is likely to have the same one. */
static size_t add_field(struct table *t, const struct field *field, size_t name)
{
	size_t i;

	if (t->num_layouts > 0) {
		i = t->layouts[t->num_layouts - 1][name];
		if (same_field(&t->fields[i], field))
			return i;
	}
	for (i = 0; i < t->num_fields; i++)
		if (same_field(&t->fields[i], field))
			return i;
	must_fit(i, MAX_FIELDS, "distinct fields");
	t->fields[t->num_fields++] = *field;
	return i;
}

/* Each type as src has it, or where it does not know the type, as base (NULL: absent). */
static size_t add_layout(struct table *t, const struct profile_source *src, const size_t *base)
{
	size_t *layout = must_alloc(t, t->num_names, sizeof(*layout));
	uint32_t size;

	for (size_t i = 0; i < t->num_names; i++) {
		struct field field = ask(src, &t->names[i]);

		if (base && !src->ops->type_size(src, t->names[i].type, &size))
			layout[i] = base[i];
		else
			layout[i] = add_field(t, &field, i);
	}
	for (size_t i = 0; i < t->num_layouts; i++)
		if (memcmp(t->layouts[i], layout, t->num_names * sizeof(*layout)) == 0)
			return i;
	must_fit(t->num_layouts, MAX_LAYOUTS, "layouts");
	t->layouts[t->num_layouts] = layout;
	return t->num_layouts++;
}

/* Kernels. */

static struct kernel_row *new_kernel(struct table *t)
{
	must_fit(t->num_kernels, MAX_KERNELS, "kernels");
	return &t->kernels[t->num_kernels];
}

static uint64_t ask_symbol(const struct profile_source *src, const char *name)
{
	uint64_t rva;

	return src->ops->symbol(src, name, &rva) ? rva : UINT64_MAX;
}

static struct error *add_symbol_file(struct table *t, const char *path)
{
	struct kernel_row *kernel = new_kernel(t);
	const struct symbol_identity *id;
	struct profile_source *src;
	struct error *err = isf_open(path, &src);

	if (err)
		return err;
	id = isf_identity(src);
	memcpy(kernel->guid, id->guid, sizeof(kernel->guid));
	kernel->has_guid = true;
	kernel->age = id->age;
	if (!find_version(t, id, kernel->version)) {
		src->ops->destroy(src);
		return error_new(ERROR_NOT_FOUND, "%s: its version is not in the list", path);
	}
	kernel->layout = add_layout(t, src, NULL);
	kernel->rvas = must_alloc(t, profile_num_globals, sizeof(*kernel->rvas));
	for (size_t i = 0; i < profile_num_globals; i++)
		kernel->rvas[i] = ask_symbol(src, t->globals[i]);
	t->num_kernels++;
	t->num_exact++;
	src->ops->destroy(src);
	return NULL;
}

static const struct kernel_row *newest_of(const struct table *t, unsigned build)
{
	const struct kernel_row *newest = NULL;

	for (size_t i = 0; i < t->num_kernels; i++) {
		const struct kernel_row *k = &t->kernels[i];

		if (k->version[2] == build && !k->la57 &&
		    (!newest || k->version[3] > newest->version[3]))
			newest = k;
	}
	return newest;
}

static struct error *add_target(struct table *t, const struct layout_file *file,
				const struct layout_target *target, const char *path)
{
	const struct kernel_row *base = target->like ? newest_of(t, target->like) : NULL;
	struct kernel_row *kernel = new_kernel(t);

	if (target->like && !base)
		return error_new(ERROR_NOT_FOUND, "%s: nothing is known of build %u", path,
				 target->like);
	*kernel = (struct kernel_row){
		.version = { 10, 0, target->build,
			     target->has_revision ? target->revision : base->version[3] },
		.la57 = target->la57,
		.layout = add_layout(t, &file->source, base ? t->layouts[base->layout] : NULL),
	};
	/* Builds before Windows 10 have their own major and minor numbers. */
	if (target->build < 10000) {
		kernel->version[0] = 6;
		kernel->version[1] = target->build >= 9600 ? 3 : target->build >= 9200 ? 2 : 1;
	}
	t->num_kernels++;
	return NULL;
}

/* The targets of a file that stand alone, or those that follow another build. */
static struct error *add_layout_file(struct table *t, const char *path, bool like)
{
	struct layout_file *file;
	struct error *err = layout_open(path, &file);

	if (err)
		return err;
	for (size_t i = 0; i < file->num_targets && !err; i++)
		if ((file->targets[i].like != 0) == like)
			err = add_target(t, file, &file->targets[i], path);
	file->source.ops->destroy(&file->source);
	return err;
}

static bool is_layout(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && strcmp(dot, ".layout") == 0;
}

static struct error *add_files(struct table *t, char **paths, size_t count)
{
	struct error *err = NULL;

	for (size_t i = 0; i < count && !err; i++)
		err = is_layout(paths[i]) ? add_layout_file(t, paths[i], false)
					  : add_symbol_file(t, paths[i]);
	for (size_t i = 0; i < count && !err; i++)
		if (is_layout(paths[i]))
			err = add_layout_file(t, paths[i], true);
	return err;
}

/* Those with a GUID first, by GUID and age, then the others by version. */
static int compare_kernels(const void *a, const void *b)
{
	const struct kernel_row *x = a, *y = b;
	int order = y->has_guid - x->has_guid;

	if (order == 0)
		order = memcmp(x->guid, y->guid, sizeof(x->guid));
	if (order == 0)
		order = (x->age > y->age) - (x->age < y->age);
	for (size_t i = 0; i < ARRAY_SIZE(x->version) && order == 0; i++)
		order = (x->version[i] > y->version[i]) - (x->version[i] < y->version[i]);
	return order ? order : x->la57 - y->la57;
}

static int generate(struct table *t, char **paths, size_t count)
{
	struct error *err;

	t->kernels = must_alloc(t, MAX_KERNELS, sizeof(*t->kernels));
	t->fields = must_alloc(t, MAX_FIELDS, sizeof(*t->fields));
	t->layouts = must_alloc(t, MAX_LAYOUTS, sizeof(*t->layouts));
	if ((err = add_files(t, paths, count)))
		return fail(err);
	qsort(t->kernels, t->num_kernels, sizeof(*t->kernels), compare_kernels);
	print_table(t);
	fprintf(stderr,
		"mktable: %zu kernels, %zu by build alone, %zu names of %zu types, %zu layouts, "
		"%zu distinct fields, %zu globals\n",
		t->num_exact, t->num_kernels - t->num_exact, t->num_names, t->num_types,
		t->num_layouts, t->num_fields, profile_num_globals);
	return 0;
}

/* Check. */

static size_t count_differences(const struct table *t, const struct profile_source *file,
				const struct builtin_kernel *kernel, const char *path)
{
	struct profile_source *builtin;
	struct error *err = builtin_open(kernel, &builtin);
	size_t differences = 0;
	uint32_t size;

	if (err)
		return (size_t)fail(err);
	for (size_t i = 0; i < t->num_names; i++) {
		struct field a = ask(file, &t->names[i]), b = ask(builtin, &t->names[i]);

		/* A type that the layout takes from another build is not the file's to say. */
		if (same_field(&a, &b) ||
		    (is_layout(path) && !file->ops->type_size(file, t->names[i].type, &size)))
			continue;
		fprintf(stderr, "%s: %s.%s differs\n", path, t->names[i].type, t->names[i].path);
		differences++;
	}
	for (size_t i = 0; i < profile_num_globals; i++) {
		if (ask_symbol(file, t->globals[i]) == ask_symbol(builtin, t->globals[i]))
			continue;
		fprintf(stderr, "%s: %s differs\n", path, t->globals[i]);
		differences++;
	}
	builtin->ops->destroy(builtin);
	return differences;
}

static struct error *check_symbol_file(const struct table *t, const char *path, size_t *differences)
{
	const struct builtin_kernel *kernel;
	struct profile_source *isf;
	struct error *err = isf_open(path, &isf);

	if (err)
		return err;
	kernel = builtin_find(isf_identity(isf)->guid, isf_identity(isf)->age);
	if (kernel)
		*differences += count_differences(t, isf, kernel, path);
	else
		err = error_new(ERROR_NOT_FOUND, "%s: not in the table", path);
	isf->ops->destroy(isf);
	return err;
}

static struct error *check_layout_file(const struct table *t, const char *path, size_t *differences)
{
	struct layout_file *file;
	struct error *err = layout_open(path, &file);

	if (err)
		return err;
	for (size_t i = 0; i < file->num_targets && !err; i++) {
		const struct layout_target *target = &file->targets[i];
		const struct builtin_kernel *kernel = target->la57
							      ? builtin_nearest_la57(target->build)
							      : builtin_nearest(target->build);

		if (kernel && kernel->build == target->build)
			*differences += count_differences(t, &file->source, kernel, path);
		else
			err = error_new(ERROR_NOT_FOUND, "%s: build %u is not in the table", path,
					target->build);
	}
	file->source.ops->destroy(&file->source);
	return err;
}

static int check(const struct table *t, char **paths, size_t count)
{
	size_t differences = 0;
	struct error *err;

	for (size_t i = 0; i < count; i++) {
		err = is_layout(paths[i]) ? check_layout_file(t, paths[i], &differences)
					  : check_symbol_file(t, paths[i], &differences);
		if (err)
			return fail(err);
	}
	fprintf(stderr, "mktable: %zu files, %zu answers each, %zu differences\n", count,
		t->num_names + profile_num_globals, differences);
	return differences != 0;
}

static int run(struct table *t, int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--markdown") == 0) {
		print_markdown();
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--kernels") == 0)
		return print_kernel_versions(t, argv[2]);
	if (argc < 3) {
		fprintf(stderr, "usage: mktable VERSIONS LAYOUT... ISF... > builtin_table.inc\n"
				"       mktable --check LAYOUT... ISF...\n"
				"       mktable --kernels kphdyn.xml > kernel_versions.inc\n"
				"       mktable --markdown\n");
		return 2;
	}
	collect_names(t);
	if (strcmp(argv[1], "--check") == 0)
		return check(t, argv + 2, (size_t)argc - 2);
	read_versions(t, argv[1]);
	return generate(t, argv + 2, (size_t)argc - 2);
}

int main(int argc, char **argv)
{
	struct table table = { 0 };
	int status;

	arena_init(&table.arena, 0);
	status = run(&table, argc, argv);
	arena_deinit(&table.arena);
	return status;
}
