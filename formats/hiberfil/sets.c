/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/cursor.h"
#include "formats/hiberfil/parts.h"

/*
 * A compression set: 32 bits {number of descriptors: 8, bytes of data: 22, method: 2}, then the
 * descriptors, 64 bits each {pages - 1: 4, first page: 60}, then the data. The next set follows at
 * once. Data as long as its pages is not compressed. Of the methods, the enum of Hibr2Bin: 0 and 1
 * XPRESS fast and best, 2 and 3 XPRESS-Huffman fast and best.
 */
enum {
	SET_HEADER = 4,
	SET_DESCRIPTOR = 8,
	SET_MAX_SIZE = SET_HEADER + HIBER_BLOCK_PAGES * SET_DESCRIPTOR,
	SET_NUM_METHODS = 4,
	SET_MIN_SIZE = SET_HEADER + SET_DESCRIPTOR + 1,
};

/* Behind damage: so many sets in a row, of pages that the machine has, are no coincidence. */
enum { CHAIN_SETS = 4, CHAIN_WINDOW = 256 << 10 };

static const uint8_t methods[SET_NUM_METHODS] = { HIBER_XPRESS, HIBER_XPRESS, HIBER_XPRESS_HUFFMAN,
						  HIBER_XPRESS_HUFFMAN };

struct set {
	struct {
		uint64_t gfn, count;
	} ranges[HIBER_BLOCK_PAGES];
	unsigned num_ranges;
	struct hiber_block block;
};

static struct error *bad_set(uint64_t offset, const char *expected, uint64_t found)
{
	return error_new(ERROR_CORRUPT,
			 "0x%" PRIx64 ": no compression set: expected %s, found %" PRIu64, offset,
			 expected, found);
}

static struct error *parse_ranges(struct cursor *c, struct set *set)
{
	for (unsigned i = 0; i < set->num_ranges; i++) {
		uint64_t at = cur_offset(c), word, count;

		if (!cur_u64(c, &word))
			return cur_error(c, "page descriptors");
		set->ranges[i].gfn = word >> 4;
		set->ranges[i].count = count = (word & 0xf) + 1;
		if (set->ranges[i].gfn > HIBER_MAX_GFN - count)
			return error_new(ERROR_CORRUPT,
					 "0x%" PRIx64 ": no compression set: page 0x%" PRIx64
					 " is above all addresses",
					 at, set->ranges[i].gfn);
		set->block.pages = (uint16_t)(set->block.pages + count);
	}
	return NULL;
}

static struct error *parse_set(struct cursor *c, uint64_t file_size, struct set *set)
{
	uint64_t offset = cur_offset(c);
	struct error *err;
	uint32_t word;

	if (!cur_u32(c, &word))
		return cur_error(c, "compression set");
	*set = (struct set){ .num_ranges = word & 0xff,
			     .block = { .size = word >> 8 & 0x3fffff,
					.method = methods[word >> 30] } };
	if (!set->num_ranges || set->num_ranges > HIBER_BLOCK_PAGES)
		return bad_set(offset, "1 to 16 page descriptors", set->num_ranges);
	if ((err = parse_ranges(c, set)))
		return err;
	set->block.offset = cur_offset(c);
	if (set->block.pages > HIBER_BLOCK_PAGES)
		return bad_set(offset, "1 to 16 pages", set->block.pages);
	if (!set->block.size || set->block.size > (uint32_t)set->block.pages << PAGE_SHIFT)
		return bad_set(offset, "1 byte of data to as many as its pages have",
			       set->block.size);
	if (set->block.size > file_size - set->block.offset)
		return error_new(ERROR_CORRUPT,
				 "0x%" PRIx64 ": truncated: compression set of %" PRIu32
				 " bytes, %" PRIu64 " bytes left",
				 offset, set->block.size, file_size - set->block.offset);
	if (set->block.size == (uint32_t)set->block.pages << PAGE_SHIFT)
		set->block.method = HIBER_STORED;
	return NULL;
}

static struct error *read_set(const struct file *file, uint64_t offset, struct set *set)
{
	uint64_t left = file->size - offset;
	uint8_t bytes[SET_MAX_SIZE];
	size_t len = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
	struct error *err = file_read(file, offset, bytes, len);
	struct cursor c;

	if (err)
		return err;
	cur_init(&c, bytes, len, offset);
	return parse_set(&c, file->size, set);
}

