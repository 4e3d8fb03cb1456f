/* SPDX-License-Identifier: MIT */
#include "fake_space.h"

#include "windows/convention.h"
#include "windows/stack/private.h"
#include "windows/symbols/builtin.h"
#include "windows/thread/trap_frame.h"

/*
 * Images whose pages are absent, and a stack: what can be found without unwind data. Layouts are
 * the built-in ones of build 19041.
 */
#define IMAGE	   UINT64_C(0xfffff80000000000)
#define USER_IMAGE UINT64_C(0x7ff600000000)
#define STACK	   FAKE_BASE
enum { IMAGE_SIZE = 0x100000, STACK_BYTES = 0x1000, TRAP_FRAME = 0x800 };

static struct fake_space *fake;
static struct kernel kernel;
static struct stack_reader reader;
static struct stack_images user_images;
static struct field trap_fields[trap_num_fields];
static struct stack_thread thread;
static struct stack_frame *frames;
static size_t count;
static const char *end;

static void must(struct error *err)
{
	cr_assert_null(err, "%s", error_message(err));
}

static void setup(void)
{
	struct profile_source *source;

	fake = calloc(1, sizeof(*fake));
	fake_show(fake, STACK, STACK + STACK_BYTES);
	fake_open(fake);
	kernel = (struct kernel){ .space = fake->space, .loc = { .base = IMAGE } };
	must(builtin_open(builtin_nearest(19041), &source));
	must(profile_from_source(source, 19041, &kernel.profile));
	must(profile_bind(kernel.profile, trap_field_rows, trap_num_fields, trap_fields));
	reader = (struct stack_reader){ .k = &kernel };
	must(profile_bind(kernel.profile, stack_field_rows, stack_num_fields, reader.fields));
	stack_images_init(&reader.kernel_images, fake->space);
	must(stack_images_add(&reader.kernel_images, IMAGE, IMAGE_SIZE, "nt"));
	stack_images_sort(&reader.kernel_images);
	stack_images_init(&user_images, fake->space);
	must(stack_images_add(&user_images, USER_IMAGE, IMAGE_SIZE, "app.exe"));
	thread = (struct stack_thread){
		.space = fake->space,
		.images = &user_images,
		.stack_limit = STACK,
		.stack_base = STACK + STACK_BYTES,
		.has_context = true,
		.has_rip = true,
		.context = { .rip = IMAGE + 0x1000, .known = 0xffff },
	};
	thread.context.gpr[UNWIND_RSP] = STACK + 0x108;
	frames = NULL;
}

static void teardown(void)
{
	free(frames);
	stack_images_deinit(&user_images);
	stack_images_deinit(&reader.kernel_images);
	profile_close(kernel.profile);
	fake_close(fake);
	free(fake);
}

TestSuite(stack, .init = setup, .fini = teardown, .timeout = 60);

static void walk(void)
{
	must(stack_walk(&reader, &thread, &frames, &count, &end));
}

static void expect_frame(size_t i, enum frame_found found, uint64_t rip, uint64_t child_sp)
{
	cr_assert_lt(i, count, "frame %zu of %zu", i, count);
	cr_expect_str_eq(frame_found_name(frames[i].found), frame_found_name(found), "frame %zu",
			 i);
	cr_expect_eq(frames[i].rip, rip, "frame %zu: rip 0x%llx", i,
		     (unsigned long long)frames[i].rip);
	cr_expect_eq(frames[i].child_sp, child_sp, "frame %zu: child_sp 0x%llx", i,
		     (unsigned long long)frames[i].child_sp);
}

static void put_trap(unsigned offset, enum trap_field field, uint64_t value)
{
	uint8_t *at = fake->bytes + offset + trap_fields[field].offset;

	if (trap_fields[field].size == 8)
		store_u64(at, value);
	else if (trap_fields[field].size == 4)
		store_u32(at, (uint32_t)value);
	else
		store_u16(at, (uint16_t)value);
}

