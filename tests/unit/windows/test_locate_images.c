/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "tests/images.h"
#include "windows/kernel/kdbg.h"
#include "windows/locate/private.h"

/*
 * The locator against whole snapshots with a known truth, which are not part of the tree: a test
 * says that it is skipped where they are missing. Roots, bases and offsets are those of the
 * truth files beside the images.
 */
struct truth {
	const char *archive, *file;
	const char *guid;
	uint64_t root, base;
	uint32_t size, kdbg, ps_loaded_module_list;
	bool kdbg_encoded;
	unsigned strategies; /* that find it without the help of others */
	/* a second root that maps the same kernel, where nothing captured tells which is System's
	 */
	uint64_t other_root;
};

enum {
	RAW_STRATEGIES = 1 << STRATEGY_LOW_STUB | 1 << STRATEGY_SELF_MAP | 1 << STRATEGY_PHYSICAL,
	CPU_STRATEGIES = 1 << STRATEGY_REGISTERS | 1 << STRATEGY_IDT,
};
#define GUID_19041 "9C00B19DBDE003DBFE4AB4216993C843"
#define GUID_17763 "20C711BBD4C21AA5C45BC774BC7E0472"

static const struct truth win7601 = {
	.archive = "windows-like/win7601-tiny.raw.xz",
	.guid = "339E74133576439CBCDF7E0229DA3773",
	.root = 0x187000,
	.base = 0xfffff80002a5d000,
	.size = 0x5cd000,
	.kdbg = 0x1e2130,
	.ps_loaded_module_list = 0x239c90,
	.strategies = RAW_STRATEGIES,
};
static const struct truth win9600 = {
	.archive = "windows-like/win9600-tiny.raw.xz",
	.guid = "9765E6AF44044E6CAF8EC0E370E6DAC5",
	.root = 0x187000,
	.base = 0xfffff8021a2bb000,
	.size = 0x777000,
	.kdbg = 0x292530,
	.ps_loaded_module_list = 0x2c5670,
	.strategies = RAW_STRATEGIES,
};
static const struct truth win19041 = {
	.archive = "windows-like/win19041-tiny.raw.xz",
	.guid = GUID_19041,
	.root = 0x1ad000,
	.base = 0xfffff80159600000,
	.size = 0xe42000,
	.kdbg = 0xc00b20,
	.ps_loaded_module_list = 0xc2a2d0,
	.strategies = RAW_STRATEGIES,
};
static const struct truth win22000 = {
	.archive = "windows-like/win22000-tiny.raw.xz",
	.guid = "0CE4A95C0CD782A7596B034D8648E585",
	.root = 0x1ad000,
	.base = 0xfffff80589600000,
	.size = 0xe45000,
	.kdbg = 0xc02190,
	.ps_loaded_module_list = 0xc298a0,
	.strategies = RAW_STRATEGIES,
};
static const struct truth desktop = {
	.archive = "windows-like/win19041-desktop.tar.xz",
	.file = "win19041-desktop.raw",
	.guid = GUID_19041,
	.root = 0x1ad000,
	.base = 0xfffff80047e00000,
	.size = 0xe42000,
	.kdbg = 0xc00b20,
	.ps_loaded_module_list = 0xc2a2d0,
	.kdbg_encoded = true,
	.strategies = RAW_STRATEGIES,
};
static const struct truth paged = {
	.archive = "windows-like/win19041-paged.tar.xz",
	.file = "win19041-paged.raw",
	.guid = GUID_19041,
	.root = 0x1ad000,
	.base = 0xfffff80260a00000,
	.size = 0xe42000,
	.kdbg = 0xc00b20,
	.ps_loaded_module_list = 0xc2a2d0,
	.strategies = RAW_STRATEGIES,
};
static const struct truth real_elf = {
	.archive = "real/real17763-a.elf.xz",
	.guid = GUID_17763,
	.root = 0x235500000,
	.base = 0xfffff8051a09f000,
	.size = 0xa71000,
	.kdbg = 0x3ff5e0,
	.ps_loaded_module_list = 0x41b5d0,
	.strategies = CPU_STRATEGIES | 1 << STRATEGY_SELF_MAP | 1 << STRATEGY_PHYSICAL,
	.other_root = 0x3700000,
};

TestSuite(locate_images, .fini = images_remove, .timeout = 250);

/* file: in a tar, and unpacked once; NULL: the archive is the image itself. */
static struct snapshot *open_image(const char *archive, const char *file)
{
	char path[IMAGES_PATH_SIZE];
	struct snapshot *snap;
	struct diag diag;

	if (file) {
		images_path(path, "%s", file);
		if (access(path, R_OK) != 0)
			images_unpack_tar(archive, "");
	} else {
		images_unpack_xz(archive, path);
	}
	diag_init(&diag, NULL, NULL);
	struct error *err = snapshot_open(path, NULL, &diag, &snap);

