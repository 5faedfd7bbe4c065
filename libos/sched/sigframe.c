/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of a signal handler as Linux builds it (asm/sigcontext.h, asm/ucontext.h: facts): return address, ucontext, siginfo, and above them
 * the vector state in XSAVE format between its two magic numbers. Handlers read and change all of it.
 */
#include "abi/layout.h"
#include "libos/arch/x86_64/cpu.h"
#include "libos/arch/x86_64/regs.h"
#include "libos/klib/errno.h"
#include "libos/klib/string.h"
#include "libos/sched/thread_impl.h"
#include "libos/sched/upcall.h"

#define RED_ZONE          128u
#define UC_FP_XSTATE      1u
#define UC_SIGCONTEXT_SS  2u
#define UC_STRICT_RESTORE 4u
#define FP_MAGIC1         0x46505853u
#define FP_MAGIC2         0x46505845u
#define FP_SW_OFFSET      464u

struct fp_sw_bytes {
	uint32_t magic1, extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size, pad[7];
};

struct sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
		rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};
ABI_ASSERT_SIZE(struct sigcontext, 256);

struct ucontext {
	uint64_t flags, link;
	struct sigstack stack;
	struct sigcontext mc;
	uint64_t sigmask;
};
ABI_ASSERT_SIZE(struct ucontext, 304);

struct sigframe {
	uint64_t restorer;
	struct ucontext uc;
	struct siginfo info;
};

uint64_t sigframe_bytes(void)
{
	return sizeof(struct sigframe) + cpu.vector_bytes + 64 + 16 + RED_ZONE + 8;
}

static bool on_alt_stack(const struct sigstack *alt, uint64_t sp)
{
	return !(alt->flags & SS_DISABLE) && sp > alt->sp && sp - alt->sp <= alt->size;
}

/* The vector registers hold the program's state now. */
static int save_vector(uptr_t at)
{
	struct fp_sw_bytes sw = {
		.magic1 = FP_MAGIC1,
		.extended_size = cpu.vector_bytes + 4,
		.xfeatures = cpu.xcr0,
		.xstate_size = cpu.vector_bytes,
	};
	const uint32_t magic2 = FP_MAGIC2;
	uint8_t *area = user_range(at, cpu.vector_bytes + 4, 1);

	if (!area)
		return -EFAULT;
	if (!cpu.xsave) {
		cpu_vector_save(area);
		memset(area + FP_SW_OFFSET, 0, sizeof(sw));
		return 0;
	}
	memset(area + 512, 0, 64);
	cpu_vector_store(area);
	memcpy(area + FP_SW_OFFSET, &sw, sizeof(sw));
	memcpy(area + cpu.vector_bytes, &magic2, sizeof(magic2));
	return 0;
}

static void fill_context(struct sigcontext *mc, const struct regs *r, const struct sigstate *s)
{
	*mc = (struct sigcontext){
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rdi = r->rdi,
		.rsi = r->rsi,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.rdx = r->rdx,
		.rax = r->rax,
		.rcx = r->rcx,
		.rsp = r->rsp,
		.rip = r->rip,
		.rflags = r->rflags,
		.cs = (uint16_t)r->cs,
		.ss = (uint16_t)r->ss,
		.err = s->trap_error,
		.trapno = s->trap_no,
		.cr2 = s->trap_addr,
	};
}

int sigframe_push(
	struct regs *regs, const struct sigaction *act, const struct siginfo *info, uint64_t mask)
{
	static uint8_t clean[576] __attribute__((aligned(64)));
	struct sigstate *s = &current_thread->sig;
	struct sigframe f = {.restorer = act->restorer, .info = *info};
	uptr_t sp = regs->rsp - RED_ZONE, fp;
	bool on_alt = on_alt_stack(&s->alt, regs->rsp);

