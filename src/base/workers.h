/* SPDX-License-Identifier: MIT */
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include "base/error.h"

/* One job of a parallel loop: index is 0..jobs-1. Jobs share nothing but what arg points to. */
typedef struct error *worker_fn(void *arg, size_t index);

/*
 * Runs fn for every index on `threads` threads (0: one per online CPU). Returns the error of
 * the lowest failing index, whatever the number of threads; after a failure no higher index is
 * started, lower ones are finished.
 */
MUST_CHECK struct error *workers_run(unsigned threads, size_t jobs, worker_fn *fn, void *arg);
unsigned workers_default_threads(void);

#endif
