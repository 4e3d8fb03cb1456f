/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "cli/processes.h"
#include "windows/security/account.h"
#include "windows/security/privilege.h"
#include "windows/security/token.h"

enum {
	TOKENS_PID,
	TOKENS_PROCESS_NAME,
	TOKENS_USER_NAME,
	TOKENS_INTEGRITY,
	TOKENS_SESSION_ID,
	TOKENS_ELEVATED,
	TOKENS_LOGON_ID,
	TOKENS_SOURCE,
	TOKENS_USER_SID,
	TOKENS_USER_NAME_SOURCE,
	TOKENS_TOKEN,
	TOKENS_TYPE,
	TOKENS_IMPERSONATION_LEVEL,
	TOKENS_INTEGRITY_LEVEL,
	TOKENS_GROUPS,
	TOKENS_RESTRICTED_SIDS,
	TOKENS_CAPABILITIES,
	TOKENS_PACKAGE_SID,
	TOKENS_TRUST_LEVEL,
	TOKENS_PRIMARY_GROUP,
	TOKENS_PRIVILEGES,
	TOKENS_PRIVILEGES_ENABLED,
	TOKENS_PRIVILEGES_DEFAULT,
	TOKENS_FLAGS,
	TOKENS_LOGON_ACCOUNT,
	TOKENS_LOGON_AUTHORITY,
	TOKENS_ORIGIN_LOGON_ID,
	TOKENS_TOKEN_ID,
	TOKENS_PARENT_TOKEN_ID,
	TOKENS_EXPIRATION,
	/* --groups */
	TOKENS_LIST,
	TOKENS_SID,
	TOKENS_SID_KIND,
	TOKENS_SID_NAME,
	TOKENS_ATTRIBUTES,
	/* --privileges */
	TOKENS_PRIVILEGE,
	TOKENS_LUID,
	TOKENS_ENABLED,
	TOKENS_BY_DEFAULT,
	TOKENS_NUM_COLUMNS
};

