/* SPDX-License-Identifier: MIT */
#include "windows/kernel_tables/timers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "windows/kernel/cpu.h"
#include "windows/kernel/kernel_address.h"
#include "windows/kernel/shared_data.h"
#include "windows/list.h"
#include "windows/object.h"

DEFINE_FIELDS(timer, TIMER_FIELDS);

/* KOBJECTS: ntddk.h */
enum { TIMER_NOTIFICATION = 8, TIMER_SYNCHRONIZATION = 9 };

struct reader {
	struct kernel *k;
	struct timer_list *list;
	struct field fields[timer_num_fields];
	uint32_t entry_size; /* of KTIMER_TABLE_ENTRY */
	bool has_clock;
	struct shared_data clock;
	struct timer_key key;
	size_t bad_dpcs; /* that decode to no address */
	uint64_t first_bad;
	size_t unreadable; /* timers and DPCs */
	struct fault first;
	size_t broken; /* lists of one processor that are not complete */
	struct list_break first_break;
	size_t torn;
	uint64_t first_torn;
};

static void note_fault(struct reader *r, const struct fault *fault)
{
	if (fault->va && !r->unreadable++)
		r->first = *fault;
}

static const char *type_name(struct opt_u64 type)
{
	if (!type.present)
		return NULL;
	return type.value == TIMER_NOTIFICATION	     ? "notification"
	       : type.value == TIMER_SYNCHRONIZATION ? "synchronization"
						     : NULL;
}

static void read_dpc(struct reader *r, struct timer *t)
{
	struct object dpc;
	uint64_t va;

	if (!r->key.known || !t->stored_dpc.present)
		return;
	va = timer_decode_dpc(&r->key, t->stored_dpc.value, t->timer);
	if (!va)
		return; /* who waits for the timer is woken, nobody is called */
	if (!kernel_address_is_plausible(va)) {
		if (!r->bad_dpcs++)
			r->first_bad = t->timer;
		return;
	}
	t->dpc = opt_u64(va);
	dpc = object_at(r->k->space, va, r->fields);
	t->routine = object_opt(&dpc, TIMER_DPC_ROUTINE);
	if (!t->routine.present)
		note_fault(r, &dpc.fault);
	t->context = object_opt(&dpc, TIMER_DPC_CONTEXT);
}

static struct error *add_timer(struct reader *r, unsigned cpu, uint64_t va)
{
	struct timer_list *l = r->list;
	struct object o = object_at(r->k->space, va, r->fields);
	struct timer t = { .timer = va, .cpu = cpu };
	struct error *err;

	t.type = type_name(object_opt(&o, TIMER_HEADER_TYPE));
	t.due = object_opt(&o, TIMER_DUE);
	if (!t.due.present)
		note_fault(r, &o.fault);
	t.period = object_opt(&o, TIMER_PERIOD);
	if (t.due.present && r->has_clock)
		t.due_time = opt_u64(r->clock.system_time - r->clock.interrupt_time + t.due.value);
	t.stored_dpc = object_opt(&o, TIMER_DPC);
	if ((err = array_reserve(&l->items, &l->capacity, l->count + 1, sizeof(*l->items),
				 SIZE_MAX / sizeof(*l->items), "timers")))
		return err;
	l->items[l->count++] = t;
	return NULL;
}

static struct error *read_ring(struct reader *r, const struct kernel_cpu *cpu, uint64_t head)
{
	struct error *err;
	struct list list;

	if ((err = list_read(r->k->space, head, MAX_TIMERS_PER_LIST, &list)))
		return err;
	if (!list.complete && !r->broken++)
		r->first_break = list.front;
	if (list.num_torn && !r->torn)
		r->first_torn = list.first_torn;
	r->torn += list.num_torn;
	for (size_t i = 0; i < list.count && !err; i++)
		err = add_timer(r, cpu->number, list.entries[i] - r->fields[TIMER_LINKS].offset);
	list_deinit(&list);
	return err;
}

static void report_broken(struct reader *r, const struct kernel_cpu *cpu, size_t count)
{
	if (r->broken)
		diag_partial(r->k->diag,
			     "timers of cpu %u: %zu of %zu lists are not whole (first at 0x%" PRIx64
			     ": %s)",
			     cpu->number, r->broken, count, r->first_break.entry,
			     r->first_break.why);
	r->broken = 0;
}

