/* SPDX-License-Identifier: MIT */
#include "formats/migration/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/memory_map.h"

#define GIB	   (UINT64_C(1) << 30)
#define HIGH_START (4 * GIB) /* where memory goes on */

enum { NAMES_SIZE = 512 }; /* of blocks, for messages */

/* The blocks that are main memory, end to end. */
struct layout {
	const struct layout_input *in;
	const struct ram_block *blocks[RAM_MAX_BLOCKS];
	size_t num_blocks;
	uint64_t size;
};

static bool begins_with(const char *text, const char *beginning)
{
	return !strncmp(text, beginning, strlen(beginning));
}

/* Blocks that devices keep their own memory in: no part of the machine's. */
static bool is_of_device(const char *name)
{
	static const char *const beginnings[] = { "/rom@", "pc.rom", "system.flash" };
	static const char *const ends[] = { ".rom", ".vram", ".vgavram" };
	size_t length = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		if (begins_with(name, beginnings[i]))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (length > strlen(ends[i]) && !strcmp(name + length - strlen(ends[i]), ends[i]))
			return true;
	}
	return false;
}

bool layout_is_wanted(const char *block_name)
{
	return !is_of_device(block_name);
}

static bool is_firmware(const char *name)
{
	return !strcmp(name, "pc.bios");
}

/* Later QEMU puts the object's path before. */
static const char *plain_name(const char *name)
{
	static const char objects[] = "/objects/";

	return begins_with(name, objects) ? name + strlen(objects) : name;
}

static bool is_default(const char *name)
{
	return !strcmp(plain_name(name), "pc.ram");
}

/* libvirt's, one a NUMA node */
static bool is_node(const char *name)
{
	return begins_with(plain_name(name), "ram-node");
}

/* Of a name that the user gave it. What has a path is a device's own. */
static bool is_backend(const char *name)
{
	return !is_of_device(name) && !is_firmware(name) && !strchr(plain_name(name), '/');
}

static int compare_names(const void *a, const void *b)
{
	const struct ram_block *const *x = a, *const *y = b;

	return strverscmp(plain_name((*x)->name), plain_name((*y)->name));
}

/* All blocks of one kind are main memory: by name, as QEMU lists them by size. */
static void choose(struct layout *l, bool (*is_main)(const char *name))
{
	for (size_t i = 0; i < ram_num_blocks(l->in->ram); i++) {
		const struct ram_block *block = ram_block(l->in->ram, i);

		if (!is_main(block->name))
			continue;
		l->blocks[l->num_blocks++] = block;
		l->size += block->length;
	}
	qsort(l->blocks, l->num_blocks, sizeof(l->blocks[0]), compare_names);
}

/* Part of main memory, as far as there is that part. */
static struct error *place_main(const struct layout *l, uint64_t pa, uint64_t offset,
				uint64_t length)
{
	uint64_t start = 0;
	struct error *err = NULL;

	for (size_t i = 0; !err && i < l->num_blocks; i++) {
		const struct ram_block *block = l->blocks[i];
		uint64_t from = offset > start ? offset - start : 0, part;

		if (from < block->length && offset + length > start) {
			part = offset + length - (start + from);
			if (part > block->length - from)
				part = block->length - from;
			err = ram_place(l->in->ram, pa + (start + from - offset), block, from,
					part);
		}
		start += block->length;
	}
	return err;
}

/* What the firmware is told of memory (QEMU hw/i386/pc.c, pc_cmos_init). */
struct cmos {
	uint64_t below, above; /* bytes below 4 GiB and from there */
};

static bool read_cmos(const struct layout_input *in, struct cmos *ret)
{
	enum { SIZE = 128, EXTENDED = 0x30, OVER_16_MIB = 0x34, HIGH = 0x5b };
	const struct stream_device *clock =
		in->devices ? stream_devices_next(in->devices, "mc146818rtc", NULL) : NULL;
	uint64_t offset, size, over;
	uint8_t data[SIZE];
	struct error *err;

	if (!clock || !stream_device_field(clock, "cmos_data", 0, NULL, &offset, &size) ||
	    size != SIZE)
		return false;
	err = file_read(in->file, offset, data, sizeof(data));
	if (err) {
		error_destroy(err);
		return false;
	}
	over = (uint64_t)data[OVER_16_MIB] | (uint64_t)data[OVER_16_MIB + 1] << 8;
	ret->above = ((uint64_t)data[HIGH] | (uint64_t)data[HIGH + 1] << 8 |
		      (uint64_t)data[HIGH + 2] << 16)
		     << 16;
	ret->below = (16 << 20) + (over << 16);
	if (!over) /* in KiB above the first MiB */
		ret->below = (1 << 20) +
			     (((uint64_t)data[EXTENDED] | (uint64_t)data[EXTENDED + 1] << 8) << 10);
	return true;
}

/*
 * Nobody says which of the user's blocks are main memory, and which were plugged in: it is the one
 * that is as large as the firmware is told, or all of them.
 */
static struct error *choose_backend(struct layout *l)
{
	const struct ram_block *found = NULL;
	struct cmos cmos = { 0 };
	size_t count = 0;

