/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "windows/discover/probe.h"

/*
 * What exported functions of ntoskrnl say. Their names and what each returns: the public import
 * library of the WDK and ntifs.h; which field that is: the public PDBs.
 */
enum accessor_form {
	FORM_LOAD,	   /* returns the field of argument 0 */
	FORM_LOAD_THROUGH, /* returns the field, or what the field points to */
	FORM_ADDRESS,	   /* returns the field's address */
	FORM_MENTION,	   /* its first read of argument 0 is the field */
	FORM_THREAD,	   /* returns the field of the current thread */
	FORM_CURRENT,	   /* returns the current thread itself */
};

struct accessor {
	const char *function;
	enum known_field field;
	enum accessor_form form;
};

static const struct accessor accessors[] = {
	{ "PsGetProcessId", KNOWN_PID, FORM_LOAD },
	{ "PsGetProcessImageFileName", KNOWN_NAME, FORM_ADDRESS },
	{ "PsGetProcessPeb", KNOWN_PEB, FORM_LOAD },
	{ "PsGetProcessInheritedFromUniqueProcessId", KNOWN_PPID, FORM_LOAD },
	{ "PsGetProcessCreateTimeQuadPart", KNOWN_CREATE_TIME, FORM_LOAD },
	{ "PsGetProcessExitTime", KNOWN_EXIT_TIME, FORM_LOAD },
	{ "PsGetProcessExitStatus", KNOWN_EXIT_STATUS, FORM_LOAD },
	{ "PsGetProcessSectionBaseAddress", KNOWN_SECTION_BASE, FORM_LOAD },
	{ "PsGetProcessWow64Process", KNOWN_WOW64, FORM_LOAD_THROUGH },
	{ "PsGetProcessDebugPort", KNOWN_DEBUG_PORT, FORM_LOAD },
	{ "PsGetProcessJob", KNOWN_JOB, FORM_LOAD },
	{ "PsReferencePrimaryToken", KNOWN_TOKEN, FORM_MENTION },
	{ "PsGetProcessProtection", KNOWN_PROTECTION, FORM_LOAD },
	{ "PsIsProtectedProcess", KNOWN_PROTECTION, FORM_MENTION },
	{ "PsGetProcessSessionId", KNOWN_SESSION, FORM_LOAD_THROUGH },
	{ "PsGetProcessSessionIdEx", KNOWN_SESSION, FORM_LOAD_THROUGH },
	{ "ObGetProcessHandleCount", KNOWN_OBJECT_TABLE, FORM_MENTION },
	{ "PsGetThreadId", KNOWN_THREAD_ID, FORM_LOAD },
	{ "PsGetCurrentThreadId", KNOWN_THREAD_ID, FORM_THREAD },
	{ "PsGetThreadProcessId", KNOWN_THREAD_PID, FORM_LOAD },
	{ "PsGetCurrentProcessId", KNOWN_THREAD_PID, FORM_THREAD },
	{ "PsGetCurrentThreadProcessId", KNOWN_THREAD_PID, FORM_THREAD },
	{ "PsGetThreadProcess", KNOWN_THREAD_PROCESS, FORM_LOAD },
	{ "IoThreadToProcess", KNOWN_THREAD_PROCESS, FORM_LOAD },
	{ "PsGetCurrentProcess", KNOWN_APC_PROCESS, FORM_THREAD },
	{ "IoGetCurrentProcess", KNOWN_APC_PROCESS, FORM_THREAD },
	{ "PsGetThreadTeb", KNOWN_TEB, FORM_LOAD },
	{ "PsGetCurrentThreadTeb", KNOWN_TEB, FORM_THREAD },
	{ "PsGetThreadCreateTime", KNOWN_THREAD_CREATE_TIME, FORM_LOAD },
	{ "PsGetThreadExitStatus", KNOWN_THREAD_EXIT_STATUS, FORM_LOAD },
	{ "PsGetThreadWin32Thread", KNOWN_WIN32_THREAD, FORM_LOAD },
	{ "PsGetCurrentThread", KNOWN_PCR_THREAD, FORM_CURRENT },
	{ "KeGetCurrentThread", KNOWN_PCR_THREAD, FORM_CURRENT },
};

