/* SPDX-License-Identifier: MIT */
#include "formats/writers/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/writers/doomed_file.h"
#include "formats/writers/lz4_stream.h"

enum { HASH_PIECE = 1 << 20, MAX_HIDDEN_NAMES = 100, SPARSE_PAGE = 4096 };

/* Reads the file behind the writer, as far as it is settled. */
struct hasher {
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	uint64_t settled; /* bytes before it are final */
	bool stop;	  /* after `settled`, nothing more comes */
	struct sha256 sum;
	struct error *err;
};

struct output {
	char *path;   /* owned */
	char *hidden; /* the name that it has until then; owned; NULL: none */
	bool doomed;  /* a signal removes that */
	int fd;
	struct output_options options;
	bool has_size, unordered;
	uint64_t size, end; /* as was said; after the highest byte written */
	struct lz4_stream *lz4;
	uint64_t lz4_end; /* bytes of the frame written */
	struct hasher hasher;
	sigset_t signals_before;
};

/* Where the file's folder ends in its path. */
static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash + 1 - path) : 0;
}

/* A name beside the target that ls does not show. */
static struct error *hidden_name(const struct output *o, unsigned number, char **ret)
{
	int folder = folder_length(o->path);

	if (asprintf(ret, "%.*s.%s.%d-%u.part", folder, o->path, o->path + folder, (int)getpid(),
		     number) < 0) {
		*ret = NULL;
		return &error_no_memory;
	}
	return NULL;
}

/* Calls make with hidden names until one is free; o->hidden is then set. */
static struct error *with_hidden_name(struct output *o, int (*make)(struct output *o))
{
	for (unsigned i = 0; i < MAX_HIDDEN_NAMES; i++) {
		struct error *err = hidden_name(o, i, &o->hidden);
		int failed;

		if (err)
			return err;
		if (make(o) == 0) {
			o->doomed = doomed_file_begin(o->hidden);
			return NULL;
		}
		failed = errno;
		free(take_ptr(o->hidden));
		if (failed != EEXIST)
			return error_os(failed, "%s: cannot create the file", o->path);
	}
	return error_os(EEXIST, "%s: cannot create a file beside it", o->path);
}

static void forget_hidden(struct output *o)
{
	if (o->doomed)
		doomed_file_end();
	o->doomed = false;
	free(take_ptr(o->hidden));
}

static int create_hidden(struct output *o)
{
	o->fd = open(o->hidden, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	return o->fd < 0 ? -1 : 0;
}

/* The file's way into the folder when it has no name yet. */
static void name_of_fd(int fd, char ret[32])
{
	snprintf(ret, 32, "/proc/self/fd/%d", fd);
}

/* A file that goes away by itself, whatever ends the program; false where there is no such. */
static bool create_nameless(struct output *o)
{
	int folder = folder_length(o->path);
	char name[32], *path;

	if (asprintf(&path, "%.*s.", folder, o->path) < 0)
		return false;
	o->fd = open(path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);
	free(path);
	if (o->fd < 0)
		return false;
	name_of_fd(o->fd, name);
	if (access(name, F_OK) == 0)
		return true;
	close(o->fd);
	o->fd = -1;
	return false;
}

/* What will be in the way at the end is better known now. */
static struct error *check_target(const struct output *o)
{
	struct stat there;

	if (!o->path[folder_length(o->path)])
		return error_new(ERROR_USAGE, "%s: expected the path of a file", o->path);
	if (lstat(o->path, &there) != 0)
		return errno == ENOENT ? NULL : error_os(errno, "%s", o->path);
	if (!o->options.replace)
		return error_os(EEXIST, "%s (--force replaces it)", o->path);
	/* it would be replaced itself: /dev/stdout is one */
	if (S_ISLNK(there.st_mode))
		return error_new(ERROR_USAGE, "%s: is a symbolic link", o->path);
	if (!S_ISREG(there.st_mode))
		return error_new(ERROR_USAGE, "%s: is no regular file", o->path);
	return NULL;
}

static struct error *read_settled(const struct output *o, uint8_t *buf, uint64_t offset, size_t len)
{
	while (len) {
		ssize_t done = pread(o->fd, buf, len, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return error_os(done < 0 ? errno : EIO, "%s: cannot read back", o->path);
		buf += done;
		len -= (size_t)done;
		offset += (uint64_t)done;
	}
	return NULL;
}

/* How far it may read from `at` on; at: no further, ever. */
static uint64_t wait_settled(struct hasher *h, uint64_t at)
{
	uint64_t ret;

	pthread_mutex_lock(&h->lock);
	while (h->settled <= at && !h->stop)
		pthread_cond_wait(&h->more, &h->lock);
	ret = h->settled;
	pthread_mutex_unlock(&h->lock);
	return ret;
}

static void *hash_file(void *arg)
{
	struct output *o = arg;
	struct hasher *h = &o->hasher;
	uint8_t *buf = malloc(HASH_PIECE);
	uint64_t at = 0, settled;

	h->err = buf ? NULL : &error_no_memory;
	while (!h->err && (settled = wait_settled(h, at)) > at) {
		size_t len = settled - at < HASH_PIECE ? (size_t)(settled - at) : HASH_PIECE;

		if ((h->err = read_settled(o, buf, at, len)))
			break;
		sha256_add(&h->sum, buf, len);
		at += len;
	}
	free(buf);
	return NULL;
}

static void settle(struct output *o, uint64_t offset, bool stop)
{
	struct hasher *h = &o->hasher;

	if (!h->runs)
		return;
	pthread_mutex_lock(&h->lock);
	h->settled = offset;
	h->stop = stop;
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->lock);
}

static struct error *start_hasher(struct output *o)
{
	struct hasher *h = &o->hasher;
	int failed;

	sha256_init(&h->sum);
	if ((failed = pthread_create(&h->thread, NULL, hash_file, o)))
		return error_os(failed, "%s: cannot start a thread", o->path);
	h->runs = true;
	return NULL;
}

static struct error *stop_hasher(struct output *o, uint64_t size)
{
	settle(o, size, true);
	if (o->hasher.runs)
		pthread_join(o->hasher.thread, NULL);
	o->hasher.runs = false;
	return take_ptr(o->hasher.err);
}

/* A file size limit is to be an error, not the end of the program. */
static void block_size_signal(struct output *o)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGXFSZ);
	pthread_sigmask(SIG_BLOCK, &set, &o->signals_before);
}

