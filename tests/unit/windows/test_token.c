/* SPDX-License-Identifier: MIT */
#include "windows/security/token.h"

#include "fake_space.h"
#include "windows/security/account.h"

#define EPROCESS  (FAKE_BASE + 0x80)
#define ETHREAD	  (FAKE_BASE + 0xc0)
#define TOKEN_VA  (FAKE_BASE + 0x1000)
#define GROUPS	  (FAKE_BASE + 0x2000)
#define SIDS	  (FAKE_BASE + 0x3000)
#define SID_AT(i) (SIDS + 0x40 * (uint64_t)(i))
#define SESSION	  (FAKE_BASE + 0x4000)
enum { NUM_GROUPS = 4, LABEL = 3 };

static const struct field fields[token_num_fields] = {
	[TOKEN_PROCESS_TOKEN] = { 0x00, 8, 0, 0, true },
	[TOKEN_THREAD_IMPERSONATES] = { 0x00, 4, 3, 1, true },
	[TOKEN_THREAD_TOKEN] = { 0x08, 8, 0, 0, true },
	[TOKEN_SOURCE] = { 0x00, 8, 0, 0, true },
	[TOKEN_LOGON_ID] = { 0x18, 8, 0, 0, true },
	[TOKEN_PRIVILEGES] = { 0x40, 24, 0, 0, true },
	[TOKEN_PRESENT] = { 0x40, 8, 0, 0, true },
	[TOKEN_ENABLED] = { 0x48, 8, 0, 0, true },
	[TOKEN_ENABLED_BY_DEFAULT] = { 0x50, 8, 0, 0, true },
	[TOKEN_SESSION_ID] = { 0x78, 4, 0, 0, true },
	[TOKEN_GROUP_COUNT] = { 0x7c, 4, 0, 0, true },
	[TOKEN_RESTRICTED_COUNT] = { 0x80, 4, 0, 0, true },
	[TOKEN_GROUPS] = { 0x98, 8, 0, 0, true },
	[TOKEN_RESTRICTED] = { 0xa0, 8, 0, 0, true },
	[TOKEN_TYPE] = { 0xc0, 4, 0, 0, true },
	[TOKEN_FLAGS] = { 0xc8, 4, 0, 0, true },
	[TOKEN_INTEGRITY_INDEX] = { 0xd0, 4, 0, 0, true },
	[TOKEN_LOGON_SESSION] = { 0xd8, 8, 0, 0, true },
	[TOKEN_PACKAGE] = { 0x310, 8, 0, 0, true },
	[TOKEN_LOGON_SESSION_ID] = { 0x08, 8, 0, 0, true },
	[TOKEN_LOGON_ACCOUNT] = { 0x38, 16, 0, 0, true },
};

struct world {
	struct fake_space fake;
	struct kernel kernel;
	struct snapshot snapshot;
	struct diag diag;
	struct token_reader reader;
	struct arena arena;
	struct token token;
};

static void put_u32(struct world *w, uint64_t va, uint32_t value)
{
	store_u32(w->fake.bytes + (va - FAKE_BASE), value);
}

static void put_group(struct world *w, unsigned index, uint64_t sid, uint32_t attributes)
{
	fake_put_u64(&w->fake, GROUPS + 16 * index, sid);
	put_u32(w, GROUPS + 16 * index + 8, attributes);
}

static void put_sid(struct world *w, uint64_t va, uint8_t authority, uint32_t a, uint32_t b)
{
	uint8_t *bytes = w->fake.bytes + (va - FAKE_BASE);

	bytes[0] = 1;
	bytes[1] = b ? 2 : 1;
	bytes[7] = authority;
	store_u32(bytes + 8, a);
	store_u32(bytes + 12, b);
}

