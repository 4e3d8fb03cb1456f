/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "windows/locate/private.h"

void recall_init(struct recall *r, const struct location_cache *cache)
{
	*r = (struct recall){ .cache = cache, .state = cache ? RECALL_UNASKED : RECALL_OFF };
}

void recall_deinit(struct recall *r)
{
	scan_log_deinit(&r->log);
}

static void ask(struct recall *r, const struct snapshot *snap)
{
	struct error *err = snapshot_fingerprint(snap, r->fingerprint);

	if (err)
		r->state = RECALL_OFF; /* who needs those pages will say why they are unreadable */
	else if (location_cache_find(r->cache, r->fingerprint, &r->log))
		r->state = RECALL_KNOWN;
	else
		r->state = RECALL_NEW;
	error_destroy(err);
}

void recall_begin_scan(struct recall *r, const struct snapshot *snap)
{
	if (r->state == RECALL_UNASKED)
		ask(r, snap);
	if (r->state == RECALL_NEW)
		scan_log_begin(&r->log);
	r->num_scans++;
}

bool recall_misled(struct recall *r, const uint8_t end[SHA256_SIZE])
{
	if (r->state != RECALL_KNOWN || memcmp(r->log.end, end, SHA256_SIZE) == 0)
		return false;
	scan_log_deinit(&r->log);
	r->state = RECALL_NEW;
	r->num_scans = 0;
	r->scanned = 0;
	return true;
}

/* Pages that a scan could not decode are reported as long as it comes by them. */
static bool has_damage(const struct snapshot *snap)
{
	uint64_t pages;
	struct error *why = physmem_damage(snap->mem, &pages);
	bool damaged = why != NULL;

	error_destroy(why);
	return damaged;
}

void recall_keep(struct recall *r, const struct snapshot *snap, const uint8_t end[SHA256_SIZE])
{
	if (r->state != RECALL_NEW || r->log.is_cut || r->scanned < r->cache->min_scanned ||
	    has_damage(snap))
		return;
	memcpy(r->log.end, end, SHA256_SIZE);
	location_cache_keep(r->cache, r->fingerprint, &r->log);
}
