/* SPDX-License-Identifier: MIT */
#include "formats/aff4/volume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/aff4/private.h"

enum {
	MAX_TURTLE = 64 << 20,
	MAX_SMALL_MEMBER = 64 << 10,
	MAX_STREAMS = 256,   /* that one snapshot is made of */
	MAX_DEPTH = 4,	     /* of maps of maps */
	MAX_IMAGE_STEPS = 4, /* from an image to what has its bytes */
	LAST_MAJOR_VERSION = 1,
};

struct error *aff4_zip_read(struct aff4_volume *v, const struct zip_member *m, uint64_t max_size,
			    const uint8_t **ret)
{
	struct error *err = zip_read(v->zip, m, max_size, ret);

	if (err || m->method != ZIP_STORED)
		return err;
	if ((err = zip_check(m, *ret)))
		diag_error(v->context.diag, err, "AFF4 volume: what it says may be wrong");
	return NULL;
}

/* What the volume says of itself; the streams are read without it too. *len_ret 0: not there. */
static const char *read_small(struct aff4_volume *v, const char *name, size_t *len_ret)
{
	const struct zip_member *m = zip_find(v->zip, name);
	const uint8_t *bytes = NULL;
	struct error *err = m ? aff4_zip_read(v, m, MAX_SMALL_MEMBER, &bytes) : NULL;

	*len_ret = m && !err ? (size_t)m->size : 0;
	if (err)
		diag_error(v->context.diag, err, "AFF4 volume");
	return (const char *)bytes;
}

/* Bytes up to a NUL or white space, as an IRI; left alone when they do not fit. */
static void copy_uri(const char *text, size_t len, char ret[IRI_MAX])
{
	size_t n = 0;

	while (n < len && (unsigned char)text[n] > ' ')
		n++;
	while (n && text[n - 1] == '/')
		n--;
	if (n >= IRI_MAX)
		return;
	if (n)
		memcpy(ret, text, n);
	ret[n] = '\0';
}

/* The volume's own name: a member says it, and the archive's comment (standard, section 5.4). */
static void read_uri(struct aff4_volume *v)
{
	char comment[IRI_MAX] = "";
	const char *text;
	size_t len;

	text = zip_comment(v->zip, &len);
	copy_uri(text, len, comment);
	text = read_small(v, "container.description", &len);
	copy_uri(text, len, v->uri);
	if (!v->uri[0])
		strcpy(v->uri, comment);
	else if (comment[0] && strcmp(v->uri, comment))
		diag_note(v->context.diag, "the archive's comment names another volume: %s",
			  comment);
}

/* version.txt: lines of NAME=VALUE; volumes before the standard have none. */
static struct error *check_version(struct aff4_volume *v)
{
	static const char key[] = "major=";
	unsigned major = 0;
	const char *text, *at, *end;
	size_t len;

	text = read_small(v, "version.txt", &len);
	if (!len || !(at = memmem(text, len, key, strlen(key))))
		return NULL;
	end = text + len;
	for (at += strlen(key); at < end && *at >= '0' && *at <= '9' && major < 1000; at++)
		major = 10 * major + (unsigned)(*at - '0');
	if (major > LAST_MAJOR_VERSION)
		return error_new(ERROR_UNSUPPORTED, "AFF4 of version %u: expected %d or older",
				 major, LAST_MAJOR_VERSION);
	return NULL;
}

static struct error *read_turtle(struct aff4_volume *v)
{
	const struct zip_member *m = zip_find(v->zip, "information.turtle");
	const uint8_t *text;
	struct error *err;

	if (!m)
		return error_new(ERROR_UNSUPPORTED,
				 "zip archive that is no AFF4 volume: expected information.turtle "
				 "in it");
	if ((err = aff4_zip_read(v, m, MAX_TURTLE, &text)))
		return err;
	err = aff4_graph_read(&v->graph, (const char *)text, (size_t)m->size);
	if (err && (!v->graph.count || error_code(err) == ERROR_NO_MEMORY))
		return error_wrap(err, "information.turtle");
	if (err)
		diag_error(v->context.diag, err, "information.turtle: the rest of it is not read");
	return block_cache_reserve(v->context.cache, aff4_graph_bytes(&v->graph),
				   "what information.turtle says");
}

