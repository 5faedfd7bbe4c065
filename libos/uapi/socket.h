/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets in the Linux ABI, x86-64: socket(2), socket(7), ip(7), tcp(7), udp(7), unix(7), netdevice(7), send(2), recv(2). */
#ifndef LIBOS_UAPI_SOCKET_H
#define LIBOS_UAPI_SOCKET_H

#include <stdint.h>

#define AF_UNSPEC  0
#define AF_UNIX    1
#define AF_INET    2
#define AF_INET6   10
#define AF_NETLINK 16
#define AF_VSOCK   40
#define AF_MAX     46

#define SOCK_STREAM    1u
#define SOCK_DGRAM     2u
#define SOCK_RAW       3u
#define SOCK_SEQPACKET 5u
#define SOCK_PACKET    10u
#define SOCK_TYPE_MASK 0xfu
#define SOCK_NONBLOCK  04000u
#define SOCK_CLOEXEC   02000000u

#define IPPROTO_IP     0
#define IPPROTO_ICMP   1
#define IPPROTO_TCP    6
#define IPPROTO_UDP    17
#define IPPROTO_IPV6   41
#define IPPROTO_ICMPV6 58

#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2
#define SOMAXCONN 4096

struct in_addr {
	uint32_t s_addr; /* network order */
};
struct sockaddr_in {
	uint16_t sin_family;
	uint16_t sin_port; /* network order */
	struct in_addr sin_addr;
	uint8_t sin_zero[8];
};
struct sockaddr_in6 {
	uint16_t sin6_family;
	uint16_t sin6_port; /* network order */
	uint32_t sin6_flowinfo;
	uint8_t sin6_addr[16];
	uint32_t sin6_scope_id; /* interface of a link-local address */
};
#define SIN6_BYTES_MIN 24u /* RFC 2133: without the scope */
struct sockaddr_un {
	uint16_t sun_family;
	char sun_path[108];
};
struct sockaddr_nl {
	uint16_t nl_family, nl_pad;
	uint32_t nl_pid, nl_groups;
};
struct sockaddr_vm {
	uint16_t svm_family, svm_reserved;
	uint32_t svm_port, svm_cid; /* host order */
	uint8_t svm_flags, svm_zero[3];
};
/* Room for any of them, as struct sockaddr_storage. */
union sockaddr_any {
	uint16_t family;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_nl nl;
	struct sockaddr_vm vm;
	char bytes[128];
};
_Static_assert(sizeof(struct sockaddr_in) == 16 && sizeof(struct sockaddr_in6) == 28 &&
		sizeof(struct sockaddr_un) == 110 && sizeof(struct sockaddr_nl) == 12 &&
		sizeof(struct sockaddr_vm) == 16 && sizeof(union sockaddr_any) == 128,
	"socket addresses");

/* Messages. */
#define MSG_OOB          0x1u
#define MSG_PEEK         0x2u
#define MSG_DONTROUTE    0x4u
#define MSG_CTRUNC       0x8u
#define MSG_TRUNC        0x20u
#define MSG_DONTWAIT     0x40u
#define MSG_EOR          0x80u
#define MSG_WAITALL      0x100u
#define MSG_CONFIRM      0x800u
#define MSG_ERRQUEUE     0x2000u
#define MSG_NOSIGNAL     0x4000u
#define MSG_MORE         0x8000u
#define MSG_WAITFORONE   0x10000u
#define MSG_FASTOPEN     0x20000000u
#define MSG_CMSG_CLOEXEC 0x40000000u

struct user_msghdr {
	uint64_t name;
	uint32_t namelen, pad0;
	uint64_t iov, iovlen;
	uint64_t control, controllen;
	uint32_t flags, pad1;
};
struct user_mmsghdr {
	struct user_msghdr hdr;
	uint32_t len, pad;
};
struct cmsghdr {
	uint64_t len; /* with this header */
	int32_t level, type;
};
_Static_assert(sizeof(struct user_msghdr) == 56 && sizeof(struct user_mmsghdr) == 64 &&
		sizeof(struct cmsghdr) == 16,
	"messages");
#define CMSG_ALIGN(n) (((n) + 7ull) & ~7ull)

#define SCM_RIGHTS      1
#define SCM_CREDENTIALS 2
#define SCM_MAX_FD      253
struct ucred {
	int32_t pid;
	uint32_t uid, gid;
};

/* Options. */
#define SOL_SOCKET      1
#define SO_DEBUG        1
#define SO_REUSEADDR    2
#define SO_TYPE         3
#define SO_ERROR        4
#define SO_DONTROUTE    5
#define SO_BROADCAST    6
#define SO_SNDBUF       7
#define SO_RCVBUF       8
#define SO_KEEPALIVE    9
#define SO_OOBINLINE    10
#define SO_NO_CHECK     11
#define SO_PRIORITY     12
#define SO_LINGER       13
#define SO_REUSEPORT    15
#define SO_PASSCRED     16
#define SO_PEERCRED     17
#define SO_RCVLOWAT     18
#define SO_SNDLOWAT     19
#define SO_RCVTIMEO     20
#define SO_SNDTIMEO     21
#define SO_BINDTODEVICE 25
#define SO_TIMESTAMP    29
#define SO_ACCEPTCONN   30
#define SO_PEERSEC      31
#define SO_SNDBUFFORCE  32
#define SO_RCVBUFFORCE  33
#define SO_MARK         36
#define SO_PROTOCOL     38
#define SO_DOMAIN       39
#define SO_INCOMING_CPU 49
#define SO_ZEROCOPY     60

struct linger {
	int32_t onoff, seconds;
};
struct sock_timeval {
	int64_t sec, usec;
};

