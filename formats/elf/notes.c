/* SPDX-License-Identifier: MIT */
#include "formats/elf/notes.h"

#include <inttypes.h>
#include <stdio.h>

#include "formats/elf/registers.h"

typedef void note_fn(void *arg, const struct elf_note *note);

/* Where notes are: what the program headers say, or without these one stretch of the file. */
struct note_places {
	const struct file *file;
	const struct elf_header *header;
	uint64_t offset, size;
};

/* c: as much as there is of `size` bytes of notes. diag NULL: damage was reported before. */
static void walk_stretch(const char *what, struct cursor c, uint64_t size, note_fn *fn, void *arg,
			 struct diag *diag)
{
	struct elf_note note;
	struct error *err;
	bool found;

	if (diag && c.len < size)
		diag_partial(diag,
			     "%s: expected 0x%" PRIx64 " bytes of notes at file offset 0x%" PRIx64
			     ", found 0x%zx",
			     what, size, c.origin, c.len);
	while (!(err = elf_next_note(&c, &note, &found)) && found)
		fn(arg, &note);
	if (err && diag)
		diag_error(diag, err, "notes of %s", what);
	else
		error_destroy(err);
}

/* Legitimate notes do not overlap: together they are no larger than the file, and no more than
 * that is walked. */
static void walk_notes(const struct note_places *places, note_fn *fn, void *arg, struct diag *diag)
{
	const struct file *file = places->file;
	uint64_t left = file->size;

	struct cursor c;

	if (!places->header) {
		elf_cursor(file, places->offset, places->size, &c);
		walk_stretch("the header", c, places->size, fn, arg, diag);
		return;
	}
	for (uint64_t i = 0; i < places->header->num_programs; i++) {
		struct elf_program p;
		char what[48];

		elf_read_program(places->header, i, &p);
		if (p.type != ELF_NOTE)
			continue;
		elf_cursor(file, p.offset, p.file_size < left ? p.file_size : left, &c);
		left -= c.len;
		snprintf(what, sizeof(what), "program header %" PRIu64, i);
		walk_stretch(what, c, p.file_size, fn, arg, diag);
	}
}

/* Kinds of notes that hold one processor's registers each; the n-th of a kind is of processor n.
 * They are decoded in this order, so that those that know more have the last word. */
enum cpu_note_kind { PRSTATUS_KIND, QEMU_KIND, VBOX_KIND, NUM_CPU_NOTES };
static const struct cpu_note {
	const char *name;
	uint32_t type;
	bool (*decode)(struct cursor c, struct registers *ret);
} cpu_notes[] = {
	[PRSTATUS_KIND] = { "CORE", 1, elf_registers_prstatus },
	[QEMU_KIND] = { "QEMU", 0, elf_registers_qemu },
	[VBOX_KIND] = { "VBCPU", 0xb01, elf_registers_vbox },
};

enum vbox_facts {
	VBOX_MAGIC = 0xc01ac0de,
	/* Format 1.0 has the emulator's own CPUMCTX, which each version lays out anew. */
	VBOX_FIRST_WITH_REGISTERS = 0x10001,
};

struct note_counts {
	uint64_t of_kind[NUM_CPU_NOTES];
	uint32_t vbox_version, vbox_cpus; /* 0 where no descriptor was found */
};

/* DBGFCOREDESCRIPTOR (VBox/vmm/dbgfcorefmt.h): magic, format, size, version, revision, cpus. */
static void read_vbox_descriptor(struct cursor c, struct note_counts *counts)
{
	uint32_t magic, version, cpus;

	if (!cur_u32(&c, &magic) || magic != VBOX_MAGIC || !cur_u32(&c, &version) ||
	    !cur_skip(&c, 12) || !cur_u32(&c, &cpus))
		return;
	counts->vbox_version = version;
	counts->vbox_cpus = cpus < MAX_CPUS ? cpus : MAX_CPUS;
}

static void count_note(void *arg, const struct elf_note *note)
{
	struct note_counts *counts = arg;

	for (size_t kind = 0; kind < NUM_CPU_NOTES; kind++) {
		if (elf_note_is(note, cpu_notes[kind].name, cpu_notes[kind].type))
			counts->of_kind[kind]++;
	}
	if (elf_note_is(note, "VBCORE", 0xb00))
		read_vbox_descriptor(note->desc, counts);
}

struct note_fill {
	const struct cpu_note *kind;
	struct dump_info *info;
	size_t next_cpu;
	struct diag *diag;
};

static void fill_from_note(void *arg, const struct elf_note *note)
{
	struct note_fill *fill = arg;
	size_t cpu = fill->next_cpu;

	if (!elf_note_is(note, fill->kind->name, fill->kind->type) ||
	    cpu >= fill->info->num_registers)
		return;
	fill->next_cpu++;
	if (!fill->kind->decode(note->desc, &fill->info->registers[cpu]))
		diag_partial(fill->diag,
			     "%s note of processor %zu at file offset 0x%" PRIx64
			     ": 0x%zx bytes do not hold its registers",
			     fill->kind->name, cpu, note->desc.origin, note->desc.len);
}

static struct error *read_notes(const struct note_places *places, struct dump_info *info,
				struct diag *diag)
{
	struct note_counts counts = { 0 };
	uint64_t cpus = 0;
	struct error *err;

	walk_notes(places, count_note, &counts, diag);
	for (size_t i = 0; i < NUM_CPU_NOTES; i++) {
		if (counts.of_kind[i] > cpus)
			cpus = counts.of_kind[i];
	}
	if (cpus > MAX_CPUS) {
		diag_partial(diag, "notes of %" PRIu64 " processors: only the first %d are used",
			     cpus, MAX_CPUS);
		cpus = MAX_CPUS;
	}
	err = dump_info_alloc_registers(info, (size_t)cpus);
	if (err)
		return err;
	if (counts.vbox_version && counts.vbox_version < VBOX_FIRST_WITH_REGISTERS) {
		diag_note(diag, "VirtualBox core of format 0x%x: it has no readable registers",
			  counts.vbox_version);
		counts.of_kind[VBOX_KIND] = 0;
	}
	for (size_t i = 0; i < NUM_CPU_NOTES; i++) {
		struct note_fill fill = { .kind = &cpu_notes[i], .info = info, .diag = diag };

		if (counts.of_kind[i])
			walk_notes(places, fill_from_note, &fill, NULL);
	}
	info->num_cpus = cpus > counts.vbox_cpus ? (uint32_t)cpus : counts.vbox_cpus;
	if (counts.vbox_version)
		info->format = "virtualbox-core";
	return NULL;
}

struct error *elf_notes_read(const struct file *file, const struct elf_header *header,
			     struct dump_info *info, struct diag *diag)
{
	return read_notes(&(struct note_places){ .file = file, .header = header }, info, diag);
}

struct error *elf_notes_read_at(const struct file *file, uint64_t offset, uint64_t size,
				struct dump_info *info, struct diag *diag)
{
	const struct note_places place = { .file = file, .offset = offset, .size = size };

	return read_notes(&place, info, diag);
}
