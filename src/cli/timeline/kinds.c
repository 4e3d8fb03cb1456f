/* SPDX-License-Identifier: MIT */
#include "cli/timeline/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

const struct timeline_kind_row timeline_kinds[NUM_TIMELINE_KINDS] = {
	[TIMELINE_LINK] = { "link", "image linked", 'b', false },
	[TIMELINE_BOOT] = { "boot", "machine started", 'b', false },
	[TIMELINE_SESSION_START] = { "session_start", "session began", 'b', false },
	[TIMELINE_PROCESS_START] = { "process_start", "process started", 'b', false },
	[TIMELINE_THREAD_START] = { "thread_start", "thread started", 'b', false },
	[TIMELINE_DLL_LOAD] = { "dll_load", "module loaded", 'a', false },
	[TIMELINE_SYMLINK_CREATE] = { "symlink_create", "symbolic link created", 'b', false },
	[TIMELINE_REGISTRY_WRITE] = { "registry_write", "registry key written", 'm', false },
	[TIMELINE_DRIVER_UNLOAD] = { "driver_unload", "driver unloaded", 'm', false },
	[TIMELINE_THREAD_EXIT] = { "thread_exit", "thread ended", 'm', false },
	[TIMELINE_PROCESS_EXIT] = { "process_exit", "process ended", 'm', false },
	[TIMELINE_BUGCHECK] = { "bugcheck", "machine crashed", 'm', false },
	[TIMELINE_CAPTURE] = { "capture", "memory captured", 'a', false },
	[TIMELINE_TIMER_DUE] = { "timer_due", "timer due", 'c', true },
	[TIMELINE_TOKEN_EXPIRY] = { "token_expiry", "token expires", 'c', true },
};

static struct error *find_kind(const char *name, size_t len, size_t *ret)
{
	struct nearest nearest = { .asked = NULL };
	struct error *err;
	const char *best;
	char *copy;

	for (size_t i = 0; i < NUM_TIMELINE_KINDS; i++) {
		if (strlen(timeline_kinds[i].name) == len &&
		    memcmp(timeline_kinds[i].name, name, len) == 0) {
			*ret = i;
			return NULL;
		}
	}
	copy = strndup(name, len);
	if (!copy)
		return &error_no_memory;
	nearest.asked = copy;
	for (size_t i = 0; i < NUM_TIMELINE_KINDS; i++)
		nearest_offer(&nearest, timeline_kinds[i].name);
	best = nearest_best(&nearest);
	err = error_new(ERROR_USAGE, "option '--kinds': unknown kind '%s'; %s%s%s", copy,
			best ? "did you mean '" : "known are " TIMELINE_KIND_NAMES,
			best ? best : "", best ? "'?" : "");
	free(copy);
	return err;
}

struct error *timeline_kinds_parse(const char *list, bool ret[NUM_TIMELINE_KINDS])
{
	struct error *err;
	size_t kind = 0;

	for (size_t i = 0; i < NUM_TIMELINE_KINDS; i++)
		ret[i] = !list;
	while (list) {
		size_t len = strcspn(list, ",");

		if ((err = find_kind(list, len, &kind)))
			return err;
		ret[kind] = true;
		list = list[len] ? list + len + 1 : NULL;
	}
	return NULL;
}
