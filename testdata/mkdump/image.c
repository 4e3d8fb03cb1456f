/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

/* Page table entries: AMD64 Architecture Programmer's Manual vol. 2, 5.3. */
enum {
	ENTRY_PRESENT = 1 << 0,
	ENTRY_WRITE = 1 << 1,
	ENTRY_USER = 1 << 2,
	ENTRY_ACCESSED = 1 << 5,
	ENTRY_DIRTY = 1 << 6,
	ENTRY_LARGE = 1 << 7,
	ENTRY_GLOBAL = 1 << 8,
	ENTRIES = 512,
	ARENA_LIMIT = 512 << 20,
};
#define ENTRY_NX   UINT64_C(0x8000000000000000)
#define ENTRY_ADDR UINT64_C(0x000ffffffffff000)

/* A header to which nothing has been said: what its writer leaves alone reads "PAGE". */
static void blank_header(uint8_t header[CRASH_HEADER_SIZE])
{
	static const struct {
		uint16_t start, end;
	} zero[] = { { 0x8, 0x3c }, { 0x40, 0x88 }, { 0x348, 0xf98 }, { 0xfa0, 0x1058 } };

	for (size_t i = 0; i < CRASH_HEADER_SIZE; i += 4)
		memcpy(header + i, "PAGE", 4);
	for (size_t i = 0; i < ARRAY_SIZE(zero); i++)
		memset(header + zero[i].start, 0, (size_t)(zero[i].end - zero[i].start));
}

struct error *image_create(struct image **ret)
{
	struct image *img = calloc(1, sizeof(*img));

	if (!img)
		return &error_no_memory;
	arena_init(&img->arena, ARENA_LIMIT);
	blank_header(img->header);
	*ret = img;
	return NULL;
}

void image_destroy(struct image *img)
{
	if (!img)
		return;
	free(img->frames);
	arena_deinit(&img->arena);
	free(img);
}

void image_cleanup(struct image **img)
{
	image_destroy(*img);
}

