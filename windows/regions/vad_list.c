/* SPDX-License-Identifier: MIT */
/* All regions of a process: the whole tree, whatever is left of it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/u64_set.h"
#include "windows/regions/vad_tree.h"

enum {
	MAX_PLACES = MAX_VADS + 1, /* nodes whose turn has not come */
	MAX_BREAKS = 1 << 12,
	MAX_BREAK_LINES = 8, /* that one process may print */
};

static const char why_limit[] = "more regions than the limit allows";
static const char why_twice[] = "it is in the tree already";
static const char why_pointer[] = "no address of a node";
static const char why_not_believed[] = "it does not point back, and is not in order";
static const char why_no_range[] = "its range is none of user addresses";

struct tree_walk {
	const struct vad_reader *r;
	struct vad_list *list;
	size_t item_capacity, break_capacity;
	struct vad_place *places; /* a stack */
	size_t num_places, place_capacity;
	struct u64_set seen;
};

static struct error *add_break(struct tree_walk *w, const struct vad_place *place, const char *why)
{
	struct vad_list *list = w->list;
	struct error *err;

	if (list->num_breaks == MAX_BREAKS)
		return NULL;
	if ((err = array_reserve(&list->breaks, &w->break_capacity, list->num_breaks + 1,
				 sizeof(*list->breaks), MAX_BREAKS, "breaks of a tree")))
		return err;
	list->breaks[list->num_breaks++] = (struct vad_break){
		.node = place->node,
		.parent = place->parent,
		.low = place->low,
		.high = place->high,
		.why = why,
	};
	return NULL;
}

static struct error *push(struct tree_walk *w, const struct vad_place *place)
{
	struct error *err;

	if (!place->node)
		return NULL;
	if (w->num_places == MAX_PLACES)
		return add_break(w, place, why_limit);
	if ((err = array_reserve(&w->places, &w->place_capacity, w->num_places + 1,
				 sizeof(*w->places), MAX_PLACES, "nodes of a tree")))
		return err;
	w->places[w->num_places++] = *place;
	return NULL;
}

static struct error *add_vad(struct tree_walk *w, struct vad_node *node,
			     const struct vad_place *place)
{
	struct vad_list *list = w->list;
	struct error *err;

	if (!node->has_range)
		return add_break(w, place, why_no_range);
	if (list->count == MAX_VADS)
		return add_break(w, place, why_limit);
	if ((err = array_reserve(&list->items, &w->item_capacity, list->count + 1,
				 sizeof(*list->items), MAX_VADS, "regions of a process")))
		return err;
	vad_read_rest(node);
	vad_read_mapping(w->r, &node->vad);
	if (node->vad.parent.present && !vad_node_points_back(node, place->parent)) {
		if (!list->num_torn)
			list->first_torn = node->vad.va;
		list->num_torn++;
	}
	list->items[list->count++] = node->vad;
	return NULL;
}

static struct error *visit(struct tree_walk *w, const struct vad_place *place)
{
	struct vad_place left, right;
	struct vad_node node;
	struct fault fault;
	struct error *err;
	bool is_new;

	if (!vad_is_pointer(place->node))
		return add_break(w, place, why_pointer);
	if (u64_set_has(&w->seen, place->node))
		return add_break(w, place, why_twice);
	if (!vad_read_node(w->r, place->node, &node, &fault))
		return add_break(w, place, va_state_text(fault.state));
	if (!vad_node_is_believed(&node, place))
		return add_break(w, place, why_not_believed);
	if ((err = u64_set_add(&w->seen, place->node, &is_new)) || (err = add_vad(w, &node, place)))
		return err;
	vad_child_places(&node, place, &left, &right);
	if ((err = push(w, &right)))
		return err;
	return push(w, &left);
}

static struct error *walk(struct tree_walk *w, uint64_t eprocess)
{
	struct vad_place root = { .high = vad_user_last(w->r->space) };
	struct error *err = NULL;
	struct fault fault;

	if (!vad_tree_root(w->r, eprocess, &root.node, &root.parent, &fault))
		return add_break(w, &root, va_state_text(fault.state));
	err = push(w, &root);
	while (!err && w->num_places) {
		struct vad_place place = w->places[--w->num_places];

		err = visit(w, &place);
	}
	return err;
}

static int compare_vads(const void *a, const void *b)
{
	const struct vad *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->va > y->va) - (x->va < y->va);
}

static struct opt_u64 expected_count(const struct vad_reader *r, uint64_t eprocess)
{
	struct object process = object_at(r->space, eprocess, r->fields), table;
	uint64_t va;

	if (!r->fields[VAD_TABLE_RIGHT].present)
		return object_opt(&process, VAD_COUNT);
	if (!object_address(&process, VAD_ROOT, &va))
		return (struct opt_u64){ 0 };
	table = object_at(r->space, va, r->fields);
	return object_opt(&table, VAD_TABLE_COUNT);
}

struct error *vad_list_read(const struct vad_reader *r, uint64_t eprocess, struct vad_list *ret)
{
	struct vad_list list = { 0 };
	struct tree_walk w = { .r = r, .list = &list };
	struct error *err;

	if (!r->known)
		return error_new(ERROR_UNSUPPORTED,
				 "how this kernel keeps a process's regions is not known");
	err = walk(&w, eprocess);
	free(w.places);
	u64_set_deinit(&w.seen);
	if (err) {
		vad_list_deinit(&list);
		return err;
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), compare_vads);
	list.expected = expected_count(r, eprocess);
	*ret = list;
	return NULL;
}

void vad_list_deinit(struct vad_list *list)
{
	free(list->items);
	free(list->breaks);
	*list = (struct vad_list){ 0 };
}

static void report_break(const struct vad_break *b, struct diag *diag, const char *who)
{
	char below[sizeof(" below 0x") + 16] = ", the root";

	if (b->parent)
		snprintf(below, sizeof(below), " below 0x%" PRIx64, b->parent);
	diag_partial(diag,
		     "%s: regions: the node 0x%" PRIx64 "%s: %s; regions between 0x%" PRIx64
		     " and 0x%" PRIx64 " may be missing",
		     who, b->node, below, b->why, b->low, b->high);
}

void vad_list_report(const struct vad_list *list, struct diag *diag, const char *who)
{
	for (size_t i = 0; i < list->num_breaks && i < MAX_BREAK_LINES; i++)
		report_break(&list->breaks[i], diag, who);
	if (list->num_breaks > MAX_BREAK_LINES)
		diag_partial(diag, "%s: regions: %zu more nodes are lost", who,
			     list->num_breaks - MAX_BREAK_LINES);
	if (list->num_torn)
		diag_note(diag,
			  "%s: regions: %zu nodes do not point back at the one above, 0x%" PRIx64
			  " the first",
			  who, list->num_torn, list->first_torn);
	if (!list->num_breaks && list->expected.present && list->expected.value != list->count)
		diag_note(diag, "%s: regions: the process counts %" PRIu64 ", its tree holds %zu",
			  who, list->expected.value, list->count);
}

size_t vad_list_above(const struct vad_list *list, uint64_t va)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[middle].start <= va)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct vad *vad_list_find(const struct vad_list *list, uint64_t va)
{
	size_t above = vad_list_above(list, va);

	return above && va <= list->items[above - 1].last ? &list->items[above - 1] : NULL;
}
