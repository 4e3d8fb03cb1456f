/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/convention.h"
#include "windows/kernel/kernel_address.h"
#include "windows/stack/private.h"
#include "windows/thread/trap_frame.h"

enum {
	MAX_SCAN = 128 << 10,	/* bytes of stack looked at for one return address */
	MAX_FRAME_32 = 1 << 20, /* bytes between two frame pointers */
	USER_STACK = 1 << 20,	/* looked at where the TEB does not say */
	KERNEL_STACK = 128 << 10,
	/* RFLAGS: bit 1 is set; 3, 5, 15 and those from 22 on are clear */
	RFLAGS_FIXED = 1 << 1,
};
#define RFLAGS_FIXED_MASK (~UINT64_C(0x3f7fd7) | RFLAGS_FIXED)

struct stack_walker {
	struct stack_reader *r;
	const struct stack_thread *thread;
	struct unwind_context context;
	bool is_32bit, entered_user;
	bool innermost; /* the context is not that of a call in progress: leaf code may be there */
	uint64_t user_limit, user_base; /* of the 64-bit user stack */
	struct stack_frame *frames;	/* heap */
	size_t count, capacity;
	struct error *err;
};

static bool is_user_address(uint64_t va)
{
	return va >= 0x10000 && !(va >> 47);
}

static struct stack_images *images_of(const struct stack_walker *w, uint64_t va)
{
	return is_kernel_address(va) ? &w->r->kernel_images : w->thread->images;
}

static struct stack_image *find_image(const struct stack_walker *w, uint64_t va,
				      struct stack_images **ret)
{
	*ret = images_of(w, va);
	return *ret ? stack_images_find(*ret, va) : NULL;
}

static bool add_frame(struct stack_walker *w, enum frame_found found)
{
	struct stack_images *images = images_of(w, w->context.rip);
	struct stack_frame frame = {
		.found = found,
		.is_32bit = w->is_32bit,
		.rip = w->context.rip,
		.child_sp = w->context.gpr[UNWIND_RSP],
		.registers = w->context,
	};

	w->err = array_reserve(&w->frames, &w->capacity, w->count + 1, sizeof(*w->frames),
			       STACK_MAX_FRAMES, "frames");
	if (w->err)
		return false;
	if (images)
		stack_name(w->r, images, w->thread->space, &frame);
	if (w->count) {
		w->frames[w->count - 1].has_return = true;
		w->frames[w->count - 1].return_address = frame.rip;
	}
	w->frames[w->count++] = frame;
	return true;
}

/* The frame's function has been left by its return: its parameters' homes lie above the return
 * address. */
static void read_homes(struct stack_walker *w, uint64_t va, unsigned width)
{
	struct stack_frame *frame = &w->frames[w->count - 1];
	uint8_t bytes[8 * STACK_NUM_HOMES];

	if (!space_try_read(w->thread->space, va, bytes, (size_t)width * STACK_NUM_HOMES, NULL))
		return;
	for (unsigned i = 0; i < STACK_NUM_HOMES; i++)
		frame->homes[i] = width == 8 ? load_u64(bytes + 8 * i) : load_u32(bytes + 4 * i);
	frame->num_homes = STACK_NUM_HOMES;
}

/* By the tables of the image that the context is in. */
static bool step_by_tables(struct stack_walker *w, struct unwind_context *next,
			   struct unwind_step *step)
{
	struct stack_images *images;
	struct stack_image *at = find_image(w, w->context.rip, &images);
	const struct pe_image *pe = at ? stack_image_headers(images, at) : NULL;
	struct pe_unwind_image image;

	/* without a table every function would pass for a leaf */
	if (!pe || pe->is_32bit || !pe_num_functions(pe))
		return false;
	pe_unwind_image_init(&image, w->thread->space, pe);
	*next = w->context;
	if (unwind_caller(&image.image, next, step) != UNWIND_OK)
		return false;
	/* what has called something is no leaf: its entry is missing from the table */
	if (step->leaf && !w->innermost)
		return false;
	if (step->machine_frame)
		return is_kernel_address(next->rip) || is_user_address(next->rip);
	if (next->gpr[UNWIND_RSP] <= w->context.gpr[UNWIND_RSP])
		return false;
	return !next->rip || is_kernel_address(next->rip) == is_kernel_address(w->context.rip);
}

/* Where the stack that RSP is on ends. */
static uint64_t stack_end(const struct stack_walker *w, uint64_t rsp)
{
	const struct stack_thread *t = w->thread;

	if (!is_kernel_address(rsp))
		return rsp >= w->user_limit && rsp < w->user_base ? w->user_base : rsp + USER_STACK;
	if (t->trap_frame >= rsp && t->trap_frame - rsp <= KERNEL_STACK)
		return t->trap_frame;
	return rsp >= t->stack_limit && rsp < t->stack_base ? t->stack_base : rsp + KERNEL_STACK;
}

