/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/discover/probe.h"

/*
 * Layouts that no AMD64 build since Windows 7 has changed: the public headers (ntdef.h, winternl.h,
 * wdm.h, ntddk.h) and all public PDBs have them so. Each group is answered only where the snapshot
 * shows that it holds.
 */
struct constant_row {
	const char *path;
	uint32_t offset, size;
};

static void add_rows(struct probe *p, const char *type, const struct constant_row *rows,
		     size_t count, enum discover_confidence sure, const char *text)
{
	for (size_t i = 0; i < count; i++)
		probe_field(p, sure, type, rows[i].path, rows[i].offset, rows[i].size, "%s", text);
}

static void miss_rows(struct probe *p, const char *type, const struct constant_row *rows,
		      size_t count, const char *why)
{
	for (size_t i = 0; i < count; i++)
		probe_missing(p, type, rows[i].path, "%s", why);
}

/* Records of kernel modules. */

enum {
	KLDR_BASE = 0x30,
	KLDR_ENTRY_POINT = 0x38,
	KLDR_SIZE_OF_IMAGE = 0x40,
	KLDR_FULL_NAME = 0x48,
	KLDR_BASE_NAME = 0x58,
	KLDR_CHECKSUM = 0x78,
	KLDR_TIME_DATE_STAMP = 0x9c,
	MAX_MODULES_CHECKED = 64,
};
static const struct constant_row kldr_rows[] = {
	{ "InLoadOrderLinks", 0, 16 },
	{ "DllBase", KLDR_BASE, 8 },
	{ "EntryPoint", KLDR_ENTRY_POINT, 8 },
	{ "SizeOfImage", KLDR_SIZE_OF_IMAGE, 4 },
};
static const struct constant_row kldr_name_rows[] = {
	{ "FullDllName", KLDR_FULL_NAME, 16 },
	{ "BaseDllName", KLDR_BASE_NAME, 16 },
};
static const struct constant_row list_rows[] = { { "Flink", 0, 8 }, { "Blink", 8, 8 } };
static const struct constant_row string_rows[] = {
	{ "Length", 0, 2 },
	{ "MaximumLength", 2, 2 },
	{ "Buffer", 8, 8 },
};

struct string {
	uint16_t length, maximum;
	uint64_t buffer;
};

/* A UNICODE_STRING that makes sense. */
static bool read_string(struct space *s, uint64_t va, struct string *ret)
{
	if (!space_try_u16(s, va, &ret->length, NULL) ||
	    !space_try_u16(s, va + 2, &ret->maximum, NULL) ||
	    !space_try_u64(s, va + 8, &ret->buffer, NULL))
		return false;
	return ret->length % 2 == 0 && ret->length <= ret->maximum && ret->buffer;
}

/* Is the shorter string, in bytes of UTF-16, the end of the longer one? */
static bool ends_with(struct space *s, const struct string *whole, const struct string *end)
{
	enum { MAX_BYTES = 512 };
	uint8_t a[MAX_BYTES], b[MAX_BYTES];

	if (!end->length || end->length > whole->length || end->length > MAX_BYTES)
		return false;
	return space_try_read(s, whole->buffer + whole->length - end->length, a, end->length,
			      NULL) &&
	       space_try_read(s, end->buffer, b, end->length, NULL) && !memcmp(a, b, end->length);
}

static bool is_module(struct space *s, uint64_t record, uint64_t *base_ret)
{
	uint32_t size;
	uint64_t entry;

	if (!space_try_u64(s, record + KLDR_BASE, base_ret, NULL) ||
	    !space_try_u64(s, record + KLDR_ENTRY_POINT, &entry, NULL) ||
	    !space_try_u32(s, record + KLDR_SIZE_OF_IMAGE, &size, NULL))
		return false;
	return is_kernel_pointer(*base_ret) && !(*base_ret & PAGE_MASK) && size &&
	       !(size & PAGE_MASK) && (!entry || entry - *base_ret < size);
}

/* A path that ends in the name. Paged out, for many. */
static bool has_names(struct space *s, uint64_t record)
{
	struct string path, name;

	return read_string(s, record + KLDR_FULL_NAME, &path) &&
	       read_string(s, record + KLDR_BASE_NAME, &name) && ends_with(s, &path, &name);
}

