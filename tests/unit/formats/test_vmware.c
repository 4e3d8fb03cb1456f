/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "capture_check.h"
#include "formats/vmware/companion.h"

enum { GROUP_SIZE = 80, MAX_GROUPS = 4, BLOCK = 63, COMPRESSED = 62 };

static struct capture c;

/* The header with room for groups; put_group() then begins one at the end. */
static void put_header(uint32_t magic, uint32_t num_groups)
{
	uint8_t *p = capture_add(&c, 12 + (size_t)num_groups * GROUP_SIZE);

	store_u32(p, magic);
	store_u32(p + 4, 8);
	store_u32(p + 8, num_groups);
}

static void put_group(size_t index, const char *name)
{
	uint8_t *row = c.bytes + 12 + index * GROUP_SIZE;

	memcpy(row, name, strlen(name));
	store_u64(row + 64, c.size);
}

static void end_group(void)
{
	capture_add(&c, 2);
}

static void put_tag_head(const char *name, size_t num_indices, const uint32_t *indices,
			 unsigned size)
{
	uint8_t *p = capture_add(&c, 2);

	p[0] = (uint8_t)(num_indices << 6 | size);
	p[1] = (uint8_t)strlen(name);
	capture_put(&c, name, strlen(name));
	capture_put(&c, indices, num_indices * sizeof(*indices));
}

static void put_value(const char *name, size_t num_indices, uint32_t a, uint32_t b, uint64_t value,
		      unsigned size)
{
	put_tag_head(name, num_indices, (const uint32_t[]){ a, b }, size);
	capture_put(&c, &value, size);
}

/* size: of the block, which the caller adds */
static void put_block(const char *name, size_t num_indices, uint32_t index, uint64_t size,
		      unsigned kind, uint16_t padding, size_t size_bytes)
{
	put_tag_head(name, num_indices, (const uint32_t[]){ index, 0 }, kind);
	memcpy(capture_add(&c, size_bytes), &size, size_bytes);
	memcpy(capture_add(&c, size_bytes), &size, size_bytes);
	store_u16(capture_add(&c, 2), padding);
	capture_add(&c, padding);
}

struct region {
	uint32_t file_page, page, num_pages;
};

static void put_regions(const struct region *regions, uint32_t count)
{
	put_value("regionsCount", 0, 0, 0, count, 4);
	for (uint32_t i = 0; i < count; i++) {
		put_value("regionPageNum", 1, i, 0, regions[i].file_page, 4);
		put_value("regionPPN", 1, i, 0, regions[i].page, 4);
		put_value("regionSize", 1, i, 0, regions[i].num_pages, 4);
	}
}

/* Block "Memory" of pages that are full of 1, 2, ... */
static void put_memory(unsigned num_pages, size_t size_bytes)
{
	put_block("Memory", 2, 0, (uint64_t)num_pages * PAGE_SIZE, BLOCK, 5, size_bytes);
	for (unsigned i = 1; i <= num_pages; i++)
		memset(capture_add(&c, PAGE_SIZE), (int)i, PAGE_SIZE);
}

static const struct region two[] = { { 0, 0, 2 }, { 2, 0x100000, 1 } };

static void put_state_with_memory(void)
{
	put_header(0xbed2bed2, 2);
	put_group(0, "Checkpoint");
	put_value("memSize", 0, 0, 0, 1, 4);
	end_group();
	put_group(1, "memory");
	put_regions(two, 2);
	put_memory(3, 8);
	end_group();
}

static void done(void)
{
	capture_deinit(&c);
}

TestSuite(vmware, .fini = done, .timeout = 60);

Test(vmware, memory_in_the_state_file)
{
	put_state_with_memory();
	capture_open_ok(&c);
	cr_expect_str_eq(c.snapshot->format->name, "vmware");
	cr_expect_str_eq(c.snapshot->info.format, "vmware");
	capture_expect_byte(&c, 0, 1);
	capture_expect_byte(&c, 0x1fff, 2);
	capture_expect_absent(&c, 0x2000);
	capture_expect_byte(&c, UINT64_C(0x100000000), 3);
	cr_expect_eq(physmem_captured_pages(c.snapshot->mem), 3);
	cr_expect_eq(c.diag.partial + c.diag.notes, 0);
}

Test(vmware, all_magics_and_sizes_of_blocks)
{
	static const uint32_t magics[] = { 0xbed2bed0, 0xbad1bad1, 0xbed2bed2, 0xbed3bed3 };

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		put_header(magics[i], 1);
		put_group(0, "memory");
		put_regions(NULL, 0);
		put_memory(2, magics[i] == 0xbed2bed0 ? 4 : 8);
		end_group();
		capture_open_ok(&c);
		capture_expect_byte(&c, 0x1000, 2);
		capture_expect_absent(&c, 0x2000);
		capture_deinit(&c);
	}
}

