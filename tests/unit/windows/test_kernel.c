/* SPDX-License-Identifier: MIT */
#include "windows/kernel/kernel.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/memfile.h"
#include "windows/kernel/cpu.h"
#include "windows/modules/module.h"
#include "windows/process/process.h"

/*
 * The kernel and its lists on the small synthetic Windows, whole and with single values of it
 * changed. testdata/small-windows.spec says what is where.
 */
#define POOL		UINT64_C(0xffff8b01a5a00000)
#define PROCESS(i)	(POOL + 0x1000 * (uint64_t)(i) + 0x80)
#define LINKS(i)	(PROCESS(i) + 0x448)
#define PROCESSOR_BLOCK UINT64_C(0xfffff800436fdcc0)
enum { NUM_PROCESSES = 5, NUM_MODULES = 4, MAX_MESSAGES = 16 };

struct machine {
	uint8_t *bytes;
	size_t size;
	int fd;
	struct diag diag;
	struct snapshot *snapshot;
	struct kernel *kernel;
	char *messages[MAX_MESSAGES];
	size_t num_messages;
};

static void keep_message(void *arg, enum diag_kind kind, const char *message)
{
	struct machine *m = arg;

	(void)kind;
	if (m->num_messages < MAX_MESSAGES)
		m->messages[m->num_messages++] = strdup(message);
}

static void load(struct machine *m)
{
	struct file file;
	struct error *err = file_open(&file, TESTDATA_DIR "/small-windows.dmp");

	cr_assert_null(err);
	memset(m, 0, sizeof(*m));
	m->size = file.size;
	m->bytes = malloc(m->size);
	memcpy(m->bytes, file.bytes, m->size);
	file_close(&file);
	diag_init(&m->diag, keep_message, m);
}

static void open_machine(struct machine *m)
{
	const struct kernel_options options = { .locate = { .quiet = true, .threads = 1 } };
	char path[MEMFILE_PATH_SIZE];
	struct error *err;

	m->fd = memfile_create(m->bytes, m->size, path);
	err = snapshot_open(path, NULL, &m->diag, &m->snapshot);
	cr_assert_null(err);
	err = kernel_open(m->snapshot, &options, &m->diag, &m->kernel);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

static void close_machine(struct machine *m)
{
	kernel_close(m->kernel);
	snapshot_close(m->snapshot);
	close(m->fd);
	m->kernel = NULL;
	m->snapshot = NULL;
}

static void unload(struct machine *m)
{
	close_machine(m);
	for (size_t i = 0; i < m->num_messages; i++)
		free(m->messages[i]);
	free(m->bytes);
}

static bool has_message(const struct machine *m, const char *part)
{
	for (size_t i = 0; i < m->num_messages; i++) {
		if (strstr(m->messages[i], part))
			return true;
	}
	return false;
}

/* Loads the machine, sets values in its kernel space, and opens it again. */
struct change {
	uint64_t va, value;
};

static void open_changed(struct machine *m, const struct change *changes, size_t count)
{
	uint64_t pa, offset;

	load(m);
	open_machine(m);
	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(space_translate(m->kernel->space, changes[i].va, &pa), VA_MAPPED);
		cr_assert(physmem_file_offset(m->snapshot->mem, pa, &offset));
		store_u64(m->bytes + offset, changes[i].value);
	}
	close_machine(m);
	open_machine(m);
}

static void expect_pids(struct machine *m, const uint64_t *pids, size_t count, bool complete)
{
	struct process_list list;

	cr_assert_null(process_list_read(m->kernel, PROCESS_FULL, &list));
	cr_expect_eq(list.complete, complete);
	cr_expect_eq(list.count, count, "%zu processes", list.count);
	for (size_t i = 0; i < count && i < list.count; i++)
		cr_expect_eq(list.items[i].pid.value, pids[i], "process %zu", i);
	process_list_deinit(&list);
}

static const uint64_t all_pids[NUM_PROCESSES] = { 4, 348, 1060, 2204, 3560 };

