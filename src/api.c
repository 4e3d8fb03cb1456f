/* SPDX-License-Identifier: MIT */
#include "ntscope.h"

#include <stdlib.h>

#include "api.h"

/* The public names stand for the internal objects, which C programs never look into. */
#define SAME_VALUE(public, internal) \
	_Static_assert((int)(public) == (int)(internal), #public " differs from " #internal)

SAME_VALUE(NTS_ERROR_NO_MEMORY, ERROR_NO_MEMORY);
SAME_VALUE(NTS_ERROR_OS, ERROR_OS);
SAME_VALUE(NTS_ERROR_USAGE, ERROR_USAGE);
SAME_VALUE(NTS_ERROR_UNSUPPORTED, ERROR_UNSUPPORTED);
SAME_VALUE(NTS_ERROR_CORRUPT, ERROR_CORRUPT);
SAME_VALUE(NTS_ERROR_FAULT, ERROR_FAULT);
SAME_VALUE(NTS_ERROR_NOT_FOUND, ERROR_NOT_FOUND);
SAME_VALUE(NTS_ERROR_LIMIT, ERROR_LIMIT);
SAME_VALUE(NTS_NOTE, DIAG_NOTE);
SAME_VALUE(NTS_PARTIAL, DIAG_PARTIAL);

const char *nts_version(void)
{
	return NTSCOPE_VERSION;
}

enum nts_error_code nts_error_code(const struct nts_error *err)
{
	return (enum nts_error_code)error_code((const struct error *)err);
}

const char *nts_error_message(const struct nts_error *err)
{
	return error_message((const struct error *)err);
}

void nts_error_free(struct nts_error *err)
{
	error_destroy((struct error *)err);
}

/* A diag_fn: arg is the snapshot. */
static void pass_message(void *arg, enum diag_kind kind, const char *message)
{
	const struct nts_snapshot *s = arg;

	s->message(s->message_arg, (enum nts_message_kind)kind, message);
}

struct nts_error *nts_open(const char *path, const struct nts_options *options,
			   struct nts_snapshot **ret)
{
	struct nts_snapshot *s = calloc(1, sizeof(*s));
	struct snapshot_options given = { .container.quiet = true };
	struct error *err;

	if (!s)
		return public_error(&error_no_memory);
	if (options) {
		s->message = options->message;
		s->message_arg = options->message_arg;
		given.format = options->format;
		given.memory_map = options->memory_map;
	}
	diag_init(&s->diag, s->message ? pass_message : NULL, s);
	err = snapshot_open(path, &given, &s->diag, &s->snapshot);
	if (err) {
		free(s);
		return public_error(err);
	}
	*ret = s;
	return NULL;
}

void nts_close(struct nts_snapshot *s)
{
	if (!s)
		return;
	snapshot_close(s->snapshot);
	free(s);
}

const char *nts_format_name(const struct nts_snapshot *s)
{
	return s->snapshot->info.format;
}

uint64_t nts_physical_pages(const struct nts_snapshot *s)
{
	return s->snapshot->mem ? physmem_captured_pages(s->snapshot->mem) : 0;
}

size_t nts_read_physical(struct nts_snapshot *s, uint64_t pa, void *buf, size_t len)
{
	return s->snapshot->mem ? physmem_read(s->snapshot->mem, pa, buf, len) : 0;
}
