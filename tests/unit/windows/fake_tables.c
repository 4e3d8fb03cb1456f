/* SPDX-License-Identifier: MIT */
#include "fake_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

static const struct fake_field fields[] = {
	{ "_KPRCB", "Number", 0x24, 4 },
	{ "_KPRCB", "TimerTable.TimerEntries", 0x100, FAKE_TIMER_LISTS * 0x20 },
	{ "_KTIMER_TABLE_ENTRY", "", 0, 0x20 },
	{ "_KTIMER_TABLE_ENTRY", "Entry", 8, 16 },
	{ "_KTIMER", "Header.Type", 0, 1 },
	{ "_KTIMER", "DueTime", 0x18, 8 },
	{ "_KTIMER", "TimerListEntry", 0x20, 16 },
	{ "_KTIMER", "Dpc", 0x30, 8 },
	{ "_KTIMER", "Period", 0x3c, 4 },
	{ "_KDPC", "DeferredRoutine", 0x18, 8 },
	{ "_KDPC", "DeferredContext", 0x20, 8 },
	{ "_POOL_TRACKER_BIG_PAGES", "", 0, 0x18 },
	{ "_POOL_TRACKER_BIG_PAGES", "Va", 0, 8 },
	{ "_POOL_TRACKER_BIG_PAGES", "Key", 8, 4 },
	{ "_POOL_TRACKER_BIG_PAGES", "PoolType", 12, 4 },
	{ "_POOL_TRACKER_BIG_PAGES", "NumberOfBytes", 16, 8 },
	{ "_POOL_TRACKER_TABLE", "", 0, 0x38 },
	{ "_POOL_TRACKER_TABLE", "Key", 0, 4 },
	{ "_POOL_TRACKER_TABLE", "NonPagedBytes", 8, 8 },
	{ "_POOL_TRACKER_TABLE", "NonPagedAllocs", 16, 8 },
	{ "_POOL_TRACKER_TABLE", "NonPagedFrees", 24, 8 },
	{ "_POOL_TRACKER_TABLE", "PagedBytes", 32, 8 },
	{ "_POOL_TRACKER_TABLE", "PagedAllocs", 40, 8 },
	{ "_POOL_TRACKER_TABLE", "PagedFrees", 48, 8 },
	{ "_OBJECT_TYPE", "Name", 0x10, 16 },
	{ "_OBJECT_TYPE", "CallbackList", 0xc8, 16 },
	{ "_DEVICE_OBJECT", "Type", 0, 2 },
	{ "_DEVICE_OBJECT", "DriverObject", 8, 8 },
	{ "_DEVICE_OBJECT", "NextDevice", 0x10, 8 },
	{ "_DEVICE_OBJECT", "AttachedDevice", 0x18, 8 },
	{ "_DEVICE_OBJECT", "DeviceType", 0x48, 4 },
	{ "_DRIVER_OBJECT", "Type", 0, 2 },
	{ "_DRIVER_OBJECT", "DeviceObject", 8, 8 },
	{ "_DRIVER_OBJECT", "DriverStart", 0x18, 8 },
	{ "_DRIVER_OBJECT", "DriverSize", 0x20, 4 },
	{ "_DRIVER_OBJECT", "DriverName", 0x38, 16 },
	{ "_DRIVER_OBJECT", "MajorFunction", 0x70, 28 * 8 },
	{ "_EPROCESS", "Pcb.DirectoryTableBase", 0x28, 8 },
	{ "_EPROCESS", "UniqueProcessId", 0x40, 8 },
	{ "_EPROCESS", "ActiveProcessLinks", 0x48, 16 },
	{ "_EPROCESS", "ImageFileName", 0x58, 15 },
	{ "_EPROCESS", "Session", 0x68, 8 },
	{ "_EPROCESS", "SessionProcessLinks", 0x70, 16 },
	{ "_MM_SESSION_SPACE", "SessionId", 8, 4 },
	{ "_MM_SESSION_SPACE", "ProcessList", 0x10, 16 },
};

