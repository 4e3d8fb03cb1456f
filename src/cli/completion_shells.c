/* SPDX-License-Identifier: MIT */
#include "cli/completion.h"

#include "base/compiler.h"

/*
 * Bash takes "--format=json" apart at '=', and wants only what stands behind it. Without a
 * candidate it completes names of files by itself (-o default).
 */
static const char bash_script[] =
	"# bash completion for ntscope\n"
	"_ntscope()\n"
	"{\n"
	"	local -a words=()\n"
	"	local i word line before=\n"
	"	for ((i = 1; i <= COMP_CWORD; i++)); do\n"
	"		word=${COMP_WORDS[i]}\n"
	"		if ((${#words[@]})) && [[ ${words[-1]} == --* &&\n"
	"			($word == \"=\" || ${COMP_WORDS[i - 1]} == \"=\") ]]; then\n"
	"			words[-1]+=$word\n"
	"		else\n"
	"			words+=(\"$word\")\n"
	"		fi\n"
	"	done\n"
	"	[[ ${words[-1]} == --*=* ]] && before=${words[-1]%%=*}=\n"
	"	COMPREPLY=()\n"
	"	while IFS= read -r line; do\n"
	"		case $line in\n"
	"		:nospace) compopt -o nospace ;;\n"
	"		:*) ;;\n"
	"		*)\n"
	"			word=${line%%$'\\t'*}\n"
	"			COMPREPLY+=(\"${word#\"$before\"}\")\n"
	"			;;\n"
	"		esac\n"
	"	done < <(command ntscope completion candidates -- \"${words[@]}\" 2>/dev/null)\n"
	"}\n"
	"complete -o default -F _ntscope ntscope\n";

static const char zsh_script[] =
	"#compdef ntscope\n"
	"# zsh completion for ntscope\n"
	"_ntscope()\n"
	"{\n"
	"	local -a lines candidates nospace\n"
	"	local line word files=\n"
	"	lines=(\"${(@f)$(command ntscope completion candidates -- \\\n"
	"		\"${(@Q)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
	"	for line in $lines; do\n"
	"		case $line in\n"
	"		:files) files=1 ;;\n"
	"		:nospace) nospace=(-S '') ;;\n"
	"		*)\n"
	"			word=${line%%$'\\t'*}\n"
	"			candidates+=(\"${word//:/\\\\:}:${line#*$'\\t'}\")\n"
	"			;;\n"
	"		esac\n"
	"	done\n"
	"	(($#candidates)) && _describe 'ntscope' candidates $nospace\n"
	"	if [[ -n $files ]]; then\n"
	"		compset -P '--*='\n"
	"		_files\n"
	"	fi\n"
	"}\n"
	"if [[ $funcstack[1] == _ntscope ]]; then\n"
	"	_ntscope \"$@\"\n"
	"else\n"
	"	compdef _ntscope ntscope\n"
	"fi\n";

static const char fish_script[] = "# fish completion for ntscope\n"
				  "function __ntscope_candidates\n"
				  "	set -l before (commandline -opc)\n"
				  "	set -l current (commandline -ct)\n"
				  "	for line in (command ntscope completion candidates -- "
				  "$before[2..-1] \"$current\" 2>/dev/null)\n"
				  "		switch $line\n"
				  "			case :files\n"
				  "				__fish_complete_path (string "
				  "replace -r '^--[^=]*=' '' -- \"$current\")\n"
				  "			case ':*'\n"
				  "			case '*'\n"
				  "				echo -- $line\n"
				  "		end\n"
				  "	end\n"
				  "end\n"
				  "complete -c ntscope -f -a '(__ntscope_candidates)'\n";

const struct completion_shell completion_shells[] = {
	{ "bash", bash_script },
	{ "zsh", zsh_script },
	{ "fish", fish_script },
};
const size_t num_completion_shells = ARRAY_SIZE(completion_shells);