static const char *const general[] = { "rax", "rcx", "rdx", "rbx", "rbp", "rsp", "rsi", "rdi",
				       "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

/* One processor by a tag for each value, one by blocks. */
static void put_processors(void)
{
	put_value("cpu:numVCPUs", 0, 0, 0, 2, 4);
	for (uint32_t i = 0; i < 16; i++)
		put_value(general[i], 1, 0, 0, 0x1000 + i, 8);
	put_value("rip", 1, 0, 0, UINT64_C(0xfffff80000001234), 8);
	put_value("eflags", 1, 0, 0, 0x246, 4);
	for (uint32_t i = 0; i < 5; i++)
		put_value("CR64", 2, 0, i, 0x2000 + i, 8);
	for (uint32_t i = 0; i < 8; i++) {
		put_value("S", 2, 0, i, 0x10 + i, 4);
		put_value("S.base64", 2, 0, i, 0x3000 + i, 8);
	}
	put_block("gpregs", 1, 1, 128, BLOCK, 0, 8);
	for (uint64_t i = 0; i < 16; i++)
		store_u64(capture_add(&c, 8), 0x5000 + i);
	put_block("CR64", 1, 1, 72, BLOCK, 3, 8);
	for (uint64_t i = 0; i < 9; i++)
		store_u64(capture_add(&c, 8), 0x6000 + i);
	put_value("rip", 1, 1, 0, 7, 8);
	put_value("rip", 1, 2, 0, 9, 8); /* of a processor that is not there */
}

Test(vmware, registers)
{
	const struct registers *regs;

	put_header(0xbed2bed2, 2);
	put_group(0, "cpu");
	put_processors();
	end_group();
	put_group(1, "memory");
	put_regions(two, 2);
	put_memory(3, 8);
	end_group();
	capture_open_ok(&c);
	cr_expect_eq(c.snapshot->info.num_cpus, 2);
	cr_assert_eq(c.snapshot->info.num_registers, 2);
	regs = &c.snapshot->info.registers[0];
	cr_expect_eq(regs->known, REGS_GENERAL | REGS_CONTROL | REGS_CR3 | REGS_SELECTORS |
					  REGS_TASK | REGS_GS_BASE);
	cr_expect_eq(regs->rax, 0x1000);
	cr_expect_eq(regs->rbp, 0x1004);
	cr_expect_eq(regs->rsp, 0x1005);
	cr_expect_eq(regs->r15, 0x100f);
	cr_expect_eq(regs->rip, UINT64_C(0xfffff80000001234));
	cr_expect_eq(regs->rflags, 0x246);
	cr_expect_eq(regs->cr0, 0x2000);
	cr_expect_eq(regs->cr3, 0x2003);
	cr_expect_eq(regs->cs.selector, 0x11);
	cr_expect_eq(regs->tr.selector, 0x17);
	cr_expect_eq(regs->gs.base, 0x3005);
	regs = &c.snapshot->info.registers[1];
	cr_expect_eq(regs->known, REGS_CONTROL | REGS_CR3, "what is not whole is not known");
	cr_expect_eq(regs->cr3, 0x6003);
	cr_expect_eq(c.diag.partial, 0);
}

Test(vmware, regions_that_lie_are_cut_or_left_out)
{
	static const struct region lies[] = {
		{ 0, 0, UINT32_MAX },
		{ 1, UINT32_MAX, 1 },
		{ UINT32_MAX, 0x500, 2 },
		{ 2, 0, 1 },
	};

	put_header(0xbed2bed2, 1);
	put_group(0, "memory");
	put_regions(lies, ARRAY_SIZE(lies));
	put_memory(3, 8);
	end_group();
	capture_open_ok(&c);
	cr_expect_eq(c.diag.partial, 2);
	capture_expect_byte(&c, 0, 1);
	capture_expect_byte(&c, 0x2000, 3);
	capture_expect_absent(&c, 0x3000);
	capture_expect_byte(&c, (uint64_t)UINT32_MAX << PAGE_SHIFT, 2);
	capture_expect_absent(&c, 0x500000);
	capture_deinit(&c);

	put_header(0xbed2bed2, 1);
	put_group(0, "memory");
	put_value("regionsCount", 0, 0, 0, 2, 4);
	put_value("regionPageNum", 1, 1, 0, 0, 4);
	put_value("regionPPN", 1, 1, 0, 7, 4);
	put_value("regionSize", 1, 1, 0, 1, 4);
	put_value("regionSize", 1, 1000, 0, 1, 4);
	put_memory(1, 8);
	end_group();
	capture_open_ok(&c);
	capture_expect_said(&c, 1, "memory region 0: expected regionPageNum");
	capture_expect_byte(&c, 0x7000, 1);
}

/* Nothing says where the hole below 4 GiB is. */
Test(vmware, memory_above_3_gib_without_regions_is_doubted)
{
	static const struct {
		uint64_t size;
		uint64_t notes;
	} rows[] = { { UINT64_C(0xc0000000), 0 }, { UINT64_C(0xc0001000), 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[MEMFILE_PATH_SIZE];
		int fd;

		put_header(0xbed2bed2, 1);
		put_group(0, "memory");
		put_regions(NULL, 0);
		put_block("Memory", 2, 0, rows[i].size, BLOCK, 5, 8);
		fd = memfile_create(c.bytes, c.size, path);
		cr_assert_eq(ftruncate(fd, (off_t)(c.size + rows[i].size + 2)), 0);
		diag_init(&c.diag, capture_remember, &c);
		cr_assert_null(snapshot_open(path, NULL, &c.diag, &c.snapshot));
		close(fd);
		cr_expect_eq(c.diag.partial, 0);
		cr_expect_eq(c.diag.notes, rows[i].notes, "%s", c.said);
		if (rows[i].notes)
			capture_expect_said(&c, 0, "no regions of memory");
		capture_deinit(&c);
	}
}

Test(vmware, refusals)
{
	put_header(0xbed2bed2, 1);
	put_group(0, "memory");
	put_regions(two, 2);
	end_group();
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "snapshot state without memory");
	capture_deinit(&c);

	put_header(0xbed2bed2, 1);
	put_group(0, "cpu");
	end_group();
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "snapshot state without memory");
	capture_deinit(&c);

	put_header(0xbed2bed2, 1);
	put_group(0, "memory");
	put_block("Memory", 2, 0, 4, COMPRESSED, 0, 8);
	capture_add(&c, 4);
	end_group();
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "memory is compressed");
	capture_deinit(&c);

	put_header(0xbed2bed2, 1);
	put_group(0, "memory");
	put_value("regionsCount", 0, 0, 0, 65, 4);
	end_group();
	capture_expect_refusal(&c, ERROR_LIMIT, "65 regions of memory");
	capture_deinit(&c);

	put_header(0xbed2bed2, 0);
	store_u32(c.bytes + 8, UINT32_MAX);
	capture_expect_refusal(&c, ERROR_LIMIT, "groups: expected at most");
}

