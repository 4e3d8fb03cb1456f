/* SPDX-License-Identifier: MIT */
#include "windows/thread/thread_context.h"

#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/thread/trap_frame.h"

DEFINE_FIELDS(thread_context, THREAD_CONTEXT_FIELDS);

enum {
	SWITCH_FRAME_RBP = 0x30,
	SWITCH_FRAME_RETURN = 0x38,
	SWITCH_FRAME_SIZE = 0x40,
	WOW64_CONTEXT_SLOT = 1,
	WOW64_CONTEXT_OFFSET = 4,
};

bool switch_frame_read(struct space *s, uint64_t kernel_stack, struct switch_frame *ret)
{
	ret->rsp = kernel_stack + SWITCH_FRAME_SIZE;
	return space_try_u64(s, kernel_stack + SWITCH_FRAME_RETURN, &ret->rip, NULL) &&
	       space_try_u64(s, kernel_stack + SWITCH_FRAME_RBP, &ret->rbp, NULL);
}

bool wow64_context_read(struct space *s, uint64_t slots, struct context *ret, uint64_t *va_ret)
{
	uint8_t bytes[CONTEXT_X86_SIZE];
	size_t size = sizeof(bytes);
	struct cursor c;
	uint64_t va;

	if (!space_try_u64(s, slots + 8 * WOW64_CONTEXT_SLOT, &va, NULL) || !va)
		return false;
	va += WOW64_CONTEXT_OFFSET;
	if (!space_try_read(s, va, bytes, size, NULL))
		size = CONTEXT_X86_SHORT_SIZE;
	if (size < sizeof(bytes) && !space_try_read(s, va, bytes, size, NULL))
		return false;
	cur_init(&c, bytes, size, va);
	if (!context_x86_read(c, ret) || !(ret->registers.known & REGS_GENERAL))
		return false;
	*va_ret = va;
	return true;
}

static struct saved_context *add(struct saved_contexts *list, const char *source, uint64_t va,
				 unsigned width)
{
	struct saved_context *c = &list->items[list->count++];

	*c = (struct saved_context){ .source = source, .va = va, .width = width };
	return c;
}

static void put(struct saved_context *c, enum register_id id, uint64_t value)
{
	const struct register_row *row = &register_rows[id];

	memcpy((uint8_t *)&c->registers + row->offset, &value, row->size);
	c->known[id] = true;
}

/* The thread's own fields. */
struct reader {
	struct kernel *k;
	struct object thread, teb;
	struct saved_contexts *list;
};

static void absent(const struct reader *r, const char *what, uint64_t va)
{
	diag_partial(r->k->diag, "thread 0x%" PRIx64 ": %s at 0x%" PRIx64 " cannot be read",
		     r->thread.va, what, va);
}

static void take_switch_frame(struct reader *r)
{
	struct switch_frame frame;
	struct saved_context *c;
	uint64_t va;

	if (!object_u64(&r->thread, THREAD_CONTEXT_KERNEL_STACK, &va) || !va)
		return;
	if (!switch_frame_read(r->k->space, va, &frame)) {
		absent(r, "its switch frame", va);
		return;
	}
	c = add(r->list, "switch_frame", va, 8);
	put(c, AMD64_RIP, frame.rip);
	put(c, AMD64_RSP, frame.rsp);
	put(c, AMD64_RBP, frame.rbp);
}

static void take_trap_frame(struct reader *r)
{
	struct trap_frame frame;
	struct saved_context *c;
	struct fault fault;
	uint64_t va;

	if (!object_u64(&r->thread, THREAD_CONTEXT_TRAP_FRAME, &va) || !va)
		return;
	if (!trap_frame_read(r->k, va, &frame, &fault)) {
		absent(r, "its trap frame", va);
		return;
	}
	const struct {
		enum register_id id;
		uint64_t value;
	} rows[] = {
		{ AMD64_RAX, frame.rax },	{ AMD64_RCX, frame.rcx }, { AMD64_RDX, frame.rdx },
		{ AMD64_RSP, frame.rsp },	{ AMD64_RBP, frame.rbp }, { AMD64_R8, frame.r8 },
		{ AMD64_R9, frame.r9 },		{ AMD64_R10, frame.r10 }, { AMD64_R11, frame.r11 },
		{ AMD64_RIP, frame.rip },	{ AMD64_CS, frame.cs },	  { AMD64_SS, frame.ss },
		{ AMD64_RFLAGS, frame.rflags },
	};

	c = add(r->list, "trap_frame", va, 8);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		put(c, rows[i].id, rows[i].value);
}

static void take_wow64_context(struct reader *r)
{
	struct context context;
	struct saved_context *c;
	uint64_t slots, va;

	if (!object_address(&r->teb, THREAD_CONTEXT_TEB_TLS_SLOTS, &slots))
		return;
	/* a thread that has not begun has none */
	if (space_try_u64(r->teb.space, slots + 8 * WOW64_CONTEXT_SLOT, &va, NULL) && !va)
		return;
	if (!wow64_context_read(r->teb.space, slots, &context, &va)) {
		absent(r, "its 32-bit context by the slots", slots);
		return;
	}
	c = add(r->list, "wow64", va, 4);
	c->registers = context.registers;
	for (unsigned id = 0; id < NUM_REGISTERS; id++)
		c->known[id] = saved_context_has(c, id) && register_known(&c->registers, id);
}

bool saved_context_has(const struct saved_context *c, enum register_id id)
{
	static const enum register_id selectors[] = { AMD64_CS, AMD64_DS, AMD64_ES,
						      AMD64_FS, AMD64_GS, AMD64_SS };

	if (c->width == 4 && id >= AMD64_R8 && id <= AMD64_R15)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++)
		if (id == selectors[i])
			return true;
	return id < NUM_GP_REGISTERS;
}

struct error *saved_contexts_read(struct kernel *k, const struct saved_contexts_of *of,
				  struct saved_contexts *ret)
{
	struct field fields[thread_context_num_fields];
	struct reader r = { .k = k, .list = ret };
	struct error *err;
	uint64_t teb;

	err = profile_bind(k->profile, thread_context_field_rows, thread_context_num_fields,
			   fields);
	if (err)
		return err;
	ret->count = 0;
	r.thread = object_at(k->space, of->ethread, fields);
	if (!of->running)
		take_switch_frame(&r);
	take_trap_frame(&r);
	if (of->wow64 && of->space && object_u64(&r.thread, THREAD_CONTEXT_TEB, &teb) && teb) {
		r.teb = object_at(of->space, teb, fields);
		take_wow64_context(&r);
	}
	return NULL;
}
