/* SPDX-License-Identifier: MIT */
#include "windows/symbols/symbol_path.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "windows/symbols/symbol_store.h"

/* Names that kernels' PDBs have; ntkrla57 is the one with 5-level paging. */
static const char *const pdb_names[] = { "ntkrnlmp.pdb", "ntoskrnl.pdb", "ntkrla57.pdb",
					 "ntkrnlpa.pdb", "ntkrpamp.pdb" };

/* Is the file for the kernel of key? *exact says whether that could be told. */
static struct error *check_identity(const char *path, const struct symbol_identity *id,
				    const struct symbol_request *request, bool *exact)
{
	const struct profile_key *key = request->key;
	char theirs[GUID_TEXT_SIZE], ours[GUID_TEXT_SIZE];

	guid_format(id->guid, theirs);
	guid_format(key->guid, ours);
	*exact = key->has_guid;
	if (!key->has_guid)
		diag_note(request->diag,
			  "%s: the kernel's GUID is unknown: cannot tell whether the symbols of "
			  "%.64s %s-%u are its own",
			  path, id->pdb_name, theirs, id->age);
	else if (memcmp(id->guid, key->guid, sizeof(key->guid)) != 0)
		return error_new(ERROR_UNSUPPORTED,
				 "%s: symbols of %.64s %s-%u, but the kernel is %s-%u", path,
				 id->pdb_name, theirs, id->age, ours, key->age);
	else if (id->age != key->age)
		diag_note(request->diag, "%s: age %u of GUID %s, the kernel's is %u", path, id->age,
			  theirs, key->age);
	return NULL;
}

/* Takes path. */
static struct error *open_file(char *path, const struct symbol_request *request,
			       struct symbol_match *ret)
{
	struct symbol_match match = { .path = path };
	struct error *err =
		symbol_store_open_file(request->store, path, request->diag, &match.source);

	if (!err) {
		err = check_identity(path, match.source->ops->identity(match.source), request,
				     &match.exact);
		if (err)
			match.source->ops->destroy(match.source);
	}
	if (err) {
		free(path);
		return err;
	}
	*ret = match;
	return NULL;
}

/* Sets *found to the path if there is such a file, else to NULL. */
PRINTF(2, 3) static struct error *probe(char **found, const char *fmt, ...)
{
	va_list args;
	char *path;
	int n;

	*found = NULL;
	va_start(args, fmt);
	n = vasprintf(&path, fmt, args);
	va_end(args);
	if (n < 0)
		return &error_no_memory;
	if (access(path, F_OK) == 0)
		*found = path;
	else
		free(path);
	return NULL;
}

/* The kernel's file in a folder that has files of this PDB name. */
static struct error *find_in_folder(const char *folder, const char *pdb_name,
				    const struct profile_key *key, char **found)
{
	static const char *const suffixes[] = { "json.xz", "json" };
	char guid[GUID_TEXT_SIZE];
	struct error *err;

	guid_format(key->guid, guid);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		err = probe(found, "%s/%s-%u.%s", folder, guid, key->age, suffixes[i]);
		if (err || *found)
			return err;
	}
	err = probe(found, "%s/%s%X/%s", folder, guid, key->age, pdb_name);
	if (err || *found)
		return err;
	/* ntkrnlmp.pd_, as symbol servers compress it: found to be named in an error. */
	return probe(found, "%s/%s%X/%.*s_", folder, guid, key->age, (int)strlen(pdb_name) - 1,
		     pdb_name);
}

/* The kernel's file in a tree; *found is NULL when there is none. */
static struct error *find_in_tree(const char *tree, const struct profile_key *key, char **found)
{
	/* The tree itself is such a folder, or holds them. */
	static const struct {
		const char *between;
		bool has_name;
	} levels[] = { { "", false }, { "/", true }, { "/windows/", true } };
	size_t num_names = ARRAY_SIZE(pdb_names);

	for (size_t i = 0; i < ARRAY_SIZE(levels) * num_names; i++) {
		const char *name = pdb_names[i % num_names];
		struct error *err;
		char *folder;

		if (asprintf(&folder, "%s%s%s", tree, levels[i / num_names].between,
			     levels[i / num_names].has_name ? name : "") < 0)
			return &error_no_memory;
		err = find_in_folder(folder, name, key, found);
		free(folder);
		if (err || *found)
			return err;
	}
	return NULL;
}

static struct error *open_tree(const char *path, const struct symbol_request *request,
			       struct symbol_match *ret)
{
	const struct profile_key *key = request->key;
	char guid[GUID_TEXT_SIZE], *found = NULL;
	struct error *err;

	if (!key->has_guid) {
		diag_note(request->diag, "%s: the kernel's GUID is unknown: nothing to look for",
			  path);
		return NULL;
	}
	if ((err = find_in_tree(path, key, &found)))
		return err;
	if (found)
		return open_file(found, request, ret);
	guid_format(key->guid, guid);
	diag_note(request->diag, "%s: no symbols for the kernel %s-%u", path, guid, key->age);
	return NULL;
}

struct error *symbol_path_open(const char *path, const struct symbol_request *request,
			       struct symbol_match *ret)
{
	struct stat st;
	char *copy;

	*ret = (struct symbol_match){ 0 };
	if (stat(path, &st))
		return error_os(errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return open_tree(path, request, ret);
	copy = strdup(path);
	return copy ? open_file(copy, request, ret) : &error_no_memory;
}
