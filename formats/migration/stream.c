/* SPDX-License-Identifier: MIT */
#include "formats/migration/stream.h"

#include <inttypes.h>
#include <string.h>

enum {
	VERSION = 3,
	FOOTER_SIZE = 5,
	MAX_MACHINE = STREAM_NAME_SIZE - 1,
	MAX_CAPABILITIES = 256,
	PAGE_BITS = 12,
	/* How far the end of a section is looked for that only its writer can read. */
	MAX_UNKNOWN_SECTION = 64 << 20,
};

static struct error *read_u8(struct file_reader *r, uint8_t *ret)
{
	const uint8_t *byte;
	struct error *err = file_reader_take(r, 1, &byte);

	if (!err)
		*ret = *byte;
	return err;
}

static struct error *read_u32(struct file_reader *r, uint32_t *ret)
{
	uint64_t value;
	struct error *err = file_reader_big_endian(r, 4, &value);

	if (!err)
		*ret = (uint32_t)value;
	return err;
}

/* A length byte and as many characters. */
static struct error *read_name(struct file_reader *r, char ret[STREAM_NAME_SIZE])
{
	const uint8_t *text;
	uint8_t length;
	struct error *err;

	if ((err = read_u8(r, &length)) || (err = file_reader_take(r, length, &text)))
		return err;
	memcpy(ret, text, length);
	ret[length] = '\0';
	return NULL;
}

struct error *stream_read_section(struct file_reader *r, uint8_t type,
				  struct stream_section_header *ret)
{
	struct error *err = read_u32(r, &ret->id);

	if (err || (type != STREAM_START && type != STREAM_FULL))
		return err;
	if ((err = read_name(r, ret->name)) || (err = read_u32(r, &ret->instance)))
		return err;
	return read_u32(r, &ret->version);
}

struct error *stream_read_header(struct stream *s)
{
	uint64_t offset = s->reader.pos;
	const uint8_t *magic;
	uint32_t version;
	struct error *err;

	if ((err = file_reader_take(&s->reader, 4, &magic)))
		return err;
	if (memcmp(magic, "QEVM", 4))
		return error_new(ERROR_CORRUPT,
				 "file offset 0x%" PRIx64 ": expected QEMU's magic 'QEVM'", offset);
	if ((err = read_u32(&s->reader, &version)))
		return err;
	if (version != VERSION)
		return error_new(ERROR_UNSUPPORTED,
				 "migration stream of version %" PRIu32 ": expected %d", version,
				 VERSION);
	return NULL;
}

/* Capabilities that change what the stream holds. */
static struct error *read_capabilities(struct stream *s)
{
	static const char ignore_shared[] = "x-ignore-shared", mapped[] = "mapped-ram";
	char name[STREAM_NAME_SIZE];
	uint32_t count;
	struct error *err = read_u32(&s->reader, &count);

	if (!err && count > MAX_CAPABILITIES)
		return error_new(ERROR_LIMIT, "%" PRIu32 " capabilities: expected at most %d",
				 count, MAX_CAPABILITIES);
	for (uint32_t i = 0; !err && i < count; i++) {
		err = read_name(&s->reader, name);
		if (err)
			break;
		s->is_mapped |= !strcmp(name, mapped);
		if (!strcmp(name, ignore_shared))
			err = error_new(ERROR_UNSUPPORTED,
					"migration stream with '%s': memory is in other files",
					name);
	}
	return err;
}

static struct error *read_page_bits(struct stream *s)
{
	uint32_t bits;
	struct error *err = read_u32(&s->reader, &bits);

	if (!err && bits != PAGE_BITS)
		return error_new(ERROR_UNSUPPORTED,
				 "migration stream with pages of 2^%" PRIu32
				 " bytes: expected 2^%d",
				 bits, PAGE_BITS);
	return err;
}

static struct error *skip_uuid(struct stream *s)
{
	return file_reader_skip(&s->reader, 16);
}

/* The machine's type, and subsections whose lengths only their names tell. */
static struct error *read_configuration(struct stream *s)
{
	static const struct {
		const char *name;
		struct error *(*read)(struct stream *s);
	} rows[] = {
		{ "configuration/target-page-bits", read_page_bits },
		{ "configuration/capabilities", read_capabilities },
		{ "configuration/uuid", skip_uuid },
	};
	const uint8_t *text;
	char name[STREAM_NAME_SIZE];
	uint32_t length, version;
	uint8_t type;
	struct error *err = read_u32(&s->reader, &length);

