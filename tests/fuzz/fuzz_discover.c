/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "fuzz.h"
#include "windows/discover.h"

/*
 * The input is physical memory from address 0 on: page tables at ROOT, and what they map at BASE
 * is a kernel image with exports, code and processes.
 */
#define BASE UINT64_C(0xfffff80000000000)
enum {
	ROOT = PAGE_SIZE,
	IMAGE_SIZE = 3 * PAGE_SIZE,
	EXPORT_DIRECTORY = 0x100,
	EXPORT_SIZE = 0x400,
	MAX_INPUT = 64 << 10,
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* A field that is answered has a row with evidence, and the same offset. */
static void check_rows(const struct profile_source *s)
{
	struct discover_row row;
	struct field field;

	for (size_t i = 0; discover_evidence(s, i, &row); i++) {
		check(row.evidence && row.evidence[0] && row.kind < NUM_DISCOVER_KINDS);
		if (row.kind == DISCOVER_FIELD)
			check(s->ops->field(s, row.type, row.path, &field) &&
			      field.offset == row.value && field.offset < PAGE_SIZE);
		else if (row.kind == DISCOVER_MISSING)
			check(!s->ops->field(s, row.type, row.path, &field));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file = { .fd = -1, .bytes = data, .size = size };
	struct pe_image kernel = {
		.base = BASE,
		.machine = 0x8664,
		.size_of_image = IMAGE_SIZE,
		.num_directories = PE_NUM_DIRECTORIES,
		.directories[PE_DIR_EXPORT] = { EXPORT_DIRECTORY, EXPORT_SIZE },
	};
	struct registers regs = { .known = REGS_GS_BASE, .gs.base = BASE + IMAGE_SIZE };
	struct profile_source *source;
	struct physmem *mem = NULL;
	struct space *space = NULL;
	struct diag diag;
	struct error *err;

	if (size < 2 * PAGE_SIZE || size > MAX_INPUT)
		return 0;
	diag_init(&diag, NULL, NULL);
	check(!(err = physmem_create(&mem)));
	check(!(err = physmem_add_file(mem, 0, size, &file, 0)));
	check(!(err = physmem_seal(mem)));
	check(!(err = space_create_amd64(mem, ROOT, 4, NULL, NULL, &space)));
	err = discover_open(space, &kernel, mem, 4, &regs, 0, &diag, &source);
	if (!err) {
		check_rows(source);
		source->ops->destroy(source);
	} else {
		check(error_code(err) == ERROR_NOT_FOUND);
	}
	error_destroy(err);
	space_destroy(space);
	physmem_destroy(mem);
	return 0;
}
