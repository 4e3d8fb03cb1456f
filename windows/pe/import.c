/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "windows/pe/tables.h"

/* IMAGE_IMPORT_DESCRIPTOR: Microsoft PE/COFF specification, "Import Directory Table". */
enum {
	LOOKUP_TABLE = 0,
	NAME = 12,
	ADDRESS_TABLE = 16,
	DESCRIPTOR_SIZE = 20,
	HINT_SIZE = 2, /* in front of a name */
};

struct reader {
	struct space *space;
	const struct pe_image *pe;
	struct arena *arena;
	struct pe_import_entry *items; /* heap */
	size_t capacity;
	struct pe_imports *ret;
};

static bool read_pointer(const struct reader *r, uint64_t va, uint64_t *ret)
{
	uint32_t narrow;

	if (!r->pe->is_32bit)
		return space_try_u64(r->space, va, ret, NULL);
	if (!space_try_u32(r->space, va, &narrow, NULL))
		return false;
	*ret = narrow;
	return true;
}

/* One element of the lookup table: an ordinal, or the RVA of a name. */
static struct error *read_name(struct reader *r, uint64_t lookup, struct pe_import_entry *entry)
{
	unsigned flag = r->pe->is_32bit ? 31 : 63;
	struct error *err;

	entry->by_ordinal = lookup >> flag & 1;
	if (entry->by_ordinal) {
		entry->ordinal = (uint16_t)lookup;
		return NULL;
	}
	uint64_t va = r->pe->base + (uint32_t)lookup + HINT_SIZE;

	if ((err = pe_string(r->space, va, r->arena, &entry->name)))
		return err;
	if (!entry->name)
		pe_add_hole(&r->ret->holes, va);
	return NULL;
}

static struct error *read_module(struct reader *r, const char *module, uint32_t lookup_rva,
				 uint32_t address_rva)
{
	size_t pointer = r->pe->is_32bit ? 4 : 8;
	struct error *err;

	for (uint64_t i = 0;; i++) {
		uint64_t at = r->pe->base + lookup_rva + pointer * i, lookup;
		struct pe_import_entry entry = {
			.module = module,
			.slot = r->pe->base + address_rva + pointer * i,
		};

		if (!read_pointer(r, at, &lookup)) {
			pe_add_hole(&r->ret->holes, at);
			return NULL;
		}
		if (!lookup)
			return NULL;
		entry.has_target = read_pointer(r, entry.slot, &entry.target);
		err = array_reserve(&r->items, &r->capacity, r->ret->count + 1, sizeof(*r->items),
				    PE_MAX_IMPORTS, "imports");
		if (err || (err = read_name(r, lookup, &entry)))
			return err;
		r->items[r->ret->count++] = entry;
	}
}

static struct error *read_descriptors(struct reader *r, uint64_t va, uint32_t size)
{
	uint8_t bytes[DESCRIPTOR_SIZE];
	const char *module;
	struct error *err = NULL;

	for (uint32_t i = 0; i < size / DESCRIPTOR_SIZE && i < PE_MAX_IMPORT_MODULES && !err; i++) {
		uint64_t at = va + (uint64_t)DESCRIPTOR_SIZE * i;

		if (!space_try_read(r->space, at, bytes, sizeof(bytes), NULL)) {
			pe_add_hole(&r->ret->holes, at);
			continue;
		}
		uint32_t lookup = load_u32(bytes + LOOKUP_TABLE), name = load_u32(bytes + NAME);

		if (!name)
			break;
		if ((err = pe_string(r->space, r->pe->base + name, r->arena, &module)))
			return err;
		if (!module)
			pe_add_hole(&r->ret->holes, r->pe->base + name);
		/* Without a lookup table the names were in the address table, which the loader has
		 * overwritten. */
		if (lookup)
			err = read_module(r, module, lookup, load_u32(bytes + ADDRESS_TABLE));
	}
	return err;
}

struct error *pe_imports_read(struct space *s, const struct pe_image *pe, struct arena *a,
			      struct pe_imports *ret)
{
	struct pe_imports imports = { .count = 0 };
	struct reader r = { .space = s, .pe = pe, .arena = a, .ret = &imports };
	struct error *err;
	uint64_t va;
	uint32_t size;

	if (!pe_directory_find(pe, PE_DIR_IMPORT, &va, &size))
		return error_new(ERROR_NOT_FOUND, "image 0x%" PRIx64 " has no import directory",
				 pe->base);
	err = read_descriptors(&r, va, size);
	if (!err) {
		imports.items = arena_calloc(a, imports.count, sizeof(*imports.items));
		if (!imports.items)
			err = &error_no_memory;
		else if (imports.count)
			memcpy(imports.items, r.items, imports.count * sizeof(*imports.items));
	}
	free(r.items);
	if (err)
		return error_wrap(err, "image 0x%" PRIx64, pe->base);
	*ret = imports;
	return NULL;
}
