/* SPDX-License-Identifier: MIT */
#include "arch/amd64/disasm.h"

#ifdef NTSCOPE_HAVE_CAPSTONE

#include <capstone.h>
#include <stdio.h>
#include <stdlib.h>

struct disasm {
	csh handle;
	cs_insn *insn;
};

struct register_name {
	unsigned number;
	x86_reg names[4]; /* 8, 4, 2 bytes, low byte */
};
/* clang-format off */
static const struct register_name register_names[] = {
	{ REGISTER_RAX, { X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL } },
	{ REGISTER_RCX, { X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL } },
	{ REGISTER_RDX, { X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL } },
	{ REGISTER_RBX, { X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL } },
	{ REGISTER_RSP, { X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL } },
	{ REGISTER_RBP, { X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL } },
	{ REGISTER_RSI, { X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL } },
	{ REGISTER_RDI, { X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL } },
	{ REGISTER_R8, { X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B } },
	{ REGISTER_R9, { X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B } },
	{ REGISTER_R10, { X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B } },
	{ REGISTER_R11, { X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B } },
	{ 12, { X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B } },
	{ 13, { X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B } },
	{ 14, { X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B } },
	{ 15, { X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B } },
};
/* clang-format on */

/* The second bytes change a register, too: AH is bits 8 to 15 of RAX. */
static const struct {
	x86_reg name;
	unsigned number;
} second_bytes[] = {
	{ X86_REG_AH, REGISTER_RAX },
	{ X86_REG_BH, REGISTER_RBX },
	{ X86_REG_CH, REGISTER_RCX },
	{ X86_REG_DH, REGISTER_RDX },
};

static const struct {
	unsigned id;
	enum instruction_kind kind;
} instruction_kinds[] = {
	{ X86_INS_MOV, INSTRUCTION_MOVE },    { X86_INS_MOVABS, INSTRUCTION_MOVE },
	{ X86_INS_MOVZX, INSTRUCTION_MOVE },  { X86_INS_MOVSX, INSTRUCTION_MOVE },
	{ X86_INS_MOVSXD, INSTRUCTION_MOVE }, { X86_INS_LEA, INSTRUCTION_LEA },
	{ X86_INS_ADD, INSTRUCTION_ADD },     { X86_INS_SUB, INSTRUCTION_SUB },
	{ X86_INS_AND, INSTRUCTION_AND },     { X86_INS_XOR, INSTRUCTION_XOR },
	{ X86_INS_PUSH, INSTRUCTION_PUSH },   { X86_INS_POP, INSTRUCTION_POP },
	{ X86_INS_JMP, INSTRUCTION_JUMP },    { X86_INS_CALL, INSTRUCTION_CALL },
	{ X86_INS_RET, INSTRUCTION_RETURN },  { X86_INS_INT3, INSTRUCTION_STOP },
	{ X86_INS_INT, INSTRUCTION_STOP },    { X86_INS_HLT, INSTRUCTION_STOP },
	{ X86_INS_UD2, INSTRUCTION_STOP },    { X86_INS_IRETQ, INSTRUCTION_STOP },
	{ X86_INS_SYSRET, INSTRUCTION_STOP },
};

static unsigned register_number(unsigned reg)
{
	if (reg == X86_REG_INVALID)
		return REGISTER_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(register_names); i++)
		for (size_t j = 0; j < ARRAY_SIZE(register_names[i].names); j++)
			if ((unsigned)register_names[i].names[j] == reg)
				return register_names[i].number;
	return REGISTER_OTHER;
}

static uint32_t register_bit(unsigned reg)
{
	unsigned number = register_number(reg);

	for (size_t i = 0; i < ARRAY_SIZE(second_bytes); i++)
		if ((unsigned)second_bytes[i].name == reg)
			number = second_bytes[i].number;
	return number < NUM_GENERAL_REGISTERS ? UINT32_C(1) << number : 0;
}

static enum instruction_kind kind_of(csh handle, const cs_insn *insn)
{
	for (size_t i = 0; i < ARRAY_SIZE(instruction_kinds); i++)
		if (instruction_kinds[i].id == insn->id)
			return instruction_kinds[i].kind;
	if (cs_insn_group(handle, insn, X86_GRP_JUMP))
		return INSTRUCTION_BRANCH;
	if (cs_insn_group(handle, insn, X86_GRP_INT))
		return INSTRUCTION_STOP;
	return INSTRUCTION_OTHER;
}

