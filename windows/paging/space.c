/* SPDX-License-Identifier: MIT */
/*
 * A space that goes on where the page tables end. What they map costs one more call; only what
 * they call not present is looked for elsewhere:
 *
 *	walk of the tables -> the entry where it ended -> prototype PTE, VAD, page file, store
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/kernel/kernel_address.h"
#include "windows/paging/private.h"

enum {
	PTE_SIZE = 8,
	PTES_OF_TABLE = PAGE_SIZE / PTE_SIZE,
	/* Pages of a space that iteration asks the VADs for in vain, before it stops asking: tables
	 * that are shown over and over could make it ask for ever. */
	MAX_VAD_MISSES = 1 << 22,
	LEVEL_BITS = 9, /* an entry spans 512 of the level below */
	/* Holes of the tables that iteration looks at to make one stretch of zeros. */
	MAX_ZERO_HOLES = 1 << 16,
};
/* What iteration takes at once of a region that the tables say nothing of. */
#define REGION_PART (UINT64_C(1) << 30)

struct paged_space {
	struct space base;
	struct space *tables; /* owned */
	struct paging *paging;
	uint64_t eprocess; /* 0: nobody's */
	unsigned follow;   /* enum paging_follow */
	_Atomic unsigned vad_misses;
};

/* The bytes of a page that has no pa. */
struct found_page {
	const uint8_t *bytes;	   /* NULL: none */
	uint8_t buffer[PAGE_SIZE]; /* what was unpacked, if it had to be */
};

static const uint8_t zero_page[PAGE_SIZE];

static struct paged_space *paged_space(struct space *s)
{
	return (struct paged_space *)s;
}

static bool is_soft(enum va_state state)
{
	return state == VA_PAGEFILE || state == VA_PROTOTYPE || state == VA_DEMAND_ZERO ||
	       state == VA_COMPRESSED;
}

static bool has_vads(const struct paged_space *s, uint64_t va)
{
	return s->eprocess && (s->follow & FOLLOW_PROTOTYPES) && s->paging->started &&
	       !(va & KERNEL_HALF);
}

/* Is there more to be said than the page tables do? */
static bool goes_on(const struct paged_space *s, uint64_t va, enum va_state state)
{
	return is_soft(state) || (state == VA_NOT_PRESENT && has_vads(s, va));
}

static struct walk_step *add_step(struct walk *w, unsigned level, uint64_t address)
{
	struct walk_step *step = &w->steps[w->num_steps++];

	*step = (struct walk_step){ .level = level, .entry_address = address };
	return step;
}

/* The page is in memory at pa. */
static void found_in_memory(struct paged_space *s, struct walk *w, enum va_state state, uint64_t pa)
{
	struct page_view view;

	w->has_pa = true;
	w->pa = pa | (w->va & PAGE_MASK);
	w->has_bytes = physmem_view(s->base.mem, w->pa, &view, NULL);
	w->state = w->has_bytes ? state : VA_NOT_CAPTURED;
	if (w->has_bytes)
		page_release(&view);
}

static void found_zeros(struct walk *w, struct found_page *page)
{
	w->state = VA_DEMAND_ZERO;
	w->has_bytes = true;
	page->bytes = zero_page;
}

static void find_in_store(struct paged_space *s, struct walk *w, struct found_page *page)
{
	struct walk_backing *backing = &w->backing;
	struct store_page where;

	w->state = VA_COMPRESSED;
	if (!(s->follow & FOLLOW_STORE))
		return;
	w->has_bytes = paging_store_read(s->paging, backing->pagefile, backing->offset,
					 page->buffer, &where, &backing->has_store, &backing->why);
	if (w->has_bytes)
		page->bytes = page->buffer;
	if (!backing->has_store)
		return;
	backing->store = where.store;
	backing->address = where.address;
	backing->length = where.length;
}

static void find_in_pagefile(struct paged_space *s, struct walk *w, const struct windows_pte *pte,
			     struct found_page *page)
{
	const struct paging *p = s->paging;

	w->state = VA_PAGEFILE;
	w->backing.has_pagefile = true;
	w->backing.pagefile = pte->file;
	w->backing.offset = pte->offset;
	if (!p->started) /* where the number is depends on the build */
		return;
	if (p->has_store && pte->file == p->store_file) {
		find_in_store(s, w, page);
		return;
	}
	page->bytes = pagefiles_page(&p->files, pte->file, pte->offset);
	w->has_bytes = page->bytes != NULL;
	if (!w->has_bytes)
		w->backing.why = p->files.items[pte->file].given ? "the page file ends before it"
								 : "the page file was not given";
}