static const struct column tokens_columns[TOKENS_NUM_COLUMNS] = {
	[TOKENS_PID] = { "pid", "PID", CELL_U64, 6, COL_RIGHT, "process id" },
	[TOKENS_PROCESS_NAME] = { "process_name", "PROCESS", CELL_STR, 15, 0,
				  "image name of the process" },
	[TOKENS_USER_NAME] = { "user_name", "USER", CELL_STR, 28, 0,
			       "whom the token stands for, where that is known by name" },
	[TOKENS_INTEGRITY] = { "integrity", "INTEGRITY", CELL_STR, 13, 0,
			       "untrusted, low, medium, medium_plus, high, system, protected or "
			       "app_container" },
	[TOKENS_SESSION_ID] = { "session_id", "SES", CELL_U64, 3, COL_RIGHT, "session" },
	[TOKENS_ELEVATED] = { "elevated", "ADMIN", CELL_BOOL, 5, 0,
			      "BUILTIN\\Administrators is enabled in it, not only for denying" },
	[TOKENS_LOGON_ID] = { "logon_id", "LOGON", CELL_ADDR, 10, 0,
			      "logon session; 0x3e7 is the system's, 0x3e4 and 0x3e5 are those of "
			      "services" },
	[TOKENS_SOURCE] = { "source", "SOURCE", CELL_STR, 8, 0, "who made the token" },
	[TOKENS_USER_SID] = { "user_sid", "USER SID", CELL_STR, 0, 0, "the user's identifier" },
	[TOKENS_USER_NAME_SOURCE] = { "user_name_source", "NAMED BY", CELL_STR, 13, COL_HIDDEN,
				      "where the name is from: well_known, sam (the accounts of "
				      "this machine), logon_session, profile (the last part of "
				      "the profile's path), service (whose name makes the SID)" },
	[TOKENS_TOKEN] = { "token", "TOKEN", CELL_ADDR, 18, COL_HIDDEN,
			   "virtual address of the token object" },
	[TOKENS_TYPE] = { "type", "TYPE", CELL_STR, 13, COL_HIDDEN, "primary or impersonation" },
	[TOKENS_IMPERSONATION_LEVEL] = { "impersonation_level", "LEVEL", CELL_STR, 14, COL_HIDDEN,
					 "anonymous, identification, impersonation or delegation; "
					 "only of impersonation tokens" },
	[TOKENS_INTEGRITY_LEVEL] = { "integrity_level", "LABEL", CELL_ADDR, 6, COL_HIDDEN,
				     "number of the mandatory label: 0x2000 is medium" },
	[TOKENS_GROUPS] = { "groups", "GROUPS", CELL_STRS, 0, COL_HIDDEN,
			    "the user and all groups, as SIDs, in the token's order" },
	[TOKENS_RESTRICTED_SIDS] = { "restricted_sids", "RESTRICTED", CELL_STRS, 0, COL_HIDDEN,
				     "SIDs that restrict what the others allow" },
	[TOKENS_CAPABILITIES] = { "capabilities", "CAPABILITIES", CELL_STRS, 0, COL_HIDDEN,
				  "capability SIDs of an app container" },
	[TOKENS_PACKAGE_SID] = { "package_sid", "PACKAGE", CELL_STR, 0, COL_HIDDEN,
				 "the app container's own SID" },
	[TOKENS_TRUST_LEVEL] = { "trust_level", "TRUST", CELL_STR, 0, COL_HIDDEN,
				 "trust label of a protected process" },
	[TOKENS_PRIMARY_GROUP] = { "primary_group", "PRIMARY GROUP", CELL_STR, 0, COL_HIDDEN,
				   "SID that new objects get as their group" },
	[TOKENS_PRIVILEGES] = { "privileges", "PRIVILEGES", CELL_STRS, 0, COL_HIDDEN,
				"privileges that the token has" },
	[TOKENS_PRIVILEGES_ENABLED] = { "privileges_enabled", "ENABLED", CELL_STRS, 0, COL_HIDDEN,
					"those that are enabled" },
	[TOKENS_PRIVILEGES_DEFAULT] = { "privileges_default", "DEFAULT", CELL_STRS, 0, COL_HIDDEN,
					"those that were enabled when the token was made" },
	[TOKENS_FLAGS] = { "flags", "FLAGS", CELL_ADDR, 8, COL_HIDDEN,
			   "TokenFlags: 0x10 restricted, 0x200 and 0x400 virtualization, 0x800 "
			   "filtered by UAC, 0x1000 UI access, 0x4000 app container" },
	[TOKENS_LOGON_ACCOUNT] = { "logon_account", "LOGON ACCOUNT", CELL_STR, 16, COL_HIDDEN,
				   "account of the logon session" },
	[TOKENS_LOGON_AUTHORITY] = { "logon_authority", "AUTHORITY", CELL_STR, 16, COL_HIDDEN,
				     "domain or machine of that account" },
	[TOKENS_ORIGIN_LOGON_ID] = { "origin_logon_id", "ORIGIN", CELL_ADDR, 10, COL_HIDDEN,
				     "logon session that started this one" },
	[TOKENS_TOKEN_ID] = { "token_id", "ID", CELL_ADDR, 10, COL_HIDDEN, "the token's own LUID" },
	[TOKENS_PARENT_TOKEN_ID] = { "parent_token_id", "PARENT", CELL_ADDR, 10, COL_HIDDEN,
				     "LUID of the token that this restricted one was made from" },
	[TOKENS_EXPIRATION] = { "expiration", "EXPIRES", CELL_TIME, 28, COL_HIDDEN,
				"when it expires, UTC; absent: never" },
	[TOKENS_LIST] = { "list", "LIST", CELL_STR, 12, COL_ASKED,
			  "--groups: user, group, restricted, capability, package, trust_level" },
	[TOKENS_SID] = { "sid", "SID", CELL_STR, 46, COL_ASKED, "--groups: the SID" },
	[TOKENS_SID_KIND] = { "sid_kind", "KIND", CELL_STR, 13, COL_ASKED,
			      "--groups: what kind of SID it is: account, alias, service, ..." },
	[TOKENS_SID_NAME] = { "sid_name", "NAME", CELL_STR, 36, COL_ASKED,
			      "--groups: its name, where that is known" },
	[TOKENS_ATTRIBUTES] = { "attributes", "ATTRIBUTES", CELL_STRS, 0, COL_ASKED,
				"--groups: mandatory, enabled_by_default, enabled, owner, "
				"deny_only, integrity, integrity_enabled, resource, logon_id" },
	[TOKENS_PRIVILEGE] = { "privilege", "PRIVILEGE", CELL_STR, 42, COL_ASKED,
			       "--privileges: its name" },
	[TOKENS_LUID] = { "luid", "LUID", CELL_U64, 4, COL_ASKED | COL_RIGHT,
			  "--privileges: its number" },
	[TOKENS_ENABLED] = { "enabled", "ENABLED", CELL_BOOL, 7, COL_ASKED,
			     "--privileges: whether it is enabled" },
	[TOKENS_BY_DEFAULT] = { "by_default", "BY DEFAULT", CELL_BOOL, 10, COL_ASKED,
				"--privileges: whether it was when the token was made" },
};

