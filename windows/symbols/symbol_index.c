/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "windows/symbols/type_info.h"

struct symbol_index {
	struct symbol *symbols; /* owned */
	size_t count, capacity;
	struct error *err; /* of the collection; owned */
};

static bool collect(void *arg, const char *name, uint64_t rva)
{
	struct symbol_index *index = arg;

	index->err = array_reserve(&index->symbols, &index->capacity, index->count + 1,
				   sizeof(*index->symbols), SYMBOL_INDEX_MAX, "symbols");
	if (index->err)
		return false;
	index->symbols[index->count++] = (struct symbol){ name, rva };
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->rva != y->rva)
		return x->rva < y->rva ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* A variable may be both a public and a global symbol of a PDB. */
static void drop_duplicates(struct symbol_index *index)
{
	size_t kept = 0;

	for (size_t i = 0; i < index->count; i++)
		if (kept == 0 || compare(&index->symbols[kept - 1], &index->symbols[i]) != 0)
			index->symbols[kept++] = index->symbols[i];
	index->count = kept;
}

struct error *symbol_index_create(const struct profile_source *src, struct symbol_index **ret)
{
	struct symbol_index *index = calloc(1, sizeof(*index));
	struct error *err;

	if (!index)
		return &error_no_memory;
	if (src->ops->info)
		src->ops->info->each_symbol(src, collect, index);
	if (index->err) {
		err = take_ptr(index->err);
		symbol_index_destroy(index);
		return err;
	}
	if (index->count)
		qsort(index->symbols, index->count, sizeof(*index->symbols), compare);
	drop_duplicates(index);
	*ret = index;
	return NULL;
}

void symbol_index_destroy(struct symbol_index *index)
{
	if (!index)
		return;
	free(index->symbols);
	free(index);
}

const struct symbol *symbol_index_all(const struct symbol_index *index, size_t *count_ret)
{
	*count_ret = index->count;
	return index->symbols;
}

const struct symbol *symbol_index_nearest(const struct symbol_index *index, uint64_t rva)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->symbols[middle].rva <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	for (low--; low > 0 && index->symbols[low - 1].rva == index->symbols[low].rva; low--)
		;
	return &index->symbols[low];
}
