/* SPDX-License-Identifier: MIT */
#include "arch/amd64/paging_space.h"

/*
 * Iteration over what a space maps. Each call descends from the root to the first stretch at or
 * after an address; holes cost one entry at the level where they are.
 *
 * Windows fills whole subtrees with one table (or page) by way of equal entries, so terabytes
 * may come from three pages. Of neighbouring equal entries only the first is entered:
 *
 *	entries:  A  B  B  B  B  -  C
 *	ranges:  |A||B||alias of B||C|	the alias has repeat = span of one entry
 *
 * Where B holds one page over and over, all of it is one range whose repeat is the page's size.
 * Tables that turn out to map nothing are remembered, so that no table is searched in vain
 * twice, however the tables refer to each other.
 */

/* Neighbours of one kind are merged until the stretch is this long. */
#define MERGE_MAX (UINT64_C(1) << 30)

struct scan {
	struct amd64_space *space;
	struct capture_hint hint;
};

/* One table as it is being searched for entries of [first, end). */
struct level_scan {
	struct table table;
	enum page_level level;
	uint64_t base; /* va of entry 0; of the kernel half of a root, sign-extended */
	unsigned first, end;
	unsigned access; /* by the entries above */
	bool soft;	 /* an entry above is in transition */
};

static uint64_t entry_va(const struct level_scan *l, unsigned index)
{
	return l->base + ((uint64_t)index << level_rows[l->level].shift);
}

/* Accessed and dirty bits do not make entries differ. */
static bool same_entry(const struct level_scan *l, unsigned index, uint64_t entry)
{
	uint64_t other, ignored = entry & PTE_PRESENT ? PTE_ACCESSED | PTE_DIRTY : 0;

	return index >= l->first && index < l->end && table_entry(&l->table, index, &other) &&
	       !((entry ^ other) & ~ignored);
}

/* One past the last of the equal entries that start at index. */
static unsigned run_end(const struct level_scan *l, unsigned index, uint64_t entry)
{
	do
		index++;
	while (same_entry(l, index, entry));
	return index;
}

/* The last address of the entries before index. */
static uint64_t last_before(const struct level_scan *l, unsigned index)
{
	return entry_va(l, index) - 1;
}

/* How many bytes from pa, at most len, are captured or absent as a whole. */
static uint64_t same_capture(struct scan *c, uint64_t pa, uint64_t len, bool *captured_ret)
{
	struct mem_range *hint = &c->hint.range;

	if (pa < hint->start || pa >= hint->end) {
		struct mem_range range;
		bool found = physmem_next(c->space->base.mem, pa, false, &range);

		c->hint.captured = found && range.start <= pa;
		hint->start = pa;
		if (c->hint.captured)
			hint->end = range.end;
		else
			hint->end = found ? range.start : UINT64_MAX;
	}
	*captured_ret = c->hint.captured;
	return hint->end - pa < len ? hint->end - pa : len;
}

static bool hint_covers(const struct scan *c, uint64_t pa, uint64_t len)
{
	return pa >= c->hint.range.start && pa < c->hint.range.end && len <= c->hint.range.end - pa;
}

/* Does every instance of the repeated page look alike, so that more of them may join? Absent
 * tables join as well. */
static bool is_uniform(const struct va_range *range)
{
	return range->state == VA_TABLE_NOT_CAPTURED ||
	       (range->has_pa && range->repeat == range->page_size);
}