/* Of the kernel's own record, the first one: what its PE header says, too. */
static void probe_kernel_record(struct probe *p, uint64_t record)
{
	static const char type[] = "_KLDR_DATA_TABLE_ENTRY";
	uint32_t value;

	if (p->kernel->checksum && space_try_u32(p->space, record + KLDR_CHECKSUM, &value, NULL) &&
	    value == p->kernel->checksum)
		probe_field(p, DISCOVER_CERTAIN, type, "CheckSum", KLDR_CHECKSUM, 4,
			    "the kernel's record has its PE header's");
	else
		probe_missing(p, type, "CheckSum", "the kernel's record does not show it");
	if (p->kernel->time_date_stamp &&
	    space_try_u32(p->space, record + KLDR_TIME_DATE_STAMP, &value, NULL) &&
	    value == p->kernel->time_date_stamp)
		probe_field(p, DISCOVER_CERTAIN, type, "TimeDateStamp", KLDR_TIME_DATE_STAMP, 4,
			    "the kernel's record has its PE header's");
	else
		probe_missing(p, type, "TimeDateStamp", "the kernel's record does not show it");
}

/* A list head in the image whose first entry is the kernel's own record, and points back. */
static bool search_module_list(struct probe *p, uint64_t *ret)
{
	uint8_t page[PAGE_SIZE];
	uint64_t next, base;

	for (uint64_t at = 0; at < p->kernel->size_of_image; at += PAGE_SIZE) {
		if (!space_try_read(p->space, p->kernel->base + at, page, sizeof(page), NULL))
			continue;
		for (size_t i = 0; i < PAGE_SIZE; i += 8) {
			*ret = p->kernel->base + at + i;
			if (!is_kernel_pointer(load_u64(page + i)) ||
			    !read_ring_entry(p->space, *ret, &next) ||
			    !is_module(p->space, next, &base) || base != p->kernel->base)
				continue;
			probe_add(p, &(struct discover_row){
					     .kind = DISCOVER_GLOBAL,
					     .type = "",
					     .path = "PsLoadedModuleList",
					     .value = at + i,
					     .confidence = DISCOVER_CERTAIN,
					     .evidence = "the list head in the image whose first "
							 "record is the kernel's own",
				     });
			return true;
		}
	}
	return false;
}

struct module_tally {
	unsigned modules, bad, named;
	uint64_t first; /* the first record, if it is the kernel's own; else 0 */
};

static void read_modules(struct probe *p, uint64_t head, struct module_tally *ret)
{
	uint64_t at = head, next, base;

	*ret = (struct module_tally){ 0 };
	while (ret->modules + ret->bad < MAX_MODULES_CHECKED &&
	       read_ring_entry(p->space, at, &next) && next != head) {
		at = next;
		if (!is_module(p->space, at, &base)) {
			ret->bad++;
			continue;
		}
		if (!ret->modules++ && base == p->kernel->base)
			ret->first = at;
		ret->named += has_names(p->space, at);
	}
}

static void probe_modules(struct probe *p)
{
	static const char type[] = "_KLDR_DATA_TABLE_ENTRY";
	const char *text = "PsLoadedModuleList is neither exported nor found in the image";
	struct module_tally t = { 0 };
	uint64_t head;

	if (exported_address(p, "PsLoadedModuleList", &head) || search_module_list(p, &head)) {
		read_modules(p, head, &t);
		text = "the records of PsLoadedModuleList do not show it";
	}
	if (!t.first || t.modules < FEW_SAMPLES || t.bad * 8 > t.modules) {
		miss_rows(p, type, kldr_rows, ARRAY_SIZE(kldr_rows), text);
		miss_rows(p, type, kldr_name_rows, ARRAY_SIZE(kldr_name_rows), text);
		return;
	}
	text = probe_text(p,
			  "holds in %u records of PsLoadedModuleList, the first one the kernel's",
			  t.modules);
	add_rows(p, type, kldr_rows, ARRAY_SIZE(kldr_rows), DISCOVER_CERTAIN, text);
	add_rows(p, "_LIST_ENTRY", list_rows, ARRAY_SIZE(list_rows), DISCOVER_CERTAIN, text);
	probe_kernel_record(p, t.first);
	if (t.named < FEW_SAMPLES) {
		text = "the names of too few modules are captured";
		miss_rows(p, type, kldr_name_rows, ARRAY_SIZE(kldr_name_rows), text);
		return;
	}
	text = probe_text(p, "paths end in names in %u records of PsLoadedModuleList", t.named);
	add_rows(p, type, kldr_name_rows, ARRAY_SIZE(kldr_name_rows), DISCOVER_CERTAIN, text);
	add_rows(p, "_UNICODE_STRING", string_rows, ARRAY_SIZE(string_rows), DISCOVER_CERTAIN,
		 text);
}

/* User structures (winternl.h). */

