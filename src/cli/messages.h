/* SPDX-License-Identifier: MIT */
#ifndef CLI_MESSAGES_H
#define CLI_MESSAGES_H

#include <stdio.h>

#include "base/diag.h"

/*
 * What the program says to people: lines on standard error that begin with "ntscope: ". Text from
 * snapshots is escaped by text_show(). The rows of a listing can be bad by the million, so only
 * the first MESSAGES_SHOWN partial messages are printed unless `verbose`.
 */
enum { MESSAGES_SHOWN = 20 };

struct messages {
	FILE *err;
	bool quiet;   /* no notes */
	bool verbose; /* all partial messages */
};

/* One message; its further lines follow as they are. */
void messages_print(const struct messages *m, const char *text);
/* A diag_fn: arg is the struct messages_diag. */
struct messages_diag {
	const struct messages *messages;
	uint64_t partial;
};
void messages_diag_fn(void *arg, enum diag_kind kind, const char *message);
/* How many were held back, and how many things could not be read; nothing if there is none. */
void messages_summary(const struct messages_diag *d);

#endif
