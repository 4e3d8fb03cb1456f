/* SPDX-License-Identifier: MIT */
#ifndef FAKE_USER_H
#define FAKE_USER_H

#include <string.h>

#include "base/cursor.h"
#include "windows/process/user_process.h"

/*
 * A process of a few modules in FAKE_USER_SIZE bytes at FAKE_USER_BASE, which is low enough for
 * 32-bit pointers. Each module's record is on a page of its own, so that one can be absent.
 */
#define FAKE_USER_BASE UINT64_C(0x10000000)
enum { FAKE_USER_SIZE = 0x6000, FAKE_USER_MODULES = 4 };

#define FAKE_EPROCESS	    FAKE_USER_BASE
#define FAKE_PEB	    (FAKE_USER_BASE + 0x100)
#define FAKE_LDR	    (FAKE_USER_BASE + 0x200)
#define FAKE_PARAMETERS	    (FAKE_USER_BASE + 0x300)
#define FAKE_STRINGS	    (FAKE_USER_BASE + 0x800)
#define FAKE_ENVIRONMENT    (FAKE_USER_BASE + 0xe00)
#define FAKE_MODULE(i)	    (FAKE_USER_BASE + 0x1000 * ((uint64_t)(i) + 1))
#define FAKE_MODULE_BASE(i) (0x20000000 + 0x100000 * (uint64_t)(i))

/* As in 10.0.19041, but for the first two. */
static const struct field fake_user_fields[user_num_fields] = {
	[USER_PROCESS_PEB] = { 0x00, 8, 0, 0, true },
	[USER_PROCESS_WOW64] = { 0x08, 8, 0, 0, true },
	[USER_WOW64_PEB] = { 0x00, 8, 0, 0, true },
	[USER_PEB_BEING_DEBUGGED] = { 0x02, 1, 0, 0, true },
	[USER_PEB_IMAGE_BASE] = { 0x10, 8, 0, 0, true },
	[USER_PEB_LDR] = { 0x18, 8, 0, 0, true },
	[USER_PEB_PARAMETERS] = { 0x20, 8, 0, 0, true },
	[USER_LDR_LOAD_LIST] = { 0x10, 16, 0, 0, true },
	[USER_LDR_MEMORY_LIST] = { 0x20, 16, 0, 0, true },
	[USER_LDR_INIT_LIST] = { 0x30, 16, 0, 0, true },
	[USER_MODULE_LOAD_LINKS] = { 0x00, 16, 0, 0, true },
	[USER_MODULE_MEMORY_LINKS] = { 0x10, 16, 0, 0, true },
	[USER_MODULE_INIT_LINKS] = { 0x20, 16, 0, 0, true },
	[USER_MODULE_BASE] = { 0x30, 8, 0, 0, true },
	[USER_MODULE_ENTRY_POINT] = { 0x38, 8, 0, 0, true },
	[USER_MODULE_SIZE] = { 0x40, 4, 0, 0, true },
	[USER_MODULE_PATH] = { 0x48, 16, 0, 0, true },
	[USER_MODULE_NAME] = { 0x58, 16, 0, 0, true },
	[USER_MODULE_TIME_DATE_STAMP] = { 0x80, 4, 0, 0, true },
	[USER_MODULE_DDAG_NODE] = { 0x98, 8, 0, 0, true },
	[USER_MODULE_LOAD_TIME] = { 0x100, 8, 0, 0, true },
	[USER_MODULE_LOAD_REASON] = { 0x10c, 4, 0, 0, true },
	[USER_DDAG_LOAD_COUNT] = { 0x18, 4, 0, 0, true },
	[USER_PARAMETERS_FLAGS] = { 0x08, 4, 0, 0, true },
	[USER_CURRENT_DIRECTORY] = { 0x38, 16, 0, 0, true },
	[USER_DLL_PATH] = { 0x50, 16, 0, 0, true },
	[USER_IMAGE_PATH] = { 0x60, 16, 0, 0, true },
	[USER_COMMAND_LINE] = { 0x70, 16, 0, 0, true },
	[USER_ENVIRONMENT] = { 0x80, 8, 0, 0, true },
	[USER_WINDOW_TITLE] = { 0xb0, 16, 0, 0, true },
	[USER_DESKTOP] = { 0xc0, 16, 0, 0, true },
	[USER_SHELL_INFO] = { 0xd0, 16, 0, 0, true },
	[USER_ENVIRONMENT_SIZE] = { 0x3f0, 8, 0, 0, true },
};

/* The bytes, and in which of the two views they hold a process. */
struct fake_user {
	uint8_t bytes[FAKE_USER_SIZE];
	enum user_view view;
	struct field fields[NUM_USER_VIEWS][user_num_fields];
	size_t strings_used;
};

static inline void fake_user_put(struct fake_user *f, uint64_t va, uint64_t value, size_t size)
{
	memcpy(f->bytes + (va - FAKE_USER_BASE), &value, size);
}

/* A number or pointer in a structure at va. */
static inline void fake_user_set(struct fake_user *f, uint64_t va, unsigned field, uint64_t value)
{
	const struct field *row = &f->fields[f->view][field];

	if (row->present)
		fake_user_put(f, va + row->offset, value, row->size);
}

