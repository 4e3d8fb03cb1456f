/* SPDX-License-Identifier: MIT */
#include "windows/locate/scan_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "memory/physmem.h"

static const uint8_t magic[8] = "NTSCSCAN";

enum {
	HEADER_SIZE = 24,
	SCAN_SIZE = 4,
	HIT_SIZE = 12,
	FIXED_SIZE = HEADER_SIZE + 3 * SHA256_SIZE,
};
#define DROPPED_BIT UINT32_C(0x80000000)
_Static_assert(FIXED_SIZE + SCAN_LOG_MAX_SCANS * SCAN_SIZE + SCAN_LOG_MAX_HITS * HIT_SIZE <=
		       SCAN_LOG_MAX_BYTES,
	       "the largest log fits its file");

void scan_log_deinit(struct scan_log *log)
{
	free(log->hits);
	*log = (struct scan_log){ .hits = NULL };
}

static void log_cleanup(struct scan_log *log)
{
	scan_log_deinit(log);
}

void scan_log_begin(struct scan_log *log)
{
	if (log->num_scans == SCAN_LOG_MAX_SCANS) {
		log->is_cut = true;
		return;
	}
	log->ends[log->num_scans++] = log->num_hits;
}

struct error *scan_log_add(struct scan_log *log, const struct scan_hit *hits, size_t count,
			   bool dropped)
{
	struct error *err;

	if (log->is_cut || count > SCAN_LOG_MAX_HITS - log->num_hits) {
		log->is_cut = true;
		return NULL;
	}
	err = array_reserve(&log->hits, &log->capacity, log->num_hits + count, sizeof(*log->hits),
			    SCAN_LOG_MAX_HITS, "scan hits");
	if (err)
		return err;
	if (count)
		memcpy(log->hits + log->num_hits, hits, count * sizeof(*hits));
	log->num_hits += count;
	log->ends[log->num_scans - 1] = log->num_hits;
	log->dropped[log->num_scans - 1] |= dropped;
	return NULL;
}

size_t scan_log_hits(const struct scan_log *log, size_t scan, const struct scan_hit **ret)
{
	size_t begin = scan && scan <= log->num_scans ? log->ends[scan - 1] : 0;

	*ret = log->hits + begin;
	return scan < log->num_scans ? log->ends[scan] - begin : 0;
}

/* Writing. */

static uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	store_u32(p, v);
	return p + 4;
}

static uint8_t *put_u64(uint8_t *p, uint64_t v)
{
	store_u64(p, v);
	return p + 8;
}

static uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

static void checksum(const uint8_t *bytes, size_t len, uint8_t ret[SHA256_SIZE])
{
	struct sha256 sum;

	sha256_init(&sum);
	sha256_add(&sum, bytes, len);
	sha256_end(&sum, ret);
}

void scan_log_seal(uint8_t *bytes, size_t len)
{
	checksum(bytes, len - SHA256_SIZE, bytes + len - SHA256_SIZE);
}

struct error *scan_log_write(const struct scan_log *log, const uint8_t fingerprint[SHA256_SIZE],
			     uint8_t **ret, size_t *len_ret)
{
	size_t len = FIXED_SIZE + log->num_scans * SCAN_SIZE + log->num_hits * HIT_SIZE, begin = 0;
	uint8_t *bytes = malloc(len), *p = bytes;

	if (!bytes)
		return &error_no_memory;
	p = put_bytes(p, magic, sizeof(magic));
	p = put_u32(p, SCAN_LOG_VERSION);
	p = put_u32(p, (uint32_t)log->num_scans);
	p = put_u32(p, (uint32_t)log->num_hits);
	p = put_u32(p, 0);
	p = put_bytes(p, fingerprint, SHA256_SIZE);
	p = put_bytes(p, log->end, SHA256_SIZE);
	for (size_t i = 0; i < log->num_scans; i++) {
		p = put_u32(p,
			    (uint32_t)(log->ends[i] - begin) | (log->dropped[i] ? DROPPED_BIT : 0));
		begin = log->ends[i];
	}
	for (size_t i = 0; i < log->num_hits; i++) {
		p = put_u64(p, log->hits[i].pa);
		p = put_u32(p, log->hits[i].kind);
	}
	scan_log_seal(bytes, len);
	*ret = bytes;
	*len_ret = len;
	return NULL;
}

/* Reading. */

struct header {
	uint32_t version, num_scans, num_hits;
};