/* *above: pages behind the machine's last, so far. */
static struct error *add_set(struct hiber_pages *p, const struct set *set, uint64_t highest,
			     uint64_t *above)
{
	struct error *err = hiber_add_block(p, &set->block);

	for (unsigned i = 0; !err && i < set->num_ranges; i++) {
		err = hiber_add_range(p, set->ranges[i].gfn, set->ranges[i].count);
		if (set->ranges[i].gfn + set->ranges[i].count - 1 > highest)
			*above += set->ranges[i].count;
	}
	return err;
}

static bool is_chain(const struct file *file, uint64_t offset, uint64_t highest)
{
	struct set set;

	for (unsigned n = 0; n < CHAIN_SETS; n++) {
		struct error *err = read_set(file, offset, &set);

		if (err) {
			error_destroy(err);
			return false;
		}
		for (unsigned i = 0; i < set.num_ranges; i++) {
			if (set.ranges[i].gfn + set.ranges[i].count - 1 > highest)
				return false;
		}
		offset = set.block.offset + set.block.size;
	}
	return true;
}

static bool find_chain(const struct file *file, uint64_t from, uint64_t highest, uint64_t *ret)
{
	uint64_t left = file->size - from;
	size_t len = left < CHAIN_WINDOW ? (size_t)left : CHAIN_WINDOW;
	struct file_view v;
	struct error *err = file_view(file, from, len, &v);
	bool found = false;

	if (err) {
		error_destroy(err);
		return false;
	}
	for (size_t i = 0; i + SET_MIN_SIZE <= len && !found; i++) {
		const uint8_t *at = v.bytes + i;

		if (!at[0] || at[0] > HIBER_BLOCK_PAGES || load_u64(at + SET_HEADER) >> 4 > highest)
			continue;
		*ret = from + i;
		found = is_chain(file, *ret, highest);
	}
	file_view_release(&v);
	return found;
}

/* A section as it is walked. */
struct walk {
	uint64_t at, before; /* offsets of a set, and of the one before it */
	uint64_t pages;
	uint64_t lost; /* pages in what was passed over, at most */
};

/*
 * Passes over damage to the sets behind it. Not where as many pages may be lost as are left: that
 * may be the section's end, and what lies behind it be of an older hibernation.
 */
static bool pass_damage(struct hiber_pages *p, const struct hiber_section *s, struct walk *w,
			struct error **err)
{
	uint64_t found = 0;

	if (s->num_pages - w->pages <= w->lost ||
	    !find_chain(p->in->file, w->at, s->highest, &found))
		return false;
	diag_error(p->in->diag, take_ptr(*err),
		   "%s section: bytes 0x%" PRIx64 " to 0x%" PRIx64 " of the file are left out",
		   s->name, w->at, found);
	/* the set before may have said a wrong length */
	w->lost += ((found - w->before) / SET_MIN_SIZE + 1) * HIBER_BLOCK_PAGES;
	w->at = w->before = found;
	return true;
}

struct error *hiber_read_section(struct hiber_pages *p, const struct hiber_section *s)
{
	const struct file *file = p->in->file;
	struct walk w = { .at = s->first_page << PAGE_SHIFT };
	struct error *err = NULL;
	uint64_t above = 0;
	struct set set;

	if (!s->first_page && !s->num_pages)
		return NULL;
	if (!s->first_page || !s->num_pages) {
		diag_partial(p->in->diag,
			     "%s section: it is at page 0x%" PRIx64 " of the file and has %" PRIu64
			     " pages: expected both, or neither",
			     s->name, s->first_page, s->num_pages);
		return NULL;
	}
	if (s->first_page >= file->size >> PAGE_SHIFT) {
		diag_partial(p->in->diag,
			     "%s section: truncated: it is at page 0x%" PRIx64
			     " of the file, which has 0x%" PRIx64,
			     s->name, s->first_page, file->size >> PAGE_SHIFT);
		return NULL;
	}
	for (w.before = w.at; w.pages < s->num_pages;) {
		if ((err = read_set(file, w.at, &set))) {
			if (!pass_damage(p, s, &w, &err))
				break;
			continue;
		}
		if ((err = add_set(p, &set, s->highest, &above)))
			return err;
		w.pages += set.block.pages;
		w.before = w.at;
		w.at = set.block.offset + set.block.size;
	}
	if (above)
		diag_note(p->in->diag,
			  "%s section: up to %" PRIu64
			  " pages are above the machine's last, 0x%" PRIx64,
			  s->name, above, s->highest);
	if (err)
		diag_error(p->in->diag, err,
			   "%s section: %" PRIu64 " of %" PRIu64 " pages are there", s->name,
			   w.pages, s->num_pages);
	return NULL;
}