/* SYSTEM, an administrator, with a label. */
static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	cr_assert(w);
	fake_put_u64(&w->fake, EPROCESS, TOKEN_VA | 7);
	put_u32(w, ETHREAD, 1 << 3);
	fake_put_u64(&w->fake, ETHREAD + 8, TOKEN_VA | 6);
	memcpy(w->fake.bytes + 0x1000, "User32  ", 8);
	fake_put_u64(&w->fake, TOKEN_VA + 0x18, 0x3e7);
	fake_put_u64(&w->fake, TOKEN_VA + 0x40, 1 << 20 | 1 << 23);
	fake_put_u64(&w->fake, TOKEN_VA + 0x48, 1 << 23);
	put_u32(w, TOKEN_VA + 0x78, 1);
	put_u32(w, TOKEN_VA + 0x7c, NUM_GROUPS);
	fake_put_u64(&w->fake, TOKEN_VA + 0x98, GROUPS);
	put_u32(w, TOKEN_VA + 0xc0, TOKEN_TYPE_PRIMARY);
	put_u32(w, TOKEN_VA + 0xd0, LABEL);
	put_sid(w, SID_AT(0), 5, 18, 0);
	put_sid(w, SID_AT(1), 5, 32, 544);
	put_sid(w, SID_AT(2), 1, 0, 0);
	put_sid(w, SID_AT(3), 16, 0x4000, 0);
	for (unsigned i = 0; i < NUM_GROUPS; i++)
		put_group(w, i, SID_AT(i), i ? GROUP_ENABLED : 0);
	memcpy(w->reader.fields, fields, sizeof(fields));
	return w;
}

static void world_open(struct world *w)
{
	diag_init(&w->diag, NULL, NULL);
	arena_init(&w->arena, 0);
	w->kernel.space = fake_open(&w->fake);
	w->kernel.diag = &w->diag;
	w->kernel.snap = &w->snapshot;
	w->reader.k = &w->kernel;
}

/* Reads the token; false: there is none. */
static bool world_read(struct world *w)
{
	bool found;

	world_open(w);
	cr_assert_null(token_read(&w->reader, TOKEN_VA, "test", &w->arena, &w->token, &found));
	return found;
}

static void world_free(struct world *w)
{
	fake_close(&w->fake);
	arena_deinit(&w->arena);
	free(w);
}

Test(token, whole)
{
	struct world *w = world_new();

	cr_assert(world_read(w));
	cr_expect_eq(w->token.sids[TOKEN_SIDS_GROUPS].count, NUM_GROUPS);
	cr_expect(w->token.sids[TOKEN_SIDS_RESTRICTED].present);
	cr_expect_eq(w->token.sids[TOKEN_SIDS_RESTRICTED].count, 0);
	cr_expect_not(w->token.sids[TOKEN_SIDS_CAPABILITIES].present, "no such field");
	cr_expect_eq(w->token.logon_id.value, 0x3e7);
	cr_expect_eq(w->token.privileges.value, 1 << 20 | 1 << 23);
	cr_expect_eq(w->token.enabled.value, 1 << 23);
	cr_expect_eq(w->token.session_id.value, 1);
	cr_expect_str_eq(w->token.integrity, "system");
	cr_expect_eq(w->token.integrity_level.value, 0x4000);
	cr_expect_str_eq(w->token.source, "User32");
	cr_expect_not(w->token.id.present);
	cr_expect_eq(token_has_group(&w->token, "S-1-5-32-544").value, 1);
	cr_expect_eq(token_has_group(&w->token, "S-1-5-32-545").value, 0);
	cr_expect_eq(w->diag.partial, 0);
	world_free(w);
}

Test(token, found_from_process_and_thread)
{
	struct world *w = world_new();
	struct fault fault;
	uint64_t va;

	world_open(w);
	cr_assert(token_of_process(&w->reader, EPROCESS, &va, &fault));
	cr_expect_eq(va, TOKEN_VA);
	cr_assert(token_of_thread(&w->reader, ETHREAD, &va, &fault));
	cr_expect_eq(va, TOKEN_VA);
	cr_expect_not(token_of_process(&w->reader, FAKE_BASE + 0x5000, &va, &fault), "is 0");
	cr_expect_eq(fault.va, 0);
	cr_expect_not(token_of_process(&w->reader, UINT64_C(0xffff900000000000), &va, &fault));
	cr_expect_neq(fault.va, 0);
	put_u32(w, ETHREAD, 0); /* the pointer is left over from an impersonation that has ended */
	cr_expect_not(token_of_thread(&w->reader, ETHREAD, &va, &fault));
	cr_expect_eq(fault.va, 0);
	world_free(w);
}

