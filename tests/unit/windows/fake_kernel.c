/* SPDX-License-Identifier: MIT */
#include "fake_kernel.h"

#include <string.h>

#include "base/cursor.h"

static const char *const export_names[FAKE_NUM_EXPORTS] = { "NtBuildNumber", "NtForwarded",
							    FAKE_SYSTEM_EXPORT,
							    "PsLoadedModuleList" };
static const uint32_t export_rvas[FAKE_NUM_EXPORTS] = { 0x2010, FAKE_EXPORT_DIR + 0x100,
							FAKE_SYSTEM_POINTER, 0x2020 };

static void build_headers(uint8_t *b, uint64_t base)
{
	static const char *const sections[] = { ".rdata", ".data", "ALMOSTRO", "POOLCODE",
						"PAGELK" };
	uint8_t *optional = b + FAKE_OPTIONAL;
	uint8_t *section = optional + 240;

	memcpy(b, "MZ", 2);
	store_u32(b + 0x3c, FAKE_LFANEW);
	memcpy(b + FAKE_LFANEW, "PE\0\0", 4);
	store_u16(b + FAKE_LFANEW + 4, 0x8664);
	store_u16(b + FAKE_LFANEW + 6, (uint16_t)ARRAY_SIZE(sections));
	store_u32(b + FAKE_LFANEW + 8, 0x5a9533cd);
	store_u16(b + FAKE_LFANEW + 20, 240);
	store_u16(optional, 0x20b);
	store_u32(optional + 16, 0x4000); /* entry */
	store_u64(optional + 24, base);
	store_u16(optional + 40, 10);
	store_u32(optional + 56, FAKE_KERNEL_SIZE);
	store_u32(optional + 64, 0x1234); /* checksum */
	store_u32(optional + 108, 16);
	store_u32(optional + 112, FAKE_EXPORT_DIR);
	store_u32(optional + 116, FAKE_EXPORT_SIZE);
	store_u32(optional + 112 + 8 * 6, FAKE_DEBUG_DIR);
	store_u32(optional + 116 + 8 * 6, 2 * 28);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++, section += 40) {
		memcpy(section, sections[i], strlen(sections[i]));
		store_u32(section + 8, 0x1000);
		store_u32(section + 12, (uint32_t)(0x1000 * (i + 1)));
		store_u32(section + 36, i == 1 ? 0xc8000040 : 0x48000040);
	}
}

static void build_read_only(uint8_t *b)
{
	store_u32(b + FAKE_DEBUG_DIR + 12, 13); /* a POGO entry comes first */
	store_u32(b + FAKE_DEBUG_DIR + 28 + 12, 2);
	store_u32(b + FAKE_DEBUG_DIR + 28 + 16, FAKE_RSDS_SIZE);
	store_u32(b + FAKE_DEBUG_DIR + 28 + 20, FAKE_RSDS);
	memcpy(b + FAKE_RSDS, "RSDS", 4);
	for (uint8_t i = 0; i < 16; i++)
		b[FAKE_RSDS + 4 + i] = i;
	store_u32(b + FAKE_RSDS + 20, 1);
	memcpy(b + FAKE_RSDS + 24, "ntkrnlmp.pdb", 13);

	store_u32(b + FAKE_EXPORT_DIR + 0x0c, FAKE_MODULE_NAME);
	store_u32(b + FAKE_EXPORT_DIR + 0x14, FAKE_NUM_EXPORTS);
	store_u32(b + FAKE_EXPORT_DIR + 0x18, FAKE_NUM_EXPORTS);
	store_u32(b + FAKE_EXPORT_DIR + 0x1c, FAKE_FUNCTIONS);
	store_u32(b + FAKE_EXPORT_DIR + 0x20, FAKE_NAMES);
	store_u32(b + FAKE_EXPORT_DIR + 0x24, FAKE_ORDINALS);
	memcpy(b + FAKE_MODULE_NAME, "ntoskrnl.exe", 13);
	for (uint32_t i = 0; i < FAKE_NUM_EXPORTS; i++) {
		uint16_t ordinal = (uint16_t)(FAKE_NUM_EXPORTS - 1 - i);

		store_u32(b + FAKE_NAMES + 4 * i, FAKE_NAME_TEXT + 0x40 * i);
		strcpy((char *)b + FAKE_NAME_TEXT + 0x40 * i, export_names[i]);
		store_u16(b + FAKE_ORDINALS + 2 * i, ordinal);
		store_u32(b + FAKE_FUNCTIONS + 4U * ordinal, export_rvas[i]);
	}
}

void fake_kernel_build(uint8_t *bytes, uint64_t base, uint64_t system_process)
{
	uint8_t *kdbg = bytes + FAKE_KDBG;

	memset(bytes, 0, FAKE_KERNEL_BYTES);
	build_headers(bytes, base);
	build_read_only(bytes);
	store_u64(bytes + FAKE_SYSTEM_POINTER, system_process);
	for (uint32_t i = 0; i < FAKE_KDBG_SIZE; i += 8)
		store_u64(kdbg + i, base + 0x10000 + i);
	store_u32(kdbg + 0x10, 0x4742444b);
	store_u32(kdbg + 0x14, FAKE_KDBG_SIZE);
	store_u64(kdbg + 0x18, base);
}

void fake_kernel_encode_kdbg(uint8_t *bytes, uint64_t wait_never, uint64_t wait_always,
			     uint64_t flag_address)
{
	unsigned by = wait_never & 0x3f;

	/* the inverse of each step of the decoding, last one first */
	for (uint32_t i = 0; i < FAKE_KDBG_SIZE; i += 8) {
		uint64_t v = load_u64(bytes + FAKE_KDBG + i);

		v = __builtin_bswap64(v ^ wait_always) ^ flag_address;
		v = by ? v >> by | v << (64 - by) : v;
		store_u64(bytes + FAKE_KDBG + i, v ^ wait_never);
	}
}
