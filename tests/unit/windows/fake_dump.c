/* SPDX-License-Identifier: MIT */
#include "fake_dump.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "fake_source.h"
#include "windows/kernel/shared_data.h"

static const struct fake_field fields[] = {
	{ "_KPRCB", "Number", 0x24, 4 },
	{ "_KPRCB", "Context", 0x10, 8 },
	{ "_KPRCB", "ProcessorState.ContextFrame", 0x100, 0x4d0 },
};

static void must(struct error *err)
{
	if (err)
		abort();
}

static void put(struct fake_dump *f, uint32_t at, uint64_t value)
{
	store_u64(f->bytes + at, value);
}

static void put_kdbg(struct fake_dump *f)
{
	put(f, FAKE_DUMP_KDBG + 0x10, (uint64_t)FAKE_DUMP_KDBG_SIZE << 32 | 0x4742444b);
	put(f, FAKE_DUMP_KDBG + 0x18, FAKE_DUMP_BASE);
	put(f, FAKE_DUMP_KDBG + 0x88, FAKE_DUMP_BASE + FAKE_DUMP_BUGCHECK);
	put(f, FAKE_DUMP_KDBG + 0xc0, FAKE_DUMP_BASE + FAKE_DUMP_PFN_DATABASE);
	put(f, FAKE_DUMP_KDBG + 0x270, FAKE_DUMP_BASE + FAKE_DUMP_MEMORY_BLOCK);
}

static void put_variables(struct fake_dump *f)
{
	put(f, FAKE_DUMP_PFN_DATABASE, UINT64_C(0xffffb18000000000));
	put(f, FAKE_DUMP_MEMORY_BLOCK, FAKE_DUMP_BASE + FAKE_DUMP_MEMORY);
	put(f, FAKE_DUMP_MEMORY, 2);
	put(f, FAKE_DUMP_MEMORY + 0x08, 0x9e + 0x700);
	put(f, FAKE_DUMP_MEMORY + 0x10, 1);
	put(f, FAKE_DUMP_MEMORY + 0x18, 0x9e);
	put(f, FAKE_DUMP_MEMORY + 0x20, 0x100);
	put(f, FAKE_DUMP_MEMORY + 0x28, 0x700);
	put(f, FAKE_DUMP_PROCESSORS, FAKE_DUMP_BASE + FAKE_DUMP_KPRCB);
	put(f, FAKE_DUMP_PROCESSORS + 8, FAKE_DUMP_BASE + FAKE_DUMP_OTHER_KPRCB);
}

/* CONTROL, INTEGER, SEGMENTS, FLOATING_POINT; rax tells the processor. */
static void put_context(struct fake_dump *f, uint32_t at, unsigned cpu)
{
	memset(f->bytes + at, 0, 0x4d0);
	store_u32(f->bytes + at + 0x30, 0x10000f);
	f->bytes[at + 0x38] = 0x10; /* cs */
	put(f, at + 0x78, cpu);
	put(f, at + 0xf8, FAKE_DUMP_BASE + 0x1234);
	memset(f->bytes + at + 0x1a0, 0x77, 0x100); /* xmm */
}

void fake_dump_init(struct fake_dump *f)
{
	memset(f, 0, sizeof(*f));
	put_kdbg(f);
	put_variables(f);
	put(f, FAKE_DUMP_KPRCB + 0x10, FAKE_DUMP_BASE + FAKE_DUMP_CONTEXT);
	put(f, FAKE_DUMP_OTHER_KPRCB + 0x24, 1);
	put_context(f, FAKE_DUMP_CONTEXT, 0);
	put_context(f, FAKE_DUMP_OTHER_CONTEXT, 1);
	put(f, FAKE_DUMP_SHARED_DATA + 0x08, 0x777); /* interrupt time */
	f->bytes[FAKE_DUMP_SHARED_DATA + 0x264] = 1; /* product type, and that it is valid */
	f->bytes[FAKE_DUMP_SHARED_DATA + 0x268] = 1;
	f->bytes[FAKE_DUMP_SHARED_DATA + 0x26c] = 10; /* major version */
	put(f, FAKE_DUMP_SHARED_DATA + 0x2d0, 0x110);
}

