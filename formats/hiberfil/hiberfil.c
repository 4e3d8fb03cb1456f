/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/cursor.h"
#include "formats/hiberfil/parts.h"
#include "formats/registry.h"

/* PO_MEMORY_IMAGE: what all 64-bit versions have in one place. */
enum header_offset {
	HEADER_AT_SIGNATURE = 0x00,
	HEADER_AT_LENGTH = 0x0c, /* LengthSelf */
	HEADER_AT_PAGE_SIZE = 0x18,
	HEADER_AT_PAGE_SIZE_32 = 0x14, /* of 32-bit Windows */
	HEADER_AT_SYSTEM_TIME = 0x20,
	HEADER_AT_LOADER_PAGES = 0x58, /* NumPagesForLoader: Windows 8 and later */
	/* before HighestPhysicalPage, Windows 8 and later: Hiberboot */
	HEADER_HIBERBOOT_BEFORE = 0x34,

	HEADER_MIN_SIZE = PAGE_SIZE,
	SIGNATURE_SIZE = 4,
};

/*
 * The other fields, by LengthSelf: offsets of page numbers and counts, 0 where there is none.
 * Public symbols as in LeechCore's table, and ntdiff's headers for Windows 7 and 8.1.
 */
struct layout {
	uint16_t length;
	const char *windows;
	uint16_t table_page;   /* FirstTablePage */
	uint16_t secure_page;  /* FirstSecureRestorePage */
	uint16_t boot_page;    /* FirstBootRestorePage */
	uint16_t kernel_page;  /* FirstKernelRestorePage */
	uint16_t kernel_pages; /* PerfInfo.KernelPagesProcessed */
	uint16_t highest_page; /* HighestPhysicalPage */
};
enum { WINDOWS_7 }; /* its row */
static const struct layout layouts[] = {
	[WINDOWS_7] = { 0x128, "windows-7", 0x60, 0, 0, 0, 0, 0 },
	{ 0x360, "windows-8", 0, 0, 0x60, 0x68, 0x1c8, 0x330 },
	{ 0x3b0, "windows-10", 0, 0x60, 0x68, 0x70, 0x218, 0x380 }, /* 10240, 10586 */
	{ 0x3c8, "windows-10", 0, 0x60, 0x68, 0x70, 0x220, 0x388 }, /* 14393 */
	{ 0x3d8, "windows-10", 0, 0x60, 0x68, 0x70, 0x230, 0x398 }, /* 15063 to 17134 */
	{ 0x3e0, "windows-10", 0, 0x60, 0x68, 0x70, 0x230, 0x398 }, /* 17763 to 19045 */
	{ 0x448, "windows-11", 0, 0x60, 0x68, 0x70, 0x230, 0x400 }, /* 20348 to 22631 */
	{ 0x4d8, "windows-11", 0, 0x60, 0x68, 0x70, 0x238, 0x498 }, /* 26100 */
};

/* What Windows writes over the first bytes, in capitals from Windows 8 on. */
static const struct {
	const char *text, *note;
} signatures[] = {
	{ "HIBR", NULL },
	{ "hibr", NULL },
	{ "WAKE", "Windows has resumed from this file: pages may be gone since" },
	{ "wake", "Windows has resumed from this file: pages may be gone since" },
	{ "RSTR", "Windows was resuming from this file" },
	{ "rstr", "Windows was resuming from this file" },
};
enum { NO_SIGNATURE = ARRAY_SIZE(signatures) };

static size_t find_signature(const uint8_t *head)
{
	for (size_t i = 0; i < NO_SIGNATURE; i++) {
		if (!memcmp(head + HEADER_AT_SIGNATURE, signatures[i].text, SIGNATURE_SIZE))
			return i;
	}
	return NO_SIGNATURE;
}

/* Zeros, but for a signature. */
static bool is_wiped(const uint8_t *head)
{
	size_t i = find_signature(head) == NO_SIGNATURE ? 0 : SIGNATURE_SIZE;

	for (; i < HEADER_MIN_SIZE; i++) {
		if (head[i])
			return false;
	}
	return true;
}

static unsigned hiberfil_probe(const struct probe_input *in)
{
	enum { BITS = 8 * SIGNATURE_SIZE };

	if (in->head_size >= SIGNATURE_SIZE && find_signature(in->head) != NO_SIGNATURE)
		return BITS;
	/* the magic of a block is twice as long */
	return in->head_size >= HEADER_MIN_SIZE && is_wiped(in->head) &&
			       hiber_find_table(in->head, in->head_size)
		       ? 2 * BITS
		       : 0;
}

static uint64_t field(const uint8_t *header, uint16_t offset)
{
	return offset ? load_u64(header + offset) : 0;
}

