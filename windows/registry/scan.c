/* SPDX-License-Identifier: MIT */
#include "base/diag.h"
#include "windows/pool/big_pool.h"
#include "windows/pool/pool_scan.h"
#include "windows/registry/private.h"

static const uint32_t hive_tag = POOL_TAG('C', 'M', '1', '0');

/* What lies there, if it is a hive that is not known yet. */
static struct error *try_hive(struct registry *r, uint64_t va, const char *source)
{
	struct hive_fault fault;
	struct hive h;

	if (registry_hive_by_address(r, va) || r->num_hives == MAX_HIVES ||
	    !hive_read(&r->memory, va, &r->arena, &h, &fault))
		return NULL;
	return registry_add_hive(r, &h, source);
}

/* Hives smaller than a page, as on Windows 7. */
static struct error *scan_pool(struct registry *r)
{
	const struct pool_query query = { .tags = &hive_tag, .num_tags = 1 };
	struct pool_hits hits CLEANUP(pool_hits_deinit) = { 0 };
	struct error *err = pool_scan(r->k, &query, &hits);

	for (size_t i = 0; i < hits.count && !err; i++) {
		if (hits.items[i].va.present)
			err = try_hive(r, hits.items[i].va.value + POOL_UNIT, "pool_scan");
	}
	return err;
}

static struct error *scan_big_pool(struct registry *r)
{
	struct big_pools pools CLEANUP(big_pools_deinit) = { 0 };
	struct error *err = big_pools_read(r->k, &pools);

	for (size_t i = 0; i < pools.count && !err; i++) {
		if (pools.items[i].tag == hive_tag)
			err = try_hive(r, pools.items[i].address, "big_pool");
	}
	return err;
}

/* What this snapshot or build has no way to tell is not told; the other way may. */
static void forgive(struct registry *r, struct error **err)
{
	if (!*err || (error_code(*err) != ERROR_NOT_FOUND && error_code(*err) != ERROR_UNSUPPORTED))
		return;
	diag_note(r->k->diag, "hives: %s", error_message(*err));
	error_destroy(*err);
	*err = NULL;
}

struct error *registry_scan(struct registry *r)
{
	struct error *err = scan_pool(r);

	forgive(r, &err);
	if (!err)
		err = scan_big_pool(r);
	forgive(r, &err);
	return err ? err : registry_find_process(r);
}
