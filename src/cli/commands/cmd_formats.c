/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "codec/codec.h"
#include "container/container.h"
#include "formats/known.h"
#include "formats/writer.h"

enum {
	FORMATS_KIND,
	FORMATS_NAME,
	FORMATS_READ,
	FORMATS_WRITE,
	FORMATS_BUILT,
	FORMATS_RECOGNISED,
	FORMATS_DESCRIPTION,
	FORMATS_NUM_COLUMNS
};

static const struct column formats_columns[FORMATS_NUM_COLUMNS] = {
	[FORMATS_KIND] = { "kind", "KIND", CELL_STR, 9, 0,
			   "snapshot; container: what a snapshot may be packed in; codec: what "
			   "parts of it may be packed with; refused: known by name alone" },
	[FORMATS_NAME] = { "name", "NAME", CELL_STR, 16, 0,
			   "of snapshots: what --input-format takes" },
	[FORMATS_READ] = { "read", "READ", CELL_BOOL, 5, 0, "can it be read by this program?" },
	[FORMATS_WRITE] = { "write", "WRITE", CELL_STRS, 14, 0,
			    "the names by which 'convert --to' writes it; none: it is not "
			    "written" },
	[FORMATS_BUILT] = { "built", "BUILT", CELL_STR, 22, 0,
			    "libraries and codecs that it takes, and which of them were not there "
			    "when the program was built" },
	[FORMATS_RECOGNISED] = { "recognised", "RECOGNISED", CELL_STR, 24, 0,
				 "the bytes that it begins with, as text or hex digits, or how "
				 "else it is known" },
	[FORMATS_DESCRIPTION] = { "description", "DESCRIPTION", CELL_STR, 0, 0,
				  "what it is; if it is refused: what to do" },
};

enum { MAX_WRITERS = 8, MAX_CODEC_TEXT = 160, MAX_MAGIC_TEXT = 96 };

/* What convert writes of a format. */
static size_t find_writers(const char *format, const char *ret[MAX_WRITERS])
{
	size_t count = 0;

	for (size_t i = 0; i < num_writers && count < MAX_WRITERS; i++) {
		if (strcmp(writer_registry[i]->format, format) == 0)
			ret[count++] = writer_registry[i]->name;
	}
	return count;
}

/* "zlib, zstd, built without snappy"; NULL: it takes none. */
static const char *codecs_text(uint32_t codecs, char text[MAX_CODEC_TEXT])
{
	size_t used = 0;

	for (unsigned missing = 0; missing < 2; missing++) {
		for (unsigned i = 0; i < NUM_CODECS; i++) {
			if (!(codecs & 1u << i) || codec_is_built_in(i) == missing ||
			    used >= MAX_CODEC_TEXT)
				continue;
			used += (size_t)snprintf(text + used, MAX_CODEC_TEXT - used, "%s%s%s",
						 used ? ", " : "", missing ? "built without " : "",
						 codec_name(i));
		}
	}
	return used ? text : NULL;
}

static struct error *put_snapshot(struct command_run *run, const struct format_ops *format)
{
	const char *writers[MAX_WRITERS];
	size_t num = find_writers(format->name, writers);
	char codecs[MAX_CODEC_TEXT];
	const struct cell cells[FORMATS_NUM_COLUMNS] = {
		[FORMATS_KIND] = cell_str("snapshot"),
		[FORMATS_NAME] = cell_str(format->name),
		[FORMATS_READ] = cell_bool(true),
		[FORMATS_WRITE] = num ? cell_strs(writers, num) : CELL_ABSENT,
		[FORMATS_BUILT] = cell_str(codecs_text(format->codecs, codecs)),
		[FORMATS_RECOGNISED] = cell_str(format->recognised),
		[FORMATS_DESCRIPTION] = cell_str(format->description),
	};

	return sink_row(run->sink, cells, 0);
}

/* A library that was or was not there; NULL: none is needed. */
static const char *library_text(const char *library, bool is_built_in, char text[MAX_CODEC_TEXT])
{
	if (!library[0])
		return NULL;
	snprintf(text, MAX_CODEC_TEXT, "%s%s", is_built_in ? "" : "built without ", library);
	return text;
}

static struct error *put_container(struct command_run *run, const struct container_ops *ops)
{
	char library[MAX_CODEC_TEXT];
	const struct cell cells[FORMATS_NUM_COLUMNS] = {
		[FORMATS_KIND] = cell_str("container"),
		[FORMATS_NAME] = cell_str(ops->name),
		[FORMATS_READ] = cell_bool(ops->built_in),
		[FORMATS_BUILT] = cell_str(library_text(ops->library, ops->built_in, library)),
		[FORMATS_RECOGNISED] = cell_str(ops->recognised),
		[FORMATS_DESCRIPTION] = cell_str("a snapshot in it is read as it is"),
	};

