/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "fake_tables.h"
#include "windows/kernel_tables/timers.h"

enum { KEYS = 0x2000, TIMER = 0x3000, DPC = 0x5000, STRIDE = 0x40 };
#define CODE   UINT64_C(0xfffff80000777000)
#define NEVER  UINT64_C(0x8e7126214d5af1fc)
#define ALWAYS UINT64_C(0xefd563e014b1732b)

static uint32_t timer_rva(unsigned i)
{
	return TIMER + i * STRIDE;
}

/* The inverse of the decoding. */
static uint64_t encode(uint64_t dpc, uint64_t timer)
{
	unsigned by = NEVER & 63;
	uint64_t v = __builtin_bswap64(dpc ^ ALWAYS) ^ timer;

	return (v >> by | v << (64 - by)) ^ NEVER;
}

static void put_timer(struct fake_tables *f, unsigned i, uint64_t dpc)
{
	uint32_t rva = timer_rva(i);

	f->bytes[rva] = 8;
	tables_put(f, rva + 0x18, 1000 + i);
	tables_put(f, rva + 0x30, encode(dpc, tables_at(rva)));
	tables_put32(f, rva + 0x3c, 250);
}

/* The list of one entry of the table: its head, then timers [first, first + count). */
static void put_list(struct fake_tables *f, unsigned entry, unsigned first, unsigned count)
{
	uint32_t ring[16] = { FAKE_TIMER_TABLE + entry * 0x20 + 8 };

	for (unsigned i = 0; i < count; i++)
		ring[i + 1] = timer_rva(first + i) + 0x20;
	tables_put_ring(f, ring, count + 1);
}

static void put_timers(struct fake_tables *f, bool keys)
{
	fake_tables_init(f);
	if (keys) {
		tables_symbol(f, "KiWaitNever", KEYS);
		tables_symbol(f, "KiWaitAlways", KEYS + 8);
	}
	tables_put(f, KEYS, NEVER);
	tables_put(f, KEYS + 8, ALWAYS);
	put_timer(f, 0, tables_at(DPC));
	put_timer(f, 1, 0);
	put_timer(f, 2, tables_at(DPC + 0x40));
	put_list(f, 0, 0, 2);
	put_list(f, 3, 2, 1);
	tables_put(f, DPC + 0x18, CODE);
	tables_put(f, DPC + 0x20, 77);
	tables_put(f, DPC + 0x58, CODE + 8);
}

static struct timer_list read_timers(struct fake_tables *f, int absent_page)
{
	struct timer_list list;

	fake_tables_open(f, absent_page);
	cr_assert_null(timers_read(&f->kernel, &list));
	return list;
}

static void done(struct fake_tables *f, struct timer_list *list)
{
	timer_list_deinit(list);
	fake_tables_close(f);
}

Test(timers, by_list_with_their_routines)
{
	struct fake_tables f;
	struct timer_list l;

	put_timers(&f, true);
	l = read_timers(&f, -1);
	cr_assert_eq(l.count, 3);
	cr_expect_eq(l.items[0].timer, tables_at(TIMER));
	cr_expect_str_eq(l.items[0].type, "notification");
	cr_expect_eq(l.items[0].due.value, 1000);
	cr_expect_eq(l.items[0].period.value, 250);
	cr_expect_eq(l.items[0].dpc.value, tables_at(DPC));
	cr_expect_eq(l.items[0].routine.value, CODE);
	cr_expect_eq(l.items[0].context.value, 77);
	cr_expect_not(l.items[1].dpc.present);
	cr_expect_eq(l.items[2].routine.value, CODE + 8);
	cr_expect_eq(f.diag.partial, 0);
	done(&f, &l);
}

Test(timers, an_absent_dpc_has_no_routine)
{
	struct fake_tables f;
	struct timer_list l;

	put_timers(&f, true);
	l = read_timers(&f, DPC / 0x1000);
	cr_assert_eq(l.count, 3);
	cr_expect(l.items[0].dpc.present && !l.items[0].routine.present);
	cr_expect_eq(f.diag.partial, 1);
	done(&f, &l);
}

Test(timers, a_torn_dpc_is_none)
{
	struct fake_tables f;
	struct timer_list l;

	put_timers(&f, true);
	tables_put(&f, timer_rva(0) + 0x30, 0);
	l = read_timers(&f, -1);
	cr_assert_eq(l.count, 3);
	cr_expect_not(l.items[0].dpc.present);
	cr_expect_eq(f.diag.partial, 1);
	done(&f, &l);
}

Test(timers, lists_that_break)
{
	struct fake_tables f;
	struct timer_list l;

	put_timers(&f, true);
	tables_put(&f, timer_rva(1) + 0x20, 0x10); /* from the other end the same */
	l = read_timers(&f, -1);
	cr_expect_eq(l.count, 3);
	done(&f, &l);

	put_timers(&f, true);
	tables_put_ring(&f, (const uint32_t[]){ timer_rva(0) + 0x20 }, 1); /* a self-link */
	l = read_timers(&f, -1);
	cr_expect_eq(l.count, 3, "its neighbours still point at it");
	cr_expect_eq(f.diag.partial, 0);
	cr_expect_eq(f.diag.notes, 1);
	done(&f, &l);
	/* the timers are absent: that they are there is still known */
	put_timers(&f, true);
	l = read_timers(&f, TIMER / 0x1000);
	cr_expect_eq(l.count, 3);
	cr_expect_not(l.items[0].due.present);
	cr_expect_gt(f.diag.partial, 0);
	done(&f, &l);
}

Test(timers, the_key_is_what_they_have_in_common)
{
	struct timer timers[8] = { 0 };
	struct timer_key key;

	for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
		uint64_t dpc = i < 3 ? tables_at(DPC) : 0;

		timers[i].timer = tables_at(timer_rva(i));
		timers[i].stored_dpc = opt_u64(encode(dpc, timers[i].timer));
	}
	cr_assert_null(timer_key_guess(timers, ARRAY_SIZE(timers), &key));
	cr_assert(key.known);
	cr_expect_eq(key.rotation, timer_key_from(NEVER, ALWAYS).rotation);
	cr_expect_eq(key.constant, timer_key_from(NEVER, ALWAYS).constant);
	/* three without a DPC could be chance */
	cr_assert_null(timer_key_guess(timers, 6, &key));
	cr_expect_not(key.known);
	cr_assert_null(timer_key_guess(timers, 0, &key));
	cr_expect_not(key.known);
}

Test(timers, without_a_key_no_routine_is_told)
{
	struct fake_tables f;
	struct timer_list l;

	put_timers(&f, false);
	l = read_timers(&f, -1);
	cr_assert_eq(l.count, 3);
	for (size_t i = 0; i < l.count; i++)
		cr_expect_not(l.items[i].dpc.present);
	cr_expect_eq(f.diag.partial, 1);
	done(&f, &l);
}
