/* SPDX-License-Identifier: MIT */
#include "windows/crash/event.h"

#include "tests/unit/arch/fake_tables.h"
#include "windows/convention.h"

/*
 * A crashed machine of a few pages: kernel addresses from KERNEL are pages 8 to 11 (code, records,
 * a trap frame), and the process that ran has page 7 at USER.
 */
#define KERNEL	   UINT64_C(0xffff800000000000)
#define RIP	   (KERNEL + 0x123)
#define RECORD	   (KERNEL + 0x1010)
#define TRAP_FRAME (KERNEL + 0x2000)
#define USER	   UINT64_C(0x5000)
#define NOT_MAPPED (KERNEL + 0x9000)

static struct fake_machine machine;
static struct snapshot snap;
static struct kernel kernel;
static struct profile_source source;
static struct arena arena;
static struct event event;
static bool found;

static bool trap_field(const struct profile_source *src, const char *type, const char *path,
		       struct field *ret)
{
	(void)src;
	for (unsigned i = 0; i < trap_num_fields && strcmp(type, "_KTRAP_FRAME") == 0; i++) {
		if (strcmp(trap_field_rows[i].name, path) == 0) {
			*ret = (struct field){ .offset = i * 8, .size = 8, .present = true };
			if (i == TRAP_CS || i == TRAP_SS)
				ret->size = 2;
			else if (i == TRAP_EFLAGS || i == TRAP_ERROR_CODE)
				ret->size = 4;
			else if (i == TRAP_PREVIOUS_MODE || i == TRAP_PREVIOUS_IRQL)
				ret->size = 1;
			return true;
		}
	}
	return false;
}

static void keep(struct profile_source *src)
{
	(void)src;
}

static uint8_t *at(uint64_t va)
{
	return machine.bytes + PAGE(8) + (va - KERNEL);
}

static void setup(void)
{
	static const struct profile_source_ops ops = { .kind = "fake",
						       .field = trap_field,
						       .destroy = keep };

	memset(&machine, 0, sizeof(machine));
	set_entry(&machine, 1, 0, PAGE(2) | TABLE);
	set_entry(&machine, 2, 0, PAGE(3) | TABLE);
	set_entry(&machine, 3, 0, PAGE(4) | TABLE);
	set_entry(&machine, 4, USER >> 12, PAGE(7) | TABLE);
	set_entry(&machine, 1, 256, PAGE(5) | TABLE);
	set_entry(&machine, 5, 0, PAGE(6) | TABLE);
	set_entry(&machine, 6, 0, PAGE(12) | TABLE);
	for (unsigned i = 0; i < 4; i++)
		set_entry(&machine, 12, i, PAGE(8 + i) | TABLE);
	arena_init(&arena, 0);
	source.ops = &ops;
	snap = (struct snapshot){ .info.has_bugcheck = true, .info.hints.dtb = PAGE(1) | 2 };
	kernel = (struct kernel){ .snap = &snap, .loc.levels = 4, .build = 19041 };
	kernel.space = open_machine(&machine, PAGE(1), 4, &windows_soft_pte);
	snap.mem = machine.mem;
	cr_assert_null(profile_from_source(&source, 19041, &kernel.profile));
}

static void teardown(void)
{
	profile_close(kernel.profile);
	close_machine(&machine);
	arena_deinit(&arena);
}
TestSuite(event, .init = setup, .fini = teardown);

static void read_bugcheck(uint32_t code, uint64_t p1, uint64_t p2, uint64_t p3, uint64_t p4)
{
	snap.info.bugcheck = (struct bugcheck){ .code = code, .parameters = { p1, p2, p3, p4 } };
	cr_assert_null(event_read(&kernel, &arena, &found, &event));
}

static void check_access(uint64_t va, enum access_kind access)
{
	const struct memory_access *m = event_as_memory_access(&event);

	cr_assert(found);
	cr_assert_not_null(m);
	cr_assert(m->has_va && m->va == va && m->access == access, "0x%lx %d", (long)m->va,
		  (int)m->access);
	cr_assert(event.has_vector && event.vector == VECTOR_PAGE_FAULT);
	cr_assert_not(event_is_software_breakpoint(&event));
}

static void put_record(uint32_t code, uint64_t address, uint64_t p0, uint64_t p1)
{
	uint8_t *r = at(RECORD);

	store_u32(r, code);
	store_u64(r + 0x10, address);
	store_u32(r + 0x18, 2);
	store_u64(r + 0x20, p0);
	store_u64(r + 0x28, p1);
}

