/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/workers.h"

struct record {
	size_t calls;
	enum diag_kind kind;
	char message[128];
};

static void remember(void *arg, enum diag_kind kind, const char *message)
{
	struct record *r = arg;

	r->calls++;
	r->kind = kind;
	strncpy(r->message, message, sizeof(r->message) - 1);
}

Test(diag, reports_and_counts)
{
	struct record r = { 0 };
	struct diag d;

	diag_init(&d, remember, &r);
	diag_note(&d, "run %d", 3);
	cr_assert_eq(r.kind, DIAG_NOTE);
	cr_assert_str_eq(r.message, "run 3");
	diag_partial(&d, "list ends at 0x%x", 0x10);
	cr_assert_eq(r.kind, DIAG_PARTIAL);
	cr_assert_str_eq(r.message, "list ends at 0x10");
	diag_error(&d, error_new(ERROR_CORRUPT, "no magic"), "module %d", 7);
	cr_assert_str_eq(r.message, "module 7: no magic");
	diag_error(&d, &error_no_memory, "module %d", 8);
	cr_assert_str_eq(r.message, "out of memory");
	cr_assert_eq(d.notes, 1);
	cr_assert_eq(d.partial, 3);
	cr_assert_eq(r.calls, 4);
}

Test(diag, what_was_said_is_not_said_again)
{
	struct record r = { 0 };
	struct diag d;

	diag_init(&d, remember, &r);
	for (int i = 0; i < 3; i++) {
		diag_partial(&d, "process list: torn");
		diag_note(&d, "process list: torn");
	}
	diag_partial(&d, "process list: torn twice");
	cr_assert_eq(d.partial, 2);
	cr_assert_eq(d.notes, 1);
	cr_assert_eq(r.calls, 3);
}

Test(diag, counts_without_a_function)
{
	struct diag d;

	diag_init(&d, NULL, NULL);
	diag_note(&d, "a");
	diag_partial(&d, "b");
	diag_error(&d, error_new(ERROR_FAULT, "c"), "d");
	cr_assert_eq(d.notes, 1);
	cr_assert_eq(d.partial, 2);
}

static struct error *report(void *arg, size_t index)
{
	diag_partial(arg, "item %zu", index);
	return NULL;
}

Test(diag, calls_are_serialized)
{
	struct record r = { 0 };
	struct diag d;

	diag_init(&d, remember, &r);
	cr_assert_null(workers_run(8, 5000, report, &d));
	cr_assert_eq(d.partial, 5000);
	cr_assert_eq(r.calls, 5000);
}
