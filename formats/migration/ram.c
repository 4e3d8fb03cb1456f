/* SPDX-License-Identifier: MIT */
#include "formats/migration/ram.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "codec/codec.h"

/*
 * A block's pages: groups of chunks of rows, each made when its first page is set. The first
 * num_zero pages of a chunk without rows are zero.
 */
enum {
	CHUNK_PAGES = 512,
	GROUP_CHUNKS = 512,
	VALUE_BITS = 56,
	MAX_COMPRESSED = 2 * PAGE_SIZE, /* no zlib stream of a page is as long */
	MAX_STRETCHES = 1 << 28,
};
#define GROUP_BYTES ((uint64_t)GROUP_CHUNKS * CHUNK_PAGES * PAGE_SIZE)

struct chunk {
	uint64_t *rows; /* kind << VALUE_BITS | value */
	uint32_t num_zero;
};

struct ram_group {
	struct chunk chunks[GROUP_CHUNKS];
};

/* Part of a block in physical memory, in page frames. */
struct segment {
	uint64_t first, count;
	const struct ram_block *block;
	uint64_t block_page;
};

/* Page frames [first, last] are all there. */
struct stretch {
	uint64_t first, last;
};

struct ram {
	const struct file *file;
	struct block_cache *cache;
	struct block_source inflated; /* pages that were compressed, by file offset */
	struct block_source filled;   /* pages of one byte that is not 0, by byte */
	struct decoder *decoder;      /* NULL until one is needed */
	struct ram_block blocks[RAM_MAX_BLOCKS];
	size_t num_blocks;
	struct segment *segments; /* by address once added */
	size_t num_segments, segments_capacity;
	struct stretch *stretches;
	size_t num_stretches, stretches_capacity, stretches_reserved;
};

static const uint8_t zero_page[PAGE_SIZE];

static struct error *inflate_page(void *arg, uint64_t offset, uint8_t *buf, size_t size)
{
	struct ram *ram = arg;
	struct file_view view = { 0 };
	uint8_t head[4];
	uint32_t length;
	struct error *err = file_read(ram->file, offset, head, sizeof(head));

	if (err)
		return err;
	length = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 |
		 head[3];
	if (length > MAX_COMPRESSED)
		return error_new(ERROR_CORRUPT,
				 "file offset 0x%" PRIx64
				 ": expected a compressed page of at most %d bytes, found %" PRIu32,
				 offset, MAX_COMPRESSED, length);
	err = file_view(ram->file, offset + sizeof(head), length, &view);
	if (!err)
		err = decoder_run_exact(ram->decoder, view.bytes, length, buf, size);
	file_view_release(&view);
	return error_wrap(err, "compressed page at file offset 0x%" PRIx64, offset);
}

static struct error *fill_page(void *arg, uint64_t byte, uint8_t *buf, size_t size)
{
	(void)arg;
	memset(buf, (int)byte, size);
	return NULL;
}

struct error *ram_create(const struct file *file, struct block_cache *cache, struct ram **ret)
{
	struct ram *ram = calloc(1, sizeof(*ram));

	if (!ram)
		return &error_no_memory;
	ram->file = file;
	ram->cache = cache;
	ram->inflated = (struct block_source){ .fill = inflate_page, .arg = ram };
	ram->filled = (struct block_source){ .fill = fill_page, .arg = ram };
	block_cache_join(cache, &ram->inflated);
	block_cache_join(cache, &ram->filled);
	*ret = ram;
	return NULL;
}

static uint64_t num_groups(const struct ram_block *block)
{
	return (block->length + GROUP_BYTES - 1) / GROUP_BYTES;
}

static void block_deinit(struct ram_block *block)
{
	for (uint64_t i = 0; block->groups && i < num_groups(block); i++) {
		for (size_t j = 0; block->groups[i] && j < GROUP_CHUNKS; j++)
			free(block->groups[i]->chunks[j].rows);
		free(block->groups[i]);
	}
	free(block->groups);
}

void ram_destroy(struct ram *ram)
{
	if (!ram)
		return;
	block_cache_leave(ram->cache, &ram->inflated);
	block_cache_leave(ram->cache, &ram->filled);
	decoder_destroy(ram->decoder);
	for (size_t i = 0; i < ram->num_blocks; i++)
		block_deinit(&ram->blocks[i]);
	free(ram->segments);
	free(ram->stretches);
	free(ram);
}

