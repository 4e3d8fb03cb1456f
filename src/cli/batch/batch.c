/* SPDX-License-Identifier: MIT */
#include "cli/batch/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output/json_text.h"

/* An input between its beginning and its record. */
struct slot {
	bool done;
	struct pool_outcome outcome; /* report -1: no process was started */
};

struct running {
	struct batch *b;
	struct pool pool;
	struct slot *slots; /* of input i: i % window */
	size_t window;
	size_t next_start, next_add;
	FILE *scratch;	    /* the record that is being made */
	struct arena arena; /* of one record */
};

/* A file's bytes. */
struct mapping {
	const char *text;
	size_t len;
};

static struct error *map_file(int fd, struct mapping *ret)
{
	struct stat st;
	void *text = NULL;

	if (fstat(fd, &st) < 0)
		return error_os(errno, "a temporary file");
	if (st.st_size)
		text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return error_os(errno, "cannot map a temporary file");
	*ret = (struct mapping){ text, (size_t)st.st_size };
	return NULL;
}

static void unmap(struct mapping *m)
{
	if (m->len)
		munmap((void *)(uintptr_t)m->text, m->len);
}

static int run_worker(void *arg, size_t id, int report)
{
	const struct batch *b = arg;
	struct worker_job job = b->job;

	job.path = b->inputs->items[id].path;
	return worker_run(&job, report);
}

static const char *json_string(struct arena *arena, const char *text)
{
	char *json = NULL;
	const char *copy;
	size_t len = 0;
	FILE *out = open_memstream(&json, &len);

	if (!out)
		return NULL;
	json_put_string(out, text);
	copy = fclose(out) == 0 ? arena_strndup(arena, json, len) : NULL;
	free(json);
	return copy;
}

/* *ret of a worker that did not finish its report. */
static void judge_end(struct arena *arena, const struct pool_outcome *o, struct record_result *ret)
{
	int number = WIFSIGNALED(o->wait_status) ? WTERMSIG(o->wait_status) : 0;
	const char *name = number ? sigabbrev_np(number) : NULL;
	const char *error = NULL;
	size_t len = strlen(o->said);

	if (o->timed_out || number == SIGXCPU) {
		ret->status = ret->exit_reason = "timeout";
		error = "took longer than --timeout";
	} else if (number) {
		ret->status = "crashed";
		ret->exit_reason = name ? arena_printf(arena, "signal SIG%s", name)
					: arena_printf(arena, "signal %d", number);
		error = "its process was ended by a signal";
	} else {
		ret->status = "failed";
		ret->exit_reason = arena_printf(arena, "exit %d", WEXITSTATUS(o->wait_status));
		error = "its process ended early";
	}
	while (len && o->said[len - 1] == '\n')
		len--;
	if (len)
		error = arena_printf(arena, "%s: %.*s", error, (int)len, o->said);
	ret->error = error ? json_string(arena, error) : NULL;
	ret->error_len = ret->error ? strlen(ret->error) : 0;
	if (!ret->exit_reason)
		ret->exit_reason = ret->status;
}

static void judge_problem(struct arena *arena, const char *problem, struct record_result *ret)
{
	ret->status = "failed";
	ret->exit_reason = "not started";
	ret->error = json_string(arena, problem);
	ret->error_len = ret->error ? strlen(ret->error) : 0;
}

/* Makes the record in the scratch file, and adds it. */
static struct error *add_record(struct running *r, const struct input *input,
				const struct record_result *result, const struct mapping *report)
{
	struct batch *b = r->b;
	struct mapping record;
	struct error *err;

	record_write(r->scratch, b->run, input, b->plan, result, report->text, report->len);
	if (fflush(r->scratch) != 0 || ferror(r->scratch))
		return error_os(errno, "cannot write a temporary file");
	if ((err = map_file(fileno(r->scratch), &record)))
		return err;
	err = b->results->ops->add(b->results, &(struct span){ record.text, record.len });
	unmap(&record);
	if (ftruncate(fileno(r->scratch), 0) < 0 && !err)
		err = error_os(errno, "a temporary file");
	return err;
}

