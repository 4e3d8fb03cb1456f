/* SPDX-License-Identifier: MIT */
#include "cli/commands/input_hash.h"

static void *hash_input(void *arg)
{
	enum { PIECE = 1 << 20 };
	struct input_hash *h = arg;
	uint64_t at = 0;

	while (at < h->file.size && !__atomic_load_n(&h->stop, __ATOMIC_RELAXED)) {
		uint64_t left = h->file.size - at;
		size_t len = left < PIECE ? (size_t)left : PIECE;

		sha256_add(&h->sum, h->file.bytes + at, len);
		at += len;
	}
	return NULL;
}

struct error *input_hash_start(struct input_hash *h, const char *path)
{
	struct error *err = file_open(&h->file, path);
	int failed;

	if (err)
		return err;
	sha256_init(&h->sum);
	if (!(failed = pthread_create(&h->thread, NULL, hash_input, h)))
		return NULL;
	file_close(&h->file);
	return error_os(failed, "cannot start a thread");
}

void input_hash_end(struct input_hash *h, bool give_up, uint8_t ret[SHA256_SIZE])
{
	__atomic_store_n(&h->stop, give_up, __ATOMIC_RELAXED);
	pthread_join(h->thread, NULL);
	sha256_end(&h->sum, ret);
	file_close(&h->file);
}