	if (l->num_blocks < 2 || l->in->memory_map)
		return NULL;
	if (read_cmos(l->in, &cmos) && cmos.below + cmos.above == l->size) {
		diag_note(l->in->diag,
			  "main memory is taken to be %zu RAM blocks in the order of their names",
			  l->num_blocks);
		return NULL;
	}
	for (size_t i = 0; i < l->num_blocks; i++) {
		if (l->blocks[i]->length == cmos.below + cmos.above) {
			found = l->blocks[i];
			count++;
		}
	}
	if (count != 1)
		return error_new(ERROR_UNSUPPORTED,
				 "nothing says which of %zu RAM blocks, '%s' and others, are main "
				 "memory: expected a memory map of them, end to end by name",
				 l->num_blocks, l->blocks[0]->name);
	l->blocks[0] = found;
	l->num_blocks = 1;
	l->size = found->length;
	return NULL;
}

/* Machine types, and from which size on they move memory up: all above `below`. */
static const struct {
	const char *machine; /* the type's beginning */
	uint64_t from, below;
} defaults[] = {
	{ "pc-q35-", UINT64_C(0xb0000000), 2 * GIB },
	{ "pc-i440fx-", UINT64_C(0xe0000000), 3 * GIB },
	{ "", 2 * GIB, 0 }, /* any: memory is in one piece if it is small enough */
};

/* How much of main memory is below 4 GiB. */
static struct error *find_split(const struct layout_input *in, uint64_t size, uint64_t *ret)
{
	struct cmos cmos;
	size_t i = 0;

	if (read_cmos(in, &cmos)) {
		/* in units of 64 KiB, as far as CMOS goes */
		if (cmos.below <= size && cmos.below <= HIGH_START &&
		    cmos.below + cmos.above == size) {
			*ret = cmos.below;
			return NULL;
		}
		diag_note(in->diag,
			  "the clock's CMOS memory speaks of 0x%" PRIx64
			  " bytes below 4 GiB and 0x%" PRIx64 " above, of 0x%" PRIx64
			  " that the machine has: not used",
			  cmos.below, cmos.above, size);
	}
	while (strncmp(in->machine, defaults[i].machine, strlen(defaults[i].machine)))
		i++;
	if (size < defaults[i].from) {
		*ret = size;
		return NULL;
	}
	if (!defaults[i].below)
		return error_new(ERROR_UNSUPPORTED,
				 "nothing says how much of the 0x%" PRIx64
				 " bytes of '%s' is below 4 GiB: expected a memory map",
				 size, in->machine[0] ? in->machine : "this machine");
	*ret = defaults[i].below;
	diag_note(in->diag,
		  "memory is taken to be split at 0x%" PRIx64
		  ", as by default in machines of type '%s': else give a memory map",
		  *ret, in->machine);
	return NULL;
}

static struct error *add_map_run(void *arg, const struct memory_map_run *run)
{
	const struct layout *l = arg;
	uint64_t length = run->end - run->start;
	uint64_t room = run->offset < l->size ? l->size - run->offset : 0;

	if (length > room) {
		diag_partial(l->in->diag,
			     "memory map: 0x%" PRIx64 "-0x%" PRIx64 " at 0x%" PRIx64
			     ": main memory has 0x%" PRIx64 " bytes of it",
			     run->start, run->end, run->offset, room);
		length = room;
	}
	return place_main(l, run->start, run->offset, length);
}

/* The firmware's ROM ends at 4 GiB. */
static struct error *place_firmware(struct ram *ram)
{
	for (size_t i = 0; i < ram_num_blocks(ram); i++) {
		const struct ram_block *block = ram_block(ram, i);

		if (is_firmware(block->name) && block->length <= GIB)
			return ram_place(ram, HIGH_START - block->length, block, 0, block->length);
	}
	return NULL;
}

static bool is_main(const struct layout *l, const struct ram_block *block)
{
	for (size_t i = 0; i < l->num_blocks; i++) {
		if (l->blocks[i] == block)
			return true;
	}
	return false;
}

/* What of memory has no place, such as memory that was plugged in later. */
static void report_others(const struct layout *l)
{
	char names[NAMES_SIZE] = "";
	size_t used = 0;

	for (size_t i = 0; i < ram_num_blocks(l->in->ram) && used < sizeof(names); i++) {
		const struct ram_block *block = ram_block(l->in->ram, i);

		if (is_backend(block->name) && !is_main(l, block))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s'%s'",
						 used ? ", " : "", block->name);
	}
	if (used)
		diag_partial(l->in->diag,
			     "RAM blocks without a known physical address are left out: %s", names);
}

static bool is_pc(const char *machine)
{
	static const char *const types[] = { "pc", "microvm", "isapc", "xenfv" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (begins_with(machine, types[i]))
			return true;
	}
	return !machine[0]; /* QEMU before 2.3 does not say */
}

struct error *layout_place(const struct layout_input *in)
{
	bool (*const kinds[])(const char *name) = { is_default, is_node, is_backend };
	struct layout l = { .in = in };
	uint64_t below = 0;
	struct error *err;
	size_t i = 0;

	if (!is_pc(in->machine))
		return error_new(ERROR_UNSUPPORTED, "machine of type '%s': expected a PC",
				 in->machine);
	for (; !l.num_blocks && i < ARRAY_SIZE(kinds); i++)
		choose(&l, kinds[i]);
	if (!l.num_blocks)
		return error_new(ERROR_CORRUPT, "expected a RAM block of main memory, found none");
	if (kinds[i - 1] == is_backend && (err = choose_backend(&l)))
		return err;
	report_others(&l);
	if (in->memory_map)
		return memory_map_walk(in->memory_map, add_map_run, &l);
	if ((err = find_split(in, l.size, &below)) || (err = place_main(&l, 0, 0, below)) ||
	    (err = place_main(&l, HIGH_START, below, l.size - below)))
		return err;
	return place_firmware(in->ram);
}
