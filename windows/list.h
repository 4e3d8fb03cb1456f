/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_LIST_H
#define WINDOWS_LIST_H

#include "base/diag.h"
#include "memory/space.h"

/*
 * Doubly linked LIST_ENTRY rings {Flink @0, Blink @8 for 64 bits; ntdef.h}, read from both ends so
 * that one absent or torn entry costs only what lies between two breaks.
 */
struct list_break {
	uint64_t entry;	 /* whose link could not be followed */
	uint64_t target; /* where the link points; 0: it could not be read */
	const char *why; /* "not captured", "back link differs", "loop", ... */
};

struct list {
	uint64_t *entries; /* addresses of LIST_ENTRYs, the head left out, ring order */
	size_t count;
	/* Every entry of the ring is here: the front walk came round, or broke at a link whose
	 * other side the back walk reached (then front.why still says what is torn). */
	bool complete;
	/* Entries that are there but do not point back at the one before: a snapshot taken while
	 * the list changed, or an entry that was unlinked on one side, or that was made
	 * to point elsewhere on both while both its neighbours point at it. */
	size_t num_torn;
	uint64_t first_torn;
	struct list_break front, back; /* where each walk ended; why NULL: it did not break */
};

/* Reads the ring of head; at most limit entries from each end (then the break says
 * so; it is no error). The head itself may be unreadable: then no entries. NO_MEMORY only. */
MUST_CHECK struct error *list_read(struct space *s, uint64_t head, size_t limit, struct list *ret);
/* The same of 32-bit entries {Flink @0, Blink @4}, as WoW64 processes have them. */
MUST_CHECK struct error *list_read_32(struct space *s, uint64_t head, size_t limit,
				      struct list *ret);
void list_deinit(struct list *list);
/* Says what broke: as partial when entries may be missing, as a note when none are. */
void list_report(const struct list *list, struct diag *diag, const char *what);

/* Does a ring hang together at head: readable, and both neighbours point back? */
bool list_head_is_sane(struct space *s, uint64_t head);

#endif
