/* SPDX-License-Identifier: MIT */
#include "arch/amd64/unwind_private.h"
#include "base/cursor.h"

/*
 * Epilogues. Version 1 tells them by their instructions, which are then run forward: the forms
 * that "x64 prolog and epilog" of Microsoft's C++ documentation allows. Version 2 lists where they
 * are; there an epilogue is the pops of the prologue's pushes and what follows them.
 */
enum {
	MAX_CODE = 7 + 2 * EPILOGUE_MAX_POPS + 8, /* bytes that decide */
	REX_W = 0x48,
	REX_WB = 0x49,
	FIRST_EPILOG_AT_END = 1, /* information bit of the first EPILOG code */
};

static size_t read_code(const struct unwind_image *image, uint32_t rva, uint8_t *code)
{
	uint64_t va = image->base + rva;
	size_t len = 0;

	if (image->read(image->arg, va, code, MAX_CODE))
		return MAX_CODE;
	while (len < MAX_CODE && image->read(image->arg, va + len, code + len, 1))
		len++;
	return len;
}

/* add rsp, imm; or lea rsp, [frame register + disp]. */
static void parse_stack(struct cursor *c, const struct unwind_info *info, struct epilogue *e)
{
	const uint8_t *p = c->base + c->pos;
	size_t left = cur_left(c);
	bool wide, take;

	if (left < 7)
		return;
	if (p[0] == REX_W && (p[1] == 0x83 || p[1] == 0x81) && p[2] == 0xc4) {
		e->stack = EPILOGUE_STACK_ADD;
		wide = p[1] == 0x81;
		take = true;
	} else {
		uint8_t reg = (uint8_t)((p[0] & 1) << 3 | (p[2] & 7));

		/* ModRM: mod 1 or 2, reg RSP, rm the frame register; rm 4 would be a SIB byte */
		wide = p[2] >> 6 == 2;
		take = (p[0] == REX_W || p[0] == REX_WB) && p[1] == 0x8d &&
		       ((p[2] & 0xf8) == 0x60 || (p[2] & 0xf8) == 0xa0) && info->frame_register &&
		       reg == info->frame_register && (p[2] & 7) != 4;
		if (take) {
			e->stack = EPILOGUE_STACK_FRAME;
			e->frame_register = reg;
		}
	}
	if (!take)
		return;
	e->displacement = wide ? (int32_t)load_u32(p + 3) : (int8_t)p[3];
	c->pos += wide ? 7 : 4;
}

static void parse_pops(struct cursor *c, struct epilogue *e)
{
	while (e->num_pops < EPILOGUE_MAX_POPS) {
		const uint8_t *p = c->base + c->pos;
		size_t rex = cur_left(c) >= 2 && (p[0] & 0xf0) == 0x40;

		if (cur_left(c) < 1 + rex || (p[rex] & 0xf8) != 0x58)
			return;
		e->pops[e->num_pops++] =
			(uint8_t)((p[rex] & 7) | (rex ? (unsigned)(p[0] & 1) << 3 : 0));
		c->pos += 1 + rex;
	}
}

/* Does a jump to rva leave the function? Its first instruction counts as outside: a call of
 * itself. */
static enum unwind_status leaves_function(const struct unwind_image *image,
					  const struct runtime_function *fn, uint32_t rva,
					  bool *ret)
{
	struct runtime_function mine, theirs;
	enum unwind_status status = unwind_primary(image, fn, &mine);

	if (status != UNWIND_OK)
		return status;
	if (rva >= fn->begin && rva < fn->end) {
		*ret = rva == mine.begin;
		return UNWIND_OK;
	}
	*ret = true;
	/* another fragment of the same function has the same primary entry */
	if (image->find(image->arg, rva, &theirs) == FUNCTION_FOUND &&
	    unwind_primary(image, &theirs, &theirs) == UNWIND_OK)
		*ret = theirs.begin != mine.begin || rva == mine.begin;
	return UNWIND_OK;
}

/* ret, or a jump that leaves the function. */
static enum unwind_status parse_exit(const struct unwind_image *image, const struct cursor *code,
				     const struct runtime_function *fn, bool *ret)
{
	size_t left = cur_left(code);
	uint8_t p[6] = { 0 };

	memcpy(p, code->base + code->pos, left < sizeof(p) ? left : sizeof(p));
	size_t at = left && p[0] == 0xf2; /* bnd or repne */

	*ret = false;
	if (left <= at)
		return UNWIND_OK;
	left -= at;
	uint32_t here = (uint32_t)(code->origin + code->pos + at);
	int32_t near = (int8_t)p[at + 1];

	if (p[at] == 0xc3 || p[at] == 0xc2 || (left >= 2 && p[at] == 0xf3 && p[at + 1] == 0xc3))
		*ret = true;
	else if (left >= 2 && p[at] == 0xeb)
		return leaves_function(image, fn, here + 2 + (uint32_t)near, ret);
	else if (left >= 5 && p[at] == 0xe9)
		return leaves_function(image, fn, here + 5 + load_u32(p + at + 1), ret);
	else if (left >= 2 && p[at] == 0xff && p[at + 1] == 0x25)
		*ret = true;
	/* REX.W says nothing on an indirect jump but this: it is a call at the end */
	else if (left >= 3 && (p[at] & 0xf8) == REX_W && p[at + 1] == 0xff &&
		 (p[at + 2] & 0x38) == 0x20)
		*ret = true;
	return UNWIND_OK;
}

