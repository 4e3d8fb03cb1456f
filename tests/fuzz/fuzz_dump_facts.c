/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fake_dump.h"
#include "formats/writers/crash_header.h"
#include "fuzz.h"
#include "fuzz_writes.h"
#include "windows/crash/dump_facts.h"

/*
 * A kernel's memory, changed by a list of writes (where, width, value): what a crash dump takes
 * from it keeps to its limits, and the header that is made of it is read back as it was meant.
 */
enum {
	FLAG_ENCODED = 1,
	FLAG_REGISTERS = 2,
	FLAG_NO_PAGE = 4,
	FLAG_HEADER = 8, /* a crash dump's header, of the memory's first pages, is carried over */
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_patches(struct fake_dump *f, const struct dump_facts *facts)
{
	uint8_t old[PAGE_SIZE];

	for (size_t i = 0; i < facts->num_patches; i++) {
		const struct write_patch *p = &facts->patches[i];

		must(p->len && p->len <= PAGE_SIZE && p->what);
		must(physmem_read(f->snap.mem, p->pa, old, p->len) == p->len);
		must(memcmp(old, p->bytes, p->len) != 0);
	}
}

static void check_runs(const struct crash_facts *facts)
{
	uint64_t end = 0;

	must(facts->num_machine_runs <= CRASH_MAX_HEADER_RUNS);
	for (size_t i = 0; i < facts->num_machine_runs; i++) {
		const struct mem_range *run = &facts->machine_runs[i];

		must(run->start >= end && run->end > run->start && run->end <= PHYSMEM_MAX_END);
		end = run->end;
	}
}

static void check_header(const struct crash_facts *facts)
{
	struct dump_info info = { 0 };
	uint8_t header[CRASH_HEADER_SIZE];
	struct diag diag;
	struct crash_dump dump = { .bytes = header, .info = &info, .diag = &diag };

	diag_init(&diag, NULL, NULL);
	arena_init(&info.arena, 0);
	crash_header_build(&(struct crash_header){ .facts = facts,
						   .type = 5,
						   .runs = facts->machine_runs,
						   .num_runs = facts->num_machine_runs,
						   .comment = "fuzz" },
			   header);
	must(!crash_read_header(&dump));
	must(dump.type == 5);
	/* what reads as filler says nothing */
	if (!facts->header && facts->hints.pfn_database != CRASH_FILLER64 &&
	    facts->bugcheck.code != CRASH_FILLER) {
		must(memcmp(&info.hints, &facts->hints, sizeof(info.hints)) == 0);
		must(info.bugcheck.code == facts->bugcheck.code);
	}
	if (facts->num_machine_runs)
		must(info.num_machine_runs == facts->num_machine_runs);
	arena_deinit(&info.arena);
}

static void run(struct fake_dump *f, uint8_t flags)
{
	struct dump_facts facts;
	struct arena arena;

	if (flags & FLAG_ENCODED)
		fake_dump_encode_kdbg(f);
	if (flags & FLAG_REGISTERS)
		fake_dump_add_registers(f);
	fake_dump_open(f, flags & FLAG_NO_PAGE ? flags >> 5 : -1);
	if (flags & FLAG_HEADER)
		f->snap.info.crash_header = f->bytes;
	arena_init(&arena, 0);
	must(!dump_facts_read(&f->kernel, &arena, &facts));
	check_patches(f, &facts);
	check_runs(&facts.crash);
	check_header(&facts.crash);
	arena_deinit(&arena);
	fake_dump_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_dump *f = malloc(sizeof(*f));
	struct cursor c;
	uint8_t flags;

	must(f);
	cur_init(&c, data, size, 0);
	if (cur_u8(&c, &flags)) {
		fake_dump_init(f);
		fuzz_write_bytes(&c, f->bytes, FAKE_DUMP_SIZE);
		run(f, flags);
	}
	free(f);
	return 0;
}
