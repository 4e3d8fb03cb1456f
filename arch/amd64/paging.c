/* SPDX-License-Identifier: MIT */
#include "arch/amd64/paging.h"

#include <stdlib.h>
#include <string.h>

#include "arch/amd64/paging_space.h"

const struct level_row level_rows[LEVEL_PML5 + 1] = {
	[LEVEL_PT] = { "PTE", 12, false, PTE_PFN_MASK },
	[LEVEL_PD] = { "PDE", 21, true, UINT64_C(0x000fffffffe00000) },
	[LEVEL_PDPT] = { "PDPTE", 30, true, UINT64_C(0x000fffffc0000000) },
	[LEVEL_PML4] = { "PML4E", 39, false, 0 },
	[LEVEL_PML5] = { "PML5E", 48, false, 0 },
};

/* Of a large page, bit 12 selects a memory type; the bits from 13 up to its address are
 * reserved. */
#define PTE_LARGE_PAT (UINT64_C(1) << 12)

uint64_t level_size(enum page_level level)
{
	return UINT64_C(1) << level_rows[level].shift;
}

uint64_t va_align_down(uint64_t va, enum page_level level)
{
	return va & ~(level_size(level) - 1);
}

bool va_align_up(uint64_t va, enum page_level level, uint64_t *ret)
{
	uint64_t mask = level_size(level) - 1;

	*ret = (va + mask) & ~mask;
	return va <= UINT64_MAX - mask;
}

uint64_t va_offset(uint64_t va, enum page_level level)
{
	return va & (level_size(level) - 1);
}

unsigned va_index(uint64_t va, enum page_level level)
{
	return (unsigned)(va >> level_rows[level].shift) & (TABLE_ENTRIES - 1);
}

bool va_is_canonical(uint64_t va, unsigned levels)
{
	uint64_t upper = va >> (level_rows[levels].shift + 8);

	return upper == 0 || upper == UINT64_MAX >> (level_rows[levels].shift + 8);
}

static const struct {
	uint64_t bit;
	const char *word;
} flag_rows[] = {
	{ PTE_PRESENT, "P" }, { PTE_WRITE, "W" },    { PTE_USER, "U" },	 { PTE_PWT, "PWT" },
	{ PTE_PCD, "PCD" },   { PTE_ACCESSED, "A" }, { PTE_DIRTY, "D" }, { PTE_LARGE, "L" },
	{ PTE_GLOBAL, "G" },  { PTE_NX, "NX" },
};

void pte_flags_text(uint64_t entry, enum page_level level, char ret[64])
{
	char *end = ret;

	*end = '\0';
	if (!(entry & PTE_PRESENT))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(flag_rows); i++) {
		const char *word = flag_rows[i].word;

		if (!(entry & flag_rows[i].bit))
			continue;
		if (flag_rows[i].bit == PTE_LARGE && level == LEVEL_PT)
			word = "PAT";
		if (end > ret)
			*end++ = '|';
		end = stpcpy(end, word);
	}
}

static struct decoded_entry decode_soft(const struct amd64_space *s, uint64_t entry,
					enum page_level level)
{
	struct decoded_entry ret = { .kind = ENTRY_NONE, .state = VA_NOT_PRESENT };

	if (!s->soft)
		return ret;
	ret.state = s->soft->classify(s->soft_arg, entry, level, &ret.pa);
	if (ret.state != VA_TRANSITION)
		return ret;
	ret.soft = true;
	if (level == LEVEL_PT) {
		ret.kind = ENTRY_LEAF;
	} else if (level == LEVEL_PD) {
		/* The page table left its working set, and its page still has the entries. */
		ret.kind = ENTRY_TABLE;
	} else {
		ret.state = VA_NOT_PRESENT;
	}
	return ret;
}

struct decoded_entry decode_entry(const struct amd64_space *s, uint64_t entry,
				  enum page_level level)
{
	const struct level_row *row = &level_rows[level];
	uint64_t reserved = PTE_PFN_MASK & ~row->pa_mask & ~PTE_LARGE_PAT;

