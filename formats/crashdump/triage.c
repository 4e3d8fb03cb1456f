/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/crashdump/parts.h"

/*
 * Type 4: no pages, but TRIAGE_DUMP64 at 0x2000 that says where in the file the pieces are.
 * Source: rizin librz/bin/format/dmp/dmp_specs.h; the flags in MiniDumpFields are TRIAGE_DUMP_*
 * of the Windows driver kit.
 */
enum triage_field {
	TRIAGE_OFFSET = CRASH_HEADER_SIZE,
	TRIAGE_SERVICE_PACK_BUILD = 0x00,
	TRIAGE_SIZE_OF_DUMP = 0x04,
	TRIAGE_VALID = 0x08, /* where "TRGD" is */
	TRIAGE_MM = 0x14,
	TRIAGE_UNLOADED = 0x18,
	TRIAGE_PRCB = 0x1c,
	TRIAGE_PROCESS = 0x20,
	TRIAGE_THREAD = 0x24,
	TRIAGE_CALL_STACK = 0x28,
	TRIAGE_CALL_STACK_SIZE = 0x2c,
	TRIAGE_DRIVERS = 0x30,
	TRIAGE_NUM_DRIVERS = 0x34,
	TRIAGE_STRINGS = 0x38,
	TRIAGE_STRINGS_SIZE = 0x3c,
	TRIAGE_OPTIONS = 0x44,
	TRIAGE_TOP_OF_STACK = 0x48,	 /* u64: the lowest address captured */
	TRIAGE_DATA_PAGE_ADDRESS = 0x60, /* u64 */
	TRIAGE_DATA_PAGE = 0x68,
	TRIAGE_DATA_PAGE_SIZE = 0x6c,
	TRIAGE_DEBUGGER_DATA = 0x70,
	TRIAGE_DEBUGGER_DATA_SIZE = 0x74,
	TRIAGE_DATA_BLOCKS = 0x78,
	TRIAGE_NUM_DATA_BLOCKS = 0x7c,
	TRIAGE_HEADER_SIZE = 0x80,

	DATA_BLOCK_SIZE = 16, /* {Address u64, Offset u32, Size u32} */
};
enum triage_flag {
	HAS_PRCB = 0x0004,
	HAS_PROCESS = 0x0008,
	HAS_THREAD = 0x0010,
	HAS_STACK = 0x0020,
	HAS_DRIVER_LIST = 0x0040,
	HAS_MM_INFO = 0x0100,
	HAS_DATA_PAGE = 0x0200,
	HAS_DEBUGGER_DATA = 0x0400,
	HAS_DATA_BLOCKS = 0x0800,
};
#define TRIAGE_VALID_MARK UINT32_C(0x44475254) /* "TRGD" */

/* Every field that is the file offset of a piece: a piece without a size ends at the next one. */
static const uint8_t offset_fields[] = {
	TRIAGE_VALID,	TRIAGE_MM,	  TRIAGE_UNLOADED,	TRIAGE_PRCB,
	TRIAGE_PROCESS, TRIAGE_THREAD,	  TRIAGE_CALL_STACK,	TRIAGE_DRIVERS,
	TRIAGE_STRINGS, TRIAGE_DATA_PAGE, TRIAGE_DEBUGGER_DATA, TRIAGE_DATA_BLOCKS,
};

/* The pieces that struct dump_triage names. */
static const struct piece_row {
	const char *name;
	uint32_t flag;
	uint8_t offset_field, size_field; /* size 0: up to the next piece */
	size_t block;			  /* in struct dump_triage, of those in pieces[] */
} pieces[] = {
	{ "memory manager information", HAS_MM_INFO, TRIAGE_MM, 0,
	  offsetof(struct dump_triage, mm) },
	{ "KPRCB", HAS_PRCB, TRIAGE_PRCB, 0, offsetof(struct dump_triage, prcb) },
	{ "EPROCESS", HAS_PROCESS, TRIAGE_PROCESS, 0, offsetof(struct dump_triage, process) },
	{ "ETHREAD", HAS_THREAD, TRIAGE_THREAD, 0, offsetof(struct dump_triage, thread) },
	{ "call stack", HAS_STACK, TRIAGE_CALL_STACK, TRIAGE_CALL_STACK_SIZE,
	  offsetof(struct dump_triage, call_stack) },
};
/* The others. No flag tells of unloaded drivers; they came with the first 64-bit dumps. */
static const struct piece_row debugger_data = { "debugger data", HAS_DEBUGGER_DATA,
						TRIAGE_DEBUGGER_DATA, TRIAGE_DEBUGGER_DATA_SIZE,
						0 };
static const struct piece_row data_page = { "data page", HAS_DATA_PAGE, TRIAGE_DATA_PAGE,
					    TRIAGE_DATA_PAGE_SIZE, 0 };
