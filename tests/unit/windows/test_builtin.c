/* SPDX-License-Identifier: MIT */
#include "windows/builtin.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "windows/fields.h"
#include "windows/isf.h"

static const struct field_row rows[] = { ALL_FIELDS(FIELD_ROW_) };

/* Calls fn for each alternative of each row, and with path "" for each type. */
static void each_field(void (*fn)(void *arg, const char *type, const char *path), void *arg)
{
	char types[1024], paths[4096], *save_type, *save_path;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(types, sizeof(types), "%s", rows[i].type);
		for (char *type = strtok_r(types, "|", &save_type); type;
		     type = strtok_r(NULL, "|", &save_type)) {
			fn(arg, type, "");
			snprintf(paths, sizeof(paths), "%s", rows[i].name);
			for (char *path = strtok_r(paths, "|", &save_path); path;
			     path = strtok_r(NULL, "|", &save_path))
				fn(arg, type, path);
		}
	}
}

static void expect_known(void *arg, const char *type, const char *path)
{
	(void)arg;
	cr_expect(builtin_has_field(type, path), "%s.%s: generate the table again", type, path);
}

Test(builtin, table_knows_every_row_and_global)
{
	each_field(expect_known, NULL);
	for (size_t i = 0; i < profile_num_globals; i++)
		cr_expect(builtin_has_global(profile_globals[i]), "%s: generate the table again",
			  profile_globals[i]);
	cr_expect_not(builtin_has_field("_EPROCESS", "NoSuchField"));
	cr_expect_not(builtin_has_global("NoSuchGlobal"));
}

Test(builtin, kernels_are_sorted_and_found)
{
	size_t n = builtin_num_kernels();

	cr_assert_geq(n, 213);
	for (size_t i = 0; i < n; i++) {
		const struct builtin_kernel *k = builtin_kernel_at(i);

		cr_expect_eq(builtin_find(k->guid, k->age), k);
		cr_expect_null(builtin_find(k->guid, k->age + 1));
		cr_expect(k->build >= 7601 && k->build <= builtin_nearest(k->build)->build);
		cr_expect(i == 0 || memcmp(builtin_kernel_at(i - 1)->guid, k->guid, 16) < 0);
	}
}

Test(builtin, nearest_build)
{
	static const struct {
		uint32_t build, nearest, revision;
	} cases[] = {
		{ 1, 7601, 24540 },	{ 7601, 7601, 24540 },	     { 9599, 7601, 24540 },
		{ 9600, 9600, 21620 },	{ 10240, 9600, 21620 },	     { 18363, 18362, 836 },
		{ 19045, 19041, 3570 }, { 20348, 20348, 2529 },	     { 22000, 22000, 2538 },
		{ 26100, 22000, 2538 }, { UINT32_MAX, 22000, 2538 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct builtin_kernel *k = builtin_nearest(cases[i].build);

		cr_expect(k->build == cases[i].nearest && k->revision == cases[i].revision,
			  "%u: %u.%u", cases[i].build, k->build, k->revision);
	}
}

struct comparison {
	const struct profile_source *isf, *builtin;
	unsigned present;
};

static void expect_same_field(void *arg, const char *type, const char *path)
{
	struct comparison *c = arg;
	struct field a = { 0 }, b = { 0 };

	if (*path) {
		a.present = c->isf->ops->field(c->isf, type, path, &a);
		b.present = c->builtin->ops->field(c->builtin, type, path, &b);
	} else {
		a.present = c->isf->ops->type_size(c->isf, type, &a.size);
		b.present = c->builtin->ops->type_size(c->builtin, type, &b.size);
	}
	cr_expect(a.present == b.present && a.offset == b.offset && a.size == b.size &&
			  a.bit_pos == b.bit_pos && a.bit_size == b.bit_size,
		  "%s.%s", type, path);
	c->present += a.present;
}

static void expect_same_symbol(struct comparison *c, const char *name)
{
	uint64_t a = UINT64_MAX, b = UINT64_MAX;

	cr_expect_eq(c->isf->ops->symbol(c->isf, name, &a),
		     c->builtin->ops->symbol(c->builtin, name, &b), "%s", name);
	cr_expect_eq(a, b, "%s", name);
}

static void compare_kernel(const char *path)
{
	const struct builtin_kernel *kernel;
	struct profile_source *isf, *builtin;
	struct comparison c = { 0 };

	cr_assert_null(isf_open(path, &isf));
	kernel = builtin_find(isf_identity(isf)->guid, isf_identity(isf)->age);
	cr_assert_not_null(kernel, "%s", path);
	cr_assert_null(builtin_open(kernel, &builtin));
	c.isf = isf;
	c.builtin = builtin;
	each_field(expect_same_field, &c);
	for (size_t i = 0; i < profile_num_globals; i++)
		expect_same_symbol(&c, profile_globals[i]);
	cr_expect_gt(c.present, 400, "%s: %u fields", path, c.present);
	builtin->ops->destroy(builtin);
	isf->ops->destroy(isf);
}

Test(builtin, answers_as_the_symbol_files_do, .timeout = 120)
{
	glob_t files;

	if (glob(SHARED_DIR "/images/windows-like/isf/*.json.xz", 0, NULL, &files)) {
		cr_skip_test("%s is not here", SHARED_DIR "/images/windows-like/isf");
		return;
	}
	for (size_t i = 0; i < files.gl_pathc; i++)
		compare_kernel(files.gl_pathv[i]);
	globfree(&files);
}
