/* SPDX-License-Identifier: MIT */
#include "windows/process/private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "windows/kernel/cpu.h"
#include "windows/list.h"
#include "windows/process/cid_table.h"

DEFINE_FIELDS(process, PROCESS_FIELDS);

enum { STATUS_PENDING = 0x103 /* ntstatus.h */ };

enum { MIN_USER_ROOT = PAGE_SIZE /* UserDirectoryTableBase is 0 or 1 where there is none */ };

static void read_roots(struct object *o, struct process *p)
{
	p->dtb = object_opt(o, PROCESS_DTB);
	p->dtb.value = dtb_to_root(p->dtb.value);
	p->user_dtb = object_opt(o, PROCESS_USER_DTB);
	p->user_dtb.present = p->user_dtb.present && p->user_dtb.value >= MIN_USER_ROOT;
	p->user_dtb.value = dtb_to_root(p->user_dtb.value);
}

static const struct dispatcher_kind process_kind = {
	.name = "process",
	.type = DISPATCHER_PROCESS,
	.type_field = PROCESS_TYPE,
	.id_field = PROCESS_PID,
};

static struct error *append(struct process_reader *r, const struct process *p)
{
	struct error *err;

	if (r->list->count == MAX_PROCESSES) {
		r->dropped++;
		return NULL;
	}
	err = array_reserve(&r->list->items, &r->capacity, r->list->count + 1,
			    sizeof(*r->list->items), MAX_PROCESSES, "processes");
	if (!err)
		r->list->items[r->list->count++] = *p;
	return err;
}

/* Absent while it runs: then the field holds STATUS_PENDING. */
static struct opt_u64 read_exit_status(struct object *o)
{
	struct opt_u64 ret = object_opt(o, PROCESS_EXIT_STATUS);

	ret.present = ret.present && ret.value != STATUS_PENDING;
	return ret;
}

struct error *process_add_object(struct process_reader *r, struct object *o,
				 const struct process *from)
{
	struct process p = *from;
	struct error *err;
	bool is_new = true;
	uint64_t wow64;
	char *name;

	if (p.eprocess && (err = u64_set_add(&r->seen, p.eprocess, &is_new)))
		return err;
	if (!is_new || !dispatcher_check(r->k, o, &process_kind, &p.pid))
		return NULL;
	p.ppid = object_opt(o, PROCESS_PPID);
	p.threads = object_opt(o, PROCESS_ACTIVE_THREADS);
	p.create_time = object_nonzero(o, PROCESS_CREATE_TIME);
	p.exit_time = object_nonzero(o, PROCESS_EXIT_TIME);
	p.exit_status = read_exit_status(o);
	p.protection = object_opt(o, PROCESS_PROTECTION);
	p.is_protected = object_opt(o, PROCESS_IS_PROTECTED);
	p.peb = object_nonzero(o, PROCESS_PEB);
	p.job = object_nonzero(o, PROCESS_JOB);
	p.has_wow64 = object_u64(o, PROCESS_WOW64, &wow64);
	p.wow64 = p.has_wow64 && wow64;
	if (object_ansi(o, PROCESS_NAME, &r->list->arena, &name))
		p.name = name;
	read_roots(o, &p);
	if (r->detail != PROCESS_BRIEF && (err = process_read_details(r, o, &p)))
		return err;
	return append(r, &p);
}

struct error *process_add(struct process_reader *r, uint64_t eprocess, const char *source)
{
	struct object o = object_at(r->k->space, eprocess, r->fields);
	struct process p = { .eprocess = eprocess, .source = source };

	return process_add_object(r, &o, &p);
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
		err = process_add(r, ring.entries[i] - links, "list");
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
		if (cpus[i].current_process)
			err = process_add(r, cpus[i].current_process, "cpu");
	}
	return err;
}

struct error *process_add_listed(struct process_reader *r)
{
	const struct global_value *head = &r->k->globals[GLOBAL_PS_ACTIVE_PROCESS_HEAD];
	struct error *err;

