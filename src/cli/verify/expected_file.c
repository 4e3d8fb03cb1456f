/* SPDX-License-Identifier: MIT */
#include "cli/verify/expected_file.h"

#include <stdlib.h>

#include "base/file.h"
#include "formats/writers/output.h"

static void file_cleanup(struct file *f)
{
	file_close(f);
}

struct error *expected_file_read(struct arena *a, const char *path, uint64_t max_memory,
				 struct expected *ret)
{
	struct file file CLEANUP(file_cleanup) = { 0 };
	struct error *err = file_open(&file, path);

	if (err)
		return err;
	return error_wrap(expected_read(a, file.bytes, (size_t)file.size, max_memory, ret), "%s",
			  path);
}

static struct error *write_bytes(const char *path, const char *bytes, size_t len, bool replace)
{
	struct output *out CLEANUP(output_cleanup) = NULL;
	const struct output_options options = { .replace = replace };
	struct output_result result;
	struct error *err;

	if ((err = output_create(path, &options, &out)) || (err = output_write(out, 0, bytes, len)))
		return err;
	return output_finish(out, &result);
}

struct error *expected_file_write(const char *path, const struct expected *e, bool replace)
{
	struct error *err = NULL;
	char *bytes = NULL;
	size_t len = 0;
	FILE *text = open_memstream(&bytes, &len);
	bool failed;

	if (!text)
		return &error_no_memory;
	err = expected_write(text, e);
	failed = ferror(text);
	if (fclose(text) != 0 || failed) {
		error_destroy(err);
		err = &error_no_memory;
	}
	if (!err)
		err = write_bytes(path, bytes, len, replace);
	free(bytes);
	return err;
}
