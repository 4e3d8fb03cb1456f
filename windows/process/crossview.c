/* SPDX-License-Identifier: MIT */
#include "windows/process/crossview.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "windows/list.h"
#include "windows/objects/object_manager.h"
#include "windows/process/cid_table.h"
#include "windows/process/private.h"
#include "windows/thread/thread.h"

DEFINE_FIELDS(crossview, CROSSVIEW_FIELDS);

enum {
	MAX_SIGHTINGS = 1 << 20,
	MAX_HANDLES = 1 << 25, /* of all processes; tables may share pages where they are forged */
	PSP_SESSION_PROCESSES = 0x10, /* as windows/process/process_detail.c's PSP_SESSION_ID */
};

static const char *const names[NUM_CROSS_SOURCES] = {
	[CROSS_LIST] = "list",	   [CROSS_POOL_SCAN] = "pool_scan",
	[CROSS_THREAD] = "thread", [CROSS_CID_TABLE] = "cid_table",
	[CROSS_HANDLE] = "handle", [CROSS_SESSION] = "session",
	[CROSS_CSRSS] = "csrss",
};

const char *cross_source_name(enum cross_source source)
{
	return names[source];
}

/* A source names a process. */
struct sighting {
	uint64_t eprocess;
	unsigned sources; /* bits */
};

struct crossing {
	struct kernel *k;
	struct crossview *view;
	struct process_reader reader;
	struct field fields[crossview_num_fields];
	struct handle_layout handles;
	struct object_manager *objects;
	struct sighting *items;
	size_t count, capacity;
	bool full; /* more processes than any machine has */
	uint64_t dropped;
	size_t num_handles;
	unsigned asked, broken; /* bits: sources that could be read, and not all of them */
};

static int compare_sightings(const void *a, const void *b)
{
	const struct sighting *s = a, *t = b;

	return s->eprocess < t->eprocess ? -1 : s->eprocess > t->eprocess;
}

/* All sightings of one process as one. */
static void merge_sightings(struct crossing *c)
{
	size_t count = 0;

	if (c->count)
		qsort(c->items, c->count, sizeof(*c->items), compare_sightings);
	for (size_t i = 0; i < c->count; i++) {
		if (count && c->items[count - 1].eprocess == c->items[i].eprocess)
			c->items[count - 1].sources |= c->items[i].sources;
		else
			c->items[count++] = c->items[i];
	}
	c->count = count;
}

static struct error *sight(struct crossing *c, uint64_t eprocess, enum cross_source source)
{
	struct error *err;

	if (!eprocess)
		return NULL;
	/* mostly many handles to few processes */
	if (c->count == MAX_SIGHTINGS) {
		merge_sightings(c);
		c->full = c->count > MAX_SIGHTINGS / 2;
	}
	if (c->full) {
		c->dropped++;
		return NULL;
	}
	err = array_reserve(&c->items, &c->capacity, c->count + 1, sizeof(*c->items), MAX_SIGHTINGS,
			    "sightings of processes");
	if (!err)
		c->items[c->count++] = (struct sighting){ eprocess, 1U << source };
	return err;
}

static void set_asked(struct crossing *c, enum cross_source source, bool whole)
{
	c->asked |= 1U << source;
	if (!whole)
		c->broken |= 1U << source;
}

static struct error *sight_listed(struct crossing *c, const struct process_list *listed)
{
	struct error *err = NULL;

	set_asked(c, CROSS_LIST, listed->complete);
	for (size_t i = 0; i < listed->count && !err; i++) {
		if (strcmp(listed->items[i].source, names[CROSS_LIST]) == 0)
			err = sight(c, listed->items[i].eprocess, CROSS_LIST);
	}
	return err;
}

static struct error *sight_threads(struct crossing *c)
{
	struct thread_list threads;
	struct error *err = thread_list_scan(c->k, &threads);

	if (err)
		return err;
	set_asked(c, CROSS_THREAD, true);
	for (size_t i = 0; i < threads.count && !err; i++) {
		const struct thread *t = &threads.items[i];

		if (t->process.present && !t->exit_time.present)
			err = sight(c, t->process.value, CROSS_THREAD);
	}
	thread_list_deinit(&threads);
	return err;
}

static struct error *sight_ids(struct crossing *c)
{
	struct cid_table table;
	struct error *err = cid_table_read(c->k, &table);

