/* SPDX-License-Identifier: MIT */
#ifndef API_H
#define API_H

#include "base/diag.h"
#include "formats/format.h"
#include "ntscope.h"

/* What the public names of ntscope.h stand for. */
struct nts_snapshot {
	struct snapshot *snapshot;
	struct diag diag; /* for as long as the snapshot is open */
	nts_message_fn *message;
	void *message_arg;
};

static inline struct nts_error *public_error(struct error *err)
{
	return (struct nts_error *)err;
}

#endif
