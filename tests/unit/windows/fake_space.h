/* SPDX-License-Identifier: MIT */
#ifndef FAKE_SPACE_H
#define FAKE_SPACE_H

#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"
#include "memory/space.h"

/* A few KiB of virtual memory at FAKE_BASE to put structures in; the rest is absent. */
enum { FAKE_SIZE = 0x8000 };
#define FAKE_BASE UINT64_C(0xffff800000010000)

struct fake_space {
	uint8_t bytes[FAKE_SIZE];
	struct file file;
	struct virtmem *mem;
	struct space *space;
};

static inline void fake_put_u64(struct fake_space *f, uint64_t va, uint64_t value)
{
	store_u64(f->bytes + (va - FAKE_BASE), value);
}

/* Shows [start, end) of the bytes, given as addresses; call once the bytes are written. */
static inline void fake_show(struct fake_space *f, uint64_t start, uint64_t end)
{
	if (!f->mem) {
		f->file = (struct file){ .fd = -1, .bytes = f->bytes, .size = FAKE_SIZE };
		cr_assert_null(virtmem_create(&f->mem));
	}
	cr_assert_null(virtmem_add(f->mem, start, end - start, &f->file, start - FAKE_BASE));
}

static inline struct space *fake_open(struct fake_space *f)
{
	if (!f->mem)
		fake_show(f, FAKE_BASE, FAKE_BASE + FAKE_SIZE);
	cr_assert_null(virtmem_seal(f->mem));
	cr_assert_null(space_create_virtual(f->mem, &f->space));
	return f->space;
}

static inline void fake_close(struct fake_space *f)
{
	space_destroy(f->space);
	virtmem_destroy(f->mem);
}

#endif
