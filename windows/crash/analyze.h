/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_ANALYZE_H
#define WINDOWS_ANALYZE_H

#include "windows/crash/bugcheck.h"
#include "windows/crash/stamp.h"
#include "windows/modules/place.h"

/*
 * What a crash dump says of the crash: the bug check with its parameters explained, the exception
 * behind it, the code and the driver that they name, and the process that was running. Each is
 * there only where something in the snapshot says so.
 */
struct explained_parameter {
	uint64_t value;
	const char *meaning; /* static; NULL: not documented */
	const char *detail;  /* what this value says; NULL: no more than the number */
};

struct analysis {
	struct arena arena; /* owns the strings that are not static */
	struct place_book book;

	bool has_bugcheck;
	struct bugcheck bugcheck;
	const char *name;  /* NULL: not documented */
	const char *cause; /* in a few words; NULL: not in the table */
	struct explained_parameter parameters[MAX_BUGCHECK_PARAMETERS];

	bool has_exception; /* code and address; the rest if has_record */
	bool has_record;
	struct exception_record exception;
	const char *exception_name; /* of its code; NULL: none known */
	const char *exception_text; /* "STATUS_ACCESS_VIOLATION: read, address 0x0" */
	const char *exception_source;

	bool has_address; /* of the code at fault */
	uint64_t address;
	const char *address_source;
	const char *address_text; /* NULL: in no module */
	bool has_place;
	struct place place;    /* of the address */
	enum stamp_kind stamp; /* of the module's time stamp */
	const char *version;   /* of the module's file; NULL: not known */

	bool has_irql;
	uint64_t irql;
	const char *irql_source;

	bool has_process;
	uint64_t eprocess;
	bool has_pid;
	uint64_t pid;
	const char *process; /* its name; NULL: absent */
	const char *process_source;

	const char *bucket; /* the same for the same crash: name, kind, module and offset */
};

/* NO_MEMORY only, or what reading the module list fails with. The kernel must outlive it. */
MUST_CHECK struct error *analysis_read(struct kernel *k, struct analysis *ret);
void analysis_deinit(struct analysis *a); /* a zeroed one is fine */

#endif
