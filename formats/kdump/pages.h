/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_KDUMP_PAGES_H
#define FORMATS_KDUMP_PAGES_H

#include "formats/format.h"
#include "formats/kdump/header.h"

/*
 * Registers the pages of a dump with in->mem. What is missing of an incomplete, split or truncated
 * dump goes to in->diag and is absent; a page that cannot be decoded is an error when it is
 * looked at. Errors: CORRUPT (no bitmap), UNSUPPORTED (built without the codec), LIMIT.
 */
MUST_CHECK struct error *kdump_add_pages(const struct format_input *in,
					 const struct kdump_header *header);

#endif