Test(kernel, whole)
{
	struct machine m;

	load(&m);
	open_machine(&m);
	expect_pids(&m, all_pids, NUM_PROCESSES, true);
	cr_expect_eq(m.diag.partial, 0);
	cr_expect_eq(m.kernel->build, 19041);
	unload(&m);
}

Test(kernel, processor_state)
{
	struct kernel_cpu *cpus;
	struct machine m;
	size_t count;

	load(&m);
	open_machine(&m);
	cr_assert_null(kernel_cpus_read(m.kernel, &m.kernel->arena, &cpus, &count));
	cr_assert_eq(count, 1);
	cr_expect_eq(cpus[0].number, 0);
	cr_expect_eq(cpus[0].current_process, PROCESS(0));
	cr_expect_eq(cpus[0].kprcb, cpus[0].kpcr + 0x180);
	cr_expect_eq(cpus[0].registers.cr3, 0x1ad002);
	cr_expect_eq(cpus[0].registers.cr4, 0x3706f8);
	cr_expect_eq(cpus[0].registers.lstar, m.kernel->loc.base + 0xa13180);
	cr_expect_eq(cpus[0].registers.rip, m.kernel->loc.base + 0x3f73b0);
	cr_expect_eq(cpus[0].registers.gs.base, cpus[0].kpcr);
	cr_expect_eq(cpus[0].registers.idtr.limit, 0xfff);
	cr_expect(cpus[0].registers.known & REGS_SYSCALL);
	unload(&m);
}

Test(kernel, a_processor_that_is_none_is_said)
{
	const uint64_t slots[] = { 0x10, UINT64_C(0xffffdeadbeef0000) };

	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		const struct change changes[] = { { PROCESSOR_BLOCK, slots[i] } };
		struct kernel_cpu *cpus;
		struct machine m;
		size_t count, partial;

		open_changed(&m, changes, ARRAY_SIZE(changes));
		partial = m.diag.partial;
		cr_assert_null(kernel_cpus_read(m.kernel, &m.kernel->arena, &cpus, &count));
		cr_expect_eq(count, 0, "slot %zu", i);
		cr_expect_eq(m.diag.partial, partial + 1, "slot %zu", i);
		unload(&m);
	}
}

Test(kernel, process_list_with_a_dangling_link_is_read_from_its_end)
{
	const struct change changes[] = { { LINKS(1), UINT64_C(0xffffdeadbeef0000) } };
	struct machine m;

	open_changed(&m, changes, ARRAY_SIZE(changes));
	expect_pids(&m, all_pids, NUM_PROCESSES, true);
	unload(&m);
}

Test(kernel, process_list_with_two_breaks_says_so)
{
	const struct change changes[] = {
		{ LINKS(1), UINT64_C(0xffffdeadbeef0000) },
		{ LINKS(3) + 8, UINT64_C(0xffffdeadbeef1000) },
	};
	const uint64_t pids[] = { 4, 348, 2204, 3560 };
	struct machine m;

	open_changed(&m, changes, ARRAY_SIZE(changes));
	expect_pids(&m, pids, ARRAY_SIZE(pids), false);
	cr_expect(has_message(&m, "process list: the forward link"));
	cr_expect(has_message(&m, "process list: the back link"));
	cr_expect_gt(m.diag.partial, 0);
	unload(&m);
}

Test(kernel, process_list_with_a_loop_ends)
{
	const struct change changes[] = {
		{ LINKS(3), LINKS(1) },
		{ LINKS(1) + 8, LINKS(3) },
	};
	struct process_list list;
	struct machine m;

	open_changed(&m, changes, ARRAY_SIZE(changes));
	cr_assert_null(process_list_read(m.kernel, PROCESS_FULL, &list));
	cr_expect_leq(list.count, NUM_PROCESSES);
	cr_expect_geq(list.count, 4);
	process_list_deinit(&list);
	unload(&m);
}

Test(kernel, what_is_no_process_costs_one_row)
{
	const uint64_t pids[] = { 4, 348, 2204, 3560 };
	const struct change changes[] = { { PROCESS(2) + 0x440, UINT64_C(0x4141414141414141) } };
	struct machine m;

	open_changed(&m, changes, ARRAY_SIZE(changes));
	expect_pids(&m, pids, ARRAY_SIZE(pids), true);
	cr_expect(has_message(&m, "is no process"));
	unload(&m);
}

