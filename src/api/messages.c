/* SPDX-License-Identifier: MIT */
#include "api/api.h"

#include <stdlib.h>

#define SAME_VALUE(public, internal) \
	_Static_assert((int)(public) == (int)(internal), #public " differs from " #internal)

SAME_VALUE(NTS_NOTE, DIAG_NOTE);
SAME_VALUE(NTS_PARTIAL, DIAG_PARTIAL);

enum { MAX_MESSAGE_BYTES = 64 << 20 };

void kept_messages_init(struct kept_messages *m)
{
	*m = (struct kept_messages){ 0 };
	arena_init(&m->arena, MAX_MESSAGE_BYTES);
}

void kept_messages_deinit(struct kept_messages *m)
{
	arena_deinit(&m->arena);
	free(m->items);
}

void kept_messages_add(struct kept_messages *m, enum diag_kind kind, const char *text)
{
	const char *copy = m->count < NTS_MAX_MESSAGES ? arena_strdup(&m->arena, text) : NULL;
	struct error *err;

	if (!copy)
		return;
	err = array_reserve(&m->items, &m->capacity, m->count + 1, sizeof(*m->items),
			    NTS_MAX_MESSAGES, "messages");
	if (!err)
		m->items[m->count++] = (struct kept_message){ kind, copy };
	error_destroy(err);
}

const char *kept_message(const struct kept_messages *m, size_t index,
			 enum nts_message_kind *kind_ret)
{
	if (index >= m->count)
		return NULL;
	if (kind_ret)
		*kind_ret = (enum nts_message_kind)m->items[index].kind;
	return m->items[index].text;
}
