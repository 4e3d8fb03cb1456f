/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windows/list.h"
#include "windows/process/user_process.h"

enum {
	MAX_STRINGS_SIZE = 64 << 20, /* of one process */
	PINNED_16 = UINT16_MAX,	     /* LoadCount of modules that stay (Windows 7) */
};
#define PINNED_32 UINT32_MAX

static const struct {
	const char *name;
	uint16_t head, links;
} lists[NUM_LOADER_LISTS] = {
	[LOADER_LOAD_ORDER] = { "load order", USER_LDR_LOAD_LIST, USER_MODULE_LOAD_LINKS },
	[LOADER_MEMORY_ORDER] = { "memory order", USER_LDR_MEMORY_LIST, USER_MODULE_MEMORY_LINKS },
	[LOADER_INIT_ORDER] = { "initialization order", USER_LDR_INIT_LIST,
				USER_MODULE_INIT_LINKS },
};

/* enum _LDR_DLL_LOAD_REASON of the kernel's symbols, from -1 on. */
static const char *const load_reasons[] = {
	"unknown",
	"static_dependency",
	"static_forwarder_dependency",
	"dynamic_forwarder_dependency",
	"delayload_dependency",
	"dynamic_load",
	"as_image_load",
	"as_data_load",
	"enclave_primary",
	"enclave_dependency",
	"patch_image",
};

/* A module's record, seen in a list. */
struct sighting {
	uint64_t entry;
	unsigned lists;	 /* 1 << enum loader_list */
	unsigned list;	 /* the first one that has it */
	size_t position; /* there */
};

/* What reading one view's lists has found. */
struct loader_walk {
	const struct user_process *u;
	enum user_view view;
	const struct field *fields;
	struct sighting *seen;
	size_t count, capacity;
	bool complete[NUM_LOADER_LISTS];
	/* Lists that lack something, or would if they had no other end, and the first break. */
	struct breaks {
		unsigned lists;
		struct list_break first;
	} broken, torn;
	struct gaps gaps; /* records and names that are absent */
};

static struct error *add_sightings(struct loader_walk *w, unsigned which, const struct list *ring)
{
	uint64_t links = w->fields[lists[which].links].offset;
	struct error *err;

	err = array_reserve(&w->seen, &w->capacity, w->count + ring->count, sizeof(*w->seen),
			    SIZE_MAX, "modules");
	for (size_t i = 0; !err && i < ring->count; i++)
		w->seen[w->count++] = (struct sighting){ .entry = ring->entries[i] - links,
							 .lists = 1u << which,
							 .list = which,
							 .position = i };
	return err;
}

static void note_break(struct breaks *breaks, unsigned which, const struct list_break *b)
{
	if (!breaks->lists)
		breaks->first = *b;
	breaks->lists |= 1u << which;
}

/* One line for all lists of a view: what breaks one is often an absent page, which breaks all. */
static void report_breaks(const struct loader_walk *w, const struct breaks *breaks, bool complete)
{
	struct diag *diag = w->u->reader->k->diag;
	char names[64] = "";
	size_t used = 0;

	if (!breaks->lists || w->u->process->exit_time.present)
		return;
	for (unsigned i = 0; i < NUM_LOADER_LISTS; i++) {
		if (breaks->lists & 1u << i)
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 used ? ", " : "", lists[i].name);
	}
	if (complete)
		diag_note(diag,
			  "process %" PRIu64 ": %smodules by %s: torn (first at 0x%" PRIx64
			  ": %s), complete all the same",
			  w->u->process->pid.value, user_view_prefix(w->view), names,
			  breaks->first.entry, breaks->first.why);
	else
		diag_partial(diag,
			     "process %" PRIu64 ": %smodules by %s: broken (first at 0x%" PRIx64
			     ": %s)",
			     w->u->process->pid.value, user_view_prefix(w->view), names,
			     breaks->first.entry, breaks->first.why);
}

static struct error *read_list(struct loader_walk *w, uint64_t ldr, unsigned which)
{
	const struct field *head = &w->fields[lists[which].head];
	struct list ring;
	struct error *err;

