/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "codec/codec.h"
#include "fuzz.h"

/*
 * A byte that chooses the codec, two for the room, then what is compressed. Nothing is written past
 * the room, a failure says 0 bytes, and the same input gives the same bytes.
 */
enum { MAX_ROOM = 1 << 16, MAX_INPUT = 1 << 16 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool run(enum codec codec, const struct cursor *in, uint8_t *out, size_t room, size_t *len)
{
	struct decoder *d;
	struct error *err = decoder_create(codec, &d);

	must(!err);
	/* twice: what the first left in the decoder's state does not matter */
	for (int i = 0; i < 2; i++) {
		error_destroy(err);
		err = decoder_run(d, in->base + in->pos, cur_left(in), out, room, len);
		must(err ? *len == 0 : *len <= room);
	}
	decoder_destroy(d);
	error_destroy(err);
	return !err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room, len, again_len;
	uint8_t *out, *again, codec;
	struct cursor c;
	uint16_t word;
	bool ok;

	cur_init(&c, data, size, 0);
	if (size > MAX_INPUT || !cur_u8(&c, &codec) || !cur_u16(&c, &word) ||
	    !codec_is_built_in(codec % NUM_CODECS))
		return 0;
	room = word + 1u;
	out = malloc(room + 1);
	again = malloc(MAX_ROOM + 1);
	must(out && again);
	memset(out, 0x55, room + 1);
	memset(again, 0xaa, MAX_ROOM + 1);
	ok = run(codec % NUM_CODECS, &c, out, room, &len);
	must(out[room] == 0x55);
	must(run(codec % NUM_CODECS, &c, again, room, &again_len) == ok && again_len == len);
	must(memcmp(out, again, len) == 0);
	free(out);
	free(again);
	return 0;
}
