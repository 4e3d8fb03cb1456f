/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "base/cursor.h"
#include "cli/commands.h"
#include "windows/crash/analyze.h"
#include "windows/crash/event.h"
#include "windows/crash/secondary_data.h"
#include "windows/stack.h"

enum {
	ANALYZE_BUGCHECK_CODE,
	ANALYZE_BUGCHECK_NAME,
	ANALYZE_CAUSE,
	ANALYZE_PARAMETERS,
	ANALYZE_EXCEPTION,
	ANALYZE_EXCEPTION_CODE,
	ANALYZE_EXCEPTION_ADDRESS,
	ANALYZE_EXCEPTION_PARAMETERS,
	ANALYZE_EXCEPTION_SOURCE,
	ANALYZE_EVENT,
	ANALYZE_EVENT_EVIDENCE,
	ANALYZE_IRQL,
	ANALYZE_ADDRESS,
	ANALYZE_ADDRESS_SOURCE,
	ANALYZE_PLACE,
	ANALYZE_MODULE,
	ANALYZE_MODULE_BASE,
	ANALYZE_MODULE_OFFSET,
	ANALYZE_MODULE_UNLOADED,
	ANALYZE_MODULE_PATH,
	ANALYZE_MODULE_VERSION,
	ANALYZE_MODULE_STAMP,
	ANALYZE_MODULE_STAMP_KIND,
	ANALYZE_MODULE_TIME,
	ANALYZE_PROCESS,
	ANALYZE_PID,
	ANALYZE_EPROCESS,
	ANALYZE_PROCESS_SOURCE,
	ANALYZE_SYSTEM_TIME,
	ANALYZE_BUCKET,
	ANALYZE_STACK,
	ANALYZE_SECONDARY_DATA,
	ANALYZE_NUM_COLUMNS
};

