/* SPDX-License-Identifier: MIT */
#include "windows/kernel_tables/pool_tags.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "windows/kernel/cpu.h"
#include "windows/kernel/kernel_variable.h"
#include "windows/object.h"

DEFINE_FIELDS(pool_tag, POOL_TAG_FIELDS);

static const enum pool_tag_field counter_fields[NUM_POOL_COUNTERS] = {
	[NONPAGED_ALLOCS] = POOL_TAG_NONPAGED_ALLOCS, [NONPAGED_FREES] = POOL_TAG_NONPAGED_FREES,
	[NONPAGED_BYTES] = POOL_TAG_NONPAGED_BYTES,   [PAGED_ALLOCS] = POOL_TAG_PAGED_ALLOCS,
	[PAGED_FREES] = POOL_TAG_PAGED_FREES,	      [PAGED_BYTES] = POOL_TAG_PAGED_BYTES,
};

enum { TAG_SIZE = 4, TAG_PROTECTED_BYTE = 0x7f };

struct reader {
	struct kernel *k;
	struct pool_tag_uses *uses;
	struct field fields[pool_tag_num_fields];
	uint32_t entry_size;
	size_t absent;
	struct fault first;
};

static struct error *read_entry(struct reader *r, uint64_t va)
{
	struct object o = object_at(r->k->space, va, r->fields);
	struct pool_tag_uses *uses = r->uses;
	struct pool_tag_use use = { .entry = va };
	struct error *err;
	uint64_t key;

	if (!object_u64(&o, POOL_TAG_KEY, &key)) {
		if (!r->absent++)
			r->first = o.fault;
		return NULL;
	}
	if (!key)
		return NULL; /* free */
	use.tag = (uint32_t)key;
	for (unsigned i = 0; i < NUM_POOL_COUNTERS; i++)
		use.counters[i] = object_opt(&o, counter_fields[i]);
	if ((err = array_reserve(&uses->items, &uses->capacity, uses->count + 1,
				 sizeof(*uses->items), SIZE_MAX / sizeof(*uses->items),
				 "pool tags")))
		return err;
	uses->items[uses->count++] = use;
	return NULL;
}

static struct error *read_table(struct reader *r, const char *what, uint64_t table, uint64_t count)
{
	struct error *err = NULL;

	r->absent = 0;
	for (uint64_t i = 0; i < count && !err; i++)
		err = read_entry(r, table + i * r->entry_size);
	if (r->absent)
		diag_partial(r->k->diag,
			     "%s: %zu of %" PRIu64 " entries are absent (first at 0x%" PRIx64
			     ": %s)",
			     what, r->absent, count, r->first.va, va_state_text(r->first.state));
	return err;
}

/* A table, 0 where there is none, and the number of its entries. False: it is not known. */
static bool find_table(struct kernel *k, const char *name, const char *size_name,
		       uint64_t *table_ret, uint64_t *count_ret)
{
	if (!kernel_variable_read(k, name, table_ret) ||
	    !kernel_variable_read(k, size_name, count_ret))
		return false;
	if (*count_ret <= MAX_POOL_TRACKERS)
		return true;
	diag_partial(k->diag, "%s: %" PRIu64 " is more than %d", size_name, *count_ret,
		     MAX_POOL_TRACKERS);
	return false;
}

/* The tables of the processors but the first, which is PoolTrackTable. */
static struct error *read_processor_tables(struct reader *r, uint64_t first, uint64_t count)
{
	struct kernel *k = r->k;
	struct kernel_cpu *cpus;
	struct arena arena;
	struct error *err;
	uint64_t tables;
	size_t num_cpus;

	if (!kernel_symbol(k, "ExPoolTagTables", &tables)) {
		diag_partial(k->diag, "ExPoolTagTables is not known: what the processors count for "
				      "themselves is left out");
		return NULL;
	}
	arena_init(&arena, 0);
	err = kernel_cpus_read(k, &arena, &cpus, &num_cpus);
	arena_deinit(&arena);
	for (size_t i = 0; !err && i < num_cpus && i < MAX_POOL_TRACK_TABLES; i++) {
		uint64_t table;

		if (!space_try_u64(k->space, tables + i * sizeof(table), &table, NULL))
			diag_partial(k->diag, "ExPoolTagTables: that of cpu %zu is absent", i);
		else if (table && table != first)
			err = read_table(r, "ExPoolTagTables", table, count);
	}
	return err;
}

