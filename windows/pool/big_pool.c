/* SPDX-License-Identifier: MIT */
#include "windows/pool/big_pool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "windows/kernel/kernel_variable.h"
#include "windows/object.h"

DEFINE_FIELDS(big_pool, BIG_POOL_FIELDS);

enum { ENTRY_FREE = 1 };

struct reader {
	struct kernel *k;
	struct big_pools *pools;
	struct field fields[big_pool_num_fields];
	uint32_t entry_size;
	size_t absent;
	struct fault first;
};

static struct error *read_entry(struct reader *r, uint64_t va)
{
	struct object o = object_at(r->k->space, va, r->fields);
	struct big_pools *pools = r->pools;
	struct big_pool p = { .entry = va };
	uint64_t tag;
	struct error *err;

	if (!object_u64(&o, BIG_POOL_VA, &p.address) || !object_u64(&o, BIG_POOL_KEY, &tag)) {
		if (!r->absent++)
			r->first = o.fault;
		return NULL;
	}
	p.free = p.address & ENTRY_FREE;
	p.address &= ~(uint64_t)ENTRY_FREE;
	if (!p.address)
		return NULL; /* never used */
	p.tag = (uint32_t)tag;
	p.size = object_opt(&o, BIG_POOL_SIZE);
	p.type = object_opt(&o, BIG_POOL_TYPE);
	p.process = object_opt(&o, BIG_POOL_PROCESS);
	p.process.present = p.process.present && p.process.value;
	if ((err = array_reserve(&pools->items, &pools->capacity, pools->count + 1,
				 sizeof(*pools->items), MAX_BIG_POOLS, "big pool allocations")))
		return err;
	pools->items[pools->count++] = p;
	return NULL;
}

static struct error *read_table(struct reader *r, uint64_t table, uint64_t count)
{
	struct error *err = NULL;

	if (count > MAX_BIG_POOLS) {
		diag_partial(r->k->diag, "PoolBigPageTableSize: %" PRIu64 " is more than %d", count,
			     MAX_BIG_POOLS);
		return NULL;
	}
	for (uint64_t i = 0; i < count && !err; i++)
		err = read_entry(r, table + i * r->entry_size);
	if (r->absent)
		diag_partial(r->k->diag,
			     "PoolBigPageTable: %zu of %" PRIu64 " entries are absent (first at "
			     "0x%" PRIx64 ": %s)",
			     r->absent, count, r->first.va, va_state_text(r->first.state));
	return err;
}

struct error *big_pools_read(struct kernel *k, struct big_pools *ret)
{
	struct reader r = { .k = k, .pools = ret };
	uint64_t table, count;
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	if ((err = profile_bind(k->profile, big_pool_field_rows, big_pool_num_fields, r.fields)))
		return err;
	if (!r.fields[BIG_POOL_VA].present || !r.fields[BIG_POOL_KEY].present ||
	    !profile_type_size(k->profile, "_POOL_TRACKER_BIG_PAGES", &r.entry_size) ||
	    !r.entry_size)
		return error_new(ERROR_NOT_FOUND,
				 "this build's table of big pool allocations is not known");
	if (!kernel_variable_read(k, "PoolBigPageTable", &table) ||
	    !kernel_variable_read(k, "PoolBigPageTableSize", &count))
		return NULL;
	if (!table) {
		diag_partial(k->diag,
			     "PoolBigPageTable is 0: the kernel had not set up its table of "
			     "big pool allocations, or the variable was overwritten");
		return NULL;
	}
	if ((err = read_table(&r, table, count)))
		big_pools_deinit(ret);
	return err;
}

void big_pools_deinit(struct big_pools *pools)
{
	free(pools->items);
	memset(pools, 0, sizeof(*pools));
}
