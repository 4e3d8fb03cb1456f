/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FIELDS_CORE_H
#define WINDOWS_FIELDS_CORE_H

#include "windows/profile.h"

/*
 * Structures of the kernel that the built-in table answers for beyond what modules bind today, as
 * the public PDBs of ntoskrnl name them: one row per structure, all its fields in the row's list
 * of names. A module that starts to use one of them declares rows of its own beside itself and
 * finds the table ready.
 */
#define CORE_FIELDS(F)                                                                            \
	F(CORE, EPROCESS, "_EPROCESS",                                                            \
	  "Pcb.DirectoryTableBase|Pcb.UserDirectoryTableBase|Pcb.Header.Type|"                    \
	  "Pcb.ThreadListHead|UniqueProcessId|ActiveProcessLinks|"                                \
	  "InheritedFromUniqueProcessId|ImageFileName|CreateTime|ExitTime|"                       \
	  "ActiveThreads|ThreadListHead|ObjectTable|Session|WoW64Process|"                        \
	  "Wow64Process|Peb|SeAuditProcessCreationInfo.ImageFileName|ExitStatus|"                 \
	  "VadRoot|Token|SectionBaseAddress|SectionObject|Flags|Flags2|Flags3|"                   \
	  "SessionProcessLinks|MmProcessLinks|Job|Protection|ImageFilePointer|"                   \
	  "CommitCharge|VirtualSize|PeakVirtualSize|VadCount|Cookie",                             \
	  OPTIONAL)                                                                               \
	F(CORE, KPROCESS, "_KPROCESS",                                                            \
	  "DirectoryTableBase|UserDirectoryTableBase|ThreadListHead|KernelTime|"                  \
	  "UserTime|BasePriority",                                                                \
	  OPTIONAL)                                                                               \
	F(CORE, ETHREAD, "_ETHREAD",                                                              \
	  "Cid.UniqueThread|Cid.UniqueProcess|ThreadListEntry|StartAddress|"                      \
	  "Win32StartAddress|CreateTime|ExitTime|ExitStatus|CrossThreadFlags|"                    \
	  "ClientSecurity|ClientSecurity.ImpersonationToken|ThreadName|IrpList",                  \
	  OPTIONAL)                                                                               \
	F(CORE, KTHREAD, "_KTHREAD",                                                              \
	  "Header.Type|Process|ApcState.Process|Teb|ThreadListEntry|State|"                       \
	  "WaitReason|WaitMode|WaitIrql|WaitTime|WaitBlockList|PreviousMode|"                     \
	  "Priority|BasePriority|ContextSwitches|KernelTime|UserTime|InitialStack|"               \
	  "StackLimit|StackBase|KernelStack|TrapFrame|Win32Thread|NextProcessor|"                 \
	  "SystemCallNumber|FirstArgument|KernelStackResident",                                   \
	  OPTIONAL)                                                                               \
	F(CORE, EWOW64PROCESS, "_EWOW64PROCESS", "Peb|Machine", OPTIONAL)                         \
	F(CORE, EJOB, "_EJOB", "JobLinks|JobId|SessionId|ActiveProcesses", OPTIONAL)              \
	F(CORE, PS_PROTECTION, "_PS_PROTECTION", "Level|Type|Signer", OPTIONAL)                   \
	F(CORE, PEB, "_PEB",                                                                      \
	  "Ldr|ProcessParameters|ImageBaseAddress|BeingDebugged|SessionId|"                       \
	  "NumberOfHeaps|ProcessHeaps",                                                           \
	  OPTIONAL)                                                                               \
	F(CORE, PEB32, "_PEB32", "Ldr|ProcessParameters|ImageBaseAddress", OPTIONAL)              \
	F(CORE, TEB, "_TEB",                                                                      \
	  "NtTib.ExceptionList|NtTib.StackBase|NtTib.StackLimit|"                                 \
	  "ProcessEnvironmentBlock|LastErrorValue|TlsSlots|WowTebOffset",                         \
	  OPTIONAL)                                                                               \
	F(CORE, PARAMETERS, "_RTL_USER_PROCESS_PARAMETERS",                                       \
	  "ImagePathName|CommandLine|Environment|EnvironmentSize|"                                \
	  "CurrentDirectory.DosPath|WindowTitle|DllPath",                                         \
	  OPTIONAL)                                                                               \
	F(CORE, PEB_LDR, "_PEB_LDR_DATA",                                                         \
	  "InLoadOrderModuleList|InMemoryOrderModuleList|"                                        \
	  "InInitializationOrderModuleList",                                                      \
	  OPTIONAL)                                                                               \
	F(CORE, KLDR, "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY",                             \
	  "InLoadOrderLinks|DllBase|EntryPoint|SizeOfImage|FullDllName|BaseDllName|"              \
	  "TimeDateStamp|CheckSum|Flags|LoadCount",                                               \
	  OPTIONAL)                                                                               \
	F(CORE, LDR, "_LDR_DATA_TABLE_ENTRY",                                                     \
	  "InLoadOrderLinks|InMemoryOrderLinks|InInitializationOrderLinks|DllBase|"               \
	  "EntryPoint|SizeOfImage|FullDllName|BaseDllName|TimeDateStamp|CheckSum|"                \
	  "Flags|ObsoleteLoadCount|LoadCount|LoadTime|LoadReason|DdagNode",                       \
	  OPTIONAL)                                                                               \
	F(CORE, LDR_DDAG, "_LDR_DDAG_NODE", "LoadCount", OPTIONAL)                                \
	F(CORE, INVERTED_TABLE, "_INVERTED_FUNCTION_TABLE", "CurrentSize|TableEntry", OPTIONAL)   \
	F(CORE, INVERTED_ENTRY, "_INVERTED_FUNCTION_TABLE_ENTRY",                                 \
	  "FunctionTable|ImageBase|SizeOfImage|SizeOfTable", OPTIONAL)                            \
	F(CORE, KPCR, "_KPCR",                                                                    \
	  "Self|CurrentPrcb|Prcb|KdVersionBlock|GdtBase|IdtBase|TssBase|UserRsp", OPTIONAL)       \
	F(CORE, KPRCB, "_KPRCB",                                                                  \
	  "CurrentThread|NextThread|IdleThread|Number|ProcessorState.ContextFrame|"               \
	  "ProcessorState.SpecialRegisters|Context|RspBase|RspBaseShadow|"                        \
	  "UserRspShadow|KernelDirectoryTableBase|MHz|VendorString|DpcStack|"                     \
	  "TimerTable.TimerEntries",                                                              \
	  OPTIONAL)                                                                               \
	F(CORE, KSPECIAL, "_KSPECIAL_REGISTERS",                                                  \
	  "Cr0|Cr2|Cr3|Cr4|Cr8|KernelDr0|KernelDr1|KernelDr2|KernelDr3|KernelDr6|"                \
	  "KernelDr7|Gdtr|Idtr|Tr|Ldtr|MxCsr|DebugControl|MsrGsBase|MsrGsSwap|"                   \
	  "MsrStar|MsrLStar|MsrCStar|MsrSyscallMask|Xcr0|MsrFsBase",                              \
	  OPTIONAL)                                                                               \
	F(CORE, KDESCRIPTOR, "_KDESCRIPTOR", "Limit|Base", OPTIONAL)                              \
	F(CORE, CONTEXT, "_CONTEXT",                                                              \
	  "ContextFlags|MxCsr|SegCs|SegDs|SegEs|SegFs|SegGs|SegSs|EFlags|Dr0|Dr1|"                \
	  "Dr2|Dr3|Dr6|Dr7|Rax|Rcx|Rdx|Rbx|Rsp|Rbp|Rsi|Rdi|R8|R9|R10|R11|R12|R13|"                \
	  "R14|R15|Rip|FltSave",                                                                  \
	  OPTIONAL)                                                                               \
	F(CORE, KTRAP_FRAME, "_KTRAP_FRAME",                                                      \
	  "PreviousMode|ExceptionActive|FaultAddress|ErrorCode|Rax|Rcx|Rdx|Rbx|Rbp|"              \
	  "Rsi|Rdi|R8|R9|R10|R11|Rip|Rsp|SegCs|SegSs|EFlags",                                     \
	  OPTIONAL)                                                                               \
	F(CORE, EXCEPTION_RECORD, "_EXCEPTION_RECORD",                                            \
	  "ExceptionCode|ExceptionFlags|ExceptionRecord|ExceptionAddress|"                        \
	  "NumberParameters|ExceptionInformation",                                                \
	  OPTIONAL)                                                                               \
	F(CORE, KIDTENTRY, "_KIDTENTRY64", "OffsetLow|OffsetMiddle|OffsetHigh", OPTIONAL)         \
	F(CORE, KTIMER_TABLE_ENTRY, "_KTIMER_TABLE_ENTRY", "Entry", OPTIONAL)                     \
	F(CORE, KTIMER, "_KTIMER", "TimerListEntry|DueTime|Dpc|Period", OPTIONAL)                 \
	F(CORE, KDPC, "_KDPC", "DeferredRoutine|DeferredContext", OPTIONAL)                       \
	F(CORE, LIST, "_LIST_ENTRY", "Flink|Blink", OPTIONAL)                                     \
	F(CORE, USER_SHARED, "_KUSER_SHARED_DATA",                                                \
	  "SystemTime|InterruptTime|TimeZoneBias|NtBuildNumber|NtMajorVersion|"                   \
	  "NtMinorVersion|NtProductType|NtSystemRoot|TickCountQuad|BootId|"                       \
	  "NumberOfPhysicalPages|KdDebuggerEnabled|NativeProcessorArchitecture",                  \
	  OPTIONAL)                                                                               \
	F(CORE, KSYSTEM_TIME, "_KSYSTEM_TIME", "LowPart|High1Time", OPTIONAL)                     \
	F(CORE, UNICODE_STRING, "_UNICODE_STRING", "Length|MaximumLength|Buffer", OPTIONAL)       \
	F(CORE, DISPATCHER, "_DISPATCHER_HEADER", "Type|Size|SignalState|WaitListHead", OPTIONAL) \
	F(CORE, KWAIT_BLOCK, "_KWAIT_BLOCK",                                                      \
	  "WaitListEntry|NextWaitBlock|Thread|Object|WaitKey|WaitType", OPTIONAL)                 \
	F(CORE, KMUTANT, "_KMUTANT", "OwnerThread|Abandoned", OPTIONAL)                           \
	F(CORE, KD_VERSION, "_DBGKD_GET_VERSION64",                                               \
	  "MinorVersion|KernBase|PsLoadedModuleList|DebuggerDataList", OPTIONAL)                  \
	F(CORE, OBJECT_HEADER, "_OBJECT_HEADER",                                                  \
	  "Body|TypeIndex|InfoMask|PointerCount|HandleCount|Flags|"                               \
	  "SecurityDescriptor",                                                                   \
	  OPTIONAL)                                                                               \
	F(CORE, OBJECT_NAME_INFORMATION, "_OBJECT_NAME_INFORMATION", "Name", OPTIONAL)            \
	F(CORE, OBJECT_NAME, "_OBJECT_HEADER_NAME_INFO", "Directory|Name", OPTIONAL)              \
	F(CORE, OBJECT_TYPE, "_OBJECT_TYPE",                                                      \
	  "TypeList|Name|Index|Key|TotalNumberOfObjects|TotalNumberOfHandles", OPTIONAL)          \
	F(CORE, OBJECT_DIRECTORY, "_OBJECT_DIRECTORY", "HashBuckets", OPTIONAL)                   \
	F(CORE, OBJECT_DIRECTORY_ENTRY, "_OBJECT_DIRECTORY_ENTRY", "ChainLink|Object|HashValue",  \
	  OPTIONAL)                                                                               \
	F(CORE, OBJECT_LINK, "_OBJECT_SYMBOLIC_LINK", "LinkTarget|CreationTime", OPTIONAL)        \
	F(CORE, HANDLE_TABLE, "_HANDLE_TABLE",                                                    \
	  "HandleCount|FreeLists.HandleCount|FreeLists|TableCode|QuotaProcess|"                   \
	  "HandleTableList|UniqueProcessId|NextHandleNeedingPool",                                \
	  OPTIONAL)                                                                               \
	F(CORE, HANDLE_FREE_LIST, "_HANDLE_TABLE_FREE_LIST", "HandleCount", OPTIONAL)             \
	F(CORE, HANDLE_ENTRY, "_HANDLE_TABLE_ENTRY",                                              \
	  "Object|ObjectPointerBits|VolatileLowValue|Value|Attributes|ObAttributes|"              \
	  "GrantedAccessBits|GrantedAccess|NextFreeHandleEntry|NextFreeTableEntry",               \
	  OPTIONAL)                                                                               \
	F(CORE, DRIVER, "_DRIVER_OBJECT",                                                         \
	  "DeviceObject|Flags|DriverStart|DriverSize|DriverSection|DriverExtension|"              \
	  "DriverName|FastIoDispatch|DriverInit|DriverStartIo|DriverUnload|"                      \
	  "MajorFunction",                                                                        \
	  OPTIONAL)                                                                               \
	F(CORE, DRIVER_EXTENSION, "_DRIVER_EXTENSION", "AddDevice|ServiceKeyName", OPTIONAL)      \
	F(CORE, DEVICE, "_DEVICE_OBJECT",                                                         \
	  "DriverObject|NextDevice|AttachedDevice|DeviceType|DeviceObjectExtension|"              \
	  "Vpb|Flags",                                                                            \
	  OPTIONAL)                                                                               \
	F(CORE, DEVICE_EXTENSION, "_DEVOBJ_EXTENSION", "AttachedTo|DeviceNode", OPTIONAL)         \
	F(CORE, DEVICE_NODE, "_DEVICE_NODE",                                                      \
	  "Parent|Child|Sibling|PhysicalDeviceObject|InstancePath|ServiceName", OPTIONAL)         \
	F(CORE, VPB, "_VPB", "DeviceObject|RealDevice|VolumeLabel", OPTIONAL)                     \
	F(CORE, FILE, "_FILE_OBJECT",                                                             \
	  "DeviceObject|Vpb|RelatedFileObject|SectionObjectPointer|FsContext|"                    \
	  "FileName|ReadAccess|WriteAccess|DeleteAccess|SharedRead|SharedWrite|"                  \
	  "SharedDelete|Flags",                                                                   \
	  OPTIONAL)                                                                               \
	F(CORE, IRP, "_IRP",                                                                      \
	  "ThreadListEntry|StackCount|Tail.Overlay.CurrentStackLocation|"                         \
	  "Tail.Overlay.Thread",                                                                  \
	  OPTIONAL)                                                                               \
	F(CORE, ALPC_PORT, "_ALPC_PORT", "CommunicationInfo|OwnerProcess", OPTIONAL)              \
	F(CORE, ALPC_COMMUNICATION, "_ALPC_COMMUNICATION_INFO",                                   \
	  "ConnectionPort|ServerCommunicationPort|ClientCommunicationPort", OPTIONAL)             \
	F(CORE, TOKEN, "_TOKEN",                                                                  \
	  "TokenSource|TokenId|AuthenticationId|ExpirationTime|Privileges|"                       \
	  "SessionId|UserAndGroupCount|UserAndGroups|PrimaryGroup|"                               \
	  "RestrictedSidCount|RestrictedSids|TokenType|ImpersonationLevel|"                       \
	  "TokenFlags|IntegrityLevelIndex|DefaultOwnerIndex|LogonSession|"                        \
	  "CapabilityCount|Capabilities|Package",                                                 \
	  OPTIONAL)                                                                               \
	F(CORE, TOKEN_PRIVILEGES, "_SEP_TOKEN_PRIVILEGES", "Present|Enabled|EnabledByDefault",    \
	  OPTIONAL)                                                                               \
	F(CORE, SID_AND_ATTRIBUTES, "_SID_AND_ATTRIBUTES", "Sid|Attributes", OPTIONAL)            \
	F(CORE, SID, "_SID", "Revision|SubAuthorityCount|IdentifierAuthority|SubAuthority",       \
	  OPTIONAL)                                                                               \
	F(CORE, LOGON_SESSION, "_SEP_LOGON_SESSION_REFERENCES",                                   \
	  "LogonId|AccountName|AuthorityName", OPTIONAL)                                          \
	F(CORE, SESSION, "_MM_SESSION_SPACE", "SessionId|ProcessList", OPTIONAL)                  \
	F(CORE, MI_SYSTEM, "_MI_SYSTEM_INFORMATION", "Hardware.InvalidPteMask", OPTIONAL)         \
	F(CORE, VAD, "_MMVAD_SHORT|_MMVAD",                                                       \
	  "VadNode|Parent|u1.Parent|LeftChild|RightChild|StartingVpn|EndingVpn|"                  \
	  "StartingVpnHigh|EndingVpnHigh|u.VadFlags|u1.VadFlags1|"                                \
	  "u.VadFlags.Protection|u.VadFlags.VadType|u.VadFlags.PrivateMemory|"                    \
	  "u.VadFlags.NoChange|u.VadFlags.CommitCharge|u1.VadFlags1.CommitCharge|"                \
	  "u.VadFlags.MemCommit|u1.VadFlags1.MemCommit|CommitChargeHigh",                         \
	  OPTIONAL)                                                                               \
	F(CORE, VAD_LONG, "_MMVAD",                                                               \
	  "Core|u2.VadFlags2|Subsection|FirstPrototypePte|LastContiguousPte", OPTIONAL)           \
	F(CORE, TREE, "_RTL_AVL_TREE", "Root", OPTIONAL)                                          \
	F(CORE, AVL_TABLE, "_MM_AVL_TABLE", "BalancedRoot|NumberGenericTableElements", OPTIONAL)  \
	F(CORE, TREE_NODE, "_RTL_BALANCED_NODE", "Left|Right|ParentValue", OPTIONAL)              \
	F(CORE, SECTION, "_SECTION|_SECTION_OBJECT",                                              \
	  "u1.ControlArea|Segment|u1.FileObject|SizeOfSection", OPTIONAL)                         \
	F(CORE, SECTION_POINTERS, "_SECTION_OBJECT_POINTERS",                                     \
	  "DataSectionObject|SharedCacheMap|ImageSectionObject", OPTIONAL)                        \
	F(CORE, CONTROL_AREA, "_CONTROL_AREA",                                                    \
	  "Segment|NumberOfSectionReferences|NumberOfMappedViews|u.Flags.Image|"                  \
	  "u.Flags.File|FilePointer",                                                             \
	  OPTIONAL)                                                                               \
	F(CORE, SEGMENT, "_SEGMENT",                                                              \
	  "ControlArea|TotalNumberOfPtes|SizeOfSegment|BasedAddress|PrototypePte", OPTIONAL)      \
	F(CORE, SUBSECTION, "_SUBSECTION",                                                        \
	  "ControlArea|SubsectionBase|NextSubsection|PtesInSubsection|"                           \
	  "StartingSector|NumberOfFullSectors|u.SubsectionFlags|UnusedPtes",                      \
	  OPTIONAL)                                                                               \
	F(CORE, SHARED_CACHE, "_SHARED_CACHE_MAP",                                                \
	  "FileSize|SectionSize|ValidDataLength|InitialVacbs|Vacbs", OPTIONAL)                    \
	F(CORE, VACB, "_VACB", "BaseAddress|SharedCacheMap|Overlay.FileOffset", OPTIONAL)         \
	F(CORE, PTE_SOFTWARE, "_MMPTE_SOFTWARE",                                                  \
	  "Valid|PageFileLow|PageFileHigh|Protection|Prototype|Transition|"                       \
	  "SwizzleBit",                                                                           \
	  OPTIONAL)                                                                               \
	F(CORE, PTE_TRANSITION, "_MMPTE_TRANSITION", "PageFrameNumber|Protection", OPTIONAL)      \
	F(CORE, PTE_PROTOTYPE, "_MMPTE_PROTOTYPE", "ProtoAddress|ReadOnly", OPTIONAL)             \
	F(CORE, PFN, "_MMPFN",                                                                    \
	  "PteAddress|OriginalPte|u4.PteFrame|u3.e1.PageLocation|u4.PrototypePte", OPTIONAL)      \
	F(CORE, PAGING_FILE, "_MMPAGING_FILE", "Size|File|PageFileName|PageFileNumber", OPTIONAL) \
	F(CORE, PHYSICAL_MEMORY, "_PHYSICAL_MEMORY_DESCRIPTOR", "NumberOfRuns|NumberOfPages|Run", \
	  OPTIONAL)                                                                               \
	F(CORE, POOL_HEADER, "_POOL_HEADER", "PreviousSize|PoolIndex|BlockSize|PoolType|PoolTag", \
	  OPTIONAL)                                                                               \
	F(CORE, BIG_PAGE, "_POOL_TRACKER_BIG_PAGES", "Va|Key|PoolType|NumberOfBytes", OPTIONAL)   \
	F(CORE, CMHIVE, "_CMHIVE", "Hive|HiveList|FileFullPath|FileUserName|HiveRootPath|Flags",  \
	  OPTIONAL)                                                                               \
	F(CORE, HHIVE, "_HHIVE",                                                                  \
	  "Signature|BaseBlock|HiveFlags|Storage|Storage.Length|Storage.Map|Flat", OPTIONAL)      \
	F(CORE, DUAL, "_DUAL", "Length|Map|SmallDir", OPTIONAL)                                   \
	F(CORE, HMAP_DIRECTORY, "_HMAP_DIRECTORY", "Directory", OPTIONAL)                         \
	F(CORE, HMAP_TABLE, "_HMAP_TABLE", "Table", OPTIONAL)                                     \
	F(CORE, HMAP_ENTRY, "_HMAP_ENTRY",                                                        \
	  "BlockAddress|BinAddress|PermanentBinAddress|BlockOffset|MemAlloc", OPTIONAL)           \
	F(CORE, BASE_BLOCK, "_HBASE_BLOCK",                                                       \
	  "Signature|Sequence1|Sequence2|TimeStamp|RootCell|Length|FileName", OPTIONAL)           \
	F(CORE, HBIN, "_HBIN", "Signature|FileOffset|Size", OPTIONAL)                             \
	F(CORE, KCB, "_CM_KEY_CONTROL_BLOCK",                                                     \
	  "RefCount|ParentKcb|NameBlock|KeyHive|KeyCell|KcbLastWriteTime", OPTIONAL)              \
	F(CORE, KCB_NAME, "_CM_NAME_CONTROL_BLOCK", "Compressed|NameLength|Name", OPTIONAL)       \
	F(CORE, KEY_BODY, "_CM_KEY_BODY", "KeyControlBlock|ProcessID", OPTIONAL)                  \
	F(CORE, KEY_NODE, "_CM_KEY_NODE",                                                         \
	  "Signature|Flags|LastWriteTime|Parent|SubKeyCounts|SubKeyLists|"                        \
	  "ValueList.Count|ValueList.List|Security|Class|NameLength|ClassLength|"                 \
	  "Name",                                                                                 \
	  OPTIONAL)                                                                               \
	F(CORE, KEY_VALUE, "_CM_KEY_VALUE",                                                       \
	  "Signature|NameLength|DataLength|Data|Type|Flags|Name", OPTIONAL)                       \
	F(CORE, SILO_GLOBALS, "_ESERVERSILO_GLOBALS", "ObSiloState.SystemDeviceMap", OPTIONAL)    \
	F(CORE, DEVICE_MAP, "_DEVICE_MAP", "DosDevicesDirectory", OPTIONAL)

#endif
