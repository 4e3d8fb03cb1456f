/* SPDX-License-Identifier: MIT */
#include "windows/kernel/cpu.h"

#include <inttypes.h>
#include <string.h>

#include "arch/amd64/context.h"
#include "arch/amd64/registers.h"
#include "windows/convention.h"

DEFINE_FIELDS(cpu, CPU_FIELDS);

/* Takes the groups that are not known yet. */
static void take_saved(struct kernel_cpu *cpu, const struct registers *saved, uint32_t groups)
{
	cpu->saved_groups |= registers_merge(&cpu->registers, saved, groups);
}

static void fill_special(struct kernel *k, struct kernel_cpu *cpu, uint64_t va)
{
	static const uint32_t state =
		REGS_CONTROL | REGS_CR3 | REGS_DEBUG | REGS_TABLES | REGS_TASK | REGS_CR8;
	/* model-specific registers: not every save of the state includes them */
	static const uint32_t msrs = REGS_GS_BASE | REGS_KERNEL_GS | REGS_SYSCALL;
	uint8_t bytes[SPECIAL_AMD64_SIZE];
	struct special_registers special;
	struct cursor c;

	if (!space_try_read(k->space, va, bytes, sizeof(bytes), NULL))
		return;
	cur_init(&c, bytes, sizeof(bytes), va);
	/* a block that was never saved is all zero, and a running processor has CR0.PG and CR3 */
	if (!special_registers_amd64_read(c, &special) || !special.registers.cr3 ||
	    !(special.registers.cr0 & CR0_PG))
		return;
	/* a running kernel has a system call entry */
	take_saved(cpu, &special.registers, special.registers.lstar ? state | msrs : state);
}

static void fill_context(struct kernel *k, struct kernel_cpu *cpu, uint64_t va)
{
	uint8_t bytes[CONTEXT_AMD64_SIZE];
	struct context context;
	struct cursor c;

	if (!space_try_read(k->space, va, bytes, sizeof(bytes), NULL))
		return;
	cur_init(&c, bytes, sizeof(bytes), va);
	if (context_amd64_read(c, &context) && context.registers.known & REGS_GENERAL)
		take_saved(cpu, &context.registers, REGS_GENERAL | REGS_SELECTORS);
}

static void read_threads(struct object *prcb, struct kernel_cpu *cpu)
{
	static const struct {
		unsigned field;
		size_t member;
	} rows[] = {
		{ CPU_CURRENT_THREAD, offsetof(struct kernel_cpu, current_thread) },
		{ CPU_NEXT_THREAD, offsetof(struct kernel_cpu, next_thread) },
		{ CPU_IDLE_THREAD, offsetof(struct kernel_cpu, idle_thread) },
	};
	struct object thread;
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (object_u64(prcb, rows[i].field, &value))
			memcpy((uint8_t *)cpu + rows[i].member, &value, sizeof(value));
	}
	if (!cpu->current_thread)
		return;
	thread = object_at(prcb->space, cpu->current_thread, prcb->fields);
	if (object_u64(&thread, CPU_THREAD_APC_PROCESS, &value) ||
	    object_u64(&thread, CPU_THREAD_PROCESS, &value))
		cpu->current_process = value;
}

/* What the format says of this very processor. */
static void take_registers(const struct dump_info *info, struct kernel_cpu *cpu)
{
	if (!info->context_cpu_unknown && cpu->number < info->num_registers)
		cpu->registers = info->registers[cpu->number];
}

/*
 * A small dump holds the KPRCB of the processor that crashed; the header's context is that
 * processor's too, but where an exception was handled that of the exception. So it comes last.
 */
static void take_crash_context(const struct kernel *k, struct kernel_cpu *cpu)
{
	const struct dump_info *info = &k->snap->info;

	if (info->context_cpu_unknown && info->num_registers && k->triage_kprcb &&
	    cpu->kprcb == k->triage_kprcb && !cpu->registers.known)
		cpu->registers = info->registers[0];
}

static bool read_cpu(struct kernel *k, const struct field *fields, uint64_t kprcb,
		     struct kernel_cpu *cpu)
{
	struct object prcb = object_at(k->space, kprcb, fields);
	uint64_t number, va;

