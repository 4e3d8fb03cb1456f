/* SPDX-License-Identifier: MIT */
#include "windows/regions/file_content.h"

#include <stdlib.h>
#include <string.h>

const char *file_source_name(enum file_source source)
{
	static const char *const names[NUM_FILE_SOURCES] = {
		[FILE_FROM_DATA] = "data_section",
		[FILE_FROM_CACHE] = "cache",
		[FILE_FROM_IMAGE] = "image_section",
	};

	return names[source];
}

struct error *file_content_reader_init(struct kernel *k, struct file_content_reader *ret)
{
	struct error *err;

	ret->k = k;
	if ((err = section_reader_init(k, &ret->sections)))
		return err;
	return file_cache_reader_init(k, &ret->caches);
}

/* Pieces of one file while they are gathered. */
struct gather {
	const struct file_content_reader *r;
	struct file_content *content;
	size_t capacity;
	enum file_source source;
};

static struct error *add_piece(struct gather *g, const struct file_piece *piece)
{
	struct file_content *c = g->content;
	struct error *err;

	if ((err = array_reserve(&c->pieces, &g->capacity, c->count + 1, sizeof(*c->pieces),
				 MAX_FILE_PIECES, "pages of a file")))
		return err;
	c->pieces[c->count++] = *piece;
	return NULL;
}

/* Sections of an image begin anywhere in the file: cut where its pages meet. */
static struct error *add_bytes(struct gather *g, const struct section_page *page, bool paged)
{
	struct error *err = NULL;

	for (uint32_t done = 0, part; !err && done < page->length; done += part) {
		uint64_t offset = page->offset + done;

		part = (uint32_t)(PAGE_SIZE - offset % PAGE_SIZE);
		if (part > page->length - done)
			part = page->length - done;
		err = add_piece(g, &(struct file_piece){
					   .offset = offset,
					   .address = paged ? page->pte : page->pa + done,
					   .length = part,
					   .source = g->source,
					   .paged = paged,
					   .inside = paged ? done : 0,
				   });
	}
	return err;
}

static struct error *add_paged(struct gather *g, const struct section_page *page)
{
	struct paging *paging = g->r->k->paging;
	struct prototype_page found = { .has_bytes = false };

	if (paging)
		paging_read_prototype(paging, page->pte, NULL, &found);
	if (found.has_bytes)
		return add_bytes(g, page, true);
	g->content->paged_out++;
	return NULL;
}

static bool is_captured(struct kernel *k, uint64_t pa)
{
	struct page_view view;

	if (!k->snap->mem || !physmem_view(k->snap->mem, pa, &view, NULL))
		return false;
	page_release(&view);
	return true;
}

static struct error *add_section_page(void *arg, const struct section_page *page)
{
	struct gather *g = arg;

	if (page->state == VA_NOT_CAPTURED)
		g->content->absent_entries += page->count;
	if (page->length && page->state == VA_PAGEFILE)
		return add_paged(g, page);
	if (!page->length || (page->state != VA_MAPPED && page->state != VA_TRANSITION))
		return NULL;
	if (!is_captured(g->r->k, page->pa)) {
		g->content->not_captured++;
		return NULL;
	}
	return add_bytes(g, page, false);
}

static void grow_size(struct file_content *c, uint64_t end)
{
	if (!c->has_size || end > c->size)
		c->size = end;
	c->has_size = true;
}

/* Offsets of an image's sections have 32 bits; data lies inside of the segment, where that is
 * known.
 */
static bool is_possible(const struct control_area *area, const struct subsection *part)
{
	if (area->is_image)
		return part->offset <= UINT32_MAX;
	return !area->size.present || part->offset < area->size.value || !part->size;
}

/* A subsection shows no more than its pages, whatever it says of sectors. */
static uint64_t file_end(const struct subsection *part)
{
	uint64_t held = part->pages << PAGE_SHIFT;

	return part->offset + (part->size < held ? part->size : held);
}

static struct error *add_section(struct gather *g, struct opt_u64 va, enum file_source source)
{
	struct subsection_list parts CLEANUP(subsection_list_deinit) = { 0 };
	const struct section_reader *sections = &g->r->sections;
	struct control_area area;
	struct error *err = NULL;

	if (!va.present)
		return NULL;
	g->source = source;
	if (!control_area_read(sections, va.value, &area)) {
		g->content->broken = "its control area cannot be read";
		return NULL;
	}
	if ((err = subsection_list_read(sections, &area, &parts)))
		return err;
	if (parts.broken)
		g->content->broken = parts.broken;
	for (size_t i = 0; i < parts.count && !err; i++) {
		const struct subsection *part = &parts.items[i];

		if (!is_possible(&area, part)) {
			g->content->broken = "where a subsection is in the file is impossible";
			continue;
		}
		if (part->size)
			grow_size(g->content, file_end(part));
		err = subsection_each_page(sections, part, add_section_page, g);
	}
	return err;
}

/* A page of zeros that nobody has written to yet is no page of the file. */
static struct error *add_view(void *arg, const struct file_cache_view *view)
{
	struct gather *g = arg;
	struct error *err = NULL;
	struct walk walk;

	for (uint64_t at = 0; at < FILE_CACHE_VIEW_SIZE && !err; at += PAGE_SIZE) {
		space_walk(g->r->k->space, view->base + at, &walk);
		if (walk.state == VA_NOT_CAPTURED)
			g->content->not_captured++;
		if (walk.has_bytes && walk.state != VA_DEMAND_ZERO)
			err = add_piece(g, &(struct file_piece){ .offset = view->offset + at,
								 .address = view->base + at,
								 .length = PAGE_SIZE,
								 .source = g->source });
	}
	return err;
}

