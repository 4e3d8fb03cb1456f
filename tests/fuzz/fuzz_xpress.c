/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "codec/xpress.h"
#include "fuzz.h"

/*
 * Two bytes for the room, then what is compressed. Nothing is written past what is said to be, more
 * room does not change what comes out, and the same input gives the same bytes.
 */
enum { MAX_ROOM = 8192 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *out, *more;
	size_t room, len, more_len;
	bool ok, more_ok;
	struct cursor c;
	uint16_t word;

	cur_init(&c, data, size, 0);
	if (!cur_u16(&c, &word))
		return 0;
	room = word % (MAX_ROOM + 1);
	out = malloc(room + 1);
	more = malloc(2 * MAX_ROOM);
	must(out && more);
	memset(out, 0x55, room + 1);
	memset(more, 0xaa, 2 * MAX_ROOM);
	ok = xpress_decompress(data + c.pos, cur_left(&c), out, room, &len);
	more_ok = xpress_decompress(data + c.pos, cur_left(&c), more, 2 * MAX_ROOM, &more_len);
	must(len <= room && more_len <= 2 * MAX_ROOM && out[room] == 0x55);
	must(more_len >= len && memcmp(out, more, len) == 0);
	must(!more_ok || !(ok && len < room) || more_len == len);
	free(out);
	free(more);
	return 0;
}
