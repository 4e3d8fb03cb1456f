/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FIELDS_OBJECT_H
#define WINDOWS_FIELDS_OBJECT_H

/* Objects and their headers, handles, drivers, devices, files, ports, tokens, tracing.
 * A part of CORE_FIELDS (windows/symbols/fields_core.h). */
#define CORE_OBJECT_FIELDS(F)                                                                      \
	F(CORE, OBJECT_HEADER, "_OBJECT_HEADER",                                                   \
	  "Body|TypeIndex|InfoMask|PointerCount|HandleCount|Flags|"                                \
	  "SecurityDescriptor|NextToFree|Lock|TraceFlags|NewObject|"                               \
	  "KernelObject|KernelOnlyAccess|ExclusiveObject|PermanentObject|"                         \
	  "DefaultSecurityQuota|SingleHandleEntry|DeletedInline|"                                  \
	  "ObjectCreateInfo|QuotaBlockCharged",                                                    \
	  OPTIONAL)                                                                                \
	F(CORE, OBJECT_NAME_INFORMATION, "_OBJECT_NAME_INFORMATION", "Name", OPTIONAL)             \
	F(CORE, OBJECT_NAME, "_OBJECT_HEADER_NAME_INFO", "Directory|Name|ReferenceCount",          \
	  OPTIONAL)                                                                                \
	F(CORE, OBJECT_TYPE, "_OBJECT_TYPE",                                                       \
	  "TypeList|Name|Index|Key|TotalNumberOfObjects|TotalNumberOfHandles|"                     \
	  "DefaultObject|HighWaterNumberOfObjects|HighWaterNumberOfHandles|"                       \
	  "TypeInfo|TypeLock|CallbackList|TypeInfo.Length|"                                        \
	  "TypeInfo.ObjectTypeFlags|TypeInfo.ObjectTypeCode|"                                      \
	  "TypeInfo.InvalidAttributes|TypeInfo.GenericMapping|"                                    \
	  "TypeInfo.ValidAccessMask|TypeInfo.RetainAccess|TypeInfo.PoolType|"                      \
	  "TypeInfo.DefaultPagedPoolCharge|TypeInfo.DefaultNonPagedPoolCharge|"                    \
	  "TypeInfo.DumpProcedure|TypeInfo.OpenProcedure|"                                         \
	  "TypeInfo.CloseProcedure|TypeInfo.DeleteProcedure|"                                      \
	  "TypeInfo.ParseProcedure|TypeInfo.SecurityProcedure|"                                    \
	  "TypeInfo.QueryNameProcedure|TypeInfo.OkayToCloseProcedure|"                             \
	  "TypeInfo.MaintainHandleCount|TypeInfo.UseDefaultObject|"                                \
	  "TypeInfo.MaintainTypeList|TypeInfo.SupportsObjectCallbacks",                            \
	  OPTIONAL)                                                                                \
	F(CORE, OBJECT_DIRECTORY, "_OBJECT_DIRECTORY",                                             \
	  "HashBuckets|Lock|DeviceMap|ShadowDirectory|SessionId|NamespaceEntry|"                   \
	  "Flags|SessionObject",                                                                   \
	  OPTIONAL)                                                                                \
	F(CORE, OBJECT_DIRECTORY_ENTRY, "_OBJECT_DIRECTORY_ENTRY", "ChainLink|Object|HashValue",   \
	  OPTIONAL)                                                                                \
	F(CORE, OBJECT_LINK, "_OBJECT_SYMBOLIC_LINK",                                              \
	  "LinkTarget|CreationTime|DosDeviceDriveIndex|Flags|AccessMask|"                          \
	  "Callback|CallbackContext",                                                              \
	  OPTIONAL)                                                                                \
	F(CORE, HANDLE_TABLE, "_HANDLE_TABLE",                                                     \
	  "HandleCount|FreeLists.HandleCount|FreeLists|TableCode|QuotaProcess|"                    \
	  "HandleTableList|UniqueProcessId|NextHandleNeedingPool|Flags|"                           \
	  "StrictFIFO|HandleTableLock|ExtraInfoPages|HandleContentionEvent|"                       \
	  "DebugInfo|FirstFreeHandle|LastFreeHandleEntry|"                                         \
	  "HandleCountHighWatermark",                                                              \
	  OPTIONAL)                                                                                \
	F(CORE, HANDLE_FREE_LIST, "_HANDLE_TABLE_FREE_LIST",                                       \
	  "HandleCount|FreeListLock|FirstFreeHandleEntry|LastFreeHandleEntry|"                     \
	  "HighWaterMark",                                                                         \
	  OPTIONAL)                                                                                \
	F(CORE, HANDLE_ENTRY, "_HANDLE_TABLE_ENTRY",                                               \
	  "Object|ObjectPointerBits|VolatileLowValue|Value|Attributes|"                            \
	  "ObAttributes|GrantedAccessBits|GrantedAccess|NextFreeHandleEntry|"                      \
	  "NextFreeTableEntry|LowValue|HighValue|InfoTable|LeafHandleValue|"                       \
	  "RefCountField|Unlocked|RefCnt|NoRightsUpgrade|GrantedAccessIndex|"                      \
	  "Spare1",                                                                                \
	  OPTIONAL)                                                                                \
	F(CORE, DRIVER, "_DRIVER_OBJECT",                                                          \
	  "DeviceObject|Flags|DriverStart|DriverSize|DriverSection|"                               \
	  "DriverExtension|DriverName|FastIoDispatch|DriverInit|DriverStartIo|"                    \
	  "DriverUnload|MajorFunction|Type|Size|HardwareDatabase",                                 \
	  OPTIONAL)                                                                                \
	F(CORE, DRIVER_EXTENSION, "_DRIVER_EXTENSION",                                             \
	  "AddDevice|ServiceKeyName|DriverObject|Count|ClientDriverExtension|"                     \
	  "FsFilterCallbacks",                                                                     \
	  OPTIONAL)                                                                                \
	F(CORE, DEVICE, "_DEVICE_OBJECT",                                                          \
	  "DriverObject|NextDevice|AttachedDevice|DeviceType|"                                     \
	  "DeviceObjectExtension|Vpb|Flags|Type|Size|ReferenceCount|CurrentIrp|"                   \
	  "Timer|Characteristics|DeviceExtension|StackSize|Queue|"                                 \
	  "AlignmentRequirement|SecurityDescriptor|SectorSize|"                                    \
	  "ActiveThreadCount",                                                                     \
	  OPTIONAL)                                                                                \
	F(CORE, DEVICE_EXTENSION, "_DEVOBJ_EXTENSION",                                             \
	  "AttachedTo|DeviceNode|DeviceObject|PowerFlags|ExtensionFlags|"                          \
	  "StartIoCount|DependencyNode|Dope",                                                      \
	  OPTIONAL)                                                                                \
	F(CORE, DEVICE_NODE, "_DEVICE_NODE",                                                       \
	  "Parent|Child|Sibling|PhysicalDeviceObject|InstancePath|ServiceName|"                    \
	  "LastChild|DuplicatePDO|Level|State|PreviousState|Flags|UserFlags|"                      \
	  "Problem|ResourceList|ChildInterfaceType|InterfaceType|BusNumber|"                       \
	  "BootResources|PendingIrp|CompletionStatus|ProblemStatus",                               \
	  OPTIONAL)                                                                                \
	F(CORE, VPB, "_VPB",                                                                       \
	  "DeviceObject|RealDevice|VolumeLabel|Type|Size|Flags|"                                   \
	  "VolumeLabelLength|SerialNumber|ReferenceCount",                                         \
	  OPTIONAL)                                                                                \
	F(CORE, FILE, "_FILE_OBJECT",                                                              \
	  "DeviceObject|Vpb|RelatedFileObject|SectionObjectPointer|FsContext|"                     \
	  "FileName|ReadAccess|WriteAccess|DeleteAccess|SharedRead|SharedWrite|"                   \
	  "SharedDelete|Flags|Type|Size|PrivateCacheMap|FinalStatus|"                              \
	  "LockOperation|DeletePending|FsContext2|CurrentByteOffset|Waiters|"                      \
	  "Busy|LastLock|Lock|Event|CompletionContext|IrpList|"                                    \
	  "FileObjectExtension",                                                                   \
	  OPTIONAL)                                                                                \
	F(CORE, IRP, "_IRP",                                                                       \
	  "ThreadListEntry|StackCount|Tail.Overlay.CurrentStackLocation|"                          \
	  "Tail.Overlay.Thread|Type|Size|MdlAddress|Flags|"                                        \
	  "AssociatedIrp.MasterIrp|AssociatedIrp.SystemBuffer|IoStatus|"                           \
	  "IoStatus.Status|IoStatus.Information|RequestorMode|PendingReturned|"                    \
	  "CurrentLocation|Cancel|CancelIrql|CancelRoutine|UserBuffer|UserIosb|"                   \
	  "UserEvent|Tail.Overlay.ListEntry|Tail.Overlay.OriginalFileObject|"                      \
	  "Tail.Overlay.DriverContext|Tail.Overlay.AuxiliaryBuffer|"                               \
	  "ApcEnvironment|AllocationFlags",                                                        \
	  OPTIONAL)                                                                                \
	F(CORE, ALPC_PORT, "_ALPC_PORT",                                                           \
	  "CommunicationInfo|OwnerProcess|PortListEntry|PortContext|"                              \
	  "PortAttributes|MainQueue|LargeMessageQueue|PendingQueue|"                               \
	  "CanceledQueue|WaitQueue|CompletionPort|CompletionKey|CompletionList|"                   \
	  "MessageZone|CallbackObject|CallbackContext|SequenceNo|"                                 \
	  "StaticSecurity|PortObjectLock|u1.State|u1.s1.Type|u1.s1.Closed|"                        \
	  "u1.s1.Disconnected|u1.s1.ConnectionPending|MainQueueLength|"                            \
	  "LargeMessageQueueLength|PendingQueueLength|CanceledQueueLength|"                        \
	  "WaitQueueLength|TargetQueuePort",                                                       \
	  OPTIONAL)                                                                                \
	F(CORE, ALPC_COMMUNICATION, "_ALPC_COMMUNICATION_INFO",                                    \
	  "ConnectionPort|ServerCommunicationPort|ClientCommunicationPort|"                        \
	  "CommunicationList|HandleTable|CloseMessage",                                            \
	  OPTIONAL)                                                                                \
	F(CORE, TOKEN, "_TOKEN",                                                                   \
	  "TokenSource|TokenId|AuthenticationId|ExpirationTime|Privileges|"                        \
	  "SessionId|UserAndGroupCount|UserAndGroups|PrimaryGroup|"                                \
	  "RestrictedSidCount|RestrictedSids|TokenType|ImpersonationLevel|"                        \
	  "TokenFlags|IntegrityLevelIndex|DefaultOwnerIndex|LogonSession|"                         \
	  "CapabilityCount|Capabilities|Package|ParentTokenId|ModifiedId|"                         \
	  "AuditPolicy|VariableLength|DynamicCharged|DynamicAvailable|"                            \
	  "DynamicPart|DefaultDacl|MandatoryPolicy|TokenInUse|TokenLock|"                          \
	  "OriginatingLogonSession|SidHash|RestrictedSidHash|"                                     \
	  "pSecurityAttributes|CapabilitiesHash|LowboxNumberEntry|"                                \
	  "LowboxHandlesEntry|TrustLevelSid|TrustLinkedToken|"                                     \
	  "IntegrityLevelSidValue|SessionObject|VariablePart|"                                     \
	  "TokenSource.SourceName|TokenSource.SourceIdentifier|"                                   \
	  "Privileges.Present|Privileges.Enabled|Privileges.EnabledByDefault|"                     \
	  "BnoIsolationHandlesEntry|AuthenticationId.LowPart|"                                     \
	  "AuthenticationId.HighPart|pClaimAttributes|TokenSidValues|"                             \
	  "IndexEntry",                                                                            \
	  OPTIONAL)                                                                                \
	F(CORE, TOKEN_PRIVILEGES, "_SEP_TOKEN_PRIVILEGES", "Present|Enabled|EnabledByDefault",     \
	  OPTIONAL)                                                                                \
	F(CORE, SID_AND_ATTRIBUTES, "_SID_AND_ATTRIBUTES", "Sid|Attributes", OPTIONAL)             \
	F(CORE, SID, "_SID", "Revision|SubAuthorityCount|IdentifierAuthority|SubAuthority",        \
	  OPTIONAL)                                                                                \
	F(CORE, LOGON_SESSION, "_SEP_LOGON_SESSION_REFERENCES",                                    \
	  "LogonId|AccountName|AuthorityName|Next|ReferenceCount|Flags|"                           \
	  "pDeviceMap|Token|BuddyLogonId|CachedHandlesTable|SharedDataLock",                       \
	  OPTIONAL)                                                                                \
	F(CORE, SILO_GLOBALS, "_ESERVERSILO_GLOBALS",                                              \
	  "ObSiloState.SystemDeviceMap|ObSiloState|SeSiloState|"                                   \
	  "SiloRootDirectoryName|WnfSiloState|ObSiloState.DeviceMapLock|State|"                    \
	  "ExitStatus|IsDownlevelContainer|RtlNlsState|"                                           \
	  "RtlNlsState.DefaultAcpTableInfo",                                                       \
	  OPTIONAL)                                                                                \
	F(CORE, DEVICE_MAP, "_DEVICE_MAP",                                                         \
	  "DosDevicesDirectory|GlobalDosDevicesDirectory|"                                         \
	  "DosDevicesDirectoryHandle|ReferenceCount|DriveMap|DriveType|"                           \
	  "ServerSilo",                                                                            \
	  OPTIONAL)                                                                                \
	F(CORE, OBJECT_INITIALIZER, "_OBJECT_TYPE_INITIALIZER",                                    \
	  "Length|ObjectTypeFlags|PoolType|ParseProcedure|DeleteProcedure|"                        \
	  "CloseProcedure|OpenProcedure|SecurityProcedure|QueryNameProcedure|"                     \
	  "OkayToCloseProcedure|DumpProcedure|ValidAccessMask|GenericMapping",                     \
	  OPTIONAL)                                                                                \
	F(CORE, OBJECT_CREATOR, "_OBJECT_HEADER_CREATOR_INFO",                                     \
	  "TypeList|CreatorUniqueProcess|CreatorBackTraceIndex", OPTIONAL)                         \
	F(CORE, OBJECT_HANDLE, "_OBJECT_HEADER_HANDLE_INFO", "HandleCountDataBase|SingleEntry",    \
	  OPTIONAL)                                                                                \
	F(CORE, OBJECT_HANDLE_ENTRY, "_OBJECT_HANDLE_COUNT_ENTRY",                                 \
	  "Process|HandleCount|LockCount", OPTIONAL)                                               \
	F(CORE, OBJECT_HANDLE_DATABASE, "_OBJECT_HANDLE_COUNT_DATABASE",                           \
	  "CountEntries|HandleCountEntries", OPTIONAL)                                             \
	F(CORE, OBJECT_QUOTA, "_OBJECT_HEADER_QUOTA_INFO",                                         \
	  "PagedPoolCharge|NonPagedPoolCharge|SecurityDescriptorCharge|"                           \
	  "SecurityDescriptorQuotaBlock",                                                          \
	  OPTIONAL)                                                                                \
	F(CORE, OBJECT_PROCESS, "_OBJECT_HEADER_PROCESS_INFO", "ExclusiveProcess", OPTIONAL)       \
	F(CORE, OBJECT_AUDIT, "_OBJECT_HEADER_AUDIT_INFO", "SecurityDescriptor", OPTIONAL)         \
	F(CORE, OBJECT_EXTENDED, "_OBJECT_HEADER_EXTENDED_INFO", "Footer", OPTIONAL)               \
	F(CORE, OBJECT_CREATE, "_OBJECT_CREATE_INFORMATION",                                       \
	  "Attributes|RootDirectory|ProbeMode|SecurityDescriptor", OPTIONAL)                       \
	F(CORE, OBJECT_ATTRIBUTES, "_OBJECT_ATTRIBUTES",                                           \
	  "Length|RootDirectory|ObjectName|Attributes|SecurityDescriptor", OPTIONAL)               \
	F(CORE, GENERIC_MAPPING, "_GENERIC_MAPPING",                                               \
	  "GenericRead|GenericWrite|GenericExecute|GenericAll", OPTIONAL)                          \
	F(CORE, HANDLE_INFO, "_HANDLE_TABLE_ENTRY_INFO", "AuditMask|MaxRelativeAccessMask",        \
	  OPTIONAL)                                                                                \
	F(CORE, EXHANDLE, "_EXHANDLE", "TagBits|Index|GenericHandleOverlay|Value", OPTIONAL)       \
	F(CORE, SECURITY_DESCRIPTOR, "_SECURITY_DESCRIPTOR_RELATIVE",                              \
	  "Revision|Control|Owner|Group|Sacl|Dacl", OPTIONAL)                                      \
	F(CORE, ACL, "_ACL", "AclRevision|AclSize|AceCount", OPTIONAL)                             \
	F(CORE, ERESOURCE, "_ERESOURCE",                                                           \
	  "SystemResourcesList|OwnerTable|ActiveCount|Flag|SharedWaiters|"                         \
	  "ExclusiveWaiters|OwnerEntry",                                                           \
	  OPTIONAL)                                                                                \
	F(CORE, WORK_ITEM, "_WORK_QUEUE_ITEM", "List|WorkerRoutine|Parameter", OPTIONAL)           \
	F(CORE, IO_STACK, "_IO_STACK_LOCATION",                                                    \
	  "MajorFunction|MinorFunction|Flags|Control|DeviceObject|FileObject|"                     \
	  "CompletionRoutine|Context|Parameters|Parameters.Others.Argument1|"                      \
	  "Parameters.Others.Argument2|Parameters.Others.Argument3|"                               \
	  "Parameters.Others.Argument4|"                                                           \
	  "Parameters.DeviceIoControl.IoControlCode|"                                              \
	  "Parameters.DeviceIoControl.InputBufferLength|"                                          \
	  "Parameters.DeviceIoControl.OutputBufferLength|"                                         \
	  "Parameters.Read.Length|Parameters.Read.ByteOffset",                                     \
	  OPTIONAL)                                                                                \
	F(CORE, MDL, "_MDL",                                                                       \
	  "Next|Size|MdlFlags|Process|MappedSystemVa|StartVa|ByteCount|"                           \
	  "ByteOffset",                                                                            \
	  OPTIONAL)                                                                                \
	F(CORE, FAST_IO, "_FAST_IO_DISPATCH",                                                      \
	  "SizeOfFastIoDispatch|FastIoCheckIfPossible|FastIoRead|FastIoWrite|"                     \
	  "FastIoDeviceControl|AcquireFileForNtCreateSection",                                     \
	  OPTIONAL)                                                                                \
	F(CORE, IO_TIMER, "_IO_TIMER",                                                             \
	  "Type|TimerFlag|TimerList|TimerRoutine|Context|DeviceObject", OPTIONAL)                  \
	F(CORE, KALPC_MESSAGE, "_KALPC_MESSAGE",                                                   \
	  "Entry|PortQueue|OwnerPort|WaitingThread|QuotaProcess|SequenceNo|"                       \
	  "ServerThread|CancelQueuePort|ConnectionPort|MessageAttributes|"                         \
	  "DataUserVa|CommunicationInfo|PortMessage|ExtensionBuffer|"                              \
	  "ExtensionBufferSize|u1.State",                                                          \
	  OPTIONAL)                                                                                \
	F(CORE, PORT_MESSAGE, "_PORT_MESSAGE",                                                     \
	  "u1.s1.DataLength|u1.s1.TotalLength|u2.s2.Type|ClientId|MessageId|"                      \
	  "ClientViewSize|CallbackId",                                                             \
	  OPTIONAL)                                                                                \
	F(CORE, ALPC_HANDLE_TABLE, "_ALPC_HANDLE_TABLE", "Handles|TotalHandles|Lock|Flags",        \
	  OPTIONAL)                                                                                \
	F(CORE, ALPC_PORT_ATTRIBUTES, "_ALPC_PORT_ATTRIBUTES", "Flags|MaxMessageLength", OPTIONAL) \
	F(CORE, AUDIT_INFO, "_SE_AUDIT_PROCESS_CREATION_INFO", "ImageFileName", OPTIONAL)          \
	F(CORE, LUID, "_LUID", "LowPart|HighPart", OPTIONAL)                                       \
	F(CORE, TOKEN_SOURCE, "_TOKEN_SOURCE", "SourceName|SourceIdentifier", OPTIONAL)            \
	F(CORE, AUDIT_POLICY, "_SEP_AUDIT_POLICY", "AdtTokenPolicy|PolicySetStatus", OPTIONAL)     \
	F(CORE, SECURITY_ATTRIBUTES, "_AUTHZBASEP_SECURITY_ATTRIBUTES_INFORMATION",                \
	  "SecurityAttributeCount|SecurityAttributesList|"                                         \
	  "WorkingSecurityAttributeCount|WorkingSecurityAttributesList",                           \
	  OPTIONAL)                                                                                \
	F(CORE, ETW_LOGGER, "_WMI_LOGGER_CONTEXT",                                                 \
	  "LoggerId|BufferSize|LoggerName|LogFileName|LoggerMode|GlobalList|"                      \
	  "InstanceGuid|StartTime|LoggerThread|AcceptNewEvents|MaximumFileSize",                   \
	  OPTIONAL)                                                                                \
	F(CORE, ETW_GUID, "_ETW_GUID_ENTRY",                                                       \
	  "GuidList|RefCount|Guid|RegListHead|SecurityDescriptor|"                                 \
	  "ProviderEnableInfo|SiloState|HostEntry",                                                \
	  OPTIONAL)                                                                                \
	F(CORE, ETW_REGISTRATION, "_ETW_REG_ENTRY",                                                \
	  "RegList|GuidEntry|GroupEntry|Callback|CallbackContext|Process|"                         \
	  "ReplyQueue|Index|Flags|GroupRegList|Caller",                                            \
	  OPTIONAL)                                                                                \
	F(CORE, SESSION_OBJECT, "_SESSION_LOWBOX_MAP", "SessionId", OPTIONAL)

#endif