static struct error *add_cache(struct gather *g, struct opt_u64 va)
{
	struct file_content *c = g->content;
	struct file_cache cache;

	if (!va.present)
		return NULL;
	g->source = FILE_FROM_CACHE;
	if (!file_cache_read(&g->r->caches, va.value, &cache)) {
		c->broken = "its cache map cannot be read";
		return NULL;
	}
	/* the one place that knows the size to the byte */
	if (cache.file_size.present) {
		c->has_size = true;
		c->size = cache.file_size.value;
	}
	return file_cache_each_view(&g->r->caches, &cache, add_view, g, &c->lost_views);
}

static int compare_pieces(const void *a, const void *b)
{
	const struct file_piece *x = a, *y = b;
	uint64_t x_page = x->offset >> PAGE_SHIFT, y_page = y->offset >> PAGE_SHIFT;

	if (x_page != y_page)
		return x_page < y_page ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
}

struct error *file_content_read(const struct file_content_reader *r, const struct file_object *file,
				struct file_content *ret)
{
	struct file_content c CLEANUP(file_content_deinit) = { .k = r->k };
	struct gather g = { .r = r, .content = &c };
	struct error *err;

	if ((err = add_section(&g, file->data_section, FILE_FROM_DATA)) ||
	    (err = add_section(&g, file->image_section, FILE_FROM_IMAGE)) ||
	    (err = add_cache(&g, file->shared_cache_map)))
		return err;
	if (c.count)
		qsort(c.pieces, c.count, sizeof(*c.pieces), compare_pieces);
	*ret = c;
	c = (struct file_content){ 0 };
	return NULL;
}

void file_content_deinit(struct file_content *c)
{
	free(c->pieces);
	*c = (struct file_content){ 0 };
}

/* One page of the file, put together. */
struct file_page {
	uint64_t number;
	uint8_t bytes[PAGE_SIZE];
	const struct file_piece *from[PAGE_SIZE]; /* of each byte; NULL: nowhere */
};

static bool read_paged(const struct file_content *c, const struct file_piece *piece, uint8_t *buf)
{
	struct prototype_page found;
	uint8_t page[PAGE_SIZE];

	paging_read_prototype(c->k->paging, piece->address, page, &found);
	if (found.has_bytes)
		memcpy(buf, page + piece->inside, piece->length);
	return found.has_bytes;
}

static bool read_piece(const struct file_content *c, const struct file_piece *piece, uint8_t *buf)
{
	if (piece->paged)
		return read_paged(c, piece, buf);
	if (piece->source == FILE_FROM_CACHE)
		return space_try_read(c->k->space, piece->address, buf, piece->length, NULL);
	return physmem_read(c->k->snap->mem, piece->address, buf, piece->length) == piece->length;
}

/* Fills what no better place had, and counts what this one says otherwise. */
static void lay(const struct file_content *c, const struct file_piece *piece,
		struct file_page *page, struct file_difference *differences)
{
	size_t start = piece->offset % PAGE_SIZE;
	struct file_difference *d = &differences[piece->source];
	uint8_t bytes[PAGE_SIZE];

	if (!read_piece(c, piece, bytes))
		return;
	for (size_t i = 0; i < piece->length; i++) {
		size_t at = start + i;

		if (!page->from[at]) {
			page->from[at] = piece;
			page->bytes[at] = bytes[i];
		} else if (page->bytes[at] != bytes[i]) {
			if (!d->bytes++)
				d->first = piece->offset + i;
		}
	}
}

static struct error *give_stretch(const struct file_piece *piece, uint64_t offset,
				  const uint8_t *bytes, size_t len, file_stretch_fn *fn, void *arg)
{
	struct file_stretch stretch = { offset, bytes, len, piece->source, { 0 }, { 0 } };
	struct opt_u64 address = opt_u64(piece->address + (offset - piece->offset));

	if (piece->source == FILE_FROM_CACHE)
		stretch.va = address;
	else if (!piece->paged)
		stretch.pa = address;
	return fn(arg, &stretch);
}

static struct error *give(const struct file_content *c, const struct file_page *page,
			  file_stretch_fn *fn, void *arg)
{
	uint64_t base = page->number << PAGE_SHIFT;
	size_t end = PAGE_SIZE, next;
	struct error *err = NULL;

	if (c->has_size && c->size - base < PAGE_SIZE)
		end = (size_t)(c->size - base);
	for (size_t at = 0; at < end && !err; at = next) {
		const struct file_piece *piece = page->from[at];

		for (next = at + 1; next < end && page->from[next] == piece;)
			next++;
		if (piece)
			err = give_stretch(piece, base + at, page->bytes + at, next - at, fn, arg);
	}
	return err;
}

struct error *file_content_each(const struct file_content *c, file_stretch_fn *fn, void *arg,
				struct file_difference differences[NUM_FILE_SOURCES])
{
	struct file_page *page = malloc(sizeof(*page));
	struct error *err = NULL;
	size_t i = 0;

	if (!page)
		return &error_no_memory;
	memset(differences, 0, NUM_FILE_SOURCES * sizeof(*differences));
	while (i < c->count && !err) {
		page->number = c->pieces[i].offset >> PAGE_SHIFT;
		if (c->has_size && page->number << PAGE_SHIFT >= c->size)
			break;
		memset(page->from, 0, sizeof(page->from));
		for (; i < c->count && c->pieces[i].offset >> PAGE_SHIFT == page->number; i++)
			lay(c, &c->pieces[i], page, differences);
		err = give(c, page, fn, arg);
	}
	free(page);
	return err;
}
