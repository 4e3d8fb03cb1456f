/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "windows/list.h"
#include "windows/modules/module.h"
#include "windows/stack/private.h"

enum { MAX_IMAGES = 1 << 16, MAX_IMAGE_SIZE = 1 << 30 };

void stack_images_init(struct stack_images *images, struct space *space)
{
	*images = (struct stack_images){ .space = space };
	arena_init(&images->arena, 0);
}

void stack_images_deinit(struct stack_images *images)
{
	free(images->items);
	arena_deinit(&images->arena);
	*images = (struct stack_images){ .count = 0 };
}

struct error *stack_images_add(struct stack_images *images, uint64_t base, uint64_t size,
			       const char *name)
{
	struct error *err;

	if (!size || size > MAX_IMAGE_SIZE || base + size < base)
		return NULL;
	err = array_reserve(&images->items, &images->capacity, images->count + 1,
			    sizeof(*images->items), MAX_IMAGES, "images");
	if (err)
		return err;
	images->items[images->count++] =
		(struct stack_image){ .base = base, .size = size, .name = name };
	return NULL;
}

static int compare_images(const void *a, const void *b)
{
	const struct stack_image *x = a, *y = b;

	return (x->base > y->base) - (x->base < y->base);
}

void stack_images_sort(struct stack_images *images)
{
	if (images->count)
		qsort(images->items, images->count, sizeof(*images->items), compare_images);
}

struct stack_image *stack_images_find(const struct stack_images *images, uint64_t va)
{
	size_t low = 0, high = images->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (images->items[middle].base <= va)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || va - images->items[low - 1].base >= images->items[low - 1].size)
		return NULL;
	return &images->items[low - 1];
}

const struct pe_image *stack_image_headers(struct stack_images *images, struct stack_image *image)
{
	struct pe_image pe;
	struct error *err;

	if (image->headers_tried)
		return image->pe;
	image->headers_tried = true;
	err = pe_read_any(images->space, image->base, &pe);
	if (err) {
		error_destroy(err); /* an image without headers is one without unwind data */
		return NULL;
	}
	image->pe = arena_alloc(&images->arena, sizeof(pe));
	if (image->pe)
		*image->pe = pe;
	return image->pe;
}

struct error *stack_images_add_kernel(struct stack_images *images, struct kernel *k)
{
	struct kernel_module_list list;
	struct error *err = kernel_modules_read(k, &list);

	if (err)
		return err;
	for (size_t i = 0; i < list.count && !err; i++) {
		const struct kernel_module *m = &list.items[i];
		const char *name = m->name;

		if (name && !(name = arena_strdup(&images->arena, name)))
			err = &error_no_memory;
		else
			err = stack_images_add(images, m->base, m->has_size ? m->size : 0, name);
	}
	kernel_modules_deinit(&list);
	return err;
}

static struct error *add_user_module(struct stack_images *images, const struct field *fields,
				     uint64_t entry)
{
	struct object o = object_at(images->space, entry, fields);
	uint64_t base, size;
	char *name;

	if (!object_u64(&o, STACK_MODULE_BASE, &base) || !object_u64(&o, STACK_MODULE_SIZE, &size))
		return NULL;
	if (!object_unicode(&o, STACK_MODULE_NAME, images->space, &images->arena, &name))
		name = NULL;
	return stack_images_add(images, base, (uint32_t)size, name);
}

struct error *stack_images_add_user(struct stack_images *images, const struct field *fields,
				    uint64_t peb)
{
	struct object o = object_at(images->space, peb, fields);
	struct list ring;
	struct error *err;
	uint64_t ldr, head;

	if (!peb || !fields[STACK_MODULE_LINKS].present || !object_u64(&o, STACK_PEB_LDR, &ldr) ||
	    !ldr)
		return NULL;
	o = object_at(images->space, ldr, fields);
	if (!object_address(&o, STACK_LDR_MODULES, &head))
		return NULL;
	if ((err = list_read(images->space, head, MAX_IMAGES, &ring)))
		return err;
	for (size_t i = 0; i < ring.count && !err; i++)
		err = add_user_module(images, fields,
				      ring.entries[i] - fields[STACK_MODULE_LINKS].offset);
	list_deinit(&ring);
	return err;
}
