/* SPDX-License-Identifier: MIT */
#include "formats/kdump/header.h"

#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"

/* struct disk_dump_header where a long has eight bytes. */
enum {
	SIGNATURE_SIZE = 8,
	UTSNAME_FIELD = 65,
	UTSNAME_SIZE = 6 * UTSNAME_FIELD,
	UTSNAME_PADDING = 6,
	TIMESTAMP_SIZE = 16,
	HEADER_SIZE = 464,
	/* block_size where a long has four */
	BLOCK_SIZE_32 = 416,
};

enum { VERSION_MAX = 6, SPLIT_VERSION = 2, NOTES_VERSION = 4, LONG_VERSION = 6 };

/* struct kdump_sub_header, at the start of block 1. */
enum {
	SUB_SPLIT = 12,
	SUB_START = 16,
	SUB_END = 24,
	SUB_NOTES = 48,
	SUB_NOTES_SIZE = 56,
	SUB_START_64 = 80,
	SUB_END_64 = 88,
	SUB_NUM_PAGES_64 = 96,
	SUB_SIZE = 104,
};

/* Bits of `status` that say something else; in DISKDUMP files the first is bit 0. */
enum { STATUS_INCOMPLETE = 8, DISKDUMP_INCOMPLETE = 1 };

const struct kdump_codec kdump_codecs[KDUMP_NUM_CODECS] = {
	{ 0x01, CODEC_ZLIB },
	{ 0x02, CODEC_LZO },
	{ 0x04, CODEC_SNAPPY },
	{ 0x20, CODEC_ZSTD },
};

static const char *const foreign_machines[] = {
	"i386", "i486",	   "i586",  "i686", "aarch64", "arm",	  "armv7l",	 "ia64",    "ppc64",
	"ppc",	"ppc64le", "s390x", "s390", "mips64",  "riscv64", "loongarch64", "sparc64",
};

/* The words of disk_dump_header that follow its time. */
struct words {
	uint32_t status, block_size, sub_blocks, bitmap_blocks, max_mapnr, cpus;
};

static struct error *check_signature(const uint8_t *signature, bool *is_diskdump)
{
	*is_diskdump = !memcmp(signature, "DISKDUMP", SIGNATURE_SIZE);
	if (*is_diskdump || !memcmp(signature, "KDUMP   ", SIGNATURE_SIZE))
		return NULL;
	return error_new(ERROR_CORRUPT, "file offset 0: expected 'KDUMP   ' or 'DISKDUMP'");
}

static void copy_name(char ret[UTSNAME_FIELD], const uint8_t *names, unsigned index)
{
	memcpy(ret, names + index * UTSNAME_FIELD, UTSNAME_FIELD);
	ret[UTSNAME_FIELD - 1] = '\0';
}

static struct error *check_machine(const char *machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(foreign_machines); i++) {
		if (!strcmp(machine, foreign_machines[i]))
			return error_new(ERROR_UNSUPPORTED,
					 "kdump-compressed core of machine '%s': expected x86_64",
					 foreign_machines[i]);
	}
	return NULL;
}

static struct error *check_block_size(uint32_t block_size, uint32_t in_32_bit)
{
	if (block_size == KDUMP_BLOCK_SIZE)
		return NULL;
	if (__builtin_bswap32(block_size) == KDUMP_BLOCK_SIZE)
		return error_new(ERROR_UNSUPPORTED,
				 "big-endian kdump-compressed core: expected a little-endian one");
	if (in_32_bit == KDUMP_BLOCK_SIZE)
		return error_new(ERROR_UNSUPPORTED,
				 "kdump-compressed core of a 32-bit machine: expected x86_64");
	return error_new(ERROR_UNSUPPORTED,
			 "kdump-compressed core with blocks of %" PRIu32 " bytes: expected %d",
			 block_size, KDUMP_BLOCK_SIZE);
}

static struct error *read_main(const uint8_t *bytes, struct kdump_header *h, struct words *ret)
{
	char machine[UTSNAME_FIELD];
	struct words w = { 0 };
	const uint8_t *signature, *names;
	struct error *err;
	struct cursor c;

