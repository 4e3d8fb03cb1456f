/* SPDX-License-Identifier: MIT */
/*
 * Names and layouts of the registers' tags: crash's vmware_vmss.c. The first index is the
 * processor. An array has either a tag for each element, with the element as second index, or
 * one tag with all of them. Segments' limits and access words are not among what is known.
 */
#include "formats/vmware/processors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/vmware/state.h"

struct row {
	const char *name;
	int32_t element; /* of the array; SCALAR: none */
	uint8_t size;	 /* bytes of an element: 8, 4 or 2 */
	uint16_t target; /* offset in struct registers */
	uint32_t groups; /* that need it */
};
enum { SCALAR = -1 };

#define TO(name) offsetof(struct registers, name)
#define WORD(name, element, target, groups)            \
	{                                              \
		name, element, 8, TO(target), (groups) \
	}
#define GENERAL(index, name) \
	WORD("gpregs", index, name, REGS_GENERAL), WORD(#name, SCALAR, name, REGS_GENERAL)
#define SELECTOR(element, name, groups)                      \
	{                                                    \
		"S", element, 2, TO(name.selector), (groups) \
	}

static const struct row rows[] = {
	/* clang-format off */
	GENERAL(0, rax), GENERAL(1, rcx), GENERAL(2, rdx), GENERAL(3, rbx),
	GENERAL(4, rbp), GENERAL(5, rsp), GENERAL(6, rsi), GENERAL(7, rdi),
	GENERAL(8, r8), GENERAL(9, r9), GENERAL(10, r10), GENERAL(11, r11),
	GENERAL(12, r12), GENERAL(13, r13), GENERAL(14, r14), GENERAL(15, r15),
	WORD("rip", SCALAR, rip, REGS_GENERAL),
	{ "eflags", SCALAR, 4, TO(rflags), REGS_GENERAL },
	{ "EFLAGS", SCALAR, 4, TO(rflags), REGS_GENERAL },
	WORD("CR64", 0, cr0, REGS_CONTROL), WORD("CR64", 2, cr2, REGS_CONTROL),
	WORD("CR64", 3, cr3, REGS_CONTROL | REGS_CR3), WORD("CR64", 4, cr4, REGS_CONTROL),
	WORD("DR64", 0, dr0, REGS_DEBUG), WORD("DR64", 1, dr1, REGS_DEBUG),
	WORD("DR64", 2, dr2, REGS_DEBUG), WORD("DR64", 3, dr3, REGS_DEBUG),
	WORD("DR64", 6, dr6, REGS_DEBUG), WORD("DR64", 7, dr7, REGS_DEBUG),
	SELECTOR(0, es, REGS_SELECTORS), SELECTOR(1, cs, REGS_SELECTORS),
	SELECTOR(2, ss, REGS_SELECTORS), SELECTOR(3, ds, REGS_SELECTORS),
	SELECTOR(4, fs, REGS_SELECTORS), SELECTOR(5, gs, REGS_SELECTORS),
	SELECTOR(6, ldtr, REGS_TASK), SELECTOR(7, tr, REGS_TASK),
	WORD("S.base64", 5, gs.base, REGS_GS_BASE),
	/* clang-format on */
};
_Static_assert(ARRAY_SIZE(rows) <= 64, "a bit a row");

struct reading {
	const struct file *state;
	struct dump_info *info;
	uint64_t *found; /* [num_registers], a bit a row */
	uint64_t num_cpus;
};

static struct error *visit_count(void *arg, const struct state_tag *tag)
{
	struct reading *r = arg;

	if (!strcmp(tag->name, "cpu:numVCPUs") && !tag->num_indices)
		(void)!state_value(r->state, tag, 0, 4, &r->num_cpus);
	return NULL;
}

/* Does the tag hold the row's value, and where in its bytes? */
static bool holds(const struct state_tag *tag, const struct row *row, uint64_t *at)
{
	*at = 0;
	if (strcmp(tag->name, row->name))
		return false;
	if (row->element == SCALAR)
		return tag->num_indices == 1;
	if (tag->num_indices == 2)
		return tag->indices[1] == (uint32_t)row->element;
	*at = (uint64_t)row->element * row->size;
	return tag->num_indices == 1 && tag->is_block;
}

static struct error *visit_register(void *arg, const struct state_tag *tag)
{
	struct reading *r = arg;
	struct registers *regs;
	uint64_t at, value;

	if (!tag->num_indices || tag->indices[0] >= r->info->num_registers)
		return NULL;
	regs = &r->info->registers[tag->indices[0]];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!holds(tag, &rows[i], &at) ||
		    !state_value(r->state, tag, at, rows[i].size, &value))
			continue;
		memcpy((uint8_t *)regs + rows[i].target, &value, rows[i].size);
		r->found[tag->indices[0]] |= UINT64_C(1) << i;
	}
	return NULL;
}

/* Was the row's register found, by this or by another name? */
static bool is_found(uint64_t found, const struct row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].target == row->target && found >> i & 1)
			return true;
	}
	return false;
}

/* A group is known when all of it was there. */
static uint32_t known_groups(uint64_t found)
{
	uint32_t known = 0, missing = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		known |= rows[i].groups;
		if (!is_found(found, &rows[i]))
			missing |= rows[i].groups;
	}
	return known & ~missing;
}

static struct error *walk_cpus(struct reading *r, struct diag *diag,
			       struct error *(*visit)(void *arg, const struct state_tag *tag))
{
	bool found;
	struct error *err = state_walk(r->state, "cpu", visit, r, &found);

	if (!err || error_code(err) != ERROR_CORRUPT)
		return err;
	diag_error(diag, err, "processors");
	return NULL;
}

struct error *vmware_read_processors(const struct file *state, struct dump_info *info,
				     struct diag *diag)
{
	struct reading r = { .state = state, .info = info };
	struct error *err;

	err = walk_cpus(&r, diag, visit_count);
	if (!err && r.num_cpus > MAX_CPUS) {
		diag_partial(diag, "%" PRIu64 " processors: expected at most %d: no registers",
			     r.num_cpus, MAX_CPUS);
		return NULL;
	}
	if (err || !r.num_cpus || (err = dump_info_alloc_registers(info, (size_t)r.num_cpus)))
		return err;
	info->num_cpus = (uint32_t)r.num_cpus;
	r.found = calloc((size_t)r.num_cpus, sizeof(*r.found));
	if (!r.found)
		return &error_no_memory;
	err = walk_cpus(&r, diag, visit_register);
	for (uint64_t i = 0; i < r.num_cpus; i++)
		info->registers[i].known = known_groups(r.found[i]);
	free(r.found);
	return err;
}