Test(event, page_fault_bug_checks)
{
	static const struct {
		uint32_t code;
		uint64_t p2, p3, p4;
		enum access_kind access;
	} rows[] = {
		{ 0x0a, 2, 0, RIP, ACCESS_READ },	 { 0x0a, 2, 1, RIP, ACCESS_WRITE },
		{ 0x0a, 2, 8, RIP, ACCESS_EXECUTE },	 { 0xd1, 2, 0, RIP, ACCESS_READ },
		{ 0xd1, 2, 1, RIP, ACCESS_WRITE },	 { 0xd1, 2, 2, RIP, ACCESS_EXECUTE },
		{ 0xd1, 2, 8, RIP, ACCESS_EXECUTE },	 { 0xd1, 2, 77, RIP, ACCESS_UNKNOWN },
		{ 0x50, 0, RIP, 2, ACCESS_READ },	 { 0x50, 2, RIP, 2, ACCESS_WRITE },
		{ 0x50, 0x10, RIP, 2, ACCESS_EXECUTE },	 { 0x50, 3, RIP, 2, ACCESS_WRITE },
		{ 0x50, 1, RIP, 2, ACCESS_READ },	 { 0x50, 0x100, RIP, 2, ACCESS_UNKNOWN },
		{ 0xcc, 1, RIP, 0, ACCESS_WRITE },	 { 0xd6, 0, RIP, 0, ACCESS_READ },
		{ 0x100000d1, 2, 1, RIP, ACCESS_WRITE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		read_bugcheck(rows[i].code, NOT_MAPPED, rows[i].p2, rows[i].p3, rows[i].p4);
		check_access(NOT_MAPPED, rows[i].access);
		cr_assert_not(event.memory.has_pa);
		cr_assert(event.has_rip && event.rip == RIP, "row %zu", i);
		cr_assert(event.has_gfn && event.gfn == 8);
	}
	cr_assert_str_eq(event.evidence, "bug check 0x100000d1");
}

/* Builds before 10 had no error code in 0x50; which it is cannot be told without the build. */
Test(event, page_fault_of_older_builds)
{
	kernel.build = 9600;
	read_bugcheck(0x50, NOT_MAPPED, 1, RIP, 0);
	check_access(NOT_MAPPED, ACCESS_WRITE);
	kernel.build = 0;
	read_bugcheck(0x50, NOT_MAPPED, 1, RIP, 0);
	check_access(NOT_MAPPED, ACCESS_UNKNOWN);
	read_bugcheck(0x50, NOT_MAPPED, 0, 0, 0);
	check_access(NOT_MAPPED, ACCESS_READ);
	cr_assert_not(event.has_rip, "0: not known");
}

Test(event, the_access_by_the_code_alone)
{
	read_bugcheck(0xbe, KERNEL + 8, 0x8000000000008021, 0, 0);
	check_access(KERNEL + 8, ACCESS_WRITE);
	cr_assert(event.memory.has_pa && event.memory.pa == PAGE(8) + 8);
	read_bugcheck(0xfc, USER + 4, 0, 0, 0);
	check_access(USER + 4, ACCESS_EXECUTE);
	cr_assert(event.memory.has_pa && event.memory.pa == PAGE(7) + 4, "of the process");
}

Test(event, exception_with_its_information)
{
	read_bugcheck(0x1e, STATUS_ACCESS_VIOLATION, RIP, 1, USER);
	check_access(USER, ACCESS_WRITE);
	cr_assert(event.has_exception && event.exception == STATUS_ACCESS_VIOLATION);
	cr_assert_eq(event.rip, RIP);
	/* sign-extended, as the kernel passes an NTSTATUS */
	read_bugcheck(0x1e, UINT64_C(0xffffffffc0000005), RIP, 8, USER);
	check_access(USER, ACCESS_EXECUTE);
}

/* An address that is not canonical: the processor tells none, Windows says -1. */
Test(event, access_without_an_address)
{
	read_bugcheck(0x1e, STATUS_ACCESS_VIOLATION, RIP, 0, UINT64_MAX);
	cr_assert(found && event.is_memory_access);
	cr_assert(!event.memory.has_va && !event.has_vector && !event.memory.has_pa);
	cr_assert_eq(event.memory.access, ACCESS_UNKNOWN);
	read_bugcheck(0x3b, STATUS_ACCESS_VIOLATION, RIP, RECORD, 0);
	cr_assert(event.is_memory_access && !event.memory.has_va);
	cr_assert(event.has_context && event.context == RECORD);
}

Test(event, exception_record)
{
	put_record(STATUS_ACCESS_VIOLATION, RIP, 0, NOT_MAPPED);
	read_bugcheck(0x1000007e, UINT64_C(0xffffffffc0000005), RIP, RECORD, KERNEL + 0x3000);
	check_access(NOT_MAPPED, ACCESS_READ);
	cr_assert_eq(event.context, KERNEL + 0x3000);
	cr_assert_str_eq(event.evidence,
			 "bug check 0x1000007e; exception record at 0xffff800000001010");
	put_record(STATUS_BREAKPOINT, RIP, 0, 0); /* not the record of this exception */
	read_bugcheck(0x7e, STATUS_ACCESS_VIOLATION, RIP, RECORD, 0);
	cr_assert(event.is_memory_access && !event.memory.has_va);
	read_bugcheck(0x7e, STATUS_ACCESS_VIOLATION, RIP, NOT_MAPPED, 0);
	cr_assert(event.is_memory_access && !event.memory.has_va);
	cr_assert_str_eq(event.evidence, "bug check 0x7e");
}

Test(event, software_breakpoint)
{
	enum interrupt_type type;
	unsigned vector;

	read_bugcheck(0x7e, STATUS_BREAKPOINT, RIP, 0, 0);
	cr_assert(found && event_is_software_breakpoint(&event));
	cr_assert_null(event_as_memory_access(&event));
	cr_assert(event_as_interrupt(&event, &vector, &type));
	cr_assert(vector == VECTOR_BREAKPOINT && type == INTERRUPT_SOFTWARE_EXCEPTION);
	cr_assert(event.has_gfn && event.gfn == 8);
}

Test(event, interrupts)
{
	enum interrupt_type type;
	unsigned vector;

	read_bugcheck(0x7f, 8, 0, 0, 0);
	cr_assert(event_as_interrupt(&event, &vector, &type));
	cr_assert(vector == VECTOR_DOUBLE_FAULT && type == INTERRUPT_HARDWARE_EXCEPTION);
	read_bugcheck(0x7f, 0x100, 0, 0, 0);
	cr_assert_not(event_as_interrupt(&event, &vector, &type), "no vector");
	read_bugcheck(0x80, 0, 0, 0, 0);
	cr_assert(event_as_interrupt(&event, &vector, &type) && type == INTERRUPT_NMI);
	read_bugcheck(0x9c, 0, 0, 0, 0);
	cr_assert(event_as_interrupt(&event, &vector, &type) && vector == VECTOR_MACHINE_CHECK);
	put_record(STATUS_STACK_BUFFER_OVERRUN, RIP, 2, 0);
	read_bugcheck(0x139, 2, 0, RECORD, 0);
	cr_assert(event_as_interrupt(&event, &vector, &type));
	cr_assert(vector == WINDOWS_VECTOR_FAST_FAIL && type == INTERRUPT_SOFTWARE);
	cr_assert(event.has_rip && event.rip == RIP, "of the record");
	read_bugcheck(0x1e, STATUS_INTEGER_DIVIDE_BY_ZERO, RIP, 0, 0);
	cr_assert(event_as_interrupt(&event, &vector, &type) && vector == VECTOR_DIVIDE_ERROR);
	read_bugcheck(0x1e, 0xe06d7363, RIP, 0, 0);
	cr_assert_not(event_as_interrupt(&event, &vector, &type), "raised by software");
	cr_assert(event.has_exception && event.has_rip);
}

/* Every bug check leaves the same breakpoint in the header: it is no event. */
Test(event, header_exception)
{
	snap.info.has_exception = true;
	snap.info.exception =
		(struct exception_record){ .code = STATUS_BREAKPOINT, .address = RIP };
	read_bugcheck(0xe2, 0, 0, 0, 0);
	cr_assert_not(found);
	cr_assert_str_eq(event.evidence, "bug check 0xe2 is no fault; the header's breakpoint is "
					 "that of every bug check");
	snap.info.exception.code = STATUS_ILLEGAL_INSTRUCTION;
	read_bugcheck(0xe2, 0, 0, 0, 0);
	cr_assert(found && event.vector == VECTOR_INVALID_OPCODE && event.rip == RIP);
	snap.info.exception.code = STATUS_BREAKPOINT;
	snap.info.has_bugcheck = false;
	read_bugcheck(0, 0, 0, 0, 0);
	cr_assert(found && event_is_software_breakpoint(&event));
	snap.info.has_exception = false;
	read_bugcheck(0, 0, 0, 0, 0);
	cr_assert_not(found);
	cr_assert_str_eq(event.evidence, "");
}

static void put_trap_frame(uint16_t cs, uint32_t error_code)
{
	uint8_t *frame = at(TRAP_FRAME);

	store_u64(frame + TRAP_RAX * 8, 0x11);
	store_u64(frame + TRAP_RIP * 8, RIP);
	store_u64(frame + TRAP_RSP * 8, KERNEL + 0x2800);
	store_u16(frame + TRAP_CS * 8, cs);
	store_u32(frame + TRAP_EFLAGS * 8, 0x10246);
	store_u64(frame + TRAP_FAULT_ADDRESS * 8, USER + 8);
	store_u32(frame + TRAP_ERROR_CODE * 8, error_code);
	frame[TRAP_PREVIOUS_IRQL * 8] = 2;
}

Test(event, trap_frame)
{
	struct trap_frame frame;
	struct fault fault;

	put_trap_frame(SELECTOR_KERNEL_CODE, PAGE_FAULT_WRITE | PAGE_FAULT_PRESENT);
	cr_assert(trap_frame_read(&kernel, TRAP_FRAME, &frame, &fault));
	cr_assert(frame.va == TRAP_FRAME && frame.rip == RIP && frame.rax == 0x11);
	cr_assert(frame.cs == 0x10 && frame.rflags == 0x10246 && frame.previous_irql == 2);
	cr_assert_null(event_of_page_fault(&kernel, &frame, &arena, &event));
	found = true;
	check_access(USER + 8, ACCESS_WRITE);
	cr_assert(event.memory.has_pa && event.memory.pa == PAGE(7) + 8);
	cr_assert(event.has_error_code && event.error_code == 3 && event.rip == RIP);
	put_trap_frame(0x12, 0);
	cr_assert_not(trap_frame_read(&kernel, TRAP_FRAME, &frame, &fault), "no code segment");
	cr_assert_eq(fault.va, 0);
	cr_assert_not(trap_frame_read(&kernel, KERNEL + 0x3fc0, &frame, &fault));
	cr_assert_eq(fault.va, KERNEL + 0x4000);
}

/* 0x8E and 0x139 name the trap frame; its RIP is taken where nothing better is. */
Test(event, trap_frame_of_a_bug_check)
{
	put_trap_frame(SELECTOR_KERNEL_CODE, 0);
	read_bugcheck(0x139, 3, TRAP_FRAME, 0, 0);
	cr_assert(event.has_trap_frame && event.trap_frame == TRAP_FRAME);
	cr_assert(event.has_rip && event.rip == RIP);
	read_bugcheck(0x139, 3, NOT_MAPPED, NOT_MAPPED, 0);
	cr_assert(found && !event.has_trap_frame && !event.has_rip);
}

Test(event, without_physical_memory)
{
	snap.mem = NULL;
	kernel.space = NULL;
	kernel.loc.levels = 0;
	read_bugcheck(0xd1, USER, 2, 1, RIP);
	check_access(USER, ACCESS_WRITE);
	cr_assert(!event.memory.has_pa && !event.has_gfn);
}

Test(event, exception_records_of_both_widths)
{
	uint8_t bytes[EXCEPTION_RECORD64_SIZE] = { 0 };
	struct exception_record record = { .code = 7 };
	struct cursor c;

	store_u32(bytes, STATUS_ACCESS_VIOLATION);
	store_u64(bytes + 0x10, RIP);
	store_u32(bytes + 0x18, EXCEPTION_MAX_PARAMETERS);
	store_u64(bytes + 0x20 + 14 * 8, 0x1234);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		cur_init(&c, bytes, len, 0);
		cr_assert_eq(exception_record_read(c, 8, &record), len == sizeof(bytes));
	}
	cr_assert(record.address == RIP && record.parameters[14] == 0x1234);
	store_u32(bytes + 0x18, EXCEPTION_MAX_PARAMETERS + 1);
	cr_assert_not(exception_record_read(c, 8, &record));
	store_u32(bytes + 0x18, UINT32_MAX);
	cr_assert_not(exception_record_read(c, 8, &record));

	memset(bytes, 0, sizeof(bytes));
	store_u32(bytes + 0xc, 0x401000);
	store_u32(bytes + 0x10, 1);
	store_u32(bytes + 0x14, 0xfffffff0);
	store_u32(bytes + 0x18, 0x55); /* not counted */
	for (size_t len = 0; len <= EXCEPTION_RECORD32_SIZE; len++) {
		cur_init(&c, bytes, len, 0);
		cr_assert_eq(exception_record_read(c, 4, &record), len == EXCEPTION_RECORD32_SIZE);
	}
	cr_assert(record.address == 0x401000 && record.parameters[0] == 0xfffffff0);
	cr_assert_eq(record.parameters[1], 0);
}
