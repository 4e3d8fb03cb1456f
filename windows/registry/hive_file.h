/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_HIVE_FILE_H
#define WINDOWS_REGISTRY_HIVE_FILE_H

#include "windows/registry/hive.h"

/*
 * The file that a hive would be: its base block and its stable bins, bit for bit as they are in
 * memory, but for what keeps parsers from reading it:
 *
 *	base block			of a loaded hive it is as when a change began: the sequence
 *					numbers differ, the checksum is old. These fields, and the
 *					length, are made where they do not fit
 *	base block absent or none	one is made, of what the hive itself says
 *	a bin whose header is absent	the header of a bin up to the next one that is there,
 *					with one free cell
 *	cells that an absent page cuts	one free cell up to the end of their bin: where the
 *	off from the bin's beginning	next one begins nobody says
 */
struct hive_file_writer {
	/* The len bytes at an offset of the hive, which lie in one block: the file has them, or
	 * the gap that they leave, at file_offset. */
	struct error *(*copy)(void *arg, uint64_t file_offset, uint32_t offset, size_t len);
	/* Bytes of the base block, at an address of the kernel's half; they are there. */
	struct error *(*copy_base)(void *arg, uint64_t file_offset, uint64_t va, size_t len);
	/* Bytes that the snapshot does not have. */
	struct error *(*put_made)(void *arg, uint64_t file_offset, const uint8_t *bytes,
				  size_t len);
	void *arg;
};

/* Calls the writer in the order of the file; its errors end that. */
MUST_CHECK struct error *hive_file_write(const struct hive *h, const struct hive_file_writer *w);

#endif
