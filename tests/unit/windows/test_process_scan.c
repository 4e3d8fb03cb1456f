/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "fake_pools.h"

static struct fake_pools fake;
static uint64_t listed; /* EPROCESS of the one process that the list has */

enum { HEADER_SIZE = 0x30, TYPE_INDEX = 0x18, INFO_MASK = 0x1a };

static void setup(void)
{
	fake_pools_init(&fake);
	listed = fake_pools_process(&fake, FAKE_POOL_VA(0), 4, "System");
	fake_pools_link(&fake, FAKE_POOLS_HEAD_VA, listed + fake.process[PROCESS_LINKS].offset);
}

static void teardown(void)
{
	fake_pools_deinit(&fake);
}

TestSuite(process_scan, .init = setup, .fini = teardown, .timeout = 60);

static void expect(const uint64_t *pids, size_t count, const char *source)
{
	struct process_list list;

	cr_assert_null(process_list_scan(&fake.k, PROCESS_BRIEF, &list));
	cr_expect_eq(list.count, count, "%zu processes", list.count);
	for (size_t i = 0; i < count && i < list.count; i++) {
		cr_expect_eq(list.items[i].pid.value, pids[i], "process %zu: %llu", i,
			     (unsigned long long)list.items[i].pid.value);
		cr_expect_str_eq(list.items[i].source, source);
	}
	process_list_deinit(&list);
}
#define EXPECT(...)                                                                                \
	expect((const uint64_t[]){ __VA_ARGS__ }, ARRAY_SIZE(((const uint64_t[]){ __VA_ARGS__ })), \
	       "pool_scan")

Test(process_scan, hidden_one)
{
	fake_pools_process(&fake, FAKE_POOL_VA(2), 808, "hidden.exe");
	fake_pools_open(&fake, NULL);
	EXPECT(808, 4);
	cr_expect_eq(fake.diag.partial, 0);
}

/* Its block begins in one page and ends in another, which is not behind it in physical memory. */
Test(process_scan, across_pages)
{
	fake_pools_process(&fake, FAKE_POOL_VA(3) - 0x200, 808, "hidden.exe");
	fake_pools_open(&fake, NULL);
	EXPECT(808, 4);
}

/* Its links may have been wiped, too; a list in which it is alone would do as well. */
Test(process_scan, hidden_one_with_wiped_links)
{
	uint64_t va = fake_pools_process(&fake, FAKE_POOL_VA(2), 808, "hidden.exe");

	fake_pools_put(&fake, va + fake.process[PROCESS_LINKS].offset, 0);
	fake_pools_put(&fake, va + fake.process[PROCESS_LINKS].offset + 8, 0);
	fake_pools_open(&fake, NULL);
	EXPECT(808, 4);
}

Test(process_scan, unmapped)
{
	struct process_list list;

	fake_pools_process(&fake, FAKE_POOL_VA(FAKE_POOL_PAGES - 1), 808, "gone.exe");
	fake_pools_open(&fake, NULL);
	EXPECT(808, 4);
	cr_assert_null(process_list_scan(&fake.k, PROCESS_BRIEF, &list));
	cr_expect_eq(list.items[0].eprocess, 0);
	cr_expect_eq(list.items[0].pool.value, FAKE_POOL_PA(FAKE_POOL_PAGES - 1));
	cr_expect_str_eq(list.items[0].name, "gone.exe");
	process_list_deinit(&list);
}

/* Half of the object is in a page that is not there. */
Test(process_scan, torn)
{
	const uint64_t absent[] = { FAKE_POOL_PA(3), 0 };

	fake_pools_process(&fake, FAKE_POOL_VA(3) - 0x200, 808, "torn.exe");
	fake_pools_open(&fake, absent);
	EXPECT(4);
}

Test(process_scan, list_has_what_the_pools_lack)
{
	/* its tag was overwritten */
	memcpy(fake_pools_at(&fake, FAKE_POOL_VA(0) + 4), "Oops", 4);
	fake_pools_open(&fake, NULL);
	expect((const uint64_t[]){ 4 }, 1, "list");
}

Test(process_scan, freed)
{
	uint64_t va = fake_pools_process(&fake, FAKE_POOL_VA(2), 808, "ended.exe");

	fake_pools_put(&fake, va + fake.process[PROCESS_EXIT_TIME].offset, 133637592903456790);
	*fake_pools_at(&fake, FAKE_POOL_VA(2) + 3) = 0; /* PoolType: free */
	fake_pools_open(&fake, NULL);
	EXPECT(808, 4);
}

