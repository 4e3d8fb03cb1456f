/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PLACE_H
#define WINDOWS_PLACE_H

#include "windows/drivers/driver.h"
#include "windows/modules/module.h"
#include "windows/modules/unloaded.h"

/* Where an address of the kernel's half lies: in which driver, loaded or no longer. */
struct place_book {
	struct kernel *k; /* borrowed; NULL: it has no drivers to ask */
	struct kernel_module_list modules;
	struct unloaded_list unloaded;
	const struct driver_list *drivers; /* borrowed; NULL: it reads its own when needed */
	struct driver_list own_drivers;
	bool has_own_drivers;
	struct arena arena; /* names of places in drivers */
};

struct place {
	const char *name; /* of the module; NULL: the address is in none, or its name is absent */
	uint64_t base, offset;
	const struct kernel_module *module;	/* NULL: not in a loaded one */
	const struct unloaded_driver *unloaded; /* NULL unless only an unloaded one was there */
	const struct driver *driver; /* in no listed module, but in the image of this object */
};

/* Reads both lists; what is missing goes to the kernel's diag. */
MUST_CHECK struct error *place_book_read(struct kernel *k, struct place_book *ret);
/* Without the unloaded ones. */
MUST_CHECK struct error *place_book_read_loaded(struct kernel *k, struct place_book *ret);
void place_book_deinit(struct place_book *book); /* a zeroed one is fine */

/* False: in no module. Of several unloaded ones the last is told. Strings are the book's. */
bool place_find(const struct place_book *book, uint64_t va, struct place *ret);
/*
 * As place_find(), and where no loaded module is, the image of a driver object: code that hides its
 * module, with "driver \Driver\name" for a name. Driver objects are read when first needed.
 */
MUST_CHECK struct error *place_find_code(struct place_book *book, uint64_t va, bool *found_ret,
					 struct place *ret);
/* Has place_find_code() ask these, which must outlive the book, and read none. */
void place_book_set_drivers(struct place_book *book, const struct driver_list *drivers);
/* "srv2.sys+0x1000", "unloaded dam.sys+0x10", "driver \Driver\name+0x10". NULL when memory is out.
 */
MUST_CHECK char *place_text(struct arena *a, const struct place *place);

#endif
