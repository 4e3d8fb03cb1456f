/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <string.h>

#include "base/cursor.h"
#include "writers.h"

/* The registers of a CPU in the order in which some structure has them. */
struct reg_place {
	uint16_t offset;
	uint8_t reg;
};

static void put_regs(uint8_t *to, const struct cpu *cpu, const struct reg_place *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		store_u64(to + rows[i].offset, cpu->regs[rows[i].reg]);
}

static void out_note(struct out *o, const char *name, uint32_t type, const uint8_t *desc,
		     size_t len)
{
	out_u32(o, (uint32_t)strlen(name) + 1);
	out_u32(o, (uint32_t)len);
	out_u32(o, type);
	out_put(o, name, strlen(name) + 1);
	out_align(o, 4);
	out_put(o, desc, len);
	out_align(o, 4);
}

/* struct elf_prstatus of x86-64 Linux (linux/elfcore.h, asm/user_64.h). */
enum { PRSTATUS_PID = 32, PRSTATUS_REGS = 112, PRSTATUS_SIZE = 336 };
static const struct reg_place prstatus_regs[] = {
	{ 0, REG_R15 },	  { 8, REG_R14 },      { 16, REG_R13 },	 { 24, REG_R12 },  { 32, REG_RBP },
	{ 40, REG_RBX },  { 48, REG_R11 },     { 56, REG_R10 },	 { 64, REG_R9 },   { 72, REG_R8 },
	{ 80, REG_RAX },  { 88, REG_RCX },     { 96, REG_RDX },	 { 104, REG_RSI }, { 112, REG_RDI },
	{ 128, REG_RIP }, { 144, REG_RFLAGS }, { 152, REG_RSP },
};
static const struct {
	uint16_t offset;
	uint8_t seg;
} prstatus_segs[] = {
	{ 136, SEG_CS }, { 160, SEG_SS }, { 184, SEG_DS },
	{ 192, SEG_ES }, { 200, SEG_FS }, { 208, SEG_GS },
};
enum { PRSTATUS_FS_BASE = 168, PRSTATUS_GS_BASE = 176 };

static void out_prstatus(struct out *o, const struct cpu *cpu, size_t index)
{
	uint8_t desc[PRSTATUS_SIZE] = { 0 }, *regs = desc + PRSTATUS_REGS;

	store_u32(desc + PRSTATUS_PID, (uint32_t)index + 1);
	put_regs(regs, cpu, prstatus_regs, ARRAY_SIZE(prstatus_regs));
	for (size_t i = 0; i < ARRAY_SIZE(prstatus_segs); i++)
		store_u64(regs + prstatus_segs[i].offset, cpu->segs[prstatus_segs[i].seg].selector);
	store_u64(regs + PRSTATUS_FS_BASE, cpu->segs[SEG_FS].base);
	store_u64(regs + PRSTATUS_GS_BASE, cpu->segs[SEG_GS].base);
	out_note(o, "CORE", NT_PRSTATUS, desc, sizeof(desc));
}

/* QEMUCPUState, version 1 (QEMU target/i386/arch_dump.c). */
enum { QEMU_SEGS = 152, QEMU_SEG_SIZE = 24, QEMU_SIZE = 440 };
static const struct reg_place qemu_regs[] = {
	{ 8, REG_RAX },	  { 16, REG_RBX },     { 24, REG_RCX },	       { 32, REG_RDX },
	{ 40, REG_RSI },  { 48, REG_RDI },     { 56, REG_RSP },	       { 64, REG_RBP },
	{ 72, REG_R8 },	  { 80, REG_R9 },      { 88, REG_R10 },	       { 96, REG_R11 },
	{ 104, REG_R12 }, { 112, REG_R13 },    { 120, REG_R14 },       { 128, REG_R15 },
	{ 136, REG_RIP }, { 144, REG_RFLAGS }, { 392, REG_CR0 },       { 408, REG_CR2 },
	{ 416, REG_CR3 }, { 424, REG_CR4 },    { 432, REG_KERNEL_GS },
};

static void out_qemu_state(struct out *o, const struct cpu *cpu)
{
	uint8_t desc[QEMU_SIZE] = { 0 };

	store_u32(desc, 1);
	store_u32(desc + 4, QEMU_SIZE);
	put_regs(desc, cpu, qemu_regs, ARRAY_SIZE(qemu_regs));
	for (size_t i = 0; i < NUM_SEGS; i++) {
		uint8_t *to = desc + QEMU_SEGS + i * QEMU_SEG_SIZE;
		const struct segment *seg = &cpu->segs[i];

		/* the second word of a descriptor: access 7:0 at bit 8, 11:8 at bit 20 */
		store_u32(to, seg->selector);
		store_u32(to + 4, seg->limit);
		store_u32(to + 8, (seg->access & 0xffu) << 8 | (seg->access & 0xf00u) << 12);
		store_u64(to + 16, seg->base);
	}
	out_note(o, "QEMU", 0, desc, sizeof(desc));
}

