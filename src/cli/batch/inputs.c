/* SPDX-License-Identifier: MIT */
#include "cli/batch/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define UNIX_EPOCH_SECONDS UINT64_C(11644473600) /* 1970 in FILETIME's years */

void inputs_init(struct inputs *in, struct arena *arena)
{
	*in = (struct inputs){ .arena = arena };
}

void inputs_deinit(struct inputs *in)
{
	free(in->items);
}

void inputs_leave_out(struct inputs *in, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	in->has_left_out = true;
	in->left_out_device = st.st_dev;
	in->left_out_inode = st.st_ino;
}

static uint64_t to_filetime(const struct timespec *t)
{
	if (t->tv_sec < 0)
		return 0;
	return ((uint64_t)t->tv_sec + UNIX_EPOCH_SECONDS) * 10000000 + (uint64_t)t->tv_nsec / 100;
}

static const char *type_problem(mode_t mode)
{
	if (S_ISREG(mode))
		return NULL;
	return S_ISFIFO(mode)	? "a pipe, not a file"
	       : S_ISSOCK(mode) ? "a socket, not a file"
	       : S_ISCHR(mode)	? "a character device, not a file"
	       : S_ISBLK(mode)	? "a block device in a folder; name it to have it read"
				: "not a file";
}

/* Opening a regular file does not block, and proves that it can be read. */
static const char *open_problem(const struct inputs *in, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return arena_strdup(in->arena, strerror(errno));
	close(fd);
	return NULL;
}

static struct error *add_item(struct inputs *in, const struct input *item)
{
	struct error *err = array_reserve(&in->items, &in->capacity, in->count + 1,
					  sizeof(*in->items), INPUTS_MAX, "files");

	if (!err)
		in->items[in->count++] = *item;
	return err;
}

static struct error *add_problem(struct inputs *in, const char *path, const char *relative,
				 const char *problem)
{
	struct input item = {
		.path = path,
		.relative = relative,
		.problem = arena_strdup(in->arena, problem),
	};

	return item.problem ? add_item(in, &item) : &error_no_memory;
}

/* Whatever is not a folder. given: it was named itself. */
static struct error *add_file(struct inputs *in, const char *path, const char *relative,
			      const struct stat *st, bool given)
{
	struct input item = {
		.path = path,
		.relative = relative,
		.modified = to_filetime(&st->st_mtim),
	};

	if (in->has_left_out && st->st_dev == in->left_out_device &&
	    st->st_ino == in->left_out_inode)
		return NULL;
	if (!given || !S_ISBLK(st->st_mode))
		item.problem = type_problem(st->st_mode);
	if (!item.problem && S_ISREG(st->st_mode)) {
		item.size = (uint64_t)st->st_size;
		item.problem = item.size ? open_problem(in, path) : "an empty file";
	}
	return add_item(in, &item);
}

static struct error *add_folder(struct inputs *in, const char *path, const char *relative,
				unsigned depth);

