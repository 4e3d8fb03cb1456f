/* SPDX-License-Identifier: MIT */
#include "windows/symbols/pdb/pdb.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "windows/symbols/pdb/codeview.h"
#include "windows/symbols/pdb/dbi.h"
#include "windows/symbols/pdb/types.h"

/* Streams of fixed number. */
enum { STREAM_INFO = 1, STREAM_TYPES = 2, STREAM_DBI = 3 };

enum {
	INFO_VERSION_70 = 20000404, /* the first with a GUID */
	INFO_SIZE = 28,
	MACHINE_AMD64 = 0x8664,
};

struct pdb {
	struct profile_source source;
	struct file file; /* zeroed if the bytes are the caller's */
	struct msf msf;
	struct pdb_types types;
	struct pdb_dbi dbi;
	struct record_stream symbols;
	struct name_table names; /* of symbols, to the offsets of their records */
	struct symbol_identity identity;
	char *pdb_name; /* owned */
};

static const struct pdb *as_pdb(const struct profile_source *src)
{
	return (const struct pdb *)src;
}

/* Types. */

static bool pdb_find(const struct profile_source *src, const char *name, struct type_node *ret)
{
	return pdb_types_find(&as_pdb(src)->types, name, ret);
}

static bool pdb_node(const struct profile_source *src, struct type_ref type, struct type_node *ret)
{
	return pdb_types_node(&as_pdb(src)->types, type, ret);
}

static void pdb_each_member(const struct profile_source *src, struct type_ref definition,
			    member_visit_fn *visit, void *arg)
{
	pdb_types_each_member(&as_pdb(src)->types, definition, visit, arg);
}

static void pdb_each_constant(const struct profile_source *src, struct type_ref definition,
			      constant_visit_fn *visit, void *arg)
{
	pdb_types_each_constant(&as_pdb(src)->types, definition, visit, arg);
}

static void pdb_each_type(const struct profile_source *src, name_visit_fn *visit, void *arg)
{
	pdb_types_each_name(&as_pdb(src)->types, visit, arg);
}

/* Symbols. */

static bool symbol_rva(const struct pdb *pdb, const struct record *record, const char **name_ret,
		       uint64_t *rva_ret)
{
	struct symbol_record symbol;

	if (!symbol_record(record->kind, record->data, &symbol) ||
	    !pdb_dbi_rva(&pdb->dbi, symbol.section, symbol.offset, rva_ret))
		return false;
	*name_ret = symbol.name;
	return true;
}

/* Public symbols are unique; several files may have a local variable of the same name, and which
 * of them is meant nobody can say. */
static bool pdb_symbol(const struct profile_source *src, const char *name, uint64_t *rva_ret)
{
	const struct pdb *pdb = as_pdb(src);
	struct name_search search;
	struct record record;
	uint64_t rva, found = 0;
	size_t count = 0;
	const char *candidate;
	uint32_t offset;

	name_search_start(&pdb->names, name, &search);
	while (name_search_next(&pdb->names, &search, &offset)) {
		if (!records_at(&pdb->symbols, offset, &record) ||
		    !symbol_rva(pdb, &record, &candidate, &rva) || strcmp(candidate, name) != 0)
			continue;
		if (record.kind != SYMBOL_LOCAL_DATA) {
			*rva_ret = rva;
			return true;
		}
		count += count == 0 || rva != found;
		found = rva;
	}
	if (count == 1)
		*rva_ret = found;
	return count == 1;
}

static void pdb_each_symbol(const struct profile_source *src, symbol_visit_fn *visit, void *arg)
{
	const struct pdb *pdb = as_pdb(src);
	struct record record = { 0 };
	const char *name;
	uint64_t rva;

	while (records_next(&pdb->symbols, &record))
		if (symbol_rva(pdb, &record, &name, &rva) && !visit(arg, name, rva))
			return;
}

static struct error *add_symbol(void *arg, const struct record *record)
{
	struct pdb *pdb = arg;
	struct symbol_record symbol;

	if (!symbol_record(record->kind, record->data, &symbol))
		return NULL;
	return name_table_add(&pdb->names, symbol.name, record->offset);
}

/* The source. */

static void pdb_destroy(struct profile_source *src)
{
	struct pdb *pdb = (struct pdb *)src;

	name_table_deinit(&pdb->names);
	records_deinit(&pdb->symbols);
	pdb_dbi_deinit(&pdb->dbi);
	pdb_types_deinit(&pdb->types);
	msf_deinit(&pdb->msf);
	file_close(&pdb->file);
	free(pdb->pdb_name);
	free(pdb);
}

