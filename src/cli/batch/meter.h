/* SPDX-License-Identifier: MIT */
#ifndef CLI_BATCH_METER_H
#define CLI_BATCH_METER_H

#include <stdio.h>

#include "base/compiler.h"

/*
 * How far a batch has come, for people: on a terminal a bar that is drawn anew a few times a second
 * and erased at the end, elsewhere a line every METER_LINE_SECONDS. Rate and remaining time are
 * those of what this run did.
 */
enum { METER_LINE_SECONDS = 10 };

struct meter {
	FILE *out; /* NULL: nothing is said */
	bool is_terminal;
	size_t total, before; /* before: done by an earlier run */
	double start, shown_at;
	bool shown;
};

void meter_begin(struct meter *m, FILE *out, bool is_terminal, size_t total, size_t before,
		 double now);
/* done: of total; now: seconds of the monotonic clock. Says something when it is time. */
void meter_tick(struct meter *m, size_t done, double now);
/* Before anything else is printed, and at the end. */
void meter_erase(struct meter *m);
/* Seconds until there may be something to say. */
double meter_interval(const struct meter *m);
/* "17/220 7%, 12.5/s, 0:16 left", with a bar of so many columns before it (0: none). */
void meter_format(const struct meter *m, size_t done, double now, unsigned bar, char *ret,
		  size_t size);

#endif
