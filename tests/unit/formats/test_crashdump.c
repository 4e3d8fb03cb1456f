/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"
#include "crashdump_fake.h"
#include "formats/registry.h"

static struct fake f;

static unsigned probe(size_t size)
{
	struct probe_input in = { .head = f.bytes, .head_size = size, .file_size = size };

	return crashdump_format.probe(&in);
}

Test(crashdump, probe)
{
	fake_header(&f, 1);
	cr_expect_eq(probe(7), 0);
	cr_expect_eq(probe(8), 64);
	cr_expect_eq(probe(FAKE_HEADER), 64);
	memcpy(f.bytes, "PAGEDUMP", 8);
	cr_expect_eq(probe(8), 64);
	memcpy(f.bytes, "PAGEDU32", 8);
	cr_expect_eq(probe(8), 0);
}

Test(crashdump, refuses_by_name)
{
	static const struct {
		uint32_t machine;
		const char *text;
	} rows[] = {
		{ 0xaa64, "ARM64 machine (0xaa64)" },
		{ 0x1c4, "ARM machine (0x1c4)" },
		{ 0x200, "IA64 machine (0x200)" },
		{ 0x14c, "i386 machine (0x14c)" },
		{ 0x1234, "0x30: unknown machine type 0x1234" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_header(&f, 1);
		fake_set32(&f, 0x30, rows[i].machine);
		fake_expect_error(&f, ERROR_UNSUPPORTED, rows[i].text);
	}
	fake_header(&f, 1);
	memcpy(f.bytes, "PAGEDUMP", 8);
	fake_expect_error(&f, ERROR_UNSUPPORTED, "32-bit Windows crash dump");
	memcpy(f.bytes, "NOTADUMP", 8);
	fake_expect_error(&f, ERROR_CORRUPT, "0x0: no 'PAGEDU64'");
	fake_header(&f, 3);
	fake_expect_error(&f, ERROR_UNSUPPORTED, "crash dump type 3 (0x3)");
	fake_header(&f, 0x45474150);
	fake_expect_error(&f, ERROR_UNSUPPORTED, "crash dump type 1162297680 (0x45474150)");
}

Test(crashdump, header_facts)
{
	fake_full(&f);
	fake_set64(&f, 0xfa8, 133637796904860740);
	fake_set64(&f, 0x1030, 204001403960);
	fake_set32(&f, 0x1040, 1);
	fake_set32(&f, 0x1044, 0x110);
	strcpy((char *)f.bytes + 0xfb0, "by hand");
	fake_expect_open(&f);
	const struct dump_info *i = &f.info;
	cr_expect_str_eq(i->format, "crash-dump");
	cr_expect_str_eq(i->subtype, "full");
	cr_expect_str_eq(i->machine, "amd64");
	cr_expect_eq(i->dump_type, 1);
	cr_expect(i->has_build && i->major_version == 15 && i->build == 19041);
	cr_expect_eq(i->num_cpus, 4);
	cr_expect(i->has_bugcheck && i->bugcheck.code == 0xe2);
	cr_expect_eq(i->bugcheck.parameters[3], 4);
	cr_expect(i->has_system_time && i->system_time == 133637796904860740);
	cr_expect(i->has_uptime && i->system_uptime == 204001403960);
	cr_expect(i->product_type == 1 && i->suite_mask == 0x110);
	cr_assert(i->has_comment);
	cr_expect_str_eq(i->comment, "by hand");
	cr_expect_eq(i->hints.dtb, 0x1ad000);
	cr_expect_eq(i->hints.pfn_database, 0xfffff80000100000);
	cr_expect_eq(i->hints.ps_loaded_module_list, 0xfffff80000200000);
	cr_expect_eq(i->hints.ps_active_process_head, 0xfffff80000300000);
	cr_expect_eq(i->hints.kdbg, 0xfffff80000400000);
	cr_expect_eq(i->hints.kernel_base, 0);
	cr_assert_eq(i->num_machine_runs, 2);
	cr_expect(i->machine_runs[1].start == 0x5000 && i->machine_runs[1].end == 0x6000);
	cr_expect_null(i->triage);
	cr_expect_str_empty(f.messages);
	fake_close(&f);
}

Test(crashdump, filler_is_absent)
{
	fake_full(&f);
	memset(f.bytes + 0x34, 0, 4);
	for (size_t i = 0x10; i < 0x30; i += 4)
		memcpy(f.bytes + i, "PAGE", 4);
	memcpy(f.bytes + 0x38, "PAGE", 4);
	memcpy(f.bytes + 0x80, "PAGEPAGE", 8);
	fake_expect_open(&f);
	const struct dump_info *i = &f.info;
	cr_expect(!i->has_bugcheck && !i->has_exception && !i->has_system_time);
	cr_expect(!i->has_uptime && !i->has_comment && !i->context_cpu_unknown);
	cr_expect(i->product_type == 0 && i->suite_mask == 0 && i->num_cpus == 0);
	cr_expect(i->hints.dtb == 0 && i->hints.kdbg == 0 && i->hints.pfn_database == 0);
	cr_expect_eq(i->num_registers, 0);
	fake_close(&f);
}

Test(crashdump, exception)
{
	fake_full(&f);
	fake_set32(&f, 0xf00, 0xc0000005);
	fake_set32(&f, 0xf04, 1);
	fake_set64(&f, 0xf10, 0xfffff80000001234);
	fake_set32(&f, 0xf18, 2);
	fake_set64(&f, 0xf20, 8);
	fake_set64(&f, 0xf28, 0x10);
	fake_expect_open(&f);
	const struct exception_record *x = &f.info.exception;
	cr_expect(f.info.has_exception && x->code == 0xc0000005 && x->flags == 1);
	cr_expect(x->address == 0xfffff80000001234 && x->num_parameters == 2);
	cr_expect(x->parameters[0] == 8 && x->parameters[1] == 0x10 && x->parameters[2] == 0);
	fake_close(&f);
	fake_set32(&f, 0xf18, 0xffffffff);
	fake_expect_open(&f);
	cr_expect(f.info.has_exception && x->num_parameters == 0);
	cr_expect_not_null(strstr(f.messages, "0xf18: exception record with 4294967295"));
	fake_close(&f);
}

Test(crashdump, context_groups)
{
	const uint32_t amd64 = 0x100000;
	static const struct {
		uint32_t flags, known;
	} rows[] = {
		{ 0x0, 0 },
		{ 0x1, 0 },
		{ 0x2, 0 },
		{ 0x3, REGS_GENERAL },
		{ 0x7, REGS_GENERAL | REGS_SELECTORS },
		{ 0xf, REGS_GENERAL | REGS_SELECTORS | REGS_MXCSR },
		{ 0x1f, REGS_GENERAL | REGS_SELECTORS | REGS_MXCSR | REGS_DEBUG },
		{ 0x18, REGS_MXCSR | REGS_DEBUG },
	};

	fake_full(&f);
	for (unsigned i = 0; i < 17; i++)
		fake_set64(&f, 0x348 + 0x78 + i * 8, 0x100 + i);
	fake_set32(&f, 0x348 + 0x44, 0x246);
	for (unsigned i = 0; i < 6; i++)
		store_u16(f.bytes + 0x348 + 0x38 + i * 2, (uint16_t)(i + 1));
	fake_set64(&f, 0x348 + 0x70, 0x455);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_set32(&f, 0x348 + 0x30, amd64 | rows[i].flags);
		fake_expect_open(&f);
		cr_assert_eq(f.info.num_registers, 1);
		cr_expect(f.info.context_cpu_unknown);
		cr_expect_eq(f.info.registers[0].known, rows[i].known);
		fake_close(&f);
	}
	fake_set32(&f, 0x348 + 0x30, amd64 | 0x1f);
	fake_expect_open(&f);
	const struct registers *r = &f.info.registers[0];
	cr_expect(r->rax == 0x100 && r->rbx == 0x103 && r->rsp == 0x104 && r->rip == 0x110);
	cr_expect(r->r15 == 0x10f && r->rflags == 0x246 && r->dr7 == 0x455);
	cr_expect(r->cs.selector == 1 && r->gs.selector == 5 && r->ss.selector == 6);
	fake_close(&f);
	fake_set32(&f, 0x348 + 0x30, 0x1f);
	fake_expect_open(&f);
	cr_expect_eq(f.info.num_registers, 0);
	fake_close(&f);
}

