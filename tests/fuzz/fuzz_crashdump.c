/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "formats/registry.h"
#include "fuzz.h"

enum { MAX_INPUT = 64 << 10, MAX_RANGES = 256, MAX_CAPTURED = 64 << 20 };

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* The first and the last page of each range are there, and in the file where they are said. */
static void check_page(struct physmem *mem, const struct file *file, uint64_t pa)
{
	struct page_view view;
	uint64_t offset;

	check(physmem_view(mem, pa, &view, NULL));
	check(physmem_file_offset(mem, pa, &offset) && offset < file->size);
	check(view.begin <= (pa & PAGE_MASK) && (pa & PAGE_MASK) < view.end);
	check(view.bytes[(pa & PAGE_MASK) - view.begin] == file->bytes[offset]);
	page_release(&view);
}

static void check_pages(struct physmem *mem, const struct file *file)
{
	struct mem_range range = { 0 };
	uint64_t pa = 0;

	for (int i = 0; i < MAX_RANGES && physmem_next(mem, pa, false, &range); i++) {
		check(range.start >= pa && range.start < range.end);
		check_page(mem, file, range.start);
		check_page(mem, file, range.end - 1);
		pa = range.end;
	}
	check(physmem_captured_bytes(mem) <= MAX_CAPTURED);
}

static void check_blocks(const struct virtmem *virt, const struct file *file)
{
	struct mem_range range = { 0 };
	uint64_t va = 0, offset;
	const uint8_t *bytes;
	size_t len;

	for (int i = 0; i < MAX_RANGES && virtmem_next(virt, va, &range); i++) {
		check(virtmem_view(virt, range.start, &bytes, &len) && len > 0);
		check(virtmem_file_offset(virt, range.start, &offset));
		check(offset < file->size && len <= file->size - offset);
		check(bytes == file->bytes + offset);
		if (range.end == 0)
			break;
		va = range.end;
	}
}

static void check_block(const struct dump_block *block, const struct file *file)
{
	if (block->file_offset)
		check(block->file_offset < file->size &&
		      block->size <= file->size - block->file_offset);
}

static void check_info(const struct dump_info *info, const struct file *file)
{
	const struct dump_triage *t = info->triage;

	check(info->subtype && info->machine && info->num_cpus <= MAX_CPUS);
	for (size_t i = 0; i < info->num_blobs; i++)
		check(info->blobs[i].captured <= info->blobs[i].size &&
		      info->blobs[i].file_offset <= file->size &&
		      info->blobs[i].captured <= file->size - info->blobs[i].file_offset);
	for (size_t i = 0; i < info->num_machine_runs; i++)
		check(info->machine_runs[i].start < info->machine_runs[i].end);
	if (!t)
		return;
	check_block(&t->mm, file);
	check_block(&t->prcb, file);
	check_block(&t->process, file);
	check_block(&t->thread, file);
	check_block(&t->call_stack, file);
	for (size_t i = 0; i < t->num_modules; i++)
		check(t->modules[i].file_offset < file->size &&
		      (t->modules[i].name || !t->modules[i].path));
	for (size_t i = 0; i < t->num_unloaded; i++)
		check(t->unloaded[i].name != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file = { .fd = -1, .bytes = size ? data : NULL, .size = size };
	struct dump_info info = { 0 };
	struct block_cache *cache = NULL;
	struct physmem *mem = NULL;
	struct virtmem *virt = NULL;
	struct diag diag;
	struct error *err;

	if (size > MAX_INPUT)
		return 0;
	diag_init(&diag, NULL, NULL);
	arena_init(&info.arena, MAX_CAPTURED);
	if (!(err = block_cache_create(MAX_CAPTURED, &cache)) && !(err = physmem_create(&mem)) &&
	    !(err = virtmem_create(&virt)) &&
	    !(err = crashdump_format.open(&(struct format_input){ .file = &file,
								  .mem = mem,
								  .virt = virt,
								  .info = &info,
								  .diag = &diag,
								  .cache = cache })) &&
	    !(err = physmem_seal(mem)) && !(err = virtmem_seal(virt))) {
		check_info(&info, &file);
		check_pages(mem, &file);
		check_blocks(virt, &file);
	}
	error_destroy(err);
	physmem_destroy(mem);
	virtmem_destroy(virt);
	block_cache_destroy(cache);
	arena_deinit(&info.arena);
	return 0;
}
