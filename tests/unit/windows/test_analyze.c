/* SPDX-License-Identifier: MIT */
#include "windows/crash/analyze.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "tests/memfile.h"

/*
 * Bug checks put into the header of the small synthetic Windows, records and lists into its memory.
 * testdata/small-windows.spec says what is where.
 */
#define NT	UINT64_C(0xfffff80042a00000)
#define FLTMGR	UINT64_C(0xfffff80046000000)
#define GONE	UINT64_C(0xfffff80047000000) /* dump_storport.sys, unloaded */
#define POOL	UINT64_C(0xffff8b01a5a00000)
#define RECORDS (POOL + 0x8800) /* free bytes of a captured page */
enum {
	HEADER_CODE = 0x38,
	HEADER_PARAMETERS = 0x40,
	HEADER_EXCEPTION = 0xf00,
	MAX_CHANGES = 24,
};

struct change {
	uint64_t va, value;
};

struct crash {
	uint32_t code;
	uint64_t parameters[MAX_BUGCHECK_PARAMETERS];
	struct change changes[MAX_CHANGES]; /* in memory; va 0 ends them */
	uint32_t header_exception;	    /* 0: as it is */
};

struct machine {
	uint8_t *bytes;
	size_t size;
	int fd;
	struct diag diag;
	struct snapshot *snapshot;
	struct kernel *kernel;
	struct analysis analysis;
};

static void open_machine(struct machine *m)
{
	const struct kernel_options options = { .locate = { .quiet = true, .threads = 1 } };
	char path[MEMFILE_PATH_SIZE];

	m->fd = memfile_create(m->bytes, m->size, path);
	cr_assert_null(snapshot_open(path, NULL, &m->diag, &m->snapshot));
	cr_assert_null(kernel_open(m->snapshot, &options, &m->diag, &m->kernel));
}

static void close_machine(struct machine *m)
{
	kernel_close(m->kernel);
	snapshot_close(m->snapshot);
	close(m->fd);
}

static void load(struct machine *m)
{
	struct file file;

	memset(m, 0, sizeof(*m));
	diag_init(&m->diag, NULL, NULL);
	cr_assert_null(file_open(&file, TESTDATA_DIR "/small-windows.dmp"));
	m->size = file.size;
	m->bytes = malloc(m->size);
	cr_assert_not_null(m->bytes);
	memcpy(m->bytes, file.bytes, m->size);
	file_close(&file);
}

static void change_memory(struct machine *m, const struct change *changes)
{
	uint64_t pa, offset;

	open_machine(m);
	for (size_t i = 0; i < MAX_CHANGES && changes[i].va; i++) {
		cr_assert_eq(space_translate(m->kernel->space, changes[i].va, &pa), VA_MAPPED);
		cr_assert(physmem_file_offset(m->snapshot->mem, pa, &offset));
		store_u64(m->bytes + offset, changes[i].value);
	}
	close_machine(m);
}

static const struct analysis *crash(struct machine *m, const struct crash *c)
{
	load(m);
	change_memory(m, c->changes);
	store_u32(m->bytes + HEADER_CODE, c->code);
	memcpy(m->bytes + HEADER_PARAMETERS, c->parameters, sizeof(c->parameters));
	if (c->header_exception)
		store_u32(m->bytes + HEADER_EXCEPTION, c->header_exception);
	open_machine(m);
	cr_assert_null(analysis_read(m->kernel, &m->analysis));
	return &m->analysis;
}

static void end(struct machine *m)
{
	analysis_deinit(&m->analysis);
	close_machine(m);
	free(m->bytes);
}

static struct machine m;

static void expect_detail(const struct analysis *a, unsigned parameter, const char *detail)
{
	const char *got = a->parameters[parameter - 1].detail;

	if (!detail)
		cr_expect_null(got, "%s", got);
	else
		cr_expect(got && strcmp(got, detail) == 0, "parameter %u: %s, expected %s",
			  parameter, got ? got : "(none)", detail);
}