static struct error *read_header(struct cursor *c, const uint8_t fingerprint[SHA256_SIZE],
				 struct header *ret)
{
	uint8_t found[sizeof(magic)], of[SHA256_SIZE];
	struct header h;
	uint32_t zero;

	if (!cur_copy(c, found, sizeof(found)) || !cur_u32(c, &h.version) ||
	    !cur_u32(c, &h.num_scans) || !cur_u32(c, &h.num_hits) || !cur_u32(c, &zero) ||
	    !cur_copy(c, of, sizeof(of)))
		return cur_error(c, "header");
	if (memcmp(found, magic, sizeof(magic)) != 0)
		return error_new(ERROR_CORRUPT, "no record of a search");
	if (h.version != SCAN_LOG_VERSION)
		return error_new(ERROR_UNSUPPORTED, "version %u: expected %d", h.version,
				 SCAN_LOG_VERSION);
	if (memcmp(of, fingerprint, sizeof(of)) != 0)
		return error_new(ERROR_NOT_FOUND, "of another snapshot");
	if (h.num_scans > SCAN_LOG_MAX_SCANS || h.num_hits > SCAN_LOG_MAX_HITS || zero)
		return error_new(ERROR_CORRUPT, "%u scans with %u hits: expected at most %d and %d",
				 h.num_scans, h.num_hits, SCAN_LOG_MAX_SCANS, SCAN_LOG_MAX_HITS);
	*ret = h;
	return NULL;
}

static struct error *read_scans(struct cursor *c, const struct header *h, struct scan_log *log)
{
	for (size_t i = 0; i < h->num_scans; i++) {
		size_t begin = i ? log->ends[i - 1] : 0;
		uint32_t count;

		if (!cur_u32(c, &count))
			return cur_error(c, "scans");
		log->dropped[i] = count & DROPPED_BIT;
		count &= ~DROPPED_BIT;
		if (count > h->num_hits - begin)
			return error_new(ERROR_CORRUPT, "scan %zu has %u of %u hits", i, count,
					 h->num_hits);
		log->ends[i] = begin + count;
	}
	log->num_scans = h->num_scans;
	if ((h->num_scans ? log->ends[h->num_scans - 1] : 0) != h->num_hits)
		return error_new(ERROR_CORRUPT, "%u hits: the scans have others", h->num_hits);
	return NULL;
}

static struct error *read_hits(struct cursor *c, const struct header *h, struct scan_log *log)
{
	log->hits = calloc((size_t)h->num_hits + 1, sizeof(*log->hits));
	if (!log->hits)
		return &error_no_memory;
	for (size_t i = 0; i < h->num_hits; i++) {
		struct scan_hit *hit = &log->hits[i];

		if (!cur_u64(c, &hit->pa) || !cur_u32(c, &hit->kind))
			return cur_error(c, "hits");
		if (hit->pa >= PHYSMEM_MAX_END)
			return error_new(ERROR_CORRUPT, "hit %zu at 0x%llx: no physical address", i,
					 (unsigned long long)hit->pa);
	}
	log->num_hits = log->capacity = h->num_hits;
	return NULL;
}

struct error *scan_log_parse(const uint8_t *bytes, size_t len,
			     const uint8_t fingerprint[SHA256_SIZE], struct scan_log *ret)
{
	CLEANUP(log_cleanup) struct scan_log log = { .hits = NULL };
	uint8_t sum[SHA256_SIZE];
	struct error *err;
	struct header h = { 0 };
	struct cursor c;

	if (len < FIXED_SIZE || len > SCAN_LOG_MAX_BYTES)
		return error_new(ERROR_CORRUPT, "%zu bytes: expected %d to %d", len, FIXED_SIZE,
				 SCAN_LOG_MAX_BYTES);
	cur_init(&c, bytes, len - SHA256_SIZE, 0);
	if ((err = read_header(&c, fingerprint, &h)))
		return err;
	checksum(bytes, len - SHA256_SIZE, sum);
	if (memcmp(sum, bytes + len - SHA256_SIZE, sizeof(sum)) != 0)
		return error_new(ERROR_CORRUPT, "the checksum does not fit");
	if (!cur_copy(&c, log.end, sizeof(log.end)))
		return cur_error(&c, "end of the search");
	if ((err = read_scans(&c, &h, &log)) || (err = read_hits(&c, &h, &log)))
		return err;
	if (cur_left(&c))
		return error_new(ERROR_CORRUPT, "%zu bytes too many", cur_left(&c));
	*ret = log;
	log.hits = NULL;
	return NULL;
}