Test(crashdump, impossible_cpu_count)
{
	fake_full(&f);
	fake_set32(&f, 0x34, 0xffffffff);
	fake_expect_open(&f);
	cr_expect_eq(f.info.num_cpus, 0);
	cr_expect_not_null(strstr(f.messages, "0x34: 4294967295 processors"));
	fake_close(&f);
}

Test(crashdump, full_pages)
{
	fake_full(&f);
	fake_expect_open(&f);
	cr_expect_eq(physmem_captured_pages(f.mem), 3);
	cr_expect(fake_has_page(&f, 1) && fake_has_page(&f, 2) && fake_has_page(&f, 5));
	cr_expect(!fake_has_page(&f, 0) && !fake_has_page(&f, 3));
	cr_expect_str_empty(f.messages);
	fake_close(&f);
}

Test(crashdump, full_cut_at_every_length)
{
	fake_full(&f);
	const size_t whole = f.size;
	for (f.size = 0; f.size < whole; f.size += f.size < 0x40 ? 1 : 61) {
		struct error *err = fake_open(&f);
		if (f.size <= FAKE_HEADER) {
			cr_assert_not_null(err);
			cr_expect_eq(error_code(err), ERROR_CORRUPT);
		} else {
			cr_assert_null(err, "%s", error_message(err));
			cr_expect_eq(f.diag.partial, 1, "%zx: %s", f.size, f.messages);
			cr_expect_eq(physmem_captured_bytes(f.mem), f.size - FAKE_HEADER);
		}
		error_destroy(err);
		fake_close(&f);
	}
	f.size = 0x4800;
	fake_expect_open(&f);
	cr_expect_str_eq(f.messages,
			 "truncated at 0x4800: 1 of 3 pages are beyond the end of the file\n");
	fake_close(&f);
	f.size = FAKE_HEADER;
	fake_expect_error(&f, ERROR_CORRUPT, "names 3 pages in 2 runs, the file ends at 0x2000");
	f.size = 0x1000;
	fake_expect_error(&f, ERROR_CORRUPT, "truncated at 0x1000, expected 0x2000 bytes");
}

