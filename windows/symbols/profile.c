/* SPDX-License-Identifier: MIT */
#include "windows/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windows/symbols/builtin.h"
#include "windows/symbols/symbol_path.h"
#include "windows/symbols/symbol_store.h"
#include "windows/symbols/type_info.h"

enum {
	MAX_SYMBOL_PATHS = 64,
	MAX_TYPE_NAME = 256, /* one alternative of a row, its NUL included */
	MAX_FIELD_PATH = 512,
	MAX_MISSING_TEXT = 2048, /* of the list in profile_bind()'s error */
	MAX_VERSION_TEXT = 32,
};

struct layer {
	struct profile_source *source; /* owned */
	bool exact;
};

struct profile {
	/* the user's in order, then the store's, then the table's */
	struct layer layers[MAX_SYMBOL_PATHS + 2];
	size_t num_layers;
	char *description; /* owned */
	uint32_t build;
	char version[MAX_VERSION_TEXT]; /* "": unknown */
};

/* Opening. */

static struct error *describe(struct profile *p, const char *kind, const char *what)
{
	if (p->description)
		return NULL;
	if (asprintf(&p->description, "%s:%s", kind, what) >= 0)
		return NULL;
	p->description = NULL;
	return &error_no_memory;
}

static void add_layer(struct profile *p, struct profile_source *source, bool exact)
{
	p->layers[p->num_layers++] = (struct layer){ source, exact };
}

static struct error *add_symbol_path(struct profile *p, const char *path,
				     const struct symbol_request *request)
{
	struct symbol_match match;
	struct error *err = symbol_path_open(path, request, &match);

	if (err || !match.source)
		return err;
	add_layer(p, match.source, match.exact);
	err = describe(p, match.source->ops->kind, match.path);
	free(match.path);
	return err;
}

/* What the user added once, for every snapshot of this kernel. */
static struct error *add_stored(struct profile *p, const struct symbol_request *request)
{
	char guid[GUID_TEXT_SIZE], what[GUID_TEXT_SIZE + 16];
	struct profile_source *source;
	struct error *err;

	if (!request->store)
		return NULL;
	err = symbol_store_find(request->store, request->key, request->diag, &source);
	if (err || !source)
		return err;
	add_layer(p, source, true);
	guid_format(request->key->guid, guid);
	snprintf(what, sizeof(what), "%s-%u", guid, request->key->age);
	return describe(p, source->ops->kind, what);
}

static struct error *add_builtin(struct profile *p, const struct builtin_kernel *kernel, bool exact,
				 const char *what)
{
	struct profile_source *source;
	struct error *err = builtin_open(kernel, &source);

	if (err)
		return err;
	add_layer(p, source, exact);
	return describe(p, source->ops->kind, what);
}

static const struct layer *first_with_types(const struct profile *p)
{
	for (size_t i = 0; i < p->num_layers; i++)
		if (type_known(p->layers[i].source))
			return &p->layers[i];
	return NULL;
}

/* Nothing is for exactly this kernel: the table's answer for its build or a near one. */
static struct error *add_builtin_guess(struct profile *p, const struct profile_key *key,
				       struct diag *diag)
{
	const struct builtin_kernel *kernel;
	bool same;
	char what[64];

	if (!key->build)
		return NULL;
	kernel = key->la57 ? builtin_nearest_la57(key->build) : builtin_nearest(key->build);
	if (!kernel)
		return NULL;
	same = kernel->build == key->build;
	snprintf(what, sizeof(what), "%s %u", same ? "build" : "nearest", kernel->build);
	diag_note(diag,
		  "no symbols for this very kernel (build %u): structures as in %u.%u.%u.%u%s",
		  key->build, kernel->major, kernel->minor, kernel->build, kernel->revision,
		  same ? "" : ", the nearest build known");
	p->build = kernel->build;
	return add_builtin(p, kernel, false, what);
}

static struct error *no_source(const struct profile_key *key, const struct profile_options *options)
{
	char guid[GUID_TEXT_SIZE] = "unknown", build[16] = "unknown";

	if (key->has_guid)
		guid_format(key->guid, guid);
	if (key->build)
		snprintf(build, sizeof(build), "%u", key->build);
	return error_new(ERROR_NOT_FOUND,
			 "no symbols for the kernel: GUID %s, build %s; %zu symbol paths tried%s",
			 guid, build, options->num_symbols,
			 options->no_builtin ? ", the built-in table was not to be used" : "");
}

