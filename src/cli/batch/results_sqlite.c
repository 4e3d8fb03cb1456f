/* SPDX-License-Identifier: MIT */
#include "cli/batch/results.h"

#ifdef HAVE_SQLITE3

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* One transaction a record: an end of the machine may undo the last ones, and no more. Tables of
 * commands are made when their first record comes. */
struct table {
	const struct command *command;
	sqlite3_stmt *insert;
};

struct sqlite {
	struct results base;
	sqlite3 *db;
	char *path; /* owned */
	int64_t last_id;
	bool is_writing; /* from the first record on: a file that is refused stays as it is */
	sqlite3_stmt *insert_snapshot, *insert_message, *insert_error;
	struct table tables[PLAN_MAX];
	size_t num_tables;
	struct arena arena; /* of one value */
};

static struct error *db_error(const struct sqlite *s)
{
	return error_new(ERROR_OS, "%s: %s", s->path, sqlite3_errmsg(s->db));
}

static struct error *execute(struct sqlite *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? NULL : db_error(s);
}

/* What put writes, as a string of the heap; NULL: out of memory. */
static char *sql_text(void (*put)(FILE *out, const void *arg), const void *arg)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	put(out, arg);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void put_base(FILE *out, const void *arg)
{
	(void)arg;
	sql_put_base(out);
}

static void put_table(FILE *out, const void *command)
{
	sql_put_table(out, command);
}

static void put_table_name(FILE *out, const void *command)
{
	sql_put_name(out, command);
}

static struct error *prepare(struct sqlite *s, const char *table, size_t values, sqlite3_stmt **ret)
{
	char *sql = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&sql, &len);
	struct error *err = NULL;

	if (!out)
		return &error_no_memory;
	sql_put_insert(out, table, values);
	if (fclose(out) != 0)
		err = &error_no_memory;
	else if (sqlite3_prepare_v2(s->db, sql, -1, ret, NULL) != SQLITE_OK)
		err = db_error(s);
	free(sql);
	return err;
}

static size_t count_snapshot_columns(void)
{
	size_t count = 1;

	for (size_t i = 0; i < num_record_members; i++)
		count += record_members[i].sql_type != NULL;
	return count;
}

static struct error *prepare_base(struct sqlite *s)
{
	struct error *err;

	if ((err = prepare(s, "snapshots", count_snapshot_columns(), &s->insert_snapshot)) ||
	    (err = prepare(s, "messages", 4, &s->insert_message)))
		return err;
	return prepare(s, "errors", 4, &s->insert_error);
}

static struct error *sqlite_close(struct results *r)
{
	struct sqlite *s = (struct sqlite *)r;
	struct error *err = NULL;

	sqlite3_finalize(s->insert_snapshot);
	sqlite3_finalize(s->insert_message);
	sqlite3_finalize(s->insert_error);
	for (size_t i = 0; i < s->num_tables; i++)
		sqlite3_finalize(s->tables[i].insert);
	/* What is left is one file, which opens from read-only media, too. */
	if (s->is_writing)
		sqlite3_exec(s->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	if (s->db && sqlite3_close(s->db) != SQLITE_OK)
		err = db_error(s);
	arena_deinit(&s->arena);
	free(s->path);
	free(s);
	return err;
}

static struct error *open_db(const char *path, struct sqlite **ret)
{
	struct sqlite *s = calloc(1, sizeof(*s));
	struct error *err = NULL;

	if (!s)
		return &error_no_memory;
	s->base.ops = &results_sqlite;
	arena_init(&s->arena, 0);
	s->path = strdup(path);
	if (!s->path)
		err = &error_no_memory;
	else if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		err = db_error(s);
	if (err)
		error_destroy(sqlite_close(&s->base));
	else
		*ret = s;
	return err;
}

static struct error *create_tables(struct sqlite *s)
{
	char *sql = sql_text(put_base, NULL);
	struct error *err = sql ? execute(s, "BEGIN") : &error_no_memory;

	if (!err)
		err = execute(s, sql);
	free(sql);
	if (!err)
		err = execute(s, "COMMIT");
	return err ? err : prepare_base(s);
}

static struct error *sqlite_create(const char *path, bool force, struct results **ret)
{
	struct sqlite *s;
	struct error *err;
	int fd;

