/* SPDX-License-Identifier: MIT */
#include "windows/security/sid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/sha1.h"
#include "base/text.h"

enum {
	SID_REVISION = 1,
	AUTHORITY_NT = 5,
	AUTHORITY_LABEL = 16,
	NT_SERVICE = 80,
	MAX_SERVICE_NAME = 256, /* UTF-16 units, CreateService() */
};

/* MS-DTYP 2.4.2.4 and SECURITY_* of winnt.h. */
static const struct {
	const char *sid, *name;
} well_known[] = {
	{ "S-1-0-0", "NULL SID" },
	{ "S-1-1-0", "Everyone" },
	{ "S-1-2-0", "LOCAL" },
	{ "S-1-2-1", "CONSOLE LOGON" },
	{ "S-1-3-0", "CREATOR OWNER" },
	{ "S-1-3-1", "CREATOR GROUP" },
	{ "S-1-3-2", "CREATOR OWNER SERVER" },
	{ "S-1-3-3", "CREATOR GROUP SERVER" },
	{ "S-1-3-4", "OWNER RIGHTS" },
	{ "S-1-5-1", "NT AUTHORITY\\DIALUP" },
	{ "S-1-5-2", "NT AUTHORITY\\NETWORK" },
	{ "S-1-5-3", "NT AUTHORITY\\BATCH" },
	{ "S-1-5-4", "NT AUTHORITY\\INTERACTIVE" },
	{ "S-1-5-6", "NT AUTHORITY\\SERVICE" },
	{ "S-1-5-7", "NT AUTHORITY\\ANONYMOUS LOGON" },
	{ "S-1-5-8", "NT AUTHORITY\\PROXY" },
	{ "S-1-5-9", "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS" },
	{ "S-1-5-10", "NT AUTHORITY\\SELF" },
	{ "S-1-5-11", "NT AUTHORITY\\Authenticated Users" },
	{ "S-1-5-12", "NT AUTHORITY\\RESTRICTED" },
	{ "S-1-5-13", "NT AUTHORITY\\TERMINAL SERVER USER" },
	{ "S-1-5-14", "NT AUTHORITY\\REMOTE INTERACTIVE LOGON" },
	{ "S-1-5-15", "NT AUTHORITY\\This Organization" },
	{ "S-1-5-17", "NT AUTHORITY\\IUSR" },
	{ "S-1-5-18", "NT AUTHORITY\\SYSTEM" },
	{ "S-1-5-19", "NT AUTHORITY\\LOCAL SERVICE" },
	{ "S-1-5-20", "NT AUTHORITY\\NETWORK SERVICE" },
	{ "S-1-5-33", "NT AUTHORITY\\WRITE RESTRICTED" },
	{ "S-1-5-64-10", "NT AUTHORITY\\NTLM Authentication" },
	{ "S-1-5-64-14", "NT AUTHORITY\\SChannel Authentication" },
	{ "S-1-5-64-21", "NT AUTHORITY\\Digest Authentication" },
	{ "S-1-5-65-1", "NT AUTHORITY\\This Organization Certificate" },
	{ "S-1-5-113", "NT AUTHORITY\\Local account" },
	{ "S-1-5-114", "NT AUTHORITY\\Local account and member of Administrators group" },
	{ "S-1-5-1000", "NT AUTHORITY\\Other Organization" },
	{ "S-1-5-21-0-0-0-496", "NT AUTHORITY\\Compounded Authentication" },
	{ "S-1-5-21-0-0-0-497", "NT AUTHORITY\\Claims Valid" },
	{ "S-1-5-80-0", "NT SERVICE\\ALL SERVICES" },
	{ "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
	  "NT SERVICE\\TrustedInstaller" },
	{ "S-1-5-83-0", "NT VIRTUAL MACHINE\\Virtual Machines" },
	{ "S-1-5-84-0-0-0-0-0", "NT AUTHORITY\\USER MODE DRIVERS" },
	{ "S-1-5-90-0", "Window Manager\\Window Manager Group" },
	{ "S-1-15-2-1", "APPLICATION PACKAGE AUTHORITY\\ALL APPLICATION PACKAGES" },
	{ "S-1-15-2-2", "APPLICATION PACKAGE AUTHORITY\\ALL RESTRICTED APPLICATION PACKAGES" },
	{ "S-1-16-0", "Mandatory Label\\Untrusted Mandatory Level" },
	{ "S-1-16-4096", "Mandatory Label\\Low Mandatory Level" },
	{ "S-1-16-8192", "Mandatory Label\\Medium Mandatory Level" },
	{ "S-1-16-8448", "Mandatory Label\\Medium Plus Mandatory Level" },
	{ "S-1-16-12288", "Mandatory Label\\High Mandatory Level" },
	{ "S-1-16-16384", "Mandatory Label\\System Mandatory Level" },
	{ "S-1-16-20480", "Mandatory Label\\Protected Process Mandatory Level" },
	{ "S-1-18-1", "Authentication authority asserted identity" },
	{ "S-1-18-2", "Service asserted identity" },
	{ "S-1-18-3", "Fresh public key identity" },
	{ "S-1-18-4", "Key trust identity" },
	{ "S-1-18-5", "Key property multi-factor authentication" },
	{ "S-1-18-6", "Key property attestation" },
};

