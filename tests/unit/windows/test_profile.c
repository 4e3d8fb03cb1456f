/* SPDX-License-Identifier: MIT */
#include "windows/profile.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "isf_fixture.h"
#include "pdb_builder.h"
#include "windows/symbols/builtin.h"

/* The kernel that the fixture's symbols are of. */
static const struct profile_key fixture_key = {
	.has_guid = true,
	.guid = { 0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd, 0x01, 0x23, 0x45, 0x67, 0x89,
		  0xab, 0xcd, 0xef },
	.age = 2,
	.pdb_name = "ntkrnlmp",
};

static char folder[] = P_tmpdir "/test_profile.XXXXXX";
static char last_note[512];

static void remember(void *arg, enum diag_kind kind, const char *message)
{
	(void)arg;
	cr_expect_eq(kind, DIAG_NOTE);
	snprintf(last_note, sizeof(last_note), "%s", message);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static void teardown(void)
{
	nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(profile, .init = setup, .fini = teardown);

/* A path below the test's folder, valid until the next call but one. */
static const char *below(const char *name)
{
	static char paths[2][512];
	static unsigned turn;

	turn = !turn;
	snprintf(paths[turn], sizeof(paths[turn]), "%s/%s", folder, name);
	return paths[turn];
}

/* Writes bytes to a file below the folder and makes the folders on the way. */
static void put(const char *name, const void *bytes, size_t len)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s", below(name));
	for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	f = fopen(path, "w");
	cr_assert_not_null(f);
	cr_assert_eq(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void put_fixture(const char *name)
{
	char json[FIXTURE_MAX];

	put(name, json, fixture_json(FIXTURE_JSON, json));
}

static struct error *open_with(const struct profile_key *key, const char *symbols, bool no_builtin,
			       struct profile **ret)
{
	const struct profile_options options = { .symbols = &symbols,
						 .num_symbols = symbols ? 1 : 0,
						 .no_builtin = no_builtin };
	struct diag diag;

	last_note[0] = '\0';
	diag_init(&diag, remember, NULL);
	return profile_open(key, &options, &diag, ret);
}

static struct profile *must_open(const struct profile_key *key, const char *symbols)
{
	struct profile *p = NULL;
	struct error *err = open_with(key, symbols, false, &p);

	cr_assert_null(err, "%s: %s", symbols ? symbols : "-", err ? error_message(err) : "");
	return p;
}

static void expect_error(const struct profile_key *key, const char *symbols, enum error_code code,
			 const char *part)
{
	struct profile *p = NULL;
	struct error *err = open_with(key, symbols, true, &p);

	cr_assert_not_null(err, "%s", symbols ? symbols : "-");
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect(strstr(error_message(err), part), "%s", error_message(err));
	error_destroy(err);
}

static void expect_fixture(struct profile *p, const char *file)
{
	char description[600];
	uint64_t rva = 0;

	snprintf(description, sizeof(description), "isf:%s", below(file));
	cr_expect_str_eq(profile_description(p), description);
	cr_expect(profile_is_exact(p));
	cr_expect(profile_symbol(p, "Head", &rva) && rva == 4096);
	profile_close(p);
}

Test(profile, file_given)
{
	put_fixture("any name");
	expect_fixture(must_open(&fixture_key, below("any name")), "any name");
	cr_expect_str_empty(last_note);
}

Test(profile, volatility_tree_at_each_level)
{
	static const char file[] = "t/windows/ntkrnlmp.pdb/" FIXTURE_GUID_TEXT "-2.json";

	put_fixture(file);
	expect_fixture(must_open(&fixture_key, below("t")), file);
	expect_fixture(must_open(&fixture_key, below("t/windows")), file);
	expect_fixture(must_open(&fixture_key, below("t/windows/ntkrnlmp.pdb")), file);
}

Test(profile, tree_prefers_nothing_by_hostile_name)
{
	struct profile_key key = fixture_key;

	key.pdb_name = "../../etc/passwd";
	put_fixture("t/ntkrla57.pdb/" FIXTURE_GUID_TEXT "-2.json.xz"); /* content decides */
	expect_fixture(must_open(&key, below("t")),
		       "t/ntkrla57.pdb/" FIXTURE_GUID_TEXT "-2.json.xz");
}

Test(profile, pdb_in_a_symbol_store_is_found)
{
	static const char pdb[64] = "Microsoft C/C++ MSF 7.00\r\n\x1a"
				    "DS";
	static const char file[] = "s/ntkrnlmp.pdb/" FIXTURE_GUID_TEXT "2/ntkrnlmp.pdb";

	put(file, pdb, sizeof(pdb));
	expect_error(&fixture_key, below("s"), ERROR_CORRUPT, file);
	expect_error(&fixture_key, below("s/ntkrnlmp.pdb"), ERROR_CORRUPT, "MSF superblock");
	expect_error(&fixture_key, below(file), ERROR_CORRUPT, "MSF superblock");
}

Test(profile, compressed_pdb_in_a_symbol_store_is_named)
{
	static const char file[] = "s/ntkrnlmp.pdb/" FIXTURE_GUID_TEXT "2/ntkrnlmp.pd_";

	put(file, "MSCF\0\0\0\0", 8);
	expect_error(&fixture_key, below("s"), ERROR_UNSUPPORTED, "ntkrnlmp.pd_: ");
	expect_error(&fixture_key, below("s"), ERROR_UNSUPPORTED, "cabinet");
}

/* A PDB of the fixture's kernel that has a symbol and no types. */
static void put_bare_pdb(const char *name)
{
	static struct bytes streams[BUILDER_STREAMS], file;

	memset(streams, 0, sizeof(streams));
	put_info(&streams[AT_INFO]);
	put_dbi(&streams[AT_DBI], 0x8664, false);
	put_symbol(&streams[AT_SYMBOLS], 0x110e, 1, 0x10, "Tail");
	put_section(&streams[AT_SECTIONS], 0x1000);
	build_msf(&file, streams, BUILDER_STREAMS);
	put(name, file.at, file.len);
}

Test(profile, pdb_without_types_has_layouts_of_the_next_source)
{
	struct profile_key key = fixture_key;
	struct profile *p;
	struct field f;
	uint64_t rva;
	bool exact;

	put_bare_pdb("s/ntkrnlmp.pdb/" FIXTURE_GUID_TEXT "2/ntkrnlmp.pdb");
	key.build = 19041;
	p = must_open(&key, below("s"));
	cr_expect(strncmp(profile_description(p), "pdb:", 4) == 0);
	cr_expect_not(profile_is_exact(p), "the layout is not");
	cr_expect(strstr(last_note, "19041"), "%s", last_note);
	cr_expect(profile_symbol(p, "Tail", &rva) && rva == 0x1010);
	cr_expect_not(profile_symbol(p, "PsActiveProcessHead", &rva), "of a guess");
	cr_expect(profile_field(p, "_EPROCESS", "UniqueProcessId", &f));
	cr_assert_eq(profile_num_sources(p), 2);
	cr_expect_str_eq(profile_source_at(p, 0, &exact)->ops->kind, "pdb");
	cr_expect(exact);
	cr_expect_str_eq(profile_source_at(p, 1, &exact)->ops->kind, "builtin");
	cr_expect_not(exact);
	profile_close(p);
}

Test(profile, files_of_other_content)
{
	put("gz", "\x1f\x8b\x08", 3);
	put("text", "hello", 5);
	put("empty", "", 0);
	put("json", "{", 1);
	expect_error(&fixture_key, below("gz"), ERROR_UNSUPPORTED, "gzip");
	expect_error(&fixture_key, below("text"), ERROR_UNSUPPORTED, "not a symbol file");
	expect_error(&fixture_key, below("empty"), ERROR_UNSUPPORTED, "not a symbol file");
	expect_error(&fixture_key, below("json"), ERROR_CORRUPT, "json: JSON");
	expect_error(&fixture_key, below("missing"), ERROR_OS, "missing");
}

Test(profile, file_for_another_kernel_names_both)
{
	struct profile_key key = fixture_key;

	key.guid[0] ^= 1;
	put_fixture("f");
	expect_error(&key, below("f"), ERROR_UNSUPPORTED, FIXTURE_GUID_TEXT "-2");
	expect_error(&key, below("f"), ERROR_UNSUPPORTED, "01234566");
}

Test(profile, other_age_is_a_note)
{
	struct profile_key key = fixture_key;

	key.age = 7;
	put_fixture("f");
	expect_fixture(must_open(&key, below("f")), "f");
	cr_expect(strstr(last_note, "age 2"), "%s", last_note);
}

Test(profile, unknown_guid_takes_a_file_unchecked)
{
	struct profile_key key = { .build = 19041 };
	struct profile *p;
	uint64_t rva;

	put_fixture("f");
	p = must_open(&key, below("f"));
	cr_expect(strstr(last_note, "GUID is unknown"), "%s", last_note);
	cr_expect_not(profile_is_exact(p));
	cr_expect_not(profile_symbol(p, "Head", &rva));
	cr_expect_eq(profile_build(p), 19041);
	profile_close(p);
}

Test(profile, tree_without_the_kernel_is_a_note)
{
	struct profile_key key = fixture_key;
	struct profile *p;

	key.build = 19041;
	p = must_open(&key, folder);
	cr_expect_str_eq(profile_description(p), "builtin:build 19041");
	profile_close(p);
	expect_error(&fixture_key, folder, ERROR_NOT_FOUND, "GUID " FIXTURE_GUID_TEXT);
	cr_expect(strstr(last_note, FIXTURE_GUID_TEXT "-2"), "%s", last_note);
}

Test(profile, nothing_known)
{
	struct profile_key key = { .has_guid = false };

	expect_error(&key, NULL, ERROR_NOT_FOUND, "build unknown");
	expect_error(&fixture_key, NULL, ERROR_NOT_FOUND, "not to be used");
}

static struct profile_key key_of_19041_1526(void)
{
	struct profile_key key = { .has_guid = true };

	for (size_t i = 0; i < builtin_num_kernels(); i++) {
		const struct builtin_kernel *k = builtin_kernel_at(i);

		if (k->build != 19041 || k->revision != 1526)
			continue;
		memcpy(key.guid, k->guid, sizeof(key.guid));
		key.age = k->age;
	}
	return key;
}

Test(profile, builtin_exact)
{
	struct profile_key key = key_of_19041_1526();
	struct profile *p = must_open(&key, NULL);
	struct field f;
	uint64_t rva;
	uint32_t size;

	cr_expect_str_eq(profile_description(p), "builtin:exact");
	cr_expect_str_eq(profile_version(p), "10.0.19041.1526");
	cr_expect_eq(profile_build(p), 19041);
	cr_expect(profile_is_exact(p));
	cr_expect(profile_field(p, "_EPROCESS", "ActiveProcessLinks", &f) && f.offset == 1096);
	cr_expect(profile_type_size(p, "_MMPTE_SOFTWARE", &size) && size == 8);
	cr_expect(profile_symbol(p, "PsActiveProcessHead", &rva));
	cr_expect_str_empty(last_note);
	profile_close(p);
}

/* A folder of files by GUID and age, as Volatility has it for one PDB name. */
Test(profile, real_symbol_file_comes_before_the_table)
{
	static const char real[] = SHARED_DIR "/images/windows-like/isf";
	struct profile_key key = key_of_19041_1526();
	struct profile *p;
	struct field f;
	uint32_t size;

	if (access(real, F_OK)) {
		cr_skip_test("%s is not here", real);
		return;
	}
	p = must_open(&key, real);
	cr_expect(strncmp(profile_description(p), "isf:", 4) == 0);
	cr_expect(strstr(profile_description(p), "9C00B19DBDE003DBFE4AB4216993C843-1.json.xz"));
	cr_expect(profile_is_exact(p));
	cr_expect_str_eq(profile_version(p), "10.0.19041.1526");
	cr_expect(profile_type_size(p, "_ACL", &size), "not in the table");
	cr_expect(profile_field(p, "_MMVAD_SHORT", "VadFlags.Protection", &f));
	cr_expect(f.offset == 48 && f.bit_pos == 7 && f.bit_size == 5);
	profile_close(p);
}

Test(profile, builtin_nearest_has_no_symbols)
{
	struct profile_key key = { .build = 18300 };
	struct profile *p = must_open(&key, NULL);
	struct field f;
	uint64_t rva;

	cr_expect_str_eq(profile_description(p), "builtin:nearest 17763");
	cr_expect(strstr(last_note, "nearest build"), "%s", last_note);
	cr_expect_eq(profile_build(p), 17763);
	cr_expect_null(profile_version(p));
	cr_expect_not(profile_is_exact(p));
	cr_expect(profile_field(p, "_EPROCESS", "UniqueProcessId", &f));
	cr_expect_not(profile_symbol(p, "PsActiveProcessHead", &rva));
	profile_close(p);
}

Test(profile, a_guess_never_completes_what_was_given)
{
	struct profile_key key = fixture_key;
	struct profile *p;
	struct field f;

	key.build = 19041;
	put_fixture("f");
	p = must_open(&key, below("f"));
	cr_expect(profile_field(p, "_ITEM", "Id", &f));
	cr_expect_not(profile_field(p, "_EPROCESS", "UniqueProcessId", &f));
	profile_close(p);
}

Test(profile, alternatives_in_order)
{
	struct profile *p;
	struct field f;

	put_fixture("f");
	p = must_open(&fixture_key, below("f"));
	cr_expect(profile_field(p, "_OTHER|_ITEM", "Nope|Next|Id", &f) && f.offset == 8);
	cr_expect(profile_field(p, "_IN|_ITEM", "Id|Low", &f) && f.offset == 2,
		  "all names of the first type first");
	cr_expect_not(profile_field(p, "_ITEM", "", &f));
	cr_expect_not(profile_field(p, "", "Id", &f));
	profile_close(p);
}

Test(profile, bind_lists_every_missing_field)
{
	static const struct field_row rows[] = {
		{ "_ITEM", "Id", REQUIRED },	     { "_ITEM", "Gone", REQUIRED },
		{ "_ITEM", "Perhaps", OPTIONAL },    { "_A|_B", "C|D.E", REQUIRED },
		{ "_ITEM", "Flags.Bits", OPTIONAL },
	};
	struct field fields[ARRAY_SIZE(rows)];
	struct profile *p;
	struct error *err;

	put_fixture("f");
	p = must_open(&fixture_key, below("f"));
	err = profile_bind(p, rows, ARRAY_SIZE(rows), fields);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_NOT_FOUND);
	cr_expect(strstr(error_message(err), "fields: _ITEM.Gone, _A|_B.C|D.E"), "%s",
		  error_message(err));
	error_destroy(err);
	cr_expect(fields[0].present && !fields[1].present && !fields[2].present);
	cr_expect(fields[4].present && fields[4].bit_size == 5);
	cr_assert_null(profile_bind(p, rows, 1, fields));
	profile_close(p);
}
