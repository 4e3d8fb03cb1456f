/* SPDX-License-Identifier: MIT */
#include "arch/amd64/registers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BIT(name, shift)            \
	{                           \
#name, (shift), (1) \
	}
#define BITS(name, shift, width)        \
	{                               \
#name, (shift), (width) \
	}
#define TABLE(table, ...)                                                 \
	static const struct bit_field table##_fields[] = { __VA_ARGS__ }; \
	const struct bit_table table = { table##_fields, ARRAY_SIZE(table##_fields) }

TABLE(cr0_bits, BIT(PE, 0), BIT(MP, 1), BIT(EM, 2), BIT(TS, 3), BIT(ET, 4), BIT(NE, 5), BIT(WP, 16),
      BIT(AM, 18), BIT(NW, 29), BIT(CD, 30), BIT(PG, 31));
TABLE(cr4_bits, BIT(VME, 0), BIT(PVI, 1), BIT(TSD, 2), BIT(DE, 3), BIT(PSE, 4), BIT(PAE, 5),
      BIT(MCE, 6), BIT(PGE, 7), BIT(PCE, 8), BIT(OSFXSR, 9), BIT(OSXMMEXCPT, 10), BIT(UMIP, 11),
      BIT(LA57, 12), BIT(VMXE, 13), BIT(SMXE, 14), BIT(FSGSBASE, 16), BIT(PCIDE, 17),
      BIT(OSXSAVE, 18), BIT(KL, 19), BIT(SMEP, 20), BIT(SMAP, 21), BIT(PKE, 22), BIT(CET, 23),
      BIT(PKS, 24), BIT(UINTR, 25), BIT(LASS, 27), BIT(LAM_SUP, 28));
TABLE(cr8_bits, BITS(TPR, 0, 4));
TABLE(dr6_bits, BIT(B0, 0), BIT(B1, 1), BIT(B2, 2), BIT(B3, 3), BIT(BD, 13), BIT(BS, 14),
      BIT(BT, 15), BIT(RTM, 16));
TABLE(dr7_bits, BIT(L0, 0), BIT(G0, 1), BIT(L1, 2), BIT(G1, 3), BIT(L2, 4), BIT(G2, 5), BIT(L3, 6),
      BIT(G3, 7), BIT(LE, 8), BIT(GE, 9), BIT(RTM, 11), BIT(GD, 13), BITS(RW0, 16, 2),
      BITS(LEN0, 18, 2), BITS(RW1, 20, 2), BITS(LEN1, 22, 2), BITS(RW2, 24, 2), BITS(LEN2, 26, 2),
      BITS(RW3, 28, 2), BITS(LEN3, 30, 2));
TABLE(efer_bits, BIT(SCE, 0), BIT(LME, 8), BIT(LMA, 10), BIT(NXE, 11), BIT(SVME, 12),
      BIT(LMSLE, 13), BIT(FFXSR, 14), BIT(TCE, 15));
TABLE(rflags_bits, BIT(CF, 0), BIT(PF, 2), BIT(AF, 4), BIT(ZF, 6), BIT(SF, 7), BIT(TF, 8),
      BIT(IF, 9), BIT(DF, 10), BIT(OF, 11), BITS(IOPL, 12, 2), BIT(NT, 14), BIT(RF, 16),
      BIT(VM, 17), BIT(AC, 18), BIT(VIF, 19), BIT(VIP, 20), BIT(ID, 21));
TABLE(mxcsr_bits, BIT(IE, 0), BIT(DE, 1), BIT(ZE, 2), BIT(OE, 3), BIT(UE, 4), BIT(PE, 5),
      BIT(DAZ, 6), BIT(IM, 7), BIT(DM, 8), BIT(ZM, 9), BIT(OM, 10), BIT(UM, 11), BIT(PM, 12),
      BITS(RC, 13, 2), BIT(FZ, 15));
TABLE(segment_access_bits, BITS(TYPE, 0, 4), BIT(S, 4), BITS(DPL, 5, 2), BIT(P, 7), BIT(AVL, 8),
      BIT(L, 9), BIT(DB, 10), BIT(G, 11));
TABLE(selector_bits, BITS(RPL, 0, 2), BIT(TI, 2), BITS(INDEX, 3, 13));

static uint64_t field_value(const struct bit_field *field, uint64_t value)
{
	return value >> field->shift & ((UINT64_C(1) << field->width) - 1);
}

bool bits_get(const struct bit_table *t, const char *name, uint64_t value, uint64_t *ret)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->fields[i].name, name) == 0) {
			*ret = field_value(&t->fields[i], value);
			return true;
		}
	}
	return false;
}

void bits_text(const struct bit_table *t, uint64_t value, char ret[BITS_TEXT_SIZE])
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < t->count; i++) {
		const struct bit_field *field = &t->fields[i];
		uint64_t part = field_value(field, value);
		char number[32] = "";
		int len;

		if (!part)
			continue;
		if (field->width > 1)
			snprintf(number, sizeof(number), "=%" PRIu64, part);
		len = snprintf(ret + used, BITS_TEXT_SIZE - used, "%s%s%s", used ? "|" : "",
			       field->name, number);
		if (len < 0 || (size_t)len >= BITS_TEXT_SIZE - used)
			return;
		used += (size_t)len;
	}
}
