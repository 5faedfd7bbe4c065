/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve NAME...: what the C library makes of names (addresses: of their names), a line each:
 *   NAME=ADDRESS,ADDRESS   in the order of the numbers
 *   NAME: what is wrong
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LINE_MAX_BYTES INET6_ADDRSTRLEN

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void show(const char *name, const struct addrinfo *list)
{
	static char text[2048][LINE_MAX_BYTES];
	size_t n = 0;

	for (; list && n < 2048; list = list->ai_next)
		getnameinfo(list->ai_addr, list->ai_addrlen, text[n++], LINE_MAX_BYTES, NULL, 0,
			NI_NUMERICHOST);
	qsort(text, n, sizeof(text[0]), compare);
	printf("%s", name);
	for (size_t i = 0; i < n; i++)
		printf("%c%s", i ? ',' : '=', text[i]);
	printf("\n");
}

static void reverse(const char *address, const struct in_addr *in)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = *in};
	char name[256];
	int r = getnameinfo(
		(struct sockaddr *)&at, sizeof(at), name, sizeof(name), NULL, 0, NI_NAMEREQD);

	printf("%s%s%s\n", address, r ? ": " : "=", r ? gai_strerror(r) : name);
}

static void forward(const char *name)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list;
	int r = getaddrinfo(name, NULL, &hints, &list);

	if (r) {
		printf("%s: %s\n", name, gai_strerror(r));
		return;
	}
	show(name, list);
	freeaddrinfo(list);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct in_addr in;

		if (inet_pton(AF_INET, argv[i], &in) == 1)
			reverse(argv[i], &in);
		else
			forward(argv[i]);
	}
	return 0;
}
