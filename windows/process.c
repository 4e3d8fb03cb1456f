/* SPDX-License-Identifier: MIT */
#include "windows/process.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "windows/cpu.h"
#include "windows/handle_table.h"
#include "windows/list.h"

DEFINE_FIELDS(process, PROCESS_FIELDS);

enum {
	DISPATCHER_PROCESS = 3,	  /* KOBJECTS ProcessObject, wdm.h */
	MAX_PID = 1 << 28,	  /* process ids are handles of one table */
	MIN_USER_ROOT = PAGE_SIZE /* UserDirectoryTableBase is 0 or 1 where there is none */
};

/* What reading one process needs, bound once per listing. */
struct process_reader {
	struct kernel *k;
	struct process_list *list;
	size_t capacity;
	bool brief; /* ids and roots only */
	struct field fields[process_num_fields];
	struct field handle_fields[handle_num_fields];
	uint32_t handle_entry_size;
	/* Command lines that lie in absent pages: one line for all of them. */
	size_t absent_command_lines;
	struct fault first_absent;
};

static struct opt_u64 read_time(struct object *o, unsigned field)
{
	struct opt_u64 ret = object_opt(o, field);

	ret.present = ret.present && ret.value;
	return ret;
}

/* A small dump holds the process and nothing around it: what it lacks was never meant to be there.
 */
static void report_absent(struct process_reader *r, const struct process *p, const char *what,
			  const struct fault *fault)
{
	if (fault->va && r->k->snap->mem)
		diag_partial(r->k->diag, "process %" PRIu64 ": %s: 0x%" PRIx64 " is %s",
			     p->pid.value, what, fault->va, va_state_text(fault->state));
}

/* An address that the process does not have is no address, not a zero. */
static bool read_pointer(struct object *o, unsigned field, uint64_t *ret)
{
	return object_u64(o, field, ret) && *ret;
}

static void read_roots(struct object *o, struct process *p)
{
	p->dtb = object_opt(o, PROCESS_DTB);
	p->dtb.value = dtb_to_root(p->dtb.value);
	p->user_dtb = object_opt(o, PROCESS_USER_DTB);
	p->user_dtb.present = p->user_dtb.present && p->user_dtb.value >= MIN_USER_ROOT;
	p->user_dtb.value = dtb_to_root(p->user_dtb.value);
}

static void read_handle_count(struct process_reader *r, struct object *o, struct process *p)
{
	struct object table;
	struct fault fault;
	uint64_t va;

	if (!read_pointer(o, PROCESS_OBJECT_TABLE, &va))
		return;
	table = object_at(o->space, va, r->fields);
	p->handles = object_opt(&table, PROCESS_HANDLE_COUNT);
	if (p->handles.present || !r->handle_entry_size)
		return;
	p->handles.present = handle_table_count(o->space, va, r->handle_fields,
						r->handle_entry_size, &p->handles.value, &fault);
	if (!p->handles.present)
		report_absent(r, p, "handle table", &fault);
}

static void read_session(struct process_reader *r, struct object *o, struct process *p)
{
	struct object session;
	uint64_t va;

	if (!read_pointer(o, PROCESS_SESSION, &va))
		return;
	session = object_at(o->space, va, r->fields);
	p->session_id = object_opt(&session, PROCESS_SESSION_ID);
}

/* The file that the process was made from, as the kernel noted it for the audit log. */
static struct error *read_image_path(struct process_reader *r, struct object *o, struct process *p)
{
	struct object name;
	uint64_t va;
	char *text;

	if (!read_pointer(o, PROCESS_AUDIT_NAME, &va))
		return NULL;
	name = object_at(o->space, va, r->fields);
	if (!object_unicode(&name, PROCESS_AUDIT_STRING, o->space, &r->list->arena, &text)) {
		report_absent(r, p, "image path", &name.fault);
		return NULL;
	}
	p->image_path = *text ? text : NULL;
	return NULL;
}

static void note_absent_command_line(struct process_reader *r, const struct fault *fault)
{
	if (!fault->va)
		return;
	if (!r->absent_command_lines++)
		r->first_absent = *fault;
}

/* PEB, parameters and the string lie in the process's own pages. */
static struct error *read_command_line(struct process_reader *r, struct object *o,
				       struct process *p)
{
	struct object peb, parameters;
	struct space *space;
	uint64_t va;
	struct error *err;
	char *text;

