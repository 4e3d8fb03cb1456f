/* SPDX-License-Identifier: MIT */
#include "cli/spaces.h"

#include <inttypes.h>

#include "arch/amd64/paging.h"
#include "windows/kernel.h"
#include "windows/process.h"
#include "windows/pte.h"

static const uint64_t CR4_LA57 = 1 << 12;

bool space_without_kernel(const struct option_values *options)
{
	return option_flag(options, "physical") || option_flag(options, "cpu");
}

static struct error *need_pages(const struct command_run *run)
{
	if (run->snapshot->mem)
		return NULL;
	return error_new(ERROR_UNSUPPORTED, "%s: a small dump holds no physical pages",
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

/* Page tables at root; regs (may be NULL) tell the levels where nothing better does. */
static struct error *open_root(struct command_run *run, uint64_t root, const struct registers *regs,
			       struct chosen_space *ret)
{
	const struct soft_pte_ops *soft = run->kernel ? &windows_soft_pte : NULL;
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
	err = space_create_amd64(run->snapshot->mem, root, levels, soft,
				 run->kernel ? &run->kernel->pte_config : NULL, &ret->space);
	ret->owned = err == NULL;
	return err;
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
