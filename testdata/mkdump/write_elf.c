/* SPDX-License-Identifier: MIT */
#include <elf.h>

#include "writers.h"

/* ELF64 cores (System V ABI, gABI chapters 4 and 5) whose PT_LOADs are physical memory. */
enum {
	EHDR_SIZE = 64,
	PHDR_SIZE = 56,
	SHDR_SIZE = 64,
	QEMU_PHDRS = 192,
	QEMU_EHSIZE = 8,
	SHORT_EXTRA = 3 * FRAME_SIZE, /* bytes of p_memsz beyond p_filesz */
	MAX_SEGMENTS = 4096,
};

static const struct shape {
	enum page_set pages;
	bool descending, overlap, xnum, cut, qemu_header, virtualbox;
} shapes[] = {
	[ELF_PLAIN] = { .pages = PAGES_RUNS },
	[ELF_SPARSE] = { .pages = PAGES_CAPTURED },
	[ELF_UNSORTED] = { .pages = PAGES_CAPTURED, .descending = true, .overlap = true },
	[ELF_XNUM] = { .pages = PAGES_CAPTURED, .xnum = true },
	[ELF_SHORT] = { .pages = PAGES_RUNS, .cut = true },
	[ELF_QEMU] = { .pages = PAGES_RUNS, .qemu_header = true },
	[ELF_VIRTUALBOX] = { .pages = PAGES_RUNS, .virtualbox = true },
};

struct segment_row {
	uint64_t pa, offset, file_size, memory_size;
};

struct segment_list {
	struct segment_row rows[MAX_SEGMENTS];
	size_t num;
};

static void out_ehdr(struct out *o, const struct shape *shape, size_t phnum)
{
	static const uint8_t ident[EI_NIDENT] = { ELFMAG0,    ELFMAG1,	   ELFMAG2,   ELFMAG3,
						  ELFCLASS64, ELFDATA2LSB, EV_CURRENT };
	bool sections = shape->xnum || shape->qemu_header;
	size_t phoff = shape->qemu_header ? QEMU_PHDRS
		       : shape->xnum	  ? EHDR_SIZE + SHDR_SIZE
					  : EHDR_SIZE;

	out_put(o, ident, sizeof(ident));
	out_u16(o, ET_CORE);
	out_u16(o, EM_X86_64);
	out_u32(o, EV_CURRENT);
	out_u64(o, 0);
	out_u64(o, phoff);
	out_u64(o, sections ? EHDR_SIZE : 0);
	out_u32(o, 0);
	out_u16(o, shape->qemu_header ? QEMU_EHSIZE : EHDR_SIZE);
	out_u16(o, PHDR_SIZE);
	out_u16(o, shape->xnum ? PN_XNUM : (uint16_t)phnum);
	out_u16(o, sections ? SHDR_SIZE : 0);
	out_u16(o, shape->qemu_header ? 2 : shape->xnum ? 1 : 0);
	out_u16(o, shape->qemu_header ? 1 : 0);
	if (shape->xnum) {
		out_zero(o, 44);
		out_u32(o, (uint32_t)phnum); /* sh_info of section 0 */
	}
	out_seek(o, phoff);
}

static void out_phdr(struct out *o, uint32_t type, const struct segment_row *row)
{
	out_u32(o, type);
	out_u32(o, 0);
	out_u64(o, row->offset);
	out_u64(o, 0);
	out_u64(o, row->pa);
	out_u64(o, row->file_size);
	out_u64(o, row->memory_size);
	out_u64(o, 0);
}

/* Section 1 of QEMU's header: ".shstrtab", at the end of the file. */
static void out_qemu_strings(struct out *o)
{
	static const char strings[] = "\0.shstrtab";
	size_t header = EHDR_SIZE + SHDR_SIZE;

	out_patch_u32(o, header, 1);
	out_patch_u32(o, header + 4, SHT_STRTAB);
	out_patch_u64(o, header + 24, o->len);
	out_patch_u64(o, header + 32, sizeof(strings));
	out_put(o, strings, sizeof(strings));
}

static struct error *add_segment(struct segment_list *list, struct segment_row row)
{
	if (list->num == MAX_SEGMENTS)
		return error_new(ERROR_LIMIT, "more than %d segments", MAX_SEGMENTS);
	list->rows[list->num++] = row;
	return NULL;
}

/* Where each stretch of pages goes when the first is at `offset` in the file. */
static struct error *lay_out(struct segment_list *list, const struct shape *shape,
			     const struct page_list *pages, uint64_t offset)
{
	struct error *err;

	for (size_t i = 0; i < pages->num;) {
		size_t n = page_list_stretch(pages, i);
		struct segment_row row = { .pa = pages->gfns[i] * FRAME_SIZE,
					   .offset = offset,
					   .file_size = n * FRAME_SIZE,
					   .memory_size = n * FRAME_SIZE };

		if ((err = add_segment(list, row)))
			return err;
		offset += n * FRAME_SIZE;
		i += n;
	}
	if (shape->cut && list->num)
		list->rows[list->num - 1].memory_size += SHORT_EXTRA;
	if (shape->descending) {
		for (size_t i = 0; i < list->num / 2; i++) {
			struct segment_row *a = &list->rows[i];
			struct segment_row *b = &list->rows[list->num - 1 - i];
			struct segment_row t = *a;

			*a = *b;
			*b = t;
		}
	}
	if (shape->overlap && list->num) {
		struct segment_row row = list->rows[0];

		row.file_size = row.memory_size = FRAME_SIZE;
		return add_segment(list, row);
	}
	return NULL;
}

static size_t count_stretches(const struct page_list *pages)
{
	size_t n = 0;

	for (size_t i = 0; i < pages->num; i += page_list_stretch(pages, i))
		n++;
	return n;
}

struct error *write_elf(const struct image *img, unsigned variant, const char *path)
{
	const struct shape *shape = &shapes[variant];
	CLEANUP(page_list_deinit) struct page_list pages = { 0 };
	CLEANUP(out_deinit) struct out notes = { 0 };
	CLEANUP(out_deinit) struct out o = { 0 };
	struct segment_list list = { .num = 0 };
	struct segment_row note = { 0 };
	struct error *err;
	size_t phnum;

	if ((err = page_list_init(&pages, img, shape->pages)))
		return err;
	if (shape->virtualbox)
		out_virtualbox_notes(&notes, img);
	else
		out_qemu_notes(&notes, img);
	phnum = 1 + count_stretches(&pages) + (shape->overlap ? 1 : 0);
	out_ehdr(&o, shape, phnum);
	note.offset = o.len + phnum * PHDR_SIZE;
	note.file_size = note.memory_size = notes.len;
	if ((err = lay_out(&list, shape, &pages, note.offset + notes.len)))
		return err;
	out_phdr(&o, PT_NOTE, &note);
	for (size_t i = 0; i < list.num; i++)
		out_phdr(&o, PT_LOAD, &list.rows[i]);
	out_put(&o, notes.bytes, notes.len);
	out_pages(&o, img, &pages, 0, pages.num);
	if (shape->qemu_header)
		out_qemu_strings(&o);
	if (notes.err)
		return take_ptr(notes.err);
	return out_save(&o, path);
}
