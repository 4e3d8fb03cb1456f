/* SPDX-License-Identifier: MIT */
#ifndef BASE_FILE_CONTENT_H
#define BASE_FILE_CONTENT_H

#include "base/file.h"

/* The decoded side of struct file, for file.c alone. */
struct file_content;

void file_content_destroy(struct file_content *c); /* NULL ok */
bool file_content_next_data(const struct file *f, uint64_t offset, uint64_t *start, uint64_t *end);

#endif