	if (!err && length > MAX_MACHINE)
		return error_new(ERROR_LIMIT,
				 "machine type of %" PRIu32 " characters: expected at most %d",
				 length, MAX_MACHINE);
	if (err || (err = file_reader_take(&s->reader, length, &text)))
		return err;
	memcpy(s->machine, text, length);
	s->machine[length] = '\0';
	for (;;) {
		size_t i = 0;

		if ((err = read_u8(&s->reader, &type)))
			return err;
		if (type != STREAM_SUBSECTION) {
			s->reader.pos--;
			return NULL;
		}
		if ((err = read_name(&s->reader, name)) || (err = read_u32(&s->reader, &version)))
			return err;
		while (i < ARRAY_SIZE(rows) && strcmp(rows[i].name, name))
			i++;
		if (i == ARRAY_SIZE(rows))
			return error_new(ERROR_UNSUPPORTED, "subsection '%s' is not known", name);
		if ((err = rows[i].read(s)))
			return err;
	}
}

/* A section that only its writer can read: to its footer, which repeats its id. */
static struct error *skip_unknown(struct stream *s, const struct stream_section_header *section)
{
	const uint8_t footer[FOOTER_SIZE] = { STREAM_FOOTER, (uint8_t)(section->id >> 24),
					      (uint8_t)(section->id >> 16),
					      (uint8_t)(section->id >> 8), (uint8_t)section->id };
	uint64_t start = s->reader.pos, left;
	const uint8_t *bytes, *found;
	struct error *err;

	while (s->reader.pos - start < MAX_UNKNOWN_SECTION) {
		left = file_reader_left(&s->reader);
		size_t piece = left < FILE_READER_MAX_PIECE ? (size_t)left : FILE_READER_MAX_PIECE;

		if (piece < FOOTER_SIZE)
			break;
		if ((err = file_reader_take(&s->reader, piece, &bytes)))
			return err;
		found = memmem(bytes, piece, footer, FOOTER_SIZE);
		if (found) {
			s->reader.pos -= piece - (size_t)(found - bytes);
			return NULL;
		}
		s->reader.pos -= FOOTER_SIZE - 1;
	}
	return error_new(ERROR_CORRUPT,
			 "section %" PRIu32 " at file offset 0x%" PRIx64
			 ": expected its footer within 0x%x bytes",
			 section->id, start, MAX_UNKNOWN_SECTION);
}

struct error *stream_read_footer(struct file_reader *r, uint32_t id)
{
	uint64_t offset = r->pos;
	uint32_t found;
	uint8_t type;
	struct error *err;

	if ((err = read_u8(r, &type)) || (err = read_u32(r, &found)))
		return err;
	return type == STREAM_FOOTER && found == id
		       ? NULL
		       : error_new(ERROR_CORRUPT,
				   "file offset 0x%" PRIx64
				   ": expected the footer of section %" PRIu32
				   ", found type 0x%x of section %" PRIu32,
				   offset, id, type, found);
}

static struct error *skip_footer(struct stream *s, uint32_t id)
{
	uint8_t type;
	struct error *err = read_u8(&s->reader, &type);

	if (err)
		return err;
	s->reader.pos--;
	if (!s->has_footers && type != STREAM_FOOTER)
		return NULL;
	s->has_footers = true;
	return stream_read_footer(&s->reader, id);
}

static struct error *skip_command(struct stream *s)
{
	uint64_t command, length;
	struct error *err;

	if ((err = file_reader_big_endian(&s->reader, 2, &command)) ||
	    (err = file_reader_big_endian(&s->reader, 2, &length)))
		return err;
	return file_reader_skip(&s->reader, length);
}

/* What RAM's sections leave to the next one. */
struct ram_reader {
	struct ram_block *block; /* of the page before; NULL: none yet */
	uint64_t deltas;
	bool has_blocks;
};

/* Header of a record in RAM's sections: an offset in a block, and in the bits below a page: */
enum record_flag {
	RECORD_ZERO = 0x02,	/* the byte that fills the page */
	RECORD_MEM_SIZE = 0x04, /* names and lengths of the blocks; the offset is their sum */
	RECORD_PAGE = 0x08,
	RECORD_EOS = 0x10,	/* the section ends */
	RECORD_CONTINUE = 0x20, /* of the block before; else its name follows */
	RECORD_XBZRLE = 0x40,
	RECORD_HOOK = 0x80, /* RDMA */
	RECORD_COMPRESSED = 0x100,
	RECORD_MULTIFD_FLUSH = 0x200, /* nothing follows */
};

/* The pages of a word of a mapped block's bitmap: in the file where bits are set, else zero. Those
 * that the file is too short for are absent. */
