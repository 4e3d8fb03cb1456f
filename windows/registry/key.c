/* SPDX-License-Identifier: MIT */
#include "windows/registry/key.h"

#include "base/cursor.h"
#include "base/text.h"
#include "windows/registry/name.h"

static bool fail(struct hive_fault *fault, uint32_t cell, uint64_t va, const char *why)
{
	*fault = (struct hive_fault){ .cell = cell, .va = va, .why = why };
	return false;
}

static void decode_node(const uint8_t *node, struct registry_key *key)
{
	key->flags = load_u16(node + NK_FLAGS);
	key->layer = node[NK_LAYER] & LAYER_SUPERSEDE_TREE;
	key->last_write_time = load_u64(node + NK_LAST_WRITE);
	key->parent = load_u32(node + NK_PARENT);
	key->security = load_u32(node + NK_SECURITY);
	key->class_cell = load_u32(node + NK_CLASS);
	key->class_length = load_u16(node + NK_CLASS_LENGTH);
	key->value_list = CELL_NONE;
	if (load_u16(node) == NK_EXIT_SIGNATURE) {
		key->flags |= KEY_HIVE_EXIT;
		key->exit_cell = load_u32(node + NK_EXIT_CELL);
		key->exit_hive = load_u64(node + NK_EXIT_HIVE);
		return;
	}
	for (unsigned i = 0; i < NUM_STORAGES; i++) {
		key->num_subkeys[i] = load_u32(node + NK_SUBKEY_COUNTS + 4 * i);
		key->subkey_lists[i] = load_u32(node + NK_SUBKEY_LISTS + 4 * i);
	}
	if (key->flags & KEY_PREDEF_HANDLE)
		return; /* the HKEY is where the number of values would be */
	key->num_values = load_u32(node + NK_VALUE_COUNT);
	key->value_list = load_u32(node + NK_VALUE_LIST);
}

bool registry_key_read(const struct hive *h, uint32_t cell, struct arena *a,
		       struct registry_key *ret, struct hive_fault *fault)
{
	struct registry_key key = { .hive = h, .cell = cell };
	uint8_t node[NK_NAME], name[MAX_KEY_NAME];
	struct hive_cell content;
	uint16_t length;

	if (!hive_cell(h, cell, &content, fault) ||
	    !hive_cell_read(h, &content, 0, node, sizeof(node), fault))
		return false;
	key.va = content.va;
	if (load_u16(node) != NK_SIGNATURE && load_u16(node) != NK_EXIT_SIGNATURE)
		return fail(fault, cell, key.va, "the signature is not that of a key");
	length = load_u16(node + NK_NAME_LENGTH);
	if (length > sizeof(name))
		return fail(fault, cell, key.va, "the key's name is too long");
	if (!hive_cell_read(h, &content, NK_NAME, name, length, fault))
		return false;
	decode_node(node, &key);
	key.name = registry_name_text(a, name, length, key.flags & KEY_COMP_NAME);
	if (!key.name)
		return fail(fault, cell, 0, error_message(&error_no_memory));
	*ret = key;
	return true;
}

bool registry_key_class(const struct registry_key *key, struct arena *a, const char **ret,
			struct hive_fault *fault)
{
	uint8_t bytes[UINT16_MAX];
	struct hive_cell content;

	*fault = (struct hive_fault){ 0 };
	if (key->class_cell == CELL_NONE || !key->class_length)
		return false;
	if (!hive_cell(key->hive, key->class_cell, &content, fault) ||
	    !hive_cell_read(key->hive, &content, 0, bytes, key->class_length, fault))
		return false;
	*ret = text_from_utf16(a, bytes, key->class_length, NULL);
	return *ret || fail(fault, key->class_cell, 0, error_message(&error_no_memory));
}
