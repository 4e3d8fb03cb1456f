/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "windows/stack/private.h"

/* Where the function begins whose fragment rva is in. */
static bool function_start(struct space *space, const struct pe_image *pe, uint32_t rva,
			   uint32_t *ret)
{
	struct pe_unwind_image image;
	struct runtime_function fn;

	if (pe->is_32bit || pe_find_function(space, pe, rva, &fn) != FUNCTION_FOUND)
		return false;
	pe_unwind_image_init(&image, space, pe);
	if (unwind_primary(&image.image, &fn, &fn) != UNWIND_OK)
		return false;
	*ret = fn.begin;
	return true;
}

/* The export at an RVA; of several the first by ordinal. */
static const char *export_at(struct stack_images *images, struct stack_image *image, uint32_t rva)
{
	if (!image->exports_tried) {
		struct error *err =
			pe_exports_read(images->space, image->pe, &images->arena, &image->exports);

		image->exports_tried = true;
		error_destroy(err); /* then the image has no exports to name anything by */
	}
	for (size_t i = 0; i < image->exports.count; i++) {
		const struct pe_export_entry *e = &image->exports.items[i];

		if (e->name && e->rva == rva)
			return e->name;
	}
	return NULL;
}

static void set_symbol(struct stack_frame *frame, const char *name, uint64_t rva)
{
	frame->symbol = name;
	frame->symbol_offset = (int64_t)(frame->offset - rva);
}

/* The kernel's symbol that names what rva is in; start: of the function, if that is known. */
static const struct symbol *find_symbol(const struct stack_reader *r, uint64_t rva, bool has_start,
					uint32_t start)
{
	const struct symbol *symbol;

	if (!r->symbols || (r->sparse && !has_start))
		return NULL;
	symbol = symbol_index_nearest(r->symbols, r->sparse ? start : rva);
	return symbol && (!r->sparse || symbol->rva == start) ? symbol : NULL;
}

void stack_name(struct stack_reader *r, struct stack_images *images, struct space *space,
		struct stack_frame *frame)
{
	struct stack_image *image = stack_images_find(images, frame->rip);
	const struct symbol *symbol = NULL;
	const struct pe_image *pe;
	uint32_t start = 0;
	const char *name;
	bool has_start;

	if (!image)
		return;
	frame->in_image = true;
	frame->module = image->name;
	frame->offset = frame->rip - image->base;
	pe = stack_image_headers(images, image);
	has_start = pe && function_start(space, pe, (uint32_t)frame->offset, &start);
	if (image->base == r->k->loc.base)
		symbol = find_symbol(r, frame->offset, has_start, start);
	if (symbol)
		set_symbol(frame, symbol->name, symbol->rva);
	else if (has_start && (name = export_at(images, image, start)))
		set_symbol(frame, name, start);
}