	if (!p->dtb.present || !read_pointer(o, PROCESS_PEB, &va) || !r->k->snap->mem)
		return NULL;
	if ((err = process_open_space(r->k, p, &space)))
		return err;
	peb = object_at(space, va, r->fields);
	if (!object_u64(&peb, PROCESS_PEB_PARAMETERS, &va)) {
		note_absent_command_line(r, &peb.fault);
	} else if (va) {
		parameters = object_at(space, va, r->fields);
		if (object_unicode(&parameters, PROCESS_COMMAND_LINE, space, &r->list->arena,
				   &text))
			p->command_line = text;
		else
			note_absent_command_line(r, &parameters.fault);
	}
	space_destroy(space);
	return NULL;
}

/* What lies outside of the EPROCESS. */
static struct error *read_details(struct process_reader *r, struct object *o, struct process *p)
{
	struct error *err;

	read_handle_count(r, o, p);
	read_session(r, o, p);
	err = read_image_path(r, o, p);
	return err ? err : read_command_line(r, o, p);
}

/* Does this look like a process at all? A torn list may lead anywhere. */
static bool is_process(struct process_reader *r, struct object *o, struct process *p)
{
	struct opt_u64 type = object_opt(o, PROCESS_TYPE);

	p->pid = object_opt(o, PROCESS_PID);
	if (!p->pid.present) {
		diag_partial(r->k->diag, "process at 0x%" PRIx64 ": 0x%" PRIx64 ": %s", p->eprocess,
			     o->fault.va, va_state_text(o->fault.state));
		return false;
	}
	if (p->pid.value >= MAX_PID || (type.present && type.value != DISPATCHER_PROCESS)) {
		diag_partial(r->k->diag,
			     "0x%" PRIx64 " is no process: object type %" PRIu64
			     ", process id 0x%" PRIx64,
			     p->eprocess, type.value, p->pid.value);
		return false;
	}
	return true;
}

static struct error *add_process(struct process_reader *r, uint64_t eprocess, const char *source)
{
	struct object o = object_at(r->k->space, eprocess, r->fields);
	struct process p = { .eprocess = eprocess, .source = source };
	struct error *err;
	uint64_t wow64;
	char *name;

	if (!is_process(r, &o, &p))
		return NULL;
	p.ppid = object_opt(&o, PROCESS_PPID);
	p.threads = object_opt(&o, PROCESS_ACTIVE_THREADS);
	p.create_time = read_time(&o, PROCESS_CREATE_TIME);
	p.exit_time = read_time(&o, PROCESS_EXIT_TIME);
	p.has_wow64 = object_u64(&o, PROCESS_WOW64, &wow64);
	p.wow64 = p.has_wow64 && wow64;
	if (object_ansi(&o, PROCESS_NAME, &r->list->arena, &name))
		p.name = name;
	read_roots(&o, &p);
	if (!r->brief && (err = read_details(r, &o, &p)))
		return err;
	err = array_reserve(&r->list->items, &r->capacity, r->list->count + 1,
			    sizeof(*r->list->items), MAX_PROCESSES, "processes");
	if (err)
		return err;
	r->list->items[r->list->count++] = p;
	return NULL;
}

static bool have_process(const struct process_list *list, uint64_t eprocess)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].eprocess == eprocess)
			return true;
	}
	return false;
}

static struct error *read_ring(struct process_reader *r, uint64_t head, bool *complete)
{
	uint64_t links = r->fields[PROCESS_LINKS].offset;
	struct list ring;
	struct error *err;

	if ((err = list_read(r->k->space, head, MAX_PROCESSES, &ring)))
		return err;
	*complete = ring.complete;
	list_report(&ring, r->k->diag, "process list");
	for (size_t i = 0; i < ring.count && !err; i++)
		err = add_process(r, ring.entries[i] - links, "list");
	list_deinit(&ring);
	return err;
}

/* Where the list is broken: the processes that the processors were running. */
static struct error *add_current_processes(struct process_reader *r)
{
	struct kernel_cpu *cpus;
	struct error *err;
	size_t count;

	if ((err = kernel_cpus_read(r->k, &r->list->arena, &cpus, &count)))
		return err;
	for (size_t i = 0; i < count && !err; i++) {
		if (cpus[i].current_process && !have_process(r->list, cpus[i].current_process))
			err = add_process(r, cpus[i].current_process, "cpu");
	}
	return err;
}

