/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "fake_pools.h"
#include "windows/process/cid_table.h"

enum { PID = 808, TID = 812 };

static struct fake_pools fake;
static struct cid_table table;
static uint64_t process, thread;

static void setup(void)
{
	fake_pools_init(&fake);
	process = fake_pools_process(&fake, FAKE_POOL_VA(0), PID, "hidden.exe");
	thread = fake_pools_thread(&fake, FAKE_POOL_VA(1), TID, PID, process);
	fake_pools_cid_table(&fake);
	fake_pools_cid(&fake, PID, process);
	fake_pools_cid(&fake, TID, thread);
}

static void teardown(void)
{
	cid_table_deinit(&table);
	fake_pools_deinit(&fake);
}

TestSuite(cid_table, .init = setup, .fini = teardown, .timeout = 60);

static void read_table(const uint64_t *absent)
{
	fake_pools_open(&fake, absent);
	cr_assert_null(cid_table_read(&fake.k, &table));
}

Test(cid_table, both_kinds)
{
	read_table(NULL);
	cr_expect(table.known && table.complete);
	cr_expect_eq(table.count, 2);
	cr_expect_eq(cid_table_find(&table, PID, CID_PROCESS), process);
	cr_expect_eq(cid_table_find(&table, TID, CID_THREAD), thread);
	cr_expect_eq(cid_table_find(&table, TID, CID_PROCESS), 0);
	cr_expect_eq(cid_table_find(&table, 4, CID_PROCESS), 0);
	cr_expect_eq(cid_table_find(&table, UINT64_MAX, CID_PROCESS), 0);
	cr_expect_eq(fake.diag.partial, 0);
}

/* An entry whose object has another id, one that leads nowhere, one into user memory. */
static const struct {
	uint64_t id, object;
} bad[] = { { 816, 0 }, { 820, UINT64_C(0xffffc00000290000) }, { 824, UINT64_C(0x7ff612345670) } };

Test(cid_table, bad_entries)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		fake_pools_cid(&fake, bad[i].id, bad[i].object ? bad[i].object : process);
	read_table(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_expect_eq(cid_table_find(&table, bad[i].id, CID_PROCESS), 0);
		cr_expect_eq(cid_table_find(&table, bad[i].id, CID_THREAD), 0);
	}
	cr_expect_eq(cid_table_find(&table, PID, CID_PROCESS), process);
}

Test(cid_table, absent_page)
{
	const uint64_t absent[] = { FAKE_POOL_PA(14), 0 };

	read_table(absent);
	cr_expect(table.known);
	cr_expect_not(table.complete);
	cr_expect_eq(table.count, 0);
	cr_expect_gt(fake.diag.partial, 0);
}

Test(cid_table, no_table)
{
	fake.k.globals[GLOBAL_PSP_CID_TABLE].va = FAKE_POOLS_HEAD_VA + 0x800;
	read_table(NULL);
	cr_expect_not(table.known);
	cr_expect_eq(table.count, 0);
	cr_expect_gt(fake.diag.partial, 0);
}

/* An id that nobody has: where there is no table, nothing is said of it. */
Test(cid_table, unknown_pid_without_a_table)
{
	fake_pools_put(&fake, fake.k.globals[GLOBAL_PSP_CID_TABLE].va, 0);
	fake_pools_open(&fake, NULL);
	for (unsigned i = 0; i < 2; i++) {
		struct process_list list;

		fake.k.globals[GLOBAL_PSP_CID_TABLE].present = i == 0;
		cr_assert_null(process_list_by_pid(&fake.k, PID, PROCESS_BRIEF, &list));
		cr_expect_eq(list.count, 0);
		cr_expect_eq(fake.diag.notes, 0);
		cr_expect_eq(fake.diag.partial, 0);
		process_list_deinit(&list);
	}
}

/* A process that only the table of ids has is found by its id, and said to be. */
Test(cid_table, by_pid)
{
	struct process_list list;

	fake_pools_open(&fake, NULL);
	cr_assert_null(process_list_by_pid(&fake.k, PID, PROCESS_BRIEF, &list));
	cr_assert_eq(list.count, 1);
	cr_expect_eq(list.items[0].eprocess, process);
	cr_expect_str_eq(list.items[0].source, "cid_table");
	cr_expect_eq(fake.diag.notes, 1);
	process_list_deinit(&list);
	cr_assert_null(process_list_by_pid(&fake.k, TID, PROCESS_BRIEF, &list));
	cr_expect_eq(list.count, 0);
	process_list_deinit(&list);
}
