/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "windows/convention.h"
#include "windows/kernel/cpu.h"
#include "windows/stack/private.h"
#include "windows/thread/thread.h"
#include "windows/thread/thread_context.h"

DEFINE_FIELDS(stack, STACK_FIELDS);

struct stacks {
	struct stack_reader reader;
	struct arena arena;
	struct kernel_cpu *cpus;
	size_t num_cpus;
	stack_visit_fn *visit;
	void *arg;
	uint64_t visited;
};

/* The process whose space a thread is in. */
struct process_state {
	uint64_t eprocess;
	struct opt_u64 pid;
	bool wow64;
	struct space *space; /* owned if it is not the kernel's */
	struct stack_images images;
};

static struct error *open_process(struct stacks *s, uint64_t eprocess, struct process_state *ret)
{
	struct kernel *k = s->reader.k;
	struct object o = object_at(k->space, eprocess, s->reader.fields);
	uint64_t dtb, wow64, peb = 0;
	struct error *err = NULL;

	*ret = (struct process_state){ .eprocess = eprocess, .space = k->space };
	if (eprocess && k->snap->mem && object_u64(&o, STACK_PROCESS_DTB, &dtb) && dtb)
		err = kernel_open_space(k, dtb, eprocess, &ret->space);
	stack_images_init(&ret->images, ret->space);
	if (err || !eprocess)
		return err;
	ret->pid.present = object_u64(&o, STACK_PROCESS_ID, &ret->pid.value);
	ret->wow64 = object_u64(&o, STACK_PROCESS_WOW64, &wow64) && wow64;
	if (ret->space == k->space || !object_u64(&o, STACK_PROCESS_PEB, &peb))
		return NULL;
	err = stack_images_add_user(&ret->images, s->reader.fields, peb);
	stack_images_sort(&ret->images);
	return err;
}

static void close_process(const struct stacks *s, struct process_state *p)
{
	stack_images_deinit(&p->images);
	if (p->space != s->reader.k->space)
		space_destroy(p->space);
}

static struct unwind_context context_of(const struct registers *r)
{
	return (struct unwind_context){
		.rip = r->rip,
		.gpr = { r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi, r->r8,
			 r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15 },
		.known = 0xffff,
	};
}

static void take_cpu(const struct kernel_cpu *cpu, struct stack_thread *t)
{
	const struct registers *r = &cpu->registers;

	t->cpu = (struct opt_u64){ cpu->kprcb != 0, cpu->number };
	if (!(r->known & REGS_GENERAL))
		return;
	t->has_context = t->has_rip = true;
	t->in_call = false;
	t->context = context_of(r);
	t->is_32bit = r->known & (REGS_SELECTORS | REGS_SEGMENTS) &&
		      r->cs.selector == (SELECTOR_USER_CODE32 | 3);
}

/* Where a thread that does not run left off. */
static void take_switch_frame(struct stacks *s, uint64_t kernel_stack, struct stack_thread *t)
{
	struct switch_frame frame;

	t->has_context = true;
	t->context.known = 1 << UNWIND_RSP;
	t->context.gpr[UNWIND_RSP] = kernel_stack;
	if (!switch_frame_read(t->space, kernel_stack, &frame) ||
	    !kernel_contains(s->reader.k, frame.rip))
		return;
	t->has_rip = t->in_call = true;
	t->context.rip = frame.rip;
	t->context.known |= 1 << UNWIND_RBP;
	t->context.gpr[UNWIND_RBP] = frame.rbp;
	t->context.gpr[UNWIND_RSP] = frame.rsp;
}

static void take_thread(struct stacks *s, uint64_t ethread, struct stack_thread *t)
{
	struct object o = object_at(s->reader.k->space, ethread, s->reader.fields);
	uint64_t kernel_stack;

	t->ethread = ethread;
	if (!ethread)
		return;
	t->tid.present = object_u64(&o, STACK_THREAD_ID, &t->tid.value);
	if (!object_u64(&o, STACK_STACK_BASE, &t->stack_base) ||
	    !object_u64(&o, STACK_STACK_LIMIT, &t->stack_limit))
		t->stack_base = t->stack_limit = 0;
	if (!object_u64(&o, STACK_TRAP_FRAME, &t->trap_frame))
		t->trap_frame = 0;
	if (!object_u64(&o, STACK_TEB, &t->teb))
		t->teb = 0;
	for (size_t i = 0; i < s->num_cpus && !t->cpu.present; i++) {
		if (s->cpus[i].current_thread == ethread)
			take_cpu(&s->cpus[i], t);
	}
	if (!t->cpu.present && object_u64(&o, STACK_KERNEL_STACK, &kernel_stack) && kernel_stack)
		take_switch_frame(s, kernel_stack, t);
}

