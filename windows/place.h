/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PLACE_H
#define WINDOWS_PLACE_H

#include "windows/module.h"
#include "windows/unloaded.h"

/* Where an address of the kernel's half lies: in which driver, loaded or no longer. */
struct place_book {
	struct kernel_module_list modules;
	struct unloaded_list unloaded;
};

struct place {
	const char *name; /* of the module; NULL: the address is in none, or its name is absent */
	uint64_t base, offset;
	const struct kernel_module *module;	/* NULL: not in a loaded one */
	const struct unloaded_driver *unloaded; /* NULL unless only an unloaded one was there */
};

/* Reads both lists; what is missing goes to the kernel's diag. */
MUST_CHECK struct error *place_book_read(struct kernel *k, struct place_book *ret);
void place_book_deinit(struct place_book *book); /* a zeroed one is fine */

/* False: in no module. Of several unloaded ones the last is told. Strings are the book's. */
bool place_find(const struct place_book *book, uint64_t va, struct place *ret);
/* "srv2.sys+0x1000", "unloaded dam.sys+0x10". NULL when memory is out. */
MUST_CHECK char *place_text(struct arena *a, const struct place *place);

#endif
