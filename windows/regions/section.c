/* SPDX-License-Identifier: MIT */
#include "windows/regions/section.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "base/u64_set.h"

DEFINE_FIELDS(section, SECTION_FIELDS);

enum {
	FAST_REF_MASK = 0xf,
	REMOTE_MASK = 3, /* set in _SECTION.u1: a file object, not a control area */
	/* MMSECTOR_SHIFT and MM4K_SHIFT of the memory manager (Windows Research Kernel, mi.h). */
	IMAGE_SECTOR_SHIFT = 9,
	DATA_SECTOR_SHIFT = 12,
	SECTOR_HIGH_SHIFT = 32, /* StartingSector4132 */
	PTE_SIZE = 8,
};

struct error *section_reader_init(struct kernel *k, struct section_reader *ret)
{
	struct section_reader r = { .space = k->space, .pte_config = &k->pte_config };
	struct error *err;

	if ((err = profile_bind(k->profile, section_field_rows, section_num_fields, r.fields)))
		return err;
	if (!profile_type_size(k->profile, "_CONTROL_AREA", &r.area_size))
		r.area_size = 0;
	*ret = r;
	return NULL;
}

static struct opt_u64 nonzero(struct opt_u64 v)
{
	v.present = v.present && v.value;
	return v;
}

static struct object structure(const struct section_reader *r, uint64_t va)
{
	return object_at(r->space, va, r->fields);
}

/* Windows 7 and 8 go by the segment. */
bool section_control_area(const struct section_reader *r, uint64_t section, uint64_t *ret)
{
	struct object o = structure(r, section), segment;
	struct opt_u64 va;

	if (r->fields[SECTION_AREA].present) {
		va = nonzero(object_opt(&o, SECTION_AREA));
		if (!va.present || va.value & REMOTE_MASK)
			return false;
		*ret = va.value;
		return true;
	}
	va = nonzero(object_opt(&o, SECTION_SEGMENT));
	segment = structure(r, va.value);
	va = va.present ? nonzero(object_opt(&segment, SECTION_SEGMENT_AREA)) : va;
	if (!va.present)
		return false;
	*ret = va.value;
	return true;
}

bool control_area_read(const struct section_reader *r, uint64_t va, struct control_area *ret)
{
	struct object o = structure(r, va), segment;
	struct control_area area = { .va = va };
	uint64_t back, image;

	if (!object_u64(&o, SECTION_AREA_SEGMENT, &area.segment) || !area.segment ||
	    !object_u64(&o, SECTION_AREA_IS_IMAGE, &image))
		return false;
	segment = structure(r, area.segment);
	/* the segment may be paged out; what it says is then absent, not wrong */
	if (object_u64(&segment, SECTION_SEGMENT_AREA, &back) && back != va)
		return false;
	area.is_image = image != 0;
	area.is_file = object_opt(&o, SECTION_AREA_IS_FILE);
	area.file_object = object_opt(&o, SECTION_AREA_FILE);
	area.file_object.value &= ~(uint64_t)FAST_REF_MASK;
	area.file_object = nonzero(area.file_object);
	area.views = object_opt(&o, SECTION_AREA_VIEWS);
	area.references = object_opt(&o, SECTION_AREA_REFERENCES);
	area.size = object_opt(&segment, SECTION_SEGMENT_SIZE);
	area.pages = object_opt(&segment, SECTION_SEGMENT_PTES);
	area.first_pte = nonzero(object_opt(&segment, SECTION_SEGMENT_FIRST_PTE));
	*ret = area;
	return true;
}

/* Which bytes of the file a subsection shows. */
static void read_extent(struct object *o, const struct control_area *area, struct subsection *part)
{
	unsigned shift = area->is_image ? IMAGE_SECTOR_SHIFT : DATA_SECTOR_SHIFT;
	struct opt_u64 sector = object_opt(o, SECTION_PART_SECTOR);
	struct opt_u64 sectors = object_opt(o, SECTION_PART_SECTORS);
	struct opt_u64 high = object_opt(o, SECTION_PART_SECTOR_HIGH);
	struct opt_u64 end = object_opt(o, SECTION_PART_END);

	if (!sector.present || !sectors.present)
		return;
	if (high.present)
		sector.value |= high.value << SECTOR_HIGH_SHIFT;
	part->offset = sector.value << shift;
	part->size = (sectors.value << shift) + (end.present ? end.value : 0);
}

/* Pages of an image lie where their prototype PTEs lie in the one array of the segment. */
static uint64_t first_page(const struct control_area *area, const struct subsection *part,
			   uint64_t next)
{
	uint64_t index;

	if (!area->is_image || !area->first_pte.present || !part->base.present ||
	    part->base.value < area->first_pte.value)
		return next;
	index = (part->base.value - area->first_pte.value) / PTE_SIZE;
	return area->pages.present && index < area->pages.value ? index : next;
}

static const char *read_part(const struct section_reader *r, const struct control_area *area,
			     uint64_t pages_left, uint64_t next_page, struct subsection *part,
			     uint64_t *next_ret)
{
	struct object o = structure(r, part->va);
	uint64_t back, pages;

	if (!object_u64(&o, SECTION_PART_AREA, &back) ||
	    !object_u64(&o, SECTION_PART_NEXT, next_ret) ||
	    !object_u64(&o, SECTION_PART_PTES, &pages))
		return o.fault.va ? va_state_text(o.fault.state) : "its layout is unknown";
	if (back != area->va)
		return "it is of another control area";
	if (pages > pages_left)
		return "it has more pages than the limit allows";
	part->pages = pages;
	part->base = nonzero(object_opt(&o, SECTION_PART_BASE));
	read_extent(&o, area, part);
	part->first_page = first_page(area, part, next_page);
	return NULL;
}

