/* SPDX-License-Identifier: MIT */
#include "windows/security/account.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "windows/registry/registry.h"
#include "windows/security/sam.h"

#define SAM_ACCOUNTS "\\REGISTRY\\MACHINE\\SAM\\SAM\\Domains\\Account"
#define PROFILES     "\\REGISTRY\\MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
#define SERVICES     "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services"

enum {
	MAX_KNOWN_ACCOUNTS = 1 << 12,
	MACHINE_GROUP = 513, /* DOMAIN_GROUP_RID_USERS of winnt.h */
};

/* A SID that was asked for, and the answer. */
struct known_account {
	struct sid sid;
	struct account_name name;
};

void account_book_init(struct account_book *ret, struct kernel *k)
{
	memset(ret, 0, sizeof(*ret));
	ret->k = k;
	arena_init(&ret->arena, 0);
}

void account_book_deinit(struct account_book *book)
{
	registry_close(book->registry);
	free(book->known);
	arena_deinit(&book->arena);
	memset(book, 0, sizeof(*book));
}

/* A key or value that is not there is an answer; one that cannot be read is worth a note. */
static struct error *forgive(struct account_book *book, struct error *err, const char *what)
{
	if (!err || error_code(err) == ERROR_NO_MEMORY)
		return err;
	if (error_code(err) != ERROR_NOT_FOUND)
		diag_note(book->k->diag, "names of accounts: %s: %s", what, error_message(err));
	error_destroy(err);
	return NULL;
}

/* All bytes of the value V of a key; *len_ret 0: it is not there. */
static struct error *read_v(struct account_book *book, const char *path, const uint8_t **ret,
			    size_t *len_ret)
{
	struct registry_key key;
	struct registry_value value;
	struct hive_fault fault;
	struct error *err;

	*len_ret = 0;
	if ((err = registry_find(book->registry, path, &book->arena, &key, NULL)) ||
	    (err = registry_get(&key, "V", &book->arena, &value)))
		return forgive(book, err, path);
	if (registry_value_data(&value, &book->arena, ret, &fault))
		*len_ret = value.size;
	return NULL;
}

/* The registry is asked for names only: what is broken in it does not make a listing partial. */
static struct error *open_quietly(struct account_book *book)
{
	struct kernel *k = book->k;
	struct diag *diag = k->diag, own;
	struct error *err;

	diag_init(&own, NULL, NULL);
	k->diag = &own;
	err = registry_open(k, &book->registry);
	k->diag = diag;
	if (own.partial)
		diag_note(diag, "names of accounts: the registry is not whole");
	return err;
}

static struct error *open_registry(struct account_book *book)
{
	const uint8_t *v;
	struct error *err;
	size_t len;

	if (book->tried)
		return NULL;
	book->tried = true;
	if (!book->k->snap->mem) /* small dumps have none */
		return NULL;
	if ((err = open_quietly(book)))
		return forgive(book, err, "registry");
	if ((err = read_v(book, SAM_ACCOUNTS, &v, &len)))
		return err;
	book->has_machine = sam_machine_sid(v, len, &book->machine);
	return NULL;
}

static bool is_of_machine(const struct account_book *book, const struct sid *sid)
{
	const struct sid *machine = &book->machine;

	return book->has_machine && sid->authority == machine->authority &&
	       sid->count == machine->count + 1 &&
	       memcmp(sid->sub_authorities, machine->sub_authorities,
		      machine->count * sizeof(sid->sub_authorities[0])) == 0;
}

/* The name in the SAM's record of a user of this machine. */
static struct error *find_in_sam(struct account_book *book, const struct sid *sid,
				 struct account_name *ret)
{
	const uint8_t *v, *name;
	size_t len, name_len;
	struct error *err;
	char *path;

	if (!is_of_machine(book, sid))
		return NULL;
	path = arena_printf(&book->arena, SAM_ACCOUNTS "\\Users\\%08" PRIX32,
			    sid->sub_authorities[sid->count - 1]);
	if (!path)
		return &error_no_memory;
	if ((err = read_v(book, path, &v, &len)) || !sam_user_name(v, len, &name, &name_len))
		return err;
	ret->name = text_from_utf16(&book->arena, name, name_len, NULL);
	ret->source = "sam";
	return ret->name ? NULL : &error_no_memory;
}

/* The last part of the profile's folder. */
static struct error *find_profile(struct account_book *book, const struct sid *sid,
				  struct account_name *ret)
{
	char text[SID_TEXT_SIZE];
	struct registry_key key;
	const char *image_path, *last;
	struct error *err;
	char *path;

	sid_format(sid, text);
	path = arena_printf(&book->arena, PROFILES "\\%s", text);
	if (!path)
		return &error_no_memory;
	if ((err = registry_find(book->registry, path, &book->arena, &key, NULL)) ||
	    (err = registry_get_text(&key, "ProfileImagePath", &book->arena, &image_path)))
		return forgive(book, err, path);
	last = strrchr(image_path, '\\');
	last = last ? last + 1 : image_path;
	if (*last)
		*ret = (struct account_name){ .name = last, .source = "profile" };
	return NULL;
}

