/* SPDX-License-Identifier: MIT */
#include "fake_nt.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"

enum {
	FIRST_PROCESS_PAGE = 8, /* physical */
	PROCESS_IN_PAGE = 0x20,
	THREAD_IN_PAGE = 0xa00,
	EXPORT_DIRECTORY = 0x100, /* RVAs in the image's first page */
	FUNCTIONS = 0x140,
	NAMES = 0x180,
	ORDINALS = 0x1c0,
	NAME_TEXT = 0x200,
	NAME_STRIDE = 0x40,
	EXPORT_SIZE = 0x400,
};

static const struct {
	const char *name;
	uint32_t rva;
	uint8_t code[8];
} exports[] = {
	{ "PsGetProcessId", FAKE_NT_CODE, { 0x48, 0x8b, 0x81, 0x40, 0x04, 0, 0, 0xc3 } },
	{ "PsGetProcessImageFileName",
	  FAKE_NT_CODE + 0x20,
	  { 0x48, 0x8d, 0x81, 0xa8, 0x05, 0, 0, 0xc3 } },
	{ "PsGetThreadProcess", FAKE_NT_CODE + 0x40, { 0x48, 0x8b, 0x81, 0x20, 0x02, 0, 0, 0xc3 } },
	{ "PsInitialSystemProcess", FAKE_NT_VARIABLES, { 0 } },
};

static const char names[FAKE_NT_PROCESSES][16] = { "System", "Registry", "smss.exe", "csrss.exe",
						   "wininit.exe" };

static uint64_t virtual_page(unsigned page)
{
	return FAKE_NT_BASE + (page * UINT64_C(4096) - FAKE_NT_IMAGE);
}

uint64_t fake_nt_process(unsigned i)
{
	return virtual_page(FIRST_PROCESS_PAGE + i) + PROCESS_IN_PAGE;
}

static uint64_t thread_of(unsigned i)
{
	return virtual_page(FIRST_PROCESS_PAGE + i) + THREAD_IN_PAGE;
}

static uint8_t *at(uint8_t *bytes, uint64_t va)
{
	return bytes + FAKE_NT_IMAGE + (va - FAKE_NT_BASE);
}

uint8_t *fake_nt_at(struct fake_nt *f, uint64_t va)
{
	return at(f->bytes, va);
}

static void build_tables(uint8_t *bytes)
{
	enum { PRESENT_WRITE = 3 };

	store_u64(bytes + FAKE_NT_ROOT + va_index(FAKE_NT_BASE, LEVEL_PML4) * 8,
		  2 * PAGE_SIZE | PRESENT_WRITE);
	store_u64(bytes + 2 * PAGE_SIZE, 3 * PAGE_SIZE | PRESENT_WRITE);
	store_u64(bytes + 3 * PAGE_SIZE, 4 * PAGE_SIZE | PRESENT_WRITE);
	for (unsigned page = 5; page < FAKE_NT_PAGES; page++)
		store_u64(bytes + 4 * PAGE_SIZE + (size_t)(page - 5) * 8,
			  page * PAGE_SIZE | PRESENT_WRITE);
}

static void build_exports(uint8_t *image)
{
	uint8_t *directory = image + EXPORT_DIRECTORY;

	store_u32(directory + 20, ARRAY_SIZE(exports));
	store_u32(directory + 24, ARRAY_SIZE(exports));
	store_u32(directory + 28, FUNCTIONS);
	store_u32(directory + 32, NAMES);
	store_u32(directory + 36, ORDINALS);
	for (size_t i = 0; i < ARRAY_SIZE(exports); i++) {
		uint32_t text = (uint32_t)(NAME_TEXT + i * NAME_STRIDE);

		store_u32(image + FUNCTIONS + i * 4, exports[i].rva);
		store_u32(image + NAMES + i * 4, text);
		store_u16(image + ORDINALS + i * 2, (uint16_t)i);
		memcpy(image + text, exports[i].name, strlen(exports[i].name) + 1);
		memcpy(image + exports[i].rva, exports[i].code, sizeof(exports[i].code));
	}
}

