/* SPDX-License-Identifier: MIT */
#include "base/workers.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

enum { MAX_THREADS = 256 };

struct pool {
	worker_fn *fn;
	void *arg;
	pthread_mutex_t lock; /* of what follows */
	size_t next;	      /* the next index to start */
	size_t failed;	      /* the lowest index that failed; all jobs: none did */
	struct error *err;    /* of failed */
};

/* Indexes start in order, so whatever is below a failed one has been started. */
static bool pool_next(struct pool *pool, size_t *index)
{
	bool more;

	pthread_mutex_lock(&pool->lock);
	more = pool->next < pool->failed;
	if (more)
		*index = pool->next++;
	pthread_mutex_unlock(&pool->lock);
	return more;
}

/* Keeps the error of the lowest index. */
static void pool_fail(struct pool *pool, size_t index, struct error *err)
{
	pthread_mutex_lock(&pool->lock);
	if (index < pool->failed) {
		struct error *higher = pool->err;

		pool->failed = index;
		pool->err = err;
		err = higher;
	}
	pthread_mutex_unlock(&pool->lock);
	error_destroy(err);
}

static void *pool_work(void *arg)
{
	struct pool *pool = arg;
	size_t index;

	while (pool_next(pool, &index)) {
		struct error *err = pool->fn(pool->arg, index);

		if (err)
			pool_fail(pool, index, err);
	}
	return NULL;
}

struct error *workers_run(unsigned threads, size_t jobs, worker_fn *fn, void *arg)
{
	struct pool pool = {
		.fn = fn,
		.arg = arg,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.failed = jobs,
	};
	pthread_t ids[MAX_THREADS];
	unsigned started = 0;

	if (threads == 0)
		threads = workers_default_threads();
	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	/* The caller is one of them, and goes on alone where no thread can be had. */
	while (started + 1 < threads && started + 1 < jobs) {
		if (pthread_create(&ids[started], NULL, pool_work, &pool))
			break;
		started++;
	}
	pool_work(&pool);
	while (started > 0)
		pthread_join(ids[--started], NULL);
	return pool.err;
}

unsigned workers_default_threads(void)
{
	cpu_set_t set;
	long online;

	/* Fewer than are online where the process is confined. */
	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		return (unsigned)CPU_COUNT(&set);
	online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (unsigned)online : 1;
}
