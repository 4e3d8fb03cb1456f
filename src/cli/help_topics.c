/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include "base/compiler.h"

/* What 'ntscope help TOPIC' says; the manual page has the same words. */
const struct help_topic help_topics[] = {
	{ "conditions", "which rows --where chooses, and in which order --sort puts them",
	  "A condition is COLUMN, an operator and a value, without spaces around the operator. "
	  "Quote it, as the shell has its own use for < and >. --where may be repeated: all "
	  "conditions must hold.\n\n"
	  "  =  !=          the same, or not; - is an absent value\n"
	  "  <  <=  >  >=   numbers, addresses, times\n"
	  "  ~  !~          an extended regular expression is found in the text, or not\n\n"
	  "Numbers are decimal or 0x..., addresses are hexadecimal. Times are compared with as "
	  "much "
	  "of 2024-05-01T10:20:30 as is given. Text is compared without regard to case. Of a list, "
	  "one item that fits is enough. The columns are those of 'ntscope COMMAND --columns "
	  "help', "
	  "shown or not.\n\n"
	  "  ntscope ps --where 'name~^svchost' --where exit_time=- memory.raw\n"
	  "  ntscope ps --where 'create_time>=2024-05-01T10' --sort -create_time memory.raw\n\n"
	  "--sort takes columns, the first one first; -COLUMN is descending. Absent values come "
	  "last. --limit counts the rows that meet the conditions, in that order." },
	{ "output", "formats of rows, exit status, and what terminals get",
	  "Rows go to standard output; notes, warnings and progress to standard error. --format "
	  "json is one array of objects (one object for info and the like), jsonl one object a "
	  "line, csv a header and rows. Several commands (ntscope ps,modules memory.raw) make one "
	  "object with a member per command, or begin each line of jsonl with \"command\"; csv "
	  "holds one.\n\n"
	  "Addresses are \"0x...\" strings in JSON, sizes and ids numbers, times ISO 8601 in UTC, "
	  "absent values null; in text an absent value is a dash.\n\n"
	  "On a terminal, tables of text fit its width: columns that do not fit are cut, which an "
	  "ellipsis shows, or left out, the least important first; --wide shows all. Colors help "
	  "the eye and never say what words do not. Into a pipe or a file text goes whole and "
	  "plain.\n\n"
	  "Exit status: 0 everything was read; 1 failed; 2 the command line is wrong; 3 partial: "
	  "something that should be there could not be read, and standard error says what." },
	{ "environment", "the variables that matter",
	  "  NO_COLOR           not empty: no colors, unless --color says so\n"
	  "  CLICOLOR_FORCE     not empty and not 0: colors also into pipes\n"
	  "  CLICOLOR           0: no colors\n"
	  "  TERM               dumb: no colors\n"
	  "  COLUMNS            width of the terminal, instead of what it says itself\n"
	  "  TMPDIR             where snapshots are unpacked if they must be (default /tmp)\n"
	  "  XDG_CACHE_HOME     its ntscope/symbols is the symbol store, ntscope/snapshots\n"
	  "                     what searches for kernels met (default ~/.cache)" },
};
const size_t num_help_topics = ARRAY_SIZE(help_topics);