	if (!(entry & PTE_PRESENT))
		return decode_soft(s, entry, level);
	if (level == LEVEL_PT)
		return (struct decoded_entry){ ENTRY_LEAF, false, VA_MAPPED, entry & row->pa_mask };
	if (!(entry & PTE_LARGE))
		return (struct decoded_entry){ ENTRY_TABLE, false, VA_MAPPED,
					       entry & PTE_PFN_MASK };
	if (!row->large || entry & reserved)
		return (struct decoded_entry){ .kind = ENTRY_NONE, .state = VA_BAD_ENTRY };
	return (struct decoded_entry){ ENTRY_LEAF, false, VA_MAPPED, entry & row->pa_mask };
}

/* An entry in transition has no hardware bits: it leaves the bits of those above it. */
unsigned access_after(unsigned access, uint64_t entry)
{
	if (!(entry & PTE_PRESENT))
		return access;
	if (!(entry & PTE_WRITE))
		access &= ~(unsigned)VA_WRITE;
	if (!(entry & PTE_USER))
		access &= ~(unsigned)VA_USER;
	if (entry & PTE_NX)
		access |= VA_NO_EXEC;
	return access;
}

/* Reads the entry of va in the table at pa and records the step. */
static bool take_step(struct amd64_space *s, uint64_t pa, enum page_level level, struct walk *w,
		      uint64_t *entry_ret)
{
	unsigned index = va_index(w->va, level);
	struct walk_step *step = &w->steps[w->num_steps++];
	struct table table;

	*step = (struct walk_step){ .level = level, .entry_address = pa + index * ENTRY_SIZE };
	if (!table_open(&s->tables, pa, &table)) {
		w->state = VA_TABLE_NOT_CAPTURED;
		w->page_size = TABLE_ENTRIES * level_size(level);
		return false;
	}
	step->captured = table_entry(&table, index, &step->entry);
	table_close(&table);
	if (!step->captured) {
		w->state = VA_TABLE_NOT_CAPTURED;
		w->page_size = level_size(level);
		return false;
	}
	*entry_ret = step->entry;
	return true;
}

/* The walk proper; whether the page found is captured is left to the caller. */
static void walk_tables(struct amd64_space *s, uint64_t va, struct walk *w)
{
	uint64_t table = s->base.root, entry;
	bool soft = false;

	w->va = va;
	w->has_pa = false;
	w->pa = 0;
	w->has_bytes = false;
	w->backing = (struct walk_backing){ 0 };
	w->num_steps = 0;
	w->access = 0;
	if (!va_is_canonical(va, s->base.levels)) {
		w->state = VA_NON_CANONICAL;
		w->page_size = 0;
		return;
	}
	w->access = ACCESS_AT_ROOT;
	for (unsigned level = s->base.levels; level >= LEVEL_PT; level--) {
		struct decoded_entry decoded;

		if (!take_step(s, table, level, w, &entry))
			return;
		decoded = decode_entry(s, entry, level);
		w->access = access_after(w->access, entry);
		w->state = decoded.state;
		w->page_size = level_size(level);
		if (decoded.kind == ENTRY_NONE)
			return;
		soft |= decoded.soft;
		table = decoded.pa;
		if (decoded.kind == ENTRY_LEAF)
			break;
	}
	w->has_pa = true;
	w->pa = table + (va & (w->page_size - 1));
	w->state = soft ? VA_TRANSITION : VA_MAPPED;
}

/* Is the byte at pa captured, and is its whole page? */
static bool check_captured(struct amd64_space *s, uint64_t pa, bool *whole_ret)
{
	struct page_view view;

	if (!physmem_view(s->base.mem, pa, &view, NULL))
		return false;
	*whole_ret = view.begin == 0 && view.end == PAGE_SIZE;
	page_release(&view);
	return true;
}

