/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/crashdump/layout.h"
#include "formats/crashdump/parts.h"
#include "formats/registry.h"

enum { SIGNATURE_SIZE = 8 };

static const char signature64[SIGNATURE_SIZE + 1] = "PAGEDU64";
static const char signature32[SIGNATURE_SIZE + 1] = "PAGEDUMP";

/* Machines that Windows crash dumps exist of (IMAGE_FILE_MACHINE_*, winnt.h). */
static const struct machine_row {
	uint32_t id;
	const char *name;
} machines[] = {
	{ 0x014c, "i386" },
	{ 0x01c4, "ARM" },
	{ 0x0200, "IA64" },
	{ 0xaa64, "ARM64" },
};

/* Types: DUMP_TYPE_* of the Windows driver kit; 8 to 10: kdmp-parser-rs src/structs.rs. */
static const struct type_row {
	uint32_t type;
	const char *name;
	struct error *(*open)(struct crash_dump *d);
} types[] = {
	{ 1, "full", crash_open_full },
	{ 2, "kernel-summary", crash_open_bitmap },
	{ 4, "triage", crash_open_triage },
	{ 5, "bitmap", crash_open_bitmap },
	{ 6, "bitmap-kernel", crash_open_bitmap },
	{ 7, "automatic", crash_open_bitmap },
	{ 8, "rdmp-kernel", crash_open_rdmp },
	{ 9, "rdmp-kernel-user", crash_open_rdmp },
	{ 10, "rdmp-complete", crash_open_rdmp },
};

static unsigned crashdump_probe(const struct probe_input *in)
{
	if (in->head_size < SIGNATURE_SIZE)
		return 0;
	if (memcmp(in->head, signature64, SIGNATURE_SIZE) != 0 &&
	    memcmp(in->head, signature32, SIGNATURE_SIZE) != 0)
		return 0;
	return SIGNATURE_SIZE * 8;
}

static struct error *check_machine(uint32_t id)
{
	if (id == IMAGE_FILE_MACHINE_AMD64)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (machines[i].id == id)
			return error_new(ERROR_UNSUPPORTED,
					 "crash dump of an %s machine (0x%" PRIx32
					 "), only AMD64 is read",
					 machines[i].name, id);
	}
	return error_new(ERROR_UNSUPPORTED,
			 "0x%x: unknown machine type 0x%" PRIx32 " in a crash dump, expected 0x%x",
			 (unsigned)HEADER_MACHINE, id, (unsigned)IMAGE_FILE_MACHINE_AMD64);
}

/* Is it a dump that this reader knows, with all of its header? */
static struct error *check_identity(const struct file *file, const uint8_t *bytes)
{
	if (file->size >= SIGNATURE_SIZE && memcmp(bytes, signature32, SIGNATURE_SIZE) == 0)
		return error_new(ERROR_UNSUPPORTED, "32-bit Windows crash dump ('PAGEDUMP'), only "
						    "64-bit ones ('PAGEDU64') are read");
	if (file->size < SIGNATURE_SIZE || memcmp(bytes, signature64, SIGNATURE_SIZE) != 0)
		return error_new(ERROR_CORRUPT, "0x0: no 'PAGEDU64', not a 64-bit crash dump");
	if (file->size >= HEADER_MACHINE + sizeof(uint32_t)) {
		struct error *err = check_machine(load_u32(bytes + HEADER_MACHINE));
		if (err)
			return err;
	}
	if (file->size < CRASH_HEADER_SIZE)
		return error_new(ERROR_CORRUPT,
				 "crash dump header: truncated at 0x%" PRIx64
				 ", expected 0x%x bytes",
				 file->size, (unsigned)CRASH_HEADER_SIZE);
	return NULL;
}

static const struct type_row *find_type(uint32_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].type == type)
			return &types[i];
	}
	return NULL;
}

static struct error *crashdump_open(const struct format_input *in)
{
	const struct file *file = in->file;
	uint64_t headers = file->size < CRASH_HEADERS_SIZE ? file->size : CRASH_HEADERS_SIZE;
	struct crash_dump d = {
		.file = file,
		.mem = in->mem,
		.virt = in->virt,
		.info = in->info,
		.diag = in->diag,
		.cache = in->cache,
	};
	struct error *err;

	if ((err = file_bytes(file, 0, headers, &d.bytes)) || (err = check_identity(file, d.bytes)))
		return err;
	in->info->format = "crash-dump";
	in->info->machine = "amd64";
	in->info->crash_header = d.bytes;
	if ((err = crash_read_header(&d)))
		return err;
	const struct type_row *row = find_type(d.type);
	if (!row)
		return error_new(ERROR_UNSUPPORTED,
				 "crash dump type %" PRIu32 " (0x%" PRIx32 ") is not known", d.type,
				 d.type);
	in->info->subtype = row->name;
	return row->open(&d);
}

const struct format_ops crashdump_format = {
	.name = "crash-dump",
	.description = "Windows crash dump of an AMD64 machine: full, kernel, bitmap, live, "
		       "automatic, RDMP, triage",
	.recognised = "PAGEDU64",
	.probe = crashdump_probe,
	.open = crashdump_open,
};