static const struct piece_row drivers = { "driver list", HAS_DRIVER_LIST, TRIAGE_DRIVERS, 0, 0 };
static const struct piece_row strings = { "string pool", HAS_DRIVER_LIST, TRIAGE_STRINGS,
					  TRIAGE_STRINGS_SIZE, 0 };
static const struct piece_row unloaded = { "list of unloaded drivers", UINT32_MAX, TRIAGE_UNLOADED,
					   0, 0 };

static uint32_t triage_u32(const struct crash_dump *d, enum triage_field field)
{
	return load_u32(d->bytes + TRIAGE_OFFSET + field);
}

static uint64_t triage_u64(const struct crash_dump *d, enum triage_field field)
{
	return load_u64(d->bytes + TRIAGE_OFFSET + field);
}

/* Is this piece there? A writer that leaves MiniDumpFields unset leaves offsets of 0 instead. */
static bool has_piece(const struct crash_dump *d, uint32_t flag, enum triage_field offset_field)
{
	uint32_t offset = triage_u32(d, offset_field);

	if (d->minidump_fields && !(d->minidump_fields & flag))
		return false;
	return offset != 0 && offset != CRASH_FILLER;
}

/*
 * Cuts [offset, offset + size) to what the file has; what is missing is said. False: nothing is
 * left. A piece that begins in a header is as wrong as one behind the end.
 */
static bool clip_piece(const struct crash_dump *d, const char *name, uint64_t offset,
		       uint64_t *size)
{
	if (offset < TRIAGE_OFFSET + TRIAGE_HEADER_SIZE || offset >= d->file->size) {
		diag_partial(d->diag,
			     "triage dump: %s at 0x%" PRIx64
			     ", expected it between 0x%x and the end of the file at 0x%" PRIx64,
			     name, offset, (unsigned)(TRIAGE_OFFSET + TRIAGE_HEADER_SIZE),
			     d->file->size);
		return false;
	}
	if (*size > d->file->size - offset) {
		diag_partial(d->diag,
			     "triage dump: %s at 0x%" PRIx64 ": 0x%" PRIx64
			     " bytes, the file ends at 0x%" PRIx64,
			     name, offset, *size, d->file->size);
		*size = d->file->size - offset;
	}
	return *size != 0;
}

/* Bytes from a piece to the next one, or to the end of the file. */
static uint64_t size_to_next(const struct crash_dump *d, uint64_t offset)
{
	uint64_t next = offset < d->file->size ? d->file->size : offset;

	for (size_t i = 0; i < ARRAY_SIZE(offset_fields); i++) {
		uint64_t other = triage_u32(d, offset_fields[i]);
		if (other > offset && other < next)
			next = other;
	}
	return next - offset;
}

/* Where a piece is in the file; false if it is not. */
static bool find_piece(const struct crash_dump *d, const struct piece_row *row,
		       struct dump_block *ret)
{
	if (!has_piece(d, row->flag, row->offset_field))
		return false;
	uint64_t offset = triage_u32(d, row->offset_field);
	uint64_t size = row->size_field ? triage_u32(d, row->size_field) : size_to_next(d, offset);
	if (!clip_piece(d, row->name, offset, &size))
		return false;
	ret->file_offset = offset;
	ret->size = size;
	return true;
}

/* Adds a piece to virtual memory, at the address that the dump gives. */
static struct error *add_piece(struct crash_dump *d, const struct dump_block *block, uint64_t va)
{
	if (va == 0 || block->size - 1 > UINT64_MAX - va) {
		diag_partial(d->diag,
			     "triage dump: what is at 0x%" PRIx64
			     " of the file has the impossible address 0x%" PRIx64,
			     block->file_offset, va);
		return NULL;
	}
	return virtmem_add(d->virt, va, block->size, d->file, block->file_offset);
}

static struct error *add_pieces(struct crash_dump *d)
{
	struct dump_triage *t = d->info->triage;
	struct dump_block block = { 0 };
	struct error *err;

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		find_piece(d, &pieces[i], (struct dump_block *)((char *)t + pieces[i].block));
	if (t->call_stack.file_offset) {
		t->stack_top = triage_u64(d, TRIAGE_TOP_OF_STACK);
		t->call_stack.va = t->stack_top;
		if ((err = add_piece(d, &t->call_stack, t->stack_top)))
			return err;
	}
	if (find_piece(d, &debugger_data, &block)) {
		t->debugger_data_offset = block.file_offset;
		if ((err = add_piece(d, &block, d->info->hints.kdbg)))
			return err;
	}
	if (find_piece(d, &data_page, &block))
		return add_piece(d, &block, triage_u64(d, TRIAGE_DATA_PAGE_ADDRESS));
	return NULL;
}

/* Adds what the file has of one data block; *whole: all of it. */
static struct error *add_data_block(struct crash_dump *d, struct cursor *c, bool *whole)
{
	uint64_t va;
	uint32_t offset, size;

