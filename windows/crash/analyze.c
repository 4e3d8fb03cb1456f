/* SPDX-License-Identifier: MIT */
#include "windows/crash/analyze.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/crash/exception.h"
#include "windows/crash/ntstatus.h"
#include "windows/kernel/cpu.h"
#include "windows/pe/tables.h"
#include "windows/process/process.h"

enum {
	CONTEXT_RIP = 0xf8, /* CONTEXT of AMD64, winnt.h */
	DISPATCHER_PROCESS = 3,
	NEAR_NULL = 0x10000, /* what Windows never maps */
	MAX_IRQL = 15,
};

static const char *const parameter_names[MAX_BUGCHECK_PARAMETERS] = { "parameter 1", "parameter 2",
								      "parameter 3",
								      "parameter 4" };

struct analyzer {
	struct kernel *k;
	struct analysis *a;
	const struct bugcheck_layout *layout; /* NULL: not in the table */
	struct field process_fields[process_num_fields];
	bool out_of_memory;
};

/* Text in the analysis' arena; NULL, and out_of_memory set, when there is no room. */
#define TEXT(z, ...) keep(z, arena_printf(&(z)->a->arena, __VA_ARGS__))
static const char *keep(struct analyzer *z, const char *text)
{
	z->out_of_memory |= !text;
	return text;
}

static bool find_place(struct analyzer *z, uint64_t va, struct place *ret)
{
	struct error *err;
	bool found;

	err = place_find_code(&z->a->book, va, &found, ret);
	z->out_of_memory |= err != NULL; /* it has no other */
	error_destroy(err);
	return !err && found;
}

static const char *place_or_null(struct analyzer *z, uint64_t va)
{
	struct place place;

	if (!find_place(z, va, &place))
		return NULL;
	return keep(z, place_text(&z->a->arena, &place));
}

