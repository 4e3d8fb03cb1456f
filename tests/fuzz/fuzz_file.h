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

/* What decoding may hold in memory: little, so that limits are met. */
#define FUZZ_MAX_MEMORY (UINT64_C(32) << 20)

/* The byte at pa is there, or it is said why it cannot be decoded. */
static inline void fuzz_check_byte(struct physmem *mem, uint64_t pa)
{
	struct page_view view;
	struct error *err;

	if (physmem_view(mem, pa, &view, &err)) {
		fuzz_check(view.begin <= (pa & PAGE_MASK) && (pa & PAGE_MASK) < view.end);
		fuzz_check((unsigned)view.bytes[0] + view.bytes[view.end - view.begin - 1] < 0x200);
		page_release(&view);
	} else {
		fuzz_check(err != NULL);
		error_destroy(err);
	}
}

/* What holds for every sealed physmem: ranges in order, readable at both ends, and as many bytes
 * as the totals say. */
static inline void fuzz_check_physmem(struct physmem *mem)
{
	struct mem_range range;
	uint64_t pa = 0, total = 0;

	for (; physmem_next(mem, pa, false, &range); pa = range.end) {
		fuzz_check(range.start >= pa && range.start < range.end);
		fuzz_check_byte(mem, range.start);
		fuzz_check_byte(mem, range.end - 1);
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
	const struct snapshot_options options = {
		.format = format->name,
		.max_memory = FUZZ_MAX_MEMORY,
	};
	struct snapshot *s;
	struct error *err;
	struct diag diag;
	struct file file;

	memfile_open(&file, data, size);
	diag_init(&diag, NULL, NULL);
	err = snapshot_open_file(&file, "fuzz", &options, &diag, &s);
	if (err) {
		fuzz_check(error_message(err)[0] != '\0');
		error_destroy(err);
		return;
	}
	fuzz_check(s->info.format && s->info.machine && s->info.num_registers <= MAX_CPUS);
	if (s->mem)
		fuzz_check_physmem(s->mem);
	if (s->virt)
		fuzz_check_virtmem(s->virt);
	if (check)
		check(&s->info, s->mem, s->virt);
	snapshot_close(s);
}

#endif
