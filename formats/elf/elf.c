/* SPDX-License-Identifier: MIT */
/*
 * ELF64 cores of a whole machine: QEMU's dump-guest-memory, makedumpfile -E, VirtualBox's
 * dumpvmcore, /proc/vmcore, and (in xen.c) Xen's dump-core. Memory is placed by p_paddr:
 * p_vaddr is what the writer believed to be mapped there, and is wrong in QEMU's paging=on dumps.
 */
#include "formats/registry.h"

#include <inttypes.h>
#include <string.h>

#include "formats/elf/file.h"
#include "formats/elf/notes.h"
#include "formats/elf/xen.h"

static unsigned elf_probe(const struct probe_input *in)
{
	return in->head_size >= 4 && !memcmp(in->head,
					     "\x7f"
					     "ELF",
					     4)
		       ? 32
		       : 0;
}

struct value_name {
	uint16_t value;
	const char *name;
};

static const struct value_name type_names[] = {
	{ 0, "no type" },
	{ 1, "relocatable object" },
	{ 2, "executable" },
	{ 3, "shared object or executable" },
};

static const struct value_name machine_names[] = {
	{ 2, "SPARC" },	    { 8, "MIPS" },     { 20, "PowerPC" },    { 21, "PowerPC64" },
	{ 22, "S390" },	    { 40, "ARM" },     { 43, "SPARC64" },    { 50, "IA-64" },
	{ 183, "AArch64" }, { 243, "RISC-V" }, { 258, "LoongArch" },
};

static const char *name_of(const struct value_name *rows, size_t count, uint16_t value)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].value == value)
			return rows[i].name;
	}
	return "not known";
}

enum { MACHINE_386 = 3, MACHINE_X86_64 = 62 };

static struct error *check_kind(const struct elf_header *h)
{
	if (h->type != ELF_CORE)
		return error_new(ERROR_UNSUPPORTED,
				 "ELF file of type %u (%s): expected a core (type 4)", h->type,
				 name_of(type_names, ARRAY_SIZE(type_names), h->type));
	/* QEMU and VirtualBox write EM_386 for machines that can run 64-bit code as well. */
	if (h->machine != MACHINE_X86_64 && h->machine != MACHINE_386)
		return error_new(
			ERROR_UNSUPPORTED, "ELF core of machine %u (%s): expected x86-64 (62 or 3)",
			h->machine, name_of(machine_names, ARRAY_SIZE(machine_names), h->machine));
	return NULL;
}

/* What segments claim and the file or the machine cannot have. */
struct losses {
	uint64_t past_file, past_machine; /* bytes */
	uint64_t first_offset;		  /* in the file, of the first segment that is cut */
};

static void report_losses(const struct losses *lost, const struct file *file, struct diag *diag)
{
	if (lost->past_file)
		diag_partial(diag,
			     "0x%" PRIx64
			     " bytes of memory are past the end of the file (0x%" PRIx64
			     ", first in the segment at file offset 0x%" PRIx64 ")",
			     lost->past_file, file->size, lost->first_offset);
	if (lost->past_machine)
		diag_partial(diag,
			     "0x%" PRIx64 " bytes have physical addresses of 0x%" PRIx64
			     " or above, which no machine has: left out",
			     lost->past_machine, PHYSMEM_MAX_END);
}

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* p_memsz may be larger: what is missing is absent, not zero (makedumpfile -E leaves out pages
 * of any content that way). */
static struct error *add_segment(const struct file *file, const struct elf_program *p,
				 struct physmem *mem, struct losses *lost)
{
	uint64_t length = elf_bytes_in_file(file, p->offset, p->file_size);
	uint64_t room = p->paddr < PHYSMEM_MAX_END ? PHYSMEM_MAX_END - p->paddr : 0;

	if (length < p->file_size) {
		if (!lost->past_file)
			lost->first_offset = p->offset;
		lost->past_file = add_saturated(lost->past_file, p->file_size - length);
	}
	if (length > room) {
		lost->past_machine = add_saturated(lost->past_machine, length - room);
		length = room;
	}
	return length ? physmem_add_file(mem, p->paddr, length, file, p->offset) : NULL;
}

static struct error *add_memory(const struct file *file, const struct elf_header *h,
				struct physmem *mem, struct diag *diag)
{
	struct losses lost = { 0 };
	uint64_t segments = 0, highest = 0;
	struct elf_program p;
	struct error *err;

	for (uint64_t i = 0; i < h->num_programs; i++) {
		elf_read_program(h, i, &p);
		if (p.type != ELF_LOAD || !p.file_size)
			continue;
		segments++;
		if (p.paddr > highest)
			highest = p.paddr;
		err = add_segment(file, &p, mem, &lost);
		if (err)
			return error_wrap(err, "program header %" PRIu64, i);
	}
	if (segments > 1 && !highest)
		return error_new(ERROR_UNSUPPORTED,
				 "core of a single process (all %" PRIu64
				 " segments have physical address 0): expected a machine's memory",
				 segments);
	report_losses(&lost, file, diag);
	return NULL;
}

static struct error *elf_open(const struct format_input *in)
{
	const struct file *file = in->file;
	struct elf_header header;
	struct error *err;

	if ((err = elf_read_header(file, &header, in->diag)) || (err = check_kind(&header)))
		return err;
	in->info->format = "elf-core";
	in->info->machine = "amd64";
	if (elf_xen_is_core(file, &header))
		return elf_xen_open(file, &header, in->mem, in->info, in->diag);
	err = add_memory(file, &header, in->mem, in->diag);
	return err ? err : elf_notes_read(file, &header, in->info, in->diag);
}

const struct format_ops elf_format = {
	.name = "elf",
	.description = "ELF64 core of a machine: QEMU, makedumpfile -E, VirtualBox, Xen",
	.recognised = "7f 45 4c 46",
	.probe = elf_probe,
	.open = elf_open,
};
