/* SPDX-License-Identifier: MIT */
#include "windows/thread/trap_frame.h"

#include <string.h>

#include "windows/convention.h"

DEFINE_FIELDS(trap, TRAP_FIELDS);

static const struct {
	unsigned field;
	uint16_t member, size;
} trap_rows[] = {
#define ROW(field, member)                                          \
	{                                                           \
		TRAP_##field, offsetof(struct trap_frame, member),  \
			sizeof(((struct trap_frame *)NULL)->member) \
	}
	ROW(RAX, rax),
	ROW(RCX, rcx),
	ROW(RDX, rdx),
	ROW(R8, r8),
	ROW(R9, r9),
	ROW(R10, r10),
	ROW(R11, r11),
	ROW(RBP, rbp),
	ROW(RIP, rip),
	ROW(RSP, rsp),
	ROW(CS, cs),
	ROW(SS, ss),
	ROW(EFLAGS, rflags),
	ROW(FAULT_ADDRESS, fault_address),
	ROW(ERROR_CODE, error_code),
	ROW(PREVIOUS_MODE, previous_mode),
	ROW(PREVIOUS_IRQL, previous_irql),
};

/* The code segments that something can be interrupted in. */
static bool is_code_selector(uint16_t cs)
{
	return cs == SELECTOR_KERNEL_CODE || cs == (SELECTOR_USER_CODE64 | 3) ||
	       cs == (SELECTOR_USER_CODE32 | 3);
}

bool trap_frame_read(struct kernel *k, uint64_t va, struct trap_frame *ret, struct fault *fault)
{
	struct trap_frame frame = { .va = va, .previous_mode = 0xff, .previous_irql = 0xff };
	struct field fields[trap_num_fields];
	struct object object;
	struct error *err;

	if (fault)
		*fault = (struct fault){ 0 };
	if ((err = profile_bind(k->profile, trap_field_rows, trap_num_fields, fields))) {
		error_destroy(err);
		return false;
	}
	object = object_at(k->space, va, fields);
	for (size_t i = 0; i < ARRAY_SIZE(trap_rows); i++) {
		uint64_t value;

		if (object_u64(&object, trap_rows[i].field, &value)) {
			memcpy((uint8_t *)&frame + trap_rows[i].member, &value, trap_rows[i].size);
		} else if (trap_field_rows[trap_rows[i].field].need == REQUIRED) {
			if (fault)
				*fault = object.fault;
			return false;
		}
	}
	if (!is_code_selector(frame.cs))
		return false;
	*ret = frame;
	return true;
}
