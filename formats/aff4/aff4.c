/* SPDX-License-Identifier: MIT */
/*
 * AFF4 volumes with an image of memory, as WinPmem and the other imagers on c-aff4 write them: a
 * map whose offsets are physical addresses. What the map does not name is absent, and so is what
 * it says that nobody knows; where it names zeros they are zeros. Without a map the stream is
 * memory from address 0 on, or an ELF core (winpmem --format raw, elf).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "formats/aff4/private.h"
#include "formats/registry.h"

enum { MAX_YAML = 1 << 20 };
/* Of CR3: without PCID and flags. */
#define CR3_ADDRESS	UINT64_C(0x000ffffffffff000)
#define LOCAL_SIGNATURE "PK\x03\x04"
/* Names of a volume's first member, which follow its 30 bytes of local header. */
static const char *const first_names[] = {
	"container.description",
	"version.txt",
	"information.turtle",
	"aff4%3A%2F%2F",
};

static unsigned aff4_probe(const struct probe_input *in)
{
	enum { VERSION = 4, METHOD = 8, NAME_OFFSET = 30, SIGNATURE_BITS = 32 };
	enum { MAX_VERSION = 63, MAX_METHOD = 99 }; /* of zip */

	if (in->head_size < NAME_OFFSET || memcmp(in->head, LOCAL_SIGNATURE, 4))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(first_names); i++) {
		size_t len = strlen(first_names[i]);

		if (in->head_size - NAME_OFFSET >= len &&
		    !memcmp(in->head + NAME_OFFSET, first_names[i], len))
			return SIGNATURE_BITS + 8u * (unsigned)len;
	}
	/* Memory may begin so by chance. */
	if (in->head[VERSION] > MAX_VERSION && load_u16(in->head + METHOD) > MAX_METHOD)
		return 0;
	return SIGNATURE_BITS + 1;
}

static bool is_physical(const struct aff4_object *o)
{
	return (o->types & AFF4_MEMORY) ||
	       (o->category && !strcmp(o->category, AFF4_MEMORY_NAMESPACE "physical"));
}

/* The image of memory that is said to be one; of several the first. */
static const struct aff4_object *find_physical(const struct aff4_graph *g, struct diag *diag)
{
	const struct aff4_object *found = NULL;

	for (size_t i = 0; i < g->count; i++) {
		const struct aff4_object *o = &g->objects[i];

		if (!is_physical(o))
			continue;
		/* An image and its stream may both say so. */
		if (found && found->data_stream && !strcmp(found->data_stream, o->uri))
			continue;
		if (found)
			diag_note(diag, "another image of memory is left alone: %s", o->uri);
		else
			found = o;
	}
	return found;
}

/* The only object of a type that is no file of its own in the archive, or NULL. */
static const struct aff4_object *find_only(const struct aff4_graph *g, unsigned type)
{
	const struct aff4_object *found = NULL;

	for (size_t i = 0; i < g->count; i++) {
		if (!(g->objects[i].types & type) || (g->objects[i].types & AFF4_SEGMENT))
			continue;
		if (found)
			return NULL;
		found = &g->objects[i];
	}
	return found;
}

static struct error *choose_image(const struct aff4_graph *g, struct diag *diag,
				  const struct aff4_object **ret)
{
	static const unsigned orders[] = { AFF4_IMAGE, AFF4_MAP, AFF4_STREAM };
	const struct aff4_object *found = find_physical(g, diag);

	for (size_t i = 0; i < g->count && !found; i++) {
		if (g->objects[i].types & AFF4_DISK)
			return error_new(ERROR_UNSUPPORTED,
					 "AFF4 image of a disk (%s): expected an image of memory",
					 g->objects[i].uri);
	}
	for (size_t i = 0; i < ARRAY_SIZE(orders) && !found; i++)
		found = find_only(g, orders[i]);
	if (!found)
		return error_new(ERROR_UNSUPPORTED,
				 "AFF4 volume of %zu objects: expected one image of memory among "
				 "them",
				 g->count);
	*ret = found;
	return NULL;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* A stream without a map: an ELF core, or memory from address 0 on. */
static struct error *open_linear(const struct format_input *in, struct aff4_volume *v,
				 const char *uri)
{
	struct format_input inner = *in;
	uint8_t magic[4] = { 0 };
	uint64_t length;
	struct error *err = aff4_open_stream(v, uri, &inner.file);

	if (err)
		return err;
	length = min_u64(inner.file->size, PHYSMEM_MAX_END);
	/* Where it cannot be decoded the pages say so. */
	error_destroy(file_read(inner.file, 0, magic, length < 4 ? 0 : 4));
	if (memcmp(magic,
		   "\x7f"
		   "ELF",
		   4))
		return length ? physmem_add_file(in->mem, 0, length, inner.file, 0) : NULL;
	err = elf_format.open(&inner);
	in->info->subtype = in->info->format;
	return err;
}

/* How the image's bytes are compressed: of the first stream that says so. */
static const char *subtype(const struct aff4_graph *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct aff4_object *o = &g->objects[i];
		enum codec codec;
		bool stored;

		if ((o->types & AFF4_STREAM) && o->compression &&
		    aff4_compression(o->compression, &codec, &stored))
			return stored ? "stored" : codec_name(codec);
	}
	return NULL;
}