static const struct option_row tokens_options[] = {
	PROCESS_OPTION_ROWS,
	{ "groups", 0, OPTION_FLAG, NULL, "one row per SID of each token, with its attributes" },
	{ "privileges", 0, OPTION_FLAG, NULL, "one row per privilege of each token" },
};

/* In a text table the longest, attributes, come last, and what the SID says itself is left out. */
static const char *tokens_default_columns(const struct option_values *options)
{
	const char *format = option_string(options, "format");

	if (option_flag(options, "groups") && (!format || strcmp(format, "text") == 0))
		return "pid,list,sid,sid_name,attributes";
	if (option_flag(options, "groups"))
		return "pid,process_name,list,sid,sid_kind,sid_name,attributes";
	if (option_flag(options, "privileges"))
		return "pid,process_name,luid,privilege,enabled,by_default";
	return NULL;
}

struct tokens_listing {
	struct token_reader reader;
	struct account_book accounts;
};

/* A token and what naming its parts needs. */
struct token_row {
	struct command_run *run;
	const struct process_visit *visit;
	struct tokens_listing *listing;
	struct token token;
};

static struct error *sid_text(struct arena *a, const struct token_sid *s, const char **ret)
{
	char text[SID_TEXT_SIZE];

	*ret = NULL;
	if (!s->present)
		return NULL;
	sid_format(&s->sid, text);
	*ret = arena_strdup(a, text);
	return *ret ? NULL : &error_no_memory;
}

static struct error *put_sid(struct arena *a, const struct token_sid *s, struct cell *ret)
{
	const char *text;
	struct error *err = sid_text(a, s, &text);

	*ret = cell_str(text);
	return err;
}

static struct error *put_sids(struct arena *a, const struct token_sids *sids, struct cell *ret)
{
	const char **texts = arena_calloc(a, sids->count + 1, sizeof(*texts));
	struct error *err = NULL;

	if (!texts)
		return &error_no_memory;
	for (size_t i = 0; i < sids->count && !err; i++)
		err = sid_text(a, &sids->items[i], &texts[i]);
	*ret = sids->present ? cell_strs(texts, sids->count) : CELL_ABSENT;
	return err;
}

static struct error *privilege_text(struct arena *a, unsigned number, const char **ret)
{
	*ret = privilege_name(number);
	if (!*ret)
		*ret = arena_printf(a, "privilege_%u", number);
	return *ret ? NULL : &error_no_memory;
}

static struct error *put_privileges(struct arena *a, struct opt_u64 mask, struct cell *ret)
{
	const char **names = arena_calloc(a, MAX_PRIVILEGE + 1, sizeof(*names));
	struct error *err = NULL;
	size_t count = 0;

