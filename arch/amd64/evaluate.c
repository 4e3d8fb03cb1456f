/* SPDX-License-Identifier: MIT */
#include "arch/amd64/evaluate.h"

#include <string.h>

enum { POINTER = 8, NUM_ARGUMENTS = 4 };

struct stack_slot {
	uint64_t offset; /* from RSP on entry */
	struct value value;
};

struct path {
	uint64_t va;
	struct value regs[NUM_GENERAL_REGISTERS];
	struct stack_slot slots[EVALUATE_STACK_SLOTS];
	size_t num_slots;
	uint64_t returns[EVALUATE_MAX_CALLS];
	size_t num_returns;
};

struct evaluator {
	struct disasm *disasm;
	struct space *space;
	struct evaluation *out;
	struct path paths[EVALUATE_MAX_PATHS];
	size_t num_paths; /* still to follow */
	size_t forks;	  /* paths begun so far */
	size_t steps;
};

static const unsigned argument_registers[NUM_ARGUMENTS] = { REGISTER_RCX, REGISTER_RDX, REGISTER_R8,
							    REGISTER_R9 };
/* What a function may change without restoring it. */
static const unsigned volatile_registers[] = { REGISTER_RAX, REGISTER_RCX, REGISTER_RDX,
					       REGISTER_R8,  REGISTER_R9,  REGISTER_R10,
					       REGISTER_R11 };

static const struct value unknown = { .base = VALUE_UNKNOWN };

/* The stack. */

static void stack_store(struct path *p, uint64_t offset, struct value value)
{
	size_t i = 0;

	while (i < p->num_slots && p->slots[i].offset != offset)
		i++;
	if (i == EVALUATE_STACK_SLOTS)
		return; /* forgotten: reads as unknown */
	if (i == p->num_slots)
		p->num_slots++;
	p->slots[i] = (struct stack_slot){ offset, value };
}

static struct value stack_load(const struct path *p, uint64_t offset)
{
	for (size_t i = 0; i < p->num_slots; i++)
		if (p->slots[i].offset == offset)
			return p->slots[i].value;
	return unknown;
}

/* Memory. */

static struct value memory_address(const struct path *p, const struct operand *op, bool *indexed)
{
	struct value ret = { .base = VALUE_NUMBER };

	*indexed = false;
	if (op->fs || op->base == REGISTER_OTHER || op->index == REGISTER_OTHER)
		return unknown;
	if (op->gs)
		ret.base = VALUE_GS;
	if (op->base != REGISTER_NONE) {
		if (op->gs)
			return unknown;
		ret = p->regs[op->base];
	}
	if (op->index != REGISTER_NONE) {
		const struct value *index = &p->regs[op->index];

		if (index->base == VALUE_NUMBER)
			ret.offset += index->offset * op->scale;
		else
			*indexed = true;
	}
	ret.offset += op->displacement;
	return ret;
}

static bool same_value(const struct value *a, const struct value *b)
{
	return a->base == b->base && a->index == b->index && a->offset == b->offset;
}

static struct value record_load(struct evaluator *e, struct value address, bool indexed,
				const struct operand *op, uint64_t va)
{
	struct evaluation *out = e->out;
	struct load load = { .address = address, .indexed = indexed, .size = op->size, .va = va };
	size_t i;

	for (i = 0; i < out->num_loads; i++)
		if (same_value(&out->loads[i].address, &address) && out->loads[i].va == va &&
		    out->loads[i].indexed == indexed)
			break;
	if (i == EVALUATE_MAX_LOADS)
		return unknown;
	if (i == out->num_loads)
		out->loads[out->num_loads++] = load;
	return (struct value){ .base = VALUE_LOAD, .index = (unsigned)i, .va = va };
}

