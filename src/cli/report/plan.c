/* SPDX-License-Identifier: MIT */
#include "cli/report/plan.h"

#include <ctype.h>
#include <string.h>

#include "cli/choice.h"

enum { MAX_TABLES = 64, MAX_WORDS = 16, MAX_COMMON = 8 };

static const char processes[] = "Processes", files[] = "Files and registry", kernel[] = "Kernel",
		  processors[] = "Processors";

const struct plan_row plan_rows[] = {
	{ "ps --tree", processes, "Process tree",
	  "name,pid,ppid,threads,handles,session_id,wow64,integrity,protection,create_time,"
	  "exit_time,exit_status,command_line,image_path,eprocess,dtb,peb,source",
	  NULL },
	{ "ps --crossview", processes, "Process cross-view",
	  "pid,name,list,pool_scan,thread,cid_table,handle,session,csrss,exit_time,eprocess",
	  "Which of the kernel's structures know of each process. A running one that some do not "
	  "know may be hidden; ended ones are in few of them." },
	{ "tokens", processes, "Tokens",
	  "pid,process_name,user_name,user_sid,integrity,elevated,session_id,logon_id,"
	  "privileges_enabled",
	  "On whose behalf each process runs, and what it may do." },
	{ "threads", processes, "Threads",
	  "pid,tid,state,wait_reason,start_module,win32_start_address,start_address,create_time,"
	  "priority,name,ethread",
	  NULL },
	{ "dlls", processes, "User modules",
	  "pid,process_name,name,base,size,load_time,in_load,in_init,in_mem,path", NULL },
	{ "handles", processes, "Handles",
	  "pid,process_name,handle,type,granted_access,name,object", NULL },
	{ "vads", processes, "Memory regions",
	  "pid,process_name,start,end,type,protection,commit,file", NULL },
	{ "envars", processes, "Environment", "pid,process_name,name,value", NULL },
	{ "files", files, "Files", "path,size,access,handles,regions,delete_pending,source,object",
	  NULL },
	{ "registry hives", files, "Registry hives",
	  "path,file,size,volatile_size,bins,bins_captured,source,object", NULL },
	{ "objects", files, "Named objects", "path,type,target,object", NULL },
	{ "modules", kernel, "Kernel modules", "name,base,size,path,time_date_stamp,source", NULL },
	{ "modules --unloaded", kernel, "Unloaded kernel modules", "name,start,end,time,source",
	  NULL },
	{ "drivers", kernel, "Drivers",
	  "name,start,size,module,service_key,devices,foreign_handlers,foreign,driver_unload,"
	  "object",
	  NULL },
	{ "devices", kernel, "Devices", "name,path,type,driver,attached_to,attached_device,device",
	  NULL },
	{ "callbacks", kernel, "Callbacks", "type,module,symbol,function,altitude,component,detail",
	  NULL },
	{ "ssdt", kernel, "System services",
	  "table,index,symbol,module,hooked,address,stack_arguments", NULL },
	{ "timers", kernel, "Timers", "due_time,period,module,symbol,routine,cpu,type,timer",
	  NULL },
	{ "sessions", kernel, "Sessions",
	  "session_id,create_time,process_count,unlisted,committed_pages,processes", NULL },
	{ "cpus", processors, "Processors",
	  "cpu,current_thread,current_process,rip,rsp,irql,cr3,cr4,lstar,lstar_agrees,kprcb",
	  NULL },
	{ "idt", processors, "Interrupt table", NULL, NULL },
};
const size_t num_plan_rows = ARRAY_SIZE(plan_rows);

/* Letters and digits of the command line, with '-' between its words. */
static const char *make_id(struct arena *a, const char *text)
{
	char *id = arena_alloc(a, strlen(text) + 1);
	size_t len = 0;

	for (; id && *text; text++) {
		if (isalnum((unsigned char)*text))
			id[len++] = *text;
		else if (len && id[len - 1] != '-')
			id[len++] = '-';
	}
	return id;
}

static const struct plan_row *find_row(const char *text)
{
	for (size_t i = 0; i < num_plan_rows; i++) {
		if (strcmp(plan_rows[i].command, text) == 0)
			return &plan_rows[i];
	}
	return NULL;
}

