/* SPDX-License-Identifier: MIT */
#include "formats/aff4/volume.h"
#include "formats/registry.h"
#include "fuzz.h"
#include "fuzz_file.h"

/* As a snapshot, and then each of its streams as a file. */
enum { MAX_INPUT = 64 << 10, MAX_STREAMS = 32 };

static void try_stream(struct aff4_volume *v, const char *uri)
{
	const struct file *file;
	uint64_t start, end;
	struct error *err = aff4_open_stream(v, uri, &file);
	uint8_t bytes[64];

	if (err) {
		error_destroy(err);
		return;
	}
	for (uint64_t at = 0; at + sizeof(bytes) <= file->size && at < MAX_INPUT; at += 4001)
		error_destroy(file_read(file, at, bytes, sizeof(bytes)));
	if (file->size >= sizeof(bytes))
		error_destroy(file_read(file, file->size - sizeof(bytes), bytes, sizeof(bytes)));
	if (file_next_data(file, file->size / 2, &start, &end))
		fuzz_check(start >= file->size / 2 && start < end && end <= file->size);
}

static void try_volume(const struct file *file, struct block_cache *cache)
{
	struct file_set files = { 0 };
	struct aff4_volume *v;
	struct diag diag;
	struct error *err;

	diag_init(&diag, NULL, NULL);
	err = aff4_volume_open(
		&(struct aff4_context){
			.file = file,
			.cache = cache,
			.files = &files,
			.diag = &diag,
		},
		&v);
	if (!err) {
		const struct aff4_graph *g = aff4_volume_graph(v);

		for (size_t i = 0; i < g->count && i < MAX_STREAMS; i++)
			try_stream(v, g->objects[i].uri);
		aff4_volume_close(v);
	}
	error_destroy(err);
	file_set_deinit(&files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct block_cache *cache;
	struct file file;

	if (!size || size > MAX_INPUT)
		return 0;
	fuzz_open(&aff4_format, data, size, NULL);
	memfile_open(&file, data, size);
	if (block_cache_create(FUZZ_MAX_MEMORY, &cache))
		abort();
	try_volume(&file, cache);
	file_close(&file);
	block_cache_destroy(cache);
	return 0;
}
