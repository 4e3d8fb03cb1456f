/* SPDX-License-Identifier: MIT */
#include "windows/kernel_tables/callbacks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/u64_set.h"
#include "windows/kernel/kernel_address.h"
#include "windows/kernel_tables/callback_kinds.h"
#include "windows/list.h"
#include "windows/object.h"

DEFINE_FIELDS(callback, CALLBACK_FIELDS);

enum {
	FAST_REF_MASK = 0xf,
	IRP_MJ_SHUTDOWN = 0x10, /* wdm.h */
	LINK_SIZE = 16,		/* LIST_ENTRY */
	MAX_COMPONENT = 64,
	MAX_OBJECT_TYPES = 256, /* a type's index is one byte */
	FIRST_OBJECT_TYPE = 2,	/* the two slots before are no types */
};

struct reader {
	struct kernel *k;
	struct callback_list *list;
	struct field fields[callback_num_fields];
	/* Records of the list being read that are absent or hold no address. */
	size_t unreadable;
	struct fault first;
};

static void note_fault(struct reader *r, const struct fault *fault)
{
	if (!r->unreadable++)
		r->first = *fault;
}

static void report_faults(struct reader *r, const char *what)
{
	if (r->unreadable)
		diag_partial(r->k->diag,
			     "%s: %zu records could not be read (first at 0x%" PRIx64 ": %s)", what,
			     r->unreadable, r->first.va, va_state_text(r->first.state));
	r->unreadable = 0;
}

static struct error *add(struct reader *r, const struct callback *c)
{
	struct callback_list *l = r->list;
	struct error *err = array_reserve(&l->items, &l->capacity, l->count + 1, sizeof(*l->items),
					  SIZE_MAX / sizeof(*l->items), "callbacks");

	if (!err)
		l->items[l->count++] = *c;
	return err;
}

/* A pointer in the record; absent if its bytes are, or if the record has none (offset 0). */
static struct opt_u64 record_u64(struct reader *r, uint64_t record, unsigned offset)
{
	struct opt_u64 ret = { 0 };
	struct fault fault;

	if (!offset)
		return ret;
	ret.present = space_try_u64(r->k->space, record + offset, &ret.value, &fault);
	if (!ret.present)
		note_fault(r, &fault);
	return ret;
}

/* A NUL-terminated ANSI string of at most MAX_COMPONENT bytes. */
static struct error *read_component(struct reader *r, uint64_t va, const char **ret)
{
	uint8_t bytes[MAX_COMPONENT] = { 0 };
	struct fault fault;
	size_t len = 0;

	/* byte by byte: what follows the string need not be there */
	while (len < sizeof(bytes)) {
		if (!space_try_read(r->k->space, va + len, &bytes[len], 1, &fault)) {
			note_fault(r, &fault);
			return NULL;
		}
		if (!bytes[len++])
			break;
	}
	*ret = text_from_ansi(&r->list->arena, bytes, len);
	return *ret ? NULL : &error_no_memory;
}

static void read_altitude(struct reader *r, uint64_t va, const char **ret)
{
	struct fault fault = { 0 };
	char *text;

	if (read_unicode_string(r->k->space, va, false, &r->list->arena, &text, &fault))
		*ret = text;
	else
		note_fault(r, &fault);
}

/* A device asks to be sent IRP_MJ_SHUTDOWN: the function is its driver's handler of that. */
static void follow_device(struct reader *r, struct callback *c)
{
	struct object device = object_at(r->k->space, c->object.value, r->fields);
	uint64_t driver, table;

	if (!object_u64(&device, CALLBACK_DEVICE_DRIVER, &driver)) {
		if (device.fault.va)
			note_fault(r, &device.fault);
		return;
	}
	device = object_at(r->k->space, driver, r->fields);
	if (object_address(&device, CALLBACK_MAJOR_FUNCTION, &table))
		c->function = record_u64(r, table, IRP_MJ_SHUTDOWN * sizeof(uint64_t));
}

static struct error *read_detail(struct reader *r, const struct callback_kind *kind,
				 struct callback *c)
{
	uint64_t va = c->record + kind->detail_at;
	struct opt_u64 pointer;
	uint32_t reason;

	switch (kind->detail) {
	case DETAIL_ALTITUDE:
		read_altitude(r, va, &c->altitude);
		return NULL;
	case DETAIL_REASON:
		if (space_try_u32(r->k->space, c->record + CALLBACK_REASON, &reason, NULL))
			c->detail = callback_reason_name(reason);
		/* fallthrough */
	case DETAIL_COMPONENT:
		pointer = record_u64(r, c->record, kind->detail_at);
		if (pointer.present && pointer.value)
			return read_component(r, pointer.value, &c->component);
		return NULL;
	case DETAIL_DEVICE:
		if (c->object.present)
			follow_device(r, c);
		return NULL;
	case DETAIL_NONE:
		break;
	}
	return NULL;
}

