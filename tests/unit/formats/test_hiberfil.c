/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/format.h"
#include "tests/memfile.h"
#include "tests/unit/codec/xpress_huffman_packer.h"
#include "tests/unit/codec/xpress_packer.h"

/*
 * Files of a few pages. Page 0 is the header of Windows 10 (0x3e0) or 7 (0x128), page 1 the
 * processor state, sections and tables begin at page 2.
 */
enum {
	FIRST = 2,
	KERNEL = 12, /* page of the kernel section */
	MAX_PAGES = 40,
	HIGHEST = 0xfff,

	AT_TABLE_PAGE = 0x60,
	AT_LOADER_PAGES = 0x58,
	AT_SECURE_PAGE = 0x60,
	AT_BOOT_PAGE = 0x68,
	AT_KERNEL_PAGE = 0x70,
	AT_KERNEL_PAGES = 0x230,
	AT_HIBERBOOT = 0x364,
	AT_HIGHEST = 0x398,

	PLAIN = 0,
	HUFFMAN = 2,
};

static uint8_t file[MAX_PAGES * PAGE_SIZE];
static size_t size, at;
static struct snapshot *snapshot;
static struct diag diag;
static char said[2048];

static void remember(void *arg, enum diag_kind kind, const char *message)
{
	size_t len = strlen(said);

	(void)arg;
	snprintf(said + len, sizeof(said) - len, "%s: %s\n",
		 kind == DIAG_PARTIAL ? "partial" : "note", message);
}

static void put(uint64_t value, unsigned bytes)
{
	memcpy(file + at, &value, bytes);
	at += bytes;
}

static void put_pages(const uint8_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++, at += PAGE_SIZE)
		memset(file + at, values[i], PAGE_SIZE);
}

static void begin(const char *signature, uint32_t length)
{
	memset(file, 0, sizeof(file));
	memcpy(file, signature, 4);
	store_u32(file + 0x0c, length);
	store_u32(file + 0x18, PAGE_SIZE);
	size = sizeof(file);
	at = FIRST << PAGE_SHIFT;
}

static void begin_10(uint64_t boot_pages, uint64_t kernel_pages)
{
	begin("HIBR", 0x3e0);
	store_u64(file + AT_LOADER_PAGES, boot_pages);
	store_u64(file + AT_BOOT_PAGE, FIRST);
	store_u64(file + AT_KERNEL_PAGE, kernel_pages ? KERNEL : 0);
	store_u64(file + AT_KERNEL_PAGES, kernel_pages);
	store_u64(file + AT_HIGHEST, HIGHEST);
}

static uint64_t descriptor(uint64_t gfn, unsigned count)
{
	return gfn << 4 | (count - 1);
}

static void put_set(unsigned method, uint32_t bytes, uint64_t only_descriptor)
{
	put(1 | (uint64_t)bytes << 8 | (uint64_t)method << 30, 4);
	put(only_descriptor, 8);
}

/* A set of one page, stored. */
static void put_stored(uint64_t gfn, uint8_t value)
{
	put_set(PLAIN, PAGE_SIZE, descriptor(gfn, 1));
	put_pages(&value, 1);
}

static void begin_7(void)
{
	begin("hibr", 0x128);
	store_u64(file + AT_TABLE_PAGE, FIRST);
}

static void put_table(uint64_t next, uint32_t count, uint64_t first_gfn)
{
	size_t end = at + PAGE_SIZE;

	put(next, 8);
	put(count, 8);
	for (uint32_t i = 0; i < count; i++) {
		put(first_gfn + 2 * (uint64_t)i, 8);
		put(first_gfn + 2 * (uint64_t)i + 1, 8);
	}
	at = end;
}

static void put_block_header(uint32_t pages, uint32_t bytes)
{
	memcpy(file + at, "\x81\x81xpress", 8);
	store_u32(file + at + 8, (pages - 1) | (bytes - 1) << 10);
	at += 32;
}

static struct error *open_max(uint64_t max_memory)
{
	struct file f;

	memfile_open(&f, file, size);
	diag_init(&diag, remember, NULL);
	said[0] = '\0';
	return snapshot_open_file(&f, "hiberfil.sys",
				  &(struct snapshot_options){ .max_memory = max_memory }, &diag,
				  &snapshot);
}