void fake_dump_encode_kdbg(struct fake_dump *f)
{
	enum { TURN = 13 };
	const uint64_t key = UINT64_C(0x5c876e8ea0fbb3bd);

	for (uint32_t i = 0; i < FAKE_DUMP_KDBG_SIZE; i += 8) {
		uint64_t v = load_u64(f->bytes + FAKE_DUMP_KDBG + i);

		v = __builtin_bswap64(v ^ key);
		put(f, FAKE_DUMP_KDBG + i, v >> TURN | v << (64 - TURN));
	}
}

void fake_dump_add_registers(struct fake_dump *f)
{
	for (unsigned i = 0; i < FAKE_DUMP_CPUS; i++)
		f->registers[i] = (struct registers){
			.known = REGS_GENERAL | REGS_SELECTORS,
			.rax = i,
			.rip = FAKE_DUMP_BASE + 0x5678,
			.cs.selector = 0x10,
		};
	f->snap.info.registers = f->registers;
	f->snap.info.num_registers = f->snap.info.num_cpus = FAKE_DUMP_CPUS;
}

static enum va_state fake_translate(struct space *s, uint64_t va, uint64_t *ret)
{
	uint8_t byte;

	*ret = va - FAKE_DUMP_BASE;
	if (va - KUSER_SHARED_DATA_VA < PAGE_SIZE)
		*ret = va - KUSER_SHARED_DATA_VA + FAKE_DUMP_SHARED_DATA;
	if (*ret >= FAKE_DUMP_SIZE)
		return VA_NOT_PRESENT;
	return physmem_read(s->mem, *ret, &byte, 1) ? VA_MAPPED : VA_NOT_CAPTURED;
}

static size_t fake_read(struct space *s, uint64_t va, void *buf, size_t len, enum va_state *state)
{
	size_t part = PAGE_SIZE - (va & PAGE_MASK);
	uint64_t pa;

	*state = fake_translate(s, va, &pa);
	return *state == VA_MAPPED ? physmem_read(s->mem, pa, buf, part < len ? part : len) : 0;
}

static const struct space_ops fake_space_ops = {
	.name = "linear",
	.translate = fake_translate,
	.read = fake_read,
};

void fake_dump_open(struct fake_dump *f, int absent_page)
{
	struct profile_source *src = fake_source_create(fields, ARRAY_SIZE(fields), NULL, 0);
	struct physmem *mem;

	f->file = (struct file){ .fd = -1, .bytes = f->bytes, .size = FAKE_DUMP_SIZE };
	must(physmem_create(&mem));
	for (int i = 0; i < FAKE_DUMP_SIZE / PAGE_SIZE; i++) {
		uint64_t pa = (uint64_t)i * PAGE_SIZE;

		if (i != absent_page)
			must(physmem_add_file(mem, pa, PAGE_SIZE, &f->file, pa));
	}
	must(physmem_seal(mem));
	f->snap.mem = mem;
	f->snap.info.hints.kdbg = FAKE_DUMP_BASE + FAKE_DUMP_KDBG;
	f->space = (struct space){ .ops = &fake_space_ops, .mem = mem, .levels = 4 };
	diag_init(&f->diag, NULL, NULL);
	f->kernel = (struct kernel){
		.snap = &f->snap,
		.diag = &f->diag,
		.loc.base = FAKE_DUMP_BASE,
		.space = &f->space,
		.dtb = 0x1ad000,
		.build = 19041,
	};
	f->kernel.globals[GLOBAL_KI_PROCESSOR_BLOCK] =
		(struct global_value){ true, FAKE_DUMP_BASE + FAKE_DUMP_PROCESSORS, "symbols" };
	must(profile_from_source(src, 0, &f->kernel.profile));
}

void fake_dump_close(struct fake_dump *f)
{
	profile_close(f->kernel.profile);
	physmem_destroy(f->snap.mem);
}
