/* SPDX-License-Identifier: MIT */
#include "windows/kernel_tables/callback_kinds.h"

/* Arrays of notify routines have 64 slots in every 64-bit build since Windows 7: the symbols that
 * follow them in the kernels' PDBs are 0x200 bytes on. */
enum { NOTIFY_SLOTS = 64, PNP_CLASS_BUCKETS = 13 };

/* EX_CALLBACK_ROUTINE_BLOCK {RundownProtect, Function, Context} */
#define NOTIFY_BLOCK .shape = SHAPE_SLOTS, .count = NOTIFY_SLOTS, .function = 0x08, .context = 0x10
/* KBUGCHECK_REASON_CALLBACK_RECORD {Entry, CallbackRoutine, Component, Checksum, Reason, State} */
#define BUGCHECK_REASON                                                        \
	.shape = SHAPE_RINGS, .count = 1, .function = 0x10, .detail_at = 0x18, \
	.detail = DETAIL_REASON
/* SHUTDOWN_PACKET {Entry, DeviceObject} */
#define SHUTDOWN_PACKET .shape = SHAPE_RINGS, .count = 1, .object = 0x10, .detail = DETAIL_DEVICE
/* DRIVER_REINIT_ITEM {ItemEntry, DriverObject, ReinitRoutine, Context, ...} */
#define DRIVER_REINIT \
	.shape = SHAPE_RINGS, .count = 1, .object = 0x10, .function = 0x18, .context = 0x20
/* NOTIFY_ENTRY_HEADER {ListEntry, EventCategory, ..., CallbackRoutine, Context, DriverObject} */
#define PNP_NOTIFY .shape = SHAPE_RINGS, .function = 0x20, .context = 0x28, .object = 0x30

const struct callback_kind callback_kinds[] = {
	{ "PspCreateProcessNotifyRoutine", "create_process", NOTIFY_BLOCK },
	{ "PspCreateThreadNotifyRoutine", "create_thread", NOTIFY_BLOCK },
	{ "PspLoadImageNotifyRoutine", "load_image", NOTIFY_BLOCK },
	/* CM_CALLBACK_ENTRY {Link, PreCallListCount, Cookie, Context, Function, Altitude, ...} */
	{ "CallbackListHead", "registry", .shape = SHAPE_RINGS, .count = 1, .function = 0x28,
	  .context = 0x20, .detail_at = 0x30, .detail = DETAIL_ALTITUDE },
	{ "ObTypeIndexTable", "object_pre", .shape = SHAPE_OBJECT_TYPES },
	/* KBUGCHECK_CALLBACK_RECORD {Entry, CallbackRoutine, Buffer, Length, Component, ...} */
	{ "KeBugCheckCallbackListHead", "bugcheck", .shape = SHAPE_RINGS, .count = 1,
	  .function = 0x10, .context = 0x18, .detail_at = 0x28, .detail = DETAIL_COMPONENT },
	{ "KeBugCheckReasonCallbackListHead", "bugcheck_reason", BUGCHECK_REASON },
	{ "KeBugCheckAddPagesCallbackListHead", "bugcheck_reason", BUGCHECK_REASON },
	{ "KeBugCheckAddRemovePagesCallbackListHead", "bugcheck_reason", BUGCHECK_REASON },
	/* KNMI_HANDLER_CALLBACK {Next, Callback, Context, Handle} */
	{ "KiNmiCallbackListHead", "nmi", .shape = SHAPE_CHAIN, .function = 0x08, .context = 0x10 },
	{ "IopNotifyShutdownQueueHead", "shutdown", SHUTDOWN_PACKET },
	{ "IopNotifyLastChanceShutdownQueueHead", "last_chance_shutdown", SHUTDOWN_PACKET },
	/* NOTIFICATION_PACKET {ListEntry, DriverObject, NotificationRoutine} */
	{ "IopFsNotifyChangeQueueHead", "file_system_change", .shape = SHAPE_RINGS, .count = 1,
	  .object = 0x10, .function = 0x18 },
	{ "IopBootDriverReinitializeQueueHead", "boot_driver_reinitialize", DRIVER_REINIT },
	{ "IopDriverReinitializeQueueHead", "driver_reinitialize", DRIVER_REINIT },
	/* SEP_LOGON_SESSION_TERMINATED_NOTIFICATION {Next, CallbackRoutine}; -Ex: and Context */
	{ "SeFileSystemNotifyRoutinesHead", "logon_session_end", .shape = SHAPE_CHAIN,
	  .function = 0x08 },
	{ "SeFileSystemNotifyRoutinesExHead", "logon_session_end", .shape = SHAPE_CHAIN,
	  .function = 0x08, .context = 0x10 },
	{ "PnpDeviceClassNotifyList", "device_interface", PNP_NOTIFY, .count = PNP_CLASS_BUCKETS },
	{ "PnpProfileNotifyList", "hardware_profile", PNP_NOTIFY, .count = 1 },
	{ "PnpKsrNotifyList", "kernel_soft_restart", PNP_NOTIFY, .count = 1 },
	/* CALLBACK_REGISTRATION {Link, CallbackObject, CallbackFunction, CallbackContext, ...} */
	{ "ExpCallbackListHead", "callback_object", .shape = SHAPE_CALLBACK_OBJECTS, .count = 1,
	  .object = 0x10, .function = 0x18, .context = 0x20 },
	/* DBGPRINT_CALLBACK {Link, Function} */
	{ "RtlpDebugPrintCallbackList", "debug_print", .shape = SHAPE_RINGS, .count = 1,
	  .function = 0x10 },
};
const size_t num_callback_kinds = ARRAY_SIZE(callback_kinds);
const char callback_type_object_post[] = "object_post";

const char *callback_reason_name(uint32_t reason)
{
	static const char *const names[] = {
		[1] = "reserved",
		[2] = "secondary_dump_data",
		[3] = "dump_io",
		[4] = "add_pages",
		[5] = "secondary_multipart_dump_data",
		[6] = "remove_pages",
		[7] = "triage_dump_data",
		[8] = "reserved_2",
	};

	return reason < ARRAY_SIZE(names) ? names[reason] : NULL;
}
