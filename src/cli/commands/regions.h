/* SPDX-License-Identifier: MIT */
#ifndef CLI_REGIONS_H
#define CLI_REGIONS_H

#include "cli/processes.h"
#include "windows/objects/object_manager.h"
#include "windows/regions/vad.h"

/* What the commands that show regions of processes share. */
struct region_reader {
	struct vad_reader vads;
	struct object_manager *objects;
	/* names of files that are absent */
	uint64_t absent_names;
	struct fault first_absent;
};

MUST_CHECK struct error *region_reader_init(struct kernel *k, struct region_reader *ret);
/* Says how many names were absent, as partial. */
void region_reader_deinit(struct region_reader *r, struct diag *diag);
/* The regions of the process; what is lost goes to the diag of the run. */
MUST_CHECK struct error *region_list_read(struct command_run *run, const struct vad_reader *r,
					  const struct process_visit *visit, struct vad_list *ret);
/* The file that is mapped there; NULL: none, or its name is absent. */
const char *region_file(struct region_reader *r, const struct vad *vad, struct arena *a);

#endif
