/* SPDX-License-Identifier: MIT */
#include "formats/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/workers.h"
#include "formats/known.h"
#include "formats/registry.h"

/* What a format may store about a capture: far above any real one. */
enum { MAX_INFO_BYTES = 256 << 20 };

/* Of one snapshot: companions and decoded streams. */
enum { MAX_FILES = 4096 };

static struct error *format_by_name(const char *name, const struct format_ops **ret)
{
	char names[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < num_formats; i++) {
		if (!strcmp(format_registry[i]->name, name)) {
			*ret = format_registry[i];
			return NULL;
		}
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 i ? ", " : "", format_registry[i]->name);
	}
	return error_new(ERROR_USAGE, "format '%s' is unknown: expected one of %s", name, names);
}

/* The highest bid wins; what no format reads is refused by name rather than read as raw. */
static struct error *format_by_content(const struct file *file, const char *path,
				       const struct format_ops **ret)
{
	struct probe_input in = {
		.head_size = file->size < PROBE_HEAD_SIZE ? (size_t)file->size : PROBE_HEAD_SIZE,
		.file_size = file->size,
		.path = path,
	};
	const struct format_ops *best = NULL, *tied = NULL;
	unsigned best_bid = 0, known_bits = 0;
	struct error *err = file_bytes(file, 0, in.head_size, &in.head);

	if (err)
		return err;
	const struct known_format *known = known_format(&in, &known_bits);
	for (size_t i = 0; i < num_formats; i++) {
		unsigned bid = format_registry[i]->probe(&in);

		if (bid > best_bid) {
			best = format_registry[i];
			best_bid = bid;
			tied = NULL;
		} else if (bid && bid == best_bid) {
			tied = format_registry[i];
		}
	}
	if (known && known_bits > best_bid)
		return error_new(ERROR_UNSUPPORTED, "%s: not read here: %s", known->name,
				 known->advice);
	if (!best)
		return error_new(ERROR_UNSUPPORTED, "not a snapshot of any known format");
	if (tied)
		return error_new(ERROR_UNSUPPORTED, "could be '%s' or '%s': name the format",
				 best->name, tied->name);
	*ret = best;
	return NULL;
}

struct error *file_set_add(struct file_set *set, struct file *file, const struct file **ret)
{
	struct file *own = malloc(sizeof(*own));
	struct error *err = own ? array_reserve(&set->items, &set->capacity, set->count + 1,
						sizeof(*set->items), MAX_FILES, "files")
				: &error_no_memory;

	if (err) {
		free(own);
		file_close(file);
		return err;
	}
	*own = *file;
	*file = (struct file){ .fd = -1 };
	*ret = set->items[set->count++] = own;
	return NULL;
}

void file_set_deinit(struct file_set *set)
{
	while (set->count) {
		file_close(set->items[--set->count]);
		free(set->items[set->count]);
	}
	free(set->items);
	*set = (struct file_set){ 0 };
}

/* Drops the kind of memory that the capture does not have, and seals the other. */
static struct error *seal(struct snapshot *s)
{
	struct error *err;

	if (s->info.triage) {
		physmem_destroy(take_ptr(s->mem));
		return virtmem_seal(s->virt);
	}
	virtmem_destroy(take_ptr(s->virt));
	err = physmem_seal(s->mem);
	if (!err && !physmem_captured_bytes(s->mem))
		err = error_new(ERROR_CORRUPT,
				"no memory in this %s file: expected pages, found only headers",
				s->info.format);
	return err;
}

static struct error *open_file(struct snapshot *s, const char *path,
			       const struct snapshot_options *options, struct diag *diag)
{
	struct container_options container = options->container;
	struct error *err;

	if (!s->file.size)
		return error_new(ERROR_CORRUPT, "the file is empty: expected a memory snapshot");
	if (options->format && (err = format_by_name(options->format, &s->format)))
		return err;
	container.as_it_stands = s->format == &raw_format;
	err = container_open(&s->file, path, s->cache, diag, &container, &s->container);
	if (!err && !s->format)
		err = format_by_content(&s->file, path, &s->format);
	if (!err && options->memory_map && !s->format->takes_memory_map)
		err = error_new(ERROR_USAGE, "a memory map is for raw snapshots, not for '%s'",
				s->format->name);
	if (err || (err = physmem_create(&s->mem)) || (err = virtmem_create(&s->virt)))
		return err;
	err = s->format->open(&(struct format_input){
		.file = &s->file,
		.path = path,
		.mem = s->mem,
		.virt = s->virt,
		.info = &s->info,
		.diag = diag,
		.cache = s->cache,
		.files = &s->files,
		.container = &container,
		.memory_map = options->memory_map,
	});
	return err ? err : seal(s);
}

struct error *snapshot_open(const char *path, const struct snapshot_options *options,
			    struct diag *diag, struct snapshot **ret)
{
	struct file file;
	struct error *err = file_open(&file, path); /* names the path itself */

	return err ? err : snapshot_open_file(&file, path, options, diag, ret);
}

struct error *snapshot_open_file(struct file *file, const char *path,
				 const struct snapshot_options *options, struct diag *diag,
				 struct snapshot **ret)
{
	static const struct snapshot_options by_content;
	struct snapshot *s = calloc(1, sizeof(*s));
	struct error *err;

	if (!s) {
		file_close(file);
		return &error_no_memory;
	}
	if (!options)
		options = &by_content;
	arena_init(&s->info.arena, MAX_INFO_BYTES);
	s->file = *file;
	*file = (struct file){ .fd = -1 };
	err = block_cache_create(options->max_memory, &s->cache);
	if (!err)
		block_cache_read_ahead(s->cache, options->threads ? options->threads
								  : workers_default_threads());
	if (!err)
		err = error_wrap(open_file(s, path, options, diag), "%s", path);
	if (err) {
		snapshot_close(s);
		return err;
	}
	*ret = s;
	return NULL;
}

struct error *format_open_beside(const struct format_input *in, const char *path,
				 const struct file **ret)
{
	struct container_options options = *in->container;
	struct container_levels levels;
	struct file file;
	struct error *err = file_open(&file, path);

	if (err)
		return err;
	options.member = NULL; /* is of the snapshot itself */
	err = container_open(&file, path, in->cache, in->diag, &options, &levels);
	return err ? error_wrap(err, "%s", path) : file_set_add(in->files, &file, ret);
}

void snapshot_close(struct snapshot *s)
{
	if (!s)
		return;
	physmem_destroy(s->mem);
	virtmem_destroy(s->virt);
	arena_deinit(&s->info.arena);
	file_set_deinit(&s->files);
	file_close(&s->file);
	block_cache_destroy(s->cache);
	free(s);
}

struct error *dump_info_alloc_registers(struct dump_info *info, size_t count)
{
	struct registers *registers;

	if (count > MAX_CPUS)
		return error_new(ERROR_LIMIT, "%zu processors: expected at most %d", count,
				 MAX_CPUS);
	registers = arena_calloc(&info->arena, count, sizeof(*registers));
	if (!registers && count)
		return &error_no_memory;
	info->registers = registers;
	info->num_registers = count;
	return NULL;
}