static struct error *visit_thread(struct stacks *s, struct process_state *p, uint64_t ethread,
				  const struct kernel_cpu *cpu)
{
	struct stack_thread t = { .space = p->space, .images = &p->images, .wow64 = p->wow64 };
	struct stack_frame *frames = NULL;
	struct stack stack = { .ethread = ethread, .pid = p->pid };
	struct error *err;

	take_thread(s, ethread, &t);
	if (cpu)
		take_cpu(cpu, &t);
	if ((err = stack_walk(&s->reader, &t, &frames, &stack.count, &stack.end)))
		return err;
	stack.frames = frames;
	stack.tid = t.tid;
	stack.cpu = t.cpu;
	s->visited++;
	err = s->visit(s->arg, &stack);
	free(frames);
	return err;
}

static struct error *visit_cpu(struct stacks *s, const struct kernel_cpu *cpu)
{
	struct process_state p;
	struct error *err = open_process(s, cpu->current_process, &p);

	if (!err)
		err = visit_thread(s, &p, cpu->current_thread, cpu);
	close_process(s, &p);
	return err;
}

/* The snapshot has registers, but nothing says of which processor: thread and process stay
 * unknown. */
static struct error *visit_registers(struct stacks *s)
{
	const struct dump_info *info = &s->reader.k->snap->info;
	struct process_state p;
	struct error *err;

	if (!info->num_registers || !(info->registers[0].known & REGS_GENERAL))
		return NULL;
	struct kernel_cpu cpu = { .registers = info->registers[0] };

	if (!(err = open_process(s, 0, &p)))
		err = visit_thread(s, &p, 0, &cpu);
	close_process(s, &p);
	return err;
}

static bool has_told_registers(const struct stacks *s, const struct kernel_cpu *cpu)
{
	const struct dump_info *info = &s->reader.k->snap->info;

	return info->num_registers && info->registers[0].known & REGS_GENERAL &&
	       cpu->registers.rsp == info->registers[0].rsp &&
	       cpu->registers.rip == info->registers[0].rip;
}

/*
 * The processor that the snapshot tells of, in a crash dump the one that crashed. A crash dump's
 * header does not number it: a small dump holds its control block, else the registers tell. (They
 * may also be those of an exception that came before.)
 */
static const struct kernel_cpu *told_cpu(const struct stacks *s)
{
	for (size_t i = 0; i < s->num_cpus; i++) {
		const struct kernel_cpu *cpu = &s->cpus[i];

		if (cpu->registers.known & REGS_GENERAL &&
		    (!(cpu->saved_groups & REGS_GENERAL) || has_told_registers(s, cpu) ||
		     (cpu->kprcb && cpu->kprcb == s->reader.k->triage_kprcb)))
			return cpu;
	}
	return NULL;
}

static struct error *visit_default(struct stacks *s)
{
	const struct kernel_cpu *cpu = told_cpu(s);
	struct error *err;

	if (cpu)
		return visit_cpu(s, cpu);
	err = visit_registers(s);
	return err || s->visited || !s->num_cpus ? err : visit_cpu(s, &s->cpus[0]);
}

static struct error *visit_numbered_cpu(struct stacks *s, uint64_t number)
{
	struct error *err = NULL;

	for (size_t i = 0; i < s->num_cpus && !err; i++) {
		if (s->cpus[i].number == number)
			err = visit_cpu(s, &s->cpus[i]);
	}
	return err;
}

/* Threads of one process; of tid alone if that is present. */
static struct error *visit_threads(struct stacks *s, struct process_state *p,
				   const struct opt_u64 *tid)
{
	struct thread_list list;
	struct error *err = thread_list_read(s->reader.k, p->eprocess, &list);

	if (err)
		return err;
	for (size_t i = 0; i < list.count && !err; i++) {
		if (!tid->present || list.items[i].tid.value == tid->value)
			err = visit_thread(s, p, list.items[i].ethread, NULL);
	}
	thread_list_deinit(&list);
	return err;
}