static const struct column analyze_columns[ANALYZE_NUM_COLUMNS] = {
	[ANALYZE_BUGCHECK_CODE] = { "bugcheck_code", "BUGCHECK", CELL_ADDR, 0, 0,
				    "stop code; absent where the machine did not crash" },
	[ANALYZE_BUGCHECK_NAME] = { "bugcheck_name", "NAME", CELL_STR, 0, 0, "its name" },
	[ANALYZE_CAUSE] = { "cause", "CAUSE", CELL_STR, 0, 0, "what it means, in a few words" },
	[ANALYZE_PARAMETERS] = { "parameters", "PARAMETERS", CELL_EXPLAINED, 0, 0,
				 "its four parameters: value, meaning, and what the value says" },
	[ANALYZE_EXCEPTION] = { "exception", "EXCEPTION", CELL_STR, 0, COL_HIDDEN,
				"the exception behind it, with the access where it names one" },
	[ANALYZE_EXCEPTION_CODE] = { "exception_code", "CODE", CELL_ADDR, 0, COL_HIDDEN,
				     "its NTSTATUS" },
	[ANALYZE_EXCEPTION_ADDRESS] = { "exception_address", "AT", CELL_ADDR, 0, COL_HIDDEN,
					"where it was raised" },
	[ANALYZE_EXCEPTION_PARAMETERS] = { "exception_parameters", "PARAMETERS", CELL_ADDRS, 0,
					   COL_HIDDEN, "its parameters" },
	[ANALYZE_EXCEPTION_SOURCE] = { "exception_source", "FROM", CELL_STR, 0, COL_HIDDEN,
				       "what says so: a record that a parameter points to, the "
				       "parameters themselves, the header" },
	[ANALYZE_EVENT] = { "event", "EVENT", CELL_STR, 0, COL_HIDDEN,
			    "why the machine stopped, as a processor sees it: memory access, "
			    "interrupt, breakpoint" },
	[ANALYZE_EVENT_EVIDENCE] = { "event_evidence", "FROM", CELL_STR, 0, COL_HIDDEN,
				     "what says so" },
	[ANALYZE_IRQL] = { "irql", "IRQL", CELL_U64, 0, COL_HIDDEN,
			   "IRQL at the time of the error, by a parameter" },
	[ANALYZE_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 0, COL_HIDDEN,
			      "the code that the bug check or its exception names" },
	[ANALYZE_ADDRESS_SOURCE] = { "address_source", "FROM", CELL_STR, 0, COL_HIDDEN,
				     "what names it" },
	[ANALYZE_PLACE] = { "place", "PLACE", CELL_STR, 0, COL_HIDDEN,
			    "where that is: module and offset, or what is known of it else" },
	[ANALYZE_MODULE] = { "module", "MODULE", CELL_STR, 0, 0,
			     "the driver, loaded or unloaded, that it lies in; \"driver "
			     "\\Driver\\...\": "
			     "in no listed module, but in that driver object's image" },
	[ANALYZE_MODULE_BASE] = { "module_base", "BASE", CELL_ADDR, 0, COL_HIDDEN,
				  "where the driver begins" },
	[ANALYZE_MODULE_OFFSET] = { "module_offset", "OFFSET", CELL_ADDR, 0, COL_HIDDEN,
				    "distance of the code from there" },
	[ANALYZE_MODULE_UNLOADED] = { "module_unloaded", "UNLOADED", CELL_BOOL, 0, COL_HIDDEN,
				      "had the driver been unloaded?" },
	[ANALYZE_MODULE_PATH] = { "module_path", "PATH", CELL_STR, 0, COL_HIDDEN, "of the driver" },
	[ANALYZE_MODULE_VERSION] = { "module_version", "VERSION", CELL_STR, 0, COL_HIDDEN,
				     "of the driver's file" },
	[ANALYZE_MODULE_STAMP] = { "module_time_date_stamp", "STAMP", CELL_ADDR, 0, COL_HIDDEN,
				   "TimeDateStamp of the driver" },
	[ANALYZE_MODULE_STAMP_KIND] = { "module_stamp_kind", "STAMP IS", CELL_STR, 0, COL_HIDDEN,
					"date, hash (of a reproducible build), or unsure: the "
					"headers that would tell are absent" },
	[ANALYZE_MODULE_TIME] = { "module_time", "LINKED", CELL_TIME, 0, COL_HIDDEN,
				  "the stamp as a date, unless it is a hash" },
	[ANALYZE_PROCESS] = { "process", "PROCESS", CELL_STR, 0, 0,
			      "name of the process that was running" },
	[ANALYZE_PID] = { "pid", "PID", CELL_U64, 0, 0, "its id" },
	[ANALYZE_EPROCESS] = { "eprocess", "EPROCESS", CELL_ADDR, 0, COL_HIDDEN,
			       "virtual address of its object" },
	[ANALYZE_PROCESS_SOURCE] = { "process_source", "FROM", CELL_STR, 0, COL_HIDDEN,
				     "what says so" },
	[ANALYZE_SYSTEM_TIME] = { "system_time", "TIME", CELL_TIME, 0, 0,
				  "the machine's clock at the crash" },
	[ANALYZE_BUCKET] = { "bucket", "BUCKET", CELL_STR, 0, 0,
			     "the same text for crashes that look the same: name, kind, place" },
	[ANALYZE_STACK] = { "stack", "STACK", CELL_EXPLAINED, 0, COL_HIDDEN,
			    "the first frames of the processor whose registers the snapshot has: "
			    "instruction, module+offset, how it was found (see stack)" },
	[ANALYZE_SECONDARY_DATA] = { "secondary_data", "SECONDARY DATA", CELL_EXPLAINED, 0,
				     COL_HIDDEN,
				     "what drivers added to the dump: file offset, GUID, size, "
				     "what it is where that is public" },
};

static void fill_bugcheck(const struct analysis *a,
			  struct explained_value values[MAX_BUGCHECK_PARAMETERS],
			  struct cell *cells)
{
	if (!a->has_bugcheck)
		return;
	for (size_t i = 0; i < MAX_BUGCHECK_PARAMETERS; i++) {
		const struct explained_parameter *p = &a->parameters[i];

		values[i] = (struct explained_value){ p->value, p->meaning, p->detail };
	}
	cells[ANALYZE_BUGCHECK_CODE] = cell_addr(a->bugcheck.code);
	cells[ANALYZE_BUGCHECK_NAME] = cell_str(a->name);
	cells[ANALYZE_CAUSE] = cell_str(a->cause);
	cells[ANALYZE_PARAMETERS] = cell_explained(values, MAX_BUGCHECK_PARAMETERS);
	cells[ANALYZE_BUCKET] = cell_str(a->bucket);
}

