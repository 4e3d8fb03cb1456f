/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/cursor.h"
#include "windows/discover/probe.h"
#include "windows/paging/pte.h"

/* What each field of a process looks like, and where it may be searched for. */
enum {
	MAX_PID = 1 << 28,
	ALLOCATION_GRANULARITY = 0x10000,
	NUM_USER_ENTRIES = 256, /* of a top page table */
	FAST_REF_MASK = 15,
	AUDIT_TEXT_MAX = 1024, /* bytes of a path that is compared */
	MAX_VADS = 1 << 16,
	MAX_NODES = 1 << 18, /* walked over all trees: hostile ones have no end */
	MAX_TREE_DEPTH = 64,
	VAD_COUNT_OFFSET = 0x10, /* from VadRoot, from 8.1 on */
};

static bool is_exited(const struct probe *p, const struct sample *s, bool *ret)
{
	uint32_t status;

	if (!p->has[KNOWN_EXIT_STATUS] || !sample_u32(s, p->at[KNOWN_EXIT_STATUS], &status))
		return false;
	*ret = status != STATUS_PENDING;
	return true;
}

static enum verdict judge_ppid(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	if (!sample_u64(s, offset, &value))
		return NEUTRAL;
	if (value >= MAX_PID || value % 4 || (s->va == p->system && value))
		return DENIES;
	for (size_t i = 0; value && i < p->num_samples; i++)
		if (p->samples[i].pid == value)
			return AGREES;
	return NEUTRAL;
}

static enum verdict judge_time(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	(void)p;
	if (!sample_u64(s, offset, &value) || !value)
		return NEUTRAL;
	return is_plausible_time(value) ? AGREES : DENIES;
}

/* 0 while the process runs, a time after its creation once it has exited. */
static enum verdict judge_exit_time(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value, created = 0;
	bool exited;

	if (!sample_u64(s, offset, &value) || !is_exited(p, s, &exited))
		return NEUTRAL;
	if (!exited)
		return value ? DENIES : NEUTRAL;
	if (p->has[KNOWN_CREATE_TIME])
		(void)sample_u64(s, p->at[KNOWN_CREATE_TIME], &created);
	return is_plausible_time(value) && value >= created ? AGREES : DENIES;
}

static enum verdict judge_peb(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	if (!sample_u64(s, offset, &value))
		return NEUTRAL;
	if (s->va == p->system)
		return value ? DENIES : NEUTRAL;
	if (!value)
		return NEUTRAL;
	return is_user_page(value) ? AGREES : DENIES;
}

static enum verdict judge_section_base(const struct probe *p, const struct sample *s,
				       uint32_t offset)
{
	uint64_t value;

	(void)p;
	if (!sample_u64(s, offset, &value) || !value)
		return NEUTRAL;
	return is_user_page(value) && value % ALLOCATION_GRANULARITY == 0 ? AGREES : DENIES;
}

static enum verdict judge_wow64(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	if (!sample_u64(s, offset, &value) || !value)
		return NEUTRAL;
	if (s->va == p->system)
		return DENIES;
	return is_user_page(value) || is_kernel_pointer(value) ? AGREES : DENIES;
}

static enum verdict judge_job(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	if (!sample_u64(s, offset, &value) || !value)
		return NEUTRAL;
	return judge_object(p, value, "PsJobType");
}

static enum verdict judge_token(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	if (!sample_u64(s, offset, &value))
		return NEUTRAL;
	return judge_object(p, value & ~(uint64_t)FAST_REF_MASK, "SeTokenObjectType");
}

/* PS_PROTECTION: Type 2:0, Audit 3, Signer 7:4. */
static enum verdict judge_protection(const struct probe *p, const struct sample *s, uint32_t offset)
{
	enum { MAX_TYPE = 2, MAX_SIGNER = 8 };
	uint8_t value;

	(void)p;
	if (offset >= s->size || !s->valid[offset / 8] || !(value = s->bytes[offset]))
		return NEUTRAL;
	return (value & 7) <= MAX_TYPE && value >> 4 <= MAX_SIGNER ? AGREES : DENIES;
}

static enum verdict judge_object_table(const struct probe *p, const struct sample *s,
				       uint32_t offset)
{
	uint64_t value;

	if (!sample_u64(s, offset, &value) || !value)
		return NEUTRAL;
	return is_kernel_pointer(value) && pool_tag_is(p->space, value, "Obtb") ? AGREES : DENIES;
}

/* Does the text, UTF-16, begin with \Device\ and end in a name that begins as the process's? */
static bool is_image_path(const uint8_t *text, size_t len, const char *name)
{
	static const char start[] = "\\Device\\";

	for (size_t i = 0; i < sizeof(start) - 1; i++)
		if (i * 2 + 1 >= len || load_u16(text + i * 2) != (uint8_t)start[i])
			return false;
	return path_names(text, len, name);
}

