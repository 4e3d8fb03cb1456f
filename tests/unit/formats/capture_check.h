/* SPDX-License-Identifier: MIT */
#ifndef CAPTURE_CHECK_H
#define CAPTURE_CHECK_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "formats/format.h"
#include "tests/memfile.h"

/* A capture that a test builds in memory, opened, and what opening it said. */
struct capture {
	uint8_t *bytes;
	size_t size, capacity;
	struct snapshot *snapshot;
	struct diag diag;
	char said[1024]; /* the last message */
};

static inline void capture_remember(void *arg, enum diag_kind kind, const char *message)
{
	struct capture *c = arg;

	(void)kind;
	snprintf(c->said, sizeof(c->said), "%s", message);
}

static inline uint8_t *capture_add(struct capture *c, size_t len)
{
	uint8_t *at;

	if (c->size + len > c->capacity) {
		c->capacity = 2 * (c->size + len);
		c->bytes = realloc(c->bytes, c->capacity);
		cr_assert_not_null(c->bytes);
	}
	at = c->bytes + c->size;
	memset(at, 0, len);
	c->size += len;
	return at;
}

static inline void capture_put(struct capture *c, const void *bytes, size_t len)
{
	memcpy(capture_add(c, len), bytes, len);
}

static inline struct error *capture_open(struct capture *c, const char *format, uint64_t max_memory)
{
	const struct snapshot_options options = { .format = format, .max_memory = max_memory };
	struct file file;

	snapshot_close(take_ptr(c->snapshot));
	memfile_open(&file, c->bytes, c->size);
	diag_init(&c->diag, capture_remember, c);
	c->said[0] = '\0';
	return snapshot_open_file(&file, "capture", &options, &c->diag, &c->snapshot);
}

static inline void capture_open_ok(struct capture *c)
{
	struct error *err = capture_open(c, NULL, 0);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

static inline void capture_expect_refusal(struct capture *c, enum error_code code, const char *text)
{
	struct error *err = capture_open(c, NULL, 0);

	cr_assert_not_null(err, "expected: %s", text);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), text), "%s", error_message(err));
	error_destroy(err);
}

static inline void capture_expect_said(const struct capture *c, unsigned partial, const char *text)
{
	cr_expect_eq(c->diag.partial, partial, "%lu losses, the last: %s", (long)c->diag.partial,
		     c->said);
	cr_expect_not_null(strstr(c->said, text), "'%s' is not in: %s", text, c->said);
}

static inline void capture_expect_byte(const struct capture *c, uint64_t pa, int value)
{
	uint8_t byte;

	cr_assert_eq(physmem_read(c->snapshot->mem, pa, &byte, 1), 1, "0x%lx is absent", (long)pa);
	cr_expect_eq(byte, value, "0x%lx: %d instead of %d", (long)pa, byte, value);
}

static inline void capture_expect_absent(const struct capture *c, uint64_t pa)
{
	uint8_t byte;

	cr_expect_eq(physmem_read(c->snapshot->mem, pa, &byte, 1), 0, "0x%lx is there", (long)pa);
}

/* Why the page at pa cannot be decoded. */
static inline void capture_expect_damage(const struct capture *c, uint64_t pa, const char *text)
{
	struct page_view view;
	struct error *err;

	cr_assert_not(physmem_view(c->snapshot->mem, pa, &view, &err), "0x%lx is there", (long)pa);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_CORRUPT);
	cr_expect_not_null(strstr(error_message(err), text), "%s", error_message(err));
	error_destroy(err);
}

static inline void capture_deinit(struct capture *c)
{
	snapshot_close(c->snapshot);
	free(c->bytes);
	*c = (struct capture){ 0 };
}

#endif
