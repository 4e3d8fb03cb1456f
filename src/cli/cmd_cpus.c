/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include "windows/cpu.h"

enum {
	CPUS_CPU,
	CPUS_KPCR,
	CPUS_KPRCB,
	CPUS_CURRENT_THREAD,
	CPUS_NEXT_THREAD,
	CPUS_IDLE_THREAD,
	CPUS_CURRENT_PROCESS,
	CPUS_CR3,
	CPUS_CR4,
	CPUS_LSTAR,
	CPUS_GS_BASE,
	CPUS_RIP,
	CPUS_RSP,
	CPUS_NUM_COLUMNS
};

static const struct column cpus_columns[CPUS_NUM_COLUMNS] = {
	[CPUS_CPU] = { "cpu", "CPU", CELL_U64, 3, COL_RIGHT, "number" },
	[CPUS_KPCR] = { "kpcr", "KPCR", CELL_ADDR, 18, COL_HIDDEN, "its control region" },
	[CPUS_KPRCB] = { "kprcb", "KPRCB", CELL_ADDR, 18, 0, "its control block" },
	[CPUS_CURRENT_THREAD] = { "current_thread", "CURRENT THREAD", CELL_ADDR, 18, 0,
				  "ETHREAD that it was running" },
	[CPUS_NEXT_THREAD] = { "next_thread", "NEXT THREAD", CELL_ADDR, 18, COL_HIDDEN,
			       "ETHREAD that was to run next" },
	[CPUS_IDLE_THREAD] = { "idle_thread", "IDLE THREAD", CELL_ADDR, 18, COL_HIDDEN,
			       "its idle thread" },
	[CPUS_CURRENT_PROCESS] = { "current_process", "CURRENT PROCESS", CELL_ADDR, 18, 0,
				   "EPROCESS in whose space the current thread was" },
	[CPUS_CR3] = { "cr3", "CR3", CELL_ADDR, 11, 0, "as the register holds it" },
	[CPUS_CR4] = { "cr4", "CR4", CELL_ADDR, 8, COL_HIDDEN, "as the register holds it" },
	[CPUS_LSTAR] = { "lstar", "LSTAR", CELL_ADDR, 18, COL_HIDDEN, "system call entry" },
	[CPUS_GS_BASE] = { "gs_base", "GS BASE", CELL_ADDR, 18, COL_HIDDEN, "base of gs" },
	[CPUS_RIP] = { "rip", "RIP", CELL_ADDR, 18, 0, "instruction pointer" },
	[CPUS_RSP] = { "rsp", "RSP", CELL_ADDR, 18, 0, "stack pointer" },
};

static struct cell address_cell(uint64_t va)
{
	return va ? cell_addr(va) : CELL_ABSENT;
}

/* A register, if one of the groups that hold it is known. */
static struct cell register_cell(const struct kernel_cpu *cpu, uint32_t groups, uint64_t value)
{
	return cpu->registers.known & groups ? cell_addr(value) : CELL_ABSENT;
}

static struct error *cpus_row(struct command_run *run, const struct kernel_cpu *cpu)
{
	const struct registers *r = &cpu->registers;
	struct cell cells[CPUS_NUM_COLUMNS] = {
		[CPUS_CPU] = cell_u64(cpu->number),
		[CPUS_KPCR] = address_cell(cpu->kpcr),
		[CPUS_KPRCB] = address_cell(cpu->kprcb),
		[CPUS_CURRENT_THREAD] = address_cell(cpu->current_thread),
		[CPUS_NEXT_THREAD] = address_cell(cpu->next_thread),
		[CPUS_IDLE_THREAD] = address_cell(cpu->idle_thread),
		[CPUS_CURRENT_PROCESS] = address_cell(cpu->current_process),
		[CPUS_CR3] = register_cell(cpu, REGS_CONTROL | REGS_CR3, r->cr3),
		[CPUS_CR4] = register_cell(cpu, REGS_CONTROL, r->cr4),
		[CPUS_LSTAR] = register_cell(cpu, REGS_SYSCALL, r->lstar),
		[CPUS_GS_BASE] = register_cell(cpu, REGS_SEGMENTS | REGS_GS_BASE, r->gs.base),
		[CPUS_RIP] = register_cell(cpu, REGS_GENERAL, r->rip),
		[CPUS_RSP] = register_cell(cpu, REGS_GENERAL, r->rsp),
	};

	return sink_row(run->sink, cells, 0);
}

static struct error *cpus_run(struct command_run *run)
{
	struct kernel_cpu *cpus;
	struct error *err;
	size_t count;

	if ((err = kernel_cpus_read(run->kernel, run->arena, &cpus, &count)))
		return err;
	if (!count)
		diag_partial(run->diag, "no processor's control block could be read");
	for (size_t i = 0; i < count && !err && !sink_full(run->sink); i++)
		err = cpus_row(run, &cpus[i]);
	return err;
}

const struct command cmd_cpus = {
	.name = "cpus",
	.summary = "list processors and what they were running",
	.description =
		"Finds the processors by KiProcessorBlock, or by the GS bases in the snapshot's "
		"registers. Registers are those that the snapshot's format holds; the ones that "
		"it lacks come from KPRCB.ProcessorState, as the kernel saved them last.",
	.example = "ntscope cpus --format json memory.dmp",
	.columns = cpus_columns,
	.num_columns = CPUS_NUM_COLUMNS,
	.flags = COMMAND_NEEDS_KERNEL,
	.run = cpus_run,
};