Test(analyze, a_reference_at_raised_irql)
{
	const struct analysis *a = crash(
		&m, &(struct crash){ .code = 0xd1, .parameters = { 0x18, 2, 1, FLTMGR + 0x1234 } });

	cr_expect_str_eq(a->name, "DRIVER_IRQL_NOT_LESS_OR_EQUAL");
	cr_expect_not_null(a->cause);
	expect_detail(a, 1, "NULL + 0x18");
	expect_detail(a, 2, "DISPATCH_LEVEL");
	expect_detail(a, 3, "write");
	expect_detail(a, 4, "FLTMGR.SYS+0x1234");
	cr_expect(a->has_irql && a->irql == 2);
	cr_expect(a->has_address && a->address == FLTMGR + 0x1234);
	cr_expect_str_eq(a->address_source, "parameter 4");
	cr_expect(a->has_place && a->place.base == FLTMGR && a->place.offset == 0x1234);
	cr_expect_null(a->version);
	cr_expect_not(a->has_exception);
	cr_expect_str_eq(a->bucket, "DRIVER_IRQL_NOT_LESS_OR_EQUAL_FLTMGR.SYS+0x1234");
	end(&m);
}

Test(analyze, code_of_an_unloaded_driver)
{
	const struct analysis *a =
		crash(&m, &(struct crash){ .code = 0xce,
					   .parameters = { GONE + 0x10, 8, GONE + 0x10, 0 } });

	expect_detail(a, 1, "unloaded dump_storport.sys+0x10");
	expect_detail(a, 2, "execute");
	cr_assert(a->has_place);
	cr_expect(a->place.unloaded && !a->place.module && a->stamp == STAMP_ABSENT);
	cr_expect_str_eq(a->bucket, "DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS_"
				    "dump_storport.sys+0x10");
	end(&m);
}