static void open_ok(void)
{
	struct error *err = open_max(0);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	cr_assert_str_eq(snapshot->info.format, "hiberfil");
}

static void expect_refusal(enum error_code code, const char *text)
{
	struct error *err = open_max(0);

	cr_assert_not_null(err, "expected: %s", text);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), text), "%s", error_message(err));
	error_destroy(err);
}

/* value < 0: absent */
static void expect_page(uint64_t gfn, int value)
{
	uint8_t byte, last;
	bool there = physmem_read(snapshot->mem, gfn << PAGE_SHIFT, &byte, 1) == 1;

	cr_assert_eq(there, value >= 0, "page 0x%lx\n%s", (long)gfn, said);
	if (!there)
		return;
	cr_assert_eq(physmem_read(snapshot->mem, (gfn << PAGE_SHIFT) + PAGE_MASK, &last, 1), 1);
	cr_expect_eq(byte, value, "page 0x%lx: %d", (long)gfn, byte);
	cr_expect_eq(last, value, "page 0x%lx: %d", (long)gfn, last);
}

static void expect_said(const char *text)
{
	cr_expect_not_null(strstr(said, text), "expected '%s', found '%s'", text, said);
}

/* Opens what is damaged, expects the text and so many pages. */
static void expect_partial(const char *text, uint64_t pages)
{
	open_ok();
	expect_said(text);
	cr_expect(diag.partial, "%s", text);
	cr_expect_eq(physmem_captured_pages(snapshot->mem), pages, "%s: %lu", text,
		     (unsigned long)physmem_captured_pages(snapshot->mem));
	snapshot_close(snapshot);
}

Test(hiberfil, sets_of_both_sections)
{
	static const uint8_t values[] = { 1, 2, 3 };
	static struct huffman_packer huffman;
	static struct packer plain;
	uint8_t pages[2 * PAGE_SIZE];

	begin_10(7, 3);
	put(2 | 3 * PAGE_SIZE << 8, 4); /* two ranges */
	put(descriptor(0x10, 2), 8);
	put(descriptor(0x8, 1), 8);
	put_pages(values, 3);
	memset(pages, 4, PAGE_SIZE);
	memset(pages + PAGE_SIZE, 5, PAGE_SIZE);
	xpress_huffman_pack(&huffman, pages, sizeof(pages), 0, 1);
	put_set(HUFFMAN, (uint32_t)huffman.len, descriptor(0x20, 2));
	memcpy(file + at, huffman.out, huffman.len);
	at += huffman.len;
	put_set(HUFFMAN + 1, (uint32_t)huffman.len, descriptor(0x30, 2));
	memcpy(file + at, huffman.out, huffman.len);
	at = KERNEL << PAGE_SHIFT;
	xpress_pack(&plain, pages, PAGE_SIZE, 1);
	put_set(PLAIN + 1, (uint32_t)plain.len, descriptor(HIGHEST, 1));
	memcpy(file + at, plain.out, plain.len);
	at += plain.len;
	put_set(PLAIN, (uint32_t)plain.len, descriptor(0x20, 1));
	memcpy(file + at, plain.out, plain.len);
	at += plain.len;
	put_stored(0x11, 9); /* also of the boot section */
	open_ok();
	cr_expect_str_eq(snapshot->info.subtype, "windows-10");
	expect_page(0x10, 1);
	expect_page(0x11, 9);
	expect_page(0x8, 3);
	expect_page(0x20, 4);
	expect_page(0x21, 5);
	expect_page(0x31, 5);
	expect_page(HIGHEST, 4);
	expect_page(0x12, -1);
	cr_expect_eq(diag.partial, 0, "%s", said);
	cr_expect_eq(physmem_overlap_bytes(snapshot->mem), 2 * PAGE_SIZE);
	snapshot_close(snapshot);
}

