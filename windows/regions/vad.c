/* SPDX-License-Identifier: MIT */
/* One region's descriptor: its fields, its words, and finding it by address. */
#include "windows/regions/vad.h"

#include "base/cursor.h"
#include "windows/regions/vad_tree.h"

DEFINE_FIELDS(vad, VAD_FIELDS);

enum {
	POINTER_SIZE = 8,
	NODE_FLAGS = 7, /* balance or colour in the low bits of a parent link */
	FAST_REF_MASK = 0xf,
	/* An AVL tree of 2^32 nodes is less than 48 high; a deeper one is broken. */
	MAX_DEPTH = 64,
	PROTECTION_BITS = 5,
};

static struct field pointer_at(uint32_t offset)
{
	return (struct field){ .offset = offset, .size = POINTER_SIZE, .present = true };
}

/*
 * Leaves the links in VAD_LEFT, VAD_RIGHT and VAD_PARENT, whichever shape the kernel has. Windows
 * 8 keeps its nodes' type out of what we know of it, but the table's own node is one.
 */
static bool bind_links(struct field *f)
{
	uint32_t node = f[VAD_NODE].offset;

	if (f[VAD_LEFT].present && f[VAD_RIGHT].present)
		return f[VAD_TABLE_RIGHT].present;
	if (!f[VAD_NODE].present)
		return false;
	if (f[VAD_TABLE_NODE].present && f[VAD_TABLE_LEFT].present && f[VAD_TABLE_RIGHT].present) {
		node -= f[VAD_TABLE_NODE].offset;
		f[VAD_LEFT] = pointer_at(node + f[VAD_TABLE_LEFT].offset);
		f[VAD_RIGHT] = pointer_at(node + f[VAD_TABLE_RIGHT].offset);
		f[VAD_PARENT].present = false;
		return true;
	}
	f[VAD_TABLE_RIGHT].present = false;
	if (!f[VAD_TREE_ROOT].present || !f[VAD_NODE_LEFT].present || !f[VAD_NODE_RIGHT].present)
		return false;
	f[VAD_LEFT] = pointer_at(node + f[VAD_NODE_LEFT].offset);
	f[VAD_RIGHT] = pointer_at(node + f[VAD_NODE_RIGHT].offset);
	if (f[VAD_NODE_PARENT].present)
		f[VAD_PARENT] = pointer_at(node + f[VAD_NODE_PARENT].offset);
	return true;
}

/* Fields of every descriptor, of whatever kind. */
static const unsigned short_fields[] = {
	VAD_LEFT,	VAD_RIGHT,	 VAD_PARENT,	 VAD_START,	 VAD_END,
	VAD_START_HIGH, VAD_END_HIGH,	 VAD_TYPE,	 VAD_PROTECTION, VAD_PRIVATE,
	VAD_COMMIT,	VAD_COMMIT_HIGH, VAD_MEM_COMMIT,
};

void vad_reader_bind(struct vad_reader *r)
{
	struct field *f = r->fields;

	r->known =
		bind_links(f) && f[VAD_ROOT].present && f[VAD_START].present && f[VAD_END].present;
	r->short_size = 0;
	for (size_t i = 0; i < ARRAY_SIZE(short_fields); i++) {
		const struct field *field = &f[short_fields[i]];

		size_t end = (size_t)field->offset + field->size;

		if (field->present && end > r->short_size)
			r->short_size = end;
	}
}

struct error *vad_reader_init(struct kernel *k, struct vad_reader *ret)
{
	struct vad_reader r = { .space = k->space };
	struct error *err;

	if ((err = profile_bind(k->profile, vad_field_rows, vad_num_fields, r.fields)))
		return err;
	if (!profile_type_size(k->profile, "_POOL_HEADER", &r.pool_header_size))
		r.pool_header_size = 0;
	vad_reader_bind(&r);
	*ret = r;
	return NULL;
}

uint64_t vad_user_last(const struct space *s)
{
	return (UINT64_C(1) << (s->levels == 5 ? 56 : 47)) - 1;
}

