/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FIELDS_H
#define WINDOWS_FIELDS_H

#include "windows/drivers/driver.h"
#include "windows/kernel/cpu.h"
#include "windows/kernel/triage.h"
#include "windows/kernel_tables/callbacks.h"
#include "windows/kernel_tables/pool_tags.h"
#include "windows/kernel_tables/sessions.h"
#include "windows/kernel_tables/timers.h"
#include "windows/modules/module.h"
#include "windows/objects/handle_table.h"
#include "windows/objects/object_directory.h"
#include "windows/objects/object_manager.h"
#include "windows/paging/paging.h"
#include "windows/pool/big_pool.h"
#include "windows/pool/pool_object.h"
#include "windows/pool/pool_scan.h"
#include "windows/process/crossview.h"
#include "windows/process/process.h"
#include "windows/process/process_image.h"
#include "windows/process/user_process.h"
#include "windows/regions/file_cache.h"
#include "windows/regions/file_object.h"
#include "windows/regions/section.h"
#include "windows/regions/vad.h"
#include "windows/registry/hive.h"
#include "windows/registry/kcb.h"
#include "windows/security/token.h"
#include "windows/stack.h"
#include "windows/symbols/fields_core.h"
#include "windows/thread/thread.h"
#include "windows/thread/thread_context.h"
#include "windows/thread/trap_frame.h"

/*
 * Every list of fields in the project, once: what the built-in table must answer. A new list is
 * added here and the table generated again (windows/symbols/mktable.c says how).
 */
#define ALL_FIELDS(F)            \
	PROCESS_FIELDS(F)        \
	PROCESS_IMAGE_FIELDS(F)  \
	KCB_FIELDS(F)            \
	HIVE_FIELDS(F)           \
	MODULE_FIELDS(F)         \
	CROSSVIEW_FIELDS(F)      \
	POOL_FIELDS(F)           \
	THREAD_FIELDS(F)         \
	POOL_OBJECT_FIELDS(F)    \
	CPU_FIELDS(F)            \
	STACK_FIELDS(F)          \
	TRIAGE_FIELDS(F)         \
	TRAP_FIELDS(F)           \
	THREAD_CONTEXT_FIELDS(F) \
	HANDLE_FIELDS(F)         \
	OBJECT_MANAGER_FIELDS(F) \
	DIRECTORY_FIELDS(F)      \
	VAD_FIELDS(F)            \
	FILE_OBJECT_FIELDS(F)    \
	SECTION_FIELDS(F)        \
	FILE_CACHE_FIELDS(F)     \
	TOKEN_FIELDS(F)          \
	USER_FIELDS(F)           \
	DRIVER_FIELDS(F)         \
	CALLBACK_FIELDS(F)       \
	TIMER_FIELDS(F)          \
	BIG_POOL_FIELDS(F)       \
	POOL_TAG_FIELDS(F)       \
	SESSION_FIELDS(F)        \
	SOFT_PTE_FIELDS(F)       \
	PAGEFILE_FIELDS(F)       \
	CORE_FIELDS(F)

#endif
