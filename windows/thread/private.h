/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_THREAD_PRIVATE_H
#define WINDOWS_THREAD_PRIVATE_H

#include "base/u64_set.h"
#include "windows/objects/dispatcher.h"
#include "windows/thread/thread.h"

/* What the sources of threads share: reading one object into a row. */

struct thread_reader {
	struct kernel *k;
	struct thread_list *list;
	size_t capacity, limit;
	struct field fields[thread_num_fields];
	struct u64_set seen; /* ETHREAD addresses in list */
	uint64_t dropped;    /* threads that were too many */
};

/* Empties the list and binds. To be ended also on failure; on failure the list is empty again. */
MUST_CHECK struct error *thread_reader_begin(struct thread_reader *r, struct kernel *k,
					     size_t limit, struct thread_list *list);
/* Takes the error of the listing and gives it back. */
MUST_CHECK struct error *thread_reader_end(struct thread_reader *r, struct error *err);

/* The thread object that t->ethread or, where that is 0, t->source and t->pool tell of; o: where
 * its bytes are. What is no thread is reported and left out; what is in the list already, too. */
MUST_CHECK struct error *thread_add_object(struct thread_reader *r, struct object *o,
					   const struct thread *t);

#endif