	if (!head->present || !w->fields[lists[which].links].present)
		return NULL;
	err = w->view == USER_WOW64
		      ? list_read_32(w->u->space, ldr + head->offset, MAX_USER_MODULES, &ring)
		      : list_read(w->u->space, ldr + head->offset, MAX_USER_MODULES, &ring);
	if (err)
		return err;
	w->complete[which] = ring.complete;
	if (ring.front.why)
		note_break(ring.complete ? &w->torn : &w->broken, which, &ring.front);
	else if (ring.num_torn)
		note_break(&w->torn, which,
			   &(struct list_break){ ring.first_torn, 0, "no back link" });
	err = add_sightings(w, which, &ring);
	list_deinit(&ring);
	return err;
}

static int compare_entries(const void *a, const void *b)
{
	const struct sighting *x = a, *y = b;

	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	return x->list < y->list ? -1 : x->list > y->list;
}

static int compare_positions(const void *a, const void *b)
{
	const struct sighting *x = a, *y = b;

	if (x->list != y->list)
		return x->list < y->list ? -1 : 1;
	return x->position < y->position ? -1 : x->position > y->position;
}

/* One sighting per module, in the order of the first list that has it. */
static void merge_sightings(struct loader_walk *w)
{
	size_t kept = 0;

	if (!w->count)
		return;
	qsort(w->seen, w->count, sizeof(*w->seen), compare_entries);
	for (size_t i = 1; i < w->count; i++) {
		if (w->seen[i].entry == w->seen[kept].entry)
			w->seen[kept].lists |= w->seen[i].lists;
		else
			w->seen[++kept] = w->seen[i];
	}
	w->count = kept + 1;
	qsort(w->seen, w->count, sizeof(*w->seen), compare_positions);
}

static void read_load_count(struct object *o, struct user_module *m)
{
	struct object node;
	uint64_t va, count;

	if (o->fields[USER_MODULE_DDAG_NODE].present) {
		if (!object_u64(o, USER_MODULE_DDAG_NODE, &va) || !va)
			return;
		node = object_at(o->space, va, o->fields);
		m->has_load_count = object_u64(&node, USER_DDAG_LOAD_COUNT, &count);
		if (m->has_load_count)
			m->load_count = count == PINNED_32 ? -1 : (int64_t)count;
	} else if (object_u64(o, USER_MODULE_LOAD_COUNT, &count)) {
		m->has_load_count = true;
		m->load_count = count == PINNED_16 ? -1 : (int64_t)count;
	}
}

static const char *read_load_reason(struct object *o)
{
	uint64_t value;
	uint32_t index;

	if (!object_u64(o, USER_MODULE_LOAD_REASON, &value))
		return NULL;
	index = (uint32_t)value + 1;
	return index < ARRAY_SIZE(load_reasons) ? load_reasons[index] : NULL;
}

static const char *read_name(struct loader_walk *w, struct object *o, unsigned field,
			     struct arena *a)
{
	char *text = NULL;

	if (!object_unicode(o, field, o->space, a, &text))
		gaps_add(&w->gaps, &o->fault);
	return text;
}

static struct opt_u64 presence(const struct loader_walk *w, const struct sighting *s, unsigned list)
{
	bool seen = s->lists & 1u << list;

	return seen || w->complete[list] ? opt_u64(seen) : (struct opt_u64){ 0 };
}

/*
 * Images begin at pages. A list that was bent may lead into the middle of another one; where the
 * base was erased, a name must tell that it is a record at all.
 */
static bool is_module(struct object *o, uint64_t base, struct arena *a)
{
	char *path;

	if (base)
		return base % PAGE_SIZE == 0;
	return object_unicode(o, USER_MODULE_PATH, o->space, a, &path) && *path;
}

/* False: its record is absent, or is none. */
static bool read_module(struct loader_walk *w, const struct sighting *s, struct arena *a,
			struct user_module *ret)
{
	struct object o = object_at(w->u->space, s->entry, w->fields);
	struct user_module m = { .entry = s->entry, .view = w->view };

