/* SPDX-License-Identifier: MIT */
#include "windows/regions/vad_tree.h"

#include <stdio.h>

#include "fake_space.h"
#include "memory_layouts.h"

/*
 * Trees of both shapes in a few hundred bytes:
 *
 *	        4
 *	      /   \
 *	     2     6
 *	    / \   / \
 *	   1   3 5   7
 *
 * Node n stands for the pages [0x10n, 0x10n + 7].
 */
enum { NUM_NODES = 7 };
#define PROCESS	  FAKE_BASE
#define NODE(n)	  ((n) ? FAKE_BASE + 0x400 + 0x100 * (uint64_t)(n) : 0)
#define START(n)  (0x10000 * (uint64_t)(n))
#define LAST(n)	  (START(n) + 0x7fff)
#define USER_LAST UINT64_C(0x7fffffffffff)
#define NOWHERE	  UINT64_C(0xffff900000000000)

static const unsigned tree_parent[NUM_NODES + 1] = { 0, 2, 4, 2, 0, 6, 4, 6 };
static const unsigned tree_left[NUM_NODES + 1] = { 0, 0, 1, 0, 2, 0, 5, 0 };
static const unsigned tree_right[NUM_NODES + 1] = { 0, 0, 3, 0, 6, 0, 7, 0 };

struct tree {
	struct fake_space fake;
	enum vad_shape shape;
	struct vad_reader reader;
	struct vad_list list;
};

static uint64_t at(const struct tree *t, unsigned n, unsigned field)
{
	return NODE(n) + t->reader.fields[field].offset;
}

static void put(struct tree *t, uint64_t va, uint64_t value, size_t size)
{
	memcpy(t->fake.bytes + (va - FAKE_BASE), &value, size);
}

static void put_field(struct tree *t, unsigned n, unsigned field, uint64_t value)
{
	put(t, at(t, n, field), value, t->reader.fields[field].size);
}

static uint64_t root_address(const struct tree *t)
{
	return PROCESS + 8 + (t->shape == SHAPE_10 ? 0 : 16);
}

static void build(struct tree *t, enum vad_shape shape)
{
	uint64_t table = shape == SHAPE_10 ? 0 : PROCESS + 8;

	*t = (struct tree){ .shape = shape };
	fake_vad_reader(&t->reader, shape, NULL);
	cr_assert(t->reader.known);
	put(t, root_address(t), NODE(4), 8);
	for (unsigned n = 1; n <= NUM_NODES; n++) {
		uint64_t parent = tree_parent[n] ? NODE(tree_parent[n]) : table;

		put_field(t, n, VAD_LEFT, NODE(tree_left[n]));
		put_field(t, n, VAD_RIGHT, NODE(tree_right[n]));
		if (shape != SHAPE_8)
			put_field(t, n, VAD_PARENT, parent | (n & 3)); /* with balance bits */
		put_field(t, n, VAD_START, START(n) >> PAGE_SHIFT);
		put_field(t, n, VAD_END, LAST(n) >> PAGE_SHIFT);
		memcpy(t->fake.bytes + (NODE(n) - FAKE_POOL_HEADER + 4 - FAKE_BASE), "VadS", 4);
	}
}

static void list(struct tree *t)
{
	t->reader.space = t->fake.space ? t->fake.space : fake_open(&t->fake);
	cr_assert_null(vad_list_read(&t->reader, PROCESS, &t->list));
}

static void done(struct tree *t)
{
	vad_list_deinit(&t->list);
	fake_close(&t->fake);
}

/* The nodes that are listed, as digits: "1234567". */
static void expect(struct tree *t, const char *nodes)
{
	char got[NUM_NODES + 1] = "";

	cr_assert_leq(t->list.count, NUM_NODES);
	for (size_t i = 0; i < t->list.count; i++)
		got[i] = (char)('0' + (t->list.items[i].va - NODE(1)) / 0x100 + 1);
	cr_expect_str_eq(got, nodes);
}

static void expect_break(const struct tree *t, uint64_t node, uint64_t low, uint64_t high)
{
	cr_assert_eq(t->list.num_breaks, 1, "%zu breaks", t->list.num_breaks);
	cr_expect_eq(t->list.breaks[0].node, node);
	cr_expect_eq(t->list.breaks[0].low, low, "low 0x%lx", t->list.breaks[0].low);
	cr_expect_eq(t->list.breaks[0].high, high, "high 0x%lx", t->list.breaks[0].high);
	cr_expect_not_null(t->list.breaks[0].why);
}

