/* SPDX-License-Identifier: MIT */
#ifndef CLI_CMD_REGISTRY_H
#define CLI_CMD_REGISTRY_H

#include "cli/command.h"
#include "windows/registry/registry.h"
#include "windows/registry/walk.h"

/* What the registry commands share: which keys they mean. */

#define REGISTRY_PATH_TEXT                                                                         \
	"PATH is \\REGISTRY\\MACHINE\\..., or begins with HKLM, HKU, HKCR or HKCC (or their long " \
	"names); case does not matter. Symbolic links are followed, and CurrentControlSet is "     \
	"the control set that Select\\Current names. A hive's address may stand for its path: "    \
	"0xffff9a2088917000\\ControlSet001."

/* A key that a command looks at. Strings live until fn returns. */
struct registry_key_visit {
	const struct registry_key *key;
	const char *path;
	unsigned depth;	     /* levels below the key asked for */
	struct arena *arena; /* emptied after each key */
};
typedef struct error *registry_key_fn(struct command_run *run,
				      const struct registry_key_visit *visit);

/*
 * Calls fn for the key that the command's argument names, or for the root key of every hive, and
 * for the keys down to max_depth levels below, through hives that are mounted there, until the
 * sink is full.
 */
MUST_CHECK struct error *each_registry_key(struct command_run *run, unsigned max_depth,
					   registry_key_fn *fn);

#endif
