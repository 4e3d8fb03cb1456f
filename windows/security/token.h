/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_TOKEN_H
#define WINDOWS_TOKEN_H

#include "windows/kernel/kernel.h"
#include "windows/security/sid.h"

/* Access tokens: as whom processes and threads act, and what they may. */

#define TOKEN_FIELDS(F)                                                                       \
	F(TOKEN, PROCESS_TOKEN, "_EPROCESS", "Token", OPTIONAL)                               \
	F(TOKEN, THREAD_IMPERSONATES, "_ETHREAD", "ActiveImpersonationInfo", OPTIONAL)        \
	F(TOKEN, THREAD_TOKEN, "_ETHREAD", "ClientSecurity.ImpersonationToken", OPTIONAL)     \
	F(TOKEN, SOURCE, "_TOKEN", "TokenSource.SourceName", OPTIONAL)                        \
	F(TOKEN, ID, "_TOKEN", "TokenId", OPTIONAL)                                           \
	F(TOKEN, LOGON_ID, "_TOKEN", "AuthenticationId", OPTIONAL)                            \
	F(TOKEN, PARENT_ID, "_TOKEN", "ParentTokenId", OPTIONAL)                              \
	F(TOKEN, ORIGIN_LOGON_ID, "_TOKEN", "OriginatingLogonSession", OPTIONAL)              \
	F(TOKEN, EXPIRATION, "_TOKEN", "ExpirationTime", OPTIONAL)                            \
	F(TOKEN, PRIVILEGES, "_TOKEN", "Privileges", OPTIONAL)                                \
	F(TOKEN, PRIVILEGE_COUNT, "_TOKEN", "PrivilegeCount", OPTIONAL)                       \
	F(TOKEN, PRESENT, "_TOKEN", "Privileges.Present", OPTIONAL)                           \
	F(TOKEN, ENABLED, "_TOKEN", "Privileges.Enabled", OPTIONAL)                           \
	F(TOKEN, ENABLED_BY_DEFAULT, "_TOKEN", "Privileges.EnabledByDefault", OPTIONAL)       \
	F(TOKEN, SESSION_ID, "_TOKEN", "SessionId", OPTIONAL)                                 \
	F(TOKEN, GROUP_COUNT, "_TOKEN", "UserAndGroupCount", OPTIONAL)                        \
	F(TOKEN, GROUPS, "_TOKEN", "UserAndGroups", OPTIONAL)                                 \
	F(TOKEN, RESTRICTED_COUNT, "_TOKEN", "RestrictedSidCount", OPTIONAL)                  \
	F(TOKEN, RESTRICTED, "_TOKEN", "RestrictedSids", OPTIONAL)                            \
	F(TOKEN, CAPABILITY_COUNT, "_TOKEN", "CapabilityCount", OPTIONAL)                     \
	F(TOKEN, CAPABILITIES, "_TOKEN", "Capabilities", OPTIONAL)                            \
	F(TOKEN, PACKAGE, "_TOKEN", "Package", OPTIONAL)                                      \
	F(TOKEN, TRUST_LEVEL, "_TOKEN", "TrustLevelSid", OPTIONAL)                            \
	F(TOKEN, PRIMARY_GROUP, "_TOKEN", "PrimaryGroup", OPTIONAL)                           \
	F(TOKEN, TYPE, "_TOKEN", "TokenType", OPTIONAL)                                       \
	F(TOKEN, IMPERSONATION_LEVEL, "_TOKEN", "ImpersonationLevel", OPTIONAL)               \
	F(TOKEN, FLAGS, "_TOKEN", "TokenFlags", OPTIONAL)                                     \
	F(TOKEN, INTEGRITY_INDEX, "_TOKEN", "IntegrityLevelIndex", OPTIONAL)                  \
	F(TOKEN, LOGON_SESSION, "_TOKEN", "LogonSession", OPTIONAL)                           \
	F(TOKEN, LOGON_ACCOUNT, "_SEP_LOGON_SESSION_REFERENCES", "AccountName", OPTIONAL)     \
	F(TOKEN, LOGON_AUTHORITY, "_SEP_LOGON_SESSION_REFERENCES", "AuthorityName", OPTIONAL) \
	F(TOKEN, LOGON_SESSION_ID, "_SEP_LOGON_SESSION_REFERENCES", "LogonId", OPTIONAL)
DECLARE_FIELDS(token, TOKEN_FIELDS);

enum { TOKEN_TYPE_PRIMARY = 1, TOKEN_TYPE_IMPERSONATION = 2 }; /* winnt.h */
enum { MAX_TOKEN_SIDS = 4096 }; /* of one list; Windows makes at most about 1000 */

