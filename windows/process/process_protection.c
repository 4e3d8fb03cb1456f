/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "windows/process/process.h"

/* PS_PROTECTION {Type:3, Audit:1, Signer:4}: the public symbols; the names are those of
 * PS_PROTECTED_TYPE and PS_PROTECTED_SIGNER in phnt's ntpsapi.h, joined as debuggers do. */
enum { PROTECTION_NONE, PROTECTION_LIGHT, PROTECTION_FULL, NUM_PROTECTION_TYPES };

static const char *const names[][NUM_PROTECTION_TYPES] = {
	{ NULL, "PsProtectedSignerNone-Light", "PsProtectedSignerNone" },
	{ NULL, "PsProtectedSignerAuthenticode-Light", "PsProtectedSignerAuthenticode" },
	{ NULL, "PsProtectedSignerCodeGen-Light", "PsProtectedSignerCodeGen" },
	{ NULL, "PsProtectedSignerAntimalware-Light", "PsProtectedSignerAntimalware" },
	{ NULL, "PsProtectedSignerLsa-Light", "PsProtectedSignerLsa" },
	{ NULL, "PsProtectedSignerWindows-Light", "PsProtectedSignerWindows" },
	{ NULL, "PsProtectedSignerWinTcb-Light", "PsProtectedSignerWinTcb" },
	{ NULL, "PsProtectedSignerWinSystem-Light", "PsProtectedSignerWinSystem" },
	{ NULL, "PsProtectedSignerApp-Light", "PsProtectedSignerApp" },
};

const char *process_protection_name(uint64_t protection)
{
	uint64_t type = protection & 7, signer = protection >> 4;

	return type < NUM_PROTECTION_TYPES && signer < ARRAY_SIZE(names) ? names[signer][type]
									 : NULL;
}

const char *process_protection_text(const struct process *p, struct arena *a)
{
	const char *name;

	if (!p->protection.present)
		return p->is_protected.value ? "Protected" : NULL;
	name = process_protection_name(p->protection.value);
	if (name || !p->protection.value)
		return name;
	return arena_printf(a, "0x%" PRIx64, p->protection.value);
}
