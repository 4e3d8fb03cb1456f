/* SPDX-License-Identifier: MIT */
#include "../arch/fake_tables.h"
#include "cli/commands/stretches.h"

/*
 * Page tables in four pages:
 *
 *	va 0x0000 -> page 5; va 0x1000 -> page 6, of which only the front is captured;
 *	va 0x2000 -> nothing; va 0x3000 -> page 5 again
 */
enum { PML4 = 1, PDPT, PD, PT, DATA, TORN };
#define HUGE_RANGE (UINT64_C(1) << 46)

static struct fake_machine *m;
static struct {
	uint64_t bytes, absent;
	unsigned calls, fail_at;
	uint64_t end; /* where the next stretch must begin */
	uint64_t first[16];
	enum va_state states[16];
} seen;

static void setup(void)
{
	m = calloc(1, sizeof(*m));
	memset(&seen, 0, sizeof(seen));
	set_entry(m, PML4, 0, PAGE(PDPT) | TABLE);
	set_entry(m, PDPT, 0, PAGE(PD) | TABLE);
	set_entry(m, PD, 0, PAGE(PT) | TABLE);
	set_entry(m, PT, 0, PAGE(DATA) | TABLE);
	set_entry(m, PT, 1, PAGE(TORN) | TABLE);
	set_entry(m, PT, 3, PAGE(DATA) | TABLE);
	memset(m->bytes + PAGE(DATA), 0xdd, PAGE_SIZE);
	memset(m->bytes + PAGE(TORN), 0x77, PAGE_SIZE);
	capture(m, 0, PAGE(TORN) + 0x800);
	open_machine(m, PAGE(PML4), 4, NULL);
}

static void teardown(void)
{
	close_machine(m);
	free(m);
}

TestSuite(stretches, .init = setup, .fini = teardown, .timeout = 60);

static struct error *note(uint64_t va, uint64_t len, enum va_state state)
{
	cr_assert_eq(va, seen.end);
	seen.end = va + len;
	if (seen.calls < ARRAY_SIZE(seen.states)) {
		seen.first[seen.calls] = va;
		seen.states[seen.calls] = state;
	}
	if (++seen.calls == seen.fail_at)
		return error_new(ERROR_LIMIT, "enough");
	return NULL;
}

static struct error *take_bytes(void *arg, uint64_t va, const uint8_t *bytes, size_t len,
				enum va_state state)
{
	(void)arg;
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(bytes[i], va < 0x1000 || va >= 0x3000 ? 0xdd : 0x77);
	seen.bytes += len;
	return note(va, len, state);
}

static struct error *take_gap(void *arg, uint64_t va, uint64_t len, enum va_state state)
{
	(void)arg;
	seen.absent += len;
	return note(va, len, state);
}

static const struct stretch_sink sink = { take_bytes, take_gap, NULL, NULL };

static void pass(uint64_t va, uint64_t len)
{
	seen.end = va;
	cr_assert_null(stretches_pass(m->space, va, len, &sink));
	cr_expect_eq(seen.end, va + len);
}

Test(stretches, bytes_and_holes_in_order)
{
	static const enum va_state states[] = { VA_MAPPED, VA_MAPPED, VA_NOT_CAPTURED,
						VA_NOT_PRESENT, VA_MAPPED };
	static const uint64_t first[] = { 0x10, 0x1000, 0x1800, 0x2000, 0x3000 };

	pass(0x10, 0x3f00);
	cr_assert_eq(seen.calls, ARRAY_SIZE(states));
	cr_expect_arr_eq(seen.states, states, sizeof(states));
	cr_expect_arr_eq(seen.first, first, sizeof(first));
	cr_expect_eq(seen.bytes, 0xff0 + 0x800 + 0xf10);
	cr_expect_eq(seen.absent, 0x800 + 0x1000);
}

Test(stretches, large_holes_cost_a_step_each)
{
	pass(0, HUGE_RANGE);
	cr_expect_eq(seen.bytes, 0x2800);
	/* entries of the PT, the rest of the PD, of the PDPT and of the PML4's lower half */
	cr_expect_lt(seen.calls, 513 + 511 + 511 + 128);
}

Test(stretches, nothing_and_the_last_byte)
{
	pass(0x1000, 0);
	cr_expect_eq(seen.calls, 0);
	pass(UINT64_MAX, 1);
	cr_expect_eq(seen.calls, 1);
	cr_expect_eq(seen.states[0], VA_NOT_PRESENT);
}

static bool two_are_enough(void *arg)
{
	(void)arg;
	return seen.calls >= 2;
}

Test(stretches, enough_ends_the_pass)
{
	const struct stretch_sink some = { take_bytes, take_gap, two_are_enough, NULL };

	cr_assert_null(stretches_pass(m->space, 0, HUGE_RANGE, &some));
	cr_expect_leq(seen.calls, 3, "a page may be two stretches");
}

Test(stretches, an_error_ends_the_pass)
{
	struct error *err;

	seen.fail_at = 2;
	err = stretches_pass(m->space, 0, HUGE_RANGE, &sink);
	cr_assert_not_null(err);
	error_destroy(err);
	cr_expect_eq(seen.calls, 2);
}
