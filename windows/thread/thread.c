/* SPDX-License-Identifier: MIT */
#include "windows/thread/private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windows/kernel/kernel_address.h"
#include "windows/list.h"

DEFINE_FIELDS(thread, THREAD_FIELDS);

enum { STATUS_PENDING = 0x103 /* ntstatus.h */ };

static const struct dispatcher_kind thread_kind = {
	.name = "thread",
	.type = DISPATCHER_THREAD,
	.type_field = THREAD_TYPE,
	.id_field = THREAD_TID,
};

static struct opt_u64 read_token(struct object *o)
{
	struct opt_u64 active = object_opt(o, THREAD_IMPERSONATES), ret = { 0 };

	if (!active.present || !active.value || !object_fast_ref(o, THREAD_TOKEN, &ret.value))
		return (struct opt_u64){ 0 };
	ret.present = ret.value != 0;
	return ret;
}

/* ExitTime shares its place with KeyedWaitChain: until the thread ends, the kernel's pointers. */
static struct opt_u64 read_exit_time(struct object *o)
{
	struct opt_u64 ret = object_nonzero(o, THREAD_EXIT_TIME);

	ret.present = ret.present && !kernel_address_is_plausible(ret.value);
	return ret;
}

static void read_name(struct thread_reader *r, struct object *o, struct thread *t)
{
	struct object string;
	uint64_t va;
	char *text;

	if (!object_u64(o, THREAD_THREAD_NAME, &va) || !va)
		return;
	string = object_at(r->k->space, va, r->fields);
	if (object_unicode(&string, THREAD_NAME_STRING, r->k->space, &r->list->arena, &text) &&
	    *text)
		t->name = text;
}

static struct error *append(struct thread_reader *r, const struct thread *t)
{
	struct error *err;

	if (r->list->count == r->limit) {
		r->dropped++;
		return NULL;
	}
	err = array_reserve(&r->list->items, &r->capacity, r->list->count + 1,
			    sizeof(*r->list->items), r->limit, "threads");
	if (!err)
		r->list->items[r->list->count++] = *t;
	return err;
}

struct error *thread_add_object(struct thread_reader *r, struct object *o,
				const struct thread *from)
{
	struct thread t = *from;
	struct error *err;
	bool is_new = true;

	if (t.ethread && (err = u64_set_add(&r->seen, t.ethread, &is_new)))
		return err;
	if (!is_new || !dispatcher_check(r->k, o, &thread_kind, &t.tid))
		return NULL;
	t.pid = object_opt(o, THREAD_PID);
	t.process = object_nonzero(o, THREAD_PROCESS);
	t.start_address = object_nonzero(o, THREAD_START);
	t.win32_start_address = object_nonzero(o, THREAD_WIN32_START);
	t.teb = object_nonzero(o, THREAD_TEB);
	t.create_time = object_nonzero(o, THREAD_CREATE_TIME);
	t.exit_time = read_exit_time(o);
	t.exit_status = object_opt(o, THREAD_EXIT_STATUS);
	t.exit_status.present = t.exit_status.present && t.exit_time.present &&
				t.exit_status.value != STATUS_PENDING;
	t.state = object_opt(o, THREAD_STATE);
	t.wait_reason = object_opt(o, THREAD_WAIT_REASON);
	t.priority = object_opt(o, THREAD_PRIORITY);
	t.base_priority = object_opt(o, THREAD_BASE_PRIORITY);
	t.context_switches = object_opt(o, THREAD_CONTEXT_SWITCHES);
	t.stack_base = object_nonzero(o, THREAD_STACK_BASE);
	t.stack_limit = object_nonzero(o, THREAD_STACK_LIMIT);
	t.kernel_stack = object_nonzero(o, THREAD_KERNEL_STACK);
	t.token = read_token(o);
	read_name(r, o, &t);
	return append(r, &t);
}

static struct error *add_thread(struct thread_reader *r, uint64_t ethread, const char *source)
{
	struct object o = object_at(r->k->space, ethread, r->fields);
	struct thread t = { .ethread = ethread, .source = source };

	return thread_add_object(r, &o, &t);
}

struct ring_fields {
	enum thread_field head, links;
	const char *source, *what;
};

/* Does nothing where the build does not tell where the ring is. */
static struct error *read_ring(struct thread_reader *r, uint64_t eprocess,
			       const struct ring_fields *ring_fields, bool *complete)
{
	struct object o = object_at(r->k->space, eprocess, r->fields);
	const struct field *links = &r->fields[ring_fields->links];
	struct list ring;
	struct error *err;
	char what[64];
	uint64_t head;

	if (!object_address(&o, ring_fields->head, &head) || !links->present)
		return NULL;
	if ((err = list_read(r->k->space, head, MAX_PROCESS_THREADS, &ring)))
		return err;
	*complete = ring.complete;
	snprintf(what, sizeof(what), "%s of process 0x%" PRIx64, ring_fields->what, eprocess);
	list_report(&ring, r->k->diag, what);
	for (size_t i = 0; i < ring.count && !err; i++)
		err = add_thread(r, ring.entries[i] - links->offset, ring_fields->source);
	list_deinit(&ring);
	return err;
}

static struct error *read_rings(struct thread_reader *r, uint64_t eprocess)
{
	static const struct ring_fields own = { THREAD_PROCESS_HEAD, THREAD_LINKS, "list",
						"thread list" };
	static const struct ring_fields kernels = { THREAD_PROCESS_KERNEL_HEAD, THREAD_KERNEL_LINKS,
						    "kernel_list", "kernel's thread list" };
	bool ignored = false;
	struct error *err;

	if ((err = read_ring(r, eprocess, &own, &r->list->complete)) || r->list->complete)
		return err;
	return read_ring(r, eprocess, &kernels, &ignored);
}

struct error *thread_reader_begin(struct thread_reader *r, struct kernel *k, size_t limit,
				  struct thread_list *list)
{
	*r = (struct thread_reader){ .k = k, .list = list, .limit = limit };
	memset(list, 0, sizeof(*list));
	arena_init(&list->arena, 0);
	return profile_bind(k->profile, thread_field_rows, thread_num_fields, r->fields);
}

struct error *thread_reader_end(struct thread_reader *r, struct error *err)
{
	u64_set_deinit(&r->seen);
	if (err)
		thread_list_deinit(r->list);
	else if (r->dropped)
		diag_partial(r->k->diag, "%" PRIu64 " threads more than %zu are left out",
			     r->dropped, r->limit);
	return err;
}

struct error *thread_list_read(struct kernel *k, uint64_t eprocess, struct thread_list *ret)
{
	struct thread_reader r;
	struct error *err;

	if (!(err = thread_reader_begin(&r, k, MAX_PROCESS_THREADS, ret)))
		err = read_rings(&r, eprocess);
	return thread_reader_end(&r, err);
}

struct error *thread_list_at(struct kernel *k, uint64_t ethread, const char *source,
			     struct thread_list *ret)
{
	struct thread_reader r;
	struct error *err;

	if (!(err = thread_reader_begin(&r, k, 1, ret)))
		err = add_thread(&r, ethread, source);
	if (!err && !ret->count)
		err = error_new(ERROR_NOT_FOUND, "no thread object is at 0x%" PRIx64, ethread);
	return thread_reader_end(&r, err);
}

void thread_list_deinit(struct thread_list *list)
{
	free(list->items);
	arena_deinit(&list->arena);
	memset(list, 0, sizeof(*list));
}
