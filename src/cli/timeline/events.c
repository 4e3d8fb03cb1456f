/* SPDX-License-Identifier: MIT */
#include "cli/timeline/events.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/filetime.h"

#define TICKS_PER_DAY  (UINT64_C(86400) * FILETIME_SECOND)
#define TICKS_OF_1980  (UINT64_C(138426) * TICKS_PER_DAY) /* days from 1601-01-01 */
#define TICKS_PER_YEAR (UINT64_C(36525) * TICKS_PER_DAY / 100)
enum {
	CLOCK_SLACK_DAYS = 1, /* the clock may have been set back, or be of another zone */
	FARTHEST_AHEAD_YEARS = 100,
	LAST_YEAR = 2155, /* where the time of the capture is unknown */
};

void events_init(struct event_list *l, const struct event_filter *filter, uint64_t now)
{
	*l = (struct event_list){ .filter = filter, .now = now };
	arena_init(&l->arena, 0);
}

void events_deinit(struct event_list *l)
{
	arena_deinit(&l->arena);
	free(l->items);
	*l = (struct event_list){ 0 };
}

static bool is_odd(const struct event_list *l, const struct event *e)
{
	uint64_t last = (LAST_YEAR - 1601) * TICKS_PER_YEAR;

	if (l->now && timeline_kinds[e->kind].ahead)
		last = l->now + FARTHEST_AHEAD_YEARS * TICKS_PER_YEAR;
	else if (l->now)
		last = l->now + CLOCK_SLACK_DAYS * TICKS_PER_DAY;
	return e->time < TICKS_OF_1980 || e->time > last;
}

/* A time is compared with as many digits as are given, as --where does. */
static bool is_within(const struct event_filter *f, uint64_t time)
{
	char text[FILETIME_TEXT_SIZE];

	if (!f->since && !f->until)
		return true;
	if (!filetime_format(time, text))
		return !f->until;
	return (!f->since || strncmp(text, f->since, strlen(f->since)) >= 0) &&
	       (!f->until || strncmp(text, f->until, strlen(f->until)) <= 0);
}

/* NULL stays NULL. */
static struct error *copy_text(struct event_list *l, const char **text)
{
	if (!*text)
		return NULL;
	if (l->arena.used + strlen(*text) > EVENTS_MAX_BYTES)
		return error_new(ERROR_LIMIT, "more than %" PRIu64 " bytes of names",
				 EVENTS_MAX_BYTES);
	*text = arena_strdup(&l->arena, *text);
	return *text ? NULL : &error_no_memory;
}

struct error *events_add(struct event_list *l, const struct event *event)
{
	struct event e = *event;
	struct error *err;

	e.odd |= is_odd(l, &e);
	if (!l->filter->kinds[e.kind] || !is_within(l->filter, e.time))
		return NULL;
	if ((err = array_reserve(&l->items, &l->capacity, l->count + 1, sizeof(*l->items),
				 EVENTS_MAX, "events")) ||
	    (err = copy_text(l, &e.subject)) || (err = copy_text(l, &e.path)) ||
	    (err = copy_text(l, &e.detail)))
		return err;
	l->items[l->count++] = e;
	return NULL;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Absent ones first. */
static int compare_opts(const struct opt_u64 *a, const struct opt_u64 *b)
{
	if (!a->present || !b->present)
		return a->present - b->present;
	return compare_u64(a->value, b->value);
}

static int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return !!a - !!b;
	return strcmp(a, b);
}

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	int order = compare_u64(x->time, y->time);

	if (!order)
		order = compare_u64(x->kind, y->kind);
	if (!order)
		order = compare_opts(&x->pid, &y->pid);
	if (!order)
		order = compare_opts(&x->tid, &y->tid);
	if (!order)
		order = compare_opts(&x->object, &y->object);
	if (!order)
		order = compare_texts(x->subject, y->subject);
	if (!order)
		order = compare_texts(x->path, y->path);
	if (!order)
		order = compare_texts(x->source, y->source);
	return order ? order : compare_texts(x->detail, y->detail);
}

void events_finish(struct event_list *l)
{
	size_t kept = 0, last = 0;

	if (l->count)
		qsort(l->items, l->count, sizeof(*l->items), compare_events);
	l->num_odd = 0;
	for (size_t i = 0; i < l->count; i++) {
		if (i && compare_events(&l->items[last], &l->items[i]) == 0)
			continue;
		last = i;
		if (l->items[i].odd && !l->filter->all)
			l->num_odd++;
		else
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
}

struct error *event_time_check(const char *option, const char *text)
{
	static const char pattern[] = "dddd-dd-ddTdd:dd:dd.dddddddZ";
	size_t len = text ? strlen(text) : 0, fraction = strlen("dddd-dd-ddTdd:dd:dd.");
	bool fits = len >= 4 && len < sizeof(pattern);

	/* "2024-5" is no month, but a fraction has as many digits as one likes. */
	if (fits && len < fraction && pattern[len] == 'd' && pattern[len - 1] == 'd')
		fits = false;

	for (size_t i = 0; fits && i < len; i++)
		fits = pattern[i] == 'd' ? isdigit((unsigned char)text[i]) : text[i] == pattern[i];
	if (fits || !text)
		return NULL;
	return error_new(ERROR_USAGE,
			 "option '--%s': '%s' is not the beginning of a time such as "
			 "2024-05-01T10:20:30",
			 option, text);
}

const char *event_description(struct arena *a, const struct event *e)
{
	const char *title = timeline_kinds[e->kind].title;

	return e->detail ? arena_printf(a, "%s: %s", title, e->detail) : title;
}

/* "before, name value", or what is there without it. */
static const char *append_id(struct arena *a, const char *before, const char *name,
			     struct opt_u64 id)
{
	if (!before || !id.present)
		return before;
	return arena_printf(a, "%s, %s %" PRIu64, before, name, id.value);
}

const char *event_message(struct arena *a, const struct event *e)
{
	const char *title = timeline_kinds[e->kind].title;
	const char *message = e->subject ? arena_printf(a, "%s: %s", title, e->subject) : title;

	message = append_id(a, message, "pid", e->pid);
	message = append_id(a, message, "tid", e->tid);
	if (message && e->path)
		message = arena_printf(a, "%s, %s", message, e->path);
	if (message && e->detail)
		message = arena_printf(a, "%s (%s)", message, e->detail);
	return message;
}