/* The first parameter of this kind that is not 0; its index. */
static bool find_parameter(const struct analyzer *z, enum bugcheck_kind kind, size_t *ret)
{
	for (size_t i = 0; z->layout && i < MAX_BUGCHECK_PARAMETERS; i++) {
		if (z->layout->parameters[i].kind == kind && z->a->bugcheck.parameters[i]) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* What there is to say of an address: where it lies, or why it is none. */
static const char *address_detail(struct analyzer *z, uint64_t va)
{
	const char *place = place_or_null(z, va);
	unsigned user_bits = z->k->loc.levels == 5 ? 56 : 47;
	uint64_t top = va >> user_bits;

	if (place || va == 0)
		return place;
	if (va < NEAR_NULL)
		return TEXT(z, "NULL + 0x%" PRIx64, va);
	if (va > UINT64_MAX - NEAR_NULL)
		return TEXT(z, "NULL - 0x%" PRIx64, -va);
	if (top == 0)
		return "a user-mode address";
	return top == UINT64_MAX >> user_bits ? NULL : "not a canonical address";
}

/* A pool tag as people write it; NULL: not four printable characters. */
static const char *tag_detail(struct analyzer *z, uint64_t value)
{
	char tag[5] = "";

	if (value >> 32)
		return NULL;
	for (size_t i = 0; i < 4; i++) {
		tag[i] = (char)(value >> 8 * i & 0x7f); /* the high bit marks protected pool */
		if (!isprint((unsigned char)tag[i]))
			return NULL;
	}
	return TEXT(z, "'%s'", tag);
}

/* What lies at eprocess; false: no process, or its bytes are absent. The name may be NULL. */
static bool read_process(struct analyzer *z, uint64_t eprocess, uint64_t *pid, char **name)
{
	struct object o = object_at(z->k->space, eprocess, z->process_fields);
	uint64_t type;

	*name = NULL;
	if (object_u64(&o, PROCESS_TYPE, &type) && type != DISPATCHER_PROCESS)
		return false;
	if (!object_u64(&o, PROCESS_PID, pid) || *pid > UINT32_MAX)
		return false;
	if (!object_ansi(&o, PROCESS_NAME, &z->a->arena, name))
		*name = NULL;
	return true;
}

static const char *process_detail(struct analyzer *z, uint64_t eprocess)
{
	uint64_t pid;
	char *name;

	if (!eprocess || !read_process(z, eprocess, &pid, &name))
		return NULL;
	return TEXT(z, "%s, process id %" PRIu64, name ? name : "(name absent)", pid);
}

static const char *parameter_detail(struct analyzer *z, enum bugcheck_kind kind, uint64_t value)
{
	switch (kind) {
	case BUGCHECK_UNKNOWN:
	case BUGCHECK_NUMBER:
		return NULL;
	case BUGCHECK_ADDRESS:
	case BUGCHECK_CODE:
	case BUGCHECK_THREAD:
	case BUGCHECK_EXCEPTION:
	case BUGCHECK_CONTEXT:
		return address_detail(z, value);
	case BUGCHECK_PROCESS:
		return process_detail(z, value);
	case BUGCHECK_STATUS:
	case BUGCHECK_EXCEPTION_CODE:
		return ntstatus_name_64(value);
	case BUGCHECK_TAG:
		return tag_detail(z, value);
	case BUGCHECK_VIOLATION:
		return z->layout->selector ? z->layout->cause : NULL;
	default:
		return bugcheck_word(kind, value);
	}
}

static void explain(struct analyzer *z)
{
	const struct bugcheck *b = &z->a->bugcheck;
	const struct bugcheck_layout *any = bugcheck_layout_any(b->code);

	z->layout = bugcheck_layout(b);
	z->a->name = bugcheck_name(b->code);
	z->a->cause = any ? any->cause : NULL;
	for (size_t i = 0; i < MAX_BUGCHECK_PARAMETERS; i++) {
		struct explained_parameter *p = &z->a->parameters[i];

		p->value = b->parameters[i];
		if (!z->layout)
			continue;
		p->meaning = z->layout->parameters[i].meaning;
		p->detail = parameter_detail(z, z->layout->parameters[i].kind, p->value);
	}
}

/* Exception. */

static bool is_exception_code(const struct analyzer *z, uint32_t code)
{
	size_t i;

	return !find_parameter(z, BUGCHECK_EXCEPTION_CODE, &i) ||
	       (uint32_t)z->a->bugcheck.parameters[i] == code;
}

/* The record that a parameter points to. */
static bool read_record(struct analyzer *z)
{
	uint8_t bytes[EXCEPTION_RECORD64_SIZE];
	struct exception_record record;
	struct cursor c;
	size_t i;

	if (!find_parameter(z, BUGCHECK_EXCEPTION, &i) ||
	    !space_try_read(z->k->space, z->a->bugcheck.parameters[i], bytes, sizeof(bytes), NULL))
		return false;
	cur_init(&c, bytes, sizeof(bytes), z->a->bugcheck.parameters[i]);
	if (!exception_record_read(c, 8, &record) || !record.code ||
	    !is_exception_code(z, record.code))
		return false;
	z->a->exception = record;
	z->a->has_record = true;
	z->a->exception_source = parameter_names[i];
	return true;
}

/* Code and address stand among the parameters; those of bug check 0x1e tell of the access, too. */
static bool take_parameters(struct analyzer *z)
{
	struct exception_record *e = &z->a->exception;
	const uint64_t *p = z->a->bugcheck.parameters;
	size_t code, address;

	if (!find_parameter(z, BUGCHECK_EXCEPTION_CODE, &code))
		return false;
	e->code = (uint32_t)p[code];
	if (find_parameter(z, BUGCHECK_CODE, &address))
		e->address = p[address];
	if (z->layout->parameters[2].kind == BUGCHECK_ACCESS) {
		e->num_parameters = 2;
		memcpy(e->parameters, &p[2], 2 * sizeof(*p));
	}
	z->a->exception_source = "parameters";
	return true;
}

/* Where a dump's header holds an exception that is not the mark of its writer. */
static bool take_header(struct analyzer *z)
{
	const struct dump_info *info = &z->k->snap->info;

	if (!info->has_exception || !info->exception.code ||
	    info->exception.code == STATUS_BREAKPOINT)
		return false;
	z->a->exception = info->exception;
	z->a->has_record = true;
	z->a->exception_source = "header";
	return true;
}

static const char *exception_text(struct analyzer *z)
{
	const struct exception_record *e = &z->a->exception;
	const char *name = z->a->exception_name;
	const char *shown = name ? name : TEXT(z, "0x%08" PRIx32, e->code);
	const char *word;

	if (!shown || !exception_names_access(e->code) || e->num_parameters < 2)
		return shown;
	word = bugcheck_word(BUGCHECK_ACCESS, e->parameters[0]);
	return TEXT(z, "%s: %s, address 0x%" PRIx64, shown, word ? word : "access",
		    e->parameters[1]);
}

static void find_exception(struct analyzer *z)
{
	z->a->has_exception = read_record(z) || take_parameters(z) || take_header(z);
	if (!z->a->has_exception)
		return;
	z->a->exception_name = ntstatus_name(z->a->exception.code);
	z->a->exception_text = exception_text(z);
}

/* The code at fault. */

static void set_address(struct analyzer *z, uint64_t va, const char *source)
{
	z->a->has_address = true;
	z->a->address = va;
	z->a->address_source = source;
	z->a->address_text = address_detail(z, va);
}

static void find_address(struct analyzer *z)
{
	uint64_t rip;
	size_t i;

	if (z->a->has_record && z->a->exception.address)
		set_address(z, z->a->exception.address, z->a->exception_source);
	else if (find_parameter(z, BUGCHECK_CODE, &i))
		set_address(z, z->a->bugcheck.parameters[i], parameter_names[i]);
	else if (find_parameter(z, BUGCHECK_CONTEXT, &i) &&
		 space_try_u64(z->k->space, z->a->bugcheck.parameters[i] + CONTEXT_RIP, &rip, NULL))
		set_address(z, rip, parameter_names[i]);
}

/* By the module's own resource, else by what is known of the kernel's file. */
static struct error *find_version(struct analyzer *z, const struct pe_image *pe)
{
	struct analysis *a = z->a;
	struct pe_version v;
	struct error *err;

	if (a->place.base == z->k->loc.base)
		a->version = z->k->version;
	if (!pe)
		return NULL;
	err = pe_version_read(z->k->space, pe, &a->arena, &v);
	if (!err && v.has_fixed)
		a->version = TEXT(z, "%u.%u.%u.%u", v.file[0], v.file[1], v.file[2], v.file[3]);
	if (err && error_code(err) == ERROR_NO_MEMORY)
		return err;
	error_destroy(err); /* absent or damaged: the version stays unknown */
	return NULL;
}

static struct error *find_module(struct analyzer *z)
{
	struct analysis *a = z->a;
	const struct kernel_module *m;
	struct pe_image pe;
	struct error *err;

	a->has_place = a->has_address && find_place(z, a->address, &a->place);
	m = a->place.module;
	if (!m)
		return NULL;
	err = pe_read(z->k->space, m->base, &pe);
	if (err && error_code(err) == ERROR_NO_MEMORY)
		return err;
	const struct pe_image *headers = err ? NULL : &pe;

	error_destroy(err);
	if (m->has_time_date_stamp)
		a->stamp = stamp_kind_of(z->k->space, headers, m->time_date_stamp,
					 z->k->has_system_time ? z->k->system_time : 0);
	return find_version(z, headers);
}

/* What was running. */

static void set_irql(struct analyzer *z)
{
	size_t i;

	if (!find_parameter(z, BUGCHECK_IRQL, &i) || z->a->bugcheck.parameters[i] > MAX_IRQL)
		return;
	z->a->has_irql = true;
	z->a->irql = z->a->bugcheck.parameters[i];
	z->a->irql_source = parameter_names[i];
}

/* The processor whose registers the dump's header holds; NULL: it cannot be told. */
static const struct kernel_cpu *crashed_cpu(const struct dump_info *info,
					    const struct kernel_cpu *cpus, size_t count)
{
	const struct registers *header = info->num_registers ? &info->registers[0] : NULL;
	const struct kernel_cpu *found = NULL;

	if (count == 1)
		return cpus;
	for (size_t i = 0; info->context_cpu_unknown && header && i < count; i++) {
		const struct registers *r = &cpus[i].registers;

		if (!(r->known & header->known & REGS_GENERAL) || r->rip != header->rip ||
		    r->rsp != header->rsp)
			continue;
		if (found)
			return NULL;
		found = &cpus[i];
	}
	return found;
}

static struct error *find_process(struct analyzer *z)
{
	const struct kernel_cpu *cpu;
	struct kernel_cpu *cpus;
	struct error *err;
	size_t count;
	char *name;

	if (z->k->triage_process) {
		z->a->eprocess = z->k->triage_process;
		z->a->process_source = "the thread that the dump holds";
	} else {
		if ((err = kernel_cpus_read(z->k, &z->a->arena, &cpus, &count)))
			return err;
		cpu = crashed_cpu(&z->k->snap->info, cpus, count);
		if (!cpu || !cpu->current_process)
			return NULL;
		z->a->eprocess = cpu->current_process;
		z->a->process_source = TEXT(z, "processor %u", cpu->number);
	}
	z->a->has_process = true;
	z->a->has_pid = read_process(z, z->a->eprocess, &z->a->pid, &name);
	z->a->process = z->a->has_pid ? name : NULL;
	return NULL;
}

/* The name without the mark of small dumps; kind of violation or exception; code at fault. */
static const char *bucket(struct analyzer *z)
{
	const struct analysis *a = z->a;
	uint32_t code = bugcheck_plain_code(a->bugcheck.code);
	const char *name = bugcheck_name(code), *kind = "", *where = "";
	size_t i;

	if (!name)
		name = TEXT(z, "BUGCHECK_0x%" PRIx32, code);
	if (find_parameter(z, BUGCHECK_VIOLATION, &i) || find_parameter(z, BUGCHECK_TRAP, &i) ||
	    find_parameter(z, BUGCHECK_FAST_FAIL, &i))
		kind = TEXT(z, "_0x%" PRIx64, a->bugcheck.parameters[i]);
	else if (a->has_exception)
		kind = TEXT(z, "_0x%08" PRIx32, a->exception.code);
	if (a->has_place)
		where = TEXT(z, "_%s+0x%" PRIx64, a->place.name ? a->place.name : "(unnamed)",
			     a->place.offset);
	if (z->out_of_memory)
		return NULL;
	return TEXT(z, "%s%s%s", name, kind, where);
}

static struct error *analyze(struct analyzer *z)
{
	const struct dump_info *info = &z->k->snap->info;
	struct error *err;

	err = profile_bind(z->k->profile, process_field_rows, process_num_fields,
			   z->process_fields);
	if (error_catch(&err, ERROR_NOT_FOUND))
		memset(z->process_fields, 0, sizeof(z->process_fields));
	if (err || (err = find_process(z)))
		return err;
	z->a->has_bugcheck = info->has_bugcheck;
	if (info->has_bugcheck) {
		z->a->bugcheck = info->bugcheck;
		explain(z);
		set_irql(z);
	}
	find_exception(z);
	find_address(z);
	if ((err = find_module(z)))
		return err;
	if (z->a->has_bugcheck)
		z->a->bucket = bucket(z);
	return z->out_of_memory ? &error_no_memory : NULL;
}

struct error *analysis_read(struct kernel *k, struct analysis *ret)
{
	struct analyzer z = { .k = k, .a = ret };
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	if ((err = place_book_read(k, &ret->book)))
		return err;
	arena_init(&ret->arena, 0);
	if ((err = analyze(&z)))
		analysis_deinit(ret);
	return err;
}

void analysis_deinit(struct analysis *a)
{
	place_book_deinit(&a->book);
	arena_deinit(&a->arena);
	memset(a, 0, sizeof(*a));
}
