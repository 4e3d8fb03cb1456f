/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

#include "decoded_capture.h"
#include "migration_builder.h"

TestSuite(migration, .fini = done, .timeout = 60);

Test(migration, pages_are_where_they_belong)
{
	struct mem_range range;
	struct page_view view;
	uint64_t offset;

	put_memory("pc-i440fx-7.2", 8 * MIB);
	put_end();
	capture_open_ok(&c);
	cr_expect_str_eq(c.snapshot->format->name, "migration");
	cr_expect_str_eq(c.snapshot->info.format, "qemu-migration");
	cr_expect_null(c.snapshot->info.subtype);
	expect_memory();
	capture_expect_byte(&c, 8 * MIB - 1, 0x22);
	cr_expect_eq(physmem_captured_pages(c.snapshot->mem), 5);
	cr_expect_eq(c.diag.partial, 0);

	cr_assert(physmem_next(c.snapshot->mem, 0x1000, false, &range));
	cr_expect_eq(range.start, 0x1000);
	cr_expect_eq(range.end, 0x3000);
	cr_assert(physmem_file_offset(c.snapshot->mem, 0x123, &offset));
	cr_assert(physmem_view(c.snapshot->mem, 0, &view, NULL));
	cr_expect_eq(view.bytes + 0x123, c.snapshot->file.bytes + offset, "no copy is made");
	page_release(&view);
	cr_expect_not(physmem_file_offset(c.snapshot->mem, 0x1000, &offset));
}

Test(migration, the_last_copy_of_a_page_counts)
{
	const struct block blocks[] = { { "pc.ram", 4 * MIB } };

	put_header("pc-q35-8.0");
	put_blocks(blocks, 1);
	put_section(PART, RAM_ID, NULL);
	put_page("pc.ram", 0, 1);
	put_filled(NULL, 0x1000, 0);
	put_page(NULL, 0x1000, 2);
	put_filled(NULL, 0, 0);
	put_page(NULL, 0x2000, 3);
	end_section();
	put_section(END, RAM_ID, NULL);
	put_page(NULL, 0x2000, 4);
	put(FLUSH, 8);
	end_section();
	put_end();
	capture_open_ok(&c);
	capture_expect_byte(&c, 0, 0);
	capture_expect_byte(&c, 0x1000, 2);
	capture_expect_byte(&c, 0x2000, 4);
	cr_expect_eq(physmem_captured_pages(c.snapshot->mem), 3);
}

Test(migration, registers_are_read_by_the_streams_own_description)
{
	const struct registers *regs;

	put_memory("pc-i440fx-7.2", 32 * MIB);
	put_cpu();
	put_cmos(32 * MIB, 0);
	put_description("{\"devices\":[{\"name\":\"gone\"}," CPU "," CLOCK "]}");
	capture_open_ok(&c);
	cr_expect_eq(c.diag.partial + c.diag.notes, 0, "%s", c.said);
	cr_expect_eq(c.snapshot->info.num_cpus, 1);
	cr_assert_eq(c.snapshot->info.num_registers, 1);
	regs = &c.snapshot->info.registers[0];
	cr_expect_eq(regs->known, REGS_GENERAL | REGS_CR3, "what is not whole is not known");
	cr_expect_eq(regs->rax, 0x1000);
	cr_expect_eq(regs->rsp, 0x1004);
	cr_expect_eq(regs->r15, 0x100f);
	cr_expect_eq(regs->rip, UINT64_C(0xfffff80012345678));
	cr_expect_eq(regs->rflags, 0x246);
	cr_expect_eq(regs->cr3, 0x1ad000);
}