enum {
	PEB_IMAGE_BASE = 0x10,
	PEB_LDR = 0x18,
	PEB_PARAMETERS = 0x20,
	PARAMETERS_IMAGE_PATH = 0x60,
	PARAMETERS_COMMAND_LINE = 0x70,
};
static const struct constant_row peb_rows[] = {
	{ "ImageBaseAddress", PEB_IMAGE_BASE, 8 },
	{ "ProcessParameters", PEB_PARAMETERS, 8 },
	{ "Ldr", PEB_LDR, 8 },
};
static const struct constant_row parameter_rows[] = {
	{ "ImagePathName", PARAMETERS_IMAGE_PATH, 16 },
	{ "CommandLine", PARAMETERS_COMMAND_LINE, 16 },
};

static bool is_path_of(struct space *s, const struct string *path, const char *name)
{
	enum { MAX_BYTES = 1024 };
	uint8_t text[MAX_BYTES];

	return path->length <= MAX_BYTES &&
	       space_try_read(s, path->buffer, text, path->length, NULL) &&
	       path_names(text, path->length, name);
}

static bool is_pointer_in_user(uint64_t value)
{
	return value && value < UINT64_C(1) << 56;
}

/* NEUTRAL: absent. */
static enum verdict judge_user_side(const struct probe *p, const struct sample *s)
{
	uint64_t peb, image, ldr, parameters, section;
	struct string path, command;

	if (!s->space || !p->has[KNOWN_PEB] || !sample_u64(s, p->at[KNOWN_PEB], &peb) || !peb ||
	    !space_try_u64(s->space, peb + PEB_IMAGE_BASE, &image, NULL) ||
	    !space_try_u64(s->space, peb + PEB_LDR, &ldr, NULL) ||
	    !space_try_u64(s->space, peb + PEB_PARAMETERS, &parameters, NULL))
		return NEUTRAL;
	if (p->has[KNOWN_SECTION_BASE] && sample_u64(s, p->at[KNOWN_SECTION_BASE], &section) &&
	    section != image)
		return DENIES;
	if (!is_pointer_in_user(ldr) || !is_pointer_in_user(parameters))
		return NEUTRAL; /* a process that is being created, or has exited */
	if (!read_string(s->space, parameters + PARAMETERS_IMAGE_PATH, &path) ||
	    !read_string(s->space, parameters + PARAMETERS_COMMAND_LINE, &command))
		return NEUTRAL;
	return is_path_of(s->space, &path, s->name) ? AGREES : NEUTRAL;
}

static void probe_user_side(struct probe *p)
{
	unsigned agrees = 0, denies = 0;
	const char *text;

	for (size_t i = 0; i < p->num_samples; i++) {
		enum verdict verdict = judge_user_side(p, &p->samples[i]);

		agrees += verdict == AGREES;
		denies += verdict == DENIES;
	}
	if (agrees < 2 || denies * 2 > agrees) {
		text = "no PEBs that show it could be read";
		miss_rows(p, "_PEB", peb_rows, ARRAY_SIZE(peb_rows), text);
		miss_rows(p, "_RTL_USER_PROCESS_PARAMETERS", parameter_rows,
			  ARRAY_SIZE(parameter_rows), text);
		return;
	}
	text = probe_text(p,
			  "winternl.h; in %u processes the parameters name the image, and the PEB "
			  "has its base",
			  agrees);
	add_rows(p, "_PEB", peb_rows, ARRAY_SIZE(peb_rows), DISCOVER_CERTAIN, text);
	add_rows(p, "_RTL_USER_PROCESS_PARAMETERS", parameter_rows, ARRAY_SIZE(parameter_rows),
		 DISCOVER_CERTAIN, text);
}

/* Processors. */

enum {
	KPCR_SELF = 0x18,
	KPCR_CURRENT_PRCB = 0x20,
	KPCR_PRCB = 0x180,
	PRCB_CURRENT_THREAD = 8,
	PRCB_NEXT_THREAD = 0x10,
	PRCB_IDLE_THREAD = 0x18,
	PRCB_NUMBER = 0x24,
	THREAD_OBJECT = 6,
	MAX_PROCESSORS = 2048,
};
static const struct constant_row kpcr_rows[] = {
	{ "Self", KPCR_SELF, 8 },
	{ "CurrentPrcb", KPCR_CURRENT_PRCB, 8 },
};

static bool is_pcr(const struct probe *p, uint64_t pcr)
{
	uint64_t self, prcb;

	return is_kernel_pointer(pcr) && space_try_u64(p->space, pcr + KPCR_SELF, &self, NULL) &&
	       self == pcr && space_try_u64(p->space, pcr + KPCR_CURRENT_PRCB, &prcb, NULL) &&
	       prcb == pcr + KPCR_PRCB;
}

