/* SPDX-License-Identifier: MIT */
#include "cli/spaces.h"

#include <inttypes.h>

#include "arch/amd64/paging.h"
#include "windows/kernel/kernel.h"
#include "windows/paging/pte.h"
#include "windows/process/cid_table.h"
#include "windows/process/process.h"

static const uint64_t CR4_LA57 = 1 << 12;

bool space_without_kernel(const struct option_values *options)
{
	return option_flag(options, "physical") || option_flag(options, "cpu");
}

static struct error *need_pages(const struct command_run *run)
{
	if (run->snapshot->mem)
		return NULL;
	return error_new(ERROR_UNSUPPORTED, "%s: a triage dump holds no physical pages",
			 run->snapshot->file.path);
}

static const struct registers *registers_of(const struct command_run *run, uint64_t cpu)
{
	const struct dump_info *info = &run->snapshot->info;

	return cpu < info->num_registers ? &info->registers[cpu] : NULL;
}

bool registers_levels(const struct registers *regs, unsigned *ret)
{
	if (!(regs->known & REGS_CONTROL))
		return false;
	*ret = regs->cr4 & CR4_LA57 ? 5 : 4;
	return true;
}

static bool has_root(const struct process *p, uint64_t root)
{
	return (p->dtb.present && dtb_to_root(p->dtb.value) == root) ||
	       (p->user_dtb.present && dtb_to_root(p->user_dtb.value) == root);
}

static uint64_t owner_in(const struct process_list *list, uint64_t root)
{
	for (size_t i = 0; i < list->count; i++) {
		if (has_root(&list->items[i], root))
			return list->items[i].eprocess;
	}
	return 0;
}

/* Processes that the list lacks still have their ids. */
static struct error *find_unlisted_owner(struct kernel *k, uint64_t root, uint64_t *eprocess_ret)
{
	struct cid_table table;
	struct error *err;

	if ((err = cid_table_read(k, &table)) != NULL)
		return err;
	for (size_t i = 0; i < table.count && !err && !*eprocess_ret; i++) {
		struct process_list list;

		if (table.items[i].kind != CID_PROCESS)
			continue;
		err = process_list_at(k, table.items[i].object, PROCESS_BRIEF, &list);
		if (err) {
			error_catch(&err, ERROR_NOT_FOUND);
			continue;
		}
		*eprocess_ret = owner_in(&list, root);
		process_list_deinit(&list);
	}
	cid_table_deinit(&table);
	return err;
}

/* The process whose page tables these are, for its VADs; 0: none. */
static struct error *find_owner(struct kernel *k, uint64_t root, uint64_t *eprocess_ret)
{
	struct process_list list;
	struct error *err;

	if ((err = process_list_read(k, PROCESS_BRIEF, &list)) != NULL)
		return err;
	*eprocess_ret = owner_in(&list, root);
	process_list_deinit(&list);
	return *eprocess_ret ? NULL : find_unlisted_owner(k, root, eprocess_ret);
}

/* As Windows would see it where the kernel is known, else by the page tables alone. */
static struct error *open_levels(struct command_run *run, uint64_t root, unsigned levels,
				 struct chosen_space *ret)
{
	struct kernel *k = run->kernel;
	uint64_t eprocess;
	struct error *err;

	if (!k)
		err = space_create_amd64(run->snapshot->mem, root, levels, NULL, NULL, &ret->space);
	else if (levels != k->loc.levels)
		err = space_create_amd64(run->snapshot->mem, root, levels, &windows_soft_pte,
					 &k->pte_config, &ret->space);
	else if ((err = find_owner(k, dtb_to_root(root), &eprocess)) == NULL)
		err = kernel_open_space(k, root, eprocess, &ret->space);
	ret->owned = err == NULL;
	return err;
}

/* Page tables at root; regs (may be NULL) tell the levels where nothing better does. */
static struct error *open_root(struct command_run *run, uint64_t root, const struct registers *regs,
			       struct chosen_space *ret)
{
	uint64_t given;
	unsigned levels = 4;
	struct error *err;

	if ((err = need_pages(run)) != NULL)
		return err;
	if (option_u64(run->options, "levels", &given)) {
		if (given != 4 && given != 5)
			return error_new(ERROR_USAGE,
					 "option '--levels': %" PRIu64 " is not 4 or 5", given);
		levels = (unsigned)given;
	} else if (!(regs && registers_levels(regs, &levels)) && run->kernel &&
		   run->kernel->loc.levels) {
		levels = run->kernel->loc.levels;
	}
	return open_levels(run, root, levels, ret);
}

static struct error *open_cpu(struct command_run *run, uint64_t cpu, struct chosen_space *ret)
{
	const struct registers *regs = registers_of(run, cpu);
	struct error *err;

	if ((err = need_pages(run)) != NULL)
		return err;
	if (!regs)
		return error_new(ERROR_NOT_FOUND,
				 "cpu %" PRIu64 ": the snapshot has registers of %zu processors",
				 cpu, run->snapshot->info.num_registers);
	if (!(regs->known & (REGS_CONTROL | REGS_CR3)))
		return error_new(ERROR_NOT_FOUND, "cpu %" PRIu64 ": the snapshot lacks its CR3",
				 cpu);
	return open_root(run, dtb_to_root(regs->cr3), regs, ret);
}

/* No option names a space, and there is no kernel to give its own. */
static struct error *open_fallback(struct command_run *run, struct chosen_space *ret)
{
	const struct registers *regs = registers_of(run, 0);
	struct error *err;

	if (!run->snapshot->mem) {
		err = space_create_virtual(run->snapshot->virt, &ret->space);
		ret->owned = err == NULL;
		return err;
	}
	if (!regs || !(regs->known & (REGS_CONTROL | REGS_CR3)))
		return error_new(ERROR_NOT_FOUND, "no address space to use (--dtb gives one): %s",
				 error_message(run->kernel_error));
	diag_note(run->diag,
		  "no Windows kernel found: using the address space of cpu 0, CR3 0x%" PRIx64,
		  regs->cr3);
	return open_cpu(run, 0, ret);
}

struct error *chosen_space_init(struct command_run *run, struct chosen_space *ret)
{
	struct chosen_space chosen = { 0 };
	struct error *err = NULL;
	uint64_t number;

	if (option_flag(run->options, "physical")) {
		if ((err = need_pages(run)) == NULL)
			err = space_create_physical(run->snapshot->mem, &chosen.space);
		chosen.owned = err == NULL;
	} else if (option_u64(run->options, "pid", &number)) {
		if (!run->kernel)
			return error_new(ERROR_NOT_FOUND, "option '--pid' needs the kernel: %s",
					 run->kernel_error ? error_message(run->kernel_error)
							   : "other options exclude it");
		err = process_open_space_by_pid(run->kernel, number, &chosen.space);
		chosen.owned = err == NULL;
	} else if (option_u64(run->options, "cpu", &number)) {
		err = open_cpu(run, number, &chosen);
	} else if (option_u64(run->options, "dtb", &number)) {
		err = open_root(run, dtb_to_root(number), run->kernel ? NULL : registers_of(run, 0),
				&chosen);
	} else if (run->kernel) {
		chosen.space = run->kernel->space;
	} else {
		err = open_fallback(run, &chosen);
	}
	if (!err)
		*ret = chosen;
	return err;
}

void chosen_space_deinit(struct chosen_space *s)
{
	if (s->owned)
		space_destroy(s->space);
	*s = (struct chosen_space){ 0 };
}
