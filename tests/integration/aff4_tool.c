/* SPDX-License-Identifier: MIT */
/*
 * aff4_tool FILE: the streams of an AFF4 volume, a line each: IRI, size, ALGORITHM=HASH ... as
 * recorded. aff4_tool FILE IRI: the bytes of one on standard output.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/aff4/volume.h"

static void print_diag(void *arg, enum diag_kind kind, const char *message)
{
	(void)arg;
	fprintf(stderr, "%s: %s\n", kind == DIAG_NOTE ? "note" : "partial", message);
}

static void list(const struct aff4_graph *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct aff4_object *o = &g->objects[i];

		if (!(o->types & (AFF4_STREAM | AFF4_MAP | AFF4_IMAGE)))
			continue;
		printf("%s %" PRIu64, o->uri, o->size);
		if (o->data_stream)
			printf(" dataStream=%s", o->data_stream);
		for (const struct aff4_hash *h = o->hashes; h; h = h->next)
			printf(" %s=%s", h->algorithm, h->value);
		putchar('\n');
	}
}

static struct error *print_stream(struct aff4_volume *v, const char *uri)
{
	static uint8_t buf[FILE_MAX_VIEW];
	const struct file *file;
	struct error *err = aff4_open_stream(v, uri, &file);

	if (err)
		return err;
	for (uint64_t at = 0, part; at < file->size; at += part) {
		part = file->size - at < sizeof(buf) ? file->size - at : sizeof(buf);
		if ((err = file_read(file, at, buf, (size_t)part)))
			return err;
		if (fwrite(buf, 1, (size_t)part, stdout) != part)
			return error_new(ERROR_OS, "cannot write");
	}
	return NULL;
}

static struct error *run(struct aff4_context *c, const char *uri)
{
	struct aff4_volume *v;
	struct error *err = aff4_volume_open(c, &v);

	if (err)
		return err;
	if (uri)
		err = print_stream(v, uri);
	else
		list(aff4_volume_graph(v));
	aff4_volume_close(v);
	return err;
}

int main(int argc, char **argv)
{
	struct file_set files = { 0 };
	struct block_cache *cache = NULL;
	struct file file = { .fd = -1 };
	struct diag diag;
	struct error *err;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: aff4_tool FILE [IRI]\n");
		return 2;
	}
	diag_init(&diag, print_diag, NULL);
	err = file_open(&file, argv[1]);
	if (!err)
		err = block_cache_create(0, &cache);
	if (!err)
		err = run(
			&(struct aff4_context){
				.file = &file,
				.cache = cache,
				.files = &files,
				.diag = &diag,
			},
			argv[2]);
	if (err)
		fprintf(stderr, "%s: %s\n", argv[1], error_message(err));
	error_destroy(err);
	file_set_deinit(&files);
	file_close(&file);
	block_cache_destroy(cache);
	return err ? 1 : diag.partial ? 3 : 0;
}
