/* SPDX-License-Identifier: MIT */
#include "windows/stack/private.h"
#include "windows/thread/thread_context.h"

/* What bytes in memory say of a stack. */

enum { LONGEST_CALL = 7 };

/* Is p[0..len) an indirect call, FF /2? Prefixes in front of it are of no interest. */
static bool is_indirect_call(const uint8_t *p, size_t len)
{
	uint8_t mod = p[1] >> 6, rm = p[1] & 7;
	size_t size = 2;

	if (p[0] != 0xff || (p[1] >> 3 & 7) != 2)
		return false;
	if (mod != 3 && rm == 4)
		size++; /* SIB */
	if (mod == 1)
		size += 1;
	else if (mod == 2 || (mod == 0 && rm == 5))
		size += 4;
	return size == len;
}

bool stack_follows_call(struct space *space, uint64_t va)
{
	uint8_t code[LONGEST_CALL];

	if (!space_try_read(space, va - LONGEST_CALL, code, sizeof(code), NULL))
		return true;
	if (code[LONGEST_CALL - 5] == 0xe8)
		return true;
	for (size_t len = 2; len <= LONGEST_CALL; len++) {
		if (is_indirect_call(code + LONGEST_CALL - len, len))
			return true;
	}
	return false;
}

bool stack_read_wow64_context(struct space *space, const struct field *fields, uint64_t teb,
			      struct unwind_context *ret)
{
	struct object o = object_at(space, teb, fields);
	struct context context;
	uint64_t slots, va;

	if (!teb || !object_address(&o, STACK_TEB_TLS_SLOTS, &slots) ||
	    !wow64_context_read(space, slots, &context, &va))
		return false;
	*ret = (struct unwind_context){
		.rip = context.registers.rip,
		.known = 0xff,
		.gpr = { context.registers.rax, context.registers.rcx, context.registers.rdx,
			 context.registers.rbx, context.registers.rsp, context.registers.rbp,
			 context.registers.rsi, context.registers.rdi },
	};
	return true;
}