static struct error *read_record(struct reader *r, const struct callback_kind *kind,
				 uint64_t record)
{
	struct callback c = { .type = kind->type, .source = kind->symbol, .record = record };
	struct error *err;

	c.function = record_u64(r, record, kind->function);
	if (kind->function && !c.function.present)
		return NULL;
	c.context = record_u64(r, record, kind->context);
	c.object = record_u64(r, record, kind->object);
	if ((err = read_detail(r, kind, &c)))
		return err;
	return add(r, &c);
}

/* EX_CALLBACKs: references to blocks, counted in their low bits. */
static struct error *read_slots(struct reader *r, const struct callback_kind *kind, uint64_t va)
{
	struct error *err = NULL;

	for (unsigned i = 0; i < kind->count && !err; i++) {
		struct fault fault;
		uint64_t slot;

		if (!space_try_u64(r->k->space, va + i * sizeof(slot), &slot, &fault)) {
			note_fault(r, &fault);
			continue;
		}
		slot &= ~(uint64_t)FAST_REF_MASK;
		if (!slot)
			continue;
		if (kernel_address_is_plausible(slot))
			err = read_record(r, kind, slot);
		else
			diag_partial(r->k->diag, "%s: slot %u holds 0x%" PRIx64 ", no address",
				     kind->symbol, i, slot);
	}
	return err;
}

/* A ring whose head was never set up is empty. */
static bool is_unused_head(struct reader *r, uint64_t head)
{
	uint8_t links[LINK_SIZE];

	return space_try_read(r->k->space, head, links, sizeof(links), NULL) &&
	       load_u64(links) == 0 && load_u64(links + 8) == 0;
}

static struct error *read_rings(struct reader *r, const struct callback_kind *kind, uint64_t va)
{
	struct error *err = NULL;

	for (unsigned n = 0; n < kind->count && !err; n++) {
		uint64_t head = va + n * LINK_SIZE;
		struct list list;

		if (is_unused_head(r, head))
			continue;
		if ((err = list_read(r->k->space, head, MAX_CALLBACK_RECORDS, &list)))
			break;
		list_report(&list, r->k->diag, kind->symbol);
		for (size_t i = 0; i < list.count && !err; i++)
			err = read_record(r, kind, list.entries[i]);
		list_deinit(&list);
	}
	return err;
}

/* Records {Next @0, ...}; the head's first member is the first Next. */
static struct error *read_chain(struct reader *r, const struct callback_kind *kind, uint64_t head)
{
	struct u64_set seen CLEANUP(u64_set_deinit) = { 0 };
	struct error *err = NULL;
	struct fault fault;
	uint64_t at = head;
	bool is_new;

	while (!err) {
		if (!space_try_u64(r->k->space, at, &at, &fault)) {
			note_fault(r, &fault);
			break;
		}
		if (!at || at == head)
			break;
		if ((err = u64_set_add(&seen, at, &is_new)))
			break;
		if (!is_new || !kernel_address_is_plausible(at) ||
		    seen.count > MAX_CALLBACK_RECORDS) {
			diag_partial(r->k->diag, "%s: the chain breaks at 0x%" PRIx64 ": %s",
				     kind->symbol, at,
				     !is_new ? "it runs in a loop"
				     : kernel_address_is_plausible(at)
					     ? "more records than the limit allows"
					     : "no address of a record");
			break;
		}
		err = read_record(r, kind, at);
	}
	return err;
}

/* ExCreateCallback's objects, each with a ring of what is registered with it. */
static struct error *read_callback_objects(struct reader *r, const struct callback_kind *kind,
					   uint64_t va)
{
	struct error *err;
	struct list list;

	if (is_unused_head(r, va))
		return NULL;
	if ((err = list_read(r->k->space, va, MAX_CALLBACK_RECORDS, &list)))
		return err;
	list_report(&list, r->k->diag, kind->symbol);
	for (size_t i = 0; i < list.count && !err; i++)
		err = read_rings(r, kind,
				 list.entries[i] - CALLBACK_OBJECT_LINK + CALLBACK_OBJECT_RING);
	list_deinit(&list);
	return err;
}

static struct error *add_object_callback(struct reader *r, const char *type_name, uint64_t item)
{
	struct callback c = { .source = "_OBJECT_TYPE.CallbackList", .record = item };
	struct opt_u64 registration = record_u64(r, item, OB_ITEM_REGISTRATION);
	uint32_t operations = 0;
	struct error *err;