/* A last sub-authority and what it is below the authority that the table is for. */
struct relative_id {
	uint32_t id;
	const char *name;
};

/* S-1-5-32-x: DOMAIN_ALIAS_RID_* of winnt.h. */
static const struct relative_id aliases[] = {
	{ 544, "Administrators" },
	{ 545, "Users" },
	{ 546, "Guests" },
	{ 547, "Power Users" },
	{ 548, "Account Operators" },
	{ 549, "Server Operators" },
	{ 550, "Print Operators" },
	{ 551, "Backup Operators" },
	{ 552, "Replicator" },
	{ 553, "RAS Servers" },
	{ 554, "Pre-Windows 2000 Compatible Access" },
	{ 555, "Remote Desktop Users" },
	{ 556, "Network Configuration Operators" },
	{ 557, "Incoming Forest Trust Builders" },
	{ 558, "Performance Monitor Users" },
	{ 559, "Performance Log Users" },
	{ 560, "Windows Authorization Access Group" },
	{ 561, "Terminal Server License Servers" },
	{ 562, "Distributed COM Users" },
	{ 568, "IIS_IUSRS" },
	{ 569, "Cryptographic Operators" },
	{ 573, "Event Log Readers" },
	{ 574, "Certificate Service DCOM Access" },
	{ 575, "RDS Remote Access Servers" },
	{ 576, "RDS Endpoint Servers" },
	{ 577, "RDS Management Servers" },
	{ 578, "Hyper-V Administrators" },
	{ 579, "Access Control Assistance Operators" },
	{ 580, "Remote Management Users" },
	{ 581, "System Managed Accounts Group" },
	{ 582, "Storage Replica Administrators" },
	{ 583, "Device Owners" },
	{ 584, "User Mode Hardware Operators" },
};

/* S-1-15-3-x: SECURITY_CAPABILITY_* of winnt.h, named as manifests name them. */
static const struct relative_id capabilities[] = {
	{ 1, "internetClient" },
	{ 2, "internetClientServer" },
	{ 3, "privateNetworkClientServer" },
	{ 4, "picturesLibrary" },
	{ 5, "videosLibrary" },
	{ 6, "musicLibrary" },
	{ 7, "documentsLibrary" },
	{ 8, "enterpriseAuthentication" },
	{ 9, "sharedUserCertificates" },
	{ 10, "removableStorage" },
	{ 11, "appointments" },
	{ 12, "contacts" },
};

/* S-1-5-21-X-Y-Z-x: DOMAIN_USER_RID_* and DOMAIN_GROUP_RID_* of winnt.h. Accounts may be renamed:
 * only groups have their name by number. */
static const struct relative_id domain_groups[] = {
	{ 512, "Domain Admins" },
	{ 513, "Domain Users" },
	{ 514, "Domain Guests" },
	{ 515, "Domain Computers" },
	{ 516, "Domain Controllers" },
	{ 517, "Cert Publishers" },
	{ 518, "Schema Admins" },
	{ 519, "Enterprise Admins" },
	{ 520, "Group Policy Creator Owners" },
	{ 521, "Read-only Domain Controllers" },
	{ 522, "Cloneable Domain Controllers" },
	{ 525, "Protected Users" },
	{ 526, "Key Admins" },
	{ 527, "Enterprise Key Admins" },
};