	if (!object_u64(&prcb, CPU_NUMBER, &number) || number >= MAX_CPUS)
		return false;
	cpu->number = (unsigned)number;
	cpu->kprcb = kprcb;
	if (fields[CPU_KPCR_PRCB].present)
		cpu->kpcr = kprcb - fields[CPU_KPCR_PRCB].offset;
	read_threads(&prcb, cpu);
	take_registers(&k->snap->info, cpu);
	/* where the processor was stopped for the dump, else the last that was saved */
	if (object_u64(&prcb, CPU_CONTEXT, &cpu->context) && cpu->context)
		fill_context(k, cpu, cpu->context);
	if (object_address(&prcb, CPU_CONTEXT_FRAME, &va)) {
		fill_context(k, cpu, va);
		if (!cpu->context)
			cpu->context = va;
	}
	take_crash_context(k, cpu);
	if (object_address(&prcb, CPU_SPECIAL, &va))
		fill_special(k, cpu, va);
	return true;
}

enum slot { SLOT_END, SLOT_USED, SLOT_BAD };

/* KPRCB addresses: KiProcessorBlock[], else through the kernel's GS base of each processor. */
static enum slot kprcb_address(struct kernel *k, const struct field *fields, size_t index,
			       uint64_t *ret)
{
	const struct global_value *block = &k->globals[GLOBAL_KI_PROCESSOR_BLOCK];
	const struct registers *regs;
	struct object kpcr;
	uint64_t gs, self;

	if (block->present && space_try_u64(k->space, block->va + index * 8, ret, NULL)) {
		if (!*ret)
			return SLOT_END;
		return *ret >> 47 == 0x1ffff ? SLOT_USED : SLOT_BAD;
	}
	if (k->triage_kprcb) {
		*ret = k->triage_kprcb;
		return index == 0 ? SLOT_USED : SLOT_END;
	}
	if (index >= k->snap->info.num_registers)
		return SLOT_END;
	regs = &k->snap->info.registers[index];
	if (!current_kpcr(regs, &gs))
		return SLOT_END;
	kpcr = object_at(k->space, gs, fields);
	if (!object_u64(&kpcr, CPU_KPCR_SELF, &self) || self != gs)
		return SLOT_END;
	return object_u64(&kpcr, CPU_KPCR_CURRENT_PRCB, ret) ? SLOT_USED : SLOT_END;
}

static bool is_listed(const struct kernel_cpu *cpus, size_t count, unsigned number)
{
	for (size_t i = 0; i < count; i++) {
		if (cpus[i].number == number)
			return true;
	}
	return false;
}

/* A small dump is of one processor; the others are not missed. */
static void report_lost(const struct kernel *k, size_t lost, size_t first, uint64_t kprcb)
{
	if (lost && !k->triage_kprcb)
		diag_partial(k->diag,
			     "processors that could not be read: %zu (first: number %zu, at "
			     "0x%" PRIx64 ")",
			     lost, first, kprcb);
}

struct error *kernel_cpus_read(struct kernel *k, struct arena *a, struct kernel_cpu **ret,
			       size_t *count_ret)
{
	size_t used = 0, count = 0, lost = 0, first = 0, limit = MAX_CPUS;
	struct field fields[cpu_num_fields];
	uint64_t kprcb, first_kprcb = 0;
	struct kernel_cpu *cpus;
	struct error *err;
	enum slot slot;

	if ((err = profile_bind(k->profile, cpu_field_rows, cpu_num_fields, fields)))
		return err;
	if (k->snap->info.num_cpus && k->snap->info.num_cpus < limit)
		limit = k->snap->info.num_cpus;
	while (used < limit && kprcb_address(k, fields, used, &kprcb) != SLOT_END)
		used++;
	cpus = arena_calloc(a, used, sizeof(*cpus));
	if (!cpus)
		return &error_no_memory;
	for (size_t i = 0; i < used; i++) {
		slot = kprcb_address(k, fields, i, &kprcb);
		if (slot == SLOT_USED && read_cpu(k, fields, kprcb, &cpus[count]) &&
		    !is_listed(cpus, count, cpus[count].number)) {
			count++;
			continue;
		}
		cpus[count] = (struct kernel_cpu){ 0 };
		if (!lost++) {
			first = i;
			first_kprcb = kprcb;
		}
	}
	report_lost(k, lost, first, first_kprcb);
	*ret = cpus;
	*count_ret = count;
	return NULL;
}
