/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include <stdlib.h>

#include "formats/format.h"
#include "tests/memfile.h"

static inline void fuzz_check(bool holds)
{
	if (!holds)
		abort();
}

/* What holds for every sealed physmem: ranges in order, readable at both ends, and as many bytes
 * as the totals say. */
static inline void fuzz_check_physmem(struct physmem *mem)
{
	struct mem_range range;
	uint64_t pa = 0, total = 0, offset;
	uint8_t byte;

	for (; physmem_next(mem, pa, false, &range); pa = range.end) {
		fuzz_check(range.start >= pa && range.start < range.end);
		fuzz_check(physmem_read(mem, range.start, &byte, 1) == 1);
		fuzz_check(physmem_read(mem, range.end - 1, &byte, 1) == 1);
		fuzz_check(physmem_file_offset(mem, range.start, &offset));
		total += range.end - range.start;
	}
	fuzz_check(total == physmem_captured_bytes(mem));
	fuzz_check(physmem_end(mem) <= PHYSMEM_MAX_END);
}

static inline void fuzz_check_virtmem(const struct virtmem *mem)
{
	struct mem_range range;
	uint64_t va = 0, offset;
	const uint8_t *bytes;
	size_t len;

	for (; virtmem_next(mem, va, &range); va = range.end) {
		fuzz_check(range.start >= va && range.start < range.end);
		fuzz_check(virtmem_view(mem, range.start, &bytes, &len) && len);
		fuzz_check((unsigned)bytes[0] + bytes[len - 1] < 0x200);
		fuzz_check(virtmem_file_offset(mem, range.start, &offset));
	}
}

/*
 * Opens the bytes as a file of one format, whatever its probe says, seals and checks what it
 * found. check (may be NULL) sees each capture that opened.
 */
static inline void fuzz_open(const struct format_ops *format, const uint8_t *data, size_t size,
			     void (*check)(const struct dump_info *info, struct physmem *mem,
					   struct virtmem *virt))
{
	struct dump_info info = { 0 };
	struct physmem *mem = NULL;
	struct virtmem *virt = NULL;
	struct error *err;
	struct diag diag;
	struct file file;

	memfile_open(&file, data, size);
	diag_init(&diag, NULL, NULL);
	arena_init(&info.arena, 64 << 20);
	err = physmem_create(&mem);
	fuzz_check(!err);
	err = virtmem_create(&virt);
	fuzz_check(!err);
	err = format->open(&file, mem, virt, &info, &diag);
	if (!err) {
		err = physmem_seal(mem);
		fuzz_check(!err);
		err = virtmem_seal(virt);
		fuzz_check(!err);
		fuzz_check(info.format && info.machine && info.num_registers <= MAX_CPUS);
		fuzz_check_physmem(mem);
		fuzz_check_virtmem(virt);
		if (check)
			check(&info, mem, virt);
	} else {
		fuzz_check(error_message(err)[0] != '\0');
		error_destroy(err);
	}
	physmem_destroy(mem);
	virtmem_destroy(virt);
	arena_deinit(&info.arena);
	file_close(&file);
}

#endif
