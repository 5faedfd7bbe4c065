/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions. A page fault brings memory in; what is left over is the program's (a signal) or ours: at an address of the exception
 * table the copy of the program's memory failed (EFAULT), anywhere else the libOS is broken.
 */
#include "libos/arch/x86_64/trap.h"

#include "abi/layout.h"
#include "libos/arch/x86_64/cpu.h"
#include "libos/arch/x86_64/operand.h"
#include "libos/arch/x86_64/patch.h"
#include "libos/arch/x86_64/pt.h"
#include "libos/arch/x86_64/stack.h"
#include "libos/klib/errno.h"
#include "libos/klib/kprintf.h"
#include "libos/mem/page.h"
#include "libos/mem/vm.h"
#include "libos/sched/event.h"
#include "libos/sched/idle.h"
#include "libos/sched/thread_impl.h"

#define VECTOR_DE 0
#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_UD 6
#define VECTOR_SS 12
#define VECTOR_PF 14
#define VECTOR_MF 16
#define VECTOR_AC 17
#define VECTOR_XM 19

#define PF_WRITE 2u
#define PF_EXEC  16u

extern const struct extable extable_start[], extable_end[];

static bool from_libos(const struct regs *regs)
{
	return regs->rip >> 63;
}

static bool fix_up(struct regs *regs)
{
	for (const struct extable *e = extable_start; e < extable_end; e++) {
		if (e->fault == regs->rip) {
			regs->rip = e->fixup;
			return true;
		}
	}
	return false;
}

static void describe(const struct regs *r, uint64_t cr2)
{
	kprintf("exception %lu error 0x%lx at 0x%lx, address 0x%lx, stack 0x%lx, flags 0x%lx",
		r->vector, r->error, r->rip, cr2, r->rsp, r->rflags);
	kprintf("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx", r->rax, r->rbx, r->rcx,
		r->rdx, r->rsi, r->rdi, r->rbp);
	kprintf("r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx", r->r8, r->r9,
		r->r10, r->r11, r->r12, r->r13, r->r14, r->r15);
}

void exception_fatal(const struct regs *r)
{
	uint64_t cr2 = r->vector == VECTOR_PF ? cpu_fault_address() : 0;

	panic("exception %lu error 0x%lx at 0x%lx, address 0x%lx, stack 0x%lx (of this thread "
	      "0x%lx)",
		r->vector, r->error, r->rip, cr2, r->rsp, cur_kstack_top);
}

/* Which of the exceptions that the program has not masked it was; Linux looks in this order. */
static int fpe_code(unsigned raised)
{
	static const struct {
		unsigned bits;
		int code;
	} codes[] = {{1, FPE_FLTINV}, {4, FPE_FLTDIV}, {8, FPE_FLTOVF}, {0x12, FPE_FLTUND},
		{0x20, FPE_FLTRES}};

	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (raised & codes[i].bits)
			return codes[i].code;
	}
	return FPE_FLTINV;
}

/* The state is still the program's: nothing here uses it. */
static unsigned x87_raised(void)
{
	uint16_t control, status;

	__asm__ volatile("fnstcw %0\n\tfnstsw %1" : "=m"(control), "=m"(status));
	return status & ~control & 0x3fu;
}

static unsigned sse_raised(void)
{
	uint32_t mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return mxcsr & ~(mxcsr >> 7) & 0x3fu;
}

/* Exceptions other than page faults, as Linux maps them to signals. */
static void to_signal(const struct regs *regs, struct siginfo *info)
{
	info->addr = regs->rip;
	switch (regs->vector) {
	case VECTOR_DE:
		info->signo = SIGFPE;
		info->code = FPE_INTDIV;
		return;
	case VECTOR_DB:
		info->signo = SIGTRAP;
		info->code = TRAP_TRACE;
		return;
	case VECTOR_BP:
		info->signo = SIGTRAP;
		info->code = SI_KERNEL;
		info->addr = 0;
		return;
	case VECTOR_UD:
		info->signo = SIGILL;
		info->code = ILL_ILLOPN;
		return;
	case VECTOR_SS:
		info->signo = SIGBUS;
		info->code = SI_KERNEL;
		info->addr = 0;
		return;
	case VECTOR_AC:
		info->signo = SIGBUS;
		info->code = BUS_ADRALN;
		info->addr = 0;
		return;
	case VECTOR_MF:
	case VECTOR_XM:
		info->signo = SIGFPE;
		info->code = fpe_code(regs->vector == VECTOR_MF ? x87_raised() : sse_raised());
		return;
	default:
		info->signo = SIGSEGV;
		info->code = SI_KERNEL;
		info->addr = 0;
		return;
	}
}

