/* SPDX-License-Identifier: MIT */
#include "windows/registry/hive_bin.h"

#include "base/cursor.h"

/* Is that a header, and of a bin that is there? */
static bool header_fits(const struct hive *h, uint32_t offset, const uint8_t *header,
			uint32_t *size_ret)
{
	uint32_t place = offset & ~CELL_VOLATILE, size = load_u32(header + BIN_SIZE);

	if (load_u32(header) != BIN_SIGNATURE || load_u32(header + BIN_FILE_OFFSET) != place ||
	    !size || size % BIN_ALIGNMENT ||
	    size > h->storage[hive_storage_of(offset)].length - place)
		return false;
	*size_ret = size;
	return true;
}

static void check_block(const struct hive *h, uint32_t offset, struct hive_bin *bin)
{
	struct hive_fault fault;
	uint8_t byte;

	/* a block need not begin with a page */
	if (hive_read_bytes(h, offset, &byte, 1, &fault) &&
	    hive_read_bytes(h, offset + HIVE_BLOCK - 1, &byte, 1, &fault))
		return;
	if (!bin->fault.why)
		bin->fault = fault;
	bin->absent++;
}

bool hive_bin_at(const struct hive *h, uint32_t offset, struct hive_bin *ret)
{
	enum hive_storage kind = hive_storage_of(offset);
	uint32_t place = offset & ~CELL_VOLATILE;
	struct hive_bin bin = { .offset = offset, .size = HIVE_BLOCK };
	uint8_t header[BIN_HEADER_SIZE];

	if (!h->storage[kind].present || place >= h->storage[kind].length ||
	    h->storage[kind].length - place < HIVE_BLOCK)
		return false;
	if (hive_read_bytes(h, offset, header, sizeof(header), &bin.fault)) {
		bin.has_header = header_fits(h, offset, header, &bin.size);
		if (!bin.has_header)
			bin.fault =
				(struct hive_fault){ .cell = offset, .why = "no header of a bin" };
	}
	for (uint32_t at = 0; at < bin.size; at += HIVE_BLOCK)
		check_block(h, offset + at, &bin);
	*ret = bin;
	return true;
}
