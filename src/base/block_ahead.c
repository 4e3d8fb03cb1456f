/* SPDX-License-Identifier: MIT */
#include "base/block_ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum {
	MAX_THREADS = 64,
	MAX_TASKS = 64,	  /* waiting; what does not fit is not read ahead */
	NUM_STREAMS = 64, /* sources with a reader remembered, by id */
	TASK_BYTES = 64 << 10,
	AHEAD_BYTES = 1 << 20, /* at least, where the memory allows it */
};

/* Blocks [first, end) of a source. */
struct task {
	const struct block_source *source;
	uint64_t first, end;
};

/* How far a source was read in order. All fields atomic: a wrong guess only costs time. */
struct stream {
	uint64_t id, last, ahead_to;
};

struct block_ahead {
	struct block_cache *cache;
	block_ahead_fn *fn;
	unsigned wanted; /* threads */
	struct stream streams[NUM_STREAMS];
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t work, idle;
	struct task tasks[MAX_TASKS]; /* a ring */
	size_t first_task, num_tasks;
	bool stop;
	unsigned max_threads, num_threads, next_slot;
	pthread_t threads[MAX_THREADS];
	uint64_t running[MAX_THREADS]; /* source that each is decoding; 0: none */
};

struct block_ahead *block_ahead_create(struct block_cache *c, unsigned threads, block_ahead_fn *fn)
{
	struct block_ahead *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->cache = c;
	a->fn = fn;
	a->wanted = a->max_threads = threads < MAX_THREADS ? threads : MAX_THREADS;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->work, NULL);
	pthread_cond_init(&a->idle, NULL);
	return a;
}

void block_ahead_destroy(struct block_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->work);
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < a->num_threads; i++)
		pthread_join(a->threads[i], NULL);
	pthread_cond_destroy(&a->idle);
	pthread_cond_destroy(&a->work);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* The next task, noted as running in `slot`; false: stop. Locked. */
static bool take_task(struct block_ahead *a, unsigned slot, struct task *ret)
{
	while (!a->stop && !a->num_tasks)
		pthread_cond_wait(&a->work, &a->lock);
	if (a->stop)
		return false;
	*ret = a->tasks[a->first_task];
	a->first_task = (a->first_task + 1) % MAX_TASKS;
	a->num_tasks--;
	a->running[slot] = ret->source->id;
	return true;
}

static void run_task(struct block_ahead *a, const struct task *task)
{
	for (uint64_t i = task->first; i < task->end; i++) {
		size_t size = task->source->size_of(task->source->arg, i);

		if (size)
			a->fn(a->cache, task->source, i, size);
	}
}

static void *work(void *arg)
{
	struct block_ahead *a = arg;
	struct task task;
	unsigned slot;

	pthread_mutex_lock(&a->lock);
	slot = a->next_slot++;
	while (take_task(a, slot, &task)) {
		pthread_mutex_unlock(&a->lock);
		run_task(a, &task);
		pthread_mutex_lock(&a->lock);
		a->running[slot] = 0;
		pthread_cond_broadcast(&a->idle);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* Signals are for the program's own threads. Locked. */
static void start_threads(struct block_ahead *a)
{
	sigset_t all, before;

	if (a->num_threads == a->max_threads)
		return;
	sigfillset(&all);
	sigdelset(&all, SIGBUS); /* a failing disk is named on the thread that reads it */
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (a->num_threads < a->max_threads &&
	       !pthread_create(&a->threads[a->num_threads], NULL, work, a))
		a->num_threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	a->max_threads = a->num_threads; /* what could not start is not tried again */
}

/* False when there is no place left. */
static bool add_task(struct block_ahead *a, const struct task *task)
{
	bool room;

	pthread_mutex_lock(&a->lock);
	start_threads(a);
	room = a->num_threads && a->num_tasks < MAX_TASKS;
	if (room) {
		a->tasks[(a->first_task + a->num_tasks++) % MAX_TASKS] = *task;
		pthread_cond_signal(&a->work);
	}
	pthread_mutex_unlock(&a->lock);
	return room;
}

/* How many blocks to be ahead of a reader. */
static uint64_t window(const struct block_ahead *a, size_t size, uint64_t max_bytes)
{
	uint64_t want = AHEAD_BYTES / size, least = 2 * (uint64_t)a->wanted;
	uint64_t most = max_bytes / size;

	if (want < least)
		want = least;
	return want < most ? want : most;
}

void block_ahead_note(struct block_ahead *a, const struct block_source *source, uint64_t index,
		      size_t size, uint64_t max_bytes)
{
	struct stream *s = &a->streams[source->id % NUM_STREAMS];
	uint64_t last = __atomic_load_n(&s->last, __ATOMIC_RELAXED), end, from, step;
	bool same = __atomic_load_n(&s->id, __ATOMIC_RELAXED) == source->id;

	if (same && last == index)
		return;
	__atomic_store_n(&s->last, index, __ATOMIC_RELAXED);
	if (!same || index != last + 1) {
		__atomic_store_n(&s->id, source->id, __ATOMIC_RELAXED);
		__atomic_store_n(&s->ahead_to, index, __ATOMIC_RELAXED);
		return;
	}
	end = index + 1 + window(a, size, max_bytes);
	from = __atomic_load_n(&s->ahead_to, __ATOMIC_RELAXED);
	from = from > index ? from : index + 1;
	step = size < TASK_BYTES ? TASK_BYTES / size : 1;
	for (; from + step <= end; from += step) {
		const struct task task = { .source = source, .first = from, .end = from + step };

		if (!source->size_of(source->arg, from) || !add_task(a, &task))
			break;
	}
	__atomic_store_n(&s->ahead_to, from, __ATOMIC_RELAXED);
}

static bool is_running(const struct block_ahead *a, uint64_t source_id)
{
	for (unsigned i = 0; i < a->num_threads; i++) {
		if (a->running[i] == source_id)
			return true;
	}
	return false;
}

void block_ahead_leave(struct block_ahead *a, uint64_t source_id)
{
	size_t kept = 0;

	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->num_tasks; i++) {
		struct task task = a->tasks[(a->first_task + i) % MAX_TASKS];

		if (task.source->id != source_id)
			a->tasks[(a->first_task + kept++) % MAX_TASKS] = task;
	}
	a->num_tasks = kept;
	while (is_running(a, source_id))
		pthread_cond_wait(&a->idle, &a->lock);
	pthread_mutex_unlock(&a->lock);
}
