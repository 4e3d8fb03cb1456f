/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "arch/amd64/context.h"
#include "arch/amd64/registers.h"
#include "fuzz.h"
#include "windows/crash/exception.h"

/* The bytes are a context, special registers and an exception record, of either width. */
static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What a register gives must fit in it, and its name must find it. */
static void check_registers(const struct registers *r)
{
	char text[BITS_TEXT_SIZE];

	for (unsigned i = 0; i < NUM_REGISTERS; i++) {
		const struct register_row *row = &register_rows[i];
		struct registers copy = *r;
		uint64_t value, again;

		if (!register_get(r, i, &value))
			continue;
		check(row->size == 8 || value >> (row->size * 8) == 0);
		check(register_set(&copy, i, value));
		check(register_get(&copy, i, &again) && again == value);
		if (row->bits) {
			bits_text(row->bits, value, text);
			check(strlen(text) < sizeof(text));
		}
	}
}

static void check_width(const struct registers *r)
{
	enum paging_mode mode;
	unsigned width, effective;

	if (registers_paging_mode(r, &mode))
		check(paging_mode_name(mode) && registers_address_width(r, &width));
	if (registers_effective_address_width(r, NULL, &effective))
		check(registers_address_width(r, &width) && effective <= width);
}

static void check_context(const struct context *context, uint64_t limit)
{
	uint64_t general[NUM_GP_REGISTERS];

	check_registers(&context->registers);
	check_width(&context->registers);
	for (unsigned i = 0;
	     i < NUM_GP_REGISTERS && registers_get_general(&context->registers, general); i++)
		check(general[i] <= limit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct special_registers special;
	struct exception_record record;
	struct context context;
	struct registers merged = { 0 };
	struct cursor c;

	cur_init(&c, data, size, 0);
	if (context_amd64_read(c, &context)) {
		check(size >= CONTEXT_AMD64_SIZE && context.width == 8);
		check_context(&context, UINT64_MAX);
		registers_merge(&merged, &context.registers, ~UINT32_C(0));
	}
	if (context_x86_read(c, &context)) {
		check(context.width == 4 && (!context.has_xsave || size >= CONTEXT_X86_SIZE));
		check_context(&context, UINT32_MAX);
	}
	if (special_registers_amd64_read(c, &special)) {
		registers_merge(&merged, &special.registers, ~UINT32_C(0));
		check_width(&special.registers);
	}
	if (special_registers_x86_read(c, &special))
		check_registers(&special.registers);
	check_registers(&merged);
	check_width(&merged);
	for (unsigned width = 4; width <= 8; width += 4)
		if (exception_record_read(c, width, &record))
			check(record.num_parameters <= EXCEPTION_MAX_PARAMETERS);
	return 0;
}