Test(hiberfil, damaged_sets)
{
	static const struct {
		uint32_t header;
		uint64_t descriptor;
		const char *said;
	} rows[] = {
		{ 0, 0, "expected 1 to 16 page descriptors, found 0" },
		{ 17 | PAGE_SIZE << 8, 0, "expected 1 to 16 page descriptors, found 17" },
		{ 255 | PAGE_SIZE << 8, 0, "expected 1 to 16 page descriptors, found 255" },
		{ 1, 0x50, "as many as its pages have, found 0" },
		{ 1 | (PAGE_SIZE + 1) << 8, 0x50, "as many as its pages have, found 4097" },
		{ 1 | 0x3fffffu << 8, 0x5f, "as many as its pages have, found 4194303" },
		{ 2 | PAGE_SIZE << 8, 0x5f, "expected 1 to 16 pages, found 17" },
		{ 1 | PAGE_SIZE << 8, UINT64_MAX, "page 0xfffffffffffffff is above all" },
		{ 1 | PAGE_SIZE << 8, UINT64_C(0xfffffffffff), "page 0xffffffffff is above all" },
		{ 1 | PAGE_SIZE << 8, UINT64_C(0x100000000000), "page 0x10000000000 is above" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_10(100, 1);
		put_stored(1, 1);
		put_stored(2, 2);
		put(rows[i].header, 4);
		put(rows[i].descriptor, 8);
		at = KERNEL << PAGE_SHIFT;
		put_stored(3, 3);
		expect_partial(rows[i].said, 3);
	}
	expect_said("boot section: 2 of 100 pages are there");
}

/* A kernel section of pages 1 to `count`, one in each set; the header of set 3 is not there. */
static void put_damaged_section(uint64_t count)
{
	begin_10(0, count);
	store_u64(file + AT_BOOT_PAGE, 0);
	at = KERNEL << PAGE_SHIFT;
	for (uint64_t i = 1; i <= count; i++) {
		if (i == 3)
			memset(file + at, 0xff, 4);
		else
			put_set(PLAIN, PAGE_SIZE, descriptor(i, 1));
		at = (KERNEL << PAGE_SHIFT) + i * (12 + PAGE_SIZE);
		memset(file + at - PAGE_SIZE, (int)i, PAGE_SIZE);
	}
}

Test(hiberfil, damage_costs_no_set_behind_it)
{
	put_damaged_section(12);
	open_ok();
	expect_said("partial: kernel section: bytes 0xe018 to 0xf024 of the file are left out: "
		    "0xe018: no compression set");
	expect_said("kernel section: 11 of 12 pages are there");
	for (int i = 1; i <= 12; i++)
		expect_page((uint64_t)i, i == 3 ? -1 : i);
	snapshot_close(snapshot);
}

/* Windows writes over the file of the last time: old sets lie behind the new ones. */
Test(hiberfil, sets_of_an_older_hibernation_are_left_alone)
{
	put_damaged_section(12);
	at += 5;
	for (uint64_t gfn = 0x100; gfn < 0x108; gfn++)
		put_stored(gfn, 0xee);
	open_ok();
	expect_page(12, 12);
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 11, "%s", said);
	snapshot_close(snapshot);
}

Test(hiberfil, half_a_section)
{
	begin_10(1, 1);
	put_stored(1, 1);
	store_u64(file + AT_KERNEL_PAGES, 0);
	expect_partial("kernel section: it is at page 0xc of the file and has 0 pages", 1);
	begin_10(1, 1);
	put_stored(1, 1);
	store_u64(file + AT_KERNEL_PAGE, 0);
	expect_partial("kernel section: it is at page 0x0 of the file and has 1 pages", 1);
	begin_10(1, 0);
	put_stored(1, 1);
	open_ok();
	cr_expect_eq(diag.partial, 0, "%s", said);
	snapshot_close(snapshot);
}

/* Said, and still read. */
Test(hiberfil, pages_above_the_last)
{
	begin_10(3, 0);
	put_stored(HIGHEST + 1, 1);
	put_stored(HIGHEST, 2);
	put_stored(UINT64_C(0xffffffffff), 3);
	open_ok();
	expect_said("note: boot section: up to 2 pages are above the machine's last, 0xfff");
	expect_page(HIGHEST, 2);
	expect_page(HIGHEST + 1, 1);
	expect_page(UINT64_C(0xffffffffff), 3);
	snapshot_close(snapshot);
}

