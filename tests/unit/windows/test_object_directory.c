/* SPDX-License-Identifier: MIT */
#include "windows/objects/object_directory.h"

#include <criterion/criterion.h>
#include <string.h>

#include "fake_objects.h"

enum { A = 0x3100, B = 0x3300, C = 0x3500, D = 0x3700, ENTRY = 0x3c00, OTHER_PAGE = 0x5100 };

struct fixture {
	struct fake_objects *f;
	struct object_manager *om;
	char seen[512]; /* paths, a space after each */
};

static struct fake_objects *begin(void)
{
	struct fake_objects *f = malloc(sizeof(*f));

	cr_assert(f);
	fake_objects_init(f);
	return f;
}

/* Entry number i, of 16 bytes. */
static uint32_t entry(unsigned i)
{
	return ENTRY + i * 16;
}

static struct error *note(void *arg, const struct namespace_object *o)
{
	struct fixture *x = arg;

	cr_assert_lt(strlen(x->seen) + strlen(o->path ? o->path : "?") + 2, sizeof(x->seen));
	strcat(x->seen, o->path ? o->path : "?");
	strcat(x->seen, " ");
	return NULL;
}

static void walk(struct fixture *x, struct fake_objects *f, int absent_page)
{
	memset(x, 0, sizeof(*x));
	x->f = f;
	fake_objects_open(f, absent_page);
	cr_assert_null(object_manager_open(&f->kernel, &x->om));
	cr_assert_null(namespace_walk(x->om, fake_at(FAKE_ROOT), "\\", note, x));
}

static void end(struct fixture *x)
{
	object_manager_close(x->om);
	fake_objects_close(x->f);
	free(x->f);
}

/* \A (directory: \A\C), \B (event), in buckets 0 and 36. */
static void put_tree(struct fake_objects *f)
{
	fake_put_object(f, A, FAKE_TYPE_DIRECTORY, "A", FAKE_ROOT);
	fake_put_object(f, B, FAKE_TYPE_EVENT, "B", FAKE_ROOT);
	fake_put_object(f, C, FAKE_TYPE_EVENT, "C", A);
	fake_put_bucket(f, FAKE_ROOT, 0, entry(0));
	fake_put_entry(f, entry(0), 0, A);
	fake_put_bucket(f, FAKE_ROOT, 36, entry(1));
	fake_put_entry(f, entry(1), 0, B);
	fake_put_bucket(f, A, 7, entry(2));
	fake_put_entry(f, entry(2), 0, C);
}

Test(object_directory, tree)
{
	struct fake_objects *f = begin();
	struct fixture x;

	put_tree(f);
	walk(&x, f, -1);
	cr_expect_str_eq(x.seen, "\\ \\A \\A\\C \\B ");
	cr_expect_eq(f->diag.partial, 0);
	end(&x);
}

Test(object_directory, lookup)
{
	struct fake_objects *f = begin();
	struct fixture x;
	struct error *err;
	uint64_t va;

	put_tree(f);
	walk(&x, f, -1);
	cr_assert_null(object_lookup(x.om, "\\", &va));
	cr_expect_eq(va, fake_at(FAKE_ROOT));
	cr_assert_null(object_lookup(x.om, "\\a\\c", &va));
	cr_expect_eq(va, fake_at(C));
	cr_assert_null(object_lookup(x.om, "\\B\\", &va));
	cr_expect_eq(va, fake_at(B));
	err = object_lookup(x.om, "\\A\\D", &va);
	cr_expect_eq(error_code(err), ERROR_NOT_FOUND);
	error_destroy(err);
	err = object_lookup(x.om, "A", &va);
	cr_expect_eq(error_code(err), ERROR_USAGE);
	error_destroy(err);
	end(&x);
}

Test(object_directory, chain_that_loops)
{
	struct fake_objects *f = begin();
	struct fixture x;

	put_tree(f);
	fake_put_entry(f, entry(0), entry(3), A);
	fake_put_object(f, D, FAKE_TYPE_EVENT, "D", FAKE_ROOT);
	fake_put_entry(f, entry(3), entry(0), D);
	walk(&x, f, -1);
	cr_expect_str_eq(x.seen, "\\ \\A \\A\\C \\D \\B ");
	cr_expect_eq(f->diag.partial, 1);
	end(&x);
}

Test(object_directory, entry_that_links_to_itself)
{
	struct fake_objects *f = begin();
	struct fixture x;

	put_tree(f);
	fake_put_entry(f, entry(0), entry(0), A);
	walk(&x, f, -1);
	cr_expect_str_eq(x.seen, "\\ \\A \\A\\C \\B ");
	cr_expect_eq(f->diag.partial, 1);
	end(&x);
}

