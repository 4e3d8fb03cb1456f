/* SPDX-License-Identifier: MIT */
#include "fake_space.h"

#include <stdlib.h>

#include "windows/symbols/builtin.h"
#include "windows/thread/thread_context.h"
#include "windows/thread/trap_frame.h"

/* A thread, its kernel stack and its TEB in a few pages; layouts of build 19041. */
#define ETHREAD (FAKE_BASE + 0x0)
#define FRAME	(FAKE_BASE + 0x1000) /* switch frame */
#define TRAP	(FAKE_BASE + 0x2000)
#define TEB	(FAKE_BASE + 0x4000)
#define CPU	(FAKE_BASE + 0x6000) /* WOW64_CPURESERVED */
enum { MACHINE_X86 = 0x14c };

static struct fake_space *fake;
static struct diag diag;
static struct kernel kernel;
static struct field fields[thread_context_num_fields], trap_fields[trap_num_fields];
static struct saved_contexts contexts;

static void must(struct error *err)
{
	cr_assert_null(err, "%s", error_message(err));
}

static void put_u32(uint64_t va, uint32_t value)
{
	store_u32(fake->bytes + (va - FAKE_BASE), value);
}

static uint64_t slots(void)
{
	return TEB + fields[THREAD_CONTEXT_TEB_TLS_SLOTS].offset;
}

/* Each register holds its own offset in the record, marked. */
static void put_context(uint64_t va, uint32_t flags)
{
	for (uint32_t at = 4; at < CONTEXT_X86_SIZE; at += 4)
		put_u32(va + at, 0xc0de0000 + at);
	put_u32(va, flags);
}

static void put_trap_frame(uint16_t cs)
{
	for (unsigned i = 0; i < trap_num_fields; i++)
		memset(fake->bytes + (TRAP - FAKE_BASE) + trap_fields[i].offset, (int)(i + 1),
		       trap_fields[i].size);
	store_u16(fake->bytes + (TRAP - FAKE_BASE) + trap_fields[TRAP_CS].offset, cs);
}

static void setup(void)
{
	struct profile_source *source;

	fake = calloc(1, sizeof(*fake));
	diag_init(&diag, NULL, NULL);
	kernel = (struct kernel){ .diag = &diag };
	must(builtin_open(builtin_nearest(19041), &source));
	must(profile_from_source(source, 19041, &kernel.profile));
	must(profile_bind(kernel.profile, thread_context_field_rows, thread_context_num_fields,
			  fields));
	must(profile_bind(kernel.profile, trap_field_rows, trap_num_fields, trap_fields));
	fake_put_u64(fake, ETHREAD + fields[THREAD_CONTEXT_KERNEL_STACK].offset, FRAME);
	fake_put_u64(fake, ETHREAD + fields[THREAD_CONTEXT_TRAP_FRAME].offset, TRAP);
	fake_put_u64(fake, ETHREAD + fields[THREAD_CONTEXT_TEB].offset, TEB);
	fake_put_u64(fake, FRAME + 0x30, 0x1111);
	fake_put_u64(fake, FRAME + 0x38, 0x2222);
	put_trap_frame(0x33);
	fake_put_u64(fake, slots() + 8, CPU);
	put_u32(CPU, MACHINE_X86 << 16);
	put_context(CPU + 4, CONTEXT_X86 | 0x3f);
}

static void teardown(void)
{
	fake_close(fake);
	profile_close(kernel.profile);
	free(fake);
}

TestSuite(thread_context, .init = setup, .fini = teardown);

static void read_contexts(bool running, bool wow64)
{
	kernel.space = fake->space ? fake->space : fake_open(fake);
	const struct saved_contexts_of of = {
		.ethread = ETHREAD,
		.space = kernel.space,
		.wow64 = wow64,
		.running = running,
	};

	must(saved_contexts_read(&kernel, &of, &contexts));
}

static const struct saved_context *find(const char *source)
{
	for (size_t i = 0; i < contexts.count; i++)
		if (strcmp(contexts.items[i].source, source) == 0)
			return &contexts.items[i];
	return NULL;
}

static void expect_value(const struct saved_context *c, enum register_id id, uint64_t value)
{
	struct registers all = c->registers;
	uint64_t found;

	all.known = UINT32_MAX;
	cr_expect(c->known[id], "%s", register_rows[id].name);
	cr_assert(register_get(&all, id, &found));
	cr_expect_eq(found, value, "%s: 0x%lx", register_rows[id].name, found);
}

static unsigned num_known(const struct saved_context *c)
{
	unsigned known = 0;

	for (unsigned id = 0; id < NUM_REGISTERS; id++) {
		known += c->known[id];
		cr_expect(!c->known[id] || saved_context_has(c, id));
	}
	return known;
}

