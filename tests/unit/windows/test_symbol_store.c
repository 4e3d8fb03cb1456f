/* SPDX-License-Identifier: MIT */
#include "windows/symbols/symbol_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isf_fixture.h"
#include "windows/symbols/symbol_cache.h"
#include "windows/symbols/type_info.h"

enum { MAX_PATH = 512, ADDERS = 4, ADDS = 20 };

static char folder[MAX_PATH], store_folder[MAX_PATH], isf_path[MAX_PATH], added_path[MAX_PATH];
static struct symbol_store store = { .folder = store_folder, .verbose = true };
static char last_note[1024];

static void put_file(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fwrite(bytes, 1, len, f) == len && fclose(f) == 0, "%s", path);
}

static void set_up(void)
{
	char json[FIXTURE_MAX];
	size_t len = fixture_json(FIXTURE_JSON, json);

	snprintf(folder, sizeof(folder), "%s/ntscope-store.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(store_folder, sizeof(store_folder), "%.300s/not/yet/there", folder);
	snprintf(isf_path, sizeof(isf_path), "%.300s/kernel.json", folder);
	snprintf(added_path, sizeof(added_path), "%.400s/" FIXTURE_GUID_TEXT "-2.sym",
		 store_folder);
	put_file(isf_path, json, len);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void tear_down(void)
{
	nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(symbol_store, .init = set_up, .fini = tear_down);

static void remember(void *arg, enum diag_kind kind, const char *message)
{
	(void)arg;
	cr_expect_eq(kind, DIAG_NOTE, "%s", message);
	snprintf(last_note, sizeof(last_note), "%s", message);
}

static struct profile_key fixture_key(void)
{
	static const uint8_t guid[16] = { 0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd,
					  0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	struct profile_key key = { .has_guid = true, .age = 2 };

	memcpy(key.guid, guid, sizeof(guid));
	return key;
}

static struct profile_source *find(const struct profile_key *key)
{
	struct profile_source *src = NULL;
	struct diag diag;

	last_note[0] = '\0';
	diag_init(&diag, remember, NULL);
	cr_assert_null(symbol_store_find(&store, key, &diag, &src));
	return src;
}

static void add(void)
{
	struct profile_source *src = NULL;
	struct error *err = symbol_store_add(&store, isf_path, &src);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	src->ops->destroy(src);
}

/* The kind of the source that --symbols opens; all sources must answer alike. */
static bool is_from_cache(const struct symbol_store *from)
{
	struct profile_source *src = NULL;
	struct field field;
	struct diag diag;
	bool cached;

	last_note[0] = '\0';
	diag_init(&diag, remember, NULL);
	cr_assert_null(symbol_store_open_file(from, isf_path, &diag, &src));
	cr_expect_str_eq(src->ops->kind, "isf");
	cr_expect(src->ops->field(src, "_ITEM", "Name", &field) && field.offset == 16);
	cr_expect_eq(src->ops->identity(src)->age, 2);
	cached = src->ops->identity != isf_identity;
	src->ops->destroy(src);
	return cached;
}

static size_t count_files(const char *path, char *last_ret)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		if (last_ret)
			snprintf(last_ret, MAX_PATH, "%.200s/%.200s", path, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return count;
}

static void flip_byte(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	cr_assert(fd >= 0 && pread(fd, &byte, 1, at) == 1);
	byte ^= 0xff;
	cr_assert(pwrite(fd, &byte, 1, at) == 1);
	close(fd);
}

Test(symbol_store, adds_and_finds_by_guid_and_age)
{
	struct profile_key key = fixture_key();
	struct profile_source *src = find(&key);
	uint64_t rva;

	cr_expect_null(src);
	cr_expect_str_empty(last_note);
	add();
	cr_expect_eq(access(added_path, R_OK), 0);
	cr_expect_eq(count_files(store_folder, NULL), 1);
	src = find(&key);
	cr_assert_not_null(src);
	cr_expect_str_eq(src->ops->kind, "store");
	cr_expect(src->ops->symbol(src, "Head", &rva) && rva == 4096);
	src->ops->destroy(src);
	key.age++;
	cr_expect_null(find(&key));
	key.age--;
	key.guid[15]++;
	cr_expect_null(find(&key));
	key.has_guid = false;
	cr_expect_null(find(&key));
}

Test(symbol_store, what_is_damaged_is_not_there)
{
	const struct profile_key key = fixture_key();
	struct profile_source *src;
	char other[MAX_PATH];

	add();
	flip_byte(added_path, 100);
	cr_expect_null(find(&key));
	cr_expect(strstr(last_note, added_path) && strstr(last_note, "checksum"), "%s", last_note);
	put_file(added_path, "", 0);
	cr_expect_null(find(&key));
	add();
	src = find(&key);
	cr_assert_not_null(src);
	src->ops->destroy(src);
	/* under the name of another kernel */
	snprintf(other, sizeof(other), "%.400s/" FIXTURE_GUID_TEXT "-3.sym", store_folder);
	cr_assert_eq(rename(added_path, other), 0);
	cr_expect_null(find(&(struct profile_key){ .has_guid = true,
						   .age = 3,
						   .guid = { 0x67, 0x45, 0x23, 0x01, 0xab, 0x89,
							     0xef, 0xcd, 0x01, 0x23, 0x45, 0x67,
							     0x89, 0xab, 0xcd, 0xef } }));
	cr_expect(strstr(last_note, "another kernel"), "%s", last_note);
}

Test(symbol_store, errors_name_the_file)
{
	struct profile_source *src = NULL;
	struct error *err;

	put_file(isf_path, "MSCF", 4);
	err = symbol_store_add(&store, isf_path, &src);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_UNSUPPORTED);
	cr_expect(strstr(error_message(err), isf_path), "%s", error_message(err));
	error_destroy(err);
	put_file(isf_path, "{", 1);
	err = symbol_store_add(&store, isf_path, &src);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_CORRUPT);
	error_destroy(err);
	cr_expect_null(src);
	cr_expect_eq(count_files(store_folder, NULL), 0);
}

Test(symbol_store, cannot_be_written)
{
	const struct symbol_store nowhere = { "/dev/null/ntscope", true };
	struct profile_source *src = NULL;
	struct error *err = symbol_store_add(&nowhere, isf_path, &src);

	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_OS);
	cr_expect(strstr(error_message(err), "/dev/null/ntscope"), "%s", error_message(err));
	error_destroy(err);
	cr_expect_not(is_from_cache(&nowhere));
	cr_expect(strstr(last_note, "not kept"), "%s", last_note);
	cr_expect_not(is_from_cache(&(struct symbol_store){ .folder = "/dev/null/ntscope" }));
	cr_expect_str_empty(last_note);
}

Test(symbol_store, slow_files_are_read_once)
{
	char read_folder[MAX_PATH], file[MAX_PATH];

	snprintf(read_folder, sizeof(read_folder), "%.400s/read", store_folder);
	cr_expect_not(is_from_cache(NULL));
	cr_expect_not(is_from_cache(&store));
	cr_expect(is_from_cache(&store));
	cr_expect_str_empty(last_note);
	cr_expect_eq(count_files(read_folder, file), 1);
	/* damaged: read again, and replaced */
	flip_byte(file, 50);
	cr_expect_not(is_from_cache(&store));
	cr_expect(strstr(last_note, "checksum"), "%s", last_note);
	cr_expect(is_from_cache(&store));
	/* not what is found by GUID */
	cr_expect_null(find(&(struct profile_key){ 0 }));
	cr_expect_neq(access(added_path, F_OK), 0);
}

/* The same content elsewhere is found, another content is not. */
Test(symbol_store, content_is_the_key)
{
	char json[FIXTURE_MAX];
	size_t len = fixture_json(FIXTURE_JSON, json);

	cr_expect_not(is_from_cache(&store));
	snprintf(isf_path, sizeof(isf_path), "%.300s/other name", folder);
	put_file(isf_path, json, len);
	cr_expect(is_from_cache(&store));
	*strstr(json, "4096") = '5';
	put_file(isf_path, json, len);
	cr_expect_not(is_from_cache(&store));
}

Test(symbol_store, files_that_were_read_are_few)
{
	char read_folder[MAX_PATH], json[FIXTURE_MAX];
	size_t len = fixture_json(FIXTURE_JSON, json);

	snprintf(read_folder, sizeof(read_folder), "%.400s/read", store_folder);
	for (int i = 0; i < SYMBOL_STORE_MAX_READ + 5; i++) {
		put_file(isf_path, json, len);
		json[len++] = ' ';
		cr_expect_not(is_from_cache(&store));
	}
	cr_expect_eq(count_files(read_folder, NULL), SYMBOL_STORE_MAX_READ);
}

/* Whoever looks while others add sees nothing or all of it. */
Test(symbol_store, many_may_add_at_once)
{
	const struct profile_key key = fixture_key();
	int status;

	for (int i = 0; i < ADDERS; i++) {
		if (fork() != 0)
			continue;
		for (int n = 0; n < ADDS; n++) {
			struct profile_source *src = NULL;

			if (symbol_store_add(&store, isf_path, &src))
				_exit(1);
			src->ops->destroy(src);
		}
		_exit(0);
	}
	for (int n = 0; n < ADDERS * ADDS; n++) {
		struct profile_source *src = find(&key);

		cr_expect_str_empty(last_note);
		if (src)
			src->ops->destroy(src);
	}
	for (int i = 0; i < ADDERS; i++)
		cr_expect(wait(&status) > 0 && status == 0);
	cr_expect_eq(count_files(store_folder, NULL), 1);
}

static void expect_folder(const char *cache, const char *home, const char *want)
{
	const char *got;
	struct arena a;

	if (cache)
		setenv("XDG_CACHE_HOME", cache, 1);
	else
		unsetenv("XDG_CACHE_HOME");
	if (home)
		setenv("HOME", home, 1);
	else
		unsetenv("HOME");
	arena_init(&a, 0);
	got = symbol_store_default_folder(&a);
	if (want)
		cr_expect(got && strcmp(got, want) == 0, "%s; expected %s", got ? got : "-", want);
	else
		cr_expect_null(got);
	arena_deinit(&a);
}

Test(symbol_store, default_folder)
{
	expect_folder("/cache", "/home/me", "/cache/ntscope/symbols");
	expect_folder(NULL, "/home/me", "/home/me/.cache/ntscope/symbols");
	expect_folder("", "/home/me", "/home/me/.cache/ntscope/symbols");
	expect_folder("not/absolute", "/home/me", "/home/me/.cache/ntscope/symbols");
	expect_folder("/cache", NULL, "/cache/ntscope/symbols");
	expect_folder(NULL, NULL, NULL);
	expect_folder("", "", NULL);
}
