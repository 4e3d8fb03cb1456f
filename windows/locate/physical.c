/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "arch/amd64/paging.h"
#include "base/cursor.h"
#include "windows/locate/private.h"

/*
 * What can be recognised in physical memory without any page table: the kernel's CodeView record
 * and the System process. System's object holds its root. A record leads to its image, whose
 * loaded header says where it is mapped; a page is the top table if it maps it there.
 */
enum { HIT_CODEVIEW, HIT_SYSTEM };

enum {
	RSDS_MAGIC = 0x53445352,
	RSDS_NAME = 24,
	MAX_RECORDS = 32,
	MAX_PROCESSES = 32,
	MAX_TABLES = 64,
	IMAGE_REACH = 32 << 20,
};

/* KPROCESS: the same in every public ntoskrnl PDB for AMD64 since Windows Vista. */
enum {
	DISPATCHER_PROCESS = 3, /* DISPATCHER_HEADER.Type */
	KPROCESS_PROFILE_LIST = 0x18,
	KPROCESS_DTB = 0x28,
	KPROCESS_HEAD = 0x30,
	/* EPROCESS.ImageFileName: 0x2e0 in Windows 7, 0x5a8 in 19041, 0x338 in 26100 */
	MIN_NAME_OFFSET = 0x200,
	MAX_NAME_OFFSET = 0x700,
	PCID_MASK = 0xf,
};
#define SYSTEM_NAME UINT64_C(0x00006d6574737953) /* "System" */

/* Do the bytes at pa look like System's KPROCESS? Its empty profile list points to itself, so the
 * low bits of the virtual address agree with those of the physical one. */
static bool looks_like_process(struct physmem *mem, uint64_t pa, uint64_t *list_ret,
			       uint64_t *dtb_ret)
{
	uint8_t head[KPROCESS_HEAD];

	if (physmem_read(mem, pa, head, sizeof(head)) != sizeof(head) ||
	    head[0] != DISPATCHER_PROCESS)
		return false;
	uint64_t flink = load_u64(head + KPROCESS_PROFILE_LIST);
	uint64_t dtb = load_u64(head + KPROCESS_DTB);

	if (flink != load_u64(head + KPROCESS_PROFILE_LIST + 8) || !is_kernel_address(flink) ||
	    ((flink ^ (pa + KPROCESS_PROFILE_LIST)) & PAGE_MASK) != 0)
		return false;
	if (dtb_to_root(dtb) == 0 || (dtb & PAGE_MASK) > PCID_MASK ||
	    dtb_to_root(dtb) >= physmem_end(mem))
		return false;
	*list_ret = flink;
	*dtb_ret = dtb;
	return true;
}

static void find_system(struct scan_job *job, struct physmem *mem, uint64_t name_pa)
{
	uint64_t list, dtb;

	for (uint64_t back = MIN_NAME_OFFSET; back <= MAX_NAME_OFFSET && back <= name_pa; back += 8)
		if (looks_like_process(mem, name_pa - back, &list, &dtb)) {
			scan_add(job, name_pa - back, HIT_SYSTEM);
			return;
		}
}

static bool read_record(struct physmem *mem, uint64_t pa, struct codeview *ret)
{
	uint8_t bytes[RSDS_NAME + 64];
	size_t len = physmem_read(mem, pa, bytes, sizeof(bytes));
	struct error *err = codeview_parse(bytes, len, pa, ret);

	if (err) {
		error_destroy(err);
		return false;
	}
	return is_kernel_pdb(ret);
}

static void find_signatures(struct scan_job *job, const void *arg, uint64_t pa,
			    const struct page_view *view)
{
	struct physmem *mem = ((const struct locator *)arg)->mem;
	struct codeview cv;

	for (uint32_t at = (view->begin + 7) & ~7U; at + 8 <= view->end; at += 8) {
		uint64_t word = load_u64(view->bytes + (at - view->begin));

		if (word == SYSTEM_NAME)
			find_system(job, mem, pa + at);
		for (unsigned half = 0; half < 2; half++)
			if ((uint32_t)(word >> 32 * half) == RSDS_MAGIC &&
			    read_record(mem, pa + at + 4 * half, &cv))
				scan_add(job, pa + at + 4 * half, HIT_CODEVIEW);
	}
}