/* The pages from leaf index on, from va: a page shown over and over, or pages in a row. */
static void take_leaves(struct scan *c, const struct level_scan *l, unsigned index, uint64_t entry,
			const struct decoded_entry *leaf, uint64_t va, struct va_range *ret)
{
	uint64_t size = level_size(l->level), offset = va - entry_va(l, index);
	unsigned access = access_after(l->access, entry), end;
	bool soft = l->soft || leaf->soft, captured;
	uint64_t len = same_capture(c, leaf->pa + offset, size - offset, &captured);

	*ret = (struct va_range){ .start = va,
				  .last = va + len - 1,
				  .has_pa = true,
				  .pa = leaf->pa + offset,
				  .page_size = size,
				  .access = access };
	ret->state = !captured ? VA_NOT_CAPTURED : soft ? VA_TRANSITION : VA_MAPPED;
	if (len < size - offset)
		return;
	end = run_end(l, index, entry);
	if (end > index + 1) {
		if (offset && same_capture(c, leaf->pa, size, &captured) < size)
			return;
		ret->last = last_before(l, end);
		ret->repeat = size;
		return;
	}
	for (uint64_t pa = leaf->pa + size; end < l->end && hint_covers(c, pa, size); pa += size) {
		struct decoded_entry next;

		if (!table_entry(&l->table, end++, &entry))
			return;
		next = decode_entry(c->space, entry, l->level);
		if (next.kind != ENTRY_LEAF || next.soft != leaf->soft || next.pa != pa ||
		    access_after(l->access, entry) != access)
			return;
		ret->last += size;
	}
}

static bool scan_table(struct scan *c, struct level_scan *l, uint64_t pa, uint64_t va,
		       struct va_range *ret);

/* What the table of entry index maps at or after va. */
static bool take_table(struct scan *c, const struct level_scan *l, unsigned index, uint64_t entry,
		       const struct decoded_entry *decoded, uint64_t va, struct va_range *ret)
{
	struct level_scan child = {
		.level = l->level - 1,
		.base = entry_va(l, index),
		.end = TABLE_ENTRIES,
		.access = access_after(l->access, entry),
		.soft = l->soft || decoded->soft,
	};
	uint64_t last;

	if (!scan_table(c, &child, decoded->pa, va, ret))
		return false;
	if (va != child.base)
		return true;
	last = last_before(l, run_end(l, index, entry));
	if (is_uniform(ret) && ret->start == va && ret->last == last_before(l, index + 1)) {
		ret->last = last;
	} else if (same_entry(l, index - 1, entry)) {
		*ret = (struct va_range){ .start = va,
					  .last = last,
					  .state = ret->state,
					  .page_size = level_size(l->level),
					  .access = child.access,
					  .repeat = level_size(l->level) };
	}
	return true;
}

static void take_absent(const struct level_scan *l, uint64_t va, uint64_t last, uint64_t page_size,
			struct va_range *ret)
{
	*ret = (struct va_range){ .start = va,
				  .last = last,
				  .state = VA_TABLE_NOT_CAPTURED,
				  .page_size = page_size,
				  .access = l->access };
}

/* Can the operating system tell where this page, which is not present, is? */
static bool is_listed(const struct scan *c, const struct decoded_entry *decoded, uint64_t entry,
		      enum page_level level)
{
	const struct soft_pte_ops *soft = c->space->soft;

	return decoded->kind == ENTRY_NONE && !(entry & PTE_PRESENT) && soft && soft->listed &&
	       soft->listed(c->space->soft_arg, entry, level);
}

/* The entries from index on that are not present in the same way. */
static void take_soft(const struct scan *c, const struct level_scan *l, unsigned index,
		      enum va_state state, uint64_t va, struct va_range *ret)
{
	struct decoded_entry next;
	uint64_t entry;

	do
		index++;
	while (index < l->end && table_entry(&l->table, index, &entry) &&
	       (next = decode_entry(c->space, entry, l->level)).state == state &&
	       is_listed(c, &next, entry, l->level));
	*ret = (struct va_range){ .start = va,
				  .last = last_before(l, index),
				  .state = state,
				  .page_size = level_size(l->level),
				  .access = l->access };
}

/* Searches an open table. */
static bool scan_entries(struct scan *c, const struct level_scan *l, uint64_t va,
			 struct va_range *ret)
{
	unsigned index = va_index(va, l->level);