	if (err)
		return err;
	if (table.known)
		set_asked(c, CROSS_CID_TABLE, table.complete);
	for (size_t i = 0; i < table.count && !err; i++) {
		if (table.items[i].kind == CID_PROCESS)
			err = sight(c, table.items[i].object, CROSS_CID_TABLE);
	}
	cid_table_deinit(&table);
	return err;
}

static void set_handles_asked(struct crossing *c, bool csrss, bool whole)
{
	set_asked(c, CROSS_HANDLE, whole);
	if (csrss)
		set_asked(c, CROSS_CSRSS, whole);
}

static struct error *sight_handle(struct crossing *c, const struct handle_entry *entry,
				  uint64_t body, bool csrss)
{
	uint64_t object = entry->pointer + body;
	enum object_state state;
	struct object_info info;
	struct error *err;

	state = object_read_header(c->objects, object, &info);
	/* may be a process */
	if (state == OBJECT_ABSENT || (state == OBJECT_READ && !info.type))
		set_handles_asked(c, csrss, false);
	if (state != OBJECT_READ || !info.type || strcmp(info.type, "Process") != 0)
		return NULL;
	if ((err = sight(c, object, CROSS_HANDLE)) || !csrss)
		return err;
	return sight(c, object, CROSS_CSRSS);
}

/* A process's table; false: it has none, or that cannot be read. */
static bool start_handles(struct crossing *c, const struct process *p, bool csrss,
			  struct handle_walk *walk)
{
	struct object o = object_at(c->k->space, p->eprocess, c->fields);
	struct fault fault;
	uint64_t table;
	bool read;

	read = object_u64(&o, CROSSVIEW_OBJECT_TABLE, &table);
	if (read && !table)
		return false;
	read = read && handle_walk_start(walk, c->k->space, &c->handles, table, &fault);
	/* an ended one's may lead anywhere */
	if (read || !p->exit_time.present)
		set_handles_asked(c, csrss, read);
	return read;
}

/* Where a table is broken is for those to say who list its handles. */
static struct error *sight_handles(struct crossing *c, const struct process *p,
				   struct handle_walk *walk)
{
	bool csrss = p->name && strcmp(p->name, "csrss.exe") == 0;
	struct error *err = NULL;
	struct handle_entry entry;
	struct handle_gap gap;
	enum handle_step step;
	uint64_t body;

	if (!p->eprocess || !object_body_offset(c->objects, &body) ||
	    !start_handles(c, p, csrss, walk))
		return NULL;
	while (!err && c->num_handles < MAX_HANDLES &&
	       (step = handle_walk_next(walk, &entry, &gap)) != HANDLE_END) {
		c->num_handles++;
		if (step == HANDLE_ENTRY)
			err = sight_handle(c, &entry, body, csrss);
		else
			set_handles_asked(c, csrss, false);
	}
	if (c->num_handles == MAX_HANDLES)
		set_handles_asked(c, csrss, false);
	return err;
}

static struct error *sight_all_handles(struct crossing *c)
{
	struct handle_walk *walk = malloc(sizeof(*walk));
	struct error *err;

	if (!walk)
		return &error_no_memory;
	if (!(err = handle_layout_bind(c->k->profile, &c->handles)))
		err = object_manager_open(c->k, &c->objects);
	for (size_t i = 0; i < c->view->list.count && !err; i++)
		err = sight_handles(c, &c->view->list.items[i], walk);
	if (c->num_handles == MAX_HANDLES)
		diag_partial(c->k->diag, "handles beyond the first %d are left out", MAX_HANDLES);
	object_manager_close(c->objects);
	free(walk);
	return err;
}

/* A session's ring, entered at a process that is in it; its head is in the session itself. */
static struct error *sight_session(struct crossing *c, uint64_t session, uint64_t eprocess,
				   struct u64_set *seen)
{
	const struct field *head = &c->fields[CROSSVIEW_SESSION_PROCESSES];
	const struct field *links = &c->fields[CROSSVIEW_SESSION_LINKS];
	uint64_t head_va = session + (head->present ? head->offset : PSP_SESSION_PROCESSES);
	uint64_t entry = eprocess + links->offset;
	struct list ring = { 0 };
	struct error *err;
	bool is_new;

	/* one that was taken out still points into the ring */
	if (!list_head_is_sane(c->k->space, entry))
		return NULL;
	if ((err = list_read(c->k->space, entry, MAX_PROCESSES, &ring)) || !ring.count)
		return err;
	set_asked(c, CROSS_SESSION, ring.complete);
	if (!(err = u64_set_add(seen, eprocess, &is_new)))
		err = sight(c, eprocess, CROSS_SESSION);
	for (size_t i = 0; i < ring.count && !err; i++) {
		uint64_t member = ring.entries[i] - links->offset;

		if (ring.entries[i] == head_va || (err = u64_set_add(seen, member, &is_new)))
			continue;
		if (is_new)
			err = sight(c, member, CROSS_SESSION);
	}
	list_deinit(&ring);
	return err;
}

