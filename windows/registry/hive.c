/* SPDX-License-Identifier: MIT */
#include "windows/registry/hive.h"

#include <inttypes.h>

#include "base/cursor.h"
#include "windows/kernel/kernel_address.h"

DEFINE_FIELDS(hive, HIVE_FIELDS);

enum {
	TABLE_SHIFT = 21, /* of an offset: 10 bits of table, 9 of block, 12 in the block */
	BLOCK_SHIFT = 12,
	BLOCKS_PER_TABLE = 512,
	MAX_MAP_ENTRY = 64, /* bytes */
	BIN_FLAGS = 0xf,    /* low bits of a bin's address */
	MAX_CELL_SIZE = 1 << 30,
};

static const char why_outside[] = "outside of the hive";
static const char why_no_map[] = "the hive's map has no entry for it";
static const char why_unknown[] = "the layout of hives is not known for this build";
static const char why_no_process[] = "in the process Registry, which was not found";
static const char why_free[] = "the cell is free";
static const char why_size[] = "the cell's size is none";
static const char why_signature[] = "the signature is not that of a hive";

struct error *hive_memory_init(const struct profile *p, struct space *kernel,
			       struct hive_memory *ret)
{
	struct hive_memory m = { .kernel = kernel };
	struct error *err = profile_bind(p, hive_field_rows, hive_num_fields, m.fields);

	if (err)
		return err;
	if (!profile_type_size(p, "_DUAL", &m.storage_size))
		m.storage_size = 0;
	if (!profile_type_size(p, "_HMAP_ENTRY", &m.map_entry_size) ||
	    m.map_entry_size > MAX_MAP_ENTRY)
		m.map_entry_size = 0;
	*ret = m;
	return NULL;
}

const char *hive_fault_text(struct arena *a, const struct hive_fault *fault)
{
	if (fault->va)
		return arena_printf(a, "cell 0x%" PRIx32 " at 0x%" PRIx64 ": %s", fault->cell,
				    fault->va, fault->why);
	return arena_printf(a, "cell 0x%" PRIx32 ": %s", fault->cell, fault->why);
}

static bool fail(struct hive_fault *fault, uint32_t cell, uint64_t va, const char *why)
{
	*fault = (struct hive_fault){ .cell = cell, .va = va, .why = why };
	return false;
}

static bool fail_memory(struct hive_fault *fault, uint32_t cell, const struct fault *f)
{
	if (!f->va)
		return fail(fault, cell, 0, why_unknown);
	*fault = (struct hive_fault){ cell, f->va, va_state_text(f->state),
				      va_state_name(f->state) };
	return false;
}

static const char *read_path(struct object *o, unsigned field, struct arena *a, struct hive *h)
{
	char *text;

	if (object_unicode(o, field, o->space, a, &text))
		return *text ? text : NULL;
	if (o->fault.va)
		h->path_fault = o->fault;
	return NULL;
}

static void read_storages(struct object *o, struct hive *h)
{
	const struct hive_memory *m = h->memory;
	uint64_t va, length;

	if (!m->storage_size || !object_address(o, HIVE_STORAGE, &va))
		return;
	for (unsigned i = 0; i < NUM_STORAGES; i++) {
		struct object dual = object_at(m->kernel, va + i * m->storage_size, m->fields);

		h->storage[i].present = object_u64(&dual, HIVE_LENGTH, &length) &&
					object_u64(&dual, HIVE_MAP, &h->storage[i].map) &&
					length < CELL_VOLATILE;
		if (h->storage[i].present)
			h->storage[i].length = (uint32_t)length;
	}
}

bool hive_read(const struct hive_memory *m, uint64_t va, struct arena *a, struct hive *ret,
	       struct hive_fault *fault)
{
	struct object cmhive = object_at(m->kernel, va, m->fields), hhive;
	struct hive h = { .memory = m, .va = va };
	uint64_t value, hhive_va;

