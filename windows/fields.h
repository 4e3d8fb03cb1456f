/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FIELDS_H
#define WINDOWS_FIELDS_H

#include "windows/cpu.h"
#include "windows/handle_table.h"
#include "windows/module.h"
#include "windows/process.h"
#include "windows/stack.h"
#include "windows/symbols/fields_core.h"
#include "windows/trap_frame.h"
#include "windows/triage.h"

/*
 * Every list of fields in the project, once: what the built-in table must answer. A new list is
 * added here and the table generated again (windows/symbols/mktable.c says how).
 */
#define ALL_FIELDS(F)     \
	PROCESS_FIELDS(F) \
	MODULE_FIELDS(F)  \
	CPU_FIELDS(F)     \
	STACK_FIELDS(F)   \
	TRIAGE_FIELDS(F)  \
	TRAP_FIELDS(F)    \
	HANDLE_FIELDS(F)  \
	CORE_FIELDS(F)

#endif
