/* SPDX-License-Identifier: MIT */
#include "formats/vmware/memory.h"

#include <inttypes.h>
#include <string.h>

#include "formats/vmware/state.h"

struct reading {
	const struct file *state;
	struct vmware_memory *memory;
};

/* A region's number that a tag gives; false where it is none or the region is not one of ours. */
static bool region_value(const struct reading *r, const struct state_tag *tag, const char *name,
			 struct vmware_region **region, uint32_t *ret)
{
	uint64_t value;

	if (strcmp(tag->name, name) || tag->num_indices != 1 ||
	    tag->indices[0] >= VMWARE_MAX_REGIONS || !state_value(r->state, tag, 0, 4, &value))
		return false;
	*region = &r->memory->regions[tag->indices[0]];
	*ret = (uint32_t)value;
	return true;
}

static struct error *visit(void *arg, const struct state_tag *tag)
{
	struct reading *r = arg;
	struct vmware_region *region;
	uint32_t value;

	if (!strcmp(tag->name, "regionsCount") && !tag->num_indices) {
		if (!state_value(r->state, tag, 0, 4, &r->memory->num_regions))
			return error_new(ERROR_CORRUPT, "expected a count of regions");
	} else if (region_value(r, tag, "regionPageNum", &region, &value)) {
		region->has_file_page = true;
		region->file_page = value;
	} else if (region_value(r, tag, "regionPPN", &region, &value)) {
		region->has_page = true;
		region->page = value;
	} else if (region_value(r, tag, "regionSize", &region, &value)) {
		region->has_size = true;
		region->num_pages = value;
	} else if (!strcmp(tag->name, "Memory") && tag->is_block) {
		if (tag->is_compressed)
			return error_new(ERROR_UNSUPPORTED,
					 "memory is compressed: expected a plain block");
		if (!r->memory->num_blocks++) {
			r->memory->block_offset = tag->offset;
			r->memory->block_size = tag->size;
		}
	}
	return NULL;
}

struct error *vmware_read_memory(const struct file *state, struct vmware_memory *ret,
				 struct diag *diag)
{
	struct reading r = { .state = state, .memory = ret };
	bool found;
	struct error *err;

	*ret = (struct vmware_memory){ 0 };
	err = state_walk(state, "memory", visit, &r, &found);
	ret->is_described = found;
	/* A block that the file cuts off is memory as far as it goes. */
	if (err && error_code(err) == ERROR_CORRUPT && (ret->num_regions || ret->num_blocks)) {
		diag_error(diag, err, "tags after that are not read");
		err = NULL;
	}
	if (err)
		return err;
	if (ret->num_regions > VMWARE_MAX_REGIONS)
		return error_new(ERROR_LIMIT, "%" PRIu64 " regions of memory: expected at most %d",
				 ret->num_regions, VMWARE_MAX_REGIONS);
	if (ret->num_blocks > 1)
		diag_partial(diag, "%" PRIu64 " more blocks of memory are not read",
			     ret->num_blocks - 1);
	return NULL;
}

static struct error *add_region(const struct vmware_region *region, uint64_t index,
				const struct file *file, uint64_t start, uint64_t size,
				struct physmem *mem, struct diag *diag)
{
	uint64_t from = (uint64_t)region->file_page << PAGE_SHIFT;
	uint64_t length = (uint64_t)region->num_pages << PAGE_SHIFT;
	uint64_t room = from < size ? size - from : 0;

	if (!region->has_file_page || !region->has_page || !region->has_size) {
		diag_partial(diag,
			     "memory region %" PRIu64
			     ": expected regionPageNum, regionPPN and regionSize: left out",
			     index);
		return NULL;
	}
	if (length > room) {
		diag_partial(diag,
			     "memory region %" PRIu64 " at physical address 0x%" PRIx64
			     ": expected 0x%" PRIx64 " bytes, the file has 0x%" PRIx64,
			     index, (uint64_t)region->page << PAGE_SHIFT, length, room);
		length = room;
	}
	return physmem_add_file(mem, (uint64_t)region->page << PAGE_SHIFT, length, file,
				length ? start + from : 0);
}

struct error *vmware_add_memory(const struct vmware_memory *memory, const struct file *file,
				uint64_t start, uint64_t size, struct physmem *mem,
				struct diag *diag)
{
	uint64_t described = 0;
	struct error *err = NULL;

	if (!memory->num_regions)
		return physmem_add_file(mem, 0, size, file, start);
	for (uint64_t i = 0; !err && i < memory->num_regions; i++) {
		described += (uint64_t)memory->regions[i].num_pages << PAGE_SHIFT;
		err = add_region(&memory->regions[i], i, file, start, size, mem, diag);
	}
	if (described < size)
		diag_note(diag,
			  "the memory regions describe 0x%" PRIx64 " of 0x%" PRIx64
			  " bytes of memory",
			  described, size);
	return err;
}
