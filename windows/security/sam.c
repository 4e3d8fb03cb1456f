/* SPDX-License-Identifier: MIT */
#include "windows/security/sam.h"

#include "base/cursor.h"

enum {
	DOMAIN_TAIL = 12,     /* the SID's last three numbers, at the value's end */
	USER_NAME_ROW = 0x0c, /* {u32 offset behind the table, u32 length, u32} */
	USER_TABLE_SIZE = 0xcc,
	MAX_USER_NAME = 512, /* bytes */
};

bool sam_machine_sid(const uint8_t *v, size_t len, struct sid *ret)
{
	struct sid sid = { .revision = 1, .count = 4, .authority = 5, .sub_authorities = { 21 } };

	if (len < DOMAIN_TAIL)
		return false;
	for (size_t i = 0; i < 3; i++)
		sid.sub_authorities[1 + i] = load_u32(v + len - DOMAIN_TAIL + 4 * i);
	*ret = sid;
	return true;
}

bool sam_user_name(const uint8_t *v, size_t len, const uint8_t **name_ret, size_t *name_len_ret)
{
	uint32_t offset, name_len;
	struct cursor c;

	cur_init(&c, v, len, 0);
	if (!cur_seek(&c, USER_NAME_ROW) || !cur_u32(&c, &offset) || !cur_u32(&c, &name_len) ||
	    !name_len || name_len > MAX_USER_NAME || !cur_seek(&c, USER_TABLE_SIZE) ||
	    !cur_skip(&c, offset) || !cur_take(&c, name_len, name_ret))
		return false;
	*name_len_ret = name_len;
	return true;
}