/* Both ways between two links. */
static void join(uint8_t *bytes, uint64_t from, uint64_t to)
{
	store_u64(at(bytes, from), to);
	store_u64(at(bytes, to) + 8, from);
}

static void build_process(uint8_t *bytes, unsigned i)
{
	uint64_t process = fake_nt_process(i), thread = thread_of(i);
	uint8_t *p = at(bytes, process), *t = at(bytes, thread);

	p[0] = 3;
	store_u64(p + FAKE_DTB, FAKE_NT_ROOT);
	store_u64(p + FAKE_PID, 4 + UINT64_C(100) * i);
	memcpy(p + FAKE_NAME, names[i], sizeof(names[i]));
	store_u32(p + FAKE_ACTIVE_THREADS, 1);
	t[0] = 6;
	store_u64(t + FAKE_THREAD_PROCESS, process);
	join(bytes, process + FAKE_THREADS, thread + FAKE_THREAD_LINKS);
	join(bytes, thread + FAKE_THREAD_LINKS, process + FAKE_THREADS);
	join(bytes, process + FAKE_KERNEL_THREADS, thread + FAKE_KERNEL_THREAD_LINKS);
	join(bytes, thread + FAKE_KERNEL_THREAD_LINKS, process + FAKE_KERNEL_THREADS);
}

void fake_nt_build(uint8_t bytes[FAKE_NT_BYTES])
{
	uint64_t last = FAKE_NT_BASE + FAKE_NT_PROCESS_HEAD;

	memset(bytes, 0, FAKE_NT_BYTES);
	build_tables(bytes);
	build_exports(bytes + FAKE_NT_IMAGE);
	store_u64(bytes + FAKE_NT_IMAGE + FAKE_NT_VARIABLES, fake_nt_process(0));
	for (unsigned i = 0; i < FAKE_NT_PROCESSES; i++) {
		build_process(bytes, i);
		join(bytes, last, fake_nt_process(i) + FAKE_LINKS);
		last = fake_nt_process(i) + FAKE_LINKS;
	}
	join(bytes, last, FAKE_NT_BASE + FAKE_NT_PROCESS_HEAD);
}

void fake_nt_image(struct pe_image *ret)
{
	*ret = (struct pe_image){
		.base = FAKE_NT_BASE,
		.image_base = FAKE_NT_BASE,
		.machine = 0x8664,
		.size_of_image = FAKE_NT_IMAGE_SIZE,
		.num_directories = PE_NUM_DIRECTORIES,
	};
	ret->directories[PE_DIR_EXPORT] = (struct pe_directory){ EXPORT_DIRECTORY, EXPORT_SIZE };
}

void fake_nt_open(struct fake_nt *f, unsigned absent_page)
{
	uint64_t hole = absent_page * UINT64_C(4096);

	f->file = (struct file){ .fd = -1, .bytes = f->bytes, .size = FAKE_NT_BYTES };
	fake_nt_image(&f->kernel);
	cr_assert_null(physmem_create(&f->mem));
	if (hole)
		cr_assert_null(physmem_add_file(f->mem, 0, hole, &f->file, 0));
	if (absent_page + 1 < FAKE_NT_PAGES)
		cr_assert_null(physmem_add_file(f->mem, hole + PAGE_SIZE,
						FAKE_NT_BYTES - hole - PAGE_SIZE, &f->file,
						hole + PAGE_SIZE));
	cr_assert_null(physmem_seal(f->mem));
	cr_assert_null(space_create_amd64(f->mem, FAKE_NT_ROOT, 4, NULL, NULL, &f->space));
}

void fake_nt_close(struct fake_nt *f)
{
	space_destroy(f->space);
	physmem_destroy(f->mem);
}
