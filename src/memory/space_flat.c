/* SPDX-License-Identifier: MIT */
/* Spaces without page tables: physical memory itself, and the blocks of a triage dump. */
#include <stdlib.h>
#include <string.h>

#include "memory/space.h"

struct flat_space {
	struct space base;
	const struct virtmem *virt; /* NULL for physical memory */
};

static struct flat_space *flat(struct space *s)
{
	return (struct flat_space *)s;
}

static void flat_destroy(struct space *s)
{
	free(s);
}

static struct error *flat_create(const struct space_ops *ops, struct physmem *mem,
				 const struct virtmem *virt, struct space **ret)
{
	struct flat_space *f = calloc(1, sizeof(*f));

	if (!f)
		return &error_no_memory;
	f->base.ops = ops;
	f->base.mem = mem;
	f->virt = virt;
	*ret = &f->base;
	return NULL;
}

static enum va_state physical_translate(struct space *s, uint64_t va, uint64_t *pa_ret)
{
	struct page_view view;

	*pa_ret = va;
	if (!physmem_view(s->mem, va, &view, NULL))
		return VA_NOT_CAPTURED;
	page_release(&view);
	return VA_MAPPED;
}

static void physical_walk(struct space *s, uint64_t va, struct walk *ret)
{
	*ret = (struct walk){ .va = va, .has_pa = true, .page_size = PAGE_SIZE };
	ret->state = physical_translate(s, va, &ret->pa);
	ret->has_bytes = ret->state == VA_MAPPED;
}

static size_t physical_read(struct space *s, uint64_t va, void *buf, size_t len,
			    enum va_state *state)
{
	size_t page_left = PAGE_SIZE - (size_t)(va & PAGE_MASK);
	size_t got = physmem_read(s->mem, va, buf, len < page_left ? len : page_left);

	if (!got)
		*state = VA_NOT_CAPTURED;
	return got;
}

static bool physical_next(struct space *s, uint64_t va, struct va_range *ret)
{
	struct mem_range range;

	if (!physmem_next(s->mem, va, false, &range))
		return false;
	*ret = (struct va_range){ .start = range.start,
				  .last = range.end - 1,
				  .state = VA_MAPPED,
				  .has_pa = true,
				  .pa = range.start,
				  .page_size = PAGE_SIZE };
	return true;
}

static const struct space_ops physical_ops = {
	.name = "physical",
	.walk = physical_walk,
	.translate = physical_translate,
	.read = physical_read,
	.next = physical_next,
	.destroy = flat_destroy,
};

struct error *space_create_physical(struct physmem *mem, struct space **ret)
{
	return flat_create(&physical_ops, mem, NULL, ret);
}

/* Blocks have no physical addresses: *pa_ret stays as it is. */
static enum va_state virtual_translate(struct space *s, uint64_t va, uint64_t *pa_ret)
{
	const uint8_t *bytes;
	size_t len;

	(void)pa_ret;
	return virtmem_view(flat(s)->virt, va, &bytes, &len) ? VA_MAPPED : VA_NOT_CAPTURED;
}

static void virtual_walk(struct space *s, uint64_t va, struct walk *ret)
{
	*ret = (struct walk){ .va = va, .page_size = PAGE_SIZE };
	ret->state = virtual_translate(s, va, NULL);
	ret->has_bytes = ret->state == VA_MAPPED;
}

static size_t virtual_read(struct space *s, uint64_t va, void *buf, size_t len,
			   enum va_state *state)
{
	size_t part = PAGE_SIZE - (size_t)(va & PAGE_MASK), captured;
	const uint8_t *bytes;

	if (!virtmem_view(flat(s)->virt, va, &bytes, &captured)) {
		*state = VA_NOT_CAPTURED;
		return 0;
	}
	if (part > captured)
		part = captured;
	if (part > len)
		part = len;
	memcpy(buf, bytes, part);
	return part;
}

static bool virtual_next(struct space *s, uint64_t va, struct va_range *ret)
{
	struct mem_range range;

	if (!virtmem_next(flat(s)->virt, va, &range))
		return false;
	*ret = (struct va_range){ .start = range.start,
				  .last = range.end - 1,
				  .state = VA_MAPPED,
				  .page_size = PAGE_SIZE };
	return true;
}

static const struct space_ops virtual_ops = {
	.name = "virtual blocks",
	.walk = virtual_walk,
	.translate = virtual_translate,
	.read = virtual_read,
	.next = virtual_next,
	.destroy = flat_destroy,
};

struct error *space_create_virtual(const struct virtmem *mem, struct space **ret)
{
	return flat_create(&virtual_ops, NULL, mem, ret);
}
