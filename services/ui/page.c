/* SPDX-License-Identifier: Apache-2.0 */
#include "services/ui/page.h"

#include <errno.h>
#include <string.h>

#define MARKER "<!--CONTENT-->"

__asm__(".section .rodata\n"
	".global ui_page_html\n"
	"ui_page_html:\n"
	".incbin \"" PAGE_PATH "\"\n"
	".byte 0\n"
	".previous\n");

extern const char ui_page_html[];

int page_render(struct buf *out, const char *content, size_t len)
{
	const char *marker = strstr(ui_page_html, MARKER);
	int r;

	if (!marker)
		return -EINVAL;
	r = buf_add(out, ui_page_html, (size_t)(marker - ui_page_html));
	if (r == 0)
		r = buf_add(out, content, len);
	if (r == 0)
		r = buf_addstr(out, marker + strlen(MARKER));
	return r;
}

int page_base64(struct buf *out, const void *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = data;
	char block[1024];
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		unsigned int v = (unsigned int)p[i] << 16;

		v |= i + 1 < len ? (unsigned int)p[i + 1] << 8 : 0;
		v |= i + 2 < len ? p[i + 2] : 0;
		block[n++] = digits[v >> 18];
		block[n++] = digits[v >> 12 & 63];
		block[n++] = i + 1 < len ? digits[v >> 6 & 63] : '=';
		block[n++] = i + 2 < len ? digits[v & 63] : '=';
		if (n == sizeof(block) || i + 3 >= len) {
			int r = buf_add(out, block, n);

			if (r < 0)
				return r;
			n = 0;
		}
	}
	return 0;
}
