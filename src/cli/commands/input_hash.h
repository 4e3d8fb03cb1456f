/* SPDX-License-Identifier: MIT */
#ifndef CLI_INPUT_HASH_H
#define CLI_INPUT_HASH_H

#include <pthread.h>

#include "base/file.h"
#include "base/sha256.h"

/* SHA-256 of a file as it is on disk, taken on a thread of its own. */
struct input_hash {
	pthread_t thread;
	struct file file;
	struct sha256 sum;
	bool stop; /* atomic */
};

/* h stays where it is until input_hash_end(). */
MUST_CHECK struct error *input_hash_start(struct input_hash *h, const char *path);
/* give_up: at once, and *ret is no sum. */
void input_hash_end(struct input_hash *h, bool give_up, uint8_t ret[SHA256_SIZE]);

#endif
