/* SPDX-License-Identifier: MIT */
/*
 * The readers of the kernel's tables on a small kernel that has one of everything, with some of its
 * bytes changed. The input is a list of changes {u16 offset, u8 length 1-8, bytes}; the first byte
 * says which page is absent (low half) and which reader is asked (high half).
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "tests/unit/windows/fake_tables.h"
#include "windows/drivers/device.h"
#include "windows/kernel_tables/callback_kinds.h"
#include "windows/kernel_tables/callbacks.h"
#include "windows/kernel_tables/pool_tags.h"
#include "windows/kernel_tables/service_table.h"
#include "windows/kernel_tables/sessions.h"
#include "windows/kernel_tables/timers.h"
#include "windows/pool/big_pool.h"

enum {
	MAX_INPUT = 1 << 10,
	CHANGE_HEAD = 3,
	NUM_PAGES = FAKE_TABLES_SIZE / 0x1000,
	VARIABLES = 0x300, /* pointers and counts */
	HEADS = 0x2000,	   /* of the lists of callbacks, 0x40 each */
	RECORDS = 0x3000,  /* one of each, 0x80 each */
	TIMERS = 0x4000,
	DPC = 0x4800,
	POOLS = 0x5000,
	TAGS = 0x5800,
	PROCESS = 0x6000,
	SESSION = 0x6200,
	DRIVER = 0x6400,
	DEVICES = 0x6800,
	SERVICES = 0x7000,
	TYPE = 0x7800,
};

/* In every build type. */
static void check(bool holds)
{
	if (!holds)
		abort();
}

static void put_ring(struct fake_tables *f, uint32_t head, uint32_t entry)
{
	tables_put_ring(f, (const uint32_t[]){ head, entry }, 2);
}

static void put_callbacks(struct fake_tables *f)
{
	for (uint32_t i = 0; i < num_callback_kinds; i++) {
		const struct callback_kind *kind = &callback_kinds[i];
		uint32_t head = HEADS + i * 0x40, record = RECORDS + i * 0x80;

		tables_symbol(f, kind->symbol, head);
		if (kind->shape == SHAPE_RINGS)
			put_ring(f, head, record);
		else
			tables_put(f, head, tables_at(record));
		if (kind->detail_at)
			tables_put(f, record + kind->detail_at + 8, tables_at(record + 0x60));
	}
	for (uint32_t i = 0; i < num_callback_kinds; i++) {
		if (callback_kinds[i].shape == SHAPE_OBJECT_TYPES)
			tables_put(f, HEADS + i * 0x40 + 16, tables_at(TYPE));
	}
	put_ring(f, TYPE + 0xc8, TYPE + 0x200);
	tables_put(f, TYPE + 0x200 + OB_ITEM_REGISTRATION, tables_at(TYPE + 0x300));
	tables_put(f, TYPE + 0x200 + OB_ITEM_PRE, tables_at(SERVICES));
}

static void put_variable(struct fake_tables *f, const char *name, uint32_t slot, uint64_t value)
{
	tables_symbol(f, name, VARIABLES + slot * 8);
	tables_put(f, VARIABLES + slot * 8, value);
}

static void put_pools(struct fake_tables *f)
{
	put_variable(f, "KiWaitNever", 0, UINT64_C(0x1122334455667788));
	put_variable(f, "KiWaitAlways", 1, UINT64_C(0x8877665544332211));
	put_variable(f, "PoolBigPageTable", 2, tables_at(POOLS));
	put_variable(f, "PoolBigPageTableSize", 3, 16);
	put_variable(f, "PoolTrackTable", 4, tables_at(TAGS));
	put_variable(f, "PoolTrackTableSize", 5, 8);
	put_variable(f, "ExPoolTagTables", 6, tables_at(TAGS + 0x200));
	for (uint32_t i = 0; i < 16; i++) {
		tables_put(f, POOLS + i * 0x18, UINT64_C(0xffffa00000001000) + i);
		tables_put_text(f, TAGS + i * 0x38, "Tag");
	}
}

static void put_everything(struct fake_tables *f)
{
	fake_tables_init(f);
	put_callbacks(f);
	put_pools(f);
	put_ring(f, FAKE_TIMER_TABLE + 8, TIMERS + 0x20);
	put_ring(f, FAKE_TIMER_TABLE + 0x28, TIMERS + 0x60);
	put_ring(f, FAKE_PROCESS_HEAD, PROCESS + 0x48);
	tables_put(f, PROCESS + 0x40, 4);
	tables_put(f, PROCESS + 0x68, tables_at(SESSION));
	put_ring(f, SESSION + 0x10, PROCESS + 0x70);
	f->bytes[DRIVER] = 4;
	tables_put(f, DRIVER + 8, tables_at(DEVICES));
	f->bytes[DEVICES] = f->bytes[DEVICES + 0x100] = 3;
	tables_put(f, DEVICES + 0x10, tables_at(DEVICES + 0x100));
	tables_symbol(f, "KeServiceDescriptorTable", SERVICES);
	tables_put(f, SERVICES, tables_at(SERVICES + 0x100));
	tables_put32(f, SERVICES + 0x10, 0x100);
}

