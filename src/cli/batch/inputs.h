/* SPDX-License-Identifier: MIT */
#ifndef CLI_BATCH_INPUTS_H
#define CLI_BATCH_INPUTS_H

#include <stdio.h>
#include <sys/types.h>

#include "base/arena.h"

/*
 * What a batch is about: files, and what is in folders, each once and in order of the bytes of
 * its path. Nothing is opened but folders and regular files, so nothing blocks. In folders, links
 * to files are followed and links to folders are not, so that a loop of them ends. What is no
 * readable file is listed as well, links to folders among it, with the reason.
 */
enum { INPUTS_MAX = 1 << 24, INPUT_MAX_DEPTH = 128, INPUT_LIST_MAX = 1 << 28 };

struct input {
	const char *path;     /* as given; in a folder: the folder as given, '/', relative */
	const char *relative; /* below what was given; a file that was given itself: its name */
	uint64_t size;	      /* bytes; 0 where there is a problem */
	uint64_t modified;    /* FILETIME; 0: not known */
	const char *problem;  /* why it cannot be read; NULL: it can be tried */
};

struct inputs {
	struct arena *arena; /* borrowed; of all strings */
	struct input *items;
	size_t count, capacity;
	/* A file that is left out wherever it is met, the results of an earlier run. */
	bool has_left_out;
	dev_t left_out_device;
	ino_t left_out_inode;
};

void inputs_init(struct inputs *in, struct arena *arena);
void inputs_deinit(struct inputs *in);
/* Leaves this file out, if it is there. */
void inputs_leave_out(struct inputs *in, const char *path);
/* A file, or a folder with all below it. Errors: LIMIT, NO_MEMORY. */
MUST_CHECK struct error *inputs_add(struct inputs *in, const char *path);
/* Adds each path of a list, one a line, or each ended by a NUL if it has any. Errors as
 * inputs_add(), and OS. */
MUST_CHECK struct error *inputs_add_list(struct inputs *in, FILE *list, const char *name);
/* Puts them in order, and drops what is there twice. */
void inputs_sort(struct inputs *in);

/* A share of the inputs, the same wherever the folder lies: by a hash of the relative path. */
struct shard {
	uint64_t index, count; /* 1 <= index <= count; count 0: everything */
};
/* "I/N". False on anything else. */
MUST_CHECK bool shard_parse(const char *text, struct shard *ret);
bool shard_has(const struct shard *s, const struct input *input);
/* Keeps what is in the shard. */
void inputs_keep_shard(struct inputs *in, const struct shard *s);

#endif