	if (force && unlink(path) < 0 && errno != ENOENT)
		return error_os(errno, "%s", path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return error_new(ERROR_USAGE,
				 "%s is there: --resume goes on with it, --force replaces it",
				 path);
	if (fd < 0)
		return error_os(errno, "%s", path);
	close(fd);
	if ((err = open_db(path, &s)))
		return err;
	if ((err = create_tables(s)))
		error_destroy(sqlite_close(&s->base));
	else
		*ret = &s->base;
	return err;
}

/* A number that a PRAGMA tells. */
static struct error *read_pragma(struct sqlite *s, const char *sql, int *ret)
{
	sqlite3_stmt *stmt;
	struct error *err = NULL;

	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return db_error(s);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		*ret = sqlite3_column_int(stmt, 0);
	else
		err = db_error(s);
	sqlite3_finalize(stmt);
	return err;
}

/* A run that ended before its first transaction left an empty file. */
static struct error *check_version(struct sqlite *s, bool *is_empty_ret)
{
	int application = 0, version = 0, schema = 0;
	struct error *err;

	if ((err = read_pragma(s, "PRAGMA application_id", &application)) ||
	    (err = read_pragma(s, "PRAGMA user_version", &version)) ||
	    (err = read_pragma(s, "PRAGMA schema_version", &schema)))
		return err;
	*is_empty_ret = schema == 0;
	if (*is_empty_ret)
		return NULL;
	if (application != SQL_APPLICATION_ID)
		return error_new(ERROR_CORRUPT, "%s: not a database of 'ntscope batch'", s->path);
	if (version != RECORD_VERSION)
		return error_new(ERROR_UNSUPPORTED,
				 "%s: results of version %d of the schema, expected version %d",
				 s->path, version, RECORD_VERSION);
	return NULL;
}

/* JSON of a column of text. */
static struct span json_of(struct arena *arena, sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	const char *json = text ? arena_printf(arena, "\"%s\"", text) : "null";

	return (struct span){ json ? json : "", json ? strlen(json) : 0 };
}

static struct error *read_done_row(struct sqlite *s, sqlite3_stmt *stmt, results_done_fn *done,
				   void *arg)
{
	const char *run = (const char *)sqlite3_column_text(stmt, 1);
	const char *path = (const char *)sqlite3_column_text(stmt, 2);
	struct span hex = json_of(&s->arena, stmt, 3);
	struct record_head head = {
		.run = { run, run ? strlen(run) : 0 },
		.path = path,
		.size = (uint64_t)sqlite3_column_int64(stmt, 4),
		.modified = json_of(&s->arena, stmt, 5),
	};

	s->last_id = sqlite3_column_int64(stmt, 0);
	if (!span_is(&hex, "null"))
		head.path = record_path_from_hex(&s->arena, &hex);
	if (!head.path || !run)
		return error_new(ERROR_CORRUPT, "a record without a path");
	return done(arg, &head);
}

static struct error *read_done(struct sqlite *s, results_done_fn *done, void *arg)
{
	static const char sql[] = "SELECT id, run, path, path_hex, size, modified FROM snapshots "
				  "ORDER BY id";
	struct error *err = NULL;
	sqlite3_stmt *stmt;
	int step;

	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return db_error(s);
	while (!err && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
		err = read_done_row(s, stmt, done, arg);
		arena_reset(&s->arena);
		if (err)
			err = error_wrap(err, "%s: record %" PRId64, s->path, s->last_id);
	}
	if (!err && step != SQLITE_DONE)
		err = db_error(s);
	sqlite3_finalize(stmt);
	return err;
}

static struct error *sqlite_resume(const char *path, results_done_fn *done, void *arg,
				   struct results **ret)
{
	struct sqlite *s;
	struct error *err;
	bool is_empty;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return error_new(ERROR_NOT_FOUND, "%s: not there", path);
	if ((err = open_db(path, &s)))
		return err;
	err = check_version(s, &is_empty);
	if (!err)
		err = is_empty ? create_tables(s) : prepare_base(s);
	if (!err)
		err = read_done(s, done, arg);
	if (err)
		error_destroy(sqlite_close(&s->base));
	else
		*ret = &s->base;
	return err;
}

/* Text without its quotes and escapes; an embedded NUL is U+2400. */
static char *plain_text(struct arena *arena, const struct span *value)
{
	json_t *json = json_loadb(value->text, value->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	size_t len = json ? json_string_length(json) : 0;
	const char *text = json ? json_string_value(json) : NULL;
	char *copy = text ? arena_alloc(arena, 3 * len + 1) : NULL, *to = copy;

	for (size_t i = 0; copy && i < len; i++) {
		if (text[i]) {
			*to++ = text[i];
		} else {
			memcpy(to, "\xe2\x90\x80", 3);
			to += 3;
		}
	}
	json_decref(json);
	return copy;
}

static bool bind_number(sqlite3_stmt *stmt, int at, const char *text)
{
	uint64_t number;

	if (strpbrk(text, ".eE"))
		return sqlite3_bind_double(stmt, at, strtod(text, NULL)) == SQLITE_OK;
	if (*text == '-')
		return sqlite3_bind_int64(stmt, at, strtoll(text, NULL, 10)) == SQLITE_OK;
	if (!text_parse_u64(text, &number))
		return false;
	if (number <= INT64_MAX)
		return sqlite3_bind_int64(stmt, at, (int64_t)number) == SQLITE_OK;
	return sqlite3_bind_text(stmt, at, sqlite3_mprintf("0x%016llx", number), -1,
				 sqlite3_free) == SQLITE_OK;
}

/* A value as its column's type has it (results.h). False: no JSON, or out of memory. */
static bool bind_value(struct sqlite *s, sqlite3_stmt *stmt, int at, enum cell_type type,
		       const struct span *value)
{
	uint64_t address;
	char *text;

	if (span_is(value, "null"))
		return sqlite3_bind_null(stmt, at) == SQLITE_OK;
	if (span_is(value, "true") || span_is(value, "false"))
		return sqlite3_bind_int(stmt, at, *value->text == 't') == SQLITE_OK;
	if (*value->text == '[' || *value->text == '{')
		return sqlite3_bind_text64(stmt, at, value->text, value->len, SQLITE_TRANSIENT,
					   SQLITE_UTF8) == SQLITE_OK;
	text = *value->text == '"' ? plain_text(&s->arena, value)
				   : arena_strndup(&s->arena, value->text, value->len);
	if (!text)
		return false;
	if (*value->text != '"')
		return bind_number(stmt, at, text);
	if (type == CELL_ADDR && text_parse_u64(text, &address))
		text = arena_printf(&s->arena, "0x%016" PRIx64, address);
	return text && sqlite3_bind_text(stmt, at, text, -1, SQLITE_TRANSIENT) == SQLITE_OK;
}

/* Runs an insertion whose values are bound. */
static struct error *insert(struct sqlite *s, sqlite3_stmt *stmt)
{
	struct error *err = sqlite3_step(stmt) == SQLITE_DONE ? NULL : db_error(s);

	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	arena_reset(&s->arena);
	return err;
}

static struct error *bad_record(const struct sqlite *s)
{
	return error_new(ERROR_CORRUPT, "%s: a record that is no JSON", s->path);
}

/* messages: objects of kind and text. errors: members. */
static struct error *insert_list(struct sqlite *s, sqlite3_stmt *stmt, struct span list,
				 bool is_messages)
{
	struct span item, inside, key, first, second;
	struct error *err = NULL;

	for (int64_t number = 1; list.len && !err; number++) {
		if (is_messages) {
			if (!span_next_item(&list, &item) || !span_inside(&item, '{', &inside) ||
			    !span_next_member(&inside, &key, &first) ||
			    !span_next_member(&inside, &key, &second))
				return bad_record(s);
		} else {
			if (!span_next_member(&list, &first, &second))
				return bad_record(s);
			/* a member's key, with its quotes */
			first = (struct span){ first.text - 1, first.len + 2 };
		}
		if (sqlite3_bind_int64(stmt, 1, s->last_id) != SQLITE_OK ||
		    sqlite3_bind_int64(stmt, 2, number) != SQLITE_OK ||
		    !bind_value(s, stmt, 3, CELL_STR, &first) ||
		    !bind_value(s, stmt, 4, CELL_STR, &second))
			return bad_record(s);
		err = insert(s, stmt);
	}
	return err;
}

static struct error *add_table(struct sqlite *s, const struct command *command, struct table **ret)
{
	struct table *t = &s->tables[s->num_tables];
	char *sql = sql_text(put_table, command), *name = sql_text(put_table_name, command);
	struct error *err = NULL;
	char *create =
		sql ? sqlite3_mprintf("CREATE TABLE IF NOT EXISTS%s", sql + strlen("CREATE TABLE"))
		    : NULL;

	if (!create || !name)
		err = &error_no_memory;
	else if (s->num_tables == PLAN_MAX)
		err = error_new(ERROR_LIMIT, "%s: more than %d tables", s->path, PLAN_MAX);
	else if (!(err = execute(s, create)))
		err = prepare(s, name, SQL_FIRST_COLUMN + command->num_columns, &t->insert);
	sqlite3_free(create);
	free(sql);
	free(name);
	if (err)
		return err;
	t->command = command;
	s->num_tables++;
	*ret = t;
	return NULL;
}

static struct error *find_table(struct sqlite *s, const struct span *name, struct table **ret)
{
	for (size_t i = 0; i < s->num_tables; i++) {
		if (span_is(name, s->tables[i].command->name)) {
			*ret = &s->tables[i];
			return NULL;
		}
	}
	for (size_t i = 0; i < num_commands; i++) {
		if (span_is(name, commands[i]->name))
			return add_table(s, commands[i], ret);
	}
	return error_new(ERROR_UNSUPPORTED, "%s: rows of an unknown command '%.*s'", s->path,
			 (int)(name->len < 64 ? name->len : 64), name->text);
}

static struct error *insert_row(struct sqlite *s, const struct table *t, int64_t number,
				const struct span *row)
{
	struct span inside, key, value;

	if (!span_inside(row, '{', &inside) ||
	    sqlite3_bind_int64(t->insert, 1, s->last_id) != SQLITE_OK ||
	    sqlite3_bind_int64(t->insert, 2, number) != SQLITE_OK)
		return bad_record(s);
	while (inside.len) {
		size_t i = 0;

		if (!span_next_member(&inside, &key, &value))
			return bad_record(s);
		while (i < t->command->num_columns && !span_is(&key, t->command->columns[i].key))
			i++;
		if (i < t->command->num_columns &&
		    !bind_value(s, t->insert, SQL_FIRST_COLUMN + 1 + (int)i,
				t->command->columns[i].type, &value))
			return bad_record(s);
	}
	return insert(s, t->insert);
}

static struct error *insert_rows(struct sqlite *s, const struct span *name, const struct span *rows)
{
	struct table *t = NULL;
	struct error *err = find_table(s, name, &t);
	struct span inside, row;

	if (err || span_is(rows, "null"))
		return err;
	if (*rows->text == '{')
		return insert_row(s, t, 1, rows);
	if (!span_inside(rows, '[', &inside))
		return bad_record(s);
	for (int64_t number = 1; inside.len && !err; number++)
		err = span_next_item(&inside, &row) ? insert_row(s, t, number, &row)
						    : bad_record(s);
	return err;
}

/* Binds what is a column, and keeps the two lists for later; *rest is moved to the rows. */
static struct error *insert_snapshot(struct sqlite *s, struct span *rest, struct span lists[2])
{
	sqlite3_stmt *stmt = s->insert_snapshot;
	struct span key, value;
	int at = 1;

	if (sqlite3_bind_int64(stmt, at++, ++s->last_id) != SQLITE_OK)
		return db_error(s);
	for (size_t i = 0; i < num_record_members; i++) {
		const struct record_member *m = &record_members[i];

		if (!span_next_member(rest, &key, &value) || !span_is(&key, m->key))
			return bad_record(s);
		if (m->sql_type && !bind_value(s, stmt, at++, CELL_STR, &value))
			return bad_record(s);
		if (span_is(&key, "messages") && !span_inside(&value, '[', &lists[0]))
			return bad_record(s);
		if (span_is(&key, "errors") && !span_inside(&value, '{', &lists[1]))
			return bad_record(s);
	}
	return insert(s, stmt);
}

static struct error *insert_record(struct sqlite *s, const struct span *record)
{
	struct span rest, lists[2] = { 0 }, key, value;
	struct error *err;

	if (!span_inside(record, '{', &rest))
		return bad_record(s);
	if ((err = insert_snapshot(s, &rest, lists)) ||
	    (err = insert_list(s, s->insert_message, lists[0], true)) ||
	    (err = insert_list(s, s->insert_error, lists[1], false)))
		return err;
	while (rest.len && !err)
		err = span_next_member(&rest, &key, &value) ? insert_rows(s, &key, &value)
							    : bad_record(s);
	return err;
}

static struct error *sqlite_add(struct results *r, const struct span *record)
{
	struct sqlite *s = (struct sqlite *)r;
	struct error *err = NULL;

	if (!s->is_writing)
		err = execute(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
	s->is_writing = true;
	if (err || (err = execute(s, "BEGIN IMMEDIATE")))
		return err;
	err = insert_record(s, record);
	if (!err)
		return execute(s, "COMMIT");
	error_destroy(execute(s, "ROLLBACK"));
	return err;
}

const struct results_ops results_sqlite = {
	.create = sqlite_create,
	.resume = sqlite_resume,
	.add = sqlite_add,
	.close = sqlite_close,
};

#else /* without the library */

static struct error *no_sqlite(const char *path)
{
	return error_new(ERROR_UNSUPPORTED,
			 "%s: this program was built without sqlite3; use a name that ends in "
			 ".jsonl",
			 path);
}

static struct error *sqlite_create(const char *path, bool force, struct results **ret)
{
	(void)force;
	(void)ret;
	return no_sqlite(path);
}

static struct error *sqlite_resume(const char *path, results_done_fn *done, void *arg,
				   struct results **ret)
{
	(void)done;
	(void)arg;
	(void)ret;
	return no_sqlite(path);
}

/* Neither add nor close: there is nothing to call them on. */
const struct results_ops results_sqlite = {
	.create = sqlite_create,
	.resume = sqlite_resume,
};

#endif
