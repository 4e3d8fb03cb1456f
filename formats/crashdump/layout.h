/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_CRASHDUMP_LAYOUT_H
#define FORMATS_CRASHDUMP_LAYOUT_H

#include "base/compiler.h"

/*
 * Where the fields of a 64-bit crash dump are, for the reader and the writers.
 *
 * DUMP_HEADER64. Sources: rizin librz/bin/format/dmp/dmp_specs.h, kdmp-parser-rs src/structs.rs,
 * LeechCore device_file.c; the attributes: wdm.h.
 */
enum header_field {
	HEADER_SIGNATURE = 0x00,     /* "PAGEDU64" */
	HEADER_MAJOR_VERSION = 0x08, /* 0xf: free build, 0xc: checked */
	HEADER_MINOR_VERSION = 0x0c, /* the build */
	HEADER_DIRECTORY_TABLE_BASE = 0x10,
	HEADER_PFN_DATABASE = 0x18,
	HEADER_PS_LOADED_MODULE_LIST = 0x20,
	HEADER_PS_ACTIVE_PROCESS_HEAD = 0x28,
	HEADER_MACHINE = 0x30, /* IMAGE_FILE_MACHINE_* */
	HEADER_NUMBER_PROCESSORS = 0x34,
	HEADER_BUGCHECK_CODE = 0x38,
	HEADER_BUGCHECK_PARAMETERS = 0x40,
	HEADER_VERSION_USER = 0x60, /* 32 characters */
	HEADER_KDBG = 0x80,
	HEADER_NUM_RUNS = 0x88,
	HEADER_NUM_PAGES = 0x90,
	HEADER_RUNS = 0x98, /* {BasePage u64, PageCount u64} */
	HEADER_CONTEXT = 0x348,
	HEADER_EXCEPTION = 0xf00,
	HEADER_DUMP_TYPE = 0xf98,
	HEADER_REQUIRED_SPACE = 0xfa0, /* bytes of the file */
	HEADER_SYSTEM_TIME = 0xfa8,
	HEADER_COMMENT = 0xfb0,
	HEADER_SYSTEM_UPTIME = 0x1030,
	HEADER_MINIDUMP_FIELDS = 0x1038,
	HEADER_SECONDARY_STATE = 0x103c, /* is there secondary data? */
	HEADER_PRODUCT_TYPE = 0x1040,
	HEADER_SUITE_MASK = 0x1044,
	HEADER_WRITER_STATUS = 0x1048,
	HEADER_SECONDARY_VERSION = 0x104d, /* u8 KD_SECONDARY_VERSION_*: the form of contexts */
	HEADER_ATTRIBUTES = 0x1050,

	HEADER_COMMENT_SIZE = 128,
	HEADER_RUN_SIZE = 16,
	HEADER_CONTEXT_SIZE = 3000,
	HEADER_EXCEPTION_SIZE = 0x98,
};
enum { IMAGE_FILE_MACHINE_AMD64 = 0x8664 };

/* EXCEPTION_RECORD64 (winnt.h). */
enum exception_field {
	EXCEPTION_CODE = 0x00,
	EXCEPTION_FLAGS = 0x04,
	EXCEPTION_RECORD = 0x08,
	EXCEPTION_ADDRESS = 0x10,
	EXCEPTION_NUM_PARAMETERS = 0x18,
	EXCEPTION_PARAMETERS = 0x20,
};

/*
 * Types 2, 5, 6, 7: the header of the bitmap is at CRASH_HEADER_SIZE, the fields relative to it, in
 * two forms. Windows 8 and later: BITMAP_DUMP in rizin's dmp_specs.h and kdmp-parser's structs.
 * Before (type 2 only): SUMMARY_DUMP64 of the Windows driver kit, with a 32-bit RTL_BITMAP behind
 * it that repeats the number of bits.
 */
struct bitmap_form {
	uint8_t width; /* of its fields, in bytes */
	uint8_t first_page, num_pages, num_bits, bits;
};
enum { BITMAP_VALID_DUMP = 0x04, BITMAP_FORM_MAX_SIZE = 0x38 };
#define BITMAP_FORM_WIDE                  \
	{                                 \
		8, 0x20, 0x28, 0x30, 0x38 \
	}
#define BITMAP_FORM_NARROW                \
	{                                 \
		4, 0x0c, 0x14, 0x10, 0x28 \
	}
#define BITMAP_SIGNATURE_SUMMARY UINT32_C(0x504d4453) /* "SDMP" */
#define BITMAP_SIGNATURE_FULL	 UINT32_C(0x504d4446) /* "FDMP" */
#define BITMAP_VALID_MARK	 UINT32_C(0x504d5544) /* "DUMP" */

#endif