static void fill_exception(const struct analysis *a, struct cell *cells)
{
	const struct exception_record *e = &a->exception;

	if (a->has_irql)
		cells[ANALYZE_IRQL] = cell_u64(a->irql);
	if (!a->has_exception)
		return;
	cells[ANALYZE_EXCEPTION] = cell_str(a->exception_text);
	cells[ANALYZE_EXCEPTION_CODE] = cell_addr(e->code);
	cells[ANALYZE_EXCEPTION_SOURCE] = cell_str(a->exception_source);
	if (e->address)
		cells[ANALYZE_EXCEPTION_ADDRESS] = cell_addr(e->address);
	if (e->num_parameters)
		cells[ANALYZE_EXCEPTION_PARAMETERS] = cell_addrs(e->parameters, e->num_parameters);
}

static void fill_module(const struct analysis *a, struct cell *cells)
{
	const struct kernel_module *m = a->place.module;

	if (a->has_address) {
		cells[ANALYZE_ADDRESS] = cell_addr(a->address);
		cells[ANALYZE_ADDRESS_SOURCE] = cell_str(a->address_source);
		cells[ANALYZE_PLACE] = cell_str(a->address_text);
	}
	if (!a->has_place)
		return;
	cells[ANALYZE_MODULE] = cell_str(a->place.name);
	cells[ANALYZE_MODULE_BASE] = cell_addr(a->place.base);
	cells[ANALYZE_MODULE_OFFSET] = cell_addr(a->place.offset);
	cells[ANALYZE_MODULE_UNLOADED] = cell_bool(a->place.unloaded != NULL);
	if (!m)
		return;
	cells[ANALYZE_MODULE_PATH] = cell_str(m->path);
	cells[ANALYZE_MODULE_VERSION] = cell_str(a->version);
	if (m->has_time_date_stamp)
		cells[ANALYZE_MODULE_STAMP] = cell_addr(m->time_date_stamp);
	cells[ANALYZE_MODULE_STAMP_KIND] = cell_str(stamp_kind_name(a->stamp));
	if (a->stamp == STAMP_DATE || a->stamp == STAMP_UNSURE)
		cells[ANALYZE_MODULE_TIME] = cell_time(stamp_time(m->time_date_stamp));
}

static void fill_process(const struct command_run *run, const struct analysis *a,
			 struct cell *cells)
{
	if (a->has_process) {
		cells[ANALYZE_EPROCESS] = cell_addr(a->eprocess);
		cells[ANALYZE_PROCESS] = cell_str(a->process);
		cells[ANALYZE_PROCESS_SOURCE] = cell_str(a->process_source);
	}
	if (a->has_pid)
		cells[ANALYZE_PID] = cell_u64(a->pid);
	if (run->kernel->has_system_time)
		cells[ANALYZE_SYSTEM_TIME] = cell_time(run->kernel->system_time);
}

/* "335D5E04-563B-4E58-AA36-7ED1CFE76FD6", as registry and debugger write it. */
static const char *guid_text(struct arena *a, const uint8_t g[16])
{
	return arena_printf(a, "%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X", load_u32(g),
			    load_u16(g + 4), load_u16(g + 6), g[8], g[9], g[10], g[11], g[12],
			    g[13], g[14], g[15]);
}

static struct error *fill_secondary(const struct command_run *run, struct cell *cells)
{
	const struct dump_info *info = &run->snapshot->info;
	struct explained_value *values;
	const char *name;

	if (!info->num_blobs)
		return NULL;
	values = arena_calloc(run->arena, info->num_blobs, sizeof(*values));
	if (!values)
		return &error_no_memory;
	for (size_t i = 0; i < info->num_blobs; i++) {
		values[i].value = info->blobs[i].file_offset;
		values[i].meaning = guid_text(run->arena, info->blobs[i].tag);
		name = secondary_data_name(info->blobs[i].tag);
		values[i].detail =
			arena_printf(run->arena, "%" PRIu32 " bytes%s%s", info->blobs[i].size,
				     name ? ": " : "", name ? name : "");
		if (!values[i].meaning || !values[i].detail)
			return &error_no_memory;
	}
	cells[ANALYZE_SECONDARY_DATA] = cell_explained(values, info->num_blobs);
	return NULL;
}