static struct error *find_in_registry(struct account_book *book, const struct sid *sid,
				      struct account_name *ret)
{
	struct error *err;

	if (!book->registry)
		return NULL;
	if ((err = find_in_sam(book, sid, ret)) || ret->name)
		return err;
	return find_profile(book, sid, ret);
}

/* A service and the SID that its name makes. */
struct service_account {
	struct sid sid;
	const char *name; /* "NT SERVICE\Name" */
};

static struct error *add_service(struct account_book *book, const char *name)
{
	struct service_account *s = &book->services[book->num_services];

	if (!sid_of_service(name, &s->sid))
		return NULL;
	s->name = arena_printf(&book->arena, "NT SERVICE\\%s", name);
	book->num_services += s->name != NULL;
	return s->name ? NULL : &error_no_memory;
}

static struct error *add_services(struct account_book *book, const struct registry_key *services,
				  const struct cell_list *cells)
{
	struct registry_key key;
	struct hive_fault fault;
	struct error *err = NULL;

	book->services = arena_calloc(&book->arena, cells->count + 1, sizeof(*book->services));
	if (!book->services)
		return &error_no_memory;
	for (size_t i = 0; i < cells->count && !err; i++) {
		if (registry_key_read(services->hive, cells->cells[i], &book->arena, &key, &fault))
			err = add_service(book, key.name);
	}
	return err;
}

static struct error *read_services(struct account_book *book)
{
	struct cell_list cells = { 0 };
	struct registry_key key;
	struct error *err;

	if (book->tried_services)
		return NULL;
	book->tried_services = true;
	if ((err = registry_find(book->registry, SERVICES, &book->arena, &key, NULL)))
		return forgive(book, err, SERVICES);
	err = registry_key_subkeys(&key, &cells);
	if (!err)
		err = add_services(book, &key, &cells);
	cell_list_deinit(&cells);
	return err;
}

static struct error *find_service(struct account_book *book, const struct sid *sid,
				  struct account_name *ret)
{
	struct error *err = open_registry(book);

	if (err || !book->registry || (err = read_services(book)))
		return err;
	for (size_t i = 0; i < book->num_services; i++) {
		if (sid_equal(&book->services[i].sid, sid)) {
			*ret = (struct account_name){ book->services[i].name, "service" };
			break;
		}
	}
	return NULL;
}

/* Numbers of groups are those of a domain's. A machine has one of them, for its own users. */
static struct error *find_account(struct account_book *book, const struct sid *sid,
				  const char *group, struct account_name *ret)
{
	struct error *err = open_registry(book);

	if (err)
		return err;
	if (!is_of_machine(book, sid)) {
		*ret = (struct account_name){ group, group ? "well_known" : NULL };
	} else if (sid->sub_authorities[sid->count - 1] == MACHINE_GROUP) {
		*ret = (struct account_name){ "None", "well_known" };
	}
	return ret->name ? NULL : find_in_registry(book, sid, ret);
}

static struct error *find_new(struct account_book *book, const struct sid *sid,
			      struct account_name *ret)
{
	struct sid_meaning meaning;
	struct error *err;

	if ((err = sid_explain(sid, &book->arena, &meaning)))
		return err;
	if (meaning.kind && strcmp(meaning.kind, "account") == 0)
		return find_account(book, sid, meaning.name, ret);
	if (meaning.name)
		*ret = (struct account_name){ meaning.name, "well_known" };
	else if (meaning.kind && strcmp(meaning.kind, "service") == 0)
		err = find_service(book, sid, ret);
	return err;
}

struct error *account_find(struct account_book *book, const struct sid *sid,
			   struct account_name *ret)
{
	struct account_name name = { 0 };
	struct error *err;

	for (size_t i = 0; i < book->num_known; i++) {
		if (sid_equal(&book->known[i].sid, sid)) {
			*ret = book->known[i].name;
			return NULL;
		}
	}
	*ret = name;
	if (book->num_known == MAX_KNOWN_ACCOUNTS)
		return NULL;
	if ((err = find_new(book, sid, &name)))
		return err;
	*ret = name;
	err = array_reserve(&book->known, &book->capacity, book->num_known + 1,
			    sizeof(*book->known), MAX_KNOWN_ACCOUNTS, "accounts");
	if (!err)
		book->known[book->num_known++] = (struct known_account){ *sid, name };
	return err;
}

struct error *account_find_user(struct account_book *book, const struct token *t,
				struct account_name *ret)
{
	const struct token_sids *groups = &t->sids[TOKEN_SIDS_GROUPS];
	struct error *err;

	*ret = (struct account_name){ 0 };
	if (!groups->count || !groups->items[0].present)
		return NULL;
	if ((err = account_find(book, &groups->items[0].sid, ret)))
		return err;
	/* a profile's folder may be named otherwise than the account */
	if (t->account && (!ret->name || strcmp(ret->source, "profile") == 0))
		*ret = (struct account_name){ .name = t->account, .source = "logon_session" };
	return NULL;
}