static void load(const struct vad_reader *r, uint64_t va, struct vad_bytes *ret)
{
	size_t size = r->pool_header_size + r->short_size;

	ret->object = object_at(r->space, va, r->fields);
	ret->header = r->pool_header_size;
	ret->size = 0;
	if (r->short_size && size <= VAD_MAX_BYTES && va >= r->pool_header_size &&
	    space_try_read(r->space, va - r->pool_header_size, ret->bytes, size, NULL))
		ret->size = r->short_size;
}

/* The number that a field is, as object_u64() reads it, at its first byte. */
static uint64_t decode(const struct field *f, const uint8_t *bytes)
{
	uint64_t value = load_u64(bytes);

	if (f->size < sizeof(value))
		value &= (UINT64_C(1) << f->size * 8) - 1;
	if (f->bit_size)
		value = value >> f->bit_pos & (UINT64_MAX >> (64 - f->bit_size));
	return value;
}

static bool read_field(struct vad_bytes *b, unsigned field, uint64_t *ret)
{
	const struct field *f = &b->object.fields[field];

	if (!f->present || (size_t)f->offset + f->size > b->size)
		return object_u64(&b->object, field, ret);
	*ret = decode(f, b->bytes + b->header + f->offset);
	return true;
}

static struct opt_u64 read_opt(struct vad_bytes *b, unsigned field)
{
	struct opt_u64 ret = { 0 };

	ret.present = read_field(b, field, &ret.value);
	return ret;
}

/* A page number whose high byte some builds keep apart. */
static bool read_vpn(struct vad_bytes *b, unsigned low, unsigned high, uint64_t *ret)
{
	uint64_t vpn, top = 0;

	if (!read_field(b, low, &vpn))
		return false;
	if (b->object.fields[high].present && !read_field(b, high, &top))
		return false;
	*ret = vpn | top << 32;
	return true;
}

/* The charge's high byte stands above as many bits as the build keeps in the low part. */
static struct opt_u64 read_commit(struct vad_bytes *b)
{
	const struct field *low = &b->object.fields[VAD_COMMIT];
	struct opt_u64 ret = read_opt(b, VAD_COMMIT);
	unsigned bits = low->bit_size ? low->bit_size : low->size * 8;
	uint64_t high;

	if (!ret.present || !b->object.fields[VAD_COMMIT_HIGH].present)
		return ret;
	ret.present = read_field(b, VAD_COMMIT_HIGH, &high);
	if (bits < 64)
		ret.value |= high << bits;
	return ret;
}

/* The tag of the pool block that begins right before the descriptor. */
static struct opt_u64 read_tag(const struct vad_bytes *b)
{
	const struct field *tag = &b->object.fields[VAD_POOL_TAG];
	struct object block = b->object;

	if (!tag->present || b->object.va < b->header ||
	    (size_t)tag->offset + tag->size > b->header)
		return (struct opt_u64){ 0 };
	if (b->size)
		return opt_u64(decode(tag, b->bytes + tag->offset));
	block.va -= b->header;
	return object_opt(&block, VAD_POOL_TAG);
}

bool vad_has_tag(const struct vad *vad)
{
	uint8_t tag[VAD_TAG_SIZE];

	if (!vad->tag.present)
		return false;
	store_u32(tag, (uint32_t)vad->tag.value);
	return tag[0] == 'V' && tag[1] == 'a' && tag[2] == 'd';
}

static struct opt_u64 nonzero(struct opt_u64 v)
{
	v.present = v.present && v.value;
	return v;
}

bool vad_read_node(const struct vad_reader *r, uint64_t va, struct vad_node *ret,
		   struct fault *fault)
{
	struct vad_bytes *b = &ret->bytes;
	uint64_t start, end, parent;

