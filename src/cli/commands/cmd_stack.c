/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "cli/commands.h"
#include "windows/stack.h"

enum {
	STACK_COL_PID,
	STACK_COL_TID,
	STACK_COL_CPU,
	STACK_COL_ETHREAD,
	STACK_COL_FRAME,
	STACK_COL_CHILD_SP,
	STACK_COL_RETURN_ADDRESS,
	STACK_COL_RIP,
	STACK_COL_MODULE,
	STACK_COL_OFFSET,
	STACK_COL_SYMBOL,
	STACK_COL_FOUND_BY,
	STACK_COL_BITS,
	STACK_COL_HOME,
	STACK_COL_REGISTERS = STACK_COL_HOME + STACK_NUM_HOMES,
	STACK_NUM_COLUMNS = STACK_COL_REGISTERS + UNWIND_NUM_REGISTERS
};

#define HOME(n, key, header)                                                          \
	[STACK_COL_HOME + (n)] = { key,                                               \
				   header,                                            \
				   CELL_ADDR,                                         \
				   18,                                                \
				   COL_HIDDEN,                                        \
				   "where the callee may keep its parameter " #n "; " \
				   "often something else" }
#define REGISTER(n, key, header)                                                             \
	[STACK_COL_REGISTERS + UNWIND_##n] = {                                               \
		key, header, CELL_ADDR, 18, COL_HIDDEN, key " in this frame, if it is known" \
	}

static const struct column stack_columns[STACK_NUM_COLUMNS] = {
	[STACK_COL_PID] = { "pid", "PID", CELL_U64, 5, COL_RIGHT, "process id" },
	[STACK_COL_TID] = { "tid", "TID", CELL_U64, 5, COL_RIGHT, "thread id" },
	[STACK_COL_CPU] = { "cpu", "CPU", CELL_U64, 3, COL_RIGHT,
			    "the processor that the thread was running on" },
	[STACK_COL_ETHREAD] = { "ethread", "ETHREAD", CELL_ADDR, 18, COL_HIDDEN,
				"virtual address of the thread object" },
	[STACK_COL_FRAME] = { "frame", "FRAME", CELL_U64, 5, COL_RIGHT, "from 0, the innermost" },
	[STACK_COL_CHILD_SP] = { "child_sp", "CHILD SP", CELL_ADDR, 18, 0,
				 "stack pointer of the frame while it waits for its callee" },
	[STACK_COL_RETURN_ADDRESS] = { "return_address", "RETURN ADDRESS", CELL_ADDR, 18, 0,
				       "where the frame goes on to; 0x0: the stack ends here" },
	[STACK_COL_RIP] = { "rip", "RIP", CELL_ADDR, 18, COL_HIDDEN,
			    "instruction pointer in the frame" },
	[STACK_COL_MODULE] = { "module", "MODULE", CELL_STR, 14, 0, "the image that RIP is in" },
	[STACK_COL_OFFSET] = { "offset", "OFFSET", CELL_ADDR, 8, 0, "of RIP in the module" },
	[STACK_COL_SYMBOL] = { "symbol", "SYMBOL", CELL_STR, 24, 0,
			       "function and offset, where symbols or exports name it" },
	[STACK_COL_FOUND_BY] = { "found_by", "FOUND BY", CELL_STR, 10, 0,
				 "context (saved registers), unwind (unwind data), trap_frame, "
				 "frame_pointer, or scan (a plausible return address, maybe a "
				 "stale one)" },
	[STACK_COL_BITS] = { "bits", "BITS", CELL_U64, 4, COL_RIGHT | COL_HIDDEN,
			     "64, or 32 in WoW64 code" },
	HOME(0, "home1", "HOME 1"),
	HOME(1, "home2", "HOME 2"),
	HOME(2, "home3", "HOME 3"),
	HOME(3, "home4", "HOME 4"),
	REGISTER(RAX, "rax", "RAX"),
	REGISTER(RCX, "rcx", "RCX"),
	REGISTER(RDX, "rdx", "RDX"),
	REGISTER(RBX, "rbx", "RBX"),
	REGISTER(RSP, "rsp", "RSP"),
	REGISTER(RBP, "rbp", "RBP"),
	REGISTER(RSI, "rsi", "RSI"),
	REGISTER(RDI, "rdi", "RDI"),
	REGISTER(R8, "r8", "R8"),
	REGISTER(R9, "r9", "R9"),
	REGISTER(R10, "r10", "R10"),
	REGISTER(R11, "r11", "R11"),
	REGISTER(R12, "r12", "R12"),
	REGISTER(R13, "r13", "R13"),
	REGISTER(R14, "r14", "R14"),
	REGISTER(R15, "r15", "R15"),
};

static const struct option_row stack_options[] = {
	{ "cpu", 0, OPTION_U64, "N", "of the thread that processor N was running" },
	{ "tid", 0, OPTION_U64, "TID", "of the thread with this id" },
	{ "all", 'a', OPTION_FLAG, NULL, "of every thread of every process" },
	{ "registers", 'r', OPTION_FLAG, NULL, "show the registers of each frame" },
};