/* What a prototype PTE says. That it is another's means a subsection: the page is in its file. */
static void follow_prototype_entry(struct paged_space *s, struct walk *w, uint64_t entry,
				   struct found_page *page)
{
	struct windows_pte pte = windows_pte_decode(s->paging->config, entry);

	if (entry & PTE_PRESENT) {
		found_in_memory(s, w, VA_PROTOTYPE, entry & PTE_PFN_MASK);
		return;
	}
	w->backing.why = "only in the file that is mapped";
	if (windows_pte_is_file_pointer(entry))
		return;
	switch (pte.kind) {
	case WINDOWS_PTE_IN_MEMORY:
		found_in_memory(s, w, VA_PROTOTYPE, pte.pa);
		break;
	case WINDOWS_PTE_IN_PAGEFILE:
		w->backing.why = NULL;
		find_in_pagefile(s, w, &pte, page);
		break;
	case WINDOWS_PTE_DEMAND_ZERO:
		w->backing.why = NULL;
		found_zeros(w, page);
		break;
	case WINDOWS_PTE_ZERO:
	case WINDOWS_PTE_DECOMMITTED:
		w->backing.why = "the section has no page there";
		break;
	case WINDOWS_PTE_AT_PROTO:
	case WINDOWS_PTE_AT_VAD:
		break;
	}
}

/* The prototype PTE at a virtual address of the kernel. */
static void follow_prototype(struct paged_space *s, struct walk *w, uint64_t address,
			     struct found_page *page)
{
	struct walk_step *step = add_step(w, 0, address);

	w->state = VA_PROTOTYPE;
	w->page_size = PAGE_SIZE;
	if (!(s->follow & FOLLOW_PROTOTYPES) || !s->paging->started)
		return;
	if (!(address & KERNEL_HALF) || address % PTE_SIZE) {
		w->backing.why = "the address of its prototype PTE is damaged";
		return;
	}
	step->captured = space_try_u64(s->paging->plain, address, &step->entry, NULL);
	if (step->captured)
		follow_prototype_entry(s, w, step->entry, page);
	else
		w->backing.why = "its prototype PTE is absent";
}

static bool is_private(const struct vad *vad)
{
	return vad->is_private.present && vad->is_private.value;
}

/* A private region that was committed as a whole has zeros where nothing was written yet. */
static bool is_committed_private(const struct vad *vad)
{
	return is_private(vad) && vad->mem_commit.present && vad->mem_commit.value;
}

/* A hole ends where the next region begins: below its entry there may be more to be said. */
static void end_hole(const struct paged_space *s, struct walk *w, uint64_t above)
{
	struct vad next;

	if (w->page_size <= PAGE_SIZE || !has_vads(s, w->va) ||
	    !vad_reader_next(&s->paging->vads, s->eprocess, above, &next))
		return;
	while (w->page_size > PAGE_SIZE && next.start <= (w->va | (w->page_size - 1)))
		w->page_size >>= LEVEL_BITS;
}

/*
 * The VAD's array of prototype PTEs. zero: the page tables say nothing at all of the page. An array
 * ends where the subsection of a data file does; what lies beyond is another's.
 */
static void ask_vad(struct paged_space *s, struct walk *w, bool zero, struct found_page *page)
{
	struct vad vad;
	uint64_t address;

	if (!has_vads(s, w->va) || !vad_reader_find(&s->paging->vads, s->eprocess, w->va, &vad)) {
		if (!zero)
			w->backing.why = "the VAD that says where it is was not found";
		end_hole(s, w, w->va);
		return;
	}
	if (zero && is_committed_private(&vad)) {
		w->page_size = PAGE_SIZE;
		found_zeros(w, page);
		return;
	}
	if (is_private(&vad) || !vad.first_pte.present) {
		end_hole(s, w, vad.last + 1);
		return;
	}
	address = vad.first_pte.value + ((w->va - vad.start) >> PAGE_SHIFT) * PTE_SIZE;
	if (vad.last_pte.present && address > vad.last_pte.value) {
		w->backing.why = "its prototype PTE is in another part of the section";
		end_hole(s, w, vad.last + 1);
		return;
	}
	follow_prototype(s, w, address, page);
}

/* The entry where the walk of the tables ended. */
static void follow_entry(struct paged_space *s, struct walk *w, const struct walk_step *last,
			 struct found_page *page)
{
	struct windows_pte pte = windows_pte_decode(s->paging->config, last->entry);