Test(stack, a_scan_takes_what_lies_where_calls_put_it)
{
	fake_put_u64(fake, STACK + 0x108, IMAGE + 0x2000); /* the innermost may not have moved */
	fake_put_u64(fake, STACK + 0x120, IMAGE + 0x3000); /* at a multiple of 16: no call */
	fake_put_u64(fake, STACK + 0x128, IMAGE - 8);	   /* in no image */
	fake_put_u64(fake, STACK + 0x138, IMAGE);	   /* the image's own address */
	fake_put_u64(fake, STACK + 0x148, USER_IMAGE + 0x1000); /* not of the kernel */
	fake_put_u64(fake, STACK + 0x158, IMAGE + 0x4000);
	fake_put_u64(fake, STACK + 0x160, 11);
	fake_put_u64(fake, STACK + 0x178, 14);
	walk();
	cr_assert_eq(count, 3);
	expect_frame(0, FRAME_CONTEXT, IMAGE + 0x1000, STACK + 0x108);
	expect_frame(1, FRAME_SCAN, IMAGE + 0x2000, STACK + 0x110);
	expect_frame(2, FRAME_SCAN, IMAGE + 0x4000, STACK + 0x160);
	cr_expect_eq(frames[0].return_address, IMAGE + 0x2000);
	cr_expect_eq(frames[1].num_homes, 4);
	cr_expect_eq(frames[1].homes[0], 11);
	cr_expect_eq(frames[1].homes[3], 14);
	cr_expect_not(frames[2].has_return);
	cr_expect_str_eq(frames[1].module, "nt");
	cr_expect_eq(frames[1].offset, 0x2000);
	cr_expect_null(frames[1].symbol);
	cr_expect_eq(frames[1].registers.known, 1 << UNWIND_RSP);
	cr_expect_not_null(strstr(end, "return address"));
}

/* With five levels of page tables the kernel's half begins at 0xff00000000000000. */
Test(stack, a_driver_may_lie_where_only_five_levels_reach)
{
	const uint64_t driver = UINT64_C(0xff11000000000000);

	must(stack_images_add(&reader.kernel_images, driver, IMAGE_SIZE, "driver.sys"));
	stack_images_sort(&reader.kernel_images);
	fake_put_u64(fake, STACK + 0x108, driver + 0x2000);
	walk();
	cr_assert_eq(count, 2);
	expect_frame(1, FRAME_SCAN, driver + 0x2000, STACK + 0x110);
	cr_expect_str_eq(frames[1].module, "driver.sys");
}

Test(stack, the_threads_trap_frame_leads_out_of_the_kernel)
{
	thread.trap_frame = STACK + TRAP_FRAME;
	fake_put_u64(fake, STACK + 0x108, IMAGE + 0x2000);
	/* above the trap frame nothing belongs to this stack */
	fake_put_u64(fake, STACK + TRAP_FRAME + 0x8, IMAGE + 0x3000);
	put_trap(TRAP_FRAME, TRAP_CS, SELECTOR_USER_CODE64 | 3);
	put_trap(TRAP_FRAME, TRAP_RIP, USER_IMAGE + 0x1234);
	put_trap(TRAP_FRAME, TRAP_RSP, 0x10000);
	put_trap(TRAP_FRAME, TRAP_RBP, 0x10040);
	walk();
	cr_assert_eq(count, 3);
	expect_frame(2, FRAME_TRAP_FRAME, USER_IMAGE + 0x1234, 0x10000);
	cr_expect_str_eq(frames[2].module, "app.exe");
	cr_expect_eq(frames[2].registers.gpr[UNWIND_RBP], 0x10040);
	cr_expect_not(frames[2].registers.known & UNWIND_VOLATILE);
}

static void put_kernel_trap(void)
{
	put_trap(0x110, TRAP_CS, SELECTOR_KERNEL_CODE);
	put_trap(0x110, TRAP_SS, SELECTOR_KERNEL_DATA);
	put_trap(0x110, TRAP_EFLAGS, 0x246);
	put_trap(0x110, TRAP_RIP, IMAGE + 0x5000);
	put_trap(0x110, TRAP_RSP, STACK + 0x400);
	put_trap(0x110, TRAP_RCX, 77);
}

Test(stack, a_frame_that_is_a_trap_frame_leads_to_what_was_interrupted)
{
	fake_put_u64(fake, STACK + 0x108, IMAGE + 0x2000);
	put_kernel_trap();
	walk();
	cr_assert_eq(count, 3);
	expect_frame(2, FRAME_TRAP_FRAME, IMAGE + 0x5000, STACK + 0x400);
	cr_expect_eq(frames[2].registers.gpr[UNWIND_RCX], 77);
}

