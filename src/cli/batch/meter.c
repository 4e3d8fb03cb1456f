/* SPDX-License-Identifier: MIT */
#include "cli/batch/meter.h"

#include <string.h>

enum { BAR_WIDTH = 24, MAX_HOURS = 9999 };
static const double REDRAW_SECONDS = 0.2;

void meter_begin(struct meter *m, FILE *out, bool is_terminal, size_t total, size_t before,
		 double now)
{
	*m = (struct meter){
		.out = out,
		.is_terminal = is_terminal,
		.total = total,
		.before = before,
		.start = now,
		.shown_at = now, /* what is done in an instant shows nothing */
	};
}

double meter_interval(const struct meter *m)
{
	return m->is_terminal ? REDRAW_SECONDS : METER_LINE_SECONDS;
}

/* "3:07:12", "16:05". */
static void format_time(double seconds, char *ret, size_t size)
{
	const double most = MAX_HOURS * 3600.0;
	unsigned long s = (unsigned long)(seconds < most ? seconds : most);

	if (s >= 3600)
		snprintf(ret, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(ret, size, "%lu:%02lu", s / 60, s % 60);
}

void meter_format(const struct meter *m, size_t done, double now, unsigned bar, char *ret,
		  size_t size)
{
	double passed = now - m->start, mine = (double)(done - m->before), rate = 0;
	double part = m->total ? (double)done / (double)m->total : 1;
	char filled[BAR_WIDTH + 4] = "", left[32] = "";

	if (bar) {
		unsigned full = (unsigned)(part * bar);

		filled[0] = '[';
		for (unsigned i = 0; i < bar; i++)
			filled[1 + i] = i < full ? '#' : '.';
		memcpy(filled + 1 + bar, "] ", sizeof("] "));
	}
	if (passed > 0)
		rate = mine / passed;
	if (rate > 0)
		format_time((double)(m->total - done) / rate, left, sizeof(left));
	snprintf(ret, size, "%s%zu/%zu %.0f%%, %.1f/s%s%s%s", filled, done, m->total, 100 * part,
		 rate, *left ? ", " : "", left, *left ? " left" : "");
}

void meter_tick(struct meter *m, size_t done, double now)
{
	char text[160];

	if (!m->out || now < m->shown_at + meter_interval(m))
		return;
	m->shown_at = now;
	meter_format(m, done, now, m->is_terminal ? BAR_WIDTH : 0, text, sizeof(text));
	if (m->is_terminal)
		fprintf(m->out, "\r\033[K%s", text);
	else
		fprintf(m->out, "ntscope: batch: %s\n", text);
	fflush(m->out);
	m->shown = m->is_terminal;
}

void meter_erase(struct meter *m)
{
	if (!m->shown)
		return;
	fputs("\r\033[K", m->out);
	fflush(m->out);
	m->shown = false;
}
