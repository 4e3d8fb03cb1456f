/* SPDX-License-Identifier: MIT */
#include "windows/symbols/pdb/dbi.h"

#include <stdlib.h>

#include "base/cursor.h"

enum {
	DBI_VERSION_70 = 19990903,
	DBI_HEADER_SIZE = 64,
	NUM_SUBSTREAMS = 7, /* after the header; the last one lists further streams */
	NO_STREAM = 0xffff,
	SECTION_HEADER_SIZE = 40,
	SECTION_RVA = 12, /* in a section header */
	OMAP_ENTRY_SIZE = 8,
};

/* Index in the list of further streams. */
enum { DEBUG_OMAP_FROM_SOURCE = 4, DEBUG_SECTIONS = 5, DEBUG_ORIGINAL_SECTIONS = 10, NUM_DEBUG };

struct header {
	uint32_t signature, version, age;
	uint16_t symbols, machine;
	uint32_t debug_offset, debug_size; /* of the list of further streams */
};

/* The sizes of the substreams lie in the header with other things between them. */
static bool read_sizes(struct cursor *c, uint32_t ret[NUM_SUBSTREAMS])
{
	uint32_t type_server_index;

	/* modules, contributions, section map, files, type servers; further streams, names of
	 * edit and continue, which come in the other order */
	for (unsigned i = 0; i < 5; i++)
		if (!cur_u32(c, &ret[i]))
			return false;
	return cur_u32(c, &type_server_index) && cur_u32(c, &ret[6]) && cur_u32(c, &ret[5]);
}

static struct error *read_header(const struct msf_stream *stream, struct header *ret)
{
	uint8_t bytes[DBI_HEADER_SIZE];
	uint32_t sizes[NUM_SUBSTREAMS];
	uint64_t offset = DBI_HEADER_SIZE;
	uint16_t skipped;
	struct cursor c;

	if (!msf_copy(stream, 0, sizeof(bytes), bytes))
		return error_new(ERROR_CORRUPT, "DBI stream: %u bytes; the header has %d",
				 stream->size, DBI_HEADER_SIZE);
	cur_init(&c, bytes, sizeof(bytes), 0);
	/* between these: stream of globals, build; of publics, DLL version; its build */
	if (!cur_u32(&c, &ret->signature) || !cur_u32(&c, &ret->version) ||
	    !cur_u32(&c, &ret->age) || !cur_skip(&c, 8) || !cur_u16(&c, &ret->symbols) ||
	    !cur_u16(&c, &skipped) || !read_sizes(&c, sizes) || !cur_skip(&c, 2) ||
	    !cur_u16(&c, &ret->machine))
		return cur_error(&c, "DBI stream");
	if (ret->signature != UINT32_MAX || ret->version != DBI_VERSION_70)
		return error_new(ERROR_UNSUPPORTED, "DBI stream: version %u; expected %u",
				 ret->version, DBI_VERSION_70);
	for (unsigned i = 0; i < NUM_SUBSTREAMS - 1; i++)
		offset += sizes[i];
	ret->debug_size = sizes[NUM_SUBSTREAMS - 1];
	if (offset + ret->debug_size > stream->size)
		return error_new(ERROR_CORRUPT,
				 "DBI stream: its parts take 0x%llx bytes; the stream has 0x%x",
				 (unsigned long long)(offset + ret->debug_size), stream->size);
	ret->debug_offset = (uint32_t)offset;
	return NULL;
}

/* A further stream; one of 0 bytes if there is none. */
static struct error *open_debug_stream(const struct msf *msf, const struct msf_stream *dbi,
				       const struct header *header, unsigned index,
				       const char *what, struct msf_stream *ret)
{
	uint8_t bytes[2];

	*ret = (struct msf_stream){ .msf = msf };
	if (2 * index + 2 > header->debug_size ||
	    !msf_copy(dbi, header->debug_offset + 2 * index, sizeof(bytes), bytes) ||
	    load_u16(bytes) == NO_STREAM)
		return NULL;
	return msf_open_stream(msf, load_u16(bytes), what, ret);
}

static struct error *read_sections(struct pdb_dbi *dbi, const struct msf_stream *stream)
{
	uint32_t count = stream->size / SECTION_HEADER_SIZE;
	uint8_t bytes[4];

