/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FIELDS_CORE_H
#define WINDOWS_FIELDS_CORE_H

#include "windows/profile.h"
#include "windows/symbols/fields_memory.h"
#include "windows/symbols/fields_object.h"
#include "windows/symbols/fields_process.h"
#include "windows/symbols/fields_registry.h"

/*
 * Structures of the kernel that the built-in table answers for beyond what modules bind today, as
 * the public PDBs of ntoskrnl name them: one row per structure, all its fields in the row's list
 * of names. A module that starts to use one of them declares rows of its own beside itself and
 * finds the table ready.
 */
#define CORE_FIELDS(F) \
	CORE_PROCESS_FIELDS(F) CORE_OBJECT_FIELDS(F) CORE_MEMORY_FIELDS(F) CORE_REGISTRY_FIELDS(F)

#endif
