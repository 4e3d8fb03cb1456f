/* SPDX-License-Identifier: MIT */
#include "windows/symbols/symbol_file.h"

#include <string.h>

#include "windows/symbols/isf.h"
#include "windows/symbols/pdb/pdb.h"

static const struct symbol_reader readers[] = {
	{ pdb_probe, pdb_open, "pdb", false },
	{ isf_probe, isf_open, "isf", true },
};

/* Files that people give and that are not read, by their first bytes. */
static const struct {
	const char *magic, *name;
} other_contents[] = {
	{ "Microsoft C/C++ program database 2.00", "an old PDB" },
	{ "MSCF", "a cabinet (compressed PDB, to be unpacked with cabextract)" },
	{ "\x1f\x8b", "gzip-compressed" },
	{ "BZh", "bzip2-compressed" },
	{ "PK\x03\x04", "a zip archive" },
};

struct error *symbol_file_reader(const struct file *file, const struct symbol_reader **ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(other_contents); i++) {
		size_t len = strlen(other_contents[i].magic);

		if (file->size >= len && memcmp(file->bytes, other_contents[i].magic, len) == 0)
			return error_new(
				ERROR_UNSUPPORTED,
				"%s: symbol file is %s; expected a PDB or ISF (.json or .json.xz)",
				file->path, other_contents[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		if (readers[i].probe(file->bytes, file->size)) {
			*ret = &readers[i];
			return NULL;
		}
	}
	return error_new(ERROR_UNSUPPORTED,
			 "%s: not a symbol file: neither a PDB nor JSON nor xz data", file->path);
}
