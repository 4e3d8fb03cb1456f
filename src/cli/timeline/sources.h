/* SPDX-License-Identifier: MIT */
#ifndef CLI_TIMELINE_SOURCES_H
#define CLI_TIMELINE_SOURCES_H

#include "cli/command.h"
#include "cli/timeline/events.h"

/*
 * Commands whose rows have times, and which column says what. A new column of type CELL_TIME gets
 * its line here.
 */
struct timeline_time {
	const char *column; /* CELL_TIME, or CELL_ADDR: seconds since 1970 (TimeDateStamp) */
	enum timeline_kind kind;
	const char *detail; /* column; NULL: none */
	bool of_file;	    /* of the image's file: once, whatever processes have it */
};

enum { MAX_SOURCE_TIMES = 2 };
struct timeline_source {
	const struct command *command;
	const char *flag;    /* an option that is set; NULL: none */
	bool scans;	     /* --scan is passed on */
	bool names_process;  /* its rows say what a process is called: object and subject */
	const char *subject; /* columns, as the rest; NULL: none */
	const char *path, *pid, *tid, *object;
	const char *process; /* EPROCESS of a row that does not name its process */
	const char *base;    /* of an image in the kernel's space: to tell what its stamp is */
	struct timeline_time times[MAX_SOURCE_TIMES]; /* up to one without a column */
};

extern const struct timeline_source timeline_sources[];
extern const size_t num_timeline_sources;

/*
 * Runs those that may have what the list's filter wants and adds their events. A source that fails
 * is said, and the others go on; just --pid for a process that is not there is an error.
 */
MUST_CHECK struct error *timeline_read_sources(struct command_run *run, struct event_list *events);

/* What the snapshot itself and the kernel's clock say: start, crash and capture. */
MUST_CHECK struct error *timeline_read_snapshot(const struct command_run *run,
						struct event_list *events);
/* The clock at the capture: the kernel's, else the header's; 0: neither has one. */
uint64_t timeline_now(const struct command_run *run);

#endif
