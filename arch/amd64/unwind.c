/* SPDX-License-Identifier: MIT */
#include "arch/amd64/unwind.h"

#include "arch/amd64/unwind_private.h"
#include "base/cursor.h"

/* UNWIND_INFO: "x64 exception handling", struct UNWIND_INFO and struct UNWIND_CODE. */
enum {
	INFO_HEADER_SIZE = 4,
	CODE_SIZE = 2,
	INDIRECT = 1, /* of RUNTIME_FUNCTION.UnwindData */
	MACHINE_FRAME_CS = 8,
	MACHINE_FRAME_RSP = 24,
};

const char *unwind_status_text(enum unwind_status status)
{
	static const char *const texts[NUM_UNWIND_STATUSES] = {
		[UNWIND_OK] = "unwound",
		[UNWIND_ABSENT] = "unwind data or stack is absent",
		[UNWIND_CORRUPT] = "unwind data contradicts itself",
		[UNWIND_UNKNOWN] = "a register that is needed is not known",
	};

	return texts[status];
}

/* Slots after the first that an operation takes; -1: there is no such operation. */
static int extra_slots(uint8_t version, uint8_t op, uint8_t info)
{
	static const int8_t slots[] = {
		[UNWIND_PUSH_NONVOL] = 0,    [UNWIND_ALLOC_LARGE] = 1,
		[UNWIND_ALLOC_SMALL] = 0,    [UNWIND_SET_FPREG] = 0,
		[UNWIND_SAVE_NONVOL] = 1,    [UNWIND_SAVE_NONVOL_FAR] = 2,
		[UNWIND_EPILOG] = 1,	     [UNWIND_SPARE] = 2,
		[UNWIND_SAVE_XMM128] = 1,    [UNWIND_SAVE_XMM128_FAR] = 2,
		[UNWIND_PUSH_MACHFRAME] = 0,
	};

	if (op >= ARRAY_SIZE(slots))
		return -1;
	if (op == UNWIND_ALLOC_LARGE && info)
		return info == 1 ? 2 : -1;
	/* In version 1 these were saves of half an XMM register, with an operand. */
	if (op == UNWIND_EPILOG && version >= 2)
		return 0;
	return slots[op];
}

/* The operation's value, from its slots: nothing but numbers, scaled. */
static uint32_t operand(uint8_t op, uint8_t info, uint8_t offset, const uint8_t *extra)
{
	switch (op) {
	case UNWIND_ALLOC_LARGE:
		return info ? load_u32(extra) : load_u16(extra) * 8U;
	case UNWIND_ALLOC_SMALL:
		return info * 8U + 8;
	case UNWIND_SAVE_NONVOL:
		return load_u16(extra) * 8U;
	case UNWIND_SAVE_XMM128:
		return load_u16(extra) * 16U;
	case UNWIND_SAVE_NONVOL_FAR:
	case UNWIND_SAVE_XMM128_FAR:
		return load_u32(extra);
	case UNWIND_EPILOG:
		return offset | (uint32_t)info << 8;
	case UNWIND_PUSH_MACHFRAME:
		return info;
	default:
		return 0;
	}
}

static enum unwind_status decode_codes(struct cursor *c, struct unwind_info *info)
{
	while (cur_left(c)) {
		struct unwind_code *code = &info->codes[info->num_codes];
		const uint8_t *extra = NULL;
		uint8_t kind;

		if (!cur_u8(c, &code->offset) || !cur_u8(c, &kind))
			return UNWIND_CORRUPT;
		code->op = kind & 15;
		code->reg = kind >> 4;
		int slots = extra_slots(info->version, code->op, code->reg);

		if (slots < 0 || !cur_take(c, CODE_SIZE * (size_t)slots, &extra))
			return UNWIND_CORRUPT;
		if (code->op == UNWIND_PUSH_MACHFRAME && code->reg > 1)
			return UNWIND_CORRUPT;
		if (info->version == 1 && (code->op == UNWIND_EPILOG || code->op == UNWIND_SPARE))
			code->op = UNWIND_SPARE;
		code->value = operand(code->op, code->reg, code->offset, extra);
		info->num_codes++;
	}
	return UNWIND_OK;
}

