/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/pe/tables.h"

/* The whole export directory. Offsets: Microsoft PE/COFF specification, "Export Directory
 * Table". */
enum {
	ORDINAL_BASE = 0x10,
	NUM_FUNCTIONS = 0x14,
	NUM_NAMES = 0x18,
	FUNCTIONS = 0x1c,
	NAMES = 0x20,
	ORDINALS = 0x24,
	HEADER_SIZE = 0x28,
};

struct list {
	struct space *space;
	const struct pe_image *pe;
	struct arena *arena;
	uint64_t start; /* of the directory */
	uint32_t size;
	uint32_t ordinal_base, num_functions, num_names;
	uint64_t functions, names, ordinals; /* addresses of the three arrays */
	uint8_t *named;			     /* per function: has it a name? */
	struct pe_exports *ret;
};

static struct error *open_list(struct list *l)
{
	uint8_t header[HEADER_SIZE];
	struct error *err;

	if (!pe_directory_find(l->pe, PE_DIR_EXPORT, &l->start, &l->size))
		return error_new(ERROR_NOT_FOUND, "image 0x%" PRIx64 " has no export directory",
				 l->pe->base);
	if ((err = space_read(l->space, l->start, header, sizeof(header))))
		return error_wrap(err, "image 0x%" PRIx64 ": export directory", l->pe->base);
	l->ordinal_base = load_u32(header + ORDINAL_BASE);
	l->num_functions = load_u32(header + NUM_FUNCTIONS);
	l->num_names = load_u32(header + NUM_NAMES);
	l->functions = l->pe->base + load_u32(header + FUNCTIONS);
	l->names = l->pe->base + load_u32(header + NAMES);
	l->ordinals = l->pe->base + load_u32(header + ORDINALS);
	if (l->num_names > PE_MAX_EXPORTS || l->num_functions > PE_MAX_EXPORTS)
		return error_new(ERROR_LIMIT,
				 "image 0x%" PRIx64 ": %u export names, %u functions (limit %u)",
				 l->pe->base, l->num_names, l->num_functions, PE_MAX_EXPORTS);
	l->ret->items = arena_calloc(l->arena, (size_t)l->num_names + l->num_functions,
				     sizeof(*l->ret->items));
	l->named = arena_calloc(l->arena, l->num_functions, 1);
	return l->ret->items && l->named ? NULL : &error_no_memory;
}

/* The function of an index in the table of addresses; name may be NULL. */
static struct error *add_function(struct list *l, uint32_t index, const char *name)
{
	struct pe_export_entry entry = { .ordinal = l->ordinal_base + index, .name = name };
	uint64_t va = l->functions + 4ULL * index, dir_rva = l->start - l->pe->base;
	uint32_t rva;
	struct error *err;

	if (!space_try_u32(l->space, va, &rva, NULL)) {
		pe_add_hole(&l->ret->holes, va);
		return NULL;
	}
	if (!rva)
		return NULL; /* an ordinal that is not in use */
	entry.rva = rva;
	/* what points into the directory itself is the name of another module's export */
	if (rva >= dir_rva && rva - dir_rva < l->size) {
		if ((err = pe_string(l->space, l->pe->base + rva, l->arena, &entry.forwarder)))
			return err;
		if (!entry.forwarder) {
			pe_add_hole(&l->ret->holes, l->pe->base + rva);
			return NULL;
		}
		entry.rva = 0;
	}
	l->ret->items[l->ret->count++] = entry;
	return NULL;
}

static struct error *add_named(struct list *l, uint32_t index)
{
	uint64_t va = l->names + 4ULL * index;
	const char *name = NULL;
	uint16_t ordinal;
	uint32_t rva;
	struct error *err;

	if (!space_try_u16(l->space, l->ordinals + 2ULL * index, &ordinal, NULL)) {
		pe_add_hole(&l->ret->holes, l->ordinals + 2ULL * index);
		return NULL;
	}
	if (ordinal >= l->num_functions)
		return NULL; /* of no function */
	if (space_try_u32(l->space, va, &rva, NULL) &&
	    (err = pe_string(l->space, l->pe->base + rva, l->arena, &name)))
		return err;
	if (!name) {
		pe_add_hole(&l->ret->holes, va);
		return NULL; /* listed by its ordinal then */
	}
	l->named[ordinal] = 1;
	return add_function(l, ordinal, name);
}

static int compare_entries(const void *a, const void *b)
{
	const struct pe_export_entry *x = a, *y = b;

	if (x->ordinal != y->ordinal)
		return x->ordinal < y->ordinal ? -1 : 1;
	return x->name && y->name ? strcmp(x->name, y->name) : 0;
}

struct error *pe_exports_read(struct space *s, const struct pe_image *pe, struct arena *a,
			      struct pe_exports *ret)
{
	struct pe_exports exports = { .count = 0 };
	struct list l = { .space = s, .pe = pe, .arena = a, .ret = &exports };
	struct error *err = open_list(&l);

	for (uint32_t i = 0; !err && i < l.num_names; i++)
		err = add_named(&l, i);
	for (uint32_t i = 0; !err && i < l.num_functions; i++) {
		if (!l.named[i])
			err = add_function(&l, i, NULL);
	}
	if (err)
		return err;
	qsort(exports.items, exports.count, sizeof(*exports.items), compare_entries);
	*ret = exports;
	return NULL;
}
