/* SPDX-License-Identifier: MIT */
#include "windows/modules/unloaded.h"

#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/object.h"

/*
 * MmUnloadedDrivers points to an array of these, in no public symbols; MmLastUnloadedDriver is the
 * slot that is written next. Source: volatility3 plugins/windows/unloadedmodules.py and its
 * symbols/windows/unloadedmodules-*.json.
 */
enum {
	NUM_SLOTS = 50,
	SLOT_SIZE = 0x28,
	SLOT_NAME_LENGTH = 0x00, /* of a UNICODE_STRING */
	SLOT_NAME_BUFFER = 0x08,
	SLOT_START = 0x10,
	SLOT_END = 0x18,
	SLOT_TIME = 0x20,
};

struct ring {
	struct kernel *k;
	struct unloaded_list *list;
	uint64_t slots;
	size_t unreadable;
	struct fault first;
};

static void note_fault(struct ring *r, const struct fault *fault)
{
	if (!r->unreadable++)
		r->first = *fault;
}

static void read_slot(struct ring *r, size_t index)
{
	struct unloaded_driver *d = &r->list->items[r->list->count];
	uint64_t va = r->slots + index * SLOT_SIZE;
	uint8_t slot[SLOT_SIZE];
	struct fault fault;
	char *name;

	if (!space_try_read(r->k->space, va, slot, sizeof(slot), &fault)) {
		note_fault(r, &fault);
		return;
	}
	if (load_u64(slot + SLOT_NAME_BUFFER) == 0 && load_u64(slot + SLOT_START) == 0)
		return; /* never used, or overwritten: those before it are there all the same */
	*d = (struct unloaded_driver){
		.start = load_u64(slot + SLOT_START),
		.end = load_u64(slot + SLOT_END),
		.has_time = load_u64(slot + SLOT_TIME) != 0,
		.time = load_u64(slot + SLOT_TIME),
		.source = "ring",
	};
	if (read_unicode_string(r->k->space, va + SLOT_NAME_LENGTH, false, &r->list->arena, &name,
				&fault))
		d->name = name;
	else
		note_fault(r, &fault);
	r->list->count++;
}

/* The slot that is written next; false if it cannot be known. */
static bool next_slot(struct kernel *k, uint32_t *ret)
{
	const struct global_value *last = &k->globals[GLOBAL_MM_LAST_UNLOADED_DRIVER];

	return last->present && space_try_u32(k->space, last->va, ret, NULL) && *ret <= NUM_SLOTS;
}

static struct error *read_ring(struct ring *r)
{
	uint32_t next = 0;

	if (!next_slot(r->k, &next))
		diag_partial(r->k->diag,
			     "MmLastUnloadedDriver is absent: the order of unloaded drivers is "
			     "not known");
	r->list->items = arena_calloc(&r->list->arena, NUM_SLOTS, sizeof(*r->list->items));
	if (!r->list->items)
		return &error_no_memory;
	for (size_t i = 0; i < NUM_SLOTS; i++)
		read_slot(r, (next + NUM_SLOTS - 1 - i) % NUM_SLOTS);
	if (r->unreadable)
		diag_partial(
			r->k->diag,
			"unloaded drivers: %zu records or names are absent (first at 0x%" PRIx64
			": %s)",
			r->unreadable, r->first.va, va_state_text(r->first.state));
	return NULL;
}

static struct error *find_ring(struct kernel *k, struct unloaded_list *list)
{
	const struct global_value *array = &k->globals[GLOBAL_MM_UNLOADED_DRIVERS];
	struct ring r = { .k = k, .list = list };
	struct fault fault;

	if (!array->present) {
		diag_partial(k->diag, "MmUnloadedDrivers was not found");
		return NULL;
	}
	if (!space_try_u64(k->space, array->va, &r.slots, &fault)) {
		diag_partial(k->diag, "MmUnloadedDrivers at 0x%" PRIx64 ": %s", fault.va,
			     va_state_text(fault.state));
		return NULL;
	}
	return r.slots ? read_ring(&r) : NULL; /* no array: nothing was ever unloaded */
}

static struct error *read_triage(const struct kernel *k, struct unloaded_list *list)
{
	const struct dump_triage *t = k->snap->info.triage;

	if (!t->has_unloaded)
		diag_partial(k->diag, "the dump has no list of unloaded drivers");
	list->items = arena_calloc(&list->arena, t->num_unloaded + 1, sizeof(*list->items));
	if (!list->items)
		return &error_no_memory;
	for (size_t i = 0; i < t->num_unloaded; i++) {
		list->items[list->count++] = (struct unloaded_driver){
			.name = t->unloaded[i].name,
			.start = t->unloaded[i].start,
			.end = t->unloaded[i].end,
			.source = "triage",
		};
	}
	return NULL;
}

struct error *unloaded_drivers_read(struct kernel *k, struct unloaded_list *ret)
{
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	arena_init(&ret->arena, 0);
	err = k->snap->info.triage ? read_triage(k, ret) : find_ring(k, ret);
	if (err)
		unloaded_drivers_deinit(ret);
	return err;
}

void unloaded_drivers_deinit(struct unloaded_list *list)
{
	arena_deinit(&list->arena);
	memset(list, 0, sizeof(*list));
}
