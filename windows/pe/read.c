/* SPDX-License-Identifier: MIT */
#include "windows/pe/tables.h"

#include <string.h>

#include "base/text.h"

/* What the readers of an image's tables share. */

void pe_add_hole(struct pe_holes *holes, uint64_t va)
{
	if (!holes->count++)
		holes->first_va = va;
}

bool pe_directory_find(const struct pe_image *pe, enum pe_directory_index index, uint64_t *va_ret,
		       uint32_t *size_ret)
{
	const struct pe_directory *dir = &pe->directories[index];

	if (pe->num_directories <= (unsigned)index || !dir->rva || !dir->size)
		return false;
	*va_ret = pe->base + dir->rva;
	*size_ret = dir->size;
	return true;
}

size_t pe_read_front(struct space *s, uint64_t va, uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t chunk = PAGE_SIZE - ((va + done) & PAGE_MASK);

		if (chunk > len - done)
			chunk = len - done;
		if (!space_try_read(s, va + done, buf + done, chunk, NULL))
			break;
		done += chunk;
	}
	return done;
}

struct error *pe_string(struct space *s, uint64_t va, struct arena *a, const char **ret)
{
	uint8_t buf[PE_MAX_NAME];
	size_t len = 0;

	*ret = NULL;
	/* most names are short: a page's rest at a time would read 4 KiB for each */
	while (len < sizeof(buf)) {
		size_t got = pe_read_front(s, va + len, buf + len, 64);

		if (memchr(buf + len, '\0', got)) {
			*ret = text_from_ansi(a, buf, len + got);
			return *ret ? NULL : &error_no_memory;
		}
		if (got < 64)
			return NULL;
		len += got;
	}
	return NULL;
}
