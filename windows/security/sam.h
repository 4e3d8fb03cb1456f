/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_SAM_H
#define WINDOWS_SAM_H

#include "windows/security/sid.h"

/*
 * The values V of the security accounts manager's keys, in no public header. Source: impacket's
 * secretsdump.py (USER_ACCOUNT_V) and chntpw's sam.h (struct user_V).
 */

/* From SAM\Domains\Account: the SID of this machine, S-1-5-21-X-Y-Z. False: too short. */
MUST_CHECK bool sam_machine_sid(const uint8_t *v, size_t len, struct sid *ret);
/* From SAM\Domains\Account\Users\<RID in hex>: the account's name, UTF-16LE in v. False: none. */
MUST_CHECK bool sam_user_name(const uint8_t *v, size_t len, const uint8_t **name_ret,
			      size_t *name_len_ret);

#endif