	cr_assert_null(err, "%s", error_message(err));
	return snap;
}

static void check_kdbg(struct snapshot *snap, const struct kernel_location *loc,
		       const struct truth *truth)
{
	struct kdbg found, read;
	struct space *s;
	struct error *err = space_create_amd64(snap->mem, loc->root, loc->levels, NULL, NULL, &s);

	cr_assert_null(err);
	err = kdbg_find(s, &loc->pe, &found);
	cr_assert_null(err, "%s", error_message(err));
	err = kdbg_read(s, loc->base + truth->kdbg, loc->base, &read);
	cr_assert_null(err, "%s", error_message(err));
	cr_expect_eq(found.va, read.va);
	cr_expect_eq(found.encoded, truth->kdbg_encoded);
	cr_expect_eq(found.value[KDBG_PS_LOADED_MODULE_LIST],
		     loc->base + truth->ps_loaded_module_list);
	space_destroy(s);
}

static void check_location(struct snapshot *snap, const struct truth *truth, unsigned strategies,
			   unsigned threads)
{
	struct locate_options options = { .quiet = true, .threads = threads };
	struct kernel_location loc;
	char guid[GUID_TEXT_SIZE];
	struct error *err = locate_with(snap, &options, strategies, &loc);

	cr_assert_null(err, "strategies 0x%x: %s", strategies, error_message(err));
	cr_expect(loc.root == truth->root || (truth->other_root && loc.root == truth->other_root),
		  "strategies 0x%x: root 0x%llx", strategies, (unsigned long long)loc.root);
	cr_expect_eq(loc.levels, 4);
	cr_expect_eq(loc.base, truth->base);
	cr_expect_eq(loc.size, truth->size);
	cr_assert(loc.has_codeview);
	guid_format(loc.codeview.guid, guid);
	cr_expect_str_eq(guid, truth->guid);
	cr_expect_eq(loc.codeview.age, 1);
	check_kdbg(snap, &loc, truth);
	kernel_location_deinit(&loc);
}

static void check_image(const struct truth *truth)
{
	struct snapshot *snap = open_image(truth->archive, truth->file);

	for (unsigned id = 0; id < NUM_STRATEGIES; id++)
		if (truth->strategies & 1U << id)
			for (unsigned threads = 1; threads <= 3; threads++)
				check_location(snap, truth, 1U << id, threads);
	check_location(snap, truth, ALL_STRATEGIES, 0);
	snapshot_close(snap);
}

Test(locate_images, win7601)
{
	check_image(&win7601);
}

Test(locate_images, win9600)
{
	check_image(&win9600);
}

Test(locate_images, win19041)
{
	check_image(&win19041);
}

Test(locate_images, win22000)
{
	check_image(&win22000);
}

Test(locate_images, win19041_desktop)
{
	check_image(&desktop);
}

Test(locate_images, win19041_paged)
{
	check_image(&paged);
}

Test(locate_images, real17763_elf)
{
	check_image(&real_elf);
}

Test(locate_images, real17763_dmp)
{
	struct truth truth = real_elf;

	truth.archive = "real/real17763-a.dmp.xz";
	truth.strategies &= ~(1U << STRATEGY_IDT); /* no IDTR in the header */
	check_image(&truth);
}

Test(locate_images, win19041_containers)
{
	static const char *const names[] = {
		"dmp-full", "dmp-kernel", "dmp-bitmap", "dmp-active", "dmp-live6",
		"dmp-auto", "dmp-k8",	  "dmp-ka9",	"dmp-f10",    "elf",
	};
	struct truth truth = win19041;

	truth.archive = "windows-like/win19041-tiny-containers.tar.xz";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char file[64];

		snprintf(file, sizeof(file), "win19041-tiny-containers/%s", names[i]);
		truth.file = file;
		truth.strategies = RAW_STRATEGIES | 1 << STRATEGY_REGISTERS;
		if (strcmp(names[i], "elf") == 0)
			truth.strategies |= 1 << STRATEGY_IDT;
		check_image(&truth);
	}
}

/* No image of a kernel in it: the error names what was tried under which root. */
Test(locate_images, structures_without_a_kernel)
{
	struct locate_options options = { .quiet = true };
	struct snapshot *snap = open_image("qemu/nt.tar.xz", "nt-self5/dump.elf");
	struct kernel_location loc;
	struct error *err = kernel_locate(snap, &options, NULL, &loc);

	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_NOT_FOUND);
	cr_expect_not_null(strstr(error_message(err), "cr3 0x200000, 5 levels: no MZ page"), "%s",
			   error_message(err));
	error_destroy(err);
	snapshot_close(snap);
}
