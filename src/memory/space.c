/* SPDX-License-Identifier: MIT */
#include "memory/space.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

static const struct {
	const char *name, *text;
} state_rows[NUM_VA_STATES] = {
	[VA_MAPPED] = { "mapped", "mapped" },
	[VA_NOT_CAPTURED] = { "not_captured", "mapped but not captured" },
	[VA_NOT_PRESENT] = { "not_present", "not present" },
	[VA_TABLE_NOT_CAPTURED] = { "table_not_captured", "its page table is not captured" },
	[VA_NON_CANONICAL] = { "non_canonical", "not a canonical address" },
	[VA_BAD_ENTRY] = { "bad_entry", "reserved bits are set in a page table entry" },
	[VA_TRANSITION] = { "transition", "in transition" },
	[VA_PROTOTYPE] = { "prototype", "behind a prototype page table entry" },
	[VA_PAGEFILE] = { "pagefile", "in a page file" },
	[VA_DEMAND_ZERO] = { "demand_zero", "demand zero, never written to" },
	[VA_COMPRESSED] = { "compressed", "in the compressed store" },
};

const char *va_state_name(enum va_state state)
{
	return state_rows[state].name;
}

const char *va_state_text(enum va_state state)
{
	return state_rows[state].text;
}

void space_destroy(struct space *s)
{
	if (s)
		s->ops->destroy(s);
}

enum va_state space_translate(struct space *s, uint64_t va, uint64_t *pa_ret)
{
	uint64_t ignored;

	return s->ops->translate(s, va, pa_ret ? pa_ret : &ignored);
}

void space_walk(struct space *s, uint64_t va, struct walk *ret)
{
	s->ops->walk(s, va, ret);
}

bool space_next(struct space *s, uint64_t va, struct va_range *ret)
{
	return s->ops->next(s, va, ret);
}

bool space_try_read(struct space *s, uint64_t va, void *buf, size_t len, struct fault *fault)
{
	uint8_t *out = buf;
	enum va_state state = VA_NON_CANONICAL;
	size_t done = 0;

	while (done < len) {
		/* an address that wrapped to 0 is past the end of the space */
		bool wrapped = va + done < va;
		size_t got =
			wrapped ? 0 : s->ops->read(s, va + done, out + done, len - done, &state);

		if (!got) {
			if (fault)
				*fault = (struct fault){ va + done,
							 wrapped ? VA_NON_CANONICAL : state };
			return false;
		}
		done += got;
	}
	return true;
}

bool space_try_u16(struct space *s, uint64_t va, uint16_t *ret, struct fault *fault)
{
	uint8_t raw[sizeof(*ret)];

	if (!space_try_read(s, va, raw, sizeof(raw), fault))
		return false;
	*ret = load_u16(raw);
	return true;
}

bool space_try_u32(struct space *s, uint64_t va, uint32_t *ret, struct fault *fault)
{
	uint8_t raw[sizeof(*ret)];

	if (!space_try_read(s, va, raw, sizeof(raw), fault))
		return false;
	*ret = load_u32(raw);
	return true;
}

bool space_try_u64(struct space *s, uint64_t va, uint64_t *ret, struct fault *fault)
{
	uint8_t raw[sizeof(*ret)];

	if (!space_try_read(s, va, raw, sizeof(raw), fault))
		return false;
	*ret = load_u64(raw);
	return true;
}

struct error *space_read(struct space *s, uint64_t va, void *buf, size_t len)
{
	struct fault fault;

	if (space_try_read(s, va, buf, len, &fault))
		return NULL;
	return error_fault(fault.va, "0x%" PRIx64 ": %s", fault.va, va_state_text(fault.state));
}

/* How far from va the bytes are surely absent for the same reason, at most limit. */
static size_t gap_length(struct space *s, uint64_t va, enum va_state state, size_t limit)
{
	uint64_t page_left = PAGE_SIZE - (va & PAGE_MASK), left = limit;
	struct va_range range;

	if (state == VA_NOT_CAPTURED && s->ops->next(s, va, &range)) {
		/* A page may be captured in part: go on where its bytes do. */
		if (range.start > va)
			left = range.start - va;
		else if (range.state == VA_NOT_CAPTURED)
			left = range.last - va + 1;
	}
	/* Reasons change page by page. */
	if (left > page_left)
		left = page_left;
	return left < limit ? (size_t)left : limit;
}

struct gap {
	gap_fn *fn;
	void *arg;
	uint64_t va, length;
	enum va_state state;
};

static void gap_flush(struct gap *gap)
{
	if (gap->length && gap->fn)
		gap->fn(gap->arg, gap->va, gap->length, gap->state);
	gap->length = 0;
}

static void gap_add(struct gap *gap, uint64_t va, uint64_t length, enum va_state state)
{
	if (gap->length && gap->state != state)
		gap_flush(gap);
	if (!gap->length) {
		gap->va = va;
		gap->state = state;
	}
	gap->length += length;
}

size_t space_read_partial(struct space *s, uint64_t va, void *buf, size_t len, gap_fn *fn,
			  void *arg)
{
	struct gap gap = { .fn = fn, .arg = arg };
	uint8_t *out = buf;
	size_t done = 0, filled = 0;

	while (done < len && va + done >= va) {
		enum va_state state = VA_NON_CANONICAL;
		size_t part = s->ops->read(s, va + done, out + done, len - done, &state);

		if (part) {
			gap_flush(&gap);
			filled += part;
		} else {
			part = gap_length(s, va + done, state, len - done);
			gap_add(&gap, va + done, part, state);
		}
		done += part;
	}
	if (done < len) /* past the end of the space */
		gap_add(&gap, va + done, len - done, VA_NON_CANONICAL);
	gap_flush(&gap);
	return filled;
}
