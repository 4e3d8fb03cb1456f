/* SPDX-License-Identifier: MIT */
#include "ntscope.h"

#include <string.h>

#include "cli/command.h"
#include "cli/version.h"

/* The public names of commands, columns and options are the rows of the program's own tables. */
#define SAME_VALUE(public, internal) \
	_Static_assert((int)(public) == (int)(internal), #public " differs from " #internal)

SAME_VALUE(NTS_U64, CELL_U64);
SAME_VALUE(NTS_I64, CELL_I64);
SAME_VALUE(NTS_ADDRESS, CELL_ADDR);
SAME_VALUE(NTS_TEXT, CELL_STR);
SAME_VALUE(NTS_TIME, CELL_TIME);
SAME_VALUE(NTS_BOOL, CELL_BOOL);
SAME_VALUE(NTS_ADDRESSES, CELL_ADDRS);
SAME_VALUE(NTS_BYTES, CELL_BYTES);
SAME_VALUE(NTS_TEXTS, CELL_STRS);
SAME_VALUE(NTS_EXPLAINED, CELL_EXPLAINED);
SAME_VALUE(NTS_OPTION_FLAG, OPTION_FLAG);
SAME_VALUE(NTS_OPTION_TEXT, OPTION_STRING);
SAME_VALUE(NTS_OPTION_NUMBER, OPTION_U64);
SAME_VALUE(NTS_OPTION_ADDRESS, OPTION_ADDRESS);
SAME_VALUE(NTS_OPTION_SIZE, OPTION_SIZE);
SAME_VALUE(NTS_OPTION_LIST, OPTION_LIST);

unsigned nts_interface(void)
{
	return NTS_INTERFACE;
}

const char *nts_version(void)
{
	return NTSCOPE_VERSION;
}

const char *nts_library(size_t index, const char **version_ret)
{
	const struct version_library *library = &version_libraries[index];

	if (index >= num_version_libraries)
		return NULL;
	*version_ret = library->version ? library->version() : NULL;
	return library->name;
}

static const struct command *internal(const struct nts_command *c)
{
	return (const struct command *)c;
}

static const struct column *internal_column(const struct nts_column *c)
{
	return (const struct column *)c;
}

static const struct option_row *internal_option(const struct nts_option *o)
{
	return (const struct option_row *)o;
}

const struct nts_command *nts_command(size_t index)
{
	return index < num_commands ? (const struct nts_command *)commands[index] : NULL;
}

const struct nts_command *nts_command_find(const char *name)
{
	for (size_t i = 0; name && i < num_commands; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return nts_command(i);
	}
	return NULL;
}

const char *nts_command_name(const struct nts_command *c)
{
	return internal(c)->name;
}

const char *nts_command_summary(const struct nts_command *c)
{
	return internal(c)->summary;
}

const char *nts_command_description(const struct nts_command *c)
{
	return internal(c)->description;
}

const char *nts_command_arguments(const struct nts_command *c)
{
	return internal(c)->arguments;
}

int nts_command_takes_snapshot(const struct nts_command *c)
{
	return !(internal(c)->flags & COMMAND_NO_SNAPSHOT);
}

int nts_command_one_object(const struct nts_command *c)
{
	return (internal(c)->flags & COMMAND_ONE_OBJECT) != 0;
}

const struct nts_column *nts_command_column(const struct nts_command *c, size_t index)
{
	if (index >= internal(c)->num_columns)
		return NULL;
	return (const struct nts_column *)&internal(c)->columns[index];
}

const struct nts_option *nts_command_option(const struct nts_command *c, size_t index)
{
	const struct option_table table =
		c ? (struct option_table){ internal(c)->options, internal(c)->num_options }
		  : common_options;

	return index < table.count ? (const struct nts_option *)&table.rows[index] : NULL;
}

const char *nts_column_key(const struct nts_column *c)
{
	return internal_column(c)->key;
}

const char *nts_column_help(const struct nts_column *c)
{
	return internal_column(c)->help;
}

enum nts_type nts_column_type(const struct nts_column *c)
{
	return (enum nts_type)internal_column(c)->type;
}

int nts_column_asked(const struct nts_column *c)
{
	return (internal_column(c)->flags & COL_ASKED) != 0;
}

const char *nts_option_name(const struct nts_option *o)
{
	return internal_option(o)->name;
}

enum nts_option_kind nts_option_kind(const struct nts_option *o)
{
	return (enum nts_option_kind)internal_option(o)->kind;
}

const char *nts_option_help(const struct nts_option *o)
{
	return internal_option(o)->help;
}
