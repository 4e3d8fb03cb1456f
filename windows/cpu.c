/* SPDX-License-Identifier: MIT */
#include "windows/cpu.h"

#include <string.h>

#include "base/cursor.h"

DEFINE_FIELDS(cpu, CPU_FIELDS);

/*
 * KSPECIAL_REGISTERS and CONTEXT for AMD64 as ntddk.h and winnt.h declare them: fixed by the
 * debugger protocol, the same in every build.
 */
enum {
	SPECIAL_SIZE = 0xd8,
	OFFSET_LSTAR = 0xc0,
	CONTEXT_SIZE = 0x4d0,
	CONTEXT_AMD64 = 0x100000,
	CONTEXT_CONTROL = 1,
	CONTEXT_INTEGER = 2,
	CONTEXT_SEGMENTS = 4,
};

struct register_slot {
	uint16_t offset; /* in the structure */
	uint16_t size;	 /* bytes: 2 or 8 */
	uint16_t member; /* in struct registers */
};
#define SLOT(offset, size, member)                               \
	{                                                        \
		offset, size, offsetof(struct registers, member) \
	}

static const struct register_slot special_control[] = {
	SLOT(0x00, 8, cr0),
	SLOT(0x08, 8, cr2),
	SLOT(0x10, 8, cr3),
	SLOT(0x18, 8, cr4),
};
static const struct register_slot special_debug[] = {
	SLOT(0x20, 8, dr0), SLOT(0x28, 8, dr1), SLOT(0x30, 8, dr2),
	SLOT(0x38, 8, dr3), SLOT(0x40, 8, dr6), SLOT(0x48, 8, dr7),
};
static const struct register_slot special_tables[] = {
	SLOT(0x56, 2, gdtr.limit),
	SLOT(0x58, 8, gdtr.base),
	SLOT(0x66, 2, idtr.limit),
	SLOT(0x68, 8, idtr.base),
};
static const struct register_slot special_task[] = {
	SLOT(0x70, 2, tr.selector),
	SLOT(0x72, 2, ldtr.selector),
};
static const struct register_slot special_cr8[] = { SLOT(0xa0, 8, cr8) };
static const struct register_slot special_gs[] = { SLOT(0xa8, 8, gs.base) };
static const struct register_slot special_kernel_gs[] = { SLOT(0xb0, 8, kernel_gs_base) };
static const struct register_slot special_syscall[] = {
	SLOT(0xb8, 8, star),
	SLOT(0xc0, 8, lstar),
	SLOT(0xc8, 8, cstar),
	SLOT(0xd0, 8, sfmask),
};
static const struct register_slot context_selectors[] = {
	SLOT(0x38, 2, cs.selector), SLOT(0x3a, 2, ds.selector), SLOT(0x3c, 2, es.selector),
	SLOT(0x3e, 2, fs.selector), SLOT(0x40, 2, gs.selector), SLOT(0x42, 2, ss.selector),
};
static const struct register_slot context_general[] = {
	SLOT(0x78, 8, rax), SLOT(0x80, 8, rcx), SLOT(0x88, 8, rdx), SLOT(0x90, 8, rbx),
	SLOT(0x98, 8, rsp), SLOT(0xa0, 8, rbp), SLOT(0xa8, 8, rsi), SLOT(0xb0, 8, rdi),
	SLOT(0xb8, 8, r8),  SLOT(0xc0, 8, r9),	SLOT(0xc8, 8, r10), SLOT(0xd0, 8, r11),
	SLOT(0xd8, 8, r12), SLOT(0xe0, 8, r13), SLOT(0xe8, 8, r14), SLOT(0xf0, 8, r15),
	SLOT(0xf8, 8, rip),
};

struct register_group_row {
	uint32_t groups; /* known afterwards; skipped if all are known already */
	const struct register_slot *slots;
	size_t num_slots;
};
#define GROUP(groups, slots)                     \
	{                                        \
		groups, slots, ARRAY_SIZE(slots) \
	}

static const struct register_group_row special_groups[] = {
	GROUP(REGS_CONTROL | REGS_CR3, special_control),
	GROUP(REGS_DEBUG, special_debug),
	GROUP(REGS_TABLES, special_tables),
	GROUP(REGS_TASK, special_task),
	GROUP(REGS_CR8, special_cr8),
};
/* Model-specific registers: not every save of the state includes them. */
static const struct register_group_row msr_groups[] = {
	GROUP(REGS_GS_BASE, special_gs),
	GROUP(REGS_KERNEL_GS, special_kernel_gs),
	GROUP(REGS_SYSCALL, special_syscall),
};