/* What a block with the right tag must not hold. */
static const struct decoy {
	const char *what;
	int field; /* of process_field; -1: offset is from the OBJECT_HEADER */
	uint32_t offset;
	uint64_t value;
} decoys[] = {
	{ "type of another object", -1, TYPE_INDEX, 0x55 },
	{ "more optional headers than fit", -1, INFO_MASK, 0xff },
	{ "no dispatcher object", PROCESS_TYPE, 0, 6 },
	{ "process id 0", PROCESS_PID, 0, 0 },
	{ "odd process id", PROCESS_PID, 0, 0x32a },
	{ "absurd process id", PROCESS_PID, 0, UINT64_C(0x41414141414141) },
	{ "no root", PROCESS_DTB, 0, UINT64_C(0xffffc00000000000) },
	{ "time before Windows", PROCESS_CREATE_TIME, 0, 1 },
	{ "time in the far future", PROCESS_CREATE_TIME, 0, UINT64_C(0x7fffffffffffffff) },
	{ "exit at no time", PROCESS_EXIT_TIME, 0, 77 },
	{ "no name", PROCESS_NAME, 0, 0 },
	{ "name of no characters", PROCESS_NAME, 0, UINT64_C(0x0102030405060708) },
	{ "user address in the list", PROCESS_LINKS, 0, UINT64_C(0x00007fff12345678) },
	{ "odd address in the list", PROCESS_LINKS, 8, UINT64_C(0xffffc00000200003) },
	{ "no threads' list", PROCESS_THREAD_HEAD, 0, 0 },
};

Test(process_scan, decoys)
{
	for (size_t i = 0; i < ARRAY_SIZE(decoys); i++) {
		const struct decoy *d = &decoys[i];
		uint64_t va = fake_pools_process(&fake, FAKE_POOL_VA(2), 808, "decoy.exe");
		uint32_t size = d->field < 0 ? 1 : fake.process[d->field].size;

		va += d->field < 0 ? (uint64_t)d->offset - HEADER_SIZE
				   : fake.process[d->field].offset;
		for (uint32_t byte = 0; byte < (size < 8 ? size : 8); byte++)
			*fake_pools_at(&fake, va + (d->field < 0 ? 0 : d->offset) + byte) =
				(uint8_t)(d->value >> 8 * byte);
		fake_pools_open(&fake, NULL);
		struct process_list list;

		cr_assert_null(process_list_scan(&fake.k, PROCESS_BRIEF, &list));
		cr_expect_eq(list.count, 1, "%s: %zu processes", d->what, list.count);
		process_list_deinit(&list);
		teardown();
		setup();
	}
}

/* With the list gone nothing tells what a process's header looks like: what it holds must do. */
Test(process_scan, broken_list)
{
	fake_pools_put(&fake, FAKE_POOLS_HEAD_VA, 0x1234);
	fake_pools_put(&fake, FAKE_POOLS_HEAD_VA + 8, 0);
	fake_pools_process(&fake, FAKE_POOL_VA(2), 808, "hidden.exe");
	fake_pools_open(&fake, NULL);
	fake.k.globals[GLOBAL_PS_ACTIVE_PROCESS_HEAD].present = false;
	EXPECT(808, 4);
	cr_expect_gt(fake.diag.partial, 0);
}

/* Build 26100 names no member of what EPROCESS.Session points to. */
Test(process_scan, session_without_a_layout)
{
	enum { SESSION = 0x400, SESSION_ID = 8 };
	static const uint32_t builds[] = { 19041, 26100 };

	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		struct process_list list;
		uint64_t va;

		teardown();
		fake_pools_init_build(&fake, builds[i]);
		va = fake_pools_process(&fake, FAKE_POOL_VA(2), 808, "app.exe");
		fake_pools_put(&fake, va + fake.process[PROCESS_SESSION].offset,
			       FAKE_POOLS_HEAD_VA + SESSION);
		fake_pools_put(&fake, FAKE_POOLS_HEAD_VA + SESSION + SESSION_ID, 3);
		fake_pools_open(&fake, NULL);
		cr_assert_null(process_list_at(&fake.k, va, PROCESS_FULL, &list));
		cr_expect(list.items[0].session_id.present);
		cr_expect_eq(list.items[0].session_id.value, 3, "build %u", builds[i]);
		process_list_deinit(&list);
	}
	cr_expect_not(fake.process[PROCESS_SESSION_ID].present);
}
