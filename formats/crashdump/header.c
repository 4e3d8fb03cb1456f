/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "formats/crashdump/layout.h"
#include "formats/crashdump/parts.h"

/* CONTEXT of AMD64 (winnt.h). */
enum context_field {
	CONTEXT_FLAGS = 0x30,
	CONTEXT_MXCSR = 0x34,
	CONTEXT_CS = 0x38,
	CONTEXT_DS = 0x3a,
	CONTEXT_ES = 0x3c,
	CONTEXT_FS = 0x3e,
	CONTEXT_GS = 0x40,
	CONTEXT_SS = 0x42,
	CONTEXT_EFLAGS = 0x44,
	CONTEXT_DR = 0x48,	/* dr0-dr3, dr6, dr7 */
	CONTEXT_GENERAL = 0x78, /* rax rcx rdx rbx rsp rbp rsi rdi r8-r15 */
	CONTEXT_RIP = 0xf8,
};
enum context_flag {
	CONTEXT_AMD64 = 0x100000,
	CONTEXT_HAS_CONTROL = 0x01, /* ss rsp cs rip eflags */
	CONTEXT_HAS_INTEGER = 0x02,
	CONTEXT_HAS_SEGMENTS = 0x04, /* ds es fs gs */
	CONTEXT_HAS_FLOATING = 0x08,
	CONTEXT_HAS_DEBUG = 0x10,
};

static uint32_t field_u32(const uint8_t *header, enum header_field field)
{
	uint32_t v = load_u32(header + field);
	return v == CRASH_FILLER ? 0 : v;
}

static uint64_t field_u64(const uint8_t *header, size_t field)
{
	uint64_t v = load_u64(header + field);
	return v == CRASH_FILLER64 ? 0 : v;
}

static void read_system(const uint8_t *h, struct dump_info *info, struct diag *diag)
{
	info->has_build = true;
	info->major_version = field_u32(h, HEADER_MAJOR_VERSION);
	info->build = field_u32(h, HEADER_MINOR_VERSION);
	info->num_cpus = field_u32(h, HEADER_NUMBER_PROCESSORS);
	if (info->num_cpus > MAX_CPUS) {
		diag_partial(diag, "0x%x: %" PRIu32 " processors, at most %d are possible",
			     (unsigned)HEADER_NUMBER_PROCESSORS, info->num_cpus, MAX_CPUS);
		info->num_cpus = 0;
	}
	info->system_time = field_u64(h, HEADER_SYSTEM_TIME);
	info->has_system_time = info->system_time != 0;
	info->system_uptime = field_u64(h, HEADER_SYSTEM_UPTIME);
	info->has_uptime = info->system_uptime != 0;
	info->product_type = field_u32(h, HEADER_PRODUCT_TYPE);
	info->suite_mask = field_u32(h, HEADER_SUITE_MASK);
	info->hints = (struct dump_hints){
		.dtb = field_u64(h, HEADER_DIRECTORY_TABLE_BASE),
		.kdbg = field_u64(h, HEADER_KDBG),
		.ps_loaded_module_list = field_u64(h, HEADER_PS_LOADED_MODULE_LIST),
		.ps_active_process_head = field_u64(h, HEADER_PS_ACTIVE_PROCESS_HEAD),
		.pfn_database = field_u64(h, HEADER_PFN_DATABASE),
	};
}

static void read_bugcheck(const uint8_t *h, struct dump_info *info)
{
	/* Code 0 is what writers of dumps without a crash put there. */
	info->bugcheck.code = field_u32(h, HEADER_BUGCHECK_CODE);
	info->has_bugcheck = info->bugcheck.code != 0;
	for (size_t i = 0; info->has_bugcheck && i < MAX_BUGCHECK_PARAMETERS; i++)
		info->bugcheck.parameters[i] = field_u64(h, HEADER_BUGCHECK_PARAMETERS + i * 8);
}

static void read_exception(const uint8_t *h, struct dump_info *info, struct diag *diag)
{
	struct exception_record *x = &info->exception;
	const uint8_t *p = h + HEADER_EXCEPTION;

	x->code = field_u32(h, HEADER_EXCEPTION);
	if (!x->code)
		return;
	info->has_exception = true;
	x->flags = load_u32(p + EXCEPTION_FLAGS);
	x->record = load_u64(p + EXCEPTION_RECORD);
	x->address = load_u64(p + EXCEPTION_ADDRESS);
	x->num_parameters = load_u32(p + EXCEPTION_NUM_PARAMETERS);
	if (x->num_parameters > ARRAY_SIZE(x->parameters)) {
		diag_partial(diag,
			     "0x%x: exception record with %" PRIu32
			     " parameters, it has room for %zu",
			     (unsigned)(HEADER_EXCEPTION + EXCEPTION_NUM_PARAMETERS),
			     x->num_parameters, ARRAY_SIZE(x->parameters));
		x->num_parameters = 0;
	}
	for (size_t i = 0; i < x->num_parameters; i++)
		x->parameters[i] = load_u64(p + EXCEPTION_PARAMETERS + i * 8);
}

static struct error *read_comment(const uint8_t *h, struct dump_info *info)
{
	const uint8_t *p = h + HEADER_COMMENT;

	if (p[0] == '\0' || load_u64(p) == CRASH_FILLER64)
		return NULL;
	info->comment = text_from_ansi(&info->arena, p, HEADER_COMMENT_SIZE);
	if (!info->comment)
		return &error_no_memory;
	info->has_comment = true;
	return NULL;
}

