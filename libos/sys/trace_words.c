/* SPDX-License-Identifier: Apache-2.0 */
/* See trace_words.h. Numbers are those of the Linux ABI (uapi headers of x86-64); what has no word is written in hex. */
#include "libos/sys/trace_words.h"

#include "libos/klib/string.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct word {
	uint64_t bits;
	const char *name;
};

static const char *const errors[] = {[1] = "EPERM",
	[2] = "ENOENT",
	[3] = "ESRCH",
	[4] = "EINTR",
	[5] = "EIO",
	[6] = "ENXIO",
	[7] = "E2BIG",
	[8] = "ENOEXEC",
	[9] = "EBADF",
	[10] = "ECHILD",
	[11] = "EAGAIN",
	[12] = "ENOMEM",
	[13] = "EACCES",
	[14] = "EFAULT",
	[15] = "ENOTBLK",
	[16] = "EBUSY",
	[17] = "EEXIST",
	[18] = "EXDEV",
	[19] = "ENODEV",
	[20] = "ENOTDIR",
	[21] = "EISDIR",
	[22] = "EINVAL",
	[23] = "ENFILE",
	[24] = "EMFILE",
	[25] = "ENOTTY",
	[26] = "ETXTBSY",
	[27] = "EFBIG",
	[28] = "ENOSPC",
	[29] = "ESPIPE",
	[30] = "EROFS",
	[31] = "EMLINK",
	[32] = "EPIPE",
	[33] = "EDOM",
	[34] = "ERANGE",
	[35] = "EDEADLK",
	[36] = "ENAMETOOLONG",
	[37] = "ENOLCK",
	[38] = "ENOSYS",
	[39] = "ENOTEMPTY",
	[40] = "ELOOP",
	[42] = "ENOMSG",
	[43] = "EIDRM",
	[44] = "ECHRNG",
	[45] = "EL2NSYNC",
	[46] = "EL3HLT",
	[47] = "EL3RST",
	[48] = "ELNRNG",
	[49] = "EUNATCH",
	[50] = "ENOCSI",
	[51] = "EL2HLT",
	[52] = "EBADE",
	[53] = "EBADR",
	[54] = "EXFULL",
	[55] = "ENOANO",
	[56] = "EBADRQC",
	[57] = "EBADSLT",
	[59] = "EBFONT",
	[60] = "ENOSTR",
	[61] = "ENODATA",
	[62] = "ETIME",
	[63] = "ENOSR",
	[64] = "ENONET",
	[65] = "ENOPKG",
	[66] = "EREMOTE",
	[67] = "ENOLINK",
	[68] = "EADV",
	[69] = "ESRMNT",
	[70] = "ECOMM",
	[71] = "EPROTO",
	[72] = "EMULTIHOP",
	[73] = "EDOTDOT",
	[74] = "EBADMSG",
	[75] = "EOVERFLOW",
	[76] = "ENOTUNIQ",
	[77] = "EBADFD",
	[78] = "EREMCHG",
	[79] = "ELIBACC",
	[80] = "ELIBBAD",
	[81] = "ELIBSCN",
	[82] = "ELIBMAX",
	[83] = "ELIBEXEC",
	[84] = "EILSEQ",
	[85] = "ERESTART",
	[86] = "ESTRPIPE",
	[87] = "EUSERS",
	[88] = "ENOTSOCK",
	[89] = "EDESTADDRREQ",
	[90] = "EMSGSIZE",
	[91] = "EPROTOTYPE",
	[92] = "ENOPROTOOPT",
	[93] = "EPROTONOSUPPORT",
	[94] = "ESOCKTNOSUPPORT",
	[95] = "EOPNOTSUPP",
	[96] = "EPFNOSUPPORT",
	[97] = "EAFNOSUPPORT",
	[98] = "EADDRINUSE",
	[99] = "EADDRNOTAVAIL",
	[100] = "ENETDOWN",
	[101] = "ENETUNREACH",
	[102] = "ENETRESET",
	[103] = "ECONNABORTED",
	[104] = "ECONNRESET",
	[105] = "ENOBUFS",
	[106] = "EISCONN",
	[107] = "ENOTCONN",
	[108] = "ESHUTDOWN",
	[109] = "ETOOMANYREFS",
	[110] = "ETIMEDOUT",
	[111] = "ECONNREFUSED",
	[112] = "EHOSTDOWN",
	[113] = "EHOSTUNREACH",
	[114] = "EALREADY",
	[115] = "EINPROGRESS",
	[116] = "ESTALE",
	[117] = "EUCLEAN",
	[118] = "ENOTNAM",
	[119] = "ENAVAIL",
	[120] = "EISNAM",
	[121] = "EREMOTEIO",
	[122] = "EDQUOT",
	[123] = "ENOMEDIUM",
	[124] = "EMEDIUMTYPE",
	[125] = "ECANCELED",
	[126] = "ENOKEY",
	[127] = "EKEYEXPIRED",
	[128] = "EKEYREVOKED",
	[129] = "EKEYREJECTED",
	[130] = "EOWNERDEAD",
	[131] = "ENOTRECOVERABLE",
	[132] = "ERFKILL",
	[133] = "EHWPOISON"};

