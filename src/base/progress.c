/* SPDX-License-Identifier: MIT */
#include "base/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const uint64_t PROGRESS_INTERVAL_NS = 100000000;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void progress_begin(struct progress *p, const char *label, uint64_t total, bool quiet)
{
	*p = (struct progress){
		.label = label,
		.total = total,
		.last_ns = now_ns(), /* what is done in an instant shows nothing */
		.enabled = !quiet && isatty(STDERR_FILENO),
	};
}

void progress_add(struct progress *p, uint64_t amount)
{
	uint64_t done = __atomic_add_fetch(&p->done, amount, __ATOMIC_RELAXED);
	uint64_t last, now;
	double percent;

	if (!p->enabled)
		return;
	now = now_ns();
	last = __atomic_load_n(&p->last_ns, __ATOMIC_RELAXED);
	if (now < last + PROGRESS_INTERVAL_NS)
		return;
	/* Of the threads that find it is time, one prints. */
	if (!__atomic_compare_exchange_n(&p->last_ns, &last, now, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return;
	percent = p->total ? 100.0 * (double)done / (double)p->total : 0;
	fprintf(stderr, "\r\033[K%s %.0f%%", p->label, percent < 100 ? percent : 100);
	fflush(stderr);
	__atomic_store_n(&p->shown, true, __ATOMIC_RELAXED);
}

void progress_end(struct progress *p)
{
	if (!__atomic_exchange_n(&p->shown, false, __ATOMIC_RELAXED))
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}