#define SOL_TCP              6
#define TCP_NODELAY          1
#define TCP_MAXSEG           2
#define TCP_CORK             3
#define TCP_KEEPIDLE         4
#define TCP_KEEPINTVL        5
#define TCP_KEEPCNT          6
#define TCP_SYNCNT           7
#define TCP_LINGER2          8
#define TCP_DEFER_ACCEPT     9
#define TCP_WINDOW_CLAMP     10
#define TCP_INFO             11
#define TCP_QUICKACK         12
#define TCP_CONGESTION       13
#define TCP_USER_TIMEOUT     18
#define TCP_FASTOPEN         23
#define TCP_NOTSENT_LOWAT    25
#define TCP_FASTOPEN_CONNECT 30

/* linux/tcp.h: the part of struct tcp_info up to tcpi_total_retrans. */
struct tcp_info {
	uint8_t state, ca_state, retransmits, probes, backoff, options, wscale, app_limited;
	uint32_t rto, ato, snd_mss, rcv_mss; /* us, us, bytes, bytes */
	uint32_t unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
	uint32_t rcv_rtt, rcv_space, total_retrans;
};
_Static_assert(sizeof(struct tcp_info) == 104, "struct tcp_info");

#define SOL_IP                  0
#define IP_TOS                  1
#define IP_TTL                  2
#define IP_PKTINFO              8
#define IP_MTU_DISCOVER         10
#define IP_RECVERR              11
#define IP_RECVTTL              12
#define IP_RECVTOS              13
#define IP_MTU                  14
#define IP_FREEBIND             15
#define IP_TRANSPARENT          19
#define IP_BIND_ADDRESS_NO_PORT 24
#define IP_MULTICAST_IF         32
#define IP_MULTICAST_TTL        33
#define IP_MULTICAST_LOOP       34
#define IP_ADD_MEMBERSHIP       35
#define IP_DROP_MEMBERSHIP      36
#define IP_MULTICAST_ALL        49
#define SOL_UDP                 17
struct in_pktinfo {
	int32_t ifindex;
	uint32_t spec_dst, addr; /* network order */
};

/* ipv6(7), RFC 3493, RFC 3542 */
#define SOL_IPV6              41
#define IPV6_UNICAST_HOPS     16
#define IPV6_MULTICAST_IF     17
#define IPV6_MULTICAST_HOPS   18
#define IPV6_MULTICAST_LOOP   19
#define IPV6_JOIN_GROUP       20
#define IPV6_LEAVE_GROUP      21
#define IPV6_MTU_DISCOVER     23
#define IPV6_MTU              24
#define IPV6_RECVERR          25
#define IPV6_V6ONLY           26
#define IPV6_MULTICAST_ALL    29
#define IPV6_FLOWINFO_SEND    33
#define IPV6_RECVPKTINFO      49
#define IPV6_PKTINFO          50
#define IPV6_RECVHOPLIMIT     51
#define IPV6_HOPLIMIT         52
#define IPV6_DONTFRAG         62
#define IPV6_RECVTCLASS       66
#define IPV6_TCLASS           67
#define IPV6_AUTOFLOWLABEL    70
#define IPV6_ADDR_PREFERENCES 72
#define IPV6_FREEBIND         78
struct in6_pktinfo {
	uint8_t addr[16];
	int32_t ifindex;
};
struct ipv6_mreq {
	uint8_t addr[16];
	int32_t ifindex;
};
#define SOL_NETLINK 270

/* vsock(7), linux/vm_sockets.h. */
#define VMADDR_CID_ANY                    UINT32_MAX
#define VMADDR_CID_LOCAL                  1u
#define VMADDR_PORT_ANY                   UINT32_MAX
#define VMADDR_FLAG_TO_HOST               1u
#define SO_VM_SOCKETS_BUFFER_SIZE         0
#define SO_VM_SOCKETS_BUFFER_MIN_SIZE     1
#define SO_VM_SOCKETS_BUFFER_MAX_SIZE     2
#define SO_VM_SOCKETS_CONNECT_TIMEOUT     6
#define SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW 8
#define IOCTL_VM_SOCKETS_GET_LOCAL_CID    0x7b9u

/* ioctl. */
#define FIONREAD       0x541bu
#define FIONBIO        0x5421u
#define FIOASYNC       0x5452u
#define SIOCINQ        FIONREAD
#define SIOCOUTQ       0x5411u
#define SIOCATMARK     0x8905u
#define SIOCGIFNAME    0x8910u
#define SIOCGIFCONF    0x8912u
#define SIOCGIFFLAGS   0x8913u
#define SIOCGIFADDR    0x8915u
#define SIOCGIFBRDADDR 0x8919u
#define SIOCGIFNETMASK 0x891bu
#define SIOCGIFMETRIC  0x891du
#define SIOCGIFMTU     0x8921u
#define SIOCGIFHWADDR  0x8927u
#define SIOCGIFINDEX   0x8933u
#define SIOCGIFTXQLEN  0x8942u

#define IFNAMSIZ        16
#define IFF_UP          0x1u
#define IFF_BROADCAST   0x2u
#define IFF_LOOPBACK    0x8u
#define IFF_RUNNING     0x40u
#define IFF_MULTICAST   0x1000u
#define IFF_LOWER_UP    0x10000u
#define ARPHRD_ETHER    1
#define ARPHRD_LOOPBACK 772

struct ifreq {
	char name[IFNAMSIZ];
	union {
		struct sockaddr_in addr;
		int16_t flags;
		int32_t value; /* index, mtu, metric, queue length */
		struct {
			uint16_t family;
			uint8_t data[14];
		} hwaddr;
		char bytes[24];
	};
};
_Static_assert(sizeof(struct ifreq) == 40, "struct ifreq");
struct ifconf {
	int32_t len, pad;
	uint64_t buf;
};

#endif
