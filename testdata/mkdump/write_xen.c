/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <string.h>

#include "base/cursor.h"
#include "writers.h"

/*
 * "xl dump-core" of an HVM guest: an ELF64 core with sections and no segments (Xen
 * docs/misc/dump-core-format.txt, xen/include/public/elfnote.h, public/arch-x86/xen.h).
 */
enum {
	NOTE_HEADER = 0x2000001,
	NOTE_FORMAT_VERSION = 0x2000003,
	HVM_MAGIC = 0xf00febee,
	EHDR_SIZE = 64,
	SHDR_SIZE = 64,
	CONTEXT_SIZE = 0x1430, /* vcpu_guest_context of x86-64 */
};

enum section { S_NULL, S_STRINGS, S_NOTE, S_PRSTATUS, S_PFN, S_PAGES, NUM_SECTIONS };

static const char section_names[] = "\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_pfn\0.xen_pages";

static const struct {
	const char *name;
	uint32_t type;
	uint64_t entry_size;
} section_rows[NUM_SECTIONS] = {
	[S_NULL] = { "", SHT_NULL, 0 },
	[S_STRINGS] = { ".shstrtab", SHT_STRTAB, 0 },
	[S_NOTE] = { ".note.Xen", SHT_NOTE, 0 },
	[S_PRSTATUS] = { ".xen_prstatus", SHT_PROGBITS, CONTEXT_SIZE },
	[S_PFN] = { ".xen_pfn", SHT_PROGBITS, 8 },
	[S_PAGES] = { ".xen_pages", SHT_PROGBITS, FRAME_SIZE },
};

static const struct {
	uint16_t offset;
	uint8_t reg;
} context_regs[] = {
	{ 0x208, REG_R15 },    { 0x210, REG_R14 },  { 0x218, REG_R13 },	 { 0x220, REG_R12 },
	{ 0x228, REG_RBP },    { 0x230, REG_RBX },  { 0x238, REG_R11 },	 { 0x240, REG_R10 },
	{ 0x248, REG_R9 },     { 0x250, REG_R8 },   { 0x258, REG_RAX },	 { 0x260, REG_RCX },
	{ 0x268, REG_RDX },    { 0x270, REG_RSI },  { 0x278, REG_RDI },	 { 0x288, REG_RIP },
	{ 0x298, REG_RFLAGS }, { 0x2a0, REG_RSP },  { 0x1378, REG_CR0 }, { 0x1388, REG_CR2 },
	{ 0x1390, REG_CR3 },   { 0x1398, REG_CR4 }, { 0x13b8, REG_DR0 }, { 0x13c0, REG_DR1 },
	{ 0x13c8, REG_DR2 },   { 0x13d0, REG_DR3 }, { 0x13e8, REG_DR6 }, { 0x13f0, REG_DR7 },
};
static const struct {
	uint16_t offset;
	uint8_t seg;
} context_segs[] = {
	{ 0x290, SEG_CS }, { 0x2a8, SEG_SS }, { 0x2b0, SEG_ES },
	{ 0x2b8, SEG_DS }, { 0x2c0, SEG_FS }, { 0x2c8, SEG_GS },
};
enum { CONTEXT_FS_BASE = 0x1418, CONTEXT_GS_KERNEL = 0x1420, CONTEXT_GS_USER = 0x1428 };

static void out_context(struct out *o, const struct cpu *cpu)
{
	uint8_t bytes[CONTEXT_SIZE] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(context_regs); i++)
		store_u64(bytes + context_regs[i].offset, cpu->regs[context_regs[i].reg]);
	for (size_t i = 0; i < ARRAY_SIZE(context_segs); i++)
		store_u16(bytes + context_segs[i].offset, cpu->segs[context_segs[i].seg].selector);
	store_u64(bytes + CONTEXT_FS_BASE, cpu->segs[SEG_FS].base);
	store_u64(bytes + CONTEXT_GS_KERNEL, cpu->segs[SEG_GS].base);
	store_u64(bytes + CONTEXT_GS_USER, cpu->regs[REG_KERNEL_GS]);
	out_put(o, bytes, sizeof(bytes));
}

static void out_notes(struct out *o, const struct image *img, const struct page_list *pages)
{
	out_u32(o, 4);
	out_u32(o, 32);
	out_u32(o, NOTE_HEADER);
	out_put(o, "Xen", 4);
	out_u64(o, HVM_MAGIC);
	out_u64(o, img->num_cpus);
	out_u64(o, pages->num);
	out_u64(o, FRAME_SIZE);
	out_u32(o, 4);
	out_u32(o, 8);
	out_u32(o, NOTE_FORMAT_VERSION);
	out_put(o, "Xen", 4);
	out_u64(o, 1);
}

static void out_ehdr(struct out *o)
{
	static const uint8_t ident[EI_NIDENT] = { ELFMAG0,    ELFMAG1,	   ELFMAG2,   ELFMAG3,
						  ELFCLASS64, ELFDATA2LSB, EV_CURRENT };

	out_put(o, ident, sizeof(ident));
	out_u16(o, ET_CORE);
	out_u16(o, EM_X86_64);
	out_u32(o, EV_CURRENT);
	out_zero(o, 16);
	out_u64(o, EHDR_SIZE);
	out_u32(o, 0);
	out_u16(o, EHDR_SIZE);
	out_u16(o, 0);
	out_u16(o, 0);
	out_u16(o, SHDR_SIZE);
	out_u16(o, NUM_SECTIONS);
	out_u16(o, S_STRINGS);
}

static uint32_t name_offset(const char *name)
{
	const char *p = section_names;

	while (strcmp(p, name) != 0)
		p += strlen(p) + 1;
	return (uint32_t)(p - section_names);
}

static void begin_section(struct out *o, enum section s)
{
	size_t at = EHDR_SIZE + s * SHDR_SIZE;

	out_patch_u32(o, at, name_offset(section_rows[s].name));
	out_patch_u32(o, at + 4, section_rows[s].type);
	out_patch_u64(o, at + 24, o->len);
	out_patch_u64(o, at + 56, section_rows[s].entry_size);
}

static void end_section(struct out *o, enum section s)
{
	size_t at = EHDR_SIZE + s * SHDR_SIZE;

	if (!o->err)
		out_patch_u64(o, at + 32, o->len - load_u64(o->bytes + at + 24));
}

struct error *write_xen(const struct image *img, unsigned variant, const char *path)
{
	CLEANUP(page_list_deinit) struct page_list pages = { 0 };
	CLEANUP(out_deinit) struct out o = { 0 };
	struct error *err;

	(void)variant;
	if ((err = page_list_init(&pages, img, PAGES_CAPTURED)))
		return err;
	out_ehdr(&o);
	out_zero(&o, NUM_SECTIONS * SHDR_SIZE);
	begin_section(&o, S_NOTE);
	out_notes(&o, img, &pages);
	end_section(&o, S_NOTE);
	begin_section(&o, S_PRSTATUS);
	for (size_t i = 0; i < img->num_cpus; i++)
		out_context(&o, &img->cpus[i]);
	end_section(&o, S_PRSTATUS);
	out_align(&o, FRAME_SIZE);
	begin_section(&o, S_PAGES);
	out_pages(&o, img, &pages, 0, pages.num);
	end_section(&o, S_PAGES);
	begin_section(&o, S_PFN);
	for (size_t i = 0; i < pages.num; i++)
		out_u64(&o, pages.gfns[i]);
	end_section(&o, S_PFN);
	begin_section(&o, S_STRINGS);
	out_put(&o, section_names, sizeof(section_names));
	end_section(&o, S_STRINGS);
	return out_save(&o, path);
}