/* Zeroed memory that is taken off the cache's. */
static struct error *table_alloc(struct ram *ram, size_t size, void *ret)
{
	struct error *err =
		block_cache_reserve(ram->cache, size, "the table of the stream's pages");
	void *table;

	if (err)
		return err;
	table = calloc(1, size);
	if (!table)
		return &error_no_memory;
	memcpy(ret, &table, sizeof(table));
	return NULL;
}

struct error *ram_add_block(struct ram *ram, const char *name, uint64_t length, bool is_wanted,
			    struct ram_block **ret)
{
	struct ram_block *block = &ram->blocks[ram->num_blocks];

	if (ram->num_blocks == RAM_MAX_BLOCKS)
		return error_new(ERROR_LIMIT, "more than %d RAM blocks", RAM_MAX_BLOCKS);
	if (!length || length & PAGE_MASK || length > RAM_MAX_BLOCK_BYTES)
		return error_new(ERROR_CORRUPT,
				 "RAM block '%s' of 0x%" PRIx64
				 " bytes: expected whole pages, at most 0x%" PRIx64 " bytes",
				 name, length, RAM_MAX_BLOCK_BYTES);
	if (ram_find_block(ram, name))
		return error_new(ERROR_CORRUPT, "RAM block '%s' is named twice", name);
	*block = (struct ram_block){ .length = length, .is_wanted = is_wanted };
	strncpy(block->name, name, sizeof(block->name) - 1);
	ram->num_blocks++;
	*ret = block;
	return is_wanted ? table_alloc(ram, (size_t)num_groups(block) * sizeof(*block->groups),
				       &block->groups)
			 : NULL;
}

size_t ram_num_blocks(const struct ram *ram)
{
	return ram->num_blocks;
}

struct ram_block *ram_block(struct ram *ram, size_t index)
{
	return &ram->blocks[index];
}

struct ram_block *ram_find_block(struct ram *ram, const char *name)
{
	for (size_t i = 0; i < ram->num_blocks; i++) {
		if (!strcmp(ram->blocks[i].name, name))
			return &ram->blocks[i];
	}
	return NULL;
}

/* Gives a chunk rows, which say what it said without. */
static struct error *chunk_expand(struct ram *ram, struct chunk *chunk)
{
	struct error *err = table_alloc(ram, CHUNK_PAGES * sizeof(*chunk->rows), &chunk->rows);

	if (err)
		return err;
	for (uint32_t i = 0; i < chunk->num_zero; i++)
		chunk->rows[i] = (uint64_t)RAM_FILLED << VALUE_BITS;
	return NULL;
}

struct error *ram_set_page(struct ram *ram, struct ram_block *block, uint64_t offset,
			   enum ram_page_kind kind, uint64_t value)
{
	uint64_t group = offset / GROUP_BYTES, page = offset >> PAGE_SHIFT;
	uint32_t row = (uint32_t)(page % CHUNK_PAGES);
	struct chunk *chunk;
	struct error *err;

	if (offset >= block->length)
		return error_new(ERROR_CORRUPT,
				 "page at 0x%" PRIx64 " of RAM block '%s', which has 0x%" PRIx64
				 " bytes",
				 offset, block->name, block->length);
	if (!block->is_wanted)
		return NULL;
	if (kind == RAM_ZLIB && !ram->decoder && (err = decoder_create(CODEC_ZLIB, &ram->decoder)))
		return err;
	if (!block->groups[group] &&
	    (err = table_alloc(ram, sizeof(*block->groups[group]), &block->groups[group])))
		return err;
	chunk = &block->groups[group]->chunks[page / CHUNK_PAGES % GROUP_CHUNKS];
	if (!chunk->rows && kind == RAM_FILLED && !value && row <= chunk->num_zero) {
		if (row == chunk->num_zero)
			chunk->num_zero++;
		return NULL;
	}
	if (!chunk->rows && (err = chunk_expand(ram, chunk)))
		return err;
	chunk->rows[row] = (uint64_t)kind << VALUE_BITS | value;
	return NULL;
}

static enum ram_page_kind get_page(const struct ram_block *block, uint64_t page, uint64_t *value)
{
	const struct ram_group *group = block->groups[page / CHUNK_PAGES / GROUP_CHUNKS];
	const struct chunk *chunk;
	uint64_t row;

