/* SPDX-License-Identifier: MIT */
#include "windows/symbols/mktable.h"

#include <stdio.h>

#include "windows/symbols/kernel_versions.h"

struct release {
	unsigned build;
	const char *name;
};

static const struct release releases[] = {
	{ 7601, "7 SP1, Server 2008 R2 SP1" },
	{ 9200, "8, Server 2012" },
	{ 9600, "8.1, Server 2012 R2" },
	{ 10240, "10 1507" },
	{ 10586, "10 1511" },
	{ 14393, "10 1607, Server 2016" },
	{ 15063, "10 1703" },
	{ 16299, "10 1709" },
	{ 17134, "10 1803" },
	{ 17763, "10 1809, Server 2019" },
	{ 18362, "10 1903" },
	{ 18363, "10 1909" },
	{ 19041, "10 2004" },
	{ 19042, "10 20H2" },
	{ 19043, "10 21H1" },
	{ 19044, "10 21H2" },
	{ 19045, "10 22H2" },
	{ 20348, "Server 2022" },
	{ 22000, "11 21H2" },
	{ 22621, "11 22H2" },
	{ 22631, "11 23H2" },
	{ 26100, "11 24H2, Server 2025" },
	{ 26200, "11 25H2" },
};

static const char *release_name(unsigned build)
{
	for (size_t i = 0; i < ARRAY_SIZE(releases); i++)
		if (releases[i].build == build)
			return releases[i].name;
	return "";
}

/* Kernels of the build whose very symbols are known, and their revisions. */
static void print_exact(unsigned build)
{
	unsigned count = 0, first = UINT16_MAX, last = 0;

	for (size_t i = 0; i < builtin_num_kernels(); i++) {
		const struct builtin_kernel *k = builtin_kernel_at(i);

		if (k->build != build)
			continue;
		count++;
		first = k->revision < first ? k->revision : first;
		last = k->revision > last ? k->revision : last;
	}
	if (count > 1)
		printf(" %u (%u to %u) |", count, first, last);
	else if (count == 1)
		printf(" 1 (%u) |", first);
	else
		printf(" - |");
}

static void print_versions(unsigned build)
{
	unsigned count = 0, la57 = 0;

	for (size_t i = 0; i < kernel_versions_count(); i++) {
		const struct kernel_version_row *row = kernel_versions_at(i);

		count += row->build == build && !row->la57;
		la57 += row->build == build && row->la57;
	}
	if (la57)
		printf(" %u and %u for LA57 |", count, la57);
	else if (count)
		printf(" %u |", count);
	else
		printf(" - |");
}

static bool has_la57(unsigned build)
{
	const struct builtin_kernel *k = builtin_nearest_la57(build);

	return k && k->build == build;
}

void print_markdown(void)
{
	printf("| build | Windows | kernels known by GUID (revisions) | fields by build, as in | "
	       "LA57 | kernels told by time stamp |\n"
	       "| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < builtin_num_builds(); i++) {
		const struct builtin_kernel *k = builtin_build_at(i);

		printf("| %u | %s |", k->build, release_name(k->build));
		print_exact(k->build);
		printf(" %zu, %u.%u.%u.%u | %s |", builtin_num_fields(k), k->major, k->minor,
		       k->build, k->revision, has_la57(k->build) ? "yes" : "-");
		print_versions(k->build);
		printf("\n");
	}
}