void out_qemu_notes(struct out *o, const struct image *img)
{
	for (size_t i = 0; i < img->num_cpus; i++)
		out_prstatus(o, &img->cpus[i], i);
	for (size_t i = 0; i < img->num_cpus; i++)
		out_qemu_state(o, &img->cpus[i]);
}

/* DBGFCOREDESCRIPTOR and DBGFCORECPU, version 1.6 (VirtualBox include/VBox/vmm/dbgfcorefmt.h). */
enum {
	NT_VBOXCORE = 0xb00,
	NT_VBOXCPU = 0xb01,
	VBOX_MAGIC = 0xc01ac0de,
	VBOX_FORMAT = 0x00010006,
	VBOX_VERSION = 0x07000000,
	VBOX_GDTR = 384,
	VBOX_IDTR = 400,
	VBOX_XSAVE_SIZE = 576,
	VBOX_CPU_SIZE = 584 + 8192, /* with the whole X86XSAVEAREA */
};
static const struct reg_place vbox_regs[] = {
	{ 0, REG_RAX },	     { 8, REG_RBX },	     { 16, REG_RCX },	 { 24, REG_RDX },
	{ 32, REG_RSI },     { 40, REG_RDI },	     { 48, REG_R8 },	 { 56, REG_R9 },
	{ 64, REG_R10 },     { 72, REG_R11 },	     { 80, REG_R12 },	 { 88, REG_R13 },
	{ 96, REG_R14 },     { 104, REG_R15 },	     { 112, REG_RIP },	 { 120, REG_RSP },
	{ 128, REG_RBP },    { 136, REG_RFLAGS },    { 288, REG_CR0 },	 { 296, REG_CR2 },
	{ 304, REG_CR3 },    { 312, REG_CR4 },	     { 320, REG_DR0 },	 { 328, REG_DR1 },
	{ 336, REG_DR2 },    { 344, REG_DR3 },	     { 368, REG_DR6 },	 { 376, REG_DR7 },
	{ 488, REG_EFER },   { 496, REG_STAR },	     { 512, REG_LSTAR }, { 520, REG_CSTAR },
	{ 528, REG_SFMASK }, { 536, REG_KERNEL_GS },
};
static const struct {
	uint16_t offset;
	uint8_t seg;
} vbox_segs[] = {
	{ 144, SEG_CS }, { 168, SEG_DS }, { 192, SEG_ES },  { 216, SEG_FS },
	{ 240, SEG_GS }, { 264, SEG_SS }, { 416, SEG_LDT }, { 440, SEG_TR },
};

static void out_vbox_cpu(struct out *o, const struct cpu *cpu)
{
	uint8_t desc[VBOX_CPU_SIZE] = { 0 };

	put_regs(desc, cpu, vbox_regs, ARRAY_SIZE(vbox_regs));
	for (size_t i = 0; i < ARRAY_SIZE(vbox_segs); i++) {
		uint8_t *to = desc + vbox_segs[i].offset;
		const struct segment *seg = &cpu->segs[vbox_segs[i].seg];

		/* the access rights as VMX has them: G, D/B, L and AVL at bits 15:12 */
		store_u64(to, seg->base);
		store_u32(to + 8, seg->limit);
		store_u32(to + 12, (seg->access & 0xffu) | (seg->access & 0xf00u) << 4);
		store_u16(to + 16, seg->selector);
	}
	store_u64(desc + VBOX_GDTR, cpu->segs[SEG_GDT].base);
	store_u32(desc + VBOX_GDTR + 8, cpu->segs[SEG_GDT].limit);
	store_u64(desc + VBOX_IDTR, cpu->segs[SEG_IDT].base);
	store_u32(desc + VBOX_IDTR + 8, cpu->segs[SEG_IDT].limit);
	store_u32(desc + VBOX_XSAVE_SIZE, VBOX_CPU_SIZE - 584);
	out_note(o, "VBCPU", NT_VBOXCPU, desc, sizeof(desc));
}

void out_virtualbox_notes(struct out *o, const struct image *img)
{
	const uint32_t words[] = { VBOX_MAGIC,	 VBOX_FORMAT, 24,
				   VBOX_VERSION, 150000,      (uint32_t)img->num_cpus };
	uint8_t desc[sizeof(words)];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		store_u32(desc + 4 * i, words[i]);
	out_note(o, "VBCORE", NT_VBOXCORE, desc, sizeof(desc));
	for (size_t i = 0; i < img->num_cpus; i++)
		out_vbox_cpu(o, &img->cpus[i]);
}
