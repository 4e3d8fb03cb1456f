/* SPDX-License-Identifier: MIT */
#include "cli/version.h"

#include <jansson.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif
#ifdef HAVE_LZO
#include <lzo/lzoconf.h>
#endif
#ifdef HAVE_BZIP2
#include <bzlib.h>
#endif
#ifdef HAVE_SQLITE3
#include <sqlite3.h>
#endif

#include "base/compiler.h"

#ifdef HAVE_ZSTD
#define ZSTD ZSTD_versionString
#else
#define ZSTD NULL
#endif
#ifdef HAVE_LZO
#define LZO lzo_version_string
#else
#define LZO NULL
#endif
#ifdef HAVE_BZIP2
#define BZIP2 BZ2_bzlibVersion
#else
#define BZIP2 NULL
#endif
#ifdef HAVE_SQLITE3
#define SQLITE3 sqlite3_libversion
#else
#define SQLITE3 NULL
#endif

/* Which has no function that C can ask. */
#ifdef SNAPPY_VERSION
static const char *snappy_version(void)
{
	return SNAPPY_VERSION;
}
#define SNAPPY snappy_version
#else
#define SNAPPY NULL
#endif

#ifdef CAPSTONE_VERSION
/* cs_version() knows no more than the first two numbers. */
static const char *capstone_version(void)
{
	return CAPSTONE_VERSION;
}
#define CAPSTONE capstone_version
#else
#define CAPSTONE NULL
#endif

const struct version_library version_libraries[] = {
	{ "zlib", zlibVersion, NULL },
	{ "lz4", LZ4_versionString, NULL },
	{ "xz", lzma_version_string, NULL },
	{ "jansson", jansson_version_str, NULL },
	{ "zstd", ZSTD, "zstd pages and files" },
	{ "bzip2", BZIP2, "bzip2 files" },
	{ "snappy", SNAPPY, "snappy pages" },
	{ "lzo", LZO, "LZO pages" },
	{ "capstone", CAPSTONE, "disassembly, and the discovery of layouts" },
	{ "sqlite3", SQLITE3, "batch results in SQLite" },
};
const size_t num_version_libraries = ARRAY_SIZE(version_libraries);

static void print_json(FILE *out)
{
	fprintf(out, "{\"name\": \"ntscope\", \"version\": \"%s\", \"libraries\": {",
		NTSCOPE_VERSION);
	for (size_t i = 0; i < num_version_libraries; i++) {
		const struct version_library *l = &version_libraries[i];

		fprintf(out, "%s\"%s\": ", i ? ", " : "", l->name);
		if (l->version)
			fprintf(out, "\"%s\"", l->version());
		else
			fputs("null", out);
	}
	fputs("}}\n", out);
}

void version_print(FILE *out, bool json)
{
	const char *gap = "built with ";

	if (json) {
		print_json(out);
		return;
	}
	fprintf(out, "ntscope %s\n", NTSCOPE_VERSION);
	for (size_t i = 0; i < num_version_libraries; i++) {
		const struct version_library *l = &version_libraries[i];

		if (!l->version)
			continue;
		fprintf(out, "%s%s %s", gap, l->name, l->version());
		gap = ", ";
	}
	putc('\n', out);
	for (size_t i = 0; i < num_version_libraries; i++) {
		const struct version_library *l = &version_libraries[i];

		if (!l->version)
			fprintf(out, "built without %s: no %s\n", l->name, l->without);
	}
}
