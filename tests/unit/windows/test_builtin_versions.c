/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "formats/format.h"
#include "windows/symbols/builtin.h"
#include "windows/symbols/kernel_versions.h"

/*
 * Small dumps of real machines: the kernel's version follows from its time stamp and size, and
 * the blocks that the machine's own kernel wrote into the dump prove the layouts of the table.
 * Versions and names as other tools show them.
 */
struct dump {
	const char *file;
	unsigned revision;   /* of 10.0.19041 */
	const char *process; /* NULL: not known from elsewhere */
};
static const struct dump dumps[] = {
	{ "triage_x64.dmp", 804, "System" },
	{ "083125-14875-01.dmp", 3803, "notmyfault64.e" },
	{ "100623-4953-01.dmp", 3448, NULL },
	{ "102622-15671-01.dmp", 2193, "svchost.exe" },
	{ "040124-5218-01.dmp", 4170, "UIEngine.exe" },
};
enum { OBJECT_PROCESS = 3, OBJECT_THREAD = 6 }; /* KOBJECTS, of a dispatcher header's type */

static struct snapshot *open_dump(const char *file)
{
	struct diag diag = { 0 };
	struct snapshot *snap;
	struct error *err;
	char path[512];

	snprintf(path, sizeof(path), "%s/images/real/triage/%s", SHARED_DIR, file);
	if (access(path, R_OK))
		return NULL;
	err = snapshot_open(path, NULL, &diag, &snap);
	cr_assert_null(err, "%s: %s", file, err ? error_message(err) : "");
	cr_assert_not_null(snap->info.triage, "%s", file);
	return snap;
}

static const struct dump_module *kernel_module(const struct snapshot *snap)
{
	const struct dump_triage *t = snap->info.triage;

	for (size_t i = 0; i < t->num_modules; i++)
		if (t->modules[i].base == snap->info.hints.kernel_base)
			return &t->modules[i];
	cr_assert_fail("no kernel in the list of modules");
	return NULL;
}

Test(builtin_versions, names_the_kernel_of_each_dump)
{
	for (size_t i = 0; i < ARRAY_SIZE(dumps); i++) {
		struct snapshot *snap = open_dump(dumps[i].file);
		struct kernel_version v = { 0 };
		const struct dump_module *m;

		if (!snap) {
			cr_skip_test("%s/images/real/triage is not here", SHARED_DIR);
			return;
		}
		m = kernel_module(snap);
		cr_expect(kernel_version_find(m->time_date_stamp, (uint32_t)m->size, &v),
			  "%s: 0x%x", dumps[i].file, m->time_date_stamp);
		cr_expect(v.major == 10 && v.minor == 0 && v.build == 19041 &&
				  v.revision == dumps[i].revision && !v.la57,
			  "%s: %u.%u.%u.%u", dumps[i].file, v.major, v.minor, v.build, v.revision);
		snapshot_close(snap);
	}
}

/* A field of a block; the block must hold it. */
static uint64_t value(const struct snapshot *snap, const struct dump_block *block,
		      const struct builtin_kernel *kernel, const char *type, const char *path)
{
	struct profile_source *src;
	struct field f = { 0 };
	uint8_t bytes[8] = { 0 };

	cr_assert_null(builtin_open(kernel, &src));
	cr_assert(src->ops->field(src, type, path, &f), "%s.%s", type, path);
	src->ops->destroy(src);
	cr_assert(f.size <= sizeof(bytes) || f.size == 2 * sizeof(bytes), "%s.%s", type, path);
	cr_assert(f.offset + sizeof(bytes) <= block->size, "%s.%s", type, path);
	/* Of a LIST_ENTRY the first pointer. */
	memcpy(bytes, snap->file.bytes + block->file_offset + f.offset,
	       f.size < sizeof(bytes) ? f.size : sizeof(bytes));
	return load_u64(bytes);
}

static bool is_kernel_pointer(uint64_t va)
{
	return va >> 47 == 0x1ffff && va % 8 == 0;
}

static void expect_pointer(const char *what, uint64_t va)
{
	cr_expect(is_kernel_pointer(va), "%s: 0x%llx", what, (unsigned long long)va);
}