/* Could execution go on at va after a call? */
static bool is_return_address(struct stack_walker *w, uint64_t va)
{
	struct stack_images *images;
	struct stack_image *image = find_image(w, va, &images);
	const struct pe_image *pe;
	struct runtime_function fn;
	uint32_t rva;

	if (!image || va == image->base)
		return false;
	rva = (uint32_t)(va - image->base);
	pe = stack_image_headers(images, image);
	if (pe && !pe_is_code(pe, rva))
		return false;
	/* what calls is no leaf and has an entry */
	if (pe && !pe->is_32bit && pe_num_functions(pe) &&
	    pe_find_function(w->thread->space, pe, rva, &fn) == FUNCTION_NONE)
		return false;
	return stack_follows_call(w->thread->space, va);
}

/*
 * The stack pointer is a multiple of 16 wherever a function calls another ("x64 stack usage"), so
 * return addresses lie at 8 above one.
 */
static bool step_by_scan(struct stack_walker *w, struct unwind_context *next)
{
	uint64_t start = w->context.gpr[UNWIND_RSP], end = stack_end(w, start), value;

	if (start & 7 || end < start)
		return false;
	for (uint64_t at = start | 8; at < end && at - start < MAX_SCAN; at += 16) {
		if (!space_try_u64(w->thread->space, at, &value, NULL))
			return false;
		if (is_kernel_address(value) != is_kernel_address(w->context.rip) ||
		    !is_return_address(w, value))
			continue;
		*next = (struct unwind_context){ .rip = value, .known = 1 << UNWIND_RSP };
		next->gpr[UNWIND_RSP] = at + 8;
		return true;
	}
	return false;
}

static void take_trap_frame(const struct trap_frame *frame, struct unwind_context *next)
{
	*next = (struct unwind_context){
		.rip = frame->rip,
		.gpr = { [UNWIND_RAX] = frame->rax,
			 [UNWIND_RCX] = frame->rcx,
			 [UNWIND_RDX] = frame->rdx,
			 [UNWIND_RSP] = frame->rsp,
			 [UNWIND_RBP] = frame->rbp,
			 [UNWIND_R8] = frame->r8,
			 [UNWIND_R9] = frame->r9,
			 [UNWIND_R10] = frame->r10,
			 [UNWIND_R11] = frame->r11 },
		.known = 1 << UNWIND_RSP | 1 << UNWIND_RBP,
	};
	/* system calls save no volatile registers; what user code had in them is unknown */
	if (frame->cs == SELECTOR_KERNEL_CODE)
		next->known |= UNWIND_VOLATILE;
}

/*
 * Entry code that handles a trap in the kernel keeps RSP at the trap frame that it has built, so a
 * frame whose child SP is one is such code. What is there must be a trap frame in all its parts.
 */
static bool step_by_own_trap_frame(struct stack_walker *w, struct unwind_context *next)
{
	uint64_t at = w->context.gpr[UNWIND_RSP];
	struct trap_frame frame;
	struct stack_images *images;

	if (!is_kernel_address(at) || at & 15 || !trap_frame_read(w->r->k, at, &frame, NULL) ||
	    frame.cs != SELECTOR_KERNEL_CODE || frame.ss != SELECTOR_KERNEL_DATA ||
	    (frame.rflags & RFLAGS_FIXED_MASK) != RFLAGS_FIXED || frame.rsp <= at ||
	    frame.rsp - at > KERNEL_STACK || !is_kernel_address(frame.rip) ||
	    !find_image(w, frame.rip, &images))
		return false;
	take_trap_frame(&frame, next);
	return true;
}

/* Out of the kernel by what the thread saved when it came in. */
static bool step_by_trap_frame(struct stack_walker *w, struct unwind_context *next,
			       uint16_t *cs_ret)
{
	struct trap_frame frame;

	if (w->entered_user || !is_kernel_address(w->context.rip) || !w->thread->trap_frame ||
	    !trap_frame_read(w->r->k, w->thread->trap_frame, &frame, NULL) ||
	    !is_user_address(frame.rip))
		return false;
	take_trap_frame(&frame, next);
	*cs_ret = frame.cs;
	return true;
}

/* EBP leads to {caller's EBP, return address}; parameters follow. */
static const char *walk_32bit(struct stack_walker *w)
{
	for (;;) {
		uint64_t ebp = w->context.gpr[UNWIND_RBP];
		uint32_t next, address;

		if (!(w->context.known >> UNWIND_RBP & 1))
			return "the frame pointer is not known";
		if (!space_try_u32(w->thread->space, ebp, &next, NULL) ||
		    !space_try_u32(w->thread->space, ebp + 4, &address, NULL))
			return "the frame pointer leads to nothing that is captured";
		read_homes(w, ebp + 8, 4);
		if (!address) {
			w->frames[w->count - 1].has_return = true;
			return "the thread's first frame";
		}
		if (w->count == STACK_MAX_FRAMES)
			return "too many frames";
		w->context = (struct unwind_context){
			.rip = address,
			.gpr = { [UNWIND_RSP] = ebp + 8, [UNWIND_RBP] = next },
			.known = 1 << UNWIND_RSP | 1 << UNWIND_RBP,
		};
		if (!add_frame(w, FRAME_POINTER))
			return NULL;
		if (next <= ebp || next - ebp > MAX_FRAME_32)
			return "the frame pointers do not go up";
	}
}

