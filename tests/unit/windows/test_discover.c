/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "arch/amd64/disasm.h"
#include "base/cursor.h"
#include "fake_nt.h"
#include "windows/discover.h"

static struct error *discover(struct fake_nt *f, struct diag *diag, struct profile_source **ret)
{
	diag_init(diag, NULL, NULL);
	return discover_open(f->space, &f->kernel, f->mem, 4, NULL, 0, diag, ret);
}

static bool offset_of(const struct profile_source *s, const char *type, const char *path,
		      uint32_t *ret)
{
	struct field field;

	if (!s->ops->field(s, type, path, &field))
		return false;
	*ret = field.offset;
	return true;
}

static bool row_of(const struct profile_source *s, const char *type, const char *path,
		   struct discover_row *ret)
{
	for (size_t i = 0; discover_evidence(s, i, ret); i++)
		if (!strcmp(ret->type, type) && !strcmp(ret->path, path))
			return true;
	return false;
}

static bool has_capstone(void)
{
	struct disasm *d;
	struct error *err = disasm_create(&d);

	if (err) {
		error_destroy(err);
		return false;
	}
	disasm_destroy(d);
	return true;
}

static const struct {
	const char *type, *path;
	uint32_t offset;
} truths[] = {
	{ "_EPROCESS", "UniqueProcessId", FAKE_PID },
	{ "_EPROCESS", "ActiveProcessLinks", FAKE_LINKS },
	{ "_EPROCESS", "ImageFileName", FAKE_NAME },
	{ "_EPROCESS", "Pcb.DirectoryTableBase", FAKE_DTB },
	{ "_KPROCESS", "DirectoryTableBase", FAKE_DTB },
	{ "_EPROCESS", "Pcb.ThreadListHead", FAKE_KERNEL_THREADS },
	{ "_EPROCESS", "ThreadListHead", FAKE_THREADS },
	{ "_KTHREAD", "ThreadListEntry", FAKE_KERNEL_THREAD_LINKS },
	{ "_ETHREAD", "ThreadListEntry", FAKE_THREAD_LINKS },
	{ "_KTHREAD", "Process", FAKE_THREAD_PROCESS },
};
enum { NEED_CODE = 5 /* the truths from here on need to know what code says */ };

/* Nothing that is answered is wrong. */
static size_t check_answers(const struct profile_source *s)
{
	size_t answered = 0;
	uint32_t offset;

	for (size_t i = 0; i < ARRAY_SIZE(truths); i++)
		if (offset_of(s, truths[i].type, truths[i].path, &offset)) {
			cr_assert_eq(offset, truths[i].offset, "%s.%s", truths[i].type,
				     truths[i].path);
			answered++;
		}
	return answered;
}

Test(discover, code_and_data)
{
	static struct fake_nt f;
	struct profile_source *s;
	struct discover_row row;
	struct diag diag;
	uint64_t rva;

	if (!has_capstone())
		cr_skip_test("built without capstone");
	fake_nt_build(f.bytes);
	fake_nt_open(&f, FAKE_NT_PAGES);
	cr_assert_null(discover(&f, &diag, &s));
	cr_assert_str_eq(s->ops->kind, "discovery");
	cr_assert_eq(check_answers(s), ARRAY_SIZE(truths));
	cr_assert_eq(diag.notes, 0);
	cr_assert(s->ops->symbol(s, "PsActiveProcessHead", &rva));
	cr_assert_eq(rva, FAKE_NT_PROCESS_HEAD);
	cr_assert(s->ops->symbol(s, "PsInitialSystemProcess", &rva));
	cr_assert_eq(rva, FAKE_NT_VARIABLES);
	cr_assert(row_of(s, "_EPROCESS", "ImageFileName", &row));
	cr_assert_eq(row.confidence, DISCOVER_CERTAIN);
	cr_assert(strstr(row.evidence, "PsGetProcessImageFileName at 0xfffff80000001020: lea"));
	s->ops->destroy(s);
	fake_nt_close(&f);
}

/* Code that is absent costs what only code can tell. */
Test(discover, data_alone)
{
	static struct fake_nt f;
	struct profile_source *s;
	struct discover_row row;
	struct diag diag;

	fake_nt_build(f.bytes);
	fake_nt_open(&f, (FAKE_NT_IMAGE + FAKE_NT_CODE) / PAGE_SIZE);
	cr_assert_null(discover(&f, &diag, &s));
	cr_assert_eq(check_answers(s), NEED_CODE);
	cr_assert(row_of(s, "_KTHREAD", "Process", &row));
	cr_assert_eq(row.kind, DISCOVER_MISSING);
	if (has_capstone())
		cr_assert(strstr(row.evidence, "not captured"), "%s", row.evidence);
	s->ops->destroy(s);
	fake_nt_close(&f);
}

