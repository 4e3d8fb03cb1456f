/* SPDX-License-Identifier: MIT */
#include "cli/verify/row_diff.h"

#include <stdlib.h>
#include <string.h>

#include "cli/verify/edit_script.h"

struct row_ref {
	const char *const *cells;
	size_t row;
};

/* One of the tables, while partners are looked for in the other one. */
struct side {
	const struct diff_table *table;
	struct row_ref *sorted; /* by key, then by all cells, then by place */
	uint32_t *ids;		/* by row: the same for equal rows */
	size_t *partner;	/* by row: the other table's row that it is; ROW_NONE */
};

struct matcher {
	const struct diff_options *options;
	struct side old_side, new_side;
};

static int compare_keys(const struct diff_options *o, const char *const *a, const char *const *b)
{
	for (size_t i = 0; i < o->num_keys; i++) {
		int order = strcmp(a[o->keys[i]], b[o->keys[i]]);

		if (order)
			return order;
	}
	return 0;
}

static int compare_cells(const struct diff_options *o, const char *const *a, const char *const *b)
{
	for (size_t i = 0; i < o->num_columns; i++) {
		int order = strcmp(a[i], b[i]);

		if (order)
			return order;
	}
	return 0;
}

static int compare_places(const void *x, const void *y)
{
	const struct row_ref *a = x, *b = y;

	return a->row < b->row ? -1 : a->row > b->row;
}

static int compare_refs(const void *x, const void *y, void *arg)
{
	const struct row_ref *a = x, *b = y;
	const struct diff_options *o = arg;
	int order = compare_keys(o, a->cells, b->cells);

	if (!order)
		order = compare_cells(o, a->cells, b->cells);
	return order ? order : compare_places(a, b);
}

static struct error *side_init(struct side *s, const struct diff_table *table,
			       const struct diff_options *o)
{
	size_t count = table->num_rows;

	s->table = table;
	s->sorted = calloc(count + 1, sizeof(*s->sorted));
	s->ids = calloc(count + 1, sizeof(*s->ids));
	s->partner = calloc(count + 1, sizeof(*s->partner));
	if (!s->sorted || !s->ids || !s->partner)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		s->sorted[i] = (struct row_ref){ table->cells + i * o->num_columns, i };
		s->partner[i] = ROW_NONE;
	}
	qsort_r(s->sorted, count, sizeof(*s->sorted), compare_refs, (void *)o);
	return NULL;
}

static void side_deinit(struct side *s)
{
	free(s->sorted);
	free(s->ids);
	free(s->partner);
}

static void match(struct matcher *m, size_t old_row, size_t new_row)
{
	m->old_side.partner[old_row] = new_row;
	m->new_side.partner[new_row] = old_row;
}

/* Rows of one key. */
struct group {
	struct row_ref *refs;
	size_t count;
};

static struct group take_group(const struct matcher *m, const struct side *s, size_t from)
{
	struct group g = { s->sorted + from, 1 };

	while (from + g.count < s->table->num_rows &&
	       compare_keys(m->options, g.refs[0].cells, g.refs[g.count].cells) == 0)
		g.count++;
	return g;
}

/* Keeps those of a group that have no partner, in their places' order. */
static void keep_lonely(const struct side *s, struct group *g)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->count; i++) {
		if (s->partner[g->refs[i].row] == ROW_NONE)
			g->refs[kept++] = g->refs[i];
	}
	g->count = kept;
	qsort(g->refs, kept, sizeof(*g->refs), compare_places);
}

/* Equal rows, then the others as they come. */
static void match_group(struct matcher *m, struct group old_group, struct group new_group)
{
	size_t i = 0, j = 0;

	while (i < old_group.count && j < new_group.count) {
		int order =
			compare_cells(m->options, old_group.refs[i].cells, new_group.refs[j].cells);

		if (!order)
			match(m, old_group.refs[i].row, new_group.refs[j].row);
		i += order <= 0;
		j += order >= 0;
	}
	if (!m->options->num_keys)
		return;
	keep_lonely(&m->old_side, &old_group);
	keep_lonely(&m->new_side, &new_group);
	for (i = 0; i < old_group.count && i < new_group.count; i++)
		match(m, old_group.refs[i].row, new_group.refs[i].row);
}

/* Without keys all rows are one group. */
static void match_by_key(struct matcher *m)
{
	size_t i = 0, j = 0;

	while (i < m->old_side.table->num_rows && j < m->new_side.table->num_rows) {
		struct group old_group = take_group(m, &m->old_side, i);
		struct group new_group = take_group(m, &m->new_side, j);
		int order =
			compare_keys(m->options, old_group.refs[0].cells, new_group.refs[0].cells);

		if (!order)
			match_group(m, old_group, new_group);
		i += order <= 0 ? old_group.count : 0;
		j += order >= 0 ? new_group.count : 0;
	}
}

