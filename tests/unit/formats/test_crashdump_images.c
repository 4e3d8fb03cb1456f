/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "formats/format.h"
#include "tests/images.h"

/*
 * The reader against whole snapshots with a known truth, which are not part of the tree: a test
 * says that it is skipped where they are missing.
 */
TestSuite(crashdump_images, .fini = images_remove, .timeout = 250);

static void keep_first(void *arg, enum diag_kind kind, const char *message)
{
	char *first = arg;

	(void)kind;
	if (!first[0])
		snprintf(first, 256, "%s", message);
}

/* Opens a snapshot that is whole: nothing is reported. */
static struct snapshot *open_whole(const char *path)
{
	struct snapshot *s;
	struct diag diag;
	char first[256] = "";

	diag_init(&diag, keep_first, first);
	struct error *err = snapshot_open(path, NULL, &diag, &s);
	cr_assert_null(err, "%s", error_message(err));
	cr_assert_str_empty(first, "%s: %s", path, first);
	return s;
}

/* How many pages of s there are, and how many are not the same in a flat image. */
struct comparison {
	uint64_t pages, different;
	uint64_t first_different, last_different; /* addresses */
};

static struct comparison compare_flat(struct snapshot *s, const struct file *flat)
{
	struct comparison c = { 0 };
	struct mem_range range = { 0 };

	for (uint64_t pa = 0; physmem_next(s->mem, pa, false, &range); pa = range.end) {
		for (pa = range.start; pa < range.end; pa += PAGE_SIZE, c.pages++) {
			struct page_view view;
			cr_assert(pa + PAGE_SIZE <= flat->size);
			cr_assert(physmem_view(s->mem, pa, &view, NULL));
			cr_assert(view.begin == 0 && view.end == PAGE_SIZE);
			if (memcmp(view.bytes, flat->bytes + pa, PAGE_SIZE) != 0) {
				c.first_different = c.different++ ? c.first_different : pa;
				c.last_different = pa;
			}
			page_release(&view);
		}
	}
	return c;
}

/* dump-facts.json beside the containers. */
static const struct container_row {
	const char *name, *subtype;
	uint32_t type;
	uint64_t pages;
	bool all; /* else some kinds of pages are left out */
} containers[] = {
	{ "dmp-full", "full", 1, 32414, true },
	{ "dmp-kernel", "kernel-summary", 2, 5633, false },
	{ "dmp-bitmap", "bitmap", 5, 32414, true },
	{ "dmp-active", "bitmap", 5, 6284, false },
	{ "dmp-live6", "bitmap-kernel", 6, 5633, false },
	{ "dmp-auto", "automatic", 7, 5633, false },
	{ "dmp-k8", "rdmp-kernel", 8, 5633, false },
	{ "dmp-ka9", "rdmp-kernel-user", 9, 6284, false },
	{ "dmp-f10", "rdmp-complete", 10, 32414, true },
};

static void check_container_info(const struct dump_info *i, const struct container_row *row)
{
	static const struct mem_range runs[] = { { 0x1000, 0x9f000 },
						 { 0x100000, 0x7d00000 },
						 { 0x7e00000, 0x8000000 } };

	cr_expect_str_eq(i->subtype, row->subtype);
	cr_expect_eq(i->dump_type, row->type);
	cr_expect(i->has_bugcheck && i->bugcheck.code == 226);
	cr_expect_eq(i->hints.dtb, 1757184);
	cr_expect_eq(i->hints.kdbg, UINT64_C(18446735283423546144));
	cr_expect(i->has_system_time && i->system_time == UINT64_C(133637796904860740));
	cr_expect(i->has_uptime && i->system_uptime == UINT64_C(204001403960));
	cr_assert(i->num_registers == 1 && (i->registers[0].known & REGS_GENERAL));
	cr_expect_eq(i->registers[0].rip, UINT64_C(18446735283415118768));
	cr_expect_eq(i->registers[0].rsp, UINT64_C(18446689105680031616));
	cr_expect(i->registers[0].rcx == 226 && !(i->registers[0].known & REGS_CR3));
	cr_assert_eq(i->num_machine_runs, 3);
	cr_expect_arr_eq(i->machine_runs, runs, sizeof(runs));
}

Test(crashdump_images, containers_equal_the_raw_image)
{
	char path[IMAGES_PATH_SIZE], flat_path[IMAGES_PATH_SIZE];
	struct file flat;

	images_unpack_xz("windows-like/win19041-tiny.raw.xz", flat_path);
	images_unpack_tar("windows-like/win19041-tiny-containers.tar.xz", "");
	struct error *err = file_open(&flat, flat_path);
	cr_assert_null(err);
	for (size_t i = 0; i < ARRAY_SIZE(containers); i++) {
		const struct container_row *row = &containers[i];
		images_path(path, "win19041-tiny-containers/%s", row->name);
		struct snapshot *s = open_whole(path);
		check_container_info(&s->info, row);
		struct comparison c = compare_flat(s, &flat);
		cr_expect(c.pages == row->pages && c.different == 0, "%s", path);
		cr_expect_eq(physmem_captured_pages(s->mem), c.pages);
		uint8_t byte; /* "missing_example": not active, and a user's */
		cr_expect_eq(physmem_read(s->mem, 4194304, &byte, 1), row->all, "%s", path);
		snapshot_close(s);
	}
	file_close(&flat);
}