	m.base = object_opt(&o, USER_MODULE_BASE);
	if (!m.base.present) {
		gaps_add(&w->gaps, &o.fault);
		return false;
	}
	if (!is_module(&o, m.base.value, a)) {
		gaps_add(&w->gaps, &(struct fault){ s->entry, VA_MAPPED });
		return false;
	}
	m.size = object_opt(&o, USER_MODULE_SIZE);
	m.entry_point = object_opt(&o, USER_MODULE_ENTRY_POINT);
	m.entry_point.present = m.entry_point.present && m.entry_point.value;
	m.time_date_stamp = object_opt(&o, USER_MODULE_TIME_DATE_STAMP);
	m.load_time = object_opt(&o, USER_MODULE_LOAD_TIME);
	m.load_time.present = m.load_time.present && m.load_time.value;
	m.load_reason = read_load_reason(&o);
	read_load_count(&o, &m);
	m.name = read_name(w, &o, USER_MODULE_NAME, a);
	m.path = read_name(w, &o, USER_MODULE_PATH, a);
	for (unsigned i = 0; i < NUM_LOADER_LISTS; i++)
		m.in_list[i] = presence(w, s, i);
	*ret = m;
	return true;
}

static struct error *read_modules(struct loader_walk *w, struct user_module_list *list)
{
	struct user_module *items;

	if (!w->count)
		return NULL;
	items = reallocarray(list->items, list->count + w->count, sizeof(*items));
	if (!items)
		return &error_no_memory;
	list->items = items;
	for (size_t i = 0; i < w->count; i++)
		list->count += read_module(w, &w->seen[i], &list->arena, &items[list->count]);
	user_report_gaps(w->u, w->view, "records or names of modules", &w->gaps);
	return NULL;
}

static struct error *read_lists(struct loader_walk *w, uint64_t ldr, struct user_module_list *list)
{
	struct error *err = NULL;

	for (unsigned i = 0; i < NUM_LOADER_LISTS && !err; i++)
		err = read_list(w, ldr, i);
	if (err)
		return err;
	report_breaks(w, &w->broken, false);
	report_breaks(w, &w->torn, true);
	merge_sightings(w);
	return read_modules(w, list);
}

static struct error *read_view(const struct user_process *u, enum user_view view,
			       struct user_module_list *list)
{
	struct loader_walk w = { .u = u, .view = view, .fields = u->reader->fields[view] };
	struct object peb;
	struct error *err;
	uint64_t ldr;

	if (!u->peb[view].present)
		return NULL;
	peb = object_at(u->space, u->peb[view].value, w.fields);
	if (!object_u64(&peb, USER_PEB_LDR, &ldr)) {
		user_report(u, view, "PEB", &peb.fault);
		return NULL;
	}
	if (!ldr) /* its loader has not run yet */
		return NULL;
	err = read_lists(&w, ldr, list);
	free(w.seen);
	return err;
}

struct error *user_modules_read(const struct user_process *u, struct user_module_list *ret)
{
	struct error *err = NULL;

	memset(ret, 0, sizeof(*ret));
	arena_init(&ret->arena, MAX_STRINGS_SIZE);
	for (unsigned view = 0; view < NUM_USER_VIEWS && !err; view++)
		err = read_view(u, (enum user_view)view, ret);
	if (err)
		user_modules_deinit(ret);
	return err;
}

void user_modules_deinit(struct user_module_list *list)
{
	free(list->items);
	arena_deinit(&list->arena);
	memset(list, 0, sizeof(*list));
}

const struct user_module *user_module_at(const struct user_module_list *list, uint64_t va)
{
	const struct user_module *found = NULL;

	for (size_t i = 0; i < list->count; i++) {
		const struct user_module *m = &list->items[i];

		if (!m->base.present || !m->size.present || va < m->base.value ||
		    va - m->base.value >= m->size.value)
			continue;
		if (!found || m->size.value < found->size.value)
			found = m;
	}
	return found;
}
