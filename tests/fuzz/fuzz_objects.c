/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fake_objects.h"
#include "fuzz.h"
#include "fuzz_writes.h"
#include "windows/objects/object_directory.h"

/*
 * A namespace of a few objects of each type, changed by a list of writes: where, width, value. The
 * walk ends and names everything once; whatever is at each address that it gives can be asked for.
 */
enum {
	MAX_OBJECTS = 1 << 16, /* of a walk over so little memory */
	FIRST = 0x3200,
	STEP = 0x200, /* from one object's body to the next */
	ENTRIES = 0x2800,
	FLAG_NO_TABLE = 1,
	FLAG_NO_PAGE = 2,
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* One object of each type below the root, and some below each other. */
static void put_objects(struct fake_objects *f)
{
	for (uint32_t i = 0; i < FAKE_TYPE_END - FAKE_TYPE_TYPE; i++) {
		uint32_t rva = FIRST + i * STEP, entry = ENTRIES + i * 16;
		uint32_t above =
			i > 4 ? FIRST + (FAKE_TYPE_DIRECTORY - FAKE_TYPE_TYPE) * STEP : FAKE_ROOT;

		fake_put_object(f, rva, (enum fake_type)(FAKE_TYPE_TYPE + i), "Name", above);
		fake_put_entry(f, entry, 0, rva);
		fake_put_bucket(f, above, i, entry);
		fake_put_string(f, rva + 0x180, rva + 0x190, "\\Text");
	}
}

struct visit {
	struct object_manager *om;
	size_t count;
};

static struct error *describe(void *arg, const struct namespace_object *o)
{
	struct visit *v = arg;
	struct arena arena;
	struct fault fault;

	must(++v->count < MAX_OBJECTS);
	arena_init(&arena, 0);
	object_describe(v->om, &o->info, &arena, &fault);
	object_path(v->om, o->info.va, &arena, &fault);
	object_file_path(v->om, o->info.va, &arena, &fault);
	object_link_target(v->om, o->info.va, &arena, &fault);
	arena_deinit(&arena);
	return NULL;
}

static void walk(struct fake_objects *f)
{
	static const char *const paths[] = { "\\", "\\Name", "\\Name\\Name", "\\x", "" };
	struct visit v = { 0 };
	struct error *err;
	uint64_t va;

	must(!object_manager_open(&f->kernel, &v.om));
	if (!(err = object_root_directory(&f->kernel, &va)))
		err = namespace_walk(v.om, va, "\\", describe, &v);
	must(!err || error_code(err) == ERROR_NOT_FOUND || error_code(err) == ERROR_FAULT);
	error_destroy(err);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		err = object_lookup(v.om, paths[i], &va);
		error_destroy(err);
	}
	object_manager_close(v.om);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_objects *f = malloc(sizeof(*f));
	struct cursor c;
	uint8_t flags;

	must(f);
	cur_init(&c, data, size, 0);
	if (cur_u8(&c, &flags)) {
		fake_objects_init(f);
		put_objects(f);
		fuzz_write_bytes(&c, f->bytes, FAKE_OBJECTS_SIZE);
		f->without_table = flags & FLAG_NO_TABLE;
		fake_objects_open(f, flags & FLAG_NO_PAGE ? flags >> 4 & 7 : -1);
		f->kernel.has_kdbg = f->kernel.kdbg.has[KDBG_OBP_TYPE_OBJECT_TYPE] = true;
		f->kernel.kdbg.value[KDBG_OBP_TYPE_OBJECT_TYPE] =
			fake_at(FAKE_TYPE_TABLE + FAKE_TYPE_TYPE * 8);
		walk(f);
		fake_objects_close(f);
	}
	free(f);
	return 0;
}
