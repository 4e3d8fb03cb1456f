/* SPDX-License-Identifier: MIT */
#include "cli/timeline/formats.h"

#include <inttypes.h>
#include <string.h>

#include "base/filetime.h"
#include "output/cell_text.h"

/* What is left of the message would end the field, or be taken for an escape. */
static void put_name(FILE *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '|' || *name == '%')
			fprintf(out, "%%%02X", (unsigned char)*name);
		else
			putc(*name, out);
	}
}

struct error *body_put_event(FILE *out, struct arena *scratch, const struct event *e,
			     bool *fits_ret)
{
	static const char fields[] = "amcb"; /* atime, mtime, ctime, crtime */
	const char *message = event_message(scratch, e);
	uint64_t seconds;

	*fits_ret = e->time >= FILETIME_OF_1970;
	if (!*fits_ret)
		return NULL;
	if (!message || !(message = text_show(scratch, message)))
		return &error_no_memory;
	seconds = (e->time - FILETIME_OF_1970) / FILETIME_SECOND;
	fputs("0|", out);
	put_name(out, message);
	fprintf(out, "|%" PRIu64 "|0|0|0|0", e->object.present ? e->object.value : 0);
	for (size_t i = 0; fields[i]; i++)
		fprintf(out, "|%" PRIu64,
			fields[i] == timeline_kinds[e->kind].meaning ? seconds : 0);
	putc('\n', out);
	return NULL;
}
