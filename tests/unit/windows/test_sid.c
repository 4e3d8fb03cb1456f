/* SPDX-License-Identifier: MIT */
#include "windows/security/privilege.h"
#include "windows/security/sam.h"
#include "windows/security/sid.h"

#include "fake_space.h"

/* S-1-5-21-1-2-3-1001 */
static const uint8_t user[] = { 1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0,    0, 1, 0,
				0, 0, 2, 0, 0, 0, 3, 0, 0,  0, 0xe9, 3, 0, 0 };

static struct sid sid_of(uint64_t authority, unsigned count, const uint32_t *numbers)
{
	struct sid sid = { .revision = 1, .count = (uint8_t)count, .authority = authority };

	memcpy(sid.sub_authorities, numbers, count * sizeof(*numbers));
	return sid;
}

Test(sid, parse_and_format)
{
	char text[SID_TEXT_SIZE];
	struct sid sid;

	cr_assert(sid_parse(user, sizeof(user), &sid));
	sid_format(&sid, text);
	cr_expect_str_eq(text, "S-1-5-21-1-2-3-1001");
}

Test(sid, cut_at_every_length)
{
	struct sid sid;

	for (size_t len = 0; len < sizeof(user); len++)
		cr_expect_not(sid_parse(user, len, &sid), "%zu bytes", len);
}

Test(sid, other_revision_or_too_many_numbers)
{
	uint8_t bytes[2 * SID_MAX_SIZE] = { 2, 1, 0, 0, 0, 0, 0, 5 };
	struct sid sid;

	cr_expect_not(sid_parse(bytes, sizeof(bytes), &sid));
	bytes[0] = 1;
	bytes[1] = 16;
	cr_expect_not(sid_parse(bytes, sizeof(bytes), &sid));
	bytes[1] = 15;
	cr_expect(sid_parse(bytes, sizeof(bytes), &sid));
}

Test(sid, longest_text_fits)
{
	char text[SID_TEXT_SIZE];
	struct sid sid = { .revision = 255, .count = 15, .authority = 0xffffffffffff };

	memset(sid.sub_authorities, 0xff, sizeof(sid.sub_authorities));
	sid_format(&sid, text);
	cr_expect_lt(strlen(text), SID_TEXT_SIZE - 1);
	cr_expect_eq(strncmp(text, "S-255-0xFFFFFFFFFFFF-4294967295-", 32), 0);
	cr_expect_str_eq(text + strlen(text) - 11, "-4294967295");
}

Test(sid, read_across_an_absent_page)
{
	struct fake_space f = { 0 };
	struct fault fault;
	struct sid sid;

	/* one in the first page, one that runs out of it, one that is none */
	memcpy(f.bytes + 0x100, user, sizeof(user));
	memcpy(f.bytes + 0x1000 - 12, user, 12);
	memset(f.bytes + 0x200, 0xff, SID_MAX_SIZE);
	fake_show(&f, FAKE_BASE, FAKE_BASE + 0x1000);
	fake_open(&f);
	cr_expect(sid_read(f.space, FAKE_BASE + 0x100, &sid, &fault));
	cr_expect_not(sid_read(f.space, FAKE_BASE + 0x1000 - 12, &sid, &fault));
	cr_expect_eq(fault.va, FAKE_BASE + 0x1000);
	cr_expect_eq(fault.state, VA_NOT_CAPTURED);
	cr_expect_not(sid_read(f.space, FAKE_BASE + 0x200, &sid, &fault));
	cr_expect_eq(fault.state, VA_MAPPED);
	cr_expect_not(sid_read(f.space, UINT64_MAX - 4, &sid, NULL));
	fake_close(&f);
}

static void expect_meaning(const struct sid *sid, const char *kind, const char *name)
{
	struct sid_meaning m;
	struct arena a;

	arena_init(&a, 0);
	cr_assert_null(sid_explain(sid, &a, &m));
	if (kind)
		cr_expect_str_eq(m.kind, kind);
	else
		cr_expect_null(m.kind);
	if (name)
		cr_expect_str_eq(m.name, name);
	else
		cr_expect_null(m.name);
	arena_deinit(&a);
}

