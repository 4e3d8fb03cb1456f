/* SPDX-License-Identifier: MIT */
/* The page files that the kernel knows: MmPagingFile[], or the partition's since 10. */
#include <inttypes.h>

#include "base/arena.h"
#include "windows/kernel/kernel.h"
#include "windows/paging/private.h"

DEFINE_FIELDS(pagefile, PAGEFILE_FIELDS);

/* Where nothing says which page file is the store: pagefile.sys, swapfile.sys, then the store. */
enum { USUAL_STORE_FILE = 2 };

static bool find_list(const struct kernel *k, const struct field *fields, uint64_t *ret)
{
	if (kernel_symbol(k, "MmPagingFile", ret))
		return true;
	if (!fields[PAGEFILE_LIST].present || !kernel_symbol(k, "MiSystemPartition", ret))
		return false;
	*ret += fields[PAGEFILE_LIST].offset;
	return true;
}

/* A file that was given and that the kernel describes. */
static void check_file(struct paging *p, struct kernel *k, struct object *o, unsigned number)
{
	const struct file *file = &p->files.items[number].file;
	struct arena arena CLEANUP(arena_deinit);
	char *name = NULL;
	uint64_t pages;

	if (!p->files.items[number].given || !object_u64(o, PAGEFILE_SIZE, &pages))
		return;
	arena_init(&arena, 0);
	if (!object_unicode(o, PAGEFILE_NAME, p->plain, &arena, &name))
		name = NULL;
	if (file->size / PAGE_SIZE < pages)
		diag_note(k->diag,
			  "page file %u: %s has 0x%" PRIx64 " bytes, expected 0x%" PRIx64
			  " of '%s': its end is missing",
			  number, file->path, file->size, pages * PAGE_SIZE, name ? name : "");
}

static void find_files(struct paging *p, struct kernel *k, const struct field *fields,
		       uint64_t list)
{
	for (unsigned i = 0; i < MAX_PAGEFILES; i++) {
		struct object o;
		uint64_t va, number, is_store;

		if (!space_try_u64(p->plain, list + i * sizeof(va), &va, NULL))
			return;
		if (!va)
			continue;
		o = object_at(p->plain, va, fields);
		if (!object_u64(&o, PAGEFILE_NUMBER, &number) || number != i)
			continue;
		if (object_u64(&o, PAGEFILE_IS_STORE, &is_store) && is_store)
			p->store_file = i;
		check_file(p, k, &o, i);
	}
}

void paging_find_files(struct paging *p, struct kernel *k)
{
	struct field fields[pagefile_num_fields];
	struct error *err;
	uint64_t list;

	p->has_store = kernel_symbol(k, "?SmGlobals@@3U_SM_GLOBALS@@A", &p->store.globals) ||
		       kernel_symbol(k, "SmGlobals", &p->store.globals);
	p->store_file = USUAL_STORE_FILE;
	err = profile_bind(k->profile, pagefile_field_rows, pagefile_num_fields, fields);
	if (err) { /* no row is required */
		error_destroy(err);
		return;
	}
	if (find_list(k, fields, &list))
		find_files(p, k, fields, list);
}
