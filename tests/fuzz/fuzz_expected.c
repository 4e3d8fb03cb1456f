/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cli/verify/compare.h"
#include "fuzz.h"

enum { MAX_INPUT = 16 << 10, MAX_MEMORY = 16 << 20 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void must(struct error *err)
{
	check(!err);
}

static struct error *take_difference(void *arg, const struct difference *d)
{
	size_t *count = arg;

	check(d->command != NULL);
	++*count;
	return NULL;
}

static void write_text(struct arena *a, const struct expected *e, const char **text_ret,
		       size_t *len_ret)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len_ret);

	check(out != NULL);
	must(expected_write(out, e));
	fclose(out);
	*text_ret = arena_strndup(a, text, *len_ret);
	free(text);
}

/* With itself there is no difference; with any other result, whatever there is is told. */
static void compare(const struct expected *e)
{
	struct diag diag;
	size_t told = 0;
	const struct compare_options options = { .fn = take_difference,
						 .arg = &told,
						 .diag = &diag };
	struct compare_counts counts = { 0 };

	diag_init(&diag, NULL, NULL);
	for (size_t i = 0; i < e->num_results; i++) {
		const struct expected_result *r = &e->results[i], *other = &e->results[0];

		must(compare_results(r, r, "pid", &options, &counts));
		must(compare_results(r, r, NULL, &options, &counts));
		check(!counts.total && !told);
		must(compare_results(other, r, "pid", &options, &counts));
		must(compare_results(r, other, NULL, &options, &counts));
		check(counts.total == told);
		counts = (struct compare_counts){ 0 };
		told = 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expected e, again;
	struct arena a;
	struct error *err;
	const char *text, *text_again;
	size_t len, len_again;

	if (size > MAX_INPUT)
		return 0;
	arena_init(&a, 0);
	err = expected_read(&a, data, size, MAX_MEMORY, &e);
	if (err) {
		check(error_message(err)[0]);
		error_destroy(err);
		arena_deinit(&a);
		return 0;
	}
	write_text(&a, &e, &text, &len);
	must(expected_read(&a, (const uint8_t *)text, len, MAX_MEMORY, &again));
	write_text(&a, &again, &text_again, &len_again);
	check(len == len_again && memcmp(text, text_again, len) == 0);
	compare(&e);
	arena_deinit(&a);
	return 0;
}