static const struct type_graph_ops pdb_graph = {
	.find = pdb_find,
	.node = pdb_node,
	.each_member = pdb_each_member,
	.each_constant = pdb_each_constant,
};

static const struct type_info_ops pdb_info = {
	.each_type = pdb_each_type,
	.each_symbol = pdb_each_symbol,
	.graph = &pdb_graph,
};

static const struct profile_source_ops pdb_ops = {
	.kind = "pdb",
	.type_size = type_graph_size,
	.field = type_graph_field,
	.symbol = pdb_symbol,
	.identity = pdb_identity,
	.info = &pdb_info,
	.destroy = pdb_destroy,
};

const struct symbol_identity *pdb_identity(const struct profile_source *src)
{
	return &as_pdb(src)->identity;
}

/* Opening. */

bool pdb_probe(const uint8_t *bytes, size_t len)
{
	return msf_probe(bytes, len);
}

static struct error *read_info(struct pdb *pdb)
{
	uint32_t version, signature, age;
	uint8_t bytes[INFO_SIZE];
	struct msf_stream stream;
	struct error *err;
	struct cursor c;

	if ((err = msf_open_stream(&pdb->msf, STREAM_INFO, "PDB information", &stream)))
		return err;
	if (!msf_copy(&stream, 0, sizeof(bytes), bytes))
		return error_new(ERROR_CORRUPT, "PDB information: %u bytes; expected at least %d",
				 stream.size, INFO_SIZE);
	cur_init(&c, bytes, sizeof(bytes), 0);
	if (!cur_u32(&c, &version) || !cur_u32(&c, &signature) || !cur_u32(&c, &age) ||
	    !cur_copy(&c, pdb->identity.guid, sizeof(pdb->identity.guid)))
		return cur_error(&c, "PDB information");
	if (version < INFO_VERSION_70)
		return error_new(ERROR_UNSUPPORTED,
				 "PDB information: version %u; expected %d or later", version,
				 INFO_VERSION_70);
	pdb->identity.age = age;
	return NULL;
}

static struct error *read_types(struct pdb *pdb)
{
	struct msf_stream stream;
	struct error *err = msf_open_stream(&pdb->msf, STREAM_TYPES, "type stream", &stream);

	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	return err ? err : pdb_types_init(&pdb->types, &stream);
}

/* The age that an image's CodeView record names is the one here: the other one counts every
 * change of the file. */
static struct error *read_symbols(struct pdb *pdb)
{
	struct msf_stream stream;
	struct error *err = msf_open_stream(&pdb->msf, STREAM_DBI, "DBI stream", &stream);

	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err || stream.size == 0)
		return err;
	if ((err = pdb_dbi_init(&pdb->dbi, &pdb->msf, &stream)))
		return err;
	pdb->identity.age = pdb->dbi.age;
	if (pdb->dbi.machine && pdb->dbi.machine != MACHINE_AMD64)
		return error_new(ERROR_UNSUPPORTED,
				 "DBI stream: symbols of machine 0x%x; expected 0x%x (amd64)",
				 pdb->dbi.machine, MACHINE_AMD64);
	err = records_init(&pdb->symbols, &pdb->dbi.symbols, 0, pdb->dbi.symbols.size,
			   "symbol records", add_symbol, pdb);
	return err ? err : name_table_link(&pdb->names);
}

static struct error *read_streams(struct pdb *pdb, const uint8_t *bytes, size_t len)
{
	struct error *err;

	if ((err = msf_init(&pdb->msf, bytes, len)) || (err = read_info(pdb)) ||
	    (err = read_symbols(pdb)))
		return err;
	return read_types(pdb);
}

struct error *pdb_parse(const uint8_t *bytes, size_t len, const char *pdb_name,
			struct profile_source **ret)
{
	struct pdb *pdb = calloc(1, sizeof(*pdb));
	struct error *err;

	if (!pdb)
		return &error_no_memory;
	pdb->source.ops = &pdb_ops;
	pdb->pdb_name = strdup(pdb_name);
	pdb->identity.pdb_name = pdb->pdb_name;
	err = pdb->pdb_name ? read_streams(pdb, bytes, len) : &error_no_memory;
	if (err) {
		pdb_destroy(&pdb->source);
		return err;
	}
	*ret = &pdb->source;
	return NULL;
}

struct error *pdb_open(const char *path, struct profile_source **ret)
{
	const char *slash = strrchr(path, '/');
	struct file file;
	struct error *err = file_open(&file, path);

	if (err)
		return err;
	err = pdb_parse(file.bytes, file.size, slash ? slash + 1 : path, ret);
	if (err) {
		file_close(&file);
		return error_wrap(err, "%s", path);
	}
	((struct pdb *)*ret)->file = file;
	return NULL;
}
