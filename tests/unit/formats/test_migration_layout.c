/* SPDX-License-Identifier: MIT */
#include "migration_builder.h"

TestSuite(migration_layout, .fini = done, .timeout = 60);

Test(migration_layout, memory_goes_on_at_4_gib_as_by_default)
{
	static const struct {
		const char *machine;
		uint64_t size, last;
	} rows[] = {
		{ "pc-i440fx-7.2", UINT64_C(0xe0000000) - PAGE_SIZE, UINT64_C(0xdfffe000) },
		{ "pc-i440fx-7.2", UINT64_C(0xe0000000), 4 * GIB + GIB / 2 - PAGE_SIZE },
		{ "pc-q35-7.2", UINT64_C(0xb0000000) - PAGE_SIZE, UINT64_C(0xafffe000) },
		{ "pc-q35-7.2", UINT64_C(0xb0000000), 4 * GIB + UINT64_C(0x30000000) - PAGE_SIZE },
		{ "", 2 * GIB - PAGE_SIZE, 2 * GIB - 2 * PAGE_SIZE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_memory(rows[i].machine, rows[i].size);
		put_end();
		capture_open_ok(&c);
		expect_memory();
		capture_expect_byte(&c, rows[i].last, 0x22);
		capture_deinit(&c);
	}
	put_memory("", 2 * GIB);
	put_end();
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "expected a memory map");
}

Test(migration_layout, cmos_says_where_memory_is_split)
{
	put_memory("pc-i440fx-7.2", 128 * MIB);
	put_cmos(96 * MIB, 32 * MIB);
	put_description("{\"devices\":[" CLOCK "]}");
	capture_open_ok(&c);
	expect_memory();
	capture_expect_byte(&c, 4 * GIB + 32 * MIB - 1, 0x22);
	cr_expect_eq(c.diag.partial + c.diag.notes, 0);
	capture_deinit(&c);

	put_memory("pc-i440fx-7.2", 128 * MIB);
	put_cmos(96 * MIB, 64 * MIB);
	put_description("{\"devices\":[" CLOCK "]}");
	capture_open_ok(&c);
	capture_expect_byte(&c, 128 * MIB - 1, 0x22);
	capture_expect_said(&c, 0, "the clock's CMOS memory speaks of 0x6000000 bytes below");
}

static struct error *open_mapped(const char *map)
{
	const struct snapshot_options options = { .memory_map = map };
	struct file file;

	memfile_open(&file, c.bytes, c.size);
	diag_init(&c.diag, capture_remember, &c);
	return snapshot_open_file(&file, "capture", &options, &c.diag, &c.snapshot);
}

Test(migration_layout, a_memory_map_places_main_memory)
{
	put_memory("pc-i440fx-7.2", 8 * MIB);
	put_end();
	cr_assert_null(open_mapped("0-1000@0,100000000-100001000@7ff000,5000-7000@7ff000"));
	capture_expect_byte(&c, 0, 0x11);
	capture_expect_byte(&c, 4 * GIB, 0x22);
	capture_expect_byte(&c, 0x5000, 0x22);
	capture_expect_absent(&c, 0x6000);
	capture_expect_said(&c, 1, "main memory has 0x1000 bytes of it");
}

Test(migration_layout, nodes_are_one_memory_in_the_order_of_their_names)
{
	const struct block blocks[] = { { "/objects/ram-node10", 4 * MIB },
					{ "/objects/ram-node2", 2 * MIB },
					{ "dimm1", 1 * MIB } };

	put_header("pc-q35-9.0");
	put_blocks(blocks, 3);
	put_section(END, RAM_ID, NULL);
	put_page("/objects/ram-node2", 0, 2);
	put_page("/objects/ram-node10", 0, 10);
	put_page("dimm1", 0, 7);
	end_section();
	put_end();
	capture_open_ok(&c);
	capture_expect_byte(&c, 0, 2);
	capture_expect_byte(&c, 2 * MIB, 10);
	cr_expect_eq(physmem_captured_pages(c.snapshot->mem), 2);
	cr_expect_eq(c.diag.partial, 1);
}

/* cmos: bytes of memory that the firmware is told of; 0: there is no clock. */
static void put_backends(uint64_t cmos)
{
	const struct block blocks[] = { { "0000:00:02.0/qxl.vrom", 0x2000 },
					{ "dimm1", 4 * MIB },
					{ "/objects/mem", 32 * MIB } };

	put_header("pc-q35-9.0");
	put_blocks(blocks, ARRAY_SIZE(blocks));
	put_section(END, RAM_ID, NULL);
	put_page("0000:00:02.0/qxl.vrom", 0, 3);
	put_page("dimm1", 0, 7);
	put_page("/objects/mem", 0, 2);
	end_section();
	if (cmos)
		put_cmos(cmos, 0);
	put_description(cmos ? "{\"devices\":[" CLOCK "]}" : "{\"devices\":[]}");
}

Test(migration_layout, of_several_backends_the_firmware_knows_main_memory)
{
	put_backends(32 * MIB);
	capture_open_ok(&c);
	capture_expect_byte(&c, 0, 2);
	cr_expect_eq(physmem_captured_pages(c.snapshot->mem), 1);
	capture_expect_said(&c, 1, "without a known physical address are left out: 'dimm1'");
	capture_deinit(&c);

	put_backends(36 * MIB); /* both: by name, which is said */
	capture_open_ok(&c);
	capture_expect_byte(&c, 0, 7);
	capture_expect_byte(&c, 4 * MIB, 2);
	capture_expect_said(&c, 0, "in the order of their names");
}

Test(migration_layout, several_backends_that_nothing_tells_apart)
{
	put_backends(0);
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "which of 2 RAM blocks");
	capture_deinit(&c);
	put_backends(48 * MIB);
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "which of 2 RAM blocks");
	cr_assert_null(open_mapped("0-1000@0,5000-6000@400000"));
	capture_expect_byte(&c, 0, 7);
	capture_expect_byte(&c, 0x5000, 2);
}
