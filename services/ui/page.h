/* SPDX-License-Identifier: Apache-2.0 */
/* The page of web/imaging, embedded: index.html with one marker that is replaced, and the files that it names. */
#ifndef SERVICES_UI_PAGE_H
#define SERVICES_UI_PAGE_H

#include "lib/buf.h"

struct page_file {
	const char *path, *type;
	const char *data;
	size_t len;
	char tag[20]; /* for ETag, in quotes: of the bytes */
};

/* Appends the page with content (HTML) in place of its marker. 0 or -errno. */
int page_render(struct buf *out, const char *content, size_t len);
/* A file that the page names, by its path ("/app.css"), or NULL. */
const struct page_file *page_file(const char *path);

#endif
