/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "fake_tables.h"
#include "windows/kernel_tables/pool_tags.h"
#include "windows/kernel_tables/service_table.h"
#include "windows/kernel_tables/sessions.h"
#include "windows/pool/big_pool.h"

/* System services */

enum { DESCRIPTORS = 0x2000, SERVICES = 0x3000, NUM_SERVICES = 5 };

static void put_descriptor(struct fake_tables *f, uint32_t rva, uint64_t base, uint32_t limit)
{
	tables_put(f, rva, base);
	tables_put32(f, rva + 0x10, limit);
}

static void put_services(struct fake_tables *f)
{
	fake_tables_init(f);
	tables_symbol(f, "KeServiceDescriptorTable", DESCRIPTORS);
	tables_symbol(f, "KeServiceDescriptorTableShadow", DESCRIPTORS + 0x40);
	put_descriptor(f, DESCRIPTORS, tables_at(SERVICES), NUM_SERVICES);
	put_descriptor(f, DESCRIPTORS + 0x40, tables_at(SERVICES), NUM_SERVICES);
	for (uint32_t i = 0; i < NUM_SERVICES; i++)
		tables_put32(f, SERVICES + i * 4, (0x100u * i) << 4 | i);
}

Test(service_table, entries_are_distances_and_arguments)
{
	struct fake_tables f;
	struct service_tables t;
	struct service s;

	put_services(&f);
	tables_put32(&f, SERVICES + 4, (uint32_t)(-0x2000 * 16) | 7); /* below the table */
	fake_tables_open(&f, -1);
	cr_assert_null(service_tables_read(&f.kernel, &t));
	cr_assert_eq(t.count, 1);
	cr_expect_eq(t.items[0].limit, NUM_SERVICES);
	cr_assert(service_read(&t.items[0], 1, &s, NULL));
	cr_expect_eq(s.address, tables_at(SERVICES) - 0x2000);
	cr_expect_eq(s.stack_arguments, 7);
	cr_assert(service_read(&t.items[0], 2, &s, NULL));
	cr_expect_eq(s.address, tables_at(SERVICES) + 0x200);
	cr_expect_eq(s.entry, tables_at(SERVICES) + 8);
	cr_expect_eq(f.diag.partial, 0);
	service_tables_deinit(&t);
	fake_tables_close(&f);
}

Test(service_table, another_table_for_threads_with_windows_is_listed)
{
	struct fake_tables f;
	struct service_tables t;

	put_services(&f);
	put_descriptor(&f, DESCRIPTORS + 0x40, tables_at(SERVICES + 0x800), 3);
	fake_tables_open(&f, -1);
	cr_assert_null(service_tables_read(&f.kernel, &t));
	cr_assert_eq(t.count, 2);
	cr_expect_str_eq(t.items[1].descriptor, "KeServiceDescriptorTableShadow");
	cr_expect_eq(t.items[1].number, 0);
	service_tables_deinit(&t);
	fake_tables_close(&f);
}

Test(service_table, absurd_limits_are_left_out)
{
	struct fake_tables f;
	struct service_tables t;

	put_services(&f);
	put_descriptor(&f, DESCRIPTORS, tables_at(SERVICES), 0x80000000);
	put_descriptor(&f, DESCRIPTORS + 0x40, tables_at(SERVICES), MAX_SERVICES + 1);
	fake_tables_open(&f, -1);
	cr_assert_null(service_tables_read(&f.kernel, &t));
	cr_expect_eq(t.count, 0);
	cr_expect_eq(f.diag.partial, 2);
	service_tables_deinit(&t);
	fake_tables_close(&f);
}

Test(service_table, an_absent_descriptor_leaves_the_images_own_table)
{
	struct fake_tables f;
	struct service_tables t;

	put_services(&f);
	tables_symbol(&f, "KiServiceTable", SERVICES);
	tables_symbol(&f, "KiServiceLimit", SERVICES + 0x100);
	tables_put32(&f, SERVICES + 0x100, NUM_SERVICES);
	fake_tables_open(&f, DESCRIPTORS / 0x1000);
	cr_assert_null(service_tables_read(&f.kernel, &t));
	cr_assert_eq(t.count, 1);
	cr_expect_str_eq(t.items[0].descriptor, "KiServiceTable");
	cr_expect_eq(f.diag.partial, 2);
	service_tables_deinit(&t);
	fake_tables_close(&f);
}

Test(service_table, absent_entries_are_told)
{
	struct fake_tables f;
	struct service_tables t;
	struct service s;
	struct fault fault;

	put_services(&f);
	fake_tables_open(&f, SERVICES / 0x1000);
	cr_assert_null(service_tables_read(&f.kernel, &t));
	cr_assert_eq(t.count, 1);
	cr_expect_not(service_read(&t.items[0], 2, &s, &fault));
	cr_expect_eq(fault.va, tables_at(SERVICES) + 8);
	service_tables_deinit(&t);
	fake_tables_close(&f);
}