static inline uint64_t fake_user_at(const struct fake_user *f, uint64_t va, unsigned field)
{
	return va + f->fields[f->view][field].offset;
}

static inline void fake_user_text(struct fake_user *f, uint64_t va, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fake_user_put(f, va + 2 * i, (uint8_t)text[i], 2);
}

/* A UNICODE_STRING in the structure at va, its text among the strings. */
static inline void fake_user_string(struct fake_user *f, uint64_t va, unsigned field,
				    const char *text)
{
	uint64_t at = fake_user_at(f, va, field), buffer = FAKE_STRINGS + f->strings_used;
	size_t pointer_size = f->view == USER_WOW64 ? 4 : 8;

	fake_user_put(f, at, 2 * strlen(text), 2);
	fake_user_put(f, at + pointer_size, buffer, pointer_size);
	fake_user_text(f, buffer, text, strlen(text));
	f->strings_used += 2 * strlen(text);
}

static inline void fake_user_link(struct fake_user *f, uint64_t a, uint64_t b)
{
	size_t pointer_size = f->view == USER_WOW64 ? 4 : 8;

	fake_user_put(f, a, b, pointer_size);
	fake_user_put(f, b + pointer_size, a, pointer_size);
}

/* The ring of one list, from module `first` on. */
static inline void fake_user_ring(struct fake_user *f, unsigned head, unsigned links, int first)
{
	uint64_t at = fake_user_at(f, FAKE_LDR, head);

	for (int i = first; i < FAKE_USER_MODULES; i++) {
		fake_user_link(f, at, fake_user_at(f, FAKE_MODULE(i), links));
		at = fake_user_at(f, FAKE_MODULE(i), links);
	}
	fake_user_link(f, at, fake_user_at(f, FAKE_LDR, head));
}

static inline void fake_user_module(struct fake_user *f, int i)
{
	static const char *const names[FAKE_USER_MODULES] = { "a.exe", "ntdll.dll", "k.dll",
							      "z.dll" };
	uint64_t va = FAKE_MODULE(i);

	fake_user_set(f, va, USER_MODULE_BASE, FAKE_MODULE_BASE(i));
	fake_user_set(f, va, USER_MODULE_SIZE, 0x8000);
	fake_user_set(f, va, USER_MODULE_ENTRY_POINT, FAKE_MODULE_BASE(i) + 0x1000);
	fake_user_set(f, va, USER_MODULE_LOAD_TIME, 133590324301234567);
	fake_user_set(f, va, USER_MODULE_LOAD_REASON, i ? 4 : UINT32_MAX);
	fake_user_set(f, va, USER_MODULE_DDAG_NODE, va + 0x200);
	fake_user_set(f, va + 0x200, USER_DDAG_LOAD_COUNT, i ? 2 : UINT32_MAX);
	fake_user_string(f, va, USER_MODULE_NAME, names[i]);
	fake_user_string(f, va, USER_MODULE_PATH, names[i]);
}

static inline void fake_user_build(struct fake_user *f, enum user_view view)
{
	static const char environment[] = "A=1\0=C:=C:\\\0B=\0C\0Path=x;y\0";

	memset(f, 0, sizeof(*f));
	f->view = view;
	memcpy(f->fields[USER_NATIVE], fake_user_fields, sizeof(fake_user_fields));
	user_layout_complete(f->fields[USER_NATIVE], f->fields[USER_WOW64]);
	fake_user_put(f, FAKE_EPROCESS + (view == USER_WOW64 ? 8 : 0), FAKE_PEB, 8);
	fake_user_set(f, FAKE_PEB, USER_PEB_LDR, FAKE_LDR);
	fake_user_set(f, FAKE_PEB, USER_PEB_PARAMETERS, FAKE_PARAMETERS);
	fake_user_set(f, FAKE_PEB, USER_PEB_IMAGE_BASE, FAKE_MODULE_BASE(0));
	fake_user_set(f, FAKE_PARAMETERS, USER_PARAMETERS_FLAGS, 1);
	fake_user_set(f, FAKE_PARAMETERS, USER_ENVIRONMENT, FAKE_ENVIRONMENT);
	fake_user_set(f, FAKE_PARAMETERS, USER_ENVIRONMENT_SIZE, 0x100);
	fake_user_string(f, FAKE_PARAMETERS, USER_COMMAND_LINE, "a.exe -x");
	fake_user_string(f, FAKE_PARAMETERS, USER_CURRENT_DIRECTORY, "C:\\");
	fake_user_text(f, FAKE_ENVIRONMENT, environment, sizeof(environment));
	for (int i = 0; i < FAKE_USER_MODULES; i++)
		fake_user_module(f, i);
	fake_user_ring(f, USER_LDR_LOAD_LIST, USER_MODULE_LOAD_LINKS, 0);
	fake_user_ring(f, USER_LDR_MEMORY_LIST, USER_MODULE_MEMORY_LINKS, 0);
	/* programs are not initialized as libraries are */
	fake_user_ring(f, USER_LDR_INIT_LIST, USER_MODULE_INIT_LINKS, 1);
}

#endif
