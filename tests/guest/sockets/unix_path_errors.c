/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX names: too long, unterminated, abstract, autobind, sockets that are files. */
#include "tests/guest/sock.h"

#include <stddef.h>

int main(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "name"}, b = a, got;
	socklen_t len = sizeof(got), head = offsetof(struct sockaddr_un, sun_path);
	int s = socket(AF_UNIX, SOCK_DGRAM, 0), t = socket(AF_UNIX, SOCK_DGRAM, 0),
	    u = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct stat st;

	SHOW(bind(s, SA(&a), sizeof(a) + 1));
	SHOW(bind(s, SA(&a), 1));
	SHOW(bind(s, SA(&a), head + 4));
	len = sizeof(got);
	SHOW(getsockname(s, SA(&got), &len));
	say("%u %.4s\n", len, got.sun_path);
	SHOW(stat("name", &st));
	say("%d\n", S_ISSOCK(st.st_mode));
	SHOW(open("name", O_RDWR));
	SHOW(bind(t, SA(&a), sizeof(a)));
	snprintf(b.sun_path, sizeof(b.sun_path), "none/x");
	SHOW(bind(t, SA(&b), sizeof(b)));
	SHOW(sendto(t, "x", 1, 0, SA(&b), sizeof(b)));
	NEED(close(open("file", O_CREAT | O_RDWR, 0600)) == 0);
	snprintf(b.sun_path, sizeof(b.sun_path), "file");
	SHOW(sendto(t, "x", 1, 0, SA(&b), sizeof(b)));
	b = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "\0abs"};
	SHOW(bind(t, SA(&b), head + 4));
	SHOW(bind(u, SA(&b), head + 4));
	SHOW(sendto(u, "x", 1, 0, SA(&b), head + 4));
	SHOW(sendto(u, "x", 1, 0, SA(&b), head + 5));
	SHOW(bind(u, SA(&b), sizeof(b.sun_family)));
	len = sizeof(got);
	SHOW(getsockname(u, SA(&got), &len));
	say("%u %d\n", len, got.sun_path[0]);
	SHOW(sendto(u, "x", 1, 0, SA(&a), sizeof(a)));
	SHOW(unlink("name"));
	SHOW(sendto(u, "x", 1, 0, SA(&a), sizeof(a)));
	b.sun_family = AF_INET;
	SHOW(sendto(u, "x", 1, 0, SA(&b), sizeof(b)));
	SHOW(connect(u, SA(&b), sizeof(b)));
	return 0;
}