static struct value read_operand(struct evaluator *e, struct path *p, const struct operand *op,
				 uint64_t va)
{
	struct value address;
	bool indexed;

	switch (op->kind) {
	case OPERAND_NUMBER:
		return (struct value){ .base = VALUE_NUMBER, .offset = op->number, .va = va };
	case OPERAND_REGISTER:
		return op->reg < NUM_GENERAL_REGISTERS ? p->regs[op->reg] : unknown;
	case OPERAND_MEMORY:
		address = memory_address(p, op, &indexed);
		if (address.base != VALUE_STACK)
			return record_load(e, address, indexed, op, va);
		if (indexed || op->size != POINTER)
			return unknown;
		return stack_load(p, address.offset);
	case OPERAND_NONE:
		break;
	}
	return unknown;
}

static bool is_load_of(const struct evaluation *e, const struct value *v, unsigned size)
{
	return v->base == VALUE_LOAD && v->offset == 0 && e->loads[v->index].size <= size;
}

/* A write to memory whose address nobody knows is no accessor's: zeroed or foreign bytes. */
static bool write_operand(struct evaluator *e, struct path *p, const struct operand *op,
			  struct value value)
{
	struct value address;
	bool indexed;

	if (op->kind == OPERAND_REGISTER) {
		if (op->reg >= NUM_GENERAL_REGISTERS)
			return true;
		/* what is cut to fewer bytes stays known when nothing was cut off */
		if (op->size < POINTER && value.base == VALUE_NUMBER)
			value.offset &= (UINT64_C(1) << op->size * 8) - 1;
		else if (op->size < POINTER && !is_load_of(e->out, &value, op->size))
			value = unknown;
		p->regs[op->reg] = value;
		return true;
	}
	if (op->kind != OPERAND_MEMORY)
		return true;
	address = memory_address(p, op, &indexed);
	if (address.base == VALUE_STACK && !indexed)
		stack_store(p, address.offset, op->size == POINTER ? value : unknown);
	return address.base != VALUE_UNKNOWN;
}

/* One instruction. */

static void note_number(struct evaluation *out, const struct instruction *insn)
{
	uint64_t number = insn->operands[1].number;

	if (insn->operands[1].kind != OPERAND_NUMBER || number == (uint64_t)(int32_t)number)
		return;
	for (size_t i = 0; i < out->num_numbers; i++)
		if (out->numbers[i] == number)
			return;
	if (out->num_numbers < EVALUATE_MAX_NUMBERS)
		out->numbers[out->num_numbers++] = number;
}

static struct value add_values(struct value a, struct value b, uint64_t va)
{
	struct value ret = b.base == VALUE_NUMBER ? a : b;

	if (a.base != VALUE_NUMBER && b.base != VALUE_NUMBER)
		return unknown;
	ret.offset = a.offset + b.offset;
	ret.va = va;
	return ret.base == VALUE_UNKNOWN ? unknown : ret;
}

/* Two operands, the first one gets the result. */
static struct value compute(struct evaluator *e, struct path *p, const struct instruction *insn)
{
	const struct operand *left = &insn->operands[0], *right = &insn->operands[1];
	struct value a = read_operand(e, p, left, insn->va);
	struct value b = read_operand(e, p, right, insn->va);

	switch (insn->kind) {
	case INSTRUCTION_SUB:
		if (b.base != VALUE_NUMBER)
			return unknown;
		b.offset = -b.offset;
		return add_values(a, b, insn->va);
	case INSTRUCTION_ADD:
		return add_values(a, b, insn->va);
	case INSTRUCTION_XOR:
		if (left->kind == OPERAND_REGISTER && right->kind == OPERAND_REGISTER &&
		    left->reg == right->reg)
			return (struct value){ .base = VALUE_NUMBER, .va = insn->va };
		return unknown;
	case INSTRUCTION_AND: /* a mask of high bits takes a reference count off a pointer */
		return b.base == VALUE_NUMBER && b.offset >= -UINT64_C(16) ? a : unknown;
	default:
		return unknown;
	}
}

static struct value address_operand(const struct path *p, const struct instruction *insn)
{
	bool indexed;
	struct value ret = memory_address(p, &insn->operands[1], &indexed);

	if (indexed)
		return unknown;
	ret.va = insn->va;
	return ret;
}

