/* SPDX-License-Identifier: MIT */
#include "windows/kernel/kdbg.h"

#include <string.h>

#include "base/cursor.h"

/* KDDEBUGGER_DATA64 begins with DBGKD_DEBUG_DATA_HEADER64 {LIST_ENTRY64 List; ULONG OwnerTag,
 * Size}: wdbgexts.h. */
enum {
	HEADER_TAG = 0x10, /* with Size in the upper half */
	HEADER_KERN_BASE = 0x18,
	HEADER_SIZE = 0x20, /* up to and with KernBase */
	TAG_KDBG = 0x4742444b,
	MIN_SIZE = 0x208,  /* up to NtBuildLab; the first x64 kernels have 0x290 */
	MAX_SIZE = 0x2000, /* 0x380 today */
};

/* Offsets of the fields in KDDEBUGGER_DATA64: wdbgexts.h. */
static const uint32_t field_offsets[KDBG_NUM_FIELDS] = {
	[KDBG_KERN_BASE] = HEADER_KERN_BASE,
	[KDBG_PS_LOADED_MODULE_LIST] = 0x48,
	[KDBG_PS_ACTIVE_PROCESS_HEAD] = 0x50,
	[KDBG_PSP_CID_TABLE] = 0x58,
	[KDBG_KI_BUGCHECK_DATA] = 0x88,
	[KDBG_OBP_ROOT_DIRECTORY_OBJECT] = 0x98,
	[KDBG_OBP_TYPE_OBJECT_TYPE] = 0xa0,
	[KDBG_MM_PFN_DATABASE] = 0xc0,
	[KDBG_NT_BUILD_LAB] = 0x208,
	[KDBG_KI_PROCESSOR_BLOCK] = 0x218,
	[KDBG_MM_UNLOADED_DRIVERS] = 0x220,
	[KDBG_MM_LAST_UNLOADED_DRIVER] = 0x228,
	[KDBG_MM_PHYSICAL_MEMORY_BLOCK] = 0x270,
};

static uint64_t rol64(uint64_t v, unsigned by)
{
	return by ? v << by | v >> (64 - by) : v;
}

uint64_t kdbg_decode(const struct kdbg *kdbg, uint64_t stored)
{
	return kdbg->encoded ? __builtin_bswap64(rol64(stored, kdbg->rotation)) ^ kdbg->constant
			     : stored;
}

static bool is_tag(uint64_t tag_and_size)
{
	uint64_t size = tag_and_size >> 32;

	return (uint32_t)tag_and_size == TAG_KDBG && size >= MIN_SIZE && size <= MAX_SIZE &&
	       size % 8 == 0;
}

/*
 * Tries to make sense of two neighbouring qwords as {tag, size} and KernBase. The xor of the two
 * is free of the constant, and a rotation and a byte swap are linear under xor: so each of 64
 * rotations gives the plain xor, and with KernBase known, the tag and size. Fills in what
 * kdbg_decode() needs.
 */
static bool match(uint64_t tag_stored, uint64_t base_stored, uint64_t kernel_base, struct kdbg *ret)
{
	uint64_t mixed = tag_stored ^ base_stored;

	if (is_tag(tag_stored) && base_stored == kernel_base) {
		ret->encoded = false;
		return true;
	}
	for (unsigned r = 0; r < 64; r++) {
		if (!is_tag(__builtin_bswap64(rol64(mixed, r)) ^ kernel_base))
			continue;
		ret->encoded = true;
		ret->rotation = r;
		ret->constant = __builtin_bswap64(rol64(base_stored, r)) ^ kernel_base;
		return true;
	}
	return false;
}

struct error *kdbg_read(struct space *s, uint64_t va, uint64_t kernel_base, struct kdbg *ret)
{
	struct kdbg kdbg = { .va = va };
	uint8_t header[HEADER_SIZE];
	struct error *err = space_read(s, va, header, sizeof(header));

	if (err)
		return error_wrap(err, "KDBG 0x%llx", (unsigned long long)va);
	uint64_t tag = load_u64(header + HEADER_TAG);