/* What all SIDs of an authority are that begin with these sub-authorities. */
static const struct sid_class {
	uint8_t authority, min_count;
	uint8_t num_fixed; /* of `fixed` */
	uint32_t fixed[2];
	const char *kind;
	const char *domain; /* of the names in ids; NULL: none */
	const struct relative_id *ids;
	size_t num_ids;
} classes[] = {
	{ 5, 3, 1, { 5 }, "logon_session", NULL, NULL, 0 },
	{ 5, 5, 1, { 21 }, "account", NULL, domain_groups, ARRAY_SIZE(domain_groups) },
	{ 12, 5, 1, { 1 }, "account", NULL, NULL, 0 }, /* of Azure AD */
	{ 5, 2, 1, { 32 }, "alias", "BUILTIN\\", aliases, ARRAY_SIZE(aliases) },
	{ 5, 2, 1, { 80 }, "service", NULL, NULL, 0 },
	{ 5, 2, 1, { 82 }, "app_pool", NULL, NULL, 0 },
	{ 5, 2, 1, { 83 }, "virtual_machine", NULL, NULL, 0 },
	{ 5, 3, 2, { 90, 0 }, "virtual_account", "Window Manager\\DWM-", NULL, 0 },
	{ 5, 3, 2, { 96, 0 }, "virtual_account", "Font Driver Host\\UMFD-", NULL, 0 },
	{ 15, 2, 1, { 2 }, "package", NULL, NULL, 0 },
	{ 15,
	  2,
	  1,
	  { 3 },
	  "capability",
	  "APPLICATION PACKAGE AUTHORITY\\",
	  capabilities,
	  ARRAY_SIZE(capabilities) },
	{ 16, 1, 0, { 0 }, "integrity", NULL, NULL, 0 },
	{ 19, 2, 0, { 0 }, "trust_label", NULL, NULL, 0 },
};

bool sid_parse(const uint8_t *bytes, size_t len, struct sid *ret)
{
	struct sid sid = { 0 };

	if (len < SID_HEADER_SIZE)
		return false;
	sid.revision = bytes[0];
	sid.count = bytes[1];
	if (sid.revision != SID_REVISION || sid.count > SID_MAX_SUB_AUTHORITIES ||
	    len < SID_HEADER_SIZE + 4u * sid.count)
		return false;
	for (size_t i = 2; i < SID_HEADER_SIZE; i++)
		sid.authority = sid.authority << 8 | bytes[i];
	for (size_t i = 0; i < sid.count; i++)
		sid.sub_authorities[i] = load_u32(bytes + SID_HEADER_SIZE + 4 * i);
	*ret = sid;
	return true;
}

bool sid_read(struct space *s, uint64_t va, struct sid *ret, struct fault *fault)
{
	uint8_t bytes[SID_MAX_SIZE];
	size_t size;

	if (!space_try_read(s, va, bytes, SID_HEADER_SIZE, fault))
		return false;
	size = SID_HEADER_SIZE + 4u * bytes[1];
	if (size <= sizeof(bytes)) {
		if (!space_try_read(s, va, bytes, size, fault))
			return false;
		if (sid_parse(bytes, size, ret))
			return true;
	}
	if (fault)
		*fault = (struct fault){ va, VA_MAPPED };
	return false;
}

void sid_format(const struct sid *sid, char ret[SID_TEXT_SIZE])
{
	const char *format = sid->authority >> 32 ? "S-%u-0x%" PRIX64 : "S-%u-%" PRIu64;
	int used = snprintf(ret, SID_TEXT_SIZE, format, sid->revision, sid->authority);

	for (size_t i = 0; i < sid->count; i++)
		used += snprintf(ret + used, SID_TEXT_SIZE - (size_t)used, "-%" PRIu32,
				 sid->sub_authorities[i]);
}

static const char *find_well_known(const struct sid *sid)
{
	char text[SID_TEXT_SIZE];

	sid_format(sid, text);
	for (size_t i = 0; i < ARRAY_SIZE(well_known); i++) {
		if (strcmp(well_known[i].sid, text) == 0)
			return well_known[i].name;
	}
	return NULL;
}

