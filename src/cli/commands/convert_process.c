/* SPDX-License-Identifier: MIT */
/* One process's space as an ELF core: `convert --pid`. Layout: the System V ABI, elf.h, and for
 * NT_PRPSINFO struct elf_prpsinfo of x86-64 Linux. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/progress.h"
#include "base/u64_set.h"
#include "cli/commands/convert.h"
#include "formats/writers/buffer.h"
#include "formats/writers/elf_header.h"
#include "windows/process/process.h"
#include "windows/regions/vad.h"

enum { MAX_SEGMENTS = 1 << 22, MAX_PASSES = 3 };

enum prpsinfo {
	NOTE_PRPSINFO = 3,
	NOTE_DESC = 20, /* header and the name "CORE" */
	PRPSINFO_PID = NOTE_DESC + 24,
	PRPSINFO_PARENT = NOTE_DESC + 28,
	PRPSINFO_NAME = NOTE_DESC + 40,
	PRPSINFO_ARGUMENTS = NOTE_DESC + 56,
	PRPSINFO_NAME_SIZE = 16,
	PRPSINFO_ARGUMENTS_SIZE = 80,
	PRPSINFO_SIZE = 136,
	NOTE_SIZE = NOTE_DESC + PRPSINFO_SIZE,
};

/* p_paddr of what is in no page of the snapshot. */
static const uint64_t NO_ADDRESS = UINT64_MAX;

struct segment {
	uint64_t va, pa, size;
	uint64_t data; /* offset among the data of all */
	uint32_t flags;
};

struct process_core {
	struct command_run *run;
	const struct process *process;
	struct space *space;
	struct segment *segments;
	size_t count, capacity;
	size_t paid;	     /* of capacity */
	uint64_t bytes;	     /* of all segments */
	struct u64_set lost; /* pages that could not be read */
	uint64_t num_lost;
	struct output *out;
	struct progress progress;
};

static struct error *add_segment(struct process_core *c, const struct segment *s)
{
	struct segment *last = c->count ? &c->segments[c->count - 1] : NULL;
	bool pa_goes_on = last && (s->pa == NO_ADDRESS ? last->pa == NO_ADDRESS
						       : last->pa + last->size == s->pa);
	struct error *err;

	if (last && last->va + last->size == s->va && last->flags == s->flags && pa_goes_on) {
		last->size += s->size;
	} else {
		if ((err = array_reserve(&c->segments, &c->capacity, c->count + 1,
					 sizeof(*c->segments), MAX_SEGMENTS, "segments")))
			return err;
		c->segments[c->count] = *s;
		c->segments[c->count++].data = c->bytes;
	}
	c->bytes += s->size;
	return NULL;
}

static uint32_t flags_of(unsigned access)
{
	return ELF_READ | (access & VA_WRITE ? ELF_WRITE : 0) |
	       (access & VA_NO_EXEC ? 0 : ELF_EXECUTE);
}

/* Pages of a stretch that was read badly before, or whose places differ, one by one. */
static struct error *add_pages(struct process_core *c, const struct va_range *range, uint64_t last)
{
	struct error *err = NULL;

	for (uint64_t va = range->start; va <= last && !err; va += PAGE_SIZE) {
		struct segment s = {
			.va = va,
			.pa = NO_ADDRESS,
			.size = PAGE_SIZE,
			.flags = flags_of(range->access),
		};
		struct walk walk;

		if (u64_set_has(&c->lost, va))
			continue;
		space_walk(c->space, va, &walk);
		if (!walk.has_bytes)
			continue;
		if (walk.has_pa)
			s.pa = walk.pa;
		err = add_segment(c, &s);
	}
	return err;
}

static struct error *add_range(struct process_core *c, const struct va_range *range,
			       uint64_t user_last)
{
	uint64_t last = range->repeat ? range->start + range->repeat - 1 : range->last;
	bool whole = range->state == VA_MAPPED || range->state == VA_TRANSITION;

	if (range->state == VA_NOT_CAPTURED || range->state == VA_TABLE_NOT_CAPTURED ||
	    range->state == VA_DEMAND_ZERO)
		return NULL;
	if (last > user_last)
		last = user_last;
	if (!whole || !range->has_pa || c->num_lost)
		return add_pages(c, range, last);
	return add_segment(c, &(struct segment){
				      .va = range->start,
				      .pa = range->pa,
				      .size = last - range->start + 1,
				      .flags = flags_of(range->access),
			      });
}

static struct error *find_segments(struct process_core *c)
{
	uint64_t user_last = vad_user_last(c->space), va = 0;
	struct va_range range;
	struct error *err = NULL;

	c->count = 0;
	c->bytes = 0;
	while (!err && va <= user_last && space_next(c->space, va, &range) &&
	       range.start <= user_last) {
		err = add_range(c, &range, user_last);
		va = range.last + 1;
	}
	return err;
}

/* The cache pays for what grows with the space. */
static struct error *pay_segments(struct process_core *c)
{
	struct error *err = block_cache_reserve(c->run->snapshot->cache,
						(c->capacity - c->paid) * sizeof(*c->segments),
						"the segments of a process");

	if (!err)
		c->paid = c->capacity;
	return err;
}

static struct error *put_segment_bytes(struct process_core *c, const struct segment *s,
				       uint64_t data_offset)
{
	uint8_t page[PAGE_SIZE];
	struct error *err = NULL;

	for (uint64_t at = 0; at < s->size && !err; at += PAGE_SIZE) {
		bool is_new;

		progress_add(&c->progress, PAGE_SIZE);
		if (space_try_read(c->space, s->va + at, page, sizeof(page), NULL)) {
			err = output_write_sparse(c->out, data_offset + s->data + at, page,
						  sizeof(page));
			continue;
		}
		if (!(err = u64_set_add(&c->lost, s->va + at, &is_new)))
			c->num_lost += is_new;
	}
	return err;
}