static void expect_process(const struct snapshot *snap, const struct builtin_kernel *k,
			   const struct dump *dump)
{
	const struct dump_block *process = &snap->info.triage->process;
	uint64_t pid = value(snap, process, k, "_EPROCESS", "UniqueProcessId");
	uint64_t root = value(snap, process, k, "_KPROCESS", "DirectoryTableBase");
	struct profile_source *src;
	struct field name;
	char text[16] = "";

	cr_expect_eq(value(snap, process, k, "_EPROCESS", "Pcb.Header.Type"), OBJECT_PROCESS);
	cr_expect(pid > 0 && pid % 4 == 0 && pid < 1 << 24, "%s: %llu", dump->file,
		  (unsigned long long)pid);
	expect_pointer(dump->file, value(snap, process, k, "_EPROCESS", "ActiveProcessLinks"));
	expect_pointer(dump->file, value(snap, process, k, "_EPROCESS", "ThreadListHead"));
	expect_pointer(dump->file, value(snap, process, k, "_EPROCESS", "Pcb.ThreadListHead"));
	cr_expect(root != 0 && root >> 40 == 0, "%s: root 0x%llx", dump->file,
		  (unsigned long long)root);
	cr_assert_null(builtin_open(k, &src));
	cr_assert(src->ops->field(src, "_EPROCESS", "ImageFileName", &name) && name.size == 15);
	src->ops->destroy(src);
	memcpy(text, snap->file.bytes + process->file_offset + name.offset, name.size);
	if (dump->process)
		cr_expect_str_eq(text, dump->process);
	cr_expect(text[0] > ' ' && text[0] < 0x7f, "%s: '%s'", dump->file, text);
}

static void expect_thread(const struct snapshot *snap, const struct builtin_kernel *k,
			  const char *file)
{
	const struct dump_triage *t = snap->info.triage;
	uint64_t tid = value(snap, &t->thread, k, "_ETHREAD", "Cid.UniqueThread");
	uint64_t owner = value(snap, &t->thread, k, "_KTHREAD", "Process");
	uint64_t links = value(snap, &t->thread, k, "_ETHREAD", "ThreadListEntry");

	cr_expect_eq(value(snap, &t->thread, k, "_KTHREAD", "Header.Type"), OBJECT_THREAD);
	cr_expect(tid > 0 && tid % 4 == 0 && tid < 1 << 24, "%s: %llu", file,
		  (unsigned long long)tid);
	cr_expect_eq(value(snap, &t->thread, k, "_ETHREAD", "Cid.UniqueProcess"),
		     value(snap, &t->process, k, "_EPROCESS", "UniqueProcessId"), "%s", file);
	expect_pointer(file, owner);
	expect_pointer(file, links);
	expect_pointer(file, value(snap, &t->prcb, k, "_KPRCB", "CurrentThread"));
	expect_pointer(file, value(snap, &t->prcb, k, "_KPRCB", "IdleThread"));
	cr_expect_eq(value(snap, &t->thread, k, "_KTHREAD", "ApcState.Process") % 16, 0);
	cr_expect_lt(value(snap, &t->thread, k, "_KTHREAD", "StackLimit"),
		     value(snap, &t->thread, k, "_KTHREAD", "StackBase"), "%s", file);
}

Test(builtin_versions, blocks_of_each_dump_prove_the_layout)
{
	const struct builtin_kernel *k = builtin_nearest(19041);

	for (size_t i = 0; i < ARRAY_SIZE(dumps); i++) {
		struct snapshot *snap = open_dump(dumps[i].file);

		if (!snap) {
			cr_skip_test("%s/images/real/triage is not here", SHARED_DIR);
			return;
		}
		expect_process(snap, k, &dumps[i]);
		expect_thread(snap, k, dumps[i].file);
		snapshot_close(snap);
	}
}

Test(builtin_versions, rows_are_sorted_and_found)
{
	size_t n = kernel_versions_count(), la57 = 0;

	cr_assert_gt(n, 2600);
	for (size_t i = 0; i < n; i++) {
		const struct kernel_version_row *row = kernel_versions_at(i);
		struct kernel_version v;

		cr_assert(
			kernel_version_find(row->time_date_stamp, (uint32_t)row->pages << 12, &v));
		cr_expect(v.build == row->build && v.revision == row->revision &&
			  v.la57 == row->la57 && v.major == 10);
		cr_expect_not(kernel_version_find(row->time_date_stamp,
						  ((uint32_t)row->pages << 12) + 1, &v));
		la57 += row->la57;
	}
	cr_expect(la57 > 700 && la57 < n / 2);
}

Test(builtin_versions, unknown_ones_are_not_named)
{
	struct kernel_version v;

	cr_expect_not(kernel_version_find(0, 0, &v));
	cr_expect_not(kernel_version_find(UINT32_MAX, 0xfffff000, &v));
	/* 22621.1483 and 22621.1485 share these two numbers. */
	cr_expect_not(kernel_version_find(0x7a5ef578, 0x1047000, &v));
}