static const struct sid_class *find_class(const struct sid *sid)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		const struct sid_class *c = &classes[i];

		if (sid->authority == c->authority && sid->count >= c->min_count &&
		    memcmp(sid->sub_authorities, c->fixed, c->num_fixed * sizeof(c->fixed[0])) == 0)
			return c;
	}
	return NULL;
}

static const char *relative_name(const struct sid_class *c, uint32_t id)
{
	for (size_t i = 0; i < c->num_ids; i++) {
		if (c->ids[i].id == id)
			return c->ids[i].name;
	}
	return NULL;
}

/* The name of a SID whose class says how it is made. NULL *ret: it does not. */
static struct error *class_name(const struct sid_class *c, const struct sid *sid, struct arena *a,
				const char **ret)
{
	uint32_t last = sid->sub_authorities[sid->count - 1];
	const char *domain = c->domain ? c->domain : "";

	if (c->ids) {
		const char *name = relative_name(c, last);

		if (!name || sid->count != c->min_count)
			return NULL;
		*ret = arena_printf(a, "%s%s", domain, name);
	} else if (c->domain && sid->count == c->min_count) {
		*ret = arena_printf(a, "%s%" PRIu32, domain, last);
	} else if (strcmp(c->kind, "logon_session") == 0 && sid->count == c->min_count) {
		*ret = arena_printf(a, "NT AUTHORITY\\LogonSessionId_%" PRIu32 "_%" PRIu32,
				    sid->sub_authorities[1], last);
	} else {
		return NULL;
	}
	return *ret ? NULL : &error_no_memory;
}

struct error *sid_explain(const struct sid *sid, struct arena *a, struct sid_meaning *ret)
{
	const struct sid_class *c = find_class(sid);

	*ret = (struct sid_meaning){ .kind = c ? c->kind : NULL, .name = find_well_known(sid) };
	if (ret->name) {
		if (!c)
			ret->kind = "well_known";
		return NULL;
	}
	if (!c)
		return NULL;
	return class_name(c, sid, a, &ret->name);
}

bool sid_equal(const struct sid *a, const struct sid *b)
{
	return a->revision == b->revision && a->authority == b->authority && a->count == b->count &&
	       memcmp(a->sub_authorities, b->sub_authorities,
		      a->count * sizeof(a->sub_authorities[0])) == 0;
}

/* Writes a code point as UTF-16LE; how many bytes. */
static size_t put_utf16(uint8_t *ret, uint32_t c)
{
	if (c < 0x10000) {
		store_u16(ret, (uint16_t)c);
		return 2;
	}
	store_u16(ret, (uint16_t)(0xd800 + ((c - 0x10000) >> 10)));
	store_u16(ret + 2, (uint16_t)(0xdc00 + (c & 0x3ff)));
	return 4;
}

bool sid_of_service(const char *name, struct sid *ret)
{
	struct sid sid = { .revision = SID_REVISION, .count = 6, .authority = AUTHORITY_NT };
	uint8_t bytes[2 * MAX_SERVICE_NAME + 4], digest[SHA1_SIZE];
	size_t len = 0;

	while (*name) {
		uint32_t c = text_next(&name);

		if (len > sizeof(bytes) - 4)
			return false;
		len += put_utf16(bytes + len, c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	sha1(bytes, len, digest);
	sid.sub_authorities[0] = NT_SERVICE;
	for (size_t i = 0; i < SHA1_SIZE / 4; i++)
		sid.sub_authorities[1 + i] = load_u32(digest + 4 * i);
	*ret = sid;
	return true;
}

bool sid_integrity_level(const struct sid *sid, uint32_t *ret)
{
	if (sid->authority != AUTHORITY_LABEL || sid->count != 1)
		return false;
	*ret = sid->sub_authorities[0];
	return true;
}

const char *integrity_name(uint32_t level)
{
	/* SECURITY_MANDATORY_*_RID of winnt.h */
	static const struct {
		uint32_t level;
		const char *name;
	} names[] = {
		{ 0x5000, "protected" },   { 0x4000, "system" }, { 0x3000, "high" },
		{ 0x2100, "medium_plus" }, { 0x2000, "medium" }, { 0x1000, "low" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (level >= names[i].level)
			return names[i].name;
	}
	return "untrusted";
}