Test(hiberfil, truncated_at_every_length)
{
	uint8_t values[HIGHEST & 7] = { 1, 2, 3, 4, 5, 6, 7 };

	begin_10(9, 0);
	put_set(PLAIN, sizeof(values) * PAGE_SIZE, descriptor(0, sizeof(values)));
	put_pages(values, sizeof(values));
	put_stored(7, 8);
	put_stored(8, 9);
	for (size = at - 1; size > (FIRST << PAGE_SHIFT) + 12; size -= 61) {
		bool any = size >= (FIRST << PAGE_SHIFT) + 12 + sizeof(values) * PAGE_SIZE;
		struct error *err = open_max(0);

		cr_assert_eq(err == NULL, any, "%zu", size);
		cr_assert_eq(diag.partial, 1);
		expect_said("boot section");
		expect_said("truncated");
		if (!err)
			expect_page(0, 1);
		error_destroy(err);
		snapshot_close(snapshot);
		snapshot = NULL;
	}
}

Test(hiberfil, sections_elsewhere)
{
	begin_10(1, 1);
	put_stored(1, 1);
	at = KERNEL << PAGE_SHIFT;
	put_stored(3, 3);
	store_u64(file + AT_BOOT_PAGE, UINT64_MAX >> 4);
	expect_partial("boot section: truncated: it is at page 0xfffffffffffffff", 1);
	store_u64(file + AT_KERNEL_PAGE, MAX_PAGES);
	expect_refusal(ERROR_CORRUPT, "no memory in this hiberfil file");
	store_u64(file + AT_BOOT_PAGE, FIRST);
	store_u64(file + AT_KERNEL_PAGE, FIRST); /* both sections in one place */
	open_ok();
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 1);
	cr_expect_eq(physmem_overlap_bytes(snapshot->mem), PAGE_SIZE);
	snapshot_close(snapshot);
}

Test(hiberfil, block_that_cannot_be_decoded)
{
	struct page_view view;
	struct error *err;

	begin_10(3, 0);
	put_stored(1, 1);
	put_set(HUFFMAN, 300, descriptor(2, 1)); /* no code */
	at += 300;
	put_stored(3, 3);
	open_ok();
	expect_page(1, 1);
	expect_page(3, 3);
	cr_assert_not(physmem_view(snapshot->mem, 2 << PAGE_SHIFT, &view, &err));
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_CORRUPT);
	cr_expect_not_null(strstr(error_message(err), "0x3018: 1 pages: 300 bytes are no "
						      "xpress-huffman block"),
			   "%s", error_message(err));
	error_destroy(err);
	snapshot_close(snapshot);
}

/* An index takes memory: what does not fit is refused. */
Test(hiberfil, memory_is_bounded)
{
	struct error *err;

	begin_10(4, 0);
	for (uint64_t gfn = 1; gfn <= 4; gfn++)
		put_stored(2 * gfn, (uint8_t)gfn);
	err = open_max(40 << 10);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT);
	cr_expect_not_null(strstr(error_message(err), "--max-memory"), "%s", error_message(err));
	error_destroy(err);
}

Test(hiberfil, notes)
{
	begin_10(1, 0);
	put_stored(1, 1);
	file[AT_HIBERBOOT] = 1;
	store_u64(file + AT_SECURE_PAGE, 5);
	store_u64(file + 0x20, 133000000000000000);
	open_ok();
	expect_said("note: written by a shutdown with fast startup");
	expect_said("note: pages of the secure kernel, at page 0x5 of the file");
	expect_said("note: no processor state");
	cr_expect_eq(snapshot->info.num_registers, 0);
	cr_expect(snapshot->info.has_system_time);
	cr_expect_eq(snapshot->info.system_time, 133000000000000000);
	cr_expect_eq(diag.partial, 0);
	snapshot_close(snapshot);
	memcpy(file, "wake", 4);
	open_ok();
	expect_said("note: Windows has resumed from this file");
	snapshot_close(snapshot);
	memcpy(file, "RSTR", 4);
	open_ok();
	expect_said("note: Windows was resuming");
	snapshot_close(snapshot);
}

