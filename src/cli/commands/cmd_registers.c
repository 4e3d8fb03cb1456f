/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "arch/amd64/registers.h"
#include "cli/commands.h"
#include "cli/commands/processors.h"
#include "cli/processes.h"
#include "windows/kernel/cpu.h"
#include "windows/thread/thread.h"
#include "windows/thread/thread_context.h"

enum {
	REGISTERS_CPU,
	REGISTERS_REGISTER,
	REGISTERS_VALUE,
	REGISTERS_SOURCE,
	REGISTERS_FLAGS,
	REGISTERS_TID,
	REGISTERS_ADDRESS,
	REGISTERS_NUM_COLUMNS
};

static const struct column registers_columns[REGISTERS_NUM_COLUMNS] = {
	[REGISTERS_CPU] = { "cpu", "CPU", CELL_U64, 3, COL_RIGHT, "number of the processor" },
	[REGISTERS_REGISTER] = { "register", "REGISTER", CELL_STR, 14, 0, "its name" },
	[REGISTERS_VALUE] = { "value", "VALUE", CELL_ADDR, 18, 0, "absent: nothing tells it" },
	[REGISTERS_SOURCE] = { "source", "SOURCE", CELL_STR, 12, 0,
			       "snapshot, or kprcb: the kernel's last copy of it; of a thread: "
			       "switch_frame, trap_frame, wow64" },
	[REGISTERS_FLAGS] = { "flags", "FLAGS", CELL_STR, 0, 0, "bits that are set, by name" },
	[REGISTERS_TID] = { "tid", "TID", CELL_U64, 6, COL_RIGHT | COL_ASKED,
			    "thread id; with --tid" },
	[REGISTERS_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, COL_ASKED,
				"where Windows saved the thread's registers" },
};

static const struct option_row registers_options[] = {
	PROCESSOR_OPTION_ROW,
	{ "tid", 0, OPTION_U64, "TID", "what is saved of the thread with this id" },
	PROCESS_OPTION_ROWS,
};

static const char *registers_default_columns(const struct option_values *options)
{
	return option_flag(options, "tid") ? "tid,cpu,source,address,register,value,flags" : NULL;
}

/* Would it be known without the kernel's copy? */
static const char *source_of(const struct processor *p, enum register_id id)
{
	struct registers own = { .known = p->registers.known & ~p->saved_groups };

	return register_known(&own, id) ? "snapshot" : "kprcb";
}

static struct error *put_value(struct command_run *run, enum register_id id, uint64_t value,
			       struct cell *cells)
{
	const struct register_row *row = &register_rows[id];
	char flags[BITS_TEXT_SIZE];

	cells[REGISTERS_VALUE] = cell_addr(value);
	if (row->bits) {
		bits_text(row->bits, value, flags);
		cells[REGISTERS_FLAGS] = cell_str(flags);
	}
	return sink_row(run->sink, cells, 0);
}

static struct error *put_register(struct command_run *run, const struct processor *p,
				  struct opt_u64 tid, enum register_id id)
{
	struct cell cells[REGISTERS_NUM_COLUMNS] = {
		[REGISTERS_CPU] = cell_u64(p->number),
		[REGISTERS_REGISTER] = cell_str(register_rows[id].name),
		[REGISTERS_TID] = cell_opt(tid),
	};
	uint64_t value;

	if (!register_get(&p->registers, id, &value))
		return sink_row(run->sink, cells, 0);
	cells[REGISTERS_SOURCE] = cell_str(source_of(p, id));
	return put_value(run, id, value, cells);
}

static struct error *put_processor(struct command_run *run, const struct processor *p,
				   struct opt_u64 tid)
{
	struct error *err = NULL;

	for (unsigned id = 0; id < NUM_REGISTERS && !err && !sink_full(run->sink); id++)
		err = put_register(run, p, tid, id);
	return err;
}

/* Names in 32-bit code, by id; the others are the same. */
static const char *const narrow_names[NUM_GP_REGISTERS] = {
	[AMD64_RAX] = "eax", [AMD64_RBX] = "ebx",	[AMD64_RCX] = "ecx", [AMD64_RDX] = "edx",
	[AMD64_RSI] = "esi", [AMD64_RDI] = "edi",	[AMD64_RSP] = "esp", [AMD64_RBP] = "ebp",
	[AMD64_RIP] = "eip", [AMD64_RFLAGS] = "eflags",
};

static const char *name_of(const struct saved_context *c, enum register_id id)
{
	bool narrow = c->width == 4 && id < NUM_GP_REGISTERS && narrow_names[id];

	return narrow ? narrow_names[id] : register_rows[id].name;
}