static struct error *open_into(struct aff4_volume *v)
{
	struct error *err;

	err = zip_open(v->context.file, v->context.cache, v->context.diag, &v->zip);
	if (err)
		return err;
	read_uri(v);
	err = check_version(v);
	return err ? err : read_turtle(v);
}

struct error *aff4_volume_open(const struct aff4_context *context, struct aff4_volume **ret)
{
	struct aff4_volume *v = calloc(1, sizeof(*v));
	struct error *err;

	if (!v)
		return &error_no_memory;
	v->context = *context;
	v->references = 1;
	if ((err = open_into(v))) {
		aff4_volume_close(v);
		return err;
	}
	*ret = v;
	return NULL;
}

struct aff4_volume *aff4_volume_reference(struct aff4_volume *v)
{
	v->references++;
	return v;
}

void aff4_volume_close(struct aff4_volume *v)
{
	if (!v || --v->references)
		return;
	for (size_t i = 0; i < v->num_streams; i++)
		free(v->streams[i].uri);
	free(v->streams);
	aff4_graph_deinit(&v->graph);
	zip_close(v->zip);
	free(v);
}

const struct aff4_graph *aff4_volume_graph(const struct aff4_volume *v)
{
	return &v->graph;
}

/* What no file name may hold is %XX, as c-aff4 and Evimetry write it. */
static void escape(const char *s, const char *safe_end, char ret[AFF4_MAX_MEMBER_NAME])
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (; *s && n < AFF4_MAX_MEMBER_NAME - 4; s++) {
		unsigned char c = (unsigned char)*s;

		if (c > ' ' && !strchr("!$\\:*%?\"<>|", c) && (c != '/' || s >= safe_end)) {
			ret[n++] = (char)c;
			continue;
		}
		ret[n++] = '%';
		ret[n++] = hex[c >> 4];
		ret[n++] = hex[c & 15];
	}
	ret[n] = '\0';
}

/* The part of the IRI below the volume, or NULL. */
static const char *relative(const struct aff4_volume *v, const char *uri)
{
	size_t len = strlen(v->uri);

	if (!len || strncmp(uri, v->uri, len) || uri[len] != '/')
		return NULL;
	for (uri += len; *uri == '/'; uri++)
		;
	return uri;
}

bool aff4_member_name(const struct aff4_volume *v, const char *uri, unsigned form,
		      char ret[AFF4_MAX_MEMBER_NAME])
{
	const char *below = relative(v, uri), *authority = strstr(uri, "://");

	switch (form) {
	case 0: /* "PhysicalMemory", or "aff4%3A%2F%2Fstream": its slashes are part of one name */
		if (below)
			escape(below, below, ret);
		else
			escape(uri, authority ? authority + 3 : uri, ret);
		return true;
	case 1: /* not escaped */
		snprintf(ret, AFF4_MAX_MEMBER_NAME, "%s", below ? below : uri);
		return true;
	case 2: /* absolute, though below the volume */
		escape(uri, authority ? authority + 3 : uri, ret);
		return below != NULL;
	case 3:
		snprintf(ret, AFF4_MAX_MEMBER_NAME, "/%s", below ? below : uri);
		return below != NULL;
	default:
		return false;
	}
}

const struct zip_member *aff4_find_member(const struct aff4_volume *v, const char *uri,
					  const char *suffix)
{
	char name[AFF4_MAX_MEMBER_NAME], full[AFF4_MAX_MEMBER_NAME + 16];

	for (unsigned form = 0; aff4_member_name(v, uri, form, name); form++) {
		const struct zip_member *m;

		snprintf(full, sizeof(full), "%s%s", name, suffix);
		if ((m = zip_find(v->zip, full)))
			return m;
	}
	return NULL;
}

struct error *aff4_read_member(struct aff4_volume *v, const char *uri, const char *suffix,
			       uint64_t max_size, const uint8_t **ret, size_t *len_ret)
{
	const struct zip_member *m = aff4_find_member(v, uri, suffix);
	struct error *err;

	*ret = NULL;
	*len_ret = 0;
	if (!m)
		return NULL;
	if ((err = aff4_zip_read(v, m, max_size, ret)))
		return err;
	*len_ret = (size_t)m->size;
	return NULL;
}