	if (!names)
		return &error_no_memory;
	for (unsigned i = 0; i <= MAX_PRIVILEGE && !err; i++) {
		if (mask.value >> i & 1)
			err = privilege_text(a, i, &names[count++]);
	}
	*ret = mask.present ? cell_strs(names, count) : CELL_ABSENT;
	return err;
}

static struct error *put_lists(const struct token *t, struct arena *a, struct cell *cells)
{
	struct error *err;

	if ((err = put_sids(a, &t->sids[TOKEN_SIDS_GROUPS], &cells[TOKENS_GROUPS])) ||
	    (err = put_sids(a, &t->sids[TOKEN_SIDS_RESTRICTED], &cells[TOKENS_RESTRICTED_SIDS])) ||
	    (err = put_sids(a, &t->sids[TOKEN_SIDS_CAPABILITIES], &cells[TOKENS_CAPABILITIES])) ||
	    (err = put_sid(a, &t->package, &cells[TOKENS_PACKAGE_SID])) ||
	    (err = put_sid(a, &t->trust_level, &cells[TOKENS_TRUST_LEVEL])) ||
	    (err = put_sid(a, &t->primary_group, &cells[TOKENS_PRIMARY_GROUP])) ||
	    (err = put_privileges(a, t->privileges, &cells[TOKENS_PRIVILEGES])) ||
	    (err = put_privileges(a, t->enabled, &cells[TOKENS_PRIVILEGES_ENABLED])))
		return err;
	return put_privileges(a, t->by_default, &cells[TOKENS_PRIVILEGES_DEFAULT]);
}

static const char *type_name(const struct token *t)
{
	if (!t->type.present)
		return NULL;
	return t->type.value == TOKEN_TYPE_PRIMARY ? "primary" : "impersonation";
}

/* SECURITY_IMPERSONATION_LEVEL of winnt.h; primary tokens have no meaning of it. */
static const char *impersonation_level_name(const struct token *t)
{
	static const char *const names[] = { "anonymous", "identification", "impersonation",
					     "delegation" };

	if (t->type.value == TOKEN_TYPE_PRIMARY || !t->impersonation_level.present ||
	    t->impersonation_level.value >= ARRAY_SIZE(names))
		return NULL;
	return names[t->impersonation_level.value];
}

/* The cells that all rows of a token share. */
static struct error *put_owner(const struct token_row *row, struct cell *cells)
{
	const struct token_sids *groups = &row->token.sids[TOKEN_SIDS_GROUPS];
	struct arena *a = row->visit->arena;
	struct account_name name = { 0 };
	struct error *err;

	cells[TOKENS_PID] = cell_opt(row->visit->process->pid);
	cells[TOKENS_PROCESS_NAME] = cell_str(row->visit->process->name);
	cells[TOKENS_TOKEN] = cell_addr(row->token.va);
	if (!groups->count || !groups->items[0].present)
		return NULL;
	if ((err = put_sid(a, &groups->items[0], &cells[TOKENS_USER_SID])) ||
	    (err = account_find_user(&row->listing->accounts, &row->token, &name)))
		return err;
	cells[TOKENS_USER_NAME] = cell_str(name.name);
	cells[TOKENS_USER_NAME_SOURCE] = cell_str(name.source);
	return NULL;
}

static struct error *token_cells(const struct token_row *row, struct cell *cells)
{
	const struct token *t = &row->token;
	struct opt_u64 elevated = token_has_group(t, "S-1-5-32-544");