	ret->vad = (struct vad){ .va = va };
	load(r, va, b);
	if (!read_field(b, VAD_LEFT, &ret->left) || !read_field(b, VAD_RIGHT, &ret->right) ||
	    !read_vpn(b, VAD_START, VAD_START_HIGH, &start) ||
	    !read_vpn(b, VAD_END, VAD_END_HIGH, &end)) {
		*fault = b->object.fault;
		return false;
	}
	ret->has_range = start <= end && end <= vad_user_last(r->space) >> PAGE_SHIFT;
	ret->vad.start = start << PAGE_SHIFT;
	ret->vad.last = (end << PAGE_SHIFT) + (PAGE_SIZE - 1);
	if (read_field(b, VAD_PARENT, &parent))
		ret->vad.parent = opt_u64(parent & ~(uint64_t)NODE_FLAGS);
	ret->vad.tag = read_tag(b);
	return true;
}

void vad_read_rest(struct vad_node *node)
{
	struct vad_bytes *b = &node->bytes;
	struct vad *vad = &node->vad;

	vad->type = read_opt(b, VAD_TYPE);
	vad->protection = read_opt(b, VAD_PROTECTION);
	vad->is_private = read_opt(b, VAD_PRIVATE);
	vad->commit = read_commit(b);
	vad->mem_commit = read_opt(b, VAD_MEM_COMMIT);
	/* a short descriptor ends before these; only mappings are known to have a long one */
	if (!vad->is_private.present || vad->is_private.value)
		return;
	vad->subsection = nonzero(read_opt(b, VAD_SUBSECTION));
	vad->first_pte = nonzero(read_opt(b, VAD_FIRST_PTE));
	vad->last_pte = nonzero(read_opt(b, VAD_LAST_PTE));
}

void vad_read_mapping(const struct vad_reader *r, struct vad *vad)
{
	struct object o;
	struct opt_u64 file;

	if (!vad->subsection.present)
		return;
	o = object_at(r->space, vad->subsection.value, r->fields);
	vad->control_area = nonzero(object_opt(&o, VAD_SUBSECTION_AREA));
	if (!vad->control_area.present)
		return;
	o = object_at(r->space, vad->control_area.value, r->fields);
	file = object_opt(&o, VAD_AREA_FILE);
	file.value &= ~(uint64_t)FAST_REF_MASK;
	vad->file_object = nonzero(file);
}

bool vad_tree_root(const struct vad_reader *r, uint64_t eprocess, uint64_t *root_ret,
		   uint64_t *parent_ret, struct fault *fault)
{
	bool is_table = r->fields[VAD_TABLE_RIGHT].present;
	struct object process = object_at(r->space, eprocess, r->fields), tree;
	uint64_t va;

	*fault = (struct fault){ 0 };
	if (!object_address(&process, VAD_ROOT, &va))
		return false;
	tree = object_at(r->space, va, r->fields);
	if (!object_u64(&tree, is_table ? VAD_TABLE_RIGHT : VAD_TREE_ROOT, root_ret)) {
		*fault = tree.fault;
		return false;
	}
	*parent_ret = is_table ? va + r->fields[VAD_TABLE_NODE].offset : 0;
	return true;
}

bool vad_is_pointer(uint64_t va)
{
	return !(va & NODE_FLAGS) && va >> 56 == 0xff;
}

bool vad_node_points_back(const struct vad_node *node, uint64_t parent)
{
	return node->vad.parent.present && node->vad.parent.value == parent;
}

bool vad_node_is_believed(const struct vad_node *node, const struct vad_place *place)
{
	if (vad_node_points_back(node, place->parent))
		return true;
	return node->has_range && node->vad.start >= place->low && node->vad.last <= place->high &&
	       vad_has_tag(&node->vad);
}

void vad_child_places(const struct vad_node *node, const struct vad_place *place,
		      struct vad_place *left_ret, struct vad_place *right_ret)
{
	struct vad_place child = { .parent = node->vad.va, .low = place->low, .high = place->high };
	/* a range that is none, or not where it belongs, says nothing of where its children are */
	bool in_order =
		node->has_range && node->vad.start >= place->low && node->vad.last <= place->high;

	*left_ret = child;
	left_ret->node = node->left;
	*right_ret = child;
	right_ret->node = node->right;
	if (!in_order)
		return;
	left_ret->high = node->vad.start ? node->vad.start - 1 : 0;
	right_ret->low = node->vad.last + 1;
}