#define EACH_SHAPE(t)                                                                           \
	struct tree t;                                                                          \
	for (enum vad_shape shape_ = SHAPE_7; shape_ < NUM_SHAPES && (build(&t, shape_), true); \
	     done(&t), shape_++)

Test(vad, whole_trees)
{
	EACH_SHAPE(t)
	{
		list(&t);
		expect(&t, "1234567");
		cr_expect_eq(t.list.num_breaks, 0);
		cr_expect_eq(t.list.num_torn, 0);
		cr_expect_eq(t.list.items[2].start, START(3));
		cr_expect_eq(t.list.items[2].last, LAST(3));
	}
}

Test(vad, parents_without_balance_bits)
{
	EACH_SHAPE(t)
	{
		list(&t);
		if (t.shape == SHAPE_8) {
			cr_expect_not(t.list.items[0].parent.present);
			continue;
		}
		cr_expect_eq(t.list.items[0].parent.value, NODE(2));
		cr_expect_eq(t.list.items[3].parent.value, t.shape == SHAPE_7 ? PROCESS + 8 : 0);
	}
}

Test(vad, no_regions)
{
	EACH_SHAPE(t)
	{
		put(&t, root_address(&t), 0, 8);
		list(&t);
		expect(&t, "");
		cr_expect_eq(t.list.num_breaks, 0);
	}
}

Test(vad, counts_of_the_process)
{
	EACH_SHAPE(t)
	{
		if (t.shape == SHAPE_10)
			put(&t, PROCESS + 0x10, 9, 8);
		else
			put(&t, PROCESS + 8 + t.reader.fields[VAD_TABLE_COUNT].offset, 9 << 8, 8);
		list(&t);
		cr_expect(t.list.expected.present);
		cr_expect_eq(t.list.expected.value, 9);
	}
}

Test(vad, absent_root)
{
	EACH_SHAPE(t)
	{
		put(&t, root_address(&t), NOWHERE, 8);
		list(&t);
		expect(&t, "");
		expect_break(&t, NOWHERE, 0, USER_LAST);
	}
}

Test(vad, absent_process)
{
	EACH_SHAPE(t)
	{
		t.reader.space = fake_open(&t.fake);
		cr_assert_null(vad_list_read(&t.reader, NOWHERE, &t.list));
		expect(&t, "");
		expect_break(&t, 0, 0, USER_LAST);
	}
}

Test(vad, dangling_child_costs_its_subtree)
{
	EACH_SHAPE(t)
	{
		put_field(&t, 4, VAD_LEFT, NOWHERE);
		list(&t);
		expect(&t, "4567");
		expect_break(&t, NOWHERE, 0, START(4) - 1);
	}
}

Test(vad, child_pointer_that_is_none)
{
	EACH_SHAPE(t)
	{
		put_field(&t, 6, VAD_RIGHT, 0x4141414141414141);
		list(&t);
		expect(&t, "123456");
		expect_break(&t, 0x4141414141414141, LAST(6) + 1, USER_LAST);
	}
}

Test(vad, torn_page_costs_one_node)
{
	EACH_SHAPE(t)
	{
		fake_show(&t.fake, FAKE_BASE, NODE(3));
		fake_show(&t.fake, NODE(3) + 0x20 - 8, FAKE_BASE + FAKE_SIZE);
		list(&t);
		expect(&t, "124567");
		expect_break(&t, NODE(3), LAST(2) + 1, START(4) - 1);
	}
}

Test(vad, self_link)
{
	EACH_SHAPE(t)
	{
		put_field(&t, 5, VAD_LEFT, NODE(5));
		list(&t);
		expect(&t, "1234567");
		expect_break(&t, NODE(5), LAST(4) + 1, START(5) - 1);
	}
}

Test(vad, cycle_to_the_root)
{
	EACH_SHAPE(t)
	{
		put_field(&t, 7, VAD_RIGHT, NODE(4));
		put_field(&t, 1, VAD_LEFT, NODE(2));
		list(&t);
		expect(&t, "1234567");
		cr_expect_eq(t.list.num_breaks, 2);
	}
}