Test(sid, meanings)
{
	static const struct {
		uint64_t authority;
		unsigned count;
		uint32_t numbers[6];
		const char *kind, *name;
	} rows[] = {
		{ 1, 1, { 0 }, "well_known", "Everyone" },
		{ 5, 1, { 18 }, "well_known", "NT AUTHORITY\\SYSTEM" },
		{ 5, 2, { 32, 544 }, "alias", "BUILTIN\\Administrators" },
		{ 5, 2, { 32, 9999 }, "alias", NULL },
		{ 5,
		  3,
		  { 5, 0, 193220 },
		  "logon_session",
		  "NT AUTHORITY\\LogonSessionId_0_193220" },
		{ 5, 5, { 21, 1, 2, 3, 1001 }, "account", NULL },
		{ 5, 5, { 21, 1, 2, 3, 512 }, "account", "Domain Admins" },
		{ 5, 4, { 21, 1, 2, 3 }, NULL, NULL },
		{ 12, 5, { 1, 1, 2, 3, 4 }, "account", NULL },
		{ 5, 2, { 80, 0 }, "service", "NT SERVICE\\ALL SERVICES" },
		{ 5, 6, { 80, 1, 2, 3, 4, 5 }, "service", NULL },
		{ 5, 3, { 90, 0, 2 }, "virtual_account", "Window Manager\\DWM-2" },
		{ 5, 3, { 96, 0, 0 }, "virtual_account", "Font Driver Host\\UMFD-0" },
		{ 15, 2, { 3, 1 }, "capability", "APPLICATION PACKAGE AUTHORITY\\internetClient" },
		{ 15, 5, { 3, 1024, 1, 2, 3 }, "capability", NULL },
		{ 15,
		  2,
		  { 2, 1 },
		  "package",
		  "APPLICATION PACKAGE AUTHORITY\\ALL APPLICATION PACKAGES" },
		{ 16, 1, { 8192 }, "integrity", "Mandatory Label\\Medium Mandatory Level" },
		{ 16, 1, { 8193 }, "integrity", NULL },
		{ 19, 2, { 512, 4096 }, "trust_label", NULL },
		{ 77, 1, { 1 }, NULL, NULL },
		{ 5, 0, { 0 }, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sid sid = sid_of(rows[i].authority, rows[i].count, rows[i].numbers);

		expect_meaning(&sid, rows[i].kind, rows[i].name);
	}
}

Test(sid, services)
{
	char name[600];
	char text[SID_TEXT_SIZE];
	struct sid sid, same;

	cr_assert(sid_of_service("TrustedInstaller", &sid));
	sid_format(&sid, text);
	cr_expect_str_eq(text, "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
	cr_assert(sid_of_service("trustedinstaller", &same));
	cr_expect(sid_equal(&sid, &same));
	same.sub_authorities[5]++;
	cr_expect_not(sid_equal(&sid, &same));
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	cr_expect_not(sid_of_service(name, &sid));
	cr_expect(sid_of_service("\xf0\x9f\x98\x80", &sid));
}

Test(sid, integrity)
{
	static const struct {
		uint32_t level;
		const char *name;
	} rows[] = { { 0, "untrusted" },   { 0x1000, "low" },	      { 0x1fff, "low" },
		     { 0x2000, "medium" }, { 0x2100, "medium_plus" }, { 0x3000, "high" },
		     { 0x4000, "system" }, { 0x5000, "protected" },   { UINT32_MAX, "protected" } };
	struct sid sid = sid_of(16, 1, (const uint32_t[]){ 0x2000 });
	uint32_t level;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_str_eq(integrity_name(rows[i].level), rows[i].name);
	cr_expect(sid_integrity_level(&sid, &level));
	cr_expect_eq(level, 0x2000);
	sid.authority = 5;
	cr_expect_not(sid_integrity_level(&sid, &level));
}

Test(sid, privileges)
{
	cr_expect_str_eq(privilege_name(20), "SeDebugPrivilege");
	cr_expect_str_eq(privilege_name(36), "SeDelegateSessionUserImpersonatePrivilege");
	cr_expect_null(privilege_name(0));
	cr_expect_null(privilege_name(37));
	cr_expect_null(privilege_name(UINT32_MAX));
}

Test(sid, accounts_of_the_machine)
{
	uint8_t v[0x100] = { 0 };
	const uint8_t *name;
	struct sid sid;
	size_t len;

	store_u32(v + 0x0c, 0x10);
	store_u32(v + 0x10, 6);
	memcpy(v + 0xcc + 0x10, "B\0o\0b\0", 6);
	cr_assert(sam_user_name(v, sizeof(v), &name, &len));
	cr_expect_eq(len, 6);
	cr_expect_eq(name, v + 0xcc + 0x10);
	for (size_t cut = 0; cut < 0xcc + 0x16; cut++)
		cr_expect_not(sam_user_name(v, cut, &name, &len), "%zu bytes", cut);
	store_u32(v + 0x0c, UINT32_MAX);
	cr_expect_not(sam_user_name(v, sizeof(v), &name, &len));
	store_u32(v + 0x10, UINT32_MAX);
	cr_expect_not(sam_user_name(v, sizeof(v), &name, &len));

	cr_expect_not(sam_machine_sid(user, 11, &sid));
	cr_assert(sam_machine_sid(user, sizeof(user) - 4, &sid));
	cr_expect_eq(sid.count, 4);
	cr_expect_eq(sid.sub_authorities[3], 3);
}
