/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_FIELDS_REGISTRY_H
#define WINDOWS_FIELDS_REGISTRY_H

/* The registry: hives, cells, key control blocks.
 * A part of CORE_FIELDS (windows/symbols/fields_core.h). */
#define CORE_REGISTRY_FIELDS(F)                                                                  \
	F(CORE, CMHIVE, "_CMHIVE",                                                               \
	  "Hive|HiveList|FileFullPath|FileUserName|HiveRootPath|Flags|"                          \
	  "FileHandles|NotifyList|PreloadedHiveList|KcbCacheTable|"                              \
	  "KcbCacheTableSize|RootKcb|HiveLock|CreatorOwner|RundownThread|"                       \
	  "LastWriteTime|FlushQueue|SecurityHash|SecurityCache|SecurityCount|"                   \
	  "SecurityCacheSize|UseCount|UnloadEventArray|UnloadEventCount|"                        \
	  "GrowOnlyMode|GrowOffset|ParseCacheEntries|KcbConvertListHead|"                        \
	  "KnodeConvertListHead|CellRemapArray|TrustClassEntry|Frozen|"                          \
	  "UnloadWorkItem|FlushHiveTruncated|FlushActive|Identity|CmRm|"                         \
	  "CmRmInitFailPoint|DirtyTime|ViewsPerHive",                                            \
	  OPTIONAL)                                                                              \
	F(CORE, HHIVE, "_HHIVE",                                                                 \
	  "Signature|BaseBlock|HiveFlags|Storage|Storage.Length|Storage.Map|"                    \
	  "Flat|GetCellRoutine|ReleaseCellRoutine|FileWrite|FileRead|"                           \
	  "HiveLoadFailure|BaseBlockAlloc|DirtyVector|DirtyCount|DirtyAlloc|"                    \
	  "DirtyFlag|Cluster|ReadOnly|Version|StorageTypeCount|RefreshCount|"                    \
	  "LogSize|CurrentLog|CurrentLogSequence|CurrentLogOffset|Free|ViewMap|"                 \
	  "ViewMap.ViewTree|ViewMap.SectionReference|"                                           \
	  "ViewMap.StorageEndFileOffset|ViewMap.ProcessTuple|ViewMap.Flags|"                     \
	  "Storage.FreeDisplay|Storage.FreeSummary|Storage.FreeBins|"                            \
	  "Storage.SmallDir|Storage.Guard",                                                      \
	  OPTIONAL)                                                                              \
	F(CORE, DUAL, "_DUAL", "Length|Map|SmallDir|Guard|FreeDisplay|FreeBins|FreeSummary",     \
	  OPTIONAL)                                                                              \
	F(CORE, HMAP_DIRECTORY, "_HMAP_DIRECTORY", "Directory", OPTIONAL)                        \
	F(CORE, HMAP_TABLE, "_HMAP_TABLE", "Table", OPTIONAL)                                    \
	F(CORE, HMAP_ENTRY, "_HMAP_ENTRY",                                                       \
	  "BlockAddress|BinAddress|PermanentBinAddress|BlockOffset|MemAlloc|"                    \
	  "CmView|TemporaryBinAddress|TemporaryBinRundown",                                      \
	  OPTIONAL)                                                                              \
	F(CORE, BASE_BLOCK, "_HBASE_BLOCK",                                                      \
	  "Signature|Sequence1|Sequence2|TimeStamp|RootCell|Length|FileName|"                    \
	  "Major|Minor|Type|Format|Cluster|RmId|LogId|Flags|TmId|GuidSignature|"                 \
	  "LastReorganizeTime|CheckSum|BootType|BootRecover|ThawRmId|ThawTmId|"                  \
	  "ThawLogId",                                                                           \
	  OPTIONAL)                                                                              \
	F(CORE, HBIN, "_HBIN", "Signature|FileOffset|Size|Reserved1|TimeStamp|Spare", OPTIONAL)  \
	F(CORE, KCB, "_CM_KEY_CONTROL_BLOCK",                                                    \
	  "RefCount|ParentKcb|NameBlock|KeyHive|KeyCell|KcbLastWriteTime|"                       \
	  "ExtFlags|Delete|HiveUnloaded|Decommissioned|TotalLevels|KeyHash|"                     \
	  "KeyHash.ConvKey|KeyHash.NextHash|KeyHash.KeyHive|KeyHash.KeyCell|"                    \
	  "ConvKey|NextHash|CachedSecurity|ValueCache|ValueList|"                                \
	  "ValueList.Count|ValueList.List|IndexHint|HashKey|SubKeyCount|"                        \
	  "KeyBodyListHead|KeyBodyArray|KcbMaxNameLen|KcbMaxValueNameLen|"                       \
	  "KcbMaxValueDataLen|Flags|KcbUserFlags|KcbVirtControlFlags|"                           \
	  "RealKeyName|Discarded|LayerHeight|FreeListEntry|FullKCBName|"                         \
	  "KCBUoWListHead|TransKCBOwner|KCBLock|KeyLock|SlotHint|KcbDebug|"                      \
	  "LayerInfo|PrivateAlloc",                                                              \
	  OPTIONAL)                                                                              \
	F(CORE, KCB_NAME, "_CM_NAME_CONTROL_BLOCK",                                              \
	  "Compressed|NameLength|Name|ConvKey|RefCount|NextHash|NameHash|"                       \
	  "NameHash.ConvKey",                                                                    \
	  OPTIONAL)                                                                              \
	F(CORE, KEY_BODY, "_CM_KEY_BODY",                                                        \
	  "KeyControlBlock|ProcessID|Type|NotifyBlock|KeyBodyList|KtmTrans|"                     \
	  "KtmUow|ContextListHead|EnumerationResumeContext|"                                     \
	  "RestrictedAccessMask|Flags|HandleTags|AccessCheckedLayerHeight|"                      \
	  "LastSearchedIndex|Trans",                                                             \
	  OPTIONAL)                                                                              \
	F(CORE, KEY_NODE, "_CM_KEY_NODE",                                                        \
	  "Signature|Flags|LastWriteTime|Parent|SubKeyCounts|SubKeyLists|"                       \
	  "ValueList.Count|ValueList.List|Security|Class|NameLength|"                            \
	  "ClassLength|Name|UserFlags|VirtControlFlags|AccessBits|"                              \
	  "LayerSemantics|Debug|MaxNameLen|MaxClassLen|MaxValueNameLen|"                         \
	  "MaxValueDataLen|WorkVar|InheritClass|ChildHiveReference|ValueList",                   \
	  OPTIONAL)                                                                              \
	F(CORE, KEY_VALUE, "_CM_KEY_VALUE",                                                      \
	  "Signature|NameLength|DataLength|Data|Type|Flags|Name|Spare", OPTIONAL)                \
	F(CORE, CM_KEY_HASH, "_CM_KEY_HASH", "ConvKey|NextHash|KeyHive|KeyCell", OPTIONAL)       \
	F(CORE, CM_KEY_HASH_TABLE, "_CM_KEY_HASH_TABLE_ENTRY", "Lock|Owner|Entry", OPTIONAL)     \
	F(CORE, CM_INDEX, "_CM_KEY_INDEX", "Signature|Count|List", OPTIONAL)                     \
	F(CORE, CM_INDEX_ENTRY, "_CM_INDEX", "Cell|NameHint|HashKey", OPTIONAL)                  \
	F(CORE, CM_BIG_DATA, "_CM_BIG_DATA", "Signature|Count|List", OPTIONAL)                   \
	F(CORE, CM_SECURITY, "_CM_KEY_SECURITY",                                                 \
	  "Signature|Flink|Blink|ReferenceCount|DescriptorLength|Descriptor", OPTIONAL)          \
	F(CORE, CM_SECURITY_CACHE, "_CM_KEY_SECURITY_CACHE_ENTRY|_CM_KEY_SECURITY_CACHE",        \
	  "Cell|CachedSecurity", OPTIONAL)                                                       \
	F(CORE, CM_CACHED_SECURITY, "_CM_KEY_SECURITY_CACHE",                                    \
	  "Cell|ConvKey|List|DescriptorLength|Descriptor", OPTIONAL)                             \
	F(CORE, CM_CHILD_LIST, "_CHILD_LIST", "Count|List", OPTIONAL)                            \
	F(CORE, CM_NOTIFY, "_CM_NOTIFY_BLOCK",                                                   \
	  "HiveList|PostList|KeyControlBlock|KeyBody|Filter|WatchTree|"                          \
	  "NotifyPending",                                                                       \
	  OPTIONAL)                                                                              \
	F(CORE, CM_REFERENCE, "_CM_KEY_REFERENCE", "KeyCell|KeyHive", OPTIONAL)                  \
	F(CORE, HV_VIEW_MAP, "_HVIEW_MAP", "MappedLength|Lock|Directory|PagesCharged", OPTIONAL) \
	F(CORE, HV_VIEW_TABLE, "_HVIEW_MAP_TABLE", "Entries", OPTIONAL)                          \
	F(CORE, HV_VIEW_ENTRY, "_HVIEW_MAP_ENTRY", "ViewStart|IsPinned|Bcb|PinnedPages", OPTIONAL)

#endif
