/* SPDX-License-Identifier: MIT */
#include "windows/kernel_tables/service_table.h"

#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/kernel_tables/service_code.h"

enum {
	DESCRIPTOR_BASE = 0x00,
	DESCRIPTOR_LIMIT = 0x10,
	DESCRIPTOR_SIZE = 0x20,
	NUM_DESCRIPTORS = 2, /* that Windows uses of each array */
	ENTRY_SIZE = 4,
	ARGUMENTS_BITS = 4,
};

enum { TABLE_PLAIN, TABLE_SHADOW, TABLE_FILTER, NUM_DESCRIPTOR_TABLES };

static const char *const descriptor_tables[NUM_DESCRIPTOR_TABLES] = {
	[TABLE_PLAIN] = "KeServiceDescriptorTable",
	[TABLE_SHADOW] = "KeServiceDescriptorTableShadow",
	[TABLE_FILTER] = "KeServiceDescriptorTableFilter",
};

static bool has_base(const struct service_tables *tables, uint64_t base)
{
	for (size_t i = 0; i < tables->count; i++) {
		if (tables->items[i].base == base)
			return true;
	}
	return false;
}

/* A limit that no service number could reach is damage, and says nothing. */
static bool check_limit(struct kernel *k, const struct service_table *t, uint32_t limit)
{
	if (limit <= MAX_SERVICES)
		return true;
	diag_partial(k->diag, "%s: %" PRIu32 " services are more than %d: left out", t->descriptor,
		     limit, MAX_SERVICES);
	return false;
}

/* False: the descriptor's bytes are absent. */
static bool read_descriptor(struct kernel *k, const char *name, uint64_t va, unsigned number,
			    struct service_tables *tables)
{
	struct service_table t = { .descriptor = name, .number = number };
	uint8_t bytes[DESCRIPTOR_SIZE];
	struct fault fault;
	uint32_t limit;

	t.descriptor_va = va + number * DESCRIPTOR_SIZE;
	if (!space_try_read(k->space, t.descriptor_va, bytes, sizeof(bytes), &fault)) {
		diag_partial(k->diag, "%s: 0x%" PRIx64 ": %s", name, fault.va,
			     va_state_text(fault.state));
		return false;
	}
	t.base = load_u64(bytes + DESCRIPTOR_BASE);
	limit = load_u32(bytes + DESCRIPTOR_LIMIT);
	if (!t.base || has_base(tables, t.base) || !check_limit(k, &t, limit))
		return true;
	t.limit = limit;
	tables->items[tables->count++] = t;
	return true;
}

/* Without a descriptor: the table that the kernel's image comes with. */
static void add_image_table(struct kernel *k, struct service_tables *tables)
{
	struct service_table t = { .descriptor = "KiServiceTable" };
	uint64_t limit_va;
	uint32_t limit;

	if (!kernel_symbol(k, "KiServiceTable", &t.base) || has_base(tables, t.base) ||
	    !kernel_symbol(k, "KiServiceLimit", &limit_va) ||
	    !space_try_u32(k->space, limit_va, &limit, NULL) || !check_limit(k, &t, limit))
		return;
	t.limit = limit;
	tables->items[tables->count++] = t;
}

/* Addresses of the arrays of descriptors, 0 where one is not known. False: none is. */
static bool find_descriptors(struct kernel *k, uint64_t vas[NUM_DESCRIPTOR_TABLES])
{
	bool known = false;

	for (size_t i = 0; i < NUM_DESCRIPTOR_TABLES; i++) {
		if (kernel_symbol(k, descriptor_tables[i], &vas[i]))
			known = true;
		else
			vas[i] = 0;
	}
	if (known)
		return true;
	if (!service_descriptors_find(k, &vas[TABLE_PLAIN], &vas[TABLE_SHADOW]))
		return false;
	diag_note(k->diag, "tables of services were found by the code that uses them");
	return true;
}

static void find_tables(struct kernel *k, struct service_tables *tables)
{
	uint64_t vas[NUM_DESCRIPTOR_TABLES];
	bool has_kernel_table = false, known = find_descriptors(k, vas);

	for (size_t i = 0; known && i < NUM_DESCRIPTOR_TABLES; i++) {
		for (unsigned n = 0; vas[i] && n < NUM_DESCRIPTORS; n++) {
			if (!read_descriptor(k, descriptor_tables[i], vas[i], n, tables))
				break;
		}
	}
	for (size_t i = 0; i < tables->count; i++)
		has_kernel_table |= tables->items[i].number == 0;
	if (!has_kernel_table)
		add_image_table(k, tables);
	if (!known && !tables->count)
		diag_partial(k->diag, "KeServiceDescriptorTable is not known: symbols of exactly "
				      "this kernel are needed, or its system call handler");
}

static bool maps(struct space *s, uint64_t va)
{
	uint32_t value;

	return space_try_u32(s, va, &value, NULL);
}

/* The space of the first process that maps va, as those in a session do; *ret NULL: none. */
static struct error *find_session_space(struct kernel *k, uint64_t va, struct space **ret)
{
	struct process_list list;
	struct error *err;

	if (!k->snap->mem)
		return NULL; /* a small dump has no page tables */
	if ((err = process_list_read(k, PROCESS_BRIEF, &list)))
		return err;
	for (size_t i = 0; i < list.count && !err && !*ret; i++) {
		struct space *space = NULL;

		err = process_open_space(k, &list.items[i], &space);
		if (error_catch(&err, ERROR_NOT_FOUND))
			continue;
		if (!err && maps(space, va))
			*ret = take_ptr(space);
		space_destroy(space);
	}
	process_list_deinit(&list);
	return err;
}

static struct error *open_table(struct kernel *k, struct service_tables *tables,
				struct service_table *t)
{
	struct error *err;

	if (t->number == 0 || maps(k->space, t->base)) {
		t->space = k->space;
		return NULL;
	}
	if (!tables->session_space &&
	    (err = find_session_space(k, t->base, &tables->session_space)))
		return err;
	if (tables->session_space && maps(tables->session_space, t->base))
		t->space = tables->session_space;
	else
		diag_partial(k->diag, "%s: the table at 0x%" PRIx64 " is in no session's memory",
			     t->descriptor, t->base);
	return NULL;
}

struct error *service_tables_read(struct kernel *k, struct service_tables *ret)
{
	struct error *err = NULL;

	memset(ret, 0, sizeof(*ret));
	find_tables(k, ret);
	for (size_t i = 0; i < ret->count && !err; i++)
		err = open_table(k, ret, &ret->items[i]);
	if (err)
		service_tables_deinit(ret);
	return err;
}

void service_tables_deinit(struct service_tables *tables)
{
	space_destroy(tables->session_space);
	memset(tables, 0, sizeof(*tables));
}

bool service_read(const struct service_table *table, uint32_t index, struct service *ret,
		  struct fault *fault)
{
	uint64_t entry = table->base + (uint64_t)index * ENTRY_SIZE;
	uint32_t value;

	if (!space_try_u32(table->space, entry, &value, fault))
		return false;
	*ret = (struct service){
		.entry = entry,
		.address = table->base + (uint64_t)(int64_t)((int32_t)value >> ARGUMENTS_BITS),
		.stack_arguments = value & ((1u << ARGUMENTS_BITS) - 1),
	};
	return true;
}
