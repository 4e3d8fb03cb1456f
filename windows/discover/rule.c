/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "windows/discover/probe.h"

/* How evidence from code and from data is put together. */
enum { TOLERANCE = 8 /* one sample in so many may be torn, or lie */, MAX_NAMED = 4 };

const struct known_row known_rows[NUM_KNOWN_FIELDS] = {
	[KNOWN_PID] = { "_EPROCESS", "UniqueProcessId", 8 },
	[KNOWN_LINKS] = { "_EPROCESS", "ActiveProcessLinks", 16 },
	[KNOWN_NAME] = { "_EPROCESS", "ImageFileName", 15 },
	[KNOWN_DTB] = { "_EPROCESS", "Pcb.DirectoryTableBase", 8 },
	[KNOWN_USER_DTB] = { "_EPROCESS", "Pcb.UserDirectoryTableBase", 8 },
	[KNOWN_PPID] = { "_EPROCESS", "InheritedFromUniqueProcessId", 8 },
	[KNOWN_CREATE_TIME] = { "_EPROCESS", "CreateTime", 8 },
	[KNOWN_EXIT_TIME] = { "_EPROCESS", "ExitTime", 8 },
	[KNOWN_EXIT_STATUS] = { "_EPROCESS", "ExitStatus", 4 },
	[KNOWN_PEB] = { "_EPROCESS", "Peb", 8 },
	[KNOWN_SECTION_BASE] = { "_EPROCESS", "SectionBaseAddress", 8 },
	[KNOWN_WOW64] = { "_EPROCESS", "WoW64Process", 8 },
	[KNOWN_DEBUG_PORT] = { "_EPROCESS", "DebugPort", 8 },
	[KNOWN_JOB] = { "_EPROCESS", "Job", 8 },
	[KNOWN_TOKEN] = { "_EPROCESS", "Token", 8 },
	[KNOWN_PROTECTION] = { "_EPROCESS", "Protection", 1 },
	[KNOWN_OBJECT_TABLE] = { "_EPROCESS", "ObjectTable", 8 },
	[KNOWN_AUDIT_NAME] = { "_EPROCESS", "SeAuditProcessCreationInfo.ImageFileName", 8 },
	[KNOWN_VAD_TREE] = { "_EPROCESS", "VadRoot", 8 },
	[KNOWN_VAD_TABLE] = { "_EPROCESS", "VadRoot", 64 },
	[KNOWN_SESSION] = { "_EPROCESS", "Session", 8 },
	[KNOWN_SESSION_ID] = { "_MM_SESSION_SPACE", "SessionId", 4 },
	[KNOWN_ACTIVE_THREADS] = { "_EPROCESS", "ActiveThreads", 4 },
	[KNOWN_THREAD_ID] = { "_ETHREAD", "Cid.UniqueThread", 8 },
	[KNOWN_THREAD_PID] = { "_ETHREAD", "Cid.UniqueProcess", 8 },
	[KNOWN_THREAD_PROCESS] = { "_KTHREAD", "Process", 8 },
	[KNOWN_APC_PROCESS] = { "_KTHREAD", "ApcState.Process", 8 },
	[KNOWN_TEB] = { "_KTHREAD", "Teb", 8 },
	[KNOWN_THREAD_CREATE_TIME] = { "_ETHREAD", "CreateTime", 8 },
	[KNOWN_THREAD_EXIT_STATUS] = { "_ETHREAD", "ExitStatus", 4 },
	[KNOWN_WIN32_THREAD] = { "_KTHREAD", "Win32Thread", 8 },
	[KNOWN_PCR_THREAD] = { "_KPCR", "Prcb.CurrentThread", 8 },
};

/* The same bytes under the name of the type that they are in. */
static const struct {
	enum known_field field;
	const char *type, *path;
} aliases[] = {
	{ KNOWN_DTB, "_KPROCESS", "DirectoryTableBase" },
	{ KNOWN_USER_DTB, "_KPROCESS", "UserDirectoryTableBase" },
	{ KNOWN_WOW64, "_EPROCESS", "Wow64Process" },
	{ KNOWN_THREAD_PROCESS, "_ETHREAD", "Tcb.Process" },
	{ KNOWN_APC_PROCESS, "_ETHREAD", "Tcb.ApcState.Process" },
};

struct tally judge_samples(const struct probe *p, bool threads, judge_fn *judge, uint32_t offset)
{
	const struct sample *samples = threads ? p->threads : p->samples;
	size_t count = threads ? p->num_threads : p->num_samples;
	struct tally ret = { 0 };

	for (size_t i = 0; i < count; i++) {
		switch (judge(p, &samples[i], offset)) {
		case AGREES:
			ret.agrees++;
			break;
		case NEUTRAL:
			ret.neutral++;
			break;
		case DENIES:
			ret.denies++;
			break;
		}
	}
	return ret;
}

