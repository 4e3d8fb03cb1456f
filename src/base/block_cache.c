/* SPDX-License-Identifier: MIT */
#include "base/block_ahead.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	NUM_SHARDS = 16,
	NUM_BUCKETS = 1 << 12, /* of each shard */
	/* Blocks of any lengths that come and go leave a heap with gaps, as large as itself: long
	 * ones have mappings of their own, which the system gets back. */
	MAPPED_SIZE = 256 << 10,
};

enum block_state { BLOCK_FILLING, BLOCK_READY, BLOCK_FAILED };

struct block {
	struct block *next;	     /* of its bucket */
	struct block *newer, *older; /* of its shard; those pinned are in no list */
	uint64_t source, index;
	size_t size;
	uint32_t pins;
	enum block_state state;
	bool scratch;
	struct error *error; /* BLOCK_FAILED */
	uint8_t bytes[];
};

struct shard {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct block *buckets[NUM_BUCKETS];
	struct block *newest, *oldest;
	uint64_t hits, misses, evictions;
};

struct block_cache {
	uint64_t max_bytes;
	uint64_t bytes, reserved, peak; /* atomic */
	uint64_t next_id, read_ahead;	/* atomic */
	struct block_ahead *ahead;	/* NULL: nothing is read ahead */
	struct shard shards[NUM_SHARDS];
};

struct error *block_cache_create(uint64_t max_bytes, struct block_cache **ret)
{
	struct block_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return &error_no_memory;
	c->max_bytes = max_bytes ? max_bytes : BLOCK_CACHE_DEFAULT_BYTES;
	for (size_t i = 0; i < NUM_SHARDS; i++) {
		pthread_mutex_init(&c->shards[i].lock, NULL);
		pthread_cond_init(&c->shards[i].filled, NULL);
	}
	*ret = c;
	return NULL;
}

static struct block *block_alloc(size_t size)
{
	void *b;

	if (size < MAPPED_SIZE)
		return malloc(sizeof(struct block) + size);
	b = mmap(NULL, sizeof(struct block) + size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return b == MAP_FAILED ? NULL : b;
}

static void block_dealloc(struct block *b)
{
	if (b->size < MAPPED_SIZE)
		free(b);
	else
		munmap(b, sizeof(*b) + b->size);
}

static void block_free(struct block_cache *c, struct block *b)
{
	__atomic_fetch_sub(&c->bytes, b->size, __ATOMIC_RELAXED);
	error_destroy(b->error);
	block_dealloc(b);
}

/* Can the memory of an old block become that of a new one? */
static bool is_of_use(const struct block *b, size_t size)
{
	return b->state == BLOCK_READY &&
	       (b->size == size || (b->size >= MAPPED_SIZE && size >= MAPPED_SIZE));
}

/* Memory for a block: that of `spare`, which is_of_use(), unless that is NULL. */
static struct block *block_realloc(struct block *spare, size_t size)
{
	void *b;

