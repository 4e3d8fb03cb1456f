/* SPDX-License-Identifier: MIT */
#include "formats/migration/devices.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cursor.h"

enum {
	MAX_STATE = 64 << 20,	   /* bytes of devices and their description */
	MAX_DESCRIPTION = 4 << 20, /* characters; a large machine has a few 100 KiB */
	/* Memory that parsed JSON takes at most, in bytes a character: [[],[],... */
	MEMORY_PER_CHARACTER = 32,
	MAX_DEPTH = 16,	   /* of subsections in subsections */
	HEAD_SIZE = 1 + 4, /* type and length before the description */
};

struct stream_device {
	const json_t *description; /* borrowed */
	uint64_t offset;	   /* of its fields in the file */
};

struct stream_devices {
	json_t *description;
	struct stream_device *items;
	size_t count, capacity;
};

void stream_devices_destroy(struct stream_devices *d)
{
	if (!d)
		return;
	json_decref(d->description);
	free(d->items);
	free(d);
}

void stream_devices_cleanup(struct stream_devices **d)
{
	stream_devices_destroy(*d);
}

/* The description: after the end mark, with its length before it. */
static bool find_description(const uint8_t *state, size_t size, size_t *start, size_t *length)
{
	const uint8_t *at = state, *end = state + size;

	for (; at < end && (at = memchr(at, '{', (size_t)(end - at))); at++) {
		uint32_t n;

		if (at - state <= HEAD_SIZE || at[-HEAD_SIZE] != STREAM_DESCRIPTION ||
		    at[-HEAD_SIZE - 1] != STREAM_EOF)
			continue;
		n = __builtin_bswap32(load_u32(at - 4));
		if (!n || n > MAX_DESCRIPTION || n > (size_t)(end - at) || at[n - 1] != '}')
			continue;
		*start = (size_t)(at - state);
		*length = n;
		return true;
	}
	return false;
}

static uint64_t number(const json_t *object, const char *key, uint64_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) && json_integer_value(value) >= 0
		       ? (uint64_t)json_integer_value(value)
		       : otherwise;
}

