/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/cursor.h"
#include "windows/discover/probe.h"
#include "windows/kernel/kernel_address.h"

enum {
	POOL_HEADER_SIZE = 16, /* POOL_HEADER of AMD64 kernels: the tag is its second dword */
	POOL_TAG_OFFSET = 4,
	POOL_TAG_PROTECTED = 0x80, /* in the last letter, up to Windows 8.1 */
};

/* 2000-01-01 and 2100-01-01 */
#define TIME_FIRST UINT64_C(125911584000000000)
#define TIME_LAST  UINT64_C(157469184000000000)
#define USER_END   UINT64_C(0x0100000000000000)

bool in_kernel_image(const struct probe *p, uint64_t va)
{
	return va >= p->kernel->base && va - p->kernel->base < p->kernel->size_of_image;
}

bool is_kernel_pointer(uint64_t value)
{
	return is_kernel_address(value) && !(value & 7) && value < UINT64_MAX - PAGE_SIZE;
}

bool is_user_page(uint64_t value)
{
	return value && value < USER_END && !(value & PAGE_MASK);
}

bool is_plausible_time(uint64_t filetime)
{
	return filetime >= TIME_FIRST && filetime < TIME_LAST;
}

static void mark_absent(void *arg, uint64_t va, uint64_t length, enum va_state state)
{
	struct sample *s = arg;
	uint64_t first = (va - s->va) / 8, end = (va - s->va + length + 7) / 8;

	(void)state;
	for (uint64_t i = first; i < end && i < sizeof(s->valid); i++)
		s->valid[i] = 0;
}

void sample_read(struct space *s, uint64_t va, size_t size, struct sample *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->va = va;
	ret->size = size;
	memset(ret->valid, 1, sizeof(ret->valid));
	space_read_partial(s, va, ret->bytes, size, mark_absent, ret);
}

bool sample_u64(const struct sample *s, uint32_t offset, uint64_t *ret)
{
	if (offset % 8 || offset >= s->size || s->size - offset < 8 || !s->valid[offset / 8])
		return false;
	*ret = load_u64(s->bytes + offset);
	return true;
}

bool sample_u32(const struct sample *s, uint32_t offset, uint32_t *ret)
{
	if (offset % 4 || offset >= s->size || s->size - offset < 4 || !s->valid[offset / 8])
		return false;
	*ret = load_u32(s->bytes + offset);
	return true;
}

bool pool_tag_is(struct space *s, uint64_t va, const char *tag)
{
	uint8_t found[4];

	if (!space_try_read(s, va - POOL_HEADER_SIZE + POOL_TAG_OFFSET, found, sizeof(found), NULL))
		return false;
	found[3] &= (uint8_t)~POOL_TAG_PROTECTED;
	return !memcmp(found, tag, sizeof(found));
}

bool read_ring_entry(struct space *s, uint64_t entry, uint64_t *next_ret)
{
	uint64_t next, back;

	if (!space_try_u64(s, entry, &next, NULL) || !is_kernel_pointer(next) ||
	    !space_try_u64(s, next + 8, &back, NULL) || back != entry)
		return false;
	*next_ret = next;
	return true;
}

enum verdict judge_pending(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint32_t value;

	(void)p;
	if (!sample_u32(s, offset, &value))
		return NEUTRAL;
	return value == STATUS_PENDING ? AGREES : NEUTRAL;
}

enum verdict judge_kernel_pointer(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	(void)p;
	if (!sample_u64(s, offset, &value) || !value)
		return NEUTRAL;
	return is_kernel_pointer(value) ? AGREES : DENIES;
}

bool path_names(const uint8_t *text, size_t len, const char *name)
{
	size_t at = len;

	while (at >= 2 && load_u16(text + at - 2) != '\\')
		at -= 2;
	for (size_t i = 0; name[i] && i < SAMPLE_NAME_SIZE - 2; i++)
		if (at + i * 2 + 1 >= len || load_u16(text + at + i * 2) != (uint8_t)name[i])
			return false;
	return name[0];
}
