/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_DESCRIPTORS_H
#define ARCH_AMD64_DESCRIPTORS_H

#include "memory/registers.h"
#include "memory/space.h"

/*
 * The interrupt and the global descriptor table in long mode. Layouts: AMD64 Architecture
 * Programmer's Manual vol. 2, 4.8; Intel SDM vol. 3A, 3.4.5 and 6.14.1.
 */
enum {
	GATE_SIZE = 16,
	IDT_MAX_GATES = 256,
	GATE_INTERRUPT = 0xe, /* types */
	GATE_TRAP = 0xf,
};

struct gate {
	bool captured; /* false: its bytes are absent, nothing else has a meaning */
	bool present;
	uint64_t handler;
	uint16_t selector;
	uint8_t ist; /* entry of the TSS' interrupt stack table; 0: none */
	uint8_t type, dpl;
};

void gate_decode(const uint8_t bytes[GATE_SIZE], struct gate *ret);
/* "interrupt", "trap", ...; NULL: the processor has no such type in long mode. */
const char *gate_type_name(unsigned type);
/* The gates that idtr's limit covers, as far as they can be read; how many of ret[] are filled. */
unsigned idt_read(struct space *s, struct table_register idtr, struct gate ret[IDT_MAX_GATES]);

/* Bits of segment_register.access: see memory/registers.h. */
enum segment_access {
	SEGMENT_TYPE = 0xf, /* mask */
	SEGMENT_NOT_SYSTEM = 1 << 4,
	SEGMENT_DPL_SHIFT = 5, /* two bits */
	SEGMENT_PRESENT = 1 << 7,
	SEGMENT_AVAILABLE = 1 << 8,
	SEGMENT_LONG = 1 << 9,
	SEGMENT_DEFAULT_BIG = 1 << 10,
	SEGMENT_GRANULARITY = 1 << 11,
	/* in the type of what is not a system descriptor */
	SEGMENT_TYPE_CODE = 1 << 3,
};
enum { SELECTOR_RPL = 3, SELECTOR_LOCAL = 1 << 2, SELECTOR_INDEX = 0xfff8 };

struct descriptor {
	bool captured;			 /* false: its bytes are absent; only segment.selector is
					    known */
	unsigned size;			 /* bytes in the table: 8, or 16 for TSS, LDT, call gate */
	struct segment_register segment; /* the limit in bytes, granularity applied */
};

/* "code", "data", "tss_available", "tss_busy", "ldt", "call_gate"; NULL: reserved. */
const char *descriptor_type_name(uint16_t access);
/*
 * The descriptor at *offset of the table, which moves past it; start with 0. False at the end.
 * Bounded by the 16-bit limit: at most 8192 calls. A base and limit of a call gate are not those
 * of a segment: they are 0.
 */
bool gdt_next(struct space *s, struct table_register gdtr, uint32_t *offset,
	      struct descriptor *ret);
/* The descriptor that a selector names; false: it names none, or its bytes are absent. */
bool gdt_find(struct space *s, struct table_register gdtr, uint16_t selector,
	      struct descriptor *ret);

#endif
