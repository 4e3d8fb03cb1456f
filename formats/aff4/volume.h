/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_AFF4_VOLUME_H
#define FORMATS_AFF4_VOLUME_H

#include "container/zip.h"
#include "formats/aff4/graph.h"
#include "formats/format.h"

/*
 * An AFF4 volume: a zip archive, information.turtle in it, and the streams that both describe
 * (layout: the AFF4 standard 1.0 at github.com/aff4/Standard, and aff4/ReferenceImages; before the
 * standard: the history of github.com/Velocidex/c-aff4).
 */
struct aff4_volume;

/* What a volume works with; all of it outlives the volume and its streams. */
struct aff4_context {
	const struct file *file;
	struct block_cache *cache;
	struct file_set *files; /* takes the streams that are opened */
	struct diag *diag;
	/* In maps, bytes that nobody knows cannot be read; else they are the text that the standard
	 * wants hashed for them. */
	bool only_known;
};

/* Errors: as zip_open(); UNSUPPORTED when the archive is no AFF4 volume or of a later version;
 * CORRUPT. */
MUST_CHECK struct error *aff4_volume_open(const struct aff4_context *context,
					  struct aff4_volume **ret);
/* Streams that were opened keep what they need of it. NULL ok. */
void aff4_volume_close(struct aff4_volume *v);
const struct aff4_graph *aff4_volume_graph(const struct aff4_volume *v);

/*
 * Any stream as a file, by its IRI or that of its image: image streams, maps (gaps are what the map
 * says, zeros by default), segments, symbolic streams. One IRI gives one file, which the context's
 * file set closes. Errors: NOT_FOUND, CORRUPT (also maps in a circle), LIMIT, UNSUPPORTED
 * (encrypted, of another volume: striped images).
 */
MUST_CHECK struct error *aff4_open_stream(struct aff4_volume *v, const char *uri,
					  const struct file **ret);

/* Streams that stand for bytes nobody has: "the writer did not look", "could not be read". */
bool aff4_is_unknown(const char *uri);

/* A map's ranges, as they are stored. */
struct aff4_range {
	uint64_t offset, length; /* in the map */
	uint64_t target_offset;
	uint32_t target; /* index of a target */
};
struct aff4_map {
	const struct aff4_object *object;
	const uint8_t *entries; /* borrowed from the volume's archive, or copied there */
	size_t num_entries;
	bool old_order; /* target offset before length */
	char **targets; /* IRIs, [num_targets]; owned */
	size_t num_targets;
};
MUST_CHECK struct error *aff4_map_read(struct aff4_volume *v, const struct aff4_object *o,
				       struct aff4_map *ret);
void aff4_map_deinit(struct aff4_map *m); /* a zeroed one is fine */
/* index < num_entries */
void aff4_map_range(const struct aff4_map *m, size_t index, struct aff4_range *ret);

/* A small member of the volume as a whole, by the IRI of its object and a suffix ("/map");
 * borrowed until the volume and its streams are closed. NULL *ret when there is none. */
MUST_CHECK struct error *aff4_read_member(struct aff4_volume *v, const char *uri,
					  const char *suffix, uint64_t max_size,
					  const uint8_t **ret, size_t *len_ret);

#endif