static const struct word open_words[] = {{0x40, "O_CREAT"}, {0x80, "O_EXCL"}, {0x100, "O_NOCTTY"},
	{0x200, "O_TRUNC"}, {0x400, "O_APPEND"}, {0x800, "O_NONBLOCK"}, {0x101000, "O_SYNC"},
	{0x1000, "O_DSYNC"}, {0x2000, "O_ASYNC"}, {0x4000, "O_DIRECT"}, {0x8000, "O_LARGEFILE"},
	{0x410000, "O_TMPFILE"}, {0x10000, "O_DIRECTORY"}, {0x20000, "O_NOFOLLOW"},
	{0x40000, "O_NOATIME"}, {0x80000, "O_CLOEXEC"}, {0x200000, "O_PATH"}};
static const struct word prot_words[] = {
	{1, "PROT_READ"}, {2, "PROT_WRITE"}, {4, "PROT_EXEC"}, {0x1000000, "PROT_GROWSDOWN"}};
static const struct word map_words[] = {{3, "MAP_SHARED_VALIDATE"}, {1, "MAP_SHARED"},
	{2, "MAP_PRIVATE"}, {0x10, "MAP_FIXED"}, {0x20, "MAP_ANONYMOUS"}, {0x40, "MAP_32BIT"},
	{0x100, "MAP_GROWSDOWN"}, {0x800, "MAP_DENYWRITE"}, {0x2000, "MAP_LOCKED"},
	{0x4000, "MAP_NORESERVE"}, {0x8000, "MAP_POPULATE"}, {0x20000, "MAP_STACK"},
	{0x40000, "MAP_HUGETLB"}, {0x100000, "MAP_FIXED_NOREPLACE"}};
static const struct word clone_words[] = {{0x100, "CLONE_VM"}, {0x200, "CLONE_FS"},
	{0x400, "CLONE_FILES"}, {0x800, "CLONE_SIGHAND"}, {0x4000, "CLONE_VFORK"},
	{0x10000, "CLONE_THREAD"}, {0x40000, "CLONE_SYSVSEM"}, {0x80000, "CLONE_SETTLS"},
	{0x100000, "CLONE_PARENT_SETTID"}, {0x200000, "CLONE_CHILD_CLEARTID"},
	{0x1000000, "CLONE_CHILD_SETTID"}};
static const char *const signals[] = {"SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT",
	"SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM",
	"SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU",
	"SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR",
	"SIGSYS"};