static struct operand convert_memory(const cs_insn *insn, const x86_op_mem *mem)
{
	struct operand ret = {
		.base = register_number(mem->base),
		.index = register_number(mem->index),
		.scale = (unsigned)mem->scale,
		.displacement = (uint64_t)mem->disp,
		.gs = mem->segment == X86_REG_GS,
		.fs = mem->segment == X86_REG_FS,
	};

	if (mem->base == X86_REG_RIP) {
		ret.base = REGISTER_NONE;
		ret.displacement += insn->address + insn->size;
	}
	return ret;
}

static struct operand convert_operand(const cs_insn *insn, const cs_x86_op *op)
{
	struct operand ret = { .kind = OPERAND_NONE };

	if (op->type == X86_OP_MEM) {
		ret = convert_memory(insn, &op->mem);
		ret.kind = OPERAND_MEMORY;
	} else if (op->type == X86_OP_REG) {
		ret.kind = OPERAND_REGISTER;
		ret.reg = register_number(op->reg);
	} else if (op->type == X86_OP_IMM) {
		ret.kind = OPERAND_NUMBER;
		ret.number = (uint64_t)op->imm;
	}
	ret.size = op->size;
	ret.read = op->access & CS_AC_READ;
	ret.written = op->access & CS_AC_WRITE;
	return ret;
}

static uint32_t registers_written(csh handle, const cs_insn *insn)
{
	cs_regs read, written;
	uint8_t num_read, num_written;
	uint32_t ret = 0;

	if (cs_regs_access(handle, insn, read, &num_read, written, &num_written) != CS_ERR_OK)
		return UINT32_MAX;
	for (unsigned i = 0; i < num_written; i++)
		ret |= register_bit(written[i]);
	return ret;
}

struct error *disasm_create(struct disasm **ret)
{
	struct disasm *d = calloc(1, sizeof(*d));

	if (!d)
		return &error_no_memory;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &d->handle) != CS_ERR_OK) {
		free(d);
		return error_new(ERROR_UNSUPPORTED, "capstone does not decode amd64");
	}
	cs_option(d->handle, CS_OPT_DETAIL, CS_OPT_ON);
	d->insn = cs_malloc(d->handle);
	if (!d->insn) {
		disasm_destroy(d);
		return &error_no_memory;
	}
	*ret = d;
	return NULL;
}

void disasm_destroy(struct disasm *d)
{
	if (!d)
		return;
	if (d->insn)
		cs_free(d->insn, 1);
	cs_close(&d->handle);
	free(d);
}

bool disasm_decode(struct disasm *d, const uint8_t *bytes, size_t len, uint64_t va,
		   struct instruction *ret)
{
	const cs_x86 *x86;

	if (!cs_disasm_iter(d->handle, &bytes, &len, &va, d->insn))
		return false;
	x86 = &d->insn->detail->x86;
	*ret = (struct instruction){
		.va = d->insn->address,
		.length = d->insn->size,
		.kind = kind_of(d->handle, d->insn),
		.written = registers_written(d->handle, d->insn),
	};
	for (; ret->num_operands < x86->op_count && ret->num_operands < INSTRUCTION_MAX_OPERANDS;
	     ret->num_operands++)
		ret->operands[ret->num_operands] =
			convert_operand(d->insn, &x86->operands[ret->num_operands]);
	snprintf(ret->text, sizeof(ret->text), "%.20s%s%.56s", d->insn->mnemonic,
		 d->insn->op_str[0] ? " " : "", d->insn->op_str);
	return true;
}

#else

struct error *disasm_create(struct disasm **ret)
{
	(void)ret;
	return error_new(ERROR_UNSUPPORTED, "built without capstone: code cannot be disassembled");
}

void disasm_destroy(struct disasm *d)
{
	(void)d;
}

bool disasm_decode(struct disasm *d, const uint8_t *bytes, size_t len, uint64_t va,
		   struct instruction *ret)
{
	(void)d;
	(void)bytes;
	(void)len;
	(void)va;
	(void)ret;
	return false;
}

#endif