Test(service_table, without_symbols_it_says_so)
{
	struct fake_tables f;
	struct service_tables t;

	fake_tables_init(&f);
	fake_tables_open(&f, -1);
	cr_assert_null(service_tables_read(&f.kernel, &t));
	cr_expect_eq(t.count, 0);
	cr_expect_eq(f.diag.partial, 1);
	service_tables_deinit(&t);
	fake_tables_close(&f);
}

static void put_lea(struct fake_tables *f, uint32_t at, uint8_t reg, uint32_t target)
{
	f->bytes[at] = 0x4c;
	f->bytes[at + 1] = 0x8d;
	f->bytes[at + 2] = reg;
	tables_put32(f, at + 3, target - (at + 7));
}

/* Windows 7 tests a flag farther into the thread than later ones: another encoding. */
Test(service_table, without_symbols_the_system_call_handler_tells)
{
	const uint8_t forms[] = { 0x43, 0x83 };
	enum { CODE = 0x2ff8 /* across two pages */ };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct fake_tables f;
		struct service_tables t;

		put_services(&f);
		f.num_symbols = 0;
		put_lea(&f, CODE, 0x15, DESCRIPTORS);
		put_lea(&f, CODE + 7, 0x1d, DESCRIPTORS + 0x40);
		f.bytes[CODE + 14] = 0xf7;
		f.bytes[CODE + 15] = forms[i];
		fake_tables_open(&f, -1);
		f.kernel.loc.size = FAKE_TABLES_SIZE;
		f.kernel.loc.has_pe = true;
		f.kernel.loc.pe.num_sections = 1;
		f.kernel.loc.pe.sections[0] = (struct pe_section){
			.rva = 0x1000,
			.virtual_size = FAKE_TABLES_SIZE - 0x1000,
			.characteristics = PE_SECTION_EXECUTE,
		};
		cr_assert_null(service_tables_read(&f.kernel, &t));
		cr_expect_eq(t.count, 1, "form 0x%x", forms[i]);
		cr_expect_eq(f.diag.partial, 0);
		service_tables_deinit(&t);
		fake_tables_close(&f);
	}
}

/* Big pool allocations */

enum { BIG_VARIABLE = 0x2000, BIG_SIZE = 0x2008, BIG_TABLE = 0x3000 };

static void put_big_pools(struct fake_tables *f, uint64_t count)
{
	fake_tables_init(f);
	tables_symbol(f, "PoolBigPageTable", BIG_VARIABLE);
	tables_symbol(f, "PoolBigPageTableSize", BIG_SIZE);
	tables_put(f, BIG_VARIABLE, tables_at(BIG_TABLE));
	tables_put(f, BIG_SIZE, count);
}

static void put_big_pool(struct fake_tables *f, uint32_t index, uint64_t va, uint64_t size)
{
	uint32_t rva = BIG_TABLE + index * 0x18;

	tables_put(f, rva, va);
	tables_put_text(f, rva + 8, "Tag");
	tables_put32(f, rva + 12, POOL_TYPE_PAGED);
	tables_put(f, rva + 16, size);
}

Test(big_pool, used_and_freed_entries)
{
	struct fake_tables f;
	struct big_pools p;

	put_big_pools(&f, 4);
	put_big_pool(&f, 0, UINT64_C(0xffffa00000001000), 0x2000);
	put_big_pool(&f, 2, UINT64_C(0xffffa00000004001), 0x3000); /* freed */
	put_big_pool(&f, 3, 1, 0);				   /* never used */
	fake_tables_open(&f, -1);
	cr_assert_null(big_pools_read(&f.kernel, &p));
	cr_assert_eq(p.count, 2);
	cr_expect(!p.items[0].free && p.items[0].size.value == 0x2000);
	cr_expect(p.items[0].type.present && p.items[0].type.value & POOL_TYPE_PAGED);
	cr_expect_not(p.items[0].process.present);
	cr_expect(p.items[1].free);
	cr_expect_eq(p.items[1].address, UINT64_C(0xffffa00000004000));
	cr_expect_eq(f.diag.partial, 0);
	big_pools_deinit(&p);
	fake_tables_close(&f);
}

Test(big_pool, a_count_beyond_the_limit_reads_nothing)
{
	struct fake_tables f;
	struct big_pools p;

	put_big_pools(&f, UINT64_MAX);
	fake_tables_open(&f, -1);
	cr_assert_null(big_pools_read(&f.kernel, &p));
	cr_expect_eq(p.count, 0);
	cr_expect_eq(f.diag.partial, 1);
	big_pools_deinit(&p);
	fake_tables_close(&f);
}