/* True when the access can be tried again. */
static bool page_fault(struct regs *regs, uint64_t addr, struct siginfo *info)
{
	bool accerr = false;
	int r = -EFAULT;

	if (addr < UIG_USER_TOP)
		r = vm_fault(addr, regs->error & PF_WRITE, regs->error & PF_EXEC, !from_libos(regs),
			&accerr);
	if (!r)
		return true;
	info->addr = addr;
	if (r == -EIO) {
		info->signo = SIGBUS;
		info->code = BUS_ADRERR;
	} else if (r == -ENOMEM) {
		kprintf("out of memory: %lu of %lu pages are free, at address 0x%lx",
			page_free_count(), page_total(), addr);
		info->signo = SIGKILL;
		info->code = SI_KERNEL;
	} else {
		info->signo = SIGSEGV;
		info->code = accerr ? SEGV_ACCERR : SEGV_MAPERR;
	}
	return false;
}

/* Where the instruction would go, if that can be told without a look at CR2. */
static uint64_t guess_address(const struct regs *regs)
{
	uint64_t rip = regs->rip;
	const uint64_t *pte;
	unsigned n = PAGE_BYTES - rip % PAGE_BYTES;

	if (regs->error & PF_EXEC)
		return rip;
	if (from_libos(regs))
		return operand_address(
			regs, (const uint8_t *)rip, 15, regs->error & PF_WRITE, 0, 0);
	pte = pt_find(rip, NULL);
	if (!pte || !(*pte & PTE_PRESENT))
		return OPERAND_UNKNOWN;
	return operand_address(regs, (uint8_t *)page_ptr(*pte & PTE_FRAME) + rip % PAGE_BYTES, n,
		regs->error & PF_WRITE, cpu_fs_base(), cpu_gs_base());
}

/* True when the page that the instruction names was missing, and is there now. */
static bool quick_fault(const struct regs *regs)
{
	uint64_t addr = guess_address(regs);
	const uint64_t *pte;
	bool write = regs->error & PF_WRITE, accerr;

	if (addr >= UIG_USER_TOP || !vm_is_mapped(page_round_down(addr), 1))
		return false;
	pte = pt_find(addr, NULL);
	if (pte && *pte & PTE_PRESENT && (!write || *pte & PTE_WRITE))
		return false;
	return !vm_fault(addr, write, regs->error & PF_EXEC, !from_libos(regs), &accerr);
}

static void libos_exception(struct regs *regs)
{
	struct siginfo info = {0};
	uint64_t addr;

	if (regs->vector == VECTOR_DB) { /* the program set TF, then made a call */
		regs->rflags &= ~(uint64_t)RFLAGS_TF;
		return;
	}
	if (regs->vector == VECTOR_PF) {
		if (quick_fault(regs))
			return;
		addr = cpu_fault_address();
		if (addr < UIG_USER_TOP) {
			if (page_fault(regs, addr, &info))
				return;
			if (info.signo == SIGKILL) /* no memory left: not EFAULT */
				signal_force(&info);
		}
		if (fix_up(regs))
			return;
		describe(regs, addr);
	}
	exception_fatal(regs);
}

void exception_entry(struct regs *regs)
{
	struct siginfo info = {0};
	struct sigstate *sig = &current_thread->sig;
	uint64_t addr = 0, rip;

	if (from_libos(regs)) {
		libos_exception(regs);
		return;
	}
	rip = patch_true_rip(regs->rip);
	if (regs->vector == VECTOR_DB && rip != regs->rip)
		return; /* a stub is one step */
	regs->rip = rip;
	if (regs->vector == VECTOR_UD && patch_invalid_opcode(regs))
		return;
	if (regs->vector == VECTOR_PF) {
		bool done = quick_fault(regs);

		if (!done) {
			addr = cpu_fault_address();
			done = page_fault(regs, addr, &info);
		}
		if (done) {
			if (sched_runnable())
				user_return(regs);
			return;
		}
	} else {
		to_signal(regs, &info);
	}
	sig->trap_no = regs->vector;
	sig->trap_error = regs->error;
	sig->trap_addr = addr;
	signal_force(&info);
	user_return(regs);
}

bool user_return(struct regs *regs)
{
	bool changed = false;

	if (event_pending())
		event_handle();
	sched_return_to_user();
	if (signal_pending() || current_thread->sig.restore || signal_restarts(regs))
		changed = signal_deliver(regs);
	pollers_leave();
	return changed || regs->rflags & RFLAGS_TF;
}

void user_return_prepare(struct regs *regs)
{
	user_return(regs);
}