	cur_init(&c, bytes, HEADER_SIZE, 0);
	if (!cur_take(&c, SIGNATURE_SIZE, &signature) || !cur_u32(&c, &h->version) ||
	    !cur_take(&c, UTSNAME_SIZE, &names) ||
	    !cur_skip(&c, UTSNAME_PADDING + TIMESTAMP_SIZE) || !cur_u32(&c, &w.status) ||
	    !cur_u32(&c, &w.block_size) || !cur_u32(&c, &w.sub_blocks) ||
	    !cur_u32(&c, &w.bitmap_blocks) || !cur_u32(&c, &w.max_mapnr) ||
	    /* total_ram_blocks, device_blocks, written_blocks, current_cpu */
	    !cur_skip(&c, 16) || !cur_u32(&c, &w.cpus))
		return cur_error(&c, "disk_dump_header");
	copy_name(h->system, names, 0);
	copy_name(h->release, names, 2);
	copy_name(machine, names, 4);
	if ((err = check_signature(signature, &h->is_diskdump)) || (err = check_machine(machine)) ||
	    (err = check_block_size(w.block_size, load_u32(bytes + BLOCK_SIZE_32))))
		return err;
	if (h->version > VERSION_MAX)
		return error_new(ERROR_UNSUPPORTED,
				 "kdump-compressed core of header version %" PRIu32
				 ": expected at most %d",
				 h->version, VERSION_MAX);
	*ret = w;
	return NULL;
}

static void read_status(uint32_t status, struct kdump_header *h)
{
	if (h->is_diskdump) {
		h->is_incomplete = status & DISKDUMP_INCOMPLETE;
		return;
	}
	h->is_incomplete = status & STATUS_INCOMPLETE;
	for (size_t i = 0; i < ARRAY_SIZE(kdump_codecs); i++) {
		if (status & kdump_codecs[i].flag)
			h->codec = &kdump_codecs[i];
	}
}

/* What each version added; the fields behind are not there in the versions before. */
static void read_sub(const uint8_t *sub, struct kdump_header *h)
{
	bool has_long = h->version >= LONG_VERSION && load_u64(sub + SUB_NUM_PAGES_64);

	if (h->version >= NOTES_VERSION) {
		h->notes = load_u64(sub + SUB_NOTES);
		h->notes_size = load_u64(sub + SUB_NOTES_SIZE);
	}
	if (has_long)
		h->num_pages = load_u64(sub + SUB_NUM_PAGES_64);
	h->end_gfn = h->num_pages;
	if (h->version < SPLIT_VERSION || !load_u32(sub + SUB_SPLIT))
		return;
	h->is_split = true;
	h->first_gfn = load_u64(sub + (has_long ? SUB_START_64 : SUB_START));
	h->end_gfn = load_u64(sub + (has_long ? SUB_END_64 : SUB_END));
}

/* Two bitmaps where both fit: the second one counts. */
static void place_bitmap(const struct words *w, struct kdump_header *h, struct diag *diag)
{
	uint64_t blocks = w->bitmap_blocks, bits_per_block = KDUMP_BLOCK_SIZE * 8;

	h->bitmap_offset = (UINT64_C(1) + w->sub_blocks) * KDUMP_BLOCK_SIZE;
	h->descriptors = h->bitmap_offset + blocks * KDUMP_BLOCK_SIZE;
	if (h->num_pages <= blocks / 2 * bits_per_block) {
		h->bitmap_offset += blocks / 2 * KDUMP_BLOCK_SIZE;
		blocks /= 2;
	}
	if (h->num_pages <= blocks * bits_per_block)
		return;
	diag_partial(diag,
		     "header: expected bits for %" PRIu64 " pages, its bitmap of %" PRIu32
		     " blocks has %" PRIu64,
		     h->num_pages, w->bitmap_blocks, blocks * bits_per_block);
	h->num_pages = blocks * bits_per_block;
}

static struct error *check_part(struct kdump_header *h)
{
	if (h->end_gfn > h->num_pages)
		h->end_gfn = h->num_pages;
	if (h->first_gfn <= h->end_gfn)
		return NULL;
	return error_new(
		ERROR_CORRUPT,
		"part of a split dump: expected its first page frame at or below 0x%" PRIx64
		", found 0x%" PRIx64,
		h->end_gfn, h->first_gfn);
}

struct error *kdump_read_header(const struct file *file, struct kdump_header *ret,
				struct diag *diag)
{
	struct kdump_header h = { 0 };
	struct words w = { 0 };
	const uint8_t *bytes;
	struct error *err;

	if ((err = file_bytes(file, 0, HEADER_SIZE, &bytes)))
		return error_wrap(err, "disk_dump_header");
	if ((err = read_main(bytes, &h, &w)))
		return err;
	read_status(w.status, &h);
	h.num_cpus = w.cpus;
	h.num_pages = h.end_gfn = w.max_mapnr;
	if (!h.is_diskdump && w.sub_blocks) {
		if ((err = file_bytes(file, KDUMP_BLOCK_SIZE, SUB_SIZE, &bytes)))
			return error_wrap(err, "kdump_sub_header");
		read_sub(bytes, &h);
	}
	place_bitmap(&w, &h, diag);
	if ((err = check_part(&h)))
		return err;
	*ret = h;
	return NULL;
}
