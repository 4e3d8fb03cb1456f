/* SPDX-License-Identifier: MIT */
/*
 * Kdump-compressed cores: QEMU's dump-guest-memory -z/-l/-s, makedumpfile, and the diskdump that
 * came before. Pages are compressed one by one; what was filtered out is absent.
 */
#include "formats/registry.h"

#include <inttypes.h>
#include <string.h>

#include "formats/elf/notes.h"
#include "formats/kdump/header.h"
#include "formats/kdump/pages.h"

static unsigned kdump_probe(const struct probe_input *in)
{
	enum { SIGNATURE_SIZE = 8 };

	if (in->head_size < SIGNATURE_SIZE || (memcmp(in->head, "KDUMP   ", SIGNATURE_SIZE) &&
					       memcmp(in->head, "DISKDUMP", SIGNATURE_SIZE)))
		return 0;
	return 8 * SIGNATURE_SIZE;
}

static struct error *read_cpus(const struct format_input *in, const struct kdump_header *h)
{
	struct dump_info *info = in->info;
	struct error *err = NULL;

	if (h->notes_size)
		err = elf_notes_read_at(in->file, h->notes, h->notes_size, info, in->diag);
	if (err)
		return err;
	if (h->num_cpus > MAX_CPUS)
		diag_note(in->diag, "header: expected at most %d processors, found %" PRIu32,
			  MAX_CPUS, h->num_cpus);
	else if (h->num_cpus > info->num_cpus)
		info->num_cpus = h->num_cpus;
	return NULL;
}

static struct error *kdump_open(const struct format_input *in)
{
	struct kdump_header h;
	struct error *err = kdump_read_header(in->file, &h, in->diag);

	if (err)
		return err;
	in->info->format = h.is_diskdump ? "diskdump" : "kdump-compressed";
	in->info->subtype = h.codec ? codec_name(h.codec->codec) : NULL;
	in->info->machine = "amd64";
	if (!strcmp(h.system, "Linux"))
		diag_note(in->diag, "a Linux machine's memory, kernel %s", h.release);
	err = kdump_add_pages(in, &h);
	return err ? err : read_cpus(in, &h);
}

const struct format_ops kdump_format = {
	.name = "kdump",
	.description = "kdump-compressed core: QEMU, makedumpfile",
	.recognised = "KDUMP or DISKDUMP",
	.codecs = 1u << CODEC_ZLIB | 1u << CODEC_LZO | 1u << CODEC_SNAPPY | 1u << CODEC_ZSTD,
	.probe = kdump_probe,
	.open = kdump_open,
};
