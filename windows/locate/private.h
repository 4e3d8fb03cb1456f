/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_LOCATE_PRIVATE_H
#define WINDOWS_LOCATE_PRIVATE_H

#include "base/progress.h"
#include "windows/kernel/kernel_address.h"
#include "windows/locate.h"
#include "windows/locate/location_cache.h"

/*
 * The parts of the locator. A strategy collects roots (top page tables) and hints (addresses
 * that should lie inside or above the kernel) and gives them to locator_try(), which looks for an
 * image, checks it, and notes the story. Scans run in parallel and hand back what they met in
 * the order of physical addresses, so that the winner does not depend on the number of threads.
 */

/* image.c: is it the kernel? */

enum evidence {
	EVIDENCE_PE,	      /* PE32+ headers for AMD64 with a kernel's size */
	EVIDENCE_CODEVIEW,    /* CodeView record with a kernel's PDB name, maybe cut short */
	EVIDENCE_SECTIONS,    /* several sections that only the kernel has */
	EVIDENCE_IMAGE_BASE,  /* the header's ImageBase is where the image is: it was loaded */
	EVIDENCE_EXPORT_NAME, /* the export directory says ntoskrnl.exe */
	EVIDENCE_KDBG,	      /* KDBG says that the kernel begins here; its header is absent */
	EVIDENCE_SELF_MAP,    /* the root has an entry that points to itself */
	EVIDENCE_SHARED_DATA, /* KUSER_SHARED_DATA names a Windows version */
	EVIDENCE_SYSTEM,      /* it is the System process' root */
	NUM_EVIDENCE
};
extern const char *const evidence_names[NUM_EVIDENCE];

/* How far an image got before it was rejected. */
enum progress_made { GOT_NOTHING, GOT_MZ, GOT_PE };

enum { WHY_SIZE = 224 };
struct rejection {
	enum progress_made progress;
	char why[WHY_SIZE];
};

/* An image that passed for the kernel. */
struct finding {
	bool has_pe; /* else pe is empty but for base */
	struct pe_image pe;
	struct codeview codeview;
	bool has_codeview;
	unsigned evidence; /* bits 1 << enum evidence */
};

/* Does a CodeView record name a kernel, as far as its name is there? */
bool is_kernel_pdb(const struct codeview *cv);
/* Is the image at base the kernel? On false *no says what speaks against it. */
bool image_check(struct space *s, uint64_t base, struct finding *ret, struct rejection *no);
/* The kernel that the KDBG block at va names, if its header page is mapped but not captured. */
bool image_by_kdbg(struct space *s, uint64_t va, struct finding *ret, struct rejection *no);
/* The nearest kernel at or below address, at most 32 MiB down. */
bool image_below(struct space *s, uint64_t address, struct finding *ret, struct rejection *no);
/* The best kernel anywhere in the kernel half; reads the first bytes of each mapped page. What that
 * costs, in pages, is taken from *budget and bounded by it. */
bool image_anywhere(struct space *s, uint64_t *budget, struct finding *ret, struct rejection *no);
/* DirectoryTableBase of the System process, by way of PsInitialSystemProcess; 0: unknown. */
uint64_t system_root(struct space *s, const struct pe_image *pe);
/* EVIDENCE_SELF_MAP and EVIDENCE_SHARED_DATA, as far as they hold. */
unsigned root_evidence(struct space *s);

/* locate.c: roots, hints, and the story */

enum { MAX_HINTS = 16, MAX_ROOTS = 32, MAX_ATTEMPTS = 256 };

struct hint {
	const char *what; /* "lstar" */
	uint64_t va;
};
struct hints {
	struct hint items[MAX_HINTS];
	size_t count;
};
/* Adds kernel addresses, each once; drops the rest. */
void hints_add(struct hints *hints, const char *what, uint64_t va);

struct root {
	const char *what; /* "cpu 0 cr3" */
	uint64_t pa;
	unsigned levels; /* 4, 5; 0: unknown, both are tried */
};
struct roots {
	struct root items[MAX_ROOTS];
	size_t count;
};
/* cr3 may have flag bits. Each root once; 0 is dropped. */
void roots_add(struct roots *roots, const char *what, uint64_t cr3, unsigned levels);

/* What examining one root gave. */
struct outcome {
	struct finding finding;
	uint64_t root; /* System's own where it is known */
	unsigned levels;
};

struct attempt {
	const char *strategy, *text;
	enum progress_made progress;
	bool won;
};

/*
 * recall.c: what scans of the same snapshot met before. Until the first scan asks it is nothing,
 * then either known, and scans look at the pages of the log alone, or new, and they fill it.
 */
enum recall_state { RECALL_OFF, RECALL_UNASKED, RECALL_KNOWN, RECALL_NEW };
struct recall {
	const struct location_cache *cache; /* NULL if RECALL_OFF */
	enum recall_state state;
	uint8_t fingerprint[SHA256_SIZE];
	struct scan_log log;
	size_t num_scans; /* that began in this search */
	uint64_t scanned; /* bytes that they went through */
};

