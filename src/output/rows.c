/* SPDX-License-Identifier: MIT */
#include "output/rows.h"

#include <stdlib.h>
#include <string.h>

#include "output/cell_text.h"

void rows_init(struct rows *r, const struct column *columns, size_t num_columns)
{
	*r = (struct rows){ .columns = columns, .num_columns = num_columns };
	arena_init(&r->arena, ROWS_MAX_BYTES);
}

void rows_deinit(struct rows *r)
{
	arena_deinit(&r->arena);
	free(r->items);
	*r = (struct rows){ 0 };
}

static void *copy_bytes(struct arena *a, const void *bytes, size_t len)
{
	void *copy = arena_alloc(a, len ? len : 1);

	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}

/* NULL stays NULL. False: no memory. */
static bool copy_string(struct arena *a, const char **s)
{
	return !*s || (*s = arena_strdup(a, *s)) != NULL;
}

static bool copy_strings(struct arena *a, struct cell *cell)
{
	const char **items = arena_calloc(a, cell->strs.count + 1, sizeof(*items));

	if (!items)
		return false;
	for (size_t i = 0; i < cell->strs.count; i++) {
		items[i] = cell->strs.items[i];
		if (!copy_string(a, &items[i]))
			return false;
	}
	cell->strs.items = items;
	return true;
}

static bool copy_explained(struct arena *a, struct cell *cell)
{
	size_t count = cell->explained.count;
	struct explained_value *items = arena_calloc(a, count + 1, sizeof(*items));

	if (!items)
		return false;
	for (size_t i = 0; i < count; i++) {
		items[i] = cell->explained.items[i];
		if (!copy_string(a, &items[i].meaning) || !copy_string(a, &items[i].detail))
			return false;
	}
	cell->explained.items = items;
	return true;
}

/* Makes a cell own what it points to. */
static bool copy_cell(struct arena *a, enum cell_type type, struct cell *cell)
{
	if (!cell->present)
		return true;
	switch (type) {
	case CELL_STR:
		return copy_string(a, &cell->str);
	case CELL_ADDRS:
		cell->addrs.items = copy_bytes(a, cell->addrs.items,
					       cell->addrs.count * sizeof(*cell->addrs.items));
		return cell->addrs.items != NULL;
	case CELL_STRS:
		return copy_strings(a, cell);
	case CELL_BYTES:
		cell->bytes.bytes = copy_bytes(a, cell->bytes.bytes, cell->bytes.count);
		return cell->bytes.bytes != NULL;
	case CELL_EXPLAINED:
		return copy_explained(a, cell);
	case CELL_U64:
	case CELL_I64:
	case CELL_ADDR:
	case CELL_TIME:
	case CELL_BOOL:
		break;
	}
	return true;
}

struct error *rows_add(struct rows *r, const struct cell *cells, unsigned depth)
{
	struct error *err = array_reserve(&r->items, &r->capacity, r->count + 1, sizeof(*r->items),
					  ROWS_MAX, "rows");
	struct cell *copy;

	if (err)
		return err;
	copy = arena_calloc(&r->arena, r->num_columns, sizeof(*copy));
	if (!copy)
		return &error_no_memory;
	for (size_t i = 0; i < r->num_columns; i++) {
		copy[i] = cells[i];
		if (!copy_cell(&r->arena, r->columns[i].type, &copy[i]))
			return &error_no_memory;
	}
	r->items[r->count++] = (struct kept_row){ copy, depth };
	return NULL;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_strings(const char *a, const char *b)
{
	if (!a || !b)
		return !a - !b;
	return strcmp(a, b);
}

static int compare_addrs(const struct cell *a, const struct cell *b)
{
	for (size_t i = 0; i < a->addrs.count && i < b->addrs.count; i++) {
		int order = compare_u64(a->addrs.items[i], b->addrs.items[i]);

		if (order)
			return order;
	}
	return compare_u64(a->addrs.count, b->addrs.count);
}

static int compare_strs(const struct cell *a, const struct cell *b)
{
	for (size_t i = 0; i < a->strs.count && i < b->strs.count; i++) {
		int order = compare_strings(a->strs.items[i], b->strs.items[i]);

		if (order)
			return order;
	}
	return compare_u64(a->strs.count, b->strs.count);
}

static int compare_bytes(const struct cell *a, const struct cell *b)
{
	size_t least = a->bytes.count < b->bytes.count ? a->bytes.count : b->bytes.count;
	int order = least ? memcmp(a->bytes.bytes, b->bytes.bytes, least) : 0;

	return order ? order : compare_u64(a->bytes.count, b->bytes.count);
}

static int compare_explained(const struct cell *a, const struct cell *b)
{
	for (size_t i = 0; i < a->explained.count && i < b->explained.count; i++) {
		int order = compare_u64(a->explained.items[i].value, b->explained.items[i].value);

		if (order)
			return order;
	}
	return compare_u64(a->explained.count, b->explained.count);
}

int cell_compare(enum cell_type type, const struct cell *a, const struct cell *b)
{
	bool has_a = cell_has_value(type, a), has_b = cell_has_value(type, b);

	if (!has_a || !has_b)
		return has_b - has_a;
	switch (type) {
	case CELL_U64:
	case CELL_ADDR:
	case CELL_TIME:
		return compare_u64(a->u64, b->u64);
	case CELL_I64:
		return a->i64 < b->i64 ? -1 : a->i64 > b->i64;
	case CELL_BOOL:
		return a->boolean - b->boolean;
	case CELL_STR:
		return compare_strings(a->str, b->str);
	case CELL_ADDRS:
		return compare_addrs(a, b);
	case CELL_STRS:
		return compare_strs(a, b);
	case CELL_BYTES:
		return compare_bytes(a, b);
	case CELL_EXPLAINED:
		return compare_explained(a, b);
	}
	return 0;
}

struct sort {
	const struct rows *rows;
	const struct sort_key *keys;
	size_t num_keys;
};

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct sort *sort = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;

	for (size_t k = 0; k < sort->num_keys; k++) {
		const struct sort_key *key = &sort->keys[k];
		enum cell_type type = sort->rows->columns[key->column].type;
		const struct cell *x = &sort->rows->items[i].cells[key->column];
		const struct cell *y = &sort->rows->items[j].cells[key->column];
		int order = cell_compare(type, x, y);

		if (!order)
			continue;
		if (key->descending && cell_has_value(type, x) && cell_has_value(type, y))
			return -order;
		return order;
	}
	return i < j ? -1 : i > j;
}

struct error *rows_sort(struct rows *r, const struct sort_key *keys, size_t num_keys)
{
	struct sort sort = { r, keys, num_keys };
	size_t *order = calloc(r->count + 1, sizeof(*order));
	struct kept_row *sorted = calloc(r->count + 1, sizeof(*sorted));

	if (!order || !sorted) {
		free(order);
		free(sorted);
		return &error_no_memory;
	}
	for (size_t i = 0; i < r->count; i++)
		order[i] = i;
	qsort_r(order, r->count, sizeof(*order), compare_rows, &sort);
	for (size_t i = 0; i < r->count; i++)
		sorted[i] = r->items[order[i]];
	free(r->items);
	free(order);
	r->items = sorted;
	r->capacity = r->count + 1;
	return NULL;
}