/* Loads happen; every register that changes is unknown afterwards. */
static bool other_instruction(struct evaluator *e, struct path *p, const struct instruction *insn)
{
	bool known = true;

	for (unsigned i = 0; i < insn->num_operands; i++) {
		const struct operand *op = &insn->operands[i];

		if (op->kind != OPERAND_MEMORY)
			continue;
		(void)read_operand(e, p, op, insn->va);
		if (op->written)
			known &= write_operand(e, p, op, unknown);
	}
	for (unsigned i = 0; i < NUM_GENERAL_REGISTERS; i++)
		if (insn->written >> i & 1)
			p->regs[i] = unknown;
	return known;
}

static bool push(struct path *p, struct value value)
{
	struct value *rsp = &p->regs[REGISTER_RSP];

	if (rsp->base != VALUE_STACK)
		return false;
	rsp->offset -= POINTER;
	stack_store(p, rsp->offset, value);
	return true;
}

static bool pop(struct path *p, struct value *ret)
{
	struct value *rsp = &p->regs[REGISTER_RSP];

	if (rsp->base != VALUE_STACK)
		return false;
	*ret = stack_load(p, rsp->offset);
	rsp->offset += POINTER;
	return true;
}

static bool data_instruction(struct evaluator *e, struct path *p, const struct instruction *insn)
{
	const struct operand *first = &insn->operands[0];
	struct value value;

	if (insn->kind == INSTRUCTION_PUSH)
		return push(p, read_operand(e, p, first, insn->va));
	if (insn->kind == INSTRUCTION_POP)
		return pop(p, &value) && write_operand(e, p, first, value);
	if (insn->num_operands != 2 ||
	    (first->kind == OPERAND_REGISTER && first->reg >= NUM_GENERAL_REGISTERS))
		return other_instruction(e, p, insn);
	switch (insn->kind) {
	case INSTRUCTION_MOVE:
		note_number(e->out, insn);
		return write_operand(e, p, first, read_operand(e, p, &insn->operands[1], insn->va));
	case INSTRUCTION_LEA:
		return write_operand(e, p, first, address_operand(p, insn));
	case INSTRUCTION_ADD:
	case INSTRUCTION_SUB:
	case INSTRUCTION_AND:
	case INSTRUCTION_XOR:
		return write_operand(e, p, first, compute(e, p, insn));
	default:
		return other_instruction(e, p, insn);
	}
}

/* Where control goes. */

enum step { STEP_ON, STEP_OVER };

static enum step stop(struct evaluator *e, enum evaluate_end end, uint64_t va)
{
	if (e->out->end == EVALUATE_DONE) {
		e->out->end = end;
		e->out->end_va = va;
	}
	return STEP_OVER;
}

static bool direct_target(const struct instruction *insn, uint64_t *ret)
{
	*ret = insn->operands[0].number;
	return insn->num_operands == 1 && insn->operands[0].kind == OPERAND_NUMBER;
}

static enum step step_call(struct evaluator *e, struct path *p, const struct instruction *insn)
{
	uint64_t target;

	if (direct_target(insn, &target) && p->num_returns < EVALUATE_MAX_CALLS) {
		p->returns[p->num_returns++] = p->va;
		p->va = target;
		return push(p, unknown) ? STEP_ON : stop(e, EVALUATE_BROKEN, insn->va);
	}
	for (size_t i = 0; i < ARRAY_SIZE(volatile_registers); i++)
		p->regs[volatile_registers[i]] = unknown;
	return STEP_ON;
}

static enum step step_return(struct evaluator *e, struct path *p, const struct instruction *insn)
{
	struct value address;

	if (p->num_returns) {
		if (!pop(p, &address))
			return stop(e, EVALUATE_BROKEN, insn->va);
		p->va = p->returns[--p->num_returns];
		return STEP_ON;
	}
	if (e->out->num_results < EVALUATE_MAX_PATHS)
		e->out->results[e->out->num_results++] = p->regs[REGISTER_RAX];
	return STEP_OVER;
}

static enum step step_branch(struct evaluator *e, struct path *p, const struct instruction *insn)
{
	uint64_t target;