Test(crashdump_images, bitmap_equals_the_elf_core)
{
	char dmp_path[IMAGES_PATH_SIZE], elf_path[IMAGES_PATH_SIZE];
	struct mem_range range = { 0 };
	uint64_t count = 0;

	images_unpack_xz("real/real17763-a.dmp.xz", dmp_path);
	images_unpack_xz("real/real17763-a.elf.xz", elf_path);
	struct snapshot *dmp = open_whole(dmp_path), *elf = open_whole(elf_path);
	for (uint64_t pa = 0; physmem_next(dmp->mem, pa, false, &range); pa = range.end) {
		for (pa = range.start; pa < range.end; pa += PAGE_SIZE, count++) {
			uint8_t a[PAGE_SIZE], b[PAGE_SIZE];
			cr_assert_eq(physmem_read(dmp->mem, pa, a, PAGE_SIZE), PAGE_SIZE);
			cr_assert_eq(physmem_read(elf->mem, pa, b, PAGE_SIZE), PAGE_SIZE);
			cr_assert_arr_eq(a, b, PAGE_SIZE, "%llx", (unsigned long long)pa);
		}
	}
	cr_expect_eq(count, 933);
	cr_expect_eq(physmem_captured_pages(elf->mem), 933);
	cr_expect_eq(dmp->info.build, 17763);
	cr_expect(!dmp->info.has_system_time && !dmp->info.has_uptime);
	cr_expect_eq(dmp->info.num_cpus, 8);
	snapshot_close(elf);
	snapshot_close(dmp);
}

Test(crashdump_images, qemu_full_dumps_equal_memory)
{
	static const char *const names[] = { "nt-self4", "nt-self5" };

	images_unpack_tar("qemu/nt.tar.xz", "");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[IMAGES_PATH_SIZE];
		struct file flat;

		images_path(path, "%s/image.raw", names[i]);
		struct error *err = file_open(&flat, path);
		cr_assert_null(err, "%s", error_message(err));
		images_path(path, "%s/dump.dmp", names[i]);
		struct snapshot *s = open_whole(path);
		/* QEMU writes the registers into the dump's copy of each KPRCB. */
		struct comparison c = compare_flat(s, &flat);
		cr_expect_eq(c.pages << PAGE_SHIFT, flat.size);
		cr_expect(c.different == 2 && c.first_different == 0x108000 &&
			  c.last_different == 0x109000);
		cr_expect_eq(s->info.num_registers, 0);
		cr_expect(s->info.has_bugcheck && s->info.bugcheck.code == 0x1e);
		snapshot_close(s);
		file_close(&flat);
	}
}

/* Bug check, processors and counts as rizin and WinDbg print them (083125, triage_x64) or as the
 * files have them. */
static const struct triage_row {
	const char *name;
	uint32_t bugcheck;
	uint64_t first_parameter;
	uint32_t cpus;
	size_t modules, unloaded;
	uint64_t kernel;
} triages[] = {
	{ "040124-5218-01.dmp", 0x1a, 0x41792, 24, 0xc9, 12, 0xfffff8003c200000 },
	{ "083125-14875-01.dmp", 0x4a, 0x7ffe7350d0c4, 1, 0x9c, 9, 0xfffff8075bc0e000 },
	{ "100623-4953-01.dmp", 0x1a, 0x402, 12, 0x95, 6, 0xfffff8047b600000 },
	{ "102622-15671-01.dmp", 0x50, 0xffffffffffffffb4, 16, 0xce, 8, 0xfffff8041e800000 },
	{ "triage_x64.dmp", 0x1000007e, 0xffffffffc0000005, 16, 0x97, 4, 0xfffff8047ba00000 },
};

static struct snapshot *open_triage(const char *name)
{
	char relative[128], path[IMAGES_PATH_SIZE];

	snprintf(relative, sizeof(relative), "real/triage/%s", name);
	images_find(relative, path);
	return open_whole(path);
}

Test(crashdump_images, triage_dumps)
{
	for (size_t i = 0; i < ARRAY_SIZE(triages); i++) {
		const struct triage_row *row = &triages[i];
		struct snapshot *s = open_triage(row->name);
		const struct dump_info *info = &s->info;
		cr_assert_not_null(info->triage);
		cr_expect_null(s->mem);
		cr_expect_eq(info->build, 19041);
		cr_expect(info->has_bugcheck && info->bugcheck.code == row->bugcheck);
		cr_expect_eq(info->bugcheck.parameters[0], row->first_parameter);
		cr_expect_eq(info->num_cpus, row->cpus);
		cr_expect(info->has_system_time && info->has_uptime && info->has_exception);
		cr_expect_eq(info->triage->num_modules, row->modules);
		cr_expect_eq(info->triage->num_unloaded, row->unloaded);
		cr_expect_eq(info->hints.kernel_base, row->kernel);
		for (size_t m = 0; m < row->modules; m++)
			cr_expect(info->triage->modules[m].name && info->triage->modules[m].base);
		cr_expect_str_eq(info->triage->modules[0].name, "ntoskrnl.exe");
		cr_expect_eq(info->triage->process.size, 0xa40);
		cr_expect_eq(info->triage->thread.size, 0x898);
		cr_expect_gt(virtmem_num_blocks(s->virt), 1);
		const uint8_t *bytes;
		size_t len;
		cr_expect(virtmem_view(s->virt, info->hints.kdbg, &bytes, &len));
		cr_expect(virtmem_view(s->virt, info->triage->stack_top, &bytes, &len));
		snapshot_close(s);
	}
}

