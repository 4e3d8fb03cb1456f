/* SPDX-License-Identifier: MIT */
/*
 * Cores that QEMU and makedumpfile wrote, against the same machine's raw memory and QEMU's own
 * word on the registers; and a capture of a real machine. Skipped where the images are not.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "formats/format.h"
#include "tests/images.h"

static struct diag diag;

static void setup(void)
{
	diag_init(&diag, NULL, NULL);
}

TestSuite(elf_images, .init = setup, .fini = images_remove, .timeout = 120);

static struct snapshot *open_image(const char *name, const char *format)
{
	struct snapshot *snapshot = NULL;
	char path[IMAGES_PATH_SIZE];
	struct error *err;

	images_path(path, "%s", name);
	err = snapshot_open(path, &(struct snapshot_options){ .format = format }, &diag, &snapshot);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return snapshot;
}

static json_t *open_truth(const char *path)
{
	json_t *truth = json_load_file(path, 0, NULL);

	cr_assert_not_null(truth, "%s", path);
	return truth;
}

static uint64_t hex(const json_t *value)
{
	return json_is_integer(value) ? (uint64_t)json_integer_value(value)
				      : strtoull(json_string_value(value), NULL, 16);
}

static uint64_t hex_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	cr_assert_not_null(value, "no %s in the truth", key);
	return hex(value);
}

static const struct {
	const char *key;
	size_t offset;
} register_keys[] = {
#define REG(key, name)                                \
	{                                             \
		key, offsetof(struct registers, name) \
	}
	REG("rax", rax), REG("rbx", rbx), REG("rcx", rcx), REG("rdx", rdx), REG("rsi", rsi),
	REG("rdi", rdi), REG("rbp", rbp), REG("rsp", rsp), REG("r8", r8),   REG("r9", r9),
	REG("r10", r10), REG("r11", r11), REG("r12", r12), REG("r13", r13), REG("r14", r14),
	REG("r15", r15), REG("rip", rip), REG("cr0", cr0), REG("cr3", cr3), REG("cr4", cr4),
#undef REG
};

static void expect_words(const struct registers *regs, const json_t *truth)
{
	for (size_t i = 0; i < ARRAY_SIZE(register_keys); i++) {
		uint64_t expected = hex_at(truth, register_keys[i].key), found;

		memcpy(&found, (const uint8_t *)regs + register_keys[i].offset, sizeof(found));
		cr_expect_eq(found, expected, "%s: expected 0x%lx, found 0x%lx",
			     register_keys[i].key, (long)expected, (long)found);
	}
}

static void expect_segment(const struct segment_register *segment, const json_t *truth)
{
	uint64_t flags = hex_at(truth, "flags");

	cr_expect_eq(segment->selector, hex_at(truth, "sel"));
	cr_expect_eq(segment->base, hex_at(truth, "base"));
	cr_expect_eq(segment->limit, hex_at(truth, "limit"));
	cr_expect_eq(segment->access, (flags >> 8 & 0xff) | (flags >> 20 & 0xf) << 8);
}

static void expect_qemu_registers(const struct snapshot *snapshot, const json_t *cpus)
{
	cr_assert_eq(snapshot->info.num_cpus, json_array_size(cpus));
	cr_assert_eq(snapshot->info.num_registers, json_array_size(cpus));
	for (size_t i = 0; i < json_array_size(cpus); i++) {
		const json_t *truth = json_object_get(json_array_get(cpus, i), "registers");
		const struct registers *regs = &snapshot->info.registers[i];

		expect_words(regs, truth);
		cr_expect_eq(regs->rflags, hex_at(truth, "rfl"));
		cr_expect_eq(regs->cr2, hex_at(truth, "cr2"));
		expect_segment(&regs->cs, json_object_get(truth, "cs"));
		expect_segment(&regs->ds, json_object_get(truth, "ds"));
		expect_segment(&regs->es, json_object_get(truth, "es"));
		expect_segment(&regs->fs, json_object_get(truth, "fs"));
		expect_segment(&regs->gs, json_object_get(truth, "gs"));
		expect_segment(&regs->ss, json_object_get(truth, "ss"));
		expect_segment(&regs->tr, json_object_get(truth, "tr"));
		expect_segment(&regs->ldtr, json_object_get(truth, "ldt"));
		cr_expect_eq(regs->gdtr.base, hex_at(json_object_get(truth, "gdt"), "base"));
		cr_expect_eq(regs->gdtr.limit, hex_at(json_object_get(truth, "gdt"), "limit"));
		cr_expect_eq(regs->idtr.base, hex_at(json_object_get(truth, "idt"), "base"));
		cr_expect_eq(regs->idtr.limit, hex_at(json_object_get(truth, "idt"), "limit"));
		cr_expect(regs->known & REGS_KERNEL_GS);
		cr_expect_not(regs->known & (REGS_EFER | REGS_SYSCALL));
	}
}

/* What the core has of one run of RAM equals the raw file; the number of bytes compared. */
static uint64_t compare_run(const struct snapshot *core, const struct snapshot *raw, uint64_t start,
			    uint64_t end, uint64_t raw_offset)
{
	struct mem_range range;
	uint64_t pa = start, compared = 0;

	for (; physmem_next(core->mem, pa, false, &range) && range.start < end; pa = range.end) {
		if (range.end > end)
			range.end = end;
		for (uint64_t at = range.start; at < range.end;) {
			struct page_view view;
			uint64_t stop = (at & ~(uint64_t)PAGE_MASK) + PAGE_SIZE;

			if (stop > range.end)
				stop = range.end;
			cr_assert(physmem_view(core->mem, at, &view, NULL));
			cr_assert_eq(memcmp(view.bytes + (at & PAGE_MASK) - view.begin,
					    raw->file.bytes + raw_offset + (at - start), stop - at),
				     0, "differs at 0x%lx", (long)at);
			page_release(&view);
			compared += stop - at;
			at = stop;
		}
	}
	return compared;
}

