/* SPDX-License-Identifier: MIT */
#include "windows/crash/event.h"

#include <inttypes.h>

#include "arch/arch.h"
#include "windows/convention.h"
#include "windows/crash/bugcheck.h"

/* How a bug check's parameter tells the kind of access. */
enum access_rule {
	ACCESS_RULE_NONE,
	ACCESS_RULE_BITS,	/* 0 read, 1 write, 2 or 8 execute */
	ACCESS_RULE_ERROR_CODE, /* bits of a page fault's error code; 0 or 1 in older builds */
	ACCESS_RULE_WRITE,	/* by the code alone */
	ACCESS_RULE_EXECUTE,
};

/* Numbers of parameters, from 1; 0: none says so. */
struct bugcheck_row {
	uint32_t code;
	uint8_t va, access, rip;
	enum access_rule rule;
	uint8_t exception;		     /* NTSTATUS */
	uint8_t information;		     /* ExceptionInformation[0], [1] is the next */
	uint8_t record, context, trap_frame; /* addresses */
	uint8_t vector;
	uint8_t vector_number; /* 0: none by the code alone */
};
static const struct bugcheck_row bugcheck_rows[] = {
	{ .code = 0x0a, .va = 1, .access = 3, .rule = ACCESS_RULE_BITS, .rip = 4 },
	{ .code = 0x1e, .exception = 1, .rip = 2, .information = 3 },
	{ .code = 0x3b, .exception = 1, .rip = 2, .context = 3 },
	{ .code = 0x50, .va = 1, .access = 2, .rule = ACCESS_RULE_ERROR_CODE, .rip = 3 },
	{ .code = 0x7e, .exception = 1, .rip = 2, .record = 3, .context = 4 },
	{ .code = 0x7f, .vector = 1 },
	{ .code = 0x80, .vector_number = VECTOR_NMI },
	{ .code = 0x8e, .exception = 1, .rip = 2, .trap_frame = 3 },
	{ .code = 0x9c, .vector_number = VECTOR_MACHINE_CHECK },
	{ .code = 0xbe, .va = 1, .rule = ACCESS_RULE_WRITE },
	{ .code = 0xcc, .va = 1, .access = 2, .rule = ACCESS_RULE_BITS, .rip = 3 },
	{ .code = 0xcd, .va = 1, .access = 2, .rule = ACCESS_RULE_BITS, .rip = 3 },
	{ .code = 0xd1, .va = 1, .access = 3, .rule = ACCESS_RULE_BITS, .rip = 4 },
	{ .code = 0xd5, .va = 1, .access = 2, .rule = ACCESS_RULE_BITS, .rip = 3 },
	{ .code = 0xd6, .va = 1, .access = 2, .rule = ACCESS_RULE_BITS, .rip = 3 },
	{ .code = 0xfc, .va = 1, .rule = ACCESS_RULE_EXECUTE },
	{ .code = 0x139, .trap_frame = 2, .record = 3, .vector_number = WINDOWS_VECTOR_FAST_FAIL },
};
/* The first build whose 0x50 has the bits of the error code. */
enum { BUILD_ERROR_CODE = 10240 };

struct reader {
	struct kernel *k;
	struct arena *arena;
	struct space *process; /* of the process that ran; owned; NULL: there is none */
	struct event event;
};

const struct memory_access *event_as_memory_access(const struct event *e)
{
	return e->is_memory_access ? &e->memory : NULL;
}

bool event_as_interrupt(const struct event *e, unsigned *vector_ret, enum interrupt_type *type_ret)
{
	if (!e->has_vector)
		return false;
	*vector_ret = e->vector;
	*type_ret = e->type;
	return true;
}

bool event_is_software_breakpoint(const struct event *e)
{
	return e->has_vector && e->vector == VECTOR_BREAKPOINT &&
	       e->type == INTERRUPT_SOFTWARE_EXCEPTION;
}

/* text is of the arena; NULL: memory is out. */
static struct error *add_evidence(struct reader *r, const char *text)
{
	const char *before = r->event.evidence;

	if (text && *before)
		text = arena_printf(r->arena, "%s; %s", before, text);
	if (!text)
		return &error_no_memory;
	r->event.evidence = text;
	return NULL;
}

