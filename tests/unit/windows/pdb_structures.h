/* SPDX-License-Identifier: MIT */
#ifndef PDB_STRUCTURES_H
#define PDB_STRUCTURES_H

#include <stdint.h>

/*
 * Structures with every kind of member that a kernel's have. Compiled twice: for Windows into the
 * PDB that the test reads, and into the test, whose offsetof() must say the same.
 */
#define MS_LAYOUT __attribute__((ms_struct))

enum sample_state { SAMPLE_NEW, SAMPLE_RUNNING = 7, SAMPLE_LAST = 0x12345 };

struct sample_link {
	struct sample_link *next, *previous;
};

struct sample_opaque;

struct MS_LAYOUT sample_bits {
	uint8_t head;
	uint32_t low : 3, middle : 20, high : 9;
	uint64_t : 4, wide : 40;
	volatile uint8_t flag : 1;
};

union sample_word {
	uint64_t whole;
	struct {
		uint32_t low, high;
	};
	struct sample_bits bits;
};

struct MS_LAYOUT sample_object {
	uint16_t type;
	struct sample_link links;
	union sample_word word;
	union {
		uint32_t anonymous_number;
		struct {
			uint16_t inner_low;
			uint8_t inner_bytes[6];
		};
	};
	union {
		int32_t number;
		struct {
			int16_t x, y;
		} point;
	} u;
	enum sample_state state;
	const char *text;
	int (*routine)(int);
	struct sample_opaque *opaque;
	struct sample_link table[3][2];
	uint8_t name[15];
	double real;
	struct {
		struct sample_bits bits[2];
	} nested;
};

/* More members than fit one record of 64 KiB. */
/* clang-format off */
#define TEN(M, n) \
	M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7) M(n##8) M(n##9)
#define HUNDRED(M, n) \
	TEN(M, n##0) TEN(M, n##1) TEN(M, n##2) TEN(M, n##3) TEN(M, n##4) \
	TEN(M, n##5) TEN(M, n##6) TEN(M, n##7) TEN(M, n##8) TEN(M, n##9)
#define THOUSAND(M, n) \
	HUNDRED(M, n##0) HUNDRED(M, n##1) HUNDRED(M, n##2) HUNDRED(M, n##3) HUNDRED(M, n##4) \
	HUNDRED(M, n##5) HUNDRED(M, n##6) HUNDRED(M, n##7) HUNDRED(M, n##8) HUNDRED(M, n##9)
/* clang-format on */
#define LONG_MEMBER(n) uint32_t a_member_with_a_long_name_##n;

struct sample_long {
	THOUSAND(LONG_MEMBER, 1)
	THOUSAND(LONG_MEMBER, 2)
};

#endif
