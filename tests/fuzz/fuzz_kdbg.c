/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "fuzz.h"
#include "windows/kernel/kdbg.h"

/* The bytes are an image of one writable section at BASE, as kdbg_find() searches it. */
#define BASE UINT64_C(0xfffff80000000000)
enum { MAX_INPUT = 16 << 10 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_block(const struct kdbg *kdbg)
{
	check(kdbg->size % 8 == 0 && kdbg->size <= 0x2000);
	check(!kdbg->has[KDBG_KERN_BASE] || kdbg->value[KDBG_KERN_BASE] == BASE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file = { .fd = -1, .bytes = data, .size = size };
	struct pe_image pe = { .base = BASE, .size_of_image = 4 << 20, .num_sections = 1 };
	struct virtmem *mem = NULL;
	struct space *s = NULL;
	struct kdbg kdbg;
	struct error *err;

	if (!size || size > MAX_INPUT)
		return 0;
	pe.sections[0] = (struct pe_section){ .virtual_size = (uint32_t)size,
					      .characteristics = 0xc0000040 };
	err = virtmem_create(&mem);
	check(!err);
	err = virtmem_add(mem, BASE, size, &file, 0);
	check(!err);
	err = virtmem_seal(mem);
	check(!err);
	err = space_create_virtual(mem, &s);
	check(!err);
	err = kdbg_find(s, &pe, &kdbg);
	if (!err)
		check_block(&kdbg);
	error_destroy(err);
	err = kdbg_read(s, BASE, BASE, &kdbg);
	if (!err)
		check_block(&kdbg);
	error_destroy(err);
	space_destroy(s);
	virtmem_destroy(mem);
	return 0;
}