Test(stack, what_is_no_trap_frame_in_all_parts_is_none)
{
	static const struct {
		enum trap_field field;
		uint64_t value;
	} rows[] = {
		{ TRAP_CS, 0x11 },	     { TRAP_SS, 0x10 },
		{ TRAP_EFLAGS, 0x244 },	     { TRAP_RIP, IMAGE - 1 },
		{ TRAP_RSP, STACK + 0x100 }, { TRAP_RSP, STACK + 0x10000000 },
	};

	fake_put_u64(fake, STACK + 0x108, IMAGE + 0x2000);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_kernel_trap();
		put_trap(0x110, rows[i].field, rows[i].value);
		walk();
		for (size_t n = 0; n < count; n++)
			cr_expect_neq(frames[n].found, FRAME_TRAP_FRAME, "row %zu", i);
		free(frames);
		frames = NULL;
	}
}

Test(stack, frame_pointers_of_32_bit_code)
{
	/* two frames, then one whose frame pointer goes down */
	thread.is_32bit = true;
	thread.context.rip = USER_IMAGE + 1;
	thread.context.gpr[UNWIND_RBP] = STACK + 0x200;
	store_u32(fake->bytes + 0x204, 0x401000);
	store_u32(fake->bytes + 0x208, 5);
	walk();
	cr_assert_eq(count, 2);
	expect_frame(1, FRAME_POINTER, 0x401000, STACK + 0x208);
	cr_expect_eq(frames[0].num_homes, 4);
	cr_expect_eq(frames[0].homes[0], 5);
	cr_expect(frames[1].is_32bit);
	cr_expect_str_eq(end, "the frame pointers do not go up");
}

Test(stack, without_registers_there_are_no_frames)
{
	thread.has_context = false;
	walk();
	cr_expect_eq(count, 0);
	cr_expect_not_null(end);
}

Test(stack, a_thread_that_waits_begins_at_its_first_return_address)
{
	thread.has_rip = false;
	fake_put_u64(fake, STACK + 0x138, IMAGE + 0x2000);
	thread.context.gpr[UNWIND_RSP] = STACK + 0x100;
	walk();
	cr_assert_eq(count, 1);
	expect_frame(0, FRAME_SCAN, IMAGE + 0x2000, STACK + 0x140);
}

Test(stack, a_stack_full_of_return_addresses_has_an_end)
{
	for (unsigned i = 8; i < STACK_BYTES; i += 16)
		fake_put_u64(fake, STACK + i, IMAGE + i);
	thread.context.gpr[UNWIND_RSP] = STACK;
	walk();
	cr_expect_eq(count, STACK_BYTES / 16 + 1);
}

Test(stack, calls_are_told_by_their_bytes)
{
	static const struct {
		uint8_t code[7]; /* the last bytes before the address */
		bool call;
	} rows[] = {
		{ { 0x90, 0x90, 0xe8, 0, 0, 0, 0 }, true },
		{ { 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xd0 }, true },
		{ { 0x90, 0x90, 0x90, 0x90, 0x41, 0xff, 0xd3 }, true },
		{ { 0x90, 0x90, 0x90, 0x90, 0xff, 0x50, 0x18 }, true },
		{ { 0x90, 0xff, 0x15, 0, 0, 0, 0 }, true },
		{ { 0xff, 0x94, 0xc1, 0, 1, 0, 0 }, true },
		{ { 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xe0 }, false },
		{ { 0x90, 0x90, 0x90, 0x90, 0xe9, 0, 0 }, false },
		{ { 0 }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(fake->bytes + 0x100, rows[i].code, 7);
		cr_expect_eq(stack_follows_call(fake->space, STACK + 0x107), rows[i].call,
			     "row %zu", i);
	}
	cr_expect(stack_follows_call(fake->space, IMAGE + 0x1000), "absent code may be a call");
}

Test(stack, images_are_found_by_address)
{
	struct stack_images *images = &user_images;

	must(stack_images_add(images, USER_IMAGE - 0x2000, 0x1000, NULL));
	must(stack_images_add(images, UINT64_MAX - 0x100, 0x1000, "wraps"));
	must(stack_images_add(images, 0x1000, 0, "empty"));
	stack_images_sort(images);
	cr_expect_eq(images->count, 2);
	cr_expect_null(stack_images_find(images, 0));
	cr_expect_null(stack_images_find(images, USER_IMAGE - 0x1000));
	cr_expect_not_null(stack_images_find(images, USER_IMAGE - 0x1001));
	cr_expect_not_null(stack_images_find(images, USER_IMAGE + IMAGE_SIZE - 1));
	cr_expect_null(stack_images_find(images, USER_IMAGE + IMAGE_SIZE));
}