Test(vad, both_links_to_one_child)
{
	EACH_SHAPE(t)
	{
		put_field(&t, 2, VAD_RIGHT, NODE(1));
		list(&t);
		expect(&t, "124567");
		cr_expect_eq(t.list.num_breaks, 1);
	}
}

Test(vad, stranger_is_not_believed)
{
	EACH_SHAPE(t)
	{
		/* freed and used again: neither points back nor has the tag */
		if (t.shape != SHAPE_8)
			put_field(&t, 6, VAD_PARENT, 0x1234567890);
		memcpy(t.fake.bytes + (NODE(6) - FAKE_POOL_HEADER + 4 - FAKE_BASE), "Ntfx", 4);
		list(&t);
		expect(&t, "1234");
		expect_break(&t, NODE(6), LAST(4) + 1, USER_LAST);
	}
}

Test(vad, zeros_are_not_believed)
{
	EACH_SHAPE(t)
	{
		memset(t.fake.bytes + (NODE(1) - FAKE_POOL_HEADER - FAKE_BASE), 0, 0x80);
		list(&t);
		expect(&t, "234567");
		expect_break(&t, NODE(1), 0, START(2) - 1);
	}
}

Test(vad, wrong_parent_is_listed_as_torn)
{
	EACH_SHAPE(t)
	{
		if (t.shape == SHAPE_8) {
			list(&t);
			continue;
		}
		put_field(&t, 6, VAD_PARENT, NODE(2));
		list(&t);
		expect(&t, "1234567");
		cr_expect_eq(t.list.num_breaks, 0);
		cr_expect_eq(t.list.num_torn, 1);
		cr_expect_eq(t.list.first_torn, NODE(6));
	}
}

Test(vad, wrong_order_is_listed_in_order)
{
	EACH_SHAPE(t)
	{
		if (t.shape == SHAPE_8) { /* nothing but the order vouches for it */
			list(&t);
			continue;
		}
		put_field(&t, 1, VAD_START, START(9) >> PAGE_SHIFT);
		put_field(&t, 1, VAD_END, LAST(9) >> PAGE_SHIFT);
		list(&t);
		expect(&t, "2345671");
		cr_expect_eq(t.list.num_breaks, 0);
	}
}

Test(vad, range_that_is_none_costs_one_row)
{
	EACH_SHAPE(t)
	{
		if (t.shape == SHAPE_8) {
			list(&t);
			continue;
		}
		put_field(&t, 2, VAD_START, 0x30);
		put_field(&t, 2, VAD_END, 0x20);
		list(&t);
		expect(&t, "134567");
		expect_break(&t, NODE(2), 0, START(4) - 1);
	}
}

Test(vad, kernel_addresses_are_no_range)
{
	struct tree t;

	build(&t, SHAPE_7);
	put_field(&t, 7, VAD_END, UINT64_MAX);
	list(&t);
	expect(&t, "123456");
	expect_break(&t, NODE(7), LAST(6) + 1, USER_LAST);
	done(&t);
}

Test(vad, long_chain_is_followed)
{
	enum { CHAIN = 100 };
	struct tree t;

	/* a tree that is a list is no AVL tree, but nothing in it is lost */
	build(&t, SHAPE_10);
	put(&t, root_address(&t), FAKE_BASE + 0x1000, 8);
	for (uint64_t i = 0; i < CHAIN; i++) {
		uint64_t va = FAKE_BASE + 0x1000 + i * 0x80;

		put(&t, va + 8, i + 1 < CHAIN ? va + 0x80 : 0, 8);
		put(&t, va + 16, i ? va - 0x80 : 0, 8);
		put(&t, va + 0x18, i, 4);
		put(&t, va + 0x1c, i, 4);
	}
	list(&t);
	cr_expect_eq(t.list.count, CHAIN);
	cr_expect_eq(t.list.num_breaks, 0);
	done(&t);
}

