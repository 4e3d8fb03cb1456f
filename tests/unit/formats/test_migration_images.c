/* SPDX-License-Identifier: MIT */
/*
 * QEMU's migration stream of a stopped machine against its core and raw memory of the same
 * moment, and against its own word on the registers. Skipped where the images are not.
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

TestSuite(migration_images, .init = setup, .fini = images_remove, .timeout = 120);

static struct snapshot *open_image(const char *name, const struct snapshot_options *options)
{
	struct snapshot *snapshot = NULL;
	char path[IMAGES_PATH_SIZE];
	struct error *err;

	images_path(path, "%s", name);
	err = snapshot_open(path, options, &diag, &snapshot);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return snapshot;
}

/* All of a is in b, and is the same there; the number of pages. */
static uint64_t compare(const struct snapshot *a, const struct snapshot *b)
{
	static uint8_t left[PAGE_SIZE], right[PAGE_SIZE];
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

/* What QEMU's note in its core has is the same in the stream. */
static void compare_registers(const struct registers *stream, const struct registers *core)
{
	/* words without padding: rax to cr4, and all segments */
	const size_t words = offsetof(struct registers, cr8) - offsetof(struct registers, rax);
	const size_t segments = offsetof(struct registers, gdtr) - offsetof(struct registers, cs);

	cr_expect_eq(core->known & ~stream->known, 0);
	cr_expect_eq(stream->known, REGS_GENERAL | REGS_SELECTORS | REGS_SEGMENTS | REGS_CONTROL |
					    REGS_CR3 | REGS_DEBUG | REGS_TABLES | REGS_TASK |
					    REGS_EFER | REGS_SYSCALL | REGS_GS_BASE |
					    REGS_KERNEL_GS | REGS_MXCSR);
	cr_expect_eq(memcmp(&stream->rax, &core->rax, words), 0);
	cr_expect_eq(memcmp(&stream->cs, &core->cs, segments), 0);
	cr_expect_eq(stream->gdtr.base, core->gdtr.base);
	cr_expect_eq(stream->gdtr.limit, core->gdtr.limit);
	cr_expect_eq(stream->idtr.base, core->idtr.base);
	cr_expect_eq(stream->idtr.limit, core->idtr.limit);
	cr_expect_eq(stream->kernel_gs_base, core->kernel_gs_base);
}

static void expect_number(const json_t *object, const char *key, uint64_t found)
{
	const char *text = json_string_value(json_object_get(object, key));

	cr_assert_not_null(text, "%s", key);
	cr_expect_eq(found, strtoull(text, NULL, 16), "%s: 0x%lx instead of 0x%s", key, (long)found,
		     text);
}

static void expect_registers(const struct snapshot *stream, const struct snapshot *core,
			     const json_t *cpus)
{
	cr_assert_eq(stream->info.num_cpus, json_array_size(cpus));
	cr_assert_eq(stream->info.num_registers, core->info.num_registers);
	for (size_t i = 0; i < json_array_size(cpus); i++) {
		const json_t *truth = json_object_get(json_array_get(cpus, i), "registers");
		const struct registers *regs = &stream->info.registers[i];

		compare_registers(regs, &core->info.registers[i]);
		expect_number(truth, "rip", regs->rip);
		expect_number(truth, "rfl", regs->rflags);
		expect_number(truth, "cr3", regs->cr3);
		expect_number(truth, "dr0", regs->dr0);
		expect_number(truth, "dr6", regs->dr6);
		expect_number(truth, "dr7", regs->dr7);
		expect_number(truth, "efer", regs->efer);
		expect_number(truth, "mxcsr", regs->mxcsr);
	}
}

/* raw_runs as --memory-map takes them. */
static void map_of(const json_t *truth, char *ret, size_t size)
{
	const json_t *run;
	size_t i, used = 0;

	json_array_foreach(json_object_get(truth, "raw_runs"), i, run)
	{
		long long start = json_integer_value(json_array_get(run, 0));
		long long length = json_integer_value(json_array_get(run, 1));

		used += (size_t)snprintf(ret + used, size - used, "%s%llx-%llx@%llx", i ? "," : "",
					 start, start + length,
					 json_integer_value(json_array_get(run, 2)));
	}
}

static void check(const char *variant)
{
	char name[64], path[IMAGES_PATH_SIZE], map[256];
	struct snapshot *stream, *core, *raw;
	uint64_t pages;
	json_t *truth;

	snprintf(name, sizeof(name), "qemu/%s.tar.xz", variant);
	images_unpack_tar(name, "dump.elf mem.raw migration.bin");
	snprintf(name, sizeof(name), "qemu/%s-truth.tar.xz", variant);
	images_unpack_tar(name, "--strip-components=1");
	images_path(path, "truth.json");
	truth = json_load_file(path, 0, NULL);
	cr_assert_not_null(truth);
	map_of(truth, map, sizeof(map));
	stream = open_image("migration.bin", NULL);
	core = open_image("dump.elf", NULL);
	raw = open_image("mem.raw", &(struct snapshot_options){ .memory_map = map });
	cr_expect_str_eq(stream->info.format, "qemu-migration");
	cr_expect_eq(diag.partial + diag.notes, 0);

	pages = compare(core, stream);
	cr_expect_gt(pages, 96 * 256);
	cr_expect_eq(physmem_captured_bytes(stream->mem), pages * PAGE_SIZE);
	cr_expect_eq(compare(raw, stream) * PAGE_SIZE, physmem_captured_bytes(raw->mem));
	expect_registers(stream, core, json_object_get(truth, "cpus"));
	snapshot_close(raw);
	snapshot_close(core);
	snapshot_close(stream);
	json_decref(truth);
}

Test(migration_images, in_one_piece)
{
	check("a");
}

Test(migration_images, split_at_4_gib)
{
	check("b");
}
