/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "cli/commands/dump_name.h"
#include "fuzz.h"

/* Eight bytes of an address, which is absent where its first is odd, then the proposed name. */
enum { ADDRESS_SIZE = 8, MAX_INPUT = 4096 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[DUMP_NAME_MAX + 1], proposed[MAX_INPUT + 1], *end;
	struct opt_u64 address;
	size_t len;

	if (size < ADDRESS_SIZE || size > MAX_INPUT)
		return 0;
	address = (struct opt_u64){ !(data[0] & 1), load_u64(data) };
	memcpy(proposed, data + ADDRESS_SIZE, size - ADDRESS_SIZE);
	proposed[size - ADDRESS_SIZE] = '\0';
	dump_name(proposed, address, name);
	len = strlen(name);
	check(len > 0 && len <= DUMP_NAME_MAX);
	check(name[0] != '.' && name[0] != '-');
	for (size_t i = 0; i < len; i++)
		check(isalnum((unsigned char)name[i]) || strchr("._+-", name[i]));
	/* the address is there, whole */
	end = strstr(name, ".0x");
	while (address.present && end && strtoull(end + 1, NULL, 16) != address.value)
		end = strstr(end + 1, ".0x");
	check(!address.present || end);
	return 0;
}
