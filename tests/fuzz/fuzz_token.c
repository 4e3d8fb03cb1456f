/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "fuzz.h"
#include "windows/security/account.h"
#include "windows/security/sam.h"

/*
 * The input is memory at BASE: a process, a thread, and behind them the token that both lead to.
 * The layout is a small one, so that inputs are. The same bytes are also a SID and values of the
 * SAM.
 */
#define BASE UINT64_C(0xffff800000010000)
enum { MAX_INPUT = 8 << 10, THREAD = 0x10, TOKEN = 0x20 };

static const struct field fields[token_num_fields] = {
	[TOKEN_PROCESS_TOKEN] = { 0x00, 8, 0, 0, true },
	[TOKEN_THREAD_IMPERSONATES] = { 0x00, 4, 3, 1, true },
	[TOKEN_THREAD_TOKEN] = { 0x08, 8, 0, 0, true },
	[TOKEN_SOURCE] = { 0x00, 8, 0, 0, true },
	[TOKEN_LOGON_ID] = { 0x08, 8, 0, 0, true },
	[TOKEN_PRIVILEGES] = { 0x10, 8, 0, 0, true },
	[TOKEN_PRIVILEGE_COUNT] = { 0x18, 4, 0, 0, true },
	[TOKEN_PRESENT] = { 0x10, 8, 0, 0, true },
	[TOKEN_ENABLED] = { 0x18, 8, 0, 0, true },
	[TOKEN_ENABLED_BY_DEFAULT] = { 0x20, 8, 0, 0, true },
	[TOKEN_GROUP_COUNT] = { 0x28, 4, 0, 0, true },
	[TOKEN_RESTRICTED_COUNT] = { 0x2c, 4, 0, 0, true },
	[TOKEN_CAPABILITY_COUNT] = { 0x30, 4, 0, 0, true },
	[TOKEN_TYPE] = { 0x34, 4, 0, 0, true },
	[TOKEN_FLAGS] = { 0x38, 4, 0, 0, true },
	[TOKEN_INTEGRITY_INDEX] = { 0x3c, 4, 0, 0, true },
	[TOKEN_GROUPS] = { 0x40, 8, 0, 0, true },
	[TOKEN_RESTRICTED] = { 0x48, 8, 0, 0, true },
	[TOKEN_CAPABILITIES] = { 0x50, 8, 0, 0, true },
	[TOKEN_PACKAGE] = { 0x58, 8, 0, 0, true },
	[TOKEN_LOGON_SESSION] = { 0x60, 8, 0, 0, true },
	[TOKEN_EXPIRATION] = { 0x68, 8, 0, 0, true },
	[TOKEN_LOGON_SESSION_ID] = { 0x00, 8, 0, 0, true },
	[TOKEN_LOGON_ACCOUNT] = { 0x08, 16, 0, 0, true },
	[TOKEN_LOGON_AUTHORITY] = { 0x18, 16, 0, 0, true },
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void must(struct error *err)
{
	check(!err);
}

static void check_sid(const struct sid *sid, struct arena *a)
{
	struct sid_meaning meaning;
	char text[SID_TEXT_SIZE];

	sid_format(sid, text);
	check(strncmp(text, "S-1-", 4) == 0 && strlen(text) < sizeof(text));
	must(sid_explain(sid, a, &meaning));
	check(!meaning.name || (text_is_utf8(meaning.name) && meaning.kind));
}

static void check_bytes(const uint8_t *data, size_t size, struct arena *a)
{
	const uint8_t *name;
	struct sid sid;
	size_t len;

	if (sid_parse(data, size, &sid))
		check_sid(&sid, a);
	if (sam_machine_sid(data, size, &sid))
		check_sid(&sid, a);
	if (sam_user_name(data, size, &name, &len))
		check(name >= data && len && len <= size - (size_t)(name - data));
}

static void check_token(const struct token_reader *r, uint64_t va, struct arena *a)
{
	struct account_book book;
	struct account_name name;
	struct token t;
	bool found;

	must(token_read(r, va, "token", a, &t, &found));
	if (!found)
		return;
	for (unsigned list = 0; list < NUM_TOKEN_SID_LISTS; list++) {
		check(t.sids[list].count <= MAX_TOKEN_SIDS);
		for (size_t i = 0; i < t.sids[list].count; i++) {
			if (t.sids[list].items[i].present)
				check_sid(&t.sids[list].items[i].sid, a);
		}
	}
	/* the short way says the same */
	if (t.integrity)
		check(token_integrity(r, va) && !strcmp(token_integrity(r, va), t.integrity));
	else
		check(!token_integrity(r, va));
	check(!t.source || text_is_utf8(t.source));
	account_book_init(&book, r->k);
	must(account_find_user(&book, &t, &name));
	check(!name.name == !name.source);
	account_book_deinit(&book);
}

static void check_memory(struct space *s, struct arena *a, bool with_table)
{
	struct snapshot snapshot = { 0 };
	struct kernel kernel = { .space = s, .snap = &snapshot };
	struct token_reader reader = { .k = &kernel };
	struct fault fault;
	struct diag diag;
	struct sid user;
	uint64_t va;

	diag_init(&diag, NULL, NULL);
	kernel.diag = &diag;
	memcpy(reader.fields, fields, sizeof(fields));
	reader.fields[TOKEN_PRESENT].present = !with_table;
	if (token_of_process(&reader, BASE, &va, &fault))
		check_token(&reader, va, a);
	if (token_of_thread(&reader, BASE + THREAD, &va, &fault) &&
	    token_user(&reader, va, &user, &fault))
		check_sid(&user, a);
	check_token(&reader, BASE + TOKEN, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file = { .fd = -1, .bytes = data, .size = size };
	struct virtmem *mem;
	struct arena arena;
	struct space *s;

	if (!size || size > MAX_INPUT)
		return 0;
	arena_init(&arena, 0);
	must(virtmem_create(&mem));
	must(virtmem_add(mem, BASE, size, &file, 0));
	must(virtmem_seal(mem));
	must(space_create_virtual(mem, &s));
	check_bytes(data, size, &arena);
	check_memory(s, &arena, data[size - 1] & 1);
	space_destroy(s);
	virtmem_destroy(mem);
	arena_deinit(&arena);
	return 0;
}
