/* SPDX-License-Identifier: MIT */
#include "windows/process/cid_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "windows/kernel/kernel_address.h"
#include "windows/objects/handle_table.h"
#include "windows/process/private.h"
#include "windows/thread/private.h"

enum { MAX_CID_ENTRIES = 1 << 22 };

struct cid_reader {
	struct kernel *k;
	struct cid_table *table;
	size_t capacity;
	struct field process_fields[process_num_fields];
	struct field thread_fields[thread_num_fields];
	struct handle_layout layout;
};

/* By the object's own dispatcher header and id. */
static enum cid_kind kind_of(struct cid_reader *r, uint64_t object, uint64_t id)
{
	struct object p = object_at(r->k->space, object, r->process_fields);
	struct object t = object_at(r->k->space, object, r->thread_fields);
	struct opt_u64 type = object_opt(&p, PROCESS_TYPE);
	uint64_t own;

	if ((!type.present || type.value == DISPATCHER_PROCESS) &&
	    object_u64(&p, PROCESS_PID, &own) && own == id)
		return CID_PROCESS;
	type = object_opt(&t, THREAD_TYPE);
	if ((!type.present || type.value == DISPATCHER_THREAD) &&
	    object_u64(&t, THREAD_TID, &own) && own == id)
		return CID_THREAD;
	return CID_OTHER;
}

static struct error *add_entry(struct cid_reader *r, const struct handle_entry *entry)
{
	struct error *err;

	if (!kernel_address_is_plausible(entry->pointer))
		return NULL;
	err = array_reserve(&r->table->items, &r->capacity, r->table->count + 1,
			    sizeof(*r->table->items), MAX_CID_ENTRIES, "ids");
	if (err)
		return err;
	r->table->items[r->table->count++] = (struct cid_entry){
		.id = entry->handle,
		.object = entry->pointer,
		.kind = kind_of(r, entry->pointer, entry->handle),
	};
	return NULL;
}

static struct error *read_table(struct cid_reader *r, uint64_t va)
{
	struct handle_walk *walk = malloc(sizeof(*walk));
	struct error *err = NULL;
	enum handle_step step;
	struct handle_entry entry;
	struct handle_gap gap;
	struct fault fault = { 0 };

	if (!walk)
		return &error_no_memory;
	r->table->known = handle_walk_start(walk, r->k->space, &r->layout, va, &fault);
	if (!r->table->known) {
		diag_partial(r->k->diag, "PspCidTable at 0x%" PRIx64 ": %s", va,
			     fault.va ? va_state_text(fault.state) : "no known layout");
		free(walk);
		return NULL;
	}
	r->table->complete = true;
	while (!err && (step = handle_walk_next(walk, &entry, &gap)) != HANDLE_END) {
		if (step == HANDLE_ENTRY) {
			err = add_entry(r, &entry);
			continue;
		}
		r->table->complete = false;
		diag_partial(r->k->diag,
			     "PspCidTable: ids %" PRIu64 " to %" PRIu64 ": 0x%" PRIx64 ": %s",
			     gap.first, gap.last, gap.fault.va, gap.why);
	}
	free(walk);
	return err;
}

static struct error *bind(struct cid_reader *r)
{
	const struct profile *p = r->k->profile;
	struct error *err;

	if ((err = handle_layout_bind(p, &r->layout)) ||
	    (err = profile_bind(p, process_field_rows, process_num_fields, r->process_fields)))
		return err;
	return profile_bind(p, thread_field_rows, thread_num_fields, r->thread_fields);
}

bool cid_table_exists(const struct kernel *k)
{
	const struct global_value *global = &k->globals[GLOBAL_PSP_CID_TABLE];
	uint64_t va;

	return global->present && (!space_try_u64(k->space, global->va, &va, NULL) || va);
}

struct error *cid_table_read(struct kernel *k, struct cid_table *ret)
{
	const struct global_value *global = &k->globals[GLOBAL_PSP_CID_TABLE];
	struct cid_reader r = { .k = k, .table = ret };
	struct error *err;
	struct fault fault;
	uint64_t va;

	memset(ret, 0, sizeof(*ret));
	if (!global->present) {
		diag_partial(k->diag, "PspCidTable was not found");
		return NULL;
	}
	if (!space_try_u64(k->space, global->va, &va, &fault)) {
		diag_partial(k->diag, "PspCidTable: 0x%" PRIx64 ": %s", fault.va,
			     va_state_text(fault.state));
		return NULL;
	}
	if (!(err = bind(&r)))
		err = read_table(&r, va);
	if (err)
		cid_table_deinit(ret);
	return err;
}

void cid_table_deinit(struct cid_table *table)
{
	free(table->items);
	memset(table, 0, sizeof(*table));
}

uint64_t cid_table_find(const struct cid_table *table, uint64_t id, enum cid_kind kind)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->items[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table->count && table->items[low].id == id && table->items[low].kind == kind
		       ? table->items[low].object
		       : 0;
}
