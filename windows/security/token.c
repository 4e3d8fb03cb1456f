/* SPDX-License-Identifier: MIT */
#include "windows/security/token.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/gaps.h"
#include "windows/security/privilege.h"

DEFINE_FIELDS(token, TOKEN_FIELDS);

/* SID_AND_ATTRIBUTES {pointer Sid, u32 Attributes} and LUID_AND_ATTRIBUTES {u32 LowPart, i32
 * HighPart, u32 Attributes} of winnt.h. */
enum {
	SID_ENTRY_SIZE = 16,
	SID_ENTRY_ATTRIBUTES = 8,
	LUID_ENTRY_SIZE = 12,
	LUID_ENTRY_ATTRIBUTES = 8,
	LUID_ENABLED_BY_DEFAULT = 1,
	LUID_ENABLED = 2,
};
#define NEVER UINT64_C(0x7fffffffffffffff)

struct error *token_reader_init(struct kernel *k, struct token_reader *ret)
{
	ret->k = k;
	return profile_bind(k->profile, token_field_rows, token_num_fields, ret->fields);
}

bool token_of_process(const struct token_reader *r, uint64_t eprocess, uint64_t *ret,
		      struct fault *fault)
{
	struct object o = object_at(r->k->space, eprocess, r->fields);
	uint64_t va;
	bool found = object_fast_ref(&o, TOKEN_PROCESS_TOKEN, &va);

	if (fault)
		*fault = found ? (struct fault){ 0 } : o.fault;
	if (found && va)
		*ret = va;
	return found && va;
}

bool token_of_thread(const struct token_reader *r, uint64_t ethread, uint64_t *ret,
		     struct fault *fault)
{
	struct object o = object_at(r->k->space, ethread, r->fields);
	uint64_t impersonates, va = 0;
	bool found = object_u64(&o, TOKEN_THREAD_IMPERSONATES, &impersonates);

	/* the low bits are the level and whether it is effective only */
	if (found && impersonates)
		found = object_fast_ref(&o, TOKEN_THREAD_TOKEN, &va);
	if (fault)
		*fault = found ? (struct fault){ 0 } : o.fault;
	if (found && va)
		*ret = va;
	return found && va;
}

static void read_sid(struct space *s, uint64_t va, struct token_sid *ret, struct gaps *gaps)
{
	struct fault fault;

	ret->va = va;
	ret->present = sid_read(s, va, &ret->sid, &fault);
	if (!ret->present)
		gaps_add(gaps, &fault);
}

static void read_sid_pointer(struct object *o, unsigned field, struct token_sid *ret,
			     struct gaps *gaps)
{
	uint64_t va;

	if (!object_u64(o, field, &va))
		gaps_add(gaps, &o->fault);
	else if (va)
		read_sid(o->space, va, ret, gaps);
}

/* One SID_AND_ATTRIBUTES of an array; not present if its bytes or the SID's are not. */
static void read_sid_entry(struct space *s, uint64_t array, size_t index, struct token_sid *ret,
			   struct gaps *gaps)
{
	uint8_t entry[SID_ENTRY_SIZE];
	struct fault fault;

	*ret = (struct token_sid){ 0 };
	if (!space_try_read(s, array + index * SID_ENTRY_SIZE, entry, sizeof(entry), &fault)) {
		gaps_add(gaps, &fault);
		return;
	}
	ret->attributes = load_u32(entry + SID_ENTRY_ATTRIBUTES);
	read_sid(s, load_u64(entry), ret, gaps);
}

static const struct {
	uint16_t count, array;
} sid_lists[NUM_TOKEN_SID_LISTS] = {
	[TOKEN_SIDS_GROUPS] = { TOKEN_GROUP_COUNT, TOKEN_GROUPS },
	[TOKEN_SIDS_RESTRICTED] = { TOKEN_RESTRICTED_COUNT, TOKEN_RESTRICTED },
	[TOKEN_SIDS_CAPABILITIES] = { TOKEN_CAPABILITY_COUNT, TOKEN_CAPABILITIES },
};

struct token_walk {
	const struct token_reader *r;
	const char *what;
	struct arena *arena;
	struct object o;
	struct gaps gaps;
};

static struct error *read_sid_list(struct token_walk *w, enum token_sid_list which,
				   struct token_sids *ret)
{
	uint64_t count, array;

	if (!object_u64(&w->o, sid_lists[which].count, &count) ||
	    !object_u64(&w->o, sid_lists[which].array, &array)) {
		gaps_add(&w->gaps, &w->o.fault);
		return NULL;
	}
	ret->present = count <= MAX_TOKEN_SIDS;
	if (!array || !count)
		return NULL;
	if (count > MAX_TOKEN_SIDS) {
		diag_partial(w->r->k->diag,
			     "%s: token at 0x%" PRIx64 ": %" PRIu64 " SIDs, expected at most %d",
			     w->what, w->o.va, count, MAX_TOKEN_SIDS);
		return NULL;
	}
	ret->items = arena_calloc(w->arena, count, sizeof(*ret->items));
	if (!ret->items)
		return &error_no_memory;
	ret->count = count;
	for (size_t i = 0; i < count; i++)
		read_sid_entry(w->o.space, array, i, &ret->items[i], &w->gaps);
	return NULL;
}

