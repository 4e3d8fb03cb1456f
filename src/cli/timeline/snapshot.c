/* SPDX-License-Identifier: MIT */
#include "cli/timeline/sources.h"

#include <inttypes.h>
#include <string.h>

#include "windows/crash/bugcheck.h"
#include "windows/kernel/kernel.h"

static const char from_header[] = "header", from_kernel[] = "kernel";

uint64_t timeline_now(const struct command_run *run)
{
	const struct dump_info *info = &run->snapshot->info;

	if (run->kernel && run->kernel->has_system_time)
		return run->kernel->system_time;
	return info->has_system_time ? info->system_time : 0;
}

static struct error *add(struct event_list *events, enum timeline_kind kind, uint64_t time,
			 const char *source, const char *detail)
{
	if (!time)
		return NULL;
	return events_add(events, &(struct event){
					  .kind = kind,
					  .time = time,
					  .source = source,
					  .detail = detail,
				  });
}

static struct error *read_kernel(const struct kernel *k, struct event_list *events)
{
	struct error *err = NULL;

	/* Where it was taken from the header, the header says it itself. */
	if (k->has_system_time &&
	    !(k->system_time_source && !strcmp(k->system_time_source, from_header)))
		err = add(events, TIMELINE_CAPTURE, k->system_time, from_kernel,
			  "the system's clock at its last tick");
	if (!err && k->has_boot_time)
		err = add(events, TIMELINE_BOOT, k->boot_time, from_kernel, NULL);
	return err;
}

static struct error *read_crash(const struct command_run *run, struct event_list *events)
{
	const struct dump_info *info = &run->snapshot->info;
	uint32_t code = info->bugcheck.code;
	const char *name = bugcheck_name(bugcheck_plain_code(code));
	struct event e = {
		.kind = TIMELINE_BUGCHECK,
		.time = info->system_time,
		.source = from_header,
		.subject = name,
		.detail = arena_printf(run->arena, "bug check 0x%" PRIx32, code),
	};

	return e.detail ? events_add(events, &e) : &error_no_memory;
}

struct error *timeline_read_snapshot(const struct command_run *run, struct event_list *events)
{
	const struct dump_info *info = &run->snapshot->info;
	struct error *err = NULL;

	if (run->kernel)
		err = read_kernel(run->kernel, events);
	if (err || !info->has_system_time || !info->system_time)
		return err;
	if ((err = add(events, TIMELINE_CAPTURE, info->system_time, from_header,
		       "as the file's header says")))
		return err;
	if (info->has_uptime && info->system_uptime < info->system_time &&
	    (err = add(events, TIMELINE_BOOT, info->system_time - info->system_uptime, from_header,
		       "as the file's header says")))
		return err;
	return info->has_bugcheck ? read_crash(run, events) : NULL;
}
