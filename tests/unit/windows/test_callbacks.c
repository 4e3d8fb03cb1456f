/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "fake_tables.h"
#include "windows/kernel_tables/callback_kinds.h"
#include "windows/kernel_tables/callbacks.h"

enum { HEADS = 0x2000, RECORD = 0x3000, OTHER = 0x3100, FAR = 0x5000, EMPTY = 0x7000 };
#define CODE UINT64_C(0xfffff80000777000)

static struct callback_list read_known(struct fake_tables *f, int absent_page)
{
	struct callback_list list;

	fake_tables_open(f, absent_page);
	cr_assert_null(callbacks_read(&f->kernel, &list));
	return list;
}

/* Of a kernel whose symbols are known: the first of a name counts. */
static struct callback_list read_callbacks(struct fake_tables *f, int absent_page)
{
	tables_symbol(f, "PspCreateProcessNotifyRoutine", EMPTY);
	return read_known(f, absent_page);
}

static void done(struct fake_tables *f, struct callback_list *list)
{
	callback_list_deinit(list);
	fake_tables_close(f);
}

Test(callbacks, notify_slots_are_counted_references)
{
	struct fake_tables f;
	struct callback_list l;

	fake_tables_init(&f);
	tables_symbol(&f, "PspCreateProcessNotifyRoutine", HEADS);
	tables_put(&f, HEADS, tables_at(RECORD) | 0xf);
	tables_put(&f, HEADS + 63 * 8, tables_at(OTHER) | 3);
	tables_put(&f, HEADS + 64 * 8, tables_at(OTHER)); /* behind the array */
	tables_put(&f, RECORD + 8, CODE);
	tables_put(&f, OTHER + 8, CODE + 0x10);
	tables_put(&f, OTHER + 16, 7);
	l = read_callbacks(&f, -1);
	cr_assert_eq(l.count, 2);
	cr_expect_str_eq(l.items[0].type, "create_process");
	cr_expect_eq(l.items[0].function.value, CODE);
	cr_expect_eq(l.items[1].record, tables_at(OTHER));
	cr_expect_eq(l.items[1].context.value, 7);
	cr_expect_eq(f.diag.partial, 0);
	done(&f, &l);
}

Test(callbacks, bad_slots_cost_themselves)
{
	struct fake_tables f;
	struct callback_list l;

	fake_tables_init(&f);
	tables_symbol(&f, "PspLoadImageNotifyRoutine", HEADS);
	tables_put(&f, HEADS, 0x1234560);	   /* no address */
	tables_put(&f, HEADS + 8, tables_at(FAR)); /* absent */
	tables_put(&f, HEADS + 16, UINT64_MAX);	   /* the end of the space */
	tables_put(&f, HEADS + 24, tables_at(RECORD));
	tables_put(&f, RECORD + 8, CODE);
	l = read_callbacks(&f, FAR / 0x1000);
	cr_assert_eq(l.count, 1);
	cr_expect_eq(l.items[0].function.value, CODE);
	cr_expect_eq(f.diag.partial, 3);
	done(&f, &l);
}

static void put_registry(struct fake_tables *f)
{
	fake_tables_init(f);
	tables_symbol(f, "CallbackListHead", HEADS);
	tables_put_ring(f, (const uint32_t[]){ HEADS, RECORD, OTHER }, 3);
	tables_put(f, RECORD + 0x28, CODE);
	tables_put(f, RECORD + 0x20, 0x55);
	tables_put_string(f, RECORD + 0x30, RECORD + 0x80, "328010");
	tables_put(f, OTHER + 0x28, CODE + 1);
	tables_put_string(f, OTHER + 0x30, FAR, "1");
}

Test(callbacks, registry_filters_have_an_altitude)
{
	struct fake_tables f;
	struct callback_list l;

	put_registry(&f);
	l = read_callbacks(&f, -1);
	cr_assert_eq(l.count, 2);
	cr_expect_str_eq(l.items[0].altitude, "328010");
	cr_expect_eq(l.items[0].context.value, 0x55);
	cr_expect_str_eq(l.items[1].altitude, "1");
	cr_expect_eq(f.diag.partial, 0);
	done(&f, &l);
	/* an altitude that is absent is no altitude */
	put_registry(&f);
	l = read_callbacks(&f, FAR / 0x1000);
	cr_assert_eq(l.count, 2);
	cr_expect_null(l.items[1].altitude);
	cr_expect_eq(f.diag.partial, 1);
	done(&f, &l);
}

