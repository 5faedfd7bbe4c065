/* SPDX-License-Identifier: Apache-2.0 */
/* The page: page.html, embedded by page.c, with one marker that is replaced. */
#ifndef SERVICES_UI_PAGE_H
#define SERVICES_UI_PAGE_H

#include "lib/buf.h"

/* Appends the page with content (HTML) in place of its marker. 0 or -errno. */
int page_render(struct buf *out, const char *content, size_t len);
/* Appends bytes in base64. 0 or -errno. */
int page_base64(struct buf *out, const void *data, size_t len);

#endif
