/* SPDX-License-Identifier: MIT */
#include "windows/objects/access_mask.h"

#include <inttypes.h>
#include <string.h>

struct right {
	uint32_t bits;
	const char *name;
};

/* Of each type: combinations first, then single rights in order of their bits. */
static const struct right file_rights[] = {
	{ 0x1f01ff, "FILE_ALL_ACCESS" },    { 0x120089, "FILE_GENERIC_READ" },
	{ 0x120116, "FILE_GENERIC_WRITE" }, { 0x1200a0, "FILE_GENERIC_EXECUTE" },
	{ 0x1, "FILE_READ_DATA" },	    { 0x2, "FILE_WRITE_DATA" },
	{ 0x4, "FILE_APPEND_DATA" },	    { 0x8, "FILE_READ_EA" },
	{ 0x10, "FILE_WRITE_EA" },	    { 0x20, "FILE_EXECUTE" },
	{ 0x40, "FILE_DELETE_CHILD" },	    { 0x80, "FILE_READ_ATTRIBUTES" },
	{ 0x100, "FILE_WRITE_ATTRIBUTES" },
};
static const struct right key_rights[] = {
	{ 0xf003f, "KEY_ALL_ACCESS" },	   { 0x20019, "KEY_READ" },
	{ 0x20006, "KEY_WRITE" },	   { 0x1, "KEY_QUERY_VALUE" },
	{ 0x2, "KEY_SET_VALUE" },	   { 0x4, "KEY_CREATE_SUB_KEY" },
	{ 0x8, "KEY_ENUMERATE_SUB_KEYS" }, { 0x10, "KEY_NOTIFY" },
	{ 0x20, "KEY_CREATE_LINK" },	   { 0x100, "KEY_WOW64_64KEY" },
	{ 0x200, "KEY_WOW64_32KEY" },
};
static const struct right process_rights[] = {
	{ 0x1fffff, "PROCESS_ALL_ACCESS" },
	{ 0x1, "PROCESS_TERMINATE" },
	{ 0x2, "PROCESS_CREATE_THREAD" },
	{ 0x4, "PROCESS_SET_SESSIONID" },
	{ 0x8, "PROCESS_VM_OPERATION" },
	{ 0x10, "PROCESS_VM_READ" },
	{ 0x20, "PROCESS_VM_WRITE" },
	{ 0x40, "PROCESS_DUP_HANDLE" },
	{ 0x80, "PROCESS_CREATE_PROCESS" },
	{ 0x100, "PROCESS_SET_QUOTA" },
	{ 0x200, "PROCESS_SET_INFORMATION" },
	{ 0x400, "PROCESS_QUERY_INFORMATION" },
	{ 0x800, "PROCESS_SUSPEND_RESUME" },
	{ 0x1000, "PROCESS_QUERY_LIMITED_INFORMATION" },
	{ 0x2000, "PROCESS_SET_LIMITED_INFORMATION" },
};
static const struct right thread_rights[] = {
	{ 0x1fffff, "THREAD_ALL_ACCESS" },
	{ 0x1, "THREAD_TERMINATE" },
	{ 0x2, "THREAD_SUSPEND_RESUME" },
	{ 0x4, "THREAD_ALERT" },
	{ 0x8, "THREAD_GET_CONTEXT" },
	{ 0x10, "THREAD_SET_CONTEXT" },
	{ 0x20, "THREAD_SET_INFORMATION" },
	{ 0x40, "THREAD_QUERY_INFORMATION" },
	{ 0x80, "THREAD_SET_THREAD_TOKEN" },
	{ 0x100, "THREAD_IMPERSONATE" },
	{ 0x200, "THREAD_DIRECT_IMPERSONATION" },
	{ 0x400, "THREAD_SET_LIMITED_INFORMATION" },
	{ 0x800, "THREAD_QUERY_LIMITED_INFORMATION" },
	{ 0x1000, "THREAD_RESUME" },
};
static const struct right section_rights[] = {
	{ 0xf001f, "SECTION_ALL_ACCESS" },
	{ 0x1, "SECTION_QUERY" },
	{ 0x2, "SECTION_MAP_WRITE" },
	{ 0x4, "SECTION_MAP_READ" },
	{ 0x8, "SECTION_MAP_EXECUTE" },
	{ 0x10, "SECTION_EXTEND_SIZE" },
	{ 0x20, "SECTION_MAP_EXECUTE_EXPLICIT" },
};
static const struct right event_rights[] = {
	{ 0x1f0003, "EVENT_ALL_ACCESS" },
	{ 0x1, "EVENT_QUERY_STATE" },
	{ 0x2, "EVENT_MODIFY_STATE" },
};
static const struct right mutant_rights[] = {
	{ 0x1f0001, "MUTANT_ALL_ACCESS" },
	{ 0x1, "MUTANT_QUERY_STATE" },
};
static const struct right semaphore_rights[] = {
	{ 0x1f0003, "SEMAPHORE_ALL_ACCESS" },
	{ 0x1, "SEMAPHORE_QUERY_STATE" },
	{ 0x2, "SEMAPHORE_MODIFY_STATE" },
};
static const struct right timer_rights[] = {
	{ 0x1f0003, "TIMER_ALL_ACCESS" },
	{ 0x1, "TIMER_QUERY_STATE" },
	{ 0x2, "TIMER_MODIFY_STATE" },
};
static const struct right completion_rights[] = {
	{ 0x1f0003, "IO_COMPLETION_ALL_ACCESS" },
	{ 0x1, "IO_COMPLETION_QUERY_STATE" },
	{ 0x2, "IO_COMPLETION_MODIFY_STATE" },
};
static const struct right token_rights[] = {
	{ 0xf01ff, "TOKEN_ALL_ACCESS" },
	{ 0x1, "TOKEN_ASSIGN_PRIMARY" },
	{ 0x2, "TOKEN_DUPLICATE" },
	{ 0x4, "TOKEN_IMPERSONATE" },
	{ 0x8, "TOKEN_QUERY" },
	{ 0x10, "TOKEN_QUERY_SOURCE" },
	{ 0x20, "TOKEN_ADJUST_PRIVILEGES" },
	{ 0x40, "TOKEN_ADJUST_GROUPS" },
	{ 0x80, "TOKEN_ADJUST_DEFAULT" },
	{ 0x100, "TOKEN_ADJUST_SESSIONID" },
};
static const struct right directory_rights[] = {
	{ 0xf000f, "DIRECTORY_ALL_ACCESS" },
	{ 0x1, "DIRECTORY_QUERY" },
	{ 0x2, "DIRECTORY_TRAVERSE" },
	{ 0x4, "DIRECTORY_CREATE_OBJECT" },
	{ 0x8, "DIRECTORY_CREATE_SUBDIRECTORY" },
};
static const struct right link_rights[] = {
	{ 0xf0001, "SYMBOLIC_LINK_ALL_ACCESS" },
	{ 0x1, "SYMBOLIC_LINK_QUERY" },
	{ 0x2, "SYMBOLIC_LINK_SET" },
};
static const struct right desktop_rights[] = {
	{ 0x1, "DESKTOP_READOBJECTS" },	    { 0x2, "DESKTOP_CREATEWINDOW" },
	{ 0x4, "DESKTOP_CREATEMENU" },	    { 0x8, "DESKTOP_HOOKCONTROL" },
	{ 0x10, "DESKTOP_JOURNALRECORD" },  { 0x20, "DESKTOP_JOURNALPLAYBACK" },
	{ 0x40, "DESKTOP_ENUMERATE" },	    { 0x80, "DESKTOP_WRITEOBJECTS" },
	{ 0x100, "DESKTOP_SWITCHDESKTOP" },
};
static const struct right station_rights[] = {
	{ 0x37f, "WINSTA_ALL_ACCESS" },	      { 0x1, "WINSTA_ENUMDESKTOPS" },
	{ 0x2, "WINSTA_READATTRIBUTES" },     { 0x4, "WINSTA_ACCESSCLIPBOARD" },
	{ 0x8, "WINSTA_CREATEDESKTOP" },      { 0x10, "WINSTA_WRITEATTRIBUTES" },
	{ 0x20, "WINSTA_ACCESSGLOBALATOMS" }, { 0x40, "WINSTA_EXITWINDOWS" },
	{ 0x100, "WINSTA_ENUMERATE" },	      { 0x200, "WINSTA_READSCREEN" },
};
static const struct right job_rights[] = {
	{ 0x1f003f, "JOB_OBJECT_ALL_ACCESS" }, { 0x1, "JOB_OBJECT_ASSIGN_PROCESS" },
	{ 0x2, "JOB_OBJECT_SET_ATTRIBUTES" },  { 0x4, "JOB_OBJECT_QUERY" },
	{ 0x8, "JOB_OBJECT_TERMINATE" },       { 0x10, "JOB_OBJECT_SET_SECURITY_ATTRIBUTES" },
	{ 0x20, "JOB_OBJECT_IMPERSONATE" },
};
static const struct right port_rights[] = {
	{ 0x1f0001, "PORT_ALL_ACCESS" },
	{ 0x1, "PORT_CONNECT" },
};
static const struct right worker_rights[] = {
	{ 0xf003f, "WORKER_FACTORY_ALL_ACCESS" },
	{ 0x1, "WORKER_FACTORY_RELEASE_WORKER" },
	{ 0x2, "WORKER_FACTORY_WAIT" },
	{ 0x4, "WORKER_FACTORY_SET_INFORMATION" },
	{ 0x8, "WORKER_FACTORY_QUERY_INFORMATION" },
	{ 0x10, "WORKER_FACTORY_READY_WORKER" },
	{ 0x20, "WORKER_FACTORY_SHUTDOWN" },
};
static const struct right guid_rights[] = {
	{ 0x120fff, "WMIGUID_ALL_ACCESS" },
	{ 0x1, "WMIGUID_QUERY" },
	{ 0x2, "WMIGUID_SET" },
	{ 0x4, "WMIGUID_NOTIFICATION" },
	{ 0x8, "WMIGUID_READ_DESCRIPTION" },
	{ 0x10, "WMIGUID_EXECUTE" },
	{ 0x20, "TRACELOG_CREATE_REALTIME" },
	{ 0x40, "TRACELOG_CREATE_ONDISK" },
	{ 0x80, "TRACELOG_GUID_ENABLE" },
	{ 0x100, "TRACELOG_ACCESS_KERNEL_LOGGER" },
	{ 0x200, "TRACELOG_CREATE_INPROC" },
	{ 0x400, "TRACELOG_ACCESS_REALTIME" },
	{ 0x800, "TRACELOG_REGISTER_GUIDS" },
};
static const struct right debug_rights[] = {
	{ 0x1f000f, "DEBUG_ALL_ACCESS" },   { 0x1, "DEBUG_READ_EVENT" },
	{ 0x2, "DEBUG_PROCESS_ASSIGN" },    { 0x4, "DEBUG_SET_INFORMATION" },
	{ 0x8, "DEBUG_QUERY_INFORMATION" },
};
static const struct right keyed_event_rights[] = {
	{ 0xf0003, "KEYEDEVENT_ALL_ACCESS" },
	{ 0x1, "KEYEDEVENT_WAIT" },
	{ 0x2, "KEYEDEVENT_WAKE" },
};
static const struct right session_rights[] = {
	{ 0x1, "SESSION_QUERY_ACCESS" },
	{ 0x2, "SESSION_MODIFY_ACCESS" },
};
static const struct right standard_rights[] = {
	{ 0x10000, "DELETE" },
	{ 0x20000, "READ_CONTROL" },
	{ 0x40000, "WRITE_DAC" },
	{ 0x80000, "WRITE_OWNER" },
	{ 0x100000, "SYNCHRONIZE" },
	{ 0x1000000, "ACCESS_SYSTEM_SECURITY" },
	{ 0x2000000, "MAXIMUM_ALLOWED" },
	{ 0x10000000, "GENERIC_ALL" },
	{ 0x20000000, "GENERIC_EXECUTE" },
	{ 0x40000000, "GENERIC_WRITE" },
	{ 0x80000000, "GENERIC_READ" },
};

