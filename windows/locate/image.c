/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "windows/kernel/kdbg.h"
#include "windows/locate/private.h"

enum {
	DOS_MAGIC = 0x5a4d, /* "MZ" */
	MIN_KERNEL_SIZE = 1 << 20,
	MAX_KERNEL_SIZE = 64 << 20,
	SCAN_DOWN = 32 << 20, /* how far below an address of its own the kernel begins */
	LARGE_PAGE = 2 << 20,
	MIN_SECTIONS = 3, /* of kernel_sections */
	MAX_IMAGES = 4096,
	RANGE_COST = 8, /* finding the next range costs as much as visiting so many pages */
};
/* What image_anywhere() may spend on one root: 8 GiB of mapped small pages. */
#define MAX_SPENT (UINT64_C(1) << 21)

const char *const evidence_names[NUM_EVIDENCE] = {
	[EVIDENCE_PE] = "PE headers",		[EVIDENCE_CODEVIEW] = "CodeView",
	[EVIDENCE_SECTIONS] = "sections",	[EVIDENCE_IMAGE_BASE] = "ImageBase",
	[EVIDENCE_EXPORT_NAME] = "export name", [EVIDENCE_KDBG] = "KDBG",
	[EVIDENCE_SELF_MAP] = "self-map",	[EVIDENCE_SHARED_DATA] = "KUSER_SHARED_DATA",
	[EVIDENCE_SYSTEM] = "System's root",
};

/* Sections that drivers do not have; each build of the kernel has several of them. */
static const char *const kernel_sections[] = {
	"ALMOSTRO", "POOLCODE", "INITKDBG", "KVASCODE", "CACHEALI", "PROTDATA", "PAGEKD",
	"PAGEVRFY", "PAGEHDLS", "PAGEBGFX", "PAGEVRFD", "PAGEDATA", "PAGELK",	"RETPOL",
};

/* How the file name of every variant begins: ntoskrnl, ntkrnlmp, ntkrnlpa, ntkrpamp, ntkrla57. */
static const char *const kernel_prefixes[] = { "ntoskrnl", "ntkr" };

static bool is_kernel_name(const char *name, bool complete)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(kernel_prefixes); i++) {
		size_t need = strlen(kernel_prefixes[i]);

		if (!complete && len < need)
			need = len;
		if (len > 2 && strncmp(name, kernel_prefixes[i], need) == 0)
			return true;
	}
	return false;
}

bool is_kernel_pdb(const struct codeview *cv)
{
	return is_kernel_name(cv->name, cv->name_complete);
}

PRINTF(3, 4)
static bool reject(struct rejection *no, enum progress_made progress, const char *fmt, ...)
{
	va_list args;

	no->progress = progress;
	va_start(args, fmt);
	vsnprintf(no->why, sizeof(no->why), fmt, args);
	va_end(args);
	return false;
}

static bool reject_error(struct rejection *no, enum progress_made progress, struct error *err)
{
	reject(no, progress, "%s", error_message(err));
	error_destroy(err);
	return false;
}

/* What the CodeView record says; false: it names something else. */
static bool check_codeview(struct space *s, struct finding *f, struct rejection *no)
{
	struct error *err = pe_codeview(s, &f->pe, &f->codeview);

	if (err) {
		error_destroy(err); /* absent or damaged: other evidence has to do */
		return true;
	}
	f->has_codeview = true;
	if (is_kernel_pdb(&f->codeview))
		f->evidence |= 1 << EVIDENCE_CODEVIEW;
	else if (f->codeview.name_complete || strlen(f->codeview.name) > 2)
		return reject(no, GOT_PE, "image 0x%llx: CodeView names '%.64s'",
			      (unsigned long long)f->pe.base, f->codeview.name);
	return true;
}

