/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX by path and by abstract name: binding, connecting, names, refusals. */
#include "tests/guest/sock.h"

int main(void)
{
	struct sockaddr_un path = {AF_UNIX, "socket"}, missing = {AF_UNIX, "missing"},
			   file = {AF_UNIX, "file"}, name;
	struct sockaddr_un abstract = {AF_UNIX, "\0abstract"};
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), a;
	socklen_t len = sizeof(name);
	struct ucred cred = {0};
	struct stat st;
	char buf[16];

	NEED(close(open("file", O_CREAT | O_WRONLY, 0600)) == 0);
	SHOW(connect(c, SA(&missing), sizeof(missing)));
	SHOW(connect(c, SA(&file), sizeof(file)));
	SHOW(bind(l, SA(&path), sizeof(path)));
	SHOW(bind(socket(AF_UNIX, SOCK_STREAM, 0), SA(&path), sizeof(path)));
	SHOW(stat("socket", &st));
	ASK(S_ISSOCK(st.st_mode));
	SHOW(open("socket", O_RDWR));
	SHOW(connect(c, SA(&path), sizeof(path)));
	SHOW(listen(l, 5));
	SHOW(connect(c, SA(&path), sizeof(path)));
	a = accept(l, SA(&name), &len);
	ASK(a >= 0 && len == sizeof(sa_family_t));
	SHOW(write(c, "over the path", 13));
	SHOW(read(a, buf, sizeof(buf)));
	len = sizeof(name);
	SHOW(getpeername(c, SA(&name), &len));
	say("%s, %u bytes\n", name.sun_path, len);
	len = sizeof(cred);
	SHOW(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	ASK(cred.pid == getpid() && cred.uid == 0);
	SHOW(unlink("socket"));
	SHOW(connect(socket(AF_UNIX, SOCK_STREAM, 0), SA(&path), sizeof(path)));
	SHOW(write(c, "still", 5));
	SHOW(read(a, buf, sizeof(buf)));
	close(l);
	l = socket(AF_UNIX, SOCK_DGRAM, 0);
	SHOW(bind(l, SA(&abstract), sizeof(sa_family_t) + 9));
	c = socket(AF_UNIX, SOCK_DGRAM, 0);
	SHOW(sendto(c, "datagram", 8, 0, SA(&abstract), sizeof(sa_family_t) + 9));
	SHOW(read(l, buf, sizeof(buf)));
	SHOW(sendto(c, "datagram", 8, 0, SA(&abstract), sizeof(sa_family_t) + 8));
	SHOW(bind(c, SA(&path), 300));
	SHOW(bind(c, SA(&path), 1));
	return 0;
}
