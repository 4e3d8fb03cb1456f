/* SPDX-License-Identifier: MIT */
#include "cli/commands/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands/dump_name.h"
#include "cli/commands/stretches.h"
#include "cli/evidence.h"

/* Neighbours of one state, which become one row. */
struct stretch {
	uint64_t offset, len; /* len 0: none */
	struct opt_u64 va;    /* of offset */
	struct opt_u64 pa;    /* of offset, where va is absent */
	bool present;
	const char *state;
};

struct dump_file {
	struct command_run *run;
	char *path; /* owned */
	int fd;
	uint64_t end, absent; /* bytes */
	unsigned num_stretches;
	struct stretch stretch;
};

static struct error *put_stretch(struct dump_file *f)
{
	const struct stretch *s = &f->stretch;
	struct cell cells[DUMP_NUM_COLUMNS] = {
		[DUMP_OFFSET] = cell_addr(s->offset), [DUMP_LENGTH] = cell_u64(s->len),
		[DUMP_ADDRESS] = cell_opt(s->va),     [DUMP_PRESENT] = cell_bool(s->present),
		[DUMP_STATE] = cell_str(s->state),    [DUMP_FILE] = cell_str(f->path),
		[DUMP_PHYSICAL] = cell_opt(s->pa),
	};

	if (!s->len || sink_full(f->run->sink))
		return NULL;
	return sink_row(f->run->sink, cells, 0);
}

/* Do addresses go on after len bytes, or are both absent? */
static bool follows(struct opt_u64 a, uint64_t len, struct opt_u64 b)
{
	return a.present == b.present && (!a.present || a.value + len == b.value);
}

static bool goes_on(const struct stretch *s, const struct stretch *next)
{
	return s->len && s->offset + s->len == next->offset && s->present == next->present &&
	       strcmp(s->state, next->state) == 0 && follows(s->va, s->len, next->va) &&
	       follows(s->pa, s->len, next->pa);
}

static struct error *add_stretch(struct dump_file *f, const struct stretch *next)
{
	uint64_t offset = next->offset, len = next->len;
	struct error *err;

	if (offset > DUMP_MAX_SIZE || len > DUMP_MAX_SIZE - offset)
		return error_new(ERROR_LIMIT,
				 "%s: 0x%" PRIx64 " bytes at offset 0x%" PRIx64
				 " pass the limit of 0x%" PRIx64,
				 f->path, len, offset, DUMP_MAX_SIZE);
	if (++f->num_stretches > DUMP_MAX_STRETCHES)
		return error_new(ERROR_LIMIT, "%s: more than %d stretches", f->path,
				 DUMP_MAX_STRETCHES);
	if (f->end < offset + len)
		f->end = offset + len;
	if (!next->present)
		f->absent += len;
	if (goes_on(&f->stretch, next)) {
		f->stretch.len += len;
		return NULL;
	}
	if ((err = put_stretch(f)))
		return err;
	f->stretch = *next;
	return NULL;
}

/* Makes room for a file of this path, as --force asks. */
static struct error *remove_old(const struct command_run *run, const char *path)
{
	struct stat there;

	if (lstat(path, &there) != 0)
		return errno == ENOENT ? NULL : error_os(errno, "%s", path);
	if (!S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode))
		return error_new(ERROR_USAGE, "%s: is no regular file", path);
	if (is_evidence(run, &there))
		return error_new(ERROR_USAGE, "%s: is the snapshot itself, or its page file", path);
	if (unlink(path) != 0)
		return error_os(errno, "%s: cannot replace the file", path);
	return NULL;
}

static struct error *create(struct command_run *run, const char *path, int *ret)
{
	struct error *err;
	int fd;

	if (option_flag(run->options, "force") && (err = remove_old(run, path)))
		return err;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return error_os(EEXIST, "%s (--force replaces it)", path);
	if (fd < 0)
		return error_os(errno, "%s: cannot create the file", path);
	*ret = fd;
	return NULL;
}

static bool is_folder(const char *path)
{
	struct stat there;

	return stat(path, &there) == 0 && S_ISDIR(there.st_mode);
}

/* Where a file of this name goes; on the heap. */
static struct error *choose_path(const struct dump *dump, const char *name, char **ret)
{
	const char *given = option_string(dump->run->options, "output");
	size_t len = given ? strlen(given) : 0;
	bool slash = len && given[len - 1] == '/';

	if (given && !*given)
		return error_new(ERROR_USAGE, "option '--output': the path is empty");
	if (slash && mkdir(given, 0777) != 0 && errno != EEXIST)
		return error_os(errno, "%s: cannot create the folder", given);
	if (given && !slash && !is_folder(given)) {
		if (dump->num_files)
			return error_new(ERROR_USAGE,
					 "%s: there is more than one file to write; "
					 "name a folder, or a path that ends in '/'",
					 given);
		*ret = strdup(given);
	} else if (!given) {
		*ret = strdup(name);
	} else if (asprintf(ret, "%s%s%s", given, slash ? "" : "/", name) < 0) {
		*ret = NULL;
	}
	return *ret ? NULL : &error_no_memory;
}