Test(callbacks, a_ring_that_was_never_set_up_is_empty)
{
	struct fake_tables f;
	struct callback_list l;

	fake_tables_init(&f);
	tables_symbol(&f, "CallbackListHead", HEADS);
	tables_symbol(&f, "PnpDeviceClassNotifyList", HEADS + 0x100);
	l = read_callbacks(&f, -1);
	cr_expect_eq(l.count, 0);
	cr_expect_eq(f.diag.partial, 0);
	done(&f, &l);
}

Test(callbacks, a_ring_with_a_cycle_ends)
{
	struct fake_tables f;
	struct callback_list l;

	put_registry(&f);
	tables_put(&f, OTHER, tables_at(RECORD)); /* instead of the head */
	tables_put(&f, HEADS + 8, tables_at(RECORD));
	l = read_callbacks(&f, -1);
	cr_expect_eq(l.count, 2);
	done(&f, &l);
}

Test(callbacks, bug_checks_name_component_and_reason)
{
	struct fake_tables f;
	struct callback_list l;

	fake_tables_init(&f);
	tables_symbol(&f, "KeBugCheckReasonCallbackListHead", HEADS);
	tables_put_ring(&f, (const uint32_t[]){ HEADS, RECORD }, 2);
	tables_put(&f, RECORD + 0x10, CODE);
	tables_put(&f, RECORD + 0x18, tables_at(FAR) - 4);
	tables_put_text(&f, FAR - 4, "abc"); /* up to the end of its page */
	tables_put32(&f, RECORD + CALLBACK_REASON, 3);
	l = read_callbacks(&f, FAR / 0x1000);
	cr_assert_eq(l.count, 1);
	cr_expect_str_eq(l.items[0].component, "abc");
	cr_expect_str_eq(l.items[0].detail, "dump_io");
	cr_expect_eq(f.diag.partial, 0);
	done(&f, &l);
	cr_expect_null(callback_reason_name(0));
	cr_expect_null(callback_reason_name(1000));
}

Test(callbacks, chains_end_in_zero_or_a_loop)
{
	struct fake_tables f;
	struct callback_list l;

	fake_tables_init(&f);
	tables_symbol(&f, "KiNmiCallbackListHead", HEADS);
	tables_put(&f, HEADS, tables_at(RECORD));
	tables_put(&f, RECORD, tables_at(OTHER));
	tables_put(&f, RECORD + 8, CODE);
	tables_put(&f, OTHER + 8, CODE + 8);
	l = read_callbacks(&f, -1);
	cr_expect_eq(l.count, 2);
	cr_expect_eq(f.diag.partial, 0);
	done(&f, &l);

	tables_put(&f, OTHER, tables_at(RECORD));
	l = read_callbacks(&f, -1);
	cr_expect_eq(l.count, 2);
	cr_expect_eq(f.diag.partial, 1);
	done(&f, &l);

	tables_put(&f, OTHER, 0x1000); /* no address of the kernel */
	l = read_callbacks(&f, -1);
	cr_expect_eq(l.count, 2);
	cr_expect_eq(f.diag.partial, 1);
	done(&f, &l);
}