Test(token, user_and_integrity_alone)
{
	struct world *w = world_new();
	struct sid sid;

	world_open(w);
	cr_assert(token_user(&w->reader, TOKEN_VA, &sid, NULL));
	cr_expect_eq(sid.sub_authorities[0], 18);
	cr_expect_str_eq(token_integrity(&w->reader, TOKEN_VA), "system");
	put_u32(w, TOKEN_VA + 0xd0, UINT32_MAX);
	cr_expect_null(token_integrity(&w->reader, TOKEN_VA));
	put_u32(w, TOKEN_VA + 0xd0, 1);
	cr_expect_null(token_integrity(&w->reader, TOKEN_VA), "a group is no label");
	put_u32(w, TOKEN_VA + 0xc8, TOKEN_FLAG_LOWBOX);
	cr_expect_str_eq(token_integrity(&w->reader, TOKEN_VA), "app_container");
	fake_put_u64(&w->fake, TOKEN_VA + 0x98, 0);
	cr_expect_not(token_user(&w->reader, TOKEN_VA, &sid, NULL));
	world_free(w);
}

Test(token, administrators_only_for_denying)
{
	struct world *w = world_new();

	put_group(w, 1, SID_AT(1), GROUP_ENABLED | GROUP_USE_FOR_DENY_ONLY);
	cr_assert(world_read(w));
	cr_expect_eq(token_has_group(&w->token, "S-1-5-32-544").value, 0);
	world_free(w);
}

Test(token, no_token)
{
	struct world *w = world_new();

	put_u32(w, TOKEN_VA + 0xc0, 3);
	cr_expect_not(world_read(w));
	cr_expect_eq(w->diag.partial, 1);
	world_free(w);
}

Test(token, absent_token)
{
	struct world *w = world_new();

	fake_show(&w->fake, FAKE_BASE, FAKE_BASE + 0x1000);
	cr_assert(world_read(w));
	cr_expect_not(w->token.type.present);
	cr_expect_not(w->token.privileges.present);
	cr_expect_not(w->token.sids[TOKEN_SIDS_GROUPS].present);
	cr_expect_null(w->token.integrity);
	cr_expect_null(w->token.source);
	cr_expect_eq(w->diag.partial, 1, "one line for all of it");
	world_free(w);
}

Test(token, absent_and_dangling_sids)
{
	struct world *w = world_new();
	const struct token_sids *groups;

	put_group(w, 0, UINT64_C(0x4141414141414141), 0);
	put_group(w, 2, 0, 0);
	cr_assert(world_read(w));
	groups = &w->token.sids[TOKEN_SIDS_GROUPS];
	cr_expect_eq(groups->count, NUM_GROUPS);
	cr_expect_not(groups->items[0].present);
	cr_expect(groups->items[1].present);
	cr_expect_not(groups->items[2].present);
	cr_expect_str_eq(w->token.integrity, "system");
	cr_expect_eq(w->diag.partial, 1);
	world_free(w);
}

Test(token, array_that_runs_into_an_absent_page)
{
	struct world *w = world_new();
	const struct token_sids *groups;

	memcpy(w->fake.bytes + 0x3000 - 24, w->fake.bytes + 0x2000, 24);
	fake_put_u64(&w->fake, TOKEN_VA + 0x98, FAKE_BASE + 0x3000 - 24);
	fake_show(&w->fake, FAKE_BASE, FAKE_BASE + 0x3000);
	cr_assert(world_read(w));
	groups = &w->token.sids[TOKEN_SIDS_GROUPS];
	cr_expect_eq(groups->count, NUM_GROUPS);
	for (size_t i = 0; i < groups->count; i++)
		cr_expect_not(groups->items[i].present);
	cr_expect_null(w->token.integrity);
	world_free(w);
}

Test(token, absurd_count)
{
	struct world *w = world_new();

	put_u32(w, TOKEN_VA + 0x7c, UINT32_MAX);
	cr_assert(world_read(w));
	cr_expect_not(w->token.sids[TOKEN_SIDS_GROUPS].present);
	cr_expect_null(w->token.integrity);
	cr_expect_eq(w->diag.partial, 1);
	world_free(w);
}