/* A pointer to a UNICODE_STRING (OBJECT_NAME_INFORMATION.Name) with the image's path. */
static enum verdict judge_audit_name(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint8_t text[AUDIT_TEXT_MAX];
	uint16_t len, max;
	uint64_t value, buffer;

	if (!sample_u64(s, offset, &value) || !value)
		return NEUTRAL;
	if (!is_kernel_pointer(value))
		return DENIES;
	if (!space_try_u16(p->space, value, &len, NULL) ||
	    !space_try_u16(p->space, value + 2, &max, NULL) ||
	    !space_try_u64(p->space, value + 8, &buffer, NULL))
		return NEUTRAL;
	if (len % 2 || len > max)
		return DENIES;
	if (!len)
		return NEUTRAL;
	if (!is_kernel_pointer(buffer & ~UINT64_C(7)))
		return DENIES;
	if (len > sizeof(text) || !space_try_read(p->space, buffer, text, len, NULL))
		return NEUTRAL;
	return is_image_path(text, len, s->name) ? AGREES : DENIES;
}

static bool is_vad(const struct probe *p, uint64_t node)
{
	static const char *const tags[] = { "Vad ", "VadS", "Vadl", "VadF", "Vadm" };

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (pool_tag_is(p->space, node, tags[i]))
			return true;
	return false;
}

/* Nodes of an RTL_AVL_TREE {Left @0, Right @8}; false where one is absent or no VAD. */
static bool count_nodes(const struct probe *p, uint64_t root, uint64_t *ret)
{
	uint64_t stack[MAX_TREE_DEPTH], child;
	size_t depth = 0;

	*ret = 0;
	stack[depth++] = root;
	while (depth) {
		uint64_t node = stack[--depth];

		if (++*ret > MAX_VADS || !*p->nodes_left || !is_vad(p, node))
			return false;
		--*p->nodes_left;
		for (unsigned side = 0; side < 2; side++) {
			if (!space_try_u64(p->space, node + side * 8, &child, NULL))
				return false;
			if (!child)
				continue;
			if (!is_kernel_pointer(child) || depth == MAX_TREE_DEPTH)
				return false;
			stack[depth++] = child;
		}
	}
	return true;
}

/*
 * RTL_AVL_TREE.Root, from 8.1 on: a node without a parent (RTL_BALANCED_NODE.ParentValue), then
 * VadHint, which may be the same node, then VadCount, the number of nodes of the tree.
 */
static enum verdict judge_vad_tree(const struct probe *p, const struct sample *s, uint32_t offset)
{
	enum { PARENT_VALUE = 0x10, BALANCE_MASK = 7 };
	uint64_t node, parent, expected, count;

	if (!sample_u64(s, offset, &node) || !node ||
	    !sample_u64(s, offset + VAD_COUNT_OFFSET, &expected))
		return NEUTRAL;
	if (!is_kernel_pointer(node) || !is_vad(p, node) || expected > MAX_VADS ||
	    !space_try_u64(p->space, node + PARENT_VALUE, &parent, NULL) ||
	    parent & ~(uint64_t)BALANCE_MASK)
		return DENIES;
	if (!count_nodes(p, node, &count))
		return NEUTRAL;
	return count == expected ? AGREES : DENIES;
}

/* MM_AVL_TABLE, Windows 7: an embedded node that is its own parent, the tree on its right. */
static enum verdict judge_vad_table(const struct probe *p, const struct sample *s, uint32_t offset)
{
	enum { RIGHT_CHILD = 0x10, BALANCE_MASK = 3 };
	uint64_t parent, node, node_parent;

	if (!sample_u64(s, offset, &parent) || !sample_u64(s, offset + RIGHT_CHILD, &node))
		return NEUTRAL;
	if ((parent & ~(uint64_t)BALANCE_MASK) != s->va + offset)
		return DENIES;
	if (!node)
		return NEUTRAL;
	if (!is_kernel_pointer(node) || !is_vad(p, node) ||
	    !space_try_u64(p->space, node, &node_parent, NULL))
		return DENIES;
	return (node_parent & ~(uint64_t)BALANCE_MASK) == s->va + offset ? AGREES : DENIES;
}

static bool read_top_table(const struct probe *p, uint64_t root, uint8_t table[PAGE_SIZE])
{
	return physmem_read(p->mem, root, table, PAGE_SIZE) == PAGE_SIZE;
}

