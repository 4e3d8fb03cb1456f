/* SPDX-License-Identifier: MIT */
#include "windows/kernel/triage.h"

#include "base/cursor.h"

DEFINE_FIELDS(triage, TRIAGE_FIELDS);

/* A pointer inside a block of the file; false if the block ends before it. */
static bool block_u64(const struct file *file, const struct dump_block *block,
		      const struct field *field, uint64_t *ret)
{
	if (!block->file_offset || !field->present || field->size != 8 || block->size < 8 ||
	    field->offset > block->size - 8)
		return false;
	*ret = load_u64(file->bytes + block->file_offset + field->offset);
	return *ret >> 47 == 0x1ffff && !(*ret & 7);
}

static struct error *add_block(struct kernel *k, const struct dump_block *block, uint64_t va)
{
	if (!block->file_offset || !block->size || !va)
		return NULL;
	return virtmem_add(k->triage_blocks, va, block->size, &k->snap->file, block->file_offset);
}

/* A captured range may be pieced together from several places of the file. */
static struct error *copy_range(struct kernel *k, struct mem_range range)
{
	const uint8_t *bytes;
	uint64_t offset;
	struct error *err;
	size_t len;

	while (range.start < range.end && virtmem_view(k->snap->virt, range.start, &bytes, &len) &&
	       virtmem_file_offset(k->snap->virt, range.start, &offset)) {
		err = virtmem_add(k->triage_blocks, range.start, len, &k->snap->file, offset);
		if (err)
			return err;
		range.start += len;
	}
	return NULL;
}

static struct error *copy_blocks(struct kernel *k)
{
	struct mem_range range;
	struct error *err;

	for (uint64_t va = 0; virtmem_next(k->snap->virt, va, &range); va = range.end) {
		if ((err = copy_range(k, range)))
			return err;
		if (!range.end)
			break;
	}
	return NULL;
}

/*
 * Where the KPRCB was: it is full of list heads, and an empty one points at itself. The address at
 * which most of them do is found by majority vote and then counted.
 */
static bool prcb_address(const struct file *file, const struct dump_block *block, uint64_t *ret)
{
	enum { ENOUGH_LIST_HEADS = 16 };
	const uint8_t *bytes = file->bytes + block->file_offset;
	uint64_t candidate = 0, count = 0;
	int64_t lead = 0;

	for (unsigned pass = 0; block->file_offset && pass < 2; pass++) {
		for (uint64_t i = 0; i + 16 <= block->size; i += 8) {
			uint64_t flink = load_u64(bytes + i), base = flink - i;

			if (flink >> 47 != 0x1ffff || flink != load_u64(bytes + i + 8))
				continue;
			if (pass) {
				count += base == candidate;
			} else if (!lead) {
				candidate = base;
				lead = 1;
			} else {
				lead += base == candidate ? 1 : -1;
			}
		}
	}
	if (count < ENOUGH_LIST_HEADS)
		return false;
	*ret = candidate;
	return true;
}

/*
 * The thread block is a copy of KPRCB.CurrentThread, the process block one of the process that the
 * thread belongs to (not of one that it is attached to: the debugger shows its owner).
 */
static struct error *add_structures(struct kernel *k, const struct dump_triage *triage,
				    const struct field *fields)
{
	uint64_t thread = 0, process = 0;
	struct error *err;

	if (prcb_address(&k->snap->file, &triage->prcb, &k->triage_kprcb) &&
	    (err = add_block(k, &triage->prcb, k->triage_kprcb)))
		return err;

	if (block_u64(&k->snap->file, &triage->prcb, &fields[TRIAGE_CURRENT_THREAD], &thread)) {
		k->triage_thread = thread;
		if ((err = add_block(k, &triage->thread, thread)))
			return err;
	}
	if (block_u64(&k->snap->file, &triage->thread, &fields[TRIAGE_THREAD_PROCESS], &process) ||
	    block_u64(&k->snap->file, &triage->thread, &fields[TRIAGE_THREAD_APC_PROCESS],
		      &process)) {
		k->triage_process = process;
		return add_block(k, &triage->process, process);
	}
	return NULL;
}

struct error *triage_open_space(struct kernel *k)
{
	struct field fields[triage_num_fields];
	struct error *err;

	if ((err = profile_bind(k->profile, triage_field_rows, triage_num_fields, fields)) ||
	    (err = virtmem_create(&k->triage_blocks)) || (err = copy_blocks(k)) ||
	    (err = add_structures(k, k->snap->info.triage, fields)) ||
	    (err = virtmem_seal(k->triage_blocks)))
		return err;
	return space_create_virtual(k->triage_blocks, &k->space);
}