Test(callbacks, shutdown_is_the_drivers_handler)
{
	enum { DEVICE = 0x4000, DRIVER = 0x4400 };
	struct fake_tables f;
	struct callback_list l;

	fake_tables_init(&f);
	tables_symbol(&f, "IopNotifyShutdownQueueHead", HEADS);
	tables_put_ring(&f, (const uint32_t[]){ HEADS, RECORD }, 2);
	tables_put(&f, RECORD + 0x10, tables_at(DEVICE));
	tables_put(&f, DEVICE + 8, tables_at(DRIVER));
	tables_put(&f, DRIVER + 0x70 + 0x10 * 8, CODE);
	l = read_callbacks(&f, -1);
	cr_assert_eq(l.count, 1);
	cr_expect_eq(l.items[0].object.value, tables_at(DEVICE));
	cr_expect_eq(l.items[0].function.value, CODE);
	done(&f, &l);
	/* the device is gone: the record still says that somebody asked */
	l = read_callbacks(&f, DEVICE / 0x1000);
	cr_assert_eq(l.count, 1);
	cr_expect_not(l.items[0].function.present);
	cr_expect_eq(f.diag.partial, 1);
	done(&f, &l);
}

Test(callbacks, object_filters)
{
	enum { TABLE = 0x2800, TYPE = 0x4000, REGISTRATION = 0x4400 };
	struct fake_tables f;
	struct callback_list l;

	fake_tables_init(&f);
	tables_symbol(&f, "ObTypeIndexTable", TABLE);
	tables_put(&f, TABLE + 2 * 8, tables_at(TYPE));
	tables_put_string(&f, TYPE + 0x10, TYPE + 0x80, "Process");
	tables_put_ring(&f, (const uint32_t[]){ TYPE + 0xc8, RECORD }, 2);
	tables_put32(&f, RECORD + OB_ITEM_OPERATIONS, 3);
	tables_put(&f, RECORD + OB_ITEM_REGISTRATION, tables_at(REGISTRATION));
	tables_put(&f, RECORD + OB_ITEM_TYPE, tables_at(TYPE));
	tables_put(&f, RECORD + OB_ITEM_PRE, CODE);
	tables_put(&f, RECORD + OB_ITEM_POST, CODE + 4);
	tables_put_string(&f, REGISTRATION + OB_REGISTRATION_ALTITUDE, REGISTRATION + 0x80, "7");
	l = read_callbacks(&f, -1);
	cr_assert_eq(l.count, 2);
	cr_expect_str_eq(l.items[0].type, "object_pre");
	cr_expect_str_eq(l.items[0].detail, "Process create duplicate");
	cr_expect_str_eq(l.items[0].altitude, "7");
	cr_expect_str_eq(l.items[1].type, "object_post");
	cr_expect_eq(l.items[1].function.value, CODE + 4);
	cr_expect_eq(f.diag.partial, 0);
	done(&f, &l);
}

Test(callbacks, registrations_of_callback_objects)
{
	enum { OBJECT = 0x4000 };
	struct fake_tables f;
	struct callback_list l;

	fake_tables_init(&f);
	tables_symbol(&f, "ExpCallbackListHead", HEADS);
	tables_put_ring(&f, (const uint32_t[]){ HEADS, OBJECT + CALLBACK_OBJECT_LINK }, 2);
	tables_put_ring(&f, (const uint32_t[]){ OBJECT + CALLBACK_OBJECT_RING, RECORD }, 2);
	tables_put(&f, RECORD + 0x10, tables_at(OBJECT));
	tables_put(&f, RECORD + 0x18, CODE);
	l = read_callbacks(&f, -1);
	cr_assert_eq(l.count, 1);
	cr_expect_str_eq(l.items[0].type, "callback_object");
	cr_expect_eq(l.items[0].object.value, tables_at(OBJECT));
	done(&f, &l);
}

Test(callbacks, without_symbols_it_says_so)
{
	struct fake_tables f;
	struct callback_list l;

	fake_tables_init(&f);
	l = read_known(&f, -1);
	cr_expect_eq(l.count, 0);
	cr_expect_eq(f.diag.partial, 1);
	done(&f, &l);
}

Test(callbacks, exported_lists_alone_are_not_all)
{
	struct fake_tables f;
	struct callback_list l;

	fake_tables_init(&f);
	tables_symbol(&f, "KeBugCheckCallbackListHead", HEADS);
	tables_put_ring(&f, (const uint32_t[]){ HEADS, RECORD }, 2);
	l = read_known(&f, -1);
	cr_expect_eq(l.count, 1);
	cr_expect_eq(f.diag.partial, 1);
	done(&f, &l);
}