#define RIGHTS(type, rights)                     \
	{                                        \
		type, rights, ARRAY_SIZE(rights) \
	}
static const struct type_rights {
	const char *type;
	const struct right *rights;
	size_t count;
} types[] = {
	RIGHTS("ALPC Port", port_rights),
	RIGHTS("DebugObject", debug_rights),
	RIGHTS("Desktop", desktop_rights),
	RIGHTS("Device", file_rights),
	RIGHTS("Directory", directory_rights),
	RIGHTS("EtwRegistration", guid_rights),
	RIGHTS("Event", event_rights),
	RIGHTS("File", file_rights),
	RIGHTS("IoCompletion", completion_rights),
	RIGHTS("IRTimer", timer_rights),
	RIGHTS("Job", job_rights),
	RIGHTS("Key", key_rights),
	RIGHTS("KeyedEvent", keyed_event_rights),
	RIGHTS("Mutant", mutant_rights),
	RIGHTS("Process", process_rights),
	RIGHTS("Section", section_rights),
	RIGHTS("Semaphore", semaphore_rights),
	RIGHTS("Session", session_rights),
	RIGHTS("SymbolicLink", link_rights),
	RIGHTS("Thread", thread_rights),
	RIGHTS("Timer", timer_rights),
	RIGHTS("Token", token_rights),
	RIGHTS("TpWorkerFactory", worker_rights),
	RIGHTS("WindowStation", station_rights),
	RIGHTS("WmiGuid", guid_rights),
};

