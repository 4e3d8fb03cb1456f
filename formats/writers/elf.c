/* SPDX-License-Identifier: MIT */
/*
 * ELF64 core of a machine, laid out as QEMU's dump-guest-memory does: one PT_NOTE with the
 * registers, one PT_LOAD for each captured run, found by p_paddr. Layout: the System V ABI, elf.h.
 */
#include <stdlib.h>

#include "base/cursor.h"
#include "formats/writers/buffer.h"
#include "formats/writers/cpu_notes.h"
#include "formats/writers/elf_header.h"
#include "formats/writers/stream.h"

struct elf_layout {
	uint8_t *notes; /* owned; NULL: none */
	size_t notes_size;
	struct elf_parts parts;
};

static struct error *put_programs(const struct write_job *job, const struct elf_layout *l)
{
	struct write_buffer b = { .out = job->out, .offset = ELF_PROGRAM_OFFSET };
	uint8_t *row;
	struct error *err;

	if (l->notes_size) {
		if ((err = write_buffer_next(&b, ELF_PROGRAM_SIZE, &row)))
			return err;
		elf_put_note_program(row, l->parts.notes_offset, l->notes_size);
	}
	for (size_t i = 0; i < job->memory->count; i++) {
		const struct write_run *run = &job->memory->runs[i];

		if ((err = write_buffer_next(&b, ELF_PROGRAM_SIZE, &row)))
			return err;
		elf_put_load_program(row, &(struct elf_load){
						  .offset = l->parts.data_offset + run->stream,
						  .paddr = run->start,
						  .size = run->end - run->start,
						  .flags = ELF_READ | ELF_WRITE | ELF_EXECUTE,
					  });
	}
	return write_buffer_flush(&b);
}

static struct error *put_layout(const struct write_job *job, const struct elf_layout *l)
{
	uint8_t header[ELF_HEADER_SIZE];
	struct error *err;

	err = output_set_size(job->out, l->parts.data_offset + job->memory->bytes);
	if (err)
		return err;
	elf_put_header(header, &l->parts);
	if ((err = output_write(job->out, 0, header, sizeof(header))) ||
	    (err = put_programs(job, l)) || (err = elf_put_sections(job->out, &l->parts)) ||
	    (err = output_write(job->out, l->parts.notes_offset, l->notes, l->notes_size)))
		return err;
	return stream_write(job, l->parts.data_offset);
}

static struct error *elf_write(const struct write_job *job)
{
	struct elf_layout l = { 0 };
	struct error *err;

	if ((err = cpu_notes_build(job->info, job->diag, &l.notes, &l.notes_size)))
		return err;
	err = elf_lay_out(job->memory->count + (l.notes_size != 0), l.notes_size, &l.parts);
	if (!err)
		err = put_layout(job, &l);
	free(l.notes);
	return err;
}

const struct format_writer elf_writer = {
	.name = "elf",
	.suffix = ".elf",
	.format = "elf",
	.description = "ELF64 core of a machine with the notes of QEMU's dump-guest-memory",
	.flags = WRITER_REGISTERS,
	.write = elf_write,
};
