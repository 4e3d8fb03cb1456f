/* SPDX-License-Identifier: MIT */
#include "formats/known.h"

#include <string.h>

/*
 * Sources of the magics: fox-it/dissect.hypervisor (Hyper-V's storage),
 * VirtualBox SSM.cpp and VDICore.h, xen tools/xl/xl.h,
 * minidumpapiset.h, libewf, afflib, Mach-O's loader.h, lzop.c, snappy's framing_format.txt,
 * file(1)'s magic.
 */
static const char disk[] =
	"a disk holds no memory: take a snapshot of the machine with its memory, "
	"or unpack hiberfil.sys from the disk";
static const char archive[] = "unpack it first";

const struct known_format known_formats[] = {
#define ROW(offset, magic, name, advice)                       \
	{                                                      \
		offset, sizeof(magic) - 1, magic, name, advice \
	}
	ROW(0, "\x7fVirtualBox SavedState", "VirtualBox saved state (.sav)",
	    "resume the machine and write its core with 'VBoxManage debugvm NAME dumpvmcore'"),
	ROW(0, "\x14\x20\x28\x01", "Hyper-V saved state (.vmrs, .vmcx)",
	    "Microsoft's vmsavedstatedumpprovider.dll, of the Windows SDK, writes a crash dump of "
	    "a .vmrs"),
	ROW(0, "Xen saved domain, xl format\n", "Xen saved domain (xl save)",
	    "restore the domain and write its core with 'xl dump-core'"),
	ROW(0, "MDMP\x93\xa7", "user-mode minidump",
	    "it holds one process: open it with a debugger"),
	ROW(0, "EVF\x09\x0d\x0a\xff\x00", "EWF image (.E01)",
	    "write what it holds as raw with 'ewfexport -f raw'"),
	ROW(0, "EVF2\x0d\x0a\x81\x00", "EWF image (.Ex01)",
	    "write what it holds as raw with 'ewfexport -f raw'"),
	ROW(0, "AFF10\x0d\x0a\x00", "AFF image", "write what it holds as raw with 'affcat'"),
	ROW(0, "ADSEGMENTEDFILE", "AD1 image of FTK Imager",
	    "export the memory file that it holds with FTK Imager"),
	ROW(0, "\xcf\xfa\xed\xfe", "Mach-O file",
	    "it is of macOS: this program reads Windows machines"),
	ROW(0,
	    "\x89"
	    "LZO\x00\x0d\x0a\x1a\x0a",
	    "lzop-compressed file", archive),
	ROW(0, "\xff\x06\x00\x00sNaPpY", "snappy-compressed file", archive),
	ROW(0, "7z\xbc\xaf\x27\x1c", "7-Zip archive", archive),
	ROW(0, "Rar!\x1a\x07", "RAR archive", archive),
	ROW(257, "ustar", "tar archive", archive),
	ROW(0, "QFI\xfb", "QCOW virtual disk",
	    "a machine state that savevm put into it comes out with QEMU's -loadvm and then "
	    "dump-guest-memory"),
	ROW(0, "KDMV", "VMDK virtual disk", disk),
	ROW(0, "vhdxfile", "VHDX virtual disk", disk),
	ROW(0, "conectix", "VHD virtual disk", disk),
	ROW(64, "\x7f\x10\xda\xbe", "VirtualBox virtual disk (.vdi)", disk),
#undef ROW
};
const size_t num_known_formats = ARRAY_SIZE(known_formats);

const struct known_format *known_format(const struct probe_input *in, unsigned *bits_ret)
{
	for (size_t i = 0; i < num_known_formats; i++) {
		const struct known_format *k = &known_formats[i];

		if (in->head_size < k->offset || in->head_size - k->offset < k->length ||
		    memcmp(in->head + k->offset, k->magic, k->length) != 0)
			continue;
		*bits_ret = 8u * k->length;
		return k;
	}
	return NULL;
}
