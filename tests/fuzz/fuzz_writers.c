/* SPDX-License-Identifier: MIT */
/*
 * A small machine with whatever runs, pages that cannot be decoded, and registers the input makes;
 * each writer writes it, and what it wrote is read back: the same bytes, and no others but where
 * the format cannot help it.
 */
#include <string.h>

#include "base/cursor.h"
#include "formats/writer.h"
#include "fuzz.h"
#include "fuzz_file.h"

enum { MAX_INPUT = 4 << 10, MAX_RUNS = 24, MAX_CPUS_OF_INPUT = 3, CONTENT = 1 << 16 };

struct machine {
	uint8_t content[CONTENT];
	struct file file;
	struct block_cache *cache;
	struct physmem *mem;
	struct dump_info info;
	struct registers registers[MAX_CPUS_OF_INPUT];
	struct diag diag;
	char path[64];
};

/* Errors that hostile memory may lead to. */
static bool refused(struct error *err)
{
	if (err)
		fuzz_check(error_code(err) == ERROR_LIMIT || error_code(err) == ERROR_UNSUPPORTED);
	error_destroy(err);
	return err != NULL;
}

static void must(struct error *err)
{
	fuzz_check(!err);
}

static void add_runs(struct machine *m, struct cursor *c)
{
	uint16_t gap, length, offset;
	uint64_t pa = 0;

	for (unsigned i = 0; i < MAX_RUNS; i++) {
		if (!cur_u16(c, &gap) || !cur_u16(c, &length) || !cur_u16(c, &offset))
			return;
		/* some gaps in bytes, some in pages, a few in MiB */
		pa += gap % 4 == 0 ? gap : (uint64_t)(gap >> 4) << (gap % 16 == 15 ? 20 : 12);
		if (length > CONTENT - offset)
			length = (uint16_t)(CONTENT - offset);
		if (pa > PHYSMEM_MAX_END - CONTENT)
			return;
		must(physmem_add_file(m->mem, pa, length, &m->file, offset));
		pa += length;
	}
}

static void fill(struct machine *m, struct cursor *c)
{
	uint8_t cpus = 0;
	uint32_t known;

	if (!cur_u8(c, &cpus))
		return;
	for (unsigned i = 0; i < cpus % (MAX_CPUS_OF_INPUT + 1u); i++) {
		if (!cur_u32(c, &known))
			return;
		memset(&m->registers[i], (int)(i + 1), sizeof(m->registers[i]));
		m->registers[i].known = known & (2 * REGS_MXCSR - 1);
		m->info.num_registers = m->info.num_cpus = i + 1;
	}
	add_runs(m, c);
}

/* Every byte of a is in b, too. */
static void check_subset(struct physmem *a, struct physmem *b)
{
	struct mem_range range;
	uint8_t want[PAGE_SIZE], got[PAGE_SIZE];

	for (uint64_t pa = 0; physmem_next(a, pa, false, &range); pa = range.end) {
		for (uint64_t at = range.start; at < range.end;) {
			size_t len =
				range.end - at < PAGE_SIZE ? (size_t)(range.end - at) : PAGE_SIZE;

			fuzz_check(physmem_read(a, at, want, len) == len);
			fuzz_check(physmem_read(b, at, got, len) == len);
			fuzz_check(!memcmp(want, got, len));
			at += len;
		}
	}
}

/* General registers and selectors are kept for the first processors that have them. */
static void check_registers(const struct dump_info *want, const struct dump_info *got)
{
	for (size_t i = 0; i < got->num_registers; i++) {
		fuzz_check(i < want->num_registers);
		fuzz_check(!(got->registers[i].known &
			     ~(want->registers[i].known | REGS_CR3 | REGS_GS_BASE)));
		fuzz_check(got->registers[i].rip == want->registers[i].rip);
	}
}

static void check_back(struct machine *m, const struct format_writer *writer,
		       const struct write_memory *wanted)
{
	const struct snapshot_options options = { .format = writer->format,
						  .max_memory = FUZZ_MAX_MEMORY };
	struct snapshot *s;
	struct diag diag;

	diag_init(&diag, NULL, NULL);
	if (refused(snapshot_open(m->path, &options, &diag, &s)))
		return; /* bitmaps of far addresses pass the reader's memory */
	fuzz_check(!diag.partial);
	check_registers(&m->info, &s->info);
	if (!(writer->flags & WRITER_FILLS_HOLES)) {
		check_subset(s->mem, m->mem);
		fuzz_check(physmem_captured_bytes(s->mem) == wanted->bytes);
	}
	if (!(writer->flags & WRITER_WHOLE_PAGES))
		check_subset(m->mem, s->mem);
	snapshot_close(s);
}

static void write_one(struct machine *m, const struct format_writer *writer,
		      const struct write_memory *all)
{
	const struct output_options options = { .replace = true };
	struct output *out CLEANUP(output_cleanup) = NULL;
	struct write_memory wanted = { 0 };
	struct page_set lost = { 0 };
	struct output_result result;
	struct write_job job = {
		.mem = m->mem,
		.memory = &wanted,
		.lost = &lost,
		.info = &m->info,
		.diag = &m->diag,
		.threads = 1,
	};

	must(write_memory_filter(all, NULL, false, writer->flags & WRITER_WHOLE_PAGES, m->cache,
				 &wanted));
	must(page_set_init(&wanted, m->cache, &lost));
	must(output_create(m->path, &options, &out));
	job.out = out;
	if (wanted.bytes && !refused(writer->write(&job))) {
		fuzz_check(!lost.count);
		must(output_finish(out, &result));
		check_back(m, writer, &wanted);
	}
	page_set_deinit(&lost);
	write_memory_deinit(&wanted);
}

static void write_all(struct machine *m)
{
	struct write_memory all;

	must(write_memory_init(m->mem, m->cache, &all));
	fuzz_check(all.bytes == physmem_captured_bytes(m->mem));
	for (size_t i = 0; i < num_writers; i++)
		write_one(m, writer_registry[i], &all);
	write_memory_deinit(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct cursor c;

	if (!m || size > MAX_INPUT) {
		free(m);
		return 0;
	}
	cur_init(&c, data, size, 0);
	for (size_t i = 0; i < CONTENT; i++)
		m->content[i] = i / 0x2800 % 2 ? (uint8_t)(i * i >> 8) : 0;
	m->file = (struct file){ .fd = -1, .bytes = m->content, .size = CONTENT };
	m->info.registers = m->registers;
	snprintf(m->path, sizeof(m->path), "/dev/shm/fuzz_writers.%d", (int)getpid());
	diag_init(&m->diag, NULL, NULL);
	must(block_cache_create(0, &m->cache));
	must(physmem_create(&m->mem));
	fill(m, &c);
	must(physmem_seal(m->mem));
	write_all(m);
	unlink(m->path);
	physmem_destroy(m->mem);
	block_cache_destroy(m->cache);
	free(m);
	return 0;
}
