/* SPDX-License-Identifier: Apache-2.0 */
/* What programs learn of loopback's addresses: getifaddrs, /proc/net/if_inet6, SIOCGIFADDR stays IPv4, getaddrinfo of numbers. */
#include "tests/guest/sock6.h"

#include <ifaddrs.h>
#include <sys/ioctl.h>

static void addresses(void)
{
	struct ifaddrs *list;
	char text[INET6_ADDRSTRLEN];

	NEED(getifaddrs(&list) == 0);
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		const struct sockaddr_in6 *a = (void *)i->ifa_addr, *m = (void *)i->ifa_netmask;

		if (strcmp(i->ifa_name, "lo") != 0 || !a || a->sin6_family != AF_INET6)
			continue;
		say("%s %s", i->ifa_name, inet_ntop(AF_INET6, &a->sin6_addr, text, sizeof(text)));
		say(" mask %s", inet_ntop(AF_INET6, &m->sin6_addr, text, sizeof(text)));
		say(" scope %u\n", a->sin6_scope_id);
	}
	freeifaddrs(list);
}

static void proc_file(void)
{
	char line[128];
	FILE *f = fopen("/proc/net/if_inet6", "r");

	NEED(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, " lo\n"))
			say("%s", line);
	fclose(f);
}

int main(void)
{
	struct ifreq r = {.ifr_name = "lo"};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	addresses();
	proc_file();
	SHOW(ioctl(fd, SIOCGIFINDEX, &r));
	SHOW(r.ifr_ifindex);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	SHOW(ioctl(fd, SIOCGIFADDR, &r));
	SHOW(r.ifr_addr.sa_family);
	return 0;
}
