/* SPDX-License-Identifier: MIT */
#ifndef CLI_BATCH_POOL_H
#define CLI_BATCH_POOL_H

#include <signal.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Processes, a few at a time, each in a process group of its own, with nothing to read and nowhere
 * to print, and ended when it takes too long, too much memory or too much room, or when this
 * process dies. For a process without other threads. SIGCHLD, SIGINT, SIGTERM and SIGHUP are
 * blocked from pool_init() to pool_deinit(), and taken by pool_wait().
 *
 *	time		SIGTERM when it is up, SIGKILL POOL_GRACE_SECONDS later
 *	processor time	the same by the kernel, for all threads together
 *	memory		what the process allocates (RLIMIT_DATA): mapped files do not count
 *	file size	of any file that it writes
 */
enum { POOL_MAX = 256, POOL_GRACE_SECONDS = 2, POOL_STDERR_MAX = 4096 };

struct pool_limits {
	double seconds;
	unsigned threads; /* of one process */
	uint64_t memory, file_size;
};

/* In the new process, whose exit status it returns. report: an empty file, for appending. */
typedef int pool_fn(void *arg, size_t id, int report);

struct pool_outcome {
	size_t id;
	int report; /* owned by who asked: the open file */
	bool timed_out;
	int wait_status;
	double seconds;
	char said[POOL_STDERR_MAX]; /* the beginning of its standard error */
};

struct pool_process {
	pid_t pid;
	size_t id;
	int report, errors;
	double start, term_at, kill_at; /* seconds of the monotonic clock */
	bool terminated;
};

struct pool {
	struct pool_limits limits;
	pool_fn *fn;
	void *arg;
	struct pool_process running[POOL_MAX];
	size_t count;
	sigset_t signals, before;
	int stop_signal; /* that asked this process to end; 0: none did */
};

void pool_init(struct pool *p, const struct pool_limits *limits, pool_fn *fn, void *arg);
/* Kills what runs. */
void pool_deinit(struct pool *p);
/* One more; at most POOL_MAX at a time. Errors: OS, LIMIT. */
MUST_CHECK struct error *pool_start(struct pool *p, size_t id);
/* Waits at most so long for one to end, and returns whether *ret is one that did. Returns early,
 * with p->stop_signal set, when this process was asked to end. */
MUST_CHECK bool pool_wait(struct pool *p, double seconds, struct pool_outcome *ret);

/* Seconds of the monotonic clock. */
double pool_clock(void);
/* A new file without a name, for appending, in $TMPDIR or /tmp. Error: OS. */
MUST_CHECK struct error *pool_scratch_file(int *ret);

#endif
