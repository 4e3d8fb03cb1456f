/* SPDX-License-Identifier: MIT */
#include "windows/crash/exception.h"

#include "windows/convention.h"

static bool read_pointer(struct cursor *c, unsigned width, uint64_t *ret)
{
	uint32_t narrow;

	if (width == 8)
		return cur_u64(c, ret);
	if (!cur_u32(c, &narrow))
		return false;
	*ret = narrow;
	return true;
}

bool exception_record_read(struct cursor c, unsigned width, struct exception_record *ret)
{
	struct exception_record record = { 0 };

	if (!cur_u32(&c, &record.code) || !cur_u32(&c, &record.flags) ||
	    !read_pointer(&c, width, &record.record) || !read_pointer(&c, width, &record.address) ||
	    !cur_u32(&c, &record.num_parameters) || (width == 8 && !cur_skip(&c, 4)) ||
	    record.num_parameters > EXCEPTION_MAX_PARAMETERS)
		return false;
	for (unsigned i = 0; i < EXCEPTION_MAX_PARAMETERS; i++) {
		uint64_t parameter;

		if (!read_pointer(&c, width, &parameter))
			return false;
		if (i < record.num_parameters)
			record.parameters[i] = parameter;
	}
	*ret = record;
	return true;
}

bool exception_vector(uint32_t code, unsigned *ret)
{
	static const struct {
		uint32_t code;
		unsigned vector;
	} rows[] = {
		{ STATUS_GUARD_PAGE_VIOLATION, VECTOR_PAGE_FAULT },
		{ STATUS_DATATYPE_MISALIGNMENT, VECTOR_ALIGNMENT_CHECK },
		{ STATUS_BREAKPOINT, VECTOR_BREAKPOINT },
		{ STATUS_SINGLE_STEP, VECTOR_DEBUG },
		{ STATUS_ACCESS_VIOLATION, VECTOR_PAGE_FAULT },
		{ STATUS_IN_PAGE_ERROR, VECTOR_PAGE_FAULT },
		{ STATUS_ILLEGAL_INSTRUCTION, VECTOR_INVALID_OPCODE },
		{ STATUS_ARRAY_BOUNDS_EXCEEDED, VECTOR_BOUND_RANGE },
		{ STATUS_INTEGER_DIVIDE_BY_ZERO, VECTOR_DIVIDE_ERROR },
		{ STATUS_PRIVILEGED_INSTRUCTION, VECTOR_GENERAL_PROTECTION },
		{ STATUS_STACK_BUFFER_OVERRUN, WINDOWS_VECTOR_FAST_FAIL },
		{ STATUS_ASSERTION_FAILURE, WINDOWS_VECTOR_ASSERT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].code == code) {
			*ret = rows[i].vector;
			return true;
		}
	}
	return false;
}

bool exception_names_access(uint32_t code)
{
	return code == STATUS_ACCESS_VIOLATION || code == STATUS_IN_PAGE_ERROR ||
	       code == STATUS_GUARD_PAGE_VIOLATION;
}

enum access_kind exception_access(uint64_t parameter)
{
	switch (parameter) {
	case 0:
		return ACCESS_READ;
	case 1:
		return ACCESS_WRITE;
	case 8:
		return ACCESS_EXECUTE;
	default:
		return ACCESS_UNKNOWN;
	}
}
