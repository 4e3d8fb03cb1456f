/* SPDX-License-Identifier: MIT */
#include "formats/writers/cpu_notes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"

enum {
	NOTE_HEADER_SIZE = 12,
	NOTE_NAME_SIZE = 8, /* "CORE" and "QEMU", each with its NUL and padding */
	PRSTATUS_SIZE = 336,
	PRSTATUS_PID = 32,
	PRSTATUS_REGISTERS = 112, /* user_regs_struct */
	/* QEMUCPUState (target/i386/arch_dump.c) */
	QEMU_SIZE = 440,
	QEMU_SIZE_BEFORE_3_0 = 432, /* without kernel_gs_base, which its size tells */
	QEMU_VERSION = 1,
};

/* 64-bit words to be appended. */
struct words {
	uint8_t *at;
};

static void put_u64(struct words *w, uint64_t value)
{
	store_u64(w->at, value);
	w->at += sizeof(value);
}

static void put_u32(struct words *w, uint32_t value)
{
	store_u32(w->at, value);
	w->at += sizeof(value);
}

/* Where words of a record come from: an offset in struct registers, or ZERO. */
enum { ZERO = UINT16_MAX };
#define REG(name) offsetof(struct registers, name)

static void put_words(struct words *w, const struct registers *regs, const uint16_t *order,
		      size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_u64(w, order[i] == ZERO ? 0 : load_u64((const uint8_t *)regs + order[i]));
}

/* elf_prstatus of x86-64 Linux: ids, then user_regs_struct. Bases are those that are known. */
static void put_prstatus(const struct registers *regs, size_t cpu, uint8_t *desc)
{
	static const uint16_t general[] = {
		REG(r15), REG(r14), REG(r13), REG(r12),
		REG(rbp), REG(rbx), REG(r11), REG(r10),
		REG(r9),  REG(r8),  REG(rax), REG(rcx),
		REG(rdx), REG(rsi), REG(rdi), ZERO /* orig_rax */,
		REG(rip),
	};
	struct words w = { desc + PRSTATUS_REGISTERS };

	store_u32(desc + PRSTATUS_PID, (uint32_t)cpu + 1);
	put_words(&w, regs, general, ARRAY_SIZE(general));
	put_u64(&w, regs->cs.selector);
	put_u64(&w, regs->rflags);
	put_u64(&w, regs->rsp);
	put_u64(&w, regs->ss.selector);
	put_u64(&w, regs->known & REGS_SEGMENTS ? regs->fs.base : 0);
	put_u64(&w, regs->known & REGS_GS_BASE ? regs->gs.base : 0);
	put_u64(&w, regs->ds.selector);
	put_u64(&w, regs->es.selector);
	put_u64(&w, regs->fs.selector);
	put_u64(&w, regs->gs.selector);
}

/* Selector, limit, the access bits where a descriptor has them, padding, base. */
static void put_segment(struct words *w, const struct segment_register *s)
{
	uint32_t access = s->access;

	put_u32(w, s->selector);
	put_u32(w, s->limit);
	put_u32(w, (access & 0xff) << 8 | (access >> 8 & 0xf) << 20);
	put_u32(w, 0);
	put_u64(w, s->base);
}

static void put_table(struct words *w, const struct table_register *t)
{
	const struct segment_register s = { .limit = t->limit, .base = t->base };

	put_segment(w, &s);
}

static uint32_t qemu_size(const struct registers *regs)
{
	return regs->known & REGS_KERNEL_GS ? QEMU_SIZE : QEMU_SIZE_BEFORE_3_0;
}

static void put_qemu(const struct registers *regs, size_t cpu, uint8_t *desc)
{
	static const uint16_t general[] = {
		REG(rax), REG(rbx), REG(rcx), REG(rdx), REG(rsi), REG(rdi),
		REG(rsp), REG(rbp), REG(r8),  REG(r9),	REG(r10), REG(r11),
		REG(r12), REG(r13), REG(r14), REG(r15), REG(rip), REG(rflags),
	};
	static const uint16_t control[] = { REG(cr0), ZERO, REG(cr2), REG(cr3), REG(cr4) };
	struct words w = { desc };

	(void)cpu;
	put_u32(&w, QEMU_VERSION);
	put_u32(&w, qemu_size(regs));
	put_words(&w, regs, general, ARRAY_SIZE(general));
	put_segment(&w, &regs->cs);
	put_segment(&w, &regs->ds);
	put_segment(&w, &regs->es);
	put_segment(&w, &regs->fs);
	put_segment(&w, &regs->gs);
	put_segment(&w, &regs->ss);
	put_segment(&w, &regs->ldtr);
	put_segment(&w, &regs->tr);
	put_table(&w, &regs->gdtr);
	put_table(&w, &regs->idtr);
	put_words(&w, regs, control, ARRAY_SIZE(control));
	if (regs->known & REGS_KERNEL_GS)
		put_u64(&w, regs->kernel_gs_base);
}