Test(migration, devices_that_are_not_as_described_end_the_list)
{
	static const struct {
		const char *json, *said;
		uint64_t partial;
	} rows[] = {
		{ "{\"devices\":[" CPU "]}", "device 'mc146818rtc'", 1 },
		{ "{\"devices\":[{\"name\":\"cpu\",\"instance_id\":0,\"fields\":[{\"name\":\"env."
		  "regs\","
		  "\"size\":9223372036854775807,\"array_len\":9223372036854775807}]}]}",
		  "device 'cpu'", 1 },
		{ "{\"devices\":[{\"name\":\"cpu\",\"instance_id\":0,\"fields\":[{\"name\":\"env."
		  "regs\","
		  "\"size\":8,\"array_len\":15}]}]}",
		  "expected the footer of section 10", 1 },
		{ "{\"devices\":7}", "device 'cpu'", 1 },
		{ "{\"devices\":[}", "no description of its devices", 0 },
		{ "", "no description of its devices", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_memory("pc-i440fx-7.2", 32 * MIB);
		put_cpu();
		put_cmos(32 * MIB, 0);
		put_description(rows[i].json);
		capture_open_ok(&c);
		capture_expect_said(&c, (unsigned)rows[i].partial, rows[i].said);
		expect_memory();
		capture_deinit(&c);
	}
}

/* What a description says of a field's members may lead out of the field, and of the file. */
Test(migration, members_outside_of_their_field_are_none)
{
	static const char *const sizes[] = { "8", "67108864", "9223372036854775807" };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char json[512];

		snprintf(json, sizeof(json),
			 "{\"devices\":[{\"name\":\"cpu\",\"instance_id\":0,\"fields\":["
			 "{\"name\":\"env.gdt\",\"size\":171,\"struct\":{\"fields\":["
			 "{\"name\":\"before\",\"size\":164},{\"name\":\"x\",\"size\":%s},"
			 "{\"name\":\"base\",\"size\":8},{\"name\":\"limit\",\"size\":4}]}},"
			 "{\"name\":\"env.cr[3]\",\"size\":8}]}," CLOCK "]}",
			 sizes[i]);
		put_memory("pc-i440fx-7.2", 32 * MIB);
		put_cpu();
		put_cmos(32 * MIB, 0);
		put_description(json);
		capture_open_ok(&c);
		expect_memory();
		cr_expect_eq(c.diag.partial, 0, "%s", c.said);
		cr_assert_eq(c.snapshot->info.num_registers, 1);
		cr_expect_eq(c.snapshot->info.registers[0].known, REGS_CR3);
		capture_deinit(&c);
	}
}

Test(migration, too_many_processors_cost_only_their_registers)
{
	enum { COUNT = MAX_CPUS + 1, ROW_SIZE = 64 };
	char *json = malloc(COUNT * ROW_SIZE), *at = json;

	cr_assert_not_null(json);
	at += sprintf(at, "{\"devices\":[");
	put_memory("pc-i440fx-7.2", 8 * MIB);
	for (uint32_t i = 0; i < COUNT; i++) {
		put_section(FULL, 10, "cpu");
		put_footer(10);
		at += sprintf(at, "%s{\"name\":\"cpu\",\"instance_id\":0}", i ? "," : "");
	}
	sprintf(at, "]}");
	put_description(json);
	free(json);
	capture_open_ok(&c);
	capture_expect_said(&c, 1, "4097 processors: expected at most 4096");
	expect_memory();
	cr_expect_eq(c.snapshot->info.num_registers, 0);
}

/* Memory is there without its processors. */
Test(migration, devices_that_cannot_be_decoded_cost_only_registers)
{
	struct decoded decoded;
	size_t devices;

	put_memory("pc-i440fx-7.2", 32 * MIB);
	put_section(PART, RAM_ID, NULL);
	for (unsigned i = 0; i < 16; i++) /* the head must be whole */
		put_page("pc.ram", 0x10000 + i * PAGE_SIZE, 0x44);
	end_section();
	devices = c.size;
	put_cpu();
	put_cmos(32 * MIB, 0);
	put_description("{\"devices\":[" CPU "," CLOCK "]}");
	capture_add(&c, 2 * DECODED_BLOCK);
	decoded_open(&decoded, &c, devices + DECODED_BLOCK);
	expect_memory();
	cr_expect_eq(c.snapshot->info.num_registers, 0);
	capture_expect_said(&c, 1, "is damaged");
	decoded_close(&decoded, &c);
}