static struct error *read_parts(const struct section_reader *r, const struct control_area *area,
				struct u64_set *seen, struct subsection_list *list)
{
	uint64_t va = area->va + r->area_size, next_page = 0, pages_left = MAX_SECTION_PAGES;
	size_t capacity = 0;
	struct error *err;
	bool is_new;

	for (; va; list->count++) {
		struct subsection part = { .va = va };

		list->broken_at = va;
		if ((err = u64_set_add(seen, va, &is_new)))
			return err;
		list->broken = is_new ? read_part(r, area, pages_left, next_page, &part, &va)
				      : "the list runs in a loop";
		if (!list->broken && list->count == MAX_SUBSECTIONS)
			list->broken = "there are more than the limit allows";
		if (list->broken)
			return NULL;
		if ((err = array_reserve(&list->items, &capacity, list->count + 1,
					 sizeof(*list->items), MAX_SUBSECTIONS, "subsections")))
			return err;
		list->items[list->count] = part;
		next_page = part.first_page + part.pages;
		pages_left -= part.pages;
	}
	return NULL;
}

struct error *subsection_list_read(const struct section_reader *r, const struct control_area *area,
				   struct subsection_list *ret)
{
	struct u64_set seen CLEANUP(u64_set_deinit) = { 0 };
	struct subsection_list list = { 0 };
	struct error *err;

	if (!r->area_size)
		return error_new(ERROR_UNSUPPORTED, "the layout of sections is not known");
	if ((err = read_parts(r, area, &seen, &list))) {
		subsection_list_deinit(&list);
		return err;
	}
	*ret = list;
	return NULL;
}

void subsection_list_deinit(struct subsection_list *list)
{
	free(list->items);
	*list = (struct subsection_list){ 0 };
}

/* A prototype PTE that itself names a subsection has its page only in the file. */
static const enum va_state soft_states[] = {
	[WINDOWS_PTE_ZERO] = VA_NOT_PRESENT,	    [WINDOWS_PTE_IN_MEMORY] = VA_TRANSITION,
	[WINDOWS_PTE_AT_PROTO] = VA_PROTOTYPE,	    [WINDOWS_PTE_AT_VAD] = VA_PROTOTYPE,
	[WINDOWS_PTE_IN_PAGEFILE] = VA_PAGEFILE,    [WINDOWS_PTE_DEMAND_ZERO] = VA_DEMAND_ZERO,
	[WINDOWS_PTE_DECOMMITTED] = VA_NOT_PRESENT,
};

static void decode(const struct section_reader *r, struct section_page *page)
{
	struct windows_pte soft;

	if (page->pte & PTE_PRESENT) {
		page->state = VA_MAPPED;
		page->pa = page->pte & PTE_PFN_MASK;
		return;
	}
	if (windows_pte_is_file_pointer(page->pte)) {
		page->state = VA_PROTOTYPE;
		return;
	}
	soft = windows_pte_decode(r->pte_config, page->pte);
	page->state = soft_states[soft.kind];
	if (page->state == VA_TRANSITION)
		page->pa = soft.pa;
}

static void place(const struct subsection *part, uint64_t index, struct section_page *page)
{
	uint64_t at = index << PAGE_SHIFT;

	page->page = part->first_page + index;
	page->offset = part->offset + at;
	page->length = PAGE_SIZE;
	if (at >= part->size)
		page->length = 0;
	else if (part->size - at < PAGE_SIZE)
		page->length = (uint32_t)(part->size - at);
}

static struct error *each_captured(const struct section_reader *r, const struct subsection *part,
				   uint64_t first, uint64_t count, const uint8_t *ptes,
				   section_page_fn *fn, void *arg)
{
	struct error *err = NULL;

	for (uint64_t i = 0; i < count && !err; i++) {
		struct section_page page = {
			.count = 1,
			.pte_address = part->base.value + (first + i) * PTE_SIZE,
			.pte = load_u64(ptes + i * PTE_SIZE),
		};

		place(part, first + i, &page);
		decode(r, &page);
		err = fn(arg, &page);
	}
	return err;
}

static struct error *each_absent(const struct subsection *part, uint64_t first, uint64_t count,
				 section_page_fn *fn, void *arg)
{
	struct section_page page = {
		.count = count,
		.state = VA_NOT_CAPTURED,
		.pte_address = part->base.value + first * PTE_SIZE,
	};

	place(part, first, &page);
	return fn(arg, &page);
}

struct error *subsection_each_page(const struct section_reader *r, const struct subsection *part,
				   section_page_fn *fn, void *arg)
{
	uint8_t ptes[PAGE_SIZE];
	struct error *err = NULL;
	uint64_t done = 0;

	while (!err && part->base.present && done < part->pages) {
		uint64_t va = part->base.value + done * PTE_SIZE;
		uint64_t count = (PAGE_SIZE - va % PAGE_SIZE) / PTE_SIZE; /* to the page's end */

		if (!count)
			break; /* an array that is not aligned is none */
		if (count > part->pages - done)
			count = part->pages - done;
		if (space_try_read(r->space, va, ptes, count * PTE_SIZE, NULL))
			err = each_captured(r, part, done, count, ptes, fn, arg);
		else
			err = each_absent(part, done, count, fn, arg);
		done += count;
	}
	return err;
}
