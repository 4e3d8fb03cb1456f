/* SPDX-License-Identifier: MIT */
#include "windows/kernel_tables/code_names.h"

#include <inttypes.h>
#include <string.h>

#include "windows/pe/tables.h"

/* The exports of one module that have names. */
struct code_exports {
	bool tried;
	struct pe_exports list;
};

/* The kernel's symbols: the first source that is for exactly it. */
static struct error *open_symbols(struct code_names *names)
{
	const struct profile *profile = names->k->profile;

	for (size_t i = 0; i < profile_num_sources(profile); i++) {
		bool exact;
		const struct profile_source *src = profile_source_at(profile, i, &exact);

		if (!exact || !src->ops->info)
			continue;
		/* a symbol file has all; the built-in table those that the project uses */
		names->sparse = !src->ops->identity;
		return symbol_index_create(src, &names->symbols);
	}
	return NULL;
}

struct error *code_names_read(struct kernel *k, struct code_names *ret)
{
	struct error *err;

	*ret = (struct code_names){ .k = k };
	arena_init(&ret->arena, 0);
	if (!(err = place_book_read(k, &ret->places)) && !(err = open_symbols(ret))) {
		ret->exports = arena_calloc(&ret->arena, ret->places.modules.count + 1,
					    sizeof(*ret->exports));
		if (!ret->exports)
			err = &error_no_memory;
	}
	if (err)
		code_names_deinit(ret);
	return err;
}

void code_names_deinit(struct code_names *names)
{
	symbol_index_destroy(names->symbols);
	place_book_deinit(&names->places);
	arena_deinit(&names->arena);
	memset(names, 0, sizeof(*names));
}

static bool is_preferred(const char *name, const char *prefer)
{
	return prefer && strncmp(name, prefer, strlen(prefer)) == 0;
}

static void name_by_symbols(const struct code_names *names, const char *prefer,
			    struct code_place *place)
{
	const struct symbol *nearest, *all;
	size_t count;

	if (!names->symbols || !(nearest = symbol_index_nearest(names->symbols, place->offset)))
		return;
	if (names->sparse && nearest->rva != place->offset)
		return;
	place->symbol = nearest->name;
	place->symbol_offset = place->offset - nearest->rva;
	all = symbol_index_all(names->symbols, &count);
	for (size_t i = (size_t)(nearest - all); i < count && all[i].rva == nearest->rva; i++) {
		if (is_preferred(all[i].name, prefer)) {
			place->symbol = all[i].name;
			return;
		}
	}
}

/* Reads a module's exports; a module that has none to be read is left without names. */
static struct error *read_exports(struct code_names *names, uint64_t base,
				  struct code_exports *exports)
{
	struct space *space = names->k->space;
	struct pe_image pe;
	struct error *err;

	exports->tried = true;
	err = pe_read(space, base, &pe);
	if (!err)
		err = pe_exports_read(space, &pe, &names->arena, &exports->list);
	if (err == &error_no_memory)
		return err;
	error_destroy(err);
	return NULL;
}

static struct error *name_by_exports(struct code_names *names, size_t module, const char *prefer,
				     struct code_place *place)
{
	struct code_exports *exports = &names->exports[module];
	struct error *err;

	if (!exports->tried && (err = read_exports(names, place->base, exports)))
		return err;
	for (size_t i = 0; i < exports->list.count; i++) {
		const struct pe_export_entry *e = &exports->list.items[i];

		if (!e->name || e->forwarder || e->rva != place->offset)
			continue;
		if (!place->symbol || is_preferred(e->name, prefer))
			place->symbol = e->name;
		place->symbol_offset = 0;
		if (!prefer || is_preferred(e->name, prefer))
			break;
	}
	return NULL;
}

struct error *code_find(struct code_names *names, uint64_t va, const char *prefer,
			struct code_place *ret)
{
	struct place place;
	struct error *err;
	bool found;

	*ret = (struct code_place){ 0 };
	if ((err = place_find_code(&names->places, va, &found, &place)) || !found)
		return err;
	ret->module = place.name;
	ret->base = place.base;
	ret->offset = place.offset;
	ret->unloaded = place.unloaded;
	ret->in_module = place.module;
	ret->in_driver = place.driver;
	if (!place.module)
		return NULL;
	if (place.base == names->k->loc.base)
		name_by_symbols(names, prefer, ret);
	if (ret->symbol)
		return NULL;
	return name_by_exports(names, (size_t)(place.module - names->places.modules.items), prefer,
			       ret);
}

struct error *code_symbol_text(struct arena *a, const struct code_place *place, const char **ret)
{
	const char *text = place->symbol;

	if (text && place->symbol_offset &&
	    !(text = arena_printf(a, "%s+0x%" PRIx64, text, place->symbol_offset)))
		return &error_no_memory;
	*ret = text;
	return NULL;
}

struct error *code_text(struct arena *a, const struct code_place *place, uint64_t va,
			const char **ret)
{
	const char *module = place->module ? place->module : "(unnamed)";
	const char *symbol, *text;
	struct error *err;

	if ((err = code_symbol_text(a, place, &symbol)))
		return err;
	if (!place->in_module && !place->unloaded && !place->in_driver)
		text = arena_printf(a, "0x%" PRIx64, va);
	else if (symbol)
		text = arena_printf(a, "%s!%s", module, symbol);
	else
		text = arena_printf(a, "%s%s+0x%" PRIx64, place->unloaded ? "unloaded " : "",
				    module, place->offset);
	if (!text)
		return &error_no_memory;
	*ret = text;
	return NULL;
}
