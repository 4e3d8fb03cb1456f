/* SPDX-License-Identifier: MIT */
#include "cli/commands/stretches.h"

#include <string.h>

/* What space_read_partial() says of the bytes of a page that are absent. */
struct page_gaps {
	uint64_t start;
	bool any;
	bool absent[PAGE_SIZE];
	uint8_t state[PAGE_SIZE]; /* enum va_state, where absent */
};

static void mark_gap(void *arg, uint64_t va, uint64_t len, enum va_state state)
{
	struct page_gaps *gaps = arg;
	size_t at = (size_t)(va - gaps->start);

	if (!gaps->any)
		memset(gaps->absent, 0, sizeof(gaps->absent));
	gaps->any = true;
	memset(gaps->absent + at, true, (size_t)len);
	memset(gaps->state + at, (int)state, (size_t)len);
}

/* A page that is there in part, as some formats have them: each piece has its own state. */
static struct error *pass_bytes(struct space *s, uint64_t va, const uint8_t *bytes, size_t len,
				const struct stretch_sink *out)
{
	return out->bytes(out->arg, va, bytes, len, space_translate(s, va, NULL));
}

/* [va, va + len) of one page; state is that of its first byte. */
static struct error *pass_page(struct space *s, uint64_t va, size_t len, enum va_state state,
			       const struct stretch_sink *out)
{
	struct page_gaps gaps = { .start = va, .any = false };
	struct error *err = NULL;
	uint8_t page[PAGE_SIZE];

	space_read_partial(s, va, page, len, mark_gap, &gaps);
	if (!gaps.any)
		return out->bytes(out->arg, va, page, len, state);
	for (size_t at = 0, end; at < len && !err; at = end) {
		bool absent = gaps.absent[at];

		for (end = at + 1; end < len && gaps.absent[end] == absent; end++) {
			if (absent && gaps.state[end] != gaps.state[at])
				break;
		}
		if (absent)
			err = out->gap(out->arg, va + at, end - at, (enum va_state)gaps.state[at]);
		else
			err = pass_bytes(s, va + at, page + at, end - at, out);
	}
	return err;
}

/* Bytes from va to the end of the page, or of the hole, that holds it. */
static uint64_t rest_of_page(uint64_t va, uint64_t page_size)
{
	return page_size - (va & (page_size - 1));
}

/* A hole of a whole entry above the lowest level: nothing below it can be read. */
static bool is_large_hole(const struct walk *walk)
{
	return walk->page_size > PAGE_SIZE && !walk->has_pa;
}

struct error *stretches_pass(struct space *s, uint64_t va, uint64_t len,
			     const struct stretch_sink *out)
{
	struct error *err = NULL;

	while (len && !err && !(out->enough && out->enough(out->arg))) {
		struct walk walk;
		uint64_t part;

		space_walk(s, va, &walk);
		part = rest_of_page(va, is_large_hole(&walk) ? walk.page_size : PAGE_SIZE);
		part = part < len ? part : len;
		if (is_large_hole(&walk))
			err = out->gap(out->arg, va, part, walk.state);
		else
			err = pass_page(s, va, (size_t)part, walk.state, out);
		va += part;
		len -= part;
	}
	return err;
}
