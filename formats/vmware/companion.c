/* SPDX-License-Identifier: MIT */
#include "formats/vmware/companion.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SUFFIX_LENGTH = VMWARE_SUFFIX_SIZE - 1 };

static const char *const suffixes[] = { ".vmem", ".vmss", ".vmsn" };

/* The last of them in the file's name that ends it or that a dot follows; NULL: none. */
static const char *find_suffix(const char *path)
{
	const char *slash = strrchr(path, '/'), *found = NULL;

	for (const char *at = slash ? slash : path; (at = strchr(at, '.')); at++) {
		for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
			if (!strncasecmp(at, suffixes[i], SUFFIX_LENGTH) &&
			    (!at[SUFFIX_LENGTH] || at[SUFFIX_LENGTH] == '.'))
				found = at;
		}
	}
	return found;
}

bool vmware_suffix(const char *path, char ret[VMWARE_SUFFIX_SIZE])
{
	const char *suffix = find_suffix(path);

	if (!suffix)
		return false;
	for (size_t i = 0; i < SUFFIX_LENGTH; i++)
		ret[i] = (char)tolower((unsigned char)suffix[i]);
	ret[SUFFIX_LENGTH] = '\0';
	return true;
}

struct error *vmware_companion(const char *path, const char *suffix, bool in_container, char **ret)
{
	size_t stem = (size_t)(find_suffix(path) - path);
	bool is_upper = isupper((unsigned char)path[stem + 1]);
	char *companion = in_container ? strdup(path) : strndup(path, stem + SUFFIX_LENGTH);

	if (!companion)
		return &error_no_memory;
	for (size_t i = 0; i < SUFFIX_LENGTH; i++)
		companion[stem + i] =
			(char)(is_upper ? toupper((unsigned char)suffix[i]) : suffix[i]);
	*ret = companion;
	return NULL;
}