static bool check_export_name(struct space *s, struct finding *f, struct rejection *no)
{
	char name[64];
	struct error *err = pe_export_module_name(s, &f->pe, name, sizeof(name));

	if (err) {
		error_destroy(err);
		return true;
	}
	if (!is_kernel_name(name, true))
		return reject(no, GOT_PE, "image 0x%llx: export directory names '%s'",
			      (unsigned long long)f->pe.base, name);
	f->evidence |= 1 << EVIDENCE_EXPORT_NAME;
	return true;
}

static bool has_kernel_sections(const struct pe_image *pe)
{
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kernel_sections); i++)
		count += pe_find_section(pe, kernel_sections[i]) != NULL;
	return count >= MIN_SECTIONS;
}

bool image_check(struct space *s, uint64_t base, struct finding *ret, struct rejection *no)
{
	const unsigned names = 1 << EVIDENCE_CODEVIEW | 1 << EVIDENCE_EXPORT_NAME;
	struct finding f = { .has_pe = true, .evidence = 1 << EVIDENCE_PE };
	struct fault fault;
	uint16_t magic;

	if (!space_try_u16(s, base, &magic, &fault))
		return reject(no, GOT_NOTHING, "0x%llx: %s", (unsigned long long)base,
			      va_state_text(fault.state));
	if (magic != DOS_MAGIC)
		return reject(no, GOT_NOTHING, "0x%llx: no MZ page", (unsigned long long)base);
	struct error *err = pe_read(s, base, &f.pe);

	if (err)
		return reject_error(no, GOT_MZ, err);
	if (f.pe.size_of_image < MIN_KERNEL_SIZE || f.pe.size_of_image > MAX_KERNEL_SIZE)
		return reject(no, GOT_MZ, "image 0x%llx: size 0x%x is not a kernel's",
			      (unsigned long long)base, f.pe.size_of_image);
	if (!check_codeview(s, &f, no) || !check_export_name(s, &f, no))
		return false;
	if (has_kernel_sections(&f.pe))
		f.evidence |= 1 << EVIDENCE_SECTIONS;
	if (f.pe.image_base == base)
		f.evidence |= 1 << EVIDENCE_IMAGE_BASE;
	if (!(f.evidence & (names | 1 << EVIDENCE_SECTIONS)))
		return reject(no, GOT_PE,
			      "image 0x%llx: neither CodeView, exports nor sections say "
			      "that it is the kernel",
			      (unsigned long long)base);
	/* without a name of its own, a copy of the file in the cache looks like this too */
	if (!(f.evidence & names) && !is_kernel_address(f.pe.image_base))
		return reject(no, GOT_PE, "image 0x%llx: ImageBase 0x%llx: a copy of the file",
			      (unsigned long long)base, (unsigned long long)f.pe.image_base);
	*ret = f;
	return true;
}

bool image_by_kdbg(struct space *s, uint64_t va, struct finding *ret, struct rejection *no)
{
	enum { KERN_BASE = 0x18 }; /* in KDDEBUGGER_DATA64: wdbgexts.h */
	struct fault fault;
	struct kdbg kdbg;
	uint64_t base;
	uint8_t byte;

	if (!space_try_u64(s, va + KERN_BASE, &base, &fault))
		return reject(no, GOT_NOTHING, "KDBG 0x%llx: %s", (unsigned long long)va,
			      va_state_text(fault.state));
	if (!is_kernel_address(base) || (base & PAGE_MASK) || va - base >= MAX_KERNEL_SIZE)
		return reject(no, GOT_NOTHING, "KDBG 0x%llx: kernel base 0x%llx is not below it",
			      (unsigned long long)va, (unsigned long long)base);
	if (space_try_read(s, base, &byte, 1, &fault) || fault.state != VA_NOT_CAPTURED)
		return reject(no, GOT_NOTHING, "KDBG 0x%llx: no kernel at its base 0x%llx",
			      (unsigned long long)va, (unsigned long long)base);
	struct error *err = kdbg_read(s, va, base, &kdbg);

	if (err)
		return reject_error(no, GOT_NOTHING, err);
	*ret = (struct finding){ .pe.base = base, .evidence = 1 << EVIDENCE_KDBG };
	return true;
}