static void remember(struct amd64_space *s, uint64_t va, uint64_t pa, enum va_state state,
		     bool captured)
{
	uint64_t data = pa & ~(uint64_t)PAGE_MASK;

	if (state == VA_TRANSITION)
		data |= TRANSLATION_SOFT;
	if (captured)
		data |= TRANSLATION_CAPTURED;
	translation_put(&s->translations, va, data);
}

static void amd64_walk(struct space *s, uint64_t va, struct walk *ret)
{
	bool whole;

	walk_tables(amd64_space(s), va, ret);
	ret->has_bytes = ret->has_pa && check_captured(amd64_space(s), ret->pa, &whole);
	if (ret->has_pa && !ret->has_bytes)
		ret->state = VA_NOT_CAPTURED;
}

/* State and pa of va by cache or tables; MAPPED and TRANSITION mean that there is a pa, and
 * *captured that its page is known to be there. */
static enum va_state find_page(struct amd64_space *s, uint64_t va, uint64_t *pa_ret, bool *captured)
{
	struct walk w;
	uint64_t data;

	if (translation_find(&s->translations, va, &data)) {
		*pa_ret = (data & ~(uint64_t)PAGE_MASK) | (va & PAGE_MASK);
		*captured = data & TRANSLATION_CAPTURED;
		return data & TRANSLATION_SOFT ? VA_TRANSITION : VA_MAPPED;
	}
	walk_tables(s, va, &w);
	*captured = false;
	if (w.has_pa) {
		*pa_ret = w.pa;
		remember(s, va, w.pa, w.state, false);
	}
	return w.state;
}

static enum va_state amd64_translate(struct space *s, uint64_t va, uint64_t *pa_ret)
{
	struct amd64_space *a = amd64_space(s);
	bool captured, whole;
	enum va_state state = find_page(a, va, pa_ret, &captured);

	if ((state != VA_MAPPED && state != VA_TRANSITION) || captured)
		return state;
	if (!check_captured(a, *pa_ret, &whole))
		return VA_NOT_CAPTURED;
	if (whole)
		remember(a, va, *pa_ret, state, true);
	return state;
}

static size_t amd64_read(struct space *s, uint64_t va, void *buf, size_t len, enum va_state *state)
{
	size_t page_left = PAGE_SIZE - (size_t)(va & PAGE_MASK), got = 0;
	uint64_t pa = 0;
	bool captured;

	*state = find_page(amd64_space(s), va, &pa, &captured);
	if (*state != VA_MAPPED && *state != VA_TRANSITION)
		return 0;
	got = physmem_read(s->mem, pa, buf, len < page_left ? len : page_left);
	if (!got)
		*state = VA_NOT_CAPTURED;
	return got;
}

static void amd64_destroy(struct space *s)
{
	struct amd64_space *a = amd64_space(s);

	table_cache_deinit(&a->tables);
	pthread_mutex_destroy(&a->hint_lock);
	free(a);
}

static const struct space_ops amd64_ops = {
	.name = "amd64",
	.walk = amd64_walk,
	.translate = amd64_translate,
	.read = amd64_read,
	.next = amd64_next,
	.destroy = amd64_destroy,
};

struct error *space_create_amd64(struct physmem *mem, uint64_t root, unsigned levels,
				 const struct soft_pte_ops *soft, const void *soft_arg,
				 struct space **ret)
{
	struct amd64_space *a;

	if (levels != LEVEL_PML4 && levels != LEVEL_PML5)
		return error_new(ERROR_USAGE, "page tables of %u levels: expected 4 or 5", levels);
	a = calloc(1, sizeof(*a));
	if (!a)
		return &error_no_memory;
	a->base.ops = &amd64_ops;
	a->base.mem = mem;
	a->base.root = dtb_to_root(root);
	a->base.levels = levels;
	a->soft = soft;
	a->soft_arg = soft_arg;
	table_cache_init(&a->tables, mem);
	pthread_mutex_init(&a->hint_lock, NULL);
	*ret = &a->base;
	return NULL;
}
