/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "writers.h"

enum { PARTIAL_PAGE = 0x123 }; /* bytes beyond the last whole page */

static struct error *write_frames(const struct image *img, int fd, const char *path)
{
	for (size_t i = 0; i < img->num_frames; i++) {
		const struct frame *frame = &img->frames[i];
		off_t at = (off_t)(frame->gfn * FRAME_SIZE);

		if (pwrite(fd, frame->bytes, FRAME_SIZE, at) != FRAME_SIZE)
			return error_os(errno, "%s", path);
	}
	return NULL;
}

struct error *write_raw(const struct image *img, unsigned variant, const char *path)
{
	struct error *err;
	uint64_t end = 0;
	int fd;

	for (size_t i = 0; i < img->num_runs; i++) {
		if (img->runs[i].start + img->runs[i].size > end)
			end = img->runs[i].start + img->runs[i].size;
	}
	if (variant == RAW_PARTIAL_PAGE)
		end += PARTIAL_PAGE;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_os(errno, "%s", path);
	err = write_frames(img, fd, path);
	if (!err && ftruncate(fd, (off_t)end))
		err = error_os(errno, "%s", path);
	if (close(fd) && !err)
		err = error_os(errno, "%s", path);
	return err;
}