struct locator;
void recall_init(struct recall *r, const struct location_cache *cache);
void recall_deinit(struct recall *r);
/* Before each scan. */
void recall_begin_scan(struct recall *r, const struct snapshot *snap);
/* After a search, with a sum of how it ended (all zero: it found nothing): true if it must be made
 * again, with r, because what was known led elsewhere. */
MUST_CHECK bool recall_misled(struct recall *r, const uint8_t end[SHA256_SIZE]);
/* After a search that found the kernel. */
void recall_keep(struct recall *r, const struct snapshot *snap, const uint8_t end[SHA256_SIZE]);

struct locator {
	const struct snapshot *snap;
	struct physmem *mem;
	const struct locate_options *options;
	struct arena *arena;  /* of the result */
	const char *strategy; /* that is running */
	bool collected;	      /* what registers and header give is in the next three */
	struct roots roots;
	struct hints hints;
	struct hints idts; /* addresses of interrupt descriptor tables */
	struct recall *recall;
	uint64_t page_budget; /* of image_anywhere(), over all roots */
	struct attempt attempts[MAX_ATTEMPTS];
	size_t num_attempts, num_dropped;
	bool found;
	struct outcome outcome; /* valid if found */
};

/* One line of the story; further lines than MAX_ATTEMPTS are counted only. NO_MEMORY. */
MUST_CHECK PRINTF(3, 4) struct error *locator_note(struct locator *l, enum progress_made progress,
						   const char *fmt, ...);
/*
 * Looks for the kernel under a root: below each hint in turn, then, if `anywhere`, in the whole
 * kernel half. *found_ret says whether; if not, the story says why. NO_MEMORY only.
 */
MUST_CHECK struct error *locator_examine(struct locator *l, const struct root *root,
					 const struct hints *hints, bool anywhere,
					 struct outcome *ret, bool *found_ret);
MUST_CHECK struct error *locator_accept(struct locator *l, const struct root *root,
					const struct outcome *outcome);
/* As locator_examine(), by the KDBG block at kdbg alone. */
MUST_CHECK struct error *locator_examine_kdbg(struct locator *l, const struct root *root,
					      uint64_t kdbg, struct outcome *ret, bool *found_ret);
/* Examines and, if it is the kernel, accepts: l->found. */
MUST_CHECK struct error *locator_try(struct locator *l, const struct root *root,
				     const struct hints *hints, bool anywhere);

/* The strategies. l->found tells of success. */
typedef struct error *strategy_fn(struct locator *l);
strategy_fn locate_by_registers, locate_by_idt, locate_by_low_stub, locate_by_self_map,
	locate_by_physical_search, locate_by_options;

enum strategy_id {
	STRATEGY_REGISTERS,
	STRATEGY_IDT,
	STRATEGY_LOW_STUB,
	STRATEGY_SELF_MAP,
	STRATEGY_PHYSICAL,
	STRATEGY_OPTIONS,
	NUM_STRATEGIES,
	ALL_STRATEGIES = (1 << NUM_STRATEGIES) - 1,
};
/* kernel_locate() with just the strategies whose bits (1 << enum strategy_id) are set. */
MUST_CHECK struct error *locate_with(const struct snapshot *snap,
				     const struct locate_options *options, unsigned strategies,
				     struct kernel_location *ret);

/* registers.c: fills l->roots, l->hints and l->idts, once. */
MUST_CHECK struct error *locator_collect(struct locator *l);
/* 4 or 5 if a processor's CR4 tells; else 0. */
unsigned locator_levels(const struct locator *l);
/* low_stub.c: the root and the kernel address that the real-mode stub holds. */
bool low_stub_find(struct physmem *mem, uint64_t *pa_ret, uint64_t *cr3_ret, uint64_t *entry_ret);

/*
 * scan.c: a pass over captured physical memory, in steps, so that a hit in low memory
 * ends it early; or, in one step, over the pages where such a pass met something before.
 */
struct scan_job;
/* For each captured page, in any order and on several threads: view is of the page at pa. */
typedef void scan_page_fn(struct scan_job *job, const void *arg, uint64_t pa,
			  const struct page_view *view);
void scan_add(struct scan_job *job, uint64_t pa, uint32_t kind);

struct scan {
	struct locator *l;
	scan_page_fn *fn;
	const void *arg;
	struct progress progress;
	uint64_t next;	       /* physical address where the next step begins */
	uint64_t budget;       /* captured bytes of the next step */
	bool end;	       /* no step is left */
	struct scan_hit *hits; /* of the last step, by address; until the next one */
	size_t count, capacity;
	bool dropped; /* a limit left out hits */
	size_t index; /* among the scans of the search */
};
void scan_begin(struct scan *scan, struct locator *l, const char *label, scan_page_fn *fn,
		const void *arg);
MUST_CHECK struct error *scan_step(struct scan *scan);
void scan_end(struct scan *scan);

#endif
