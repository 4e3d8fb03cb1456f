/* SPDX-License-Identifier: MIT */
/*
 * What looks for objects in pool blocks, on a small memory with some of its bytes changed. The
 * input is a list of changes {u24 offset, u8 length 1-8, bytes}: a mutation reaches headers,
 * objects, lists, the table of ids and page tables alike.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "tests/unit/windows/fake_pools.h"
#include "windows/modules/module.h"
#include "windows/process/cid_table.h"
#include "windows/process/crossview.h"

enum { MAX_INPUT = 1 << 10, CHANGE_HEAD = 4, PID = 808 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void apply_changes(uint8_t *bytes, const uint8_t *data, size_t size)
{
	while (size > CHANGE_HEAD) {
		size_t offset = load_u32(data) & 0xffffff;
		size_t len = (data[3] & 7u) + 1u;

		data += CHANGE_HEAD;
		size -= CHANGE_HEAD;
		if (len > size)
			len = size;
		if (offset <= FAKE_POOLS_BYTES - len)
			memcpy(bytes + offset, data, len);
		data += len;
		size -= len;
	}
}

static uint64_t build(struct fake_pools *f)
{
	uint64_t process[2], thread;

	fake_pools_init(f);
	process[0] = fake_pools_process(f, FAKE_POOL_VA(0), 4, "System");
	process[1] = fake_pools_process(f, FAKE_POOL_VA(2) - 0x80, PID, "hidden.exe");
	fake_pools_link(f, FAKE_POOLS_HEAD_VA, process[0] + f->process[PROCESS_LINKS].offset);
	fake_pools_cid_table(f);
	for (unsigned i = 0; i < 2; i++) {
		thread = fake_pools_thread(f, FAKE_POOL_VA(4 + i), 12 + 4 * i, i ? PID : 4,
					   process[i]);
		fake_pools_link(f, process[i] + f->thread[THREAD_PROCESS_HEAD].offset,
				thread + f->thread[THREAD_LINKS].offset);
		fake_pools_link(f, process[i] + f->thread[THREAD_PROCESS_KERNEL_HEAD].offset,
				thread + f->thread[THREAD_KERNEL_LINKS].offset);
		fake_pools_cid(f, 12 + 4 * i, thread);
		fake_pools_cid(f, i ? PID : 4, process[i]);
	}
	fake_pools_block(f, FAKE_POOL_VA(8), "MmLd", 0x100, 2);
	return process[1];
}

static void check_processes(struct kernel *k)
{
	struct process_list list;
	struct crossview view;
	struct error *err;

	err = crossview_read(k, PROCESS_FULL, &view);
	if (!err) {
		for (size_t i = 0; i < view.list.count; i++) {
			const struct process *p = &view.list.items[i];

			check(p->pid.present && p->source);
			check(p->eprocess || p->pool.present);
			check(!p->pool.present || (p->pid.value && p->pid.value % 4 == 0));
			check(view.seen[i] || !p->eprocess || strcmp(p->source, "cpu") == 0);
		}
		crossview_deinit(&view);
	}
	error_destroy(err);
	err = process_list_by_pid(k, PID, PROCESS_BRIEF, &list);
	if (!err) {
		for (size_t i = 0; i < list.count; i++)
			check(list.items[i].pid.value == PID);
		process_list_deinit(&list);
	}
	error_destroy(err);
}

static void check_threads(struct kernel *k, uint64_t eprocess)
{
	struct thread_list list;
	struct error *err = thread_list_scan(k, &list);

	if (!err) {
		for (size_t i = 0; i < list.count; i++)
			check(list.items[i].tid.value && list.items[i].tid.value % 4 == 0);
		thread_list_deinit(&list);
	}
	error_destroy(err);
	err = thread_list_read(k, eprocess, &list);
	if (!err)
		thread_list_deinit(&list);
	error_destroy(err);
}

static void check_modules(struct kernel *k)
{
	struct kernel_module_list list;
	struct error *err = kernel_modules_scan(k, &list);

	if (!err) {
		for (size_t i = 0; i < list.count; i++)
			check(list.items[i].base >> 63);
		kernel_modules_deinit(&list);
	}
	error_destroy(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_pools fake;
	uint64_t eprocess;

	if (size > MAX_INPUT)
		return 0;
	eprocess = build(&fake);
	apply_changes(fake.bytes, data, size);
	fake_pools_open(&fake, NULL);
	fake.k.scan_threads = 1;
	check_processes(&fake.k);
	check_threads(&fake.k, eprocess);
	check_modules(&fake.k);
	fake_pools_deinit(&fake);
	return 0;
}
