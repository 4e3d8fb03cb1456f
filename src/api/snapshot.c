/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/text.h"

/* Common options that the library answers by other means, or that are about the terminal. */
static const char *const not_for_library[] = { "format", "command", "wide", "color",
					       "help",	 "version", "man" };

/* Those that say how the snapshot and its kernel are opened. */
static const char *const for_opening[] = {
	"symbols",	"no-symbol-store", "no-builtin-symbols", "pagefile", "kernel-base",
	"input-format", "memory-map",	   "max-memory",	 "member",   "max-unpacked",
	"threads",	"no-cache",
};

/* Those that do, and say something to commands as well. */
static const char *const for_both[] = { "dtb", "quiet", "verbose" };

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

#define ONE_OF(name, names) is_one_of(name, names, ARRAY_SIZE(names))

struct error *words_join(struct arena *a, const struct words *first, const char *const *array,
			 size_t count, struct words *ret)
{
	size_t before = first ? first->count : 0;
	char **items =
		count < SIZE_MAX / 2 ? arena_calloc(a, before + count + 1, sizeof(*items)) : NULL;

	if (!items)
		return &error_no_memory;
	for (size_t i = 0; i < before; i++)
		items[i] = first->items[i];
	for (size_t i = 0; i < count; i++) {
		if (!array || !array[i])
			return error_new(ERROR_USAGE, "word %zu is NULL", i);
		items[before + i] = arena_strdup(a, array[i]);
		if (!items[before + i])
			return &error_no_memory;
	}
	*ret = (struct words){ items, before + count };
	return NULL;
}

static struct error *parse(struct arena *a, const struct option_table *own,
			   const struct words *words, struct option_values *ret)
{
	if (words->count > INT32_MAX)
		return error_new(ERROR_LIMIT, "%zu words", words->count);
	return options_parse(a, own, (int)words->count, words->items, ret);
}

static struct error *parse_opening(struct nts_snapshot *s, bool has_path)
{
	static const struct option_table none = { NULL, 0 };
	struct error *err = parse(&s->arena, &none, s->words, &s->options);

	if (err)
		return err;
	if (s->options.num_args)
		return error_new(ERROR_USAGE, "'%s' is not an option", s->options.args[0]);
	for (size_t i = 0; i < s->options.count; i++) {
		const struct option_value *v = &s->options.items[i];

		if (v->given && !ONE_OF(v->row->name, for_both) &&
		    !(has_path && ONE_OF(v->row->name, for_opening)))
			return error_new(ERROR_USAGE, "option '--%s' does not open a snapshot",
					 v->row->name);
	}
	return NULL;
}

/* Options in words that have no place there. */
static struct error *check_words(const struct nts_snapshot *s, struct arena *a,
				 const struct option_table *own, const struct words *words)
{
	struct option_values given;
	struct error *err = parse(a, own, words, &given);

	for (size_t i = 0; !err && i < common_options.count; i++) {
		const char *name = given.items[i].row->name;

		if (!given.items[i].given)
			continue;
		if (ONE_OF(name, not_for_library))
			err = error_new(ERROR_USAGE, "option '--%s' is the program's alone", name);
		else if (s->session.snapshot && ONE_OF(name, for_opening))
			err = error_new(ERROR_USAGE, "option '--%s' is for opening the snapshot",
					name);
	}
	return err;
}

struct error *api_parse(const struct nts_snapshot *s, struct arena *a,
			const struct option_table *own, const char *const *words, size_t num_words,
			struct option_values *ret)
{
	struct words given, all;
	struct error *err;

	if ((err = words_join(a, NULL, words, num_words, &given)) ||
	    (err = check_words(s, a, own, &given)) ||
	    (err = words_join(a, s->words, words, num_words, &all)))
		return err;
	return parse(a, own, &all, ret);
}

/* A diag_fn: arg is the snapshot. */
static void keep_message(void *arg, enum diag_kind kind, const char *text)
{
	struct nts_snapshot *s = arg;

	pthread_mutex_lock(&s->message_lock);
	kept_messages_add(s->now, kind, text);
	pthread_mutex_unlock(&s->message_lock);
}

static struct error *begin_session(struct nts_snapshot *s)
{
	if (!option_flag(&s->options, "no-symbol-store"))
		s->store.folder = symbol_store_default_folder(&s->arena);
	s->in = fopen("/dev/null", "re");
	if (!s->in)
		return error_os(errno, "/dev/null");
	s->session = (struct session){
		.options = &s->options,
		.store = s->store.folder ? &s->store : NULL,
		.diag = &s->diag,
		.arena = &s->arena,
		.in = s->in,
	};
	return NULL;
}

static struct nts_snapshot *create(void)
{
	struct nts_snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->users = 1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->message_lock, NULL);
	arena_init(&s->arena, 0);
	kept_messages_init(&s->messages);
	s->now = &s->messages;
	diag_init(&s->diag, keep_message, s);
	return s;
}

static void release(struct nts_snapshot **s)
{
	api_release(*s);
}

struct error *api_open(const char *path, const char *const *words, size_t num_words,
		       struct nts_snapshot **ret)
{
	static const char *const quiet[] = { "--quiet" }; /* no progress on a terminal */
	struct nts_snapshot *s CLEANUP(release) = create();
	struct error *err;

	if (!s || !(s->words = arena_calloc(&s->arena, 1, sizeof(*s->words))))
		return &error_no_memory;
	if ((err = words_join(&s->arena, NULL, quiet, ARRAY_SIZE(quiet), s->words)) ||
	    (err = words_join(&s->arena, s->words, words, num_words, s->words)) ||
	    (err = parse_opening(s, path != NULL)) || (err = begin_session(s)))
		return err;
	if (path && (err = session_open(&s->session, path)))
		return err;
	*ret = take_ptr(s);
	return NULL;
}

void api_release(struct nts_snapshot *s)
{
	if (!s || __atomic_sub_fetch(&s->users, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	session_close(&s->session);
	if (s->in)
		fclose(s->in);
	kept_messages_deinit(&s->messages);
	arena_deinit(&s->arena);
	pthread_mutex_destroy(&s->message_lock);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct error *api_prepare(struct nts_snapshot *s, const struct command *command,
			  const struct option_values *options)
{
	struct error *err = session_prepare(&s->session, command, options);

	s->partial |= diag_forget(&s->diag) != 0;
	return err;
}

struct nts_error *nts_open(const char *path, const char *const *words, size_t num_words,
			   struct nts_snapshot **ret)
{
	if (!path)
		return public_error(error_new(ERROR_USAGE, "no path is given"));
	return public_error(api_open(path, words, num_words, ret));
}

void nts_close(struct nts_snapshot *s)
{
	api_release(s);
}

const char *nts_format_name(const struct nts_snapshot *s)
{
	return s->session.snapshot->info.format;
}

const char *nts_message(struct nts_snapshot *s, size_t index, enum nts_message_kind *kind_ret)
{
	const char *text;

	pthread_mutex_lock(&s->message_lock);
	text = kept_message(&s->messages, index, kind_ret);
	pthread_mutex_unlock(&s->message_lock);
	return text;
}