Test(vad, high_bytes_of_page_numbers_and_commit)
{
	struct tree t;

	build(&t, SHAPE_10);
	for (unsigned n = 5; n <= 7; n++) {
		put_field(&t, n, VAD_START_HIGH, 7);
		put_field(&t, n, VAD_END_HIGH, 7);
	}
	put_field(&t, 7, VAD_COMMIT, 0xffffffff);
	put_field(&t, 7, VAD_COMMIT_HIGH, 3);
	list(&t);
	expect(&t, "1234567");
	cr_expect_eq(t.list.items[6].start, UINT64_C(7) << 44 | START(7));
	cr_expect_eq(t.list.items[6].last, UINT64_C(7) << 44 | LAST(7));
	cr_expect_eq(t.list.items[6].commit.value, UINT64_C(3) << 31 | 0x7fffffff);
	cr_expect_eq(t.list.items[6].mem_commit.value, 1);
	done(&t);
}

Test(vad, commit_of_24h2)
{
	struct tree t;

	/* a whole number, and the flag among those of private memory */
	build(&t, SHAPE_10);
	t.reader.fields[VAD_COMMIT] = (struct field){ 0x34, 4, 0, 0, true };
	t.reader.fields[VAD_MEM_COMMIT] = (struct field){ 0x30, 4, 25, 1, true };
	put(&t, NODE(1) + 0x34, 0x80000001, 4);
	put(&t, NODE(1) + 0x30, 1 << 25, 4);
	put_field(&t, 1, VAD_COMMIT_HIGH, 2);
	list(&t);
	cr_expect_eq(t.list.items[0].commit.value, UINT64_C(2) << 32 | 0x80000001);
	cr_expect_eq(t.list.items[0].mem_commit.value, 1);
	cr_expect_eq(t.list.items[1].mem_commit.value, 0);
	done(&t);
}

Test(vad, mappings_lead_to_their_file)
{
	uint64_t subsection = FAKE_BASE + 0x2000, area = FAKE_BASE + 0x2100;
	const struct vad *vad;
	struct tree t;

	build(&t, SHAPE_10);
	put(&t, NODE(5) + 0x30, 2 << 4 | 7 << 7, 4);
	put(&t, NODE(5) + 0x48, subsection, 8);
	put(&t, NODE(5) + 0x50, 0xfffff8a000001000, 8);
	put(&t, subsection, area, 8);
	put(&t, area + 0x40, 0xffffe0000000100d, 8);
	put(&t, NODE(6) + 0x30, 4 << 7 | 1 << 20, 4);
	put(&t, NODE(6) + 0x48, subsection, 8); /* past the end of a short descriptor */
	list(&t);
	vad = &t.list.items[4];
	cr_expect_str_eq(vad_type_name(vad), "image");
	cr_expect_str_eq(vad_protection_name(vad->protection.value), "PAGE_EXECUTE_WRITECOPY");
	cr_expect(vad_is_executable(vad));
	cr_expect_eq(vad->first_pte.value, 0xfffff8a000001000);
	cr_expect_eq(vad->control_area.value, area);
	cr_expect_eq(vad->file_object.value, 0xffffe00000001000);
	vad = &t.list.items[5];
	cr_expect_str_eq(vad_type_name(vad), "private");
	cr_expect_not(vad_is_executable(vad));
	cr_expect_not(vad->subsection.present);
	cr_expect_not(vad->file_object.present);
	done(&t);
}

Test(vad, finding_by_address)
{
	EACH_SHAPE(t)
	{
		struct vad vad;

		list(&t);
		for (unsigned n = 1; n <= NUM_NODES; n++) {
			cr_assert(vad_reader_find(&t.reader, PROCESS, START(n), &vad));
			cr_expect_eq(vad.va, NODE(n));
			cr_assert(vad_reader_find(&t.reader, PROCESS, LAST(n), &vad));
			cr_expect_eq(vad.va, NODE(n));
			cr_expect_not(vad_reader_find(&t.reader, PROCESS, LAST(n) + 1, &vad));
			cr_expect_eq(vad_list_find(&t.list, LAST(n)), &t.list.items[n - 1]);
			cr_expect_null(vad_list_find(&t.list, LAST(n) + 1));
		}
		cr_expect_not(vad_reader_find(&t.reader, PROCESS, 0, &vad));
		cr_expect_not(vad_reader_find(&t.reader, NOWHERE, START(1), &vad));
	}
}