	if (!object_address(&cmhive, HIVE_HHIVE, &hhive_va))
		return fail(fault, 0, va, why_unknown);
	hhive = object_at(m->kernel, hhive_va, m->fields);
	if (!object_u64(&hhive, HIVE_SIGNATURE, &value))
		return fail_memory(fault, 0, &hhive.fault);
	if (value != HIVE_MAGIC)
		return fail(fault, 0, va, why_signature);
	h.base_block = object_u64(&hhive, HIVE_BASE_BLOCK, &value) ? value : 0;
	h.version = object_opt(&hhive, HIVE_VERSION);
	h.flat = object_u64(&hhive, HIVE_FLAT, &value) && value;
	h.hhive = hhive_va;
	read_storages(&hhive, &h);
	h.file_path = read_path(&cmhive, HIVE_FILE_PATH, a, &h);
	h.user_name = read_path(&cmhive, HIVE_USER_NAME, a, &h);
	h.root_path = read_path(&cmhive, HIVE_ROOT_PATH, a, &h);
	*ret = h;
	return true;
}

/* The address of the block that an entry of the map is for; 0: none. */
static uint64_t block_of_entry(const struct field *fields, const uint8_t *entry)
{
	const struct field *offset = &fields[HIVE_BLOCK_OFFSET];
	const struct field *bin = &fields[HIVE_PERMANENT_BIN];
	const struct field *temporary = &fields[HIVE_TEMPORARY_BIN];
	uint64_t base;

	if (!offset->present || !bin->present)
		return load_u64(entry + fields[HIVE_BLOCK_ADDRESS].offset);
	base = load_u64(entry + bin->offset) & ~(uint64_t)BIN_FLAGS;
	if (!base && temporary->present)
		base = load_u64(entry + temporary->offset) & ~(uint64_t)BIN_FLAGS;
	return base ? base + load_u64(entry + offset->offset) : 0;
}

static bool entry_is_known(const struct hive_memory *m)
{
	static const unsigned used[] = { HIVE_BLOCK_ADDRESS, HIVE_BLOCK_OFFSET, HIVE_PERMANENT_BIN,
					 HIVE_TEMPORARY_BIN };

	for (size_t i = 0; i < ARRAY_SIZE(used); i++) {
		const struct field *f = &m->fields[used[i]];

		if (f->present && (m->map_entry_size < 8 || f->offset > m->map_entry_size - 8))
			return false;
	}
	return m->map_entry_size && m->fields[HIVE_DIRECTORY].present &&
	       m->fields[HIVE_TABLE].present &&
	       (m->fields[HIVE_BLOCK_ADDRESS].present ||
		(m->fields[HIVE_BLOCK_OFFSET].present && m->fields[HIVE_PERMANENT_BIN].present));
}

/* The address of an offset's block, through the map. */
static bool map_block(const struct hive *h, uint32_t offset, uint64_t map, uint64_t *ret,
		      struct hive_fault *fault)
{
	const struct hive_memory *m = h->memory;
	uint32_t place = offset & ~CELL_VOLATILE, block = place >> BLOCK_SHIFT;
	uint64_t table, entry_va;
	uint8_t entry[MAX_MAP_ENTRY];
	struct fault f;

	if (!entry_is_known(m))
		return fail(fault, offset, 0, why_unknown);
	if (!map)
		return fail(fault, offset, 0, why_no_map);
	if (!space_try_u64(m->kernel,
			   map + m->fields[HIVE_DIRECTORY].offset + 8 * (place >> TABLE_SHIFT),
			   &table, &f))
		return fail_memory(fault, offset, &f);
	if (!table)
		return fail(fault, offset, 0, why_no_map);
	entry_va = table + m->fields[HIVE_TABLE].offset +
		   (uint64_t)m->map_entry_size * (block % BLOCKS_PER_TABLE);
	if (!space_try_read(m->kernel, entry_va, entry, m->map_entry_size, &f))
		return fail_memory(fault, offset, &f);
	*ret = block_of_entry(m->fields, entry);
	return *ret || fail(fault, offset, 0, why_no_map);
}

