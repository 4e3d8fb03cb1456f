/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/commands.h"
#include "cli/completion.h"

static struct error *completion_run(struct command_run *run)
{
	const char *what = run->args[0];

	run->wrote_raw = true;
	if (strcmp(what, "candidates") == 0) {
		completion_candidates(run->out, run->arena, run->args + 1, run->num_args - 1);
		return NULL;
	}
	for (size_t i = 0; i < num_completion_shells; i++) {
		if (strcmp(completion_shells[i].name, what) == 0 && run->num_args == 1) {
			fputs(completion_shells[i].script, run->out);
			return NULL;
		}
	}
	if (run->num_args > 1)
		return error_new(ERROR_USAGE, "completion: '%s' is one argument too many",
				 run->args[1]);
	return error_new(ERROR_USAGE, "completion: '%s' is not bash, zsh or fish", what);
}

const struct command cmd_completion = {
	.name = "completion",
	.summary = "print what makes a shell complete command lines",
	.arguments = "bash|zsh|fish",
	.min_args = 1,
	.max_args = UINT32_MAX,
	.description =
		"An installed ntscope brings these scripts along, where the shells look for them. "
		"Else, for one shell: in bash  source <(ntscope completion bash)  in zsh, after "
		"compinit,  source <(ntscope completion zsh)  in fish  ntscope completion fish | "
		"source.\n\n"
		"The scripts ask the program itself at each TAB: 'completion candidates -- "
		"WORD...' "
		"prints what the last WORD may become, one a line with a tab and what it is.",
	.example = "ntscope completion bash > ~/.local/share/bash-completion/completions/ntscope",
	.flags = COMMAND_NO_SNAPSHOT | COMMAND_RAW_OUTPUT,
	.run = completion_run,
};
