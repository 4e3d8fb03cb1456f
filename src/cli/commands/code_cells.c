/* SPDX-License-Identifier: MIT */
#include "cli/commands/code_cells.h"

struct error *code_cells_of(struct command_run *run, const struct code_place *place,
			    struct code_cells *ret)
{
	const char *module = place->module, *symbol;
	struct error *err;

	if ((err = code_symbol_text(run->arena, place, &symbol)))
		return err;
	*ret = (struct code_cells){ .symbol = cell_str(symbol) };
	if (!place->in_module && !place->in_driver && !place->unloaded)
		return NULL;
	if (place->unloaded &&
	    !(module = arena_printf(run->arena, "unloaded %s", module ? module : "(unnamed)")))
		return &error_no_memory;
	ret->module = cell_str(module);
	ret->offset = cell_addr(place->offset);
	return NULL;
}

struct error *code_cells_find(struct command_run *run, struct code_names *names, struct opt_u64 va,
			      const char *prefer, struct code_place *place_ret,
			      struct code_cells *ret)
{
	struct code_place place = { 0 };
	struct error *err;

	if (va.present && (err = code_find(names, va.value, prefer, &place)))
		return err;
	if ((err = code_cells_of(run, &place, ret)))
		return err;
	if (place_ret)
		*place_ret = place;
	return NULL;
}