static enum unwind_status find_by_code(const struct unwind_image *image, uint32_t rva,
				       const struct runtime_function *fn,
				       const struct unwind_info *info, bool *found,
				       struct epilogue *ret)
{
	uint8_t code[MAX_CODE];
	struct epilogue e = { .stack = EPILOGUE_STACK_KEPT };
	enum unwind_status status;
	struct cursor c;

	cur_init(&c, code, read_code(image, rva, code), rva);
	parse_stack(&c, info, &e);
	parse_pops(&c, &e);
	status = parse_exit(image, &c, fn, found);
	if (status == UNWIND_OK && *found)
		*ret = e;
	return status;
}

/* Where in an epilogue of version 2 rva is. The first code holds their common size. */
static bool find_listed(uint32_t rva, const struct runtime_function *fn,
			const struct unwind_info *info, uint32_t *offset_ret)
{
	uint32_t size;

	if (!info->num_codes || info->codes[0].op != UNWIND_EPILOG)
		return false;
	size = info->codes[0].offset;
	*offset_ret = rva - (fn->end - size);
	if (info->codes[0].reg & FIRST_EPILOG_AT_END && *offset_ret < size)
		return true;
	for (unsigned i = 1; i < info->num_codes && info->codes[i].op == UNWIND_EPILOG; i++) {
		*offset_ret = rva - (fn->end - info->codes[i].value);
		/* 0 fills the list up to an even length */
		if (info->codes[i].value && *offset_ret < size)
			return true;
	}
	return false;
}

static unsigned first_push(const struct unwind_info *info)
{
	unsigned i = 0;

	while (i < info->num_codes && info->codes[i].op != UNWIND_PUSH_NONVOL &&
	       info->codes[i].op != UNWIND_PUSH_MACHFRAME)
		i++;
	return i;
}

/* The pushes' mirror image from `offset` bytes into the epilogue on; pops are one byte long, those
 * of r8 to r15 two. */
static void mirror_pushes(const struct unwind_info *info, uint32_t offset, struct epilogue *e)
{
	unsigned i = first_push(info);
	uint32_t at = 0;

	for (; i < info->num_codes && info->codes[i].op == UNWIND_PUSH_NONVOL; i++) {
		if (at >= offset && e->num_pops < EPILOGUE_MAX_POPS)
			e->pops[e->num_pops++] = info->codes[i].reg;
		at += info->codes[i].reg >= 8 ? 2 : 1;
	}
	/* pushed flags, popped into a volatile register */
	if (i < info->num_codes && info->codes[i].op == UNWIND_ALLOC_SMALL &&
	    info->codes[i].value == 8) {
		e->skip = at >= offset ? 8 : 0;
		i++;
	}
	e->machine_frame = i < info->num_codes && info->codes[i].op == UNWIND_PUSH_MACHFRAME;
}

static enum unwind_status find_by_list(const struct unwind_image *image, uint32_t rva,
				       const struct runtime_function *fn,
				       const struct unwind_info *info, bool *found,
				       struct epilogue *ret)
{
	struct runtime_function parent;
	struct unwind_info pushing = *info;
	enum unwind_status status;
	uint32_t offset;

	*found = find_listed(rva, fn, info, &offset);
	if (!*found)
		return UNWIND_OK;
	/* the pushes are all in one entry of the chain */
	for (unsigned chain = 0;
	     first_push(&pushing) == pushing.num_codes && pushing.flags & UNWIND_CHAINED; chain++) {
		if (chain == UNWIND_MAX_CHAIN)
			return UNWIND_CORRUPT;
		parent = pushing.chained;
		if ((status = unwind_read_function(image, &parent, &pushing)) != UNWIND_OK)
			return status;
	}
	*ret = (struct epilogue){ .stack = EPILOGUE_STACK_KEPT };
	mirror_pushes(&pushing, offset, ret);
	return UNWIND_OK;
}

enum unwind_status epilogue_find(const struct unwind_image *image, uint32_t rva,
				 const struct runtime_function *fn, const struct unwind_info *info,
				 bool *found, struct epilogue *ret)
{
	return info->version == 1 ? find_by_code(image, rva, fn, info, found, ret)
				  : find_by_list(image, rva, fn, info, found, ret);
}