static struct error *add_sources(struct profile *p, const struct profile_key *key,
				 const struct profile_options *options, struct diag *diag)
{
	const struct symbol_request request = { key, options->store, diag };
	const struct builtin_kernel *kernel =
		key->has_guid ? builtin_find(key->guid, key->age) : NULL;
	struct error *err = NULL;

	if (options->num_symbols > MAX_SYMBOL_PATHS)
		return error_new(ERROR_LIMIT, "%zu symbol paths, the limit is %d",
				 options->num_symbols, MAX_SYMBOL_PATHS);
	p->build = key->build;
	if (kernel) {
		p->build = kernel->build;
		snprintf(p->version, sizeof(p->version), "%u.%u.%u.%u", kernel->major,
			 kernel->minor, kernel->build, kernel->revision);
	}
	for (size_t i = 0; i < options->num_symbols && !err; i++)
		err = add_symbol_path(p, options->symbols[i], &request);
	if (!err)
		err = add_stored(p, &request);
	if (!err && kernel && !options->no_builtin)
		err = add_builtin(p, kernel, true, "exact");
	/* A guess never completes what the user gave: a field that is not there is not there. But
	 * a PDB may have symbols only. */
	if (!err && !first_with_types(p) && !options->no_builtin)
		err = add_builtin_guess(p, key, diag);
	if (!err && p->num_layers == 0)
		err = no_source(key, options);
	return err;
}

struct error *profile_open(const struct profile_key *key, const struct profile_options *options,
			   struct diag *diag, struct profile **ret)
{
	struct profile *p = calloc(1, sizeof(*p));
	struct error *err;

	if (!p)
		return &error_no_memory;
	if ((err = add_sources(p, key, options, diag))) {
		profile_close(p);
		return err;
	}
	*ret = p;
	return NULL;
}

struct error *profile_from_source(struct profile_source *source, uint32_t build,
				  struct profile **ret)
{
	struct profile *p = calloc(1, sizeof(*p));

	if (p)
		p->description = strdup(source->ops->kind);
	if (!p || !p->description) {
		source->ops->destroy(source);
		free(p);
		return &error_no_memory;
	}
	add_layer(p, source, true);
	p->build = build;
	*ret = p;
	return NULL;
}

void profile_close(struct profile *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->num_layers; i++)
		p->layers[i].source->ops->destroy(p->layers[i].source);
	free(p->description);
	free(p);
}

const char *profile_description(const struct profile *p)
{
	return p->description;
}

bool profile_is_exact(const struct profile *p)
{
	const struct layer *layer = first_with_types(p);

	return layer ? layer->exact : p->layers[0].exact;
}

uint32_t profile_build(const struct profile *p)
{
	return p->build;
}

const char *profile_version(const struct profile *p)
{
	return p->version[0] ? p->version : NULL;
}

size_t profile_num_sources(const struct profile *p)
{
	return p->num_layers;
}

const struct profile_source *profile_source_at(const struct profile *p, size_t index,
					       bool *exact_ret)
{
	*exact_ret = p->layers[index].exact;
	return p->layers[index].source;
}

/* Asking. */

/* Copies the next of the alternatives at *list and moves on; false at the end, or when one is
 * longer than any name. */
static bool next_alternative(const char **list, char *ret, size_t size)
{
	size_t len = strcspn(*list, "|");

	if (len == 0 || len >= size)
		return false;
	memcpy(ret, *list, len);
	ret[len] = '\0';
	*list += len + ((*list)[len] == '|');
	return true;
}

static bool source_field(const struct profile_source *source, const char *types, const char *names,
			 struct field *ret)
{
	char type[MAX_TYPE_NAME], name[MAX_FIELD_PATH];

	while (next_alternative(&types, type, sizeof(type))) {
		const char *rest = names;

		while (next_alternative(&rest, name, sizeof(name)))
			if (source->ops->field(source, type, name, ret))
				return true;
	}
	return false;
}

const struct profile_source *profile_field_source(const struct profile *p, const char *type,
						  const char *name, struct field *ret)
{
	for (size_t i = 0; i < p->num_layers; i++)
		if (source_field(p->layers[i].source, type, name, ret))
			return p->layers[i].source;
	return NULL;
}

bool profile_field(const struct profile *p, const char *type, const char *name, struct field *ret)
{
	return profile_field_source(p, type, name, ret);
}

bool profile_type_size(const struct profile *p, const char *type, uint32_t *ret)
{
	for (size_t i = 0; i < p->num_layers; i++)
		if (p->layers[i].source->ops->type_size(p->layers[i].source, type, ret))
			return true;
	return false;
}

bool profile_symbol(const struct profile *p, const char *name, uint64_t *rva_ret)
{
	for (size_t i = 0; i < p->num_layers; i++)
		if (p->layers[i].exact &&
		    p->layers[i].source->ops->symbol(p->layers[i].source, name, rva_ret))
			return true;
	return false;
}

static void append_missing(char *text, size_t size, const struct field_row *row)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s.%s", used ? ", " : "", row->type, row->name);
}

struct error *profile_bind(const struct profile *p, const struct field_row *rows, size_t n,
			   struct field *fields)
{
	char missing[MAX_MISSING_TEXT] = "";

	for (size_t i = 0; i < n; i++) {
		fields[i] = (struct field){ 0 };
		if (!profile_field(p, rows[i].type, rows[i].name, &fields[i]) &&
		    rows[i].need == REQUIRED)
			append_missing(missing, sizeof(missing), &rows[i]);
	}
	if (!missing[0])
		return NULL;
	return error_new(ERROR_NOT_FOUND, "%s: lacks required fields: %s", p->description, missing);
}