Test(analyze, the_record_that_a_parameter_points_to)
{
	const struct analysis *a =
		crash(&m, &(struct crash){ .code = 0x1000007e,
					   .parameters = { UINT64_C(0xffffffffc0000005),
							   NT + 0x1000, RECORDS, 0 },
					   .changes = { { RECORDS, 0xc0000005 },
							{ RECORDS + 8, 0 },
							{ RECORDS + 0x10, NT + 0x1000 },
							{ RECORDS + 0x18, 2 },
							{ RECORDS + 0x20, 1 },
							{ RECORDS + 0x28, 0x30 } } });

	cr_expect_str_eq(a->name, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M");
	cr_assert(a->has_exception && a->has_record);
	cr_expect_str_eq(a->exception_source, "parameter 3");
	cr_expect_str_eq(a->exception_name, "STATUS_ACCESS_VIOLATION");
	cr_expect_str_eq(a->exception_text, "STATUS_ACCESS_VIOLATION: write, address 0x30");
	cr_expect(a->has_address && a->address == NT + 0x1000);
	cr_expect_str_eq(a->version, "10.0.19041.1526");
	cr_expect_str_eq(a->bucket,
			 "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_0xc0000005_ntoskrnl.exe+0x1000");
	end(&m);
}

/* Absent, of another code, or with more parameters than fit: the record is not believed. */
Test(analyze, a_record_that_is_none)
{
	const struct crash crashes[] = {
		{ .code = 0x7e, .parameters = { 0xc0000005, NT + 0x1000, 0xffffcccc00000000, 0 } },
		{ .code = 0x7e,
		  .parameters = { 0xc0000005, NT + 0x1000, RECORDS, 0 },
		  .changes = { { RECORDS, 0xc000001d }, { RECORDS + 0x18, 0 } } },
		{ .code = 0x7e,
		  .parameters = { 0xc0000005, NT + 0x1000, RECORDS, 0 },
		  .changes = { { RECORDS, 0xc0000005 }, { RECORDS + 0x18, 16 } } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++) {
		const struct analysis *a = crash(&m, &crashes[i]);

		cr_expect(a->has_exception && !a->has_record, "%zu", i);
		cr_expect_str_eq(a->exception_source, "parameters");
		cr_expect(a->exception.code == 0xc0000005 && a->exception.address == NT + 0x1000);
		cr_expect_str_eq(a->exception_text, "STATUS_ACCESS_VIOLATION");
		end(&m);
	}
}

Test(analyze, access_among_the_parameters)
{
	const struct analysis *a =
		crash(&m, &(struct crash){ .code = 0x1e,
					   .parameters = { UINT64_C(0xffffffffc0000005), FLTMGR, 8,
							   UINT64_C(0x123456789abc) } });

	cr_expect_str_eq(a->exception_text,
			 "STATUS_ACCESS_VIOLATION: execute, address 0x123456789abc");
	expect_detail(a, 4, "a user-mode address");
	end(&m);
}

Test(analyze, the_context_that_a_parameter_points_to)
{
	const struct analysis *a =
		crash(&m, &(struct crash){ .code = 0x10f,
					   .parameters = { 0, RECORDS, 0, 0 },
					   .changes = { { RECORDS + 0xf8, FLTMGR + 8 } } });

	cr_expect(a->has_address && a->address == FLTMGR + 8);
	cr_expect_str_eq(a->address_source, "parameter 2");
	end(&m);
}

Test(analyze, a_critical_process)
{
	const struct analysis *a = crash(
		&m, &(struct crash){ .code = 0xef, .parameters = { POOL + 0x1080, 0, 0, 0 } });

	expect_detail(a, 1, "smss.exe, process id 348");
	expect_detail(a, 2, "process");
	cr_expect_not(a->has_address || a->has_place);
	cr_expect_str_eq(a->bucket, "CRITICAL_PROCESS_DIED");
	end(&m);
	a = crash(&m, &(struct crash){ .code = 0xef,
				       .parameters = { UINT64_C(0xffffcccc00000000), 1, 0, 0 } });
	expect_detail(a, 1, NULL);
	end(&m);
}

Test(analyze, what_is_not_documented)
{
	const struct analysis *a =
		crash(&m, &(struct crash){ .code = 0x1a, .parameters = { 0x402, NT, 1, 2 } });

	expect_detail(a, 1, NULL);
	cr_expect_null(a->parameters[1].meaning);
	cr_expect_str_eq(a->bucket, "MEMORY_MANAGEMENT_0x402");
	end(&m);
	a = crash(&m, &(struct crash){ .code = 0xabcd1234, .parameters = { 1, 2, 3, 4 } });
	cr_expect(!a->name && !a->cause && !a->parameters[0].meaning);
	cr_expect_eq(a->parameters[3].value, 4);
	cr_expect_str_eq(a->bucket, "BUGCHECK_0xabcd1234");
	end(&m);
}

Test(analyze, values_without_words)
{
	const struct analysis *a = crash(
		&m, &(struct crash){ .code = 0x0a,
				     .parameters = { 0x1234567800000000, 77, 4, UINT64_MAX - 3 } });

	expect_detail(a, 1, "not a canonical address");
	expect_detail(a, 2, NULL);
	expect_detail(a, 3, NULL);
	expect_detail(a, 4, "NULL - 0x4");
	cr_expect_not(a->has_irql);
	cr_expect_not(a->has_place);
	end(&m);
}

Test(analyze, pool_tags)
{
	const struct analysis *a =
		crash(&m, &(struct crash){ .code = 0xc2,
					   .parameters = { 0x0a, POOL, 0x656c6946, 0x01020304 } });

	expect_detail(a, 1, "pool was freed with the wrong tag");
	expect_detail(a, 3, "'File'");
	expect_detail(a, 4, NULL);
	end(&m);
}

Test(analyze, the_exception_in_the_header)
{
	const struct analysis *a = crash(&m, &(struct crash){ .code = 0xe2 });

	cr_expect_not(a->has_exception);
	end(&m);
	a = crash(&m, &(struct crash){ .code = 0xe2, .header_exception = 0xc0000094 });
	cr_expect(a->has_exception && a->has_record);
	cr_expect_str_eq(a->exception_source, "header");
	cr_expect_str_eq(a->exception_text, "STATUS_INTEGER_DIVIDE_BY_ZERO");
	end(&m);
}

/* Every documented code with parameters that are small, large, addresses of records: no crash. */
Test(analyze, every_code)
{
	static const uint64_t values[] = { 0, 1, 3, UINT64_MAX, RECORDS, NT, GONE };

	load(&m);
	open_machine(&m);
	struct bugcheck *b = &m.snapshot->info.bugcheck;
	for (uint32_t code = 0; code < 0x200; code++) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			b->code = code;
			for (size_t p = 0; p < MAX_BUGCHECK_PARAMETERS; p++)
				b->parameters[p] = values[(i + p) % ARRAY_SIZE(values)];
			cr_assert_null(analysis_read(m.kernel, &m.analysis));
			cr_expect_not_null(m.analysis.bucket);
			analysis_deinit(&m.analysis);
		}
	}
	end(&m);
}