static bool is_thread_object(const struct probe *p, uint64_t thread)
{
	uint8_t type;

	return is_kernel_pointer(thread) && space_try_read(p->space, thread, &type, 1, NULL) &&
	       type == THREAD_OBJECT;
}

/* A PCR by a variable of the kernel that points to its PRCB (KiProcessorBlock is one). */
static bool search_pcr(const struct probe *p, uint64_t *ret)
{
	uint8_t page[PAGE_SIZE];

	for (uint64_t at = 0; at < p->kernel->size_of_image; at += PAGE_SIZE) {
		if (!space_try_read(p->space, p->kernel->base + at, page, sizeof(page), NULL))
			continue;
		for (size_t i = 0; i < PAGE_SIZE; i += 8) {
			*ret = load_u64(page + i) - KPCR_PRCB;
			/* a PCR starts a page */
			if (!(*ret & PAGE_MASK) && is_pcr(p, *ret))
				return true;
		}
	}
	return false;
}

static void add_prcb(struct probe *p, uint64_t pcr)
{
	static const char type[] = "_KPRCB";
	const struct vote *vote = &p->votes[KNOWN_PCR_THREAD];
	uint64_t prcb = pcr + KPCR_PRCB, current, next, idle;
	bool code = vote->present && !vote->contradicted &&
		    vote->offset == KPCR_PRCB + PRCB_CURRENT_THREAD;
	bool data = space_try_u64(p->space, prcb + PRCB_CURRENT_THREAD, &current, NULL) &&
		    is_thread_object(p, current);
	uint32_t number;

	if (!data || (vote->present && !code)) {
		probe_missing(p, type, "CurrentThread", "no thread there%s%s",
			      vote->text ? "; " : "", vote->text ? vote->text : "");
		return;
	}
	probe_field(p, code ? DISCOVER_CERTAIN : DISCOVER_LIKELY, type, "CurrentThread",
		    PRCB_CURRENT_THREAD, 8, "%s%sa thread in the PRCB at 0x%jx",
		    code ? vote->text : "", code ? "; " : "", (uintmax_t)prcb);
	if (space_try_u64(p->space, prcb + PRCB_IDLE_THREAD, &idle, NULL) &&
	    is_thread_object(p, idle) &&
	    space_try_u64(p->space, prcb + PRCB_NEXT_THREAD, &next, NULL) &&
	    (!next || is_thread_object(p, next))) {
		probe_field(p, DISCOVER_LIKELY, type, "NextThread", PRCB_NEXT_THREAD, 8,
			    "none or a thread, between the current and the idle one");
		probe_field(p, DISCOVER_LIKELY, type, "IdleThread", PRCB_IDLE_THREAD, 8,
			    "a thread");
	}
	if (space_try_u32(p->space, prcb + PRCB_NUMBER, &number, NULL) && number < MAX_PROCESSORS)
		probe_field(p, DISCOVER_LIKELY, type, "Number", PRCB_NUMBER, 4,
			    "%u in the PRCB at 0x%jx", number, (uintmax_t)prcb);
}

static void probe_processors(struct probe *p)
{
	uint64_t pcr = 0;
	const char *text;
	bool found = false;

	if (p->regs && p->regs->known & REGS_GS_BASE)
		found = is_pcr(p, pcr = p->regs->gs.base);
	if (!found && p->regs && p->regs->known & REGS_KERNEL_GS)
		found = is_pcr(p, pcr = p->regs->kernel_gs_base);
	if (!found && !search_pcr(p, &pcr)) {
		text = "no processor control region was found";
		miss_rows(p, "_KPCR", kpcr_rows, ARRAY_SIZE(kpcr_rows), text);
		probe_missing(p, "_KPCR", "Prcb", "%s", text);
		probe_missing(p, "_KPRCB", "CurrentThread", "%s", text);
		return;
	}
	text = probe_text(p, "the region at 0x%jx points to itself and to its PRCB",
			  (uintmax_t)pcr);
	add_rows(p, "_KPCR", kpcr_rows, ARRAY_SIZE(kpcr_rows), DISCOVER_CERTAIN, text);
	probe_field(p, DISCOVER_CERTAIN, "_KPCR", "Prcb", KPCR_PRCB, 0, "%s", text);
	add_prcb(p, pcr);
}

void probe_constants(struct probe *p)
{
	probe_modules(p);
	probe_user_side(p);
	probe_processors(p);
	if (p->has[KNOWN_AUDIT_NAME])
		probe_field(p, DISCOVER_CERTAIN, "_OBJECT_NAME_INFORMATION", "Name", 0, 16,
			    "EPROCESS.SeAuditProcessCreationInfo points to strings");
}