	cells[TOKENS_INTEGRITY] = cell_str(t->integrity);
	cells[TOKENS_SESSION_ID] = cell_opt(t->session_id);
	if (elevated.present)
		cells[TOKENS_ELEVATED] = cell_bool(elevated.value != 0);
	cells[TOKENS_LOGON_ID] = cell_opt(t->logon_id);
	cells[TOKENS_SOURCE] = cell_str(t->source);
	cells[TOKENS_TYPE] = cell_str(type_name(t));
	cells[TOKENS_IMPERSONATION_LEVEL] = cell_str(impersonation_level_name(t));
	cells[TOKENS_INTEGRITY_LEVEL] = cell_opt(t->integrity_level);
	cells[TOKENS_FLAGS] = cell_opt(t->flags);
	cells[TOKENS_LOGON_ACCOUNT] = cell_str(t->account);
	cells[TOKENS_LOGON_AUTHORITY] = cell_str(t->authority);
	cells[TOKENS_ORIGIN_LOGON_ID] = cell_opt(t->origin_logon_id);
	cells[TOKENS_TOKEN_ID] = cell_opt(t->id);
	cells[TOKENS_PARENT_TOKEN_ID] = cell_opt(t->parent_id);
	cells[TOKENS_EXPIRATION] = cell_opt(t->expiration);
	return put_lists(t, row->visit->arena, cells);
}

static struct error *put_attributes(struct arena *a, uint32_t attributes, struct cell *ret)
{
	static const struct {
		uint32_t bits;
		const char *name;
	} names[] = {
		{ GROUP_MANDATORY, "mandatory" },
		{ GROUP_ENABLED_BY_DEFAULT, "enabled_by_default" },
		{ GROUP_ENABLED, "enabled" },
		{ GROUP_OWNER, "owner" },
		{ GROUP_USE_FOR_DENY_ONLY, "deny_only" },
		{ GROUP_INTEGRITY, "integrity" },
		{ GROUP_INTEGRITY_ENABLED, "integrity_enabled" },
		{ GROUP_RESOURCE, "resource" },
		{ GROUP_LOGON_ID, "logon_id" },
	};
	const char **words = arena_calloc(a, ARRAY_SIZE(names), sizeof(*words));
	size_t count = 0;

	if (!words)
		return &error_no_memory;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if ((attributes & names[i].bits) == names[i].bits)
			words[count++] = names[i].name;
	}
	*ret = cell_strs(words, count);
	return NULL;
}

static struct error *group_row(const struct token_row *row, const struct cell *owner,
			       const char *list, const struct token_sid *s)
{
	struct cell cells[TOKENS_NUM_COLUMNS];
	struct sid_meaning meaning = { 0 };
	struct arena *a = row->visit->arena;
	struct account_name name = { 0 };
	struct error *err;

	memcpy(cells, owner, sizeof(cells));
	cells[TOKENS_LIST] = cell_str(list);
	if ((err = put_sid(a, s, &cells[TOKENS_SID])) ||
	    (err = put_attributes(a, s->attributes, &cells[TOKENS_ATTRIBUTES])))
		return err;
	if (s->present && ((err = sid_explain(&s->sid, a, &meaning)) ||
			   (err = account_find(&row->listing->accounts, &s->sid, &name))))
		return err;
	cells[TOKENS_SID_KIND] = cell_str(meaning.kind);
	cells[TOKENS_SID_NAME] = cell_str(name.name);
	return sink_row(row->run->sink, cells, 0);
}

static struct error *group_rows(const struct token_row *row, const struct cell *owner)
{
	static const char *const names[NUM_TOKEN_SID_LISTS] = { "group", "restricted",
								"capability" };
	const struct token *t = &row->token;
	struct error *err = NULL;

	for (unsigned list = 0; list < NUM_TOKEN_SID_LISTS; list++) {
		bool has_user = list == TOKEN_SIDS_GROUPS;

		for (size_t i = 0; i < t->sids[list].count && !err; i++)
			err = group_row(row, owner, has_user && i == 0 ? "user" : names[list],
					&t->sids[list].items[i]);
	}
	if (!err && t->package.va)
		err = group_row(row, owner, "package", &t->package);
	if (!err && t->trust_level.va)
		err = group_row(row, owner, "trust_level", &t->trust_level);
	return err;
}

static struct error *privilege_rows(const struct token_row *row, const struct cell *owner)
{
	const struct token *t = &row->token;
	struct cell cells[TOKENS_NUM_COLUMNS];
	struct error *err = NULL;

