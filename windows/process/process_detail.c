/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "windows/process/private.h"

enum { PSP_SESSION_ID = 8 };

/* A small dump holds the process and nothing around it: what it lacks was never meant to be there.
 */
static void report_absent(struct process_reader *r, const struct process *p, const char *what,
			  const struct fault *fault)
{
	if (fault->va && r->k->snap->mem)
		diag_partial(r->k->diag, "process %" PRIu64 ": %s: 0x%" PRIx64 ": %s", p->pid.value,
			     what, fault->va, va_state_text(fault->state));
}

/* An address that the process does not have is no address, not a zero. */
static bool read_pointer(struct object *o, unsigned field, uint64_t *ret)
{
	return object_u64(o, field, ret) && *ret;
}

static void read_handle_count(struct process_reader *r, struct object *o, struct process *p)
{
	struct object table;
	struct fault fault;
	uint64_t va;

	if (!read_pointer(o, PROCESS_OBJECT_TABLE, &va))
		return;
	table = object_at(o->space, va, r->fields);
	p->handles = object_opt(&table, PROCESS_HANDLE_COUNT);
	if (p->handles.present || !r->handle_entry_size)
		return;
	p->handles.present = handle_table_count(o->space, va, r->handle_fields,
						r->handle_entry_size, &p->handles.value, &fault);
	if (!p->handles.present)
		report_absent(r, p, "handle table", &fault);
}

/*
 * The session's own structure is mapped in every space, or on some builds just in those of its
 * processes. Windows 11 24H2 names none of its members: _PSP_SESSION_SPACE holds the session's
 * number where _MM_SESSION_SPACE has it (Volatility 3, vmi-rs: comps/session.rs).
 */
static void read_session(struct process_reader *r, struct object *o, struct space *own,
			 struct process *p)
{
	const struct field *field = &r->fields[PROCESS_SESSION_ID];
	uint64_t va, offset = field->present ? field->offset : PSP_SESSION_ID;
	uint32_t id;

	if (!read_pointer(o, PROCESS_SESSION, &va))
		return;
	if (space_try_u32(r->k->space, va + offset, &id, NULL) ||
	    (own && space_try_u32(own, va + offset, &id, NULL)))
		p->session_id = opt_u64(id);
}

/* The file that the process was made from, as the kernel noted it for the audit log. */
static struct error *read_image_path(struct process_reader *r, struct object *o, struct process *p)
{
	struct object name;
	uint64_t va;
	char *text;

	if (!read_pointer(o, PROCESS_AUDIT_NAME, &va))
		return NULL;
	name = object_at(o->space, va, r->fields);
	if (!object_unicode(&name, PROCESS_AUDIT_STRING, o->space, &r->list->arena, &text)) {
		report_absent(r, p, "image path", &name.fault);
		return NULL;
	}
	p->image_path = *text ? text : NULL;
	return NULL;
}

static void note_absent_command_line(struct process_reader *r, const struct fault *fault)
{
	if (!fault->va)
		return;
	if (!r->absent_command_lines++)
		r->first_absent = *fault;
}

static bool read_native_command_line(struct process_reader *r, struct space *space,
				     struct process *p, struct fault *fault)
{
	struct object peb = object_at(space, p->peb.value, r->fields), parameters;
	uint64_t va;
	char *text;

	if (!object_u64(&peb, PROCESS_PEB_PARAMETERS, &va)) {
		*fault = peb.fault;
		return false;
	}
	if (!va)
		return true;
	parameters = object_at(space, va, r->fields);
	if (object_unicode(&parameters, PROCESS_COMMAND_LINE, space, &r->list->arena, &text)) {
		p->command_line = text;
		return true;
	}
	*fault = parameters.fault;
	return false;
}

/* What the process keeps twice: a WoW64 process's 32-bit parameters say the same. */
static bool read_wow64_command_line(struct process_reader *r, struct object *o, struct space *space,
				    struct process *p)
{
	const struct field *fields = r->user.fields[USER_WOW64];
	struct object wow64 = object_at(o->space, 0, r->user.fields[USER_NATIVE]), peb, parameters;
	uint64_t va;
	char *text;

	if (!p->wow64 || !object_u64(o, PROCESS_WOW64, &va))
		return false;
	/* before Windows 10 it points at the PEB itself */
	wow64.va = va;
	if (va >> 63 && !object_u64(&wow64, USER_WOW64_PEB, &va))
		return false;
	peb = object_at(space, va, fields);
	if (!object_u64(&peb, USER_PEB_PARAMETERS, &va) || !va)
		return false;
	parameters = object_at(space, va, fields);
	if (!object_unicode(&parameters, USER_COMMAND_LINE, space, &r->list->arena, &text))
		return false;
	p->command_line = text;
	return true;
}

static void read_command_line(struct process_reader *r, struct object *o, struct space *space,
			      struct process *p)
{
	struct fault fault = { 0 };

	if (!p->peb.present || read_native_command_line(r, space, p, &fault) ||
	    read_wow64_command_line(r, o, space, p))
		return;
	note_absent_command_line(r, &fault);
}

static struct error *read_parameters(struct process_reader *r, struct space *space,
				     struct process *p)
{
	struct user_parameters parameters = { 0 };
	struct user_process user;
	struct error *err;

	user_process_init(&user, &r->user, p, space);
	if (!user.peb[USER_NATIVE].present)
		return NULL;
	err = user_parameters_read(&user, USER_NATIVE, &r->list->arena, &parameters);
	if (err)
		return err;
	p->current_directory = parameters.strings[USER_STRING_CURRENT_DIRECTORY];
	p->window_title = parameters.strings[USER_STRING_WINDOW_TITLE];
	p->dll_path = parameters.strings[USER_STRING_DLL_PATH];
	return NULL;
}

struct error *process_read_details(struct process_reader *r, struct object *o, struct process *p)
{
	struct space *space = NULL;
	struct error *err;

	read_handle_count(r, o, p);
	if ((err = read_image_path(r, o, p)))
		return err;
	if (p->dtb.present && p->dtb.value && r->k->snap->mem &&
	    (err = process_open_space(r->k, p, &space)))
		return err;
	read_session(r, o, space, p);
	if (space) {
		read_command_line(r, o, space, p);
		if (r->detail == PROCESS_PARAMETERS)
			err = read_parameters(r, space, p);
	}
	space_destroy(space);
	return err;
}