/* Index of the first frame that is not below gfn. */
static size_t frame_slot(const struct image *img, uint64_t gfn)
{
	size_t low = 0, high = img->num_frames;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (img->frames[mid].gfn < gfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct frame *image_frame(const struct image *img, uint64_t gfn)
{
	size_t slot = frame_slot(img, gfn);

	if (slot < img->num_frames && img->frames[slot].gfn == gfn)
		return &img->frames[slot];
	return NULL;
}

struct error *image_need_frame(struct image *img, uint64_t gfn, struct frame **ret)
{
	size_t slot = frame_slot(img, gfn);
	struct error *err;
	uint8_t *bytes;

	if (slot < img->num_frames && img->frames[slot].gfn == gfn) {
		*ret = &img->frames[slot];
		return NULL;
	}
	err = array_reserve(&img->frames, &img->cap_frames, img->num_frames + 1,
			    sizeof(*img->frames), MAX_FRAMES, "frames");
	if (err)
		return err;
	bytes = arena_alloc(&img->arena, FRAME_SIZE);
	if (!bytes)
		return &error_no_memory;
	memmove(&img->frames[slot + 1], &img->frames[slot],
		(img->num_frames - slot) * sizeof(*img->frames));
	img->frames[slot] = (struct frame){ .gfn = gfn, .bytes = bytes };
	img->num_frames++;
	*ret = &img->frames[slot];
	return NULL;
}

struct error *image_alloc(struct image *img, uint64_t *pa_ret)
{
	struct error *err;
	struct frame *frame;

	while (image_frame(img, img->next_frame / FRAME_SIZE))
		img->next_frame += FRAME_SIZE;
	if ((err = image_need_frame(img, img->next_frame / FRAME_SIZE, &frame)))
		return err;
	*pa_ret = img->next_frame;
	img->next_frame += FRAME_SIZE;
	return NULL;
}

struct vspace *image_space(struct image *img, const char *name)
{
	for (size_t i = 0; i < img->num_spaces; i++) {
		if (strcmp(img->spaces[i].name, name) == 0)
			return &img->spaces[i];
	}
	return NULL;
}

struct error *image_add_space(struct image *img, const char *name, unsigned levels,
			      unsigned self_index, const struct vspace *upper, struct vspace **ret)
{
	struct error *err;
	struct vspace *space;

	if (img->num_spaces == MAX_SPACES)
		return error_new(ERROR_LIMIT, "more than %d spaces", MAX_SPACES);
	if (image_space(img, name))
		return error_new(ERROR_USAGE, "space '%s' is there already", name);
	space = &img->spaces[img->num_spaces];
	*space = (struct vspace){ .levels = levels, .self_index = self_index, .upper = upper };
	space->name = arena_strdup(&img->arena, name);
	if (!space->name)
		return &error_no_memory;
	if ((err = image_alloc(img, &space->root)))
		return err;
	if (self_index) {
		struct frame *top = image_frame(img, space->root / FRAME_SIZE);

		store_u64(top->bytes + self_index * 8, space->root | ENTRY_PRESENT | ENTRY_WRITE |
							       ENTRY_ACCESSED | ENTRY_DIRTY |
							       ENTRY_NX);
	}
	img->num_spaces++;
	*ret = space;
	return NULL;
}

static unsigned level_index(uint64_t va, unsigned level)
{
	return (unsigned)(va >> (12 + 9 * (level - 1))) % ENTRIES;
}

static uint64_t level_span(unsigned level)
{
	return UINT64_C(1) << (12 + 9 * (level - 1));
}

/* The space whose top table holds va: the owner of a shared upper half. */
static const struct vspace *owner(const struct vspace *space, uint64_t va)
{
	return space->upper && (va >> 63) ? space->upper : space;
}

/* Sets the entry of va at level, making the tables above it. */
static struct error *set_entry(struct image *img, const struct vspace *space, uint64_t va,
			       unsigned level, uint64_t entry)
{
	uint64_t table = owner(space, va)->root;
	uint64_t link_flags = ENTRY_PRESENT | ENTRY_WRITE | ENTRY_ACCESSED | ENTRY_DIRTY;
	struct error *err;
	struct frame *frame;

	if (!(va >> 63))
		link_flags |= ENTRY_USER;
	for (unsigned l = space->levels; l > level; l--) {
		size_t at = level_index(va, l) * 8;
		uint64_t next;

		frame = image_frame(img, table / FRAME_SIZE);
		next = load_u64(frame->bytes + at);
		if (next & ENTRY_LARGE)
			return error_new(ERROR_USAGE, "0x%llx is inside a large page",
					 (unsigned long long)va);
		if (!(next & ENTRY_PRESENT)) {
			uint64_t pa;

			if ((err = image_alloc(img, &pa)))
				return err;
			next = pa | link_flags;
			/* allocation may have moved the frames */
			frame = image_frame(img, table / FRAME_SIZE);
			store_u64(frame->bytes + at, next);
		}
		table = next & ENTRY_ADDR;
	}
	frame = image_frame(img, table / FRAME_SIZE);
	store_u64(frame->bytes + level_index(va, level) * 8, entry);
	return NULL;
}

struct error *image_map(struct image *img, const struct vspace *space, uint64_t va, uint64_t pa,
			unsigned level, unsigned flags)
{
	uint64_t entry = pa | ENTRY_PRESENT | ENTRY_ACCESSED;
	struct error *err;
	struct frame *frame;

	if ((va | pa) & (level_span(level) - 1))
		return error_new(ERROR_USAGE, "0x%llx or 0x%llx is not a multiple of 0x%llx",
				 (unsigned long long)va, (unsigned long long)pa,
				 (unsigned long long)level_span(level));
	if (level > 1)
		entry |= ENTRY_LARGE;
	if (flags & MAP_WRITE)
		entry |= ENTRY_WRITE | ENTRY_DIRTY;
	if (flags & MAP_USER)
		entry |= ENTRY_USER;
	if (flags & MAP_GLOBAL)
		entry |= ENTRY_GLOBAL;
	if (!(flags & MAP_EXEC))
		entry |= ENTRY_NX;
	if ((err = set_entry(img, space, va, level, entry)))
		return err;
	/* Of large pages only those frames are captured that something is written to. */
	if (level > 1 || (flags & MAP_ABSENT))
		return NULL;
	if ((err = image_need_frame(img, pa / FRAME_SIZE, &frame)))
		return err;
	if (flags & MAP_USER)
		frame->user = true;
	else
		frame->kernel = true;
	return NULL;
}

struct error *image_set_pte(struct image *img, const struct vspace *space, uint64_t va,
			    uint64_t entry)
{
	return set_entry(img, space, va, 1, entry);
}

struct error *image_share_upper(struct image *img)
{
	for (size_t i = 0; i < img->num_spaces; i++) {
		const struct vspace *space = &img->spaces[i];
		const struct frame *from, *to;

		if (!space->upper)
			continue;
		if (space->levels != space->upper->levels)
			return error_new(ERROR_USAGE, "'%s' and '%s' have different levels",
					 space->name, space->upper->name);
		from = image_frame(img, space->upper->root / FRAME_SIZE);
		to = image_frame(img, space->root / FRAME_SIZE);
		for (unsigned e = ENTRIES / 2; e < ENTRIES; e++) {
			if (e != space->upper->self_index && e != space->self_index)
				memcpy(to->bytes + e * 8, from->bytes + e * 8, 8);
		}
	}
	return NULL;
}

bool image_translate(const struct image *img, const struct vspace *space, uint64_t va,
		     uint64_t *pa_ret)
{
	uint64_t table;

	if (!space) {
		*pa_ret = va;
		return true;
	}
	table = owner(space, va)->root;
	for (unsigned level = space->levels; level; level--) {
		const struct frame *frame = image_frame(img, table / FRAME_SIZE);
		uint64_t entry;

		if (!frame)
			return false;
		entry = load_u64(frame->bytes + level_index(va, level) * 8);
		if (!(entry & ENTRY_PRESENT))
			return false;
		table = entry & ENTRY_ADDR;
		if (level == 1 || (level < 4 && (entry & ENTRY_LARGE))) {
			uint64_t mask = level_span(level) - 1;

			*pa_ret = (table & ~mask) | (va & mask);
			return true;
		}
	}
	return false;
}

struct error *image_write(struct image *img, const struct vspace *space, uint64_t va,
			  const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	while (len) {
		size_t at = va % FRAME_SIZE;
		size_t n = FRAME_SIZE - at < len ? FRAME_SIZE - at : len;
		struct error *err;
		struct frame *frame;
		uint64_t pa;

		if (!image_translate(img, space, va, &pa))
			return error_fault(va, "0x%llx is not mapped in '%s'",
					   (unsigned long long)va, space->name);
		if ((err = image_need_frame(img, pa / FRAME_SIZE, &frame)))
			return err;
		memcpy(frame->bytes + at, from, n);
		from += n;
		va += n;
		len -= n;
	}
	return NULL;
}

struct error *image_read(const struct image *img, const struct vspace *space, uint64_t va,
			 void *buf, size_t len)
{
	uint8_t *to = buf;

	while (len) {
		size_t at = va % FRAME_SIZE;
		size_t n = FRAME_SIZE - at < len ? FRAME_SIZE - at : len;
		const struct frame *frame;
		uint64_t pa;

		if (!image_translate(img, space, va, &pa) ||
		    !(frame = image_frame(img, pa / FRAME_SIZE)))
			return error_fault(va, "0x%llx is not there", (unsigned long long)va);
		memcpy(to, frame->bytes + at, n);
		to += n;
		va += n;
		len -= n;
	}
	return NULL;
}