static void drop_size_signal(void)
{
	const struct timespec at_once = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGXFSZ);
	(void)sigtimedwait(&set, NULL, &at_once);
}

struct error *output_create(const char *path, const struct output_options *options,
			    struct output **ret)
{
	struct output *o = calloc(1, sizeof(*o));
	struct error *err = NULL;

	if (!o)
		return &error_no_memory;
	*o = (struct output){ .fd = -1, .options = *options };
	pthread_mutex_init(&o->hasher.lock, NULL);
	pthread_cond_init(&o->hasher.more, NULL);
	block_size_signal(o);
	if (!(o->path = strdup(path)))
		err = &error_no_memory;
	if (!err)
		err = check_target(o);
	if (!err && !create_nameless(o))
		err = with_hidden_name(o, create_hidden);
	if (!err && options->hash)
		err = start_hasher(o);
	if (err)
		output_destroy(o);
	else
		*ret = o;
	return err;
}

void output_destroy(struct output *o)
{
	if (!o)
		return;
	error_destroy(stop_hasher(o, 0));
	if (o->hidden)
		unlink(o->hidden);
	if (o->fd >= 0)
		close(o->fd);
	lz4_stream_destroy(o->lz4);
	pthread_cond_destroy(&o->hasher.more);
	pthread_mutex_destroy(&o->hasher.lock);
	pthread_sigmask(SIG_SETMASK, &o->signals_before, NULL);
	forget_hidden(o);
	free(o->path);
	free(o);
}

void output_cleanup(struct output **o)
{
	output_destroy(*o);
	*o = NULL;
}

static struct error *write_at(struct output *o, uint64_t offset, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	while (len) {
		ssize_t done = pwrite(o->fd, from, len, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			int failed = done < 0 ? errno : EIO;

			if (failed == EFBIG)
				drop_size_signal();
			return error_os(failed, "%s: cannot write", o->path);
		}
		from += done;
		len -= (size_t)done;
		offset += (uint64_t)done;
	}
	return NULL;
}

static struct error *put_lz4(void *arg, const void *bytes, size_t len)
{
	struct output *o = arg;
	struct error *err = write_at(o, o->lz4_end, bytes, len);

	if (err)
		return err;
	o->lz4_end += len;
	settle(o, o->lz4_end, false);
	return NULL;
}

static struct error *check_end(const struct output *o, uint64_t end)
{
	if (end <= OUTPUT_MAX_SIZE)
		return NULL;
	return error_new(ERROR_LIMIT,
			 "%s: a file of 0x%" PRIx64 " bytes passes the limit of 0x%" PRIx64,
			 o->path, end, OUTPUT_MAX_SIZE);
}

struct error *output_set_size(struct output *o, uint64_t size)
{
	struct error *err = check_end(o, size);