Test(thread_context, switch_frame)
{
	read_contexts(false, false);
	cr_assert_eq(contexts.count, 2);
	const struct saved_context *c = &contexts.items[0];

	cr_expect_str_eq(c->source, "switch_frame");
	cr_expect_eq(c->va, FRAME);
	cr_expect_eq(num_known(c), 3);
	expect_value(c, AMD64_RBP, 0x1111);
	expect_value(c, AMD64_RIP, 0x2222);
	expect_value(c, AMD64_RSP, FRAME + 0x40);
	cr_expect_eq(diag.partial, 0);
}

Test(thread_context, a_running_thread_left_its_switch_frame)
{
	read_contexts(true, false);
	cr_expect_null(find("switch_frame"));
	cr_expect_not_null(find("trap_frame"));
}

Test(thread_context, trap_frame)
{
	read_contexts(false, false);
	const struct saved_context *c = find("trap_frame");

	cr_assert_not_null(c);
	cr_expect_eq(c->va, TRAP);
	cr_expect_eq(num_known(c), 13);
	expect_value(c, AMD64_RAX, UINT64_C(0x0101010101010101) * (TRAP_RAX + 1));
	expect_value(c, AMD64_RIP, UINT64_C(0x0101010101010101) * (TRAP_RIP + 1));
	expect_value(c, AMD64_CS, 0x33);
	/* what the entry does not save is not known */
	cr_expect_not(c->known[AMD64_RBX] || c->known[AMD64_R12] || c->known[AMD64_GS]);
}

Test(thread_context, no_trap_frame_without_a_code_segment)
{
	put_trap_frame(0x1234);
	read_contexts(false, false);
	cr_expect_null(find("trap_frame"));
	cr_expect_eq(diag.partial, 1);
}

static void expect_wow64(void)
{
	const struct saved_context *c = find("wow64");

	cr_assert_not_null(c);
	cr_expect_eq(c->width, 4);
	cr_expect_eq(c->va, CPU + 4);
	/* eight general ones, eip, eflags and six selectors */
	cr_expect_eq(num_known(c), 16);
	expect_value(c, AMD64_RDI, 0xc0de009c);
	expect_value(c, AMD64_RAX, 0xc0de00b0);
	expect_value(c, AMD64_RIP, 0xc0de00b8);
	expect_value(c, AMD64_RSP, 0xc0de00c4);
	expect_value(c, AMD64_SS, 0x00c8);
	cr_expect_not(saved_context_has(c, AMD64_R8));
}

Test(thread_context, wow64_with_flags_and_machine)
{
	read_contexts(false, true);
	cr_expect_eq(contexts.count, 3);
	expect_wow64();
}

/* Windows 7 and 8 keep something else in the four bytes. */
Test(thread_context, wow64_without_a_machine)
{
	put_u32(CPU, 1);
	read_contexts(false, true);
	expect_wow64();
}

Test(thread_context, wow64_only_in_a_32bit_process)
{
	read_contexts(false, false);
	cr_expect_null(find("wow64"));
}

Test(thread_context, wow64_of_a_thread_that_has_not_begun)
{
	fake_put_u64(fake, slots() + 8, 0);
	read_contexts(false, true);
	cr_expect_null(find("wow64"));
	cr_expect_eq(diag.partial, 0);
}

Test(thread_context, wow64_context_of_another_machine)
{
	put_context(CPU + 4, CONTEXT_AMD64 | 0x1f);
	read_contexts(false, true);
	cr_expect_null(find("wow64"));
	cr_expect_eq(diag.partial, 1);
}

Test(thread_context, wow64_some_groups)
{
	put_context(CPU + 4, CONTEXT_X86 | CONTEXT_CONTROL | CONTEXT_INTEGER);
	read_contexts(false, true);
	const struct saved_context *c = find("wow64");

	cr_assert_not_null(c);
	cr_expect(c->known[AMD64_RAX]);
	cr_expect_not(c->known[AMD64_DS]);
}

/* The extended registers may lie in a page that is absent. */
Test(thread_context, wow64_cut_short)
{
	fake_show(fake, FAKE_BASE, CPU + 4 + CONTEXT_X86_SHORT_SIZE);
	read_contexts(false, true);
	expect_wow64();
}

Test(thread_context, wow64_absent)
{
	fake_show(fake, FAKE_BASE, CPU + 4 + CONTEXT_X86_SHORT_SIZE - 1);
	read_contexts(false, true);
	cr_expect_null(find("wow64"));
	cr_expect_eq(diag.partial, 1);
}

Test(thread_context, dangling_pointers)
{
	fake_put_u64(fake, ETHREAD + fields[THREAD_CONTEXT_KERNEL_STACK].offset, UINT64_MAX - 8);
	fake_put_u64(fake, ETHREAD + fields[THREAD_CONTEXT_TRAP_FRAME].offset, 0xdead0000);
	fake_put_u64(fake, ETHREAD + fields[THREAD_CONTEXT_TEB].offset, 0x1234);
	read_contexts(false, true);
	cr_expect_eq(contexts.count, 0);
	cr_expect_eq(diag.partial, 3);
}
