/* SPDX-License-Identifier: MIT */
#include "base/u64_set.h"
#include "windows/drivers/driver.h"
#include "windows/object.h"
#include "windows/pool/plausible.h"
#include "windows/pool/pool_object.h"

/* Driver objects by the tag of their pool blocks, in or out of the directories. */

enum { IO_TYPE_DRIVER = 4 /* wdm.h */ };

static const uint32_t driver_tags[] = { POOL_TAG('D', 'r', 'i', 'v') };

struct driver_scan {
	struct driver_reader *reader;
	struct driver_list *list;
	struct pool_object_reader objects;
	struct type_code code;
	uint32_t size;	       /* of DRIVER_OBJECT */
	struct u64_set listed; /* addresses of the objects that the list has */
};

/* Does what is there look like a driver in every respect? */
static bool is_driver_object(void *arg, const struct pool_place *place)
{
	struct driver_scan *scan = arg;
	struct object o = object_at(place->space, place->address, scan->reader->fields);
	uint64_t type;

	return object_u64(&o, DRIVER_TYPE, &type) && type == IO_TYPE_DRIVER &&
	       plausible_pointer(&o, DRIVER_DEVICE) && plausible_pointer(&o, DRIVER_EXTENSION) &&
	       plausible_pointer(&o, DRIVER_SECTION) && plausible_pointer(&o, DRIVER_START);
}

static struct error *add_hit(struct driver_scan *scan, const struct pool_hit *hit)
{
	struct driver known = { .source = "pool_scan", .pool = opt_u64(hit->pa) };
	struct pool_place place;
	struct error *err;
	bool is_new = true;

	if (!pool_object_find(&scan->objects, hit, &scan->code, scan->size, is_driver_object, scan,
			      &place))
		return NULL;
	if (place.is_virtual) {
		known.object = place.address;
		if ((err = u64_set_add(&scan->listed, known.object, &is_new)))
			return err;
	}
	return is_new ? driver_add(scan->reader, place.space, place.address, &known, scan->list)
		      : NULL;
}

static struct error *scan_pools(struct driver_scan *scan)
{
	struct pool_query query = { .tags = driver_tags,
				    .num_tags = ARRAY_SIZE(driver_tags),
				    .min_size = scan->size };
	struct pool_hits hits;
	struct error *err = NULL;
	bool is_new;

	for (size_t i = 0; i < scan->list->count && !err; i++) {
		type_code_learn(&scan->objects, &scan->code, scan->list->items[i].object);
		err = u64_set_add(&scan->listed, scan->list->items[i].object, &is_new);
	}
	if (err || (err = pool_scan(scan->reader->k, &query, &hits)))
		return err;
	for (size_t i = 0; i < hits.count && !err; i++)
		err = add_hit(scan, &hits.items[i]);
	pool_hits_deinit(&hits);
	return err;
}

struct error *drivers_scan(struct driver_reader *r, struct driver_list *list)
{
	struct driver_scan scan = { .reader = r, .list = list };
	struct error *err;

	if (!r->k->snap->mem)
		return error_new(ERROR_UNSUPPORTED, "a triage dump has no physical memory to scan");
	if (!profile_type_size(r->k->profile, "_DRIVER_OBJECT", &scan.size))
		scan.size = 0;
	if (!(err = pool_object_begin(r->k, &scan.objects)))
		err = scan_pools(&scan);
	pool_object_end(&scan.objects);
	u64_set_deinit(&scan.listed);
	return err;
}
