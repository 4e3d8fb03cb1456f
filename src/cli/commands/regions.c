/* SPDX-License-Identifier: MIT */
#include "cli/commands/regions.h"

#include <inttypes.h>
#include <stdio.h>

enum { PROCESS_TEXT_SIZE = 64 };

struct error *region_reader_init(struct kernel *k, struct region_reader *ret)
{
	struct error *err;

	*ret = (struct region_reader){ 0 };
	if ((err = vad_reader_init(k, &ret->vads)))
		return err;
	return object_manager_open(k, &ret->objects);
}

void region_reader_deinit(struct region_reader *r, struct diag *diag)
{
	if (r->absent_names)
		diag_partial(diag,
			     "names of mapped files that are absent: %" PRIu64 "; 0x%" PRIx64
			     ", the first, is %s",
			     r->absent_names, r->first_absent.va,
			     va_state_text(r->first_absent.state));
	object_manager_close(r->objects);
}

struct error *region_list_read(struct command_run *run, const struct vad_reader *r,
			       const struct process_visit *visit, struct vad_list *ret)
{
	const struct process *p = visit->process;
	char who[PROCESS_TEXT_SIZE];
	struct error *err;

	if (p->pid.present)
		snprintf(who, sizeof(who), "process %" PRIu64, p->pid.value);
	else
		snprintf(who, sizeof(who), "process at 0x%" PRIx64, p->eprocess);
	if ((err = vad_list_read(r, p->eprocess, ret)))
		return err;
	/* a small dump holds only a few of them: their number says enough */
	if (run->snapshot->mem)
		vad_list_report(ret, run->diag, who);
	else if (ret->num_breaks)
		diag_partial(run->diag,
			     "%s: nodes of its tree of regions that the triage dump lacks: %zu",
			     who, ret->num_breaks);
	return NULL;
}

const char *region_file(struct region_reader *r, const struct vad *vad, struct arena *a)
{
	struct fault fault = { 0 };
	const char *path;

	if (!vad->file_object.present)
		return NULL;
	path = object_file_path(r->objects, vad->file_object.value, a, &fault);
	if (!path && fault.va && !r->absent_names++)
		r->first_absent = fault;
	return path;
}
