/* SPDX-License-Identifier: MIT */
#ifndef ARCH_AMD64_UNWIND_PRIVATE_H
#define ARCH_AMD64_UNWIND_PRIVATE_H

#include "arch/amd64/unwind.h"

/* What the rest of an epilogue does to the registers, in this order. */
struct epilogue {
	enum { EPILOGUE_STACK_KEPT, EPILOGUE_STACK_ADD, EPILOGUE_STACK_FRAME } stack;
	uint8_t frame_register; /* EPILOGUE_STACK_FRAME: RSP = register + displacement */
	int64_t displacement;	/* EPILOGUE_STACK_ADD: RSP += displacement */
	uint8_t pops[32];	/* registers */
	unsigned num_pops;
	uint64_t skip;	    /* then so many bytes of the stack */
	bool machine_frame; /* it ends in iretq */
};

enum { EPILOGUE_MAX_POPS = 32 };

/* The unwind information of fn; an indirect entry is replaced by the one that it stands for. */
MUST_CHECK enum unwind_status unwind_read_function(const struct unwind_image *image,
						   struct runtime_function *fn,
						   struct unwind_info *info);

/* Is rva in an epilogue of fn? Without the code's bytes only version 2 can tell. */
MUST_CHECK enum unwind_status epilogue_find(const struct unwind_image *image, uint32_t rva,
					    const struct runtime_function *fn,
					    const struct unwind_info *info, bool *found,
					    struct epilogue *ret);

#endif
