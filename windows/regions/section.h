/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_SECTION_H
#define WINDOWS_SECTION_H

#include "windows/kernel/kernel.h"

/*
 * Sections: what the memory manager holds of a file or of shared memory (Windows Internals,
 * "Section objects"; layouts by the public PDBs).
 *
 *	section object -> control area -> segment
 *			  subsections (a list; the first right behind the control area),
 *			  each with an array of prototype PTEs, one per page
 *
 * Of an image each subsection is the header or a section of it, in 512-byte sectors of the file;
 * of a data file it is a stretch of it, in 4 KiB units.
 */
#define SECTION_FIELDS(F)                                                                      \
	F(SECTION, AREA, "_SECTION", "u1.ControlArea", OPTIONAL)                               \
	F(SECTION, SEGMENT, "_SECTION_OBJECT", "Segment", OPTIONAL)                            \
	F(SECTION, SEGMENT_AREA, "_SEGMENT", "ControlArea", OPTIONAL)                          \
	F(SECTION, SEGMENT_PTES, "_SEGMENT", "TotalNumberOfPtes", OPTIONAL)                    \
	F(SECTION, SEGMENT_SIZE, "_SEGMENT", "SizeOfSegment", OPTIONAL)                        \
	F(SECTION, SEGMENT_FIRST_PTE, "_SEGMENT", "PrototypePte", OPTIONAL)                    \
	F(SECTION, AREA_SEGMENT, "_CONTROL_AREA", "Segment", OPTIONAL)                         \
	F(SECTION, AREA_IS_IMAGE, "_CONTROL_AREA", "u.Flags.Image", OPTIONAL)                  \
	F(SECTION, AREA_IS_FILE, "_CONTROL_AREA", "u.Flags.File", OPTIONAL)                    \
	F(SECTION, AREA_FILE, "_CONTROL_AREA", "FilePointer", OPTIONAL)                        \
	F(SECTION, AREA_VIEWS, "_CONTROL_AREA", "NumberOfMappedViews", OPTIONAL)               \
	F(SECTION, AREA_REFERENCES, "_CONTROL_AREA", "NumberOfSectionReferences", OPTIONAL)    \
	F(SECTION, PART_AREA, "_SUBSECTION", "ControlArea", OPTIONAL)                          \
	F(SECTION, PART_BASE, "_SUBSECTION", "SubsectionBase", OPTIONAL)                       \
	F(SECTION, PART_NEXT, "_SUBSECTION", "NextSubsection", OPTIONAL)                       \
	F(SECTION, PART_PTES, "_SUBSECTION", "PtesInSubsection", OPTIONAL)                     \
	F(SECTION, PART_SECTOR, "_SUBSECTION", "StartingSector", OPTIONAL)                     \
	F(SECTION, PART_SECTORS, "_SUBSECTION", "NumberOfFullSectors", OPTIONAL)               \
	F(SECTION, PART_SECTOR_HIGH, "_SUBSECTION",                                            \
	  "u.SubsectionFlags.StartingSector4132|SubsectionFlags.StartingSector4132", OPTIONAL) \
	F(SECTION, PART_END, "_SUBSECTION",                                                    \
	  "u.SubsectionFlags.SectorEndOffset|SubsectionFlags.SectorEndOffset", OPTIONAL)
DECLARE_FIELDS(section, SECTION_FIELDS);

enum {
	MAX_SUBSECTIONS = 1 << 14,   /* of one control area */
	MAX_SECTION_PAGES = 1 << 24, /* of one control area: 64 GiB */
};

struct control_area {
	uint64_t va;
	uint64_t segment;
	bool is_image;
	struct opt_u64 is_file;	    /* 0, 1: a file is mapped, not the page file */
	struct opt_u64 file_object; /* absent: none */
	struct opt_u64 size;	    /* of the segment, in bytes */
	struct opt_u64 pages;	    /* its prototype PTEs */
	struct opt_u64 first_pte;   /* of the segment */
	struct opt_u64 views, references;
};

struct subsection {
	uint64_t va;
	struct opt_u64 base;   /* prototype PTEs; absent: none are made yet */
	uint64_t pages;	       /* of them, at most MAX_SECTION_PAGES */
	uint64_t first_page;   /* its first page in the view of the whole section */
	uint64_t offset, size; /* bytes of the file that it shows; size 0: none (zeros) */
};

struct subsection_list {
	struct subsection *items;
	size_t count;
	const char *broken; /* why the list ends early; NULL: it is complete */
	uint64_t broken_at; /* subsection that could not be followed to */
};

/* A page of a section, or several in a row whose entries are not there. */
struct section_page {
	uint64_t count;
	uint64_t page;	 /* in the view of the whole section */
	uint64_t offset; /* in the file, of its first byte */
	uint32_t length; /* its bytes that are of the file, at most a page; 0: none */
	/* VA_MAPPED, VA_TRANSITION: at pa; VA_PAGEFILE, VA_DEMAND_ZERO; VA_PROTOTYPE: only in its
	 * file; VA_NOT_PRESENT: nowhere yet; VA_NOT_CAPTURED: its entry is not there. */
	enum va_state state;
	uint64_t pte_address; /* virtual, of the prototype PTE */
	uint64_t pte;
	uint64_t pa;
};

/* Bound once per kernel; safe across threads. */
struct section_reader {
	struct space *space;			     /* borrowed: the kernel's */
	const struct windows_pte_config *pte_config; /* borrowed */
	uint32_t area_size;			     /* where the first subsection is; 0: unknown */
	struct field fields[section_num_fields];
};

MUST_CHECK struct error *section_reader_init(struct kernel *k, struct section_reader *ret);

/* The control area of a section object. False: it has none (or a file object stands in for it),
 * or it is absent. */
MUST_CHECK bool section_control_area(const struct section_reader *r, uint64_t section,
				     uint64_t *ret);
/* False: that is none, because its segment does not point back; or it is absent. */
MUST_CHECK bool control_area_read(const struct section_reader *r, uint64_t va,
				  struct control_area *ret);
/* Its subsections, in order, as far as they can be followed. Errors: NO_MEMORY. */
MUST_CHECK struct error *subsection_list_read(const struct section_reader *r,
					      const struct control_area *area,
					      struct subsection_list *ret);
void subsection_list_deinit(struct subsection_list *list);

typedef struct error *section_page_fn(void *arg, const struct section_page *page);
/* Calls fn for each page of a subsection, in order, and once for each stretch of pages whose
 * entries are absent (VA_NOT_CAPTURED); errors of fn end it. */
MUST_CHECK struct error *subsection_each_page(const struct section_reader *r,
					      const struct subsection *part, section_page_fn *fn,
					      void *arg);

#endif
