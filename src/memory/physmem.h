/* SPDX-License-Identifier: MIT */
#ifndef MEMORY_PHYSMEM_H
#define MEMORY_PHYSMEM_H

#include "base/error.h"
#include "base/file.h"

/*
 * The captured physical memory of a snapshot. A format registers runs and seals; after that
 * the object is read-only and safe across threads. Addresses and lengths are bytes, gfn is
 * pa >> 12. What is not in a run is absent.
 */
enum { PAGE_SHIFT = 12, PAGE_SIZE = 1 << PAGE_SHIFT, PAGE_MASK = PAGE_SIZE - 1 };

/* AMD64 has 52 bits of physical address: no run ends above. */
#define PHYSMEM_MAX_END (UINT64_C(1) << 52)

struct physmem;

struct mem_range {
	uint64_t start, end; /* [start, end) */
};

/* A run whose pages a format finds by itself (bitmap, page list, compressed blocks). */
struct page_source_ops {
	/* The 4096 bytes of a captured page, in *ret, borrowed until page_release() with the
	 * same *pin; NULL *ret when the page is absent. Errors are ERROR_CORRUPT or OS. */
	struct error *(*page)(void *arg, uint64_t gfn, const uint8_t **ret, void **pin);
	void (*release)(void *arg, void *pin); /* NULL when pins are not used */
	/* The next stretch of captured pages that ends after gfn: [*first, *last], in gfns,
	 * clipped to start at gfn. False when there is none. */
	bool (*next)(void *arg, uint64_t gfn, uint64_t *first, uint64_t *last);
	/* Where a captured page's bytes are in the file; false when not in one place. */
	bool (*file_offset)(void *arg, uint64_t gfn, uint64_t *ret);
	void (*destroy)(void *arg); /* with the physmem; may be NULL */
};

MUST_CHECK struct error *physmem_create(struct physmem **ret);
void physmem_destroy(struct physmem *mem); /* NULL ok */

/*
 * Bytes of the file. Any alignment; must lie in [0, file->size), and end at or below
 * PHYSMEM_MAX_END. The run added first wins where runs overlap. The file is borrowed and must
 * outlive mem. Errors: CORRUPT, LIMIT, NO_MEMORY.
 */
MUST_CHECK struct error *physmem_add_file(struct physmem *mem, uint64_t pa, uint64_t length,
					  const struct file *file, uint64_t file_offset);
/* A page source for [first_gfn, first_gfn + count); takes arg (destroyed also on failure).
 * Where it overlaps a run added later it wins even for pages that it does not have. */
MUST_CHECK struct error *physmem_add_source(struct physmem *mem, uint64_t first_gfn, uint64_t count,
					    const struct page_source_ops *ops, void *arg);
/* Sorts, cuts overlaps, merges neighbours. No run may be added afterwards. */
MUST_CHECK struct error *physmem_seal(struct physmem *mem);

/* Totals after sealing. */
uint64_t physmem_captured_bytes(const struct physmem *mem);
uint64_t physmem_captured_pages(const struct physmem *mem); /* pages with at least one byte */
uint64_t physmem_overlap_bytes(const struct physmem *mem);  /* given more than once */
uint64_t physmem_end(const struct physmem *mem);	    /* one past the highest byte; 0: none */
size_t physmem_num_runs(const struct physmem *mem);

/* A pinned view of one page or of the part of it that is captured in one run: where two runs
 * meet in mid-page each part has its own view, and physmem_read() goes on over the seam. */
struct page_view {
	const uint8_t *bytes; /* of physical address (gfn << 12) + begin */
	uint32_t begin, end;  /* captured part of the page, in bytes: usually 0 and 4096 */
	/* whoever lent them: a page source or a file */
	const struct page_source_ops *ops;
	void *arg, *pin;
	struct file_view file_view;
};

/*
 * The captured part of the page of pa that contains pa itself. False when pa is absent (also
 * when the page's data cannot be decoded: then *err, if not NULL, holds why, owned by the
 * caller). Release each view got.
 */
bool physmem_view(struct physmem *mem, uint64_t pa, struct page_view *ret, struct error **err);
void page_release(struct page_view *view);

/* Copies bytes [pa, pa + len) while they are there; the number copied. */
size_t physmem_read(struct physmem *mem, uint64_t pa, void *buf, size_t len);

/* The next captured range that ends after pa, clipped to start at pa, neighbours merged.
 * `skip_holes`: leave out holes of a sparse file (they read as zeros), in whole pages. To go on,
 * call with ret->end. */
bool physmem_next(struct physmem *mem, uint64_t pa, bool skip_holes, struct mem_range *ret);
/* Where the byte at pa is in the snapshot file; false where it is not in one place. */
bool physmem_file_offset(struct physmem *mem, uint64_t pa, uint64_t *ret);
/*
 * Pages that somebody wanted and that could not be decoded: how many distinct ones (at most
 * PHYSMEM_MAX_DAMAGE are told apart), and why the lowest of them could not, NULL when there is
 * none. The same at any number of threads. The error is the caller's.
 */
enum { PHYSMEM_MAX_DAMAGE = 1 << 20 };
struct error *physmem_damage(struct physmem *mem, uint64_t *pages_ret);
/* Distinct pages viewed so far, for benchmarks; counted only after physmem_count_pages(), which
 * wants a sealed mem (0 when memory for the count is out). */
void physmem_count_pages(struct physmem *mem);
uint64_t physmem_pages_touched(struct physmem *mem);

#endif
