/* SPDX-License-Identifier: MIT */
#include "ntscope.h"

#include "base/error.h"

/* A public error is the internal one, which C programs never look into. */
#define SAME_VALUE(public, internal) \
	_Static_assert((int)(public) == (int)(internal), #public " differs from " #internal)

SAME_VALUE(NTS_ERROR_NO_MEMORY, ERROR_NO_MEMORY);
SAME_VALUE(NTS_ERROR_OS, ERROR_OS);
SAME_VALUE(NTS_ERROR_USAGE, ERROR_USAGE);
SAME_VALUE(NTS_ERROR_UNSUPPORTED, ERROR_UNSUPPORTED);
SAME_VALUE(NTS_ERROR_CORRUPT, ERROR_CORRUPT);
SAME_VALUE(NTS_ERROR_FAULT, ERROR_FAULT);
SAME_VALUE(NTS_ERROR_NOT_FOUND, ERROR_NOT_FOUND);
SAME_VALUE(NTS_ERROR_LIMIT, ERROR_LIMIT);

enum nts_error_code nts_error_code(const struct nts_error *err)
{
	return (enum nts_error_code)error_code((const struct error *)err);
}

const char *nts_error_message(const struct nts_error *err)
{
	return error_message((const struct error *)err);
}

int nts_error_address(const struct nts_error *err, uint64_t *ret)
{
	return error_address((const struct error *)err, ret);
}

int nts_error_errno(const struct nts_error *err)
{
	return error_errno((const struct error *)err);
}

void nts_error_free(struct nts_error *err)
{
	error_destroy((struct error *)err);
}
