/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"
#include "windows/registry/private.h"

/* Where the list of hives begins. */
enum {
	SECTION_WRITE = INT32_MIN, /* IMAGE_SCN_MEM_WRITE */
	MAX_SECTION = 16 << 20,	   /* bytes that are searched of one section */
	LINK_BLINK = 8,
};

/* Is the list entry at `at` one whose next is the entry in a hive, which points back? */
static bool is_list_head(const struct registry *r, uint64_t at, uint64_t next)
{
	const struct hive_memory *m = &r->memory;
	uint64_t back, hive = next - m->fields[HIVE_LINKS].offset;
	uint32_t magic;

	return next >> 47 == UINT64_MAX >> 47 && next % 8 == 0 && !kernel_contains(r->k, next) &&
	       space_try_u64(m->kernel, next + LINK_BLINK, &back, NULL) && back == at &&
	       space_try_u32(m->kernel,
			     hive + m->fields[HIVE_HHIVE].offset + m->fields[HIVE_SIGNATURE].offset,
			     &magic, NULL) &&
	       magic == HIVE_MAGIC;
}

static bool search_page(const struct registry *r, uint64_t va, uint64_t *ret)
{
	uint8_t page[PAGE_SIZE];

	if (!space_try_read(r->memory.kernel, va, page, sizeof(page), NULL))
		return false;
	for (size_t at = 0; at < sizeof(page); at += 8) {
		if (!is_list_head(r, va + at, load_u64(page + at)))
			continue;
		*ret = va + at;
		return true;
	}
	return false;
}

static bool search_section(const struct registry *r, const struct pe_section *section,
			   uint64_t *ret)
{
	uint64_t va = r->k->loc.pe.base + section->rva;
	uint32_t size = section->virtual_size < MAX_SECTION ? section->virtual_size : MAX_SECTION;

	if (!(section->characteristics & (uint32_t)SECTION_WRITE))
		return false;
	for (uint32_t at = 0; at < size; at += PAGE_SIZE) {
		if (search_page(r, va + at, ret))
			return true;
	}
	return false;
}

bool registry_list_head(const struct registry *r, uint64_t *ret)
{
	const struct pe_image *pe = &r->k->loc.pe;

	if (kernel_symbol(r->k, "CmpHiveListHead", ret))
		return true;
	for (unsigned i = 0; r->k->loc.has_pe && i < pe->num_sections; i++) {
		if (search_section(r, &pe->sections[i], ret))
			return true;
	}
	return false;
}