	if (!space_try_u32(r->k->space, item + OB_ITEM_OPERATIONS, &operations, NULL))
		operations = 0;
	c.detail = arena_printf(&r->list->arena, "%s%s%s", type_name ? type_name : "(unnamed)",
				operations & OB_OPERATION_CREATE ? " create" : "",
				operations & OB_OPERATION_DUPLICATE ? " duplicate" : "");
	if (!c.detail)
		return &error_no_memory;
	c.object = record_u64(r, item, OB_ITEM_TYPE);
	if (registration.present && kernel_address_is_plausible(registration.value)) {
		c.context = record_u64(r, registration.value, OB_REGISTRATION_CONTEXT);
		read_altitude(r, registration.value + OB_REGISTRATION_ALTITUDE, &c.altitude);
	}
	c.type = "object_pre";
	c.function = record_u64(r, item, OB_ITEM_PRE);
	if (c.function.present && c.function.value && (err = add(r, &c)))
		return err;
	c.type = callback_type_object_post;
	c.function = record_u64(r, item, OB_ITEM_POST);
	return c.function.present && c.function.value ? add(r, &c) : NULL;
}

static struct error *read_object_type(struct reader *r, uint64_t va)
{
	struct object type = object_at(r->k->space, va, r->fields);
	struct error *err = NULL;
	struct list list;
	uint64_t head;
	char *name;

	if (!object_address(&type, CALLBACK_TYPE_LIST, &head) || is_unused_head(r, head))
		return NULL;
	if (!object_unicode(&type, CALLBACK_TYPE_NAME, r->k->space, &r->list->arena, &name))
		name = NULL;
	if ((err = list_read(r->k->space, head, MAX_CALLBACK_RECORDS, &list)))
		return err;
	list_report(&list, r->k->diag, "object callbacks");
	for (size_t i = 0; i < list.count && !err; i++)
		err = add_object_callback(r, name, list.entries[i]);
	list_deinit(&list);
	return err;
}

static struct error *read_object_types(struct reader *r, const struct callback_kind *kind,
				       uint64_t va)
{
	struct error *err = NULL;
	struct fault fault;

	(void)kind;
	for (unsigned i = FIRST_OBJECT_TYPE; i < MAX_OBJECT_TYPES && !err; i++) {
		uint64_t type;

		if (!space_try_u64(r->k->space, va + i * sizeof(type), &type, &fault)) {
			note_fault(r, &fault);
			break;
		}
		if (!kernel_address_is_plausible(type))
			break; /* the table ends */
		err = read_object_type(r, type);
	}
	return err;
}

typedef struct error *read_fn(struct reader *r, const struct callback_kind *kind, uint64_t va);
static read_fn *const shape_readers[] = {
	[SHAPE_SLOTS] = read_slots,
	[SHAPE_RINGS] = read_rings,
	[SHAPE_CHAIN] = read_chain,
	[SHAPE_CALLBACK_OBJECTS] = read_callback_objects,
	[SHAPE_OBJECT_TYPES] = read_object_types,
};

static struct error *read_all(struct reader *r)
{
	struct error *err = NULL;
	bool known[NUM_CALLBACK_SHAPES] = { false };

	for (size_t i = 0; i < num_callback_kinds && !err; i++) {
		const struct callback_kind *kind = &callback_kinds[i];
		uint64_t va;

		if (!kernel_symbol(r->k, kind->symbol, &va))
			continue; /* many builds lack some of the lists */
		known[kind->shape] = true;
		err = shape_readers[kind->shape](r, kind, va);
		report_faults(r, kind->symbol);
	}
	/* every build has arrays of notifications; some of the rest is exported or discovered */
	if (!err && !known[SHAPE_SLOTS])
		diag_partial(r->k->diag, "most lists of callbacks are not known: symbols of "
					 "exactly this kernel are needed");
	return err;
}

struct error *callbacks_read(struct kernel *k, struct callback_list *ret)
{
	struct reader r = { .k = k, .list = ret };
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	arena_init(&ret->arena, 0);
	err = profile_bind(k->profile, callback_field_rows, callback_num_fields, r.fields);
	if (!err)
		err = read_all(&r);
	if (err)
		callback_list_deinit(ret);
	return err;
}

void callback_list_deinit(struct callback_list *list)
{
	free(list->items);
	arena_deinit(&list->arena);
	memset(list, 0, sizeof(*list));
}

struct error *callback_type_check(const char *type)
{
	struct nearest nearest = { .asked = type };
	const char *best;

	nearest_offer(&nearest, callback_type_object_post);
	for (size_t i = 0; i < num_callback_kinds; i++)
		nearest_offer(&nearest, callback_kinds[i].type);
	if (nearest.distance == 0)
		return NULL;
	best = nearest_best(&nearest);
	if (best)
		return error_new(ERROR_USAGE, "no callbacks have type '%s'; did you mean '%s'?",
				 type, best);
	return error_new(ERROR_USAGE, "no callbacks have type '%s'", type);
}