/* The words of a command line; the common options and the snapshot come before those that follow
 * the command's name. */
static struct error *parse(struct arena *a, const char *text, const struct plan_common *common,
			   struct planned *ret)
{
	const char *words[MAX_WORDS];
	char *argv[MAX_WORDS + MAX_COMMON], *copy = arena_strdup(a, text), *rest = NULL;
	size_t count = 0, used, argc = 0;
	struct option_table table;

	if (!copy)
		return &error_no_memory;
	for (char *w = strtok_r(copy, " ", &rest); w && count < MAX_WORDS;
	     w = strtok_r(NULL, " ", &rest))
		words[count++] = w;
	ret->command = command_find(words, count, &used);
	if (!ret->command)
		return choice_unknown(text);
	for (size_t i = 0; i < common->num_options && argc < MAX_COMMON - 1; i++)
		argv[argc++] = (char *)common->options[i];
	argv[argc++] = (char *)common->snapshot;
	for (size_t i = used; i < count; i++)
		argv[argc++] = (char *)words[i];
	table = (struct option_table){ ret->command->options, ret->command->num_options };
	return options_parse(a, &table, (int)argc, argv, &ret->options);
}

static struct error *check_command(const struct planned *p)
{
	const struct command *command = p->command;
	size_t args = p->options.num_args - 1;

	if (command->flags & (COMMAND_NO_SNAPSHOT | COMMAND_RAW_OUTPUT) ||
	    command_writes_files(command))
		return error_new(ERROR_USAGE, "'%s' lists nothing for a report", command->name);
	if (args < command->min_args || args > command->max_args)
		return error_new(ERROR_USAGE, "'%s': it takes %s after the snapshot", p->text,
				 command->arguments ? command->arguments : "no arguments");
	return NULL;
}

struct error *plan_line(struct arena *a, const char *text, const struct plan_common *common,
			struct planned *ret)
{
	struct error *err;

	*ret = (struct planned){
		.text = text,
		.id = make_id(a, text),
		.row = find_row(text),
	};
	if (!ret->id)
		return &error_no_memory;
	if (!(err = parse(a, text, common, ret)))
		err = check_command(ret);
	return err;
}

static struct error *check_new(const struct planned *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(items[i].id, items[count].id) == 0)
			return error_new(ERROR_USAGE, "option '--commands': '%s' is there twice",
					 items[count].text);
	}
	return NULL;
}

static struct error *add_line(struct arena *a, const char *text, const struct plan_common *common,
			      struct planned *items, size_t *count)
{
	struct error *err;

	if (*count == MAX_TABLES)
		return error_new(ERROR_USAGE, "option '--commands': more than %d", MAX_TABLES);
	if ((err = plan_line(a, text, common, &items[*count])) || (err = check_new(items, *count)))
		return err;
	++*count;
	return NULL;
}

static struct error *add_list(struct arena *a, const char *list, const struct plan_common *common,
			      struct planned *items, size_t *count)
{
	struct error *err = NULL;

	while (!err) {
		size_t len = strcspn(list, ",");
		const char *text = arena_strndup(a, list, len);

		err = text ? add_line(a, text, common, items, count) : &error_no_memory;
		if (!list[len])
			break;
		list += len + 1;
	}
	return err;
}

struct error *plan_make(struct arena *a, const struct option_values *options,
			const struct plan_common *common, const struct planned **ret,
			size_t *count_ret)
{
	struct planned *items = arena_calloc(a, MAX_TABLES, sizeof(*items));
	const char *const *lists;
	size_t num_lists = option_list(options, "commands", &lists);
	struct error *err = NULL;

	if (!items)
		return &error_no_memory;
	*count_ret = 0;
	for (size_t i = 0; i < num_lists && !err; i++)
		err = add_list(a, lists[i], common, items, count_ret);
	for (size_t i = 0; i < num_plan_rows && !num_lists && !err; i++)
		err = add_line(a, plan_rows[i].command, common, items, count_ret);
	*ret = items;
	return err;
}
