/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unicorn/unicorn.h>

#include "base/cursor.h"
#include "windows/pe/tables.h"

/*
 * The image of unwind_code.c and unwind_code_asm.S, run in an emulator: before every instruction
 * the stack is unwound to whoever called the exported function, whose registers must come out.
 */
enum {
	STACK_SIZE = 4 << 20,
	RETURN_TO = 0x1234000,
	MAX_DEPTH = 64,
	FIRST_XMM = 6,
	HLT = 0xf4,
};
#define STACK_BASE UINT64_C(0x7ff000000000)

static struct file file;
static uint8_t *image_bytes;
static struct virtmem *mem;
static struct space *space;
static struct pe_image pe;
static uc_engine *uc;
static struct unwind_context caller;
static uint64_t num_steps, num_failures;

static void must(struct error *err)
{
	cr_assert_null(err, "%s", error_message(err));
}

static void must_uc(uc_err err)
{
	cr_assert_eq(err, UC_ERR_OK, "%s", uc_strerror(err));
}

static size_t mapped_size(void)
{
	return (size_t)(pe.size_of_image / PAGE_SIZE + 1) * PAGE_SIZE;
}

/* Sections at their RVAs: the linker's base is kept, so nothing is to be relocated. */
static void load_image(void)
{
	struct file flat;

	must(file_open(&file, UNWIND_IMAGE));
	must(virtmem_create(&mem));
	must(virtmem_add(mem, 0, file.size, &file, 0));
	must(virtmem_seal(mem));
	must(space_create_virtual(mem, &space));
	must(pe_read(space, 0, &pe));
	space_destroy(space);
	virtmem_destroy(mem);

	image_bytes = aligned_alloc(PAGE_SIZE, mapped_size());
	memset(image_bytes, 0, mapped_size());
	memcpy(image_bytes, file.bytes, pe.size_of_headers);
	for (unsigned i = 0; i < pe.num_sections; i++)
		memcpy(image_bytes + pe.sections[i].rva, file.bytes + pe.sections[i].raw_offset,
		       pe.sections[i].raw_size);
	flat = (struct file){ .fd = -1, .bytes = image_bytes, .size = pe.size_of_image };
	file_close(&file);
	file = flat;
	must(virtmem_create(&mem));
	must(virtmem_add(mem, pe.image_base, pe.size_of_image, &file, 0));
	must(virtmem_seal(mem));
	must(space_create_virtual(mem, &space));
	must(pe_read(space, pe.image_base, &pe));
}

static void setup(void)
{
	load_image();
	must_uc(uc_open(UC_ARCH_X86, UC_MODE_64, &uc));
	must_uc(uc_mem_map_ptr(uc, pe.base, mapped_size(), UC_PROT_ALL, image_bytes));
	must_uc(uc_mem_map(uc, STACK_BASE, STACK_SIZE, UC_PROT_READ | UC_PROT_WRITE));
	must_uc(uc_mem_map(uc, RETURN_TO, PAGE_SIZE, UC_PROT_ALL));
}

static void teardown(void)
{
	uc_close(uc);
	space_destroy(space);
	virtmem_destroy(mem);
	free(image_bytes);
}

TestSuite(unwind_lld, .init = setup, .fini = teardown, .timeout = 120);

static const int general[UNWIND_NUM_REGISTERS] = {
	UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
	UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI,
	UC_X86_REG_R8,	UC_X86_REG_R9,	UC_X86_REG_R10, UC_X86_REG_R11,
	UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15,
};

static void get_context(struct unwind_context *ret)
{
	*ret = (struct unwind_context){ .known = 0xffff, .known_xmm = 0xffff };
	must_uc(uc_reg_read(uc, UC_X86_REG_RIP, &ret->rip));
	for (int i = 0; i < UNWIND_NUM_REGISTERS; i++)
		must_uc(uc_reg_read(uc, general[i], &ret->gpr[i]));
	for (int i = 0; i < 16; i++)
		must_uc(uc_reg_read(uc, UC_X86_REG_XMM0 + i, ret->xmm[i]));
}

static void set_context(struct unwind_context *c)
{
	for (int i = 0; i < UNWIND_NUM_REGISTERS; i++)
		must_uc(uc_reg_write(uc, general[i], &c->gpr[i]));
	for (int i = 0; i < 16; i++)
		must_uc(uc_reg_write(uc, UC_X86_REG_XMM0 + i, c->xmm[i]));
}

static bool read_memory(void *arg, uint64_t va, void *buf, size_t len)
{
	(void)arg;
	return uc_mem_read(uc, va, buf, len) == UC_ERR_OK;
}

static enum function_lookup find_function(void *arg, uint32_t rva, struct runtime_function *ret)
{
	(void)arg;
	return pe_find_function(space, &pe, rva, ret);
}

static void fail_at(uint64_t rip, const char *what)
{
	if (num_failures++ < 10)
		cr_log_error("at RVA 0x%llx: %s", (unsigned long long)(rip - pe.base), what);
}

