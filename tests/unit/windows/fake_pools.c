/* SPDX-License-Identifier: MIT */
#include "fake_pools.h"

#include <stdlib.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "windows/objects/handle_table.h"
#include "windows/symbols/builtin.h"

enum {
	PDPT = 2 * PAGE_SIZE,
	PD = 3 * PAGE_SIZE,
	PT = 4 * PAGE_SIZE, /* 0xffffc00000200000 */
	GLOBALS = 6 * PAGE_SIZE,
	TABLE = PTE_PRESENT | PTE_WRITE,
	HEADER_SIZE = 0x30, /* OBJECT_HEADER up to its Body */
	QUOTA_SIZE = 0x20,
	POOL_HEADER_SIZE = 0x10,
	TYPE_INDEX = 0x18,
	INFO_MASK = 0x1a,
	INFO_QUOTA = 8,
	DISPATCHER_PROCESS = 3,
	DISPATCHER_THREAD = 6,
};
/* 2024-06-25 */
#define SOME_TIME UINT64_C(133637592903456780)

static void must(struct error *err)
{
	if (err)
		abort();
}

static void entry(struct fake_pools *f, uint64_t table, uint64_t index, uint64_t pa)
{
	store_u64(f->bytes + table + index * 8, pa | TABLE);
}

static void build_tables(struct fake_pools *f)
{
	entry(f, FAKE_POOLS_ROOT, 0x180, PDPT);
	entry(f, PDPT, 0, PD);
	entry(f, PD, 1, PT);
	for (uint64_t i = 0; i + 1 < FAKE_POOL_PAGES; i++)
		entry(f, PT, i, FAKE_POOL_PA(i));
	entry(f, PT, 0x100, GLOBALS);
}

void fake_pools_init(struct fake_pools *f)
{
	fake_pools_init_build(f, 19041);
}

void fake_pools_init_build(struct fake_pools *f, uint32_t build)
{
	struct profile_source *source;

	*f = (struct fake_pools){ .bytes = calloc(1, FAKE_POOLS_BYTES) };
	if (!f->bytes)
		abort();
	build_tables(f);
	diag_init(&f->diag, NULL, NULL);
	f->k = (struct kernel){ .snap = &f->snap, .diag = &f->diag, .dtb = FAKE_POOLS_ROOT };
	f->k.globals[GLOBAL_PS_ACTIVE_PROCESS_HEAD] =
		(struct global_value){ true, FAKE_POOLS_HEAD_VA, "symbols" };
	f->k.scan_quiet = true;
	must(builtin_open(builtin_nearest(build), &source));
	must(profile_from_source(source, build, &f->k.profile));
	must(profile_bind(f->k.profile, process_field_rows, process_num_fields, f->process));
	must(profile_bind(f->k.profile, thread_field_rows, thread_num_fields, f->thread));
	if (!profile_type_size(f->k.profile, "_EPROCESS", &f->process_size) ||
	    !profile_type_size(f->k.profile, "_ETHREAD", &f->thread_size))
		abort();
	fake_pools_put(f, FAKE_POOLS_HEAD_VA, FAKE_POOLS_HEAD_VA);
	fake_pools_put(f, FAKE_POOLS_HEAD_VA + 8, FAKE_POOLS_HEAD_VA);
}

static bool is_absent(const uint64_t *absent, uint64_t pa)
{
	for (; absent && *absent; absent++) {
		if (*absent == pa)
			return true;
	}
	return false;
}

void fake_pools_open(struct fake_pools *f, const uint64_t *absent)
{
	f->file = (struct file){ .fd = -1, .bytes = f->bytes, .size = FAKE_POOLS_BYTES };
	must(physmem_create(&f->snap.mem));
	for (uint64_t pa = 0; pa < FAKE_POOLS_BYTES; pa += PAGE_SIZE) {
		if (!is_absent(absent, pa))
			must(physmem_add_file(f->snap.mem, pa, PAGE_SIZE, &f->file, pa));
	}
	must(physmem_seal(f->snap.mem));
	f->k.loc.levels = 4;
	must(paging_create(f->snap.mem, 4, &f->k.pte_config, NULL, 0, &f->k.paging));
	must(kernel_open_space(&f->k, FAKE_POOLS_ROOT, 0, &f->k.space));
	must(paging_start(f->k.paging, &f->k));
}

void fake_pools_deinit(struct fake_pools *f)
{
	space_destroy(f->k.space);
	paging_destroy(f->k.paging);
	physmem_destroy(f->snap.mem);
	profile_close(f->k.profile);
	free(f->bytes);
}

uint8_t *fake_pools_at(struct fake_pools *f, uint64_t va)
{
	uint64_t page = (va - FAKE_POOL_VA(0)) >> PAGE_SHIFT;

	if (va >= FAKE_POOLS_HEAD_VA)
		return f->bytes + GLOBALS + (va & PAGE_MASK);
	return f->bytes + FAKE_POOL_PA(page) + (va & PAGE_MASK);
}

/* Byte by byte: a number may cross a page. */
static void put(struct fake_pools *f, uint64_t va, uint64_t value, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		*fake_pools_at(f, va + i) = (uint8_t)(value >> 8 * i);
}

void fake_pools_put(struct fake_pools *f, uint64_t va, uint64_t value)
{
	put(f, va, value, 8);
}

