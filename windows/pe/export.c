/* SPDX-License-Identifier: MIT */
#include "windows/pe.h"

#include <string.h>

#include "base/cursor.h"

/* IMAGE_EXPORT_DIRECTORY: Microsoft PE/COFF specification, "Export Directory Table". */
enum {
	EXPORT_NAME = 0x0c,
	EXPORT_NUM_FUNCTIONS = 0x14,
	EXPORT_NUM_NAMES = 0x18,
	EXPORT_FUNCTIONS = 0x1c,
	EXPORT_NAMES = 0x20,
	EXPORT_ORDINALS = 0x24,
	EXPORT_HEADER_SIZE = 0x28,
};

struct export_table {
	struct space *space;
	const struct pe_image *pe;
	uint32_t name_rva, num_functions, num_names;
	uint32_t functions, names, ordinals; /* RVAs of the three arrays */
};

static struct error *export_table_open(struct space *s, const struct pe_image *pe,
				       struct export_table *ret)
{
	const struct pe_directory *dir = &pe->directories[PE_DIR_EXPORT];
	unsigned long long base = pe->base;
	uint8_t header[EXPORT_HEADER_SIZE];
	struct error *err;

	if (pe->num_directories <= PE_DIR_EXPORT || dir->rva == 0 || dir->size == 0)
		return error_new(ERROR_NOT_FOUND, "image 0x%llx has no export directory", base);
	if ((err = space_read(s, pe->base + dir->rva, header, sizeof(header))))
		return error_wrap(err, "image 0x%llx: export directory", base);
	*ret = (struct export_table){
		.space = s,
		.pe = pe,
		.name_rva = load_u32(header + EXPORT_NAME),
		.num_functions = load_u32(header + EXPORT_NUM_FUNCTIONS),
		.num_names = load_u32(header + EXPORT_NUM_NAMES),
		.functions = load_u32(header + EXPORT_FUNCTIONS),
		.names = load_u32(header + EXPORT_NAMES),
		.ordinals = load_u32(header + EXPORT_ORDINALS),
	};
	if (ret->num_names > PE_MAX_EXPORTS || ret->num_functions > PE_MAX_EXPORTS)
		return error_new(ERROR_LIMIT,
				 "image 0x%llx: %u export names, %u functions (limit %u)", base,
				 ret->num_names, ret->num_functions, PE_MAX_EXPORTS);
	return NULL;
}

/* strcmp(name, the string at rva) without reading past what decides; false: bytes are absent. */
static bool compare_name(const struct export_table *t, uint32_t rva, const char *name, int *cmp_ret)
{
	size_t left = strlen(name) + 1;
	uint64_t va = t->pe->base + rva;
	char buf[64];

	while (left > 0) {
		size_t chunk = PAGE_SIZE - (va & PAGE_MASK);

		chunk = chunk < left ? chunk : left;
		chunk = chunk < sizeof(buf) ? chunk : sizeof(buf);
		if (!space_try_read(t->space, va, buf, chunk, NULL))
			return false;
		int cmp = strncmp(name, buf, chunk);

		if (cmp != 0) {
			*cmp_ret = cmp;
			return true;
		}
		name += chunk;
		va += chunk;
		left -= chunk;
	}
	*cmp_ret = 0;
	return true;
}

static bool compare_index(const struct export_table *t, uint32_t index, const char *name,
			  int *cmp_ret)
{
	uint32_t rva;

	return space_try_u32(t->space, t->pe->base + t->names + 4ULL * index, &rva, NULL) &&
	       compare_name(t, rva, name, cmp_ret);
}

enum lookup { LOOKUP_FOUND, LOOKUP_MISSING, LOOKUP_ABSENT };

/* Names are sorted by byte value: that is how the loader finds them. */
static enum lookup search_binary(const struct export_table *t, const char *name, uint32_t *ret)
{
	uint32_t low = 0, high = t->num_names;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int cmp;

		if (!compare_index(t, mid, name, &cmp))
			return LOOKUP_ABSENT;
		if (cmp == 0) {
			*ret = mid;
			return LOOKUP_FOUND;
		}
		if (cmp < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return LOOKUP_MISSING;
}

static enum lookup search_linear(const struct export_table *t, const char *name, uint32_t *ret)
{
	for (uint32_t i = 0; i < t->num_names; i++) {
		int cmp;

		if (compare_index(t, i, name, &cmp) && cmp == 0) {
			*ret = i;
			return LOOKUP_FOUND;
		}
	}
	return LOOKUP_ABSENT;
}

/* From the index of a name to the RVA of its function. */
static struct error *resolve(const struct export_table *t, uint32_t index, const char *name,
			     uint32_t *rva_ret)
{
	const struct pe_directory *dir = &t->pe->directories[PE_DIR_EXPORT];
	unsigned long long base = t->pe->base;
	struct fault fault;
	uint16_t ordinal;
	uint32_t rva;

	if (!space_try_u16(t->space, t->pe->base + t->ordinals + 2ULL * index, &ordinal, &fault))
		return error_fault(fault.va, "image 0x%llx: export '%s': ordinal is not captured",
				   base, name);
	if (ordinal >= t->num_functions)
		return error_new(ERROR_CORRUPT, "image 0x%llx: export '%s': ordinal %u of %u", base,
				 name, ordinal, t->num_functions);
	if (!space_try_u32(t->space, t->pe->base + t->functions + 4ULL * ordinal, &rva, &fault))
		return error_fault(fault.va, "image 0x%llx: export '%s': address is not captured",
				   base, name);
	if (rva >= dir->rva && rva - dir->rva < dir->size)
		return error_new(ERROR_UNSUPPORTED, "image 0x%llx: export '%s' is a forwarder",
				 base, name);
	if (rva == 0 || rva >= t->pe->size_of_image)
		return error_new(ERROR_CORRUPT, "image 0x%llx: export '%s': RVA 0x%x is outside",
				 base, name, rva);
	*rva_ret = rva;
	return NULL;
}

struct error *pe_export(struct space *s, const struct pe_image *pe, const char *name,
			uint32_t *rva_ret)
{
	struct export_table t;
	struct error *err = export_table_open(s, pe, &t);
	uint32_t index = 0;

	if (err)
		return err;
	enum lookup found = search_binary(&t, name, &index);

	if (found == LOOKUP_ABSENT)
		found = search_linear(&t, name, &index);
	if (found == LOOKUP_ABSENT)
		return error_fault(pe->base + t.names,
				   "image 0x%llx: export '%s': names are not captured",
				   (unsigned long long)pe->base, name);
	if (found == LOOKUP_MISSING)
		return error_new(ERROR_NOT_FOUND, "image 0x%llx has no export '%s'",
				 (unsigned long long)pe->base, name);
	return resolve(&t, index, name, rva_ret);
}

struct error *pe_export_module_name(struct space *s, const struct pe_image *pe, char *ret,
				    size_t size)
{
	struct export_table t;
	struct error *err = export_table_open(s, pe, &t);

	if (err)
		return err;
	for (size_t i = 0; i < size; i++) {
		uint64_t va = pe->base + t.name_rva + i;

		if (!space_try_read(s, va, ret + i, 1, NULL))
			return error_fault(va, "image 0x%llx: module name is not captured",
					   (unsigned long long)pe->base);
		if (ret[i] == '\0')
			return NULL;
	}
	return error_new(ERROR_LIMIT, "image 0x%llx: module name is longer than %zu bytes",
			 (unsigned long long)pe->base, size);
}