Test(migration, sections_of_others_are_passed_over)
{
	const struct block blocks[] = { { "pc.ram", 4 * MIB } };

	put_header("pc-i440fx-7.2");
	put(SUBSECTION, 1);
	put_name("configuration/target-page-bits");
	put(1, 4);
	put(12, 4);
	put(SUBSECTION, 1);
	put_name("configuration/capabilities");
	put(1, 4);
	put(1, 4);
	put_name("zero-blocks");
	put(SUBSECTION, 1);
	put_name("configuration/uuid");
	put(1, 4);
	memset(capture_add(&c, 16), 5, 16);
	put(8, 1); /* a command: its number, two bytes */
	put(1, 2);
	put(2, 2);
	put(0, 2);
	put_section(START, 1, "dirty-bitmap");
	memset(capture_add(&c, 200000), 0x7e, 200000);
	put_footer(1);
	put_section(FULL, 7, "early");
	memset(capture_add(&c, 100), 0, 100);
	put_footer(7);
	put_blocks(blocks, 1);
	put_section(END, 1, NULL);
	put_footer(1);
	put_section(END, RAM_ID, NULL);
	put_page("pc.ram", 0x3000, 8);
	end_section();
	put_end();
	capture_open_ok(&c);
	capture_expect_byte(&c, 0x3000, 8);
	cr_expect_eq(c.diag.partial, 0, "%s", c.said);
}

/* zlib, as QEMU's "compress" sends pages: at c's end. */
static size_t put_compressed(const char *name, uint64_t offset, int value)
{
	uint8_t plain[PAGE_SIZE], packed[2 * PAGE_SIZE];
	uLongf length = sizeof(packed);

	memset(plain, value, sizeof(plain));
	cr_assert_eq(compress(packed, &length, plain, sizeof(plain)), Z_OK);
	put_page_head(name, offset, COMPRESSED);
	put(length, 4);
	capture_put(&c, packed, length);
	return c.size - length;
}

Test(migration, compressed_pages)
{
	const struct block blocks[] = { { "pc.ram", 4 * MIB } };
	size_t packed;

	put_header("pc-i440fx-7.2");
	put_blocks(blocks, 1);
	put_section(END, RAM_ID, NULL);
	put_compressed("pc.ram", 0, 0x5a);
	packed = put_compressed(NULL, 0x1000, 0x6b);
	put_page_head(NULL, 0x2000, COMPRESSED);
	put(0x10000, 4);
	memset(capture_add(&c, 0x10000), 1, 0x10000);
	put_page(NULL, 0x3000, 4);
	end_section();
	put_end();
	capture_open_ok(&c);
	capture_expect_byte(&c, 0xfff, 0x5a);
	capture_expect_byte(&c, 0x1000, 0x6b);
	capture_expect_damage(&c, 0x2000, "expected a compressed page of at most 8192 bytes");
	capture_expect_byte(&c, 0x3000, 4);

	c.bytes[packed + 4] ^= 0xff;
	capture_open_ok(&c);
	capture_expect_damage(&c, 0x1000, "compressed page at file offset 0x");
	capture_expect_byte(&c, 0xfff, 0x5a);
}

Test(migration, deltas_are_not_read_but_what_is_sent_after_them)
{
	const struct block blocks[] = { { "pc.ram", 4 * MIB } };
	struct page_view view;
	struct error *err;

	put_header("pc-i440fx-7.2");
	put_blocks(blocks, 1);
	put_section(END, RAM_ID, NULL);
	put_page("pc.ram", 0, 1);
	put_page("pc.ram", 0x1000, 1);
	for (uint64_t page = 0; page < 2; page++) {
		put_page_head(NULL, page << PAGE_SHIFT, XBZRLE);
		put(1, 1);
		put(3, 2);
		put(0, 3);
	}
	put_page(NULL, 0x1000, 2);
	end_section();
	put_end();
	capture_open_ok(&c);
	capture_expect_said(&c, 1, "2 pages were sent as XBZRLE deltas");
	capture_expect_byte(&c, 0x1000, 2);
	cr_assert_not(physmem_view(c.snapshot->mem, 0, &view, &err));
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_UNSUPPORTED);
	error_destroy(err);
}

