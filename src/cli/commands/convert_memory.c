/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/progress.h"
#include "cli/commands/convert.h"
#include "windows/crash/dump_facts.h"

/* Pages that are lost in the first pass are left out of the second, which then loses none. */
enum { MAX_PASSES = 3 };

/* m becomes what is left of it. */
static struct error *narrow(struct write_memory *m, const struct page_set *set, bool keep,
			    bool whole_pages, struct block_cache *cache)
{
	struct write_memory rest;
	struct error *err = write_memory_filter(m, set, keep, whole_pages, cache, &rest);

	if (err)
		return err;
	write_memory_deinit(m);
	*m = rest;
	return NULL;
}

static struct error *keep_mapped(struct command_run *run, struct write_memory *m)
{
	struct block_cache *cache = run->snapshot->cache;
	struct page_set mapped CLEANUP(page_set_deinit) = { 0 };
	struct error *err;

	if ((err = page_set_init(m, cache, &mapped)) || (err = mapped_pages_add(run, &mapped)))
		return err;
	return narrow(m, &mapped, true, false, cache);
}

static struct error *select_memory(struct command_run *run, const struct conversion *c,
				   struct write_memory *m)
{
	struct block_cache *cache = run->snapshot->cache;
	struct error *err = write_memory_init(run->snapshot->mem, cache, m);
	uint64_t before;

	if (!err && option_flag(run->options, "only-mapped"))
		err = keep_mapped(run, m);
	if (err || !(c->writer->flags & WRITER_WHOLE_PAGES))
		return err;
	before = m->bytes;
	if (!(err = narrow(m, NULL, false, true, cache)) && m->bytes < before)
		diag_note(run->diag,
			  "%s holds whole pages only: 0x%" PRIx64
			  " bytes of pages that are captured in part are left out",
			  c->writer->name, before - m->bytes);
	return err;
}

/* What the writer wants to know beside the memory; all of it in run->arena. */
static struct error *read_facts(struct command_run *run, struct write_job *job)
{
	struct dump_facts *facts = arena_alloc(run->arena, sizeof(*facts));
	struct error *err;

	if (!facts)
		return &error_no_memory;
	if (!run->kernel) {
		diag_note(run->diag, "%s", error_message(run->kernel_error));
		return NULL;
	}
	if ((err = dump_facts_read(run->kernel, run->arena, facts)))
		return err;
	job->facts = &facts->crash;
	job->patches = facts->patches;
	job->num_patches = facts->num_patches;
	return NULL;
}

static void report_patches(struct command_run *run, const struct write_job *job)
{
	for (size_t i = 0; i < job->num_patches; i++) {
		const struct write_patch *p = &job->patches[i];

		diag_note(run->diag,
			  "%s: %zu bytes at physical address 0x%" PRIx64
			  " are written otherwise than the snapshot has them",
			  p->what, p->len, p->pa);
	}
}

/* One file. Where pages are lost it is given up. */
static struct error *write_once(struct command_run *run, struct conversion *c,
				struct write_job *job)
{
	const struct output_options options = {
		.replace = c->force,
		.hash = c->hash,
		.lz4 = c->lz4,
	};
	struct output *out CLEANUP(output_cleanup) = NULL;
	struct progress progress;
	struct sha256 sum;
	struct error *err;

	if ((err = output_create(c->path, &options, &out)))
		return err;
	sha256_init(&sum);
	progress_begin(&progress, "converting", job->memory->bytes,
		       option_flag(run->options, "quiet"));
	job->out = out;
	job->memory_hash = c->hash ? &sum : NULL;
	job->progress = &progress;
	err = c->writer->write(job);
	progress_end(&progress);
	if (err || job->lost->count)
		return err;
	sha256_end(&sum, c->result.memory_sha256);
	return output_finish(out, &c->result.output);
}

static struct error *write_passes(struct command_run *run, struct conversion *c,
				  struct write_job *job, struct write_memory *m)
{
	struct block_cache *cache = run->snapshot->cache;

	for (unsigned pass = 0; pass < MAX_PASSES; pass++) {
		struct page_set lost CLEANUP(page_set_deinit) = { 0 };
		struct error *err = page_set_init(m, cache, &lost);

		job->lost = &lost;
		if (!err && !m->bytes)
			err = error_new(ERROR_UNSUPPORTED, "%s: there is no page to write",
					run->options->args[0]);
		if (!err)
			err = write_once(run, c, job);
		if (err || !lost.count)
			return err;
		c->result.lost_pages += lost.count;
		if ((err = narrow(m, &lost, false, false, cache)))
			return err;
	}
	return error_new(ERROR_OS, "%s: each time that it is read other pages cannot be read",
			 run->options->args[0]);
}

/* What the snapshot says beside its memory, and the format cannot. */
static void report_left_out(struct command_run *run, const struct format_writer *writer)
{
	const struct dump_info *info = &run->snapshot->info;

	if (!(writer->flags & WRITER_REGISTERS) && info->num_registers)
		diag_note(run->diag,
			  "%s has no room for registers: those of %zu processors are "
			  "left out",
			  writer->name, info->num_registers);
	if (writer->flags & WRITER_WANTS_KERNEL)
		return;
	if (info->crash_header)
		diag_note(run->diag,
			  "%s has no room for a crash dump's header: bug check, times and where "
			  "the kernel is are left out",
			  writer->name);
	if (info->num_blobs)
		diag_note(run->diag,
			  "data that drivers added to the crash dump is left out: %zu blocks",
			  info->num_blobs);
}

struct error *convert_memory(struct command_run *run, struct conversion *c)
{
	struct write_memory m CLEANUP(write_memory_deinit) = { 0 };
	uint64_t threads = 0;
	struct write_job job = {
		.mem = run->snapshot->mem,
		.memory = &m,
		.info = &run->snapshot->info,
		.diag = run->diag,
	};
	struct error *err;

	option_u64(run->options, "threads", &threads);
	job.threads = (unsigned)threads;
	if ((err = select_memory(run, c, &m)))
		return err;
	if ((c->writer->flags & WRITER_WANTS_KERNEL) && (err = read_facts(run, &job)))
		return err;
	report_left_out(run, c->writer);
	if ((err = write_passes(run, c, &job, &m)))
		return err;
	report_patches(run, &job);
	if (c->result.lost_pages)
		diag_partial(run->diag,
			     "%s: %" PRIu64 " pages could not be decoded and are absent in it",
			     c->path, c->result.lost_pages);
	c->result.pages = m.pages;
	c->result.bytes = m.bytes;
	c->result.runs = m.count;
	c->result.patches = job.num_patches;
	return NULL;
}
