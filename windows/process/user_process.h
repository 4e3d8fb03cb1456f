/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_USER_PROCESS_H
#define WINDOWS_USER_PROCESS_H

#include "windows/gaps.h"
#include "windows/process/process.h"

/*
 * What a process keeps about itself in its own pages: PEB, parameters, environment, loader lists.
 * A WoW64 process has all of it twice, native and 32-bit. Everything here can be written by the
 * process itself. Layouts: the kernel's symbols; of the 32-bit ones, and where there are no
 * symbols, windows/process/user_layout.c.
 */
#define USER_FIELDS(F)                                                                         \
	F(USER, PROCESS_PEB, "_EPROCESS", "Peb", OPTIONAL)                                     \
	F(USER, PROCESS_WOW64, "_EPROCESS", "WoW64Process|Wow64Process", OPTIONAL)             \
	F(USER, WOW64_PEB, "_EWOW64PROCESS", "Peb", OPTIONAL)                                  \
	F(USER, PEB_LDR, "_PEB", "Ldr", OPTIONAL)                                              \
	F(USER, PEB_PARAMETERS, "_PEB", "ProcessParameters", OPTIONAL)                         \
	F(USER, PEB_IMAGE_BASE, "_PEB", "ImageBaseAddress", OPTIONAL)                          \
	F(USER, PEB_BEING_DEBUGGED, "_PEB", "BeingDebugged", OPTIONAL)                         \
	F(USER, LDR_LOAD_LIST, "_PEB_LDR_DATA", "InLoadOrderModuleList", OPTIONAL)             \
	F(USER, LDR_MEMORY_LIST, "_PEB_LDR_DATA", "InMemoryOrderModuleList", OPTIONAL)         \
	F(USER, LDR_INIT_LIST, "_PEB_LDR_DATA", "InInitializationOrderModuleList", OPTIONAL)   \
	F(USER, MODULE_LOAD_LINKS, "_LDR_DATA_TABLE_ENTRY", "InLoadOrderLinks", OPTIONAL)      \
	F(USER, MODULE_MEMORY_LINKS, "_LDR_DATA_TABLE_ENTRY", "InMemoryOrderLinks", OPTIONAL)  \
	F(USER, MODULE_INIT_LINKS, "_LDR_DATA_TABLE_ENTRY", "InInitializationOrderLinks",      \
	  OPTIONAL)                                                                            \
	F(USER, MODULE_BASE, "_LDR_DATA_TABLE_ENTRY", "DllBase", OPTIONAL)                     \
	F(USER, MODULE_ENTRY_POINT, "_LDR_DATA_TABLE_ENTRY", "EntryPoint", OPTIONAL)           \
	F(USER, MODULE_SIZE, "_LDR_DATA_TABLE_ENTRY", "SizeOfImage", OPTIONAL)                 \
	F(USER, MODULE_PATH, "_LDR_DATA_TABLE_ENTRY", "FullDllName", OPTIONAL)                 \
	F(USER, MODULE_NAME, "_LDR_DATA_TABLE_ENTRY", "BaseDllName", OPTIONAL)                 \
	F(USER, MODULE_TIME_DATE_STAMP, "_LDR_DATA_TABLE_ENTRY", "TimeDateStamp", OPTIONAL)    \
	F(USER, MODULE_LOAD_TIME, "_LDR_DATA_TABLE_ENTRY", "LoadTime", OPTIONAL)               \
	F(USER, MODULE_LOAD_REASON, "_LDR_DATA_TABLE_ENTRY", "LoadReason", OPTIONAL)           \
	F(USER, MODULE_LOAD_COUNT, "_LDR_DATA_TABLE_ENTRY", "LoadCount", OPTIONAL)             \
	F(USER, MODULE_DDAG_NODE, "_LDR_DATA_TABLE_ENTRY", "DdagNode", OPTIONAL)               \
	F(USER, DDAG_LOAD_COUNT, "_LDR_DDAG_NODE", "LoadCount", OPTIONAL)                      \
	F(USER, IMAGE_PATH, "_RTL_USER_PROCESS_PARAMETERS", "ImagePathName", OPTIONAL)         \
	F(USER, COMMAND_LINE, "_RTL_USER_PROCESS_PARAMETERS", "CommandLine", OPTIONAL)         \
	F(USER, CURRENT_DIRECTORY, "_RTL_USER_PROCESS_PARAMETERS", "CurrentDirectory.DosPath", \
	  OPTIONAL)                                                                            \
	F(USER, WINDOW_TITLE, "_RTL_USER_PROCESS_PARAMETERS", "WindowTitle", OPTIONAL)         \
	F(USER, DLL_PATH, "_RTL_USER_PROCESS_PARAMETERS", "DllPath", OPTIONAL)                 \
	F(USER, DESKTOP, "_RTL_USER_PROCESS_PARAMETERS", "DesktopInfo", OPTIONAL)              \
	F(USER, SHELL_INFO, "_RTL_USER_PROCESS_PARAMETERS", "ShellInfo", OPTIONAL)             \
	F(USER, PARAMETERS_FLAGS, "_RTL_USER_PROCESS_PARAMETERS", "Flags", OPTIONAL)           \
	F(USER, ENVIRONMENT, "_RTL_USER_PROCESS_PARAMETERS", "Environment", OPTIONAL)          \
	F(USER, ENVIRONMENT_SIZE, "_RTL_USER_PROCESS_PARAMETERS", "EnvironmentSize", OPTIONAL)