static void apply_changes(struct fake_tables *f, const uint8_t *data, size_t size)
{
	while (size > CHANGE_HEAD) {
		size_t offset = load_u16(data) % FAKE_TABLES_SIZE;
		size_t len = (data[2] & 7u) + 1u;

		data += CHANGE_HEAD;
		size -= CHANGE_HEAD;
		if (len > size)
			len = size;
		if (len <= FAKE_TABLES_SIZE - offset)
			memcpy(f->bytes + offset, data, len);
		data += len;
		size -= len;
	}
}

static void read_services(struct kernel *k)
{
	struct service_tables tables;
	struct service service;
	struct error *err = service_tables_read(k, &tables);

	for (size_t i = 0; !err && i < tables.count; i++) {
		check(tables.items[i].limit <= MAX_SERVICES);
		for (uint32_t j = 0; tables.items[i].space && j < tables.items[i].limit; j++)
			check(!service_read(&tables.items[i], j, &service, NULL) ||
			      service.stack_arguments < 16);
	}
	if (!err)
		service_tables_deinit(&tables);
	error_destroy(err);
}

static void read_lists(struct kernel *k)
{
	struct callback_list callbacks;
	struct timer_list timers;
	struct session_list sessions;
	struct error *err = callbacks_read(k, &callbacks);

	for (size_t i = 0; !err && i < callbacks.count; i++)
		check(callbacks.items[i].type && callbacks.items[i].source);
	if (!err)
		callback_list_deinit(&callbacks);
	error_destroy(err);
	err = timers_read(k, &timers);
	for (size_t i = 0; !err && i < timers.count; i++)
		check(!timers.items[i].routine.present || timers.items[i].dpc.present);
	if (!err)
		timer_list_deinit(&timers);
	error_destroy(err);
	err = sessions_read(k, &sessions);
	for (size_t i = 0; !err && i < sessions.count; i++)
		check(sessions.items[i].unlisted <= sessions.items[i].num_names);
	if (!err)
		session_list_deinit(&sessions);
	error_destroy(err);
}

static void read_pools(struct kernel *k)
{
	struct pool_tag_uses uses;
	struct big_pools pools;
	struct error *err = big_pools_read(k, &pools);

	for (size_t i = 0; !err && i < pools.count; i++)
		check(pools.items[i].address && !(pools.items[i].address & 1));
	if (!err)
		big_pools_deinit(&pools);
	error_destroy(err);
	err = pool_tags_read(k, &uses);
	for (size_t i = 1; !err && i < uses.count; i++)
		check(uses.items[i - 1].entry < uses.items[i].entry);
	if (!err)
		pool_tags_deinit(&uses);
	error_destroy(err);
}

static void read_drivers(struct kernel *k)
{
	struct driver known = { .object = tables_at(DRIVER), .source = "directory" };
	struct driver_reader reader;
	struct driver_list drivers = { 0 };
	struct device_list devices = { 0 };
	struct error *err = driver_reader_init(k, &reader);

	arena_init(&drivers.arena, 0);
	if (!err)
		err = driver_add(&reader, k->space, known.object, &known, &drivers);
	if (!err)
		err = devices_read(&reader, &drivers, &devices);
	for (size_t i = 0; !err && i < devices.count; i++)
		check(devices.items[i].driver < drivers.count);
	error_destroy(err);
	device_list_deinit(&devices);
	driver_list_deinit(&drivers);
	driver_reader_deinit(&reader);
}

typedef void read_fn(struct kernel *k);
static read_fn *const readers[] = { read_services, read_lists, read_pools, read_drivers };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_tables *f;
	int absent;

	if (size < 1 || size > MAX_INPUT)
		return 0;
	f = malloc(sizeof(*f));
	if (!f)
		abort();
	absent = (data[0] & 0xf) < NUM_PAGES ? data[0] & 0xf : -1;
	put_everything(f);
	apply_changes(f, data + 1, size - 1);
	fake_tables_open(f, absent);
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		if (data[0] >> 4 == i || data[0] >> 4 >= ARRAY_SIZE(readers))
			readers[i](&f->kernel);
	}
	fake_tables_close(f);
	free(f);
	return 0;
}