Test(migration, what_comes_before_damage_is_memory)
{
	put_memory("pc-i440fx-7.2", 8 * MIB);
	put_section(PART, RAM_ID, NULL);
	put_page("pc.ram", 0x5000, 0x55);
	put(0x6000 | DATA | ZERO, 8);
	put_name("pc.ram");
	capture_open_ok(&c);
	capture_expect_said(&c, 1, "record with flags 0xa is not known");
	expect_memory();
	capture_expect_byte(&c, 0x5000, 0x55);
}

/* At any length: an error, or a loss that is told. */
Test(migration, cut_at_every_length)
{
	size_t whole, end;

	put_memory("pc-i440fx-7.2", 32 * MIB);
	end = c.size;
	put_cpu();
	put_cmos(32 * MIB, 0);
	put_description("{\"devices\":[" CPU "," CLOCK "]}");
	whole = c.size;
	for (size_t size = 1; size<whole; size += size> 600 && size < end - 64 ? 97 : 1) {
		struct error *err;

		c.size = size;
		err = capture_open(&c, "migration", 0);
		if (err)
			cr_expect_neq(error_code(err), ERROR_OS);
		else
			cr_expect_gt(c.diag.partial + c.diag.notes, 0, "%zu of %zu", size, whole);
		error_destroy(err);
	}
	c.size = whole;
}

Test(migration, refusals)
{
	const struct block ram = { "pc.ram", 4 * MIB };
	const struct block twice[] = { ram, ram };
	const struct block odd[] = { { "pc.ram", 4 * MIB + 1 }, { "more", 4 * MIB - 1 } };
	const struct block huge = { "pc.ram", UINT64_C(1) << 47 };

	put_text("QEVM");
	put(2, 4);
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "of version 2");
	capture_deinit(&c);

	put_header("pc-q35-9.0");
	put(SUBSECTION, 1);
	put_name("configuration/capabilities");
	put(1, 4);
	put(1, 4);
	put_name("x-ignore-shared");
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "'x-ignore-shared'");
	capture_deinit(&c);

	put_header("pc-q35-9.0");
	put(SUBSECTION, 1);
	put_name("configuration/target-page-bits");
	put(1, 4);
	put(16, 4);
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "pages of 2^16 bytes");
	capture_deinit(&c);

	put_memory("virt-7.2", 8 * MIB);
	put_end();
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "machine of type 'virt-7.2'");
	capture_deinit(&c);

	put_header("pc-q35-9.0");
	put_blocks(twice, 2);
	capture_expect_refusal(&c, ERROR_CORRUPT, "'pc.ram' is named twice");
	capture_deinit(&c);

	put_header("pc-q35-9.0");
	put_blocks(odd, 2);
	capture_expect_refusal(&c, ERROR_CORRUPT, "expected whole pages, at most");
	capture_deinit(&c);

	put_header("pc-q35-9.0");
	put_blocks(&huge, 1);
	capture_expect_refusal(&c, ERROR_CORRUPT, "expected whole pages, at most");
	capture_deinit(&c);

	put_header("pc-q35-9.0");
	put_blocks(&ram, 1);
	put_section(PART, RAM_ID, NULL);
	put_page("other", 0, 1);
	capture_expect_refusal(&c, ERROR_CORRUPT, "'other', which is not listed");
	capture_deinit(&c);

	put_header("pc-q35-9.0");
	put_blocks(&ram, 1);
	put_section(PART, RAM_ID, NULL);
	put(HOOK, 8);
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "RDMA");
}