Test(object_directory, two_buckets_with_one_entry)
{
	struct fake_objects *f = begin();
	struct fixture x;

	put_tree(f);
	fake_put_bucket(f, FAKE_ROOT, 1, entry(0));
	walk(&x, f, -1);
	cr_expect_str_eq(x.seen, "\\ \\A \\A\\C \\B ");
	cr_expect_eq(f->diag.partial, 1);
	end(&x);
}

Test(object_directory, dangling_links)
{
	struct fake_objects *f = begin();
	struct fixture x;

	put_tree(f);
	fake_put_bucket(f, FAKE_ROOT, 1, OTHER_PAGE); /* absent */
	fake_put(f, FAKE_ROOT + 2 * 8, 0x4141414141414141);
	fake_put_bucket(f, FAKE_ROOT, 3, entry(4));
	fake_put_entry(f, entry(4), OTHER_PAGE, D); /* what is here is kept */
	fake_put_object(f, D, FAKE_TYPE_EVENT, "D", FAKE_ROOT);
	walk(&x, f, 5);
	cr_expect_str_eq(x.seen, "\\ \\A \\A\\C \\D \\B ");
	cr_expect_eq(f->diag.partial, 3);
	end(&x);
}

Test(object_directory, objects_that_are_none)
{
	struct fake_objects *f = begin();
	struct fixture x;

	put_tree(f);
	fake_put_bucket(f, FAKE_ROOT, 1, entry(3));
	fake_put_entry(f, entry(3), entry(4), D);   /* zeroes: no type */
	fake_put_entry(f, entry(4), 0, OTHER_PAGE); /* absent: there, but its name is not */
	walk(&x, f, 5);
	cr_expect_str_eq(x.seen, "\\ \\A \\A\\C ? \\B ");
	cr_expect_eq(f->diag.partial, 2);
	end(&x);
}

Test(object_directory, directory_within_itself)
{
	struct fake_objects *f = begin();
	struct fixture x;

	put_tree(f);
	fake_put_entry(f, entry(2), entry(3), C);
	fake_put_entry(f, entry(3), entry(4), A);
	fake_put_entry(f, entry(4), 0, FAKE_ROOT);
	walk(&x, f, -1);
	cr_expect_str_eq(x.seen, "\\ \\A \\A\\C \\A\\A \\A\\\\ \\B ");
	cr_expect_eq(f->diag.partial, 2);
	end(&x);
}

Test(object_directory, torn_directory)
{
	struct fake_objects *f = begin();
	struct fixture x;
	uint32_t torn = 0x5000 - 8 * 20; /* its last 17 buckets are on an absent page */

	put_tree(f);
	fake_put_object(f, torn, FAKE_TYPE_DIRECTORY, "T", FAKE_ROOT);
	fake_put_object(f, D, FAKE_TYPE_EVENT, "D", torn);
	fake_put_bucket(f, FAKE_ROOT, 1, entry(3));
	fake_put_entry(f, entry(3), 0, torn);
	fake_put_bucket(f, torn, 19, entry(4));
	fake_put_entry(f, entry(4), 0, D);
	walk(&x, f, 5);
	cr_expect_str_eq(x.seen, "\\ \\A \\A\\C \\T \\T\\D \\B ");
	cr_expect_eq(f->diag.partial, 1);
	end(&x);
}

/* What is wrong with the root is told once, however many lookups go through it. */
Test(object_directory, lookups_tell_of_a_damaged_root_once)
{
	struct fake_objects *f = begin();
	struct fixture x = { .f = f };
	uint64_t va;

	put_tree(f);
	fake_put_entry(f, entry(1), entry(1), B); /* a chain that runs in a loop */
	fake_objects_open(f, -1);
	cr_assert_null(object_manager_open(&f->kernel, &x.om));
	cr_expect_null(object_lookup(x.om, "\\A", &va));
	cr_expect_null(object_lookup(x.om, "\\B", &va));
	cr_expect_null(object_lookup(x.om, "\\A\\C", &va));
	cr_expect_eq(f->diag.partial, 1);
	end(&x);
}

Test(object_directory, unknown_layout)
{
	struct fake_objects *f = begin();
	struct object_directory d;
	struct error *err;

	f->without_layout = true;
	fake_objects_open(f, -1);
	err = object_directory_read(&f->kernel, fake_at(FAKE_ROOT), "\\", &d);
	cr_expect_eq(error_code(err), ERROR_UNSUPPORTED);
	error_destroy(err);
	fake_objects_close(f);
	free(f);
}

Test(object_directory, absent_root)
{
	struct fake_objects *f = begin();
	struct error *err;
	uint64_t va;

	fake_objects_open(f, 0);
	err = object_root_directory(&f->kernel, &va);
	cr_expect_eq(error_code(err), ERROR_FAULT);
	error_destroy(err);
	fake_objects_close(f);
	free(f);
}