/* The number after "key:" at the beginning of a line, whatever its indent. */
static bool yaml_number(const char *text, size_t len, const char *key, uint64_t *ret)
{
	size_t key_len = strlen(key);
	const char *end = text + len;

	for (const char *line = text, *next; line < end; line = next) {
		char number[32];
		size_t n = 0;

		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next + 1 : end;
		while (line < next && *line == ' ')
			line++;
		if ((size_t)(next - line) <= key_len || memcmp(line, key, key_len) ||
		    line[key_len] != ':')
			continue;
		for (line += key_len + 1; line < next && *line == ' '; line++)
			;
		while (line < next && (unsigned char)*line > ' ' && n + 1 < sizeof(number))
			number[n++] = *line++;
		number[n] = '\0';
		return text_parse_u64(number, ret);
	}
	return false;
}

/* What WinPmem saw beside the memory (c-aff4's win_pmem.cc, DumpMemoryInfoToYaml()). */
static struct error *read_hints(struct aff4_volume *v, const struct aff4_object *o,
				struct dump_info *info, struct diag *diag)
{
	const uint8_t *text;
	uint64_t value;
	size_t len;
	struct error *err = aff4_read_member(v, o->uri, "/information.yaml", MAX_YAML, &text, &len);

	if (err && aff4_must_stop(err))
		return err;
	if (err)
		diag_error(diag, err, "what WinPmem saw");
	else if (text && yaml_number((const char *)text, len, "CR3", &value))
		info->hints.dtb = value & CR3_ADDRESS;
	if (!err && text && yaml_number((const char *)text, len, "KernBase", &value))
		info->hints.kernel_base = value;
	return NULL;
}

static struct error *open_volume(const struct format_input *in, struct aff4_volume *v)
{
	const struct aff4_graph *g = aff4_volume_graph(v);
	const struct aff4_object *image = NULL, *stream;
	const char *uri;
	struct error *err;

	in->info->subtype = subtype(g);
	if ((err = choose_image(g, in->diag, &image)) ||
	    (err = read_hints(v, image, in->info, in->diag)))
		return err;
	uri = image->data_stream ? image->data_stream : image->uri;
	stream = aff4_graph_find(g, uri);
	if (stream && (stream->types & AFF4_MAP))
		return aff4_add_memory(in, v, stream);
	return open_linear(in, v, uri);
}

static struct error *aff4_open(const struct format_input *in)
{
	struct aff4_volume *v;
	struct error *err = aff4_volume_open(
		&(struct aff4_context){
			.file = in->file,
			.cache = in->cache,
			.files = in->files,
			.diag = in->diag,
			.only_known = true,
		},
		&v);

	if (err)
		return err;
	err = open_volume(in, v);
	in->info->format = "aff4";
	in->info->machine = "amd64";
	aff4_volume_close(v);
	return err;
}

const struct format_ops aff4_format = {
	.name = "aff4",
	.description = "AFF4 volume with an image of memory: WinPmem, c-aff4",
	.recognised = "zip archive (\"PK\\3\\4\") with information.turtle",
	.codecs = 1u << CODEC_ZLIB | 1u << CODEC_DEFLATE | 1u << CODEC_SNAPPY | 1u << CODEC_LZ4,
	.probe = aff4_probe,
	.open = aff4_open,
};