/* The process' own space knows its user and session addresses; the kernel's own is the rest. */
static bool translate(struct reader *r, uint64_t va, uint64_t *pa_ret)
{
	struct space *spaces[] = { r->process, r->k->space };
	struct walk walk;

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		if (!spaces[i] || !spaces[i]->levels)
			continue;
		space_walk(spaces[i], va, &walk);
		if (walk.has_pa) {
			*pa_ret = walk.pa;
			return true;
		}
	}
	return false;
}

static void set_rip(struct reader *r, uint64_t rip)
{
	uint64_t pa;

	if (!rip)
		return;
	r->event.has_rip = true;
	r->event.rip = rip;
	r->event.has_gfn = translate(r, rip, &pa);
	if (r->event.has_gfn)
		r->event.gfn = gfn_from_pa(pa);
}

static void set_vector(struct reader *r, unsigned vector)
{
	bool by_software = vector == WINDOWS_VECTOR_FAST_FAIL || vector == WINDOWS_VECTOR_ASSERT ||
			   vector == WINDOWS_VECTOR_DEBUG_SERVICE;

	r->event.has_vector = true;
	r->event.vector = vector;
	r->event.type = by_software ? INTERRUPT_SOFTWARE : vector_interrupt_type(vector);
}

static void set_access(struct reader *r, uint64_t va, enum access_kind access)
{
	struct memory_access memory = { .has_va = true, .va = va, .access = access };

	memory.has_pa = translate(r, va, &memory.pa);
	r->event.is_memory_access = true;
	r->event.memory = memory;
	set_vector(r, VECTOR_PAGE_FAULT);
}

/*
 * Of an access violation that was a general protection fault (an address that is not canonical)
 * the processor tells no address: Windows reports it as a read of -1. So -1 says nothing, nor does
 * a code without its parameters.
 */
static void set_exception(struct reader *r, uint32_t code, const uint64_t *information)
{
	unsigned vector;

	r->event.has_exception = true;
	r->event.exception = code;
	if (exception_names_access(code)) {
		r->event.is_memory_access = true;
		if (information && information[1] != UINT64_MAX)
			set_access(r, information[1], exception_access(information[0]));
	} else if (exception_vector(code, &vector)) {
		set_vector(r, vector);
	}
}

static void set_record(struct reader *r, const struct exception_record *record)
{
	set_exception(r, record->code, record->num_parameters >= 2 ? record->parameters : NULL);
	if (!r->event.has_rip)
		set_rip(r, record->address);
}

static enum access_kind access_by_rule(const struct reader *r, const struct bugcheck_row *row,
				       uint64_t value)
{
	switch (row->rule) {
	case ACCESS_RULE_WRITE:
		return ACCESS_WRITE;
	case ACCESS_RULE_EXECUTE:
		return ACCESS_EXECUTE;
	case ACCESS_RULE_BITS:
		return value == 2 ? ACCESS_EXECUTE : exception_access(value);
	case ACCESS_RULE_ERROR_CODE:
		if (value > 1)
			return value < PAGE_FAULT_KEY ? page_fault_access(value) : ACCESS_UNKNOWN;
		if (value == 0 || r->k->build >= BUILD_ERROR_CODE)
			return ACCESS_READ;
		return r->k->build ? ACCESS_WRITE : ACCESS_UNKNOWN;
	default:
		return ACCESS_UNKNOWN;
	}
}

/* The value of a parameter that is numbered from 1; 0 where the row names none. */
static uint64_t parameter(const struct bugcheck *b, unsigned number)
{
	return number ? b->parameters[number - 1] : 0;
}

static struct error *read_record(struct reader *r, uint64_t va, bool *ret)
{
	uint8_t bytes[EXCEPTION_RECORD64_SIZE];
	struct exception_record record;
	struct cursor c;

	*ret = false;
	if (!va || !space_try_read(r->k->space, va, bytes, sizeof(bytes), NULL))
		return NULL;
	cur_init(&c, bytes, sizeof(bytes), va);
	/* its code repeats the parameter's: else it is no record, or no longer */
	if (!exception_record_read(c, 8, &record) ||
	    (r->event.has_exception && record.code != r->event.exception))
		return NULL;
	set_record(r, &record);
	*ret = true;
	return add_evidence(r, arena_printf(r->arena, "exception record at 0x%" PRIx64, va));
}

static struct error *read_trap_frame(struct reader *r, uint64_t va)
{
	struct trap_frame frame;