	if (!r->k->snap->mem) {
		if (!r->k->triage_process) {
			diag_partial(r->k->diag, "the dump does not say which process it holds");
			return NULL;
		}
		r->list->complete = true;
		return process_add(r, r->k->triage_process, "triage");
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
	err = profile_bind(r->k->profile, handle_field_rows, handle_num_fields, r->handle_fields);
	return err ? err : user_reader_init(r->k, &r->user);
}

struct error *process_reader_begin(struct process_reader *r, struct kernel *k,
				   enum process_detail detail, struct process_list *list)
{
	*r = (struct process_reader){ .k = k, .list = list, .detail = detail };
	memset(list, 0, sizeof(*list));
	arena_init(&list->arena, 0);
	return bind(r);
}

struct error *process_reader_end(struct process_reader *r, struct error *err)
{
	u64_set_deinit(&r->seen);
	if (err) {
		process_list_deinit(r->list);
		return err;
	}
	if (r->dropped)
		diag_partial(r->k->diag, "%" PRIu64 " processes more than %d are left out",
			     r->dropped, MAX_PROCESSES);
	if (r->absent_command_lines)
		diag_partial(r->k->diag,
			     "command lines of %zu processes are absent (first at 0x%" PRIx64
			     ": %s)",
			     r->absent_command_lines, r->first_absent.va,
			     va_state_text(r->first_absent.state));
	return NULL;
}

struct error *process_list_read(struct kernel *k, enum process_detail detail,
				struct process_list *ret)
{
	struct process_reader r;
	struct error *err;

	if (!(err = process_reader_begin(&r, k, detail, ret)))
		err = process_add_listed(&r);
	return process_reader_end(&r, err);
}

/* A process that no list leads to, but that can be opened by its id. */
static struct error *add_by_cid(struct process_reader *r, uint64_t pid)
{
	struct kernel *k = r->k;
	struct cid_table table;
	struct error *err;
	uint64_t eprocess;

	if (!k->snap->mem || !cid_table_exists(k))
		return NULL;
	if ((err = cid_table_read(k, &table)))
		return err;
	eprocess = cid_table_find(&table, pid, CID_PROCESS);
	cid_table_deinit(&table);
	if (!eprocess)
		return NULL;
	diag_note(k->diag,
		  "process %" PRIu64
		  " is not in the process list: PspCidTable has it at 0x%" PRIx64,
		  pid, eprocess);
	return process_add(r, eprocess, "cid_table");
}

struct error *process_list_by_pid(struct kernel *k, uint64_t pid, enum process_detail detail,
				  struct process_list *ret)
{
	struct process_list listed;
	struct process_reader r;
	struct error *err;

	if ((err = process_list_read(k, PROCESS_BRIEF, &listed)))
		return err;
	err = process_reader_begin(&r, k, detail, ret);
	for (size_t i = 0; i < listed.count && !err; i++) {
		if (listed.items[i].pid.value == pid)
			err = process_add(&r, listed.items[i].eprocess, listed.items[i].source);
	}
	process_list_deinit(&listed);
	if (!err && !ret->count)
		err = add_by_cid(&r, pid);
	return process_reader_end(&r, err);
}

struct error *process_list_at(struct kernel *k, uint64_t eprocess, enum process_detail detail,
			      struct process_list *ret)
{
	struct process_reader r;
	struct error *err;

	if (!(err = process_reader_begin(&r, k, detail, ret)))
		err = process_add(&r, eprocess, "address");
	if (!err && ret->count == 0)
		err = error_new(ERROR_NOT_FOUND, "no process object is at 0x%" PRIx64, eprocess);
	return process_reader_end(&r, err);
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
	if ((err = process_list_by_pid(k, pid, PROCESS_BRIEF, &list)))
		return err;
	if (list.count)
		err = process_open_space(k, &list.items[0], ret);
	else
		err = error_new(ERROR_NOT_FOUND, "no process has the id %" PRIu64, pid);
	process_list_deinit(&list);
	return err;
}
