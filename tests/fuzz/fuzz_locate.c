/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "windows/locate.h"

/*
 * A machine of MEMORY bytes. The input: cr3, cr4, lstar, gs base, idtr base, header KDBG (u64
 * each), a mask of absent pages (u64), then patches {offset u32, length u16, bytes} to memory
 * that is zero otherwise.
 */
enum { MEMORY = 64 << 12, MAX_INPUT = 16 << 10, NUM_VALUES = 7 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void apply_patches(struct cursor *c, uint8_t *memory)
{
	const uint8_t *bytes;
	uint32_t offset;
	uint16_t len;

	while (cur_u32(c, &offset) && cur_u16(c, &len)) {
		if (len > cur_left(c))
			len = (uint16_t)cur_left(c);
		if (!cur_take(c, len, &bytes))
			break;
		offset %= MEMORY;
		memcpy(memory + offset, bytes, len < MEMORY - offset ? len : MEMORY - offset);
	}
}

static void check_location(const struct kernel_location *loc)
{
	check(loc->levels == 4 || loc->levels == 5);
	check((loc->root & PAGE_MASK) == 0 && loc->root < MEMORY);
	check(loc->located_by && loc->how_sure && loc->num_trail);
	check(loc->size == loc->pe.size_of_image && loc->base == loc->pe.base);
	check(loc->has_pe || !loc->size);
}

static void locate(struct snapshot *snap)
{
	struct locate_options options = { .quiet = true, .threads = 1 };
	struct kernel_location loc;
	struct error *err = kernel_locate(snap, &options, NULL, &loc);

	if (!err) {
		check_location(&loc);
		kernel_location_deinit(&loc);
		return;
	}
	check(error_message(err)[0] != '\0');
	error_destroy(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t values[NUM_VALUES];
	struct snapshot snap = { .mem = NULL };
	struct error *err;
	struct cursor c;

	if (size > MAX_INPUT)
		return 0;
	cur_init(&c, data, size, 0);
	for (unsigned i = 0; i < NUM_VALUES; i++)
		if (!cur_u64(&c, &values[i]))
			return 0;
	struct registers regs = {
		.known = values[0] ? REGS_CONTROL | REGS_CR3 | REGS_SYSCALL | REGS_GS_BASE |
					     REGS_TABLES
				   : 0,
		.cr3 = values[0],
		.cr4 = values[1],
		.lstar = values[2],
		.gs.base = values[3],
		.idtr.base = values[4],
	};
	uint8_t *memory = calloc(1, MEMORY);

	check(memory);
	apply_patches(&c, memory);
	struct file file = { .fd = -1, .bytes = memory, .size = MEMORY };

	err = physmem_create(&snap.mem);
	for (uint64_t page = 0; !err && page < 64; page++)
		if (!(values[6] >> page & 1))
			err = physmem_add_file(snap.mem, page << 12, PAGE_SIZE, &file, page << 12);
	check(!err);
	err = physmem_seal(snap.mem);
	check(!err);
	snap.info.registers = &regs;
	snap.info.num_registers = 1;
	snap.info.hints.kdbg = values[5];
	locate(&snap);
	physmem_destroy(snap.mem);
	free(memory);
	return 0;
}