Test(hiberfil, other_windows)
{
	begin("HIBR", 0x3e4);
	expect_refusal(ERROR_UNSUPPORTED, "header of 996 bytes, pages of 4096");
	begin("HIBR", 0x340);
	store_u32(file + 0x14, PAGE_SIZE);
	store_u32(file + 0x18, 7);
	expect_refusal(ERROR_UNSUPPORTED, "hibernation file of a 32-bit Windows");
	begin("WAKE", 0);
	store_u32(file + 0x18, 0);
	expect_refusal(ERROR_CORRUPT, "the header was wiped when Windows resumed");
	begin("HIBR", 0x3e0);
	size = 100;
	expect_refusal(ERROR_CORRUPT, "truncated: 100 bytes, expected a header of 4096");
}

Test(hiberfil, windows_7)
{
	static const uint8_t values[] = { 1, 2 };
	static struct packer plain;
	uint8_t page[PAGE_SIZE];

	begin_7();
	put_table(0, 3, 0x100);
	memset(page, 3, sizeof(page));
	xpress_pack(&plain, page, sizeof(page), 1);
	put_block_header(1, (uint32_t)plain.len);
	memcpy(file + at, plain.out, plain.len);
	at += (plain.len + 7) / 8 * 8;
	put_block_header(2, 2 * PAGE_SIZE);
	put_pages(values, 2);
	open_ok();
	cr_expect_str_eq(snapshot->info.subtype, "windows-7");
	cr_expect_eq(diag.partial, 0, "%s", said);
	expect_page(0x100, 3);
	expect_page(0x101, -1);
	expect_page(0x102, 1);
	expect_page(0x104, 2);
	snapshot_close(snapshot);
	/* a wrong page of the table; none at all; no header */
	store_u64(file + AT_TABLE_PAGE, 5);
	expect_partial("names page 0x5 of the file as the first table, found it at page 0x2", 3);
	store_u64(file + AT_TABLE_PAGE, UINT64_MAX);
	expect_partial("names page 0xffffffffffffffff", 3);
	memset(file, 0, PAGE_SIZE);
	open_ok();
	expect_said("note: the header was wiped when Windows resumed");
	expect_page(0x104, 2);
	cr_expect_not(snapshot->info.has_system_time);
	snapshot_close(snapshot);
	memset(file + ((FIRST + 1) << PAGE_SHIFT), 0, 8);
	memcpy(file, "wake", 4);
	expect_refusal(ERROR_CORRUPT, "no block of pages in the first 10 pages of the file");
}