bool aff4_must_stop(const struct error *err)
{
	enum error_code code = error_code(err);

	return code == ERROR_NO_MEMORY || code == ERROR_LIMIT || code == ERROR_UNSUPPORTED;
}

static struct error *no_such_stream(const struct aff4_volume *v)
{
	return error_new(ERROR_NOT_FOUND,
			 "not in this volume (%s): is the image striped over several?",
			 v->uri[0] ? v->uri : "without a name");
}

static bool is_of_other_volume(const struct aff4_volume *v, const struct aff4_object *o)
{
	return o->stored && v->uri[0] && strcmp(o->stored, v->uri) &&
	       !strncmp(o->stored, "aff4://", strlen("aff4://"));
}

static struct error *open_segment(struct aff4_volume *v, const char *uri, struct file *ret)
{
	const struct zip_member *m = aff4_find_member(v, uri, "");

	return m ? zip_open_stored(v->zip, m, uri, ret) : no_such_stream(v);
}

static struct error *open_kind(struct aff4_volume *v, const char *uri, struct file *ret)
{
	const struct aff4_object *o = aff4_graph_find(&v->graph, uri);
	bool is_symbolic;
	struct error *err = aff4_symbolic_open(v, uri, ret, &is_symbolic);

	if (err || is_symbolic)
		return err;
	if (!o)
		return open_segment(v, uri, ret);
	if (o->types & AFF4_ENCRYPTED)
		return error_new(ERROR_UNSUPPORTED, "encrypted stream");
	if (is_of_other_volume(v, o))
		return error_new(ERROR_UNSUPPORTED,
				 "stored in another volume (%s): images that are striped over "
				 "several volumes are not read",
				 o->stored);
	if (o->types & AFF4_STREAM)
		return aff4_image_stream_open(v, o, ret);
	if (o->types & AFF4_MAP)
		return aff4_map_open(v, o, ret);
	return open_segment(v, uri, ret);
}

static struct opened_stream *find_opened(const struct aff4_volume *v, const char *uri)
{
	for (size_t i = 0; i < v->num_streams; i++) {
		if (!strcmp(v->streams[i].uri, uri))
			return &v->streams[i];
	}
	return NULL;
}

static struct error *open_new(struct aff4_volume *v, const char *uri, const struct file **ret)
{
	size_t index = v->num_streams;
	struct file file;
	struct error *err = array_reserve(&v->streams, &v->capacity, index + 1, sizeof(*v->streams),
					  MAX_STREAMS, "streams");

	if (err)
		return err;
	if (v->depth == MAX_DEPTH)
		return error_new(ERROR_LIMIT, "maps of maps, %d deep", MAX_DEPTH);
	v->streams[index] = (struct opened_stream){ .uri = strdup(uri) };
	if (!v->streams[index].uri)
		return &error_no_memory;
	v->num_streams++;
	v->depth++;
	err = open_kind(v, uri, &file);
	v->depth--;
	if (!err)
		err = file_set_add(v->context.files, &file, ret);
	if (!err)
		v->streams[index].file = *ret;
	return err;
}

/* An image is no stream: it names the one that has its bytes. */
static const char *stream_of_image(const struct aff4_volume *v, const char *uri)
{
	const struct aff4_object *o = aff4_graph_find(&v->graph, uri);

	for (unsigned i = 0; i < MAX_IMAGE_STEPS && o && o->data_stream; i++) {
		uri = o->data_stream;
		o = aff4_graph_find(&v->graph, uri);
	}
	return uri;
}

struct error *aff4_open_stream(struct aff4_volume *v, const char *uri, const struct file **ret)
{
	const struct opened_stream *opened;

	uri = stream_of_image(v, uri);
	opened = find_opened(v, uri);
	if (!opened)
		return error_wrap(open_new(v, uri, ret), "stream %s", uri);
	if (!opened->file)
		return error_new(ERROR_CORRUPT,
				 "stream %s: leads back to itself, or could not be opened before",
				 uri);
	*ret = opened->file;
	return NULL;
}
