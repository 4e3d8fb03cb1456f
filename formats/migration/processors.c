/* SPDX-License-Identifier: MIT */
#include "formats/migration/processors.h"

#include <string.h>

/* How a value of the stream becomes one of struct registers. */
enum kind {
	WORD,	  /* 64 bits */
	HALF,	  /* 32 bits */
	SELECTOR, /* 16 bits, of 32 */
	ACCESS,	  /* an access word, of a descriptor's second double word */
};

struct row {
	const char *field;
	uint8_t element;
	const char *member; /* NULL: the element itself */
	enum kind kind;
	uint16_t target; /* offset in struct registers */
	uint32_t groups; /* that need it */
};

#define TO(name) offsetof(struct registers, name)
#define ROW(field, element, name, groups)                      \
	{                                                      \
		field, element, NULL, WORD, TO(name), (groups) \
	}
#define SEGMENT(field, element, name, selector_groups, groups)                          \
	{ field, element, "selector", SELECTOR, TO(name.selector), (selector_groups) }, \
		{ field, element, "base", WORD, TO(name.base), (groups) },              \
		{ field, element, "limit", HALF, TO(name.limit), (groups) },            \
	{                                                                               \
		field, element, "flags", ACCESS, TO(name.access), (groups)              \
	}
#define TABLE(field, name)                                               \
	{ field, 0, "base", WORD, TO(name.base), REGS_TABLES },          \
	{                                                                \
		field, 0, "limit", SELECTOR, TO(name.limit), REGS_TABLES \
	}

/* Orders are those of QEMU's enums R_EAX ... and R_ES ... (target/i386/cpu.h). */
static const struct row rows[] = {
	/* clang-format off */
	ROW("env.regs", 0, rax, REGS_GENERAL), ROW("env.regs", 1, rcx, REGS_GENERAL),
	ROW("env.regs", 2, rdx, REGS_GENERAL), ROW("env.regs", 3, rbx, REGS_GENERAL),
	ROW("env.regs", 4, rsp, REGS_GENERAL), ROW("env.regs", 5, rbp, REGS_GENERAL),
	ROW("env.regs", 6, rsi, REGS_GENERAL), ROW("env.regs", 7, rdi, REGS_GENERAL),
	ROW("env.regs", 8, r8, REGS_GENERAL), ROW("env.regs", 9, r9, REGS_GENERAL),
	ROW("env.regs", 10, r10, REGS_GENERAL), ROW("env.regs", 11, r11, REGS_GENERAL),
	ROW("env.regs", 12, r12, REGS_GENERAL), ROW("env.regs", 13, r13, REGS_GENERAL),
	ROW("env.regs", 14, r14, REGS_GENERAL), ROW("env.regs", 15, r15, REGS_GENERAL),
	ROW("env.eip", 0, rip, REGS_GENERAL), ROW("env.eflags", 0, rflags, REGS_GENERAL),
	SEGMENT("env.segs", 0, es, REGS_SELECTORS, REGS_SEGMENTS),
	SEGMENT("env.segs", 1, cs, REGS_SELECTORS, REGS_SEGMENTS),
	SEGMENT("env.segs", 2, ss, REGS_SELECTORS, REGS_SEGMENTS),
	SEGMENT("env.segs", 3, ds, REGS_SELECTORS, REGS_SEGMENTS),
	SEGMENT("env.segs", 4, fs, REGS_SELECTORS, REGS_SEGMENTS),
	SEGMENT("env.segs", 5, gs, REGS_SELECTORS, REGS_SEGMENTS | REGS_GS_BASE),
	SEGMENT("env.ldt", 0, ldtr, REGS_TASK, REGS_TASK),
	SEGMENT("env.tr", 0, tr, REGS_TASK, REGS_TASK),
	TABLE("env.gdt", gdtr), TABLE("env.idt", idtr),
	ROW("env.cr[0]", 0, cr0, REGS_CONTROL), ROW("env.cr[2]", 0, cr2, REGS_CONTROL),
	ROW("env.cr[3]", 0, cr3, REGS_CONTROL | REGS_CR3),
	ROW("env.cr[4]", 0, cr4, REGS_CONTROL),
	ROW("env.dr", 0, dr0, REGS_DEBUG), ROW("env.dr", 1, dr1, REGS_DEBUG),
	ROW("env.dr", 2, dr2, REGS_DEBUG), ROW("env.dr", 3, dr3, REGS_DEBUG),
	ROW("env.dr", 6, dr6, REGS_DEBUG), ROW("env.dr", 7, dr7, REGS_DEBUG),
	{ "env.mxcsr", 0, NULL, HALF, TO(mxcsr), REGS_MXCSR },
	ROW("env.efer", 0, efer, REGS_EFER), ROW("env.star", 0, star, REGS_SYSCALL),
	ROW("env.lstar", 0, lstar, REGS_SYSCALL), ROW("env.cstar", 0, cstar, REGS_SYSCALL),
	ROW("env.fmask", 0, sfmask, REGS_SYSCALL),
	ROW("env.kernelgsbase", 0, kernel_gs_base, REGS_KERNEL_GS),
	/* clang-format on */
};

static void store(struct registers *regs, const struct row *row, uint64_t value)
{
	uint8_t *target = (uint8_t *)regs + row->target;

	switch (row->kind) {
	case WORD:
		memcpy(target, &value, sizeof(value));
		return;
	case HALF:
		memcpy(target, &(uint32_t){ (uint32_t)value }, sizeof(uint32_t));
		return;
	case SELECTOR:
		memcpy(target, &(uint16_t){ (uint16_t)value }, sizeof(uint16_t));
		return;
	case ACCESS:
		value = (value >> 8 & 0xff) | (value >> 20 & 0xf) << 8;
		memcpy(target, &(uint16_t){ (uint16_t)value }, sizeof(uint16_t));
		return;
	}
}

static bool read_row(const struct stream_device *cpu, const struct file *file,
		     const struct row *row, uint64_t *ret, struct error **err)
{
	uint64_t offset, size;
	uint8_t bytes[sizeof(*ret)];

	if (!stream_device_field(cpu, row->field, row->element, row->member, &offset, &size) ||
	    !size || size > sizeof(bytes))
		return false;
	*err = file_read(file, offset, bytes, (size_t)size);
	if (*err)
		return false;
	*ret = 0;
	for (size_t i = 0; i < size; i++)
		*ret = *ret << 8 | bytes[i];
	return true;
}

/* A group is known when all of it is there. */
static struct error *read_processor(const struct stream_device *cpu, const struct file *file,
				    struct registers *ret)
{
	uint32_t known = 0, missing = 0;
	struct error *err = NULL;
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		known |= rows[i].groups;
		if (read_row(cpu, file, &rows[i], &value, &err))
			store(ret, &rows[i], value);
		else
			missing |= rows[i].groups;
		if (err)
			return err;
	}
	ret->known = known & ~missing;
	return NULL;
}

struct error *processors_read(const struct stream_devices *devices, const struct file *file,
			      struct dump_info *info)
{
	const struct stream_device *cpu = NULL;
	size_t count = 0;
	struct error *err;

	while ((cpu = stream_devices_next(devices, "cpu", cpu)))
		count++;
	err = dump_info_alloc_registers(info, count);
	for (size_t i = 0; !err && i < count; i++) {
		cpu = stream_devices_next(devices, "cpu", cpu);
		err = read_processor(cpu, file, &info->registers[i]);
	}
	if (!err)
		info->num_cpus = (uint32_t)count;
	return err;
}
