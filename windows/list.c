/* SPDX-License-Identifier: MIT */
#include "windows/list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { LINK_FLINK = 0, LINK_BLINK = 8, LINK32_BLINK = 4 };

static const char why_limit[] = "more entries than the limit allows";
static const char why_loop[] = "the list runs in a loop";
static const char why_back_link[] = "the entry that it points to does not point back";
static const char why_pointer[] = "no address of an entry";

/* Kernel and user lists alike: pointers are canonical, 8-aligned and not near zero. */
static bool is_entry_pointer(uint64_t va)
{
	uint64_t top = va >> 47;

	return !(va & 7) && va >= PAGE_SIZE && (top == 0 || va >> 56 == 0xff);
}

/* Addresses in order of arrival and where each stands: open addressing over the order. */
struct entry_list {
	uint64_t *entries;
	size_t count, capacity;
	uint32_t *slots; /* index + 1 into entries; 0: free */
	size_t mask;
};

static void entry_list_deinit(struct entry_list *l)
{
	free(l->entries);
	free(l->slots);
}

static size_t slot_of(const struct entry_list *l, uint64_t va)
{
	size_t i = (size_t)((va >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & l->mask;

	while (l->slots[i] && l->entries[l->slots[i] - 1] != va)
		i = (i + 1) & l->mask;
	return i;
}

static bool entry_list_find(const struct entry_list *l, uint64_t va, size_t *index_ret)
{
	uint32_t slot = l->slots ? l->slots[slot_of(l, va)] : 0;

	if (slot)
		*index_ret = slot - 1;
	return slot != 0;
}

static struct error *grow_slots(struct entry_list *l)
{
	size_t size = l->slots ? (l->mask + 1) * 2 : 64;
	uint32_t *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return &error_no_memory;
	free(l->slots);
	l->slots = slots;
	l->mask = size - 1;
	for (size_t i = 0; i < l->count; i++)
		l->slots[slot_of(l, l->entries[i])] = (uint32_t)i + 1;
	return NULL;
}

static struct error *entry_list_add(struct entry_list *l, uint64_t va)
{
	struct error *err;

	if (!l->slots || l->count * 2 > l->mask) {
		if ((err = grow_slots(l)))
			return err;
	}
	err = array_reserve(&l->entries, &l->capacity, l->count + 1, sizeof(*l->entries),
			    UINT32_MAX, "list entries");
	if (err)
		return err;
	l->entries[l->count] = va;
	l->slots[slot_of(l, va)] = (uint32_t)++l->count;
	return NULL;
}

/* One direction: `link` is the offset of the pointer to follow, `back` the one that must point
 * to where we came from. */
struct list_walk {
	struct space *space;
	bool is_32bit;
	uint64_t head, link, back;
	size_t limit;
	struct entry_list found;
	struct list_break stop; /* why NULL: it came round to the head */
	size_t num_torn;
	uint64_t first_torn;
	bool skipped;	  /* it passed an entry that another, too, says is the next to it */
	uint64_t refused; /* where it stopped at an entry that points back at no neighbour; 0: not
			     so */
};

static bool read_link(const struct list_walk *w, uint64_t va, uint64_t *ret, struct fault *fault)
{
	uint32_t link;

	if (!w->is_32bit)
		return space_try_u64(w->space, va, ret, fault);
	if (!space_try_u32(w->space, va, &link, fault))
		return false;
	*ret = link;
	return true;
}

/* 32-bit heads in a module's data are aligned to 4 only. */
static bool is_link(const struct list_walk *w, uint64_t va)
{
	return w->is_32bit ? !(va & 3) && va >= PAGE_SIZE && va <= UINT32_MAX
			   : is_entry_pointer(va);
}

/* An entry that does not point back is still one if what it points to points back at it. */
static bool is_linked_onward(const struct list_walk *w, uint64_t entry)
{
	uint64_t next, points_back;

	return read_link(w, entry + w->link, &next, NULL) && is_link(w, next) && next != entry &&
	       read_link(w, next + w->back, &points_back, NULL) && points_back == entry;
}

/* An entry points back at `other` instead, which says the same: what lies between them is passed
 * over. */
static bool is_anothers(const struct list_walk *w, uint64_t entry, uint64_t other)
{
	uint64_t next;

	return is_link(w, other) && read_link(w, other + w->link, &next, NULL) && next == entry;
}

/* Why the walk cannot go from `at` to `next`; NULL if it can. */
static const char *refuse(struct list_walk *w, uint64_t at, uint64_t next)
{
	uint64_t points_back;
	size_t index;

	if (!is_link(w, next))
		return why_pointer;
	if (entry_list_find(&w->found, next, &index))
		return why_loop;
	if (w->found.count >= w->limit)
		return why_limit;
	if (!read_link(w, next + w->back, &points_back, NULL) || points_back == at)
		return NULL;
	if (!is_linked_onward(w, next)) {
		w->refused = next;
		return why_back_link;
	}
	if (is_anothers(w, next, points_back))
		w->skipped = true;
	if (!w->num_torn++)
		w->first_torn = next;
	return NULL;
}

/* The head is reached; but another entry, which the head names, says that it is the last, too. */
static bool is_short_cut(const struct list_walk *w, uint64_t at)
{
	uint64_t last, next;

	return read_link(w, w->head + w->back, &last, NULL) && last != at && last != w->head &&
	       is_link(w, last) && read_link(w, last + w->link, &next, NULL) && next == w->head;
}

/*
 * An entry is kept as soon as its neighbour names it; whether its own bytes are there is for its
 * reader to say.
 */
static struct error *walk(struct list_walk *w)
{
	uint64_t at = w->head, next;
	struct fault fault;
	struct error *err;

	for (;;) {
		w->stop = (struct list_break){ .entry = at };
		if (!read_link(w, at + w->link, &next, &fault)) {
			w->stop.why = va_state_text(fault.state);
			return NULL;
		}
		w->stop.target = next;
		if (next == w->head) {
			w->stop.why = is_short_cut(w, at) ? why_back_link : NULL;
			return NULL;
		}
		if ((w->stop.why = refuse(w, at, next)))
			return NULL;
		if ((err = entry_list_add(&w->found, next)))
			return err;
		at = next;
	}
}

/*
 * Is nothing lost between the walks? A walk that came round has it all, unless it may have passed
 * over some. Else one's last link names an entry that the other has, or both have one.
 */
static bool walks_meet(const struct list_walk *front, const struct list_walk *back)
{
	bool front_round = !front->stop.why, back_round = !back->stop.why;
	size_t index;

	if ((front_round && !front->skipped) || (back_round && !back->skipped))
		return true;
	if (front->skipped || back->skipped)
		return front_round && back_round;
	if (entry_list_find(&front->found, back->stop.target, &index) ||
	    entry_list_find(&back->found, front->stop.target, &index))
		return true;
	for (size_t i = 0; i < back->found.count; i++) {
		if (entry_list_find(&front->found, back->found.entries[i], &index))
			return true;
	}
	return false;
}

struct merge {
	struct entry_list *out;
	const struct entry_list *front;
	size_t flushed; /* entries of front that are in out */
};

static struct error *flush_front(struct merge *m, size_t end)
{
	struct error *err;

	for (; m->flushed < end; m->flushed++) {
		if ((err = entry_list_add(m->out, m->front->entries[m->flushed])))
			return err;
	}
	return NULL;
}

static struct error *flush_back(struct merge *m, const struct entry_list *back, size_t first,
				size_t end)
{
	struct error *err;

	for (size_t i = first; i > end; i--) {
		if ((err = entry_list_add(m->out, back->entries[i - 1])))
			return err;
	}
	return NULL;
}

/*
 * Both walks in ring order. What only the back walk has stands before the next entry that both
 * have, else at the end.
 */
static struct error *merge_walks(const struct entry_list *front, const struct entry_list *back,
				 struct entry_list *out)
{
	struct merge m = { .out = out, .front = front };
	size_t pending = back->count, index;
	struct error *err;

	for (size_t i = back->count; i > 0; i--) {
		if (!entry_list_find(front, back->entries[i - 1], &index))
			continue;
		if ((err = flush_front(&m, index)) || (err = flush_back(&m, back, pending, i)) ||
		    (err = flush_front(&m, index + 1)))
			return err;
		pending = i - 1;
	}
	err = flush_front(&m, front->count);
	return err ? err : flush_back(&m, back, pending, 0);
}

/* An entry that points to itself alone, or was overwritten, is one of this ring if both its
 * neighbours say so. */
static struct error *add_refused(struct list_walk *front, struct list_walk *back)
{
	struct error *err;

	if (!front->refused || front->refused != back->refused)
		return NULL;
	if (!front->num_torn++)
		front->first_torn = front->refused;
	if ((err = entry_list_add(&front->found, front->refused)))
		return err;
	return entry_list_add(&back->found, back->refused);
}

static struct error *walk_both(struct list_walk *front, struct list_walk *back,
			       struct entry_list *out)
{
	struct error *err;

	if ((err = walk(front)))
		return err;
	if ((front->stop.why || front->num_torn) && (err = walk(back)))
		return err;
	if ((err = add_refused(front, back)))
		return err;
	return merge_walks(&front->found, &back->found, out);
}

/* `ring` says of which space and head, and how far; both directions take that from it. */
static struct error *read_ring(const struct list_walk *ring, struct list *ret)
{
	uint64_t blink = ring->is_32bit ? LINK32_BLINK : LINK_BLINK;
	struct list_walk front = *ring, back = *ring;
	struct entry_list all = { 0 };
	struct error *err;

	front.link = back.back = LINK_FLINK;
	front.back = back.link = blink;
	err = walk_both(&front, &back, &all);
	if (!err) {
		*ret = (struct list){
			.entries = take_ptr(all.entries),
			.count = all.count,
			.complete = walks_meet(&front, &back),
			.num_torn = front.num_torn,
			.first_torn = front.first_torn,
			.front = front.stop,
			.back = back.stop,
		};
	}
	entry_list_deinit(&front.found);
	entry_list_deinit(&back.found);
	entry_list_deinit(&all);
	return err;
}

struct error *list_read(struct space *s, uint64_t head, size_t limit, struct list *ret)
{
	return read_ring(&(struct list_walk){ .space = s, .head = head, .limit = limit }, ret);
}

struct error *list_read_32(struct space *s, uint64_t head, size_t limit, struct list *ret)
{
	return read_ring(
		&(struct list_walk){ .space = s, .is_32bit = true, .head = head, .limit = limit },
		ret);
}

void list_deinit(struct list *list)
{
	free(list->entries);
	memset(list, 0, sizeof(*list));
}

static void report_break(struct diag *diag, const char *what, const char *direction,
			 const struct list_break *b)
{
	if (!b->why)
		return;
	if (b->target)
		diag_partial(diag,
			     "%s: the %s link at 0x%" PRIx64 " to 0x%" PRIx64
			     " cannot be followed: %s",
			     what, direction, b->entry, b->target, b->why);
	else
		diag_partial(diag, "%s: the %s link at 0x%" PRIx64 " cannot be followed: %s", what,
			     direction, b->entry, b->why);
}

void list_report(const struct list *list, struct diag *diag, const char *what)
{
	if (!list->complete) {
		report_break(diag, what, "forward", &list->front);
		report_break(diag, what, "back", &list->back);
	} else if (list->front.why) {
		diag_note(diag, "%s: torn at 0x%" PRIx64 " (%s), complete from its other end", what,
			  list->front.entry, list->front.why);
	}
	if (list->num_torn)
		diag_note(diag,
			  "%s: %zu entries do not point back at the one before (first 0x%" PRIx64
			  ")",
			  what, list->num_torn, list->first_torn);
}

bool list_head_is_sane(struct space *s, uint64_t head)
{
	uint64_t next, previous, back;

	if (!is_entry_pointer(head) || !space_try_u64(s, head + LINK_FLINK, &next, NULL) ||
	    !space_try_u64(s, head + LINK_BLINK, &previous, NULL) || !is_entry_pointer(next) ||
	    !is_entry_pointer(previous))
		return false;
	/* an absent neighbour neither confirms nor denies */
	if (space_try_u64(s, next + LINK_BLINK, &back, NULL) && back != head)
		return false;
	return !space_try_u64(s, previous + LINK_FLINK, &back, NULL) || back == head;
}