static uint32_t prstatus_size(const struct registers *regs)
{
	(void)regs;
	return PRSTATUS_SIZE;
}

static const struct note_kind {
	const char *name;
	uint32_t type;
	uint32_t needs; /* enum register_group */
	uint32_t (*size)(const struct registers *regs);
	void (*put)(const struct registers *regs, size_t cpu, uint8_t *desc);
} kinds[] = {
	{ "CORE", 1, REGS_GENERAL | REGS_SELECTORS, prstatus_size, put_prstatus },
	{ "QEMU", 0,
	  REGS_GENERAL | REGS_SELECTORS | REGS_SEGMENTS | REGS_CONTROL | REGS_TABLES | REGS_TASK,
	  qemu_size, put_qemu },
};

/* Groups that no note has, by the words of `ntscope registers`. */
static const struct group_name {
	uint32_t group;
	const char *name;
} group_names[] = {
	{ REGS_GENERAL, "general" },
	{ REGS_SELECTORS, "selectors" },
	{ REGS_SEGMENTS, "segment bases" },
	{ REGS_CONTROL, "cr0, cr2, cr4" },
	{ REGS_CR3, "cr3" },
	{ REGS_CR8, "cr8" },
	{ REGS_DEBUG, "debug" },
	{ REGS_TABLES, "gdtr and idtr" },
	{ REGS_TASK, "tr and ldtr" },
	{ REGS_EFER, "efer" },
	{ REGS_SYSCALL, "syscall targets" },
	{ REGS_KERNEL_GS, "kernel gs base" },
	{ REGS_MXCSR, "mxcsr" },
};

/* Processors from the first on that have all of a kind. */
static size_t count_cpus(const struct dump_info *info, const struct note_kind *kind)
{
	size_t count = 0;

	while (count < info->num_registers &&
	       (info->registers[count].known & kind->needs) == kind->needs)
		count++;
	return count;
}

static uint32_t groups_of(size_t kind, const struct registers *regs)
{
	if (kind == 0)
		return kinds[0].needs;
	return kinds[kind].needs | REGS_CR3 | REGS_GS_BASE | (regs->known & REGS_KERNEL_GS);
}

static void report(const struct dump_info *info, const size_t *counts, struct diag *diag)
{
	char text[256] = "";
	uint32_t lost = 0;
	size_t used = 0;

	for (size_t cpu = 0; cpu < info->num_registers; cpu++) {
		const struct registers *regs = &info->registers[cpu];
		uint32_t kept = REGS_GS_BASE; /* goes with the others, and is no loss alone */

		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			kept |= cpu < counts[i] ? groups_of(i, regs) : 0;
		lost |= regs->known & ~kept;
	}
	for (size_t i = 0; i < ARRAY_SIZE(group_names) && used < sizeof(text); i++) {
		if (lost & group_names[i].group)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 used ? "; " : "", group_names[i].name);
	}
	if (used)
		diag_note(diag, "registers that its notes do not hold are left out: %s", text);
	if (counts[0] && counts[0] < info->num_cpus)
		diag_note(diag, "the notes are of %zu of %u processors, no registers of the others",
			  counts[0], info->num_cpus);
	if (counts[0] && info->context_cpu_unknown)
		diag_note(diag, "which processor the registers are of is not known: the notes say "
				"processor 0");
}

static uint8_t *put_note(const struct note_kind *kind, const struct registers *regs, size_t cpu,
			 uint8_t *at)
{
	uint32_t size = kind->size(regs);

	store_u32(at, (uint32_t)strlen(kind->name) + 1);
	store_u32(at + 4, size);
	store_u32(at + 8, kind->type);
	memcpy(at + NOTE_HEADER_SIZE, kind->name, strlen(kind->name));
	kind->put(regs, cpu, at + NOTE_HEADER_SIZE + NOTE_NAME_SIZE);
	return at + NOTE_HEADER_SIZE + NOTE_NAME_SIZE + size;
}

struct error *cpu_notes_build(const struct dump_info *info, struct diag *diag, uint8_t **ret,
			      size_t *len_ret)
{
	size_t counts[ARRAY_SIZE(kinds)], len = 0;
	uint8_t *notes, *at;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		counts[i] = count_cpus(info, &kinds[i]);
		for (size_t cpu = 0; cpu < counts[i]; cpu++)
			len += NOTE_HEADER_SIZE + NOTE_NAME_SIZE +
			       kinds[i].size(&info->registers[cpu]);
	}
	report(info, counts, diag);
	*ret = NULL;
	*len_ret = len;
	if (!len)
		return NULL;
	if (!(notes = at = calloc(1, len)))
		return &error_no_memory;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (size_t cpu = 0; cpu < counts[i]; cpu++)
			at = put_note(&kinds[i], &info->registers[cpu], cpu, at);
	}
	*ret = notes;
	return NULL;
}
