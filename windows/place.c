/* SPDX-License-Identifier: MIT */
#include "windows/place.h"

#include <inttypes.h>
#include <string.h>

struct error *place_book_read(struct kernel *k, struct place_book *ret)
{
	struct error *err = kernel_modules_read(k, &ret->modules);

	if (err)
		return err;
	err = unloaded_drivers_read(k, &ret->unloaded);
	if (err)
		kernel_modules_deinit(&ret->modules);
	return err;
}

void place_book_deinit(struct place_book *book)
{
	kernel_modules_deinit(&book->modules);
	unloaded_drivers_deinit(&book->unloaded);
}

bool place_find(const struct place_book *book, uint64_t va, struct place *ret)
{
	for (size_t i = 0; i < book->modules.count; i++) {
		const struct kernel_module *m = &book->modules.items[i];

		if (m->has_size && va >= m->base && va - m->base < m->size) {
			*ret = (struct place){ m->name, m->base, va - m->base, m, NULL };
			return true;
		}
	}
	for (size_t i = 0; i < book->unloaded.count; i++) {
		const struct unloaded_driver *d = &book->unloaded.items[i];

		if (va >= d->start && va < d->end) {
			*ret = (struct place){ d->name, d->start, va - d->start, NULL, d };
			return true;
		}
	}
	return false;
}

char *place_text(struct arena *a, const struct place *place)
{
	return arena_printf(a, "%s%s+0x%" PRIx64, place->unloaded ? "unloaded " : "",
			    place->name ? place->name : "(unnamed)", place->offset);
}
