/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct error {
	enum error_code code;
	int errnum;
	bool has_address;
	uint64_t address;
	char *message; /* owned, but for error_no_memory */
};

static char no_memory_message[] = "out of memory";

/* Never written to; not const because it travels as a struct error *. */
struct error error_no_memory = {
	.code = ERROR_NO_MEMORY,
	.message = no_memory_message,
};

/* The text, or "text: suffix" where suffix is not NULL. NULL when memory is out. */
PRINTF(1, 0)
static char *format_message(const char *fmt, va_list args, const char *suffix)
{
	char *text, *message;

	if (vasprintf(&text, fmt, args) < 0)
		return NULL;
	if (!suffix)
		return text;
	if (asprintf(&message, "%s: %s", text, suffix) < 0)
		message = NULL;
	free(text);
	return message;
}

PRINTF(2, 0)
static struct error *error_create(enum error_code code, const char *fmt, va_list args,
				  const char *suffix)
{
	char *message = format_message(fmt, args, suffix);
	struct error *err = message ? calloc(1, sizeof(*err)) : NULL;

	if (!err) {
		free(message);
		return &error_no_memory;
	}
	err->code = code;
	err->message = message;
	return err;
}

struct error *error_new(enum error_code code, const char *fmt, ...)
{
	struct error *err;
	va_list args;

	if (code == ERROR_NO_MEMORY)
		return &error_no_memory;
	va_start(args, fmt);
	err = error_create(code, fmt, args, NULL);
	va_end(args);
	return err;
}

struct error *error_os(int errnum, const char *fmt, ...)
{
	char reason[128];
	struct error *err;
	va_list args;

	va_start(args, fmt);
	err = error_create(ERROR_OS, fmt, args, strerror_r(errnum, reason, sizeof(reason)));
	va_end(args);
	if (err != &error_no_memory)
		err->errnum = errnum;
	return err;
}

struct error *error_fault(uint64_t address, const char *fmt, ...)
{
	struct error *err;
	va_list args;

	va_start(args, fmt);
	err = error_create(ERROR_FAULT, fmt, args, NULL);
	va_end(args);
	if (err != &error_no_memory) {
		err->has_address = true;
		err->address = address;
	}
	return err;
}

struct error *error_wrap(struct error *err, const char *fmt, ...)
{
	va_list args;
	char *message;

	if (!err || err == &error_no_memory)
		return err;
	va_start(args, fmt);
	message = format_message(fmt, args, err->message);
	va_end(args);
	if (message) { /* else: what went wrong matters more than where */
		free(err->message);
		err->message = message;
	}
	return err;
}

enum error_code error_code(const struct error *err)
{
	return err->code;
}

const char *error_message(const struct error *err)
{
	return err->message;
}

int error_errno(const struct error *err)
{
	return err->errnum;
}

bool error_address(const struct error *err, uint64_t *ret)
{
	if (!err->has_address)
		return false;
	*ret = err->address;
	return true;
}

bool error_catch(struct error **err, enum error_code code)
{
	if (!*err || (*err)->code != code)
		return false;
	error_destroy(*err);
	*err = NULL;
	return true;
}

void error_destroy(struct error *err)
{
	if (!err || err == &error_no_memory)
		return;
	free(err->message);
	free(err);
}

void error_cleanup(struct error **err)
{
	error_destroy(*err);
}
