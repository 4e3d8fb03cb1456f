/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "fake_tables.h"
#include "windows/drivers/device.h"
#include "windows/modules/place.h"

enum { DRIVER = 0x3000, DEVICE = 0x4000, DEVICE_STRIDE = 0x100, FAR_DEVICE = 0x6000 };
#define IMAGE UINT64_C(0xfffff80000700000)

static uint32_t device_rva(unsigned i)
{
	return DEVICE + i * DEVICE_STRIDE;
}

static void put_device(struct fake_tables *f, uint32_t rva, uint64_t next)
{
	f->bytes[rva] = 3;
	tables_put(f, rva + 8, tables_at(DRIVER));
	tables_put(f, rva + 0x10, next);
	tables_put32(f, rva + 0x48, 7);
}

static void put_driver(struct fake_tables *f)
{
	fake_tables_init(f);
	f->bytes[DRIVER] = 4;
	tables_put(f, DRIVER + 8, tables_at(device_rva(0)));
	tables_put(f, DRIVER + 0x18, IMAGE);
	tables_put32(f, DRIVER + 0x20, 0x2000);
	tables_put_string(f, DRIVER + 0x38, 0x3800, "\\Driver\\one");
	for (unsigned i = 0; i < DRIVER_NUM_MAJOR; i++)
		tables_put(f, DRIVER + 0x70 + i * 8, IMAGE + i);
	put_device(f, device_rva(0), tables_at(device_rva(1)));
	put_device(f, device_rva(1), tables_at(device_rva(2)));
	put_device(f, device_rva(2), 0);
}

struct listing {
	struct driver_reader reader;
	struct driver_list drivers;
	struct device_list devices;
};

static void list(struct fake_tables *f, int absent_page, struct listing *l)
{
	struct driver known = { .object = tables_at(DRIVER), .source = "directory" };

	fake_tables_open(f, absent_page);
	*l = (struct listing){ 0 };
	arena_init(&l->drivers.arena, 0);
	cr_assert_null(driver_reader_init(&f->kernel, &l->reader));
	cr_assert_null(driver_add(&l->reader, f->kernel.space, known.object, &known, &l->drivers));
	cr_assert_null(devices_read(&l->reader, &l->drivers, &l->devices));
}

static void done(struct fake_tables *f, struct listing *l)
{
	device_list_deinit(&l->devices);
	driver_list_deinit(&l->drivers);
	driver_reader_deinit(&l->reader);
	fake_tables_close(f);
}

Test(driver, what_the_object_says)
{
	struct fake_tables f;
	struct listing l;
	const struct driver *d;

	put_driver(&f);
	list(&f, -1, &l);
	d = &l.drivers.items[0];
	cr_expect_str_eq(d->name, "\\Driver\\one");
	cr_expect(d->start.value == IMAGE && d->size.value == 0x2000);
	cr_expect_eq(d->major[27].value, IMAGE + 27);
	cr_expect(driver_contains(d, IMAGE) && driver_contains(d, IMAGE + 0x1fff));
	cr_expect_not(driver_contains(d, IMAGE + 0x2000));
	cr_expect_not(driver_contains(d, IMAGE - 1));
	cr_expect_eq(l.devices.count, 3);
	cr_expect(d->has_devices);
	cr_expect_eq(l.devices.items[2].owner.value, tables_at(DRIVER));
	cr_expect_eq(f.diag.partial, 0);
	done(&f, &l);
}

/* The image that begins nearest is told: a driver may claim far too much. */
Test(driver, code_in_no_module_is_told_by_the_driver_that_has_it)
{
	struct fake_tables f;
	struct listing l;
	struct driver drivers[] = {
		{ .name = "\\Driver\\all",
		  .start = opt_u64(IMAGE - 0x1000),
		  .size = opt_u64(1 << 30) },
		{ .name = "\\Driver\\one", .start = opt_u64(IMAGE), .size = opt_u64(0x2000) },
	};
	const struct driver_list list_of_two = { .items = drivers, .count = ARRAY_SIZE(drivers) };
	struct place_book book = { .k = &f.kernel };
	struct place place;
	bool found;
	char *text;

	put_driver(&f);
	list(&f, -1, &l);
	arena_init(&book.arena, 0);
	place_book_set_drivers(&book, &list_of_two);
	cr_assert_null(place_find_code(&book, IMAGE + 0x10, &found, &place));
	cr_assert(found);
	cr_expect_null(place.module);
	text = place_text(&book.arena, &place);
	cr_expect_str_eq(text, "driver \\Driver\\one+0x10");
	cr_assert_null(place_find_code(&book, IMAGE + 0x2000, &found, &place));
	cr_expect(found && place.driver == &drivers[0]);
	cr_assert_null(place_find_code(&book, IMAGE - 0x1001, &found, &place));
	cr_expect_not(found);
	place_book_deinit(&book);
	done(&f, &l);
}

Test(driver, an_absent_object_is_a_row_of_its_own)
{
	struct fake_tables f;
	struct listing l;

	put_driver(&f);
	list(&f, DRIVER / 0x1000, &l);
	cr_assert_eq(l.drivers.count, 1);
	cr_expect_null(l.drivers.items[0].name);
	cr_expect_not(l.drivers.items[0].start.present);
	cr_expect_not(l.drivers.items[0].has_devices, "how many it has is not known");
	cr_expect_not(l.drivers.items[0].major[0].present);
	cr_expect_gt(f.diag.partial, 0);
	done(&f, &l);
}

Test(driver, lists_of_devices_that_break)
{
	const struct {
		uint64_t next;
		uint8_t type; /* of the device at FAR_DEVICE */
		int absent_page;
	} rows[] = {
		{ tables_at(device_rva(0)), 3, -1 },		   /* a cycle */
		{ tables_at(device_rva(1)), 3, -1 },		   /* a self-link */
		{ 0x1234, 3, -1 },				   /* no address */
		{ UINT64_MAX - 7, 3, -1 },			   /* the end of the space */
		{ tables_at(FAR_DEVICE), 3, FAR_DEVICE / 0x1000 }, /* absent */
		{ tables_at(FAR_DEVICE), 5, -1 },		   /* another object */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_tables f;
		struct listing l;

		put_driver(&f);
		tables_put(&f, device_rva(1) + 0x10, rows[i].next);
		f.bytes[FAR_DEVICE] = rows[i].type;
		list(&f, rows[i].absent_page, &l);
		cr_expect_eq(l.devices.count, 2, "row %zu", i);
		cr_expect_eq(f.diag.partial, 1, "row %zu", i);
		done(&f, &l);
	}
}

Test(driver, names_of_numbers)
{
	cr_expect_str_eq(driver_major_name(0), "IRP_MJ_CREATE");
	cr_expect_str_eq(driver_major_name(27), "IRP_MJ_PNP");
	cr_expect_null(driver_major_name(28));
	cr_expect_str_eq(device_type_name(7), "FILE_DEVICE_DISK");
	cr_expect_null(device_type_name(0));
	cr_expect_null(device_type_name(0x3c));
	cr_expect_null(device_type_name(UINT64_MAX));
}
