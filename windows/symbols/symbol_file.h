/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_SYMBOL_FILE_H
#define WINDOWS_SYMBOL_FILE_H

#include "base/file.h"
#include "windows/profile.h"

/*
 * Files of symbols, told apart by their content: PDB, ISF (.json, .json.xz).
 */
struct symbol_reader {
	bool (*probe)(const uint8_t *bytes, size_t len);
	/* The source has an identity and a graph of types. */
	struct error *(*open)(const char *path, struct profile_source **ret);
	const char *kind; /* as its sources call themselves */
	bool slow;	  /* so slow that what it read is worth keeping */
};

/* Which reader takes the file. UNSUPPORTED with the path, naming what people give and what is not
 * read: a compressed PDB, a zip archive. */
MUST_CHECK struct error *symbol_file_reader(const struct file *file,
					    const struct symbol_reader **ret);

#endif
