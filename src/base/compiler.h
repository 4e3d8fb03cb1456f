/* SPDX-License-Identifier: MIT */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK	  __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(fn)	  __attribute__((cleanup(fn)))
#define ARRAY_SIZE(a)	  (sizeof(a) / sizeof((a)[0]))

/* Moves ownership out of a guarded variable: the guard then sees NULL. */
#define take_ptr(p)                        \
	({                                 \
		__typeof__(p) *pp_ = &(p); \
		__typeof__(p) v_ = *pp_;   \
		*pp_ = NULL;               \
		v_;                        \
	})

#endif
