/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "elf_builder.h"
#include "formats/format.h"
#include "tests/memfile.h"

enum { CONTEXT_SIZE = 5168 };

static struct elf_builder b;
static struct snapshot *snapshot;
static struct diag diag;

static struct error *open_built(void)
{
	char path[MEMFILE_PATH_SIZE];
	int fd = memfile_create(b.bytes, b.size, path);
	struct error *err;

	diag_init(&diag, NULL, NULL);
	err = snapshot_open(path, NULL, &diag, &snapshot);
	close(fd);
	return err;
}

static void expect_byte(uint64_t pa, int value)
{
	uint8_t byte;

	cr_assert_eq(physmem_read(snapshot->mem, pa, &byte, 1), 1, "0x%lx is absent", (long)pa);
	cr_expect_eq(byte, value);
}

static void add_header(uint64_t cpus, uint64_t pages, uint64_t page_size)
{
	uint8_t desc[32];
	size_t offset;

	store_u64(desc, 0xf00febee);
	store_u64(desc + 8, cpus);
	store_u64(desc + 16, pages);
	store_u64(desc + 24, page_size);
	offset = elf_put_note(&b, "Xen", 0x2000000, desc, 0);
	elf_put_note(&b, "Xen", 0x2000001, desc, sizeof(desc));
	elf_add_section(&b, ".note.Xen", 7, offset, b.size - offset, 0);
}

static void add_frames(const char *section, const uint64_t *numbers, size_t count)
{
	size_t offset = b.size;

	for (size_t i = 0; i < count; i++)
		elf_put_u64(&b, numbers[i]);
	elf_add_section(&b, section, 1, offset, b.size - offset, 8);
}

static void add_pages(unsigned count)
{
	elf_add_section(&b, ".xen_pages", 1, elf_put_pages(&b, 0x40, count), count * 0x1000ul,
			0x1000);
}

static void build(void)
{
	elf_begin(&b);
	store_u64(b.bytes + 0x20, 0); /* no program headers at all */
}

static void close_snapshot(void)
{
	snapshot_close(snapshot);
}

TestSuite(elf_xen, .init = build, .fini = close_snapshot);

Test(elf_xen, pages_are_at_their_frame_numbers)
{
	static const uint64_t frames[] = { 9, 0, UINT64_MAX, 5, 6 };

	add_header(2, 5, 0x1000);
	add_frames(".xen_pfn", frames, 5);
	add_pages(5);
	cr_assert_null(open_built());
	cr_expect_str_eq(snapshot->info.format, "xen-core");
	cr_expect_str_eq(snapshot->info.subtype, "hvm");
	cr_expect_str_eq(snapshot->info.machine, "amd64");
	cr_expect_eq(snapshot->info.num_cpus, 2);
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 4);
	cr_expect_eq(physmem_num_runs(snapshot->mem), 3);
	expect_byte(0x9000, 0x40);
	expect_byte(0x0fff, 0x41);
	expect_byte(0x5000, 0x43);
	expect_byte(0x6000, 0x44);
	cr_expect_eq(diag.partial, 0);
}

Test(elf_xen, a_paravirtualized_guest_is_seen_by_machine_frame)
{
	static const uint64_t p2m[] = { 0, 0x77, 1, 0x33 };

	add_header(1, 2, 0x1000);
	add_frames(".xen_p2m", p2m, 4);
	add_pages(2);
	cr_assert_null(open_built());
	expect_byte(0x77000, 0x40);
	expect_byte(0x33000, 0x41);
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 2);
}

Test(elf_xen, missing_pages_and_frames_are_partial)
{
	static const uint64_t frames[] = { 1, 2, 3, UINT64_MAX >> 1 };

	add_header(1, 400, 0x1000);
	add_frames(".xen_pfn", frames, 4);
	add_pages(6);
	b.size -= 0x1800; /* 4.5 pages are left */
	cr_assert_null(open_built());
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 3);
	cr_expect_eq(diag.partial, 2, "pages, and one frame out of range");
}

Test(elf_xen, without_its_note_the_sections_tell)
{
	static const uint64_t frames[] = { 3, 1 };

	add_frames(".xen_pfn", frames, 2);
	add_pages(2);
	cr_assert_null(open_built());
	expect_byte(0x3000, 0x40);
	expect_byte(0x1000, 0x41);
	cr_expect_eq(diag.partial, 1);
}

static void expect_refusal(enum error_code code, const char *text)
{
	struct error *err = open_built();

	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), code);
	cr_expect_not_null(strstr(error_message(err), text), "%s", error_message(err));
	error_destroy(err);
}

Test(elf_xen, what_cannot_be_read_is_named)
{
	static const uint64_t frames[] = { 3, 1 };

	add_header(1, 2, 0x4000);
	add_pages(2);
	expect_refusal(ERROR_CORRUPT, ".xen_pfn or .xen_p2m");
	add_frames(".xen_pfn", frames, 2);
	expect_refusal(ERROR_UNSUPPORTED, "pages of 0x4000 bytes");
}

/* Context of one processor with word i = i, at ring 0 or 3. */
static void put_context(uint8_t context[CONTEXT_SIZE], unsigned ring)
{
	for (size_t i = 0; i < CONTEXT_SIZE / 8; i++)
		store_u64(context + i * 8, i);
	store_u64(context + 656, 0x30 | ring); /* cs */
}