static struct error *set_mapped_pages(struct stream *s, struct ram_block *block, uint64_t first,
				      uint64_t bits, uint64_t pages)
{
	uint64_t room = s->reader.file->size - pages;
	struct error *err = NULL;

	for (uint64_t i = 0; !err && i < 64; i++, bits >>= 1) {
		uint64_t offset = (first + i) << PAGE_SHIFT;

		if (offset >= block->length)
			break;
		if (!(bits & 1))
			err = ram_set_page(s->ram, block, offset, RAM_FILLED, 0);
		else if (offset + PAGE_SIZE <= room)
			err = ram_set_page(s->ram, block, offset, RAM_STORED, pages + offset);
	}
	return err;
}

/* Capability mapped-ram (QEMU docs/devel/migration/mapped-ram.rst): after a block's name its pages
 * have places of their own in the file, and the stream goes on behind them. */
static struct error *read_mapped_block(struct stream *s, struct ram_block *block)
{
	enum { VERSION_SIZE = 4, MAPPED_VERSION = 1, BITS = 64 };
	struct file_reader *r = &s->reader;
	uint64_t version, page_size, bitmap, pages, bits;
	struct error *err;

	if ((err = file_reader_big_endian(r, VERSION_SIZE, &version)) ||
	    (err = file_reader_big_endian(r, 8, &page_size)) ||
	    (err = file_reader_big_endian(r, 8, &bitmap)) ||
	    (err = file_reader_big_endian(r, 8, &pages)))
		return err;
	if (version != MAPPED_VERSION || page_size != PAGE_SIZE)
		return error_new(ERROR_UNSUPPORTED,
				 "RAM block '%s' is mapped by version %" PRIu64
				 " in pages of 0x%" PRIx64 " bytes: expected %d and 0x%x",
				 block->name, version, page_size, MAPPED_VERSION, PAGE_SIZE);
	if (pages > r->file->size || bitmap < r->pos || bitmap > pages ||
	    block->length / PAGE_SIZE / 8 > pages - bitmap)
		return error_new(ERROR_CORRUPT,
				 "RAM block '%s': bitmap at 0x%" PRIx64 ", 0x%" PRIx64
				 " bytes at file offset 0x%" PRIx64 ": the file has 0x%" PRIx64,
				 block->name, bitmap, block->length, pages, r->file->size);
	r->pos = bitmap;
	for (uint64_t page = 0; block->is_wanted && page < block->length >> PAGE_SHIFT;
	     page += BITS) {
		if ((err = file_reader_little_endian(r, sizeof(bits), &bits)) ||
		    (err = set_mapped_pages(s, block, page, bits, pages)))
			return err;
	}
	r->pos = pages;
	return file_reader_skip(r, block->length);
}

static struct error *read_blocks(struct stream *s, struct ram_reader *r, uint64_t total)
{
	char name[STREAM_NAME_SIZE];
	struct ram_block *block;
	uint64_t length;
	struct error *err;

	if (r->has_blocks)
		return error_new(ERROR_CORRUPT, "a second list of RAM blocks");
	while (total) {
		if ((err = read_name(&s->reader, name)) ||
		    (err = file_reader_big_endian(&s->reader, 8, &length)))
			return err;
		if (length > total)
			return error_new(ERROR_CORRUPT,
					 "RAM block '%s' of 0x%" PRIx64
					 " bytes: expected at most 0x%" PRIx64,
					 name, length, total);
		if ((err = ram_add_block(s->ram, name, length, s->is_wanted(name), &block)))
			return err;
		r->block = s->is_mapped ? block : NULL;
		if (s->is_mapped && (err = read_mapped_block(s, block)))
			return err;
		total -= length;
	}
	r->has_blocks = true;
	return NULL;
}

static struct error *read_block_of_page(struct stream *s, struct ram_reader *r, uint32_t flags)
{
	char name[STREAM_NAME_SIZE];
	struct error *err;

	if (flags & RECORD_CONTINUE) {
		if (!r->block)
			return error_new(ERROR_CORRUPT, "a page of no RAM block");
		return NULL;
	}
	if ((err = read_name(&s->reader, name)))
		return err;
	r->block = ram_find_block(s->ram, name);
	if (!r->block)
		return error_new(ERROR_CORRUPT, "a page of RAM block '%s', which is not listed",
				 name);
	return NULL;
}

/* Moves past a page's data; where it is in *value. */
static struct error *read_page_data(struct stream *s, struct ram_reader *r, uint32_t flags,
				    enum ram_page_kind *kind, uint64_t *value)
{
	struct file_reader *reader = &s->reader;
	uint64_t length;
	struct error *err;

