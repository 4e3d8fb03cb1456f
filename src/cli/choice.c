/* SPDX-License-Identifier: MIT */
#include "cli/choice.h"

#include <string.h>
#include <unistd.h>

/* What other tools call it; after "windows." there as well. */
static const struct {
	const char *name, *ours;
} foreign_names[] = {
	{ "pslist", "ps" },
	{ "pstree", "ps --tree" },
	{ "psscan", "ps --scan" },
	{ "psxview", "ps --crossview" },
	{ "cmdline", "ps --columns pid,name,command_line" },
	{ "imageinfo", "info" },
	{ "lsmod", "modules" },
	{ "modscan", "modules --scan" },
	{ "unloadedmodules", "modules --unloaded" },
	{ "driverscan", "drivers --scan" },
	{ "devicetree", "devices --tree" },
	{ "filescan", "files --scan" },
	{ "dlllist", "dlls" },
	{ "vadinfo", "vads" },
	{ "memmap", "maps" },
	{ "getsids", "tokens --groups" },
	{ "privileges", "tokens --privileges" },
	{ "privs", "tokens --privileges" },
	{ "hivelist", "registry hives" },
	{ "hivescan", "registry hives --scan" },
	{ "timeliner", "timeline" },
	{ "printkey", "registry values" },
	{ "memdump", "dump" },
	{ "dumpfiles", "dump --file" },
	{ "xxd", "read" },
	{ "hexdump", "read" },
	{ "dt", "type" },
	{ "thrdscan", "threads --scan" },
	{ "lm", "modules" },
	{ "lmi", "pe" },
};

static const char *foreign_name(const char *name)
{
	static const char prefix[] = "windows.";

	if (strncmp(name, prefix, strlen(prefix)) == 0)
		name += strlen(prefix);
	for (size_t i = 0; i < ARRAY_SIZE(foreign_names); i++) {
		if (strcmp(foreign_names[i].name, name) == 0)
			return foreign_names[i].ours;
	}
	return NULL;
}

struct error *choice_unknown(const char *name)
{
	const char *foreign = foreign_name(name);
	const struct command *like = foreign ? NULL : command_suggest(name);

	if (!*name)
		return error_new(ERROR_USAGE, "the name of a command is missing");
	if (foreign || like)
		return error_new(ERROR_USAGE, "unknown command '%s'; did you mean '%s'?", name,
				 foreign ? foreign : like->name);
	if (access(name, F_OK) == 0)
		return error_new(ERROR_USAGE,
				 "unknown command '%s'; the snapshot comes after the command: "
				 "'ntscope info %s'",
				 name, name);
	return error_new(ERROR_USAGE, "unknown command '%s'", name);
}

static struct error *add(struct choice *c, const struct command *command)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->items[i] == command)
			return error_new(ERROR_USAGE, "command '%s' is there twice", command->name);
	}
	if (c->count == MAX_CHOSEN)
		return error_new(ERROR_USAGE, "more than %d commands", MAX_CHOSEN);
	c->items[c->count++] = command;
	return NULL;
}

/* "ps", "registry keys". */
static struct error *add_name(struct choice *c, struct arena *a, const char *name)
{
	enum { MAX_WORDS = 4 };
	const char *words[MAX_WORDS];
	size_t count = 0, used;
	char *copy = arena_strdup(a, name), *rest = NULL, *word;
	const struct command *command;

	if (!copy)
		return &error_no_memory;
	for (word = strtok_r(copy, " ", &rest); word && count < MAX_WORDS;
	     word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	command = command_find(words, count, &used);
	if (command && used < count && words[used][0] == '-')
		return error_new(ERROR_USAGE,
				 "'%s': only the name of a command; '%s' stands by itself on the "
				 "command line",
				 name, words[used]);
	if (!command || used != count || word)
		return choice_unknown(name);
	return add(c, command);
}

struct error *choice_add_list(struct choice *c, struct arena *a, const char *list)
{
	struct error *err = NULL;

	while (!err) {
		size_t len = strcspn(list, ",");
		const char *name = arena_strndup(a, list, len);

		err = name ? add_name(c, a, name) : &error_no_memory;
		if (!list[len])
			break;
		list += len + 1;
	}
	return err;
}

struct error *choice_add_words(struct choice *c, struct arena *a, const char *const *words,
			       size_t count, size_t *used_ret)
{
	const struct command *command;
	const char *two;

	*used_ret = 1;
	if (strchr(words[0], ','))
		return choice_add_list(c, a, words[0]);
	command = command_find(words, count, used_ret);
	if (command)
		return add(c, command);
	/* "registry kesy" */
	two = count > 1 ? arena_printf(a, "%s %s", words[0], words[1]) : NULL;
	return choice_unknown(two && command_suggest(two) ? two : words[0]);
}

/* Adds the rows of one of them that are not there yet. */
static struct error *add_options(const struct command *command, struct option_row *rows,
				 size_t *count)
{
	for (size_t i = 0; i < command->num_options; i++) {
		const struct option_row *row = &command->options[i];
		size_t k = 0;

		while (k < *count && strcmp(rows[k].name, row->name) != 0)
			k++;
		if (k == *count)
			rows[(*count)++] = *row;
		else if (rows[k].kind != row->kind)
			return error_new(ERROR_USAGE,
					 "'%s' and another command differ in what --%s is: run "
					 "them apart",
					 command->name, row->name);
	}
	return NULL;
}

struct error *choice_options(const struct choice *c, struct arena *a, struct option_table *ret)
{
	struct option_row *rows;
	struct error *err;
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++)
		count += c->items[i]->num_options;
	rows = arena_calloc(a, count + 1, sizeof(*rows));
	if (!rows)
		return &error_no_memory;
	count = 0;
	for (size_t i = 0; i < c->count; i++) {
		if ((err = add_options(c->items[i], rows, &count)) != NULL)
			return err;
	}
	*ret = (struct option_table){ rows, count };
	return NULL;
}