static struct error *symbol_text(struct command_run *run, const struct stack_frame *f,
				 struct cell *ret)
{
	uint64_t distance =
		f->symbol_offset < 0 ? -(uint64_t)f->symbol_offset : (uint64_t)f->symbol_offset;
	char *text;

	*ret = CELL_ABSENT;
	if (!f->symbol)
		return NULL;
	text = distance ? arena_printf(run->arena, "%s%c0x%" PRIx64, f->symbol,
				       f->symbol_offset < 0 ? '-' : '+', distance)
			: arena_strdup(run->arena, f->symbol);
	if (!text)
		return &error_no_memory;
	*ret = cell_str(text);
	return NULL;
}

static struct error *stack_row(struct command_run *run, const struct stack *stack, size_t number)
{
	const struct stack_frame *f = &stack->frames[number];
	struct cell cells[STACK_NUM_COLUMNS] = {
		[STACK_COL_PID] = cell_opt(stack->pid),
		[STACK_COL_TID] = cell_opt(stack->tid),
		[STACK_COL_CPU] = cell_opt(stack->cpu),
		[STACK_COL_ETHREAD] = stack->ethread ? cell_addr(stack->ethread) : CELL_ABSENT,
		[STACK_COL_FRAME] = cell_u64(number),
		[STACK_COL_CHILD_SP] = cell_addr(f->child_sp),
		[STACK_COL_RETURN_ADDRESS] =
			f->has_return ? cell_addr(f->return_address) : CELL_ABSENT,
		[STACK_COL_RIP] = cell_addr(f->rip),
		[STACK_COL_MODULE] = cell_str(f->module),
		[STACK_COL_OFFSET] = f->in_image ? cell_addr(f->offset) : CELL_ABSENT,
		[STACK_COL_FOUND_BY] = cell_str(frame_found_name(f->found)),
		[STACK_COL_BITS] = cell_u64(f->is_32bit ? 32 : 64),
	};
	struct error *err = symbol_text(run, f, &cells[STACK_COL_SYMBOL]);

	if (err)
		return err;
	for (unsigned i = 0; i < f->num_homes; i++)
		cells[STACK_COL_HOME + i] = cell_addr(f->homes[i]);
	for (unsigned i = 0; i < UNWIND_NUM_REGISTERS; i++) {
		if (f->registers.known >> i & 1)
			cells[STACK_COL_REGISTERS + i] = cell_addr(f->registers.gpr[i]);
	}
	return sink_row(run->sink, cells, 0);
}

static struct error *stack_visit(void *arg, const struct stack *stack)
{
	struct command_run *run = arg;
	struct error *err = NULL;

	for (size_t i = 0; i < stack->count && !err && !sink_full(run->sink); i++)
		err = stack_row(run, stack, i);
	if (!stack->count)
		diag_partial(run->diag, "thread 0x%" PRIx64 ": no frames: %s", stack->ethread,
			     stack->end);
	return err;
}

static struct opt_u64 number_option(const struct option_values *options, const char *name)
{
	struct opt_u64 ret = { 0 };

	ret.present = option_u64(options, name, &ret.value);
	return ret;
}

static struct error *stack_run(struct command_run *run)
{
	struct stack_query query = {
		.all = option_flag(run->options, "all"),
		.tid = number_option(run->options, "tid"),
		.pid = number_option(run->options, "pid"),
		.cpu = number_option(run->options, "cpu"),
	};

	return stacks_read(run->kernel, &query, stack_visit, run);
}

static const char *stack_default_columns(const struct option_values *options)
{
	return option_flag(options, "registers")
		       ? "tid,frame,rip,symbol,found_by,rax,rcx,rdx,rbx,rsp,rbp,rsi,rdi,r8,r9,"
			 "r10,r11,r12,r13,r14,r15"
		       : NULL;
}

const struct command cmd_stack = {
	.name = "stack",
	.summary = "show call stacks",
	.description =
		"Walks the stack of a thread, innermost frame first, like a debugger's k. Frames "
		"are found by the unwind data of the images where it is captured, out of the "
		"kernel by the trap frame, in 32-bit code by frame pointers. Where those are "
		"absent, the stack is searched for the next address that code could return to; "
		"such a frame is marked scan and may be a leftover of an earlier call.\n\n"
		"Without --cpu, --tid, --pid or --all: the thread of the processor whose registers "
		"the snapshot holds, which in a crash dump is the one that crashed. --tid looks "
		"in the listed processes; with --pid in that one, listed or not.",
	.example = "ntscope stack --cpu 0 memory.dmp",
	.options = stack_options,
	.num_options = ARRAY_SIZE(stack_options),
	.columns = stack_columns,
	.num_columns = STACK_NUM_COLUMNS,
	.key_columns = "pid,tid,frame",
	.flags = COMMAND_NEEDS_KERNEL,
	.default_columns = stack_default_columns,
	.run = stack_run,
};