static void keep_best(struct rejection *best, const struct rejection *no)
{
	if (no->progress > best->progress)
		*best = *no;
}

/* How far below va the hole begins in which it lies: nothing to read down to there. */
static uint64_t hole_below(struct space *s, uint64_t va)
{
	struct walk walk;

	space_walk(s, va, &walk);
	return walk.has_pa || walk.page_size == 0 ? 0 : va & (walk.page_size - 1);
}

/* One pass down from address in steps. `covering`: the image has to reach up to address. */
static bool scan_down(struct space *s, uint64_t address, uint64_t step, bool covering,
		      struct finding *ret, struct rejection *best, unsigned *readable)
{
	uint64_t top = address & ~(step - 1);

	for (uint64_t down = 0; down <= SCAN_DOWN && down <= top; down += step) {
		uint64_t base = top - down;
		struct finding f;
		struct rejection no;
		uint16_t magic;

		if (!is_kernel_address(base))
			break;
		if (!space_try_u16(s, base, &magic, NULL)) {
			down += hole_below(s, base) & ~(step - 1);
			continue;
		}
		++*readable;
		if (magic != DOS_MAGIC)
			continue;
		if (!image_check(s, base, &f, &no)) {
			keep_best(best, &no);
			continue;
		}
		if (covering && address - base >= f.pe.size_of_image)
			continue;
		*ret = f;
		return true;
	}
	return false;
}

bool image_below(struct space *s, uint64_t address, struct finding *ret, struct rejection *no)
{
	struct rejection best = { .progress = GOT_NOTHING };
	unsigned readable = 0;

	/* Newer kernels begin on a large page: a few probes instead of thousands. Images do not
	 * overlap, so one that reaches up to address is the nearest. */
	if (scan_down(s, address, LARGE_PAGE, true, ret, &best, &readable))
		return true;
	readable = 0;
	if (scan_down(s, address, PAGE_SIZE, false, ret, &best, &readable))
		return true;
	if (best.progress == GOT_NOTHING)
		reject(&best, GOT_NOTHING,
		       "no MZ page in the 32 MiB below 0x%llx (%u of %u pages readable)",
		       (unsigned long long)address, readable, SCAN_DOWN / PAGE_SIZE + 1);
	*no = best;
	return false;
}

/* State of image_anywhere(). */
struct search {
	struct space *space;
	struct finding *ret;
	struct rejection *best;
	bool found;
	unsigned images;
	uint64_t pages;
	uint64_t spent, limit; /* pages, and RANGE_COST for each range */
};

/* Nothing else can be better than this. */
static bool is_certain(const struct finding *f)
{
	const unsigned need = 1 << EVIDENCE_CODEVIEW | 1 << EVIDENCE_IMAGE_BASE;

	return (f->evidence & need) == need;
}

static void visit_page(struct search *search, uint64_t va)
{
	struct rejection no;
	struct finding f;
	uint16_t magic;

	search->pages++;
	search->spent++;
	if (!space_try_u16(search->space, va, &magic, NULL) || magic != DOS_MAGIC)
		return;
	search->images++;
	if (!image_check(search->space, va, &f, &no)) {
		keep_best(search->best, &no);
		return;
	}
	if (search->found &&
	    __builtin_popcount(f.evidence) <= __builtin_popcount(search->ret->evidence))
		return;
	*search->ret = f;
	search->found = true;
}

static bool search_is_over(const struct search *search)
{
	return (search->found && is_certain(search->ret)) || search->images > MAX_IMAGES ||
	       search->spent >= search->limit;
}

/* Visits the mapped pages of [start, last]. */
static void search_region(struct search *search, uint64_t start, uint64_t last)
{
	struct va_range range;
	uint64_t va = start;

	while (va <= last && space_next(search->space, va, &range) && range.start <= last) {
		uint64_t end = range.last < last ? range.last : last;

		search->spent += RANGE_COST;
		if (search_is_over(search))
			return;
		if (range.repeat && range.repeat - 1 < end - range.start)
			end = range.start + range.repeat - 1;
		if (range.state == VA_MAPPED || range.state == VA_TRANSITION)
			for (uint64_t page = range.start; end - page >= PAGE_MASK;
			     page += PAGE_SIZE) {
				visit_page(search, page);
				if (search_is_over(search))
					return;
				if (end - page == PAGE_MASK)
					break;
			}
		va = range.last + 1;
		if (va == 0)
			break;
	}
}