	if (!direct_target(insn, &target))
		return stop(e, EVALUATE_INDIRECT, insn->va);
	if (e->forks == EVALUATE_MAX_PATHS)
		return stop(e, EVALUATE_LIMIT, insn->va);
	e->forks++;
	e->paths[e->num_paths] = *p;
	e->paths[e->num_paths++].va = target;
	return STEP_ON;
}

static enum step step(struct evaluator *e, struct path *p)
{
	struct instruction insn;
	struct fault fault = { 0 };
	uint64_t target;

	if (e->steps++ == EVALUATE_MAX_STEPS)
		return stop(e, EVALUATE_LIMIT, p->va);
	if (!evaluate_decode(e->disasm, e->space, p->va, &insn, &fault)) {
		if (e->out->end == EVALUATE_DONE)
			e->out->fault = fault;
		return stop(e, fault.va ? EVALUATE_ABSENT : EVALUATE_BROKEN, p->va);
	}
	p->va += insn.length;
	switch (insn.kind) {
	case INSTRUCTION_JUMP:
		if (!direct_target(&insn, &target))
			return stop(e, EVALUATE_INDIRECT, insn.va);
		p->va = target;
		return STEP_ON;
	case INSTRUCTION_BRANCH:
		return step_branch(e, p, &insn);
	case INSTRUCTION_CALL:
		return step_call(e, p, &insn);
	case INSTRUCTION_RETURN:
		return step_return(e, p, &insn);
	case INSTRUCTION_STOP:
		return stop(e, EVALUATE_BROKEN, insn.va);
	default:
		return data_instruction(e, p, &insn) ? STEP_ON : stop(e, EVALUATE_BROKEN, insn.va);
	}
}

bool evaluate_decode(struct disasm *d, struct space *s, uint64_t va, struct instruction *ret,
		     struct fault *fault)
{
	uint8_t bytes[INSTRUCTION_MAX_LENGTH];
	size_t len = sizeof(bytes);
	struct fault absent;

	*fault = (struct fault){ 0 };
	if (!space_try_read(s, va, bytes, len, fault)) {
		/* what is there may be enough */
		len = (size_t)(fault->va - va);
		if (!len || len > sizeof(bytes) || !space_try_read(s, va, bytes, len, &absent))
			return false;
	}
	if (!disasm_decode(d, bytes, len, va, ret))
		return false;
	*fault = (struct fault){ 0 };
	return true;
}

void evaluate(struct disasm *d, struct space *s, uint64_t va, struct evaluation *ret)
{
	struct evaluator e = { .disasm = d, .space = s, .out = ret, .num_paths = 1, .forks = 1 };
	struct path *first = &e.paths[0];

	memset(ret, 0, sizeof(*ret));
	first->va = va;
	for (unsigned i = 0; i < NUM_ARGUMENTS; i++)
		first->regs[argument_registers[i]] =
			(struct value){ .base = VALUE_ARGUMENT, .index = i };
	first->regs[REGISTER_RSP].base = VALUE_STACK;
	while (e.num_paths) {
		struct path path = e.paths[--e.num_paths];

		while (step(&e, &path) == STEP_ON)
			;
	}
}

bool evaluate_origin(const struct evaluation *e, const struct value *v, struct value_origin *ret)
{
	struct value at = *v;
	struct value_origin origin = { .va = v->va };
	unsigned previous = 0;

	/* each load's address was computed from loads before it, so this ends */
	while (at.base == VALUE_LOAD) {
		const struct load *load = &e->loads[at.index];

		if (load->indexed || (at.offset && origin.depth == 0) ||
		    (load->address.base == VALUE_LOAD && load->address.index >= at.index))
			return false;
		origin.outer = previous;
		previous = at.index;
		origin.depth++;
		origin.size = load->size;
		origin.va = load->va;
		at = load->address;
	}
	if (at.base != VALUE_ARGUMENT && at.base != VALUE_GS)
		return false;
	origin.base = at.base;
	origin.argument = at.index;
	origin.offset = at.offset;
	*ret = origin;
	return true;
}