/* Before Windows Vista: a table of LUIDs instead of masks. */
static void read_privilege_table(struct token_walk *w, struct token *ret)
{
	uint64_t count, table, present = 0, enabled = 0, by_default = 0;
	struct fault fault;

	if (!object_u64(&w->o, TOKEN_PRIVILEGE_COUNT, &count) ||
	    !object_u64(&w->o, TOKEN_PRIVILEGES, &table)) {
		gaps_add(&w->gaps, &w->o.fault);
		return;
	}
	for (uint64_t i = 0; i < count && i <= MAX_PRIVILEGE; i++) {
		uint8_t entry[LUID_ENTRY_SIZE];
		uint32_t number, attributes;

		if (!space_try_read(w->o.space, table + i * sizeof(entry), entry, sizeof(entry),
				    &fault)) {
			gaps_add(&w->gaps, &fault);
			return;
		}
		number = load_u32(entry);
		attributes = load_u32(entry + LUID_ENTRY_ATTRIBUTES);
		if (number > MAX_PRIVILEGE)
			continue;
		present |= UINT64_C(1) << number;
		if (attributes & LUID_ENABLED)
			enabled |= UINT64_C(1) << number;
		if (attributes & LUID_ENABLED_BY_DEFAULT)
			by_default |= UINT64_C(1) << number;
	}
	ret->privileges = opt_u64(present);
	ret->enabled = opt_u64(enabled);
	ret->by_default = opt_u64(by_default);
}

static struct opt_u64 read_value(struct token_walk *w, unsigned field)
{
	struct opt_u64 ret = object_opt(&w->o, field);

	if (!ret.present)
		gaps_add(&w->gaps, &w->o.fault);
	return ret;
}

/* 0 is no one's LUID. */
static struct opt_u64 read_luid(struct token_walk *w, unsigned field)
{
	struct opt_u64 ret = read_value(w, field);

	ret.present = ret.present && ret.value;
	return ret;
}

static void read_privileges(struct token_walk *w, struct token *ret)
{
	if (!w->r->fields[TOKEN_PRESENT].present) {
		read_privilege_table(w, ret);
		return;
	}
	ret->privileges = read_value(w, TOKEN_PRESENT);
	ret->enabled = read_value(w, TOKEN_ENABLED);
	ret->by_default = read_value(w, TOKEN_ENABLED_BY_DEFAULT);
}

/* Eight characters, padded with blanks or NULs. */
static void read_source(struct token_walk *w, struct token *ret)
{
	size_t len;
	char *text;

	if (!object_ansi(&w->o, TOKEN_SOURCE, w->arena, &text)) {
		gaps_add(&w->gaps, &w->o.fault);
		return;
	}
	len = strlen(text);
	while (len && text[len - 1] == ' ')
		text[--len] = '\0';
	ret->source = text;
}

/* The names that the local security authority noted at the logon. Its absence is no gap: they are
 * an addition. */
static void read_logon_session(struct token_walk *w, struct token *ret)
{
	struct object session;
	uint64_t va, id;
	char *text;

	if (!object_u64(&w->o, TOKEN_LOGON_SESSION, &va) || !va)
		return;
	session = object_at(w->o.space, va, w->r->fields);
	/* of this logon? */
	if (!object_u64(&session, TOKEN_LOGON_SESSION_ID, &id) || !ret->logon_id.present ||
	    id != ret->logon_id.value)
		return;
	if (object_unicode(&session, TOKEN_LOGON_ACCOUNT, w->o.space, w->arena, &text) && *text)
		ret->account = text;
	if (object_unicode(&session, TOKEN_LOGON_AUTHORITY, w->o.space, w->arena, &text) && *text)
		ret->authority = text;
}

/* A label is one of the groups; tokens of app containers are of a kind of their own. */
static void find_integrity(struct token_walk *w, struct token *ret)
{
	const struct token_sids *groups = &ret->sids[TOKEN_SIDS_GROUPS];
	uint64_t index;
	uint32_t level;

	if (object_u64(&w->o, TOKEN_INTEGRITY_INDEX, &index) && index < groups->count &&
	    groups->items[index].present &&
	    sid_integrity_level(&groups->items[index].sid, &level)) {
		ret->integrity_level = opt_u64(level);
		ret->integrity = integrity_name(level);
	}
	if (ret->flags.present && ret->flags.value & TOKEN_FLAG_LOWBOX)
		ret->integrity = "app_container";
}

static struct error *read_body(struct token_walk *w, struct token *t)
{
	struct error *err = NULL;

