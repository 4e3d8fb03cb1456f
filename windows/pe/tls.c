/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"
#include "windows/pe/tables.h"

/* IMAGE_TLS_DIRECTORY: four pointers, then SizeOfZeroFill and Characteristics. */
enum { NUM_POINTERS = 4, MAX_SIZE = NUM_POINTERS * 8 + 8 };

static uint64_t load_pointer(const struct pe_image *pe, const uint8_t *at)
{
	return pe->is_32bit ? load_u32(at) : load_u64(at);
}

static bool read_pointer(struct space *s, const struct pe_image *pe, uint64_t va, uint64_t *ret)
{
	uint32_t narrow;

	if (!pe->is_32bit)
		return space_try_u64(s, va, ret, NULL);
	if (!space_try_u32(s, va, &narrow, NULL))
		return false;
	*ret = narrow;
	return true;
}

struct error *pe_tls_read(struct space *s, const struct pe_image *pe, struct pe_tls *ret)
{
	size_t pointer = pe->is_32bit ? 4 : 8, used = NUM_POINTERS * pointer + 4;
	uint8_t bytes[MAX_SIZE];
	struct error *err;
	uint64_t va, target;
	uint32_t size;

	if (!pe_directory_find(pe, PE_DIR_TLS, &va, &size))
		return error_new(ERROR_NOT_FOUND, "image 0x%llx has no TLS directory",
				 (unsigned long long)pe->base);
	if ((err = space_read(s, va, bytes, used)))
		return error_wrap(err, "image 0x%llx: TLS directory", (unsigned long long)pe->base);
	*ret = (struct pe_tls){
		.start = load_pointer(pe, bytes),
		.end = load_pointer(pe, bytes + pointer),
		.index = load_pointer(pe, bytes + 2 * pointer),
		.callbacks = load_pointer(pe, bytes + 3 * pointer),
		.zero_fill = load_u32(bytes + 4 * pointer),
		.complete = load_pointer(pe, bytes + 3 * pointer) == 0,
	};
	for (size_t i = 0; ret->callbacks && i < PE_MAX_TLS_CALLBACKS; i++) {
		if (!read_pointer(s, pe, ret->callbacks + pointer * i, &target))
			break;
		if (!target) {
			ret->complete = true;
			break;
		}
		ret->targets[ret->num_targets++] = target;
	}
	return NULL;
}