/* Exported variables: the name is the whole evidence. */
static const char *const exported_variables[] = {
	"NtBuildNumber",
	"NtBuildLab",
	"NtBuildGUID",
	"NtGlobalFlag",
	"PsLoadedModuleList",
	"PsInitialSystemProcess",
	"PsProcessType",
	"PsThreadType",
	"PsJobType",
	"SeTokenObjectType",
	"MmSectionObjectType",
	"IoFileObjectType",
	"IoDriverObjectType",
	"IoDeviceObjectType",
	"ExEventObjectType",
	"CmKeyObjectType",
	"KeNumberProcessors",
	"MmHighestUserAddress",
	"MmSystemRangeStart",
	"MmUserProbeAddress",
	"KdDebuggerEnabled",
	"KdDebuggerNotPresent",
	"KdVersionBlock",
	"InitSafeBootMode",
	"KeServiceDescriptorTable",
	"SeFileSystemNotifyRoutinesHead",
	"AlpcPortObjectType",
	"ExMutantObjectType",
};

bool exported_address(const struct probe *p, const char *name, uint64_t *ret)
{
	uint32_t rva;
	struct error *err = pe_export(p->space, p->kernel, name, &rva);

	if (err) {
		error_destroy(err);
		return false;
	}
	*ret = p->kernel->base + rva;
	return true;
}

static void read_exports(struct probe *p)
{
	uint64_t va;

	for (size_t i = 0; i < ARRAY_SIZE(exported_variables); i++)
		if (exported_address(p, exported_variables[i], &va))
			probe_global(p, exported_variables[i], va, "exported");
}

/* Reading what a function was seen to do. */

static const char *instruction_text(struct probe *p, uint64_t va)
{
	struct instruction insn;
	struct fault fault;

	if (!evaluate_decode(p->disasm, p->space, va, &insn, &fault))
		return "?";
	return probe_text(p, "%s", insn.text);
}

static const char *end_text(struct probe *p, const struct evaluation *e)
{
	switch (e->end) {
	case EVALUATE_ABSENT:
		return probe_text(p, "its code at 0x%jx is %s", (uintmax_t)e->fault.va,
				  va_state_text(e->fault.state));
	case EVALUATE_BROKEN:
		return probe_text(p, "0x%jx is no accessor's code", (uintmax_t)e->end_va);
	case EVALUATE_INDIRECT:
		return probe_text(p, "0x%jx jumps to where only a run would tell",
				  (uintmax_t)e->end_va);
	case EVALUATE_LIMIT:
		return "it is too long";
	case EVALUATE_DONE:
		break;
	}
	return "it returns something else";
}

/* The one place that all results of a function come from; constants beside it are allowed (a
 * function may answer 0 early), and results that could not be followed are passed over. */
static bool common_origin(const struct evaluation *e, struct value_origin *ret)
{
	bool found = false;

	for (size_t i = 0; i < e->num_results; i++) {
		struct value_origin origin;

		if (!evaluate_origin(e, &e->results[i], &origin))
			continue;
		if (found && (origin.base != ret->base || origin.argument != ret->argument ||
			      origin.offset != ret->offset))
			return false;
		if (!found || origin.depth > ret->depth)
			*ret = origin;
		found = true;
	}
	return found;
}

static bool first_mention(const struct evaluation *e, struct value_origin *ret)
{
	for (size_t i = 0; i < e->num_loads; i++) {
		const struct load *load = &e->loads[i];

		if (load->address.base != VALUE_ARGUMENT || load->address.index || load->indexed)
			continue;
		*ret = (struct value_origin){
			.base = VALUE_ARGUMENT,
			.offset = load->address.offset,
			.depth = 1,
			.size = load->size,
			.va = load->va,
		};
		return true;
	}
	return false;
}

