/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_BUGCHECK_H
#define WINDOWS_BUGCHECK_H

#include "formats/format.h"

/*
 * Bug checks by number: names, and what their parameters mean. Data only; windows/crash/analyze.h
 * puts it together with a snapshot. All strings are static.
 */

/* Small dumps mark some codes with this bit: what they mean is what the code without it means. */
#define BUGCHECK_SMALL_DUMP UINT32_C(0x10000000)
uint32_t bugcheck_plain_code(uint32_t code);

/* What kind of value a parameter is. */
enum bugcheck_kind {
	BUGCHECK_UNKNOWN, /* not documented */
	BUGCHECK_NUMBER,
	BUGCHECK_ADDRESS,	 /* of data */
	BUGCHECK_CODE,		 /* of an instruction or a routine: names the module at fault */
	BUGCHECK_PROCESS,	 /* EPROCESS */
	BUGCHECK_THREAD,	 /* ETHREAD */
	BUGCHECK_EXCEPTION,	 /* EXCEPTION_RECORD64 */
	BUGCHECK_CONTEXT,	 /* CONTEXT */
	BUGCHECK_STATUS,	 /* NTSTATUS */
	BUGCHECK_EXCEPTION_CODE, /* the same, of an exception */
	BUGCHECK_TAG,		 /* pool tag */
	/* those that bugcheck_word() knows */
	BUGCHECK_IRQL,
	BUGCHECK_ACCESS,     /* as the processor's error code or ExceptionInformation has it */
	BUGCHECK_ACCESS_50,  /* of bug check 0x50, in old and new builds */
	BUGCHECK_FAULT_50,   /* type of page fault, of the same */
	BUGCHECK_TRAP,	     /* exception vector */
	BUGCHECK_FAST_FAIL,  /* code of a fast fail */
	BUGCHECK_ENDED,	     /* 0xef */
	BUGCHECK_OBJECT_F4,  /* 0xf4 */
	BUGCHECK_REGION_109, /* 0x109 */
	BUGCHECK_VIOLATION,  /* the parameter that layouts are chosen by */
};

struct bugcheck_parameter {
	const char *meaning; /* NULL: not documented */
	enum bugcheck_kind kind;
};

struct bugcheck_layout {
	uint32_t code;
	unsigned selector; /* the parameter, from 1, whose value this is for; 0: any value */
	uint64_t value;
	const char *cause; /* what happened, in a few words; NULL: as in the layout for any value */
	struct bugcheck_parameter parameters[MAX_BUGCHECK_PARAMETERS];
};

/* Of each code the layouts for single values, then the one for any. */
extern const struct bugcheck_layout bugcheck_layouts[];
extern const size_t num_bugcheck_layouts;

/* "IRQL_NOT_LESS_OR_EQUAL"; NULL: not documented. */
const char *bugcheck_name(uint32_t code);
/* The layout of a bug check with these parameters; NULL: its parameters are not in the table. */
const struct bugcheck_layout *bugcheck_layout(const struct bugcheck *b);
/* The one that is for any value of the parameters. */
const struct bugcheck_layout *bugcheck_layout_any(uint32_t code);
/* What a value of this kind means: "DISPATCH_LEVEL", "write"; NULL: the kind has no such words. */
const char *bugcheck_word(enum bugcheck_kind kind, uint64_t value);

#endif
