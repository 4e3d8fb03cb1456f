/* SPDX-License-Identifier: MIT */
#include "fake_objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fake_source.h"

enum {
	TYPE_SIZE = 0x100,
	TYPE_NAME = 0x10,
	TYPE_NUMBER = 0x28,
	TYPE_TEXT = 0x80, /* where the name's characters are */
	HEADER_TYPE = 0x18,
	HEADER_MASK = 0x1a,
	NAME_TEXT = 0xb0, /* before the body */
	INFO_NAME = 2,
};

static const char *const type_names[FAKE_TYPE_END] = {
	[FAKE_TYPE_TYPE] = "Type",	   [FAKE_TYPE_DIRECTORY] = "Directory",
	[FAKE_TYPE_LINK] = "SymbolicLink", [FAKE_TYPE_PROCESS] = "Process",
	[FAKE_TYPE_THREAD] = "Thread",	   [FAKE_TYPE_FILE] = "File",
	[FAKE_TYPE_DEVICE] = "Device",	   [FAKE_TYPE_EVENT] = "Event",
	[FAKE_TYPE_PORT] = "ALPC Port",	   [FAKE_TYPE_REGISTRATION] = "EtwRegistration",
};

static const struct fake_field fields[] = {
	{ "_OBJECT_HEADER", "PointerCount", 0, 8 },
	{ "_OBJECT_HEADER", "HandleCount", 8, 8 },
	{ "_OBJECT_HEADER", "TypeIndex", 0x18, 1 },
	{ "_OBJECT_HEADER", "InfoMask", 0x1a, 1 },
	{ "_OBJECT_HEADER", "Flags", 0x1b, 1 },
	{ "_OBJECT_HEADER", "Body", 0x30, 8 },
	{ "_OBJECT_HEADER_NAME_INFO", "", 0, FAKE_NAME_INFO_SIZE },
	{ "_OBJECT_HEADER_NAME_INFO", "Directory", 0, 8 },
	{ "_OBJECT_HEADER_NAME_INFO", "Name", 8, 16 },
	{ "_OBJECT_HEADER_CREATOR_INFO", "", 0, FAKE_CREATOR_INFO_SIZE },
	{ "_OBJECT_HEADER_CREATOR_INFO", "TypeList", 0, 16 },
	{ "_OBJECT_TYPE", "TypeList", 0, 16 },
	{ "_OBJECT_TYPE", "Name", 0x10, 16 },
	{ "_OBJECT_TYPE", "Index", 0x28, 1 },
	{ "_OBJECT_DIRECTORY", "HashBuckets", 0, FAKE_BUCKETS * 8 },
	{ "_OBJECT_DIRECTORY_ENTRY", "ChainLink", 0, 8 },
	{ "_OBJECT_DIRECTORY_ENTRY", "Object", 8, 8 },
	{ "_OBJECT_SYMBOLIC_LINK", "LinkTarget", 8, 16 },
	{ "_OBJECT_SYMBOLIC_LINK", "Callback", 8, 8 },
	{ "_OBJECT_SYMBOLIC_LINK", "Flags", 0x1c, 4 },
	{ "_FILE_OBJECT", "DeviceObject", 8, 8 },
	{ "_FILE_OBJECT", "RelatedFileObject", 0x10, 8 },
	{ "_FILE_OBJECT", "FileName", 0x18, 16 },
	{ "_EPROCESS", "UniqueProcessId", 0, 8 },
	{ "_EPROCESS", "ImageFileName", 8, 15 },
	{ "_ETHREAD", "Cid.UniqueProcess", 0, 8 },
	{ "_ETHREAD", "Cid.UniqueThread", 8, 8 },
	{ "_KTHREAD", "Process", 0x10, 8 },
	{ "_ALPC_PORT", "CommunicationInfo", 0, 8 },
	{ "_ALPC_COMMUNICATION_INFO", "ConnectionPort", 0, 8 },
	{ "_ETW_REG_ENTRY", "GuidEntry", 0, 8 },
	{ "_ETW_GUID_ENTRY", "Guid", 0, 16 },
};

/* The last two are left out of a kernel without_table. */
static const struct fake_symbol symbols[] = {
	{ "ObpRootDirectoryObject", FAKE_ROOT_VARIABLE },
	{ "ObTypeIndexTable", FAKE_TYPE_TABLE },
	{ "ObHeaderCookie", FAKE_COOKIE },
};