Test(token, privileges_as_a_table)
{
	static const uint32_t rows[][3] = { { 20, 0, 2 }, { 23, 0, 3 }, { 99, 0, 3 }, { 2, 0, 0 } };
	struct world *w = world_new();
	struct field *f = w->reader.fields;

	f[TOKEN_PRESENT].present = false;
	f[TOKEN_PRIVILEGES] = (struct field){ 0x40, 8, 0, 0, true };
	f[TOKEN_PRIVILEGE_COUNT] = (struct field){ 0x48, 4, 0, 0, true };
	fake_put_u64(&w->fake, TOKEN_VA + 0x40, SESSION);
	put_u32(w, TOKEN_VA + 0x48, ARRAY_SIZE(rows));
	memcpy(w->fake.bytes + (SESSION - FAKE_BASE), rows, sizeof(rows));
	cr_assert(world_read(w));
	cr_expect_eq(w->token.privileges.value, 1 << 20 | 1 << 23 | 1 << 2);
	cr_expect_eq(w->token.enabled.value, 1 << 20 | 1 << 23);
	cr_expect_eq(w->token.by_default.value, 1 << 23);
	world_free(w);
}

Test(token, account_of_its_own_logon_session)
{
	for (uint64_t id = 0x3e7; id <= 0x3e8; id++) {
		struct world *w = world_new();
		struct account_book book;
		struct account_name name;

		fake_put_u64(&w->fake, TOKEN_VA + 0xd8, SESSION);
		fake_put_u64(&w->fake, SESSION + 8, id);
		put_u32(w, SESSION + 0x38, 6);
		fake_put_u64(&w->fake, SESSION + 0x40, SESSION + 0x100);
		memcpy(w->fake.bytes + (SESSION - FAKE_BASE) + 0x100, "B\0o\0b\0", 6);
		cr_assert(world_read(w));
		account_book_init(&book, &w->kernel);
		/* a well-known user keeps its name */
		cr_assert_null(account_find_user(&book, &w->token, &name));
		cr_expect_str_eq(name.source, "well_known");
		w->token.sids[TOKEN_SIDS_GROUPS].items[0].sid.sub_authorities[0] = 4711;
		cr_assert_null(account_find_user(&book, &w->token, &name));
		if (id == 0x3e7)
			cr_expect_str_eq(name.name, "Bob");
		else
			cr_expect_null(name.name, "the session is of another logon");
		account_book_deinit(&book);
		world_free(w);
	}
}

/* Group 513 of a domain is of its users; a machine calls its own one otherwise. */
Test(token, groups_of_a_domain_and_of_a_machine)
{
	struct sid sid = { .revision = 1, .count = 5, .authority = 5 };
	struct world *w = world_new();
	struct account_book book;
	struct account_name name;

	memcpy(sid.sub_authorities, (const uint32_t[]){ 21, 1, 2, 3, 513 }, 20);
	world_open(w);
	account_book_init(&book, &w->kernel);
	cr_assert_null(account_find(&book, &sid, &name));
	cr_expect_str_eq(name.name, "Domain Users");
	account_book_deinit(&book);

	account_book_init(&book, &w->kernel);
	book.tried = book.has_machine = true;
	book.machine = sid;
	book.machine.count = 4;
	cr_assert_null(account_find(&book, &sid, &name));
	cr_expect_str_eq(name.name, "None");
	sid.sub_authorities[4] = 512;
	cr_assert_null(account_find(&book, &sid, &name));
	cr_expect_null(name.name);
	account_book_deinit(&book);
	world_free(w);
}

/* A group whose SID is absent may be any group: nothing says that the user is no administrator. */
Test(token, absent_groups_do_not_deny_administrators)
{
	struct world *w = world_new();

	put_group(w, 1, UINT64_C(0xffff900000000000), GROUP_ENABLED);
	cr_assert(world_read(w));
	cr_expect_not(token_has_group(&w->token, "S-1-5-32-544").present);
	world_free(w);
}
