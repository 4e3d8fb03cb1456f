/* SPDX-License-Identifier: MIT */
#include "api/table.h"

#include <string.h>

#include "base/text.h"
#include "output/cell_text.h"

int nts_table_status(const struct nts_table *t)
{
	return t->status;
}

const char *nts_table_message(const struct nts_table *t, size_t index,
			      enum nts_message_kind *kind_ret)
{
	return kept_message(&t->messages, index, kind_ret);
}

const void *nts_table_output(const struct nts_table *t, size_t *size_ret)
{
	if (!t->output_size)
		return NULL;
	*size_ret = t->output_size;
	return t->output;
}

size_t nts_table_rows(const struct nts_table *t)
{
	return t->rows.count;
}

static const struct column *column_at(const struct nts_table *t, size_t column)
{
	return column < t->num_shown ? &t->rows.columns[t->shown[column]] : NULL;
}

const struct nts_column *nts_table_column(const struct nts_table *t, size_t index)
{
	return (const struct nts_column *)column_at(t, index);
}

/* A cell with a value, and its type; NULL: there is none. */
static const struct cell *cell_at(const struct nts_table *t, size_t row, size_t column,
				  enum cell_type *type_ret)
{
	const struct column *c = column_at(t, column);
	const struct cell *cell;

	if (!c || row >= t->rows.count)
		return NULL;
	cell = &t->rows.items[row].cells[t->shown[column]];
	*type_ret = c->type;
	return cell_has_value(c->type, cell) ? cell : NULL;
}

int nts_cell_present(const struct nts_table *t, size_t row, size_t column)
{
	enum cell_type type;

	return cell_at(t, row, column, &type) != NULL;
}

static size_t count_items(const struct cell *cell, enum cell_type type)
{
	switch (type) {
	case CELL_ADDRS:
		return cell->addrs.count;
	case CELL_STRS:
		return cell->strs.count;
	case CELL_BYTES:
		return cell->bytes.count;
	case CELL_EXPLAINED:
		return cell->explained.count;
	case CELL_U64:
	case CELL_I64:
	case CELL_ADDR:
	case CELL_STR:
	case CELL_TIME:
	case CELL_BOOL:
		break;
	}
	return 1;
}

size_t nts_cell_count(const struct nts_table *t, size_t row, size_t column)
{
	enum cell_type type;
	const struct cell *cell = cell_at(t, row, column, &type);

	return cell ? count_items(cell, type) : 0;
}

/* As cell_at(), of a cell that has an item of this index. */
static const struct cell *cell_with(const struct nts_table *t, size_t row, size_t column,
				    size_t index, enum cell_type *type_ret)
{
	const struct cell *cell = cell_at(t, row, column, type_ret);

	return cell && index < count_items(cell, *type_ret) ? cell : NULL;
}

/* False: a type whose values are not numbers. */
static bool number_of(const struct cell *cell, enum cell_type type, size_t index, uint64_t *ret)
{
	switch (type) {
	case CELL_U64:
	case CELL_ADDR:
	case CELL_TIME:
		*ret = cell->u64;
		return true;
	case CELL_I64:
		*ret = (uint64_t)cell->i64;
		return true;
	case CELL_BOOL:
		*ret = cell->boolean;
		return true;
	case CELL_ADDRS:
		*ret = cell->addrs.items[index];
		return true;
	case CELL_EXPLAINED:
		*ret = cell->explained.items[index].value;
		return true;
	case CELL_STR:
	case CELL_STRS:
	case CELL_BYTES:
		break;
	}
	return false;
}

int nts_cell_u64(const struct nts_table *t, size_t row, size_t column, size_t index, uint64_t *ret)
{
	enum cell_type type;
	const struct cell *cell = cell_with(t, row, column, index, &type);

	return cell && number_of(cell, type, index, ret);
}

const char *nts_cell_text(const struct nts_table *t, size_t row, size_t column, size_t index)
{
	enum cell_type type;
	const struct cell *cell = cell_with(t, row, column, index, &type);

	if (!cell)
		return NULL;
	if (type == CELL_STR)
		return cell->str;
	if (type == CELL_STRS)
		return cell->strs.items[index];
	return type == CELL_EXPLAINED ? cell->explained.items[index].meaning : NULL;
}

const char *nts_cell_detail(const struct nts_table *t, size_t row, size_t column, size_t index)
{
	enum cell_type type;
	const struct cell *cell = cell_with(t, row, column, index, &type);

	return cell && type == CELL_EXPLAINED ? cell->explained.items[index].detail : NULL;
}

const uint8_t *nts_cell_bytes(const struct nts_table *t, size_t row, size_t column)
{
	enum cell_type type;
	const struct cell *cell = cell_at(t, row, column, &type);

	return cell && type == CELL_BYTES ? cell->bytes.bytes : NULL;
}

/* Where a column is written to, or only measured. */
struct packer {
	uint8_t *out; /* NULL: measured */
	size_t used;
};

static void put(struct packer *p, const void *bytes, size_t len)
{
	if (p->out && len)
		memcpy(p->out + p->used, bytes, len);
	p->used += len;
}

static void put_text(struct packer *p, const char *s)
{
	static const char replacement[] = "\xef\xbf\xbd";
	const char *next;

	while (*s) {
		size_t plain = 0;

		while (s[plain] && (unsigned char)s[plain] < 0x80)
			plain++;
		put(p, s, plain);
		s += plain;
		if (!*s)
			break;
		next = s;
		if (strncmp(s, "\xc0\x80", 2) == 0) {
			put(p, "", 1);
			next = s + 2;
		} else if (text_next(&next) == 0xfffd) {
			put(p, replacement, sizeof(replacement) - 1);
		} else {
			put(p, s, (size_t)(next - s));
		}
		s = next;
	}
}

static void pack_numbers(const struct nts_table *t, size_t column, uint8_t *out)
{
	uint8_t *present = out + t->rows.count * sizeof(uint64_t);

	for (size_t i = 0; i < t->rows.count; i++) {
		uint64_t value = 0;

		present[i] = (uint8_t)nts_cell_u64(t, i, column, 0, &value);
		memcpy(out + i * sizeof(value), &value, sizeof(value));
	}
}

/* out NULL: only measured. */
static size_t pack_texts(const struct nts_table *t, size_t column, uint8_t *out)
{
	const size_t head = t->rows.count * (sizeof(uint64_t) + 1);
	struct packer p = { .out = out ? out + head : NULL };

	for (size_t i = 0; i < t->rows.count; i++) {
		enum cell_type type;
		const struct cell *cell = cell_at(t, i, column, &type);
		uint64_t end;

		if (cell && type == CELL_BYTES)
			put(&p, cell->bytes.bytes, cell->bytes.count);
		else if (cell)
			put_text(&p, cell->str);
		end = p.used;
		if (!out)
			continue;
		memcpy(out + i * sizeof(end), &end, sizeof(end));
		out[t->rows.count * sizeof(end) + i] = cell != NULL;
	}
	return head + p.used;
}

size_t nts_table_copy_column(const struct nts_table *t, size_t column, void *buf, size_t size)
{
	const struct column *c = column_at(t, column);
	size_t need;

	if (!c || c->type == CELL_ADDRS || c->type == CELL_STRS || c->type == CELL_EXPLAINED)
		return 0;
	if (c->type == CELL_STR || c->type == CELL_BYTES) {
		need = pack_texts(t, column, NULL);
		if (buf && size >= need)
			pack_texts(t, column, buf);
		return need;
	}
	need = t->rows.count * (sizeof(uint64_t) + 1);
	if (buf && size >= need)
		pack_numbers(t, column, buf);
	return need;
}