/* The page table for user mode (KVA shadow): the same user half, not the same kernel half. */
static enum verdict judge_user_dtb(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint8_t own[PAGE_SIZE], shadow[PAGE_SIZE];
	uint64_t value, dtb;
	size_t equal = 0;

	if (!sample_u64(s, offset, &value) || !p->mem || !p->has[KNOWN_DTB] ||
	    !sample_u64(s, p->at[KNOWN_DTB], &dtb) || value <= 1)
		return NEUTRAL; /* 0, 1: the process has no second one */
	if (s->va == p->system)
		return NEUTRAL; /* its user half is the kernel's own, and not shared */
	if (dtb_to_root(value) == dtb_to_root(dtb) || !dtb_to_root(value) || value >> 52 ||
	    !read_top_table(p, dtb_to_root(value), shadow))
		return DENIES;
	if (!read_top_table(p, dtb_to_root(dtb), own))
		return NEUTRAL;
	for (size_t i = 0; i < NUM_USER_ENTRIES; i++) {
		uint64_t a = load_u64(own + i * 8), b = load_u64(shadow + i * 8);

		if ((a ^ b) & (PTE_PFN_MASK | PTE_PRESENT))
			return DENIES;
		equal += a & PTE_PRESENT;
	}
	if (!memcmp(own + PAGE_SIZE / 2, shadow + PAGE_SIZE / 2, PAGE_SIZE / 2))
		return DENIES;
	return equal ? AGREES : NEUTRAL;
}

/* In an order in which each finds what it needs. */
static const struct field_rule rules[] = {
	{ .field = KNOWN_PPID, .judge = judge_ppid, .what = "the id of another process" },
	{ .field = KNOWN_CREATE_TIME, .judge = judge_time, .what = "a time" },
	{ .field = KNOWN_EXIT_STATUS, .judge = judge_pending, .what = "STATUS_PENDING" },
	{ .field = KNOWN_EXIT_TIME,
	  .judge = judge_exit_time,
	  .to = SAMPLE_SIZE,
	  .step = 8,
	  .min_agrees = 1,
	  .what = "a time in exited processes only" },
	{ .field = KNOWN_PEB, .judge = judge_peb, .what = "a user page" },
	{ .field = KNOWN_SECTION_BASE, .judge = judge_section_base, .what = "a user address" },
	{ .field = KNOWN_WOW64, .judge = judge_wow64, .what = "a pointer" },
	{ .field = KNOWN_DEBUG_PORT, .judge = judge_kernel_pointer, .what = "a kernel pointer" },
	{ .field = KNOWN_JOB, .judge = judge_job, .what = "a job" },
	{ .field = KNOWN_TOKEN,
	  .judge = judge_token,
	  .to = SAMPLE_SIZE,
	  .step = 8,
	  .min_agrees = 2,
	  .proof = true,
	  .what = "a reference to a token" },
	{ .field = KNOWN_PROTECTION, .judge = judge_protection, .what = "a protection level" },
	{ .field = KNOWN_OBJECT_TABLE,
	  .judge = judge_object_table,
	  .to = SAMPLE_SIZE,
	  .step = 8,
	  .min_agrees = 2,
	  .proof = true,
	  .what = "an 'Obtb' allocation" },
	{ .field = KNOWN_AUDIT_NAME,
	  .judge = judge_audit_name,
	  .to = SAMPLE_SIZE,
	  .step = 8,
	  .min_agrees = 2,
	  .proof = true,
	  .what = "the path of the image" },
	{ .field = KNOWN_VAD_TABLE,
	  .judge = judge_vad_table,
	  .to = SAMPLE_SIZE,
	  .step = 8,
	  .min_agrees = 2,
	  .proof = true,
	  .what = "a tree of VADs below a node that is its own parent" },
	{ .field = KNOWN_VAD_TREE,
	  .judge = judge_vad_tree,
	  .to = SAMPLE_SIZE,
	  .step = 8,
	  .min_agrees = 2,
	  .proof = true,
	  .what = "a tree of as many VADs as is said behind it" },
	{ .field = KNOWN_USER_DTB,
	  .judge = judge_user_dtb,
	  .to = SAMPLE_SIZE / 2,
	  .step = 8,
	  .min_agrees = 2,
	  .proof = true,
	  .what = "a page table with the same user half" },
};

void probe_process_fields(struct probe *p)
{
	size_t nodes_left = MAX_NODES;

	p->nodes_left = &nodes_left;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		/* one of the two forms of VadRoot is enough */
		if (rules[i].field != KNOWN_VAD_TREE || !p->has[KNOWN_VAD_TABLE])
			(void)probe_rule(p, &rules[i]);
	p->nodes_left = NULL;
	if (p->has[KNOWN_VAD_TREE])
		probe_field(p, DISCOVER_CERTAIN, "_EPROCESS", "VadCount",
			    p->at[KNOWN_VAD_TREE] + VAD_COUNT_OFFSET, 8,
			    "the number of nodes below VadRoot");
}