/* SE_GROUP_* of winnt.h */
enum group_attribute {
	GROUP_MANDATORY = 0x1,
	GROUP_ENABLED_BY_DEFAULT = 0x2,
	GROUP_ENABLED = 0x4,
	GROUP_OWNER = 0x8,
	GROUP_USE_FOR_DENY_ONLY = 0x10,
	GROUP_INTEGRITY = 0x20,
	GROUP_INTEGRITY_ENABLED = 0x40,
	GROUP_RESOURCE = 0x20000000,
};
#define GROUP_LOGON_ID UINT32_C(0xc0000000)

/* TOKEN_* of the WDK's ntifs.h */
enum token_flag {
	TOKEN_FLAG_WRITE_RESTRICTED = 0x8,
	TOKEN_FLAG_IS_RESTRICTED = 0x10,
	TOKEN_FLAG_SANDBOX_INERT = 0x40,
	TOKEN_FLAG_VIRTUALIZE_ALLOWED = 0x200,
	TOKEN_FLAG_VIRTUALIZE_ENABLED = 0x400,
	TOKEN_FLAG_IS_FILTERED = 0x800,
	TOKEN_FLAG_UIACCESS = 0x1000,
	TOKEN_FLAG_NOT_LOW = 0x2000,
	TOKEN_FLAG_LOWBOX = 0x4000,
};

struct token_reader {
	struct kernel *k;
	struct field fields[token_num_fields];
};
MUST_CHECK struct error *token_reader_init(struct kernel *k, struct token_reader *ret);

/* The token that a process acts with. False: it has none, or that is absent (then *fault says
 * where; fault->va 0: none). */
MUST_CHECK bool token_of_process(const struct token_reader *r, uint64_t eprocess, uint64_t *ret,
				 struct fault *fault);
/* The token that a thread impersonates with; false as above. */
MUST_CHECK bool token_of_thread(const struct token_reader *r, uint64_t ethread, uint64_t *ret,
				struct fault *fault);
/* Reads just the label: "low", ..., "app_container"; NULL: it has none, or that is absent. */
const char *token_integrity(const struct token_reader *r, uint64_t token);
/* Reads just the user. */
MUST_CHECK bool token_user(const struct token_reader *r, uint64_t token, struct sid *ret,
			   struct fault *fault);

struct token_sid {
	uint64_t va;
	bool present; /* false: the SID's bytes are absent */
	struct sid sid;
	uint32_t attributes; /* enum group_attribute */
};
enum token_sid_list {
	TOKEN_SIDS_GROUPS,
	TOKEN_SIDS_RESTRICTED,
	TOKEN_SIDS_CAPABILITIES,
	NUM_TOKEN_SID_LISTS
};
struct token_sids {
	bool present;		 /* false: how many there are is absent, or the build has none */
	struct token_sid *items; /* in the arena */
	size_t count;
};

struct token {
	uint64_t va;
	struct opt_u64 type;		    /* TOKEN_TYPE: 1 primary, 2 impersonation */
	struct opt_u64 impersonation_level; /* SECURITY_IMPERSONATION_LEVEL, 0 to 3 */
	struct opt_u64 id, parent_id, logon_id, origin_logon_id, session_id, flags;
	struct opt_u64 expiration; /* FILETIME; never: absent */
	struct opt_u64 privileges, enabled,
		by_default; /* masks; see windows/security/privilege.h */
	/* The first group is the user. */
	struct token_sids sids[NUM_TOKEN_SID_LISTS];
	struct token_sid package, trust_level; /* va 0: it has none */
	struct token_sid primary_group;
	struct opt_u64 integrity_level; /* of the mandatory label */
	const char *integrity;		/* as token_integrity() */
	const char *source;		/* "*SYSTEM*", "User32"; NULL: absent */
	/* Of its logon session: whose logon it was. NULL: absent, or not noted there. */
	const char *account, *authority;
};
/*
 * Reads the token at va. What is absent in it, maybe all, is reported once, as `what`'s. *found_ret
 * false: what is there is no token; that is reported too. NO_MEMORY only.
 */
MUST_CHECK struct error *token_read(const struct token_reader *r, uint64_t va, const char *what,
				    struct arena *a, struct token *ret, bool *found_ret);
/* Is the group there, enabled and not only for denying (1, else 0)? Absent where a group that
 * cannot be read might be it. */
struct opt_u64 token_has_group(const struct token *t, const char *sid);

#endif