/* Up to the header of the one block; its pages are where it says. */
static void put_mapped(uint64_t length, uint64_t bitmap, uint64_t pages)
{
	put_header("pc-q35-9.0");
	put(SUBSECTION, 1);
	put_name("configuration/capabilities");
	put(1, 4);
	put(1, 4);
	put_name("mapped-ram");
	put_section(START, RAM_ID, "ram");
	put(length | SIZES, 8);
	put_name("pc.ram");
	put(length, 8);
	put(1, 4);
	put(PAGE_SIZE, 8);
	put(bitmap, 8);
	put(pages, 8);
}

Test(migration, mapped_pages_have_places_of_their_own)
{
	enum { BITMAP = 0x100, PAGES = 0x3000, LENGTH = 66 * PAGE_SIZE };
	uint8_t *p;

	put_mapped(LENGTH, BITMAP, PAGES);
	capture_add(&c, PAGES + LENGTH - c.size);
	c.bytes[BITMAP] = 1 << 1;
	c.bytes[BITMAP + 8] = 1 << 0;
	p = c.bytes + PAGES;
	memset(p, 0xee, LENGTH); /* what is not marked is zero, whatever was there before */
	memset(p + PAGE_SIZE, 0x11, PAGE_SIZE);
	memset(p + 64 * PAGE_SIZE, 0x22, PAGE_SIZE);
	end_section();
	put_section(END, RAM_ID, NULL);
	end_section();
	put_end();
	capture_open_ok(&c);
	capture_expect_byte(&c, 0, 0);
	capture_expect_byte(&c, 0x1000, 0x11);
	capture_expect_byte(&c, 64 * PAGE_SIZE, 0x22);
	capture_expect_byte(&c, 65 * PAGE_SIZE, 0);
	cr_expect_eq(physmem_captured_bytes(c.snapshot->mem), LENGTH);
	cr_expect_eq(c.diag.partial, 0, "%s", c.said);
}

Test(migration, mapped_pages_that_the_file_cannot_have)
{
	static const uint64_t rows[][3] = {
		{ 64 * PAGE_SIZE, 0x3000, 0x1000 },
		{ 64 * PAGE_SIZE, 0, 0x1000 },
		{ 64 * PAGE_SIZE, 0x100, UINT64_MAX - PAGE_SIZE },
		{ 64 * PAGE_SIZE, 0xfff, 0x1000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_mapped(rows[i][0], rows[i][1], rows[i][2]);
		capture_add(&c, 70 * PAGE_SIZE);
		capture_expect_refusal(&c, ERROR_CORRUPT, "no memory in this");
		capture_expect_said(&c, 1, "RAM block 'pc.ram': bitmap at 0x");
		capture_deinit(&c);
	}
	put_mapped(66 * PAGE_SIZE, 0x100, 0x3000);
	capture_add(&c, 0x3000 + 2 * PAGE_SIZE - c.size);
	c.bytes[0x100] = 0x7;
	capture_open_ok(&c);
	capture_expect_said(&c, 1, "pages after that are missing");
	cr_expect_eq(physmem_captured_pages(c.snapshot->mem), 65);
	capture_expect_absent(&c, 0x2000);
	capture_expect_byte(&c, 65 * PAGE_SIZE, 0);
}

Test(migration, page_past_its_block_is_told)
{
	put_memory("pc-q35-9.0", 8 * MIB);
	put_section(PART, RAM_ID, NULL);
	put_page("pc.ram", 8 * MIB, 1);
	capture_open_ok(&c);
	capture_expect_said(&c, 1, "page at 0x800000 of RAM block 'pc.ram'");
	expect_memory();
}

/* Sizes that a few hundred bytes claim. */
Test(migration, lying_sizes_take_no_memory)
{
	const struct block blocks[] = { { "pc.ram", UINT64_C(1) << 46 } };
	struct error *err;

	put_header("pc-q35-9.0");
	put_blocks(blocks, 1);
	put_section(END, RAM_ID, NULL);
	for (uint64_t i = 0; i < 64; i++)
		put_filled("pc.ram", i << 40, 0);
	end_section();
	put_end();
	err = capture_open(&c, NULL, 4 << 20);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
	cr_expect_eq(physmem_captured_pages(c.snapshot->mem), 64);
	capture_deinit(&c);

	put_header("pc-q35-9.0");
	put_blocks(blocks, 1);
	put_section(END, RAM_ID, NULL);
	for (uint64_t i = 0; i < 1024; i++)
		put_filled("pc.ram", i << 30, 1);
	end_section();
	put_end();
	err = capture_open(&c, NULL, 4 << 20);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT, "%s", error_message(err));
	error_destroy(err);
}

