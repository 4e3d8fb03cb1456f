/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_TRIAGE_H
#define WINDOWS_TRIAGE_H

#include "windows/kernel/kernel.h"

/* A triage dump holds copies of a few structures without saying where they were. Their own
 * pointers tell: KPRCB.CurrentThread is the thread's address, ETHREAD names its process. */

#define TRIAGE_FIELDS(F)                                                        \
	F(TRIAGE, CURRENT_THREAD, "_KPRCB", "CurrentThread", OPTIONAL)          \
	F(TRIAGE, THREAD_PROCESS, "_KTHREAD", "Process", OPTIONAL)              \
	F(TRIAGE, THREAD_APC_PROCESS, "_KTHREAD", "ApcState.Process", OPTIONAL) \
	F(TRIAGE, THREAD_LINKS, "_ETHREAD", "ThreadListEntry", OPTIONAL)        \
	F(TRIAGE, PROCESS_TYPE, "_EPROCESS", "Pcb.Header.Type", OPTIONAL)
DECLARE_FIELDS(triage, TRIAGE_FIELDS);

/* Opens k->space over the dump's blocks and those structures; needs k->profile. */
MUST_CHECK struct error *triage_open_space(struct kernel *k);

#endif
