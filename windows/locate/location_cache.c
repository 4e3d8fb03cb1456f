/* SPDX-License-Identifier: MIT */
#include "windows/locate/location_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cache_folder.h"

/* Each costs a seek where the file is on a disk that turns. */
enum { NUM_SAMPLES = 32, SAMPLE_SIZE = 4096, MAX_SAMPLED_FILES = 8 };

static void free_string(char **s)
{
	free(*s);
}

static void add_u64(struct sha256 *sum, uint64_t v)
{
	sha256_add(sum, &v, sizeof(v));
}

static void add_text(struct sha256 *sum, const char *s)
{
	sha256_add(sum, s, strlen(s) + 1);
}

/* Of two files that the samples do not tell apart it tells which was changed. */
static void add_time(struct sha256 *sum, const struct file *file)
{
	struct stat st;

	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return;
	add_u64(sum, (uint64_t)st.st_mtim.tv_sec);
	add_u64(sum, (uint64_t)st.st_mtim.tv_nsec);
}

/* The file as it is stored: decoding pages of what it contains may take as long as a search. */
static struct error *add_file(struct sha256 *sum, const struct file *file)
{
	uint8_t sample[SAMPLE_SIZE];

	while (file->below)
		file = file->below;
	if (file->content) /* of other files, which are sampled themselves */
		return NULL;
	add_u64(sum, file->size);
	add_time(sum, file);
	for (uint64_t i = 0; i <= NUM_SAMPLES; i++) {
		size_t len = file->size < sizeof(sample) ? (size_t)file->size : sizeof(sample);
		uint64_t last = file->size - len;
		uint64_t at = i == NUM_SAMPLES
				      ? last
				      : last / NUM_SAMPLES * i & ~(uint64_t)(SAMPLE_SIZE - 1);
		struct error *err = file_read(file, at, sample, len);

		if (err)
			return err;
		sha256_add(sum, sample, len);
	}
	return NULL;
}

struct error *snapshot_fingerprint(const struct snapshot *snap, uint8_t ret[SHA256_SIZE])
{
	size_t num_files = snap->files.count;
	struct sha256 sum;
	struct error *err;

	sha256_init(&sum);
	add_text(&sum, NTSCOPE_VERSION);
	add_u64(&sum, SCAN_LOG_VERSION);
	add_text(&sum, snap->format ? snap->format->name : "");
	add_text(&sum, snap->container.name);
	add_u64(&sum, physmem_end(snap->mem));
	add_u64(&sum, physmem_captured_bytes(snap->mem));
	add_u64(&sum, physmem_num_runs(snap->mem));
	add_u64(&sum, snap->info.num_registers);
	add_u64(&sum, num_files);
	err = add_file(&sum, &snap->file);
	for (size_t i = 0; !err && i < num_files && i < MAX_SAMPLED_FILES; i++)
		err = add_file(&sum, snap->files.items[i]);
	sha256_end(&sum, ret);
	return err;
}

/* NULL without memory. */
static char *file_path(const struct location_cache *cache, const uint8_t fingerprint[SHA256_SIZE])
{
	char name[SHA256_TEXT_SIZE], *path;

	sha256_format(fingerprint, name);
	return asprintf(&path, "%s/%s.scan", cache->folder, name) < 0 ? NULL : path;
}

bool location_cache_find(const struct location_cache *cache, const uint8_t fingerprint[SHA256_SIZE],
			 struct scan_log *ret)
{
	CLEANUP(free_string) char *path = file_path(cache, fingerprint);
	uint8_t *bytes;
	struct error *err;
	size_t len;

	if (!path)
		return false;
	err = cache_file_read(path, SCAN_LOG_MAX_BYTES, &bytes, &len);
	if (!err) {
		err = error_wrap(scan_log_parse(bytes, len, fingerprint, ret), "%s", path);
		free(bytes);
	}
	if (!err)
		return true;
	/* that there is nothing yet is nothing to tell */
	if (cache->diag && error_errno(err) != ENOENT && error_errno(err) != ENOTDIR)
		diag_note(cache->diag, "not used: %s", error_message(err));
	error_destroy(err);
	return false;
}

void location_cache_keep(const struct location_cache *cache, const uint8_t fingerprint[SHA256_SIZE],
			 const struct scan_log *log)
{
	CLEANUP(free_string) char *path = file_path(cache, fingerprint);
	uint8_t *bytes;
	struct error *err;
	size_t len;

	if (!path)
		return;
	err = scan_log_write(log, fingerprint, &bytes, &len);
	if (!err) {
		cache_folder_make_room(cache->folder, LOCATION_CACHE_MAX_FILES);
		err = cache_file_write(path, bytes, len);
		free(bytes);
	}
	if (err && cache->diag)
		diag_note(cache->diag, "what the search met is not kept: %s", error_message(err));
	error_destroy(err);
}