	return sink_row(run->sink, cells, 0);
}

/* "in kdump, avml" */
static const char *users_text(enum codec codec, char text[MAX_CODEC_TEXT])
{
	size_t used = 0;

	for (size_t i = 0; i < num_formats && used < MAX_CODEC_TEXT; i++) {
		if (format_registry[i]->codecs & 1u << codec)
			used += (size_t)snprintf(text + used, MAX_CODEC_TEXT - used, "%s%s",
						 used ? ", " : "in ", format_registry[i]->name);
	}
	return used ? text : NULL;
}

static struct error *put_codec(struct command_run *run, enum codec codec)
{
	char library[MAX_CODEC_TEXT], users[MAX_CODEC_TEXT];
	bool built = codec_is_built_in(codec);
	const struct cell cells[FORMATS_NUM_COLUMNS] = {
		[FORMATS_KIND] = cell_str("codec"),
		[FORMATS_NAME] = cell_str(codec_name(codec)),
		[FORMATS_READ] = cell_bool(built),
		[FORMATS_BUILT] = cell_str(library_text(codec_library(codec), built, library)),
		[FORMATS_DESCRIPTION] = cell_str(users_text(codec, users)),
	};

	return sink_row(run->sink, cells, 0);
}

static size_t count_printable(const char *bytes, size_t len)
{
	size_t count = 0;

	while (count < len && bytes[count] >= ' ' && bytes[count] <= '~')
		count++;
	return count;
}

/* "ustar at offset 257", "'MDMP' 93 a7": what is no text is hex digits. */
static const char *magic_text(const struct known_format *known, char text[MAX_MAGIC_TEXT])
{
	enum { MIN_TEXT = 3 };
	size_t used = 0, len = known->length;

	for (size_t i = 0; i < len && used < MAX_MAGIC_TEXT;) {
		size_t run = count_printable(known->magic + i, len - i);
		char *at = text + used;
		size_t room = MAX_MAGIC_TEXT - used;
		const char *space = i ? " " : "";

		if (run == len)
			used += (size_t)snprintf(at, room, "%.*s", (int)run, known->magic);
		else if (run >= MIN_TEXT)
			used += (size_t)snprintf(at, room, "%s'%.*s'", space, (int)run,
						 known->magic + i);
		else
			used += (size_t)snprintf(at, room, "%s%02x", space,
						 (uint8_t)known->magic[i]);
		i += run >= MIN_TEXT || run == len ? run : 1;
	}
	if (known->offset && used < MAX_MAGIC_TEXT)
		snprintf(text + used, MAX_MAGIC_TEXT - used, " at offset %u", known->offset);
	return text;
}

static struct error *put_refused(struct command_run *run, const struct known_format *known)
{
	char magic[MAX_MAGIC_TEXT];
	const struct cell cells[FORMATS_NUM_COLUMNS] = {
		[FORMATS_KIND] = cell_str("refused"),
		[FORMATS_NAME] = cell_str(known->name),
		[FORMATS_READ] = cell_bool(false),
		[FORMATS_RECOGNISED] = cell_str(magic_text(known, magic)),
		[FORMATS_DESCRIPTION] = cell_str(known->advice),
	};

	return sink_row(run->sink, cells, 0);
}

static struct error *formats_run(struct command_run *run)
{
	struct error *err = NULL;

	for (size_t i = 0; i < num_formats && !err; i++)
		err = put_snapshot(run, format_registry[i]);
	for (size_t i = 0; i < num_containers && !err; i++)
		err = put_container(run, container_registry[i]);
	for (unsigned i = 0; i < NUM_CODECS && !err; i++)
		err = put_codec(run, i);
	for (size_t i = 0; i < num_known_formats && !err; i++)
		err = put_refused(run, &known_formats[i]);
	return err;
}

const struct command cmd_formats = {
	.name = "formats",
	.summary = "what can be read and written, and how it is recognised",
	.description =
		"Lists the formats of snapshots, the containers that one may lie in (also one in "
		"another: memory.raw.zip.gz), the codecs that formats pack their blocks with, and "
		"the files that are known by name and refused, with what to do instead. What "
		"'convert' writes it also writes as LZ4, with '.lz4' behind the name.\n\n"
		"A format is chosen by what the file begins with, and by its name only where it "
		"has no magic (.vmem); --input-format names it where that is wrong.\n\n"
		"There is no snapshot on this command line.",
	.example = "ntscope formats --columns name,read,write",
	.columns = formats_columns,
	.num_columns = FORMATS_NUM_COLUMNS,
	.flags = COMMAND_NO_SNAPSHOT,
	.run = formats_run,
};
