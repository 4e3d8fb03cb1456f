/* SPDX-License-Identifier: MIT */
#include "windows/convention.h"

#include "arch/amd64/descriptors.h"
#include "arch/amd64/interrupts.h"

struct number_name {
	unsigned number;
	const char *name;
};

static const char *find_name(const struct number_name *rows, size_t count, unsigned number)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].number == number)
			return rows[i].name;
	return NULL;
}

const char *windows_selector_name(uint16_t selector)
{
	static const struct number_name rows[] = {
		{ SELECTOR_KERNEL_CODE, "kernel code" }, { SELECTOR_KERNEL_DATA, "kernel data" },
		{ SELECTOR_USER_CODE32, "32-bit code" }, { SELECTOR_USER_DATA, "user data" },
		{ SELECTOR_USER_CODE64, "64-bit code" }, { SELECTOR_TASK, "task state" },
		{ SELECTOR_USER_TEB32, "32-bit TEB" },
	};

	return find_name(rows, ARRAY_SIZE(rows), selector & SELECTOR_INDEX);
}

const char *windows_vector_name(unsigned vector)
{
	static const struct number_name rows[] = {
		{ WINDOWS_VECTOR_APC, "APC" },
		{ WINDOWS_VECTOR_FAST_FAIL, "fast fail" },
		{ WINDOWS_VECTOR_ASSERT, "assertion" },
		{ WINDOWS_VECTOR_DEBUG_SERVICE, "debug service" },
		{ WINDOWS_VECTOR_DPC, "DPC" },
		{ WINDOWS_VECTOR_IPI, "inter-processor" },
	};
	const char *name = find_name(rows, ARRAY_SIZE(rows), vector);

	return name ? name : vector_name(vector);
}

bool windows_code_width(const struct registers *r, struct space *s, unsigned *ret)
{
	if (registers_effective_address_width(r, s, ret))
		return true;
	if (!(r->known & REGS_SELECTORS))
		return false;
	switch (r->cs.selector & SELECTOR_INDEX) {
	case SELECTOR_KERNEL_CODE:
	case SELECTOR_USER_CODE64:
		*ret = 8;
		return true;
	case SELECTOR_USER_CODE32:
		*ret = 4;
		return true;
	default:
		return false;
	}
}

/* Slot `index` of the arguments on the stack, whose first one lies behind the return address. */
static bool stack_argument(const struct registers *r, struct space *s, unsigned width,
			   unsigned index, uint64_t *ret, struct fault *fault)
{
	uint64_t value = 0;

	if (!space_try_read(s, r->rsp + ((uint64_t)index + 1) * width, &value, width, fault))
		return false;
	*ret = value;
	return true;
}

static bool argument(const struct registers *r, struct space *s, uint64_t first, unsigned index,
		     uint64_t *ret, struct fault *fault)
{
	const uint64_t in_registers[] = { first, r->rdx, r->r8, r->r9 };

	if (index >= ARRAY_SIZE(in_registers))
		return stack_argument(r, s, 8, index, ret, fault);
	*ret = in_registers[index];
	return true;
}

bool syscall_argument(const struct registers *r, struct space *s, unsigned index, uint64_t *ret,
		      struct fault *fault)
{
	if (fault)
		*fault = (struct fault){ 0 };
	return r->known & REGS_GENERAL && argument(r, s, r->r10, index, ret, fault);
}

bool function_argument(const struct registers *r, struct space *s, unsigned index, uint64_t *ret,
		       struct fault *fault)
{
	unsigned width;

	if (fault)
		*fault = (struct fault){ 0 };
	if (!(r->known & REGS_GENERAL) || !windows_code_width(r, s, &width))
		return false;
	if (width == 8)
		return argument(r, s, r->rcx, index, ret, fault);
	return width == 4 && stack_argument(r, s, width, index, ret, fault);
}

bool function_return_value(const struct registers *r, uint64_t *ret)
{
	return register_get(r, REGISTER_RESULT, ret);
}

/* With 5 levels as well, unlike bit 47, which only 4 levels extend. */
static bool is_kernel_half(uint64_t va)
{
	return va >> 63;
}

bool current_kpcr(const struct registers *r, uint64_t *ret)
{
	bool in_user = r->known & REGS_SELECTORS && (r->cs.selector & SELECTOR_RPL);
	uint64_t gs;

	if (in_user || !register_get(r, AMD64_GS_BASE, &gs) || !is_kernel_half(gs)) {
		if (!register_get(r, AMD64_KERNEL_GS_BASE, &gs) || !is_kernel_half(gs))
			return false;
	}
	*ret = gs;
	return true;
}

bool is_page_present_or_transition(struct space *s, uint64_t va)
{
	switch (space_translate(s, va, &(uint64_t){ 0 })) {
	case VA_MAPPED:
	case VA_NOT_CAPTURED:
	case VA_TRANSITION:
		return true;
	default:
		return false;
	}
}

bool kernel_image_base(const struct kernel *k, const struct registers *r, struct entry_check *ret)
{
	static const char *const symbols[] = { "KiSystemCall64", "KiSystemCall64Shadow" };
	struct entry_check check = { 0 };
	uint64_t lstar, rva;

	if (!register_get(r, AMD64_LSTAR, &lstar) || !lstar)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(symbols) && !check.agrees; i++) {
		if (!profile_symbol(k->profile, symbols[i], &rva))
			continue;
		check = (struct entry_check){ .base = lstar - rva,
					      .symbol = symbols[i],
					      .agrees = lstar - rva == k->loc.base };
	}
	if (check.symbol)
		*ret = check;
	return check.symbol != NULL;
}