/* What cannot fail but for memory. */
static void must(struct error *err)
{
	if (err)
		abort();
}

void fake_put(struct fake_objects *f, uint32_t rva, uint64_t value)
{
	store_u64(f->bytes + rva, value);
}

void fake_put_string(struct fake_objects *f, uint32_t rva, uint32_t buffer, const char *text)
{
	size_t len = strlen(text);

	store_u16(f->bytes + rva, (uint16_t)(len * 2));
	store_u16(f->bytes + rva + 2, (uint16_t)(len * 2 + 2));
	store_u64(f->bytes + rva + 8, fake_at(buffer));
	for (size_t i = 0; i < len; i++)
		store_u16(f->bytes + buffer + i * 2, (uint8_t)text[i]);
}

void fake_put_object(struct fake_objects *f, uint32_t rva, enum fake_type type, const char *name,
		     uint32_t directory)
{
	uint32_t header = rva - FAKE_HEADER_SIZE, info = header - FAKE_NAME_INFO_SIZE;
	uint8_t mask = (uint8_t)(fake_at(header) >> 8);

	fake_put(f, header, 3);
	fake_put(f, header + 8, 1);
	f->bytes[header + HEADER_TYPE] = (uint8_t)type ^ mask ^ FAKE_COOKIE_VALUE;
	f->bytes[header + HEADER_MASK] = name ? INFO_NAME : 0;
	if (!name)
		return;
	fake_put(f, info, directory ? fake_at(directory) : 0);
	fake_put_string(f, info + 8, rva - NAME_TEXT, name);
}

void fake_put_bucket(struct fake_objects *f, uint32_t directory, unsigned bucket, uint32_t entry)
{
	fake_put(f, directory + bucket * 8, fake_at(entry));
}

void fake_put_entry(struct fake_objects *f, uint32_t entry, uint32_t next, uint32_t object)
{
	fake_put(f, entry, next ? fake_at(next) : 0);
	fake_put(f, entry + 8, fake_at(object));
}

void fake_objects_init(struct fake_objects *f)
{
	memset(f, 0, sizeof(*f));
	for (uint32_t i = FAKE_TYPE_TYPE; i < FAKE_TYPE_END; i++) {
		uint32_t type = FAKE_TYPES + i * TYPE_SIZE;

		fake_put(f, FAKE_TYPE_TABLE + i * 8, fake_at(type));
		fake_put_string(f, type + TYPE_NAME, type + TYPE_TEXT, type_names[i]);
		f->bytes[type + TYPE_NUMBER] = (uint8_t)i;
	}
	f->bytes[FAKE_COOKIE] = FAKE_COOKIE_VALUE;
	fake_put(f, FAKE_ROOT_VARIABLE, fake_at(FAKE_ROOT));
	fake_put_object(f, FAKE_ROOT, FAKE_TYPE_DIRECTORY, "\\", 0);
}

static void show(struct fake_objects *f, uint32_t start, uint32_t end)
{
	if (start < end)
		must(virtmem_add(f->mem, fake_at(start), end - start, &f->file, start));
}

void fake_objects_open(struct fake_objects *f, int absent_page)
{
	struct profile_source *src =
		fake_source_create(fields, f->without_layout ? 0 : ARRAY_SIZE(fields), symbols,
				   f->without_table ? 1 : ARRAY_SIZE(symbols));
	uint32_t hole = absent_page < 0 ? FAKE_OBJECTS_SIZE : (uint32_t)absent_page * PAGE_SIZE;

	f->file = (struct file){ .fd = -1, .bytes = f->bytes, .size = FAKE_OBJECTS_SIZE };
	must(virtmem_create(&f->mem));
	show(f, 0, hole);
	show(f, hole + PAGE_SIZE, FAKE_OBJECTS_SIZE);
	must(virtmem_seal(f->mem));
	diag_init(&f->diag, NULL, NULL);
	f->kernel = (struct kernel){ .diag = &f->diag, .loc.base = FAKE_OBJECTS_BASE };
	must(space_create_virtual(f->mem, &f->kernel.space));
	must(profile_from_source(src, 0, &f->kernel.profile));
}

void fake_objects_close(struct fake_objects *f)
{
	profile_close(f->kernel.profile);
	space_destroy(f->kernel.space);
	virtmem_destroy(f->mem);
}
