/* SPDX-License-Identifier: MIT */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/error.h"

/*
 * Where listings say what they could not read. A bad item costs one line here and never the
 * listing; what several listings stumble over is said and counted once, as far as it is remembered.
 * Safe across threads. Who owns the snapshot owns the diag and must outlive its users.
 */
enum diag_kind {
	DIAG_NOTE,    /* worth knowing; does not change the exit status */
	DIAG_PARTIAL, /* something that should be there could not be read: exit status 3 */
};

enum { DIAG_REMEMBERED = 1024 };

typedef void diag_fn(void *arg, enum diag_kind kind, const char *message);

struct diag {
	diag_fn *fn; /* NULL: only counted */
	void *arg;
	uint64_t notes, partial;	/* how many of each were reported (atomic) */
	uint64_t said[DIAG_REMEMBERED]; /* hashes of messages (atomic); 0: none */
};

void diag_init(struct diag *d, diag_fn *fn, void *arg);
/* What was said may be said again, and both counts begin anew. How many were partial before. */
uint64_t diag_forget(struct diag *d);
PRINTF(2, 3) void diag_note(struct diag *d, const char *fmt, ...);
PRINTF(2, 3) void diag_partial(struct diag *d, const char *fmt, ...);
/* Reports err as partial with a prefix and destroys it. */
PRINTF(3, 4) void diag_error(struct diag *d, struct error *err, const char *fmt, ...);

#endif
