/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "arch/amd64/unwind.h"
#include "base/cursor.h"
#include "fuzz.h"

/*
 * Two bytes say where in the input RIP and the end of the one function are; the rest is the image
 * at BASE and, the same bytes, the stack. Unwind information is at its start.
 */
#define BASE  UINT64_C(0xfffff80000000000)
#define STACK UINT64_C(0xffff800000000000)
enum { MAX_INPUT = 4096, MAX_STEPS = 64 };

struct memory {
	const uint8_t *bytes;
	size_t size;
	struct runtime_function fn;
};

static bool read_memory(void *arg, uint64_t va, void *buf, size_t len)
{
	const struct memory *m = arg;
	uint64_t at = va >= BASE ? va - BASE : va - STACK;

	if (at >= m->size || len > m->size - at)
		return false;
	memcpy(buf, m->bytes + at, len);
	return true;
}

static enum function_lookup find_function(void *arg, uint32_t rva, struct runtime_function *ret)
{
	const struct memory *m = arg;

	if (rva < m->fn.begin || rva >= m->fn.end)
		return rva & 1 ? FUNCTION_NONE : FUNCTION_ABSENT;
	*ret = m->fn;
	return FUNCTION_FOUND;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory m = { .bytes = data + 2, .size = size - 2 };
	const struct unwind_image image = {
		.base = BASE,
		.read = read_memory,
		.find = find_function,
		.arg = &m,
	};
	struct unwind_context context = { .known = 0xffff };
	struct runtime_function primary;
	struct unwind_info info;
	struct unwind_step step;

	if (size < 2 || size > MAX_INPUT)
		return 0;
	m.fn = (struct runtime_function){ 8, 8 + data[1] * 4U, 0 };
	if (unwind_info_read(&image, 0, &info) == UNWIND_OK) {
		check(info.num_codes <= UNWIND_MAX_CODES && info.version <= 2);
		for (unsigned i = 0; i < info.num_codes; i++)
			check(info.codes[i].op <= UNWIND_PUSH_MACHFRAME);
	}
	if (unwind_primary(&image, &m.fn, &primary) == UNWIND_OK)
		check(!(primary.info & 1));
	context.rip = BASE + data[0];
	for (unsigned i = 0; i < UNWIND_NUM_REGISTERS; i++)
		context.gpr[i] = STACK + 16 * i;
	for (unsigned i = 0; i < MAX_STEPS; i++) {
		struct unwind_context before = context;

		if (unwind_caller(&image, &context, &step) != UNWIND_OK) {
			check(memcmp(&before, &context, sizeof(before)) == 0);
			break;
		}
		check(context.known >> UNWIND_RSP & 1);
		context.rip = BASE + (uint8_t)context.rip;
	}
	return 0;
}