	t->impersonation_level = read_value(w, TOKEN_IMPERSONATION_LEVEL);
	t->id = read_value(w, TOKEN_ID);
	t->parent_id = read_luid(w, TOKEN_PARENT_ID);
	t->logon_id = read_value(w, TOKEN_LOGON_ID);
	t->origin_logon_id = read_luid(w, TOKEN_ORIGIN_LOGON_ID);
	t->session_id = read_value(w, TOKEN_SESSION_ID);
	t->flags = read_value(w, TOKEN_FLAGS);
	t->expiration = read_value(w, TOKEN_EXPIRATION);
	t->expiration.present =
		t->expiration.present && t->expiration.value && t->expiration.value < NEVER;
	read_privileges(w, t);
	read_source(w, t);
	read_logon_session(w, t);
	read_sid_pointer(&w->o, TOKEN_PACKAGE, &t->package, &w->gaps);
	read_sid_pointer(&w->o, TOKEN_TRUST_LEVEL, &t->trust_level, &w->gaps);
	read_sid_pointer(&w->o, TOKEN_PRIMARY_GROUP, &t->primary_group, &w->gaps);
	for (unsigned i = 0; i < NUM_TOKEN_SID_LISTS && !err; i++)
		err = read_sid_list(w, (enum token_sid_list)i, &t->sids[i]);
	find_integrity(w, t);
	return err;
}

static bool is_token(struct token_walk *w, struct token *t)
{
	t->type = read_value(w, TOKEN_TYPE);
	if (t->type.present && t->type.value != TOKEN_TYPE_PRIMARY &&
	    t->type.value != TOKEN_TYPE_IMPERSONATION) {
		diag_partial(w->r->k->diag,
			     "%s: 0x%" PRIx64 " is no token: its type is %" PRIu64 ", not 1 or 2",
			     w->what, w->o.va, t->type.value);
		return false;
	}
	return true;
}

struct error *token_read(const struct token_reader *r, uint64_t va, const char *what,
			 struct arena *a, struct token *ret, bool *found_ret)
{
	struct token_walk w = { .r = r, .what = what, .arena = a };
	struct token t = { .va = va };
	struct error *err;

	w.o = object_at(r->k->space, va, r->fields);
	*found_ret = is_token(&w, &t);
	if (!*found_ret)
		return NULL;
	if ((err = read_body(&w, &t)))
		return err;
	if (w.gaps.count)
		diag_partial(r->k->diag,
			     "%s: token at 0x%" PRIx64
			     ": parts of it: %zu absent (first at 0x%" PRIx64 ": %s)",
			     what, va, w.gaps.count, w.gaps.first.va,
			     va_state_text(w.gaps.first.state));
	*ret = t;
	return NULL;
}

bool token_user(const struct token_reader *r, uint64_t token, struct sid *ret, struct fault *fault)
{
	struct object o = object_at(r->k->space, token, r->fields);
	uint64_t array, sid;

	if (!object_u64(&o, TOKEN_GROUPS, &array)) {
		if (fault)
			*fault = o.fault;
		return false;
	}
	return space_try_u64(o.space, array, &sid, fault) && sid_read(o.space, sid, ret, fault);
}

const char *token_integrity(const struct token_reader *r, uint64_t token)
{
	struct object o = object_at(r->k->space, token, r->fields);
	struct opt_u64 flags = object_opt(&o, TOKEN_FLAGS);
	struct token_sid label;
	struct gaps gaps = { 0 };
	uint64_t index, count, array;
	uint32_t level;

	if (flags.present && flags.value & TOKEN_FLAG_LOWBOX)
		return "app_container";
	if (!object_u64(&o, TOKEN_INTEGRITY_INDEX, &index) ||
	    !object_u64(&o, TOKEN_GROUP_COUNT, &count) || !object_u64(&o, TOKEN_GROUPS, &array) ||
	    index >= count || count > MAX_TOKEN_SIDS)
		return NULL;
	read_sid_entry(o.space, array, index, &label, &gaps);
	if (!label.present || !sid_integrity_level(&label.sid, &level))
		return NULL;
	return integrity_name(level);
}

struct opt_u64 token_has_group(const struct token *t, const char *sid)
{
	const struct token_sids *groups = &t->sids[TOKEN_SIDS_GROUPS];
	bool all_read = groups->count != 0;
	char text[SID_TEXT_SIZE];

	for (size_t i = 0; i < groups->count; i++) {
		const struct token_sid *g = &groups->items[i];

		all_read = all_read && g->present;
		if (!g->present || !(g->attributes & GROUP_ENABLED) ||
		    g->attributes & GROUP_USE_FOR_DENY_ONLY)
			continue;
		sid_format(&g->sid, text);
		if (strcmp(text, sid) == 0)
			return opt_u64(1);
	}
	return all_read ? opt_u64(0) : (struct opt_u64){ 0 };
}