	if (!va || !trap_frame_read(r->k, va, &frame, NULL))
		return NULL;
	r->event.has_trap_frame = true;
	r->event.trap_frame = va;
	if (r->event.has_rip)
		return NULL;
	set_rip(r, frame.rip);
	return add_evidence(r, arena_printf(r->arena, "trap frame at 0x%" PRIx64, va));
}

static struct error *read_bugcheck(struct reader *r, const struct bugcheck *b,
				   const struct bugcheck_row *row)
{
	struct error *err;
	bool has_record;

	err = add_evidence(r, arena_printf(r->arena, "bug check 0x%" PRIx32, b->code));
	if (err)
		return err;
	set_rip(r, parameter(b, row->rip));
	if (row->va)
		set_access(r, parameter(b, row->va),
			   access_by_rule(r, row, parameter(b, row->access)));
	if (row->vector && parameter(b, row->vector) < NUM_VECTORS)
		set_vector(r, (unsigned)parameter(b, row->vector));
	if (row->vector_number)
		set_vector(r, row->vector_number);
	if (row->exception)
		set_exception(r, (uint32_t)parameter(b, row->exception),
			      row->information ? &b->parameters[row->information - 1] : NULL);
	r->event.context = parameter(b, row->context);
	r->event.has_context = r->event.context != 0;
	if ((err = read_record(r, parameter(b, row->record), &has_record)))
		return err;
	return read_trap_frame(r, parameter(b, row->trap_frame));
}

static const struct bugcheck_row *find_bugcheck(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(bugcheck_rows); i++)
		if (bugcheck_rows[i].code == bugcheck_plain_code(code))
			return &bugcheck_rows[i];
	return NULL;
}

/* The exception record in a crash dump's header. */
static struct error *read_header(struct reader *r, bool *found_ret)
{
	const struct dump_info *info = &r->k->snap->info;
	bool crashed = info->has_bugcheck && info->bugcheck.code;

	*found_ret = false;
	if (!info->has_exception || !info->exception.code)
		return NULL;
	if (crashed && info->exception.code == STATUS_BREAKPOINT)
		return add_evidence(r, arena_strdup(r->arena,
						    "the header's breakpoint is that of every "
						    "bug check"));
	set_record(r, &info->exception);
	*found_ret = true;
	return add_evidence(r, arena_strdup(r->arena, "the header's exception record"));
}

static struct error *read_event(struct reader *r, bool *found_ret)
{
	const struct dump_info *info = &r->k->snap->info;
	const struct bugcheck_row *row = NULL;
	struct error *err;

	if (info->has_bugcheck)
		row = find_bugcheck(info->bugcheck.code);
	if (row) {
		*found_ret = true;
		return read_bugcheck(r, &info->bugcheck, row);
	}
	if (info->has_bugcheck && info->bugcheck.code &&
	    (err = add_evidence(r, arena_printf(r->arena, "bug check 0x%" PRIx32 " is no fault",
						info->bugcheck.code))))
		return err;
	return read_header(r, found_ret);
}

static struct error *reader_init(struct reader *r, struct kernel *k, struct arena *a)
{
	uint64_t root = dtb_to_root(k->snap->info.hints.dtb);

	*r = (struct reader){ .k = k, .arena = a, .event.evidence = "" };
	if (!k->snap->mem || !root || !k->loc.levels)
		return NULL;
	return kernel_open_space(k, root, 0, &r->process);
}

struct error *event_read(struct kernel *k, struct arena *a, bool *found_ret, struct event *ret)
{
	struct reader r;
	struct error *err;
	bool found = false;

	if ((err = reader_init(&r, k, a)))
		return err;
	err = read_event(&r, &found);
	space_destroy(r.process);
	if (err)
		return err;
	*ret = r.event;
	*found_ret = found;
	return NULL;
}

struct error *event_of_page_fault(struct kernel *k, const struct trap_frame *frame, struct arena *a,
				  struct event *ret)
{
	struct reader r;
	struct error *err;

	if ((err = reader_init(&r, k, a)))
		return err;
	set_access(&r, frame->fault_address, page_fault_access(frame->error_code));
	set_rip(&r, frame->rip);
	r.event.has_error_code = true;
	r.event.error_code = frame->error_code;
	r.event.has_trap_frame = true;
	r.event.trap_frame = frame->va;
	err = add_evidence(&r, arena_printf(a, "trap frame at 0x%" PRIx64, frame->va));
	space_destroy(r.process);
	if (!err)
		*ret = r.event;
	return err;
}
