/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KDBG_H
#define WINDOWS_KDBG_H

#include "memory/space.h"
#include "windows/pe.h"

/*
 * KDDEBUGGER_DATA64, the kernel's table of its own globals (wdbgexts.h). Windows 8 and later may
 * keep it encoded: per qword v ^= KiWaitNever; v = rol(v, KiWaitNever & 0xff); v ^= address of
 * KdpDataBlockEncoded; v = bswap(v); v ^= KiWaitAlways. That is bswap(rol(v, r)) ^ K with one r
 * of 64 and one constant K, so the known plain text (KernBase at +0x18, the "KDBG" tag at +0x10)
 * decodes it without any symbol.
 */
enum kdbg_field {
	KDBG_KERN_BASE,
	KDBG_PS_LOADED_MODULE_LIST,
	KDBG_PS_ACTIVE_PROCESS_HEAD,
	KDBG_PSP_CID_TABLE,
	KDBG_KI_BUGCHECK_DATA,
	KDBG_OBP_ROOT_DIRECTORY_OBJECT,
	KDBG_OBP_TYPE_OBJECT_TYPE,
	KDBG_MM_PFN_DATABASE,
	KDBG_MM_UNLOADED_DRIVERS,
	KDBG_MM_LAST_UNLOADED_DRIVER,
	KDBG_KI_PROCESSOR_BLOCK,
	KDBG_NT_BUILD_LAB,
	KDBG_MM_PHYSICAL_MEMORY_BLOCK,
	KDBG_NUM_FIELDS
};

struct kdbg {
	uint64_t va;
	uint32_t size; /* bytes, from its header */
	bool encoded;
	unsigned rotation; /* of encoded qwords, see kdbg_decode() */
	uint64_t constant;
	bool has[KDBG_NUM_FIELDS]; /* absent when beyond size or not captured */
	uint64_t value[KDBG_NUM_FIELDS];
};

/* Reads and checks the block at va (tag, size, KernBase == base), decoding it if need be.
 * FAULT, CORRUPT. */
MUST_CHECK struct error *kdbg_read(struct space *s, uint64_t va, uint64_t kernel_base,
				   struct kdbg *ret);
/* A qword of the block as it would be if it were not encoded. */
uint64_t kdbg_decode(const struct kdbg *kdbg, uint64_t stored);
/* Searches the image's data sections for it, plain or encoded. NOT_FOUND. */
MUST_CHECK struct error *kdbg_find(struct space *s, const struct pe_image *kernel,
				   struct kdbg *ret);

#endif
