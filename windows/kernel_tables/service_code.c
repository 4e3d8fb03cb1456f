/* SPDX-License-Identifier: MIT */
#include "windows/kernel_tables/service_code.h"

#include <string.h>

#include "base/cursor.h"
#include "windows/kernel/kernel_address.h"

/*
 *	4c 8d 15 rel32	lea r10, [KeServiceDescriptorTable]
 *	4c 8d 1d rel32	lea r11, [KeServiceDescriptorTableShadow]
 *	f7 43 ...	test dword ptr [rbx + disp8], ...	(f7 83, disp32: Windows 7)
 */
enum {
	LEA_SIZE = 7,
	LEA_TARGET = 3,
	CODE_SIZE = 2 * LEA_SIZE + 2,
	/* KSERVICE_TABLE_DESCRIPTOR: service_table.h */
	DESCRIPTOR_LIMIT = 0x10,
	DESCRIPTOR_SIZE = 0x20,
	MAX_LIMIT = 1 << 12,
	MAX_SECTION = 64 << 20, /* bytes that are looked at of one section */
};
static const uint8_t lea_r10[] = { 0x4c, 0x8d, 0x15 };
static const uint8_t lea_r11[] = { 0x4c, 0x8d, 0x1d };
static const uint8_t test_rbx[] = { 0xf7, 0x43 }, test_rbx_far[] = { 0xf7, 0x83 };

static bool is_code(const uint8_t *p)
{
	return memcmp(p, lea_r10, sizeof(lea_r10)) == 0 &&
	       memcmp(p + LEA_SIZE, lea_r11, sizeof(lea_r11)) == 0 &&
	       (memcmp(p + 2 * LEA_SIZE, test_rbx, sizeof(test_rbx)) == 0 ||
		memcmp(p + 2 * LEA_SIZE, test_rbx_far, sizeof(test_rbx_far)) == 0);
}

static uint64_t lea_target(const uint8_t *p, uint64_t va)
{
	return va + LEA_SIZE + (uint64_t)(int64_t)(int32_t)load_u32(p + LEA_TARGET);
}

/* Is there a descriptor of a table that could be one of services? */
static bool is_descriptor(const struct kernel *k, uint64_t va)
{
	uint8_t bytes[DESCRIPTOR_SIZE];
	uint32_t limit;

	if (!kernel_contains(k, va) || !space_try_read(k->space, va, bytes, sizeof(bytes), NULL))
		return false;
	limit = load_u32(bytes + DESCRIPTOR_LIMIT);
	return limit && limit <= MAX_LIMIT && kernel_address_is_plausible(load_u64(bytes));
}

static bool search_bytes(const struct kernel *k, const uint8_t *bytes, size_t len, uint64_t va,
			 uint64_t *plain_ret, uint64_t *shadow_ret)
{
	const uint8_t *p = bytes;

	while ((size_t)(p - bytes) + CODE_SIZE <= len &&
	       (p = memmem(p, len - (size_t)(p - bytes), lea_r10, sizeof(lea_r10)))) {
		size_t at = (size_t)(p - bytes);

		if (at + CODE_SIZE <= len && is_code(p)) {
			*plain_ret = lea_target(p, va + at);
			*shadow_ret = lea_target(p + LEA_SIZE, va + at + LEA_SIZE);
			if (is_descriptor(k, *plain_ret) && is_descriptor(k, *shadow_ret))
				return true;
		}
		p++;
	}
	return false;
}

/* Page by page, each with the beginning of the next as far as that is there. */
static bool search_section(const struct kernel *k, const struct pe_section *s, uint64_t *plain_ret,
			   uint64_t *shadow_ret)
{
	uint64_t start = k->loc.base + s->rva;
	uint32_t size = s->virtual_size < MAX_SECTION ? s->virtual_size : MAX_SECTION;

	for (uint32_t done = 0; done < size; done += PAGE_SIZE) {
		uint8_t bytes[PAGE_SIZE + CODE_SIZE];
		uint64_t va = start + done;
		size_t len = sizeof(bytes);

		if (!space_try_read(k->space, va, bytes, len, NULL)) {
			len = PAGE_SIZE;
			if (!space_try_read(k->space, va, bytes, len, NULL))
				continue;
		}
		if (search_bytes(k, bytes, len, va, plain_ret, shadow_ret))
			return true;
	}
	return false;
}

bool service_descriptors_find(struct kernel *k, uint64_t *plain_ret, uint64_t *shadow_ret)
{
	const struct pe_image *pe = &k->loc.pe;

	for (unsigned i = 0; k->loc.has_pe && i < pe->num_sections; i++) {
		if (pe->sections[i].characteristics & PE_SECTION_EXECUTE &&
		    search_section(k, &pe->sections[i], plain_ret, shadow_ret))
			return true;
	}
	return false;
}