static struct error *find_layout(const uint8_t *header, const struct layout **ret)
{
	uint32_t length = load_u32(header + HEADER_AT_LENGTH);

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		*ret = &layouts[i];
		if (layouts[i].length == length &&
		    load_u32(header + HEADER_AT_PAGE_SIZE) == PAGE_SIZE)
			return NULL;
	}
	if (load_u32(header + HEADER_AT_PAGE_SIZE_32) == PAGE_SIZE)
		return error_new(ERROR_UNSUPPORTED, "hibernation file of a 32-bit Windows");
	return error_new(ERROR_UNSUPPORTED,
			 "hibernation file of a Windows that is not known: header of %" PRIu32
			 " bytes, pages of %" PRIu32,
			 length, load_u32(header + HEADER_AT_PAGE_SIZE));
}

/* The lower one; a is none if 0. */
static uint64_t min_page(uint64_t a, uint64_t b)
{
	return a && a < b ? a : b;
}

/* Windows 8 and later. */
static struct error *read_sections(struct hiber_pages *p, const uint8_t *header,
				   const struct layout *l)
{
	uint64_t highest = field(header, l->highest_page);
	struct hiber_section boot = { "boot", field(header, l->boot_page),
				      load_u64(header + HEADER_AT_LOADER_PAGES), highest };
	struct hiber_section kernel = { "kernel", field(header, l->kernel_page),
					field(header, l->kernel_pages), highest };
	struct error *err;

	if (header[l->highest_page - HEADER_HIBERBOOT_BEFORE])
		diag_note(p->in->diag, "written by a shutdown with fast startup: users were logged "
				       "off");
	if (field(header, l->secure_page))
		diag_note(p->in->diag,
			  "pages of the secure kernel, at page 0x%" PRIx64
			  " of the file, are left out",
			  field(header, l->secure_page));
	/* the kernel's pages are restored last */
	if ((err = hiber_read_section(p, &boot)) || (err = hiber_read_section(p, &kernel)))
		return err;
	return hiber_read_state(p->in,
				min_page(kernel.first_page, min_page(boot.first_page, UINT64_MAX)));
}

/* Windows 7. */
static struct error *read_tables(struct hiber_pages *p, uint64_t first)
{
	struct error *err = hiber_read_tables(p, &first);

	return err ? err : hiber_read_state(p->in, first);
}

/* What Windows 7 leaves of a file that it resumed from is all but the header. */
static struct error *read_wiped(struct hiber_pages *p)
{
	static const char wiped[] = "the header was wiped when Windows resumed from this file";
	struct error *err;

	p->in->info->subtype = layouts[WINDOWS_7].windows;
	err = read_tables(p, 0);
	if (!err)
		diag_note(p->in->diag, "%s", wiped);
	return error_wrap(err, "%s", wiped);
}

static struct error *read_pages(struct hiber_pages *p, const uint8_t *header)
{
	struct dump_info *info = p->in->info;
	const struct layout *l;
	struct error *err;

	if (is_wiped(header))
		return read_wiped(p);
	if ((err = find_layout(header, &l)))
		return err;
	info->subtype = l->windows;
	info->system_time = load_u64(header + HEADER_AT_SYSTEM_TIME);
	info->has_system_time = info->system_time != 0;
	return l->table_page ? read_tables(p, field(header, l->table_page))
			     : read_sections(p, header, l);
}

static struct error *hiberfil_open(const struct format_input *in)
{
	struct hiber_pages p = { .in = in };
	const uint8_t *header;
	struct error *err;
	size_t signature;

	if (in->file->size < HEADER_MIN_SIZE)
		return error_new(ERROR_CORRUPT,
				 "truncated: %" PRIu64 " bytes, expected a header of %d",
				 in->file->size, HEADER_MIN_SIZE);
	if ((err = file_bytes(in->file, 0, HEADER_MIN_SIZE, &header)))
		return err;
	in->info->format = "hiberfil";
	in->info->machine = "amd64";
	signature = find_signature(header);
	if (signature != NO_SIGNATURE && signatures[signature].note)
		diag_note(in->diag, "%s", signatures[signature].note);
	err = read_pages(&p, header);
	if (!err)
		err = hiber_pages_finish(&p);
	hiber_pages_deinit(&p);
	return err;
}

const struct format_ops hiberfil_format = {
	.name = "hiberfil",
	.description = "hiberfil.sys of 64-bit Windows 7 to 11",
	.recognised = "HIBR, WAKE or RSTR; a block of pages behind a wiped header",
	.codecs = 1u << CODEC_XPRESS | 1u << CODEC_XPRESS_HUFFMAN,
	.probe = hiberfil_probe,
	.open = hiberfil_open,
};