	if (!spare)
		return block_alloc(size);
	if (spare->size == size)
		return spare;
	b = mremap(spare, sizeof(*spare) + spare->size, sizeof(*spare) + size, MREMAP_MAYMOVE);
	if (b != MAP_FAILED)
		return b;
	block_dealloc(spare);
	return NULL;
}

void block_cache_destroy(struct block_cache *c)
{
	if (!c)
		return;
	block_ahead_destroy(c->ahead);
	for (size_t i = 0; i < NUM_SHARDS; i++) {
		struct shard *s = &c->shards[i];

		while (s->oldest) {
			struct block *b = s->oldest;

			s->oldest = b->newer;
			block_free(c, b);
		}
		pthread_cond_destroy(&s->filled);
		pthread_mutex_destroy(&s->lock);
	}
	free(c);
}

void block_cache_join(struct block_cache *c, struct block_source *source)
{
	source->id = __atomic_add_fetch(&c->next_id, 1, __ATOMIC_RELAXED);
}

/* A mix of splitmix64's: neighbours go to different shards. */
static uint64_t mix(uint64_t source, uint64_t index)
{
	uint64_t x = index + source * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static struct shard *shard_of(struct block_cache *c, uint64_t hash)
{
	return &c->shards[hash % NUM_SHARDS];
}

static struct block **bucket_of(struct shard *s, uint64_t hash)
{
	return &s->buckets[hash / NUM_SHARDS % NUM_BUCKETS];
}

static void list_remove(struct shard *s, struct block *b)
{
	*(b->newer ? &b->newer->older : &s->newest) = b->older;
	*(b->older ? &b->older->newer : &s->oldest) = b->newer;
	b->newer = b->older = NULL;
}

static void list_add(struct shard *s, struct block *b)
{
	b->older = s->newest;
	b->newer = NULL;
	*(s->newest ? &s->newest->newer : &s->oldest) = b;
	s->newest = b;
}

/* Takes an unpinned block out of the shard: its owner frees it. */
static void shard_drop(struct shard *s, struct block *b)
{
	struct block **at = bucket_of(s, mix(b->source, b->index));

	list_remove(s, b);
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
}

void block_cache_leave(struct block_cache *c, const struct block_source *source)
{
	if (c->ahead)
		block_ahead_leave(c->ahead, source->id);
	for (size_t i = 0; i < NUM_SHARDS; i++) {
		struct shard *s = &c->shards[i];
		struct block *b, *newer;

		pthread_mutex_lock(&s->lock);
		for (b = s->oldest; b; b = newer) {
			newer = b->newer;
			if (b->source != source->id)
				continue;
			shard_drop(s, b);
			block_free(c, b);
		}
		pthread_mutex_unlock(&s->lock);
	}
}

static uint64_t in_use(const struct block_cache *c)
{
	return __atomic_load_n(&c->bytes, __ATOMIC_RELAXED) +
	       __atomic_load_n(&c->reserved, __ATOMIC_RELAXED);
}

static void note_peak(struct block_cache *c)
{
	uint64_t now = in_use(c), peak = __atomic_load_n(&c->peak, __ATOMIC_RELAXED);

	while (now > peak && !__atomic_compare_exchange_n(&c->peak, &peak, now, true,
							  __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/*
 * Drops old blocks of one shard until all of `need` fits. One of them becomes *spare, unless there
 * is one, for use again: fresh memory costs as much as decoding.
 */
static void shard_make_room(struct block_cache *c, struct shard *s, size_t need,
			    struct block **spare)
{
	while (s->oldest && in_use(c) + need > c->max_bytes) {
		struct block *b = s->oldest;

		shard_drop(s, b);
		s->evictions++;
		if (!*spare && is_of_use(b, need)) {
			*spare = b;
			__atomic_fetch_sub(&c->bytes, b->size, __ATOMIC_RELAXED);
		} else {
			block_free(c, b);
		}
	}
}

/* A block of that size, counted, its other fields zero. Other shards' old blocks go as well when
 * those of the first do not suffice. No lock is held. */
static struct block *block_new(struct block_cache *c, size_t first_shard, size_t size)
{
	struct block *b = NULL;

	for (size_t i = 0; i < NUM_SHARDS && in_use(c) + size > c->max_bytes; i++) {
		struct shard *s = &c->shards[(first_shard + i) % NUM_SHARDS];

		pthread_mutex_lock(&s->lock);
		shard_make_room(c, s, size, &b);
		pthread_mutex_unlock(&s->lock);
	}
	if (!(b = block_realloc(b, size)))
		return NULL;
	memset(b, 0, sizeof(*b));
	b->size = size;
	b->pins = 1;
	__atomic_fetch_add(&c->bytes, size, __ATOMIC_RELAXED);
	note_peak(c);
	return b;
}

static struct error *check_fits(const struct block_cache *c, uint64_t size)
{
	uint64_t room = block_cache_room(c);

	if (size <= room)
		return NULL;
	return error_new(ERROR_LIMIT,
			 "a block of %" PRIu64
			 " bytes to be decoded at once, the memory left for it "
			 "is %" PRIu64 " (see --max-memory)",
			 size, room);
}

static struct block *find(struct shard *s, uint64_t hash, uint64_t source, uint64_t index)
{
	struct block *b = *bucket_of(s, hash);

	while (b && (b->source != source || b->index != index))
		b = b->next;
	return b;
}

static void shard_unpin(struct shard *s, struct block *b)
{
	if (--b->pins == 0)
		list_add(s, b);
}

/* The block, pinned and filled or failed; NULL when the shard does not have it. Locked. */
static struct block *shard_get(struct shard *s, uint64_t hash, uint64_t source, uint64_t index)
{
	struct block *b = find(s, hash, source, index);

	if (!b)
		return NULL;
	if (b->pins++ == 0)
		list_remove(s, b);
	while (b->state == BLOCK_FILLING)
		pthread_cond_wait(&s->filled, &s->lock);
	s->hits++;
	return b;
}

/* Adds `fresh` as being filled, unless another thread was first: then that one's. Locked. */
static struct block *shard_add(struct shard *s, uint64_t hash, struct block *fresh)
{
	struct block **bucket = bucket_of(s, hash);
	struct block *there = shard_get(s, hash, fresh->source, fresh->index);

	if (there)
		return there;
	fresh->next = *bucket;
	*bucket = fresh;
	s->misses++;
	return fresh;
}

static void fill(struct shard *s, struct block *b, const struct block_source *source)
{
	struct error *err = source->fill(source->arg, b->index, b->bytes, b->size);

	pthread_mutex_lock(&s->lock);
	b->error = err;
	b->state = err ? BLOCK_FAILED : BLOCK_READY;
	pthread_cond_broadcast(&s->filled);
	pthread_mutex_unlock(&s->lock);
}

/* Decodes a block that was not there, unless another thread is at it. Pinned. */
static struct error *get_missing(struct block_cache *c, const struct block_source *source,
				 uint64_t hash, uint64_t index, size_t size, struct block **ret)
{
	struct shard *s = shard_of(c, hash);
	struct error *err = check_fits(c, size);
	struct block *fresh;

	if (err)
		return err;
	fresh = block_new(c, hash % NUM_SHARDS, size);
	if (!fresh)
		return &error_no_memory;
	fresh->source = source->id;
	fresh->index = index;
	pthread_mutex_lock(&s->lock);
	*ret = shard_add(s, hash, fresh);
	pthread_mutex_unlock(&s->lock);
	if (*ret == fresh)
		fill(s, fresh, source);
	else
		block_free(c, fresh);
	return NULL;
}

/* For block_ahead: errors wait for whoever wants the block. */
static void get_ahead(struct block_cache *c, const struct block_source *source, uint64_t index,
		      size_t size)
{
	uint64_t hash = mix(source->id, index);
	struct shard *s = shard_of(c, hash);
	struct block *b = NULL;
	bool there;

	pthread_mutex_lock(&s->lock);
	there = find(s, hash, source->id, index) != NULL;
	pthread_mutex_unlock(&s->lock);
	if (there)
		return;
	error_destroy(get_missing(c, source, hash, index, size, &b));
	block_cache_release(c, b);
	__atomic_fetch_add(&c->read_ahead, 1, __ATOMIC_RELAXED);
}

void block_cache_read_ahead(struct block_cache *c, unsigned threads)
{
	if (threads > 1 && !c->ahead)
		c->ahead = block_ahead_create(c, threads - 1, get_ahead);
}

struct error *block_cache_get(struct block_cache *c, const struct block_source *source,
			      uint64_t index, size_t size, const uint8_t **ret, void **pin)
{
	uint64_t hash = mix(source->id, index);
	struct shard *s = shard_of(c, hash);
	struct error *err = NULL;
	struct block *b;

	if (c->ahead && source->size_of)
		block_ahead_note(c->ahead, source, index, size, c->max_bytes / 8);
	pthread_mutex_lock(&s->lock);
	b = shard_get(s, hash, source->id, index);
	pthread_mutex_unlock(&s->lock);
	if (!b && (err = get_missing(c, source, hash, index, size, &b)))
		return err;
	if (b->state == BLOCK_FAILED) {
		err = error_new(error_code(b->error), "%s", error_message(b->error));
		block_cache_release(c, b);
		return err;
	}
	*ret = b->bytes;
	*pin = b;
	return NULL;
}

struct error *block_cache_scratch(struct block_cache *c, size_t size, uint8_t **ret, void **pin)
{
	struct error *err = check_fits(c, size);
	struct block *b;

	if (err)
		return err;
	if (!(b = block_new(c, 0, size)))
		return &error_no_memory;
	b->scratch = true;
	*ret = b->bytes;
	*pin = b;
	return NULL;
}

void block_cache_release(struct block_cache *c, void *pin)
{
	struct block *b = pin;
	struct shard *s;

	if (!b)
		return;
	if (b->scratch) {
		block_free(c, b);
		return;
	}
	s = shard_of(c, mix(b->source, b->index));
	pthread_mutex_lock(&s->lock);
	shard_unpin(s, b);
	pthread_mutex_unlock(&s->lock);
}

struct error *block_cache_reserve(struct block_cache *c, uint64_t bytes, const char *what)
{
	uint64_t reserved = __atomic_load_n(&c->reserved, __ATOMIC_RELAXED);

	do {
		if (bytes > c->max_bytes || reserved > c->max_bytes - bytes)
			return error_new(ERROR_LIMIT,
					 "%s: %" PRIu64 " bytes, the memory left for it is %" PRIu64
					 " (see --max-memory)",
					 what, bytes, c->max_bytes - reserved);
	} while (!__atomic_compare_exchange_n(&c->reserved, &reserved, reserved + bytes, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	note_peak(c);
	return NULL;
}

uint64_t block_cache_room(const struct block_cache *c)
{
	uint64_t reserved = __atomic_load_n(&c->reserved, __ATOMIC_RELAXED);

	return c->max_bytes > reserved ? c->max_bytes - reserved : 0;
}

void block_cache_stats(struct block_cache *c, struct block_cache_stats *ret)
{
	*ret = (struct block_cache_stats){
		.bytes = __atomic_load_n(&c->bytes, __ATOMIC_RELAXED),
		.reserved = __atomic_load_n(&c->reserved, __ATOMIC_RELAXED),
		.peak = __atomic_load_n(&c->peak, __ATOMIC_RELAXED),
		.ahead = __atomic_load_n(&c->read_ahead, __ATOMIC_RELAXED),
	};
	for (size_t i = 0; i < NUM_SHARDS; i++) {
		struct shard *s = &c->shards[i];

		pthread_mutex_lock(&s->lock);
		ret->hits += s->hits;
		ret->misses += s->misses;
		ret->evictions += s->evictions;
		pthread_mutex_unlock(&s->lock);
	}
}