Test(hiberfil, damaged_blocks)
{
	static const struct {
		const char *magic;
		uint32_t pages, bytes;
		const char *said;
	} rows[] = {
		{ "\x81\x81xpresS", 1, 8, "expected a block of pages" },
		{ NULL, 17, 8, "block of 17 pages in 8 bytes" },
		{ NULL, 3, 8, "block of 3 pages in 8 bytes: expected at most 16 pages, of 2" },
		{ NULL, 1, PAGE_SIZE + 1, "block of 1 pages in 4097 bytes" },
		{ NULL, 1024, 0x400000, "block of 1024 pages in 4194304 bytes" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t value = 1;

		begin_7();
		put_table(0, 3, 0x100);
		put_block_header(1, PAGE_SIZE);
		put_pages(&value, 1);
		put_block_header(rows[i].pages, rows[i].bytes);
		if (rows[i].magic)
			memcpy(file + at - 32, rows[i].magic, 8);
		expect_partial(rows[i].said, 1);
		expect_said("table at 0x2000: 1 of 3 pages are there");
	}
	size = at - 32 + 20;
	expect_partial("expected 32 bytes at file offset 0x4020", 1); /* half a header */
	file[at - 24] = 0;					      /* one page */
	store_u32(file + at - 24, 99 << 10);
	size = at + 50;
	expect_partial("0x4020: truncated: block of 100 bytes, 50 bytes left", 1);
}

Test(hiberfil, damaged_tables)
{
	enum { FULL = 255, NEXT = 20 };
	uint8_t value = 1;

	/* a full table, and another one */
	begin_7();
	put_table(NEXT, FULL, 0x100);
	put_block_header(1, PAGE_SIZE);
	put_pages(&value, 1);
	at = NEXT << PAGE_SHIFT;
	put_table(NEXT + 1, 1, 0x900); /* not full: the last one */
	put_block_header(1, PAGE_SIZE);
	put_pages(&value, 1);
	expect_partial("table at 0x2000: 1 of 255 pages are there", 2);
	cr_expect_null(strstr(said, "tables of pages"), "%s", said);
	/* back to itself, before it, behind the file */
	store_u64(file + (FIRST << PAGE_SHIFT), FIRST);
	expect_partial("the next table is at page 0x2, before its end", 1);
	store_u64(file + (FIRST << PAGE_SHIFT), MAX_PAGES);
	expect_partial("truncated: a table at page 0x28", 1);
	store_u64(file + (FIRST << PAGE_SHIFT), UINT64_MAX);
	expect_partial("truncated: a table at page 0xffffffffffffffff", 1);
	store_u64(file + (FIRST << PAGE_SHIFT), NEXT);
	store_u32(file + (NEXT << PAGE_SHIFT) + 8, 256);
	expect_partial("0x14000: no table of pages: expected 1 to 255 ranges, found 256", 1);
	store_u32(file + (NEXT << PAGE_SHIFT) + 8, 1);
	store_u64(file + (NEXT << PAGE_SHIFT) + 16, 0x901);
	expect_partial("0x14000: no table of pages: range 0 is 0x901 to 0x901", 1);
	store_u64(file + (NEXT << PAGE_SHIFT) + 24, UINT64_MAX);
	expect_partial("range 0 is 0x901 to 0xffffffffffffffff", 1);
	/* as large as it gets: what is in blocks counts */
	store_u64(file + (NEXT << PAGE_SHIFT) + 24, UINT64_C(1) << 40);
	expect_partial("table at 0x14000: 1 of 1099511625471 pages are there", 2);
	/* the first */
	store_u64(file + (FIRST << PAGE_SHIFT) + 16, UINT64_MAX);
	expect_refusal(ERROR_CORRUPT, "0x2000: no table of pages");
}

static void put_state(size_t context)
{
	uint8_t *p = file + PAGE_SIZE;

	store_u64(p, 0x80050033);
	store_u64(p + 0x10, 0x1aa002);
	store_u64(p + 0x18, 0x20);
	store_u16(p + 0x56, 0x57);
	store_u64(p + 0x58, 0xfffff80000001000);
	store_u16(p + 0x66, 0xfff);
	store_u64(p + 0x68, 0xfffff80000002000);
	store_u16(p + 0x70, 0x40);
	store_u64(p + 0xb0, 0x1234);
	store_u32(p + context + 0x30, 0x10000f);
	store_u16(p + context + 0x38, 0x10);
	store_u64(p + context + 0xf8, 0xfffff80012345678);
}

Test(hiberfil, processor_state)
{
	static const size_t contexts[] = { 0xe0, 0xf0, 0x200 };

	for (size_t i = 0; i < ARRAY_SIZE(contexts); i++) {
		const struct registers *r;

		begin_10(1, 0);
		put_stored(1, 1);
		put_state(contexts[i]);
		open_ok();
		cr_assert_eq(snapshot->info.num_registers, 1);
		r = snapshot->info.registers;
		cr_expect_eq(r->cr3, 0x1aa002);
		cr_expect_eq(r->kernel_gs_base, 0x1234);
		cr_expect_eq(r->idtr.base, 0xfffff80000002000);
		cr_expect_eq(r->tr.selector, 0x40);
		cr_expect_eq(!!(r->known & REGS_GENERAL), i < 2);
		cr_expect_eq(r->rip, i < 2 ? 0xfffff80012345678 : 0);
		cr_expect_not(r->known & REGS_EFER);
		snapshot_close(snapshot);
	}
	/* no paging, no table, a user's table: no state */
	file[PAGE_SIZE + 3] = 0;
	open_ok();
	cr_expect_eq(snapshot->info.num_registers, 0);
	snapshot_close(snapshot);
	put_state(0xe0);
	store_u64(file + PAGE_SIZE + 0x68, 0x7fff00002000);
	open_ok();
	cr_expect_eq(snapshot->info.num_registers, 0);
	snapshot_close(snapshot);
}