Test(crashdump, full_bad_runs)
{
	fake_full(&f);
	fake_set32(&f, 0x88, 0xffffffff); /* the two that are valid are used */
	fake_expect_open(&f);
	cr_expect_eq(physmem_captured_pages(f.mem), 3);
	cr_expect_not_null(strstr(f.messages, "0x88: physical memory block names 4294967295"));
	fake_close(&f);

	fake_full(&f);
	fake_set64(&f, 0xb0, UINT64_MAX); /* count of the second */
	fake_expect_open(&f);
	cr_expect_eq(physmem_captured_pages(f.mem), 2);
	cr_expect_eq(f.info.num_machine_runs, 1);
	fake_close(&f);

	fake_full(&f);
	fake_set64(&f, 0x98, UINT64_MAX);
	fake_expect_error(&f, ERROR_CORRUPT, "without a valid run");
	fake_full(&f);
	fake_set32(&f, 0x88, 0);
	fake_expect_error(&f, ERROR_CORRUPT, "without a valid run");
}

Test(crashdump, full_overlapping_runs)
{
	fake_full(&f);
	fake_set64(&f, 0xa8, 2); /* the page of the first run wins */
	fake_expect_open(&f);
	cr_expect_eq(physmem_captured_pages(f.mem), 2);
	cr_expect(fake_has_page(&f, 1) && fake_has_page(&f, 2));
	fake_close(&f);
}

Test(crashdump, wrong_total_is_noted)
{
	fake_full(&f);
	fake_set64(&f, 0x90, 7);
	fake_expect_open(&f);
	cr_expect_eq(f.diag.partial, 0);
	cr_expect_not_null(strstr(f.messages, "note: 0x90: physical memory block names 7 pages"));
	fake_close(&f);
}

/* Every bit of what the reader looks at, one at a time: an error or not, but an end. */
Test(crashdump, bit_flips, .timeout = 120)
{
	static const struct mem_range looked_at[] = {
		{ 0x80, 0xb8 }, { 0xf98, 0xfa0 }, { 0x1038, 0x103c }, { 0x2000, 0x2080 }
	};

	for (unsigned kind = 0; kind < FAKE_NUM_KINDS; kind++) {
		fake_any(&f, kind);
		for (size_t i = 0; i < ARRAY_SIZE(looked_at); i++) {
			for (uint64_t bit = looked_at[i].start * 8; bit < looked_at[i].end * 8;
			     bit++) {
				f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
				struct error *err = fake_open(&f);
				error_destroy(err);
				fake_close(&f);
				f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			}
		}
	}
}