	if (!cur_u64(c, &va) || !cur_u32(c, &offset) || !cur_u32(c, &size))
		return cur_error(c, "triage data blocks");
	*whole = true;
	if (!size)
		return NULL;
	*whole = offset < d->file->size && size <= d->file->size - offset &&
		 size - 1 <= UINT64_MAX - va;
	if (offset >= d->file->size || size - 1 > UINT64_MAX - va)
		return NULL;
	uint64_t captured = *whole ? size : d->file->size - offset;
	return virtmem_add(d->virt, va, captured, d->file, offset);
}

static struct error *add_data_blocks(struct crash_dump *d)
{
	struct cursor c;
	struct error *err;
	uint64_t broken = 0, first_broken = 0;

	if (!has_piece(d, HAS_DATA_BLOCKS, TRIAGE_DATA_BLOCKS))
		return NULL;
	uint64_t offset = triage_u32(d, TRIAGE_DATA_BLOCKS);
	uint64_t size = (uint64_t)triage_u32(d, TRIAGE_NUM_DATA_BLOCKS) * DATA_BLOCK_SIZE;
	if (!size || !clip_piece(d, "list of data blocks", offset, &size))
		return NULL;
	uint64_t count = size / DATA_BLOCK_SIZE;
	if (count > CRASH_MAX_DATA_BLOCKS) {
		diag_partial(d->diag, "triage dump: %" PRIu64 " data blocks, the limit is %d",
			     count, CRASH_MAX_DATA_BLOCKS);
		count = CRASH_MAX_DATA_BLOCKS;
	}
	cur_init(&c, d->bytes + offset, (size_t)size, offset);
	for (uint64_t i = 0; i < count; i++) {
		bool whole = false;
		if ((err = add_data_block(d, &c, &whole)))
			return err;
		if (!whole && broken++ == 0)
			first_broken = cur_offset(&c) - DATA_BLOCK_SIZE;
	}
	if (broken)
		diag_partial(d->diag,
			     "triage dump: %" PRIu64 " of %" PRIu64
			     " data blocks are not wholly in the file, the first is named at "
			     "0x%" PRIx64,
			     broken, count, first_broken);
	return NULL;
}

static struct error *read_lists(struct crash_dump *d)
{
	struct crash_lists lists = { 0 };
	struct error *err;

	find_piece(d, &drivers, &lists.drivers);
	find_piece(d, &strings, &lists.strings);
	find_piece(d, &unloaded, &lists.unloaded);
	lists.num_drivers = triage_u32(d, TRIAGE_NUM_DRIVERS);
	if ((err = crash_read_drivers(d, &lists)))
		return err;
	return crash_read_unloaded(d, &lists);
}

/* The writer puts a mark at the end of the dump proper, last. */
static void check_mark(const struct crash_dump *d)
{
	uint32_t offset = triage_u32(d, TRIAGE_VALID), size = triage_u32(d, TRIAGE_SIZE_OF_DUMP);
	const size_t mark = sizeof(uint32_t);

	if (d->file->size < size)
		diag_partial(d->diag,
			     "triage dump: truncated at 0x%" PRIx64 ", its header names 0x%" PRIx32
			     " bytes",
			     d->file->size, size);
	else if (d->file->size < mark || offset > d->file->size - mark)
		diag_partial(d->diag,
			     "triage dump: end mark at 0x%" PRIx32 ", the file ends at 0x%" PRIx64,
			     offset, d->file->size);
	else if (load_u32(d->bytes + offset) != TRIAGE_VALID_MARK)
		diag_partial(d->diag,
			     "triage dump: 0x%" PRIx32 ": expected 'TRGD', found 0x%08" PRIx32,
			     offset, load_u32(d->bytes + offset));
}

struct error *crash_open_triage(struct crash_dump *d)
{
	struct error *err;

	if (d->file->size < TRIAGE_OFFSET + TRIAGE_HEADER_SIZE)
		return error_new(
			ERROR_CORRUPT,
			"triage header at 0x%x: truncated at 0x%" PRIx64 ", expected 0x%x bytes",
			(unsigned)TRIAGE_OFFSET, d->file->size, (unsigned)TRIAGE_HEADER_SIZE);
	/* Small, and its lists point anywhere. */
	if ((err = file_bytes(d->file, 0, d->file->size, &d->bytes)))
		return error_wrap(err, "triage dump");
	struct dump_triage *t = arena_calloc(&d->info->arena, 1, sizeof(*t));
	if (!t)
		return &error_no_memory;
	d->info->triage = t;
	t->service_pack_build = triage_u32(d, TRIAGE_SERVICE_PACK_BUILD);
	t->triage_options = triage_u32(d, TRIAGE_OPTIONS);
	check_mark(d);
	if ((err = add_pieces(d)) || (err = add_data_blocks(d)) || (err = read_lists(d)))
		return err;
	return crash_read_blobs(d, triage_u32(d, TRIAGE_SIZE_OF_DUMP));
}
