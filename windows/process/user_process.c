/* SPDX-License-Identifier: MIT */
#include "windows/process/user_process.h"

#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"

DEFINE_FIELDS(user, USER_FIELDS);

/* Windows maps nothing in the first 64 KiB of a process. */
#define LOWEST_USER_ADDRESS UINT64_C(0x10000)
#define USER_SPACE_END	    UINT64_C(0x0000800000000000)

struct error *user_reader_init(struct kernel *k, struct user_reader *ret)
{
	struct error *err;

	ret->k = k;
	err = profile_bind(k->profile, user_field_rows, user_num_fields, ret->fields[USER_NATIVE]);
	if (!err)
		user_layout_complete(ret->fields[USER_NATIVE], ret->fields[USER_WOW64]);
	return err;
}

const char *user_view_prefix(enum user_view view)
{
	return view == USER_WOW64 ? "32-bit " : "";
}

void user_report(const struct user_process *u, enum user_view view, const char *what,
		 const struct fault *fault)
{
	if (fault->va && !u->process->exit_time.present)
		diag_partial(u->reader->k->diag, "process %" PRIu64 ": %s%s at 0x%" PRIx64 ": %s",
			     u->process->pid.value, user_view_prefix(view), what, fault->va,
			     va_state_text(fault->state));
}

void user_report_gaps(const struct user_process *u, enum user_view view, const char *what,
		      const struct gaps *gaps)
{
	if (gaps->count && !u->process->exit_time.present)
		diag_partial(u->reader->k->diag,
			     "process %" PRIu64 ": %s%s: %zu absent (first at 0x%" PRIx64 ": %s)",
			     u->process->pid.value, user_view_prefix(view), what, gaps->count,
			     gaps->first.va, va_state_text(gaps->first.state));
}

/*
 * _EPROCESS.WoW64Process leads to the 32-bit PEB: through an _EWOW64PROCESS in the kernel, or
 * before Windows 10 directly. Either is told by the half of memory that it points into.
 */
static void find_wow64_peb(struct user_process *u, struct object *eprocess)
{
	const struct field *fields = u->reader->fields[USER_NATIVE];
	struct object wow64;
	uint64_t va;

	if (!object_u64(eprocess, USER_PROCESS_WOW64, &va)) {
		user_report(u, USER_WOW64, "PEB", &eprocess->fault);
		return;
	}
	if (va >= USER_SPACE_END) {
		wow64 = object_at(eprocess->space, va, fields);
		if (!object_u64(&wow64, USER_WOW64_PEB, &va)) {
			user_report(u, USER_WOW64, "PEB", &wow64.fault);
			return;
		}
	}
	if (va)
		u->peb[USER_WOW64] = opt_u64(va);
}

void user_process_init(struct user_process *ret, const struct user_reader *r,
		       const struct process *p, struct space *space)
{
	struct object eprocess = object_at(r->k->space, p->eprocess, r->fields[USER_NATIVE]);
	uint64_t va;

	*ret = (struct user_process){ .reader = r, .process = p, .space = space };
	if (!space)
		return;
	if (!object_u64(&eprocess, USER_PROCESS_PEB, &va))
		user_report(ret, USER_NATIVE, "PEB", &eprocess.fault);
	else if (va)
		ret->peb[USER_NATIVE] = opt_u64(va);
	find_wow64_peb(ret, &eprocess);
}

enum user_view user_process_own_view(const struct user_process *u)
{
	return u->peb[USER_WOW64].present ? USER_WOW64 : USER_NATIVE;
}

/* UNICODE_STRING and its 32-bit form (ntdef.h): {u16 Length, u16 MaximumLength, Buffer}. */
enum { STRING32_SIZE = 8, STRING32_BUFFER = 4, STRING64_SIZE = 16, STRING64_BUFFER = 8 };

/*
 * A string of the parameters at o. Until the new process's own loader has run, their pointers are
 * offsets in the block (phnt's ntrtl.h: RTL_USER_PROC_PARAMS_NORMALIZED is not set yet).
 */