static void make_note(const struct process *p, uint8_t ret[NOTE_SIZE])
{
	memset(ret, 0, NOTE_SIZE);
	store_u32(ret, sizeof("CORE"));
	store_u32(ret + 4, PRPSINFO_SIZE);
	store_u32(ret + 8, NOTE_PRPSINFO);
	memcpy(ret + 12, "CORE", sizeof("CORE"));
	store_u32(ret + PRPSINFO_PID, p->pid.present ? (uint32_t)p->pid.value : 0);
	store_u32(ret + PRPSINFO_PARENT, p->ppid.present ? (uint32_t)p->ppid.value : 0);
	if (p->name)
		memcpy(ret + PRPSINFO_NAME, p->name, strnlen(p->name, PRPSINFO_NAME_SIZE - 1));
	if (p->command_line)
		memcpy(ret + PRPSINFO_ARGUMENTS, p->command_line,
		       strnlen(p->command_line, PRPSINFO_ARGUMENTS_SIZE - 1));
}

static struct error *put_programs(const struct process_core *c, const struct elf_parts *parts)
{
	struct write_buffer b = { .out = c->out, .offset = ELF_PROGRAM_OFFSET };
	uint8_t *row;
	struct error *err;

	if ((err = write_buffer_next(&b, ELF_PROGRAM_SIZE, &row)))
		return err;
	elf_put_note_program(row, parts->notes_offset, NOTE_SIZE);
	for (size_t i = 0; i < c->count; i++) {
		const struct segment *s = &c->segments[i];

		if ((err = write_buffer_next(&b, ELF_PROGRAM_SIZE, &row)))
			return err;
		elf_put_load_program(row, &(struct elf_load){
						  .offset = parts->data_offset + s->data,
						  .vaddr = s->va,
						  .paddr = s->pa,
						  .size = s->size,
						  .flags = s->flags,
					  });
	}
	return write_buffer_flush(&b);
}

static struct error *put_core(struct process_core *c)
{
	uint8_t header[ELF_HEADER_SIZE], note[NOTE_SIZE];
	struct elf_parts parts;
	struct error *err;

	if ((err = elf_lay_out(c->count + 1, NOTE_SIZE, &parts)) ||
	    (err = output_set_size(c->out, parts.data_offset + c->bytes)))
		return err;
	elf_put_header(header, &parts);
	make_note(c->process, note);
	if ((err = output_write(c->out, 0, header, sizeof(header))) ||
	    (err = put_programs(c, &parts)) || (err = elf_put_sections(c->out, &parts)) ||
	    (err = output_write(c->out, parts.notes_offset, note, sizeof(note))))
		return err;
	for (size_t i = 0; i < c->count && !err; i++)
		err = put_segment_bytes(c, &c->segments[i], parts.data_offset);
	return err;
}

static struct error *write_once(struct process_core *c, struct conversion *conversion)
{
	const struct output_options options = {
		.replace = conversion->force,
		.hash = conversion->hash,
		.lz4 = conversion->lz4,
	};
	struct output *out CLEANUP(output_cleanup) = NULL;
	uint64_t lost = c->num_lost;
	struct error *err;

	if ((err = find_segments(c)) || (err = pay_segments(c)) ||
	    (err = output_create(conversion->path, &options, &out)))
		return err;
	progress_begin(&c->progress, "converting", c->bytes, option_flag(c->run->options, "quiet"));
	c->out = out;
	err = put_core(c);
	progress_end(&c->progress);
	if (err || c->num_lost > lost)
		return err;
	return output_finish(out, &conversion->result.output);
}

static struct error *write_process(struct process_core *c, struct conversion *conversion)
{
	struct conversion_result *r = &conversion->result;

	for (unsigned pass = 0; pass < MAX_PASSES; pass++) {
		uint64_t lost = c->num_lost;
		struct error *err = write_once(c, conversion);

		if (err)
			return err;
		if (c->num_lost > lost)
			continue;
		r->bytes = c->bytes;
		r->pages = c->bytes / PAGE_SIZE;
		r->runs = c->count;
		r->lost_pages = c->num_lost;
		if (c->num_lost)
			diag_partial(c->run->diag,
				     "%s: %" PRIu64 " pages could not be read and are absent in it",
				     conversion->path, c->num_lost);
		return NULL;
	}
	return error_new(ERROR_OS, "%s: each time that it is read other pages cannot be read",
			 c->run->options->args[0]);
}

struct error *convert_process(struct command_run *run, struct conversion *conversion)
{
	struct process_core c = { .run = run };
	struct process_list list = { 0 };
	uint64_t pid = 0;
	struct error *err;

	option_u64(run->options, "pid", &pid);
	if (!run->kernel)
		return error_new(ERROR_NOT_FOUND, "option '--pid' needs the kernel: %s",
				 error_message(run->kernel_error));
	if ((err = process_list_by_pid(run->kernel, pid, PROCESS_FULL, &list)))
		return err;
	if (!list.count)
		err = error_new(ERROR_NOT_FOUND, "no process has the id %" PRIu64, pid);
	if (!err)
		err = process_open_space(run->kernel, &list.items[0], &c.space);
	c.process = list.items;
	if (!err)
		err = write_process(&c, conversion);
	space_destroy(c.space);
	free(c.segments);
	u64_set_deinit(&c.lost);
	process_list_deinit(&list);
	return err;
}
