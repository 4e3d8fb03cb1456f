/* SPDX-License-Identifier: MIT */
/*
 * QEMU's migration stream, as `migrate` to a file, `savevm` and `virsh save` write it. libvirt
 * puts a header before it (layout: libvirt src/qemu/qemu_saveimage.h).
 */
#include "formats/registry.h"

#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "codec/codec.h"
#include "container/container.h"
#include "container/file_part.h"
#include "formats/migration/layout.h"
#include "formats/migration/processors.h"
#include "formats/migration/stream.h"

static const char stream_magic[] = "QEVM";
/* A file that libvirt has not finished has the other one. */
static const char libvirt_magic[] = "LibvirtQemudSave";
static const char partial_magic[] = "LibvirtQemudPart";

static bool begins_with(const struct probe_input *in, const char *magic)
{
	return in->head_size >= strlen(magic) && !memcmp(in->head, magic, strlen(magic));
}

static unsigned migration_probe(const struct probe_input *in)
{
	if (begins_with(in, libvirt_magic) || begins_with(in, partial_magic))
		return 128;
	return begins_with(in, stream_magic) ? 32 : 0;
}

/* libvirt's header: magic, then 32-bit numbers; the machine's XML and a cookie follow. */
enum {
	LIBVIRT_VERSION = 16,
	LIBVIRT_DATA_SIZE = 20,
	LIBVIRT_FORMAT = 28,
	LIBVIRT_HEADER_SIZE = 92,
};

/* The stream behind libvirt's header, by format. "sparse" is what QEMU calls mapped-ram. */
static const struct {
	const char *name;
	bool is_packed, is_readable;
} libvirt_formats[] = {
	{ "raw", false, true },	   { "gzip", true, true },  { "bzip2", true, true },
	{ "xz", true, true },	   { "lzop", true, false }, { "zstd", true, true },
	{ "sparse", false, true },
};

/* Replaces *file by what its bytes from *offset on contain, where they are packed. */
static struct error *unpack_stream(const struct format_input *in, const struct file **file,
				   uint64_t *offset)
{
	struct container_options options = *in->container;
	struct container_levels levels;
	struct file part;
	struct error *err =
		file_part_open(*file, *offset, (*file)->size - *offset, in->path, in->cache, &part);

	if (err)
		return err;
	options.member = NULL;
	err = container_open(&part, in->path, in->cache, in->diag, &options, &levels);
	if (err)
		return err;
	if (!levels.count) { /* not packed: *file has it as it is */
		file_close(&part);
		return NULL;
	}
	*offset = 0;
	return file_set_add(in->files, &part, file);
}

static struct error *read_libvirt(const struct format_input *in, const uint8_t *header,
				  const struct file **file, uint64_t *offset)
{
	uint32_t version = load_u32(header + LIBVIRT_VERSION);
	uint32_t format = version >= 2 ? load_u32(header + LIBVIRT_FORMAT) : 0;

	in->info->subtype = "libvirt";
	if (version > UINT16_MAX) /* written by a big-endian host */
		return error_new(ERROR_UNSUPPORTED,
				 "libvirt save file of version 0x%" PRIx32 ": expected 1 or 2",
				 version);
	if (format >= ARRAY_SIZE(libvirt_formats) || !libvirt_formats[format].is_readable)
		return error_new(ERROR_UNSUPPORTED,
				 "libvirt save file of format %" PRIu32
				 " (%s): expected raw, gzip, bzip2, xz, zstd or sparse",
				 format,
				 format < ARRAY_SIZE(libvirt_formats) ? libvirt_formats[format].name
								      : "not known");
	*offset = LIBVIRT_HEADER_SIZE + (uint64_t)load_u32(header + LIBVIRT_DATA_SIZE);
	if (*offset >= (*file)->size)
		return error_new(ERROR_CORRUPT,
				 "expected the stream at file offset 0x%" PRIx64
				 ", the file has 0x%" PRIx64,
				 *offset, (*file)->size);
	return libvirt_formats[format].is_packed ? unpack_stream(in, file, offset) : NULL;
}

/* The stream: *file from *offset on. */
static struct error *find_stream(const struct format_input *in, const struct file **file,
				 uint64_t *offset)
{
	const uint8_t *header;
	struct error *err;

	*file = in->file;
	*offset = 0;
	if (in->file->size < LIBVIRT_HEADER_SIZE)
		return NULL;
	err = file_bytes(in->file, 0, LIBVIRT_HEADER_SIZE, &header);
	if (err)
		return err;
	if (!memcmp(header, partial_magic, strlen(partial_magic)))
		diag_partial(in->diag, "libvirt has not finished this save file");
	else if (memcmp(header, libvirt_magic, strlen(libvirt_magic)))
		return NULL;
	return read_libvirt(in, header, file, offset);
}

static struct error *read_stream(const struct format_input *in, struct stream *s)
{
	CLEANUP(stream_devices_cleanup) struct stream_devices *devices = NULL;
	struct error *err;

	if ((err = stream_read_header(s)) || (err = stream_read_memory(s)))
		return err;
	if (s->devices && (err = stream_devices_read(s, in->cache, &devices)))
		return err;
	if (devices && (err = processors_read(devices, s->reader.file, in->info))) {
		if (error_code(err) != ERROR_CORRUPT && error_code(err) != ERROR_LIMIT)
			return err;
		diag_error(in->diag, err, "no registers");
	}
	return layout_place(&(struct layout_input){
		.ram = s->ram,
		.machine = s->machine,
		.devices = devices,
		.file = s->reader.file,
		.memory_map = in->memory_map,
		.diag = in->diag,
	});
}

static struct error *migration_open(const struct format_input *in)
{
	struct stream s = { .diag = in->diag, .is_wanted = layout_is_wanted };
	const struct file *file;
	uint64_t offset;
	struct error *err;

	in->info->format = "qemu-migration";
	in->info->machine = "amd64";
	if ((err = find_stream(in, &file, &offset)) || (err = ram_create(file, in->cache, &s.ram)))
		return err;
	file_reader_init(&s.reader, file, offset);
	err = read_stream(in, &s);
	file_reader_deinit(&s.reader);
	if (err) {
		ram_destroy(s.ram);
		return err;
	}
	return ram_add_to(s.ram, in->mem);
}

const struct format_ops migration_format = {
	.name = "migration",
	.description = "QEMU migration stream: migrate to a file, savevm, virsh save",
	.recognised = "QEVM or LibvirtQemudSave",
	.codecs = 1 << CODEC_ZLIB,
	.takes_memory_map = true,
	.probe = migration_probe,
	.open = migration_open,
};
