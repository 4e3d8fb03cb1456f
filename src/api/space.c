/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "api/api.h"
#include "cli/spaces.h"

struct nts_space {
	struct nts_snapshot *s; /* one of its users */
	struct chosen_space chosen;
};

static const struct option_row space_options[] = {
	{ "physical", 0, OPTION_FLAG, NULL, "physical memory" },
	SPACE_OPTION_ROWS,
};

/* What choosing a space has in common with running a command. */
static const struct command space_command = {
	.name = "space",
	.options = space_options,
	.num_options = ARRAY_SIZE(space_options),
	.flags = COMMAND_TRIES_KERNEL,
	.without_kernel = space_without_kernel,
};

static struct error *choose(struct nts_snapshot *s, struct arena *a,
			    const struct option_values *options, struct chosen_space *ret)
{
	struct command_run run = {
		.command = &space_command,
		.snapshot = s->session.snapshot,
		.store = s->session.store,
		.options = options,
		.diag = &s->diag,
		.arena = a,
	};
	struct error *err = api_prepare(s, &space_command, options);

	if (err)
		return err;
	if (!space_without_kernel(options)) {
		run.kernel = s->session.kernel;
		run.kernel_error = s->session.kernel_error;
	}
	return chosen_space_init(&run, ret);
}

static struct error *open_space(struct nts_snapshot *s, struct arena *a, const char *const *words,
				size_t num_words, struct chosen_space *ret)
{
	static const struct option_table own = { space_options, ARRAY_SIZE(space_options) };
	struct option_values options;
	struct error *err = api_parse(s, a, &own, words, num_words, &options);

	if (err)
		return err;
	if (options.num_args)
		return error_new(ERROR_USAGE, "'%s' is not an option", options.args[0]);
	pthread_mutex_lock(&s->lock);
	err = choose(s, a, &options, ret);
	pthread_mutex_unlock(&s->lock);
	return err;
}

struct nts_error *nts_space_open(struct nts_snapshot *s, const char *const *words, size_t num_words,
				 struct nts_space **ret)
{
	struct nts_space *space = calloc(1, sizeof(*space));
	struct arena arena CLEANUP(arena_deinit);
	struct error *err;

	arena_init(&arena, 0);
	if (!space)
		return public_error(&error_no_memory);
	if ((err = open_space(s, &arena, words, num_words, &space->chosen))) {
		free(space);
		return public_error(err);
	}
	__atomic_add_fetch(&s->users, 1, __ATOMIC_RELAXED);
	space->s = s;
	*ret = space;
	return NULL;
}

void nts_space_free(struct nts_space *space)
{
	if (!space)
		return;
	chosen_space_deinit(&space->chosen);
	api_release(space->s);
	free(space);
}

struct nts_error *nts_read(struct nts_space *space, uint64_t address, void *buf, size_t len)
{
	return public_error(space_read(space->chosen.space, address, buf, len));
}

struct gap_call {
	nts_gap_fn *fn;
	void *arg;
};

/* A gap_fn. */
static void pass_gap(void *arg, uint64_t va, uint64_t length, enum va_state state)
{
	const struct gap_call *call = arg;

	call->fn(call->arg, va, length, va_state_name(state));
}

size_t nts_read_partial(struct nts_space *space, uint64_t address, void *buf, size_t len,
			nts_gap_fn *gap, void *arg)
{
	struct gap_call call = { gap, arg };

	return space_read_partial(space->chosen.space, address, buf, len, gap ? pass_gap : NULL,
				  &call);
}

const char *nts_translate(struct nts_space *space, uint64_t va, uint64_t *pa_ret, int *has_pa)
{
	struct walk walk;

	space_walk(space->chosen.space, va, &walk);
	*has_pa = walk.has_pa;
	if (walk.has_pa)
		*pa_ret = walk.pa;
	return va_state_name(walk.state);
}
