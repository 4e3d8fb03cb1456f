/* SPDX-License-Identifier: MIT */
#include "arch/amd64/descriptors.h"

#include "base/cursor.h"

enum { DESCRIPTOR_SIZE = 8, SYSTEM_DESCRIPTOR_SIZE = 16 };
enum { TYPE_LDT = 0x2, TYPE_TSS_AVAILABLE = 0x9, TYPE_TSS_BUSY = 0xb, TYPE_CALL_GATE = 0xc };

/*
 *  0        2         4       6        8             12
 *  handler  selector  access  handler  handler       reserved
 *  15:0               word    31:16    63:32
 */
void gate_decode(const uint8_t bytes[GATE_SIZE], struct gate *ret)
{
	uint16_t access = load_u16(bytes + 4);

	*ret = (struct gate){
		.captured = true,
		.present = access >> 15 & 1,
		.handler = load_u16(bytes) | (uint64_t)load_u16(bytes + 6) << 16 |
			   (uint64_t)load_u32(bytes + 8) << 32,
		.selector = load_u16(bytes + 2),
		.ist = access & 7,
		.type = access >> 8 & 0xf,
		.dpl = access >> 13 & 3,
	};
}

const char *gate_type_name(unsigned type)
{
	switch (type) {
	case TYPE_CALL_GATE:
		return "call";
	case GATE_INTERRUPT:
		return "interrupt";
	case GATE_TRAP:
		return "trap";
	default:
		return NULL;
	}
}

unsigned idt_read(struct space *s, struct table_register idtr, struct gate ret[IDT_MAX_GATES])
{
	unsigned count = (idtr.limit + 1u) / GATE_SIZE;

	if (count > IDT_MAX_GATES)
		count = IDT_MAX_GATES;
	for (unsigned i = 0; i < count; i++) {
		uint8_t bytes[GATE_SIZE];

		if (space_try_read(s, idtr.base + (uint64_t)i * GATE_SIZE, bytes, sizeof(bytes),
				   NULL))
			gate_decode(bytes, &ret[i]);
		else
			ret[i] = (struct gate){ .captured = false };
	}
	return count;
}

static bool is_system(uint16_t access)
{
	return !(access & SEGMENT_NOT_SYSTEM);
}

const char *descriptor_type_name(uint16_t access)
{
	if (!is_system(access))
		return access & SEGMENT_TYPE_CODE ? "code" : "data";
	switch (access & SEGMENT_TYPE) {
	case TYPE_LDT:
		return "ldt";
	case TYPE_TSS_AVAILABLE:
		return "tss_available";
	case TYPE_TSS_BUSY:
		return "tss_busy";
	case TYPE_CALL_GATE:
		return "call_gate";
	default:
		return NULL;
	}
}

/*
 *  0            2           4            5       6                7            8
 *  limit 15:0   base 15:0   base 23:16   access  limit 19:16,     base 31:24   base 63:32 of
 *                                        7:0     access 11:8                   TSS and LDT
 */
static void decode(const uint8_t *bytes, uint16_t selector, struct descriptor *ret)
{
	uint16_t access = (uint16_t)(bytes[5] | (bytes[6] & 0xf0) << 4);
	uint32_t limit = load_u16(bytes) | (bytes[6] & 0xfu) << 16;

	*ret = (struct descriptor){
		.captured = true,
		.size = DESCRIPTOR_SIZE,
		.segment = { .selector = selector, .access = access },
	};
	if (is_system(access) && descriptor_type_name(access))
		ret->size = SYSTEM_DESCRIPTOR_SIZE;
	if (is_system(access) && (access & SEGMENT_TYPE) == TYPE_CALL_GATE)
		return;
	ret->segment.limit = access & SEGMENT_GRANULARITY ? limit << 12 | 0xfff : limit;
	ret->segment.base =
		load_u16(bytes + 2) | (uint64_t)bytes[4] << 16 | (uint64_t)bytes[7] << 24;
}

bool gdt_next(struct space *s, struct table_register gdtr, uint32_t *offset, struct descriptor *ret)
{
	uint32_t at = *offset, end = gdtr.limit + 1u;
	uint8_t bytes[SYSTEM_DESCRIPTOR_SIZE];

	if (at % DESCRIPTOR_SIZE || at >= end || end - at < DESCRIPTOR_SIZE)
		return false;
	*ret = (struct descriptor){ .size = DESCRIPTOR_SIZE,
				    .segment = { .selector = (uint16_t)at } };
	*offset = at + DESCRIPTOR_SIZE;
	if (!space_try_read(s, gdtr.base + at, bytes, DESCRIPTOR_SIZE, NULL))
		return true;
	decode(bytes, (uint16_t)at, ret);
	if (ret->size == DESCRIPTOR_SIZE)
		return true;
	if (end - at < SYSTEM_DESCRIPTOR_SIZE ||
	    !space_try_read(s, gdtr.base + at + DESCRIPTOR_SIZE, bytes + DESCRIPTOR_SIZE,
			    DESCRIPTOR_SIZE, NULL)) {
		*ret = (struct descriptor){ .size = DESCRIPTOR_SIZE,
					    .segment = { .selector = (uint16_t)at } };
		return true;
	}
	*offset = at + SYSTEM_DESCRIPTOR_SIZE;
	if ((ret->segment.access & SEGMENT_TYPE) != TYPE_CALL_GATE)
		ret->segment.base |= (uint64_t)load_u32(bytes + DESCRIPTOR_SIZE) << 32;
	return true;
}

bool gdt_find(struct space *s, struct table_register gdtr, uint16_t selector,
	      struct descriptor *ret)
{
	uint32_t offset = selector & SELECTOR_INDEX;
	struct descriptor found;

	if (!offset || selector & SELECTOR_LOCAL || !gdt_next(s, gdtr, &offset, &found) ||
	    !found.captured)
		return false;
	found.segment.selector = selector;
	*ret = found;
	return true;
}