	switch (pte.kind) {
	case WINDOWS_PTE_ZERO:
		ask_vad(s, w, true, page);
		break;
	case WINDOWS_PTE_AT_VAD:
		ask_vad(s, w, false, page);
		break;
	case WINDOWS_PTE_AT_PROTO:
		follow_prototype(s, w, pte.address, page);
		break;
	case WINDOWS_PTE_IN_MEMORY:
		found_in_memory(s, w, VA_TRANSITION, pte.pa);
		break;
	case WINDOWS_PTE_IN_PAGEFILE:
		find_in_pagefile(s, w, &pte, page);
		break;
	case WINDOWS_PTE_DEMAND_ZERO:
		found_zeros(w, page);
		break;
	case WINDOWS_PTE_DECOMMITTED:
		break;
	}
}

/* The page table that a PDE has in a page file: the walk gains its entry. */
static bool enter_paged_table(struct paged_space *s, struct walk *w, struct found_page *page)
{
	struct windows_pte pte =
		windows_pte_decode(s->paging->config, w->steps[w->num_steps - 1].entry);
	struct walk_step *step;

	find_in_pagefile(s, w, &pte, page);
	if (!w->has_bytes)
		return false;
	step = add_step(w, LEVEL_PT, 0);
	step->entry = load_u64(page->bytes + va_index(w->va, LEVEL_PT) * PTE_SIZE);
	step->captured = step->paged_out = true;
	page->bytes = NULL;
	w->has_bytes = false;
	w->backing = (struct walk_backing){ 0 };
	w->page_size = PAGE_SIZE;
	w->state = VA_NOT_PRESENT;
	/* a table that is not in memory maps nothing for the processor */
	return !(step->entry & PTE_PRESENT);
}

/* Goes on after a walk of the tables for which goes_on() holds. */
static void resolve(struct paged_space *s, struct walk *w, struct found_page *page)
{
	const struct walk_step *last = &w->steps[w->num_steps - 1];

	page->bytes = NULL;
	if (!w->num_steps)
		return;
	if (last->level == LEVEL_PD && w->state == VA_PAGEFILE) {
		if (!enter_paged_table(s, w, page))
			return;
		last = &w->steps[w->num_steps - 1];
	}
	if (last->level == LEVEL_PT)
		follow_entry(s, w, last, page);
	else if (!last->entry)
		ask_vad(s, w, true, page);
}

void paging_read_prototype(struct paging *p, uint64_t entry, uint8_t *buf,
			   struct prototype_page *ret)
{
	struct paged_space s = { .base.mem = p->mem, .paging = p, .follow = FOLLOW_ALL };
	struct walk w = { .va = KERNEL_HALF, .state = VA_PROTOTYPE };
	struct found_page page;

	page.bytes = NULL;
	follow_prototype_entry(&s, &w, entry, &page);
	if (buf && page.bytes)
		memcpy(buf, page.bytes, PAGE_SIZE);
	else if (buf && w.has_bytes)
		w.has_bytes = physmem_read(p->mem, w.pa, buf, PAGE_SIZE) == PAGE_SIZE;
	*ret = (struct prototype_page){
		.state = w.state,
		.has_pa = w.has_pa,
		.pa = w.pa,
		.has_bytes = w.has_bytes,
	};
}

static void paged_walk_page(struct paged_space *s, uint64_t va, struct walk *w,
			    struct found_page *page)
{
	page->bytes = NULL;
	space_walk(s->tables, va, w);
	if (goes_on(s, va, w->state))
		resolve(s, w, page);
}

static void paged_walk(struct space *s, uint64_t va, struct walk *ret)
{
	struct found_page page;

	paged_walk_page(paged_space(s), va, ret, &page);
}

static enum va_state paged_translate(struct space *s, uint64_t va, uint64_t *pa_ret)
{
	struct paged_space *p = paged_space(s);
	enum va_state state = space_translate(p->tables, va, pa_ret);
	struct walk w;

	if (!goes_on(p, va, state))
		return state;
	paged_walk(s, va, &w);
	if (w.has_pa)
		*pa_ret = w.pa;
	return w.state;
}

/* The slow half of paged_read(). */
static size_t read_elsewhere(struct paged_space *s, uint64_t va, void *buf, size_t len,
			     enum va_state *state)
{
	size_t offset = (size_t)(va & PAGE_MASK), got = 0;
	struct found_page page;
	struct walk w;

