/* SPDX-License-Identifier: MIT */
/*
 * HPAK of HBGary's FDPro: sections in a chain, of which one is physical memory and one may be the
 * pagefile, stored or as a gzip file, which is a container of its own. Source of the layout:
 * Volatility 2, plugins/addrspaces/hpak.py.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "container/container_input.h"
#include "container/file_part.h"

enum {
	FIRST_SECTION = 0x20,
	SECTION_SIZE = 0xe0,
	SECTION_NAME_SIZE = 32,
	SECTION_LENGTH = 0x98,
	SECTION_OFFSET = 0xa8,
	SECTION_NEXT = 0xb0,
	MAX_SECTIONS = 64,
};
static const char section_magic[] = "HPAKSECT";
static const char memory_name[] = "HPAKSECTHPAK_SECTION_PHYSDUMP";
static const char pagefile_name[] = "HPAKSECTHPAK_SECTION_PAGEDUMP";

static bool hpak_probe(const uint8_t *head, size_t size)
{
	return size >= 4 && !memcmp(head, "HPAK", 4);
}

struct section {
	char name[SECTION_NAME_SIZE + 1];
	uint64_t offset, length, next;
};

static struct error *read_section(const struct file *file, uint64_t at, struct section *ret)
{
	uint8_t bytes[SECTION_SIZE];
	struct error *err = file_read(file, at, bytes, sizeof(bytes));

	if (err)
		return err;
	if (memcmp(bytes, section_magic, sizeof(section_magic) - 1) != 0)
		return error_new(ERROR_CORRUPT,
				 "expected a section ('HPAKSECT') at 0x%" PRIx64
				 ", found 0x%08" PRIx32,
				 at, load_u32(bytes));
	memcpy(ret->name, bytes, SECTION_NAME_SIZE);
	ret->name[SECTION_NAME_SIZE] = '\0';
	ret->offset = load_u64(bytes + SECTION_OFFSET);
	ret->length = load_u64(bytes + SECTION_LENGTH);
	ret->next = load_u64(bytes + SECTION_NEXT);
	return NULL;
}

static struct error *hpak_check(const struct container_input *in)
{
	struct section first;

	return in->file->size < FIRST_SECTION + SECTION_SIZE
		       ? NULL
		       : read_section(in->file, FIRST_SECTION, &first);
}

/* The first section of memory; has_pagefile: there is one of that as well, as far as looked. */
static struct error *find_memory(const struct container_input *in, struct section *ret)
{
	uint64_t at = FIRST_SECTION;
	struct section s = { 0 };

	for (unsigned i = 0; i < MAX_SECTIONS; i++) {
		struct error *err = read_section(in->file, at, &s);

		if (err)
			return err;
		if (!strcmp(s.name, memory_name)) {
			*ret = s;
			return NULL;
		}
		if (s.next <= at) /* sections follow each other: no chain goes in circles */
			break;
		at = s.next;
	}
	return error_new(ERROR_CORRUPT, "expected a section of physical memory, found none");
}

static void note_pagefile(const struct container_input *in, const struct section *memory)
{
	struct section s = { 0 };
	struct error *err = NULL;

	if (memory->next && !(err = read_section(in->file, memory->next, &s)) &&
	    !strcmp(s.name, pagefile_name))
		diag_note(in->diag,
			  "%s: the pagefile is in it, at 0x%" PRIx64 ", 0x%" PRIx64
			  " bytes: for --pagefile, copy it to a file of its own",
			  in->path, s.offset, s.length);
	error_destroy(err);
}

static struct error *hpak_open(const struct container_input *in, struct file *ret)
{
	struct section s = { 0 };
	struct error *err = find_memory(in, &s);
	uint64_t room;

	if (err)
		return err;
	room = s.offset < in->file->size ? in->file->size - s.offset : 0;
	if (!room || !s.length)
		return error_new(ERROR_CORRUPT,
				 "expected memory at 0x%" PRIx64 ", the file ends at 0x%" PRIx64,
				 s.offset, in->file->size);
	if (s.length > room) {
		diag_partial(in->diag,
			     "%s: expected 0x%" PRIx64 " bytes of memory, the file has 0x%" PRIx64
			     " of them",
			     in->path, s.length, room);
		s.length = room;
	}
	note_pagefile(in, &s);
	return file_part_open(in->file, s.offset, s.length, in->path, in->cache, ret);
}

const struct container_ops hpak_container = {
	.name = "hpak",
	.recognised = "HPAK",
	.library = "",
	.built_in = true,
	.probe = hpak_probe,
	.check = hpak_check,
	.open = hpak_open,
};
