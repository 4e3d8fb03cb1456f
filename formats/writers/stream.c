/* SPDX-License-Identifier: MIT */
#include "formats/writers/stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/progress.h"
#include "base/workers.h"

/* A chunk needs little time: more threads than this wait for each other. */
enum { MAX_WORKERS = 16 };

enum consumer { PUT, HASH, NUM_CONSUMERS };

/* Room for one chunk, from when a worker takes it up until all consumers are done with it. */
struct slot {
	uint8_t *bytes, *made;
	uint64_t ready; /* number of the chunk that is in it, from 1 */
};

/*
 * Chunk n lives in slot n % num_slots. Workers take chunks in order and fill their slots; the
 * consumers go over them in order, each at its own pace.
 */
struct pipe {
	const struct write_job *job;
	const struct stream_ops *ops;
	void *arg;
	uint64_t num_chunks;
	struct slot *slots;
	unsigned num_slots;
	pthread_mutex_t lock; /* of what follows, and of slot.ready */
	pthread_cond_t moved;
	uint64_t next;		      /* the next chunk to be taken up */
	uint64_t done[NUM_CONSUMERS]; /* chunks */
	unsigned num_workers;	      /* started so far */
	struct error *err;	      /* ends everything */
};

unsigned stream_workers(const struct write_job *job)
{
	unsigned threads = job->threads ? job->threads : workers_default_threads();

	return threads < MAX_WORKERS ? threads : MAX_WORKERS;
}

bool stream_next_piece(const struct write_memory *m, const struct stream_chunk *chunk,
		       struct stream_piece *piece)
{
	const struct write_run *run;
	uint64_t stream;

	if (piece->done == chunk->len)
		return false;
	stream = chunk->stream + piece->done;
	piece->run = piece->done ? piece->run + 1 : write_memory_at(m, stream);
	run = &m->runs[piece->run];
	piece->pa = run->start + (stream - run->stream);
	piece->bytes = chunk->bytes + piece->done;
	piece->len = chunk->len - piece->done;
	if (piece->len > run->end - piece->pa)
		piece->len = (size_t)(run->end - piece->pa);
	piece->done += piece->len;
	return true;
}

/* All of [pa, pa + len), which is captured; what cannot be decoded is zeros and lost. */
static void read_memory(const struct write_job *job, uint64_t pa, uint8_t *buf, size_t len)
{
	while (len) {
		size_t part = PAGE_SIZE - (size_t)(pa & PAGE_MASK), begin = pa & PAGE_MASK;
		struct page_view view;

		if (physmem_view(job->mem, pa, &view, NULL)) {
			part = view.end - begin < len ? view.end - begin : len;
			memcpy(buf, view.bytes + (begin - view.begin), part);
			page_release(&view);
		} else {
			part = part < len ? part : len;
			memset(buf, 0, part);
			page_set_add(job->lost, pa, part);
		}
		pa += part;
		buf += part;
		len -= part;
	}
}

/* Is a patch in [pa, pa + len)? With its bytes put into buf, if that is not NULL. */
static bool apply_patches(const struct write_job *job, uint64_t pa, uint8_t *buf, size_t len)
{
	bool found = false;

	for (size_t i = 0; i < job->num_patches; i++) {
		const struct write_patch *p = &job->patches[i];
		uint64_t start = p->pa > pa ? p->pa : pa;
		uint64_t end = p->pa + p->len < pa + len ? p->pa + p->len : pa + len;

		if (start >= end)
			continue;
		found = true;
		if (buf)
			memcpy(buf + (start - pa), p->bytes + (start - p->pa),
			       (size_t)(end - start));
	}
	return found;
}

static struct stream_chunk chunk_of(const struct pipe *p, uint64_t number)
{
	const struct slot *slot = &p->slots[number % p->num_slots];
	uint64_t stream = number * STREAM_CHUNK_SIZE, left = p->job->memory->bytes - stream;