/* No machine that runs is without one. */
Test(big_pool, a_table_that_is_nowhere_is_told)
{
	struct fake_tables f;
	struct big_pools p;

	put_big_pools(&f, 4);
	tables_put(&f, BIG_VARIABLE, 0);
	fake_tables_open(&f, -1);
	cr_assert_null(big_pools_read(&f.kernel, &p));
	cr_expect_eq(p.count, 0);
	cr_expect_eq(f.diag.partial, 1);
	big_pools_deinit(&p);
	fake_tables_close(&f);
}

Test(big_pool, an_absent_page_costs_its_entries)
{
	struct fake_tables f;
	struct big_pools p;

	put_big_pools(&f, 0x2000 / 0x18);
	for (uint32_t i = 0; i < 0x2000 / 0x18; i++)
		put_big_pool(&f, i, UINT64_C(0xffffa00000001000) + i * 0x1000, 0x1000);
	fake_tables_open(&f, BIG_TABLE / 0x1000 + 1);
	cr_assert_null(big_pools_read(&f.kernel, &p));
	cr_expect_eq(p.count, 0x1000 / 0x18 + 1); /* the last one's Va and Key are there */
	cr_expect_eq(f.diag.partial, 1);
	big_pools_deinit(&p);
	fake_tables_close(&f);
}

/* Pool tags */

enum { TRACK_VARIABLE = 0x2000, TRACK_SIZE = 0x2008, TAG_TABLES = 0x2100, TRACK_TABLE = 0x3000 };

static void put_tag(struct fake_tables *f, uint32_t table, uint32_t index, const char *tag,
		    uint64_t nonpaged, uint64_t paged)
{
	uint32_t rva = table + index * 0x38;

	tables_put_text(f, rva, tag);
	tables_put(f, rva + 8, nonpaged * 16);
	tables_put(f, rva + 16, nonpaged);
	tables_put(f, rva + 32, paged * 32);
	tables_put(f, rva + 40, paged);
}

static void put_tags(struct fake_tables *f, uint64_t count)
{
	fake_tables_init(f);
	tables_symbol(f, "PoolTrackTable", TRACK_VARIABLE);
	tables_symbol(f, "PoolTrackTableSize", TRACK_SIZE);
	tables_symbol(f, "ExPoolTagTables", TAG_TABLES);
	tables_symbol(f, "PoolTrackTableExpansion", 0x2200);
	tables_symbol(f, "PoolTrackTableExpansionSize", 0x2208);
	tables_put(f, TRACK_VARIABLE, tables_at(TRACK_TABLE));
	tables_put(f, TRACK_SIZE, count);
	tables_put(f, TAG_TABLES, tables_at(TRACK_TABLE));
}

Test(pool_tags, tables_are_added_up)
{
	struct fake_tables f;
	struct pool_tag_uses u;

	put_tags(&f, 4);
	put_tag(&f, TRACK_TABLE, 3, "Aaaa", 1, 2);
	put_tag(&f, TRACK_TABLE, 1, "Zzzz", 5, 0);
	tables_put(&f, TAG_TABLES, tables_at(0x4000)); /* cpu 0 has a table of its own here */
	put_tag(&f, 0x4000, 0, "Aaaa", 10, 20);
	tables_put(&f, 0x2200, tables_at(0x5000)); /* expansion */
	tables_put(&f, 0x2208, 1);
	put_tag(&f, 0x5000, 0, "Late", 1, 1);
	fake_tables_open(&f, -1);
	cr_assert_null(pool_tags_read(&f.kernel, &u));
	cr_assert_eq(u.count, 3);
	cr_expect_eq(u.items[0].counters[NONPAGED_ALLOCS].value, 5);
	cr_expect_eq(u.items[1].counters[NONPAGED_ALLOCS].value, 11);
	cr_expect_eq(u.items[1].counters[NONPAGED_BYTES].value, 11 * 16);
	cr_expect_eq(u.items[1].counters[PAGED_BYTES].value, 22 * 32);
	cr_expect_eq(u.items[1].entry, tables_at(TRACK_TABLE + 3 * 0x38));
	cr_expect_eq(u.items[2].counters[PAGED_ALLOCS].value, 1);
	cr_expect_eq(f.diag.partial, 0);
	pool_tags_deinit(&u);
	fake_tables_close(&f);
}