static const char *string(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* Bytes of one field with all its elements; more than any state where that is not so. */
static uint64_t field_size(const json_t *field)
{
	uint64_t size;

	if (__builtin_mul_overflow(number(field, "size", MAX_STATE + 1),
				   number(field, "array_len", 1), &size) ||
	    size > MAX_STATE)
		return MAX_STATE + 1;
	return size;
}

/* Of a device or subsection: its fields, then its subsections, each with a header. */
static uint64_t state_size(const json_t *description, unsigned depth)
{
	const json_t *fields = json_object_get(description, "fields");
	const json_t *subsections = json_object_get(description, "subsections");
	uint64_t size = 0;

	if (depth > MAX_DEPTH)
		return MAX_STATE + 1;
	for (size_t i = 0; i < json_array_size(fields) && size <= MAX_STATE; i++)
		size += field_size(json_array_get(fields, i));
	for (size_t i = 0; i < json_array_size(subsections) && size <= MAX_STATE; i++) {
		const json_t *subsection = json_array_get(subsections, i);

		/* type, length of the name, name, version */
		size += 1 + 1 + strlen(string(subsection, "vmsd_name")) + 4 +
			state_size(subsection, depth + 1);
	}
	return size;
}

static bool is_described(const json_t *device, const struct stream_section_header *section)
{
	return !strcmp(string(device, "name"), section->name) &&
	       number(device, "instance_id", UINT64_MAX) == section->instance;
}

/* The next section and what describes it; devices that were sent before RAM are passed over. */
static struct error *read_device(struct stream_devices *d, struct file_reader *r, bool has_footers,
				 size_t *index, bool *is_end)
{
	const json_t *devices = json_object_get(d->description, "devices"), *device;
	struct stream_section_header section;
	uint64_t offset = r->pos;
	const uint8_t *type;
	struct error *err = file_reader_take(r, 1, &type);

	if (err)
		return err;
	*is_end = *type == STREAM_EOF;
	if (*is_end)
		return NULL;
	if (*type != STREAM_FULL)
		return error_new(ERROR_CORRUPT,
				 "file offset 0x%" PRIx64
				 ": expected a device's section, found type 0x%x",
				 offset, *type);
	if ((err = stream_read_section(r, STREAM_FULL, &section)))
		return err;
	while ((device = json_array_get(devices, *index)) && !is_described(device, &section))
		++*index;
	if (!device)
		return error_new(ERROR_CORRUPT,
				 "device '%s' at file offset 0x%" PRIx64 " is not described",
				 section.name, offset);
	++*index;
	err = array_reserve(&d->items, &d->capacity, d->count + 1, sizeof(*d->items), DEVICES_MAX,
			    "devices");
	if (err)
		return err;
	offset = r->pos;
	if ((err = file_reader_skip(r, state_size(device, 0))) ||
	    (has_footers && (err = stream_read_footer(r, section.id))))
		return error_wrap(err, "device '%s'", section.name);
	d->items[d->count++] = (struct stream_device){ device, offset };
	return NULL;
}

static struct error *walk(struct stream_devices *d, const struct stream *stream)
{
	struct file_reader r;
	struct error *err = NULL;
	bool is_end = false;
	size_t index = 0;

	file_reader_init(&r, stream->reader.file, stream->devices);
	while (!err && !is_end)
		err = read_device(d, &r, stream->has_footers, &index, &is_end);
	file_reader_deinit(&r);
	return err;
}

/* *ret stays NULL where there is none. */
static struct error *read_description(const struct file *file, uint64_t offset,
				      struct block_cache *cache, json_t **ret)
{
	uint64_t left = file->size - offset;
	size_t size = left < MAX_STATE ? (size_t)left : MAX_STATE, start, length;
	const uint8_t *state;
	struct error *err = file_bytes(file, offset, size, &state);

	if (err || !find_description(state, size, &start, &length))
		return err;
	err = block_cache_reserve(cache, (uint64_t)length * MEMORY_PER_CHARACTER,
				  "the stream's description of its devices");
	if (err)
		return err;
	*ret = json_loadb((const char *)state + start, length, 0, NULL);
	return NULL;
}

struct error *stream_devices_read(const struct stream *stream, struct block_cache *cache,
				  struct stream_devices **ret)
{
	struct stream_devices *d = calloc(1, sizeof(*d));
	struct error *err;

	if (!d)
		return &error_no_memory;
	*ret = NULL;
	err = read_description(stream->reader.file, stream->devices, cache, &d->description);
	if (err || !d->description) {
		stream_devices_destroy(d);
		if (err && error_code(err) == ERROR_CORRUPT)
			diag_error(stream->diag, take_ptr(err), "devices are not read");
		else if (!err)
			diag_note(stream->diag, "the stream has no description of its devices: no "
						"registers");
		return err;
	}
	err = walk(d, stream);
	if (err && error_code(err) != ERROR_CORRUPT) {
		stream_devices_destroy(d);
		return err;
	}
	if (err)
		diag_error(stream->diag, err, "devices after that are not read");
	*ret = d;
	return NULL;
}

const struct stream_device *stream_devices_next(const struct stream_devices *d, const char *name,
						const struct stream_device *after)
{
	for (size_t i = after ? (size_t)(after - d->items) + 1 : 0; i < d->count; i++) {
		if (!strcmp(string(d->items[i].description, "name"), name))
			return &d->items[i];
	}
	return NULL;
}

/* A field of that name among `fields`, and how far into them it begins. */
static const json_t *find_field(const json_t *fields, const char *name, uint64_t *offset)
{
	for (size_t i = 0; i < json_array_size(fields); i++) {
		const json_t *field = json_array_get(fields, i);

		if (!strcmp(string(field, "name"), name))
			return field;
		*offset += field_size(field);
	}
	return NULL;
}

bool stream_device_field(const struct stream_device *device, const char *field, uint64_t element,
			 const char *member, uint64_t *offset, uint64_t *size)
{
	uint64_t at = device->offset, start = 0, room;
	const json_t *found =
		find_field(json_object_get(device->description, "fields"), field, &at);

	if (!found || element >= number(found, "array_len", 1) || field_size(found) > MAX_STATE)
		return false;
	room = number(found, "size", 0);
	at += element * room;
	if (member) {
		found = find_field(json_object_get(json_object_get(found, "struct"), "fields"),
				   member, &start);
		if (!found || start > room || number(found, "size", UINT64_MAX) > room - start)
			return false;
		room = number(found, "size", 0);
	}
	*offset = at + start;
	*size = room;
	return true;
}
