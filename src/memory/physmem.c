/* SPDX-License-Identifier: MIT */
#include "memory/physmem.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/u64_set.h"
#include "memory/extent.h"

enum { MAX_SOURCES = 1 << 16 };

struct page_source {
	const struct page_source_ops *ops;
	void *arg;
};

/*
 * Runs are extents: those of the file carry it, the others have file NULL, offset = address and
 * tag = index of their source.
 */
struct physmem {
	struct extent_list runs;
	struct page_source *sources;
	size_t num_sources, sources_capacity;
	uint64_t captured_bytes, captured_pages;
	/* For physmem_count_pages(): one bit a page that runs reach, in address order. */
	uint64_t *touched;
	uint64_t *first_slots; /* of each run */
	uint64_t num_touched;
	struct {
		pthread_mutex_t lock;
		struct u64_set pages; /* gfns */
		uint64_t first;	      /* the lowest, and why */
		struct error *why;
	} damage;
};

struct error *physmem_create(struct physmem **ret)
{
	struct physmem *mem = calloc(1, sizeof(*mem));

	if (!mem)
		return &error_no_memory;
	pthread_mutex_init(&mem->damage.lock, NULL);
	*ret = mem;
	return NULL;
}

void physmem_destroy(struct physmem *mem)
{
	if (!mem)
		return;
	for (size_t i = 0; i < mem->num_sources; i++) {
		if (mem->sources[i].ops->destroy)
			mem->sources[i].ops->destroy(mem->sources[i].arg);
	}
	free(mem->sources);
	extent_list_deinit(&mem->runs);
	free(mem->touched);
	free(mem->first_slots);
	u64_set_deinit(&mem->damage.pages);
	error_destroy(mem->damage.why);
	pthread_mutex_destroy(&mem->damage.lock);
	free(mem);
}

static struct error *add_run(struct physmem *mem, struct extent *run, uint64_t length)
{
	if (run->start > PHYSMEM_MAX_END || length > PHYSMEM_MAX_END - run->start)
		return error_new(ERROR_CORRUPT,
				 "run of 0x%" PRIx64 " bytes at physical address 0x%" PRIx64
				 ": expected it to end at or below 0x%" PRIx64,
				 length, run->start, PHYSMEM_MAX_END);
	if (!length)
		return NULL;
	run->last = run->start + length - 1;
	return extent_list_add(&mem->runs, run);
}

struct error *physmem_add_file(struct physmem *mem, uint64_t pa, uint64_t length,
			       const struct file *file, uint64_t file_offset)
{
	struct extent run = { .start = pa, .file = file, .offset = file_offset };
	struct error *err = extent_check_file(file, file_offset, length);

	return err ? err : add_run(mem, &run, length);
}

static struct error *add_source(struct physmem *mem, uint64_t first_gfn, uint64_t count,
				const struct page_source_ops *ops, void *arg)
{
	struct extent run = { .tag = mem->num_sources };
	struct error *err;

	if (first_gfn > PHYSMEM_MAX_END >> PAGE_SHIFT ||
	    count > (PHYSMEM_MAX_END >> PAGE_SHIFT) - first_gfn)
		return error_new(ERROR_CORRUPT,
				 "0x%" PRIx64 " pages from page frame 0x%" PRIx64
				 ": expected physical addresses below 0x%" PRIx64,
				 count, first_gfn, PHYSMEM_MAX_END);
	err = array_reserve(&mem->sources, &mem->sources_capacity, mem->num_sources + 1,
			    sizeof(*mem->sources), MAX_SOURCES, "page sources");
	if (err)
		return err;
	run.start = run.offset = first_gfn << PAGE_SHIFT;
	err = add_run(mem, &run, count << PAGE_SHIFT);
	if (err)
		return err;
	mem->sources[mem->num_sources++] = (struct page_source){ ops, arg };
	return NULL;
}

struct error *physmem_add_source(struct physmem *mem, uint64_t first_gfn, uint64_t count,
				 const struct page_source_ops *ops, void *arg)
{
	struct error *err = add_source(mem, first_gfn, count, ops, arg);

	if (err && ops->destroy)
		ops->destroy(arg);
	return err;
}

struct error *physmem_seal(struct physmem *mem)
{
	struct error *err = extent_list_seal(&mem->runs);
	struct mem_range range;
	uint64_t pa = 0, next_gfn = 0;