Test(unloaded, last_first)
{
	struct unloaded_list list;

	load(&m);
	open_machine(&m);
	cr_assert_null(unloaded_drivers_read(m.kernel, &list));
	cr_assert_eq(list.count, 2);
	cr_expect_str_eq(list.items[0].name, "hwpolicy.sys");
	cr_expect_str_eq(list.items[1].name, "dump_storport.sys");
	cr_expect(list.items[1].start == GONE && list.items[1].end == GONE + 0x10000);
	cr_expect(list.items[0].has_time && list.items[0].time > list.items[1].time);
	cr_expect_eq(m.diag.partial, 0);
	unloaded_drivers_deinit(&list);
	end(&m);
}

Test(stamp, without_headers)
{
	const uint64_t now = stamp_time(1700000000);

	cr_expect_eq(stamp_time(0), UINT64_C(116444736000000000));
	load(&m);
	open_machine(&m);
	struct space *s = m.kernel->space;
	cr_expect_eq(stamp_kind_of(s, NULL, 0, now), STAMP_ABSENT);
	cr_expect_eq(stamp_kind_of(s, NULL, 1600000000, now), STAMP_UNSURE);
	cr_expect_eq(stamp_kind_of(s, NULL, 1800000000, now), STAMP_HASH);
	cr_expect_eq(stamp_kind_of(s, NULL, 1800000000, 0), STAMP_UNSURE);
	cr_expect_eq(stamp_kind_of(s, NULL, 0x20000000, now), STAMP_HASH);
	end(&m);
}

/* The kernel's headers are there; its only debug entry is the CodeView record, unless changed. */
Test(stamp, with_headers)
{
	struct pe_image pe;
	uint64_t entry;

	load(&m);
	open_machine(&m);
	cr_assert_null(pe_read(m.kernel->space, NT, &pe));
	cr_expect_eq(stamp_kind_of(m.kernel->space, &pe, 0xfffffff0, 0), STAMP_DATE);
	entry = NT + pe.directories[PE_DIR_DEBUG].rva;
	close_machine(&m);
	change_memory(&m, (struct change[MAX_CHANGES]){ { entry + 8, UINT64_C(16) << 32 } });
	open_machine(&m);
	cr_expect_eq(stamp_kind_of(m.kernel->space, &pe, 1600000000, 0), STAMP_HASH);
	end(&m);
}

Test(stamp, names)
{
	cr_expect_null(stamp_kind_name(STAMP_ABSENT));
	cr_expect_str_eq(stamp_kind_name(STAMP_HASH), "hash");
}