bool hive_locate(const struct hive *h, uint32_t offset, struct space **space_ret, uint64_t *va_ret,
		 struct hive_fault *fault)
{
	enum hive_storage kind = hive_storage_of(offset);
	uint32_t place = offset & ~CELL_VOLATILE;
	struct space *space = h->memory->kernel;
	uint64_t block;

	if (!h->storage[kind].present || place >= h->storage[kind].length)
		return fail(fault, offset, 0, why_outside);
	if (h->flat && kind == STORAGE_STABLE && h->base_block)
		block = h->base_block + REGF_SIZE + (place & ~(uint32_t)(HIVE_BLOCK - 1));
	else if (!map_block(h, offset, h->storage[kind].map, &block, fault))
		return false;
	if (block < KERNEL_HALF && !(space = h->memory->process))
		return fail(fault, offset, block, why_no_process);
	*space_ret = space;
	*va_ret = block + place % HIVE_BLOCK;
	return true;
}

bool hive_read_bytes(const struct hive *h, uint32_t offset, void *buf, size_t len,
		     struct hive_fault *fault)
{
	uint8_t *target = buf;
	struct space *space;
	struct fault f;
	uint64_t va;

	while (len > 0) {
		size_t part = HIVE_BLOCK - offset % HIVE_BLOCK;

		if (part > len)
			part = len;
		if (!hive_locate(h, offset, &space, &va, fault))
			return false;
		if (!space_try_read(space, va, target, part, &f))
			return fail_memory(fault, offset, &f);
		target += part;
		len -= part;
		offset += (uint32_t)part;
	}
	return true;
}

bool hive_cell(const struct hive *h, uint32_t cell, struct hive_cell *ret, struct hive_fault *fault)
{
	enum hive_storage kind = hive_storage_of(cell);
	uint32_t place = cell & ~CELL_VOLATILE, size;
	struct hive_cell c = { .cell = cell };
	struct fault f;

	if (cell == CELL_NONE || cell % MIN_CELL_SIZE)
		return fail(fault, cell, 0, "no number of a cell");
	if (!hive_locate(h, cell, &c.space, &c.va, fault))
		return false;
	if (!space_try_u32(c.space, c.va, &size, &f))
		return fail_memory(fault, cell, &f);
	if (!(size & CELL_VOLATILE))
		return fail(fault, cell, c.va, size ? why_free : why_size);
	size = 0 - size;
	if (size < MIN_CELL_SIZE || size > MAX_CELL_SIZE || size > h->storage[kind].length - place)
		return fail(fault, cell, c.va, why_size);
	c.size = size - CELL_HEADER_SIZE;
	c.va += CELL_HEADER_SIZE;
	*ret = c;
	return true;
}

bool hive_cell_read(const struct hive *h, const struct hive_cell *cell, uint32_t offset, void *buf,
		    size_t len, struct hive_fault *fault)
{
	size_t room = HIVE_BLOCK - (cell->cell + CELL_HEADER_SIZE) % HIVE_BLOCK;
	struct fault f;

	if (offset > cell->size || len > cell->size - offset)
		return fail(fault, cell->cell, cell->va, "the cell is too small for what it holds");
	if (offset > room || len > room - offset)
		return hive_read_bytes(h, cell->cell + CELL_HEADER_SIZE + offset, buf, len, fault);
	/* in the block that the cell begins in */
	if (len && !space_try_read(cell->space, cell->va + offset, buf, len, &f))
		return fail_memory(fault, cell->cell, &f);
	return true;
}

uint32_t hive_root_cell(const struct hive *h)
{
	uint8_t head[REGF_ROOT_CELL + 4];

	if (h->base_block &&
	    space_try_read(h->memory->kernel, h->base_block, head, sizeof(head), NULL) &&
	    load_u32(head) == REGF_SIGNATURE)
		return load_u32(head + REGF_ROOT_CELL);
	return BIN_HEADER_SIZE;
}