Test(pool_tags, counts_beyond_the_limit_and_absent_tables)
{
	struct fake_tables f;
	struct pool_tag_uses u;

	put_tags(&f, MAX_POOL_TRACKERS + 1);
	fake_tables_open(&f, -1);
	cr_assert_null(pool_tags_read(&f.kernel, &u));
	cr_expect(u.count == 0 && f.diag.partial == 1);
	pool_tags_deinit(&u);
	fake_tables_close(&f);

	put_tags(&f, 8);
	fake_tables_open(&f, TRACK_TABLE / 0x1000);
	cr_assert_null(pool_tags_read(&f.kernel, &u));
	cr_expect(u.count == 0 && f.diag.partial == 1);
	pool_tags_deinit(&u);
	fake_tables_close(&f);

	put_tags(&f, 8);
	tables_put(&f, TRACK_VARIABLE, 0);
	fake_tables_open(&f, -1);
	cr_assert_null(pool_tags_read(&f.kernel, &u));
	cr_expect(u.count == 0 && f.diag.partial == 1);
	pool_tags_deinit(&u);
	fake_tables_close(&f);
}

Test(pool_tags, a_table_that_is_nowhere_is_told_once)
{
	struct fake_tables f;
	struct pool_tag_uses u;

	put_tags(&f, 4);
	tables_put(&f, TRACK_VARIABLE, 0);
	fake_tables_open(&f, -1);
	cr_assert_null(pool_tags_read(&f.kernel, &u));
	cr_expect_eq(u.count, 0);
	cr_expect_eq(f.diag.partial, 1);
	pool_tags_deinit(&u);
	fake_tables_close(&f);
}

Test(pool_tags, words_that_match)
{
	cr_expect(pool_tag_matches("Proc", "Proc"));
	cr_expect(pool_tag_matches("CM*", "CM25"));
	cr_expect(pool_tag_matches("CM?5", "CM25"));
	cr_expect(pool_tag_matches("Ob", "Ob  "));
	cr_expect(pool_tag_matches("*", ""));
	cr_expect_not(pool_tag_matches("CM", "CM25"));
	cr_expect_not(pool_tag_matches("cm25", "CM25"));
	cr_expect_not(pool_tag_matches("CM25x", "CM25"));
	cr_expect_not(pool_tag_matches("*5", "CM25"));
}

/* Sessions */

enum { SESSION = 0x3000, PROCESS_A = 0x4000, PROCESS_B = 0x5000 };

static void put_process(struct fake_tables *f, uint32_t rva, uint64_t pid, const char *name)
{
	tables_put(f, rva + 0x28, 0x1000);
	tables_put(f, rva + 0x40, pid);
	tables_put_text(f, rva + 0x58, name);
	tables_put(f, rva + 0x68, tables_at(SESSION));
}

static void put_session(struct fake_tables *f)
{
	fake_tables_init(f);
	put_process(f, PROCESS_A, 100, "csrss.exe");
	put_process(f, PROCESS_B, 200, "hidden.exe");
	tables_put_ring(f, (const uint32_t[]){ FAKE_PROCESS_HEAD, PROCESS_A + 0x48 }, 2);
	tables_put32(f, SESSION + 8, 1);
	tables_put_ring(f, (const uint32_t[]){ SESSION + 0x10, PROCESS_A + 0x70, PROCESS_B + 0x70 },
			3);
}

Test(sessions, a_process_that_only_the_session_has)
{
	struct fake_tables f;
	struct session_list l;

	put_session(&f);
	fake_tables_open(&f, -1);
	cr_assert_null(sessions_read(&f.kernel, &l));
	cr_assert_eq(l.count, 1);
	cr_expect_eq(l.items[0].id.value, 1);
	cr_expect_eq(l.items[0].processes.value, 2);
	cr_expect_eq(l.items[0].unlisted, 1);
	cr_expect_str_eq(l.items[0].names[1], "hidden.exe (200)");
	cr_expect_eq(f.diag.partial, 0);
	session_list_deinit(&l);
	fake_tables_close(&f);
}

Test(sessions, a_torn_list_costs_what_it_hides)
{
	struct fake_tables f;
	struct session_list l;

	put_session(&f);
	tables_put(&f, PROCESS_A + 0x70, 0);
	fake_tables_open(&f, -1);
	cr_assert_null(sessions_read(&f.kernel, &l));
	cr_assert_eq(l.count, 1);
	cr_expect_eq(l.items[0].processes.value, 2); /* from the other end */
	session_list_deinit(&l);
	fake_tables_close(&f);

	put_session(&f);
	fake_tables_open(&f, SESSION / 0x1000);
	cr_assert_null(sessions_read(&f.kernel, &l));
	cr_assert_eq(l.count, 1);
	cr_expect_not(l.items[0].id.present);
	cr_expect_not(l.items[0].processes.present);
	cr_expect_gt(f.diag.partial, 0);
	session_list_deinit(&l);
	fake_tables_close(&f);
}
