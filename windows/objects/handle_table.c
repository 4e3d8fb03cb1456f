/* SPDX-License-Identifier: MIT */
#include "windows/objects/handle_table.h"

#include <string.h>

#include "base/cursor.h"

DEFINE_FIELDS(handle, HANDLE_FIELDS);

enum {
	MAX_HANDLES = 1 << 24, /* Windows' own limit for one process */
	HANDLE_SHIFT = 2,      /* handle values count in fours */
	POINTER_SIZE = 8,
	POINTERS_PER_PAGE = PAGE_SIZE / POINTER_SIZE,
	MIN_ENTRY_SIZE = 8,
	POINTER_LOW_BITS = 4,  /* that ObjectPointerBits leaves out: objects are 16-aligned */
	OLD_ENTRY_FLAGS = 7,   /* low bits of Object: lock, inherit, audit */
	OLD_PROTECT = 1 << 25, /* in GrantedAccess, where Object has no bit left for it */
	ACCESS_MASK_BITS = 25, /* specific, standard, and ACCESS_SYSTEM_SECURITY (winnt.h) */
};

struct error *handle_layout_bind(const struct profile *p, struct handle_layout *ret)
{
	if (!profile_type_size(p, "_HANDLE_TABLE_ENTRY", &ret->entry_size))
		ret->entry_size = 0;
	return profile_bind(p, handle_field_rows, handle_num_fields, ret->fields);
}

static uint64_t low_bits(uint64_t value, unsigned count)
{
	return count < 64 ? value & ((UINT64_C(1) << count) - 1) : value;
}

/* A number of an entry; the layout was checked to lie in it. */
static uint64_t entry_number(const struct field *f, const uint8_t *entry)
{
	uint64_t value = f->size == 4 ? load_u32(entry + f->offset) : load_u64(entry + f->offset);

	return f->bit_size ? low_bits(value >> f->bit_pos, f->bit_size) : value;
}

/* Is the field there, and in the entry? */
static bool fits_entry(const struct handle_layout *l, unsigned field)
{
	const struct field *f = &l->fields[field];

	return f->present && (f->size == 4 || f->size == 8) && f->offset <= l->entry_size - f->size;
}

bool handle_layout_is_known(const struct handle_layout *l)
{
	return l->entry_size >= MIN_ENTRY_SIZE && l->entry_size <= PAGE_SIZE &&
	       fits_entry(l, HANDLE_OBJECT);
}

static uint64_t entries_per_page(const struct handle_layout *l)
{
	return PAGE_SIZE / l->entry_size;
}

/* 0: the entry is free. */
static uint64_t entry_pointer(const struct handle_layout *l, const uint8_t *entry)
{
	const struct field *f = &l->fields[HANDLE_OBJECT];
	uint64_t value = entry_number(f, entry);
	unsigned unused;

	if (!f->bit_size || !value)
		return value & ~(uint64_t)OLD_ENTRY_FLAGS;
	if (f->bit_size + POINTER_LOW_BITS >= 64)
		return value << POINTER_LOW_BITS;
	/* what is left out above is the sign */
	unused = 64 - POINTER_LOW_BITS - f->bit_size;
	return (uint64_t)((int64_t)(value << (unused + POINTER_LOW_BITS)) >> unused);
}

static void read_rights(const struct handle_layout *l, const uint8_t *entry,
			struct handle_entry *ret)
{
	bool is_old = !l->fields[HANDLE_OBJECT].bit_size;
	uint64_t access, attributes;

	ret->access = ret->attributes = (struct opt_u64){ 0 };
	if (!fits_entry(l, HANDLE_ACCESS))
		return;
	access = entry_number(&l->fields[HANDLE_ACCESS], entry);
	ret->access = opt_u64(low_bits(access, ACCESS_MASK_BITS));
	if (!fits_entry(l, HANDLE_ATTRIBUTES))
		return;
	attributes = entry_number(&l->fields[HANDLE_ATTRIBUTES], entry);
	if (is_old)
		attributes = (attributes & (HANDLE_INHERIT | HANDLE_AUDIT)) |
			     (access & OLD_PROTECT ? HANDLE_PROTECT : 0);
	ret->attributes = opt_u64(attributes & (HANDLE_PROTECT | HANDLE_INHERIT | HANDLE_AUDIT));
}

