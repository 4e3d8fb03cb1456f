/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_ACCOUNT_H
#define WINDOWS_ACCOUNT_H

#include "windows/security/token.h"

/*
 * Names of accounts: of well-known SIDs from tables; of others from the registry in memory, which
 * is opened when the first of them is asked for.
 */
struct registry;
struct known_account;
struct service_account;
struct account_book {
	struct kernel *k;
	struct arena arena;
	struct registry *registry; /* NULL: not open, or there is none */
	bool tried, tried_services, has_machine;
	struct sid machine; /* of this machine's own accounts, without the last number */
	struct service_account *services; /* of the registry, in the arena */
	size_t num_services;
	struct known_account *known; /* that were asked for */
	size_t num_known, capacity;
};

void account_book_init(struct account_book *ret, struct kernel *k);
void account_book_deinit(struct account_book *book);

struct account_name {
	const char *name;   /* NULL: nothing here knows it; borrowed from the book or static */
	const char *source; /* "well_known", "sam", "logon_session", "profile", "service" */
};
/* Whose SID it is, for the first few thousand that are asked for. What cannot be read of the
 * registry is a note. NO_MEMORY only. */
MUST_CHECK struct error *account_find(struct account_book *book, const struct sid *sid,
				      struct account_name *ret);
/* The user of a token: also the account of its logon session. Strings may be the token's. */
MUST_CHECK struct error *account_find_user(struct account_book *book, const struct token *t,
					   struct account_name *ret);

#endif
