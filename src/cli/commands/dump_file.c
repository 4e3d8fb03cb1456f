/* SPDX-License-Identifier: MIT */
/* Files as sections and the cache hold them. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/u64_set.h"
#include "cli/commands/dump.h"
#include "cli/names.h"
#include "windows/regions/file_content.h"
#include "windows/regions/file_list.h"

static const char not_cached[] = "not_cached";

/* One file on its way out. */
struct file_output {
	struct dump_file *file;
	uint64_t next; /* offset up to which it is told */
};

static struct error *put_gap(struct file_output *out, uint64_t end)
{
	struct opt_u64 nowhere = { 0 };
	uint64_t start = out->next;

	if (end <= start)
		return NULL;
	out->next = end;
	return dump_gap(out->file, start, nowhere, end - start, not_cached);
}

static struct error *put_stretch(void *arg, const struct file_stretch *s)
{
	struct file_output *out = arg;
	const char *source = file_source_name(s->source);
	struct error *err;

	if ((err = put_gap(out, s->offset)))
		return err;
	out->next = s->offset + s->len;
	if (s->va.present)
		return dump_bytes(out->file, s->offset, s->va, s->bytes, s->len, source);
	return dump_bytes_at_pa(out->file, s->offset, s->pa, s->bytes, s->len, source);
}

static void report(struct command_run *run, const char *path, const struct file_content *c,
		   const struct file_difference *differences)
{
	if (c->broken)
		diag_partial(run->diag, "%s: a part of its sections is lost: %s", path, c->broken);
	if (c->lost_views)
		diag_partial(run->diag, "%s: %" PRIu64 " views of the cache cannot be read", path,
			     c->lost_views);
	if (c->not_captured)
		diag_partial(run->diag, "%s: %" PRIu64 " pages in memory are not in the snapshot",
			     path, c->not_captured);
	if (c->paged_out)
		diag_partial(run->diag,
			     "%s: %" PRIu64
			     " pages are in a page file or the compressed store and cannot be "
			     "read (--pagefile gives a page file)",
			     path, c->paged_out);
	if (c->absent_entries)
		diag_partial(run->diag, "%s: %" PRIu64 " of its prototype PTEs are absent", path,
			     c->absent_entries);
	for (size_t i = 0; i < NUM_FILE_SOURCES; i++) {
		if (!differences[i].bytes)
			continue;
		diag_note(run->diag,
			  "%s: %s has %" PRIu64 " bytes otherwise, the first at 0x%" PRIx64
			  "; they are not written",
			  path, file_source_name((enum file_source)i), differences[i].bytes,
			  differences[i].first);
	}
}

static struct error *put_content(struct dump *dump, const struct listed_file *file,
				 const struct file_content *content)
{
	struct file_difference differences[NUM_FILE_SOURCES];
	struct dump_file *f CLEANUP(dump_file_cleanup) = NULL;
	const char *path = file->path ? file->path : "a file without name";
	struct file_output out = { 0 };
	struct error *err;

	if ((err = dump_begin(dump, file->path, opt_u64(file->object.va), &f)))
		return err;
	out.file = f;
	if ((err = file_content_each(content, put_stretch, &out, differences)))
		return err;
	if (content->has_size && (err = put_gap(&out, content->size)))
		return err;
	report(dump->run, path, content, differences);
	return dump_end(take_ptr(f));
}

/* What is too large for a file is lost alone. */
static struct error *put_file(struct dump *dump, const struct file_content_reader *reader,
			      const struct listed_file *file)
{
	const struct file_difference no_differences[NUM_FILE_SOURCES] = { { 0 } };
	struct file_content content CLEANUP(file_content_deinit) = { 0 };
	const char *path = file->path ? file->path : "a file without name";
	struct error *err;

	if ((err = file_content_read(reader, &file->object, &content)))
		return err;
	if (content.count) {
		err = put_content(dump, file, &content);
		if (err && error_code(err) == ERROR_LIMIT) {
			diag_error(dump->run->diag, err, "left out");
			err = NULL;
		}
		return err;
	}
	report(dump->run, path, &content, no_differences);
	diag_partial(dump->run->diag, "%s: nothing of it was found in memory", path);
	return NULL;
}

static bool is_wanted(const struct listed_file *file, const char *word)
{
	uint64_t va;

	if (address_parse(word, &va) && va == file->object.va)
		return true;
	return file->path && names_match(word, file->path);
}

/* Each file once, however many objects it has: their section pointers are the same. */
static struct error *put_matches(struct dump *dump, const struct file_list *list, const char *word,
				 size_t *matches_ret)
{
	struct u64_set seen CLEANUP(u64_set_deinit) = { 0 };
	struct file_content_reader reader;
	struct error *err;
	bool is_new;

	*matches_ret = 0;
	if ((err = file_content_reader_init(dump->run->kernel, &reader)))
		return err;
	for (size_t i = 0; i < list->count && !err; i++) {
		const struct listed_file *file = &list->items[i];

		if (!is_wanted(file, word))
			continue;
		(*matches_ret)++;
		if (!file->object.pointers.present)
			continue;
		if (!(err = u64_set_add(&seen, file->object.pointers.value, &is_new)) && is_new)
			err = put_file(dump, &reader, file);
	}
	if (!err && *matches_ret && !dump->num_files)
		err = error_new(ERROR_NOT_FOUND, "'%s': nothing of such files is in memory", word);
	return err;
}

/* What handles and regions lead to first: scanning takes its time. */
static struct error *file_run(struct dump *dump)
{
	const char *word = option_string(dump->run->options, "file");
	struct file_list_options options = { .scan = false };
	struct object_manager *om = NULL;
	struct file_list list = { 0 };
	size_t matches = 0;
	struct error *err;

	if ((err = object_manager_open(dump->run->kernel, &om)))
		return err;
	for (int scan = 0; scan < 2 && !err && !matches; scan++) {
		options.scan = scan;
		if (!(err = file_list_read(dump->run->kernel, om, &options, &list)))
			err = put_matches(dump, &list, word, &matches);
		file_list_deinit(&list);
	}
	object_manager_close(om);
	if (!err && !matches)
		err = error_new(ERROR_NOT_FOUND, "'%s' is no file that is open", word);
	return err;
}

const struct dump_kind dump_file_kind = { .option = "file", .run = file_run };
