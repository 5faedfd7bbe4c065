/* SPDX-License-Identifier: Apache-2.0 */
/* netlink(7) and rtnetlink(7) in the Linux ABI: what a dump of links and addresses needs. */
#ifndef LIBOS_UAPI_NETLINK_H
#define LIBOS_UAPI_NETLINK_H

#include <stdint.h>

#define NETLINK_ROUTE 0
#define NLMSG_NOOP    1
#define NLMSG_ERROR   2
#define NLMSG_DONE    3
#define NLM_F_REQUEST 0x01u
#define NLM_F_MULTI   0x02u
#define NLM_F_ACK     0x04u
#define NLM_F_DUMP    0x300u

#define RTM_NEWLINK  16
#define RTM_GETLINK  18
#define RTM_NEWADDR  20
#define RTM_GETADDR  22
#define RTM_NEWROUTE 24
#define RTM_GETROUTE 26

struct nlmsghdr {
	uint32_t len; /* with this header */
	uint16_t type, flags;
	uint32_t seq, pid;
};
struct rtattr {
	uint16_t len; /* with this header */
	uint16_t type;
};
struct ifinfomsg {
	uint8_t family, pad;
	uint16_t type; /* ARPHRD_ */
	int32_t index;
	uint32_t flags, change;
};
struct ifaddrmsg {
	uint8_t family, prefixlen, flags, scope;
	uint32_t index;
};
struct rtmsg {
	uint8_t family, dst_len, src_len, tos;
	uint8_t table, protocol, scope, type;
	uint32_t flags;
};

#define IFLA_ADDRESS      1
#define IFLA_BROADCAST    2
#define IFLA_IFNAME       3
#define IFLA_MTU          4
#define IFLA_STATS        7
#define IFLA_TXQLEN       13
#define IFLA_OPERSTATE    16
#define IFLA_STATS64      23
#define IFA_ADDRESS       1
#define IFA_LOCAL         2
#define IFA_LABEL         3
#define IFA_BROADCAST     4
#define IFA_FLAGS         8
#define RTA_DST           1
#define RTA_OIF           4
#define RTA_GATEWAY       5
#define RTA_PRIORITY      6
#define RTA_PREFSRC       7
#define RT_TABLE_MAIN     254
#define RTPROT_KERNEL     2
#define RTPROT_BOOT       3
#define RTN_UNICAST       1
#define RT_SCOPE_UNIVERSE 0
#define RT_SCOPE_LINK     253
#define RT_SCOPE_HOST     254
#define IFA_F_NODAD       0x02u
#define IFA_F_PERMANENT   0x80u
#define IF_OPER_UNKNOWN   0
#define IF_OPER_UP        6

#endif