static bool holds(const struct tally *t)
{
	return t->denies * TOLERANCE <= t->agrees;
}

void probe_establish(struct probe *p, enum known_field field, enum discover_confidence confidence,
		     uint32_t offset, const char *text)
{
	const struct known_row *row = &known_rows[field];

	p->has[field] = true;
	p->at[field] = offset;
	probe_field(p, confidence, row->type, row->path, offset, row->size, "%s", text);
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (aliases[i].field == field)
			probe_field(p, confidence, aliases[i].type, aliases[i].path, offset,
				    row->size, "%s", text);
}

/* What code says, checked on data. */
static bool by_code(struct probe *p, const struct field_rule *rule)
{
	const struct vote *vote = &p->votes[rule->field];
	struct tally t = judge_samples(p, rule->threads, rule->judge, vote->offset);
	unsigned total = t.agrees + t.neutral + t.denies;
	bool sure = t.agrees && !t.denies;

	if (vote->weak && (t.agrees < rule->min_agrees || !holds(&t)))
		return false;
	if (!holds(&t)) {
		diag_note(p->diag,
			  "discovery of %s.%s: %s, but %u of %u samples do not hold %s there",
			  known_rows[rule->field].type, known_rows[rule->field].path, vote->text,
			  t.denies, total, rule->what);
		return false;
	}
	probe_establish(p, rule->field, sure ? DISCOVER_CERTAIN : DISCOVER_LIKELY, vote->offset,
			probe_text(p, "%s; %s in %u of %u samples", vote->text, rule->what,
				   t.agrees, total));
	return true;
}

struct search {
	uint32_t first; /* valid if count */
	unsigned count; /* offsets that hold */
	struct tally tally;
	char names[64]; /* the first few */
};

static struct search search_offsets(struct probe *p, const struct field_rule *rule)
{
	struct search ret = { 0 };

	for (uint32_t at = rule->from; at < rule->to; at += rule->step) {
		struct tally t = judge_samples(p, rule->threads, rule->judge, at);
		size_t used = strlen(ret.names);

		if (t.agrees < rule->min_agrees || !t.agrees || !holds(&t))
			continue;
		if (ret.count < MAX_NAMED)
			snprintf(ret.names + used, sizeof(ret.names) - used, "%s0x%x",
				 ret.count ? ", " : "", at);
		if (!ret.count++) {
			ret.first = at;
			ret.tally = t;
		}
	}
	return ret;
}

static bool by_search(struct probe *p, const struct field_rule *rule)
{
	const struct known_row *row = &known_rows[rule->field];
	const char *code = p->votes[rule->field].text;
	struct search found = search_offsets(p, rule);
	unsigned total = found.tally.agrees + found.tally.neutral + found.tally.denies;

	if (found.count == 1) {
		bool sure = rule->proof && found.tally.agrees >= FEW_SAMPLES;

		probe_establish(p, rule->field, sure ? DISCOVER_CERTAIN : DISCOVER_LIKELY,
				found.first,
				probe_text(p, "the only offset with %s: in %u of %u samples",
					   rule->what, found.tally.agrees, total));
		return true;
	}
	if (found.count)
		probe_missing(p, row->type, row->path, "%s at several offsets: %s%s%s%s",
			      rule->what, found.names, found.count > MAX_NAMED ? ", ..." : "",
			      code ? "; " : "", code ? code : "");
	else
		probe_missing(p, row->type, row->path, "no offset with %s%s%s", rule->what,
			      code ? "; " : "", code ? code : "");
	return false;
}

bool probe_rule(struct probe *p, const struct field_rule *rule)
{
	const struct known_row *row = &known_rows[rule->field];
	const struct vote *vote = &p->votes[rule->field];

	if (vote->contradicted) {
		probe_missing(p, row->type, row->path, "accessors contradict each other: %s",
			      vote->text);
		return false;
	}
	if (!(rule->threads ? p->num_threads : p->num_samples)) {
		probe_missing(p, row->type, row->path, "no %s could be read to check it on%s%s",
			      rule->threads ? "thread" : "process", vote->text ? "; " : "",
			      vote->text ? vote->text : "");
		return false;
	}
	if (vote->present) {
		if (by_code(p, rule))
			return true;
		if (!vote->weak) {
			probe_missing(p, row->type, row->path,
				      "contradiction: %s, but data does not hold %s there",
				      vote->text, rule->what);
			return false;
		}
	}
	if (rule->to)
		return by_search(p, rule);
	probe_missing(p, row->type, row->path, "%s",
		      vote->text ? vote->text : "no accessor is known");
	return false;
}