/* One line of WinDbg's `lm t n`: start, end, name, file and, in brackets or first, the stamp. */
struct lm_line {
	uint64_t start, end, stamp;
	char name[64], file[64];
	bool loaded;
};

static bool parse_lm(char *line, struct lm_line *ret)
{
	char start[32], end[32];

	memset(ret, 0, sizeof(*ret));
	for (char *p = line; *p; p++) {
		if (*p == '`')
			memmove(p, p + 1, strlen(p));
	}
	int count = sscanf(line, "%31s %31s %63s %63s", start, end, ret->name, ret->file);
	if (count < 3 || strlen(start) != 16 || !isxdigit((unsigned char)start[0]))
		return false;
	ret->start = strtoull(start, NULL, 16);
	ret->end = strtoull(end, NULL, 16);
	ret->loaded = count == 4;
	if (!ret->loaded)
		return true;
	const char *rest = strstr(line, ret->file) + strlen(ret->file);
	const char *bracket = strstr(rest, "reproducible") ? NULL : strrchr(rest, '(');
	ret->stamp = strtoull(bracket ? bracket + 1 : rest, NULL, 16);
	return true;
}

static const struct dump_module *find_module(const struct dump_triage *t, uint64_t base)
{
	for (size_t i = 0; i < t->num_modules; i++) {
		if (t->modules[i].base == base)
			return &t->modules[i];
	}
	return NULL;
}

static void check_loaded(const struct dump_triage *t, const struct lm_line *lm)
{
	const struct dump_module *m = find_module(t, lm->start);

	cr_assert_not_null(m, "%s", lm->file);
	cr_expect_eq(m->size, lm->end - lm->start, "%s", lm->file);
	cr_expect_eq(m->time_date_stamp, lm->stamp, "%s", lm->file);
	/* The debugger shows the name that the kernel was built under, and its own short one of a
	 * file whose image it could not open. */
	if (strcmp(lm->name, "nt") != 0)
		cr_expect(text_equal_nocase(m->name, lm->file), "%s %s", m->name, lm->file);
}

static void check_unloaded(const struct dump_triage *t, const struct lm_line *lm)
{
	for (size_t i = 0; i < t->num_unloaded; i++) {
		const struct dump_unloaded_module *m = &t->unloaded[i];
		if (m->start == lm->start && m->end == lm->end && !strcmp(m->name, lm->name))
			return;
	}
	cr_expect_fail("unloaded %s at %llx", lm->name, (unsigned long long)lm->start);
}

Test(crashdump_images, driver_list_equals_the_debuggers)
{
	char path[IMAGES_PATH_SIZE], line[512];
	size_t loaded = 0, unloaded = 0;
	struct lm_line lm;

	images_find("real/triage/lm_t_n.txt", path);
	struct snapshot *s = open_triage("083125-14875-01.dmp");
	FILE *list = fopen(path, "r");
	cr_assert_not_null(list);
	while (fgets(line, sizeof(line), list)) {
		if (!parse_lm(line, &lm))
			continue;
		if (lm.loaded)
			check_loaded(s->info.triage, &lm);
		else
			check_unloaded(s->info.triage, &lm);
		*(lm.loaded ? &loaded : &unloaded) += 1;
	}
	fclose(list);
	cr_expect_eq(loaded, s->info.triage->num_modules);
	cr_expect_eq(unloaded, s->info.triage->num_unloaded);
	snapshot_close(s);
}

static void expect_refusal(const char *name, enum error_code code, const char *part)
{
	char relative[128], path[IMAGES_PATH_SIZE];
	struct snapshot *s;
	struct diag diag;

	snprintf(relative, sizeof(relative), "real/triage/%s", name);
	images_find(relative, path);
	diag_init(&diag, NULL, NULL);
	struct error *err = snapshot_open(path, NULL, &diag, &s);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), code);
	cr_expect_not_null(strstr(error_message(err), part), "%s", error_message(err));
	error_destroy(err);
}

Test(crashdump_images, refusals)
{
	expect_refusal("triage_arm64.dmp", ERROR_UNSUPPORTED, "ARM64 machine (0xaa64)");
	expect_refusal("header-only-full.dmp", ERROR_CORRUPT,
		       "names 4193391 pages in 4 runs, the file ends at 0x2000");
}