static struct error *read_cpu(struct reader *r, const struct kernel_cpu *cpu)
{
	uint64_t table = cpu->kprcb + r->fields[TIMER_TABLE].offset;
	size_t count = r->fields[TIMER_TABLE].size / r->entry_size;
	struct error *err = NULL;
	struct fault fault;

	if (count > MAX_TIMER_LISTS)
		count = MAX_TIMER_LISTS;
	for (size_t i = 0; i < count && !err; i++) {
		uint64_t head = table + i * r->entry_size + r->fields[TIMER_ENTRY].offset;
		uint64_t next;

		if (space_try_u64(r->k->space, head, &next, &fault)) {
			if (next) /* else the list was never set up */
				err = read_ring(r, cpu, head);
		} else if (!r->broken++) {
			r->first_break = (struct list_break){ .entry = fault.va,
							      .why = va_state_text(fault.state) };
		}
	}
	report_broken(r, cpu, count);
	return err;
}

static struct error *find_key(struct reader *r)
{
	uint64_t never_va, always_va, never, always;
	struct space *space = r->k->space;
	struct error *err;

	if (kernel_symbol(r->k, "KiWaitNever", &never_va) &&
	    kernel_symbol(r->k, "KiWaitAlways", &always_va) &&
	    space_try_u64(space, never_va, &never, NULL) &&
	    space_try_u64(space, always_va, &always, NULL)) {
		r->key = timer_key_from(never, always);
		return NULL;
	}
	if ((err = timer_key_guess(r->list->items, r->list->count, &r->key)))
		return err;
	if (r->key.known)
		diag_note(r->k->diag, "what the timers call was decoded by what the timers have "
				      "in common");
	else if (r->list->count)
		diag_partial(r->k->diag, "KiWaitNever and KiWaitAlways are not known: which code "
					 "the timers call is encoded with them");
	return NULL;
}

static void report(const struct reader *r)
{
	if (r->torn)
		diag_note(r->k->diag,
			  "timers: %zu do not point back at the one before in their list (first "
			  "0x%" PRIx64 ")",
			  r->torn, r->first_torn - r->fields[TIMER_LINKS].offset);
	if (r->bad_dpcs)
		diag_partial(r->k->diag,
			     "timers: the DPC of %zu decodes to no address (first 0x%" PRIx64 ")",
			     r->bad_dpcs, r->first_bad);
	if (r->unreadable)
		diag_partial(r->k->diag,
			     "timers: %zu timers or DPCs could not be read (first at 0x%" PRIx64
			     ": %s)",
			     r->unreadable, r->first.va, va_state_text(r->first.state));
}

static struct error *read_all(struct reader *r, struct arena *a)
{
	struct kernel_cpu *cpus;
	struct error *err;
	size_t num_cpus;

	if ((err = profile_bind(r->k->profile, timer_field_rows, timer_num_fields, r->fields)) ||
	    (err = kernel_cpus_read(r->k, a, &cpus, &num_cpus)))
		return err;
	if (!r->fields[TIMER_TABLE].present || !r->fields[TIMER_ENTRY].present ||
	    !r->fields[TIMER_LINKS].present ||
	    !profile_type_size(r->k->profile, "_KTIMER_TABLE_ENTRY", &r->entry_size) ||
	    !r->entry_size)
		return error_new(ERROR_NOT_FOUND, "this build's table of timers is not known");
	if (!num_cpus)
		diag_partial(r->k->diag, "no processor's control region could be found");
	r->has_clock = shared_data_read(r->k->space, &r->clock) && r->clock.system_time &&
		       r->clock.interrupt_time;
	for (size_t i = 0; i < num_cpus && !err; i++)
		err = read_cpu(r, &cpus[i]);
	if (!err)
		err = find_key(r);
	for (size_t i = 0; i < r->list->count && !err; i++)
		read_dpc(r, &r->list->items[i]);
	report(r);
	return err;
}

struct error *timers_read(struct kernel *k, struct timer_list *ret)
{
	struct reader r = { .k = k, .list = ret };
	struct arena arena;
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	arena_init(&arena, 0);
	err = read_all(&r, &arena);
	arena_deinit(&arena);
	if (err)
		timer_list_deinit(ret);
	return err;
}

void timer_list_deinit(struct timer_list *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}
