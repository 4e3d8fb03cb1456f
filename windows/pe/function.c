/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"
#include "windows/pe/tables.h"

enum {
	ENTRIES_PER_PAGE = PAGE_SIZE / RUNTIME_FUNCTION_SIZE,
	MAX_PAGES_TRIED = 256, /* around absent pages, in one step of the search */
};

struct search {
	struct space *space;
	uint64_t table;
	uint32_t low, high; /* the entry is in [low, high), if there is one */
};

uint32_t pe_num_functions(const struct pe_image *pe)
{
	uint64_t va;
	uint32_t size;

	return pe_directory_find(pe, PE_DIR_EXCEPTION, &va, &size) ? size / RUNTIME_FUNCTION_SIZE
								   : 0;
}

static bool read_entry(const struct search *search, uint32_t index, struct runtime_function *ret)
{
	uint8_t bytes[RUNTIME_FUNCTION_SIZE];

	if (!space_try_read(search->space, search->table + (uint64_t)RUNTIME_FUNCTION_SIZE * index,
			    bytes, sizeof(bytes), NULL))
		return false;
	*ret = (struct runtime_function){ load_u32(bytes), load_u32(bytes + 4),
					  load_u32(bytes + 8) };
	return true;
}

/* An entry of [low, high) that is captured: the middle one, else page by page away from it. The
 * last one of the stretch and the first are tried too: stretches may be less than a page. */
static bool probe(const struct search *search, uint32_t *index_ret, struct runtime_function *ret)
{
	uint32_t middle = search->low + (search->high - search->low) / 2;

	*index_ret = middle;
	if (read_entry(search, middle, ret))
		return true;
	for (uint32_t i = 1; i <= MAX_PAGES_TRIED; i++) {
		uint32_t distance = i * ENTRIES_PER_PAGE;

		*index_ret =
			search->high - middle > distance ? middle + distance : search->high - 1;
		if (read_entry(search, *index_ret, ret))
			return true;
		*index_ret = middle - search->low > distance ? middle - distance : search->low;
		if (read_entry(search, *index_ret, ret))
			return true;
		if (distance > search->high - search->low)
			break;
	}
	return false;
}

enum function_lookup pe_find_function(struct space *s, const struct pe_image *pe, uint32_t rva,
				      struct runtime_function *ret)
{
	struct search search = { .space = s, .high = pe_num_functions(pe) };
	struct runtime_function entry;
	uint32_t index, size;

	if (!pe_directory_find(pe, PE_DIR_EXCEPTION, &search.table, &size))
		return FUNCTION_NONE;
	while (search.low < search.high) {
		if (!probe(&search, &index, &entry))
			return FUNCTION_ABSENT;
		if (rva < entry.begin) {
			search.high = index;
		} else if (rva < entry.end) {
			*ret = entry;
			return FUNCTION_FOUND;
		} else {
			search.low = index + 1;
		}
	}
	return FUNCTION_NONE;
}

static bool read_memory(void *arg, uint64_t va, void *buf, size_t len)
{
	const struct pe_unwind_image *image = arg;

	return space_try_read(image->space, va, buf, len, NULL);
}

static enum function_lookup find_function(void *arg, uint32_t rva, struct runtime_function *ret)
{
	const struct pe_unwind_image *image = arg;

	return pe_find_function(image->space, image->pe, rva, ret);
}

void pe_unwind_image_init(struct pe_unwind_image *ret, struct space *s, const struct pe_image *pe)
{
	*ret = (struct pe_unwind_image){
		.image = { .base = pe->base,
			   .read = read_memory,
			   .find = find_function,
			   .arg = ret },
		.space = s,
		.pe = pe,
	};
}