/* Of processes by id; a tid without one is looked for in all that are listed. */
static struct error *visit_processes(struct stacks *s, const struct stack_query *query)
{
	struct opt_u64 tid = query->all ? (struct opt_u64){ false, 0 } : query->tid;
	struct process_list list;
	struct process_state p;
	bool by_pid = !query->all && query->pid.present;
	struct error *err;

	err = by_pid ? process_list_by_pid(s->reader.k, query->pid.value, PROCESS_BRIEF, &list)
		     : process_list_read(s->reader.k, PROCESS_BRIEF, &list);
	if (err)
		return err;
	for (size_t i = 0; i < list.count && !err; i++) {
		err = open_process(s, list.items[i].eprocess, &p);
		if (!err)
			err = visit_threads(s, &p, &tid);
		close_process(s, &p);
	}
	process_list_deinit(&list);
	return err;
}

/* Running threads that no list leads to, as on a triage dump, which has no lists. */
static struct error *visit_matching_cpus(struct stacks *s, const struct stack_query *query)
{
	struct error *err = NULL;

	for (size_t i = 0; i < s->num_cpus && !err; i++) {
		struct object o =
			object_at(s->reader.k->space, s->cpus[i].current_thread, s->reader.fields);
		unsigned field = query->tid.present ? STACK_THREAD_ID : STACK_THREAD_OWNER;
		uint64_t want = query->tid.present ? query->tid.value : query->pid.value, id;

		if (query->all || (object_u64(&o, field, &id) && id == want))
			err = visit_cpu(s, &s->cpus[i]);
	}
	return err;
}

static struct error *nothing_visited(const struct stack_query *query)
{
	if (query->tid.present)
		return error_new(ERROR_NOT_FOUND, "no thread has the id %" PRIu64,
				 query->tid.value);
	if (query->pid.present)
		return error_new(ERROR_NOT_FOUND,
				 "no process has the id %" PRIu64 ", or it has no threads",
				 query->pid.value);
	if (query->cpu.present)
		return error_new(ERROR_NOT_FOUND, "no processor has the number %" PRIu64,
				 query->cpu.value);
	return error_new(ERROR_NOT_FOUND, "no thread and no processor could be found");
}

static struct error *run_query(struct stacks *s, const struct stack_query *query)
{
	struct error *err;

	if (!query->all && !query->tid.present && !query->pid.present)
		err = query->cpu.present ? visit_numbered_cpu(s, query->cpu.value)
					 : visit_default(s);
	else
		err = visit_processes(s, query);
	if (!err && !s->visited && (query->all || query->tid.present || query->pid.present))
		err = visit_matching_cpus(s, query);
	if (!err && !s->visited)
		err = nothing_visited(query);
	return err;
}

/* The kernel's symbols: the first source that is for exactly it. */
static struct error *open_symbols(struct stack_reader *r)
{
	size_t count = profile_num_sources(r->k->profile);

	for (size_t i = 0; i < count; i++) {
		bool exact;
		const struct profile_source *src = profile_source_at(r->k->profile, i, &exact);

		if (!exact || !src->ops->info)
			continue;
		/* a symbol file has all; the built-in table those that the project uses */
		r->sparse = !src->ops->identity;
		return symbol_index_create(src, &r->symbols);
	}
	return NULL;
}

struct error *stacks_read(struct kernel *k, const struct stack_query *query, stack_visit_fn *visit,
			  void *arg)
{
	struct stacks s = { .reader = { .k = k }, .visit = visit, .arg = arg };
	struct error *err;

	arena_init(&s.arena, 0);
	stack_images_init(&s.reader.kernel_images, k->space);
	if (!(err = profile_bind(k->profile, stack_field_rows, stack_num_fields,
				 s.reader.fields)) &&
	    !(err = stack_images_add_kernel(&s.reader.kernel_images, k)) &&
	    !(err = open_symbols(&s.reader)) &&
	    !(err = kernel_cpus_read(k, &s.arena, &s.cpus, &s.num_cpus))) {
		stack_images_sort(&s.reader.kernel_images);
		err = run_query(&s, query);
	}
	symbol_index_destroy(s.reader.symbols);
	stack_images_deinit(&s.reader.kernel_images);
	arena_deinit(&s.arena);
	return err;
}
