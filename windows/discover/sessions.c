/* SPDX-License-Identifier: MIT */
#include "windows/discover/probe.h"

/*
 * EPROCESS.Session without an accessor: a pointer to a structure that holds, at the same offset
 * for all processes, the session id that each process's own PEB has (PEB.SessionId at 0x2c0,
 * winternl.h).
 */
enum {
	PEB_SESSION_ID = 0x2c0,
	SESSION_ID_END = 0x40, /* of the offsets that are tried */
};

struct session_try {
	unsigned agrees;
	uint32_t low, high; /* session ids met */
};

static bool peb_session(const struct probe *p, const struct sample *s, uint32_t *ret)
{
	uint64_t peb;

	return s->space && p->has[KNOWN_PEB] && sample_u64(s, p->at[KNOWN_PEB], &peb) && peb &&
	       space_try_u32(s->space, peb + PEB_SESSION_ID, ret, NULL);
}

static bool holds(const struct probe *p, uint32_t session, uint32_t id, struct session_try *ret)
{
	*ret = (struct session_try){ .low = UINT32_MAX };
	for (size_t i = 0; i < p->num_samples; i++) {
		const struct sample *s = &p->samples[i];
		uint64_t pointer;
		uint32_t expected, value;

		if (!sample_u64(s, session, &pointer) || !pointer)
			continue;
		if (!is_kernel_pointer(pointer) || s->va == p->system)
			return false;
		/* a session's space is mapped in its own processes only */
		if (!s->space || !space_try_u32(s->space, pointer + id, &value, NULL))
			continue;
		if (!peb_session(p, s, &expected))
			continue;
		if (value != expected)
			return false;
		ret->agrees++;
		ret->low = value < ret->low ? value : ret->low;
		ret->high = value > ret->high ? value : ret->high;
	}
	return ret->agrees >= FEW_SAMPLES && ret->low != ret->high;
}

/* Code tells both, and what it tells holds; or there is one pair of offsets that does. */
static unsigned find_session(struct probe *p, uint32_t *session_ret, uint32_t *id_ret,
			     unsigned *agrees_ret)
{
	const struct vote *vote = &p->votes[KNOWN_SESSION];
	uint32_t from = 0, to = SAMPLE_SIZE;
	unsigned found = 0;

	if (vote->present) {
		from = vote->offset & ~7u;
		to = from + 8;
	}
	for (uint32_t session = from; session < to; session += 8)
		for (uint32_t id = 0; id < SESSION_ID_END; id += 4) {
			struct session_try t;

			if (!holds(p, session, id, &t))
				continue;
			if (!found++) {
				*session_ret = session;
				*id_ret = id;
				*agrees_ret = t.agrees;
			}
		}
	return found;
}

void probe_sessions(struct probe *p)
{
	const char *code = p->votes[KNOWN_SESSION].text;
	uint32_t session, id;
	unsigned agrees, found;
	const char *text;

	found = find_session(p, &session, &id, &agrees);
	if (found != 1) {
		text = probe_text(p, "%s%s%s",
				  found ? "several offsets lead to the session ids of PEBs"
					: "no offset leads to the session ids of PEBs",
				  code ? "; " : "", code ? code : "");
		probe_missing(p, "_EPROCESS", "Session", "%s", text);
		probe_missing(p, "_MM_SESSION_SPACE", "SessionId", "%s", text);
		return;
	}
	text = probe_text(p, "%s%sleads to the session id of the PEB in %u processes",
			  code ? code : "", code ? "; " : "", agrees);
	probe_establish(p, KNOWN_SESSION, DISCOVER_CERTAIN, session, text);
	probe_establish(p, KNOWN_SESSION_ID, DISCOVER_CERTAIN, id, text);
	probe_field(p, DISCOVER_CERTAIN, "_PEB", "SessionId", PEB_SESSION_ID, 4,
		    "winternl.h; equals the session's in %u processes", agrees);
}
