/* SPDX-License-Identifier: MIT */
#include "crashdump_fake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/registry.h"

void fake_set32(struct fake *f, size_t offset, uint32_t value)
{
	store_u32(f->bytes + offset, value);
}

void fake_set64(struct fake *f, size_t offset, uint64_t value)
{
	store_u64(f->bytes + offset, value);
}

void fake_header(struct fake *f, uint32_t type)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < FAKE_HEADER; i += 4)
		memcpy(f->bytes + i, "PAGE", 4);
	memcpy(f->bytes + 4, "DU64", 4);
	fake_set32(f, 0x08, 15);
	fake_set32(f, 0x0c, 19041);
	fake_set64(f, 0x10, 0x1ad000);
	fake_set64(f, 0x18, 0xfffff80000100000);
	fake_set64(f, 0x20, 0xfffff80000200000);
	fake_set64(f, 0x28, 0xfffff80000300000);
	fake_set32(f, 0x30, 0x8664);
	fake_set32(f, 0x34, 4);
	fake_set32(f, 0x38, 0xe2);
	for (unsigned i = 0; i < 4; i++)
		fake_set64(f, 0x40 + i * 8, i + 1);
	fake_set64(f, 0x80, 0xfffff80000400000);
	fake_set32(f, 0xf98, type);
	f->size = FAKE_HEADER;
}

static void put_page(struct fake *f, uint64_t gfn)
{
	memset(f->bytes + f->size, (int)(gfn & 0xff), PAGE_SIZE);
	f->size += PAGE_SIZE;
}

void fake_full(struct fake *f)
{
	fake_header(f, 1);
	fake_set32(f, 0x88, 2);
	fake_set64(f, 0x90, 3);
	fake_set64(f, 0x98, 1);
	fake_set64(f, 0xa0, 2);
	fake_set64(f, 0xa8, 5);
	fake_set64(f, 0xb0, 1);
	put_page(f, 1);
	put_page(f, 2);
	put_page(f, 5);
}

static const uint64_t bitmap_pages[] = { 1, 2, 600, 1599 };
enum { BITMAP_BITS = 1600 };

static void put_bitmap(struct fake *f, size_t bits, uint64_t first_page)
{
	for (size_t i = 0; i < ARRAY_SIZE(bitmap_pages); i++)
		f->bytes[bits + bitmap_pages[i] / 8] |= (uint8_t)(1 << bitmap_pages[i] % 8);
	f->size = first_page;
	for (size_t i = 0; i < ARRAY_SIZE(bitmap_pages); i++)
		put_page(f, bitmap_pages[i]);
}

void fake_bitmap(struct fake *f, uint32_t type)
{
	const uint64_t first_page = 0x2038 + BITMAP_BITS / 8; /* not aligned */

	fake_header(f, type);
	memcpy(f->bytes + 0x2000, type == 5 ? "FDMPDUMP" : "SDMPDUMP", 8);
	fake_set64(f, 0x2020, first_page);
	fake_set64(f, 0x2028, ARRAY_SIZE(bitmap_pages));
	fake_set64(f, 0x2030, BITMAP_BITS);
	put_bitmap(f, 0x2038, first_page);
}

void fake_summary(struct fake *f)
{
	const uint32_t first_page = 0x3000;

	fake_header(f, 2);
	memcpy(f->bytes + 0x2000, "SDMPDUMP", 8);
	fake_set32(f, 0x200c, first_page);
	fake_set32(f, 0x2010, BITMAP_BITS);
	fake_set32(f, 0x2014, ARRAY_SIZE(bitmap_pages));
	fake_set32(f, 0x2018, BITMAP_BITS);
	fake_set64(f, 0x2020, 0xfffffa8000000000);
	put_bitmap(f, 0x2028, first_page);
}