static bool find_string(struct object *o, unsigned field, uint64_t *va_ret, uint16_t *len_ret)
{
	bool is_32bit = o->fields[field].size == STRING32_SIZE;
	uint8_t header[STRING64_SIZE];
	uint64_t at, buffer;

	o->fault = (struct fault){ 0 };
	if (!object_address(o, field, &at) ||
	    !space_try_read(o->space, at, header, is_32bit ? STRING32_SIZE : STRING64_SIZE,
			    &o->fault))
		return false;
	buffer = is_32bit ? load_u32(header + STRING32_BUFFER) : load_u64(header + STRING64_BUFFER);
	*len_ret = load_u16(header) & 0xfffe;
	*va_ret = buffer < LOWEST_USER_ADDRESS ? o->va + buffer : buffer;
	if (*len_ret && !buffer)
		o->fault = (struct fault){ at, VA_MAPPED };
	return !*len_ret || buffer;
}

static struct error *read_string(struct object *o, unsigned field, struct arena *a,
				 struct gaps *gaps, const char **ret)
{
	uint8_t bytes[UINT16_MAX];
	uint64_t va;
	uint16_t len;

	if (!find_string(o, field, &va, &len) ||
	    (len && !space_try_read(o->space, va, bytes, len, &o->fault))) {
		gaps_add(gaps, &o->fault);
		return NULL;
	}
	*ret = text_from_utf16(a, bytes, len, NULL);
	return *ret ? NULL : &error_no_memory;
}

static struct error *read_strings(struct object *o, struct arena *a, struct gaps *gaps,
				  struct user_parameters *ret)
{
	static const uint16_t fields[NUM_USER_STRINGS] = {
		[USER_STRING_IMAGE_PATH] = USER_IMAGE_PATH,
		[USER_STRING_COMMAND_LINE] = USER_COMMAND_LINE,
		[USER_STRING_CURRENT_DIRECTORY] = USER_CURRENT_DIRECTORY,
		[USER_STRING_WINDOW_TITLE] = USER_WINDOW_TITLE,
		[USER_STRING_DLL_PATH] = USER_DLL_PATH,
		[USER_STRING_DESKTOP] = USER_DESKTOP,
		[USER_STRING_SHELL_INFO] = USER_SHELL_INFO,
	};
	struct error *err = NULL;

	for (size_t i = 0; i < NUM_USER_STRINGS && !err; i++)
		err = read_string(o, fields[i], a, gaps, &ret->strings[i]);
	return err;
}

static struct opt_u64 read_value(struct object *o, unsigned field, struct gaps *gaps)
{
	struct opt_u64 ret = object_opt(o, field);

	if (!ret.present)
		gaps_add(gaps, &o->fault);
	return ret;
}

/* The parameters of the PEB at peb; false: it has none, or they cannot be found. */
static bool find_parameters(const struct user_process *u, enum user_view view, struct object *peb,
			    struct object *ret)
{
	uint64_t va;

	if (!object_u64(peb, USER_PEB_PARAMETERS, &va)) {
		user_report(u, view, "process parameters", &peb->fault);
		return false;
	}
	*ret = object_at(u->space, va, u->reader->fields[view]);
	return va != 0;
}

struct error *user_parameters_read(const struct user_process *u, enum user_view view,
				   struct arena *a, struct user_parameters *ret)
{
	struct object peb, o;
	struct gaps gaps = { 0 };
	struct error *err;

	memset(ret, 0, sizeof(*ret));
	if (!u->peb[view].present)
		return NULL;
	ret->peb = u->peb[view];
	peb = object_at(u->space, ret->peb.value, u->reader->fields[view]);
	ret->image_base = object_opt(&peb, USER_PEB_IMAGE_BASE);
	ret->being_debugged = object_opt(&peb, USER_PEB_BEING_DEBUGGED);
	if (!find_parameters(u, view, &peb, &o))
		return NULL;
	ret->va = opt_u64(o.va);
	ret->flags = read_value(&o, USER_PARAMETERS_FLAGS, &gaps);
	ret->environment = read_value(&o, USER_ENVIRONMENT, &gaps);
	ret->environment_size = read_value(&o, USER_ENVIRONMENT_SIZE, &gaps);
	err = read_strings(&o, a, &gaps, ret);
	user_report_gaps(u, view, "process parameters", &gaps);
	return err;
}