bool vad_reader_next(const struct vad_reader *r, uint64_t eprocess, uint64_t va, struct vad *ret)
{
	struct vad_place place = { 0 }, left, right;
	struct vad_node node, above;
	struct fault fault;
	bool has_above = false;

	if (!r->known || !vad_tree_root(r, eprocess, &place.node, &place.parent, &fault))
		return false;
	place.high = vad_user_last(r->space);
	for (unsigned depth = 0; depth < MAX_DEPTH && place.node; depth++) {
		if (!vad_is_pointer(place.node) || !vad_read_node(r, place.node, &node, &fault) ||
		    !vad_node_is_believed(&node, &place) || !node.has_range)
			break;
		if (va <= node.vad.last && (!has_above || node.vad.start < above.vad.start)) {
			above = node;
			has_above = true;
		}
		if (va >= node.vad.start && va <= node.vad.last)
			break;
		vad_child_places(&node, &place, &left, &right);
		place = va < node.vad.start ? left : right;
	}
	if (!has_above)
		return false;
	vad_read_rest(&above);
	*ret = above.vad;
	return true;
}

bool vad_reader_find(const struct vad_reader *r, uint64_t eprocess, uint64_t va, struct vad *ret)
{
	struct vad vad;

	if (!vad_reader_next(r, eprocess, va, &vad) || vad.start > va)
		return false;
	*ret = vad;
	return true;
}

struct error *vad_find(struct kernel *k, uint64_t eprocess, uint64_t va, bool *found_ret,
		       struct vad *ret)
{
	struct vad_reader r;
	struct error *err;

	if ((err = vad_reader_init(k, &r)))
		return err;
	*found_ret = vad_reader_find(&r, eprocess, va, ret);
	return NULL;
}

const char *vad_type_name(const struct vad *vad)
{
	static const char *const names[] = {
		[VAD_DEVICE_PHYSICAL_MEMORY] = "physical",
		[VAD_IMAGE_MAP] = "image",
		[VAD_AWE] = "awe",
		[VAD_WRITE_WATCH] = "write_watch",
		[VAD_LARGE_PAGES] = "large_pages",
		[VAD_ROTATE_PHYSICAL] = "rotate_physical",
		[VAD_LARGE_PAGE_SECTION] = "large_page_section",
	};

	if (vad->type.present && vad->type.value != VAD_NONE)
		return vad->type.value < ARRAY_SIZE(names) ? names[vad->type.value] : NULL;
	if (!vad->is_private.present)
		return NULL;
	return vad->is_private.value ? "private" : "mapped";
}

/*
 * What the kernel's table MmProtectToValue says of each value (ReactOS, ntoskrnl/mm/ARM3/page.c):
 * three bits of access, and above them no cache, guard, or both for write combine. Without access
 * the modifiers mean other things: decommitted (0x10), and no access at all (0x18).
 */
#define MODIFIED(modifier)                                                    \
	"PAGE_NOACCESS", "PAGE_READONLY" modifier, "PAGE_EXECUTE" modifier,   \
		"PAGE_EXECUTE_READ" modifier, "PAGE_READWRITE" modifier,      \
		"PAGE_WRITECOPY" modifier, "PAGE_EXECUTE_READWRITE" modifier, \
		"PAGE_EXECUTE_WRITECOPY" modifier
static const char *const protection_names[1 << PROTECTION_BITS] = {
	MODIFIED(""),
	MODIFIED("|PAGE_NOCACHE"),
	MODIFIED("|PAGE_GUARD"),
	MODIFIED("|PAGE_WRITECOMBINE"),
};

const char *vad_protection_name(uint64_t protection)
{
	return protection < ARRAY_SIZE(protection_names) ? protection_names[protection] : NULL;
}

bool vad_is_executable(const struct vad *vad)
{
	enum { ACCESS_EXECUTE = 2 }; /* set in all four of the values that let code run */

	return vad->protection.present && (vad->protection.value & ACCESS_EXECUTE);
}
