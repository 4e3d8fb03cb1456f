/* SPDX-License-Identifier: MIT */
#include "formats/aff4/graph.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "formats/aff4/turtle.h"

enum {
	MAX_OBJECTS = 1 << 20,
	MAX_GRAPH_BYTES = 64 << 20, /* of strings and hashes */
};

#define RDF_TYPE "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"

static const struct {
	const char *iri;
	unsigned type;
} types[] = {
	{ AFF4_NAMESPACE "ImageStream", AFF4_STREAM },
	{ AFF4_NAMESPACE "image", AFF4_STREAM },
	{ AFF4_OLD_NAMESPACE "stream", AFF4_STREAM },
	{ AFF4_NAMESPACE "Map", AFF4_MAP },
	{ AFF4_NAMESPACE "map", AFF4_MAP | AFF4_OLD_MAP },
	{ AFF4_OLD_NAMESPACE "map", AFF4_MAP },
	{ AFF4_NAMESPACE "zip_segment", AFF4_SEGMENT },
	{ AFF4_NAMESPACE "ZipSegment", AFF4_SEGMENT },
	{ AFF4_NAMESPACE "Image", AFF4_IMAGE },
	{ AFF4_OLD_NAMESPACE "Image", AFF4_IMAGE },
	{ AFF4_NAMESPACE "MemoryImage", AFF4_MEMORY },
	{ AFF4_NAMESPACE "PhysicalMemoryImage", AFF4_MEMORY },
	{ AFF4_NAMESPACE "DiskImage", AFF4_DISK },
	{ AFF4_NAMESPACE "VolumeImage", AFF4_DISK },
	{ AFF4_OLD_NAMESPACE "device", AFF4_DISK },
	{ AFF4_OLD_NAMESPACE "volume", AFF4_DISK },
	{ AFF4_NAMESPACE "EncryptedStream", AFF4_ENCRYPTED },
};

enum field { FIELD_NUMBER, FIELD_NAME };

/* Properties by local name, without underscores and case: both spellings are one. */
static const struct {
	const char *name;
	enum field field;
	size_t offset;
} properties[] = {
	{ "size", FIELD_NUMBER, offsetof(struct aff4_object, size) },
	{ "chunksize", FIELD_NUMBER, offsetof(struct aff4_object, chunk_size) },
	{ "chunksinsegment", FIELD_NUMBER, offsetof(struct aff4_object, chunks_per_bevy) },
	{ "chunkspersegment", FIELD_NUMBER, offsetof(struct aff4_object, chunks_per_bevy) },
	{ "compressionmethod", FIELD_NAME, offsetof(struct aff4_object, compression) },
	{ "compression", FIELD_NAME, offsetof(struct aff4_object, compression) },
	{ "datastream", FIELD_NAME, offsetof(struct aff4_object, data_stream) },
	{ "mapgapdefaultstream", FIELD_NAME, offsetof(struct aff4_object, gap_stream) },
	{ "stored", FIELD_NAME, offsetof(struct aff4_object, stored) },
	{ "category", FIELD_NAME, offsetof(struct aff4_object, category) },
};

static bool starts_with(const char *s, const char *prefix, const char **rest_ret)
{
	size_t len = strlen(prefix);

	if (strncmp(s, prefix, len))
		return false;
	*rest_ret = s + len;
	return true;
}

const char *aff4_local_name(const char *iri)
{
	const char *rest;

	return starts_with(iri, AFF4_NAMESPACE, &rest) ||
			       starts_with(iri, AFF4_OLD_NAMESPACE, &rest)
		       ? rest
		       : NULL;
}

/* Does a property's local name say this, whatever its case and underscores? */
static bool same_property(const char *local, const char *name)
{
	for (; *local; local++) {
		if (*local == '_')
			continue;
		if (tolower((unsigned char)*local) != *name)
			return false;
		name++;
	}
	return !*name;
}

static uint64_t *number_of(struct aff4_object *o, size_t field)
{
	return (uint64_t *)(void *)((char *)o + properties[field].offset);
}

static const char **name_of(struct aff4_object *o, size_t field)
{
	return (const char **)(void *)((char *)o + properties[field].offset);
}

static struct error *no_room(void)
{
	return error_new(ERROR_LIMIT, "no room for names: at most %d bytes of them",
			 MAX_GRAPH_BYTES);
}

static struct error *add_hash(struct aff4_graph *g, struct aff4_object *o,
			      const struct turtle_triple *t)
{
	const char *algorithm = aff4_local_name(t->datatype);
	struct aff4_hash *hash;

	if (t->kind != TURTLE_LITERAL || !algorithm)
		return NULL;
	if (!(hash = arena_alloc(&g->arena, sizeof(*hash))) ||
	    !(hash->algorithm = arena_strdup(&g->arena, algorithm)) ||
	    !(hash->value = arena_strdup(&g->arena, t->object)))
		return no_room();
	hash->next = o->hashes;
	o->hashes = hash;
	return NULL;
}

