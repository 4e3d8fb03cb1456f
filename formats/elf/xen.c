/* SPDX-License-Identifier: MIT */
#include "formats/elf/xen.h"

#include <inttypes.h>

#include "formats/elf/registers.h"

/* Source of the layout: Xen, docs/misc/dump-core-format.txt. */
enum {
	NOTE_HEADER = 0x2000001,	 /* XEN_ELFNOTE_DUMPCORE_HEADER */
	NOTE_FORMAT_VERSION = 0x2000003, /* XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION */
	MAGIC_PV = 0xf00febed,		 /* XC_CORE_MAGIC */
	MAGIC_HVM = 0xf00febee,		 /* XC_CORE_MAGIC_HVM */
	PFN_SIZE = 8,
	P2M_SIZE = 16, /* pfn, gmfn */
	P2M_GMFN = 8,
};

/* struct xen_dumpcore_elfnote_header_desc, and the one of the format's version. */
struct xen_header {
	uint64_t magic, num_cpus, num_pages, page_size;
	uint64_t version; /* major << 32 | minor */
};

bool elf_xen_is_core(const struct file *file, const struct elf_header *header)
{
	struct elf_section section;

	return elf_find_section(file, header, ".xen_pages", &section);
}

static bool find_header(const struct file *file, const struct elf_header *header,
			struct xen_header *ret, struct diag *diag)
{
	struct xen_header h = { 0 };
	struct elf_section section;
	struct elf_note note;
	bool found, has_header = false;
	struct cursor c;

	if (!elf_find_section(file, header, ".note.Xen", &section))
		return false;
	elf_cursor(file, section.offset, section.size, &c);
	for (;;) {
		struct error *err = elf_next_note(&c, &note, &found);

		if (err)
			diag_error(diag, err, "Xen notes");
		if (err || !found)
			break;
		if (elf_note_is(&note, "Xen", NOTE_HEADER))
			has_header = cur_u64(&note.desc, &h.magic) &&
				     cur_u64(&note.desc, &h.num_cpus) &&
				     cur_u64(&note.desc, &h.num_pages) &&
				     cur_u64(&note.desc, &h.page_size);
		else if (elf_note_is(&note, "Xen", NOTE_FORMAT_VERSION) &&
			 !cur_u64(&note.desc, &h.version))
			h.version = 0;
	}
	if (has_header)
		*ret = h;
	return has_header;
}

static const char *domain_kind(uint64_t magic)
{
	return magic == MAGIC_HVM ? "hvm" : magic == MAGIC_PV ? "pv" : NULL;
}

/* The frame numbers, of which each page of .xen_pages has one. */
struct frames {
	struct cursor numbers;
	size_t entry_size, skip; /* the number is at skip in its entry */
	uint64_t count;
};

static struct error *find_frames(const struct file *file, const struct elf_header *header,
				 struct frames *ret)
{
	struct elf_section section;

	*ret = (struct frames){ .entry_size = PFN_SIZE };
	if (!elf_find_section(file, header, ".xen_pfn", &section)) {
		if (!elf_find_section(file, header, ".xen_p2m", &section))
			return error_new(ERROR_CORRUPT,
					 "expected a section .xen_pfn or .xen_p2m beside "
					 ".xen_pages, found neither");
		/* A paravirtualized guest's page tables hold machine frames: so must we. */
		ret->entry_size = P2M_SIZE;
		ret->skip = P2M_GMFN;
	}
	elf_cursor(file, section.offset, section.size, &ret->numbers);
	ret->count = ret->numbers.len / ret->entry_size;
	return NULL;
}

static struct error *add_pages(const struct file *file, struct frames *frames,
			       uint64_t pages_offset, uint64_t count, struct physmem *mem,
			       struct diag *diag)
{
	uint64_t outside = 0, frame;
	struct error *err;