struct text {
	struct arena *arena;
	const char *text; /* NULL: nothing yet, or memory is out */
	bool failed;
};

static void append(struct text *t, const char *word)
{
	t->text = t->text ? arena_printf(t->arena, "%s|%s", t->text, word) : word;
	t->failed = t->failed || !t->text;
}

/* Names every right that the mask has whole and that says something new; the bits left. */
static uint32_t append_rights(struct text *t, const struct right *rights, size_t count,
			      uint32_t mask, uint32_t left)
{
	for (size_t i = 0; i < count && !t->failed; i++) {
		if ((mask & rights[i].bits) != rights[i].bits || !(left & rights[i].bits))
			continue;
		append(t, rights[i].name);
		left &= ~rights[i].bits;
	}
	return left;
}

const char *access_mask_text(struct arena *a, const char *type, uint32_t mask)
{
	struct text t = { .arena = a };
	uint32_t left = mask;
	const char *number;

	for (size_t i = 0; type && i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].type, type) == 0)
			left = append_rights(&t, types[i].rights, types[i].count, mask, left);
	}
	left = append_rights(&t, standard_rights, ARRAY_SIZE(standard_rights), mask, left);
	if ((left || !mask) && !t.failed) {
		number = arena_printf(a, left ? "0x%" PRIx32 : "%" PRIx32, left);
		if (!number)
			return NULL;
		append(&t, number);
	}
	return t.failed ? NULL : t.text;
}