bool handle_walk_start(struct handle_walk *w, struct space *s, const struct handle_layout *layout,
		       uint64_t va, struct fault *fault)
{
	struct object table = object_at(s, va, layout->fields);
	uint64_t code, next;

	*fault = (struct fault){ 0 };
	if (!handle_layout_is_known(layout))
		return false;
	if (!object_u64(&table, HANDLE_TABLE_CODE, &code) ||
	    !object_u64(&table, HANDLE_NEXT, &next)) {
		*fault = table.fault;
		return false;
	}
	*w = (struct handle_walk){
		.space = s,
		.layout = layout,
		.level = (unsigned)(code & 3),
		.root = code & ~UINT64_C(7),
		.limit = (next & UINT32_MAX) >> HANDLE_SHIFT,
	};
	if (w->limit <= MAX_HANDLES && w->level <= HANDLE_TABLE_LEVELS)
		return true;
	*fault = (struct fault){ va, VA_MAPPED };
	return false;
}

/* Pages of entries that one pointer of a page at this level stands for. */
static uint64_t leaves_below(unsigned level)
{
	return level > 1 ? POINTERS_PER_PAGE : 1;
}

static uint64_t num_leaves(const struct handle_walk *w)
{
	uint64_t per_page = entries_per_page(w->layout);

	return (w->limit + per_page - 1) / per_page;
}

/* How many entries the table's levels have room for, whatever it says. */
static uint64_t capacity(const struct handle_walk *w)
{
	uint64_t ret = entries_per_page(w->layout);

	for (unsigned i = 0; i < w->level; i++)
		ret *= POINTERS_PER_PAGE;
	return ret;
}

/*
 * A page of pointers; those that the table needs, as the pool block may be no whole page. number:
 * of a page of entries below it. NULL: absent.
 */
static const uint8_t *read_pointers(struct handle_walk *w, unsigned level, uint64_t va,
				    uint64_t number, struct fault *fault)
{
	struct pointer_page *page = &w->pages[level - 1];
	uint64_t span = leaves_below(level) * POINTERS_PER_PAGE;
	uint64_t last = num_leaves(w) - 1, first = number - number % span;
	uint64_t needed = POINTERS_PER_PAGE;

	if (page->va == va)
		return page->bytes;
	if (last - first < span)
		needed = (last - first) / leaves_below(level) + 1;
	page->va = 0;
	memset(page->bytes, 0, sizeof(page->bytes));
	if (!space_try_read(w->space, va, page->bytes, (size_t)needed * POINTER_SIZE, fault))
		return NULL;
	page->va = va;
	return page->bytes;
}

/* No page of a table is named twice: else a few pages could claim any number of handles. */
static bool is_repeated(const struct handle_walk *w, const uint8_t *page, uint64_t slot,
			uint64_t value)
{
	if (value == w->root)
		return true;
	for (uint64_t i = 0; i < slot; i++) {
		if (load_u64(page + i * POINTER_SIZE) == value)
			return true;
	}
	return false;
}

/* How many pointers from slot on are as this one, none. */
static uint64_t count_missing(const uint8_t *page, uint64_t slot)
{
	uint64_t end = slot;

	while (end < POINTERS_PER_PAGE && !load_u64(page + end * POINTER_SIZE))
		end++;
	return end - slot;
}

/*
 * Where the page of entries with this number is. Else 0, why, and how many such pages, from this
 * one on, are out of reach for the same reason.
 */
static uint64_t find_leaf(struct handle_walk *w, uint64_t number, uint64_t *skip,
			  struct handle_gap *gap)
{
	uint64_t va = w->root, above, span, slot;
	const uint8_t *page;

