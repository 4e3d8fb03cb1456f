/* SPDX-License-Identifier: MIT */

/*
 * Functions whose prologues and epilogues differ, compiled for Windows: test_unwind_lld runs each
 * in an emulator and unwinds at every instruction.
 */
typedef unsigned long long u64;

#define EXPORT	 __declspec(dllexport)
#define NOINLINE __attribute__((noinline))

/* The loader's flag for code that uses floating point. */
int _fltused;

/* Stands for the C runtime's stack probe: touches nothing, keeps every register. */
__attribute__((naked)) void __chkstk(void)
{
	__asm__("ret");
}

NOINLINE u64 leaf(u64 a, u64 b)
{
	return a * 3 + b;
}

EXPORT u64 small_frame(u64 a)
{
	volatile u64 local[3] = { a, a + 1, a + 2 };

	return leaf(local[0], local[2]) + 1;
}

EXPORT u64 large_frame(u64 a)
{
	volatile unsigned char local[3000];

	local[a & 7] = (unsigned char)a;
	return leaf(local[a & 7], a) + 1;
}

EXPORT u64 huge_frame(u64 a)
{
	volatile unsigned char local[0x90000];

	local[a & 7] = (unsigned char)a;
	return leaf(local[a & 7], a) + 1;
}

/* A frame register, and pushes of all nonvolatile registers. */
EXPORT u64 alloca_frame(u64 a)
{
	volatile unsigned char *p = __builtin_alloca((a & 0xff) + 32);
	u64 b = leaf(a, 1), c = leaf(b, a), d = leaf(c, b), e = leaf(d, c), f = leaf(e, d);

	p[0] = (unsigned char)a;
	return leaf(p[0], b) + leaf(c, d) + leaf(e, f) + a * b + c * d + e * f;
}

EXPORT u64 many_registers(u64 a)
{
	u64 b = leaf(a, 1), c = leaf(b, a), d = leaf(c, b), e = leaf(d, c), f = leaf(e, d);
	u64 g = leaf(f, e), h = leaf(g, f);

	leaf(h, a);
	return a ^ b ^ c ^ d ^ e ^ f ^ g ^ leaf(h, h);
}

NOINLINE double scale(double a, double b)
{
	return a * b + 1;
}

/* Saves of XMM registers. */
EXPORT u64 many_floats(u64 a)
{
	double b = scale((double)a, 2), c = scale(b, 3), d = scale(c, 4), e = scale(d, 5);
	double f = scale(e, 6), g = scale(f, 7), h = scale(g, 8);

	return (u64)(b + c + d + e + f + g + h + scale(h, b) * a);
}

/* The last call is a jump. */
EXPORT u64 tail_call(u64 a)
{
	u64 b = leaf(a, 5);

	return leaf(b, a);
}

EXPORT u64 tail_call_pointer(u64 a)
{
	static u64 (*volatile const targets[2])(u64, u64) = { leaf, leaf };
	u64 b = leaf(a, 5);

	return targets[b & 1](b, a);
}

EXPORT u64 recursive(u64 a)
{
	volatile u64 local[8] = { a };

	if ((a & 7) == 0)
		return local[0];
	return recursive(a - 1) + many_registers(local[0]) + small_frame(a);
}

/* More than one way out. */
EXPORT u64 branches(u64 a)
{
	u64 b = leaf(a, 2);

	for (u64 i = 0; i < 4; i++) {
		if (leaf(b, i) == 7)
			return leaf(i, b) + 1;
		b ^= leaf(i, a);
	}
	if (b & 1)
		return many_floats(b & 0xff) + b;
	return b;
}

int sample_entry(void)
{
	return 0;
}