struct signatures {
	uint64_t records[MAX_RECORDS], processes[MAX_PROCESSES];
	size_t num_records, num_processes;
};

static struct error *collect_signatures(struct locator *l, struct signatures *ret)
{
	struct scan scan;
	struct error *err = NULL;

	scan_begin(&scan, l, "looking for the kernel's signatures", find_signatures, l);
	while (!err && !scan.end) {
		err = scan_step(&scan);
		for (size_t i = 0; !err && i < scan.count; i++) {
			const struct scan_hit *hit = &scan.hits[i];

			if (hit->kind == HIT_SYSTEM && ret->num_processes < MAX_PROCESSES)
				ret->processes[ret->num_processes++] = hit->pa;
			if (hit->kind == HIT_CODEVIEW && ret->num_records < MAX_RECORDS)
				ret->records[ret->num_records++] = hit->pa;
		}
	}
	scan_end(&scan);
	return err;
}

/* A root is System's if it maps the process to where it was found. */
static struct error *try_process(struct locator *l, uint64_t pa)
{
	uint64_t list, dtb, list_pa;
	bool mapped = false;

	if (!looks_like_process(l->mem, pa, &list, &dtb))
		return NULL;
	for (unsigned levels = 4; levels <= 5 && !l->found; levels++) {
		struct root root = { .what = "System process", .levels = levels };
		struct space *s;
		struct error *err;

		root.pa = dtb_to_root(dtb);
		if ((err = space_create_amd64(l->mem, root.pa, levels, NULL, NULL, &s)))
			return err;
		enum va_state state = space_translate(s, list, &list_pa);

		space_destroy(s);
		if (state != VA_MAPPED || list_pa != pa + KPROCESS_PROFILE_LIST)
			continue;
		mapped = true;
		if ((err = locator_try(l, &root, &l->hints, true)))
			return err;
	}
	if (!mapped)
		return locator_note(l, GOT_NOTHING,
				    "System process at physical 0x%llx: its root 0x%llx does not "
				    "map it",
				    (unsigned long long)pa, (unsigned long long)dtb_to_root(dtb));
	return NULL;
}

/* A loaded image: where it is and where it says to be. */
struct anchor {
	uint64_t va, pa;
	unsigned levels;
};

/* The image whose CodeView record is at record, if it lies in one piece below it. */
static bool find_image(struct space *physical, uint64_t record, struct pe_image *ret)
{
	uint64_t top = record & ~(uint64_t)PAGE_MASK;

	for (uint64_t down = 0; down <= IMAGE_REACH && down <= top; down += PAGE_SIZE) {
		struct codeview cv;
		uint16_t magic;
		struct error *err;

		if (!space_try_u16(physical, top - down, &magic, NULL) || magic != 0x5a4d)
			continue;
		err = pe_read(physical, top - down, ret);
		if (!err)
			err = pe_codeview(physical, ret, &cv);
		if (!err && cv.va == record)
			return true;
		error_destroy(err);
	}
	return false;
}

static struct error *record_to_anchor(struct locator *l, struct space *physical, uint64_t record,
				      struct anchor *ret, bool *found_ret)
{
	struct pe_image pe;

	*found_ret = false;
	if (!find_image(physical, record, &pe))
		return locator_note(l, GOT_NOTHING,
				    "CodeView record at physical 0x%llx: no image around it",
				    (unsigned long long)record);
	if (!is_kernel_address(pe.image_base) || (pe.image_base & PAGE_MASK))
		return locator_note(
			l, GOT_MZ,
			"CodeView record at physical 0x%llx: its image at 0x%llx was not "
			"loaded (ImageBase 0x%llx)",
			(unsigned long long)record, (unsigned long long)pe.base,
			(unsigned long long)pe.image_base);
	*ret = (struct anchor){ .va = pe.image_base, .pa = pe.base };
	*found_ret = true;
	return NULL;
}

