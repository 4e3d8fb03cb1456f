/* SPDX-License-Identifier: MIT */
#ifndef API_API_H
#define API_API_H

#include <pthread.h>

#include "cli/session.h"
#include "ntscope.h"
#include "windows/symbols/symbol_store.h"

/* What the public names of ntscope.h stand for. */

struct kept_message {
	enum diag_kind kind;
	const char *text;
};

/* The first NTS_MAX_MESSAGES that were said. */
struct kept_messages {
	struct kept_message *items;
	size_t count, capacity;
	struct arena arena;
};

void kept_messages_init(struct kept_messages *m);
void kept_messages_deinit(struct kept_messages *m);
/* Past NTS_MAX_MESSAGES, or without memory, nothing. */
void kept_messages_add(struct kept_messages *m, enum diag_kind kind, const char *text);
/* NULL after the last one. */
const char *kept_message(const struct kept_messages *m, size_t index,
			 enum nts_message_kind *kind_ret);

/* Words of a command line, copied. */
struct words {
	char **items;
	size_t count;
};
struct nts_snapshot {
	unsigned users; /* the opener and each space (atomic) */
	struct arena arena;
	struct words *words; /* that it was opened with */
	struct option_values options;
	struct symbol_store store;
	FILE *in;
	/* Commands, and what opens the kernel. */
	pthread_mutex_t lock;
	struct session session; /* without a snapshot for commands that take none */
	struct diag diag;
	bool partial; /* something about the snapshot as a whole could not be read */
	/* Where messages go now. */
	pthread_mutex_t message_lock;
	struct kept_messages messages, *now;
};

/* first (NULL: none), then those of array; NULL in it is ERROR_USAGE. In the arena. */
MUST_CHECK struct error *words_join(struct arena *a, const struct words *first,
				    const char *const *array, size_t count, struct words *ret);

/* path NULL: for commands that take no snapshot. */
MUST_CHECK struct error *api_open(const char *path, const char *const *words, size_t num_words,
				  struct nts_snapshot **ret);
/* One user less; the last one closes. */
void api_release(struct nts_snapshot *s);

/*
 * Parses what was given when the snapshot was opened and then words, in the arena. Errors: USAGE,
 * also for options that only the opening takes.
 */
MUST_CHECK struct error *api_parse(const struct nts_snapshot *s, struct arena *a,
				   const struct option_table *own, const char *const *words,
				   size_t num_words, struct option_values *ret);
/* Opens what the command needs; what is said belongs to the snapshot. Under the lock. */
MUST_CHECK struct error *api_prepare(struct nts_snapshot *s, const struct command *command,
				     const struct option_values *options);

static inline struct nts_error *public_error(struct error *err)
{
	return (struct nts_error *)err;
}

#endif