bool image_anywhere(struct space *s, uint64_t *budget, struct finding *ret, struct rejection *no)
{
	/* where the loader puts the kernel, then the rest of the upper half */
	const uint64_t images = UINT64_C(0xfffff80000000000);
	const uint64_t images_last = UINT64_C(0xfffff87fffffffff);
	const uint64_t half =
		s->levels == 5 ? UINT64_C(0xff00000000000000) : UINT64_C(0xffff800000000000);
	struct rejection best = { .progress = GOT_NOTHING };
	uint64_t limit = *budget < MAX_SPENT ? *budget : MAX_SPENT;
	struct search search = { .space = s, .ret = ret, .best = &best, .limit = limit };

	search_region(&search, images, images_last);
	if (!search.found)
		search_region(&search, half, images - 1);
	if (!search.found)
		search_region(&search, images_last + 1, UINT64_MAX);
	*budget -= search.spent < *budget ? search.spent : *budget;
	if (search.found)
		return true;
	if (best.progress == GOT_NOTHING)
		reject(&best, GOT_NOTHING,
		       "no MZ page among %llu mapped pages of the kernel half%s",
		       (unsigned long long)search.pages,
		       search.spent < limit ? "" : " (limit reached)");
	*no = best;
	return false;
}

uint64_t system_root(struct space *s, const struct pe_image *pe)
{
	/* KPROCESS.DirectoryTableBase: the same in every public ntoskrnl PDB for AMD64 */
	enum { KPROCESS_DTB = 0x28 };
	uint64_t process, dtb;
	uint32_t rva;
	struct error *err = pe_export(s, pe, "PsInitialSystemProcess", &rva);

	if (err) {
		error_destroy(err);
		return 0;
	}
	if (!space_try_u64(s, pe->base + rva, &process, NULL) || !is_kernel_address(process) ||
	    !space_try_u64(s, process + KPROCESS_DTB, &dtb, NULL))
		return 0;
	return dtb_to_root(dtb);
}

unsigned root_evidence(struct space *s)
{
	/* KUSER_SHARED_DATA: ntddk.h */
	enum { NT_MAJOR_VERSION = 0x26c, NT_MINOR_VERSION = 0x270 };
	const uint64_t shared_data = UINT64_C(0xfffff78000000000);
	uint8_t upper_half[PAGE_SIZE / 2];
	unsigned evidence = 0;
	uint32_t major, minor;

	if (physmem_read(s->mem, s->root + PAGE_SIZE / 2, upper_half, sizeof(upper_half)) ==
	    sizeof(upper_half))
		for (size_t i = 0; i < sizeof(upper_half); i += 8) {
			uint64_t entry = load_u64(upper_half + i);

			if (entry & PTE_PRESENT && (entry & PTE_PFN_MASK) == s->root)
				evidence |= 1 << EVIDENCE_SELF_MAP;
		}
	if (space_try_u32(s, shared_data + NT_MAJOR_VERSION, &major, NULL) &&
	    space_try_u32(s, shared_data + NT_MINOR_VERSION, &minor, NULL) &&
	    ((major == 6 && minor <= 4) || (major == 10 && minor == 0)))
		evidence |= 1 << EVIDENCE_SHARED_DATA;
	return evidence;
}

bool find_kernel(struct space *s, uint64_t address, struct pe_image *pe_ret,
		 struct codeview *codeview_ret, bool *has_codeview)
{
	struct rejection no;
	struct finding f;

	if (!image_below(s, address, &f, &no))
		return false;
	*pe_ret = f.pe;
	*codeview_ret = f.codeview;
	*has_codeview = f.has_codeview;
	return true;
}
