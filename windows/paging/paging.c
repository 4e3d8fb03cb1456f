/* SPDX-License-Identifier: MIT */
#include "windows/paging/paging.h"

#include <stdlib.h>
#include <string.h>

#include "windows/kernel/kernel.h"
#include "windows/paging/private.h"
#include "windows/process/process.h"

struct error *paging_create(struct physmem *mem, unsigned levels,
			    const struct windows_pte_config *config, const char *const *pagefiles,
			    size_t num_pagefiles, struct paging **ret)
{
	struct paging *p = calloc(1, sizeof(*p));
	struct error *err;

	if (!p)
		return &error_no_memory;
	p->mem = mem;
	p->levels = levels;
	p->config = config;
	if ((err = pagefiles_open(pagefiles, num_pagefiles, &p->files))) {
		free(p);
		return err;
	}
	pthread_mutex_init(&p->lock, NULL);
	*ret = p;
	return NULL;
}

struct error *paging_start(struct paging *p, struct kernel *k)
{
	struct error *err;

	if ((err = paging_open_following(p, k->dtb, 0, 0, &p->plain)) ||
	    (err = vad_reader_init(k, &p->vads)))
		return err;
	p->vads.space = p->plain;
	if (!profile_field(k->profile, "_EPROCESS", "Pcb.DirectoryTableBase", &p->dtb))
		p->dtb.present = false;
	p->started = true;
	paging_find_files(p, k);
	p->store.layout = store_layout_of(k->build);
	p->store.space = p->plain;
	/* what the user gives as a file is none */
	p->has_store = p->has_store && p->store.layout && !p->files.items[p->store_file].given;
	return NULL;
}

void paging_destroy(struct paging *p)
{
	if (!p)
		return;
	space_destroy(p->owner);
	space_destroy(p->plain);
	pagefiles_close(&p->files);
	pthread_mutex_destroy(&p->lock);
	free(p->unpacked);
	free(p);
}

struct error *paging_open_space(struct paging *p, uint64_t root, uint64_t eprocess,
				struct space **ret)
{
	return paging_open_following(p, root, eprocess, FOLLOW_ALL, ret);
}

struct error *paging_open_entries(struct paging *p, uint64_t root, uint64_t eprocess,
				  struct space **ret)
{
	return paging_open_following(p, root, eprocess, FOLLOW_ALL & ~FOLLOW_REGIONS, ret);
}

/* The space of the process that keeps a store; there is one such process. */
static struct space *open_owner(struct paging *p, uint64_t eprocess)
{
	struct space *space;
	struct error *err;
	uint64_t dtb;

	if (p->owner && p->owner_process == eprocess)
		return p->owner;
	if (!p->dtb.present || !space_try_u64(p->plain, eprocess + p->dtb.offset, &dtb, NULL))
		return NULL;
	err = paging_open_following(p, dtb, 0, 0, &space);
	if (err) {
		error_destroy(err);
		return NULL;
	}
	space_destroy(p->owner);
	p->owner = space;
	p->owner_process = eprocess;
	return space;
}

static struct unpacked_page *unpacked_slot(struct paging *p, uint32_t key)
{
	if (!p->unpacked)
		p->unpacked = calloc(UNPACKED_PAGES, sizeof(*p->unpacked));
	return p->unpacked ? &p->unpacked[key % UNPACKED_PAGES] : NULL;
}

static bool read_locked(struct paging *p, uint32_t key, uint8_t *ret, struct store_page *page_ret,
			bool *found_ret, const char **why_ret)
{
	struct unpacked_page *slot = unpacked_slot(p, key);
	struct space *owner;

	*found_ret = true;
	if (slot && slot->used && slot->key == key) {
		*page_ret = slot->page;
		memcpy(ret, slot->bytes, PAGE_SIZE);
		return true;
	}
	*found_ret = store_find(&p->store, key, page_ret, why_ret);
	if (!*found_ret)
		return false;
	owner = open_owner(p, page_ret->owner);
	if (!owner) {
		*why_ret = "the process that keeps the store is not known";
		return false;
	}
	if (!store_unpack(page_ret, owner, ret, why_ret))
		return false;
	if (slot) {
		slot->used = true;
		slot->key = key;
		slot->page = *page_ret;
		memcpy(slot->bytes, ret, PAGE_SIZE);
	}
	return true;
}

bool paging_store_read(struct paging *p, unsigned file, uint64_t offset, uint8_t *ret,
		       struct store_page *page_ret, bool *found_ret, const char **why_ret)
{
	bool ok;

	pthread_mutex_lock(&p->lock);
	ok = read_locked(p, store_key(&p->store, file, offset), ret, page_ret, found_ret, why_ret);
	pthread_mutex_unlock(&p->lock);
	return ok;
}