	*value = reader->pos;
	switch (flags) {
	case RECORD_ZERO:
		*kind = RAM_FILLED;
		return file_reader_big_endian(reader, 1, value);
	case RECORD_PAGE:
		*kind = RAM_STORED;
		return file_reader_skip(reader, PAGE_SIZE);
	case RECORD_COMPRESSED:
		*kind = RAM_ZLIB;
		err = file_reader_big_endian(reader, 4, &length);
		return err ? err : file_reader_skip(reader, length);
	case RECORD_XBZRLE: /* a byte of flags, the length */
		*kind = RAM_DELTA;
		r->deltas++;
		if ((err = file_reader_skip(reader, 1)) ||
		    (err = file_reader_big_endian(reader, 2, &length)))
			return err;
		return file_reader_skip(reader, length);
	default:
		return error_new(ERROR_CORRUPT, "record with flags 0x%" PRIx32 " is not known",
				 flags);
	}
}

static struct error *read_record(struct stream *s, struct ram_reader *r, bool *is_end)
{
	uint64_t header, offset, value;
	uint32_t flags;
	enum ram_page_kind kind = RAM_ABSENT;
	struct error *err = file_reader_big_endian(&s->reader, 8, &header);

	if (err)
		return err;
	offset = header & ~(uint64_t)PAGE_MASK;
	flags = header & PAGE_MASK;
	*is_end = flags == RECORD_EOS;
	if (flags == RECORD_EOS || flags == RECORD_MULTIFD_FLUSH)
		return NULL;
	if (flags == RECORD_MEM_SIZE)
		return read_blocks(s, r, offset);
	if (flags == RECORD_HOOK)
		return error_new(ERROR_UNSUPPORTED,
				 "stream of a migration by RDMA: its pages are not in the file");
	if ((err = read_block_of_page(s, r, flags)) ||
	    (err = read_page_data(s, r, flags & ~(uint32_t)RECORD_CONTINUE, &kind, &value)))
		return err;
	return ram_set_page(s->ram, r->block, offset, kind, value);
}

static struct error *read_ram(struct stream *s, struct ram_reader *r)
{
	bool is_end = false;
	uint64_t offset = 0;
	struct error *err = NULL;

	while (!err && !is_end) {
		offset = s->reader.pos;
		err = read_record(s, r, &is_end);
	}
	return error_wrap(err, "RAM record at file offset 0x%" PRIx64, offset);
}

/* One section; *is_last when no more of memory can follow. */
static struct error *read_one(struct stream *s, struct ram_reader *ram, uint32_t *ram_id,
			      bool *is_last)
{
	struct stream_section_header section = { 0 };
	uint64_t offset = s->reader.pos;
	uint8_t type;
	struct error *err = read_u8(&s->reader, &type);

	if (err)
		return err;
	switch (type) {
	case STREAM_EOF:
		*is_last = true;
		return NULL;
	case STREAM_CONFIGURATION:
		return read_configuration(s);
	case STREAM_COMMAND:
		return skip_command(s);
	case STREAM_FULL:
		*is_last = s->is_complete;
		break;
	case STREAM_START:
	case STREAM_PART:
	case STREAM_END:
		break;
	default:
		return error_new(ERROR_CORRUPT,
				 "file offset 0x%" PRIx64 ": expected a section, found type 0x%x",
				 offset, type);
	}
	if (*is_last) {
		s->devices = offset;
		return NULL;
	}
	if ((err = stream_read_section(&s->reader, type, &section)))
		return err;
	if (type == STREAM_START && !strcmp(section.name, "ram"))
		*ram_id = section.id;
	err = section.id == *ram_id && type != STREAM_FULL ? read_ram(s, ram)
							   : skip_unknown(s, &section);
	if (!err && section.id == *ram_id && type == STREAM_END)
		s->is_complete = true;
	return err ? err : skip_footer(s, section.id);
}

struct error *stream_read_memory(struct stream *s)
{
	struct ram_reader ram = { 0 };
	uint32_t ram_id = UINT32_MAX;
	bool is_last = false;
	struct error *err = NULL;

	while (!err && !is_last)
		err = read_one(s, &ram, &ram_id, &is_last);
	/* What was read before the stream breaks off is memory all the same. */
	if (err && ram.block && error_code(err) == ERROR_CORRUPT) {
		diag_error(s->diag, err, "pages after that are missing");
		err = NULL;
	} else if (!err && !s->is_complete) {
		diag_partial(s->diag, "the stream has no last section of RAM: pages may be missing "
				      "or older than others");
	}
	if (is_last && !s->devices)
		diag_note(s->diag, "the stream has no devices: no registers");
	if (!err && ram.deltas)
		diag_partial(s->diag,
			     "%" PRIu64 " pages were sent as XBZRLE deltas: unless sent "
			     "again later they cannot be read",
			     ram.deltas);
	return err;
}
