/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <ctype.h>
#include <string.h>

enum { MAX_EDIT_LENGTH = 64, MAX_EDITS = 2 };

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: the three last rows of the table of prefixes. */
unsigned edit_distance(const char *a, const char *b)
{
	unsigned table[3][MAX_EDIT_LENGTH + 1];
	unsigned *before = table[0], *above = table[1], *row = table[2];
	size_t a_len = strnlen(a, MAX_EDIT_LENGTH), b_len = strnlen(b, MAX_EDIT_LENGTH);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned change = above[j - 1] + !same(a[i - 1], b[j - 1]);

			row[j] = smaller(smaller(above[j], row[j - 1]) + 1, change);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
	}
	return row[b_len];
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	unsigned distance = edit_distance(n->asked, candidate);

	if (n->best && distance >= n->distance)
		return;
	n->best = candidate;
	n->distance = distance;
}

const char *nearest_best(const struct nearest *n)
{
	if (!n->best || n->distance > MAX_EDITS || n->distance >= strlen(n->asked))
		return NULL;
	return n->best;
}