	paged_walk_page(s, va, &w, &page);
	*state = w.state;
	if (len > PAGE_SIZE - offset)
		len = PAGE_SIZE - offset;
	if (page.bytes) {
		memcpy(buf, page.bytes + offset, len);
		return len;
	}
	if (w.has_pa)
		got = physmem_read(s->base.mem, w.pa, buf, len);
	return got;
}

static size_t paged_read(struct space *s, uint64_t va, void *buf, size_t len, enum va_state *state)
{
	struct paged_space *p = paged_space(s);
	size_t got = p->tables->ops->read(p->tables, va, buf, len, state);

	if (got || !goes_on(p, va, *state))
		return got;
	return read_elsewhere(p, va, buf, len, state);
}

static enum va_state classify(const void *arg, uint64_t entry, enum page_level level,
			      uint64_t *pa_ret)
{
	const struct paged_space *s = arg;

	return windows_soft_pte.classify(s->paging->config, entry, level, pa_ret);
}

/* Does an entry of a PT lead to bytes, or to a page that was not captured? */
static bool pte_is_listed(struct paged_space *s, uint64_t entry)
{
	struct walk w = { .va = KERNEL_HALF, .num_steps = 1 };
	struct windows_pte pte = windows_pte_decode(s->paging->config, entry);
	struct found_page page;

	if (pte.kind == WINDOWS_PTE_AT_VAD)
		return has_vads(s, 0) && atomic_load(&s->vad_misses) < MAX_VAD_MISSES;
	page.bytes = NULL;
	w.steps[0] = (struct walk_step){ .level = LEVEL_PT, .entry = entry, .captured = true };
	follow_entry(s, &w, &w.steps[0], &page);
	return w.has_bytes || w.has_pa;
}

/* A PDE whose table is in a page file leads to what the table's entries do. */
static bool table_is_listed(struct paged_space *s, uint64_t entry)
{
	struct windows_pte pte = windows_pte_decode(s->paging->config, entry);
	struct walk w = { .va = KERNEL_HALF };
	struct found_page page;

	page.bytes = NULL;
	if (pte.kind == WINDOWS_PTE_IN_PAGEFILE)
		find_in_pagefile(s, &w, &pte, &page);
	for (unsigned i = 0; page.bytes && i < PTES_OF_TABLE; i++) {
		uint64_t inner = load_u64(page.bytes + i * PTE_SIZE);

		if (!(inner & PTE_PRESENT) && pte_is_listed(s, inner))
			return true;
	}
	return false;
}

/* Nothing of the space changes but what caches hold. */
static bool is_listed(const void *arg, uint64_t entry, enum page_level level)
{
	struct paged_space *s = (struct paged_space *)arg;

	if (!entry || level > LEVEL_PD)
		return false;
	return level == LEVEL_PT ? pte_is_listed(s, entry) : table_is_listed(s, entry);
}

static const struct soft_pte_ops paged_soft_pte = { .classify = classify, .listed = is_listed };

static bool continues(const struct va_range *range, const struct walk *w)
{
	return w->state == range->state && w->has_pa == range->has_pa &&
	       (!w->has_pa || w->pa - range->pa == w->va - range->start);
}

/*
 * Of a stretch [va, last] that is not present: the first pages of it that can be read and are
 * alike. False: none can. Tables that are not there are passed as a whole.
 */
static bool next_elsewhere(struct paged_space *s, const struct va_range *soft, struct va_range *ret)
{
	uint64_t va = soft->start;
	bool found = false;

	for (;;) {
		struct walk w;
		uint64_t left;

		paged_walk(&s->base, va, &w);
		left = w.page_size > PAGE_SIZE ? w.page_size - (va & (w.page_size - 1))
					       : PAGE_SIZE - (va & PAGE_MASK);
		if (!w.has_bytes && w.state != VA_NOT_CAPTURED) {
			atomic_fetch_add(&s->vad_misses, 1);
			if (found)
				return true;
		} else if (!found) {
			found = true;
			*ret = (struct va_range){ .start = va,
						  .state = w.state,
						  .has_pa = w.has_pa,
						  .pa = w.pa,
						  .page_size = PAGE_SIZE,
						  .access = w.access };
			ret->last = va + left - 1;
		} else if (!continues(ret, &w)) {
			return true;
		} else {
			ret->last = va + left - 1;
		}
		if (soft->last - va < left)
			return found;
		va += left;
	}
}

