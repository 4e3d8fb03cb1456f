/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "windows/paging/store.h"

/*
 * A compressed store from a list of writes: build, page key, then {offset / 8 u16, value u64} into
 * the kernel's eight pages, or past them into the sixteen of the owner. Whatever it is, a lookup
 * ends, and a page found can be asked for again.
 */
enum {
	KERNEL_SIZE = 0x8000,
	OWNER_SIZE = 0x10000,
	WORDS = (KERNEL_SIZE + OWNER_SIZE) / 8,
};
#define KERNEL_BASE UINT64_C(0xffff800000010000)
#define OWNER_BASE  UINT64_C(0x30000)

static const uint32_t builds[] = { 14393, 15063, 18362, 19041, 22621, 26100 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

static struct virtmem *open_memory(uint64_t base, uint64_t size, const struct file *file,
				   uint64_t offset, struct space **ret)
{
	struct virtmem *mem = NULL;
	struct error *err;

	must(!virtmem_create(&mem));
	must(!virtmem_add(mem, base, size, file, offset));
	must(!virtmem_seal(mem));
	err = space_create_virtual(mem, ret);
	must(!err);
	return mem;
}

static void look_up(const struct store *s, struct space *owner, uint32_t key)
{
	uint8_t first[PAGE_SIZE], second[PAGE_SIZE];
	const char *why = NULL, *again = NULL;
	struct store_page page, other;
	bool found = store_find(s, key, &page, &why), ok;

	must(found == store_find(s, key, &other, &again) && why == again);
	must(found || why);
	if (!found)
		return;
	must(page.length <= PAGE_SIZE && page.address == other.address);
	ok = store_unpack(&page, owner, first, &why);
	must(ok == store_unpack(&other, owner, second, &again));
	must(ok ? memcmp(first, second, PAGE_SIZE) == 0 : why && why == again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = calloc(WORDS, 8);
	struct file file = { .fd = -1, .bytes = bytes, .size = WORDS * 8 };
	struct store store = { .globals = KERNEL_BASE };
	struct virtmem *kernel, *memory;
	struct space *owner;
	struct cursor c;
	uint64_t value;
	uint32_t key;
	uint16_t at;
	uint8_t build;

	must(bytes);
	cur_init(&c, data, size, 0);
	if (!cur_u8(&c, &build) || !cur_u32(&c, &key)) {
		free(bytes);
		return 0;
	}
	while (cur_u16(&c, &at) && cur_u64(&c, &value))
		store_u64(bytes + at % WORDS * 8, value);
	store.layout = store_layout_of(builds[build % ARRAY_SIZE(builds)]);
	if (store.layout->indirect)
		store.globals += 0xf00;
	kernel = open_memory(KERNEL_BASE, KERNEL_SIZE, &file, 0, &store.space);
	memory = open_memory(OWNER_BASE, OWNER_SIZE, &file, KERNEL_SIZE, &owner);
	look_up(&store, owner, key);
	look_up(&store, owner, key ^ 1);
	space_destroy(store.space);
	space_destroy(owner);
	virtmem_destroy(kernel);
	virtmem_destroy(memory);
	free(bytes);
	return 0;
}
