/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_TABLES_TIMERS_H
#define WINDOWS_KERNEL_TABLES_TIMERS_H

#include "windows/kernel/kernel.h"

/*
 * Kernel timers (KTIMER) that are set: each processor has a table of lists. KTIMER.Dpc is encoded:
 * v ^= KiWaitNever; v = rol(v, KiWaitNever & 0xff); v ^= address of the timer; v = bswap(v);
 * v ^= KiWaitAlways (volatility3 symbols/windows/extensions/__init__.py, KTIMER.get_dpc).
 */
#define TIMER_FIELDS(F)                                                \
	F(TIMER, TABLE, "_KPRCB", "TimerTable.TimerEntries", OPTIONAL) \
	F(TIMER, ENTRY, "_KTIMER_TABLE_ENTRY", "Entry", OPTIONAL)      \
	F(TIMER, LINKS, "_KTIMER", "TimerListEntry", OPTIONAL)         \
	F(TIMER, HEADER_TYPE, "_KTIMER", "Header.Type", OPTIONAL)      \
	F(TIMER, DUE, "_KTIMER", "DueTime", OPTIONAL)                  \
	F(TIMER, PERIOD, "_KTIMER", "Period", OPTIONAL)                \
	F(TIMER, DPC, "_KTIMER", "Dpc", OPTIONAL)                      \
	F(TIMER, DPC_ROUTINE, "_KDPC", "DeferredRoutine", OPTIONAL)    \
	F(TIMER, DPC_CONTEXT, "_KDPC", "DeferredContext", OPTIONAL)
DECLARE_FIELDS(timer, TIMER_FIELDS);

enum { MAX_TIMERS_PER_LIST = 1 << 16, MAX_TIMER_LISTS = 4096 };

struct timer {
	uint64_t timer; /* KTIMER */
	unsigned cpu;
	const char *type;	   /* "notification", "synchronization"; NULL: neither, or absent */
	struct opt_u64 due;	   /* interrupt time, 100 ns since boot */
	struct opt_u64 due_time;   /* the same as FILETIME */
	struct opt_u64 period;	   /* ms; 0: once */
	struct opt_u64 stored_dpc; /* as it stands in the timer */
	struct opt_u64 dpc;	   /* decoded; absent: there is none, or it is not known */
	struct opt_u64 routine, context;
};

struct timer_list {
	struct timer *items;
	size_t count, capacity;
};

/*
 * The timers by processor, list, and place in the list. What cannot be read goes to the kernel's
 * diag as partial. KiWaitNever and KiWaitAlways are in no export: without symbols of exactly this
 * kernel the key is found from the timers themselves, or timers have no DPC.
 */
MUST_CHECK struct error *timers_read(struct kernel *k, struct timer_list *ret);
void timer_list_deinit(struct timer_list *list); /* a zeroed one is fine */

/* How KTIMER.Dpc is encoded: dpc = bswap(rol(stored, rotation) ^ address of the timer) ^ constant.
 */
struct timer_key {
	bool known;
	unsigned rotation; /* KiWaitNever & 63 */
	uint64_t constant; /* bswap(rol(KiWaitNever, rotation)) ^ KiWaitAlways */
};
struct timer_key timer_key_from(uint64_t wait_never, uint64_t wait_always);
uint64_t timer_decode_dpc(const struct timer_key *key, uint64_t stored, uint64_t timer);
/*
 * The key that makes sense of the timers: those without a DPC all decode to 0, so with the right
 * rotation they all show the constant. ret->known is false when fewer than MIN_KEY_TIMERS do, or
 * when others then decode to no address. NO_MEMORY only.
 */
enum { MIN_KEY_TIMERS = 4 };
MUST_CHECK struct error *timer_key_guess(const struct timer *timers, size_t count,
					 struct timer_key *ret);

#endif
