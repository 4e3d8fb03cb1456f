/* SPDX-License-Identifier: MIT */
#ifndef MIGRATION_BUILDER_H
#define MIGRATION_BUILDER_H

#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"
#include "capture_check.h"

/* Builds QEMU's migration streams. Layout: formats/migration/stream.h. */

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

static inline void put(uint64_t value, size_t size)
{
	uint8_t *p = capture_add(&c, size);

	for (size_t i = size; i-- > 0; value >>= 8)
		p[i] = (uint8_t)value;
}

static inline void put_text(const char *text)
{
	capture_put(&c, text, strlen(text));
}

static inline void put_name(const char *name)
{
	put(strlen(name), 1);
	put_text(name);
}

static inline void put_header(const char *machine)
{
	put_text("QEVM");
	put(3, 4);
	put(7, 1);
	put(strlen(machine), 4);
	put_text(machine);
}

static inline void put_section(unsigned type, uint32_t id, const char *name)
{
	put(type, 1);
	put(id, 4);
	if (type != START && type != FULL)
		return;
	put_name(name);
	put(0, 4);
	put(4, 4);
}

static inline void put_footer(uint32_t id)
{
	put(FOOTER, 1);
	put(id, 4);
}

static inline void end_section(void)
{
	put(EOS, 8);
	put_footer(RAM_ID);
}

struct block {
	const char *name;
	uint64_t length;
};

static inline void put_blocks(const struct block *blocks, size_t count)
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
static inline void put_page_head(const char *name, uint64_t offset, unsigned flag)
{
	put(offset | flag | (name ? 0 : CONTINUE), 8);
	if (name)
		put_name(name);
}

static inline void put_page(const char *name, uint64_t offset, int value)
{
	put_page_head(name, offset, DATA);
	memset(capture_add(&c, PAGE_SIZE), value, PAGE_SIZE);
}

static inline void put_filled(const char *name, uint64_t offset, int value)
{
	put_page_head(name, offset, ZERO);
	put((uint64_t)value, 1);
}

/* A machine with memory of that size, of which some pages are in the stream. */
static inline void put_memory(const char *machine, uint64_t size)
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

static inline void put_end(void)
{
	put(0, 1);
}

static inline void done(void)
{
	capture_deinit(&c);
}

static inline void expect_memory(void)
{
	capture_expect_byte(&c, 0, 0x11);
	capture_expect_byte(&c, 0x1fff, 0);
	capture_expect_byte(&c, 0x2fff, 0x77);
	capture_expect_absent(&c, 0x3000);
	capture_expect_absent(&c, 4 * GIB - BIOS_SIZE);
	capture_expect_byte(&c, 4 * GIB - 0x1000, 0x33);
}

/* A device's section whose fields are `bytes`. */
static inline void put_device(uint32_t id, const char *name, const void *bytes, size_t size)
{
	put_section(FULL, id, name);
	capture_put(&c, bytes, size);
	put_footer(id);
}

static inline void put_description(const char *json)
{
	put_end();
	put(DESCRIPTION, 1);
	put(strlen(json), 4);
	put_text(json);
}

static inline void put_cmos(uint64_t below, uint64_t above)
{
	uint8_t cmos[128] = { 0 };

	store_u16(cmos + 0x34, (uint16_t)((below - 16 * MIB) >> 16));
	store_u32(cmos + 0x5b, (uint32_t)(above >> 16));
	put_device(11, "mc146818rtc", cmos, sizeof(cmos));
}

#define CLOCK                                                      \
	"{\"name\":\"mc146818rtc\",\"instance_id\":0,\"fields\":[" \
	"{\"name\":\"cmos_data\",\"size\":128}]}"

/* 16 general registers, rip, flags; a subsection; the rest is not in this stream. */
#define CPU                                                                       \
	"{\"name\":\"cpu\",\"instance_id\":0,\"fields\":["                        \
	"{\"name\":\"env.regs\",\"array_len\":16,\"size\":8},"                    \
	"{\"name\":\"env.eip\",\"size\":8},{\"name\":\"env.eflags\",\"size\":8}," \
	"{\"name\":\"env.gdt\",\"size\":12,\"struct\":{\"fields\":["              \
	"{\"name\":\"base\",\"size\":8},{\"name\":\"limit\",\"size\":4}]}},"      \
	"{\"name\":\"env.cr[3]\",\"size\":8}],"                                   \
	"\"subsections\":[{\"vmsd_name\":\"cpu/x\",\"fields\":[{\"name\":\"x\",\"size\":4}]}]}"

static inline void put_cpu(void)
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

#endif