static struct error *read_all(struct process_reader *r)
{
	const struct global_value *head = &r->k->globals[GLOBAL_PS_ACTIVE_PROCESS_HEAD];
	struct error *err;

	if (!r->k->snap->mem) {
		if (!r->k->triage_process) {
			diag_partial(r->k->diag, "the dump does not say which process it holds");
			return NULL;
		}
		r->list->complete = true;
		return add_process(r, r->k->triage_process, "triage");
	}
	if (!head->present)
		diag_partial(r->k->diag, "PsActiveProcessHead was not found");
	else if ((err = read_ring(r, head->va, &r->list->complete)))
		return err;
	return r->list->complete ? NULL : add_current_processes(r);
}

static struct error *bind(struct process_reader *r)
{
	struct error *err;

	err = profile_bind(r->k->profile, process_field_rows, process_num_fields, r->fields);
	if (err)
		return err;
	/* only the plain member counts: the per-processor free lists do not add up */
	if (!profile_type_size(r->k->profile, "_HANDLE_TABLE_ENTRY", &r->handle_entry_size))
		r->handle_entry_size = 0;
	return profile_bind(r->k->profile, handle_field_rows, handle_num_fields, r->handle_fields);
}

/* The ring, or with eprocess that one process. */
static struct error *read_list(struct process_reader *r, uint64_t eprocess)
{
	struct kernel *k = r->k;
	struct error *err;

	memset(r->list, 0, sizeof(*r->list));
	arena_init(&r->list->arena, 0);
	if (!(err = bind(r)))
		err = eprocess ? add_process(r, eprocess, "address") : read_all(r);
	if (!err && r->absent_command_lines)
		diag_partial(k->diag,
			     "command lines of %zu processes are absent (first at 0x%" PRIx64
			     ": %s)",
			     r->absent_command_lines, r->first_absent.va,
			     va_state_text(r->first_absent.state));
	if (err)
		process_list_deinit(r->list);
	return err;
}

struct error *process_list_read(struct kernel *k, enum process_detail detail,
				struct process_list *ret)
{
	struct process_reader r = { .k = k, .list = ret, .brief = detail == PROCESS_BRIEF };

	return read_list(&r, 0);
}

struct error *process_list_at(struct kernel *k, uint64_t eprocess, enum process_detail detail,
			      struct process_list *ret)
{
	struct process_reader r = { .k = k, .list = ret, .brief = detail == PROCESS_BRIEF };
	struct error *err = read_list(&r, eprocess);

	if (!err && ret->count == 0) {
		process_list_deinit(ret);
		err = error_new(ERROR_NOT_FOUND, "no process object is at 0x%" PRIx64, eprocess);
	}
	return err;
}

void process_list_deinit(struct process_list *list)
{
	free(list->items);
	arena_deinit(&list->arena);
	memset(list, 0, sizeof(*list));
}

struct error *process_open_space(struct kernel *k, const struct process *p, struct space **ret)
{
	if (!k->snap->mem)
		return error_new(ERROR_UNSUPPORTED,
				 "a triage dump has no page tables of its processes");
	if (!p->dtb.present)
		return error_new(ERROR_NOT_FOUND,
				 "the process at 0x%" PRIx64
				 ": its DirectoryTableBase is not in the snapshot",
				 p->eprocess);
	return kernel_open_space(k, p->dtb.value, p->eprocess, ret);
}

struct error *process_open_space_by_pid(struct kernel *k, uint64_t pid, struct space **ret)
{
	struct process_list list;
	struct error *err;

	if (!k->snap->mem)
		return error_new(ERROR_UNSUPPORTED,
				 "a triage dump has no page tables of its processes");
	if ((err = process_list_read(k, PROCESS_BRIEF, &list)))
		return err;
	err = error_new(ERROR_NOT_FOUND, "no process has the id %" PRIu64, pid);
	for (size_t i = 0; i < list.count; i++) {
		if (list.items[i].pid.value != pid || !list.items[i].dtb.present)
			continue;
		error_destroy(err);
		err = process_open_space(k, &list.items[i], ret);
		break;
	}
	process_list_deinit(&list);
	return err;
}