DECLARE_FIELDS(user, USER_FIELDS);

enum {
	MAX_USER_MODULES = 1 << 14,	/* of one list */
	MAX_ENVIRONMENT_SIZE = 1 << 20, /* bytes; what lies behind is left out */
};

enum user_view { USER_NATIVE, USER_WOW64, NUM_USER_VIEWS };

/* The layouts of both views, bound once per listing. Borrows the kernel. */
struct user_reader {
	struct kernel *k;
	struct field fields[NUM_USER_VIEWS][user_num_fields];
};
MUST_CHECK struct error *user_reader_init(struct kernel *k, struct user_reader *ret);

/* A process and its PEBs. Borrows all it is made from. */
struct user_process {
	const struct user_reader *reader;
	const struct process *process;
	struct space *space; /* its own */
	/* Absent: it has none (System, minimal processes, no WoW64), or where it is could not be
	 * read, which is reported. */
	struct opt_u64 peb[NUM_USER_VIEWS];
};
/* space: the process's; NULL (triage dumps): no PEBs. What an exited process no longer has is not
 * reported as missing, here and below. */
void user_process_init(struct user_process *ret, const struct user_reader *r,
		       const struct process *p, struct space *space);
/* The one whose parameters the program itself sees: 32-bit of a WoW64 process. */
enum user_view user_process_own_view(const struct user_process *u);

enum user_string {
	USER_STRING_IMAGE_PATH,
	USER_STRING_COMMAND_LINE,
	USER_STRING_CURRENT_DIRECTORY,
	USER_STRING_WINDOW_TITLE,
	USER_STRING_DLL_PATH,
	USER_STRING_DESKTOP,
	USER_STRING_SHELL_INFO,
	NUM_USER_STRINGS
};
struct user_parameters {
	struct opt_u64 peb;			   /* absent: the process has none */
	struct opt_u64 image_base, being_debugged; /* of the PEB */
	struct opt_u64 va;			   /* of the parameters */
	struct opt_u64 flags, environment, environment_size;
	const char *strings[NUM_USER_STRINGS]; /* NULL: absent; in the arena */
};
/* What is absent is reported, once for all of it. NO_MEMORY only. */
MUST_CHECK struct error *user_parameters_read(const struct user_process *u, enum user_view view,
					      struct arena *a, struct user_parameters *ret);

struct user_variable {
	uint64_t va;
	const char *name, *value; /* "=C:" is a name too; value NULL: it has none; in the arena */
};
struct user_environment {
	struct user_variable *items; /* in the arena */
	size_t count;
};
/*
 * The variables in the order of the block, which ends at its size or at the first empty one. What
 * lies around an absent page is left out and reported. NO_MEMORY only.
 */
MUST_CHECK struct error *user_environment_read(const struct user_process *u, enum user_view view,
					       struct arena *a, struct user_environment *ret);

enum loader_list { LOADER_LOAD_ORDER, LOADER_MEMORY_ORDER, LOADER_INIT_ORDER, NUM_LOADER_LISTS };

struct user_module {
	uint64_t entry; /* LDR_DATA_TABLE_ENTRY */
	enum user_view view;
	struct opt_u64 base, size, entry_point, time_date_stamp;
	struct opt_u64 load_time; /* FILETIME */
	bool has_load_count;
	int64_t load_count;	 /* -1: is never unloaded */
	const char *load_reason; /* "dynamic_load", ...; NULL: this build does not say */
	const char *name, *path; /* NULL: absent */
	/* 0 or 1; absent where the list is broken and the module not in what is left of it. */
	struct opt_u64 in_list[NUM_LOADER_LISTS];
};
struct user_module_list {
	struct arena arena; /* owns every string */
	struct user_module *items;
	size_t count;
};
/*
 * The modules that any of the three lists names: native ones, then 32-bit ones, each in load order,
 * then those that only the other lists have. A broken list costs what only it knew. Breaks and
 * absent records are reported. NO_MEMORY only.
 */
MUST_CHECK struct error *user_modules_read(const struct user_process *u,
					   struct user_module_list *ret);
void user_modules_deinit(struct user_module_list *list); /* a zeroed one is fine */
/* The module whose image holds va, the smallest of several; NULL: none. */
const struct user_module *user_module_at(const struct user_module_list *list, uint64_t va);

/* For this module's own files: says as partial what of a process is absent, unless it has exited
 * or the fault tells that the build has no such field. */
void user_report(const struct user_process *u, enum user_view view, const char *what,
		 const struct fault *fault);
void user_report_gaps(const struct user_process *u, enum user_view view, const char *what,
		      const struct gaps *gaps);
const char *user_view_prefix(enum user_view view); /* "" or "32-bit ", in messages */
/* Fills in the 32-bit layout that goes with the native one, and what the native one lacks. */
void user_layout_complete(struct field *native, struct field *wow64_ret);

#endif
