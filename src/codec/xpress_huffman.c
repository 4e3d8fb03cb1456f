/* SPDX-License-Identifier: MIT */
#include "codec/xpress_huffman.h"

#include "base/cursor.h"

enum {
	NUM_SYMBOLS = 512,
	NUM_LITERALS = 256,
	MAX_CODE = 15,	 /* bits of a code */
	TABLE_BITS = 11, /* codes up to this long are found at once */
	SYMBOL_BITS = 9, /* of a table entry; above: the code's length */
	MIN_MATCH = 3,
	LENGTH_BITS = 4,
	LENGTH_MAX = 15, /* of the symbol: a byte follows */
	BYTE_MAX = 255,	 /* of the byte: a word follows */
	WORD_BITS = 16,
	COPY = 8, /* bytes of a match at once */
};

/*
 * A canonical code: shorter codes first, symbols of one length in order. Codes above TABLE_BITS
 * are found by comparing with the end of each length's codes.
 */
struct code {
	uint16_t table[1 << TABLE_BITS]; /* length << SYMBOL_BITS | symbol; 0: longer */
	uint16_t sorted[NUM_SYMBOLS];
	uint32_t end[MAX_CODE + 1];   /* one past the last code of a length, in MAX_CODE bits */
	uint16_t first[MAX_CODE + 1]; /* index in sorted of a length's first symbol */
	uint32_t start[MAX_CODE + 1]; /* its code, in MAX_CODE bits */
};

/*
 * The next bits, highest first. A word is taken as soon as fewer than WORD_BITS are left: bytes of
 * lengths lie behind the words taken before them.
 */
struct bits {
	const uint8_t *in, *end; /* bytes that are not taken yet */
	uint32_t next;
	unsigned have;
};

static unsigned code_length(const uint8_t *lengths, size_t symbol)
{
	return symbol % 2 ? lengths[symbol / 2] >> 4 : lengths[symbol / 2] & 0xf;
}

static void fill_table(struct code *code, const uint8_t *lengths, const unsigned *counts)
{
	uint16_t at[MAX_CODE + 1];

	for (unsigned bits = 1, index = 0; bits <= MAX_CODE; index += counts[bits], bits++)
		at[bits] = code->first[bits] = (uint16_t)index;
	for (size_t symbol = 0; symbol < NUM_SYMBOLS; symbol++) {
		unsigned bits = code_length(lengths, symbol);
		if (bits)
			code->sorted[at[bits]++] = (uint16_t)symbol;
	}
	memset(code->table, 0, sizeof(code->table));
	for (unsigned bits = 1, index = 0, entry = 0; bits <= TABLE_BITS; bits++) {
		for (unsigned i = 0; i < counts[bits]; i++, index++) {
			uint16_t value = (uint16_t)(bits << SYMBOL_BITS | code->sorted[index]);
			for (unsigned n = 1u << (TABLE_BITS - bits); n; n--)
				code->table[entry++] = value;
		}
	}
}

/* False unless the lengths are a prefix code that uses all of its space, as [MS-XCA] 2.2.4 asks. */
static bool code_init(struct code *code, const uint8_t *lengths)
{
	unsigned counts[MAX_CODE + 1] = { 0 };
	uint32_t used = 0;

	for (size_t symbol = 0; symbol < NUM_SYMBOLS; symbol++)
		counts[code_length(lengths, symbol)]++;
	for (unsigned bits = 1; bits <= MAX_CODE; bits++) {
		code->start[bits] = used;
		used += counts[bits] << (MAX_CODE - bits);
		code->end[bits] = used;
	}
	if (used != 1u << MAX_CODE)
		return false;
	fill_table(code, lengths, counts);
	return true;
}

static bool take_word(struct bits *b, uint16_t *ret)
{
	if (b->end - b->in < 2)
		return false;
	*ret = load_u16(b->in);
	b->in += 2;
	return true;
}

static void refill(struct bits *b)
{
	uint16_t word;

	if (b->have < WORD_BITS && take_word(b, &word)) {
		b->next |= (uint32_t)word << (WORD_BITS - b->have);
		b->have += WORD_BITS;
	}
}