/* "memory access: write at 0x10 (physical 0x1234); vector 14 (page fault)" */
static const char *event_text(struct arena *a, const struct event *e)
{
	const struct memory_access *access = event_as_memory_access(e);
	const char *where = "", *vector = "";
	enum interrupt_type type;
	unsigned number;

	if (access && access->has_va)
		where = access->has_pa
				? arena_printf(a, " at 0x%" PRIx64 " (physical 0x%" PRIx64 ")",
					       access->va, access->pa)
				: arena_printf(a, " at 0x%" PRIx64, access->va);
	if (event_as_interrupt(e, &number, &type))
		vector = arena_printf(a, "vector %u", number);
	if (!where || !vector)
		return NULL;
	if (access)
		return arena_printf(a, "memory access: %s%s%s%s",
				    access->access ? access_kind_name(access->access)
						   : "of unknown kind",
				    where, *vector ? "; " : "", vector);
	if (event_is_software_breakpoint(e))
		return arena_printf(a, "software breakpoint%s%s", *vector ? "; " : "", vector);
	return *vector ? vector : arena_printf(a, "exception 0x%x", e->exception);
}

static struct error *fill_event(const struct command_run *run, struct cell *cells)
{
	struct event event;
	struct error *err;
	bool found;

	if ((err = event_read(run->kernel, run->arena, &found, &event)))
		return err;
	if (!found)
		return NULL;
	cells[ANALYZE_EVENT] = cell_str(event_text(run->arena, &event));
	cells[ANALYZE_EVENT_EVIDENCE] = cell_str(event.evidence);
	return cells[ANALYZE_EVENT].present ? NULL : &error_no_memory;
}

enum { MAX_ANALYZE_FRAMES = 32 };

struct stack_cell {
	struct arena *arena;
	struct cell *ret;
};

/* A stack_visit_fn: the first stack is the one. */
static struct error *take_stack(void *arg, const struct stack *stack)
{
	struct stack_cell *to = arg;
	size_t count = stack->count < MAX_ANALYZE_FRAMES ? stack->count : MAX_ANALYZE_FRAMES;
	struct explained_value *values;

	if (to->ret->present)
		return NULL;
	values = arena_calloc(to->arena, count, sizeof(*values));
	if (!values)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		const struct stack_frame *f = &stack->frames[i];

		values[i].value = f->rip;
		values[i].detail = frame_found_name(f->found);
		if (!f->in_image || !f->module)
			continue;
		values[i].meaning = arena_printf(to->arena, "%s+0x%" PRIx64, f->module, f->offset);
		if (!values[i].meaning)
			return &error_no_memory;
	}
	*to->ret = cell_explained(values, count);
	return NULL;
}

static struct error *fill_stack(const struct command_run *run, struct cell *cells)
{
	struct stack_cell to = { run->arena, &cells[ANALYZE_STACK] };
	const struct stack_query query = { 0 };
	struct error *err = stacks_read(run->kernel, &query, take_stack, &to);

	/* a snapshot without registers has no such stack */
	error_catch(&err, ERROR_NOT_FOUND);
	return err;
}

static struct error *analyze_run(struct command_run *run)
{
	struct analysis analysis CLEANUP(analysis_deinit) = { 0 };
	struct explained_value values[MAX_BUGCHECK_PARAMETERS];
	struct cell cells[ANALYZE_NUM_COLUMNS] = { 0 };
	struct error *err;

	if ((err = analysis_read(run->kernel, &analysis)))
		return err;
	if (!analysis.has_bugcheck)
		diag_note(run->diag, "no bug check: the snapshot does not say that the machine "
				     "crashed");
	fill_bugcheck(&analysis, values, cells);
	fill_exception(&analysis, cells);
	fill_module(&analysis, cells);
	fill_process(run, &analysis, cells);
	if ((err = fill_event(run, cells)) || (err = fill_stack(run, cells)) ||
	    (err = fill_secondary(run, cells)))
		return err;
	return sink_row(run->sink, cells, 0);
}

const struct command cmd_analyze = {
	.name = "analyze",
	.summary = "what crashed: bug check, exception, driver, process",
	.description =
		"Explains a crash dump's bug check: its name, what its parameters mean and say, "
		"the "
		"exception behind it, the code that they name and the driver which that code lies "
		"in, and the process that was running. The bucket is the same text for crashes "
		"that look the same.\n\n"
		"The driver named is the one whose code the bug check points to, which need not "
		"be the one at fault. A driver's time stamp is a date only where its build is not "
		"reproducible; module_stamp_kind says which, where the snapshot shows it.",
	.example = "ntscope analyze --format json memory.dmp",
	.columns = analyze_columns,
	.num_columns = ANALYZE_NUM_COLUMNS,
	.flags = COMMAND_ONE_OBJECT | COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = analyze_run,
};