/* Numbers the rows of both tables so that equal rows have equal numbers. */
static void number_rows(struct matcher *m)
{
	struct side *o = &m->old_side, *n = &m->new_side;
	size_t i = 0, j = 0, old_count = o->table->num_rows, new_count = n->table->num_rows;
	const char *const *last = NULL;
	uint32_t id = 0;

	while (i < old_count || j < new_count) {
		bool is_old = j == new_count ||
			      (i < old_count && compare_cells(m->options, o->sorted[i].cells,
							      n->sorted[j].cells) <= 0);
		const struct row_ref *ref = is_old ? &o->sorted[i++] : &n->sorted[j++];

		if (last && compare_cells(m->options, last, ref->cells) != 0)
			id++;
		last = ref->cells;
		(is_old ? o : n)->ids[ref->row] = id;
	}
}

/* A part of both tables whose rows before it are matched. */
struct part {
	struct matcher *matcher;
	size_t start;
};

static void match_in_part(void *arg, size_t i, size_t j)
{
	struct part *part = arg;

	match(part->matcher, part->start + i, part->start + j);
}

static bool are_similar(const struct matcher *m, size_t old_row, size_t new_row)
{
	const char *const *a = m->old_side.table->cells + old_row * m->options->num_columns;
	const char *const *b = m->new_side.table->cells + new_row * m->options->num_columns;
	size_t equal = 0;

	for (size_t i = 0; i < m->options->num_columns; i++)
		equal += strcmp(a[i], b[i]) == 0;
	return 2 * equal >= m->options->num_columns ||
	       (m->old_side.table->num_rows == 1 && m->new_side.table->num_rows == 1);
}

/* Between matched rows: those that were changed rather than removed and added. */
static void match_similar(struct matcher *m)
{
	size_t i = 0, j = 0;

	while (i < m->old_side.table->num_rows && j < m->new_side.table->num_rows) {
		bool old_lonely = m->old_side.partner[i] == ROW_NONE;
		bool new_lonely = m->new_side.partner[j] == ROW_NONE;

		if (old_lonely && new_lonely && are_similar(m, i, j))
			match(m, i, j);
		/* A lonely row waits for the other table to come to its gap. */
		i += old_lonely || !new_lonely;
		j += new_lonely || !old_lonely;
	}
}

static struct error *match_by_place(struct matcher *m)
{
	struct side *o = &m->old_side, *n = &m->new_side;
	size_t old_count = o->table->num_rows, new_count = n->table->num_rows;
	struct part part = { .matcher = m };
	struct error *err;
	bool found;

	number_rows(m);
	for (; part.start < old_count && part.start < new_count &&
	       o->ids[part.start] == n->ids[part.start];
	     part.start++)
		match(m, part.start, part.start);
	for (; old_count > part.start && new_count > part.start &&
	       o->ids[old_count - 1] == n->ids[new_count - 1];
	     old_count--, new_count--)
		match(m, old_count - 1, new_count - 1);
	if ((err = edit_script(o->ids + part.start, old_count - part.start, n->ids + part.start,
			       new_count - part.start, match_in_part, &part, &found)))
		return err;
	if (found)
		match_similar(m);
	else
		match_by_key(m);
	return NULL;
}

static bool is_changed(const struct matcher *m, size_t old_row, size_t new_row)
{
	size_t n = m->options->num_columns;

	return compare_cells(m->options, m->old_side.table->cells + old_row * n,
			     m->new_side.table->cells + new_row * n) != 0;
}

static struct error *list_changes(const struct matcher *m, struct row_diff *ret)
{
	size_t old_count = m->old_side.table->num_rows, new_count = m->new_side.table->num_rows;
	struct row_diff d = { .items = calloc(old_count + new_count + 1, sizeof(*d.items)) };
	size_t last = 0;

	if (!d.items)
		return &error_no_memory;
	for (size_t i = 0; i < old_count; i++) {
		size_t partner = m->old_side.partner[i];

		if (partner == ROW_NONE || is_changed(m, i, partner))
			d.items[d.count++] = (struct row_change){ i, partner };
		if (partner == ROW_NONE)
			continue;
		d.reordered |= partner < last;
		last = partner;
	}
	for (size_t j = 0; j < new_count; j++) {
		if (m->new_side.partner[j] == ROW_NONE)
			d.items[d.count++] = (struct row_change){ ROW_NONE, j };
	}
	*ret = d;
	return NULL;
}

struct error *row_diff(const struct diff_table *old_table, const struct diff_table *new_table,
		       const struct diff_options *options, struct row_diff *ret)
{
	struct matcher m = { .options = options };
	struct error *err = NULL;

	if ((err = side_init(&m.old_side, old_table, options)) ||
	    (err = side_init(&m.new_side, new_table, options)))
		goto out;
	if (options->num_keys)
		match_by_key(&m);
	else
		err = match_by_place(&m);
	if (!err)
		err = list_changes(&m, ret);
out:
	side_deinit(&m.old_side);
	side_deinit(&m.new_side);
	return err;
}

void row_diff_deinit(struct row_diff *d)
{
	free(d->items);
	*d = (struct row_diff){ 0 };
}