static uint64_t count_range(const struct snapshot *core, uint64_t start, uint64_t end)
{
	struct mem_range range;
	uint64_t count = 0;

	for (; physmem_next(core->mem, start, false, &range) && range.start < end;
	     start = range.end)
		count += (range.end < end ? range.end : end) - range.start;
	return count;
}

/* is_whole: the core has all of RAM. Beside RAM there is only the BIOS ROM below 4 GiB. */
static void check_core(const char *name, const char *format, const struct snapshot *raw,
		       const json_t *truth, bool is_whole)
{
	struct snapshot *core = open_image(name, NULL);
	const json_t *runs = json_object_get(truth, "raw_runs"), *run_row;
	uint64_t compared = 0, total = 0, rom = count_range(core, 0xfffc0000, 0x100000000);
	size_t i;

	cr_expect_str_eq(core->format->name, format);
	json_array_foreach(runs, i, run_row)
	{
		uint64_t start = hex(json_array_get(run_row, 0));
		uint64_t length = hex(json_array_get(run_row, 1));

		compared += compare_run(core, raw, start, start + length,
					hex(json_array_get(run_row, 2)));
		total += length;
	}
	cr_expect_gt(compared, 0);
	if (is_whole)
		cr_expect_eq(compared, total, "%s", name);
	cr_expect_eq(physmem_captured_bytes(core->mem), compared + rom, "%s", name);
	expect_qemu_registers(core, json_object_get(truth, "cpus"));
	cr_expect_eq(diag.partial, 0, "%s", name);
	snapshot_close(core);
}

/* kdump: one of the whole machine, NULL: there is none. */
static void check_qemu(const char *variant, const char *kdump)
{
	char name[64], path[IMAGES_PATH_SIZE];
	struct snapshot *raw;
	json_t *truth;

	snprintf(name, sizeof(name), "qemu/%s.tar.xz", variant);
	images_unpack_tar(name, "dump.elf dump-paging.elf dump-filter.elf mdf.d31.elf mem.raw "
				"mdf.plain.d31.kdump mdf.plain.d31.flat.kdump");
	snprintf(name, sizeof(name), "qemu/%s-truth.tar.xz", variant);
	images_unpack_tar(name, "--strip-components=1");
	images_path(path, "truth.json");
	truth = open_truth(path);
	raw = open_image("mem.raw", "raw");
	check_core("dump.elf", "elf", raw, truth, true);
	check_core("dump-paging.elf", "elf", raw, truth, false);
	check_core("dump-filter.elf", "elf", raw, truth, false);
	check_core("mdf.d31.elf", "elf", raw, truth, false);
	check_core("mdf.plain.d31.kdump", "kdump", raw, truth, false);
	check_core("mdf.plain.d31.flat.kdump", "flattened", raw, truth, false);
	if (kdump) {
		images_unpack_xz(kdump, path);
		check_core("a.dump.zlib.kdump", "flattened", raw, truth, true);
	}
	snapshot_close(raw);
	json_decref(truth);
}

Test(elf_images, qemu_4_levels)
{
	check_qemu("a", "qemu/a.dump.zlib.kdump.xz");
}

Test(elf_images, qemu_5_levels)
{
	check_qemu("b", NULL);
}

