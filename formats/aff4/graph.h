/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_AFF4_GRAPH_H
#define FORMATS_AFF4_GRAPH_H

#include "base/arena.h"

/*
 * What information.turtle says of the things in a volume, as far as reading needs it. Names are
 * of the AFF4 standard 1.0 (aff4/Standard, sections 2 to 4), and of the writers before it
 * (Evimetry's with the namespace http://afflib.org/2009/aff4#; c-aff4 and WinPmem until 2016:
 * "chunk_size", "compression", types "map" and "image").
 */
#define AFF4_NAMESPACE	      "http://aff4.org/Schema#"
#define AFF4_OLD_NAMESPACE    "http://afflib.org/2009/aff4#"
#define AFF4_SYMBOLIC_OLD     "http://afflib.org/2012/SymbolicStream#"
#define AFF4_MEMORY_NAMESPACE AFF4_NAMESPACE "memory/"

enum aff4_type {
	AFF4_STREAM = 1 << 0,	 /* chunks in bevies */
	AFF4_MAP = 1 << 1,	 /* ranges of other streams */
	AFF4_OLD_MAP = 1 << 2,	 /* with the entries of c-aff4 before the standard */
	AFF4_SEGMENT = 1 << 3,	 /* one member of the archive */
	AFF4_IMAGE = 1 << 4,	 /* of something */
	AFF4_MEMORY = 1 << 5,	 /* ... of memory */
	AFF4_DISK = 1 << 6,	 /* ... of a disk or volume */
	AFF4_ENCRYPTED = 1 << 7, /* streams */
};

/* A hash of a stream's bytes, as the writer recorded it. */
struct aff4_hash {
	struct aff4_hash *next;
	const char *algorithm; /* "MD5", "SHA1", ... */
	const char *value;     /* hexadecimal */
};

/* Strings are the graph's; NULL where nothing is said. */
struct aff4_object {
	const char *uri;
	unsigned types; /* of enum aff4_type */
	bool has_size;
	uint64_t size;		  /* of the stream, in bytes */
	uint64_t chunk_size;	  /* 0: not said */
	uint64_t chunks_per_bevy; /* likewise */
	const char *compression;  /* IRI */
	const char *data_stream;  /* of an image: where its bytes are */
	const char *gap_stream;	  /* of a map: what lies between its ranges */
	const char *stored;	  /* the volume that has it */
	const char *category;	  /* "http://aff4.org/Schema#memory/physical" */
	struct aff4_hash *hashes;
	unsigned line; /* of information.turtle */
};

struct aff4_graph {
	struct arena arena;
	struct aff4_object *objects; /* sorted by uri, each once */
	size_t count, capacity;
};

/* Takes in what the text says. Errors: as turtle_parse(); LIMIT. What was said before an error is
 * kept. To be called once. */
MUST_CHECK struct error *aff4_graph_read(struct aff4_graph *g, const char *text, size_t len);
uint64_t aff4_graph_bytes(const struct aff4_graph *g); /* of memory that it takes */
void aff4_graph_deinit(struct aff4_graph *g);	       /* a zeroed one is fine */
const struct aff4_object *aff4_graph_find(const struct aff4_graph *g, const char *uri);
/* The part of an IRI after one of AFF4's namespaces; NULL when it is in none. */
const char *aff4_local_name(const char *iri);

#endif
