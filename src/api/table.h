/* SPDX-License-Identifier: MIT */
#ifndef API_TABLE_H
#define API_TABLE_H

#include "api/api.h"

struct nts_table {
	struct rows rows;
	unsigned *shown; /* by public column: which of rows' columns it is */
	size_t num_shown;
	struct kept_messages messages;
	int status;
	char *output; /* NULL: rows */
	size_t output_size, output_capacity;
};

#endif
