/* SPDX-License-Identifier: MIT */
#include "cli/commands/processors.h"

#include <inttypes.h>

#include "arch/amd64/registers.h"
#include "windows/kernel/cpu.h"

/* Those of the kernel; none where it does not show any. */
static struct error *from_kernel(struct command_run *run, struct processor_list *ret)
{
	struct kernel_cpu *cpus;
	struct error *err;
	size_t count;

	if ((err = kernel_cpus_read(run->kernel, run->arena, &cpus, &count)))
		return err;
	ret->items = arena_calloc(run->arena, count, sizeof(*ret->items));
	if (!ret->items)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		ret->items[i] = (struct processor){ .number = cpus[i].number,
						    .registers = cpus[i].registers,
						    .saved_groups = cpus[i].saved_groups,
						    .space = run->kernel->space };
	ret->count = count;
	return NULL;
}

static struct error *from_snapshot(struct command_run *run, struct processor_list *ret)
{
	const struct dump_info *info = &run->snapshot->info;

	ret->items = arena_calloc(run->arena, info->num_registers, sizeof(*ret->items));
	if (!ret->items)
		return &error_no_memory;
	ret->count = info->num_registers;
	for (size_t i = 0; i < ret->count; i++)
		ret->items[i] = (struct processor){ .number = (unsigned)i,
						    .registers = info->registers[i] };
	return NULL;
}

/* Each processor's own, by its CR3. */
static void open_spaces(struct command_run *run, struct processor_list *list)
{
	list->owns_spaces = true;
	for (size_t i = 0; i < list->count; i++) {
		struct processor *p = &list->items[i];
		struct error *err;

		if (!run->snapshot->mem)
			continue;
		err = registers_open_space(&p->registers, run->snapshot->mem, NULL, NULL,
					   &p->space);
		if (err)
			diag_note(run->diag, "cpu %u: %s", p->number, error_message(err));
		error_destroy(err);
	}
}

static struct error *keep_one(struct processor_list *list, uint64_t number)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].number == number) {
			list->items += i;
			list->count = 1;
			return NULL;
		}
	}
	return error_new(ERROR_NOT_FOUND, "cpu %" PRIu64 ": not among the %zu processors found",
			 number, list->count);
}

struct error *processor_list_init(struct command_run *run, struct processor_list *ret)
{
	struct processor_list list = { 0 };
	struct error *err = NULL;
	uint64_t number;

	if (run->kernel)
		err = from_kernel(run, &list);
	if (!err && !list.count)
		err = from_snapshot(run, &list);
	if (!err && option_u64(run->options, "cpu", &number))
		err = keep_one(&list, number);
	if (err)
		return err;
	if (!list.count)
		diag_partial(run->diag, "the snapshot shows no processor");
	if (list.count && !list.items[0].space)
		open_spaces(run, &list);
	*ret = list;
	return NULL;
}

void processor_list_deinit(struct processor_list *list)
{
	for (size_t i = 0; i < list->count && list->owns_spaces; i++)
		space_destroy(list->items[i].space);
	*list = (struct processor_list){ 0 };
}
