/* SPDX-License-Identifier: MIT */
#include "base/diag.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Callbacks print: one at a time keeps their lines whole. */
static pthread_mutex_t diag_lock = PTHREAD_MUTEX_INITIALIZER;

void diag_init(struct diag *d, diag_fn *fn, void *arg)
{
	*d = (struct diag){ .fn = fn, .arg = arg };
}

uint64_t diag_forget(struct diag *d)
{
	for (size_t i = 0; i < DIAG_REMEMBERED; i++)
		__atomic_store_n(&d->said[i], 0, __ATOMIC_RELAXED);
	__atomic_store_n(&d->notes, 0, __ATOMIC_RELAXED);
	return __atomic_exchange_n(&d->partial, 0, __ATOMIC_RELAXED);
}

/* FNV-1a, 64 bits; never 0. */
static uint64_t message_hash(enum diag_kind kind, const char *message)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ kind;

	for (; *message; message++)
		hash = (hash ^ (uint8_t)*message) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

static bool was_said(struct diag *d, enum diag_kind kind, const char *message)
{
	uint64_t hash = message_hash(kind, message);

	return __atomic_exchange_n(&d->said[hash % DIAG_REMEMBERED], hash, __ATOMIC_RELAXED) ==
	       hash;
}

static void diag_emit(struct diag *d, enum diag_kind kind, const char *message)
{
	if (was_said(d, kind, message))
		return;
	__atomic_fetch_add(kind == DIAG_NOTE ? &d->notes : &d->partial, 1, __ATOMIC_RELAXED);
	if (!d->fn)
		return;
	pthread_mutex_lock(&diag_lock);
	d->fn(d->arg, kind, message);
	pthread_mutex_unlock(&diag_lock);
}

PRINTF(3, 0)
static void diag_vreport(struct diag *d, enum diag_kind kind, const char *fmt, va_list args)
{
	char *message;

	if (vasprintf(&message, fmt, args) < 0)
		message = NULL;
	diag_emit(d, kind, message ? message : "out of memory");
	free(message);
}

void diag_note(struct diag *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	diag_vreport(d, DIAG_NOTE, fmt, args);
	va_end(args);
}

void diag_partial(struct diag *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	diag_vreport(d, DIAG_PARTIAL, fmt, args);
	va_end(args);
}

void diag_error(struct diag *d, struct error *err, const char *fmt, ...)
{
	va_list args;
	char *prefix;

	va_start(args, fmt);
	if (vasprintf(&prefix, fmt, args) < 0)
		prefix = NULL;
	va_end(args);
	if (prefix)
		err = error_wrap(err, "%s", prefix);
	free(prefix);
	diag_emit(d, DIAG_PARTIAL, error_message(err));
	error_destroy(err);
}
