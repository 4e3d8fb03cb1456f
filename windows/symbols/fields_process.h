/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FIELDS_PROCESS_H
#define WINDOWS_FIELDS_PROCESS_H

/* Processes, threads, processors, user-mode blocks, the loader, and types used everywhere.
 * A part of CORE_FIELDS (windows/symbols/fields_core.h). */
#define CORE_PROCESS_FIELDS(F)                                                                    \
	F(CORE, EPROCESS, "_EPROCESS",                                                            \
	  "Pcb.DirectoryTableBase|Pcb.UserDirectoryTableBase|Pcb.Header.Type|"                    \
	  "Pcb.ThreadListHead|UniqueProcessId|ActiveProcessLinks|"                                \
	  "InheritedFromUniqueProcessId|ImageFileName|CreateTime|ExitTime|"                       \
	  "ActiveThreads|ThreadListHead|ObjectTable|Session|WoW64Process|"                        \
	  "Wow64Process|Peb|SeAuditProcessCreationInfo.ImageFileName|"                            \
	  "ExitStatus|VadRoot|Token|SectionBaseAddress|SectionObject|Flags|"                      \
	  "Flags2|Flags3|SessionProcessLinks|MmProcessLinks|Job|Protection|"                      \
	  "ImageFilePointer|CommitCharge|VirtualSize|PeakVirtualSize|VadCount|"                   \
	  "Cookie|Pcb.Header.SignalState|Pcb.KernelTime|Pcb.UserTime|"                            \
	  "Pcb.BasePriority|Pcb.ActiveProcessors|Pcb.ProcessListEntry|"                           \
	  "Pcb.StackCount|Pcb.CycleTime|Pcb.ContextSwitches|Pcb.SecureState|"                     \
	  "Pcb.AddressPolicy|ProcessLock|RundownProtect|ProcessQuotaUsage|"                       \
	  "ProcessQuotaPeak|QuotaBlock|CpuQuotaBlock|CommitChargePeak|"                           \
	  "CommitChargeLimit|DebugPort|ExceptionPortData|ExceptionPortValue|"                     \
	  "DeviceMap|Win32Process|Win32WindowStation|OwnerProcessId|"                             \
	  "ConsoleHostProcess|PriorityClass|SecurityPort|JobLinks|"                               \
	  "LockedPagesList|LastThreadExitStatus|ReadOperationCount|"                              \
	  "WriteOperationCount|OtherOperationCount|ReadTransferCount|"                            \
	  "WriteTransferCount|OtherTransferCount|DiskCounters|Vm|"                                \
	  "PageDirectoryPte|HighestUserAddress|NumberOfPrivatePages|"                             \
	  "NumberOfLockedPages|VadHint|VadPhysicalPages|ModifiedPageCount|"                       \
	  "AlpcContext|ActiveThreadsHighWatermark|LargePrivateVadCount|"                          \
	  "SignatureLevel|SectionSignatureLevel|MitigationFlags|"                                 \
	  "MitigationFlags2|SequenceNumber|CreateInterruptTime|"                                  \
	  "CreateUnbiasedInterruptTime|ImagePathHash|PicoContext|EnclaveTable|"                   \
	  "DxgProcess|Machine|DiskIoAttribution|KTimerSets|KTimer2Sets|"                          \
	  "ProcessExiting|ProcessDelete|ProcessInserted|BreakOnTermination|"                      \
	  "Minimal|SystemProcess|VmDeleted|NoDebugInherit|ProcessSelfDelete|"                     \
	  "PicoCreated|InPrivate|NeedsHandleRundown|Outswapped|SvmData|"                          \
	  "SharedCommitCharge|SharedCommitLinks|MmHotPatchContext|CloneRoot|"                     \
	  "AweInfo|CommitChargeJob|ServerSilo|ProcessTimerDelay|"                                 \
	  "SyscallProvider|TimerResolutionLink|"                                                  \
	  "DynamicEHContinuationTargetsTree|TrustletIdentity",                                    \
	  OPTIONAL)                                                                               \
	F(CORE, KPROCESS, "_KPROCESS",                                                            \
	  "DirectoryTableBase|UserDirectoryTableBase|ThreadListHead|KernelTime|"                  \
	  "UserTime|BasePriority|Header.Type|Header.SignalState|"                                 \
	  "ActiveProcessors|Affinity|ProcessListEntry|StackCount|CycleTime|"                      \
	  "ContextSwitches|SecureState|AddressPolicy|InstrumentationCallback|"                    \
	  "ProcessFlags|QuantumReset|ReadyListHead|SwapListEntry|IdealNode|"                      \
	  "Flags|ProfileListHead|ReadyTime|FreezeCount",                                          \
	  OPTIONAL)                                                                               \
	F(CORE, ETHREAD, "_ETHREAD",                                                              \
	  "Cid.UniqueThread|Cid.UniqueProcess|ThreadListEntry|StartAddress|"                      \
	  "Win32StartAddress|CreateTime|ExitTime|ExitStatus|CrossThreadFlags|"                    \
	  "ClientSecurity|ClientSecurity.ImpersonationToken|ThreadName|IrpList|"                  \
	  "Tcb|KeyedWaitChain|KeyedWaitValue|TerminationPort|"                                    \
	  "ActiveTimerListHead|TopLevelIrp|DeviceToVerify|PostBlockList|"                         \
	  "ReaperLink|AlpcMessage|AlpcMessageId|AlpcWaitSemaphore|"                               \
	  "AlpcReceiveAttributeSet|LegacyPowerObject|RundownProtect|"                             \
	  "SameThreadPassiveFlags|SameThreadApcFlags|CacheManagerActive|"                         \
	  "ActiveImpersonationInfo|Terminated|HideFromDebugger|"                                  \
	  "BreakOnTermination|SkipCreationMsg|ThreadInserted|CopyTokenOnOpen|"                    \
	  "ThreadIoPriority|ThreadPagePriority|ClonedThread|ReadClusterSize|"                     \
	  "ActivityId|PicoContext|IoBoostCount|BoostList|"                                        \
	  "OwnsProcessAddressSpaceExclusive|OwnsProcessAddressSpaceShared|"                       \
	  "SelfTerminate|UserFsBase|UserGsBase|PropertySet|Silo|CmThreadInfo|"                    \
	  "EnergyValues|SeLearningModeListHead|KernelStackReference|"                             \
	  "AdjustedClientToken|ClientSecurity.ImpersonationLevel|"                                \
	  "ClientSecurity.EffectiveOnly|ClientSecurity.ImpersonationData|"                        \
	  "ChargeOnlySession",                                                                    \
	  OPTIONAL)                                                                               \
	F(CORE, KTHREAD, "_KTHREAD",                                                              \
	  "Header.Type|Process|ApcState.Process|Teb|ThreadListEntry|State|"                       \
	  "WaitReason|WaitMode|WaitIrql|WaitTime|WaitBlockList|PreviousMode|"                     \
	  "Priority|BasePriority|ContextSwitches|KernelTime|UserTime|"                            \
	  "InitialStack|StackLimit|StackBase|KernelStack|TrapFrame|Win32Thread|"                  \
	  "NextProcessor|SystemCallNumber|FirstArgument|KernelStackResident|"                     \
	  "Header.SignalState|Header.Size|ApcState|ApcState.ApcListHead|"                         \
	  "ApcState.KernelApcPending|ApcState.UserApcPending|SavedApcState|"                      \
	  "ApcQueueable|ApcStateIndex|Alertable|Alerted|KernelApcDisable|"                        \
	  "SpecialApcDisable|CombinedApcDisable|FreezeCount|SuspendCount|"                        \
	  "Affinity|UserAffinity|IdealProcessor|UserIdealProcessor|WaitBlock|"                    \
	  "WaitBlockCount|WaitStatus|WaitRegister|WaitListEntry|MutantListHead|"                  \
	  "QueueListEntry|Queue|Timer|SchedulerApc|SuspendEvent|StateSaveArea|"                   \
	  "CycleTime|QuantumTarget|MiscFlags|ThreadFlags|SystemThread|Running|"                   \
	  "GuiThread|AutoAlignment|DisableBoost|Saturation|Preempted|"                            \
	  "GlobalForegroundListEntry|SListFaultAddress|LegoData|ThreadLock|"                      \
	  "WaitPrcb|AbWaitObject|UmsPerformingSyscall|XStateSave|"                                \
	  "SchedulingGroup|PriorityDecrement|NpxState|KernelShadowStack|"                         \
	  "KernelShadowStackBase|KernelShadowStackLimit|"                                         \
	  "KernelShadowStackInitial|LargeStack|AdjustReason|AdjustIncrement|"                     \
	  "ReadOperationCount|WriteOperationCount|OtherOperationCount|"                           \
	  "ReadTransferCount|WriteTransferCount|OtherTransferCount|"                              \
	  "ProcessReadyQueue|ReadyTime|Ucb|Uch|TebMappedLowVa|"                                   \
	  "SystemAffinityActive|ProcessDetachActive|SwapListEntry|"                               \
	  "DeferPreemption|CetUserShadowStack|SpecCtrl|SecureThreadCookie|"                       \
	  "ApcInterruptRequest|TracingPrivate|KeReferenceCount",                                  \
	  OPTIONAL)                                                                               \
	F(CORE, EWOW64PROCESS, "_EWOW64PROCESS", "Peb|Machine|NtdllType", OPTIONAL)               \
	F(CORE, EJOB, "_EJOB",                                                                    \
	  "JobLinks|JobId|SessionId|ActiveProcesses|Event|ProcessListHead|"                       \
	  "JobLock|TotalProcesses|TotalTerminatedProcesses|LimitFlags|"                           \
	  "ActiveProcessLimit|UIRestrictionsClass|CompletionPort|CompletionKey|"                  \
	  "JobFlags|JobFlags2|ParentJob|RootJob|ChildJobListHead|"                                \
	  "SiblingJobLinks|PriorityClass|SchedulingClass|ProcessMemoryLimit|"                     \
	  "JobMemoryLimit|JobTotalMemoryLimit|PeakProcessMemoryUsed|"                             \
	  "PeakJobMemoryUsed|TotalUserTime|TotalKernelTime|TotalPageFaultCount|"                  \
	  "ServerSiloGlobals|Storage|ContainerId|SequenceNumber|TotalCycleTime|"                  \
	  "Silo|CloseDone|Terminating|MinimumWorkingSetSize|"                                     \
	  "MaximumWorkingSetSize|Affinity|AccessState|EffectiveLimitFlags|"                       \
	  "NestingDepth|Ancestors|EffectiveFreezeCount|CurrentJobMemoryUsed|"                     \
	  "MemberLevel",                                                                          \
	  OPTIONAL)                                                                               \
	F(CORE, PS_PROTECTION, "_PS_PROTECTION", "Level|Type|Signer|Audit", OPTIONAL)             \
	F(CORE, PEB, "_PEB",                                                                      \
	  "Ldr|ProcessParameters|ImageBaseAddress|BeingDebugged|SessionId|"                       \
	  "NumberOfHeaps|ProcessHeaps|InheritedAddressSpace|"                                     \
	  "ReadImageFileExecOptions|BitField|Mutant|SubSystemData|ProcessHeap|"                   \
	  "FastPebLock|CrossProcessFlags|ProcessInJob|ProcessInitializing|"                       \
	  "KernelCallbackTable|UserSharedInfoPtr|ApiSetMap|TlsBitmap|"                            \
	  "TlsExpansionCounter|ReadOnlySharedMemoryBase|SharedData|"                              \
	  "AnsiCodePageData|NumberOfProcessors|NtGlobalFlag|HeapSegmentReserve|"                  \
	  "MaximumNumberOfHeaps|GdiSharedHandleTable|OSMajorVersion|"                             \
	  "OSMinorVersion|OSBuildNumber|OSCSDVersion|OSPlatformId|"                               \
	  "ImageSubsystem|ImageSubsystemMajorVersion|"                                            \
	  "ImageSubsystemMinorVersion|ActiveProcessAffinityMask|"                                 \
	  "PostProcessInitRoutine|CSDVersion|AppCompatFlags|pShimData|"                           \
	  "AppCompatInfo|ActivationContextData|FlsCallback|FlsListHead|"                          \
	  "FlsBitmap|WerRegistrationData|LoaderLock|AtlThunkSListPtr|"                            \
	  "CsrServerReadOnlySharedMemoryBase|TracingFlags|IsProtectedProcess|"                    \
	  "IsProtectedProcessLight|IsPackagedProcess|IsAppContainer|"                             \
	  "LeapSecondData",                                                                       \
	  OPTIONAL)                                                                               \
	F(CORE, PEB32, "_PEB32",                                                                  \
	  "Ldr|ProcessParameters|ImageBaseAddress|BeingDebugged|BitField|"                        \
	  "ProcessHeap|FastPebLock|NumberOfHeaps|MaximumNumberOfHeaps|"                           \
	  "ProcessHeaps|NtGlobalFlag|SessionId|OSMajorVersion|OSMinorVersion|"                    \
	  "OSBuildNumber|OSPlatformId|ApiSetMap|NumberOfProcessors|CSDVersion|"                   \
	  "LoaderLock|ImageSubsystem|SubSystemData|TlsBitmap|"                                    \
	  "KernelCallbackTable|pShimData|ReadOnlySharedMemoryBase|"                               \
	  "GdiSharedHandleTable",                                                                 \
	  OPTIONAL)                                                                               \
	F(CORE, TEB, "_TEB",                                                                      \
	  "NtTib.ExceptionList|NtTib.StackBase|NtTib.StackLimit|"                                 \
	  "ProcessEnvironmentBlock|LastErrorValue|TlsSlots|WowTebOffset|NtTib|"                   \
	  "NtTib.SubSystemTib|NtTib.Self|NtTib.ArbitraryUserPointer|"                             \
	  "NtTib.FiberData|ClientId|ClientId.UniqueProcess|"                                      \
	  "ClientId.UniqueThread|ThreadLocalStoragePointer|LastStatusValue|"                      \
	  "CountOfOwnedCriticalSections|CsrClientThread|Win32ThreadInfo|"                         \
	  "WOW32Reserved|CurrentLocale|ExceptionCode|"                                            \
	  "ActivationContextStackPointer|RealClientId|StaticUnicodeString|"                       \
	  "StaticUnicodeBuffer|DeallocationStack|TlsLinks|Vdm|"                                   \
	  "TlsExpansionSlots|SubProcessTag|ActivityId|HardErrorMode|"                             \
	  "GuaranteedStackBytes|IdealProcessor|WinSockData|FlsData|"                              \
	  "SameTebFlags|LockCount|ReservedForOle|InstrumentationCallbackSp|"                      \
	  "InstrumentationCallbackPreviousPc|EtwTraceData|MergedPrefLanguages|"                   \
	  "Win32ClientInfo|SpinCallCount|SessionAware|EffectiveContainerId|"                      \
	  "CrossTebFlags|ThreadPoolData|ActiveRpcHandle|HeapVirtualAffinity|"                     \
	  "CurrentTransactionHandle",                                                             \
	  OPTIONAL)                                                                               \
	F(CORE, PARAMETERS, "_RTL_USER_PROCESS_PARAMETERS",                                       \
	  "ImagePathName|CommandLine|Environment|EnvironmentSize|"                                \
	  "CurrentDirectory.DosPath|WindowTitle|DllPath|MaximumLength|Length|"                    \
	  "Flags|DebugFlags|ConsoleHandle|ConsoleFlags|StandardInput|"                            \
	  "StandardOutput|StandardError|CurrentDirectory|"                                        \
	  "CurrentDirectory.Handle|DesktopInfo|ShellInfo|RuntimeData|"                            \
	  "ShowWindowFlags|WindowFlags|StartingX|StartingY|CountX|CountY|"                        \
	  "EnvironmentVersion|ProcessGroupId|LoaderThreads|RedirectionDllName|"                   \
	  "PackageDependencyData|HeapPartitionName|CurrentDirectores",                            \
	  OPTIONAL)                                                                               \
	F(CORE, PEB_LDR, "_PEB_LDR_DATA",                                                         \
	  "InLoadOrderModuleList|InMemoryOrderModuleList|"                                        \
	  "InInitializationOrderModuleList|Length|Initialized|SsHandle|"                          \
	  "EntryInProgress|ShutdownInProgress|ShutdownThreadId",                                  \
	  OPTIONAL)                                                                               \
	F(CORE, KLDR, "_KLDR_DATA_TABLE_ENTRY|_LDR_DATA_TABLE_ENTRY",                             \
	  "InLoadOrderLinks|DllBase|EntryPoint|SizeOfImage|FullDllName|"                          \
	  "BaseDllName|TimeDateStamp|CheckSum|Flags|LoadCount|SectionPointer|"                    \
	  "ExceptionTable|ExceptionTableSize|SignatureLevel|SignatureType|"                       \
	  "LoadedImports|CoverageSection|GpValue|NonPagedDebugInfo|"                              \
	  "SizeOfImageNotRounded",                                                                \
	  OPTIONAL)                                                                               \
	F(CORE, LDR, "_LDR_DATA_TABLE_ENTRY",                                                     \
	  "InLoadOrderLinks|InMemoryOrderLinks|InInitializationOrderLinks|"                       \
	  "DllBase|EntryPoint|SizeOfImage|FullDllName|BaseDllName|"                               \
	  "TimeDateStamp|CheckSum|Flags|ObsoleteLoadCount|LoadCount|LoadTime|"                    \
	  "LoadReason|DdagNode|TlsIndex|HashLinks|EntryPointActivationContext|"                   \
	  "Lock|ParentDllBase|SwitchBackContext|BaseAddressIndexNode|"                            \
	  "MappingInfoIndexNode|OriginalBase|BaseNameHashValue|"                                  \
	  "ImplicitPathOptions|ReferenceCount|DependentLoadFlags|SigningLevel|"                   \
	  "FlagGroup|InIndexes|InExceptionTable|ProcessStaticImport|ImageDll|"                    \
	  "LoadContext|NodeModuleLink|PatchInformation|ActivePatchImageBase|"                     \
	  "HotPatchState|ForwarderLinks|ServiceTagLinks|StaticLinks",                             \
	  OPTIONAL)                                                                               \
	F(CORE, LDR_DDAG, "_LDR_DDAG_NODE",                                                       \
	  "LoadCount|Modules|LoadWhileUnloadingCount|LowestLink|State|"                           \
	  "Dependencies|IncomingDependencies|ServiceTagList|PreorderNumber",                      \
	  OPTIONAL)                                                                               \
	F(CORE, INVERTED_TABLE, "_INVERTED_FUNCTION_TABLE",                                       \
	  "CurrentSize|TableEntry|MaximumSize|Epoch|Overflow", OPTIONAL)                          \
	F(CORE, INVERTED_ENTRY, "_INVERTED_FUNCTION_TABLE_ENTRY",                                 \
	  "FunctionTable|ImageBase|SizeOfImage|SizeOfTable|DynamicTable", OPTIONAL)               \
	F(CORE, KPCR, "_KPCR",                                                                    \
	  "Self|CurrentPrcb|Prcb|KdVersionBlock|GdtBase|IdtBase|TssBase|"                         \
	  "UserRsp|Used_Self|NtTib|LockArray|Irql|"                                               \
	  "SecondLevelCacheAssociativity|ObsoleteNumber|Fill0|MajorVersion|"                      \
	  "MinorVersion|StallScaleFactor|HalReserved|SecondLevelCacheSize|"                       \
	  "Unused0",                                                                              \
	  OPTIONAL)                                                                               \
	F(CORE, KPRCB, "_KPRCB",                                                                  \
	  "CurrentThread|NextThread|IdleThread|Number|"                                           \
	  "ProcessorState.ContextFrame|ProcessorState.SpecialRegisters|Context|"                  \
	  "RspBase|RspBaseShadow|UserRspShadow|KernelDirectoryTableBase|MHz|"                     \
	  "VendorString|DpcStack|TimerTable.TimerEntries|MxCsr|LegacyNumber|"                     \
	  "InterruptRequest|IdleHalt|NestingLevel|CpuType|CpuID|CpuStep|"                         \
	  "CpuVendor|FeatureBits|ApicMask|ProcessorState|GroupSetMember|Group|"                   \
	  "GroupIndex|InitialApicId|CoresPerPhysicalProcessor|"                                   \
	  "LogicalProcessorsPerCore|InterruptCount|KernelTime|UserTime|DpcTime|"                  \
	  "InterruptTime|DpcData|DpcRoutineActive|DpcThreadActive|"                               \
	  "DpcRequestRate|TimerTable|TimerHand|IdleState|WaitListHead|"                           \
	  "ReadySummary|DispatcherReadyListHead|DeferredReadyListHead|"                           \
	  "QueueIndex|McheckContext|Mailbox|Cache|CacheCount|KeContextSwitches|"                  \
	  "KeSystemCalls|DebuggerSavedIRQL|IsrStack|PowerState|IpiFrozen|"                        \
	  "DpcWatchdogCount|ShadowFlags|TrappedSecurityDomain|PairRegister|"                      \
	  "WheaInfo|EtwSupport|CycleTime|ContextFlagsInit|ExtendedState|"                         \
	  "UpdateSignature|TransitionShadowStack|PackageProcessorSet|"                            \
	  "InterruptObject|InterruptObjectPool|VirtualApicAssist|"                                \
	  "SchedulerSubNode|ParentNode|DpcLastCount|PPLookasideList|"                             \
	  "PPNPagedLookasideList|PPPagedLookasideList|LockQueue|RequestMailbox|"                  \
	  "MmPageFaultCount",                                                                     \
	  OPTIONAL)                                                                               \
	F(CORE, KSPECIAL, "_KSPECIAL_REGISTERS",                                                  \
	  "Cr0|Cr2|Cr3|Cr4|Cr8|KernelDr0|KernelDr1|KernelDr2|KernelDr3|"                          \
	  "KernelDr6|KernelDr7|Gdtr|Idtr|Tr|Ldtr|MxCsr|DebugControl|MsrGsBase|"                   \
	  "MsrGsSwap|MsrStar|MsrLStar|MsrCStar|MsrSyscallMask|Xcr0|MsrFsBase|"                    \
	  "LastBranchToRip|LastBranchFromRip|LastExceptionToRip|"                                 \
	  "LastExceptionFromRip",                                                                 \
	  OPTIONAL)                                                                               \
	F(CORE, KDESCRIPTOR, "_KDESCRIPTOR", "Limit|Base", OPTIONAL)                              \
	F(CORE, CONTEXT, "_CONTEXT",                                                              \
	  "ContextFlags|MxCsr|SegCs|SegDs|SegEs|SegFs|SegGs|SegSs|EFlags|Dr0|"                    \
	  "Dr1|Dr2|Dr3|Dr6|Dr7|Rax|Rcx|Rdx|Rbx|Rsp|Rbp|Rsi|Rdi|R8|R9|R10|R11|"                    \
	  "R12|R13|R14|R15|Rip|FltSave|P1Home|P2Home|P3Home|P4Home|P5Home|"                       \
	  "P6Home|VectorRegister|VectorControl|DebugControl|LastBranchToRip|"                     \
	  "LastBranchFromRip|LastExceptionToRip|LastExceptionFromRip|"                            \
	  "FltSave.MxCsr|FltSave.ControlWord|FltSave.StatusWord|"                                 \
	  "FltSave.TagWord|FltSave.FloatRegisters|FltSave.XmmRegisters",                          \
	  OPTIONAL)                                                                               \
	F(CORE, KTRAP_FRAME, "_KTRAP_FRAME",                                                      \
	  "PreviousMode|ExceptionActive|FaultAddress|ErrorCode|Rax|Rcx|Rdx|Rbx|"                  \
	  "Rbp|Rsi|Rdi|R8|R9|R10|R11|Rip|Rsp|SegCs|SegSs|EFlags|P1Home|P2Home|"                   \
	  "P3Home|P4Home|P5|PreviousIrql|FaultIndicator|MxCsr|GsBase|GsSwap|"                     \
	  "Xmm0|Xmm1|Xmm2|Xmm3|Xmm4|Xmm5|ContextRecord|Dr0|Dr1|Dr2|Dr3|Dr6|Dr7|"                  \
	  "DebugControl|LastBranchToRip|LastBranchFromRip|LastExceptionToRip|"                    \
	  "LastExceptionFromRip|SegDs|SegEs|SegFs|SegGs|TrapFrame|"                               \
	  "ExceptionFrame|Logging|ShadowStackFrame|InterruptRetpolineState|"                      \
	  "NmiMsrIbrs|NmiPreviousSpecCtrl",                                                       \
	  OPTIONAL)                                                                               \
	F(CORE, EXCEPTION_RECORD, "_EXCEPTION_RECORD",                                            \
	  "ExceptionCode|ExceptionFlags|ExceptionRecord|ExceptionAddress|"                        \
	  "NumberParameters|ExceptionInformation",                                                \
	  OPTIONAL)                                                                               \
	F(CORE, KIDTENTRY, "_KIDTENTRY64",                                                        \
	  "OffsetLow|OffsetMiddle|OffsetHigh|Selector|IstIndex|Type|Dpl|"                         \
	  "Present",                                                                              \
	  OPTIONAL)                                                                               \
	F(CORE, KTIMER_TABLE_ENTRY, "_KTIMER_TABLE_ENTRY", "Entry|Lock|Time", OPTIONAL)           \
	F(CORE, KTIMER, "_KTIMER",                                                                \
	  "TimerListEntry|DueTime|Dpc|Period|Header|Header.Type|Header.Hand|"                     \
	  "Header.TimerType|Header.SignalState|Processor|TimerType",                              \
	  OPTIONAL)                                                                               \
	F(CORE, KDPC, "_KDPC",                                                                    \
	  "DeferredRoutine|DeferredContext|Type|Importance|Number|DpcListEntry|"                  \
	  "SystemArgument1|SystemArgument2|DpcData|TargetInfoAsUlong|"                            \
	  "ProcessorHistory",                                                                     \
	  OPTIONAL)                                                                               \
	F(CORE, LIST, "_LIST_ENTRY", "Flink|Blink", OPTIONAL)                                     \
	F(CORE, USER_SHARED, "_KUSER_SHARED_DATA",                                                \
	  "SystemTime|InterruptTime|TimeZoneBias|NtBuildNumber|NtMajorVersion|"                   \
	  "NtMinorVersion|NtProductType|NtSystemRoot|TickCountQuad|BootId|"                       \
	  "NumberOfPhysicalPages|KdDebuggerEnabled|NativeProcessorArchitecture|"                  \
	  "TickCountMultiplier|ProductTypeIsValid|ActiveConsoleId|SuiteMask|"                     \
	  "SafeBootMode|LargePageMinimum|RNGSeedVersion|TimeZoneId|"                              \
	  "ImageNumberLow|ImageNumberHigh|ProcessorFeatures|TickCount|Cookie|"                    \
	  "ConsoleSessionForegroundProcessId|QpcFrequency|QpcBias|"                               \
	  "SharedDataFlags|ActiveProcessorCount|ActiveGroupCount|"                                \
	  "InterruptTimeBias|SystemCall|TimeZoneBiasEffectiveStart|"                              \
	  "TimeZoneBiasEffectiveEnd|XState|DbgVirtEnabled|DbgSecureBootEnabled|"                  \
	  "SystemExpirationDate|BaselineSystemTimeQpc|UserModeGlobalLogger",                      \
	  OPTIONAL)                                                                               \
	F(CORE, KSYSTEM_TIME, "_KSYSTEM_TIME", "LowPart|High1Time|High2Time", OPTIONAL)           \
	F(CORE, UNICODE_STRING, "_UNICODE_STRING", "Length|MaximumLength|Buffer", OPTIONAL)       \
	F(CORE, DISPATCHER, "_DISPATCHER_HEADER",                                                 \
	  "Type|Size|SignalState|WaitListHead|Signalling|Absolute|Inserted|"                      \
	  "Abandoned|Lock|ThreadControlFlags|TimerType|Hand|MutantType",                          \
	  OPTIONAL)                                                                               \
	F(CORE, KWAIT_BLOCK, "_KWAIT_BLOCK",                                                      \
	  "WaitListEntry|NextWaitBlock|Thread|Object|WaitKey|WaitType|"                           \
	  "BlockState|SparePtr|NotificationQueue|Dpc",                                            \
	  OPTIONAL)                                                                               \
	F(CORE, KMUTANT, "_KMUTANT",                                                              \
	  "OwnerThread|Abandoned|Header|MutantListEntry|ApcDisable|MutantFlags|"                  \
	  "Header.SignalState",                                                                   \
	  OPTIONAL)                                                                               \
	F(CORE, KD_VERSION, "_DBGKD_GET_VERSION64",                                               \
	  "MinorVersion|KernBase|PsLoadedModuleList|DebuggerDataList", OPTIONAL)                  \
	F(CORE, TEB32, "_TEB32",                                                                  \
	  "NtTib|NtTib.ExceptionList|NtTib.StackBase|NtTib.StackLimit|"                           \
	  "NtTib.Self|ClientId|ClientId.UniqueProcess|ClientId.UniqueThread|"                     \
	  "ThreadLocalStoragePointer|ProcessEnvironmentBlock|LastErrorValue|"                     \
	  "LastStatusValue|ExceptionCode|DeallocationStack|TlsSlots|"                             \
	  "TlsExpansionSlots|WOW32Reserved|Vdm|FlsData|WowTebOffset|"                             \
	  "SubProcessTag|WinSockData|CurrentLocale|Win32ThreadInfo",                              \
	  OPTIONAL)                                                                               \
	F(CORE, STRING32, "_STRING32", "Length|MaximumLength|Buffer", OPTIONAL)                   \
	F(CORE, LIST32, "LIST_ENTRY32", "Flink|Blink", OPTIONAL)                                  \
	F(CORE, CURDIR, "_CURDIR", "DosPath|Handle", OPTIONAL)                                    \
	F(CORE, CLIENT_ID, "_CLIENT_ID", "UniqueProcess|UniqueThread", OPTIONAL)                  \
	F(CORE, KAPC, "_KAPC",                                                                    \
	  "Type|ApcMode|ApcStateIndex|Inserted|Thread|ApcListEntry|"                              \
	  "KernelRoutine|RundownRoutine|NormalRoutine|NormalContext|"                             \
	  "SystemArgument1|SystemArgument2|Reserved",                                             \
	  OPTIONAL)                                                                               \
	F(CORE, KAPC_STATE, "_KAPC_STATE",                                                        \
	  "ApcListHead|Process|KernelApcInProgress|KernelApcPending|"                             \
	  "UserApcPending|InProgressFlags|UserApcPendingAll|"                                     \
	  "SpecialUserApcPending",                                                                \
	  OPTIONAL)                                                                               \
	F(CORE, KEXCEPTION_FRAME, "_KEXCEPTION_FRAME",                                            \
	  "P1Home|P2Home|P3Home|P4Home|P5|MxCsr|Xmm6|Xmm7|Xmm8|Xmm9|Xmm10|"                       \
	  "Xmm11|Xmm12|Xmm13|Xmm14|Xmm15|TrapFrame|OutputBuffer|OutputLength|"                    \
	  "Rbp|Rbx|Rdi|Rsi|R12|R13|R14|R15|Return|InitialStack|CallbackStack",                    \
	  OPTIONAL)                                                                               \
	F(CORE, KSTACK_CONTROL, "_KSTACK_CONTROL",                                                \
	  "StackBase|ActualLimit|StackExpansion|Previous|Previous.StackBase|"                     \
	  "Previous.StackLimit|Previous.KernelStack|Previous.InitialStack",                       \
	  OPTIONAL)                                                                               \
	F(CORE, KPROCESSOR_STATE, "_KPROCESSOR_STATE", "SpecialRegisters|ContextFrame", OPTIONAL) \
	F(CORE, XSAVE_FORMAT, "_XSAVE_FORMAT",                                                    \
	  "ControlWord|StatusWord|TagWord|ErrorOpcode|ErrorOffset|"                               \
	  "ErrorSelector|DataOffset|DataSelector|MxCsr|MxCsr_Mask|"                               \
	  "FloatRegisters|XmmRegisters",                                                          \
	  OPTIONAL)                                                                               \
	F(CORE, XSAVE_HEADER, "_XSAVE_AREA_HEADER", "Mask|CompactionMask", OPTIONAL)              \
	F(CORE, KTSS, "_KTSS64", "Rsp0|Rsp1|Rsp2|Ist|IoMapBase", OPTIONAL)                        \
	F(CORE, KGDTENTRY, "_KGDTENTRY64",                                                        \
	  "LimitLow|BaseLow|Bytes.BaseMiddle|Bytes.Flags1|Bytes.Flags2|"                          \
	  "Bytes.BaseHigh|BaseUpper|MustBeZero",                                                  \
	  OPTIONAL)                                                                               \
	F(CORE, KINTERRUPT, "_KINTERRUPT",                                                        \
	  "Type|InterruptListEntry|ServiceRoutine|MessageServiceRoutine|"                         \
	  "ServiceContext|DispatchAddress|Vector|Irql|SynchronizeIrql|"                           \
	  "FloatingSave|Connected|Number|Mode|Polarity|TrapFrame|IsrDpcStats",                    \
	  OPTIONAL)                                                                               \
	F(CORE, KEVENT, "_KEVENT", "Header|Header.Type|Header.SignalState|Header.WaitListHead",   \
	  OPTIONAL)                                                                               \
	F(CORE, KSEMAPHORE, "_KSEMAPHORE", "Header|Limit|Header.SignalState", OPTIONAL)           \
	F(CORE, KQUEUE, "_KQUEUE",                                                                \
	  "Header|EntryListHead|CurrentCount|MaximumCount|ThreadListHead", OPTIONAL)              \
	F(CORE, KTIMER_TABLE, "_KTIMER_TABLE", "TimerEntries|TimerExpiry|TableState", OPTIONAL)   \
	F(CORE, KDPC_DATA, "_KDPC_DATA",                                                          \
	  "DpcList|DpcList.ListHead|DpcListHead|DpcQueueDepth|DpcCount|"                          \
	  "ActiveDpc",                                                                            \
	  OPTIONAL)                                                                               \
	F(CORE, ETIMER, "_ETIMER",                                                                \
	  "KeTimer|Lock|TimerApc|TimerDpc|ActiveTimerListEntry|Period|"                           \
	  "TimerFlags|DueTimeType|DueTime|CoalescingWindow|WakeTimerListEntry|"                   \
	  "WakeReason|VirtualizedTimerLinks|VirtualizedTimerCookie|FlushDpcs|"                    \
	  "ApcAssociated",                                                                        \
	  OPTIONAL)                                                                               \
	F(CORE, KTIMER2, "_KTIMER2", "Header|DueTime|Period|Callback|CallbackContext|TypeFlags",  \
	  OPTIONAL)                                                                               \
	F(CORE, FAST_REF, "_EX_FAST_REF", "Object|RefCnt|Value", OPTIONAL)                        \
	F(CORE, PUSH_LOCK, "_EX_PUSH_LOCK", "Locked|Waiting|Value|Ptr", OPTIONAL)                 \
	F(CORE, PROCESS_DISK, "_PROCESS_DISK_COUNTERS",                                           \
	  "BytesRead|BytesWritten|ReadOperationCount|WriteOperationCount|"                        \
	  "FlushOperationCount",                                                                  \
	  OPTIONAL)                                                                               \
	F(CORE, RTL_BITMAP, "_RTL_BITMAP", "SizeOfBitMap|Buffer", OPTIONAL)                       \
	F(CORE, RTL_BITMAP_EX, "_RTL_BITMAP_EX", "SizeOfBitMap|Buffer", OPTIONAL)                 \
	F(CORE, HASH_TABLE, "_RTL_DYNAMIC_HASH_TABLE",                                            \
	  "Flags|Shift|TableSize|Pivot|DivisorMask|NumEntries|NonEmptyBuckets|"                   \
	  "Directory",                                                                            \
	  OPTIONAL)                                                                               \
	F(CORE, HASH_ENTRY, "_RTL_DYNAMIC_HASH_TABLE_ENTRY", "Linkage|Signature", OPTIONAL)       \
	F(CORE, SINGLE_LIST, "_SINGLE_LIST_ENTRY", "Next", OPTIONAL)                              \
	F(CORE, GUID, "_GUID", "Data1|Data2|Data3|Data4", OPTIONAL)                               \
	F(CORE, LARGE_INTEGER, "_LARGE_INTEGER", "LowPart|HighPart|QuadPart", OPTIONAL)           \
	F(CORE, TERMINATION_PORT, "_TERMINATION_PORT", "Next|Port", OPTIONAL)                     \
	F(CORE, NT_TIB, "_NT_TIB",                                                                \
	  "ExceptionList|StackBase|StackLimit|SubSystemTib|FiberData|"                            \
	  "ArbitraryUserPointer|Self",                                                            \
	  OPTIONAL)

#endif
