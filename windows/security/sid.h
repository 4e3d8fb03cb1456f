/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_SID_H
#define WINDOWS_SID_H

#include "memory/space.h"

/*
 * Security identifiers: {u8 Revision, u8 SubAuthorityCount, u48 big-endian IdentifierAuthority,
 * u32 SubAuthority[]} (MS-DTYP 2.4.2.2).
 */
enum {
	SID_MAX_SUB_AUTHORITIES = 15,
	SID_HEADER_SIZE = 8,
	SID_MAX_SIZE = SID_HEADER_SIZE + 4 * SID_MAX_SUB_AUTHORITIES,
	SID_TEXT_SIZE = 192, /* "S-1-281474976710655" and 15 times "-4294967295" */
};

struct sid {
	uint8_t revision, count;
	uint64_t authority;
	uint32_t sub_authorities[SID_MAX_SUB_AUTHORITIES];
};

/* False: the bytes end early, or are none (revision 1, at most 15 sub-authorities). */
MUST_CHECK bool sid_parse(const uint8_t *bytes, size_t len, struct sid *ret);
/* The SID at va. False: absent, or none there (then fault->state is VA_MAPPED). */
MUST_CHECK bool sid_read(struct space *s, uint64_t va, struct sid *ret, struct fault *fault);
/* "S-1-5-18"; authorities of 2^32 and more in hexadecimal, as Windows does. */
void sid_format(const struct sid *sid, char ret[SID_TEXT_SIZE]);

struct sid_meaning {
	/* "well_known", "account", "alias", "logon_session", "service",
	 * "virtual_account", "app_pool", "virtual_machine", "integrity", "package", "capability",
	 * "trust_label"; NULL: no class that is public */
	const char *kind;
	/* As Windows shows it in English, "NT AUTHORITY\SYSTEM"; NULL: the SID alone does not tell.
	 * Local or allocated in the arena. */
	const char *name;
};
/* What a SID says by itself. NO_MEMORY only. */
MUST_CHECK struct error *sid_explain(const struct sid *sid, struct arena *a,
				     struct sid_meaning *ret);

/*
 * The SID of a service, S-1-5-80 and the SHA-1 of its name in capital letters (Windows Internals,
 * "Service isolation"). Names are UTF-8; only ASCII letters are made capitals. False: the name is
 * longer than a service's can be.
 */
MUST_CHECK bool sid_of_service(const char *name, struct sid *ret);
bool sid_equal(const struct sid *a, const struct sid *b);

/* The mandatory level of S-1-16-x; false: the SID is no label. */
MUST_CHECK bool sid_integrity_level(const struct sid *sid, uint32_t *ret);
/* "untrusted", "low", "medium", "medium_plus", "high", "system", "protected": the highest that a
 * level reaches. */
const char *integrity_name(uint32_t level);

#endif