Test(elf_xen, registers_come_from_the_context)
{
	static const uint64_t frame = 1;
	static uint8_t contexts[2 * CONTEXT_SIZE];
	const struct registers *regs;
	size_t offset;

	put_context(contexts, 0);
	put_context(contexts + CONTEXT_SIZE, 3);
	add_header(2, 1, 0x1000);
	offset = elf_put(&b, contexts, sizeof(contexts));
	elf_add_section(&b, ".xen_prstatus", 1, offset, sizeof(contexts), CONTEXT_SIZE);
	add_frames(".xen_pfn", &frame, 1);
	add_pages(1);
	cr_assert_null(open_built());
	cr_assert_eq(snapshot->info.num_registers, 2);
	regs = snapshot->info.registers;
	cr_expect_eq(regs->known, REGS_GENERAL | REGS_SELECTORS | REGS_CONTROL | REGS_CR3 |
					  REGS_DEBUG | REGS_GS_BASE | REGS_KERNEL_GS);
	cr_expect_eq(regs->r15, 65);
	cr_expect_eq(regs->rdi, 79);
	cr_expect_eq(regs->rip, 81);
	cr_expect_eq(regs->cs.selector, 0x30);
	cr_expect_eq(regs->rflags, 83);
	cr_expect_eq(regs->rsp, 84);
	cr_expect_eq(regs->ss.selector, 85);
	cr_expect_eq(regs->gs.selector, 89);
	cr_expect_eq(regs->cr0, 623);
	cr_expect_eq(regs->cr3, 626);
	cr_expect_eq(regs->cr4, 627);
	cr_expect_eq(regs->dr7, 638);
	cr_expect_eq(regs->gs.base, 644, "the kernel's is active");
	cr_expect_eq(regs->kernel_gs_base, 645);
	cr_expect_eq(regs[1].gs.base, 645);
	cr_expect_eq(regs[1].kernel_gs_base, 644);
}

/*
 * All that xl dump-core writes, in its order: xen.git, tools/libs/ctrl/xc_core.c and
 * docs/misc/dump-core-format.txt.
 */
static void build_like_xl(uint64_t magic, const char *frames_section, const uint64_t *frames,
			  size_t count, unsigned pages)
{
	static uint8_t context[CONTEXT_SIZE], page[0x1000], xen_version[1280];
	static const uint8_t format_version[8] = { 1 }; /* 0.1 */
	uint8_t desc[32];
	size_t offset;

	store_u64(desc, magic);
	store_u64(desc + 8, 1);
	store_u64(desc + 16, pages);
	store_u64(desc + 24, 0x1000);
	offset = elf_put_note(&b, "Xen", 0x2000000, desc, 0);
	elf_put_note(&b, "Xen", 0x2000001, desc, sizeof(desc));
	elf_put_note(&b, "Xen", 0x2000002, xen_version, sizeof(xen_version));
	elf_put_note(&b, "Xen", 0x2000003, format_version, sizeof(format_version));
	elf_add_section(&b, ".note.Xen", 7, offset, b.size - offset, 0);
	put_context(context, 0);
	offset = elf_put(&b, context, sizeof(context));
	elf_add_section(&b, ".xen_prstatus", 1, offset, sizeof(context), CONTEXT_SIZE);
	offset = elf_put(&b, page, sizeof(page));
	elf_add_section(&b, ".xen_shared_info", 1, offset, sizeof(page), sizeof(page));
	b.size = (b.size + 0xfff) & ~(size_t)0xfff;
	add_pages(pages);
	add_frames(frames_section, frames, count);
}

Test(elf_xen, a_core_of_xl_with_hardware_virtualization)
{
	/* the low memory with its hole, and a page above 4 GiB */
	static const uint64_t frames[] = { 0, 1, 0xc0, 0x100000 };

	build_like_xl(0xf00febee, ".xen_pfn", frames, 4, 4);
	cr_assert_null(open_built());
	cr_expect_str_eq(snapshot->info.format, "xen-core");
	cr_expect_str_eq(snapshot->info.subtype, "hvm");
	cr_expect_eq(snapshot->info.num_cpus, 1);
	cr_expect_eq(snapshot->info.num_registers, 1);
	cr_expect_eq(snapshot->info.registers[0].cr3, 626);
	expect_byte(0x1000, 0x41);
	expect_byte(0xc0fff, 0x42);
	expect_byte(0x100000000, 0x43);
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 4);
	cr_expect_eq(diag.partial + diag.notes, 0);
}

Test(elf_xen, a_core_of_xl_without_hardware_virtualization)
{
	static const uint64_t p2m[] = { 0, 0x1234, 1, 0x77, 2, UINT64_MAX };

	build_like_xl(0xf00febed, ".xen_p2m", p2m, 6, 3);
	cr_assert_null(open_built());
	cr_expect_str_eq(snapshot->info.subtype, "pv");
	expect_byte(0x1234000, 0x40);
	expect_byte(0x77000, 0x41);
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 2);
	cr_expect_eq(diag.partial + diag.notes, 0);
}

Test(elf_xen, another_version_of_the_format_is_noted)
{
	static const uint64_t frame = 3;
	uint8_t version[8];
	size_t offset = b.size;

	store_u64(version, 2ull << 32 | 7);
	elf_put_note(&b, "Xen", 0x2000003, version, sizeof(version));
	add_header(1, 1, 0x1000);
	store_u64(b.bytes + ELF_SECTIONS + 2 * 64 + 24, offset); /* the section begins before it */
	store_u64(b.bytes + ELF_SECTIONS + 2 * 64 + 32, b.size - offset);
	add_frames(".xen_pfn", &frame, 1);
	add_pages(1);
	cr_assert_null(open_built());
	expect_byte(0x3000, 0x40);
	cr_expect_eq(diag.notes, 1);
	cr_expect_eq(diag.partial, 0);
}
