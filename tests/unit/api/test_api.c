/* SPDX-License-Identifier: MIT */
#include "ntscope.h"

#include <criterion/criterion.h>
#include <string.h>

/* The public interface on the small synthetic Windows, through the shared library. */
#define SAMPLE TESTDATA_DIR "/small-windows.dmp"

struct opened {
	struct nts_snapshot *snapshot;
	struct nts_kernel *kernel;
};

static struct opened open_sample(void)
{
	struct opened o;

	cr_assert_null(nts_open(SAMPLE, NULL, &o.snapshot));
	cr_assert_null(nts_kernel_open(o.snapshot, NULL, &o.kernel));
	return o;
}

static void close_sample(struct opened *o)
{
	nts_kernel_close(o->kernel);
	nts_close(o->snapshot);
}

Test(api, kernel_info)
{
	struct opened o = open_sample();
	struct nts_kernel_info info;

	nts_kernel_info(o.kernel, &info);
	cr_expect_eq(info.base, 0xfffff80042a00000);
	cr_expect_eq(info.build, 19041);
	cr_expect_eq(info.paging_levels, 4);
	cr_expect_str_eq(info.pdb_guid, "9C00B19DBDE003DBFE4AB4216993C843");
	cr_expect_str_eq(info.symbols, "builtin:exact");
	close_sample(&o);
}

Test(api, processes)
{
	struct opened o = open_sample();
	struct nts_process_list *list;
	struct nts_process p;

	cr_assert_null(nts_processes(o.kernel, &list));
	cr_assert_eq(nts_process_count(list), 5);
	cr_expect(nts_process_list_complete(list));
	nts_process_get(list, 1, &p);
	cr_expect_eq(p.pid, 348);
	cr_expect_str_eq(p.name, "smss.exe");
	cr_expect(p.known & NTS_PROCESS_PPID);
	cr_expect_eq(p.ppid, 4);
	cr_expect_not(p.known & NTS_PROCESS_EXIT_TIME);
	cr_expect_str_eq(p.command_line, "\\SystemRoot\\System32\\smss.exe");
	nts_process_list_free(list);
	close_sample(&o);
}

Test(api, modules)
{
	struct opened o = open_sample();
	struct nts_module_list *list;
	struct nts_module m;

	cr_assert_null(nts_modules(o.kernel, &list));
	cr_assert_eq(nts_module_count(list), 4);
	cr_expect(nts_module_list_complete(list));
	nts_module_get(list, 0, &m);
	cr_expect_str_eq(m.name, "ntoskrnl.exe");
	cr_expect_eq(m.base, 0xfffff80042a00000);
	cr_expect_eq(m.size, 14950400);
	nts_module_list_free(list);
	close_sample(&o);
}

Test(api, spaces)
{
	struct opened o = open_sample();
	struct nts_space *kernel, *process, *root, *none;
	struct nts_error *err;
	uint64_t pa = 0;
	char mz[2];
	int has_pa;

	cr_assert_null(nts_space_kernel(o.kernel, &kernel));
	cr_assert_null(nts_read(kernel, 0xfffff80042a00000, mz, sizeof(mz)));
	cr_expect_eq(memcmp(mz, "MZ", 2), 0);
	cr_assert_null(nts_space_process(o.kernel, 348, &process));
	cr_expect_str_eq(nts_translate(process, 0x614000, &pa, &has_pa), "mapped");
	cr_expect(has_pa && pa == 0x119000);
	cr_expect_str_eq(nts_translate(kernel, 0x614000, &pa, &has_pa), "not_present");
	cr_expect_not(has_pa);
	cr_assert_null(nts_space_root(o.snapshot, 0x1ad000, 4, &root));
	cr_assert_null(nts_read(root, 0xfffff80042a00000, mz, sizeof(mz)));
	err = nts_read(root, 0x1000, mz, sizeof(mz));
	cr_assert_not_null(err);
	cr_expect_eq(nts_error_code(err), NTS_ERROR_FAULT);
	nts_error_free(err);
	err = nts_space_root(o.snapshot, 0x1ad000, 3, &none);
	cr_expect_eq(nts_error_code(err), NTS_ERROR_USAGE);
	nts_error_free(err);
	err = nts_space_process(o.kernel, 77, &none);
	cr_expect_eq(nts_error_code(err), NTS_ERROR_NOT_FOUND);
	nts_error_free(err);
	nts_space_free(root);
	nts_space_free(process);
	nts_space_free(kernel);
	close_sample(&o);
}

Test(api, a_wrong_dtb_is_refused_with_the_reason)
{
	const uint64_t dtb = 0x1000;
	const struct nts_kernel_options options = { .dtb = &dtb };
	struct nts_snapshot *snapshot;
	struct nts_kernel *kernel;
	struct nts_error *err;

	cr_assert_null(nts_open(SAMPLE, NULL, &snapshot));
	err = nts_kernel_open(snapshot, &options, &kernel);
	cr_assert_not_null(err);
	cr_expect_eq(nts_error_code(err), NTS_ERROR_NOT_FOUND);
	cr_expect_not_null(strstr(nts_error_message(err), "0x1000"), "%s", nts_error_message(err));
	nts_error_free(err);
	nts_close(snapshot);
}