/* Pages from va on that are zeros because nothing was written to them yet; false: va is none. */
static bool next_zeros(struct paged_space *s, uint64_t va, uint64_t last, struct va_range *ret)
{
	struct walk w;
	uint64_t left;

	space_walk(s->tables, va, &w);
	*ret = (struct va_range){ .start = va,
				  .last = va,
				  .state = VA_DEMAND_ZERO,
				  .page_size = PAGE_SIZE,
				  .access = w.access };
	for (unsigned i = 0; i < MAX_ZERO_HOLES; i++, space_walk(s->tables, va, &w)) {
		if (w.state != VA_NOT_PRESENT || w.steps[w.num_steps - 1].entry)
			break;
		left = w.page_size - (va & (w.page_size - 1));
		ret->last = last - va < left ? last : va + left - 1;
		if (ret->last == last)
			return true;
		va += left;
	}
	return va != ret->start;
}

/* The last address of a region that its descriptor says something of; false: of none. */
static bool told_by_region(const struct vad *vad, uint64_t *last_ret)
{
	uint64_t pages = (vad->last - vad->start) >> PAGE_SHIFT;

	*last_ret = vad->last;
	if (is_private(vad))
		return is_committed_private(vad);
	if (!vad->first_pte.present)
		return false;
	if (!vad->last_pte.present)
		return true;
	if (vad->last_pte.value < vad->first_pte.value)
		return false;
	if ((vad->last_pte.value - vad->first_pte.value) / PTE_SIZE < pages)
		pages = (vad->last_pte.value - vad->first_pte.value) / PTE_SIZE;
	*last_ret = vad->start + (pages << PAGE_SHIFT) + PAGE_SIZE - 1;
	return true;
}

/* The first pages of [va, last], of one region, that can be read. */
static bool next_in_region(struct paged_space *s, const struct vad *vad, uint64_t va, uint64_t last,
			   struct va_range *ret)
{
	struct va_range part = { .start = va };

	while (atomic_load(&s->vad_misses) < MAX_VAD_MISSES) {
		part.last = last - part.start < REGION_PART ? last : part.start + REGION_PART - 1;
		if (is_committed_private(vad) && next_zeros(s, part.start, last, ret))
			return true;
		if (next_elsewhere(s, &part, ret))
			return true;
		if (part.last == last)
			return false;
		part.start = part.last + 1;
	}
	return false;
}

/* Of [va, last], which the tables say nothing of: the first pages that VADs lead to. */
static bool next_by_regions(struct paged_space *s, uint64_t va, uint64_t last, struct va_range *ret)
{
	uint64_t user_last = vad_user_last(&s->base), told;
	struct vad vad;

	if (!has_vads(s, va) || !(s->follow & FOLLOW_REGIONS))
		return false;
	last = last < user_last ? last : user_last;
	while (va <= last && vad_reader_next(&s->paging->vads, s->eprocess, va, &vad) &&
	       vad.start <= last) {
		va = va > vad.start ? va : vad.start;
		if (told_by_region(&vad, &told) && va <= told &&
		    next_in_region(s, &vad, va, told < last ? told : last, ret))
			return true;
		va = vad.last + 1;
	}
	return false;
}

static bool paged_next(struct space *s, uint64_t va, struct va_range *ret)
{
	struct paged_space *p = paged_space(s);
	struct va_range range;

	while (space_next(p->tables, va, &range)) {
		if (range.start > va && next_by_regions(p, va, range.start - 1, ret))
			return true;
		/* of what is shown over and over, the first instance has told all */
		if (!is_soft(range.state) || range.repeat) {
			*ret = range;
			return true;
		}
		if (next_elsewhere(p, &range, ret))
			return true;
		va = range.last + 1;
		if (!va)
			return false;
	}
	return next_by_regions(p, va, UINT64_MAX, ret);
}

static void paged_destroy(struct space *s)
{
	space_destroy(paged_space(s)->tables);
	free(s);
}

static const struct space_ops paged_ops = {
	.name = "windows",
	.walk = paged_walk,
	.translate = paged_translate,
	.read = paged_read,
	.next = paged_next,
	.destroy = paged_destroy,
};

struct error *paging_open_following(struct paging *p, uint64_t root, uint64_t eprocess,
				    unsigned follow, struct space **ret)
{
	struct paged_space *s = calloc(1, sizeof(*s));
	struct error *err;

	if (!s)
		return &error_no_memory;
	err = space_create_amd64(p->mem, root, p->levels, &paged_soft_pte, s, &s->tables);
	if (err) {
		free(s);
		return err;
	}
	s->base.ops = &paged_ops;
	s->base.mem = p->mem;
	s->base.root = s->tables->root;
	s->base.levels = p->levels;
	s->paging = p;
	s->eprocess = eprocess;
	s->follow = follow;
	*ret = &s->base;
	return NULL;
}