static enum unwind_status read_tail(const struct unwind_image *image, uint64_t va,
				    struct unwind_info *info)
{
	uint8_t tail[RUNTIME_FUNCTION_SIZE];
	size_t size = info->flags & UNWIND_CHAINED ? RUNTIME_FUNCTION_SIZE : 4;

	if (!(info->flags &
	      (UNWIND_CHAINED | UNWIND_EXCEPTION_HANDLER | UNWIND_TERMINATION_HANDLER)))
		return UNWIND_OK;
	if (!image->read(image->arg, va, tail, size))
		return UNWIND_ABSENT;
	if (info->flags & UNWIND_CHAINED) {
		info->chained.begin = load_u32(tail);
		info->chained.end = load_u32(tail + 4);
		info->chained.info = load_u32(tail + 8);
	} else {
		info->handler = load_u32(tail);
	}
	return UNWIND_OK;
}

enum unwind_status unwind_info_read(const struct unwind_image *image, uint32_t rva,
				    struct unwind_info *ret)
{
	uint8_t header[INFO_HEADER_SIZE], codes[CODE_SIZE * UNWIND_MAX_CODES];
	uint64_t va = image->base + rva;
	enum unwind_status status;
	struct cursor c;

	if (!image->read(image->arg, va, header, sizeof(header)))
		return UNWIND_ABSENT;
	size_t size = CODE_SIZE * (size_t)header[2];

	*ret = (struct unwind_info){
		.version = header[0] & 7,
		.flags = header[0] >> 3,
		.prolog_size = header[1],
		.frame_register = header[3] & 15,
		.frame_offset = (uint16_t)((header[3] >> 4) * 16),
	};
	if (ret->version < 1 || ret->version > 2)
		return UNWIND_CORRUPT;
	va += INFO_HEADER_SIZE;
	if (size && !image->read(image->arg, va, codes, size))
		return UNWIND_ABSENT;
	cur_init(&c, codes, size, va);
	if ((status = decode_codes(&c, ret)) != UNWIND_OK)
		return status;
	/* the array has an even number of slots */
	return read_tail(image, va + CODE_SIZE * ((header[2] + 1U) & ~1U), ret);
}

enum unwind_status unwind_read_function(const struct unwind_image *image,
					struct runtime_function *fn, struct unwind_info *info)
{
	uint8_t bytes[RUNTIME_FUNCTION_SIZE];

	for (unsigned i = 0; fn->info & INDIRECT; i++) {
		uint64_t va = image->base + (fn->info & ~(uint32_t)INDIRECT);

		if (i == UNWIND_MAX_CHAIN)
			return UNWIND_CORRUPT;
		if (!image->read(image->arg, va, bytes, sizeof(bytes)))
			return UNWIND_ABSENT;
		*fn = (struct runtime_function){ load_u32(bytes), load_u32(bytes + 4),
						 load_u32(bytes + 8) };
	}
	return unwind_info_read(image, fn->info, info);
}

enum unwind_status unwind_primary(const struct unwind_image *image,
				  const struct runtime_function *fn, struct runtime_function *ret)
{
	struct runtime_function at = *fn;
	struct unwind_info info;

	for (unsigned i = 0; i < UNWIND_MAX_CHAIN; i++) {
		enum unwind_status status = unwind_read_function(image, &at, &info);

		if (status != UNWIND_OK)
			return status;
		if (!(info.flags & UNWIND_CHAINED)) {
			*ret = at;
			return UNWIND_OK;
		}
		at = info.chained;
	}
	return UNWIND_CORRUPT;
}

static bool is_known(const struct unwind_context *context, unsigned reg)
{
	return reg == UNWIND_RSP || context->known >> reg & 1;
}

static bool load_register(const struct unwind_image *image, struct unwind_context *context,
			  unsigned reg, uint64_t va)
{
	uint8_t bytes[8];

	if (!image->read(image->arg, va, bytes, sizeof(bytes)))
		return false;
	context->gpr[reg] = load_u64(bytes);
	context->known |= (uint16_t)(1U << reg);
	return true;
}

