/* SPDX-License-Identifier: Apache-2.0 */
/* Circular doubly linked list with the links inside the members. A node that is on no list points to itself. */
#ifndef LIBOS_KLIB_LIST_H
#define LIBOS_KLIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}
#define container_of(ptr, type, field) ((type *)((char *)(ptr)-offsetof(type, field)))

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_add_before(struct list *pos, struct list *node)
{
	node->prev = pos->prev;
	node->next = pos;
	pos->prev->next = node;
	pos->prev = node;
}

static inline void list_add_head(struct list *head, struct list *node)
{
	list_add_before(head->next, node);
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	list_add_before(head, node);
}

/* Removing a node that is on no list does nothing. */
static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

static inline struct list *list_pop(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	list_del(node);
	return node;
}

#define list_for_each(it, head, type, field)                                                       \
	for (type *it = container_of((head)->next, type, field); &it->field != (head);             \
		it = container_of(it->field.next, type, field))

#define list_for_each_safe(it, head, type, field)                                                  \
	for (type *it = container_of((head)->next, type, field),                                   \
		  *it##_next = container_of(it->field.next, type, field);                          \
		&it->field != (head);                                                              \
		it = it##_next, it##_next = container_of(it->field.next, type, field))

#endif