	return (struct stream_chunk){
		.stream = stream,
		.bytes = slot->bytes,
		.len = left < STREAM_CHUNK_SIZE ? (size_t)left : STREAM_CHUNK_SIZE,
		.made = slot->made,
	};
}

static struct error *fill(struct pipe *p, uint64_t number, unsigned worker)
{
	struct stream_chunk chunk = chunk_of(p, number);
	uint8_t *bytes = p->slots[number % p->num_slots].bytes;
	struct stream_piece piece = { 0 };

	chunk.worker = worker;
	while (stream_next_piece(p->job->memory, &chunk, &piece)) {
		uint8_t *to = bytes + (piece.done - piece.len);

		read_memory(p->job, piece.pa, to, piece.len);
		apply_patches(p->job, piece.pa, to, piece.len);
	}
	return p->ops->make ? p->ops->make(p->arg, &chunk) : NULL;
}

static void fail(struct pipe *p, struct error *err)
{
	pthread_mutex_lock(&p->lock);
	if (p->err)
		error_destroy(err);
	else
		p->err = err;
	pthread_cond_broadcast(&p->moved);
	pthread_mutex_unlock(&p->lock);
}

/* Chunks that no consumer needs any more. */
static uint64_t num_free(const struct pipe *p)
{
	return p->done[PUT] < p->done[HASH] ? p->done[PUT] : p->done[HASH];
}

static bool take_up(struct pipe *p, uint64_t *ret)
{
	bool more;

	pthread_mutex_lock(&p->lock);
	while (!p->err && p->next < p->num_chunks && p->next - num_free(p) >= p->num_slots)
		pthread_cond_wait(&p->moved, &p->lock);
	more = !p->err && p->next < p->num_chunks;
	if (more)
		*ret = p->next++;
	pthread_mutex_unlock(&p->lock);
	return more;
}

