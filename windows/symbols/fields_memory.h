/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FIELDS_MEMORY_H
#define WINDOWS_FIELDS_MEMORY_H

/* Address spaces: regions, sections, page table entries, page frames, pools, heaps.
 * A part of CORE_FIELDS (windows/symbols/fields_core.h). */
#define CORE_MEMORY_FIELDS(F)                                                                     \
	F(CORE, SESSION, "_MM_SESSION_SPACE",                                                     \
	  "SessionId|ProcessList|ReferenceCount|u.LongFlags|PagedPoolStart|"                      \
	  "PagedPoolEnd|SessionObject|SessionObjectHandle|ImageTree|ImageList|"                   \
	  "CreateTime|CommittedPages|NonPagablePages|LocaleId|AttachCount|Vm|"                    \
	  "WsListEntry|PagedPoolInfo|PoolTags|PoolTrackBigPages|"                                 \
	  "PoolTrackBigPagesSize|DriverUnload|PageDirectory|PageTables|"                          \
	  "ProcessReferenceToSession|HeapState",                                                  \
	  OPTIONAL)                                                                               \
	F(CORE, MI_SYSTEM, "_MI_SYSTEM_INFORMATION",                                              \
	  "Hardware.InvalidPteMask|Hardware|PagingIo|PagingIo.PageFileHead|"                      \
	  "PagingIo.DelayPageFaults|Partitions|Pools|Vs|Vs.SystemVaTypeCount|"                    \
	  "SystemVa|SystemImages|Vs.SystemVaRegions|Vs.SessionIdBitmap|"                          \
	  "Vs.PagingLevels|Vs.SessionWsList|SystemVa.SystemVaAssignment|"                         \
	  "Hardware.PhysicalAddressBits|Hardware.HighestPossiblePhysicalPage|"                    \
	  "Partitions.Partition|Partitions.PartitionList|Sessions|"                               \
	  "Sessions.SystemSession|Sessions.LeaderProcess|"                                        \
	  "Sessions.SessionIdNodes|SystemPtes|Sections|Cookie|Processes|"                         \
	  "Vs.SystemVaType",                                                                      \
	  OPTIONAL)                                                                               \
	F(CORE, VAD, "_MMVAD_SHORT|_MMVAD",                                                       \
	  "VadNode|Parent|u1.Parent|LeftChild|RightChild|StartingVpn|EndingVpn|"                  \
	  "StartingVpnHigh|EndingVpnHigh|u.VadFlags|u1.VadFlags1|"                                \
	  "u.VadFlags.Protection|u.VadFlags.VadType|u.VadFlags.PrivateMemory|"                    \
	  "u.VadFlags.NoChange|u.VadFlags.CommitCharge|"                                          \
	  "u1.VadFlags1.CommitCharge|u.VadFlags.MemCommit|"                                       \
	  "u1.VadFlags1.MemCommit|CommitChargeHigh|Core.VadNode|NextVad|"                         \
	  "ExtraCreateInfo|PushLock|ReferenceCount|EventList|u.LongFlags|"                        \
	  "u.VadFlags.Lock|u.VadFlags.LockContended|"                                             \
	  "u.VadFlags.DeleteInProgress|u.VadFlags.PreferredNode|"                                 \
	  "u.VadFlags.PageSize|u.VadFlags.Teb|u.VadFlags.Spare|"                                  \
	  "u.PrivateVadFlags|u.PrivateVadFlags.Graphics|"                                         \
	  "u.PrivateVadFlags.Enclave|u.PrivateVadFlags.ShadowStack|"                              \
	  "u.VadFlags.Graphics|u.VadFlags.Enclave|u1.LongFlags1|"                                 \
	  "u.VadFlags.ManySubsections",                                                           \
	  OPTIONAL)                                                                               \
	F(CORE, VAD_LONG, "_MMVAD",                                                               \
	  "Core|u2.VadFlags2|Subsection|FirstPrototypePte|LastContiguousPte|"                     \
	  "u2.LongFlags2|u2.VadFlags2.FileOffset|u2.VadFlags2.Large|"                             \
	  "u2.VadFlags2.LongVad|u2.VadFlags2.ExtendableFile|"                                     \
	  "u2.VadFlags2.Inherit|u2.VadFlags2.CopyOnWrite|"                                        \
	  "u2.VadFlags2.SecNoChange|u2.VadFlags2.NoValidationNeeded|"                             \
	  "u2.VadFlags2.PrivateDemandZero|VadFlags2|VadFlags2.Inherit|"                           \
	  "VadFlags2.Large|VadFlags2.NoValidationNeeded|"                                         \
	  "VadFlags2.PrivateDemandZero|ViewLinks|VadsProcess|FileObject|"                         \
	  "u4.SequentialVa|u4.ExtendedInfo|Core.VadNode|Core.StartingVpn|"                        \
	  "Core.EndingVpn|MappedSubsection",                                                      \
	  OPTIONAL)                                                                               \
	F(CORE, TREE, "_RTL_AVL_TREE", "Root", OPTIONAL)                                          \
	F(CORE, AVL_TABLE, "_MM_AVL_TABLE",                                                       \
	  "BalancedRoot|NumberGenericTableElements|DepthOfTree|NodeHint|"                         \
	  "NodeFreeHint|BalancedRoot.LeftChild|BalancedRoot.RightChild",                          \
	  OPTIONAL)                                                                               \
	F(CORE, TREE_NODE, "_RTL_BALANCED_NODE", "Left|Right|ParentValue|Children|Red|Balance",   \
	  OPTIONAL)                                                                               \
	F(CORE, SECTION, "_SECTION|_SECTION_OBJECT",                                              \
	  "u1.ControlArea|Segment|u1.FileObject|SizeOfSection|SectionNode|"                       \
	  "StartingVpn|EndingVpn|StartingVa|EndingVa|u.LongFlags|u.Flags|"                        \
	  "InitialPageProtection|SessionId|u1.RemoteImageFileObject|"                             \
	  "u1.RemoteDataFileObject|u.Flags.Image|u.Flags.File|u.Flags.Based|"                     \
	  "u.Flags.Reserve|u.Flags.Commit|u.Flags.PhysicalMemory",                                \
	  OPTIONAL)                                                                               \
	F(CORE, SECTION_POINTERS, "_SECTION_OBJECT_POINTERS",                                     \
	  "DataSectionObject|SharedCacheMap|ImageSectionObject", OPTIONAL)                        \
	F(CORE, CONTROL_AREA, "_CONTROL_AREA",                                                    \
	  "Segment|NumberOfSectionReferences|NumberOfMappedViews|u.Flags.Image|"                  \
	  "u.Flags.File|FilePointer|ListHead|NumberOfPfnReferences|"                              \
	  "NumberOfUserReferences|u.LongFlags|u.Flags|u1.Flags|"                                  \
	  "FlushInProgressCount|LockedPages|WaitList|u.Flags.BeingDeleted|"                       \
	  "u.Flags.BeingCreated|u.Flags.BeingPurged|u.Flags.Reserve|"                             \
	  "u.Flags.Commit|u.Flags.Based|u.Flags.Networked|u.Flags.Rom|"                           \
	  "u.Flags.WasPurged|u.Flags.UserReference|u.Flags.PhysicalMemory|"                       \
	  "u.Flags.GlobalMemory|u.Flags.CopyOnWrite|u.Flags.NoModifiedWriting|"                   \
	  "u.Flags.NoChange|u.Flags.UserWritable|FilePointer.Object|u2.e2|"                       \
	  "u2.e2.NumberOfSubsections|u2.e2.WritableUserReferences|"                               \
	  "u2.e2.SeImageStub|u3|StartingFrame|FileObjectLock|ControlAreaLock|"                    \
	  "ModifiedWriteCount",                                                                   \
	  OPTIONAL)                                                                               \
	F(CORE, SEGMENT, "_SEGMENT",                                                              \
	  "ControlArea|TotalNumberOfPtes|SizeOfSegment|BasedAddress|"                             \
	  "PrototypePte|SegmentFlags|NumberOfCommittedPages|ExtendInfo|"                          \
	  "SegmentLock|u1.CreatingProcess|u1.CreatingProcessId|"                                  \
	  "u1.ImageCommitment|u2.ImageInformation|u2.FirstMappedVa|ThePtes|"                      \
	  "SegmentFlags.TotalNumberOfPtes4132|SegmentFlags.LargePages|"                           \
	  "SegmentFlags.ImageSigningLevel|SegmentFlags.ImageSigningType|"                         \
	  "SegmentFlags.DebugSymbolsLoaded|SegmentFlags.Binary32|"                                \
	  "SegmentFlags.WriteCombined|SegmentFlags.NoCache|"                                      \
	  "SegmentFlags.FloppyMedia|SegmentFlags.DefaultProtectionMask|"                          \
	  "SegmentFlags.ContainsDebug|SegmentFlags.ForceCollision|"                               \
	  "SegmentFlags.ILOnly",                                                                  \
	  OPTIONAL)                                                                               \
	F(CORE, SUBSECTION, "_SUBSECTION",                                                        \
	  "ControlArea|SubsectionBase|NextSubsection|PtesInSubsection|"                           \
	  "StartingSector|NumberOfFullSectors|u.SubsectionFlags|UnusedPtes|"                      \
	  "u.LongFlags|u.SubsectionFlags.Protection|"                                             \
	  "u.SubsectionFlags.SubsectionAccessed|"                                                 \
	  "u.SubsectionFlags.StartingSector4132|"                                                 \
	  "u.SubsectionFlags.SubsectionStatic|u.SubsectionFlags.GlobalMemory|"                    \
	  "u.SubsectionFlags.Spare|u.SubsectionFlags.SectorEndOffset|"                            \
	  "u.SubsectionFlags.DirtyPages|SubsectionFlags|"                                         \
	  "SubsectionFlags.Protection|SubsectionFlags.SubsectionStatic|"                          \
	  "SubsectionFlags.GlobalMemory|SubsectionFlags.StartingSector4132|"                      \
	  "SubsectionFlags.SectorEndOffset|GlobalPerSessionHead|"                                 \
	  "u1.NumberOfChildViews|SessionDriverProtos|DirtyPages|"                                 \
	  "CreationWaitList",                                                                     \
	  OPTIONAL)                                                                               \
	F(CORE, SHARED_CACHE, "_SHARED_CACHE_MAP",                                                \
	  "FileSize|SectionSize|ValidDataLength|InitialVacbs|Vacbs|"                              \
	  "NodeTypeCode|NodeByteSize|OpenCount|ValidDataGoal|FileObjectFastRef|"                  \
	  "VacbLock|BcbList|DirtyPages|LoggedStreamLinks|SharedCacheMapLinks|"                    \
	  "Flags|Status|Mbcb|Section|CreateEvent|WaitOnActiveCount|"                              \
	  "PagesToWrite|BeyondLastFlush|Callbacks|LazyWriteContext|PrivateList|"                  \
	  "LogHandle|PrivateCacheMap|VolumeCacheMap|UninitializeEvent",                           \
	  OPTIONAL)                                                                               \
	F(CORE, VACB, "_VACB",                                                                    \
	  "BaseAddress|SharedCacheMap|Overlay.FileOffset|Overlay.ActiveCount|"                    \
	  "Overlay.Links|ArrayHead|Links",                                                        \
	  OPTIONAL)                                                                               \
	F(CORE, PTE_SOFTWARE, "_MMPTE_SOFTWARE",                                                  \
	  "Valid|PageFileLow|PageFileHigh|Protection|Prototype|Transition|"                       \
	  "SwizzleBit|PageFileReserved|PageFileAllocated|InStore|ColdPage|"                       \
	  "OnStandbyLookaside|ShadowStack|UsedPageTableEntries|Unused|Reserved",                  \
	  OPTIONAL)                                                                               \
	F(CORE, PTE_TRANSITION, "_MMPTE_TRANSITION",                                              \
	  "PageFrameNumber|Protection|Valid|Write|Prototype|Transition|Spare|"                    \
	  "OnStandbyLookaside|CacheDisable|WriteThrough|IoTracker",                               \
	  OPTIONAL)                                                                               \
	F(CORE, PTE_PROTOTYPE, "_MMPTE_PROTOTYPE",                                                \
	  "ProtoAddress|ReadOnly|Valid|Protection|Prototype|Combined|"                            \
	  "DemandFillProto|HiberVerifyConverted|Unused1",                                         \
	  OPTIONAL)                                                                               \
	F(CORE, PFN, "_MMPFN",                                                                    \
	  "PteAddress|OriginalPte|u4.PteFrame|u3.e1.PageLocation|"                                \
	  "u4.PrototypePte|u1.Flink|u1.WsIndex|u1.Event|u1.NextSlistPfn|"                         \
	  "u1.Active|u1.VolatileNext|u2.Blink|u2.ShareCount|u2.ImageProtoPte|"                    \
	  "PteLong|VaType|u3.ReferenceCount|u3.e1|u3.e2.ReferenceCount|"                          \
	  "u3.e4.EntireField|u3.e1.WriteInProgress|u3.e1.Modified|"                               \
	  "u3.e1.ReadInProgress|u3.e1.CacheAttribute|u3.e1.Priority|u3.e1.Rom|"                   \
	  "u3.e1.InPageError|u3.e1.KernelStack|u3.e1.RemovalRequested|"                           \
	  "u3.e1.ParityError|u3.e1.OnProtectedStandby|u4.PfnImageVerified|"                       \
	  "u4.AweAllocation|u4.Channel|u4.EntireField|u4.Partition|u4.FileOnly|"                  \
	  "u4.PfnExists|u4.PageIdentity|u4.Unused|UsedPageTableEntries|"                          \
	  "u5.Active|NodeFlinkHigh|NodeBlinkHigh|NodeBlinkLow|ViewCount|Lock",                    \
	  OPTIONAL)                                                                               \
	F(CORE, PAGING_FILE, "_MMPAGING_FILE",                                                    \
	  "Size|File|PageFileName|PageFileNumber|MaximumSize|MinimumSize|"                        \
	  "FreeSpace|PeakUsage|HighestPage|FreeReservationSpace|FileHandle|"                      \
	  "Entry|Bitmaps|Bitmap|FileObjectNode|Partition|AdriftMdls|"                             \
	  "VirtualStorePagefile|WsSwapPagefile|BootPartition|NodeInserted|"                       \
	  "StackNotified|BackedBySCM|HybridPriority|SwapSupported|"                               \
	  "SpecialPurposeMemory|PfnsToFree|PageHash|ToBeEvictedCount|SpinLock|"                   \
	  "EvictStoreBitmap",                                                                     \
	  OPTIONAL)                                                                               \
	F(CORE, PHYSICAL_MEMORY, "_PHYSICAL_MEMORY_DESCRIPTOR", "NumberOfRuns|NumberOfPages|Run", \
	  OPTIONAL)                                                                               \
	F(CORE, POOL_HEADER, "_POOL_HEADER",                                                      \
	  "PreviousSize|PoolIndex|BlockSize|PoolType|PoolTag|ProcessBilled|"                      \
	  "AllocatorBackTraceIndex|PoolTagHash|Ulong1",                                           \
	  OPTIONAL)                                                                               \
	F(CORE, BIG_PAGE, "_POOL_TRACKER_BIG_PAGES",                                              \
	  "Va|Key|PoolType|NumberOfBytes|Pattern|SlushSize|ProcessBilled", OPTIONAL)              \
	F(CORE, MI_VISIBLE_PARTITION, "_MI_VISIBLE_PARTITION",                                    \
	  "LowestPhysicalPage|HighestPhysicalPage|NumberOfPhysicalPages|"                         \
	  "NumberOfPagingFiles|PagingFile|AvailablePages|"                                        \
	  "ResidentAvailablePages|TotalCommittedPages|TotalCommitLimit|"                          \
	  "ModifiedPageListHead|SharedCommit",                                                    \
	  OPTIONAL)                                                                               \
	F(CORE, MI_PARTITION_CORE, "_MI_PARTITION_CORE",                                          \
	  "PartitionId|NodeInformation|PageRoot|MemoryRuns|MemoryNodeRuns|"                       \
	  "PartitionObject",                                                                      \
	  OPTIONAL)                                                                               \
	F(CORE, MI_STORES, "_MI_PARTITION_STORES",                                                \
	  "StoreProcess|VirtualPageFileNumber|Registered|EvictionThread", OPTIONAL)               \
	F(CORE, MI_SYSTEM_VA, "_MI_SYSTEM_VA_STATE",                                              \
	  "SystemVaAssignment|SystemTablesLock|HyperSpaceEnd|HalPrivateVaStart", OPTIONAL)        \
	F(CORE, MMSUPPORT, "_MMSUPPORT_FULL|_MMSUPPORT",                                          \
	  "WorkingSetSize|PeakWorkingSetSize|PageFaultCount|WorkingSetLeafSize|"                  \
	  "WorkingSetPrivateSize|VmWorkingSetList|WorkingSetExpansionLinks|"                      \
	  "MinimumWorkingSetSize|MaximumWorkingSetSize|Instance|Shared|Flags|"                    \
	  "WorkingSetMutex|Instance.WorkingSetSize|Instance.PeakWorkingSetSize|"                  \
	  "Instance.PageFaultCount|Instance.WorkingSetLeafSize|"                                  \
	  "Instance.WorkingSetLeafPrivateSize|Instance.MinimumWorkingSetSize|"                    \
	  "Instance.MaximumWorkingSetSize|Instance.VmWorkingSetList|"                             \
	  "Instance.Flags|Shared.CommitReleaseContext",                                           \
	  OPTIONAL)                                                                               \
	F(CORE, MMSUPPORT_INSTANCE, "_MMSUPPORT_INSTANCE",                                        \
	  "WorkingSetSize|PeakWorkingSetSize|PageFaultCount|WorkingSetLeafSize|"                  \
	  "WorkingSetLeafPrivateSize|MinimumWorkingSetSize|"                                      \
	  "MaximumWorkingSetSize|VmWorkingSetList|WorkingSetExpansionLinks|"                      \
	  "Flags",                                                                                \
	  OPTIONAL)                                                                               \
	F(CORE, VAD_FLAGS, "_MMVAD_FLAGS",                                                        \
	  "VadType|Protection|PrivateMemory|NoChange|CommitCharge|MemCommit|"                     \
	  "PreferredNode|PageSize|Lock|LockContended|DeleteInProgress",                           \
	  OPTIONAL)                                                                               \
	F(CORE, VAD_FLAGS1, "_MMVAD_FLAGS1", "CommitCharge|MemCommit", OPTIONAL)                  \
	F(CORE, VAD_FLAGS2, "_MMVAD_FLAGS2", "FileOffset|Large|LongVad|Inherit|CopyOnWrite",      \
	  OPTIONAL)                                                                               \
	F(CORE, VAD_FLAGS3, "_MMVAD_FLAGS3",                                                      \
	  "PreferredNode|Teb|SequentialAccess|LastSequentialTrim", OPTIONAL)                      \
	F(CORE, ADDRESS_NODE, "_MMADDRESS_NODE",                                                  \
	  "u1.Parent|u1.Balance|LeftChild|RightChild|StartingVpn|EndingVpn", OPTIONAL)            \
	F(CORE, VAD_EVENT, "_MI_VAD_EVENT_BLOCK", "Next|WaitReason|SecureInfo|InPageSupport",     \
	  OPTIONAL)                                                                               \
	F(CORE, SEGMENT_FLAGS, "_SEGMENT_FLAGS",                                                  \
	  "TotalNumberOfPtes4132|LargePages|ImageSigningLevel|ImageSigningType|"                  \
	  "Binary32|WriteCombined|NoCache|DefaultProtectionMask|ContainsDebug|"                   \
	  "DebugSymbolsLoaded|ForceCollision",                                                    \
	  OPTIONAL)                                                                               \
	F(CORE, SECTION_FLAGS, "_MMSECTION_FLAGS",                                                \
	  "BeingDeleted|BeingCreated|Image|Based|File|Reserve|Commit|"                            \
	  "PhysicalMemory|NoChange|UserReference|WasPurged",                                      \
	  OPTIONAL)                                                                               \
	F(CORE, SUBSECTION_FLAGS, "_MMSUBSECTION_FLAGS",                                          \
	  "SubsectionAccessed|Protection|StartingSector4132|SubsectionStatic|"                    \
	  "GlobalMemory|SectorEndOffset|DirtyPages",                                              \
	  OPTIONAL)                                                                               \
	F(CORE, MSUBSECTION, "_MSUBSECTION",                                                      \
	  "Core|SubsectionNode|DereferenceList|NumberOfMappedViews|ControlArea|"                  \
	  "PtesInSubsection|SubsectionBase|NextSubsection",                                       \
	  OPTIONAL)                                                                               \
	F(CORE, MAPPED_FILE_SEGMENT, "_MAPPED_FILE_SEGMENT",                                      \
	  "ControlArea|TotalNumberOfPtes|SegmentFlags|NumberOfCommittedPages|"                    \
	  "SizeOfSegment|ExtendInfo|BasedAddress",                                                \
	  OPTIONAL)                                                                               \
	F(CORE, IMAGE_SECTION, "_MI_SECTION_IMAGE_INFORMATION",                                   \
	  "ExportedImageInformation|InternalImageInformation", OPTIONAL)                          \
	F(CORE, SECTION_IMAGE, "_SECTION_IMAGE_INFORMATION",                                      \
	  "TransferAddress|ZeroBits|MaximumStackSize|CommittedStackSize|"                         \
	  "SubSystemType|SubSystemVersion|ImageCharacteristics|"                                  \
	  "DllCharacteristics|Machine|ImageContainsCode|ImageFlags|LoaderFlags|"                  \
	  "ImageFileSize|CheckSum|OperatingSystemVersion",                                        \
	  OPTIONAL)                                                                               \
	F(CORE, PRIVATE_CACHE, "_PRIVATE_CACHE_MAP",                                              \
	  "NodeTypeCode|Flags|FileObject|FileOffset1|BeyondLastByte1|"                            \
	  "PrivateLinks",                                                                         \
	  OPTIONAL)                                                                               \
	F(CORE, PTE, "_MMPTE",                                                                    \
	  "u.Long|u.Hard|u.Soft|u.Trans|u.Proto|u.Subsect|u.List|u.TimeStamp|"                    \
	  "u.VolatileLong",                                                                       \
	  OPTIONAL)                                                                               \
	F(CORE, PTE_HARDWARE, "_MMPTE_HARDWARE",                                                  \
	  "Valid|Dirty1|Owner|WriteThrough|CacheDisable|Accessed|Dirty|"                          \
	  "LargePage|Global|CopyOnWrite|Unused|Write|PageFrameNumber|NoExecute|"                  \
	  "ReservedForHardware|ReservedForSoftware|WsleAge|WsleProtection|"                       \
	  "SoftwareWsIndex",                                                                      \
	  OPTIONAL)                                                                               \
	F(CORE, PTE_SUBSECTION, "_MMPTE_SUBSECTION",                                              \
	  "Valid|Protection|Prototype|SubsectionAddress|ColdPage|"                                \
	  "ExecutePrivilege|Unused0|Unused1|Unused2",                                             \
	  OPTIONAL)                                                                               \
	F(CORE, PTE_LIST, "_MMPTE_LIST",                                                          \
	  "Valid|OneEntry|NextEntry|SwizzleBit|Prototype|Transition|Protection|"                  \
	  "filler0|filler1",                                                                      \
	  OPTIONAL)                                                                               \
	F(CORE, PTE_TIMESTAMP, "_MMPTE_TIMESTAMP",                                                \
	  "MustBeZero|PageFileLow|Protection|Prototype|Transition|"                               \
	  "GlobalTimeStamp|SwizzleBit",                                                           \
	  OPTIONAL)                                                                               \
	F(CORE, PFN_ENTRY1, "_MMPFNENTRY1|_MMPFNENTRY",                                           \
	  "PageLocation|WriteInProgress|Modified|ReadInProgress|CacheAttribute", OPTIONAL)        \
	F(CORE, PFN_ENTRY3, "_MMPFNENTRY3",                                                       \
	  "Priority|OnProtectedStandby|InPageError|SystemChargedPage|"                            \
	  "RemovalRequested|ParityError",                                                         \
	  OPTIONAL)                                                                               \
	F(CORE, PFN_LINK, "_MIPFNBLINK",                                                          \
	  "Blink|NodeBlinkHigh|TbFlushStamp|ShareCount|PageBlinkDeleteBit|"                       \
	  "PageShareCountDeleteBit|PageShareCountLockBit|PageBlinkLockBit|"                       \
	  "DeleteBit|LockBit|Unused",                                                             \
	  OPTIONAL)                                                                               \
	F(CORE, PFN_LIST, "_MMPFNLIST", "Total|ListName|Flink|Blink|Lock", OPTIONAL)              \
	F(CORE, PHYSICAL_RUN, "_PHYSICAL_MEMORY_RUN", "BasePage|PageCount", OPTIONAL)             \
	F(CORE, MI_PARTITION, "_MI_PARTITION",                                                    \
	  "Core|Modwriter|Store|PageLists|Segments|Vp|Commit|"                                    \
	  "SpecialPurposeMemory|WorkingSetControl|Core.PartitionId|"                              \
	  "Core.PartitionObject|Core.NodeInformation|Core.MemoryRuns|"                            \
	  "Core.MemoryNodeRuns|Core.Flags|Vp.PagingFile|Vp.NumberOfPagingFiles|"                  \
	  "PageLists.FreePagesByColor|PageLists.StandbyPageListByPriority|"                       \
	  "Store.WriteAllStoreHintedPages|Store.VirtualPageFileNumber|"                           \
	  "Store.Registered",                                                                     \
	  OPTIONAL)                                                                               \
	F(CORE, MI_VISIBLE, "_MI_VISIBLE_STATE",                                                  \
	  "PagingLevels|ProcessCommit|SystemPteInfo|SpecialPool|SessionWsList|"                   \
	  "SessionIdBitmap|PagedPoolInfo|MaximumNonPagedPoolInPages|"                             \
	  "SizeOfPagedPoolInPages|SystemVaRegions|SystemVaType|"                                  \
	  "SystemVaTypeCount|SystemWs",                                                           \
	  OPTIONAL)                                                                               \
	F(CORE, MI_VA_ASSIGNMENT, "_MI_SYSTEM_VA_ASSIGNMENT", "BaseAddress|NumberOfBytes",        \
	  OPTIONAL)                                                                               \
	F(CORE, MI_HARDWARE, "_MI_HARDWARE_STATE", "InvalidPteMask|SystemNodeInformation",        \
	  OPTIONAL)                                                                               \
	F(CORE, MI_PAGING_IO, "_MI_PAGING_IO_STATE",                                              \
	  "PageFileHead|PageFileHeadSpinLock|PrefetchSeekThreshold", OPTIONAL)                    \
	F(CORE, MI_SESSION_STATE, "_MI_SESSION_STATE",                                            \
	  "SystemSession|CodePageEdited|DynamicVaBitBuffer|SessionBase", OPTIONAL)                \
	F(CORE, MI_REVERSE_VIEW, "_MI_REVERSE_VIEW_MAP",                                          \
	  "ViewLinks|SystemCacheVa|SessionViewVa|VadsProcess|Type|Subsection|"                    \
	  "SectionOffset",                                                                        \
	  OPTIONAL)                                                                               \
	F(CORE, EXP_POOL, "_EX_POOL_HEAP_MANAGER_STATE",                                          \
	  "HeapManager|NumberOfPools|PoolNode|SpecialHeaps", OPTIONAL)                            \
	F(CORE, EX_HEAP_POOL_NODE, "_EX_HEAP_POOL_NODE", "Heaps|Lookasides", OPTIONAL)            \
	F(CORE, POOL_DESCRIPTOR, "_POOL_DESCRIPTOR",                                              \
	  "PoolType|PagedLock|NonPagedLock|RunningAllocs|RunningDeAllocs|"                        \
	  "TotalBigPages|TotalPages|TotalBytes|ListHeads|PendingFrees|"                           \
	  "PoolIndex|BytesAllocated|BigPagesAllocated",                                           \
	  OPTIONAL)                                                                               \
	F(CORE, POOL_TRACKER, "_POOL_TRACKER_TABLE",                                              \
	  "Key|NonPagedAllocs|NonPagedFrees|NonPagedBytes|PagedAllocs|"                           \
	  "PagedFrees|PagedBytes",                                                                \
	  OPTIONAL)                                                                               \
	F(CORE, SEGMENT_HEAP, "_SEGMENT_HEAP",                                                    \
	  "Signature|EnvHandle|LargeAllocMetadata|LargeReservedPages|"                            \
	  "LargeCommittedPages|SegContexts|VsContext|LfhContext|GlobalFlags|"                     \
	  "CommitLimitData|AllocatedBase|UserContext|StackTraceInitVar",                          \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP_SEG_CONTEXT, "_HEAP_SEG_CONTEXT",                                            \
	  "SegmentMask|UnitShift|PagesPerUnitShift|FirstDescriptorIndex|"                         \
	  "CachedCommitSoftShift|SegmentListHead|SegmentCount|FreePageRanges|"                    \
	  "Heap|VsContext|LfhContext|Flags|MaxAllocationSize",                                    \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP_PAGE_SEGMENT, "_HEAP_PAGE_SEGMENT",                                          \
	  "ListEntry|Signature|DescArray|SegmentCommitState", OPTIONAL)                           \
	F(CORE, HEAP_PAGE_RANGE, "_HEAP_PAGE_RANGE_DESCRIPTOR",                                   \
	  "TreeNode|TreeSignature|RangeFlags|UnitOffset|UnitSize|"                                \
	  "CommittedPageCount|UnusedBytes|ExtraPresent",                                          \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP_VS_CONTEXT, "_HEAP_VS_CONTEXT",                                              \
	  "Lock|FreeChunkTree|SubsegmentList|TotalCommittedUnits|"                                \
	  "FreeCommittedUnits|BackendCtx|Callbacks|Config",                                       \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP_VS_SUBSEGMENT, "_HEAP_VS_SUBSEGMENT",                                        \
	  "ListEntry|CommitBitmap|CommitLock|Size|Signature|FullCommit", OPTIONAL)                \
	F(CORE, HEAP_VS_CHUNK, "_HEAP_VS_CHUNK_HEADER",                                           \
	  "Sizes|EncodedSegmentPageOffset|UnusedBytes|Sizes.HeaderBits|"                          \
	  "Sizes.UnsafeSize|Sizes.UnsafePrevSize|Sizes.Allocated",                                \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP_LFH_CONTEXT, "_HEAP_LFH_CONTEXT",                                            \
	  "BackendCtx|Callbacks|AffinityModArray|MaxAffinity|Buckets|"                            \
	  "SubsegmentCreationLock|Config",                                                        \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP_LFH_SUBSEGMENT, "_HEAP_LFH_SUBSEGMENT",                                      \
	  "ListEntry|Owner|BlockOffsets|BlockCount|FreeCount|FreeHint|"                           \
	  "BlockBitmap|CommitUnitShift|CommitUnitCount|CommitStateOffset|"                        \
	  "Location|WitheldBlockCount",                                                           \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP_LFH_OFFSETS, "_HEAP_LFH_SUBSEGMENT_ENCODED_OFFSETS",                         \
	  "BlockSize|FirstBlockOffset|EncodedData", OPTIONAL)                                     \
	F(CORE, HEAP_LARGE_ALLOC, "_HEAP_LARGE_ALLOC_DATA",                                       \
	  "TreeNode|VirtualAddress|UnusedBytes|AllocatedPages|ExtraPresent|"                      \
	  "GuardPageCount",                                                                       \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP, "_HEAP",                                                                    \
	  "Segment|SegmentSignature|SegmentFlags|SegmentListEntry|BaseAddress|"                   \
	  "NumberOfPages|FirstEntry|LastValidEntry|NumberOfUnCommittedPages|"                     \
	  "Flags|ForceFlags|EncodeFlagMask|Encoding|VirtualAllocdBlocks|"                         \
	  "SegmentList|FrontEndHeap|FrontEndHeapType|BlocksIndex|FreeLists|"                      \
	  "Signature|ProcessHeapsListIndex",                                                      \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP_SEGMENT, "_HEAP_SEGMENT",                                                    \
	  "SegmentSignature|SegmentListEntry|Heap|BaseAddress|NumberOfPages|"                     \
	  "FirstEntry|LastValidEntry|NumberOfUnCommittedPages",                                   \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP_ENTRY, "_HEAP_ENTRY",                                                        \
	  "Size|Flags|SmallTagIndex|PreviousSize|SegmentOffset|UnusedBytes|"                      \
	  "Code1",                                                                                \
	  OPTIONAL)                                                                               \
	F(CORE, HEAP_VIRTUAL, "_HEAP_VIRTUAL_ALLOC_ENTRY",                                        \
	  "Entry|ExtraStuff|CommitSize|ReserveSize|BusyBlock", OPTIONAL)                          \
	F(CORE, RB_TREE, "_RTL_RB_TREE", "Root|Min|Encoded", OPTIONAL)                            \
	F(CORE, EPARTITION, "_EPARTITION",                                                        \
	  "MmPartition|CcPartition|ExPartition|HardReferenceCount|"                               \
	  "ParentPartition",                                                                      \
	  OPTIONAL)

#endif