static struct error *add_slot(struct running *r, const struct input *input, struct slot *slot)
{
	struct mapping report = { NULL, 0 };
	struct record_result result = { 0 };
	struct batch *b = r->b;
	struct error *err = NULL;

	if (slot->outcome.report >= 0) {
		err = map_file(slot->outcome.report, &report);
		close(slot->outcome.report);
		if (err)
			return err;
		if (!record_read_result(&r->arena, report.text, report.len, &result))
			judge_end(&r->arena, &slot->outcome, &result);
	} else {
		judge_problem(&r->arena, input->problem, &result);
	}
	result.has_seconds = b->timing;
	result.seconds = slot->outcome.seconds;
	err = add_record(r, input, &result, &report);
	if (!err && b->shown) {
		meter_erase(&b->meter);
		err = b->shown(b->shown_arg, input, &result);
	}
	unmap(&report);
	arena_reset(&r->arena);
	return err;
}

static struct slot *slot_of(const struct running *r, size_t index)
{
	return &r->slots[index % r->window];
}

static struct error *start_more(struct running *r)
{
	const struct inputs *inputs = r->b->inputs;
	struct error *err = NULL;

	while (!err && r->next_start < inputs->count && r->next_start < r->next_add + r->window &&
	       r->pool.count < r->b->jobs) {
		struct slot *slot = slot_of(r, r->next_start);

		*slot = (struct slot){ .outcome.report = -1 };
		if (inputs->items[r->next_start].problem)
			slot->done = true;
		else
			err = pool_start(&r->pool, r->next_start);
		r->next_start++;
	}
	return err;
}

static struct error *add_done(struct running *r)
{
	struct error *err = NULL;

	while (!err && r->next_add < r->next_start && slot_of(r, r->next_add)->done) {
		err = add_slot(r, &r->b->inputs->items[r->next_add], slot_of(r, r->next_add));
		r->next_add++;
	}
	return err;
}

static void wait_for_one(struct running *r)
{
	struct pool_outcome outcome;

	if (!pool_wait(&r->pool, meter_interval(&r->b->meter), &outcome))
		return;
	slot_of(r, outcome.id)->outcome = outcome;
	slot_of(r, outcome.id)->done = true;
}

static struct error *run_all(struct running *r)
{
	struct batch *b = r->b;
	struct error *err = NULL;

	while (!err && r->next_add < b->inputs->count && !r->pool.stop_signal) {
		if ((err = start_more(r)))
			break;
		if (!slot_of(r, r->next_add)->done)
			wait_for_one(r);
		err = add_done(r);
		meter_tick(&b->meter, r->next_add, pool_clock());
	}
	b->stop_signal = r->pool.stop_signal;
	return err;
}

static struct error *open_scratch(FILE **ret)
{
	struct error *err;
	int fd;

	if ((err = pool_scratch_file(&fd)))
		return err;
	*ret = fdopen(fd, "a");
	if (*ret)
		return NULL;
	close(fd);
	return &error_no_memory;
}

struct error *batch_run(struct batch *b)
{
	struct running r = { .b = b, .next_start = b->before, .next_add = b->before };
	struct meter *m = &b->meter;
	struct error *err;

	r.window = 2 * b->jobs > BATCH_WINDOW ? 2 * b->jobs : BATCH_WINDOW;
	r.slots = calloc(r.window, sizeof(*r.slots));
	if (!r.slots)
		return &error_no_memory;
	if ((err = open_scratch(&r.scratch))) {
		free(r.slots);
		return err;
	}
	arena_init(&r.arena, 0);
	meter_begin(m, m->out, m->is_terminal, b->inputs->count, b->before, pool_clock());
	pool_init(&r.pool, &b->limits, run_worker, b);
	err = run_all(&r);
	pool_deinit(&r.pool);
	meter_erase(m);
	for (size_t i = r.next_add; i < r.next_start; i++) {
		if (slot_of(&r, i)->done && slot_of(&r, i)->outcome.report >= 0)
			close(slot_of(&r, i)->outcome.report);
	}
	arena_deinit(&r.arena);
	fclose(r.scratch);
	free(r.slots);
	return err;
}
