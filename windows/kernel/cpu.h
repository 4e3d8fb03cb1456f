/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_CPU_H
#define WINDOWS_CPU_H

#include "windows/kernel/kernel.h"

/* Processors by the kernel's own control regions. */

#define CPU_FIELDS(F)                                                            \
	F(CPU, KPCR_SELF, "_KPCR", "Self", OPTIONAL)                             \
	F(CPU, KPCR_CURRENT_PRCB, "_KPCR", "CurrentPrcb", OPTIONAL)              \
	F(CPU, KPCR_PRCB, "_KPCR", "Prcb", OPTIONAL)                             \
	F(CPU, NUMBER, "_KPRCB", "Number", OPTIONAL)                             \
	F(CPU, CURRENT_THREAD, "_KPRCB", "CurrentThread", OPTIONAL)              \
	F(CPU, NEXT_THREAD, "_KPRCB", "NextThread", OPTIONAL)                    \
	F(CPU, IDLE_THREAD, "_KPRCB", "IdleThread", OPTIONAL)                    \
	F(CPU, SPECIAL, "_KPRCB", "ProcessorState.SpecialRegisters", OPTIONAL)   \
	F(CPU, CONTEXT, "_KPRCB", "Context", OPTIONAL)                           \
	F(CPU, CONTEXT_FRAME, "_KPRCB", "ProcessorState.ContextFrame", OPTIONAL) \
	F(CPU, THREAD_PROCESS, "_KTHREAD", "Process", OPTIONAL)                  \
	F(CPU, THREAD_APC_PROCESS, "_KTHREAD", "ApcState.Process", OPTIONAL)
DECLARE_FIELDS(cpu, CPU_FIELDS);

struct kernel_cpu {
	unsigned number;
	uint64_t kpcr, kprcb;				   /* kpcr 0: unknown */
	uint64_t current_thread, next_thread, idle_thread; /* 0: none or absent */
	uint64_t current_process; /* the one whose space the current thread is in; 0: absent */
	/* What the snapshot's format says, completed by KPRCB.ProcessorState where the format is
	 * silent. ProcessorState is as of the last time that the kernel saved it. */
	struct registers registers;
	uint64_t context;      /* of the CONTEXT that debuggers show of it; 0: absent */
	uint32_t saved_groups; /* the groups that came from ProcessorState */
};

/* The processors that can be found: by KiProcessorBlock, else by the GS bases in the
 * registers. NO_MEMORY only; what is no processor, or one that was there before, is left out, and
 * said to the kernel's diag as partial. */
MUST_CHECK struct error *kernel_cpus_read(struct kernel *k, struct arena *a,
					  struct kernel_cpu **ret, size_t *count_ret);

#endif
