/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

#include "base/cursor.h"
#include "capture_check.h"

/* Flags of RAM's records. */
enum {
	ZERO = 0x02,
	SIZES = 0x04,
	DATA = 0x08,
	EOS = 0x10,
	CONTINUE = 0x20,
	XBZRLE = 0x40,
	HOOK = 0x80,
	COMPRESSED = 0x100,
	FLUSH = 0x200,
};
enum { START = 1, PART = 2, END = 3, FULL = 4, SUBSECTION = 5, DESCRIPTION = 6, FOOTER = 0x7e };
enum { RAM_ID = 2, BIOS_SIZE = 0x2000 };

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static struct capture c;

static void put(uint64_t value, size_t size)
{
	uint8_t *p = capture_add(&c, size);

	for (size_t i = size; i-- > 0; value >>= 8)
		p[i] = (uint8_t)value;
}

static void put_text(const char *text)
{
	capture_put(&c, text, strlen(text));
}

static void put_name(const char *name)
{
	put(strlen(name), 1);
	put_text(name);
}

static void put_header(const char *machine)
{
	put_text("QEVM");
	put(3, 4);
	put(7, 1);
	put(strlen(machine), 4);
	put_text(machine);
}

static void put_section(unsigned type, uint32_t id, const char *name)
{
	put(type, 1);
	put(id, 4);
	if (type != START && type != FULL)
		return;
	put_name(name);
	put(0, 4);
	put(4, 4);
}

static void put_footer(uint32_t id)
{
	put(FOOTER, 1);
	put(id, 4);
}

static void end_section(void)
{
	put(EOS, 8);
	put_footer(RAM_ID);
}

struct block {
	const char *name;
	uint64_t length;
};

static void put_blocks(const struct block *blocks, size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += blocks[i].length;
	put_section(START, RAM_ID, "ram");
	put(total | SIZES, 8);
	for (size_t i = 0; i < count; i++) {
		put_name(blocks[i].name);
		put(blocks[i].length, 8);
	}
	end_section();
}

/* name NULL: of the block before */
static void put_page_head(const char *name, uint64_t offset, unsigned flag)
{
	put(offset | flag | (name ? 0 : CONTINUE), 8);
	if (name)
		put_name(name);
}

static void put_page(const char *name, uint64_t offset, int value)
{
	put_page_head(name, offset, DATA);
	memset(capture_add(&c, PAGE_SIZE), value, PAGE_SIZE);
}

static void put_filled(const char *name, uint64_t offset, int value)
{
	put_page_head(name, offset, ZERO);
	put((uint64_t)value, 1);
}

/* A machine with memory of that size, of which some pages are in the stream. */
static void put_memory(const char *machine, uint64_t size)
{
	const struct block blocks[] = { { "pc.ram", size },
					{ "vga.vram", 0x1000 },
					{ "pc.bios", BIOS_SIZE } };

	put_header(machine);
	put_blocks(blocks, ARRAY_SIZE(blocks));
	put_section(PART, RAM_ID, NULL);
	put_page("pc.ram", 0, 0x11);
	put_filled(NULL, 0x1000, 0);
	put_filled(NULL, 0x2000, 0x77);
	put_page("vga.vram", 0, 0x99);
	put_page("pc.bios", BIOS_SIZE - 0x1000, 0x33);
	end_section();
	put_section(END, RAM_ID, NULL);
	put_page("pc.ram", size - 0x1000, 0x22);
	end_section();
}

static void put_end(void)
{
	put(0, 1);
}

static void done(void)
{
	capture_deinit(&c);
}

TestSuite(migration, .fini = done, .timeout = 60);

static void expect_memory(void)
{
	capture_expect_byte(&c, 0, 0x11);
	capture_expect_byte(&c, 0x1fff, 0);
	capture_expect_byte(&c, 0x2fff, 0x77);
	capture_expect_absent(&c, 0x3000);
	capture_expect_absent(&c, 4 * GIB - BIOS_SIZE);
	capture_expect_byte(&c, 4 * GIB - 0x1000, 0x33);
}

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

Test(migration, memory_goes_on_at_4_gib_as_by_default)
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

/* A device's section whose fields are `bytes`. */
static void put_device(uint32_t id, const char *name, const void *bytes, size_t size)
{
	put_section(FULL, id, name);
	capture_put(&c, bytes, size);
	put_footer(id);
}

static void put_description(const char *json)
{
	put_end();
	put(DESCRIPTION, 1);
	put(strlen(json), 4);
	put_text(json);
}

static void put_cmos(uint64_t below, uint64_t above)
{
	uint8_t cmos[128] = { 0 };

	store_u16(cmos + 0x34, (uint16_t)((below - 16 * MIB) >> 16));
	store_u32(cmos + 0x5b, (uint32_t)(above >> 16));
	put_device(11, "mc146818rtc", cmos, sizeof(cmos));
}

#define CLOCK                                                      \
	"{\"name\":\"mc146818rtc\",\"instance_id\":0,\"fields\":[" \
	"{\"name\":\"cmos_data\",\"size\":128}]}"

Test(migration, cmos_says_where_memory_is_split)
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

/* 16 general registers, rip, flags; a subsection; the rest is not in this stream. */
#define CPU                                                                       \
	"{\"name\":\"cpu\",\"instance_id\":0,\"fields\":["                        \
	"{\"name\":\"env.regs\",\"array_len\":16,\"size\":8},"                    \
	"{\"name\":\"env.eip\",\"size\":8},{\"name\":\"env.eflags\",\"size\":8}," \
	"{\"name\":\"env.gdt\",\"size\":12,\"struct\":{\"fields\":["              \
	"{\"name\":\"base\",\"size\":8},{\"name\":\"limit\",\"size\":4}]}},"      \
	"{\"name\":\"env.cr[3]\",\"size\":8}],"                                   \
	"\"subsections\":[{\"vmsd_name\":\"cpu/x\",\"fields\":[{\"name\":\"x\",\"size\":4}]}]}"

static void put_cpu(void)
{
	size_t start;

	put_section(FULL, 10, "cpu");
	start = c.size;
	for (uint64_t i = 0; i < 16; i++)
		put(0x1000 + i, 8);
	put(UINT64_C(0xfffff80012345678), 8);
	put(0x246, 8);
	put(UINT64_C(0xfffff80000001000), 8);
	put(0x57, 4);
	put(0x1ad000, 8);
	put(SUBSECTION, 1);
	put_name("cpu/x");
	put(1, 4);
	put(7, 4);
	cr_assert_eq(c.size - start, 16 * 8 + 16 + 12 + 8 + 1 + 6 + 4 + 4);
	put_footer(10);
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

static struct error *open_mapped(const char *map)
{
	const struct snapshot_options options = { .memory_map = map };
	struct file file;

	memfile_open(&file, c.bytes, c.size);
	diag_init(&c.diag, capture_remember, &c);
	return snapshot_open_file(&file, "capture", &options, &c.diag, &c.snapshot);
}

Test(migration, a_memory_map_places_main_memory)
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

Test(migration, nodes_are_one_memory_in_the_order_of_their_names)
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
