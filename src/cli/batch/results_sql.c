/* SPDX-License-Identifier: MIT */
#include "cli/batch/results.h"

static const char *const sql_types[] = {
	[CELL_U64] = "INTEGER",	   [CELL_I64] = "INTEGER", [CELL_ADDR] = "TEXT",
	[CELL_STR] = "TEXT",	   [CELL_TIME] = "TEXT",   [CELL_BOOL] = "INTEGER",
	[CELL_ADDRS] = "TEXT",	   [CELL_BYTES] = "TEXT",  [CELL_STRS] = "TEXT",
	[CELL_EXPLAINED] = "TEXT",
};

void sql_put_base(FILE *out)
{
	fprintf(out, "PRAGMA application_id = %d;\nPRAGMA user_version = %d;\n", SQL_APPLICATION_ID,
		RECORD_VERSION);
	fputs("CREATE TABLE snapshots (\n\tid INTEGER PRIMARY KEY", out);
	for (size_t i = 0; i < num_record_members; i++) {
		if (record_members[i].sql_type)
			fprintf(out, ",\n\t%s %s", record_members[i].key,
				record_members[i].sql_type);
	}
	fputs("\n);\n"
	      "CREATE TABLE messages (\n"
	      "\tsnapshot_id INTEGER NOT NULL REFERENCES snapshots (id),\n"
	      "\trow_number INTEGER NOT NULL,\n"
	      "\tkind TEXT NOT NULL,\n"
	      "\ttext TEXT NOT NULL,\n"
	      "\tPRIMARY KEY (snapshot_id, row_number)\n"
	      ") WITHOUT ROWID;\n"
	      "CREATE TABLE errors (\n"
	      "\tsnapshot_id INTEGER NOT NULL REFERENCES snapshots (id),\n"
	      "\trow_number INTEGER NOT NULL,\n"
	      "\tcommand TEXT NOT NULL,\n"
	      "\terror TEXT NOT NULL,\n"
	      "\tPRIMARY KEY (snapshot_id, row_number)\n"
	      ") WITHOUT ROWID;\n",
	      out);
}

void sql_put_name(FILE *out, const struct command *command)
{
	for (const char *p = command->name; *p; p++)
		putc(*p == ' ' ? '_' : *p, out);
}

void sql_put_table(FILE *out, const struct command *command)
{
	fputs("CREATE TABLE \"", out);
	sql_put_name(out, command);
	fputs("\" (\n\tsnapshot_id INTEGER NOT NULL REFERENCES snapshots (id),\n"
	      "\trow_number INTEGER NOT NULL",
	      out);
	for (size_t i = 0; i < command->num_columns; i++)
		fprintf(out, ",\n\t\"%s\" %s", command->columns[i].key,
			sql_types[command->columns[i].type]);
	fputs(",\n\tPRIMARY KEY (snapshot_id, row_number)\n) WITHOUT ROWID;\n", out);
}

void sql_put_insert(FILE *out, const char *table, size_t values)
{
	fprintf(out, "INSERT INTO \"%s\" VALUES (", table);
	for (size_t i = 0; i < values; i++)
		fputs(i ? ", ?" : "?", out);
	fputs(")", out);
}
