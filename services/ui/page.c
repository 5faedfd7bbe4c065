/* SPDX-License-Identifier: Apache-2.0 */
#include "services/ui/page.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define MARKER "<!--CONTENT-->"

#define EMBED(name, file)                                                                          \
	__asm__(".section .rodata\n"                                                               \
		".global ui_" #name "\n"                                                           \
		"ui_" #name ":\n"                                                                  \
		".incbin \"" WEB_DIR "/" file "\"\n"                                               \
		".global ui_" #name "_end\n"                                                       \
		"ui_" #name "_end:\n"                                                              \
		".byte 0\n"                                                                        \
		".previous\n");                                                                    \
	extern const char ui_##name[], ui_##name##_end[]

EMBED(index, "index.html");
EMBED(css, "app.css");
EMBED(app, "app.js");
EMBED(tasks, "tasks.js");
EMBED(compare, "compare.js");

#define CSS "text/css; charset=utf-8"
#define JS  "text/javascript; charset=utf-8"

static const struct {
	const char *path, *type, *start, *end;
} embedded[] = {
	{"/app.css", CSS, ui_css, ui_css_end},
	{"/app.js", JS, ui_app, ui_app_end},
	{"/tasks.js", JS, ui_tasks, ui_tasks_end},
	{"/compare.js", JS, ui_compare, ui_compare_end},
};

/* FNV-1a: another version of the page gets another tag. */
static uint64_t hash(const char *p, size_t len)
{
	uint64_t h = 14695981039346656037ull;

	while (len--)
		h = (h ^ (unsigned char)*p++) * 1099511628211ull;
	return h;
}

const struct page_file *page_file(const char *path)
{
	static struct page_file files[ARRAY_SIZE(embedded)];

	for (size_t i = 0; i < ARRAY_SIZE(embedded); i++) {
		struct page_file *f = &files[i];

		if (strcmp(path, embedded[i].path) != 0)
			continue;
		if (!f->path) {
			*f = (struct page_file){.path = embedded[i].path,
				.type = embedded[i].type,
				.data = embedded[i].start,
				.len = (size_t)(embedded[i].end - embedded[i].start)};
			snprintf(f->tag, sizeof(f->tag), "\"%016llx\"",
				(unsigned long long)hash(f->data, f->len));
		}
		return f;
	}
	return NULL;
}

int page_render(struct buf *out, const char *content, size_t len)
{
	const char *marker = strstr(ui_index, MARKER);
	int r;

	if (!marker)
		return -EINVAL;
	r = buf_add(out, ui_index, (size_t)(marker - ui_index));
	if (r == 0)
		r = buf_add(out, content, len);
	if (r == 0)
		r = buf_addstr(out, marker + strlen(MARKER));
	return r;
}