Test(vad, finding_the_next_by_address)
{
	EACH_SHAPE(t)
	{
		struct vad vad;

		list(&t);
		cr_assert(vad_reader_next(&t.reader, PROCESS, 0, &vad));
		cr_expect_eq(vad.va, NODE(1));
		for (unsigned n = 1; n <= NUM_NODES; n++) {
			cr_assert(vad_reader_next(&t.reader, PROCESS, LAST(n), &vad));
			cr_expect_eq(vad.va, NODE(n));
			cr_expect_eq(vad.last, LAST(n));
			cr_assert_eq(vad_reader_next(&t.reader, PROCESS, LAST(n) + 1, &vad),
				     n < NUM_NODES);
			cr_expect(n == NUM_NODES || vad.va == NODE(n + 1));
		}
		cr_expect_not(vad_reader_next(&t.reader, NOWHERE, START(1), &vad));
	}
}

Test(vad, finding_in_a_loop_ends)
{
	EACH_SHAPE(t)
	{
		struct vad vad;

		put_field(&t, 7, VAD_RIGHT, NODE(7));
		list(&t);
		cr_expect_not(vad_reader_find(&t.reader, PROCESS, LAST(7) + 1, &vad));
	}
}

Test(vad, words_of_protections)
{
	static const struct {
		uint64_t value;
		const char *name;
	} rows[] = {
		{ 0x00, "PAGE_NOACCESS" },
		{ 0x01, "PAGE_READONLY" },
		{ 0x02, "PAGE_EXECUTE" },
		{ 0x03, "PAGE_EXECUTE_READ" },
		{ 0x04, "PAGE_READWRITE" },
		{ 0x05, "PAGE_WRITECOPY" },
		{ 0x06, "PAGE_EXECUTE_READWRITE" },
		{ 0x07, "PAGE_EXECUTE_WRITECOPY" },
		{ 0x0c, "PAGE_READWRITE|PAGE_NOCACHE" },
		{ 0x10, "PAGE_NOACCESS" },
		{ 0x14, "PAGE_READWRITE|PAGE_GUARD" },
		{ 0x18, "PAGE_NOACCESS" },
		{ 0x1c, "PAGE_READWRITE|PAGE_WRITECOMBINE" },
		{ 0x1f, "PAGE_EXECUTE_WRITECOPY|PAGE_WRITECOMBINE" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_str_eq(vad_protection_name(rows[i].value), rows[i].name);
	cr_expect_null(vad_protection_name(0x20));
}

Test(vad, words_of_types)
{
	struct vad vad = { .type = opt_u64(VAD_NONE) };

	cr_expect_null(vad_type_name(&vad));
	vad.is_private = opt_u64(0);
	cr_expect_str_eq(vad_type_name(&vad), "mapped");
	vad.is_private = opt_u64(1);
	cr_expect_str_eq(vad_type_name(&vad), "private");
	vad.type = opt_u64(VAD_ROTATE_PHYSICAL);
	cr_expect_str_eq(vad_type_name(&vad), "rotate_physical");
	vad.type = opt_u64(99);
	cr_expect_null(vad_type_name(&vad));
}

Test(vad, unknown_layouts_are_an_error)
{
	struct vad_reader reader = { .known = false };
	struct vad_list regions;
	struct error *err;
	struct vad vad;

	vad_reader_bind(&reader);
	cr_expect_not(reader.known);
	err = vad_list_read(&reader, PROCESS, &regions);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_UNSUPPORTED);
	error_destroy(err);
	cr_expect_not(vad_reader_find(&reader, PROCESS, START(1), &vad));
}

static void keep_message(void *arg, enum diag_kind kind, const char *message)
{
	(void)kind;
	snprintf(arg, 256, "%s", message);
}

Test(vad, what_is_lost_is_said)
{
	char message[256] = "";
	struct diag diag;
	struct tree t;

	build(&t, SHAPE_10);
	put_field(&t, 4, VAD_LEFT, NOWHERE);
	list(&t);
	diag_init(&diag, keep_message, message);
	vad_list_report(&t.list, &diag, "process 8");
	cr_expect_eq(diag.partial, 1);
	cr_expect_not_null(
		strstr(message, "process 8: regions: the node 0xffff900000000000 below "));
	cr_expect_not_null(strstr(message, "between 0x0 and 0x3ffff may be missing"));
	done(&t);
}