/* What cannot fail but for memory. */
static void must(struct error *err)
{
	if (err)
		abort();
}

void tables_symbol(struct fake_tables *f, const char *name, uint32_t rva)
{
	if (f->num_symbols == MAX_FAKE_SYMBOLS)
		abort();
	f->symbols[f->num_symbols++] = (struct fake_symbol){ name, rva };
}

void tables_put(struct fake_tables *f, uint32_t rva, uint64_t value)
{
	store_u64(f->bytes + rva, value);
}

void tables_put32(struct fake_tables *f, uint32_t rva, uint32_t value)
{
	store_u32(f->bytes + rva, value);
}

void tables_put_text(struct fake_tables *f, uint32_t rva, const char *text)
{
	memcpy(f->bytes + rva, text, strlen(text) + 1);
}

void tables_put_string(struct fake_tables *f, uint32_t rva, uint32_t buffer, const char *text)
{
	size_t len = strlen(text);

	store_u16(f->bytes + rva, (uint16_t)(len * 2));
	store_u16(f->bytes + rva + 2, (uint16_t)(len * 2 + 2));
	store_u64(f->bytes + rva + 8, tables_at(buffer));
	for (size_t i = 0; i < len; i++)
		store_u16(f->bytes + buffer + i * 2, (uint8_t)text[i]);
}

void tables_put_ring(struct fake_tables *f, const uint32_t *rvas, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		tables_put(f, rvas[i], tables_at(rvas[(i + 1) % count]));
		tables_put(f, rvas[i] + 8, tables_at(rvas[(i + count - 1) % count]));
	}
}

void fake_tables_init(struct fake_tables *f)
{
	memset(f, 0, sizeof(*f));
	tables_put(f, FAKE_PROCESSOR_BLOCK, tables_at(FAKE_KPRCB));
	tables_put_ring(f, (const uint32_t[]){ FAKE_PROCESS_HEAD }, 1);
}

static void show(struct fake_tables *f, uint32_t start, uint32_t end)
{
	if (start < end)
		must(virtmem_add(f->mem, tables_at(start), end - start, &f->file, start));
}

void fake_tables_open(struct fake_tables *f, int absent_page)
{
	struct profile_source *src =
		fake_source_create(fields, ARRAY_SIZE(fields), f->symbols, f->num_symbols);
	uint32_t hole = absent_page < 0 ? FAKE_TABLES_SIZE : (uint32_t)absent_page * PAGE_SIZE;

	f->file = (struct file){ .fd = -1, .bytes = f->bytes, .size = FAKE_TABLES_SIZE };
	must(virtmem_create(&f->mem));
	show(f, 0, hole);
	show(f, hole + PAGE_SIZE, FAKE_TABLES_SIZE);
	must(virtmem_seal(f->mem));
	/* no page is captured, but this is no small dump */
	must(physmem_create(&f->snap.mem));
	must(physmem_seal(f->snap.mem));
	diag_init(&f->diag, NULL, NULL);
	f->kernel =
		(struct kernel){ .snap = &f->snap, .diag = &f->diag, .loc.base = FAKE_TABLES_BASE };
	f->kernel.globals[GLOBAL_KI_PROCESSOR_BLOCK] =
		(struct global_value){ true, tables_at(FAKE_PROCESSOR_BLOCK), "symbols" };
	f->kernel.globals[GLOBAL_PS_ACTIVE_PROCESS_HEAD] =
		(struct global_value){ true, tables_at(FAKE_PROCESS_HEAD), "symbols" };
	must(space_create_virtual(f->mem, &f->kernel.space));
	must(profile_from_source(src, 0, &f->kernel.profile));
	must(paging_create(f->snap.mem, 4, &f->kernel.pte_config, NULL, 0, &f->kernel.paging));
}

void fake_tables_close(struct fake_tables *f)
{
	paging_destroy(f->kernel.paging);
	profile_close(f->kernel.profile);
	space_destroy(f->kernel.space);
	virtmem_destroy(f->mem);
	physmem_destroy(f->snap.mem);
}
