/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "container/zip.h"
#include "fuzz.h"
#include "fuzz_file.h"

/* Every member of an archive is found by its name, located, read. */
enum { MAX_INPUT = 64 << 10, MAX_MEMBER = 1 << 20, MAX_TRIED = 256 };

static void try_member(struct zip *z, const struct zip_member *m)
{
	char name[256];
	const uint8_t *bytes;
	uint64_t offset;
	struct file part;
	struct error *err = zip_locate(z, m, &offset);

	error_destroy(err);
	err = zip_read(z, m, MAX_MEMBER, &bytes);
	fuzz_check(err || !m->size || bytes[0] + bytes[m->size - 1] < 0x200);
	error_destroy(err);
	err = zip_open_stored(z, m, "fuzz", &part);
	if (!err)
		file_close(&part);
	error_destroy(err);
	if (m->name_len < sizeof(name) && !memchr(m->name, 0, m->name_len)) {
		const struct zip_member *found;
		size_t first, count;

		memcpy(name, m->name, m->name_len);
		name[m->name_len] = '\0';
		found = zip_find(z, name);
		fuzz_check(found && found >= m && found->name_len == m->name_len);
		count = zip_find_prefix(z, name, &first);
		fuzz_check(count && first + count <= zip_num_members(z));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct block_cache *cache;
	struct diag diag;
	struct file file;
	struct error *err;
	struct zip *z;

	if (!size || size > MAX_INPUT)
		return 0;
	memfile_open(&file, data, size);
	diag_init(&diag, NULL, NULL);
	if (block_cache_create(FUZZ_MAX_MEMORY, &cache))
		abort();
	err = zip_open(&file, cache, &diag, &z);
	if (!err) {
		for (size_t i = 0; i < zip_num_members(z) && i < MAX_TRIED; i++)
			try_member(z, zip_member(z, i));
		zip_close(z);
	}
	error_destroy(err);
	file_close(&file);
	block_cache_destroy(cache);
	return 0;
}
