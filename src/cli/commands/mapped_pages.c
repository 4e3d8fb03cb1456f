/* SPDX-License-Identifier: MIT */
/*
 * Which physical pages page tables lead to, for `convert --only-mapped`. Tables are walked as
 * tables, each once for each level that it is used at, so that they are kept whatever is in them,
 * and also entries that no address leads to; spaces tell the rest: pages behind prototype entries.
 */
#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "base/u64_set.h"
#include "cli/commands/convert.h"
#include "windows/paging/pte.h"
#include "windows/process/process.h"
#include "windows/regions/page_tables.h"
#include "windows/regions/vad.h"

/* What the processors start from: it leads to the kernel (windows/locate/), and nothing to it. */
enum { LOW_MEMORY = 1 << 20 };
enum { NUM_ENTRIES = 512, MAX_STRETCHES = 1 << 22 /* of one space */ };

struct mapped {
	struct command_run *run;
	struct page_set *set;
	struct page_set seen[LEVEL_PML5 + 1]; /* tables, by the level that they were used at */
	struct u64_set large;		      /* leaves of more than a page that were added */
	struct error *err;
};

/* Leaves do not overlap but where they are equal, or of another size: each is added once. */
static struct error *add_leaf(struct mapped *m, uint64_t pa, uint64_t size)
{
	bool is_new = true;
	struct error *err;

	if (size > PAGE_SIZE) {
		if (!write_memory_has(m->set->memory, pa, size))
			return NULL;
		if ((err = u64_set_add(&m->large, pa | size >> PAGE_SHIFT, &is_new)))
			return err;
	}
	if (is_new)
		page_set_add(m->set, pa, size);
	return NULL;
}

static struct error *add_table(struct mapped *m, uint64_t pa, enum page_level level);

static struct error *add_entry(struct mapped *m, uint64_t entry, enum page_level level)
{
	const struct level_row *row = &level_rows[level];
	uint64_t pa = entry & PTE_PFN_MASK;

	if (!(entry & PTE_PRESENT)) {
		if (windows_soft_pte.classify(&m->run->kernel->pte_config, entry, level, &pa) !=
			    VA_TRANSITION ||
		    level > LEVEL_PD)
			return NULL;
	} else if (level == LEVEL_PT || (row->large && (entry & PTE_LARGE))) {
		return add_leaf(m, entry & row->pa_mask, level_size(level));
	}
	return level == LEVEL_PT ? add_leaf(m, pa, PAGE_SIZE) : add_table(m, pa, level - 1);
}

static struct error *add_table(struct mapped *m, uint64_t pa, enum page_level level)
{
	uint8_t entries[NUM_ENTRIES * sizeof(uint64_t)];
	struct error *err = NULL;
	size_t len;

	if (!write_memory_has(m->set->memory, pa, PAGE_SIZE) || page_set_has(&m->seen[level], pa))
		return NULL;
	page_set_add(&m->seen[level], pa, PAGE_SIZE);
	page_set_add(m->set, pa, PAGE_SIZE);
	len = physmem_read(m->run->snapshot->mem, pa, entries, sizeof(entries));
	for (size_t at = 0; at + sizeof(uint64_t) <= len && !err; at += sizeof(uint64_t))
		err = add_entry(m, load_u64(entries + at), level);
	return err;
}

/* Pages of a stretch, one by one: each has its own place. */
static struct error *add_prototypes(struct mapped *m, struct space *s, const struct va_range *range)
{
	uint64_t last = range->repeat ? range->start + range->repeat - 1 : range->last;
	struct error *err = NULL;

	for (uint64_t va = range->start; va <= last && !err; va += PAGE_SIZE) {
		struct walk walk;

		space_walk(s, va, &walk);
		if (walk.has_pa)
			err = add_leaf(m, walk.pa & ~(uint64_t)PAGE_MASK, PAGE_SIZE);
		if (va > UINT64_MAX - PAGE_SIZE)
			break;
	}
	return err;
}

/* eprocess 0: the kernel's. What is above a process's own half is the kernel's, too. */
static struct error *add_space(struct mapped *m, uint64_t root, uint64_t eprocess)
{
	struct space *s = NULL;
	struct va_range range;
	uint64_t va = 0;
	struct error *err = add_table(m, dtb_to_root(root), m->run->kernel->loc.levels);

	if (!err)
		err = page_tables_open_resolved(m->run->kernel, root, eprocess, &s);
	for (unsigned i = 0; !err && i < MAX_STRETCHES && space_next(s, va, &range); i++) {
		if (eprocess && range.start > vad_user_last(s))
			break;
		if (range.state == VA_PROTOTYPE)
			err = add_prototypes(m, s, &range);
		if (!(va = range.last + 1))
			break;
	}
	space_destroy(s);
	return err;
}

static struct error *add_process(struct mapped *m, const struct process *p)
{
	struct error *err = NULL;

	if (p->dtb.present && p->dtb.value)
		err = add_space(m, p->dtb.value, p->eprocess);
	if (!err && p->user_dtb.present && p->user_dtb.value)
		err = add_table(m, dtb_to_root(p->user_dtb.value), m->run->kernel->loc.levels);
	return err;
}

static struct error *add_processors(struct mapped *m)
{
	const struct dump_info *info = &m->run->snapshot->info;
	struct error *err = NULL;

	for (size_t i = 0; i < info->num_registers && !err; i++) {
		if (info->registers[i].known & (REGS_CONTROL | REGS_CR3))
			err = add_table(m, dtb_to_root(info->registers[i].cr3),
					m->run->kernel->loc.levels);
	}
	return err;
}

static struct error *add_all(struct mapped *m)
{
	struct kernel *k = m->run->kernel;
	struct process_list list;
	struct error *err;

	page_set_add(m->set, 0, LOW_MEMORY);
	if ((err = add_space(m, k->dtb, 0)) || (err = add_processors(m)) ||
	    (err = process_list_scan(k, PROCESS_BRIEF, &list)))
		return err;
	for (size_t i = 0; i < list.count && !err; i++)
		err = add_process(m, &list.items[i]);
	process_list_deinit(&list);
	return err;
}

struct error *mapped_pages_add(struct command_run *run, struct page_set *set)
{
	struct mapped m = { .run = run, .set = set };
	struct error *err = NULL;

	if (!run->kernel)
		return error_new(ERROR_NOT_FOUND, "option '--only-mapped' needs the kernel: %s",
				 error_message(run->kernel_error));
	for (size_t i = LEVEL_PT; i <= LEVEL_PML5 && !err; i++)
		err = page_set_init(set->memory, run->snapshot->cache, &m.seen[i]);
	if (!err)
		err = add_all(&m);
	for (size_t i = 0; i < ARRAY_SIZE(m.seen); i++)
		page_set_deinit(&m.seen[i]);
	u64_set_deinit(&m.large);
	return err;
}
