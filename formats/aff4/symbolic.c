/* SPDX-License-Identifier: MIT */
/*
 * Streams without stored bytes (AFF4 standard, section 4.4): one byte without end, or a text that
 * is repeated, anew in each MiB.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "formats/aff4/private.h"

enum { PERIOD = 1 << 20 };

static const struct {
	const char *iri;
	const char *text;
} repeated[] = {
	{ AFF4_NAMESPACE "UnknownData", "UNKNOWN" },
	{ AFF4_OLD_NAMESPACE "UnknownData", "UNKNOWN" },
	{ AFF4_NAMESPACE "UnreadableData", "UNREADABLEDATA" },
	{ AFF4_OLD_NAMESPACE "UnreadableData", "UNREADABLEDATA" },
};

static const struct {
	const char *iri;
	uint8_t byte;
} constant[] = {
	{ AFF4_NAMESPACE "Zero", 0 },
	{ AFF4_OLD_NAMESPACE "Zero", 0 },
	{ AFF4_NAMESPACE "FFDevice", 0xff },
	{ AFF4_OLD_NAMESPACE "FF", 0xff },
};

bool aff4_is_unknown(const char *uri)
{
	for (size_t i = 0; i < ARRAY_SIZE(repeated); i++) {
		if (!strcmp(repeated[i].iri, uri))
			return true;
	}
	return false;
}

/* ...SymbolicStreamXX */
static bool parse_symbolic(const char *uri, uint8_t *ret)
{
	static const char *const prefixes[] = {
		AFF4_NAMESPACE "SymbolicStream",
		AFF4_SYMBOLIC_OLD,
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (strncmp(uri, prefixes[i], len) || strlen(uri + len) != 2 ||
		    !isxdigit((unsigned char)uri[len]) || !isxdigit((unsigned char)uri[len + 1]))
			continue;
		*ret = (uint8_t)strtoul(uri + len, NULL, 16);
		return true;
	}
	return false;
}

/* A MiB of it, twice, so that any view lies in one piece. */
struct pattern {
	bool is_zero;
	uint8_t bytes[2 * PERIOD];
};

static struct error *view(void *arg, uint64_t offset, size_t len, const uint8_t **ret, void **pin)
{
	const struct pattern *p = arg;

	(void)len;
	*ret = p->bytes + offset % PERIOD;
	*pin = NULL;
	return NULL;
}

static bool next_data(void *arg, uint64_t offset, uint64_t *start, uint64_t *end)
{
	const struct pattern *p = arg;

	*start = offset;
	*end = INT64_MAX;
	return !p->is_zero;
}

static void release(void *arg, void *pin)
{
	(void)arg;
	(void)pin;
}

static void destroy(void *arg)
{
	free(arg);
}

/* What is there is copied behind itself until the period is full; and that once more. */
static void fill(uint8_t *bytes, const char *text, size_t text_len)
{
	size_t part = text_len;

	memcpy(bytes, text, text_len);
	for (size_t len = text_len; len < PERIOD; len += part) {
		part = len < PERIOD - len ? len : PERIOD - len;
		memcpy(bytes + len, bytes, part);
	}
	memcpy(bytes + PERIOD, bytes, PERIOD);
}

_Static_assert((int)FILE_MAX_VIEW <= (int)PERIOD, "a view lies in two periods");

static struct error *open_pattern(struct aff4_volume *v, const char *uri, const char *text,
				  size_t text_len, struct file *ret)
{
	static const struct file_ops ops = {
		.view = view,
		.release = release,
		.next_data = next_data,
		.destroy = destroy,
	};
	struct pattern *p;
	struct error *err;

	err = block_cache_reserve(v->context.cache, sizeof(*p), "a symbolic stream");
	if (err)
		return err;
	if (!(p = calloc(1, sizeof(*p))))
		return &error_no_memory;
	p->is_zero = text_len == 1 && !text[0];
	if (!p->is_zero)
		fill(p->bytes, text, text_len);
	return file_create(ret, uri, INT64_MAX, v->context.cache, &ops, p);
}

struct error *aff4_symbolic_open(struct aff4_volume *v, const char *uri, struct file *ret,
				 bool *found_ret)
{
	uint8_t byte;

	*found_ret = true;
	for (size_t i = 0; i < ARRAY_SIZE(repeated); i++) {
		if (!strcmp(repeated[i].iri, uri))
			return open_pattern(v, uri, repeated[i].text, strlen(repeated[i].text),
					    ret);
	}
	for (size_t i = 0; i < ARRAY_SIZE(constant); i++) {
		if (!strcmp(constant[i].iri, uri))
			return open_pattern(v, uri, (const char *)&constant[i].byte, 1, ret);
	}
	*found_ret = parse_symbolic(uri, &byte);
	return *found_ret ? open_pattern(v, uri, (const char *)&byte, 1, ret) : NULL;
}
