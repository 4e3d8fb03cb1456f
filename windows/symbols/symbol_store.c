/* SPDX-License-Identifier: MIT */
#include "windows/symbols/symbol_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cache_folder.h"
#include "windows/symbols/symbol_cache.h"
#include "windows/symbols/symbol_file.h"

static const char added_kind[] = "store";

static void free_string(char **s)
{
	free(*s);
}

static void source_cleanup(struct profile_source **src)
{
	if (*src)
		(*src)->ops->destroy(*src);
}

char *symbol_store_default_folder(struct arena *a)
{
	return cache_folder_default(a, "symbols");
}

char *symbol_store_path(const struct symbol_store *store, const uint8_t guid[16], uint32_t age)
{
	char text[GUID_TEXT_SIZE], *path;

	guid_format(guid, text);
	return asprintf(&path, "%s/%s-%u.sym", store->folder, text, age) < 0 ? NULL : path;
}

static struct error *keep(const struct profile_source *src, const struct symbol_origin *origin,
			  const char *path)
{
	uint8_t *bytes;
	size_t len;
	struct error *err = symbol_cache_write(src, origin, &bytes, &len);

	if (err)
		return err;
	err = cache_file_write(path, bytes, len);
	free(bytes);
	return err;
}

/* Files that were read. */

/* Failing to keep it costs time only, and takes nothing from the answer. */
static void keep_read(const struct symbol_store *store, const struct profile_source *src,
		      const struct symbol_origin *origin, const char *path, struct diag *diag)
{
	CLEANUP(free_string) char *folder = NULL;
	struct error *err;

	if (asprintf(&folder, "%s/read", store->folder) < 0) {
		folder = NULL;
		return;
	}
	cache_folder_make_room(folder, SYMBOL_STORE_MAX_READ);
	err = keep(src, origin, path);
	if (err && store->verbose)
		diag_note(diag, "symbols are not kept: %s", error_message(err));
	error_destroy(err);
}

/* *ret is NULL if it is not there, or not of this content. */
static void find_read(const struct symbol_store *store, const struct symbol_origin *origin,
		      const char *path, const char *kind, struct diag *diag,
		      struct profile_source **ret)
{
	CLEANUP(source_cleanup) struct profile_source *src = NULL;
	struct error *err = symbol_cache_open(path, kind, &src);
	struct symbol_origin found;

	if (err) {
		if (store->verbose && error_code(err) != ERROR_OS)
			diag_note(diag, "%s", error_message(err));
		error_destroy(err);
		return;
	}
	found = symbol_cache_origin(src);
	if (found.size == origin->size && found.checksum == origin->checksum)
		*ret = take_ptr(src);
}

static struct error *open_slow(const struct symbol_store *store, const struct symbol_reader *reader,
			       const struct file *file, struct diag *diag,
			       struct profile_source **ret)
{
	const struct symbol_origin origin = { file->size,
					      symbol_checksum(file->bytes, file->size) };
	CLEANUP(free_string) char *path = NULL;
	struct error *err;

	if (asprintf(&path, "%s/read/%llx-%016llx.sym", store->folder,
		     (unsigned long long)origin.size, (unsigned long long)origin.checksum) < 0) {
		path = NULL;
		return &error_no_memory;
	}
	*ret = NULL;
	find_read(store, &origin, path, reader->kind, diag, ret);
	if (*ret)
		return NULL;
	if ((err = reader->open(file->path, ret)))
		return err;
	keep_read(store, *ret, &origin, path, diag);
	return NULL;
}

struct error *symbol_store_open_file(const struct symbol_store *store, const char *path,
				     struct diag *diag, struct profile_source **ret)
{
	const struct symbol_reader *reader = NULL;
	struct file file;
	struct error *err = file_open(&file, path);

	if (err)
		return err;
	err = symbol_file_reader(&file, &reader);
	if (!err && store && reader->slow)
		err = open_slow(store, reader, &file, diag, ret);
	else if (!err)
		err = reader->open(path, ret);
	file_close(&file);
	return err;
}

/* Files that were added. */

struct error *symbol_store_find(const struct symbol_store *store, const struct profile_key *key,
				struct diag *diag, struct profile_source **ret)
{
	CLEANUP(source_cleanup) struct profile_source *src = NULL;
	CLEANUP(free_string) char *path = NULL;
	const struct symbol_identity *id;
	struct error *err;

	*ret = NULL;
	if (!key->has_guid)
		return NULL;
	path = symbol_store_path(store, key->guid, key->age);
	if (!path)
		return &error_no_memory;
	err = symbol_cache_open(path, added_kind, &src);
	if (err) {
		if (error_code(err) != ERROR_OS)
			diag_note(diag, "not used: %s", error_message(err));
		error_destroy(err);
		return NULL;
	}
	id = src->ops->identity(src);
	if (id->age != key->age || memcmp(id->guid, key->guid, sizeof(id->guid)) != 0)
		diag_note(diag, "not used: %s: symbols of another kernel than its name says", path);
	else
		*ret = take_ptr(src);
	return NULL;
}

struct error *symbol_store_add(const struct symbol_store *store, const char *path,
			       struct profile_source **ret)
{
	CLEANUP(source_cleanup) struct profile_source *src = NULL;
	CLEANUP(free_string) char *target = NULL;
	const struct symbol_reader *reader = NULL;
	const struct symbol_identity *id;
	struct symbol_origin origin;
	struct file file;
	struct error *err = file_open(&file, path);

	if (err)
		return err;
	origin = (struct symbol_origin){ file.size, symbol_checksum(file.bytes, file.size) };
	err = symbol_file_reader(&file, &reader);
	file_close(&file);
	if (err || (err = reader->open(path, &src)))
		return err;
	id = src->ops->identity(src);
	target = symbol_store_path(store, id->guid, id->age);
	if (!target)
		return &error_no_memory;
	if ((err = keep(src, &origin, target)))
		return err;
	return symbol_cache_open(target, added_kind, ret);
}
