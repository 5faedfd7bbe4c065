/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests against a network namespace of the test's own. What the kernel does only now and then, when others change links at the
 * same time, the wrapped reception does when it is told to: it marks a part of a dump as interrupted, or fails.
 */
#include "daemon/network/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BRIDGES 40 /* more than one part of a dump holds */

static const uint8_t some_mac[MAC_BYTES] = {0x02, 1, 2, 3, 4, 5};
static unsigned interruptions; /* to come */
static bool fail_next;

ssize_t __real_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size);

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	struct nlmsghdr *h = buf;
	ssize_t n;

	if (fail_next) {
		fail_next = false;
		errno = ENOBUFS;
		return -1;
	}
	n = __real_mnl_socket_recvfrom(nl, buf, size);
	if (n > 0 && interruptions && (h->nlmsg_flags & NLM_F_MULTI)) {
		interruptions--;
		h->nlmsg_flags |= NLM_F_DUMP_INTR;
	}
	return n;
}

static const struct netns here = {.home = -1, .fd = -1};

static int new_netlink(void **state)
{
	struct netlink *nl;
	char name[IFNAMSIZ];

	if (netlink_new(&here, &nl) < 0)
		return -1;
	for (int i = 0; i < BRIDGES; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		if (netlink_bridge_add(nl, name, some_mac) < 0)
			return -1;
	}
	*state = nl;
	return 0;
}

/* The links go with the namespace. */
static int free_netlink(void **state)
{
	netlink_free(*state);
	return 0;
}

static int no_interruptions(void **state)
{
	(void)state;
	interruptions = 0;
	return 0;
}

static void count_name(void *arg, int index, const char *name)
{
	unsigned *seen = arg;

	assert_true(index > 0);
	seen[strtol(name + 1, NULL, 10)]++;
}

static int list(struct netlink *nl, unsigned seen[BRIDGES])
{
	memset(seen, 0, BRIDGES * sizeof(*seen));
	return netlink_links(nl, "t", count_name, seen);
}

/* All of it, each once, and the next request finds its own answer. */
static void assert_works(struct netlink *nl)
{
	unsigned seen[BRIDGES];

	assert_int_equal(list(nl, seen), 0);
	for (int i = 0; i < BRIDGES; i++)
		assert_int_equal(seen[i], 1);
	assert_true(netlink_index(nl, "t3") > 0);
	assert_int_equal(netlink_index(nl, "none"), -ENODEV);
}

static void links_are_listed(void **state)
{
	assert_works(*state);
}

static void an_interrupted_list_is_taken_again(void **state)
{
	for (unsigned n = 1; n < 10; n++) {
		interruptions = n;
		assert_works(*state);
		assert_int_equal(interruptions, 0);
	}
}

static void a_list_that_never_ends_well_is_refused(void **state)
{
	unsigned seen[BRIDGES], none[BRIDGES] = {0};

	interruptions = ~0u;
	assert_int_equal(list(*state, seen), -EINTR);
	assert_memory_equal(seen, none, sizeof(none));
	interruptions = 0;
	assert_works(*state);
}

static void interrupted_routes_are_read_again(void **state)
{
	struct netlink *nl = *state;
	struct subnet subnet = {.base = 0x0a4d0000, .prefix = 16},
		      other = {.base = 0x0a4e0000, .prefix = 16};
	int index = netlink_index(nl, "t0");

	assert_int_equal(netlink_addr_add(nl, index, 0x0a4d0301, 24), 0);
	assert_int_equal(netlink_link_up(nl, index), 0);
	for (unsigned n = 0; n < 5; n++) {
		interruptions = n;
		assert_int_equal(netlink_route_conflict(nl, &subnet, 0), 1);
		interruptions = n;
		assert_int_equal(netlink_route_conflict(nl, &subnet, index), 0);
		interruptions = n;
		assert_int_equal(netlink_route_conflict(nl, &other, 0), 0);
	}
	interruptions = ~0u;
	assert_int_equal(netlink_route_conflict(nl, &subnet, 0), -EINTR);
	interruptions = 0;
	assert_works(nl);
}

static void an_answer_that_was_not_taken_is_no_other_ones(void **state)
{
	struct netlink *nl = *state;
	int index = netlink_index(nl, "t1");

	fail_next = true;
	assert_int_equal(netlink_link_up(nl, index), -ENOBUFS);
	assert_int_equal(netlink_index(nl, "t1"), index);
	assert_works(nl);
}

static void mac_of(const char *name, uint8_t mac[MAC_BYTES])
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	assert_true(fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &ifr) == 0);
	close(fd);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, MAC_BYTES);
}

static void a_mac_that_is_kept(void **state)
{
	struct netlink *nl = *state;
	uint8_t mac[MAC_BYTES], told[MAC_BYTES] = {2, 9, 9, 9, 9, 9};
	int index = netlink_index(nl, "t2");

	assert_int_equal(netlink_link_keep_mac(nl, index, told), 0);
	mac_of("t2", mac);
	assert_memory_equal(mac, some_mac, sizeof(mac));
	assert_memory_equal(told, some_mac, sizeof(told));
	assert_int_equal(netlink_link_keep_mac(nl, 1 << 30, told), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(links_are_listed, no_interruptions),
		cmocka_unit_test_teardown(an_interrupted_list_is_taken_again, no_interruptions),
		cmocka_unit_test_teardown(a_list_that_never_ends_well_is_refused, no_interruptions),
		cmocka_unit_test_teardown(interrupted_routes_are_read_again, no_interruptions),
		cmocka_unit_test_teardown(
			an_answer_that_was_not_taken_is_no_other_ones, no_interruptions),
		cmocka_unit_test_teardown(a_mac_that_is_kept, no_interruptions),
	};

	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: needs root for a network namespace\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, new_netlink, free_netlink);
}