static const char *const futex_ops[] = {"FUTEX_WAIT", "FUTEX_WAKE", "FUTEX_FD", "FUTEX_REQUEUE",
	"FUTEX_CMP_REQUEUE", "FUTEX_WAKE_OP", "FUTEX_LOCK_PI", "FUTEX_UNLOCK_PI",
	"FUTEX_TRYLOCK_PI", "FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET", "FUTEX_WAIT_REQUEUE_PI",
	"FUTEX_CMP_REQUEUE_PI", "FUTEX_LOCK_PI2"};
static const char *const domains[] = {[1] = "AF_UNIX",
	[2] = "AF_INET",
	[10] = "AF_INET6",
	[16] = "AF_NETLINK",
	[17] = "AF_PACKET",
	[40] = "AF_VSOCK"};
static const char *const socket_types[] = {
	NULL, "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", NULL, "SOCK_SEQPACKET"};

static const char *at(const char *const *table, size_t count, uint64_t i)
{
	return i < count ? table[i] : NULL;
}

const char *errno_name(unsigned error)
{
	return at(errors, COUNT(errors), error);
}

/* The words of all bits, and what is left in hex; first: a word that is there already. */
static int join(char *dst, size_t size, const char *first, uint64_t value, const struct word *words,
	size_t count)
{
	size_t n = strlcpy(dst, first, size);

	for (size_t i = 0; i < count && n < size; i++) {
		if ((value & words[i].bits) != words[i].bits)
			continue;
		value &= ~words[i].bits;
		n += (size_t)snprintf(dst + n, size - n, "%s%s", n ? "|" : "", words[i].name);
	}
	if ((value || !n) && n < size)
		n += (size_t)snprintf(
			dst + n, size - n, "%s%#llx", n ? "|" : "", (unsigned long long)value);
	return (int)n;
}

static int one(char *dst, size_t size, const char *word, uint64_t value)
{
	return word ? snprintf(dst, size, "%s", word)
		    : snprintf(dst, size, "%#llx", (unsigned long long)value);
}

int words_open(char *dst, size_t size, uint64_t flags)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

	return join(dst, size, modes[flags & 3], flags & ~3ull & UINT32_MAX, open_words,
		COUNT(open_words));
}

int words_prot(char *dst, size_t size, uint64_t prot)
{
	return prot ? join(dst, size, "", prot, prot_words, COUNT(prot_words))
		    : snprintf(dst, size, "PROT_NONE");
}

int words_map(char *dst, size_t size, uint64_t flags)
{
	return join(dst, size, "", flags & UINT32_MAX, map_words, COUNT(map_words));
}

int words_clone(char *dst, size_t size, uint64_t flags)
{
	return join(dst, size, "", flags, clone_words, COUNT(clone_words));
}

int words_signal(char *dst, size_t size, uint64_t signo)
{
	if (signo > COUNT(signals) && signo <= 64)
		return snprintf(dst, size, "SIGRT_%u", (unsigned)(signo - 32));
	return one(dst, size, signo ? at(signals, COUNT(signals), signo - 1) : NULL, signo);
}

int words_futex(char *dst, size_t size, uint64_t op)
{
	const char *name = at(futex_ops, COUNT(futex_ops), op & 127);
	int n = one(dst, size, name, op & 127);

	if (op & 128 && (size_t)n < size)
		n += snprintf(dst + n, size - (size_t)n, "|PRIVATE");
	if (op & 256 && (size_t)n < size)
		n += snprintf(dst + n, size - (size_t)n, "|CLOCK_REALTIME");
	return n;
}

int words_domain(char *dst, size_t size, uint64_t domain)
{
	return one(dst, size, at(domains, COUNT(domains), domain), domain);
}

int words_socket_type(char *dst, size_t size, uint64_t type)
{
	int n = one(dst, size, at(socket_types, COUNT(socket_types), type & 15), type & 15);

	if (type & 0x800 && (size_t)n < size)
		n += snprintf(dst + n, size - (size_t)n, "|SOCK_NONBLOCK");
	if (type & 0x80000 && (size_t)n < size)
		n += snprintf(dst + n, size - (size_t)n, "|SOCK_CLOEXEC");
	return n;
}
