/* SPDX-License-Identifier: MIT */
#include "cli/names.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

const char names_kernel_module[] = "nt";

const char *names_without_module(const char *word)
{
	size_t len = strlen(names_kernel_module);

	if (strncasecmp(word, names_kernel_module, len) == 0 && word[len] == '!')
		return word + len + 1;
	return word;
}

bool names_is_pattern(const char *word)
{
	return strpbrk(word, "*?");
}

bool names_match(const char *pattern, const char *name)
{
	if (names_is_pattern(pattern))
		return fnmatch(pattern, name, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
	return strcasestr(name, pattern);
}

bool names_equal(const char *pattern, const char *name)
{
	if (!name)
		return false;
	return names_is_pattern(pattern) ? names_match(pattern, name)
					 : strcasecmp(pattern, name) == 0;
}
