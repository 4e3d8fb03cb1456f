/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PROCESS_PRIVATE_H
#define WINDOWS_PROCESS_PRIVATE_H

#include "base/u64_set.h"
#include "windows/objects/dispatcher.h"
#include "windows/objects/handle_table.h"
#include "windows/process/process.h"
#include "windows/process/user_process.h"

/* What the sources of processes share: reading one object into a row. */

/* What reading one process needs, bound once per listing. */
struct process_reader {
	struct kernel *k;
	struct process_list *list;
	size_t capacity;
	enum process_detail detail;
	struct user_reader user;
	struct field fields[process_num_fields];
	struct field handle_fields[handle_num_fields];
	uint32_t handle_entry_size;
	struct u64_set seen; /* EPROCESS addresses in list */
	uint64_t dropped;    /* processes that were too many */
	/* Command lines that lie in absent pages: one line for all of them. */
	size_t absent_command_lines;
	struct fault first_absent;
};

/* Empties the list and binds. To be ended also on failure; on failure the list is empty again. */
MUST_CHECK struct error *process_reader_begin(struct process_reader *r, struct kernel *k,
					      enum process_detail detail,
					      struct process_list *list);
/* Reports what all rows lack. Takes the error of the listing and gives it back. */
MUST_CHECK struct error *process_reader_end(struct process_reader *r, struct error *err);

/* The process object that p->eprocess or, where that is 0, p->source and p->pool tell of; o: where
 * its bytes are. What is no process is reported and left out; what is in the list already, too. */
MUST_CHECK struct error *process_add_object(struct process_reader *r, struct object *o,
					    const struct process *p);
MUST_CHECK struct error *process_add(struct process_reader *r, uint64_t eprocess,
				     const char *source);
/* What lies outside of the EPROCESS: handles, session, paths, command line. */
MUST_CHECK struct error *process_read_details(struct process_reader *r, struct object *o,
					      struct process *p);
/* The processes of the pools, then those of listed that the pools have not. Not for triage dumps.
 */
MUST_CHECK struct error *process_scan_into(struct process_reader *r,
					   const struct process_list *listed);
/* The ring of PsActiveProcessHead, completed by the processors where it is broken; on triage
 * dumps their process. */
MUST_CHECK struct error *process_add_listed(struct process_reader *r);

#endif