	if (err)
		return err;
	o->has_size = true;
	o->size = size;
	return o->options.lz4 ? lz4_stream_create(size, put_lz4, o, &o->lz4) : NULL;
}

void output_set_unordered(struct output *o)
{
	o->unordered = true;
}

bool output_is_ordered(const struct output *o)
{
	return o->options.lz4;
}

static struct error *write_lz4(struct output *o, uint64_t offset, const void *bytes, size_t len)
{
	struct error *err = lz4_stream_add_zeros(o->lz4, offset - lz4_stream_position(o->lz4));

	return err ? err : lz4_stream_add(o->lz4, bytes, len);
}

struct error *output_write(struct output *o, uint64_t offset, const void *bytes, size_t len)
{
	struct error *err;

	if (!len)
		return NULL;
	if (offset > OUTPUT_MAX_SIZE || (err = check_end(o, offset + len)))
		return offset > OUTPUT_MAX_SIZE ? check_end(o, offset) : err;
	if (o->lz4)
		return write_lz4(o, offset, bytes, len);
	if ((err = write_at(o, offset, bytes, len)))
		return err;
	if (offset + len > o->end)
		o->end = offset + len;
	if (!o->unordered)
		settle(o, o->end, false);
	return NULL;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* Length of the first stretch of pages that are all zeros or all not; *zero_ret says which. */
static size_t alike(const uint8_t *bytes, size_t len, bool *zero_ret)
{
	size_t done = len < SPARSE_PAGE ? len : SPARSE_PAGE;

	*zero_ret = is_zero(bytes, done);
	while (done < len) {
		size_t part = len - done < SPARSE_PAGE ? len - done : SPARSE_PAGE;

		if (is_zero(bytes + done, part) != *zero_ret)
			break;
		done += part;
	}
	return done;
}

struct error *output_write_sparse(struct output *o, uint64_t offset, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	struct error *err = NULL;

	while (len && !err) {
		bool zero;
		size_t part = alike(from, len, &zero);

		if (!zero)
			err = output_write(o, offset, from, part);
		from += part;
		len -= part;
		offset += part;
	}
	return err;
}

/* Gives the nameless file a hidden name. */
static int link_hidden(struct output *o)
{
	char name[32];

	name_of_fd(o->fd, name);
	return linkat(AT_FDCWD, name, AT_FDCWD, o->hidden, AT_SYMLINK_FOLLOW);
}

/* Names it without replacing what may have come in the meantime. */
static int link_new(struct output *o)
{
	char name[32];

	if (!o->hidden) {
		name_of_fd(o->fd, name);
		return linkat(AT_FDCWD, name, AT_FDCWD, o->path, AT_SYMLINK_FOLLOW);
	}
	if (renameat2(AT_FDCWD, o->hidden, AT_FDCWD, o->path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(o->hidden, o->path) != 0)
		return -1;
	return unlink(o->hidden);
}

static struct error *publish(struct output *o)
{
	struct error *err;
	int done;

	if (o->options.replace && !o->hidden && (err = with_hidden_name(o, link_hidden)))
		return err;
	done = o->options.replace ? rename(o->hidden, o->path) : link_new(o);
	if (done != 0)
		return error_os(errno, "%s: cannot create the file", o->path);
	forget_hidden(o);
	return NULL;
}

/* The last bytes, where they are zeros, and those of the frame. */
static struct error *complete(struct output *o, uint64_t *size_ret)
{
	struct error *err;

	if (o->lz4) {
		err = lz4_stream_end(o->lz4);
		*size_ret = o->lz4_end;
		return err;
	}
	*size_ret = o->has_size ? o->size : o->end;
	if (ftruncate(o->fd, (off_t)*size_ret) == 0)
		return NULL;
	if (errno == EFBIG)
		drop_size_signal();
	return error_os(errno, "%s: cannot set its size", o->path);
}

/* File systems may say only at a close what could not be written (NFS). */
static struct error *close_copy(const struct output *o)
{
	int copy = fcntl(o->fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0 || close(copy) != 0)
		return error_os(errno, "%s: cannot write", o->path);
	return NULL;
}

struct error *output_finish(struct output *o, struct output_result *ret)
{
	struct output_result result = { 0 };
	struct error *err;

	if ((err = complete(o, &result.size)) || (err = stop_hasher(o, result.size)))
		return err;
	if (o->options.hash)
		sha256_end(&o->hasher.sum, result.sha256);
	if ((err = close_copy(o)) || (err = publish(o)))
		return err;
	*ret = result;
	return NULL;
}
