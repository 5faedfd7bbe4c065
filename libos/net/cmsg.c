/* SPDX-License-Identifier: Apache-2.0 */
#include "libos/net/cmsg.h"

#include "libos/klib/errno.h"
#include "libos/klib/string.h"

void cmsg_step(struct cmsg_out *o, uint64_t len)
{
	uint64_t step = CMSG_ALIGN(len);

	if (step > o->left)
		step = o->left;
	o->at += step;
	o->left -= step;
	o->used += step;
}

int cmsg_put(struct cmsg_out *o, int level, int type, const void *data, size_t n, unsigned *flags)
{
	struct cmsghdr h = {sizeof(h) + n, level, type};

	if (o->left < sizeof(h)) {
		*flags |= MSG_CTRUNC;
		return 0;
	}
	if (o->left < h.len) {
		*flags |= MSG_CTRUNC;
		h.len = o->left;
	}
	int rc = put_user(o->at, &h);
	if (rc == 0)
		rc = copy_to_user(o->at + sizeof(h), data, h.len - sizeof(h));
	cmsg_step(o, h.len);
	return rc;
}

static int put_pktinfo4(struct cmsg_out *o, const struct cmsg_ip *ip, unsigned *flags)
{
	struct in_pktinfo info = {.ifindex = ip->ifindex};

	memcpy(&info.addr, ip->addr + 12, 4);
	info.spec_dst = info.addr;
	return cmsg_put(o, SOL_IP, IP_PKTINFO, &info, sizeof(info), flags);
}

static int put_pktinfo6(struct cmsg_out *o, const struct cmsg_ip *ip, unsigned *flags)
{
	struct in6_pktinfo info = {.ifindex = ip->ifindex};

	memcpy(info.addr, ip->addr, sizeof(info.addr));
	return cmsg_put(o, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info), flags);
}

int cmsg_ip_put(struct cmsg_out *o, const struct cmsg_ip *ip, unsigned *flags)
{
	uint8_t tos = (uint8_t)ip->tclass;
	int rc = 0;

	if (ip->have & CMSG_PKTINFO6)
		rc = put_pktinfo6(o, ip, flags);
	if (rc == 0 && (ip->have & CMSG_PKTINFO4))
		rc = put_pktinfo4(o, ip, flags);
	if (rc == 0 && (ip->have & CMSG_TTL4))
		rc = cmsg_put(o, SOL_IP, IP_TTL, &ip->hops, sizeof(ip->hops), flags);
	if (rc == 0 && (ip->have & CMSG_TOS4))
		rc = cmsg_put(o, SOL_IP, IP_TOS, &tos, sizeof(tos), flags);
	if (rc == 0 && (ip->have & CMSG_HOPS6))
		rc = cmsg_put(o, SOL_IPV6, IPV6_HOPLIMIT, &ip->hops, sizeof(ip->hops), flags);
	if (rc == 0 && (ip->have & CMSG_TCLASS6))
		rc = cmsg_put(o, SOL_IPV6, IPV6_TCLASS, &ip->tclass, sizeof(ip->tclass), flags);
	return rc;
}

static int take_int(int *to, const void *data, size_t n, int min, int max)
{
	int v;

	if (n != sizeof(v))
		return -EINVAL;
	memcpy(&v, data, sizeof(v));
	if (v < min || v > max)
		return -EINVAL;
	*to = v;
	return 0;
}

static int take_ip4(struct cmsg_ip *ip, int type, const void *data, size_t n)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	struct in_pktinfo info;

	switch (type) {
	case IP_PKTINFO:
		if (n != sizeof(info))
			return -EINVAL;
		memcpy(&info, data, sizeof(info));
		memcpy(ip->addr, mapped, sizeof(mapped));
		memcpy(ip->addr + 12, &info.spec_dst, 4);
		ip->ifindex = info.ifindex;
		ip->have |= CMSG_PKTINFO4;
		return 0;
	case IP_TTL:
		ip->have |= CMSG_TTL4;
		return take_int(&ip->hops, data, n, 1, 255);
	case IP_TOS:
		ip->have |= CMSG_TOS4;
		if (n == 1) {
			ip->tclass = *(const uint8_t *)data;
			return 0;
		}
		return take_int(&ip->tclass, data, n, 0, 255);
	default:
		return -EINVAL;
	}
}

static int take_ip6(struct cmsg_ip *ip, int type, const void *data, size_t n)
{
	struct in6_pktinfo info;

	switch (type) {
	case IPV6_PKTINFO:
		if (n < sizeof(info))
			return -EINVAL;
		memcpy(&info, data, sizeof(info));
		memcpy(ip->addr, info.addr, sizeof(ip->addr));
		ip->ifindex = info.ifindex;
		ip->have |= CMSG_PKTINFO6;
		return 0;
	case IPV6_HOPLIMIT:
		ip->have |= CMSG_HOPS6;
		return take_int(&ip->hops, data, n, -1, 255);
	case IPV6_TCLASS:
		ip->have |= CMSG_TCLASS6;
		return take_int(&ip->tclass, data, n, -1, 255);
	default:
		return -EINVAL;
	}
}

int cmsg_ip_take(struct cmsg_ip *ip, const struct cmsghdr *h, const void *data, size_t n)
{
	return h->level == SOL_IP ? take_ip4(ip, h->type, data, n) : take_ip6(ip, h->type, data, n);
}
