/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/cursor.h"
#include "writers.h"

/*
 * Windows crash dumps, 64-bit. DUMP_HEADER64 and the bitmap and RDMP headers after it:
 * kdmp-parser-rs src/structs.rs and src/parse.rs.
 */
enum {
	HEADER_MEMORY_BLOCK = 0x88, /* NumberOfRuns u32, NumberOfPages u64, {BasePage, Count} */
	HEADER_MEMORY_BLOCK_SIZE = 700,
	HEADER_CONTEXT = 0x348,
	HEADER_DUMP_TYPE = 0xf98,
	HEADER_REQUIRED_SPACE = 0xfa0,
	RDMP_RANGES = CRASH_HEADER_SIZE + 0x30,
};

/* CONTEXT_AMD64 (winnt.h). */
static const struct {
	uint16_t offset;
	uint8_t reg;
} context_regs[] = {
	{ 0x48, REG_DR0 }, { 0x50, REG_DR1 }, { 0x58, REG_DR2 }, { 0x60, REG_DR3 },
	{ 0x68, REG_DR6 }, { 0x70, REG_DR7 }, { 0x78, REG_RAX }, { 0x80, REG_RCX },
	{ 0x88, REG_RDX }, { 0x90, REG_RBX }, { 0x98, REG_RSP }, { 0xa0, REG_RBP },
	{ 0xa8, REG_RSI }, { 0xb0, REG_RDI }, { 0xb8, REG_R8 },	 { 0xc0, REG_R9 },
	{ 0xc8, REG_R10 }, { 0xd0, REG_R11 }, { 0xd8, REG_R12 }, { 0xe0, REG_R13 },
	{ 0xe8, REG_R14 }, { 0xf0, REG_R15 }, { 0xf8, REG_RIP },
};
static const uint8_t context_segs[] = { SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS };
enum { CONTEXT_FLAGS = 0x30, CONTEXT_MXCSR = 0x34, CONTEXT_SEGS = 0x38, CONTEXT_EFLAGS = 0x44 };
enum { CONTEXT_ALL_AMD64 = 0x10001f, MXCSR_RESET = 0x1f80 };

static void put_context(uint8_t *to, const struct cpu *cpu)
{
	store_u32(to + CONTEXT_FLAGS, CONTEXT_ALL_AMD64);
	store_u32(to + CONTEXT_MXCSR, MXCSR_RESET);
	for (size_t i = 0; i < ARRAY_SIZE(context_segs); i++)
		store_u16(to + CONTEXT_SEGS + 2 * i, cpu->segs[context_segs[i]].selector);
	store_u32(to + CONTEXT_EFLAGS, (uint32_t)cpu->regs[REG_RFLAGS]);
	for (size_t i = 0; i < ARRAY_SIZE(context_regs); i++)
		store_u64(to + context_regs[i].offset, cpu->regs[context_regs[i].reg]);
}

static void put_runs(uint8_t *to, const struct image *img)
{
	uint64_t pages = 0;

	memset(to, 0, 16);
	memcpy(to + 4, "PAGE", 4);
	for (size_t i = 0; i < img->num_runs; i++) {
		store_u64(to + 16 + 16 * i, img->runs[i].start / FRAME_SIZE);
		store_u64(to + 24 + 16 * i, img->runs[i].size / FRAME_SIZE);
		pages += img->runs[i].size / FRAME_SIZE;
	}
	store_u32(to, (uint32_t)img->num_runs);
	store_u64(to + 8, pages);
}

void out_crash_header(struct out *o, const struct image *img, enum dump_type type, bool with_runs)
{
	uint8_t header[CRASH_HEADER_SIZE];

	_Static_assert(16 + 16 * MAX_RUNS <= HEADER_MEMORY_BLOCK_SIZE, "all runs fit the header");
	memcpy(header, img->header, sizeof(header));
	memcpy(header, "PAGEDU64", 8);
	if (with_runs)
		put_runs(header + HEADER_MEMORY_BLOCK, img);
	if (img->num_cpus)
		put_context(header + HEADER_CONTEXT, &img->cpus[0]);
	store_u32(header + HEADER_DUMP_TYPE, type);
	out_put(o, header, sizeof(header));
}