static struct error *put_context(struct command_run *run, struct opt_u64 tid,
				 const struct saved_context *c)
{
	/* known[] says which registers there are; their groups must not stand in the way */
	struct registers all = c->registers;
	struct error *err = NULL;

	all.known = UINT32_MAX;
	for (unsigned id = 0; id < NUM_REGISTERS && !err && !sink_full(run->sink); id++) {
		struct cell cells[REGISTERS_NUM_COLUMNS] = {
			[REGISTERS_TID] = cell_opt(tid),
			[REGISTERS_SOURCE] = cell_str(c->source),
			[REGISTERS_ADDRESS] = cell_addr(c->va),
			[REGISTERS_REGISTER] = cell_str(name_of(c, id)),
		};
		uint64_t value;

		if (!saved_context_has(c, id))
			continue;
		if (c->known[id] && register_get(&all, id, &value))
			err = put_value(run, id, value, cells);
		else
			err = sink_row(run->sink, cells, 0);
	}
	return err;
}

/* The threads that --tid means. */
struct thread_search {
	uint64_t tid;
	const struct kernel_cpu *cpus;
	size_t num_cpus;
	bool found;
};

static const struct kernel_cpu *cpu_of(const struct thread_search *search, uint64_t ethread)
{
	for (size_t i = 0; i < search->num_cpus; i++)
		if (search->cpus[i].current_thread == ethread)
			return &search->cpus[i];
	return NULL;
}

static struct error *put_thread(struct command_run *run, const struct process_visit *visit,
				const struct thread_search *search, const struct thread *thread)
{
	const struct kernel_cpu *cpu = cpu_of(search, thread->ethread);
	const struct saved_contexts_of of = {
		.ethread = thread->ethread,
		.space = visit->space,
		.wow64 = visit->process->has_wow64 && visit->process->wow64,
		.running = cpu != NULL,
	};
	struct saved_contexts contexts;
	struct error *err = saved_contexts_read(run->kernel, &of, &contexts);

	if (cpu && !err) {
		const struct processor p = {
			.number = cpu->number,
			.registers = cpu->registers,
			.saved_groups = cpu->saved_groups,
		};

		err = put_processor(run, &p, thread->tid);
	}
	for (size_t i = 0; !err && i < contexts.count; i++)
		err = put_context(run, thread->tid, &contexts.items[i]);
	return err;
}

static struct error *visit_process(struct command_run *run, const struct process_visit *visit,
				   void *arg)
{
	struct thread_search *search = arg;
	struct thread_list list;
	struct error *err = thread_list_read(run->kernel, visit->process->eprocess, &list);

	if (err)
		return err;
	for (size_t i = 0; i < list.count && !err; i++) {
		const struct thread *thread = &list.items[i];

		if (!thread->tid.present || thread->tid.value != search->tid)
			continue;
		search->found = true;
		err = put_thread(run, visit, search, thread);
	}
	thread_list_deinit(&list);
	return err;
}

static struct error *put_threads(struct command_run *run, uint64_t tid)
{
	struct thread_search search = { .tid = tid };
	struct kernel_cpu *cpus;
	struct error *err;

	if (!run->kernel)
		return error_new(ERROR_NOT_FOUND, "option '--tid' needs the kernel: %s",
				 error_message(run->kernel_error));
	if ((err = kernel_cpus_read(run->kernel, run->arena, &cpus, &search.num_cpus)))
		return err;
	search.cpus = cpus;
	if ((err = each_process(run, visit_process, &search)))
		return err;
	if (!search.found)
		err = error_new(ERROR_NOT_FOUND, "no thread has the id %" PRIu64, tid);
	return err;
}

static bool names_processes(const struct option_values *options)
{
	uint64_t value;

	return option_flag(options, "scan") || option_u64(options, "process", &value) ||
	       option_u64(options, "pid", &value);
}

static struct error *registers_run(struct command_run *run)
{
	struct processor_list list CLEANUP(processor_list_deinit) = { 0 };
	struct error *err;
	uint64_t tid;

	if (option_u64(run->options, "tid", &tid))
		return put_threads(run, tid);
	if (names_processes(run->options))
		return error_new(ERROR_USAGE, "a process has no registers: --pid, --process and "
					      "--scan say where --tid is looked for");
	err = processor_list_init(run, &list);
	for (size_t i = 0; i < list.count && !err; i++)
		err = put_processor(run, &list.items[i], (struct opt_u64){ 0 });
	return err;
}

const struct command cmd_registers = {
	.name = "registers",
	.summary = "print the registers of processors or threads, flags by name",
	.description =
		"One row per register. Values are those that the snapshot's format holds; the "
		"ones that it lacks come from KPRCB.ProcessorState, as the kernel saved them last. "
		"What neither has is absent.\n\n"
		"With --tid: what Windows saved of a thread. switch_frame is where it goes on in "
		"the kernel when it runs again, trap_frame what it did when it last entered the "
		"kernel (an entry saves just the registers that a call may change), wow64 the "
		"32-bit registers of a thread in 64-bit code. A thread that runs has its "
		"processor's registers first.",
	.example = "ntscope registers --cpu 0 memory.dmp",
	.options = registers_options,
	.num_options = ARRAY_SIZE(registers_options),
	.columns = registers_columns,
	.num_columns = REGISTERS_NUM_COLUMNS,
	.key_columns = "cpu,tid,register",
	.flags = COMMAND_TRIES_KERNEL,
	.default_columns = registers_default_columns,
	.run = registers_run,
};
