/* SPDX-License-Identifier: MIT */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include "base/compiler.h"

/*
 * A kernel image of three pages: headers, read-only data (debug directory, CodeView record,
 * exports) and data (PsInitialSystemProcess, KDBG). SizeOfImage claims 1 MiB; the rest is absent.
 */
enum {
	FAKE_KERNEL_BYTES = 0x3000,
	FAKE_KERNEL_SIZE = 0x100000,
	FAKE_LFANEW = 0x80,
	FAKE_OPTIONAL = FAKE_LFANEW + 24,
	FAKE_DEBUG_DIR = 0x1000,
	FAKE_RSDS = 0x1040,
	FAKE_RSDS_SIZE = 24 + 13,
	FAKE_EXPORT_DIR = 0x1100,
	FAKE_EXPORT_SIZE = 0x400,
	FAKE_FUNCTIONS = 0x1140,
	FAKE_NAMES = 0x1180,
	FAKE_ORDINALS = 0x11c0,
	FAKE_MODULE_NAME = 0x1200,
	FAKE_NAME_TEXT = 0x1240, /* of 0x40 bytes each */
	FAKE_NUM_EXPORTS = 4,
	FAKE_DATA = 0x2000,
	FAKE_SYSTEM_POINTER = 0x2000, /* PsInitialSystemProcess */
	FAKE_KDBG = 0x2100,
	FAKE_KDBG_SIZE = 0x380,
};
#define FAKE_SYSTEM_EXPORT "PsInitialSystemProcess"

/* Builds it into bytes[FAKE_KERNEL_BYTES], as loaded at base. */
void fake_kernel_build(uint8_t *bytes, uint64_t base, uint64_t system_process);
/* Encodes the KDBG block of such an image as the kernel does; see windows/kernel/kdbg.h. */
void fake_kernel_encode_kdbg(uint8_t *bytes, uint64_t wait_never, uint64_t wait_always,
			     uint64_t flag_address);

#endif