void fake_rdmp(struct fake *f, uint32_t type)
{
	fake_header(f, type);
	fake_set32(f, 0x2000, 0x40);
	memcpy(f->bytes + 0x2004, "RDMPDUMP", 8);
	fake_set64(f, 0x2010, 0x40); /* first page - 0x2020 */
	fake_set64(f, 0x2018, 0x2060);
	if (type == 10) {
		fake_set32(f, 0x2020, 2);
		fake_set64(f, 0x2028, 3);
	}
	fake_set64(f, 0x2030, 1);
	fake_set64(f, 0x2038, 2);
	fake_set64(f, 0x2040, 5);
	fake_set64(f, 0x2048, 1);
	f->size = 0x2060;
	put_page(f, 1);
	put_page(f, 2);
	put_page(f, 5);
}

static void put_units(struct fake *f, size_t offset, const char *text)
{
	for (size_t i = 0; text[i]; i++)
		f->bytes[offset + i * 2] = (uint8_t)text[i];
}

static void put_string(struct fake *f, size_t offset, const char *text)
{
	fake_set32(f, offset, (uint32_t)strlen(text));
	put_units(f, offset + 4, text);
}

static void put_unloaded(struct fake *f, size_t row, const char *name, uint64_t start)
{
	f->bytes[row] = (uint8_t)(strlen(name) * 2);
	put_units(f, row + 0x10, name);
	fake_set64(f, row + 0x28, start);
	fake_set64(f, row + 0x30, start + 0x10000);
}

static void put_driver(struct fake *f, unsigned index, uint32_t name, uint64_t base)
{
	size_t row = FAKE_TRIAGE_DRIVERS + index * 0x90;

	fake_set32(f, row, name);
	fake_set64(f, row + 0x38, base);
	fake_set64(f, row + 0x40, base + 0x10);
	fake_set32(f, row + 0x48, 0x1000000);
	fake_set32(f, row + 0x80, 0xc0ffee + index);
	fake_set32(f, row + 0x88, 0x5dee2b07 + index);
}

static void put_triage_header(struct fake *f)
{
	static const uint32_t fields[] = {
		0,
		FAKE_TRIAGE_SIZE,
		FAKE_TRIAGE_VALID,
		0x348,
		0xf00,
		FAKE_TRIAGE_MM,
		FAKE_TRIAGE_UNLOADED,
		FAKE_TRIAGE_PRCB,
		FAKE_TRIAGE_PROCESS,
		FAKE_TRIAGE_THREAD,
		FAKE_TRIAGE_STACK,
		0x20,
		FAKE_TRIAGE_DRIVERS,
		2,
		FAKE_TRIAGE_STRINGS,
		FAKE_TRIAGE_BLOCKS - FAKE_TRIAGE_STRINGS,
		0,
		0x41,
	};

	fake_set32(f, 0x1038, 0xfff);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		fake_set32(f, 0x2000 + i * 4, fields[i]);
	fake_set64(f, 0x2048, 0xffffa70000000000);
	fake_set64(f, 0x2060, 0xffffa70000100000);
	fake_set32(f, 0x2068, FAKE_TRIAGE_PAGE);
	fake_set32(f, 0x206c, 0x10);
	fake_set32(f, 0x2070, FAKE_TRIAGE_DEBUGGER);
	fake_set32(f, 0x2074, 0x10);
	fake_set32(f, 0x2078, FAKE_TRIAGE_BLOCKS);
	fake_set32(f, 0x207c, 2);
}