/* One step; NULL to go on. */
static const char *step(struct stack_walker *w)
{
	struct unwind_step how = { 0 };
	struct unwind_context next;
	enum frame_found found = FRAME_UNWIND;
	uint16_t cs = 0;

	if (step_by_tables(w, &next, &how)) {
		if (how.machine_frame) {
			found = FRAME_TRAP_FRAME;
			cs = how.cs;
		}
	} else if (step_by_own_trap_frame(w, &next)) {
		found = FRAME_TRAP_FRAME;
	} else if (step_by_scan(w, &next)) {
		found = FRAME_SCAN;
	} else if (step_by_trap_frame(w, &next, &cs)) {
		found = FRAME_TRAP_FRAME;
	} else {
		return "nothing on the captured stack looks like a return address";
	}
	if (found != FRAME_TRAP_FRAME)
		read_homes(w, next.gpr[UNWIND_RSP], 8);
	if (!next.rip) {
		w->frames[w->count - 1].has_return = true;
		return "the thread's first frame";
	}
	w->innermost = found == FRAME_TRAP_FRAME;
	w->entered_user |= !is_kernel_address(next.rip);
	w->is_32bit = found == FRAME_TRAP_FRAME && cs == (SELECTOR_USER_CODE32 | 3);
	w->context = next;
	if (w->count == STACK_MAX_FRAMES)
		return "too many frames";
	add_frame(w, found);
	return NULL;
}

/* Native frames, out of the kernel into user mode, until 32-bit code is reached or nothing. */
static const char *walk_64bit(struct stack_walker *w)
{
	const char *end = NULL;

	while (!end && !w->err && !w->is_32bit)
		end = step(w);
	return end;
}

/* The registers that the walk begins with; false if there is no first frame. */
static bool begin(struct stack_walker *w)
{
	const struct stack_thread *t = w->thread;
	struct unwind_context next;

	w->context = t->context;
	if (t->has_rip) {
		w->innermost = !t->in_call;
		return add_frame(w, FRAME_CONTEXT);
	}
	/* any address of the kernel says in which half to look */
	w->context.rip = w->r->k->loc.base;
	if (!step_by_scan(w, &next))
		return false;
	w->context = next;
	return add_frame(w, FRAME_SCAN);
}

static void read_user_stack(struct stack_walker *w)
{
	struct object teb = object_at(w->thread->space, w->thread->teb, w->r->fields);

	if (!w->thread->teb || !object_u64(&teb, STACK_TEB_STACK_LIMIT, &w->user_limit) ||
	    !object_u64(&teb, STACK_TEB_STACK_BASE, &w->user_base))
		w->user_limit = w->user_base = 0;
}

static const char *walk_all(struct stack_walker *w)
{
	const struct stack_thread *t = w->thread;
	const char *end;

	if (!t->has_context)
		return "the thread's registers are not known";
	if (!begin(w))
		return "the thread's stack is not captured";
	end = walk_64bit(w);
	if (!w->err && !w->is_32bit && t->wow64 &&
	    stack_read_wow64_context(t->space, w->r->fields, t->teb, &w->context)) {
		w->is_32bit = true;
		if (w->count < STACK_MAX_FRAMES)
			add_frame(w, FRAME_CONTEXT);
	}
	return w->is_32bit && !w->err ? walk_32bit(w) : end;
}

struct error *stack_walk(struct stack_reader *r, const struct stack_thread *thread,
			 struct stack_frame **frames_ret, size_t *count_ret, const char **end_ret)
{
	struct stack_walker w = { .r = r, .thread = thread, .is_32bit = thread->is_32bit };

	read_user_stack(&w);
	*end_ret = walk_all(&w);
	if (w.err) {
		free(w.frames);
		return w.err;
	}
	*frames_ret = w.frames;
	*count_ret = w.count;
	return NULL;
}

const char *frame_found_name(enum frame_found found)
{
	static const char *const names[NUM_FRAME_FOUND] = {
		[FRAME_CONTEXT] = "context",
		[FRAME_UNWIND] = "unwind",
		[FRAME_TRAP_FRAME] = "trap_frame",
		[FRAME_POINTER] = "frame_pointer",
		[FRAME_SCAN] = "scan",
	};

	return names[found];
}