	memcpy(cells, owner, sizeof(cells));
	for (unsigned i = 0; i <= MAX_PRIVILEGE && t->privileges.present && !err; i++) {
		const char *name;

		if (!(t->privileges.value >> i & 1))
			continue;
		if ((err = privilege_text(row->visit->arena, i, &name)))
			return err;
		cells[TOKENS_LUID] = cell_u64(i);
		cells[TOKENS_PRIVILEGE] = cell_str(name);
		cells[TOKENS_ENABLED] =
			t->enabled.present ? cell_bool(t->enabled.value >> i & 1) : CELL_ABSENT;
		cells[TOKENS_BY_DEFAULT] = t->by_default.present
						   ? cell_bool(t->by_default.value >> i & 1)
						   : CELL_ABSENT;
		err = sink_row(row->run->sink, cells, 0);
	}
	return err;
}

static struct error *token_rows(const struct token_row *row)
{
	struct cell cells[TOKENS_NUM_COLUMNS] = { 0 };
	struct error *err;

	if ((err = put_owner(row, cells)) || (err = token_cells(row, cells)))
		return err;
	if (option_flag(row->run->options, "groups"))
		return group_rows(row, cells);
	if (option_flag(row->run->options, "privileges"))
		return privilege_rows(row, cells);
	return sink_row(row->run->sink, cells, 0);
}

static struct error *tokens_process(struct command_run *run, const struct process_visit *visit,
				    void *arg)
{
	struct token_row row = { .run = run, .visit = visit, .listing = arg };
	struct fault fault;
	struct error *err;
	const char *what;
	uint64_t va;
	bool found;

	what = arena_printf(visit->arena, "process %" PRIu64, visit->process->pid.value);
	if (!what)
		return &error_no_memory;
	if (!token_of_process(&row.listing->reader, visit->process->eprocess, &va, &fault)) {
		if (fault.va)
			diag_partial(run->diag, "%s: token: 0x%" PRIx64 ": %s", what, fault.va,
				     va_state_text(fault.state));
		return NULL;
	}
	err = token_read(&row.listing->reader, va, what, visit->arena, &row.token, &found);
	return err || !found ? err : token_rows(&row);
}

static struct error *tokens_run(struct command_run *run)
{
	struct tokens_listing listing;
	struct error *err;

	if (option_flag(run->options, "groups") && option_flag(run->options, "privileges"))
		return error_new(ERROR_USAGE, "--groups and --privileges are two listings");
	if ((err = token_reader_init(run->kernel, &listing.reader)))
		return err;
	if (!listing.reader.fields[TOKEN_GROUPS].present)
		return error_new(ERROR_NOT_FOUND, "the layout of tokens is not known for this "
						  "kernel: give its symbols (--symbols)");
	account_book_init(&listing.accounts, run->kernel);
	err = each_process(run, tokens_process, &listing);
	account_book_deinit(&listing.accounts);
	return err;
}

const struct command cmd_tokens = {
	.name = "tokens",
	.summary = "show as whom each process acts and what it may do",
	.description =
		"Reads the primary token of each process: user, groups, privileges, integrity, "
		"logon session and session. Rows of json, jsonl and csv hold groups and privileges "
		"as lists; --groups and --privileges print one row for each.\n\n"
		"Names come from tables of well-known SIDs and, through the registry in memory, "
		"from the machine's own accounts (SAM), from its services, whose names make their "
		"SIDs, and from ProfileList, whose folder may be named otherwise than the account. "
		"Where the logon session tells its account, that is used before a profile's. "
		"user_name_source says which it was. The accounts of a domain are not in a "
		"snapshot of a member.",
	.example = "ntscope tokens --groups --pid 4242 memory.dmp",
	.options = tokens_options,
	.num_options = ARRAY_SIZE(tokens_options),
	.columns = tokens_columns,
	.num_columns = TOKENS_NUM_COLUMNS,
	.key_columns = "pid,token",
	.flags = COMMAND_NEEDS_KERNEL,
	.default_columns = tokens_default_columns,
	.run = tokens_run,
};
