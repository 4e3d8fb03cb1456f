/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_STACK_PRIVATE_H
#define WINDOWS_STACK_PRIVATE_H

#include "windows/pe/tables.h"
#include "windows/stack.h"
#include "windows/symbols/type_info.h"

/* One image that return addresses may point into; its tables are read when first needed. */
struct stack_image {
	uint64_t base, size;
	const char *name; /* may be NULL */
	bool headers_tried, exports_tried;
	struct pe_image *pe; /* NULL: headers are absent or malformed */
	struct pe_exports exports;
};

/* Images by address; not safe across threads. */
struct stack_images {
	struct space *space; /* borrowed */
	struct arena arena;
	struct stack_image *items; /* by base */
	size_t count, capacity;
};

void stack_images_init(struct stack_images *images, struct space *space);
void stack_images_deinit(struct stack_images *images);
/* The name is borrowed. Sizes of 0 are not images. */
MUST_CHECK struct error *stack_images_add(struct stack_images *images, uint64_t base, uint64_t size,
					  const char *name);
/* To be called after the last add. */
void stack_images_sort(struct stack_images *images);
/* NULL: va is in none. */
struct stack_image *stack_images_find(const struct stack_images *images, uint64_t va);
/* The image's headers, or NULL. */
const struct pe_image *stack_image_headers(struct stack_images *images, struct stack_image *image);
/* The modules of PsLoadedModuleList; of the process's PEB. What is absent is left out. */
MUST_CHECK struct error *stack_images_add_kernel(struct stack_images *images, struct kernel *k);
MUST_CHECK struct error *stack_images_add_user(struct stack_images *images,
					       const struct field *fields, uint64_t peb);

/* What stacks of one snapshot share. */
struct stack_reader {
	struct kernel *k;
	struct field fields[stack_num_fields];
	struct stack_images kernel_images;
	struct symbol_index *symbols; /* of exactly this kernel; NULL: none */
	bool sparse;		      /* the symbols are but a few of all */
};

/* One thread as a walk needs it. */
struct stack_thread {
	struct opt_u64 pid, tid, cpu;
	uint64_t ethread;
	struct space *space;		  /* of its process */
	struct stack_images *images;	  /* of its process's user half; NULL: unknown */
	uint64_t stack_limit, stack_base; /* of its kernel stack; 0: unknown */
	uint64_t trap_frame, teb;	  /* 0: none or unknown */
	bool wow64;
	bool is_32bit; /* the context is of 32-bit code */
	/* Where the walk begins. Without has_rip, at the first return address above RSP. */
	bool has_context, has_rip;
	bool in_call; /* the context is that of a call in progress */
	struct unwind_context context;
};

/* The frames are the caller's, by free(). NO_MEMORY only. */
MUST_CHECK struct error *stack_walk(struct stack_reader *r, const struct stack_thread *thread,
				    struct stack_frame **frames_ret, size_t *count_ret,
				    const char **end_ret);

/* The module and the name of what the frame is in. Names from exports and other lists that do not
 * have every function count just where unwind data says that they are the function's own. */
void stack_name(struct stack_reader *r, struct stack_images *images, struct space *space,
		struct stack_frame *frame);

/* Is va right after a call? Not captured code counts as a call. */
bool stack_follows_call(struct space *space, uint64_t va);

/* The 32-bit registers of a WoW64 thread that is in 64-bit code, from its TEB. */
bool stack_read_wow64_context(struct space *space, const struct field *fields, uint64_t teb,
			      struct unwind_context *ret);

#endif