void fake_triage(struct fake *f)
{
	fake_header(f, 4);
	put_triage_header(f);
	for (size_t i = FAKE_TRIAGE_MM; i < FAKE_TRIAGE_UNLOADED; i++)
		f->bytes[i] = (uint8_t)(i >> 4);
	fake_set32(f, FAKE_TRIAGE_UNLOADED, 1);
	put_unloaded(f, FAKE_TRIAGE_UNLOADED + 8, "dam.sys", 0xfffff80700000000);
	put_driver(f, 0, FAKE_TRIAGE_STRINGS, FAKE_KERNEL);
	put_driver(f, 1, FAKE_TRIAGE_STRINGS + 0x24, FAKE_KERNEL + 0x2000000);
	put_string(f, FAKE_TRIAGE_STRINGS, "ntoskrnl.exe");
	put_string(f, FAKE_TRIAGE_STRINGS + 0x24, "\\??\\C:\\drv.sys");
	fake_set64(f, FAKE_TRIAGE_BLOCKS, 0xffffa70000200000);
	fake_set32(f, FAKE_TRIAGE_BLOCKS + 8, FAKE_TRIAGE_BYTES);
	fake_set32(f, FAKE_TRIAGE_BLOCKS + 12, 0x10);
	fake_set64(f, FAKE_TRIAGE_BLOCKS + 16, 0xffffa70000300000);
	fake_set32(f, FAKE_TRIAGE_BLOCKS + 24, FAKE_TRIAGE_BYTES + 0x10);
	fake_set32(f, FAKE_TRIAGE_BLOCKS + 28, 0x10);
	memset(f->bytes + FAKE_TRIAGE_BYTES, 0xaa, 0x10);
	memset(f->bytes + FAKE_TRIAGE_BYTES + 0x10, 0xbb, 0x10);
	memcpy(f->bytes + FAKE_TRIAGE_VALID, "TRGD", 4);
	f->size = FAKE_TRIAGE_SIZE;
}

void fake_any(struct fake *f, unsigned kind)
{
	switch (kind) {
	case 0:
		fake_full(f);
		break;
	case 1:
		fake_bitmap(f, 5);
		break;
	case 2:
		fake_summary(f);
		break;
	case 3:
		fake_rdmp(f, 8);
		break;
	case 4:
		fake_rdmp(f, 10);
		break;
	default:
		fake_triage(f);
	}
}

static void keep_message(void *arg, enum diag_kind kind, const char *message)
{
	struct fake *f = arg;
	size_t used = strlen(f->messages);

	snprintf(f->messages + used, sizeof(f->messages) - used, "%s%s\n",
		 kind == DIAG_NOTE ? "note: " : "", message);
}

struct error *fake_open(struct fake *f)
{
	struct error *err;

	f->messages[0] = '\0';
	f->copy = malloc(f->size ? f->size : 1);
	if (!f->copy)
		abort();
	memcpy(f->copy, f->bytes, f->size);
	f->file = (struct file){ .fd = -1, .bytes = f->size ? f->copy : NULL, .size = f->size };
	diag_init(&f->diag, keep_message, f);
	memset(&f->info, 0, sizeof(f->info));
	arena_init(&f->info.arena, 1 << 20);
	if ((err = block_cache_create(0, &f->cache)) || (err = physmem_create(&f->mem)) ||
	    (err = virtmem_create(&f->virt)) ||
	    (err = crashdump_format.open(&(struct format_input){ .file = &f->file,
								 .mem = f->mem,
								 .virt = f->virt,
								 .info = &f->info,
								 .diag = &f->diag,
								 .cache = f->cache })) ||
	    (err = physmem_seal(f->mem)))
		return err;
	return virtmem_seal(f->virt);
}

void fake_close(struct fake *f)
{
	physmem_destroy(take_ptr(f->mem));
	virtmem_destroy(take_ptr(f->virt));
	block_cache_destroy(take_ptr(f->cache));
	arena_deinit(&f->info.arena);
	free(take_ptr(f->copy));
}

void fake_expect_open(struct fake *f)
{
	struct error *err = fake_open(f);

	cr_assert_null(err, "%s", error_message(err));
}

void fake_expect_error(struct fake *f, enum error_code code, const char *part)
{
	struct error *err = fake_open(f);

	cr_assert_not_null(err, "expected: %s", part);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), part), "%s: %s", part, error_message(err));
	error_destroy(err);
	fake_close(f);
}

bool fake_has_page(struct fake *f, uint64_t gfn)
{
	uint8_t page[PAGE_SIZE];

	if (physmem_read(f->mem, gfn << PAGE_SHIFT, page, sizeof(page)) != sizeof(page))
		return false;
	for (size_t i = 0; i < sizeof(page); i++) {
		if (page[i] != (gfn & 0xff))
			return false;
	}
	return true;
}