/* The access words of its segments lack the granularity bit: they are given as they stand. */
Test(elf_images, real_machine)
{
	const struct registers *regs;
	char path[IMAGES_PATH_SIZE];
	struct snapshot *core;
	json_t *truth;
	json_t *cpu;

	images_unpack_xz("real/real17763-a.elf.xz", path);
	truth = open_truth(SHARED_DIR "/images/real/real17763-a.truth.json");
	cpu = json_object_get(truth, "cpu");
	core = open_image("real17763-a.elf", NULL);
	cr_expect_eq(physmem_captured_pages(core->mem),
		     (uint64_t)json_integer_value(json_object_get(truth, "pages")));
	cr_expect_eq(physmem_captured_bytes(core->mem), 933 * PAGE_SIZE);
	cr_assert_eq(core->info.num_registers, 1);
	regs = &core->info.registers[0];
	expect_words(regs, cpu);
	cr_expect_eq(regs->rflags, hex_at(cpu, "rflags"));
	cr_expect_eq(regs->gs.base, hex_at(cpu, "gs_base"));
	cr_expect_eq(regs->kernel_gs_base, hex_at(cpu, "kernel_gs_base"));
	cr_expect_eq(regs->gdtr.base, hex_at(cpu, "gdtr"));
	cr_expect_eq(regs->gdtr.limit, hex_at(cpu, "gdtl"));
	cr_expect_eq(regs->idtr.base, hex_at(cpu, "idtr"));
	cr_expect_eq(regs->cs.selector, 0x10);
	cr_expect_eq(regs->cs.access, 0x29b);
	cr_expect_eq(diag.partial, 0);
	snapshot_close(core);
	json_decref(truth);
}

/* All of a is in b, and is the same there; the number of pages. */
static uint64_t compare_pages(const struct snapshot *a, const struct snapshot *b)
{
	uint8_t left[PAGE_SIZE], right[PAGE_SIZE];
	struct mem_range range;
	uint64_t pages = 0;

	for (uint64_t pa = 0; physmem_next(a->mem, pa, false, &range); pa = range.end) {
		for (uint64_t at = range.start; at < range.end; at += PAGE_SIZE, pages++) {
			cr_assert_eq(physmem_read(a->mem, at, left, PAGE_SIZE), PAGE_SIZE);
			cr_assert_eq(physmem_read(b->mem, at, right, PAGE_SIZE), PAGE_SIZE,
				     "0x%lx is absent", (long)at);
			cr_assert_eq(memcmp(left, right, PAGE_SIZE), 0, "differs at 0x%lx",
				     (long)at);
		}
	}
	return pages;
}

/* Every compression that QEMU has, reassembled and as a stream, against the core of that moment. */
Test(elf_images, qemu_kdumps_equal_the_core)
{
	static const struct {
		const char *folder, *name, *format, *codec;
	} rows[] = {
		{ "nt-self4", "dump.zlib.kdump", "flattened", "zlib" },
		{ "nt-self4", "dump.lzo.kdump", "flattened", "lzo" },
		{ "nt-self4", "dump.snappy.kdump", "flattened", "snappy" },
		{ "nt-self5", "dump.zlib.kdump", "flattened", "zlib" },
		{ "nt-self5", "dump.lzo.kdump", "flattened", "lzo" },
		{ "nt-self5", "dump.snappy.kdump", "flattened", "snappy" },
		{ "nt-self4-q10", "dump.zlib.kdump", "flattened", "zlib" },
		{ "nt-self4-q10", "dump.raw-zlib.kdump", "kdump", "zlib" },
		{ "nt-self5-q10", "dump.zlib.kdump", "flattened", "zlib" },
		{ "nt-self5-q10", "dump.raw-zlib.kdump", "kdump", "zlib" },
	};

	images_unpack_tar("qemu/nt.tar.xz", "--transform=s,.*/nt-,nt-,");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct snapshot *core, *kdump;
		char name[64];

		snprintf(name, sizeof(name), "%s/dump.elf", rows[i].folder);
		core = open_image(name, NULL);
		snprintf(name, sizeof(name), "%s/%s", rows[i].folder, rows[i].name);
		kdump = open_image(name, NULL);
		cr_expect_str_eq(kdump->format->name, rows[i].format);
		cr_expect_str_eq(kdump->info.subtype, rows[i].codec);
		cr_expect_eq(compare_pages(core, kdump), 4160);
		cr_expect_eq(compare_pages(kdump, core), 4160);
		cr_assert_eq(kdump->info.num_cpus, core->info.num_cpus);
		cr_assert_eq(kdump->info.num_registers, core->info.num_registers);
		cr_expect_arr_eq(kdump->info.registers, core->info.registers,
				 core->info.num_registers * sizeof(*core->info.registers));
		cr_expect_eq(diag.partial, 0, "%s", name);
		snapshot_close(core);
		snapshot_close(kdump);
	}
}