struct error *dump_begin(struct dump *dump, const char *proposed_name, struct opt_u64 address,
			 struct dump_file **ret)
{
	struct dump_file *f;
	char name[DUMP_NAME_MAX + 1], *path = NULL;
	struct error *err;
	int fd = -1;

	dump_name(proposed_name, address, name);
	if ((err = choose_path(dump, name, &path)))
		return err;
	f = calloc(1, sizeof(*f));
	err = f ? create(dump->run, path, &fd) : &error_no_memory;
	if (err) {
		free(path);
		free(f);
		return err;
	}
	dump->num_files++;
	*f = (struct dump_file){ .run = dump->run, .path = path, .fd = fd };
	*ret = f;
	return NULL;
}

/* Zeros need not be written: the file reads as zeros where nothing was. */
static bool is_zero(const uint8_t *bytes, size_t len)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* A stretch that is there. */
static struct error *put_bytes(struct dump_file *f, const struct stretch *stretch,
			       const uint8_t *bytes)
{
	uint64_t offset = stretch->offset;
	size_t len = (size_t)stretch->len;
	struct error *err;

	if (!len)
		return NULL;
	if ((err = add_stretch(f, stretch)) || is_zero(bytes, len))
		return err;
	while (len) {
		ssize_t done = pwrite(f->fd, bytes, len, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return error_os(done < 0 ? errno : EIO, "%s: cannot write", f->path);
		bytes += done;
		len -= (size_t)done;
		offset += (uint64_t)done;
	}
	return NULL;
}

struct error *dump_bytes(struct dump_file *f, uint64_t offset, struct opt_u64 va,
			 const uint8_t *bytes, size_t len, const char *state)
{
	const struct stretch stretch = {
		.offset = offset, .len = len, .va = va, .present = true, .state = state
	};

	return put_bytes(f, &stretch, bytes);
}

struct error *dump_bytes_at_pa(struct dump_file *f, uint64_t offset, struct opt_u64 pa,
			       const uint8_t *bytes, size_t len, const char *state)
{
	struct stretch stretch = { .offset = offset, .len = len, .present = true, .state = state };

	/* pages of memory lie anywhere: rows end with each only for who wants to know where */
	if (sink_shows(f->run->sink, DUMP_PHYSICAL))
		stretch.pa = pa;

	return put_bytes(f, &stretch, bytes);
}

struct error *dump_gap(struct dump_file *f, uint64_t offset, struct opt_u64 va, uint64_t len,
		       const char *state)
{
	const struct stretch stretch = { .offset = offset, .len = len, .va = va, .state = state };

	return len ? add_stretch(f, &stretch) : NULL;
}

/* A range of a space that becomes one of a file. */
struct range_copy {
	struct dump_file *file;
	uint64_t offset, va; /* of its first byte */
};

static struct error *copy_bytes(void *arg, uint64_t va, const uint8_t *bytes, size_t len,
				enum va_state state)
{
	const struct range_copy *c = arg;

	return dump_bytes(c->file, c->offset + (va - c->va), opt_u64(va), bytes, len,
			  va_state_name(state));
}

static struct error *copy_gap(void *arg, uint64_t va, uint64_t len, enum va_state state)
{
	const struct range_copy *c = arg;

	return dump_gap(c->file, c->offset + (va - c->va), opt_u64(va), len, va_state_name(state));
}

struct error *dump_range(struct dump_file *f, uint64_t offset, struct space *s, uint64_t va,
			 uint64_t len)
{
	struct range_copy copy = { f, offset, va };
	const struct stretch_sink sink = { copy_bytes, copy_gap, NULL, &copy };

	return stretches_pass(s, va, len, &sink);
}

static struct error *finish(struct dump_file *f)
{
	struct error *err = put_stretch(f);

	f->stretch.len = 0;
	if (!err && ftruncate(f->fd, (off_t)f->end) != 0)
		err = error_os(errno, "%s: cannot set its size", f->path);
	if (close(f->fd) != 0 && !err)
		err = error_os(errno, "%s: cannot write", f->path);
	f->fd = -1;
	if (!err && f->absent)
		diag_partial(f->run->diag,
			     "%s: %" PRIu64 " of %" PRIu64 " bytes are absent and read as zeros",
			     f->path, f->absent, f->end);
	return err;
}

static void destroy(struct dump_file *f)
{
	free(f->path);
	free(f);
}

void dump_file_cleanup(struct dump_file **f)
{
	if (!*f)
		return;
	unlink((*f)->path);
	if ((*f)->fd >= 0)
		close((*f)->fd);
	destroy(*f);
	*f = NULL;
}

struct error *dump_end(struct dump_file *f)
{
	struct error *err = finish(f);

	if (err)
		dump_file_cleanup(&f);
	else
		destroy(f);
	return err;
}