void fake_pools_block(struct fake_pools *f, uint64_t va, const char *tag, uint32_t size,
		      unsigned pool_type)
{
	put(f, va + 2, size / POOL_HEADER_SIZE, 1);
	put(f, va + 3, pool_type, 1);
	for (unsigned i = 0; i < 4; i++)
		*fake_pools_at(f, va + 4 + i) = (uint8_t)tag[i];
}

static uint64_t object(struct fake_pools *f, uint64_t block, const char *tag, uint32_t size,
		       unsigned type)
{
	uint64_t header = block + POOL_HEADER_SIZE + QUOTA_SIZE;

	fake_pools_block(f, block, tag,
			 (POOL_HEADER_SIZE + QUOTA_SIZE + HEADER_SIZE + size + 15) & ~15U, 2);
	*fake_pools_at(f, header + TYPE_INDEX) =
		(uint8_t)(type ^ FAKE_POOLS_COOKIE ^ (uint8_t)(header >> 8));
	*fake_pools_at(f, header + INFO_MASK) = INFO_QUOTA;
	return header + HEADER_SIZE;
}

static void put_field(struct fake_pools *f, uint64_t va, const struct field *field, uint64_t value)
{
	put(f, va + field->offset, value, field->size);
}

static void empty_ring(struct fake_pools *f, uint64_t head)
{
	fake_pools_put(f, head, head);
	fake_pools_put(f, head + 8, head);
}

uint64_t fake_pools_process(struct fake_pools *f, uint64_t block, uint32_t pid, const char *name)
{
	const struct field *fields = f->process;
	uint64_t va = object(f, block, "Proc", f->process_size, FAKE_POOLS_TYPE);

	put_field(f, va, &fields[PROCESS_TYPE], DISPATCHER_PROCESS);
	put_field(f, va, &fields[PROCESS_PID], pid);
	put_field(f, va, &fields[PROCESS_DTB], FAKE_POOLS_ROOT);
	put_field(f, va, &fields[PROCESS_CREATE_TIME], SOME_TIME);
	for (size_t i = 0; name[i]; i++)
		*fake_pools_at(f, va + fields[PROCESS_NAME].offset + i) = (uint8_t)name[i];
	empty_ring(f, va + fields[PROCESS_LINKS].offset);
	empty_ring(f, va + fields[PROCESS_THREAD_HEAD].offset);
	empty_ring(f, va + f->thread[THREAD_PROCESS_KERNEL_HEAD].offset);
	return va;
}

uint64_t fake_pools_thread(struct fake_pools *f, uint64_t block, uint32_t tid, uint32_t pid,
			   uint64_t eprocess)
{
	const struct field *fields = f->thread;
	uint64_t va = object(f, block, "Thre", f->thread_size, FAKE_POOLS_TYPE + 1);

	put_field(f, va, &fields[THREAD_TYPE], DISPATCHER_THREAD);
	put_field(f, va, &fields[THREAD_TID], tid);
	put_field(f, va, &fields[THREAD_PID], pid);
	put_field(f, va, &fields[THREAD_PROCESS], eprocess);
	put_field(f, va, &fields[THREAD_CREATE_TIME], SOME_TIME);
	put_field(f, va, &fields[THREAD_STATE], 5);
	empty_ring(f, va + fields[THREAD_LINKS].offset);
	empty_ring(f, va + fields[THREAD_KERNEL_LINKS].offset);
	return va;
}

static uint64_t get(struct fake_pools *f, uint64_t va)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < 8; i++)
		value |= (uint64_t)*fake_pools_at(f, va + i) << 8 * i;
	return value;
}

void fake_pools_link(struct fake_pools *f, uint64_t head, uint64_t entry_va)
{
	uint64_t last = get(f, head + 8);

	fake_pools_put(f, last, entry_va);
	fake_pools_put(f, entry_va + 8, last);
	fake_pools_put(f, entry_va, head);
	fake_pools_put(f, head + 8, entry_va);
}

enum { ID_STEP = 4, CID_VARIABLE = 0x20, CID_TABLE = 0x100 };

void fake_pools_cid_table(struct fake_pools *f)
{
	uint64_t table = FAKE_POOLS_HEAD_VA + CID_TABLE;
	struct handle_layout layout;

	must(handle_layout_bind(f->k.profile, &layout));
	f->k.globals[GLOBAL_PSP_CID_TABLE] =
		(struct global_value){ true, FAKE_POOLS_HEAD_VA + CID_VARIABLE, "symbols" };
	fake_pools_put(f, FAKE_POOLS_HEAD_VA + CID_VARIABLE, table);
	put_field(f, table, &layout.fields[HANDLE_TABLE_CODE], FAKE_POOLS_CIDS);
	put_field(f, table, &layout.fields[HANDLE_NEXT], PAGE_SIZE / layout.entry_size * ID_STEP);
}

void fake_pools_cid(struct fake_pools *f, uint64_t id, uint64_t object_va)
{
	struct handle_layout layout;

	must(handle_layout_bind(f->k.profile, &layout));
	/* ObjectPointerBits: without the low four bits and the sign */
	fake_pools_put(f, FAKE_POOLS_CIDS + id / ID_STEP * layout.entry_size,
		       object_va >> 4 << layout.fields[HANDLE_OBJECT].bit_pos);
}
