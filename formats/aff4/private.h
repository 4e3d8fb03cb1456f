/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_AFF4_PRIVATE_H
#define FORMATS_AFF4_PRIVATE_H

#include "codec/codec.h"
#include "formats/aff4/iri.h"
#include "formats/aff4/volume.h"

/* A stream that is open, or is just being opened: then a map leads back to itself. */
struct opened_stream {
	char *uri;		 /* owned */
	const struct file *file; /* borrowed from the file set; NULL: being opened */
};

struct aff4_volume {
	struct aff4_context context;
	unsigned references; /* streams keep the archive's tables */
	struct zip *zip;
	char uri[IRI_MAX]; /* "" when the volume does not say */
	struct aff4_graph graph;
	struct opened_stream *streams;
	size_t num_streams, capacity;
	unsigned depth; /* of maps that are being opened */
};

struct aff4_volume *aff4_volume_reference(struct aff4_volume *v);

enum { AFF4_MAX_MEMBER_NAME = 3 * IRI_MAX };

/*
 * The names that a member of this IRI may have in the archive: form 0, 1, ... until it returns
 * false. Relative to the volume where the IRI begins with the volume's; escaped and not.
 */
bool aff4_member_name(const struct aff4_volume *v, const char *uri, unsigned form,
		      char ret[AFF4_MAX_MEMBER_NAME]);
/* The member of uri + suffix; NULL: none. */
const struct zip_member *aff4_find_member(const struct aff4_volume *v, const char *uri,
					  const char *suffix);

/* As zip_read(); a stored member that is not what its CRC says goes to the volume's diag. */
MUST_CHECK struct error *aff4_zip_read(struct aff4_volume *v, const struct zip_member *m,
				       uint64_t max_size, const uint8_t **ret);

/* Of a compression method's IRI: its codec, or that chunks are stored; false when not known. */
bool aff4_compression(const char *iri, enum codec *codec_ret, bool *stored_ret);

/* Of errors of one stream: those that no other stream makes good. */
bool aff4_must_stop(const struct error *err);

/* The ranges of a map as runs of in->mem; what is missing goes to in->diag. */
MUST_CHECK struct error *aff4_add_memory(const struct format_input *in, struct aff4_volume *v,
					 const struct aff4_object *o);

/* One kind of stream each; the file is closed by the caller. */
MUST_CHECK struct error *aff4_image_stream_open(struct aff4_volume *v, const struct aff4_object *o,
						struct file *ret);
MUST_CHECK struct error *aff4_map_open(struct aff4_volume *v, const struct aff4_object *o,
				       struct file *ret);
/* *found_ret: the IRI is that of a symbolic stream. */
MUST_CHECK struct error *aff4_symbolic_open(struct aff4_volume *v, const char *uri,
					    struct file *ret, bool *found_ret);

#endif
