/* SPDX-License-Identifier: MIT */
#include "windows/thread/thread.h"

/* KTHREAD_STATE, wdm.h and the public symbols. */
static const char *const states[] = {
	"initialized",
	"ready",
	"running",
	"standby",
	"terminated",
	"waiting",
	"transition",
	"deferred_ready",
	"gate_wait_obsolete",
	"waiting_for_process_in_swap",
};

/* KWAIT_REASON, wdm.h. */
static const char *const wait_reasons[] = {
	"executive",
	"free_page",
	"page_in",
	"pool_allocation",
	"delay_execution",
	"suspended",
	"user_request",
	"wr_executive",
	"wr_free_page",
	"wr_page_in",
	"wr_pool_allocation",
	"wr_delay_execution",
	"wr_suspended",
	"wr_user_request",
	"wr_event_pair",
	"wr_queue",
	"wr_lpc_receive",
	"wr_lpc_reply",
	"wr_virtual_memory",
	"wr_page_out",
	"wr_rendezvous",
	"wr_keyed_event",
	"wr_terminated",
	"wr_process_in_swap",
	"wr_cpu_rate_control",
	"wr_callout_stack",
	"wr_kernel",
	"wr_resource",
	"wr_push_lock",
	"wr_mutex",
	"wr_quantum_end",
	"wr_dispatch_int",
	"wr_preempted",
	"wr_yield_execution",
	"wr_fast_mutex",
	"wr_guarded_mutex",
	"wr_rundown",
	"wr_alert_by_thread_id",
	"wr_deferred_preempt",
	"wr_physical_fault",
	"wr_io_ring",
	"wr_mdl_cache",
	"wr_rcu",
};

const char *thread_state_name(uint64_t state)
{
	return state < ARRAY_SIZE(states) ? states[state] : NULL;
}

const char *thread_wait_reason_name(uint64_t reason)
{
	return reason < ARRAY_SIZE(wait_reasons) ? wait_reasons[reason] : NULL;
}
