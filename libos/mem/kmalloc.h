/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the libOS itself: size classes in page frames, runs of frames for large sizes. 16-byte aligned. */
#ifndef LIBOS_MEM_KMALLOC_H
#define LIBOS_MEM_KMALLOC_H

#include <stddef.h>

void *kmalloc(size_t bytes);           /* NULL when RAM is used up; contents undefined */
void *kzalloc(size_t bytes);           /* cleared */
void *krealloc(void *p, size_t bytes); /* p may be NULL; on failure p stays valid */
void kfree(void *p);                   /* NULL is fine */
char *kstrdup(const char *s);

#endif