Test(discover, contradictions_are_told_and_not_answered)
{
	static struct fake_nt f;
	struct profile_source *s;
	struct discover_row row;
	struct diag diag;

	if (!has_capstone())
		cr_skip_test("built without capstone");
	fake_nt_build(f.bytes);
	store_u32(fake_nt_at(&f, FAKE_NT_BASE + FAKE_NT_CODE + 0x20 + 3), 0x5c8);
	fake_nt_open(&f, FAKE_NT_PAGES);
	cr_assert_null(discover(&f, &diag, &s));
	cr_assert(row_of(s, "_EPROCESS", "ImageFileName", &row));
	cr_assert_eq(row.kind, DISCOVER_MISSING);
	cr_assert(strstr(row.evidence, "contradiction"));
	cr_assert_eq(diag.notes, 1);
	s->ops->destroy(s);
	fake_nt_close(&f);
}

Test(discover, nothing_to_start_from)
{
	static struct fake_nt f;
	struct profile_source *s;
	struct error *err;
	struct diag diag;

	fake_nt_build(f.bytes);
	store_u64(fake_nt_at(&f, FAKE_NT_BASE + FAKE_NT_VARIABLES), 0x1000);
	fake_nt_open(&f, FAKE_NT_PAGES);
	err = discover(&f, &diag, &s);
	cr_assert(err);
	cr_assert_eq(error_code(err), ERROR_NOT_FOUND);
	cr_assert(strstr(error_message(err), "0x1000"));
	error_destroy(err);
	fake_nt_close(&f);
}

/* Each page absent, each ring made a loop, each eight bytes at maximum: an answer is never wrong,
 * and nothing hangs. */
Test(discover, damage)
{
	static struct fake_nt f;
	struct profile_source *s;
	struct error *err;
	struct diag diag;

	for (unsigned page = 0; page < FAKE_NT_PAGES; page++) {
		fake_nt_build(f.bytes);
		fake_nt_open(&f, page);
		err = discover(&f, &diag, &s);
		if (!err) {
			check_answers(s);
			s->ops->destroy(s);
		}
		error_destroy(err);
		fake_nt_close(&f);
	}
	for (unsigned i = 0; i < FAKE_NT_PROCESSES; i++) {
		uint64_t links = fake_nt_process(i) + FAKE_LINKS;

		fake_nt_build(f.bytes);
		store_u64(fake_nt_at(&f, links), links);
		store_u64(fake_nt_at(&f, links) + 8, links);
		fake_nt_open(&f, FAKE_NT_PAGES);
		err = discover(&f, &diag, &s);
		if (!err) {
			check_answers(s);
			s->ops->destroy(s);
		}
		error_destroy(err);
		fake_nt_close(&f);
	}
}

Test(discover, every_word_at_maximum, .timeout = 240)
{
	static struct fake_nt f;
	struct profile_source *s;
	struct error *err;
	struct diag diag;

	fake_nt_build(f.bytes);
	for (size_t at = FAKE_NT_IMAGE; at < FAKE_NT_BYTES; at += 8) {
		uint64_t old = load_u64(f.bytes + at);

		if (!old)
			continue;
		store_u64(f.bytes + at, UINT64_MAX);
		fake_nt_open(&f, FAKE_NT_PAGES);
		err = discover(&f, &diag, &s);
		if (!err)
			s->ops->destroy(s);
		error_destroy(err);
		fake_nt_close(&f);
		store_u64(f.bytes + at, old);
	}
}

static struct error *check_build(struct fake_nt *f, uint32_t build)
{
	struct profile_options options = { 0 };
	struct profile_key key = { .build = build };
	struct profile *profile;
	struct error *err;
	struct diag diag;

	diag_init(&diag, NULL, NULL);
	cr_assert_null(profile_open(&key, &options, &diag, &profile));
	err = discover_check_profile(f->space, &f->kernel, f->mem, 4, fake_nt_process(0), profile);
	profile_close(profile);
	return err;
}

static void expect_rejected(struct fake_nt *f, uint32_t build, const char *why)
{
	struct error *err = check_build(f, build);

	cr_assert(err, "%u", build);
	cr_assert_eq(error_code(err), ERROR_CORRUPT);
	cr_assert(strstr(error_message(err), why), "%s", error_message(err));
	error_destroy(err);
}

Test(discover, profiles_that_hold_and_that_do_not)
{
	static struct fake_nt f;

	fake_nt_build(f.bytes);
	fake_nt_open(&f, FAKE_NT_PAGES);
	cr_assert_null(check_build(&f, 19041));
	expect_rejected(&f, 7601, "not 4");
	store_u64(fake_nt_at(&f, fake_nt_process(0) + FAKE_DTB), 2 * PAGE_SIZE);
	expect_rejected(&f, 19041, "no page table");
	store_u64(fake_nt_at(&f, fake_nt_process(1) + FAKE_LINKS + 8), 0);
	expect_rejected(&f, 19041, "points back");
	memcpy(fake_nt_at(&f, fake_nt_process(0) + FAKE_NAME), "Idle", 5);
	expect_rejected(&f, 19041, "System");
	fake_nt_close(&f);
}

/* What is absent is not held against a profile. */
Test(discover, profile_check_without_the_process)
{
	static struct fake_nt f;

	fake_nt_build(f.bytes);
	fake_nt_open(&f, 8);
	cr_assert_null(check_build(&f, 19041));
	cr_assert_null(check_build(&f, 7601));
	fake_nt_close(&f);
}