static void put_full(struct out *o, const struct image *img, const struct page_list *pages)
{
	out_pages(o, img, pages, 0, pages->num);
}

/* One bit a page, least significant first; then the pages whose bit is set. */
static void put_bitmap(struct out *o, const struct image *img, const struct page_list *pages,
		       bool full)
{
	size_t start = o->len, bitmap = start + 0x38;
	uint64_t bits = pages->num ? pages->gfns[pages->num - 1] + 1 : 0;

	for (size_t i = 0; i < img->num_runs; i++) {
		uint64_t end = (img->runs[i].start + img->runs[i].size) / FRAME_SIZE;

		bits = end > bits ? end : bits;
	}
	out_put(o, full ? "FDMPDUMP" : "SDMPDUMP", 8);
	out_seek(o, bitmap + (bits + 7) / 8);
	out_align(o, FRAME_SIZE);
	out_patch_u64(o, start + 0x20, o->len);
	out_patch_u64(o, start + 0x28, pages->num);
	out_patch_u64(o, start + 0x30, bits);
	for (size_t i = 0; !o->err && i < pages->num; i++)
		o->bytes[bitmap + pages->gfns[i] / 8] |= (uint8_t)(1u << pages->gfns[i] % 8);
	out_pages(o, img, pages, 0, pages->num);
}

/* Ranges {first page, count}. Types 8 and 9 end them with zeros, type 0xa says how many. */
static void put_rdmp(struct out *o, const struct image *img, const struct page_list *pages,
		     bool counted)
{
	size_t start = o->len, ranges = 0;

	out_u32(o, 0x40);
	out_put(o, "RDMPDUMP", 8);
	out_seek(o, RDMP_RANGES);
	for (size_t i = 0; i < pages->num; ranges++) {
		size_t n = page_list_stretch(pages, i);

		out_u64(o, pages->gfns[i]);
		out_u64(o, n);
		i += n;
	}
	if (!counted)
		out_zero(o, 16);
	out_align(o, FRAME_SIZE);
	out_patch_u64(o, start + 0x10, o->len - start - 0x20);
	out_patch_u64(o, start + 0x18, o->len);
	if (counted) {
		out_patch_u64(o, start + 0x20, ranges);
		out_patch_u64(o, start + 0x28, pages->num);
	}
	out_pages(o, img, pages, 0, pages->num);
}

static enum page_set pages_of(enum dump_type type)
{
	switch (type) {
	case DUMP_FULL:
	case DUMP_COMPLETE:
		return PAGES_RUNS;
	case DUMP_BITMAP_FULL:
	case DUMP_KERNEL_AND_USER:
		return PAGES_CAPTURED;
	default:
		return PAGES_KERNEL;
	}
}

struct error *write_crash(const struct image *img, unsigned type, const char *path)
{
	CLEANUP(page_list_deinit) struct page_list pages = { 0 };
	CLEANUP(out_deinit) struct out o = { 0 };
	struct error *err;

	if ((err = page_list_init(&pages, img, pages_of(type))))
		return err;
	out_crash_header(&o, img, type, true);
	switch (type) {
	case DUMP_FULL:
		put_full(&o, img, &pages);
		break;
	case DUMP_KERNEL:
	case DUMP_KERNEL_AND_USER:
	case DUMP_COMPLETE:
		put_rdmp(&o, img, &pages, type == DUMP_COMPLETE);
		break;
	default:
		put_bitmap(&o, img, &pages, type == DUMP_BITMAP_FULL);
	}
	out_patch_u64(&o, HEADER_REQUIRED_SPACE, o.len);
	return out_save(&o, path);
}