	f.uc.stack = s->alt;
	if (!(s->alt.flags & SS_DISABLE) && on_alt)
		f.uc.stack.flags |= SS_ONSTACK;
	if (act->flags & SA_ONSTACK && !on_alt && !(s->alt.flags & SS_DISABLE))
		sp = s->alt.sp + s->alt.size;
	fp = (sp - cpu.vector_bytes - 4) & ~63ull;
	sp = ((fp - sizeof(f)) & ~15ull) - 8;
	if (!(act->flags & SA_RESTORER) || save_vector(fp))
		return -EFAULT;
	f.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE | (cpu.xsave ? UC_FP_XSTATE : 0);
	f.uc.sigmask = mask;
	fill_context(&f.uc.mc, regs, s);
	f.uc.mc.oldmask = mask;
	f.uc.mc.fpstate = fp;
	if (put_user(sp, &f))
		return -EFAULT;
	if (s->alt.flags & SS_AUTODISARM)
		s->alt = (struct sigstack){.flags = SS_DISABLE};
	cpu_vector_init(clean);
	cpu_vector_restore(clean);
	regs->rdi = (uint64_t)info->signo;
	regs->rsi = sp + offsetof(struct sigframe, info);
	regs->rdx = sp + offsetof(struct sigframe, uc);
	regs->rax = 0;
	regs->rsp = sp;
	regs->rip = act->handler;
	regs->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_TF);
	regs->cs = UIG_SEL_CODE3;
	regs->ss = UIG_SEL_DATA3;
	regs->orig_rax = (uint64_t)-1;
	return 0;
}

static int restore_vector(uptr_t at)
{
	void *area = current_thread->vector;
	struct fp_sw_bytes sw;
	uint32_t bytes = 512;

	if (!at) {
		cpu_vector_init(area);
		cpu_vector_restore(area);
		return 0;
	}
	if (get_user(&sw, at + FP_SW_OFFSET))
		return -EFAULT;
	if (cpu.xsave && sw.magic1 == FP_MAGIC1 && sw.xstate_size == cpu.vector_bytes)
		bytes = cpu.vector_bytes;
	cpu_vector_init(area);
	if (copy_from_user(area, at, bytes))
		return -EFAULT;
	if (cpu.xsave && bytes == 512) /* only x87 and SSE were given */
		*(uint64_t *)((uint8_t *)area + 512) = 3;
	cpu_vector_sanitize(area);
	cpu_vector_restore(area);
	return 0;
}

int sigframe_pop(struct regs *r)
{
	struct sigstate *s = &current_thread->sig;
	struct ucontext uc;
	const struct sigcontext *mc = &uc.mc;

	if (get_user(&uc, r->rsp - 8 + offsetof(struct sigframe, uc)) ||
		restore_vector(mc->fpstate))
		return -EFAULT;
	signal_set_mask(uc.sigmask);
	if (uc.stack.flags & SS_DISABLE || !on_alt_stack(&s->alt, r->rsp))
		s->alt = uc.stack;
	s->alt.flags &= ~(uint32_t)SS_ONSTACK;
	r->r8 = mc->r8;
	r->r9 = mc->r9;
	r->r10 = mc->r10;
	r->r11 = mc->r11;
	r->r12 = mc->r12;
	r->r13 = mc->r13;
	r->r14 = mc->r14;
	r->r15 = mc->r15;
	r->rdi = mc->rdi;
	r->rsi = mc->rsi;
	r->rbp = mc->rbp;
	r->rbx = mc->rbx;
	r->rdx = mc->rdx;
	r->rax = mc->rax;
	r->rcx = mc->rcx;
	r->rsp = mc->rsp;
	r->rip = mc->rip;
	r->rflags = (mc->rflags & RFLAGS_USER) | RFLAGS_ONE | upcall_user_flags;
	r->cs = UIG_SEL_CODE3;
	r->ss = UIG_SEL_DATA3;
	r->orig_rax = (uint64_t)-1;
	return cpu_canonical(r->rip) ? 0 : -EFAULT;
}
