/* SPDX-License-Identifier: MIT */
#include "arch/amd64/registers.h"
#include "cli/commands.h"
#include "windows/convention.h"
#include "windows/kernel/cpu.h"

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
	CPUS_LSTAR_AGREES,
	CPUS_GS_BASE,
	CPUS_RIP,
	CPUS_RSP,
	CPUS_IRQL,
	CPUS_RFLAGS,
	CPUS_CR0,
	CPUS_CR2,
	CPUS_PAGING_MODE,
	CPUS_IDT,
	CPUS_GDT,
	CPUS_KERNEL_GS_BASE,
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
	[CPUS_LSTAR_AGREES] = { "lstar_agrees", "AGREES", CELL_BOOL, 6, COL_HIDDEN,
				"lstar is the entry that the kernel's symbols name" },
	[CPUS_GS_BASE] = { "gs_base", "GS BASE", CELL_ADDR, 18, COL_HIDDEN, "base of gs" },
	[CPUS_RIP] = { "rip", "RIP", CELL_ADDR, 18, 0, "instruction pointer" },
	[CPUS_RSP] = { "rsp", "RSP", CELL_ADDR, 18, 0, "stack pointer" },
	[CPUS_IRQL] = { "irql", "IRQL", CELL_U64, 4, COL_RIGHT, "interrupt level: CR8" },
	[CPUS_RFLAGS] = { "rflags", "RFLAGS", CELL_ADDR, 8, COL_HIDDEN, "flags" },
	[CPUS_CR0] = { "cr0", "CR0", CELL_ADDR, 10, COL_HIDDEN, "as the register holds it" },
	[CPUS_CR2] = { "cr2", "CR2", CELL_ADDR, 18, COL_HIDDEN, "address of the last page fault" },
	[CPUS_PAGING_MODE] = { "paging_mode", "PAGING", CELL_STR, 9, COL_HIDDEN,
			       "none, legacy, pae, long (4 levels), long_la57 (5)" },
	[CPUS_IDT] = { "idt", "IDT", CELL_ADDR, 18, COL_HIDDEN, "interrupt descriptor table" },
	[CPUS_GDT] = { "gdt", "GDT", CELL_ADDR, 18, COL_HIDDEN, "global descriptor table" },
	[CPUS_KERNEL_GS_BASE] = { "kernel_gs_base", "KERNEL GS BASE", CELL_ADDR, 18, COL_HIDDEN,
				  "base of gs after the next SWAPGS" },
};

static struct cell address_cell(uint64_t va)
{
	return va ? cell_addr(va) : CELL_ABSENT;
}

static struct cell register_cell(const struct kernel_cpu *cpu, enum register_id id)
{
	uint64_t value;

	return register_get(&cpu->registers, id, &value) ? cell_addr(value) : CELL_ABSENT;
}

static struct cell paging_mode_cell(const struct kernel_cpu *cpu)
{
	enum paging_mode mode;

	return cell_str(registers_paging_mode(&cpu->registers, &mode) ? paging_mode_name(mode)
								      : NULL);
}

static struct cell lstar_agrees_cell(const struct command_run *run, const struct kernel_cpu *cpu)
{
	struct entry_check check;

	return kernel_image_base(run->kernel, &cpu->registers, &check) ? cell_bool(check.agrees)
								       : CELL_ABSENT;
}

static struct error *cpus_row(struct command_run *run, const struct kernel_cpu *cpu)
{
	struct cell cells[CPUS_NUM_COLUMNS] = {
		[CPUS_CPU] = cell_u64(cpu->number),
		[CPUS_KPCR] = address_cell(cpu->kpcr),
		[CPUS_KPRCB] = address_cell(cpu->kprcb),
		[CPUS_CURRENT_THREAD] = address_cell(cpu->current_thread),
		[CPUS_NEXT_THREAD] = address_cell(cpu->next_thread),
		[CPUS_IDLE_THREAD] = address_cell(cpu->idle_thread),
		[CPUS_CURRENT_PROCESS] = address_cell(cpu->current_process),
		[CPUS_CR3] = register_cell(cpu, AMD64_CR3),
		[CPUS_CR4] = register_cell(cpu, AMD64_CR4),
		[CPUS_LSTAR] = register_cell(cpu, AMD64_LSTAR),
		[CPUS_LSTAR_AGREES] = lstar_agrees_cell(run, cpu),
		[CPUS_GS_BASE] = register_cell(cpu, AMD64_GS_BASE),
		[CPUS_RIP] = register_cell(cpu, AMD64_RIP),
		[CPUS_RSP] = register_cell(cpu, AMD64_RSP),
		[CPUS_IRQL] = register_cell(cpu, AMD64_CR8),
		[CPUS_RFLAGS] = register_cell(cpu, AMD64_RFLAGS),
		[CPUS_CR0] = register_cell(cpu, AMD64_CR0),
		[CPUS_CR2] = register_cell(cpu, AMD64_CR2),
		[CPUS_IDT] = register_cell(cpu, AMD64_IDTR_BASE),
		[CPUS_GDT] = register_cell(cpu, AMD64_GDTR_BASE),
		[CPUS_KERNEL_GS_BASE] = register_cell(cpu, AMD64_KERNEL_GS_BASE),
		[CPUS_PAGING_MODE] = paging_mode_cell(cpu),
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
	.key_columns = "cpu",
	.flags = COMMAND_NEEDS_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = cpus_run,
};
