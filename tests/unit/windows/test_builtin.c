/* SPDX-License-Identifier: MIT */
#include "windows/symbols/builtin.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "windows/fields.h"
#include "windows/symbols/isf.h"

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
		{ 1, 7601, 24540 },	{ 7601, 7601, 24540 },	 { 9599, 9200, 16384 },
		{ 9600, 9600, 21620 },	{ 10240, 10240, 16384 }, { 10586, 10586, 0 },
		{ 15063, 15063, 0 },	{ 16299, 16299, 15 },	 { 17134, 17134, 1 },
		{ 18363, 18363, 836 },	{ 19045, 19045, 3570 },	 { 20348, 20348, 2529 },
		{ 22000, 22000, 2538 }, { 22621, 22621, 382 },	 { 22631, 22631, 2428 },
		{ 26100, 26100, 0 },	{ 26200, 26200, 0 },	 { UINT32_MAX, 26200, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct builtin_kernel *k = builtin_nearest(cases[i].build);

		cr_expect(k->build == cases[i].nearest && k->revision == cases[i].revision,
			  "%u: %u.%u", cases[i].build, k->build, k->revision);
	}
}

/* What a build's layout says; UINT32_MAX: absent. */
static struct field field_of(const struct builtin_kernel *kernel, const char *type,
			     const char *path)
{
	struct field field = { .offset = UINT32_MAX };
	struct profile_source *src;

	cr_assert_null(builtin_open(kernel, &src));
	src->ops->field(src, type, path, &field);
	src->ops->destroy(src);
	return field;
}

Test(builtin, every_build_has_what_listing_needs)
{
	static const char *const paths[] = { "UniqueProcessId",
					     "ActiveProcessLinks",
					     "ImageFileName",
					     "Pcb.DirectoryTableBase",
					     "ThreadListHead",
					     "InheritedFromUniqueProcessId",
					     "ObjectTable",
					     "VadRoot",
					     "Peb",
					     "CreateTime" };

	cr_assert_geq(builtin_num_builds(), 23);
	for (size_t i = 0; i < builtin_num_builds(); i++) {
		const struct builtin_kernel *k = builtin_build_at(i);

		cr_expect_eq(builtin_nearest(k->build), k);
		cr_expect_gt(builtin_num_fields(k), 2000, "%u", k->build);
		for (size_t j = 0; j < ARRAY_SIZE(paths); j++)
			cr_expect(field_of(k, "_EPROCESS", paths[j]).present, "%u: %s", k->build,
				  paths[j]);
		cr_expect(field_of(k, "_ETHREAD", "Cid.UniqueThread").present);
		cr_expect(field_of(k, "_KTHREAD", "Process").present);
		cr_expect(field_of(k, "_KPRCB", "ProcessorState.ContextFrame").present);
		cr_expect(field_of(k, "_HANDLE_TABLE", "TableCode").present);
		cr_expect(field_of(k, "_LDR_DATA_TABLE_ENTRY", "DllBase").present);
	}
}

/* Offsets that kphdyn.xml of winsiderss/systeminformer gives for these builds independently:
 * EpObjectTable, EpSectionObject, KtInitialStack, MmSectionControlArea, AlpcState. */
Test(builtin, layouts_agree_with_a_second_source)
{
	static const struct {
		uint32_t build, object_table, section_object;
	} cases[] = {
		{ 10240, 0x418, 0x3b8 }, { 10586, 0x418, 0x3b8 }, { 15063, 0x418, 0x3b8 },
		{ 16299, 0x418, 0x3b8 }, { 17134, 0x418, 0x3b8 }, { 22621, 0x570, 0x518 },
		{ 22631, 0x570, 0x518 }, { 26100, 0x300, 0x2a8 }, { 26200, 0x300, 0x2a8 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct builtin_kernel *k = builtin_nearest(cases[i].build);
		uint32_t table = field_of(k, "_EPROCESS", "ObjectTable").offset;
		uint32_t section = field_of(k, "_EPROCESS", "SectionObject").offset;

		cr_expect_eq(k->build, cases[i].build);
		cr_expect_eq(table, cases[i].object_table, "%u: 0x%x", k->build, table);
		cr_expect_eq(section, cases[i].section_object, "%u: 0x%x", k->build, section);
		cr_expect_eq(field_of(k, "_KTHREAD", "InitialStack").offset, 0x28);
		cr_expect_eq(field_of(k, "_KTHREAD", "KernelStack").offset, 0x58);
		cr_expect_eq(field_of(k, "_SECTION", "u1.ControlArea").offset, 0x28);
		cr_expect_eq(field_of(k, "_ALPC_PORT", "u1.State").offset, 0x1a0);
		cr_expect_eq(field_of(k, "_ALPC_PORT", "PortContext").offset, 0x38);
	}
}

Test(builtin, handles_of_the_kernels_for_five_level_paging)
{
	static const uint32_t builds[] = { 20348, 22000, 22621, 22631, 26100, 26200 };

	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		const struct builtin_kernel *k = builtin_nearest_la57(builds[i]);
		const struct builtin_kernel *usual = builtin_nearest(builds[i]);
		struct field pointer = field_of(k, "_HANDLE_TABLE_ENTRY", "ObjectPointerBits");
		struct field attributes = field_of(k, "_HANDLE_TABLE_ENTRY", "Attributes");

		cr_expect(k->la57 && k->build == builds[i] && k->revision == usual->revision);
		cr_expect(!usual->la57);
		cr_expect(pointer.bit_pos == 11 && pointer.bit_size == 53);
		cr_expect(attributes.bit_pos == 8 && attributes.bit_size == 3);
		pointer = field_of(usual, "_HANDLE_TABLE_ENTRY", "ObjectPointerBits");
		cr_expect(pointer.bit_pos == 20 && pointer.bit_size == 44);
		cr_expect_eq(field_of(k, "_EPROCESS", "UniqueProcessId").offset,
			     field_of(usual, "_EPROCESS", "UniqueProcessId").offset);
	}
	cr_expect_eq(builtin_nearest_la57(UINT32_MAX)->build, 26200);
}

Test(builtin, a_layout_without_guid_has_no_symbols)
{
	static const uint8_t zero[16];
	struct profile_source *src;
	uint64_t rva;

	cr_expect_null(builtin_find(zero, 0));
	cr_assert_null(builtin_open(builtin_nearest(26100), &src));
	for (size_t i = 0; i < profile_num_globals; i++)
		cr_expect_not(src->ops->symbol(src, profile_globals[i], &rva));
	src->ops->destroy(src);
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