	*value = 0;
	if (!group)
		return RAM_ABSENT;
	chunk = &group->chunks[page / CHUNK_PAGES % GROUP_CHUNKS];
	if (!chunk->rows)
		return page % CHUNK_PAGES < chunk->num_zero ? RAM_FILLED : RAM_ABSENT;
	row = chunk->rows[page % CHUNK_PAGES];
	*value = row & ((UINT64_C(1) << VALUE_BITS) - 1);
	return (enum ram_page_kind)(row >> VALUE_BITS);
}

struct error *ram_place(struct ram *ram, uint64_t pa, const struct ram_block *block,
			uint64_t offset, uint64_t length)
{
	struct error *err;

	if (!length)
		return NULL;
	if (offset > block->length || length > block->length - offset || pa > PHYSMEM_MAX_END ||
	    length > PHYSMEM_MAX_END - pa || ((pa | offset | length) & PAGE_MASK))
		return error_new(ERROR_CORRUPT,
				 "0x%" PRIx64 " bytes at 0x%" PRIx64
				 " of RAM block '%s', which has 0x%" PRIx64
				 ": cannot be at physical address 0x%" PRIx64,
				 length, offset, block->name, block->length, pa);
	err = array_reserve(&ram->segments, &ram->segments_capacity, ram->num_segments + 1,
			    sizeof(*ram->segments), RAM_MAX_SEGMENTS, "parts of RAM");
	if (err)
		return err;
	ram->segments[ram->num_segments++] = (struct segment){
		.first = pa >> PAGE_SHIFT,
		.count = length >> PAGE_SHIFT,
		.block = block,
		.block_page = offset >> PAGE_SHIFT,
	};
	return NULL;
}

/* Where a page frame's page is; RAM_ABSENT where it has none. Segments are in order. */
static enum ram_page_kind find_page(const struct ram *ram, uint64_t gfn, uint64_t *value)
{
	size_t low = 0, high = ram->num_segments;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct segment *s = &ram->segments[middle];

		if (gfn < s->first)
			high = middle;
		else if (gfn - s->first >= s->count)
			low = middle + 1;
		else
			return get_page(s->block, s->block_page + (gfn - s->first), value);
	}
	return RAM_ABSENT;
}

static struct error *add_stretch(struct ram *ram, uint64_t first, uint64_t last)
{
	enum { RESERVED_AT_ONCE = 4096 };
	struct stretch *end = ram->num_stretches ? &ram->stretches[ram->num_stretches - 1] : NULL;
	struct error *err;

	if (end && end->last + 1 == first) {
		end->last = last;
		return NULL;
	}
	if (ram->num_stretches == ram->stretches_reserved) {
		err = block_cache_reserve(ram->cache, RESERVED_AT_ONCE * sizeof(*end),
					  "the table of the stream's pages");
		if (err)
			return err;
		ram->stretches_reserved += RESERVED_AT_ONCE;
	}
	err = array_reserve(&ram->stretches, &ram->stretches_capacity, ram->num_stretches + 1,
			    sizeof(*ram->stretches), MAX_STRETCHES, "stretches of pages");
	if (err)
		return err;
	ram->stretches[ram->num_stretches++] = (struct stretch){ first, last };
	return NULL;
}

/* How many pages from this one on are known at once to be absent; 0: look at it. */
static uint64_t absent_pages(const struct ram_block *block, uint64_t page)
{
	const struct ram_group *group = block->groups[page / CHUNK_PAGES / GROUP_CHUNKS];
	const struct chunk *chunk;

	if (!group)
		return GROUP_CHUNKS * CHUNK_PAGES - page % (GROUP_CHUNKS * CHUNK_PAGES);
	chunk = &group->chunks[page / CHUNK_PAGES % GROUP_CHUNKS];
	if (!chunk->rows && page % CHUNK_PAGES >= chunk->num_zero)
		return CHUNK_PAGES - page % CHUNK_PAGES;
	return 0;
}

static struct error *find_stretches(struct ram *ram, const struct segment *s)
{
	uint64_t absent, value;
	struct error *err;

	for (uint64_t i = 0; i < s->count; i += absent ? absent : 1) {
		absent = absent_pages(s->block, s->block_page + i);
		if (absent || get_page(s->block, s->block_page + i, &value) == RAM_ABSENT)
			continue;
		err = add_stretch(ram, s->first + i, s->first + i);
		if (err)
			return err;
	}
	return NULL;
}