static int by_tag(const void *a, const void *b)
{
	const struct pool_tag_use *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static int by_entry(const void *a, const void *b)
{
	const struct pool_tag_use *x = a, *y = b;

	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* One item per tag. */
static void merge(struct pool_tag_uses *uses)
{
	size_t out = 0;

	if (!uses->count)
		return;
	qsort(uses->items, uses->count, sizeof(*uses->items), by_tag);
	for (size_t i = 1; i < uses->count; i++) {
		struct pool_tag_use *use = &uses->items[out];
		const struct pool_tag_use *next = &uses->items[i];

		if (next->tag != use->tag) {
			uses->items[++out] = *next;
			continue;
		}
		for (unsigned c = 0; c < NUM_POOL_COUNTERS; c++) {
			use->counters[c].present &= next->counters[c].present;
			use->counters[c].value += next->counters[c].value;
		}
	}
	uses->count = out + 1;
	qsort(uses->items, uses->count, sizeof(*uses->items), by_entry);
}

static struct error *read_all(struct reader *r)
{
	uint64_t table, count;
	struct kernel *k = r->k;
	struct error *err;

	if (!find_table(k, "PoolTrackTable", "PoolTrackTableSize", &table, &count))
		return NULL;
	if (!table)
		diag_partial(k->diag, "PoolTrackTable is 0: the kernel had not set up its table of "
				      "pool tags, or the variable was overwritten");
	else if ((err = read_table(r, "PoolTrackTable", table, count)) ||
		 (err = read_processor_tables(r, table, count)))
		return err;
	/* most machines never need this one */
	if (find_table(k, "PoolTrackTableExpansion", "PoolTrackTableExpansionSize", &table,
		       &count) &&
	    table && (err = read_table(r, "PoolTrackTableExpansion", table, count)))
		return err;
	merge(r->uses);
	return NULL;
}

struct error *pool_tags_read(struct kernel *k, struct pool_tag_uses *ret)
{
	struct reader r = { .k = k, .uses = ret };
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	if ((err = profile_bind(k->profile, pool_tag_field_rows, pool_tag_num_fields, r.fields)))
		return err;
	if (!r.fields[POOL_TAG_KEY].present ||
	    !profile_type_size(k->profile, "_POOL_TRACKER_TABLE", &r.entry_size) || !r.entry_size)
		return error_new(ERROR_NOT_FOUND, "this build's table of pool tags is not known");
	if ((err = read_all(&r)))
		pool_tags_deinit(ret);
	return err;
}

void pool_tags_deinit(struct pool_tag_uses *uses)
{
	free(uses->items);
	memset(uses, 0, sizeof(*uses));
}

struct error *pool_tag_text(struct arena *a, uint32_t tag, const char **ret)
{
	uint8_t bytes[TAG_SIZE];

	store_u32(bytes, tag);
	bytes[TAG_SIZE - 1] &= TAG_PROTECTED_BYTE;
	*ret = text_from_ansi(a, bytes, sizeof(bytes));
	return *ret ? NULL : &error_no_memory;
}

struct error *pool_tag_check(const char *pattern)
{
	size_t count = 0;

	for (const char *c = pattern; *c; count++) {
		if (*c == '*' && !c[1])
			break;
		text_next(&c);
	}
	if (count <= TAG_SIZE && *pattern)
		return NULL;
	return error_new(ERROR_USAGE, "'%s' is no pool tag: these have one to %d characters",
			 pattern, TAG_SIZE);
}

bool pool_tag_matches(const char *pattern, const char *tag)
{
	while (*pattern) {
		if (*pattern == '*' && !pattern[1])
			return true;
		/* tags are padded with spaces, which nobody writes */
		if (!*tag || (*pattern != '?' && *pattern != *tag))
			return false;
		pattern++;
		tag++;
	}
	return tag[strspn(tag, " ")] == '\0';
}
