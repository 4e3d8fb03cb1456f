/* SPDX-License-Identifier: MIT */
#include "cli/addresses.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/names.h"
#include "windows/pe.h"

static struct error *find_rip(const struct command_run *run, uint64_t *ret)
{
	const struct dump_info *info = &run->snapshot->info;
	uint64_t cpu = 0;

	option_u64(run->options, "cpu", &cpu);
	if (cpu >= info->num_registers || !(info->registers[cpu].known & REGS_GENERAL))
		return error_new(ERROR_NOT_FOUND,
				 "rip: the file does not hold the registers of processor %" PRIu64,
				 cpu);
	*ret = info->registers[cpu].rip;
	return NULL;
}

static bool find_module(const struct place_book *book, const char *name, uint64_t *ret)
{
	for (size_t i = 0; i < book->modules.count; i++) {
		const struct kernel_module *m = &book->modules.items[i];

		if (text_equal_nocase(m->name, name)) {
			*ret = m->base;
			return true;
		}
	}
	return false;
}

static struct error *find_name(struct command_run *run, const struct place_book *book,
			       const char *name, uint64_t *ret)
{
	if (strcmp(name, "rip") == 0)
		return find_rip(run, ret);
	if (!book)
		return error_new(ERROR_USAGE, "'%s' is no hexadecimal address", name);
	if (text_equal_nocase(name, names_kernel_module)) {
		*ret = run->kernel->loc.base;
		return NULL;
	}
	if (find_module(book, name, ret) ||
	    kernel_symbol(run->kernel, names_without_module(name), ret))
		return NULL;
	return error_new(ERROR_USAGE, "'%s' is no hexadecimal address, module or symbol of nt",
			 name);
}

struct error *address_find(struct command_run *run, const struct place_book *book, const char *word,
			   uint64_t *ret)
{
	const char *plus = strrchr(word, '+');
	uint64_t base = 0, offset = 0;
	struct error *err;
	char *name;

	if (address_parse(word, ret))
		return NULL;
	/* what follows the last '+' may be a part of a name, too */
	if (!plus || !address_parse(plus + 1, &offset))
		plus = word + strlen(word);
	name = arena_strndup(run->arena, word, (size_t)(plus - word));
	if (!name)
		return &error_no_memory;
	if ((err = find_name(run, book, name, &base)))
		return err;
	*ret = base + offset;
	return NULL;
}
