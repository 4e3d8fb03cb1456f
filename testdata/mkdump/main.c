/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "spec.h"
#include "writers.h"

/* mkdump FORMAT SPEC OUT: turns a spec (testdata/README.md) into a snapshot. */
static const struct output_format {
	const char *name;
	struct error *(*write)(const struct image *img, unsigned variant, const char *path);
	unsigned variant;
	const char *help;
} output_formats[] = {
	{ "raw", write_raw, RAW_PLAIN, "offset = physical address" },
	{ "raw-partial", write_raw, RAW_PARTIAL_PAGE, "raw that ends within a page" },
	{ "elf", write_elf, ELF_PLAIN, "ELF core: one PT_LOAD per run, CPU notes" },
	{ "elf-sparse", write_elf, ELF_SPARSE, "one PT_LOAD per stretch of captured pages" },
	{ "elf-unsorted", write_elf, ELF_UNSORTED, "PT_LOADs descend, two of them overlap" },
	{ "elf-xnum", write_elf, ELF_XNUM, "PN_XNUM: program headers counted by section 0" },
	{ "elf-short", write_elf, ELF_SHORT, "last PT_LOAD: p_filesz < p_memsz" },
	{ "elf-qemu", write_elf, ELF_QEMU, "header as QEMU writes it" },
	{ "virtualbox", write_elf, ELF_VIRTUALBOX, "VirtualBox core" },
	{ "xen", write_xen, 0, "Xen core" },
	{ "dmp-full", write_crash, DUMP_FULL, "crash dump type 1" },
	{ "dmp-summary", write_crash, DUMP_SUMMARY, "crash dump type 2" },
	{ "dmp-triage", write_triage, TRIAGE_BY_KERNEL, "crash dump type 4, short driver names" },
	{ "dmp-triage-paths", write_triage, TRIAGE_BY_DEBUGGER, "type 4, full driver paths" },
	{ "dmp-bitmap", write_crash, DUMP_BITMAP_FULL, "crash dump type 5" },
	{ "dmp-live", write_crash, DUMP_BITMAP_KERNEL, "crash dump type 6" },
	{ "dmp-automatic", write_crash, DUMP_AUTOMATIC, "crash dump type 7" },
	{ "dmp-kernel", write_crash, DUMP_KERNEL, "crash dump type 8 (RDMP)" },
	{ "dmp-kernel-user", write_crash, DUMP_KERNEL_AND_USER, "crash dump type 9 (RDMP)" },
	{ "dmp-complete", write_crash, DUMP_COMPLETE, "crash dump type 0xa (RDMP)" },
};

static int usage(void)
{
	fputs("usage: mkdump FORMAT SPEC OUT\nformats:\n", stderr);
	for (size_t i = 0; i < ARRAY_SIZE(output_formats); i++)
		fprintf(stderr, "  %-18s %s\n", output_formats[i].name, output_formats[i].help);
	return 2;
}

static struct error *make(const struct output_format *format, const char *spec, const char *out)
{
	CLEANUP(image_cleanup) struct image *img = NULL;
	struct error *err;

	if ((err = spec_read(spec, &img)))
		return err;
	return format->write(img, format->variant, out);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return usage();
	for (size_t i = 0; i < ARRAY_SIZE(output_formats); i++) {
		struct error *err;

		if (strcmp(output_formats[i].name, argv[1]) != 0)
			continue;
		err = make(&output_formats[i], argv[2], argv[3]);
		if (!err)
			return 0;
		fprintf(stderr, "mkdump: %s\n", error_message(err));
		error_destroy(err);
		return 1;
	}
	return usage();
}
