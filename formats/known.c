/* SPDX-License-Identifier: MIT */
#include "formats/known.h"

#include <string.h>

/*
 * Sources of the magics: LiME doc/README.md, avml src/image.rs, makedumpfile's diskdump_mod.h
 * and IMPLEMENTATION, volatility's vmware and hibernate layers, qemu migration/savevm.c,
 * libvirt qemu_saveimage.h, VirtualBox SSM.cpp, minidumpapiset.h, libewf, file(1)'s magic.
 */
static const struct {
	uint16_t offset;
	uint16_t length;
	const char *magic;
	const char *name;
} known[] = {
#define ROW(offset, magic, name)                       \
	{                                              \
		offset, sizeof(magic) - 1, magic, name \
	}
	ROW(0, "EMiL", "LiME memory image"),
	ROW(0, "AVML", "AVML memory image"),
	ROW(0, "KDUMP   ", "kdump-compressed core"),
	ROW(0, "DISKDUMP", "diskdump core"),
	ROW(0, "makedumpfile\0\0\0\0", "flattened makedumpfile core"),
	ROW(0, "\xd0\xbe\xd2\xbe", "VMware snapshot state (.vmss, .vmsn)"),
	ROW(0, "\xd1\xba\xd1\xba", "VMware snapshot state (.vmss, .vmsn)"),
	ROW(0, "\xd2\xbe\xd2\xbe", "VMware snapshot state (.vmss, .vmsn)"),
	ROW(0, "\xd3\xbe\xd3\xbe", "VMware snapshot state (.vmss, .vmsn)"),
	ROW(0, "HIBR", "Windows hibernation file"),
	ROW(0, "hibr", "Windows hibernation file"),
	ROW(0, "WAKE", "Windows hibernation file (already resumed)"),
	ROW(0, "wake", "Windows hibernation file (already resumed)"),
	ROW(0, "RSTR", "Windows hibernation file (being resumed)"),
	ROW(0, "rstr", "Windows hibernation file (being resumed)"),
	ROW(0, "QEVM", "QEMU migration stream"),
	ROW(0, "LibvirtQemudSave", "libvirt save file"),
	ROW(0, "\x7fVirtualBox SavedState", "VirtualBox saved state"),
	ROW(0, "HPAK", "HPAK memory image"),
	ROW(0, "MDMP\x93\xa7", "user-mode minidump"),
	ROW(0, "PK\x03\x04", "zip archive or AFF4 volume"),
	ROW(0, "EVF\x09\x0d\x0a\xff\x00", "EWF image (.E01)"),
	ROW(0, "EVF2\x0d\x0a\x81\x00", "EWF image (.Ex01)"),
	ROW(0, "\x1f\x8b\x08", "gzip-compressed file"),
	ROW(0,
	    "\xfd"
	    "7zXZ\x00",
	    "xz-compressed file"),
	ROW(0, "\x28\xb5\x2f\xfd", "zstd-compressed file"),
	ROW(0, "7z\xbc\xaf\x27\x1c", "7-Zip archive"),
	ROW(0, "BZh", "bzip2-compressed file"),
	ROW(0, "\x04\x22\x4d\x18", "lz4-compressed file"),
	ROW(0, "Rar!\x1a\x07", "RAR archive"),
	ROW(257, "ustar", "tar archive"),
	ROW(0, "QFI\xfb", "QCOW virtual disk"),
	ROW(0, "KDMV", "VMDK virtual disk"),
	ROW(0, "vhdxfile", "VHDX virtual disk"),
#undef ROW
};

const char *known_format(const struct probe_input *in, unsigned *bits_ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (in->head_size < known[i].offset ||
		    in->head_size - known[i].offset < known[i].length ||
		    memcmp(in->head + known[i].offset, known[i].magic, known[i].length))
			continue;
		*bits_ret = 8u * known[i].length;
		return known[i].name;
	}
	return NULL;
}