static int compare_segments(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Sorts, and refuses what overlaps: two blocks cannot be at one address. */
static struct error *check_segments(struct ram *ram)
{
	const struct segment *s = ram->segments;

	if (!s)
		return NULL;
	qsort(ram->segments, ram->num_segments, sizeof(*s), compare_segments);
	for (size_t i = 1; i < ram->num_segments; i++) {
		if (s[i].first - s[i - 1].first < s[i - 1].count)
			return error_new(ERROR_CORRUPT,
					 "RAM blocks '%s' and '%s' are both at physical address "
					 "0x%" PRIx64,
					 s[i - 1].block->name, s[i].block->name,
					 s[i].first << PAGE_SHIFT);
	}
	return NULL;
}

/* What a page is borrowed from. */
struct pin {
	struct file_view view;
	struct block_cache *cache;
	void *inflated;
};

static void release(void *arg, void *pin)
{
	struct pin *p = pin;

	(void)arg;
	if (!p)
		return;
	file_view_release(&p->view);
	if (p->inflated)
		block_cache_release(p->cache, p->inflated);
	free(p);
}

static struct error *view_stored(struct ram *ram, uint64_t offset, const uint8_t **ret, void **pin)
{
	struct pin *p;
	struct error *err;

	if (ram->file->bytes) {
		*ret = ram->file->bytes + offset;
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	err = p ? file_view(ram->file, offset, PAGE_SIZE, &p->view) : &error_no_memory;
	if (err) {
		free(p);
		return err;
	}
	*ret = p->view.bytes;
	*pin = p;
	return NULL;
}

/* A page that the cache holds: `key` says which. */
static struct error *view_cached(struct ram *ram, const struct block_source *source, uint64_t key,
				 const uint8_t **ret, void **pin)
{
	struct pin *p = calloc(1, sizeof(*p));
	struct error *err =
		p ? block_cache_get(ram->cache, source, key, PAGE_SIZE, ret, &p->inflated)
		  : &error_no_memory;

	if (err) {
		free(p);
		return err;
	}
	p->cache = ram->cache;
	*pin = p;
	return NULL;
}

static struct error *page(void *arg, uint64_t gfn, const uint8_t **ret, void **pin)
{
	struct ram *ram = arg;
	uint64_t value;

	*ret = NULL;
	*pin = NULL;
	switch (find_page(ram, gfn, &value)) {
	case RAM_STORED:
		return view_stored(ram, value, ret, pin);
	case RAM_ZLIB:
		return view_cached(ram, &ram->inflated, value, ret, pin);
	case RAM_FILLED:
		if (value)
			return view_cached(ram, &ram->filled, value, ret, pin);
		*ret = zero_page;
		return NULL;
	case RAM_DELTA:
		return error_new(
			ERROR_UNSUPPORTED,
			"physical address 0x%" PRIx64
			": expected a page, found an XBZRLE delta at file offset 0x%" PRIx64,
			gfn << PAGE_SHIFT, value);
	case RAM_ABSENT:
		break;
	}
	return NULL;
}

static bool next(void *arg, uint64_t gfn, uint64_t *first, uint64_t *last)
{
	const struct ram *ram = arg;
	size_t low = 0, high = ram->num_stretches;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ram->stretches[middle].last < gfn)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == ram->num_stretches)
		return false;
	*first = gfn > ram->stretches[low].first ? gfn : ram->stretches[low].first;
	*last = ram->stretches[low].last;
	return true;
}

static bool file_offset(void *arg, uint64_t gfn, uint64_t *ret)
{
	const struct ram *ram = arg;

	return find_page(ram, gfn, ret) == RAM_STORED && !ram->file->is_internal;
}

static void destroy(void *arg)
{
	ram_destroy(arg);
}

struct error *ram_add_to(struct ram *ram, struct physmem *mem)
{
	static const struct page_source_ops ops = {
		.page = page,
		.release = release,
		.next = next,
		.file_offset = file_offset,
		.destroy = destroy,
	};
	struct error *err = check_segments(ram);
	uint64_t first, last;

	for (size_t i = 0; !err && i < ram->num_segments; i++)
		err = find_stretches(ram, &ram->segments[i]);
	if (err || !ram->num_stretches) {
		ram_destroy(ram);
		return err;
	}
	first = ram->stretches[0].first;
	last = ram->stretches[ram->num_stretches - 1].last;
	return physmem_add_source(mem, first, last - first + 1, &ops, ram);
}
