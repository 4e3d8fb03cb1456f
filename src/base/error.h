/* SPDX-License-Identifier: MIT */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/compiler.h"

/*
 * The one error type. NULL means success; anything else is owned by whoever holds it and
 * ends in error_destroy(), error_wrap() or error_catch(). Messages follow
 * "where: what was expected, what was found": lower case, no full stop.
 */
struct error;

enum error_code {
	ERROR_NO_MEMORY,   /* a static object: reporting it cannot fail */
	ERROR_OS,	   /* a system call failed; error_errno() says how */
	ERROR_USAGE,	   /* the caller's words are off */
	ERROR_UNSUPPORTED, /* recognised by name, and not readable here */
	ERROR_CORRUPT,	   /* the input contradicts itself or its format */
	ERROR_FAULT,	   /* bytes at an address are absent; error_address() says which */
	ERROR_NOT_FOUND,
	ERROR_LIMIT, /* a named limit would be passed */
};

extern struct error error_no_memory;

MUST_CHECK PRINTF(2, 3) struct error *error_new(enum error_code code, const char *fmt, ...);
/* "fmt: strerror(errnum)", code ERROR_OS. */
MUST_CHECK PRINTF(2, 3) struct error *error_os(int errnum, const char *fmt, ...);
/* As error_new(ERROR_FAULT), remembering the address. */
MUST_CHECK PRINTF(2, 3) struct error *error_fault(uint64_t address, const char *fmt, ...);
/* Prefixes "fmt: " to the message; takes err, keeps its code. NULL stays NULL. */
MUST_CHECK PRINTF(2, 3) struct error *error_wrap(struct error *err, const char *fmt, ...);

enum error_code error_code(const struct error *err);
const char *error_message(const struct error *err); /* borrowed until err is destroyed */
int error_errno(const struct error *err);	    /* 0 where there is none */
bool error_address(const struct error *err, uint64_t *ret);
/* If *err has this code: frees it, sets *err to NULL, returns true. */
bool error_catch(struct error **err, enum error_code code);
void error_destroy(struct error *err); /* NULL is fine */
/* For CLEANUP(). */
void error_cleanup(struct error **err);

#endif