static bool load_xmm(const struct unwind_image *image, struct unwind_context *context, unsigned reg,
		     uint64_t va)
{
	uint8_t bytes[16];

	if (!image->read(image->arg, va, bytes, sizeof(bytes)))
		return false;
	context->xmm[reg][0] = load_u64(bytes);
	context->xmm[reg][1] = load_u64(bytes + 8);
	context->known_xmm |= (uint16_t)(1U << reg);
	return true;
}

/* {RIP, CS, RFLAGS, RSP, SS} at RSP, as the processor pushes them. */
static enum unwind_status take_machine_frame(const struct unwind_image *image,
					     struct unwind_context *context,
					     struct unwind_step *step)
{
	uint64_t at = context->gpr[UNWIND_RSP];
	uint8_t bytes[MACHINE_FRAME_RSP + 8];

	if (!image->read(image->arg, at, bytes, sizeof(bytes)))
		return UNWIND_ABSENT;
	context->rip = load_u64(bytes);
	context->gpr[UNWIND_RSP] = load_u64(bytes + MACHINE_FRAME_RSP);
	step->machine_frame = true;
	step->cs = load_u16(bytes + MACHINE_FRAME_CS);
	return UNWIND_OK;
}

static enum unwind_status take_return_address(const struct unwind_image *image,
					      struct unwind_context *context)
{
	uint8_t bytes[8];

	if (!image->read(image->arg, context->gpr[UNWIND_RSP], bytes, sizeof(bytes)))
		return UNWIND_ABSENT;
	context->rip = load_u64(bytes);
	context->gpr[UNWIND_RSP] += 8;
	return UNWIND_OK;
}

/*
 * What saves are relative to: RSP, or once the prologue has set it the frame register. A chained
 * part runs after the whole prologue of its parent.
 */
static enum unwind_status frame_base(const struct unwind_info *info, uint32_t offset,
				     const struct unwind_context *context, uint64_t *ret)
{
	bool set = offset >= info->prolog_size || info->flags & UNWIND_CHAINED;

	for (unsigned i = 0; i < info->num_codes && !set; i++)
		set = info->codes[i].op == UNWIND_SET_FPREG && offset >= info->codes[i].offset;
	*ret = context->gpr[UNWIND_RSP];
	if (!info->frame_register || !set)
		return UNWIND_OK;
	if (!is_known(context, info->frame_register))
		return UNWIND_UNKNOWN;
	*ret = context->gpr[info->frame_register] - info->frame_offset;
	return UNWIND_OK;
}

static enum unwind_status undo(const struct unwind_image *image, const struct unwind_info *info,
			       const struct unwind_code *code, uint64_t frame,
			       struct unwind_context *context, struct unwind_step *step)
{
	uint64_t *rsp = &context->gpr[UNWIND_RSP];

	switch (code->op) {
	case UNWIND_PUSH_NONVOL:
		if (!load_register(image, context, code->reg, *rsp))
			return UNWIND_ABSENT;
		*rsp += 8;
		break;
	case UNWIND_ALLOC_LARGE:
	case UNWIND_ALLOC_SMALL:
		*rsp += code->value;
		break;
	case UNWIND_SET_FPREG:
		if (!is_known(context, info->frame_register))
			return UNWIND_UNKNOWN;
		*rsp = context->gpr[info->frame_register] - info->frame_offset;
		break;
	case UNWIND_SAVE_NONVOL:
	case UNWIND_SAVE_NONVOL_FAR:
		if (!load_register(image, context, code->reg, frame + code->value))
			return UNWIND_ABSENT;
		break;
	case UNWIND_SAVE_XMM128:
	case UNWIND_SAVE_XMM128_FAR:
		if (!load_xmm(image, context, code->reg, frame + code->value))
			return UNWIND_ABSENT;
		break;
	case UNWIND_PUSH_MACHFRAME:
		*rsp += 8 * code->value; /* the error code */
		return take_machine_frame(image, context, step);
	default: /* says nothing of registers */
		break;
	}
	return UNWIND_OK;
}