	for (unsigned level = w->level; level > 0; level--) {
		span = leaves_below(level);
		slot = number / span % POINTERS_PER_PAGE;
		*skip = POINTERS_PER_PAGE * span - number % (POINTERS_PER_PAGE * span);
		page = read_pointers(w, level, va, number, &gap->fault);
		if (!page) {
			gap->why = va_state_text(gap->fault.state);
			return 0;
		}
		*skip = span - number % span;
		above = va;
		va = load_u64(page + slot * POINTER_SIZE);
		gap->fault = (struct fault){ va ? va : above, VA_MAPPED };
		if (!va) {
			*skip += (count_missing(page, slot) - 1) * span;
			gap->why = "it has no pointer to their page";
			return 0;
		}
		if (is_repeated(w, page, slot, va)) {
			gap->why = "the table has it twice";
			return 0;
		}
	}
	return va;
}

/* Makes leaf[] the page that has the next entry; false: goes on behind what is out of reach. */
static bool load_leaf(struct handle_walk *w, struct handle_gap *gap)
{
	uint64_t per_page = entries_per_page(w->layout), number = w->index / per_page, skip = 1;
	uint64_t va;

	*gap = (struct handle_gap){ .first = w->index << HANDLE_SHIFT };
	va = find_leaf(w, number, &skip, gap);
	if (!gap->why) {
		w->leaf_va = va;
		if (space_try_read(w->space, va, w->leaf, sizeof(w->leaf), &gap->fault))
			return true;
		gap->why = va_state_text(gap->fault.state);
		skip = 1;
	}
	w->index = (number + skip) * per_page;
	if (w->index > w->limit)
		w->index = w->limit;
	gap->last = (w->index - 1) << HANDLE_SHIFT;
	return false;
}

static bool take_entry(struct handle_walk *w, struct handle_entry *ret)
{
	uint64_t slot = w->index++ % entries_per_page(w->layout);
	const uint8_t *entry = w->leaf + slot * w->layout->entry_size;
	uint64_t pointer = slot ? entry_pointer(w->layout, entry) : 0;

	if (!pointer)
		return false;
	ret->handle = (w->index - 1) << HANDLE_SHIFT;
	ret->va = w->leaf_va + slot * w->layout->entry_size;
	ret->pointer = pointer;
	read_rights(w->layout, entry, ret);
	return true;
}

/* The table says that it has more entries than its levels can hold. */
static enum handle_step end_of_room(struct handle_walk *w, struct handle_gap *gap)
{
	*gap = (struct handle_gap){
		.first = w->index << HANDLE_SHIFT,
		.last = (w->limit - 1) << HANDLE_SHIFT,
		.fault = { w->root, VA_MAPPED },
		.why = "more handles than the table's levels have room for",
	};
	w->index = w->limit;
	return HANDLE_GAP;
}

enum handle_step handle_walk_next(struct handle_walk *w, struct handle_entry *entry,
				  struct handle_gap *gap)
{
	uint64_t per_page = entries_per_page(w->layout), room = capacity(w);

	while (w->index < w->limit) {
		if (w->index >= room)
			return end_of_room(w, gap);
		if (w->index % per_page == 0 && !load_leaf(w, gap))
			return HANDLE_GAP;
		if (take_entry(w, entry))
			return HANDLE_ENTRY;
	}
	return HANDLE_END;
}

bool handle_table_count(struct space *s, uint64_t va, const struct field *fields,
			uint32_t entry_size, uint64_t *ret, struct fault *fault)
{
	struct handle_layout layout = { .entry_size = entry_size };
	struct handle_walk w;
	struct handle_entry entry;
	struct handle_gap gap;
	enum handle_step step;
	uint64_t count = 0;

	memcpy(layout.fields, fields, sizeof(layout.fields));
	if (!handle_walk_start(&w, s, &layout, va, fault))
		return false;
	while ((step = handle_walk_next(&w, &entry, &gap)) == HANDLE_ENTRY)
		count++;
	if (step == HANDLE_GAP) {
		*fault = gap.fault;
		return false;
	}
	*ret = count;
	return true;
}
