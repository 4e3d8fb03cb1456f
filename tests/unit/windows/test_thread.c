/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "fake_pools.h"

enum { NUM_THREADS = 4, PID = 808 };

static struct fake_pools fake;
static uint64_t eprocess, threads[NUM_THREADS];
static const uint64_t all[] = { 12, 16, 20, 24 };

static uint64_t link_of(unsigned i)
{
	return threads[i] + fake.thread[THREAD_LINKS].offset;
}

static uint64_t kernel_link_of(unsigned i)
{
	return threads[i] + fake.thread[THREAD_KERNEL_LINKS].offset;
}

static uint64_t head(void)
{
	return eprocess + fake.thread[THREAD_PROCESS_HEAD].offset;
}

static uint64_t kernel_head(void)
{
	return eprocess + fake.thread[THREAD_PROCESS_KERNEL_HEAD].offset;
}

static void setup(void)
{
	fake_pools_init(&fake);
	eprocess = fake_pools_process(&fake, FAKE_POOL_VA(0), PID, "app.exe");
	fake_pools_link(&fake, FAKE_POOLS_HEAD_VA, eprocess + fake.process[PROCESS_LINKS].offset);
	for (unsigned i = 0; i < NUM_THREADS; i++) {
		threads[i] = fake_pools_thread(&fake, FAKE_POOL_VA(2 + i), (uint32_t)all[i], PID,
					       eprocess);
		fake_pools_link(&fake, head(), link_of(i));
		fake_pools_link(&fake, kernel_head(), kernel_link_of(i));
	}
}

static void teardown(void)
{
	fake_pools_deinit(&fake);
}

TestSuite(thread, .init = setup, .fini = teardown, .timeout = 60);

static void expect(const struct thread_list *list, const uint64_t *tids, size_t count)
{
	cr_expect_eq(list->count, count, "%zu threads", list->count);
	for (size_t i = 0; i < count && i < list->count; i++)
		cr_expect_eq(list->items[i].tid.value, tids[i], "thread %zu: %llu", i,
			     (unsigned long long)list->items[i].tid.value);
}

static void expect_listed(const uint64_t *tids, size_t count, bool complete)
{
	struct thread_list list;

	cr_assert_null(thread_list_read(&fake.k, eprocess, &list));
	expect(&list, tids, count);
	cr_expect_eq(list.complete, complete);
	thread_list_deinit(&list);
}

Test(thread, whole)
{
	struct thread_list list;

	fake_pools_open(&fake, NULL);
	expect_listed(all, NUM_THREADS, true);
	cr_expect_eq(fake.diag.partial, 0);
	cr_assert_null(thread_list_read(&fake.k, eprocess, &list));
	cr_expect_eq(list.items[0].ethread, threads[0]);
	cr_expect_eq(list.items[0].pid.value, PID);
	cr_expect_eq(list.items[0].process.value, eprocess);
	cr_expect_str_eq(thread_state_name(list.items[0].state.value), "waiting");
	cr_expect_not(list.items[0].exit_time.present);
	cr_expect_not(list.items[0].teb.present);
	thread_list_deinit(&list);
}

/* The second thread's forward link leads nowhere: the rest is reached from the other end. */
Test(thread, dangling)
{
	fake_pools_put(&fake, link_of(1), UINT64_C(0xffffc00000290000));
	fake_pools_open(&fake, NULL);
	expect_listed(all, NUM_THREADS, true);
}

/* Both links of one lead nowhere: what the process's own list loses, the scheduler's has. */
Test(thread, dangling_both_ways)
{
	fake_pools_put(&fake, link_of(0), UINT64_C(0xffffc00000290000));
	fake_pools_put(&fake, link_of(3) + 8, UINT64_C(0xffffc00000298000));
	fake_pools_open(&fake, NULL);
	struct thread_list list;

	cr_assert_null(thread_list_read(&fake.k, eprocess, &list));
	cr_expect_eq(list.count, NUM_THREADS);
	cr_expect_not(list.complete);
	cr_expect_str_eq(list.items[0].source, "list");
	cr_expect_str_eq(list.items[NUM_THREADS - 1].source, "kernel_list");
	cr_expect_gt(fake.diag.partial, 0);
	thread_list_deinit(&list);
}

Test(thread, self_link_and_loop)
{
	fake_pools_put(&fake, link_of(2), link_of(2));
	fake_pools_put(&fake, link_of(3) + 8, link_of(3));
	fake_pools_put(&fake, kernel_link_of(2), kernel_link_of(0));
	fake_pools_put(&fake, kernel_link_of(3) + 8, kernel_link_of(3));
	fake_pools_open(&fake, NULL);
	struct thread_list list;

	cr_assert_null(thread_list_read(&fake.k, eprocess, &list));
	cr_expect_eq(list.count, NUM_THREADS);
	thread_list_deinit(&list);
}

/* One thread's page is absent: one row less. */
Test(thread, absent_page)
{
	const uint64_t absent[] = { FAKE_POOL_PA(3), 0 };
	const uint64_t rest[] = { 12, 20, 24 };

	fake_pools_open(&fake, absent);
	expect_listed(rest, ARRAY_SIZE(rest), true);
	cr_expect_gt(fake.diag.partial, 0);
}

/* The list leads into something that is no thread. */
Test(thread, no_thread)
{
	const uint64_t rest[] = { 12, 16, 24 };

	*fake_pools_at(&fake, threads[2]) = 3;
	fake_pools_open(&fake, NULL);
	expect_listed(rest, ARRAY_SIZE(rest), true);
	cr_expect_eq(fake.diag.partial, 1);
}

