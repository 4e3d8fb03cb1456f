/* SPDX-License-Identifier: MIT */
#include "output/text_layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* A text is not cut to less. */
enum { LEAST_TEXT = 16 };

bool text_can_be_cut(enum cell_type type)
{
	return type == CELL_STR || type == CELL_STRS || type == CELL_ADDRS ||
	       type == CELL_EXPLAINED;
}

struct error *text_layout_create(const struct column *columns, const unsigned *shown,
				 size_t num_shown, struct text_layout *ret)
{
	struct text_column *items = calloc(num_shown + 1, sizeof(*items));

	if (!items)
		return &error_no_memory;
	for (size_t i = 0; i < num_shown; i++) {
		const struct column *column = &columns[shown[i]];
		size_t header = strlen(column->header);
		size_t width = column->width > 0 ? (size_t)column->width : 0;

		items[i].index = shown[i];
		items[i].width = width > header ? width : header;
	}
	*ret = (struct text_layout){ .items = items, .count = num_shown };
	return NULL;
}

void text_layout_deinit(struct text_layout *l)
{
	free(l->items);
	*l = (struct text_layout){ 0 };
}

static size_t least_width(const struct text_column *item, const struct column *columns)
{
	if (!text_can_be_cut(columns[item->index].type) || item->width < LEAST_TEXT)
		return item->width;
	return LEAST_TEXT;
}

/* What all take when they are as narrow as they can be. */
static size_t least_line(const struct text_layout *l, const struct column *columns)
{
	size_t sum = 0;

	for (size_t i = 0; i < l->count; i++)
		sum += least_width(&l->items[i], columns) + (i ? TEXT_GAP : 0);
	return sum;
}

static void leave_out(struct text_layout *l, const struct column *columns)
{
	size_t victim = l->count - 1;

	for (size_t i = 0; i < l->count; i++) {
		if (columns[l->items[i].index].flags & COL_MINOR)
			victim = i;
	}
	for (size_t i = victim + 1; i < l->count; i++)
		l->items[i - 1] = l->items[i];
	l->count--;
	l->left_out++;
}

static void make_narrower(struct text_layout *l, const struct column *columns)
{
	size_t sum = 0;

	for (size_t i = 0; i < l->count; i++)
		sum += l->items[i].width + (i ? TEXT_GAP : 0);
	for (size_t i = l->count; i-- > 0 && sum > l->line;) {
		size_t room = l->items[i].width - least_width(&l->items[i], columns);
		size_t cut = sum - l->line < room ? sum - l->line : room;

		l->items[i].width -= cut;
		sum -= cut;
	}
}

void text_layout_fit(struct text_layout *l, const struct column *columns, size_t line)
{
	size_t limit = line;

	l->line = line;
	while (l->count > 1 && least_line(l, columns) > line)
		leave_out(l, columns);
	make_narrower(l, columns);
	/* A longer cell pushes its neighbours, as long as all of them have their place. */
	for (size_t i = l->count; i-- > 0;) {
		l->items[i].limit = limit;
		limit -= limit > l->items[i].width + TEXT_GAP ? l->items[i].width + TEXT_GAP : 0;
	}
}