/* Does the origin have the shape that the accessor should have? */
static bool fits(const struct accessor *a, const struct value_origin *o)
{
	bool argument = o->base == VALUE_ARGUMENT && o->argument == 0;
	unsigned size = known_rows[a->field].size;

	switch (a->form) {
	case FORM_LOAD:
	case FORM_MENTION:
		return argument && o->depth == 1 && o->size == size;
	case FORM_LOAD_THROUGH:
		return argument && (o->depth == 1 || o->depth == 2);
	case FORM_ADDRESS:
		return argument && o->depth == 0;
	case FORM_THREAD:
		return o->base == VALUE_GS && o->depth == 2;
	case FORM_CURRENT:
		return o->base == VALUE_GS && o->depth == 1;
	}
	return false;
}

/* Processes and threads begin with a DISPATCHER_HEADER (wdm.h). */
static uint64_t first_offset(enum known_field field)
{
	enum { DISPATCHER_HEADER_SIZE = 0x18 };

	return field == KNOWN_SESSION_ID || field == KNOWN_PCR_THREAD ? 0 : DISPATCHER_HEADER_SIZE;
}

static void cast_vote(struct probe *p, enum known_field field, bool weak, uint64_t offset,
		      const char *text)
{
	struct vote *vote = &p->votes[field];
	bool before = vote->present, same = before && vote->offset == offset;

	if (offset >= PAGE_SIZE || offset < first_offset(field)) {
		if (!before)
			vote->text = probe_text(p, "%s, where no such field can be", text);
		return;
	}
	/* a weak one neither adds to nor contradicts a plain one */
	if (weak && before && !same)
		return;
	if (before && !same && !vote->weak) {
		vote->contradicted = true;
		vote->text = probe_text(p, "%s, but %s", vote->text, text);
		diag_note(p->diag, "discovery of %s.%s: %s", known_rows[field].type,
			  known_rows[field].path, vote->text);
		return;
	}
	if (!same)
		*vote = (struct vote){ .weak = weak, .offset = (uint32_t)offset, .text = text };
	else
		vote->text = probe_text(p, "%s, %s", vote->text, text);
	vote->present = true;
	vote->weak &= weak;
}

static void no_vote(struct probe *p, const struct accessor *a, const char *why)
{
	struct vote *vote = &p->votes[a->field];

	if (vote->present)
		return;
	vote->text = vote->text ? probe_text(p, "%s; %s: %s", vote->text, a->function, why)
				: probe_text(p, "%s: %s", a->function, why);
}

/* FORM_THREAD tells of two: where the PCR has its thread, and where the thread has the field. */
static void vote_of_thread(struct probe *p, const struct accessor *a, const struct evaluation *e,
			   const struct value_origin *o, uint64_t va)
{
	const struct load *outer = &e->loads[o->outer];

	if (outer->address.base != VALUE_LOAD || outer->size != known_rows[a->field].size)
		return;
	cast_vote(p, a->field, false, outer->address.offset,
		  probe_text(p, "%s at 0x%jx: %s", a->function, (uintmax_t)va,
			     instruction_text(p, outer->va)));
	cast_vote(p, KNOWN_PCR_THREAD, false, o->offset,
		  probe_text(p, "%s at 0x%jx: %s", a->function, (uintmax_t)va,
			     instruction_text(p, o->va)));
}

static void vote_of(struct probe *p, const struct accessor *a, const struct evaluation *e,
		    uint64_t va)
{
	struct value_origin o;
	bool found = a->form == FORM_MENTION ? first_mention(e, &o) : common_origin(e, &o);

	if (!found || !fits(a, &o)) {
		no_vote(p, a, end_text(p, e));
		return;
	}
	if (a->form == FORM_THREAD) {
		vote_of_thread(p, a, e, &o, va);
		return;
	}
	cast_vote(p, a->field, a->form == FORM_MENTION, o.offset,
		  probe_text(p, "%s at 0x%jx: %s", a->function, (uintmax_t)va,
			     instruction_text(p, o.va)));
	if (a->field == KNOWN_SESSION && o.depth == 2)
		cast_vote(p, KNOWN_SESSION_ID, false, e->loads[o.outer].address.offset,
			  probe_text(p, "%s at 0x%jx: %s", a->function, (uintmax_t)va,
				     instruction_text(p, e->loads[o.outer].va)));
}