static bool drop(struct bits *b, unsigned count)
{
	if (count > b->have)
		return false;
	b->next <<= count;
	b->have -= count;
	refill(b);
	return true;
}

static bool take_symbol(struct bits *b, const struct code *code, unsigned *ret)
{
	uint32_t next = b->next >> (32 - MAX_CODE);
	unsigned entry = code->table[next >> (MAX_CODE - TABLE_BITS)];
	unsigned bits = entry >> SYMBOL_BITS;

	if (entry) {
		*ret = entry & (NUM_SYMBOLS - 1);
		return drop(b, bits);
	}
	for (bits = TABLE_BITS + 1; next >= code->end[bits]; bits++)
		continue; /* the last length ends where codes end */
	*ret = code->sorted[code->first[bits] + ((next - code->start[bits]) >> (MAX_CODE - bits))];
	return drop(b, bits);
}

/* The rest of a length that fills its bits of the symbol; *ret counts from MIN_MATCH. */
static bool take_length(struct bits *b, uint32_t *ret)
{
	uint16_t word;
	uint8_t byte;

	/* a word that is missing would come before it */
	if (b->have < WORD_BITS || b->in == b->end)
		return false;
	byte = *b->in++;
	*ret = byte + (uint32_t)LENGTH_MAX;
	if (byte < BYTE_MAX)
		return true;
	if (!take_word(b, &word))
		return false;
	*ret = word;
	return word >= LENGTH_MAX;
}

static bool copy_match(struct bits *b, unsigned symbol, uint8_t *out, size_t out_len, size_t *pos)
{
	unsigned offset_bits = (symbol - NUM_LITERALS) >> LENGTH_BITS;
	uint32_t length = symbol & LENGTH_MAX;
	size_t distance, end;

	if (length == LENGTH_MAX && !take_length(b, &length))
		return false;
	/* in 64 bits: a shift by all 32 when there are no bits */
	distance = ((size_t)1 << offset_bits) + (size_t)((uint64_t)b->next >> (32 - offset_bits));
	if (!drop(b, offset_bits) || distance > *pos || out_len - *pos < MIN_MATCH ||
	    length > out_len - *pos - MIN_MATCH)
		return false;
	end = *pos + length + MIN_MATCH;
	if (distance >= COPY && out_len - end >= COPY) {
		for (; *pos < end; *pos += COPY) /* and a little more, to be overwritten */
			memcpy(out + *pos, out + *pos - distance, COPY);
		*pos = end;
	}
	/* byte by byte: a match may overlap what it writes */
	for (; *pos < end; ++*pos)
		out[*pos] = out[*pos - distance];
	return true;
}

static bool decode(struct bits *b, const struct code *code, uint8_t *out, size_t out_len,
		   size_t *pos)
{
	while (*pos < out_len) {
		unsigned symbol;

		if (!take_symbol(b, code, &symbol))
			return false;
		if (symbol < NUM_LITERALS)
			out[(*pos)++] = (uint8_t)symbol;
		else if (!copy_match(b, symbol, out, out_len, pos))
			return false;
	}
	return true;
}

bool xpress_huffman_decompress(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len,
			       size_t *out_len_ret)
{
	struct bits b = { .end = in + in_len };
	struct code code;
	uint16_t word;
	size_t pos = 0;
	bool ok;

	*out_len_ret = 0;
	if (out_len > XPRESS_HUFFMAN_CHUNK || in_len < NUM_SYMBOLS / 2 || !code_init(&code, in))
		return false;
	b.in = in + NUM_SYMBOLS / 2;
	if (take_word(&b, &word)) {
		b.next = (uint32_t)word << WORD_BITS;
		b.have = WORD_BITS;
	}
	if (take_word(&b, &word)) {
		b.next |= word;
		b.have += WORD_BITS;
	}
	ok = decode(&b, &code, out, out_len, &pos);
	*out_len_ret = pos;
	return ok;
}