	if (err)
		return err;
	mem->captured_bytes = mem->captured_pages = 0;
	for (; physmem_next(mem, pa, false, &range); pa = range.end) {
		uint64_t first = range.start >> PAGE_SHIFT;
		uint64_t end = ((range.end - 1) >> PAGE_SHIFT) + 1;

		mem->captured_bytes += range.end - range.start;
		/* two ranges may share a page */
		mem->captured_pages += end - (first < next_gfn ? next_gfn : first);
		next_gfn = end;
	}
	return NULL;
}

uint64_t physmem_captured_bytes(const struct physmem *mem)
{
	return mem->captured_bytes;
}

uint64_t physmem_captured_pages(const struct physmem *mem)
{
	return mem->captured_pages;
}

uint64_t physmem_overlap_bytes(const struct physmem *mem)
{
	return mem->runs.overlap;
}

uint64_t physmem_end(const struct physmem *mem)
{
	return mem->runs.count ? mem->runs.items[mem->runs.count - 1].last + 1 : 0;
}

size_t physmem_num_runs(const struct physmem *mem)
{
	return mem->runs.count;
}

static void count_touch(struct physmem *mem, const struct extent *run, uint64_t gfn)
{
	size_t index = (size_t)(run - mem->runs.items);
	uint64_t slot = mem->first_slots[index] + (gfn - (run->start >> PAGE_SHIFT));
	uint64_t bit = UINT64_C(1) << (slot % 64);
	uint64_t *word = &mem->touched[slot / 64];

	if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit)
		return;
	if (!(__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit))
		__atomic_fetch_add(&mem->num_touched, 1, __ATOMIC_RELAXED);
}

/* Sets view->bytes, NULL when the page is absent, and whom to give them back to. */
static struct error *view_bytes(const struct physmem *mem, const struct extent *run, uint64_t page,
				struct page_view *view)
{
	const struct page_source *source;
	struct error *err;

	if (run->file) {
		uint64_t offset = run->offset + (page + view->begin - run->start);

		if (!run->file->content) {
			view->bytes = run->file->bytes + offset;
			return NULL;
		}
		err = file_view(run->file, offset, view->end - view->begin, &view->file_view);
		view->bytes = view->file_view.bytes;
		return err;
	}
	source = &mem->sources[run->tag];
	err = source->ops->page(source->arg, page >> PAGE_SHIFT, &view->bytes, &view->pin);
	if (err || !view->bytes)
		return err;
	view->bytes += view->begin;
	view->ops = source->ops;
	view->arg = source->arg;
	return NULL;
}

static struct error *copy_error(const struct error *err)
{
	return error_new(error_code(err), "%s", error_message(err));
}

static void note_damage(struct physmem *mem, uint64_t gfn, const struct error *why)
{
	bool is_new = false;

	pthread_mutex_lock(&mem->damage.lock);
	if (mem->damage.pages.count < PHYSMEM_MAX_DAMAGE)
		error_destroy(u64_set_add(&mem->damage.pages, gfn, &is_new));
	if (is_new && (!mem->damage.why || gfn < mem->damage.first)) {
		error_destroy(mem->damage.why);
		mem->damage.why = copy_error(why);
		mem->damage.first = gfn;
	}
	pthread_mutex_unlock(&mem->damage.lock);
}

struct error *physmem_damage(struct physmem *mem, uint64_t *pages_ret)
{
	struct error *why;

	pthread_mutex_lock(&mem->damage.lock);
	*pages_ret = mem->damage.pages.count + mem->damage.pages.has_zero;
	why = mem->damage.why ? copy_error(mem->damage.why) : NULL;
	pthread_mutex_unlock(&mem->damage.lock);
	return why;
}

bool physmem_view(struct physmem *mem, uint64_t pa, struct page_view *ret, struct error **err)
{
	const struct extent *run = extent_list_at(&mem->runs, pa);
	uint64_t page = pa & ~(uint64_t)PAGE_MASK;
	struct page_view view = { .end = PAGE_SIZE };
	struct error *page_err;

	if (err)
		*err = NULL;
	if (!run)
		return false;
	if (run->start > page)
		view.begin = (uint32_t)(run->start - page);
	if (run->last - page < PAGE_MASK)
		view.end = (uint32_t)(run->last - page) + 1;
	page_err = view_bytes(mem, run, page, &view);
	if (page_err)
		note_damage(mem, page >> PAGE_SHIFT, page_err);
	if (page_err && err)
		*err = page_err;
	else
		error_destroy(page_err);
	if (page_err || !view.bytes)
		return false;
	if (mem->touched)
		count_touch(mem, run, pa >> PAGE_SHIFT);
	*ret = view;
	return true;
}