static struct error *set_property(struct aff4_graph *g, struct aff4_object *o, size_t field,
				  const struct turtle_triple *t)
{
	if (properties[field].field == FIELD_NAME) {
		const char **name = name_of(o, field);

		if (*name || t->kind == TURTLE_BLANK)
			return NULL;
		*name = arena_strdup(&g->arena, t->object);
		return *name ? NULL : no_room();
	}
	/* A number that is none is as good as not said. */
	if (t->kind == TURTLE_LITERAL && text_parse_u64(t->object, number_of(o, field)) &&
	    properties[field].offset == offsetof(struct aff4_object, size))
		o->has_size = true;
	return NULL;
}

static struct error *add_property(struct aff4_graph *g, struct aff4_object *o,
				  const struct turtle_triple *t)
{
	const char *local = aff4_local_name(t->predicate);

	if (!strcmp(t->predicate, RDF_TYPE)) {
		for (size_t i = 0; i < ARRAY_SIZE(types); i++)
			o->types |= strcmp(types[i].iri, t->object) ? 0 : types[i].type;
		return NULL;
	}
	if (!local)
		return NULL;
	/* "diskInterfaceType", "diskMake": Evimetry says so before the standard has a type. */
	if (!strncmp(local, "disk", strlen("disk")))
		o->types |= AFF4_DISK;
	if (same_property(local, "hash"))
		return add_hash(g, o, t);
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
		if (same_property(local, properties[i].name))
			return set_property(g, o, i, t);
	}
	return NULL;
}

/* One triple: of the object before, or of one that is named for the first time in a row. */
static struct error *add_triple(void *arg, const struct turtle_triple *t)
{
	struct aff4_graph *g = arg;
	struct aff4_object *o = g->count ? &g->objects[g->count - 1] : NULL;
	struct error *err;

	if (!o || strcmp(o->uri, t->subject)) {
		err = array_reserve(&g->objects, &g->capacity, g->count + 1, sizeof(*o),
				    MAX_OBJECTS, "objects in information.turtle");
		if (err)
			return err;
		o = &g->objects[g->count];
		*o = (struct aff4_object){ .line = t->line };
		if (!(o->uri = arena_strdup(&g->arena, t->subject)))
			return no_room();
		g->count++;
	}
	return add_property(g, o, t);
}

static int compare(const void *a, const void *b)
{
	const struct aff4_object *first = a, *second = b;
	int order = strcmp(first->uri, second->uri);

	return order ? order : (first->line > second->line) - (first->line < second->line);
}

/* What is said of one object in two places is said of both; what comes first counts. */
static void merge(struct aff4_object *o, struct aff4_object *other)
{
	struct aff4_hash **end = &other->hashes;

	o->types |= other->types;
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
		if (properties[i].field == FIELD_NUMBER) {
			if (!*number_of(o, i))
				*number_of(o, i) = *number_of(other, i);
		} else if (!*name_of(o, i)) {
			*name_of(o, i) = *name_of(other, i);
		}
	}
	o->has_size = o->has_size || other->has_size;
	while (*end)
		end = &(*end)->next;
	*end = o->hashes;
	o->hashes = other->hashes;
}

static void sort_and_merge(struct aff4_graph *g)
{
	size_t kept = 0;

	if (g->count)
		qsort(g->objects, g->count, sizeof(*g->objects), compare);
	for (size_t i = 0; i < g->count; i++) {
		if (kept && !strcmp(g->objects[kept - 1].uri, g->objects[i].uri))
			merge(&g->objects[kept - 1], &g->objects[i]);
		else
			g->objects[kept++] = g->objects[i];
	}
	g->count = kept;
}

struct error *aff4_graph_read(struct aff4_graph *g, const char *text, size_t len)
{
	struct error *err;

	arena_init(&g->arena, MAX_GRAPH_BYTES);
	err = turtle_parse(text, len, add_triple, g);
	sort_and_merge(g);
	return err;
}

uint64_t aff4_graph_bytes(const struct aff4_graph *g)
{
	return g->arena.used + g->capacity * sizeof(*g->objects);
}

void aff4_graph_deinit(struct aff4_graph *g)
{
	arena_deinit(&g->arena);
	free(g->objects);
	*g = (struct aff4_graph){ 0 };
}

const struct aff4_object *aff4_graph_find(const struct aff4_graph *g, const char *uri)
{
	size_t low = 0, high = g->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(g->objects[middle].uri, uri);

		if (!order)
			return &g->objects[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