/* ObGetObjectType: the type's index from the header, by way of a table; from Windows 10 on the
 * index is disguised with a byte of the header's address and a cookie. */
static void read_object_type(struct probe *p, const struct evaluation *e)
{
	for (size_t i = 0; i < e->num_loads; i++) {
		const struct load *load = &e->loads[i];

		if (load->address.base != VALUE_NUMBER || !in_kernel_image(p, load->address.offset))
			continue;
		if (load->indexed && load->size == 8)
			p->type_table = load->address.offset;
		else if (!load->indexed && load->size == 1)
			p->type_cookie = load->address.offset;
	}
}

/* MmGetVirtualForPhysical has the addresses of the PFN database and of the page tables in its
 * code: the former as the base of a table, the latter among its numbers. */
static void read_memory_layout(struct probe *p, const struct evaluation *e)
{
	enum { PTE_ADDRESS_OFFSET = 8 /* MMPFN.PteAddress, on every AMD64 build since 7 */ };

	for (size_t i = 0; i < e->num_loads; i++) {
		const struct load *load = &e->loads[i];

		if (load->address.base != VALUE_NUMBER || !load->indexed || load->size != 8 ||
		    (load->address.offset & PAGE_MASK) != PTE_ADDRESS_OFFSET)
			continue;
		probe_add(p, &(struct discover_row){
				     .kind = DISCOVER_VALUE,
				     .type = "",
				     .path = "MmPfnDatabase",
				     .value = load->address.offset - PTE_ADDRESS_OFFSET,
				     .confidence = DISCOVER_LIKELY,
				     .evidence = probe_text(p, "MmGetVirtualForPhysical: %s",
							    instruction_text(p, load->va)),
			     });
	}
	for (size_t i = 0; i < e->num_numbers; i++) {
		uint64_t number = e->numbers[i], entry;
		unsigned index = (unsigned)(number >> 39) & 0x1ff;

		/* the top table maps itself there */
		if (!is_kernel_pointer(number) || number & ((UINT64_C(1) << 39) - 1) ||
		    p->levels != 4 || !p->mem ||
		    physmem_read(p->mem, p->space->root + index * 8, &entry, 8) != 8 ||
		    ((entry ^ p->space->root) & UINT64_C(0x000ffffffffff000)))
			continue;
		probe_add(p, &(struct discover_row){
				     .kind = DISCOVER_VALUE,
				     .type = "",
				     .path = "MmPteBase",
				     .value = number,
				     .confidence = DISCOVER_CERTAIN,
				     .evidence = "MmGetVirtualForPhysical; the top page table "
						 "maps itself there",
			     });
	}
}

static void run_special(struct probe *p, const char *function,
			void (*read)(struct probe *, const struct evaluation *))
{
	struct evaluation e;
	uint64_t va;

	if (!exported_address(p, function, &va))
		return;
	evaluate(p->disasm, p->space, va, &e);
	read(p, &e);
}

void probe_accessors(struct probe *p)
{
	struct evaluation e;
	uint64_t va;

	read_exports(p);
	for (size_t i = 0; i < ARRAY_SIZE(accessors) && !p->err; i++) {
		if (!p->disasm) {
			no_vote(p, &accessors[i], p->no_code);
		} else if (!exported_address(p, accessors[i].function, &va)) {
			no_vote(p, &accessors[i], "not among the exports that can be read");
		} else {
			evaluate(p->disasm, p->space, va, &e);
			vote_of(p, &accessors[i], &e, va);
		}
	}
	if (!p->disasm)
		return;
	run_special(p, "ObGetObjectType", read_object_type);
	run_special(p, "MmGetVirtualForPhysical", read_memory_layout);
}