	if (count > PDB_MAX_SECTIONS)
		return error_new(ERROR_LIMIT, "section headers: %u, the limit is %d", count,
				 PDB_MAX_SECTIONS);
	dbi->sections = calloc(count ? count : 1, sizeof(*dbi->sections));
	if (!dbi->sections)
		return &error_no_memory;
	dbi->num_sections = count;
	for (uint32_t i = 0; i < count; i++) {
		if (!msf_copy(stream, i * SECTION_HEADER_SIZE + SECTION_RVA, 4, bytes))
			return error_new(ERROR_CORRUPT, "section headers: truncated");
		dbi->sections[i] = load_u32(bytes);
	}
	return NULL;
}

static uint32_t omap_entry(const struct msf_stream *omap, uint32_t index, uint32_t *to)
{
	uint8_t bytes[OMAP_ENTRY_SIZE] = { 0 };

	if (!msf_copy(omap, index * OMAP_ENTRY_SIZE, sizeof(bytes), bytes))
		return 0;
	*to = load_u32(bytes + 4);
	return load_u32(bytes);
}

static struct error *check_omap(const struct msf_stream *omap)
{
	uint32_t last = 0, to;

	for (uint32_t i = 0; i < omap->size / OMAP_ENTRY_SIZE; i++) {
		uint32_t from = omap_entry(omap, i, &to);

		if (from < last)
			return error_new(ERROR_CORRUPT,
					 "OMAP: entry %u is for 0x%x, the one before for 0x%x", i,
					 from, last);
		last = from;
	}
	return NULL;
}

/* An image whose code was rearranged after linking has both kinds of section headers; symbols
 * count by the original ones. */
static struct error *open_streams(struct pdb_dbi *dbi, const struct msf *msf,
				  const struct msf_stream *stream, const struct header *header)
{
	struct msf_stream sections, original;
	struct error *err;

	dbi->symbols = (struct msf_stream){ .msf = msf };
	if (header->symbols != NO_STREAM &&
	    (err = msf_open_stream(msf, header->symbols, "symbol records", &dbi->symbols)))
		return err;
	if ((err = open_debug_stream(msf, stream, header, DEBUG_SECTIONS, "section headers",
				     &sections)) ||
	    (err = open_debug_stream(msf, stream, header, DEBUG_ORIGINAL_SECTIONS,
				     "original section headers", &original)) ||
	    (err = open_debug_stream(msf, stream, header, DEBUG_OMAP_FROM_SOURCE, "OMAP",
				     &dbi->omap)))
		return err;
	if ((err = check_omap(&dbi->omap)))
		return err;
	return read_sections(dbi, original.size ? &original : &sections);
}

struct error *pdb_dbi_init(struct pdb_dbi *ret, const struct msf *msf,
			   const struct msf_stream *stream)
{
	struct header header;
	struct error *err;

	*ret = (struct pdb_dbi){ 0 };
	if ((err = read_header(stream, &header)))
		return err;
	ret->age = header.age;
	ret->machine = header.machine;
	if ((err = open_streams(ret, msf, stream, &header)))
		pdb_dbi_deinit(ret);
	return err;
}

void pdb_dbi_deinit(struct pdb_dbi *dbi)
{
	free(dbi->sections);
	*dbi = (struct pdb_dbi){ 0 };
}

/* The last entry at or below the RVA says where its stretch went; 0: nowhere. */
static bool follow_omap(const struct msf_stream *omap, uint32_t rva, uint64_t *ret)
{
	uint32_t low = 0, high = omap->size / OMAP_ENTRY_SIZE, from, to = 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (omap_entry(omap, middle, &to) <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	from = omap_entry(omap, low - 1, &to);
	*ret = (uint64_t)to + (rva - from);
	return to != 0;
}

bool pdb_dbi_rva(const struct pdb_dbi *dbi, uint16_t section, uint32_t offset, uint64_t *ret)
{
	uint32_t rva;

	if (section == 0 || section > dbi->num_sections ||
	    __builtin_add_overflow(dbi->sections[section - 1], offset, &rva))
		return false;
	if (dbi->omap.size)
		return follow_omap(&dbi->omap, rva, ret);
	*ret = rva;
	return true;
}