	if (!match(tag, load_u64(header + HEADER_KERN_BASE), kernel_base, &kdbg))
		return error_new(
			ERROR_CORRUPT,
			"KDBG 0x%llx: no 'KDBG' tag with kernel base 0x%llx, plain or encoded "
			"(found 0x%llx and 0x%llx)",
			(unsigned long long)va, (unsigned long long)kernel_base,
			(unsigned long long)tag,
			(unsigned long long)load_u64(header + HEADER_KERN_BASE));
	kdbg.size = (uint32_t)(kdbg_decode(&kdbg, tag) >> 32);
	for (unsigned i = 0; i < KDBG_NUM_FIELDS; i++) {
		uint64_t stored;

		if (field_offsets[i] + 8 > kdbg.size ||
		    !space_try_u64(s, va + field_offsets[i], &stored, NULL))
			continue;
		kdbg.has[i] = true;
		kdbg.value[i] = kdbg_decode(&kdbg, stored);
	}
	*ret = kdbg;
	return NULL;
}

/* Two qwords may look like a header by chance; lists in the kernel's image do not. */
static bool is_plausible(const struct kdbg *kdbg, const struct pe_image *kernel)
{
	static const enum kdbg_field in_image[] = { KDBG_PS_LOADED_MODULE_LIST,
						    KDBG_PS_ACTIVE_PROCESS_HEAD };

	for (size_t i = 0; i < ARRAY_SIZE(in_image); i++) {
		uint64_t value = kdbg->value[in_image[i]];

		if (kdbg->has[in_image[i]] &&
		    (value % 8 != 0 || value - kernel->base >= kernel->size_of_image))
			return false;
	}
	return true;
}

/* Searches [start, end) of the image, page by page; one qword is carried over to the next. */
static bool search_range(struct space *s, const struct pe_image *kernel, uint64_t start,
			 uint64_t end, struct kdbg *ret)
{
	uint8_t page[PAGE_SIZE];
	struct kdbg found = { 0 };
	uint64_t previous = 0;

	for (uint64_t va = start & ~(uint64_t)PAGE_MASK; va < end; va += PAGE_SIZE) {
		if (!space_try_read(s, va, page, sizeof(page), NULL)) {
			previous = 0;
			continue;
		}
		for (unsigned i = 0; i < PAGE_SIZE; i += 8) {
			uint64_t tag = previous, base = load_u64(page + i);
			uint64_t block = va + i - HEADER_KERN_BASE;

			previous = base;
			if (tag == 0 || !match(tag, base, kernel->base, &found))
				continue;
			struct error *err = kdbg_read(s, block, kernel->base, ret);

			if (!err && is_plausible(ret, kernel))
				return true;
			error_destroy(err);
		}
	}
	return false;
}

struct error *kdbg_find(struct space *s, const struct pe_image *kernel, struct kdbg *ret)
{
	enum { SECTION_WRITABLE = (int)0x80000000, MAX_IMAGE = 64 << 20 };
	uint64_t size = kernel->size_of_image < MAX_IMAGE ? kernel->size_of_image : MAX_IMAGE;
	struct kdbg found;

	for (unsigned i = 0; i < kernel->num_sections; i++) {
		const struct pe_section *section = &kernel->sections[i];
		uint64_t end = (uint64_t)section->rva + section->virtual_size;

		if (!(section->characteristics & (uint32_t)SECTION_WRITABLE) ||
		    section->rva >= size)
			continue;
		if (search_range(s, kernel, kernel->base + section->rva,
				 kernel->base + (end < size ? end : size), &found)) {
			*ret = found;
			return NULL;
		}
	}
	/* section headers may be absent or say less than the truth */
	if (kernel->num_sections == 0 &&
	    search_range(s, kernel, kernel->base, kernel->base + size, &found)) {
		*ret = found;
		return NULL;
	}
	return error_new(ERROR_NOT_FOUND, "no KDBG block in the image at 0x%llx",
			 (unsigned long long)kernel->base);
}