static struct error *sight_sessions(struct crossing *c)
{
	struct u64_set seen = { 0 };
	struct error *err = NULL;
	uint64_t session;

	if (!c->fields[CROSSVIEW_SESSION_LINKS].present)
		return NULL;
	for (size_t i = 0; i < c->view->list.count && !err; i++) {
		uint64_t eprocess = c->view->list.items[i].eprocess;
		struct object o = object_at(c->k->space, eprocess, c->fields);

		if (!eprocess || u64_set_has(&seen, eprocess) ||
		    !object_u64(&o, CROSSVIEW_SESSION, &session) || !session)
			continue;
		set_asked(c, CROSS_SESSION, true);
		err = sight_session(c, session, eprocess, &seen);
	}
	u64_set_deinit(&seen);
	return err;
}

static const char *first_source(unsigned sources)
{
	return names[__builtin_ctz(sources)];
}

/* Processes that neither the list nor the pools have, in order of address. */
static struct error *add_sighted(struct crossing *c)
{
	struct error *err = NULL;

	for (size_t i = 0; i < c->count && !err; i++)
		err = process_add(&c->reader, c->items[i].eprocess,
				  first_source(c->items[i].sources));
	return err;
}

static struct error *mark_rows(struct crossing *c)
{
	struct process_list *list = &c->view->list;

	c->view->seen = calloc(list->count ? list->count : 1, sizeof(*c->view->seen));
	if (!c->view->seen)
		return &error_no_memory;
	for (size_t i = 0; i < list->count; i++) {
		struct sighting key = { .eprocess = list->items[i].eprocess };
		const struct sighting *s =
			key.eprocess && c->count
				? bsearch(&key, c->items, c->count, sizeof(key), compare_sightings)
				: NULL;

		c->view->seen[i] = s ? s->sources : 0;
		if (strcmp(list->items[i].source, names[CROSS_POOL_SCAN]) == 0)
			c->view->seen[i] |= 1U << CROSS_POOL_SCAN;
	}
	return NULL;
}

static struct error *ask_sources(struct crossing *c, const struct process_list *listed)
{
	struct error *err;

	if ((err = profile_bind(c->k->profile, crossview_field_rows, crossview_num_fields,
				c->fields)) ||
	    (err = process_scan_into(&c->reader, listed)))
		return err;
	set_asked(c, CROSS_POOL_SCAN, true);
	if ((err = sight_listed(c, listed)) || (err = sight_threads(c)) || (err = sight_ids(c)) ||
	    (err = sight_all_handles(c)) || (err = sight_sessions(c)))
		return err;
	merge_sightings(c);
	c->view->whole = c->asked & ~c->broken;
	if (c->dropped)
		diag_partial(c->k->diag, "%" PRIu64 " more mentions of processes are left out",
			     c->dropped);
	if ((err = add_sighted(c)))
		return err;
	return mark_rows(c);
}

struct error *crossview_read(struct kernel *k, enum process_detail detail, struct crossview *ret)
{
	struct crossing c = { .k = k, .view = ret };
	struct process_list listed;
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	if (!k->snap->mem)
		return error_new(ERROR_UNSUPPORTED, "a triage dump has no physical memory to scan");
	if ((err = process_list_read(k, PROCESS_BRIEF, &listed)))
		return err;
	if (!(err = process_reader_begin(&c.reader, k, detail, &ret->list)))
		err = ask_sources(&c, &listed);
	process_list_deinit(&listed);
	free(c.items);
	if ((err = process_reader_end(&c.reader, err)))
		crossview_deinit(ret);
	return err;
}

bool crossview_tells(const struct crossview *view, size_t index, enum cross_source source,
		     bool *ret)
{
	bool seen = view->seen[index] >> source & 1, whole = view->whole >> source & 1;

	/* it counts threads that were not captured, or that do not look like any */
	if (source == CROSS_THREAD && view->list.items[index].threads.value)
		whole = false;
	*ret = seen;
	return seen || whole;
}

void crossview_deinit(struct crossview *view)
{
	free(view->seen);
	process_list_deinit(&view->list);
	memset(view, 0, sizeof(*view));
}