/* Does the top table at table_pa map the anchor where it is? entry is that of the top table. */
static bool maps_anchor(struct physmem *mem, uint64_t entry, unsigned levels,
			const struct anchor *anchor)
{
	for (unsigned level = levels; entry & PTE_PRESENT; level--) {
		bool leaf = level == LEVEL_PT || (level_rows[level].large && entry & PTE_LARGE);
		uint64_t frame = entry & PTE_PFN_MASK;
		uint8_t bytes[8];

		if (leaf) {
			uint64_t offset = va_offset(anchor->va, (enum page_level)level);

			return (entry & level_rows[level].pa_mask) + offset == anchor->pa;
		}
		unsigned index = va_index(anchor->va, (enum page_level)(level - 1));

		if (physmem_read(mem, frame + 8ULL * index, bytes, sizeof(bytes)) != sizeof(bytes))
			return false;
		entry = load_u64(bytes);
	}
	return false;
}

struct table_search {
	struct physmem *mem;
	struct anchor anchor;
};

static void find_tables(struct scan_job *job, const void *arg, uint64_t pa,
			const struct page_view *view)
{
	const struct table_search *search = arg;

	if (view->begin != 0 || view->end != PAGE_SIZE)
		return;
	for (unsigned levels = 4; levels <= 5; levels++) {
		unsigned index = va_index(search->anchor.va, (enum page_level)levels);
		uint64_t entry = load_u64(view->bytes + 8 * index);

		if (maps_anchor(search->mem, entry, levels, &search->anchor))
			scan_add(job, pa, levels);
	}
}

/* Every page that maps the anchor is tried, in the order of addresses. */
static struct error *try_anchor(struct locator *l, const struct anchor *anchor)
{
	struct table_search search = { .mem = l->mem, .anchor = *anchor };
	struct hints hints = { .count = 0 };
	unsigned tried = 0;
	struct scan scan;
	struct error *err = NULL;

	hints_add(&hints, "ImageBase", anchor->va);
	scan_begin(&scan, l, "looking for the kernel's page tables", find_tables, &search);
	while (!err && !scan.end && !l->found && tried < MAX_TABLES) {
		err = scan_step(&scan);
		for (size_t i = 0; !err && i < scan.count && !l->found && tried < MAX_TABLES; i++) {
			struct root root = { .what = "table that maps the image",
					     .pa = scan.hits[i].pa,
					     .levels = scan.hits[i].kind };

			tried++;
			err = locator_try(l, &root, &hints, false);
		}
	}
	scan_end(&scan);
	if (err || l->found)
		return err;
	return locator_note(
		l, GOT_PE,
		"image at physical 0x%llx belongs at 0x%llx, but no captured table maps "
		"it there",
		(unsigned long long)anchor->pa, (unsigned long long)anchor->va);
}

static struct error *try_records(struct locator *l, const struct signatures *signatures)
{
	struct space *physical;
	struct error *err = space_create_physical(l->mem, &physical);

	for (size_t i = 0; !err && i < signatures->num_records && !l->found; i++) {
		struct anchor anchor;
		bool found;

		err = record_to_anchor(l, physical, signatures->records[i], &anchor, &found);
		if (!err && found)
			err = try_anchor(l, &anchor);
	}
	space_destroy(physical);
	return err;
}

struct error *locate_by_physical_search(struct locator *l)
{
	struct signatures signatures = { .num_records = 0 };
	struct error *err = locator_collect(l);

	if (err || (err = collect_signatures(l, &signatures)))
		return err;
	if (signatures.num_records == 0 && signatures.num_processes == 0)
		return locator_note(l, GOT_NOTHING,
				    "neither a kernel's CodeView record nor a System process");
	for (size_t i = 0; i < signatures.num_processes && !l->found; i++)
		if ((err = try_process(l, signatures.processes[i])))
			return err;
	return l->found ? NULL : try_records(l, &signatures);
}