static void read_general(const uint8_t *p, struct registers *regs)
{
	uint64_t *const order[] = { &regs->rax, &regs->rcx, &regs->rdx, &regs->rbx,
				    &regs->rsp, &regs->rbp, &regs->rsi, &regs->rdi,
				    &regs->r8,	&regs->r9,  &regs->r10, &regs->r11,
				    &regs->r12, &regs->r13, &regs->r14, &regs->r15 };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		*order[i] = load_u64(p + CONTEXT_GENERAL + i * 8);
	regs->rip = load_u64(p + CONTEXT_RIP);
	regs->rflags = load_u32(p + CONTEXT_EFLAGS);
	regs->known |= REGS_GENERAL;
}

static void read_selectors(const uint8_t *p, struct registers *regs)
{
	regs->cs.selector = load_u16(p + CONTEXT_CS);
	regs->ds.selector = load_u16(p + CONTEXT_DS);
	regs->es.selector = load_u16(p + CONTEXT_ES);
	regs->fs.selector = load_u16(p + CONTEXT_FS);
	regs->gs.selector = load_u16(p + CONTEXT_GS);
	regs->ss.selector = load_u16(p + CONTEXT_SS);
	regs->known |= REGS_SELECTORS;
}

static void read_debug(const uint8_t *p, struct registers *regs)
{
	uint64_t *const order[] = { &regs->dr0, &regs->dr1, &regs->dr2,
				    &regs->dr3, &regs->dr6, &regs->dr7 };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		*order[i] = load_u64(p + CONTEXT_DR + i * 8);
	regs->known |= REGS_DEBUG;
}

/*
 * The context of the processor that crashed. Which one that was is not in the header. A group of
 * ours that takes two of Windows' is known only when both are there.
 */
static struct error *read_context(const uint8_t *h, struct dump_info *info)
{
	const uint8_t *p = h + HEADER_CONTEXT;
	uint32_t flags = load_u32(p + CONTEXT_FLAGS);
	struct error *err;

	if (flags == CRASH_FILLER || !(flags & CONTEXT_AMD64))
		return NULL;
	if ((err = dump_info_alloc_registers(info, 1)))
		return err;
	struct registers *regs = &info->registers[0];
	if ((flags & CONTEXT_HAS_CONTROL) && (flags & CONTEXT_HAS_INTEGER))
		read_general(p, regs);
	if ((flags & CONTEXT_HAS_CONTROL) && (flags & CONTEXT_HAS_SEGMENTS))
		read_selectors(p, regs);
	if (flags & CONTEXT_HAS_DEBUG)
		read_debug(p, regs);
	if (flags & CONTEXT_HAS_FLOATING) {
		regs->mxcsr = load_u32(p + CONTEXT_MXCSR);
		regs->known |= REGS_MXCSR;
	}
	info->context_cpu_unknown = true;
	return NULL;
}

/* The physical memory block: the machine's memory, and the pages of a full dump. */
static void read_runs(const uint8_t *h, struct crash_dump *d)
{
	struct crash_pages total = { 0 };
	uint32_t named = field_u32(h, HEADER_NUM_RUNS);
	uint64_t stated = field_u64(h, HEADER_NUM_PAGES);

	while (d->num_runs < named && d->num_runs < CRASH_MAX_HEADER_RUNS) {
		size_t offset = HEADER_RUNS + d->num_runs * HEADER_RUN_SIZE;
		struct crash_run run = { load_u64(h + offset), load_u64(h + offset + 8) };
		if (!crash_run_is_valid(&total, &run))
			break;
		total.pages += run.count;
		d->runs[d->num_runs++] = run;
	}
	if (d->num_runs < named)
		diag_partial(d->diag,
			     "0x%x: physical memory block names %" PRIu32
			     " runs, only %zu are valid",
			     (unsigned)HEADER_NUM_RUNS, named, d->num_runs);
	else if (named && total.pages != stated)
		diag_note(d->diag,
			  "0x%x: physical memory block names %" PRIu64
			  " pages, its runs have %" PRIu64,
			  (unsigned)HEADER_NUM_PAGES, stated, total.pages);
}

static struct error *fill_machine_runs(struct crash_dump *d)
{
	struct dump_info *info = d->info;

	if (!d->num_runs)
		return NULL;
	info->machine_runs = arena_calloc(&info->arena, d->num_runs, sizeof(*info->machine_runs));
	if (!info->machine_runs)
		return &error_no_memory;
	info->num_machine_runs = d->num_runs;
	for (size_t i = 0; i < d->num_runs; i++) {
		uint64_t start = d->runs[i].first_gfn << PAGE_SHIFT;
		info->machine_runs[i].start = start;
		info->machine_runs[i].end = start + (d->runs[i].count << PAGE_SHIFT);
	}
	return NULL;
}

struct error *crash_read_header(struct crash_dump *d)
{
	const uint8_t *h = d->bytes;
	struct error *err;

	/* The type may be any number, and stays one in the error that refuses it. */
	d->type = load_u32(h + HEADER_DUMP_TYPE);
	d->info->dump_type = d->type;
	d->minidump_fields = field_u32(h, HEADER_MINIDUMP_FIELDS);
	read_system(h, d->info, d->diag);
	read_bugcheck(h, d->info);
	read_exception(h, d->info, d->diag);
	read_runs(h, d);
	if ((err = read_comment(h, d->info)) || (err = read_context(h, d->info)))
		return err;
	return fill_machine_runs(d);
}
