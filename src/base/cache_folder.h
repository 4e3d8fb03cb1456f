/* SPDX-License-Identifier: MIT */
#ifndef BASE_CACHE_FOLDER_H
#define BASE_CACHE_FOLDER_H

#include "base/arena.h"

/*
 * Folders of files that can be made again. A file appears under its name complete or not at all
 * and is not changed afterwards: any number of processes may read and add at once.
 */

/* $XDG_CACHE_HOME/ntscope/NAME, else $HOME/.cache/ntscope/NAME (the XDG base directory
 * specification: paths must be absolute). In the arena; NULL if neither is set, or without memory.
 */
char *cache_folder_default(struct arena *a, const char *name);
/* Removes the files that were used longest ago until fewer than max_files are left. What cannot be
 * listed or removed is left. */
void cache_folder_make_room(const char *folder, size_t max_files);
/* In place of what there is; makes the folders above it. Errors: OS with the path. */
MUST_CHECK struct error *cache_file_write(const char *path, const void *bytes, size_t len);
/*
 * A whole file, of at most max_len bytes, which counts as used now; owned (free). Errors: OS (also
 * for what is no regular file), LIMIT, both with the path. Never waits, as on a FIFO.
 */
MUST_CHECK struct error *cache_file_read(const char *path, size_t max_len, uint8_t **ret,
					 size_t *len_ret);

#endif