Test(thread, scan)
{
	const uint64_t found[] = { 24, 20, 16, 12, 40 };
	struct thread_list list;

	/* ended, and in no list; on the page that is first mapped, so last in physical memory */
	uint64_t gone = fake_pools_thread(&fake, FAKE_POOL_VA(1), 40, PID, eprocess);

	fake_pools_put(&fake, gone + fake.thread[THREAD_EXIT_TIME].offset, 133637592903456790);
	/* decoys: a tag alone, another object's type, an id that is none, a state that is none */
	fake_pools_block(&fake, FAKE_POOL_VA(7), "Thre", 0xff0, 2);
	uint64_t decoy = fake_pools_thread(&fake, FAKE_POOL_VA(8), 44, PID, eprocess);

	*fake_pools_at(&fake, decoy - 0x18) ^= 1;
	fake_pools_thread(&fake, FAKE_POOL_VA(9), 47, PID, eprocess);
	decoy = fake_pools_thread(&fake, FAKE_POOL_VA(10), 48, PID, eprocess);
	*fake_pools_at(&fake, decoy + fake.thread[THREAD_STATE].offset) = 200;
	fake_pools_open(&fake, NULL);
	cr_assert_null(thread_list_scan(&fake.k, &list));
	expect(&list, found, ARRAY_SIZE(found));
	cr_expect(list.items[4].exit_time.present);
	thread_list_deinit(&list);
}

Test(thread, scan_finds_one_with_wiped_links)
{
	const uint64_t found[] = { 24, 20, 16, 12, 40 };
	uint64_t hidden = fake_pools_thread(&fake, FAKE_POOL_VA(1), 40, PID, eprocess);
	struct thread_list list;

	fake_pools_put(&fake, hidden + fake.thread[THREAD_KERNEL_LINKS].offset, 0);
	fake_pools_put(&fake, hidden + fake.thread[THREAD_KERNEL_LINKS].offset + 8, 0);
	fake_pools_open(&fake, NULL);
	cr_assert_null(thread_list_scan(&fake.k, &list));
	expect(&list, found, ARRAY_SIZE(found));
	thread_list_deinit(&list);
}

/* ETHREAD.ExitTime and the list KeyedWaitChain are in one place: of a live thread it has pointers.
 */
Test(thread, a_live_thread_has_no_exit_time)
{
	const struct field *exit_time = &fake.thread[THREAD_EXIT_TIME];
	const uint64_t ended = 133637592903456790;
	struct thread_list list;

	for (unsigned i = 0; i < 2; i++) {
		uint64_t va = threads[i] + exit_time->offset;

		fake_pools_put(&fake, va, i ? ended : va);
		fake_pools_put(&fake, threads[i] + fake.thread[THREAD_EXIT_STATUS].offset, 0);
	}
	fake_pools_open(&fake, NULL);
	cr_assert_null(thread_list_read(&fake.k, eprocess, &list));
	cr_expect_not(list.items[0].exit_time.present);
	cr_expect_not(list.items[0].exit_status.present);
	cr_expect_eq(list.items[1].exit_time.value, ended);
	cr_expect(list.items[1].exit_status.present);
	thread_list_deinit(&list);
}

Test(thread, at)
{
	struct thread_list list;
	struct error *err;

	fake_pools_open(&fake, NULL);
	cr_assert_null(thread_list_at(&fake.k, threads[1], "cpu", &list));
	expect(&list, &all[1], 1);
	thread_list_deinit(&list);
	err = thread_list_at(&fake.k, eprocess, "cpu", &list);
	cr_assert(error_catch(&err, ERROR_NOT_FOUND));
}

Test(thread, names)
{
	cr_expect_str_eq(thread_state_name(0), "initialized");
	cr_expect_str_eq(thread_state_name(9), "waiting_for_process_in_swap");
	cr_expect_null(thread_state_name(10));
	cr_expect_str_eq(thread_wait_reason_name(0), "executive");
	cr_expect_str_eq(thread_wait_reason_name(15), "wr_queue");
	cr_expect_str_eq(thread_wait_reason_name(32), "wr_preempted");
	cr_expect_str_eq(thread_wait_reason_name(37), "wr_alert_by_thread_id");
	cr_expect_str_eq(thread_wait_reason_name(42), "wr_rcu");
	cr_expect_null(thread_wait_reason_name(43));
}

Test(thread, protections)
{
	cr_expect_str_eq(process_protection_name(0x61), "PsProtectedSignerWinTcb-Light");
	cr_expect_str_eq(process_protection_name(0x72), "PsProtectedSignerWinSystem");
	cr_expect_str_eq(process_protection_name(0x31), "PsProtectedSignerAntimalware-Light");
	cr_expect_null(process_protection_name(0));
	cr_expect_null(process_protection_name(0x93));
}

/* Windows 7 has a bit instead of the byte. */
Test(thread, protected_without_a_kind)
{
	static const struct {
		struct process process;
		const char *text;
	} rows[] = {
		{ { .is_protected = { true, 1 } }, "Protected" },
		{ { .is_protected = { true, 0 } }, NULL },
		{ { .protection = { true, 0 }, .is_protected = { true, 1 } }, NULL },
		{ { .protection = { true, 0x61 } }, "PsProtectedSignerWinTcb-Light" },
		{ { .protection = { true, 0x93 } }, "0x93" },
		{ { .eprocess = 0 }, NULL },
	};
	struct arena a;

	arena_init(&a, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *text = process_protection_text(&rows[i].process, &a);

		if (rows[i].text)
			cr_expect_str_eq(text, rows[i].text);
		else
			cr_expect_null(text);
	}
	arena_deinit(&a);
}
