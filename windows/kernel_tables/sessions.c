/* SPDX-License-Identifier: MIT */
#include "windows/kernel_tables/sessions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/u64_set.h"
#include "windows/kernel/kernel_address.h"
#include "windows/list.h"
#include "windows/object.h"
#include "windows/process/process.h"

DEFINE_FIELDS(session, SESSION_FIELDS);

/* Of a session whose structure no PDB shows: see sessions.h. */
enum { HIDDEN_ID = 0x08, HIDDEN_ID_SIZE = 4, HIDDEN_PROCESSES = 0x10, HIDDEN_LIST_SIZE = 16 };

struct reader {
	struct kernel *k;
	struct session_list *list;
	struct field fields[session_num_fields];
	struct u64_set listed; /* EPROCESSes of the list of all processes */
};

static struct error *bind(struct reader *r)
{
	struct field *id = &r->fields[SESSION_ID], *processes = &r->fields[SESSION_PROCESSES];
	struct error *err =
		profile_bind(r->k->profile, session_field_rows, session_num_fields, r->fields);

	if (err)
		return err;
	if (!r->fields[SESSION_PROCESS_SESSION].present)
		return error_new(ERROR_NOT_FOUND, "where this build's processes keep their session "
						  "is not known");
	if (!id->present && !processes->present) {
		*id = (struct field){ HIDDEN_ID, HIDDEN_ID_SIZE, 0, 0, true };
		*processes = (struct field){ HIDDEN_PROCESSES, HIDDEN_LIST_SIZE, 0, 0, true };
	}
	return NULL;
}

static struct error *add_process(struct reader *r, struct session *s, uint64_t eprocess)
{
	struct object o = object_at(r->k->space, eprocess, r->fields);
	struct opt_u64 pid = object_opt(&o, SESSION_PROCESS_PID);
	struct arena *a = &r->list->arena;
	char *name, *text;

	if (!object_ansi(&o, SESSION_PROCESS_NAME, a, &name))
		name = NULL;
	if (!u64_set_has(&r->listed, eprocess))
		s->unlisted++;
	if (pid.present)
		text = arena_printf(a, "%s (%" PRIu64 ")", name ? name : "", pid.value);
	else
		text = arena_printf(a, "%s (0x%" PRIx64 ")", name ? name : "", eprocess);
	if (!text)
		return &error_no_memory;
	s->names[s->num_names++] = text;
	return NULL;
}

static struct error *read_processes(struct reader *r, struct session *s, uint64_t head)
{
	const struct field *links = &r->fields[SESSION_PROCESS_LINKS];
	struct error *err;
	struct list list;
	char what[64];

	if ((err = list_read(r->k->space, head, MAX_SESSION_PROCESSES, &list)))
		return err;
	snprintf(what, sizeof(what), "processes of the session at 0x%" PRIx64, s->session);
	list_report(&list, r->k->diag, what);
	if (list.complete || list.count)
		s->processes = opt_u64(list.count);
	s->names = arena_calloc(&r->list->arena, list.count + 1, sizeof(*s->names));
	if (!s->names)
		err = &error_no_memory;
	for (size_t i = 0; i < list.count && !err; i++)
		err = add_process(r, s, list.entries[i] - links->offset);
	list_deinit(&list);
	return err;
}

static struct error *read_session(struct reader *r, uint64_t va)
{
	struct object o = object_at(r->k->space, va, r->fields);
	struct session *s = &r->list->items[r->list->count++];
	uint64_t head;

	*s = (struct session){
		.session = va,
		.id = object_opt(&o, SESSION_ID),
		.create_time = object_opt(&o, SESSION_CREATE_TIME),
		.pool_start = object_opt(&o, SESSION_POOL_START),
		.pool_end = object_opt(&o, SESSION_POOL_END),
		.committed_pages = object_opt(&o, SESSION_COMMITTED),
	};
	if (!s->id.present)
		diag_partial(r->k->diag, "the session at 0x%" PRIx64 " is absent", va);
	if (!r->fields[SESSION_PROCESS_LINKS].present ||
	    !object_address(&o, SESSION_PROCESSES, &head))
		return NULL;
	return read_processes(r, s, head);
}

static struct error *find_sessions(struct reader *r, const struct process_list *processes)
{
	struct u64_set seen CLEANUP(u64_set_deinit) = { 0 };
	struct error *err = NULL;
	bool is_new;

	for (size_t i = 0; i < processes->count && !err; i++)
		err = u64_set_add(&r->listed, processes->items[i].eprocess, &is_new);
	for (size_t i = 0; i < processes->count && !err; i++) {
		struct object o = object_at(r->k->space, processes->items[i].eprocess, r->fields);
		uint64_t va;

		if (!object_u64(&o, SESSION_PROCESS_SESSION, &va) ||
		    !kernel_address_is_plausible(va))
			continue; /* System and its like are in none */
		if (!(err = u64_set_add(&seen, va, &is_new)) && is_new)
			err = read_session(r, va);
	}
	return err;
}

static struct error *read_all(struct reader *r)
{
	struct process_list processes;
	struct error *err;

	if ((err = bind(r)) || (err = process_list_read(r->k, PROCESS_BRIEF, &processes)))
		return err;
	r->list->items =
		arena_calloc(&r->list->arena, processes.count + 1, sizeof(*r->list->items));
	err = r->list->items ? find_sessions(r, &processes) : &error_no_memory;
	process_list_deinit(&processes);
	return err;
}

struct error *sessions_read(struct kernel *k, struct session_list *ret)
{
	struct reader r = { .k = k, .list = ret };
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	arena_init(&ret->arena, 0);
	err = read_all(&r);
	u64_set_deinit(&r.listed);
	if (err)
		session_list_deinit(ret);
	return err;
}

void session_list_deinit(struct session_list *list)
{
	arena_deinit(&list->arena);
	memset(list, 0, sizeof(*list));
}
