/* SPDX-License-Identifier: MIT */
#include "windows/modules/place.h"

#include <inttypes.h>
#include <string.h>

#include "windows/kernel/kernel_address.h"

struct error *place_book_read_loaded(struct kernel *k, struct place_book *ret)
{
	struct error *err;

	*ret = (struct place_book){ .k = k };
	if ((err = kernel_modules_read(k, &ret->modules)))
		return err;
	arena_init(&ret->arena, 0);
	return NULL;
}

struct error *place_book_read(struct kernel *k, struct place_book *ret)
{
	struct error *err = place_book_read_loaded(k, ret);

	if (err)
		return err;
	err = unloaded_drivers_read(k, &ret->unloaded);
	if (err)
		place_book_deinit(ret);
	return err;
}

void place_book_deinit(struct place_book *book)
{
	kernel_modules_deinit(&book->modules);
	unloaded_drivers_deinit(&book->unloaded);
	driver_list_deinit(&book->own_drivers);
	arena_deinit(&book->arena);
	memset(book, 0, sizeof(*book));
}

bool place_find(const struct place_book *book, uint64_t va, struct place *ret)
{
	for (size_t i = 0; i < book->modules.count; i++) {
		const struct kernel_module *m = &book->modules.items[i];

		if (m->has_size && va >= m->base && va - m->base < m->size) {
			*ret = (struct place){ m->name, m->base, va - m->base, .module = m };
			return true;
		}
	}
	for (size_t i = 0; i < book->unloaded.count; i++) {
		const struct unloaded_driver *d = &book->unloaded.items[i];

		if (va >= d->start && va < d->end) {
			*ret = (struct place){ d->name, d->start, va - d->start, .unloaded = d };
			return true;
		}
	}
	return false;
}

void place_book_set_drivers(struct place_book *book, const struct driver_list *drivers)
{
	book->drivers = drivers;
}

/* What is missing of them is the concern of who lists drivers: here it is one note. */
static struct error *read_drivers(struct place_book *book)
{
	struct driver_reader reader = { 0 };
	struct kernel quiet = *book->k;
	struct diag unsaid;
	struct error *err;

	book->has_own_drivers = true;
	if (!quiet.snap->mem)
		return NULL; /* a triage dump has no object directories */
	diag_init(&unsaid, NULL, NULL);
	quiet.diag = &unsaid;
	if (!(err = driver_reader_init(&quiet, &reader)))
		err = drivers_read(&reader, &book->own_drivers);
	driver_reader_deinit(&reader);
	if (err == &error_no_memory)
		return err;
	if (err || unsaid.partial)
		diag_note(book->k->diag, "some driver objects could not be read: code in no listed "
					 "module may be one's");
	error_destroy(err);
	return NULL;
}

/* Where several claim the address, the one that begins nearest to it. */
static const struct driver *find_driver(const struct driver_list *list, uint64_t va)
{
	const struct driver *found = NULL;

	for (size_t i = 0; i < list->count; i++) {
		const struct driver *d = &list->items[i];

		if (driver_contains(d, va) && (!found || d->start.value > found->start.value))
			found = d;
	}
	return found;
}

struct error *place_find_code(struct place_book *book, uint64_t va, bool *found_ret,
			      struct place *ret)
{
	const struct driver *d;
	struct error *err;
	const char *name;

	*found_ret = place_find(book, va, ret);
	if ((*found_ret && ret->module) || !book->k || !kernel_address_is_plausible(va))
		return NULL;
	if (!book->drivers && !book->has_own_drivers && (err = read_drivers(book)))
		return err;
	if (!(d = find_driver(book->drivers ? book->drivers : &book->own_drivers, va)))
		return NULL;
	name = arena_printf(&book->arena, "driver %s", d->name ? d->name : "(unnamed)");
	if (!name)
		return &error_no_memory;
	*found_ret = true;
	*ret = (struct place){ name, d->start.value, va - d->start.value, .driver = d };
	return NULL;
}

char *place_text(struct arena *a, const struct place *place)
{
	return arena_printf(a, "%s%s+0x%" PRIx64, place->unloaded ? "unloaded " : "",
			    place->name ? place->name : "(unnamed)", place->offset);
}
