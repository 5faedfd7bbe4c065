/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of interfaces: in the links that rtnetlink(7) dumps, and in /proc/net/dev, which name the same interfaces. */
#include "tests/guest/guest.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static int links, with64, with32, sizes, named;

static bool in_proc(const char *name)
{
	char line[512], word[64];
	bool found = false;
	FILE *f = fopen("/proc/net/dev", "r");

	NEED(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long n[16];
		int got = sscanf(line,
			" %63[^:]: %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu",
			word, n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9,
			n + 10, n + 11, n + 12, n + 13, n + 14, n + 15);

		found |= got == 17 && strcmp(word, name) == 0;
	}
	fclose(f);
	return found;
}

static void look(struct nlmsghdr *h)
{
	struct rtattr *a = IFLA_RTA(NLMSG_DATA(h));
	int left = (int)IFLA_PAYLOAD(h);

	links++;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFLA_STATS64) {
			with64++;
			sizes += RTA_PAYLOAD(a) >= 23 * sizeof(uint64_t) &&
				RTA_PAYLOAD(a) % sizeof(uint64_t) == 0;
		} else if (a->rta_type == IFLA_STATS) {
			with32++;
			sizes += RTA_PAYLOAD(a) >= 23 * sizeof(uint32_t);
		} else if (a->rta_type == IFLA_IFNAME) {
			named += in_proc(RTA_DATA(a));
		}
	}
}

int main(void)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg m;
	} ask = {{.nlmsg_len = sizeof(ask),
			 .nlmsg_type = RTM_GETLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		{.ifi_family = AF_UNSPEC}};
	static char buf[65536] __attribute__((aligned(8)));
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	bool done = false;

	NEED(s >= 0 && send(s, &ask, sizeof(ask), 0) == (ssize_t)sizeof(ask));
	while (!done) {
		ssize_t n = recv(s, buf, sizeof(buf), 0);

		NEED(n > 0);
		for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			done |= h->nlmsg_type == NLMSG_DONE;
			if (h->nlmsg_type == RTM_NEWLINK)
				look(h);
		}
	}
	ASK(links >= 1);
	ASK(with64 == links && with32 == links);
	ASK(sizes == 2 * links);
	ASK(named == links);
	return 0;
}