void page_release(struct page_view *view)
{
	if (view->ops && view->ops->release)
		view->ops->release(view->arg, view->pin);
	file_view_release(&view->file_view);
	*view = (struct page_view){ 0 };
}

size_t physmem_read(struct physmem *mem, uint64_t pa, void *buf, size_t len)
{
	uint8_t *out = buf;
	size_t done = 0;
	struct page_view view;

	while (done < len && physmem_view(mem, pa + done, &view, NULL)) {
		size_t at = (size_t)((pa + done) & PAGE_MASK);
		size_t part = view.end - at;

		if (part > len - done)
			part = len - done;
		memcpy(out + done, view.bytes + (at - view.begin), part);
		page_release(&view);
		done += part;
	}
	return done;
}

static uint64_t page_floor(uint64_t pa)
{
	return pa & ~(uint64_t)PAGE_MASK;
}

/* The first stretch of captured bytes of one run at or after pa. */
static bool run_next(struct physmem *mem, const struct extent *run, uint64_t pa, bool skip_holes,
		     struct mem_range *ret)
{
	uint64_t start = pa > run->start ? pa : run->start, end = run->last + 1;
	uint64_t first, last;

	if (!run->file) {
		const struct page_source *source = &mem->sources[run->tag];

		if (!source->ops->next(source->arg, start >> PAGE_SHIFT, &first, &last))
			return false;
		if (first << PAGE_SHIFT > start)
			start = first << PAGE_SHIFT;
		if ((last + 1) << PAGE_SHIFT < end)
			end = (last + 1) << PAGE_SHIFT;
	} else if (skip_holes) {
		uint64_t delta = run->offset - run->start; /* wraps, and so does its use */

		if (!file_next_data(run->file, start + delta, &first, &last) ||
		    first >= run->offset + (end - run->start))
			return false;
		if (page_floor(first - delta) > start)
			start = page_floor(first - delta);
		if (page_floor(last - delta + PAGE_MASK) < end)
			end = page_floor(last - delta + PAGE_MASK);
	}
	*ret = (struct mem_range){ start, end };
	return start < end;
}

bool physmem_next(struct physmem *mem, uint64_t pa, bool skip_holes, struct mem_range *ret)
{
	const struct extent_list *runs = &mem->runs;
	size_t i = extent_list_find(runs, pa);
	struct mem_range range, more;

	while (i < runs->count && !run_next(mem, &runs->items[i], pa, skip_holes, &range))
		i++;
	if (i == runs->count)
		return false;
	while (range.end > runs->items[i].last && i + 1 < runs->count &&
	       runs->items[i + 1].start == range.end &&
	       run_next(mem, &runs->items[++i], range.end, skip_holes, &more) &&
	       more.start == range.end)
		range.end = more.end;
	*ret = range;
	return true;
}

bool physmem_file_offset(struct physmem *mem, uint64_t pa, uint64_t *ret)
{
	const struct extent *run = extent_list_at(&mem->runs, pa);
	const struct page_source *source;
	uint64_t offset;

	if (!run)
		return false;
	if (run->file) {
		*ret = run->offset + (pa - run->start);
		return !run->file->is_internal;
	}
	source = &mem->sources[run->tag];
	if (!source->ops->file_offset ||
	    !source->ops->file_offset(source->arg, pa >> PAGE_SHIFT, &offset))
		return false;
	*ret = offset + (pa & PAGE_MASK);
	return true;
}

void physmem_count_pages(struct physmem *mem)
{
	uint64_t slots = 0, next_gfn = 0;

	if (mem->touched || !mem->runs.count)
		return;
	mem->first_slots = calloc(mem->runs.count, sizeof(*mem->first_slots));
	if (!mem->first_slots)
		return;
	for (size_t i = 0; i < mem->runs.count; i++) {
		uint64_t first = mem->runs.items[i].start >> PAGE_SHIFT;
		uint64_t end = (mem->runs.items[i].last >> PAGE_SHIFT) + 1;

		if (first < next_gfn)
			slots--; /* a page of two runs has one slot */
		mem->first_slots[i] = slots;
		slots += end - first;
		next_gfn = end;
	}
	mem->touched = calloc(slots / 64 + 1, sizeof(*mem->touched));
}

uint64_t physmem_pages_touched(struct physmem *mem)
{
	return __atomic_load_n(&mem->num_touched, __ATOMIC_RELAXED);
}
