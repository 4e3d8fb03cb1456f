/* SPDX-License-Identifier: MIT */
#include "cli/verify/edit_script.h"

#include <stdlib.h>

/*
 * reach[d][k], at d * d + d + k: how far in a one comes on diagonal k = i - j with d edits, or
 * OFF_GRID. All levels are kept, because the way back needs them.
 */
enum { OFF_GRID = -1, REACH_SIZE = (EDIT_SCRIPT_MAX + 1) * (EDIT_SCRIPT_MAX + 1) };

struct search {
	const uint32_t *a, *b;
	int64_t n, m;
	int32_t *reach;
};

static int64_t reach_at(const struct search *s, int64_t d, int64_t k)
{
	return k < -d || k > d ? OFF_GRID : s->reach[d * d + d + k];
}

/* Where the d-th edit leads to on diagonal k, before equal items are followed; *from_ret is the
 * diagonal that it came from. */
static int64_t after_edit(const struct search *s, int64_t d, int64_t k, int64_t *from_ret)
{
	int64_t removing = reach_at(s, d - 1, k - 1), adding = reach_at(s, d - 1, k + 1);

	removing = removing == OFF_GRID || removing == s->n ? OFF_GRID : removing + 1;
	if (adding != OFF_GRID && adding - k > s->m)
		adding = OFF_GRID;
	*from_ret = adding >= removing ? k + 1 : k - 1;
	return adding >= removing ? adding : removing;
}

static int64_t follow_equal(const struct search *s, int64_t i, int64_t k)
{
	while (i != OFF_GRID && i < s->n && i - k < s->m && s->a[i] == s->b[i - k])
		i++;
	return i;
}

/* One level; true: the ends were reached. */
static bool search_level(struct search *s, int64_t d)
{
	for (int64_t k = -d; k <= d; k++)
		s->reach[d * d + d + k] = OFF_GRID;
	for (int64_t k = -d; k <= d; k += 2) {
		int64_t from, i = d ? after_edit(s, d, k, &from) : 0;

		i = follow_equal(s, i, k);
		s->reach[d * d + d + k] = (int32_t)i;
		if (i == s->n && i - k == s->m)
			return true;
	}
	return false;
}

struct error *edit_script(const uint32_t *a, size_t n, const uint32_t *b, size_t m,
			  void (*match_ret)(void *arg, size_t i, size_t j), void *arg,
			  bool *found_ret)
{
	struct search s = { .a = a, .b = b, .n = (int64_t)n, .m = (int64_t)m };
	int64_t d = 0, i = s.n, k = s.n - s.m;

	*found_ret = false;
	s.reach = malloc(REACH_SIZE * sizeof(*s.reach));
	if (!s.reach)
		return &error_no_memory;
	while (d <= EDIT_SCRIPT_MAX && !search_level(&s, d))
		d++;
	*found_ret = d <= EDIT_SCRIPT_MAX;
	for (; *found_ret && d >= 0; d--) {
		int64_t from = k, start = d ? after_edit(&s, d, k, &from) : 0;

		for (; i > start; i--)
			match_ret(arg, (size_t)(i - 1), (size_t)(i - 1 - k));
		k = from;
		i = d ? reach_at(&s, d - 1, k) : 0;
	}
	free(s.reach);
	return NULL;
}