/* An entry of a folder. relative: the folder's; "" at the top. */
static struct error *add_entry(struct inputs *in, const char *folder, const char *relative,
			       const char *name, unsigned depth)
{
	size_t len = strlen(folder);
	const char *path = arena_printf(in->arena, "%s%s%s", folder,
					len && folder[len - 1] == '/' ? "" : "/", name);
	const char *below = *relative ? arena_printf(in->arena, "%s/%s", relative, name)
				      : arena_strdup(in->arena, name);
	struct stat st, target;

	if (!path || !below)
		return &error_no_memory;
	if (lstat(path, &st) < 0)
		return add_problem(in, path, below, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return add_folder(in, path, below, depth + 1);
	if (!S_ISLNK(st.st_mode))
		return add_file(in, path, below, &st, false);
	if (stat(path, &target) < 0)
		return add_problem(in, path, below, strerror(errno));
	if (S_ISDIR(target.st_mode)) /* it may lead in circles */
		return add_problem(in, path, below, "a link to a folder, not followed");
	return add_file(in, path, below, &target, false);
}

static struct error *add_folder(struct inputs *in, const char *path, const char *relative,
				unsigned depth)
{
	struct error *err = NULL;
	struct dirent *entry;
	DIR *dir;

	if (depth > INPUT_MAX_DEPTH)
		return add_problem(in, path, relative, "a folder that lies too deep");
	dir = opendir(path);
	if (!dir)
		return add_problem(in, path, relative, strerror(errno));
	while (!err && (errno = 0, entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			err = add_entry(in, path, relative, entry->d_name, depth);
	}
	if (!err && errno)
		err = add_problem(in, path, relative, strerror(errno));
	closedir(dir);
	return err;
}

struct error *inputs_add(struct inputs *in, const char *given)
{
	const char *path = arena_strdup(in->arena, given), *slash;
	struct stat st;

	if (!path)
		return &error_no_memory;
	slash = strrchr(path, '/');
	if (stat(path, &st) < 0)
		return add_problem(in, path, slash ? slash + 1 : path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return add_folder(in, path, "", 0);
	return add_file(in, path, slash ? slash + 1 : path, &st, true);
}

/* All of the list, with a NUL behind; len_ret without it. */
static struct error *read_list(FILE *list, const char *name, char **ret, size_t *len_ret)
{
	size_t len = 0, capacity = 0;
	char *text = NULL;
	struct error *err;

	for (;;) {
		size_t n;

		err = array_reserve(&text, &capacity, len + BUFSIZ + 1, 1, INPUT_LIST_MAX,
				    "bytes in a list of paths");
		if (err)
			break;
		n = fread(text + len, 1, BUFSIZ, list);
		len += n;
		if (n == 0)
			break;
	}
	if (!err && ferror(list))
		err = error_os(errno ? errno : EIO, "%s", name);
	if (err) {
		free(text);
		return err;
	}
	text[len] = '\0';
	*ret = text;
	*len_ret = len;
	return NULL;
}

struct error *inputs_add_list(struct inputs *in, FILE *list, const char *name)
{
	char *text = NULL;
	size_t len = 0;
	struct error *err = read_list(list, name, &text, &len);
	char end;

	if (err)
		return err;
	end = memchr(text, '\0', len) ? '\0' : '\n';
	for (char *p = text; p < text + len && !err;) {
		char *stop = memchr(p, end, (size_t)(text + len - p));

		if (!stop)
			stop = text + len;
		*stop = '\0';
		if (*p)
			err = inputs_add(in, p);
		p = stop + 1;
	}
	free(text);
	return err;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct input *)a)->path, ((const struct input *)b)->path);
}

void inputs_sort(struct inputs *in)
{
	size_t kept = 0;

	if (in->count)
		qsort(in->items, in->count, sizeof(*in->items), compare_paths);
	for (size_t i = 0; i < in->count; i++) {
		if (!kept || compare_paths(&in->items[kept - 1], &in->items[i]) != 0)
			in->items[kept++] = in->items[i];
	}
	in->count = kept;
}

bool shard_parse(const char *text, struct shard *ret)
{
	const char *slash = strchr(text, '/');
	struct shard s;
	char index[24];

	if (!slash || (size_t)(slash - text) >= sizeof(index))
		return false;
	memcpy(index, text, (size_t)(slash - text));
	index[slash - text] = '\0';
	if (!text_parse_u64(index, &s.index) || !text_parse_u64(slash + 1, &s.count))
		return false;
	if (s.index < 1 || s.index > s.count)
		return false;
	*ret = s;
	return true;
}

/* FNV-1a, 64 bits. */
static uint64_t path_hash(const char *path)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *path; path++)
		hash = (hash ^ (uint8_t)*path) * UINT64_C(0x100000001b3);
	return hash;
}

bool shard_has(const struct shard *s, const struct input *input)
{
	return !s->count || path_hash(input->relative) % s->count == s->index - 1;
}

void inputs_keep_shard(struct inputs *in, const struct shard *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < in->count; i++) {
		if (shard_has(s, &in->items[i]))
			in->items[kept++] = in->items[i];
	}
	in->count = kept;
}