static void *work(void *arg)
{
	struct pipe *p = arg;
	unsigned worker = __atomic_fetch_add(&p->num_workers, 1, __ATOMIC_RELAXED);
	uint64_t number;

	while (take_up(p, &number)) {
		struct error *err = fill(p, number, worker);

		if (err)
			fail(p, err);
		pthread_mutex_lock(&p->lock);
		p->slots[number % p->num_slots].ready = number + 1;
		pthread_cond_broadcast(&p->moved);
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

typedef struct error *consume_fn(struct pipe *p, void *state, const struct stream_chunk *chunk);

static bool wait_ready(struct pipe *p, uint64_t number)
{
	const struct slot *slot = &p->slots[number % p->num_slots];
	bool ok;

	pthread_mutex_lock(&p->lock);
	while (!p->err && slot->ready != number + 1)
		pthread_cond_wait(&p->moved, &p->lock);
	ok = !p->err;
	pthread_mutex_unlock(&p->lock);
	return ok;
}

static void consume(struct pipe *p, enum consumer who, consume_fn *fn, void *state)
{
	for (uint64_t i = 0; i < p->num_chunks && wait_ready(p, i); i++) {
		const struct stream_chunk chunk = chunk_of(p, i);
		struct error *err = fn(p, state, &chunk);

		if (err)
			fail(p, err);
		pthread_mutex_lock(&p->lock);
		p->done[who] = i + 1;
		pthread_cond_broadcast(&p->moved);
		pthread_mutex_unlock(&p->lock);
	}
}

static struct error *put_chunk(struct pipe *p, void *state, const struct stream_chunk *chunk)
{
	(void)state;
	if (p->job->progress)
		progress_add(p->job->progress, chunk->len);
	return p->ops->put(p->arg, chunk);
}

/* The memory as the snapshot has it: without patches. */
static struct error *hash_chunk(struct pipe *p, void *state, const struct stream_chunk *chunk)
{
	const struct write_job *job = p->job;
	struct stream_piece piece = { 0 };
	uint8_t *unpatched = state, bounds[16];

	while (stream_next_piece(job->memory, chunk, &piece)) {
		const struct write_run *run = &job->memory->runs[piece.run];
		const uint8_t *bytes = piece.bytes;

		if (piece.pa == run->start) {
			store_u64(bounds, run->start);
			store_u64(bounds + 8, run->end);
			sha256_add(job->memory_hash, bounds, sizeof(bounds));
		}
		if (apply_patches(job, piece.pa, NULL, piece.len)) {
			read_memory(job, piece.pa, unpatched, piece.len);
			bytes = unpatched;
		}
		sha256_add(job->memory_hash, bytes, piece.len);
	}
	return NULL;
}

static void *hash_all(void *arg)
{
	uint8_t *unpatched = malloc(STREAM_CHUNK_SIZE);

	if (unpatched)
		consume(arg, HASH, hash_chunk, unpatched);
	else
		fail(arg, &error_no_memory);
	free(unpatched);
	return NULL;
}

static struct error *start_thread(pthread_t *id, void *(*fn)(void *), struct pipe *p)
{
	int failed = pthread_create(id, NULL, fn, p);

	return failed ? error_os(failed, "cannot start a thread") : NULL;
}

/* One worker is enough where no more can be had. */
static struct error *run(struct pipe *p)
{
	unsigned wanted = stream_workers(p->job), started = 0;
	pthread_t workers[MAX_WORKERS], hasher;
	bool hashes = false;
	struct error *err = NULL;

	if (p->job->memory_hash) {
		err = start_thread(&hasher, hash_all, p);
		hashes = !err;
	} else {
		p->done[HASH] = UINT64_MAX;
	}
	while (!err && started < wanted) {
		err = start_thread(&workers[started], work, p);
		if (!err) {
			started++;
		} else if (started) {
			error_destroy(take_ptr(err));
			wanted = started;
		}
	}
	if (err)
		fail(p, err);
	consume(p, PUT, put_chunk, NULL);
	while (started)
		pthread_join(workers[--started], NULL);
	if (hashes)
		pthread_join(hasher, NULL);
	return p->err;
}

static struct error *alloc_slots(struct pipe *p)
{
	p->num_slots = 2 * stream_workers(p->job) + 2;
	if (!(p->slots = calloc(p->num_slots, sizeof(*p->slots))))
		return &error_no_memory;
	for (unsigned i = 0; i < p->num_slots; i++) {
		struct slot *slot = &p->slots[i];

		slot->bytes = malloc(STREAM_CHUNK_SIZE);
		slot->made = p->ops->made_size ? malloc(p->ops->made_size) : NULL;
		if (!slot->bytes || (p->ops->made_size && !slot->made))
			return &error_no_memory;
	}
	return NULL;
}

struct error *stream_each(const struct write_job *job, const struct stream_ops *ops, void *arg)
{
	struct pipe p = {
		.job = job,
		.ops = ops,
		.arg = arg,
		.num_chunks = (job->memory->bytes + STREAM_CHUNK_SIZE - 1) / STREAM_CHUNK_SIZE,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.moved = PTHREAD_COND_INITIALIZER,
	};
	struct error *err = alloc_slots(&p);

	if (!err)
		err = run(&p);
	for (unsigned i = 0; p.slots && i < p.num_slots; i++) {
		free(p.slots[i].bytes);
		free(p.slots[i].made);
	}
	free(p.slots);
	return err;
}

struct plain {
	struct output *out;
	uint64_t offset;
};

static struct error *put_plain(void *arg, const struct stream_chunk *chunk)
{
	const struct plain *to = arg;

	return output_write_sparse(to->out, to->offset + chunk->stream, chunk->bytes, chunk->len);
}

struct error *stream_write(const struct write_job *job, uint64_t offset)
{
	static const struct stream_ops ops = { .put = put_plain };
	struct plain to = { job->out, offset };

	return stream_each(job, &ops, &to);
}