static void compare(uint64_t rip, const struct unwind_context *got)
{
	static const char *const names[UNWIND_NUM_REGISTERS] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
	};

	for (unsigned i = 0; i < UNWIND_NUM_REGISTERS; i++) {
		if (UNWIND_VOLATILE >> i & 1)
			continue;
		if (!(got->known >> i & 1) || got->gpr[i] != caller.gpr[i])
			fail_at(rip, names[i]);
	}
	for (unsigned i = FIRST_XMM; i < 16; i++) {
		if (!(got->known_xmm >> i & 1) ||
		    memcmp(got->xmm[i], caller.xmm[i], sizeof(got->xmm[i])) != 0)
			fail_at(rip, "an XMM register");
	}
}

/* Before each instruction. */
static void on_instruction(uc_engine *engine, uint64_t address, uint32_t size, void *arg)
{
	const struct unwind_image image = {
		.base = pe.base,
		.read = read_memory,
		.find = find_function,
	};
	struct unwind_context context;
	struct unwind_step step;
	uint8_t byte = 0;

	(void)size;
	(void)arg;
	(void)uc_mem_read(engine, address, &byte, 1);
	if (byte == HLT) {
		uc_emu_stop(engine);
		return;
	}
	get_context(&context);
	context.rip = address;
	num_steps++;
	for (unsigned depth = 0; context.rip != RETURN_TO; depth++) {
		enum unwind_status status = unwind_caller(&image, &context, &step);

		if (status != UNWIND_OK || depth == MAX_DEPTH) {
			fail_at(address, unwind_status_text(status));
			return;
		}
	}
	compare(address, &context);
}

/* Calls the function with registers that nothing else has. */
static void run(uint32_t rva, uint64_t argument)
{
	uint64_t rsp = STACK_BASE + STACK_SIZE - 0x1000 - 8, return_to = RETURN_TO;

	memset(&caller, 0, sizeof(caller));
	for (unsigned i = 0; i < UNWIND_NUM_REGISTERS; i++)
		caller.gpr[i] = UINT64_C(0x1111111100000000) * (i + 1) + i;
	for (unsigned i = 0; i < 16; i++) {
		caller.xmm[i][0] = UINT64_C(0x3ff0000000000000) + i;
		caller.xmm[i][1] = UINT64_C(0x7777000000000000) + i;
	}
	caller.gpr[UNWIND_RCX] = argument;
	caller.gpr[UNWIND_RSP] = rsp;
	set_context(&caller);
	must_uc(uc_mem_write(uc, rsp, &return_to, sizeof(return_to)));
	caller.gpr[UNWIND_RSP] = rsp + 8;
	must_uc(uc_emu_start(uc, pe.base + rva, RETURN_TO, 0, 1 << 20));
}

Test(unwind_lld, the_callers_registers_come_out_at_every_instruction)
{
	static const uint64_t arguments[] = { 0, 1, 5, 0x123 };
	struct pe_exports exports;
	struct arena a;
	uc_hook hook;

	arena_init(&a, 0);
	must(pe_exports_read(space, &pe, &a, &exports));
	cr_assert_eq(exports.count, 20);
	must_uc(uc_hook_add(uc, &hook, UC_HOOK_CODE, (void *)(uintptr_t)on_instruction, NULL, 1,
			    0));
	for (size_t i = 0; i < exports.count; i++) {
		for (size_t n = 0; n < ARRAY_SIZE(arguments); n++) {
			uint64_t failures = num_failures;

			run(exports.items[i].rva, arguments[n]);
			cr_expect_eq(num_failures, failures, "%s(0x%llx)", exports.items[i].name,
				     (unsigned long long)arguments[n]);
		}
	}
	arena_deinit(&a);
	cr_log_info("%llu instructions", (unsigned long long)num_steps);
	cr_expect_gt(num_steps, 1000);
}

Test(unwind_lld, fragments_lead_to_the_function_that_they_are_of)
{
	const struct unwind_image image = {
		.base = pe.base,
		.read = read_memory,
		.find = find_function,
	};
	unsigned chained = 0;

	for (uint32_t i = 0; i < pe_num_functions(&pe); i++) {
		uint64_t va = pe.base + pe.directories[PE_DIR_EXCEPTION].rva + 12ULL * i;
		struct runtime_function fn, primary;
		struct unwind_info info;
		uint32_t begin;

		cr_assert(space_try_u32(space, va, &begin, NULL));
		cr_assert_eq(pe_find_function(space, &pe, begin, &fn), FUNCTION_FOUND);
		cr_assert_eq(unwind_info_read(&image, fn.info, &info), UNWIND_OK);
		cr_assert_eq(unwind_primary(&image, &fn, &primary), UNWIND_OK);
		if (info.flags & UNWIND_CHAINED) {
			chained++;
			cr_expect_eq(primary.begin, info.chained.begin);
		} else {
			cr_expect_eq(primary.begin, fn.begin);
		}
	}
	cr_expect_eq(chained, 2);
}
