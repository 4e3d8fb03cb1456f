/* SPDX-License-Identifier: MIT */
#include "container/container_input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	HEAD_SIZE = 64,
	MAX_BLOCK = 64 << 20,
	BLOCKS_IN_MEMORY = 8, /* of the longest, in what --max-memory leaves */
};

const struct container_ops *const container_registry[] = {
	&gzip_container, &xz_container,	  &zstd_container, &lz4_container,  &bzip2_container,
	&zip_container,	 &hpak_container, &zdmp_container, &zlib_container,
};
const size_t num_containers = ARRAY_SIZE(container_registry);

struct error *container_check_size(const struct container_input *in, uint64_t size)
{
	if (size <= in->max_unpacked)
		return NULL;
	return error_new(ERROR_LIMIT,
			 "%s: more than %" PRIu64 " bytes unpacked of %" PRIu64
			 " (see --max-unpacked)",
			 in->name, in->max_unpacked, in->file->size);
}

uint64_t container_max_block(const struct container_input *in)
{
	uint64_t share = block_cache_room(in->cache) / BLOCKS_IN_MEMORY;

	return share < MAX_BLOCK ? share : MAX_BLOCK;
}

struct error *container_trial(struct error *err, size_t got, bool file_ended)
{
	if (got < CONTAINER_TRIAL_SIZE && !file_ended)
		return err;
	error_destroy(err);
	return NULL;
}

struct error *file_to_heap(struct file *file, struct file **ret)
{
	struct file *own = malloc(sizeof(*own));

	if (!own) {
		file_close(file);
		return &error_no_memory;
	}
	*own = *file;
	*file = (struct file){ .fd = -1 };
	*ret = own;
	return NULL;
}

void heap_file_cleanup(struct file **f)
{
	if (*f)
		file_close(*f);
	free(*f);
}

/* Is the file, which begins like that container, one? */
static bool is_one(const struct container_input *in, const struct container_ops *ops)
{
	struct error *err;

	if (ops->leaves && ops->leaves(in))
		return false;
	err = ops->check ? ops->check(in) : NULL;
	if (!err || error_code(err) != ERROR_CORRUPT) {
		error_destroy(err); /* open() has it again */
		return true;
	}
	diag_error(in->diag, err,
		   "%s: begins like a %s file and is none, so it is read as it stands (if it is "
		   "memory, say --input-format raw)",
		   in->path, ops->name);
	return false;
}

/* *ret NULL: the file is none. */
static struct error *find_container(const struct container_input *in,
				    const struct container_ops **ret)
{
	uint8_t head[HEAD_SIZE];
	size_t size = in->file->size < HEAD_SIZE ? (size_t)in->file->size : HEAD_SIZE;
	struct error *err = file_read(in->file, 0, head, size);

	*ret = NULL;
	if (error_catch(&err, ERROR_CORRUPT)) /* the rest may still be decoded */
		return NULL;
	for (size_t i = 0; i < num_containers && !err && !*ret; i++) {
		const struct container_ops *ops = container_registry[i];

		if (!ops->probe(head, size))
			continue;
		if (in->options->as_it_stands)
			diag_note(in->diag, "%s: begins like a %s file, and is read as it stands",
				  in->path, ops->name);
		else if (is_one(in, ops))
			*ret = ops;
	}
	return err;
}

/* Replaces *file by what it contains. */
static struct error *unwrap(struct file *file, const struct container_ops *ops,
			    struct container_input *in)
{
	struct file *packed CLEANUP(heap_file_cleanup) = NULL, *lowest;
	struct file content = { .fd = -1 };
	struct error *err = file_to_heap(file, &packed);

	if (err)
		return err;
	in->name = ops->name;
	in->file = packed;
	if (!ops->built_in)
		err = error_new(ERROR_UNSUPPORTED, "built without %s", ops->library);
	else
		err = ops->open(in, &content);
	if (err)
		return error_wrap(err, "%s", ops->name);
	if (!content.size) {
		file_close(&content);
		return error_new(ERROR_CORRUPT, "%s: there is nothing in it", ops->name);
	}
	for (lowest = &content; lowest->below;)
		lowest = lowest->below;
	lowest->below = take_ptr(packed);
	*file = content;
	return NULL;
}

/* Only an archive has members. */
static struct error *check_member(const struct container_input *in,
				  const struct container_levels *levels)
{
	for (size_t i = 0; i < levels->count; i++) {
		if (levels->ops[i] == &zip_container)
			return NULL;
	}
	if (!in->options->member)
		return NULL;
	return error_new(ERROR_USAGE, "no archive that could have a member '%s'",
			 in->options->member);
}

static void add_level(struct container_levels *levels, const struct container_ops *ops)
{
	if (levels->count)
		snprintf(levels->name, sizeof(levels->name), "%s in %s", ops->name,
			 levels->ops[0]->name);
	else
		snprintf(levels->name, sizeof(levels->name), "%s", ops->name);
	levels->ops[levels->count++] = ops;
}

struct error *container_open(struct file *file, const char *path, struct block_cache *cache,
			     struct diag *diag, const struct container_options *options,
			     struct container_levels *ret)
{
	static const struct container_options none;
	struct container_levels levels = { .packed_size = file->size };
	struct container_input in = { .path = path, .cache = cache, .diag = diag };
	const struct container_ops *ops;
	struct error *err;

	in.options = options ? options : &none;
	in.max_unpacked = in.options->max_unpacked ? in.options->max_unpacked
						   : CONTAINER_DEFAULT_MAX_UNPACKED;
	while (in.file = file, !(err = find_container(&in, &ops)) && ops) {
		if (levels.count == CONTAINER_MAX_NESTING)
			err = error_new(ERROR_UNSUPPORTED,
					"%s in %s in %s: expected at most %d containers in each "
					"other",
					ops->name, levels.ops[1]->name, levels.ops[0]->name,
					CONTAINER_MAX_NESTING);
		else
			err = unwrap(file, ops, &in);
		if (err)
			break;
		add_level(&levels, ops);
	}
	if (!err)
		err = check_member(&in, &levels);
	if (err) {
		file_close(file);
		return err;
	}
	*ret = levels;
	return NULL;
}