Test(migration, all_of_a_machines_zeros_take_next_to_no_memory)
{
	const struct block blocks[] = { { "pc.ram", 2 * GIB - PAGE_SIZE } };
	struct block_cache_stats stats;

	put_header("pc-q35-9.0");
	put_blocks(blocks, 1);
	put_section(END, RAM_ID, NULL);
	put_filled("pc.ram", 0, 0);
	for (uint64_t offset = PAGE_SIZE; offset < blocks[0].length; offset += PAGE_SIZE)
		put_filled(NULL, offset, 0);
	end_section();
	put_end();
	capture_open_ok(&c);
	cr_expect_eq(physmem_captured_bytes(c.snapshot->mem), blocks[0].length);
	block_cache_stats(c.snapshot->cache, &stats);
	cr_expect_lt(stats.reserved, 512 << 10, "%lu", (long)stats.reserved);
}

static void put_libvirt(const char *magic, uint32_t format)
{
	uint8_t *header = capture_add(&c, 92);

	memcpy(header, magic, 16);
	store_u32(header + 16, 2);
	store_u32(header + 20, 10);
	store_u32(header + 28, format);
	put_text("<domain/>");
	put(0, 1);
}

Test(migration, libvirt_puts_a_header_before_it)
{
	put_libvirt("LibvirtQemudSave", 0);
	put_memory("pc-i440fx-7.2", 8 * MIB);
	put_end();
	capture_open_ok(&c);
	cr_expect_str_eq(c.snapshot->info.subtype, "libvirt");
	expect_memory();
	cr_expect_eq(c.diag.partial, 0);
	capture_deinit(&c);

	put_libvirt("LibvirtQemudPart", 0);
	put_memory("pc-i440fx-7.2", 8 * MIB);
	put_end();
	capture_open_ok(&c);
	cr_expect_eq(c.diag.partial, 1);
	capture_deinit(&c);

	put_libvirt("LibvirtQemudSave", 4);
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "of format 4 (lzop)");
	capture_deinit(&c);

	put_libvirt("LibvirtQemudSave", 0);
	store_u32(c.bytes + 20, UINT32_MAX);
	capture_expect_refusal(&c, ERROR_CORRUPT, "expected the stream at file offset 0x10000005b");
	capture_deinit(&c);

	put_libvirt("LibvirtQemudSave", 1);
	put_memory("pc-i440fx-7.2", 8 * MIB);
	put_end();
	capture_open_ok(&c); /* it is not packed in spite of what the header says */
	expect_memory();
}

/* Be it packed or not, as the header says: a place in the file is one of the whole file. */
Test(migration, places_behind_libvirts_header_are_the_files)
{
	for (uint32_t format = 0; format < 2; format++) {
		uint64_t offset = 0;

		put_libvirt("LibvirtQemudSave", format);
		put_memory("pc-i440fx-7.2", 8 * MIB);
		put_end();
		capture_open_ok(&c);
		cr_assert(physmem_file_offset(c.snapshot->mem, 0x10, &offset));
		cr_assert_leq(offset, c.size - PAGE_SIZE);
		cr_expect_eq(c.bytes[offset - 0x11], 'm', "the block's name ends before the page");
		cr_expect_eq(c.bytes[offset - 0x10], 0x11);
		cr_expect_eq(c.bytes[offset - 0x10 + PAGE_SIZE - 1], 0x11);
		capture_deinit(&c);
	}
}