Test(kernel, unreadable_head_of_processes_leaves_the_current_one)
{
	struct machine m;
	struct process_list list;

	load(&m);
	open_machine(&m);
	m.kernel->globals[GLOBAL_PS_ACTIVE_PROCESS_HEAD].va = UINT64_C(0xffffdeadbeef0000);
	cr_assert_null(process_list_read(m.kernel, PROCESS_FULL, &list));
	cr_expect_not(list.complete);
	cr_assert_eq(list.count, 1);
	cr_expect_str_eq(list.items[0].source, "cpu");
	cr_expect_eq(list.items[0].pid.value, 4);
	cr_expect_gt(m.diag.partial, 0);
	process_list_deinit(&list);
	unload(&m);
}

Test(kernel, heads_that_the_header_gets_wrong_are_found_otherwise)
{
	struct kernel_module_list modules;
	struct machine m;

	load(&m);
	/* header: PsLoadedModuleList 0x20, PsActiveProcessHead 0x28, KdDebuggerDataBlock 0x80 */
	store_u64(m.bytes + 0x20, UINT64_C(0xffff8b01a5a00000));
	store_u64(m.bytes + 0x28, 0x1234);
	store_u64(m.bytes + 0x80, UINT64_C(0xffffdeadbeef0000));
	open_machine(&m);
	expect_pids(&m, all_pids, NUM_PROCESSES, true);
	cr_assert_null(kernel_modules_read(m.kernel, &modules));
	cr_expect_eq(modules.count, NUM_MODULES);
	kernel_modules_deinit(&modules);
	unload(&m);
}

Test(kernel, process_space)
{
	struct space *space;
	struct machine m;
	struct error *err;
	uint64_t pa;

	load(&m);
	open_machine(&m);
	cr_assert_null(process_open_space_by_pid(m.kernel, 348, &space));
	cr_expect_eq(space_translate(space, 0x614000, &pa), VA_MAPPED, "its PEB");
	space_destroy(space);
	err = process_open_space_by_pid(m.kernel, 77, &space);
	cr_expect(error_catch(&err, ERROR_NOT_FOUND));
	unload(&m);
}

/* The image's GUID as it stands in its RSDS record: nothing has symbols of another one. */
static void change_guid(struct machine *m)
{
	static const uint8_t guid[] = { 0x9d, 0xb1, 0x00, 0x9c, 0xe0, 0xdb, 0xfe, 0xd0 };

	for (size_t i = 0; i + sizeof(guid) <= m->size; i++) {
		if (m->bytes[i] == 'R' && !memcmp(m->bytes + i, "RSDS", 4))
			memcpy(m->bytes + i + 4, guid, sizeof(guid));
	}
}

Test(kernel, layout_of_the_same_build_is_taken)
{
	struct machine m;

	load(&m);
	change_guid(&m);
	open_machine(&m);
	cr_expect_str_eq(profile_description(m.kernel->profile), "builtin:build 19041");
	expect_pids(&m, all_pids, NUM_PROCESSES, true);
	unload(&m);
}

Test(kernel, layout_that_does_not_hold_on_system_is_not_believed)
{
	const struct kernel_options options = { .locate = { .quiet = true, .threads = 1 } };
	char path[MEMFILE_PATH_SIZE];
	struct machine m;
	struct error *err;

	load(&m);
	change_guid(&m);
	store_u32(m.bytes + 0xc, 9600); /* MinorVersion: the build */
	m.fd = memfile_create(m.bytes, m.size, path);
	cr_assert_null(snapshot_open(path, NULL, &m.diag, &m.snapshot));
	err = kernel_open(m.snapshot, &options, &m.diag, &m.kernel);
	cr_expect(has_message(&m, "builtin:build 9600 does not fit this kernel"));
	if (!err)
		cr_expect_str_eq(profile_description(m.kernel->profile), "discovery");
	error_destroy(err);
	unload(&m);
}