/* Undoes the prologues of fn and of what it is chained to, newest first. */
static enum unwind_status undo_prologue(const struct unwind_image *image, uint32_t rva,
					struct runtime_function fn, struct unwind_info *info,
					struct unwind_context *context, struct unwind_step *step)
{
	enum unwind_status status;
	uint64_t frame;

	if ((status = frame_base(info, rva - fn.begin, context, &frame)) != UNWIND_OK)
		return status;
	for (unsigned chain = 0; chain <= UNWIND_MAX_CHAIN; chain++) {
		for (unsigned i = 0; i < info->num_codes; i++) {
			/* an instruction that has not run yet; RVAs below wrap to "all has run" */
			if (rva - fn.begin < info->codes[i].offset &&
			    info->codes[i].op != UNWIND_EPILOG)
				continue;
			status = undo(image, info, &info->codes[i], frame, context, step);
			if (status != UNWIND_OK || step->machine_frame)
				return status;
		}
		if (!(info->flags & UNWIND_CHAINED))
			return take_return_address(image, context);
		fn = info->chained;
		if ((status = unwind_read_function(image, &fn, info)) != UNWIND_OK)
			return status;
	}
	return UNWIND_CORRUPT;
}

static enum unwind_status run_epilogue(const struct unwind_image *image,
				       const struct epilogue *epilogue,
				       struct unwind_context *context, struct unwind_step *step)
{
	uint64_t *rsp = &context->gpr[UNWIND_RSP];

	if (epilogue->stack == EPILOGUE_STACK_FRAME) {
		if (!is_known(context, epilogue->frame_register))
			return UNWIND_UNKNOWN;
		*rsp = context->gpr[epilogue->frame_register];
	}
	*rsp += (uint64_t)epilogue->displacement;
	for (unsigned i = 0; i < epilogue->num_pops; i++) {
		uint64_t at = *rsp;

		*rsp += 8;
		if (!load_register(image, context, epilogue->pops[i], at))
			return UNWIND_ABSENT;
	}
	*rsp += epilogue->skip;
	step->epilogue = true;
	return epilogue->machine_frame ? take_machine_frame(image, context, step)
				       : take_return_address(image, context);
}

static enum unwind_status unwind_function(const struct unwind_image *image, uint32_t rva,
					  struct runtime_function fn,
					  struct unwind_context *context, struct unwind_step *step)
{
	struct unwind_info info;
	struct epilogue epilogue;
	bool in_epilogue = false;
	enum unwind_status status = unwind_read_function(image, &fn, &info);

	/* RVAs in front of an indirect entry's target belong to a fragment: no prologue there */
	if (status == UNWIND_OK && rva - fn.begin >= info.prolog_size)
		status = epilogue_find(image, rva, &fn, &info, &in_epilogue, &epilogue);
	if (status != UNWIND_OK)
		return status;
	return in_epilogue ? run_epilogue(image, &epilogue, context, step)
			   : undo_prologue(image, rva, fn, &info, context, step);
}

enum unwind_status unwind_caller(const struct unwind_image *image, struct unwind_context *context,
				 struct unwind_step *ret)
{
	struct unwind_context next = *context;
	struct unwind_step step = { 0 };
	struct runtime_function fn;
	enum unwind_status status = UNWIND_ABSENT;
	uint32_t rva = (uint32_t)(context->rip - image->base);

	switch (image->find(image->arg, rva, &fn)) {
	case FUNCTION_FOUND:
		status = unwind_function(image, rva, fn, &next, &step);
		break;
	case FUNCTION_NONE:
		step.leaf = true;
		status = take_return_address(image, &next);
		break;
	case FUNCTION_ABSENT:
		break;
	}
	if (status != UNWIND_OK)
		return status;
	/* Calls may change the volatile ones; a trap handler saves them where these tables do not
	 * say. */
	next.known &= (uint16_t)~UNWIND_VOLATILE;
	next.known_xmm &= (uint16_t)~UNWIND_VOLATILE_XMM;
	next.known |= 1 << UNWIND_RSP;
	*context = next;
	*ret = step;
	return UNWIND_OK;
}