Test(vmware, other_machines_are_refused)
{
	put_header(0xbed2bed2, 2);
	put_group(0, "Checkpoint");
	put_value("Platform", 0, 0, 0, 3, 4);
	end_group();
	put_group(1, "memory");
	put_regions(two, 2);
	put_memory(3, 8);
	end_group();
	capture_expect_refusal(&c, ERROR_UNSUPPORTED, "snapshot of an ARM machine");
}

Test(vmware, too_many_processors_cost_only_their_registers)
{
	put_header(0xbed2bed2, 2);
	put_group(0, "cpu");
	put_value("cpu:numVCPUs", 0, 0, 0, UINT32_MAX, 4);
	end_group();
	put_group(1, "memory");
	put_regions(two, 2);
	put_memory(3, 8);
	end_group();
	capture_open_ok(&c);
	capture_expect_said(&c, 1, "4294967295 processors");
	capture_expect_byte(&c, 0, 1);
}

/* What is left of memory is read, and what is missing is told. */
Test(vmware, cut_at_every_length)
{
	size_t whole;

	put_state_with_memory();
	whole = c.size;
	for (size_t size = 1; size<whole; size += size> 500 && size < whole - 32 ? 41 : 1) {
		struct error *err;

		c.size = size;
		err = capture_open(&c, "vmware", 0);
		if (err)
			cr_expect_neq(error_code(err), ERROR_OS);
		else
			cr_expect_gt(c.diag.partial, 0, "%zu of %zu", size, whole);
		error_destroy(err);
	}
	c.size = whole;
}

Test(vmware, names_of_companions)
{
	static const struct {
		const char *path, *suffix, *expected, *in_container;
	} rows[] = {
		{ "/a/Windows 10-Snapshot1.vmsn", ".vmsn", "/a/Windows 10-Snapshot1.vmem",
		  "/a/Windows 10-Snapshot1.vmem" },
		{ "x.vmem.d/VM.VMSS", ".vmss", "x.vmem.d/VM.VMEM", "x.vmem.d/VM.VMEM" },
		{ "vm.vmss.gz", ".vmss", "vm.vmem", "vm.vmem.gz" },
		{ "a.vmss.b.vmsn", ".vmsn", "a.vmss.b.vmem", "a.vmss.b.vmem" },
	};
	char suffix[VMWARE_SUFFIX_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *path;

		cr_assert(vmware_suffix(rows[i].path, suffix));
		cr_expect_str_eq(suffix, rows[i].suffix);
		cr_assert_null(vmware_companion(rows[i].path, ".vmem", false, &path));
		cr_expect_str_eq(path, rows[i].expected);
		free(path);
		cr_assert_null(vmware_companion(rows[i].path, ".vmem", true, &path));
		cr_expect_str_eq(path, rows[i].in_container);
		free(path);
	}
	cr_expect_not(vmware_suffix("a.vmem/b.raw", suffix));
	cr_expect_not(vmware_suffix("a.vmemx", suffix));
	cr_expect_not(vmware_suffix("vmem", suffix));
}