	while (index < l->end) {
		uint64_t start = entry_va(l, index), entry;
		struct decoded_entry decoded;

		if (start > va)
			va = start;
		if (!table_entry(&l->table, index, &entry)) {
			take_absent(l, va, last_before(l, index + 1), level_size(l->level), ret);
			return true;
		}
		decoded = decode_entry(c->space, entry, l->level);
		if (decoded.kind == ENTRY_LEAF) {
			take_leaves(c, l, index, entry, &decoded, va, ret);
			return true;
		}
		if (is_listed(c, &decoded, entry, l->level)) {
			take_soft(c, l, index, decoded.state, va, ret);
			return true;
		}
		if (decoded.kind == ENTRY_TABLE &&
		    take_table(c, l, index, entry, &decoded, va, ret))
			return true;
		/* equal tables map as little */
		if (decoded.kind == ENTRY_TABLE && va == start)
			index = run_end(l, index, entry);
		else
			index++;
	}
	return false;
}

/* Opens the table at pa as l->table and searches it; the depth is that of the levels. */
static bool scan_table(struct scan *c, struct level_scan *l, uint64_t pa, uint64_t va,
		       struct va_range *ret)
{
	bool found;

	if (!table_open(&c->space->tables, pa, &l->table)) {
		take_absent(l, va, last_before(l, l->end), TABLE_ENTRIES * level_size(l->level),
			    ret);
		return true;
	}
	found = !table_is_empty(&l->table, l->level) && scan_entries(c, l, va, ret);
	if (!found && l->end - l->first == TABLE_ENTRIES && va == l->base)
		table_set_empty(&l->table, l->level);
	table_close(&l->table);
	return found;
}

/* The first stretch at or after va, not merged with its neighbours. */
static bool scan_space(struct scan *c, uint64_t va, struct va_range *ret)
{
	enum { HALF = TABLE_ENTRIES / 2 };
	enum page_level level = c->space->base.levels;
	uint64_t user_end = HALF * level_size(level), kernel_start = 0 - user_end;
	struct level_scan user = { .level = level, .end = HALF, .access = ACCESS_AT_ROOT };
	struct level_scan kernel = {
		.level = level,
		.base = kernel_start - user_end,
		.first = HALF,
		.end = TABLE_ENTRIES,
		.access = ACCESS_AT_ROOT,
	};

	if (va < user_end && scan_table(c, &user, c->space->base.root, va, ret))
		return true;
	if (va < kernel_start)
		va = kernel_start;
	return scan_table(c, &kernel, c->space->base.root, va, ret);
}

static bool try_merge(struct va_range *range, const struct va_range *more)
{
	if (more->start != range->last + 1 || more->state != range->state ||
	    more->has_pa != range->has_pa || more->access != range->access ||
	    more->page_size != range->page_size || more->repeat != range->repeat)
		return false;
	if (range->repeat && (!range->has_pa || (range->pa ^ more->pa) >= range->repeat))
		return false;
	if (!range->repeat && range->has_pa && more->pa - range->pa != more->start - range->start)
		return false;
	range->last = more->last;
	return true;
}

bool amd64_next(struct space *s, uint64_t va, struct va_range *ret)
{
	struct scan c = { .space = amd64_space(s) };
	struct va_range more;
	bool found;

	pthread_mutex_lock(&c.space->hint_lock);
	c.hint = c.space->hint;
	pthread_mutex_unlock(&c.space->hint_lock);
	found = scan_space(&c, va, ret);
	while (found && ret->last - ret->start < MERGE_MAX && ret->last < UINT64_MAX &&
	       scan_space(&c, ret->last + 1, &more) && try_merge(ret, &more))
		;
	pthread_mutex_lock(&c.space->hint_lock);
	c.space->hint = c.hint;
	pthread_mutex_unlock(&c.space->hint_lock);
	return found;
}