static void fill_group(struct kernel_cpu *cpu, const struct register_group_row *row,
		       const uint8_t *bytes)
{
	if ((cpu->registers.known & row->groups) == row->groups)
		return;
	for (size_t i = 0; i < row->num_slots; i++) {
		const struct register_slot *slot = &row->slots[i];

		memcpy((uint8_t *)&cpu->registers + slot->member, bytes + slot->offset, slot->size);
	}
	cpu->registers.known |= row->groups;
	cpu->saved_groups |= row->groups;
}

static void fill_special(struct kernel *k, struct kernel_cpu *cpu, uint64_t va)
{
	uint8_t bytes[SPECIAL_SIZE];

	if (!space_try_read(k->space, va, bytes, sizeof(bytes), NULL))
		return;
	/* a block that was never saved is all zero, and a running processor has CR0.PG and CR3 */
	if (!load_u64(bytes + 0x10) || !(load_u64(bytes) >> 31 & 1))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(special_groups); i++)
		fill_group(cpu, &special_groups[i], bytes);
	/* a running kernel has a system call entry */
	for (size_t i = 0; i < ARRAY_SIZE(msr_groups) && load_u64(bytes + OFFSET_LSTAR); i++)
		fill_group(cpu, &msr_groups[i], bytes);
}

static void fill_context(struct kernel *k, struct kernel_cpu *cpu, uint64_t va)
{
	static const struct register_group_row selectors = GROUP(REGS_SELECTORS, context_selectors);
	static const struct register_group_row general = GROUP(REGS_GENERAL, context_general);
	uint8_t bytes[CONTEXT_SIZE];
	uint32_t flags;

	if (!space_try_read(k->space, va, bytes, sizeof(bytes), NULL))
		return;
	flags = load_u32(bytes + 0x30);
	if (!(flags & CONTEXT_AMD64) || !(flags & CONTEXT_CONTROL) || !(flags & CONTEXT_INTEGER))
		return;
	if (!(cpu->registers.known & REGS_GENERAL))
		cpu->registers.rflags = load_u32(bytes + 0x44);
	fill_group(cpu, &general, bytes);
	if (flags & CONTEXT_SEGMENTS)
		fill_group(cpu, &selectors, bytes);
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
	if (object_u64(&prcb, CPU_CONTEXT, &va) && va)
		fill_context(k, cpu, va);
	if (object_address(&prcb, CPU_CONTEXT_FRAME, &va))
		fill_context(k, cpu, va);
	take_crash_context(k, cpu);
	if (object_address(&prcb, CPU_SPECIAL, &va))
		fill_special(k, cpu, va);
	return true;
}

/* KPRCB addresses: KiProcessorBlock[], else through the kernel's GS base of each processor. */
static bool kprcb_address(struct kernel *k, const struct field *fields, size_t index, uint64_t *ret)
{
	const struct global_value *block = &k->globals[GLOBAL_KI_PROCESSOR_BLOCK];
	const struct registers *regs;
	struct object kpcr;
	uint64_t gs, self;

	if (block->present && space_try_u64(k->space, block->va + index * 8, ret, NULL))
		return *ret >> 47 == 0x1ffff;
	if (k->triage_kprcb) {
		*ret = k->triage_kprcb;
		return index == 0;
	}
	if (index >= k->snap->info.num_registers)
		return false;
	regs = &k->snap->info.registers[index];
	if (regs->known & (REGS_GS_BASE | REGS_SEGMENTS) && regs->gs.base >> 63)
		gs = regs->gs.base;
	else if (regs->known & REGS_KERNEL_GS && regs->kernel_gs_base >> 63)
		gs = regs->kernel_gs_base;
	else
		return false;
	kpcr = object_at(k->space, gs, fields);
	if (!object_u64(&kpcr, CPU_KPCR_SELF, &self) || self != gs)
		return false;
	return object_u64(&kpcr, CPU_KPCR_CURRENT_PRCB, ret);
}

struct error *kernel_cpus_read(struct kernel *k, struct arena *a, struct kernel_cpu **ret,
			       size_t *count_ret)
{
	struct field fields[cpu_num_fields];
	struct kernel_cpu *cpus;
	size_t found = 0, count = 0, limit = MAX_CPUS;
	struct error *err;
	uint64_t kprcb;

	if ((err = profile_bind(k->profile, cpu_field_rows, cpu_num_fields, fields)))
		return err;
	if (k->snap->info.num_cpus && k->snap->info.num_cpus < limit)
		limit = k->snap->info.num_cpus;
	while (found < limit && kprcb_address(k, fields, found, &kprcb))
		found++;
	cpus = arena_calloc(a, found, sizeof(*cpus));
	if (!cpus)
		return &error_no_memory;
	for (size_t i = 0; i < found; i++) {
		if (kprcb_address(k, fields, i, &kprcb) && read_cpu(k, fields, kprcb, &cpus[count]))
			count++;
	}
	*ret = cpus;
	*count_ret = count;
	return NULL;
}
