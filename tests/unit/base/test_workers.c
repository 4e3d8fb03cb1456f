/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <time.h>

#include "base/workers.h"

enum { NUM_JOBS = 1000 };

struct work {
	unsigned runs[NUM_JOBS];
	size_t fail_from, fail_step; /* fail_step 0: none fails */
};

static struct error *count(void *arg, size_t index)
{
	struct work *w = arg;
	struct timespec pause = { .tv_nsec = index % 7 == 0 ? 100000 : 0 };

	if (pause.tv_nsec)
		nanosleep(&pause, NULL);
	w->runs[index]++;
	if (w->fail_step && index >= w->fail_from && (index - w->fail_from) % w->fail_step == 0)
		return error_new(ERROR_CORRUPT, "job %zu", index);
	return NULL;
}

Test(workers, every_job_runs_once)
{
	static const unsigned threads[] = { 0, 1, 2, 7, 2000 };

	for (size_t t = 0; t < ARRAY_SIZE(threads); t++) {
		struct work w = { 0 };

		cr_assert_null(workers_run(threads[t], NUM_JOBS, count, &w));
		for (size_t i = 0; i < NUM_JOBS; i++)
			cr_assert_eq(w.runs[i], 1);
	}
}

Test(workers, the_lowest_failure_wins_at_any_thread_count)
{
	static const unsigned threads[] = { 1, 2, 3, 8, 64 };

	for (size_t t = 0; t < ARRAY_SIZE(threads); t++) {
		struct work w = { .fail_from = 321, .fail_step = 1 };
		struct error *err = workers_run(threads[t], NUM_JOBS, count, &w);

		cr_assert_not_null(err);
		cr_assert_str_eq(error_message(err), "job 321");
		error_destroy(err);
		for (size_t i = 0; i <= 321; i++)
			cr_assert_eq(w.runs[i], 1);
		if (threads[t] == 1)
			cr_assert_eq(w.runs[322], 0);
		cr_assert_eq(w.runs[NUM_JOBS - 1], 0);
	}
}

Test(workers, no_jobs)
{
	cr_assert_null(workers_run(0, 0, count, NULL));
	cr_assert_geq(workers_default_threads(), 1);
}