	for (uint64_t i = 0; i < count; i++) {
		if (!cur_seek(&frames->numbers, (size_t)i * frames->entry_size + frames->skip) ||
		    !cur_u64(&frames->numbers, &frame))
			return cur_error(&frames->numbers, "frame numbers");
		if (frame == UINT64_MAX) /* a page that the guest did not have */
			continue;
		if (frame >= PHYSMEM_MAX_END >> PAGE_SHIFT) {
			outside++;
			continue;
		}
		err = physmem_add_file(mem, frame << PAGE_SHIFT, PAGE_SIZE, file,
				       pages_offset + (i << PAGE_SHIFT));
		if (err)
			return err;
	}
	if (outside)
		diag_partial(diag,
			     "%" PRIu64 " pages have frame numbers of 0x%" PRIx64
			     " or above, which no machine has: left out",
			     outside, (uint64_t)(PHYSMEM_MAX_END >> PAGE_SHIFT));
	return NULL;
}

static struct error *add_registers(const struct file *file, const struct elf_header *header,
				   struct dump_info *info, struct diag *diag)
{
	struct elf_section section;
	struct error *err;
	uint64_t count, entry;
	struct cursor c, record;

	if (!elf_find_section(file, header, ".xen_prstatus", &section))
		return NULL;
	entry = section.entry_size ? section.entry_size : ELF_XEN_CONTEXT_SIZE;
	if (entry < ELF_XEN_CONTEXT_SIZE) {
		diag_partial(
			diag,
			"section .xen_prstatus: expected processors of %d bytes, found 0x%" PRIx64
			": no registers",
			ELF_XEN_CONTEXT_SIZE, entry);
		return NULL;
	}
	elf_cursor(file, section.offset, section.size, &c);
	count = c.len / entry;
	if (c.len < section.size || count > MAX_CPUS)
		diag_partial(diag,
			     "section .xen_prstatus at file offset 0x%" PRIx64
			     ": expected 0x%" PRIx64 " bytes of at most %d processors, "
			     "found 0x%zx",
			     section.offset, section.size, MAX_CPUS, c.len);
	if (count > MAX_CPUS)
		count = MAX_CPUS;
	err = dump_info_alloc_registers(info, (size_t)count);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		if (!cur_sub(&c, (size_t)entry, &record) ||
		    !elf_registers_xen(record, &info->registers[i]))
			return cur_error(&c, "section .xen_prstatus");
	}
	return NULL;
}

struct error *elf_xen_open(const struct file *file, const struct elf_header *header,
			   struct physmem *mem, struct dump_info *info, struct diag *diag)
{
	struct xen_header xen;
	struct elf_section pages;
	struct frames frames;
	struct error *err;
	uint64_t count, expected;

	info->format = "xen-core";
	if (!elf_find_section(file, header, ".xen_pages", &pages))
		return error_new(ERROR_CORRUPT, "expected a section .xen_pages");
	if ((err = find_frames(file, header, &frames)))
		return err;
	if (!find_header(file, header, &xen, diag)) {
		diag_partial(diag, "the Xen header note is missing: pages taken as 4096 bytes, "
				   "as many as the sections hold");
		xen = (struct xen_header){
			.num_pages = pages.size >> PAGE_SHIFT,
			.page_size = PAGE_SIZE,
		};
	}
	info->subtype = domain_kind(xen.magic);
	/* The minor version grows with what is added, the major one with any other change. */
	if (xen.version >> 32)
		diag_note(diag,
			  "Xen core of format version %" PRIu64 ".%" PRIu64
			  ": expected 0, read as that",
			  xen.version >> 32, xen.version & UINT32_MAX);
	if (xen.page_size != PAGE_SIZE)
		return error_new(ERROR_UNSUPPORTED,
				 "Xen core with pages of 0x%" PRIx64 " bytes: expected 0x1000",
				 xen.page_size);
	expected = xen.num_pages;
	count = elf_bytes_in_file(file, pages.offset, pages.size) >> PAGE_SHIFT;
	if (count > frames.count)
		count = frames.count;
	if (count < expected)
		diag_partial(diag, "expected %" PRIu64 " pages, the file has %" PRIu64, expected,
			     count);
	else
		count = expected;
	if ((err = add_pages(file, &frames, pages.offset, count, mem, diag)))
		return err;
	if ((err = add_registers(file, header, info, diag)))
		return err;
	info->num_cpus = xen.num_cpus && xen.num_cpus <= MAX_CPUS ? (uint32_t)xen.num_cpus
								  : (uint32_t)info->num_registers;
	return NULL;
}
