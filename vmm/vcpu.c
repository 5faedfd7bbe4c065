/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vcpu.h"

#include "abi/platform.h"
#include "lib/err.h"
#include "vmm/bus.h"
#include "vmm/kvm.h"
#include "vmm/stat.h"
#include "vmm/vm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define VCPU_STACK_BYTES (128u << 10)

int vcpu_init(struct vcpu *vcpu, struct vm *vm, struct kvm *kvm, struct err *err)
{
	*vcpu = (struct vcpu){.fd = -1, .vm = vm};
	vcpu->fd = kvm_new_vcpu(kvm, 0, err);
	if (vcpu->fd < 0)
		return vcpu->fd;
	vcpu->run_bytes = (size_t)kvm->run_bytes;
	vcpu->run = mmap(NULL, vcpu->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return err_sys(err, errno, "map the vCPU");
	}
	return 0;
}

void vcpu_stop(struct vcpu *vcpu)
{
	if (!vcpu->has_thread)
		return;
	vcpu_ask(vcpu, VCPU_STOP);
	pthread_join(vcpu->thread, NULL);
	vcpu->has_thread = false;
}

void vcpu_fini(struct vcpu *vcpu)
{
	vcpu_stop(vcpu);
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_bytes);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	*vcpu = (struct vcpu){.fd = -1};
}

void vcpu_interrupt(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (vcpu->has_thread)
		pthread_kill(vcpu->thread, VCPU_SIGNAL);
}

void vcpu_ask(struct vcpu *vcpu, enum vcpu_request request)
{
	__atomic_store_n(&vcpu->request, request, __ATOMIC_SEQ_CST);
	vcpu_interrupt(vcpu);
	vm_wake_vcpu(vcpu->vm);
}

static uint64_t ns_of(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000000u + (uint64_t)ts->tv_nsec;
}

void vcpu_nmi(struct vcpu *vcpu)
{
	ioctl(vcpu->fd, KVM_NMI, 0);
}

uint64_t vcpu_cpu_ns(const struct vcpu *vcpu)
{
	uint64_t ended = stat_get(&vcpu->cpu_ns);
	struct timespec ts;
	clockid_t clock;

	if (ended)
		return ended;
	if (!vcpu->has_thread || pthread_getcpuclockid(vcpu->thread, &clock) != 0 ||
		clock_gettime(clock, &ts) < 0)
		return 0;
	return ns_of(&ts);
}

uint64_t vcpu_exits(const struct vcpu *vcpu)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < EXIT_KINDS; i++)
		n += stat_get(&vcpu->exits[i]);
	return n;
}

static void on_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct bus *bus = vm_bus(vcpu->vm);
	uint32_t len =
		run->mmio.len <= sizeof(run->mmio.data) ? run->mmio.len : sizeof(run->mmio.data);

	if (run->mmio.is_write)
		bus_write(bus, run->mmio.phys_addr, run->mmio.data, len);
	else
		bus_read(bus, run->mmio.phys_addr, run->mmio.data, len);
}

/* There are no ports in a libOS boot: reads are all ones, as on an empty bus. */
static void on_io(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct ports *ports = vm_ports(vcpu->vm);
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	bool in = run->io.direction == KVM_EXIT_IO_IN;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (ports && in)
			ports_in(ports, run->io.port, data, run->io.size);
		else if (ports)
			ports_out(ports, run->io.port, data, run->io.size);
		else if (in)
			memset(data, 0xff, run->io.size);
	}
}

/* An instruction that KVM had to emulate and could not: which one, and where. */
static void on_internal_error(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	struct kvm_regs regs = {0};
	char bytes[3 * sizeof(run->emulation_failure.insn_bytes) + 1] = "";

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION &&
		run->emulation_failure.ndata >= 3 &&
		(run->emulation_failure.flags &
			KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
		for (unsigned i = 0; i < run->emulation_failure.insn_size &&
			i < sizeof(run->emulation_failure.insn_bytes);
			i++)
			snprintf(bytes + 3 * i, sizeof(bytes) - 3 * i, " %02x",
				run->emulation_failure.insn_bytes[i]);
	}
	vm_end(vcpu->vm, END_ERROR, 0, "KVM: internal error %u at %#llx%s%s",
		run->internal.suberror, (unsigned long long)regs.rip,
		bytes[0] ? ", instruction" : "", bytes);
}

static bool handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		stat_inc(&vcpu->exits[EXIT_MMIO]);
		on_mmio(vcpu);
		return !vm_has_ended(vcpu->vm);
	case KVM_EXIT_IO:
		stat_inc(&vcpu->exits[EXIT_IO]);
		on_io(vcpu);
		return !vm_has_ended(vcpu->vm);
	case KVM_EXIT_HLT: /* no interrupt can end it: it is a wait without a deadline */
		stat_inc(&vcpu->exits[EXIT_HLT]);
		vm_guest_wait(vcpu->vm, UIG_WAIT_FOREVER);
		return true;
	case KVM_EXIT_INTR:
		stat_inc(&vcpu->exits[EXIT_INTR]);
		return true;
	case KVM_EXIT_SHUTDOWN:
		if (vm_ports(vcpu->vm)) /* how some kernels power off */
			vm_end(vcpu->vm, END_POWEROFF, 0, "triple fault");
		else
			vm_end(vcpu->vm, END_TRIPLE_FAULT, 0, "the guest could not handle a fault");
		return false;
	case KVM_EXIT_SYSTEM_EVENT:
		vm_end(vcpu->vm, END_POWEROFF, 0, "system event %u", run->system_event.type);
		return false;
	case KVM_EXIT_INTERNAL_ERROR:
		on_internal_error(vcpu);
		return false;
	case KVM_EXIT_FAIL_ENTRY:
		vm_end(vcpu->vm, END_ERROR, 0, "KVM: entry failed, hardware reason %#llx",
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		return false;
	default:
		vm_end(vcpu->vm, END_ERROR, 0, "KVM: exit %u is not handled", run->exit_reason);
		return false;
	}
}

/* Runs the guest until one exit. An upcall that is pending turns that into none: KVM_RUN finishes the last exit and returns. False: the VM has ended. */
static bool run_once(struct vcpu *vcpu)
{
	if (vm_vcpu_wanted(vcpu->vm))
		vcpu->run->immediate_exit = 1;
	if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
		bool go = handle_exit(vcpu);

		if (vcpu->vm->milestones_before)
			vm_clone_runs(vcpu->vm);
		return go;
	}
	if (errno == EINTR || errno == EAGAIN) {
		stat_inc(&vcpu->exits[EXIT_INTR]);
		vm_vcpu_interrupted(vcpu->vm);
		return true;
	}
	if (errno == EFAULT)
		vm_end(vcpu->vm, END_ERROR, 0,
			"guest memory without backing: was the image file cut?");
	else
		vm_end(vcpu->vm, END_ERROR, 0, "KVM_RUN: %s", strerror(errno));
	return false;
}

uint64_t vcpu_run_aside(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	uint64_t written = 0;
	int r;

	do {
		__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&vcpu->request, __ATOMIC_SEQ_CST) != VCPU_RUN)
			return 0;
		r = ioctl(vcpu->fd, KVM_RUN, 0);
	} while (r < 0 && errno == EINTR);
	if (r == 0 && run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write)
		written = run->mmio.phys_addr;
	vcpu_finish_exit(vcpu);
	return written;
}

/* It is finished by the next KVM_RUN, which must not go on into the guest (KVM's api.rst, 5). */
void vcpu_finish_exit(struct vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	ioctl(vcpu->fd, KVM_RUN, 0);
}

static void *vcpu_main(void *arg)
{
	struct vcpu *vcpu = arg;
	struct timespec cpu;
	bool go;

	pthread_setname_np(pthread_self(), "vcpu0");
	prctl(PR_SET_TIMERSLACK, 1UL, 0, 0,
		0); /* deadlines of the guest are met to the microsecond */
	go = vm_vcpu_begin(vcpu->vm);
	while (go) {
		__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&vcpu->request, __ATOMIC_SEQ_CST) != VCPU_RUN)
			go = vm_vcpu_obey(vcpu->vm);
		else if (vcpu->waiting)
			vcpu->waiting = vm_vcpu_wait(vcpu->vm, vcpu->deadline);
		else
			go = run_once(vcpu);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	stat_set(&vcpu->cpu_ns, ns_of(&cpu));
	return NULL;
}

static void on_signal(int signo)
{
	(void)signo; /* it only interrupts KVM_RUN */
}

int vcpu_start_thread(struct vcpu *vcpu, struct err *err)
{
	struct sigaction sa = {.sa_handler = on_signal};
	pthread_attr_t attr;
	int r;

	sigaction(VCPU_SIGNAL, &sa, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, VCPU_STACK_BYTES);
	r = pthread_create(&vcpu->thread, &attr, vcpu_main, vcpu);
	pthread_attr_destroy(&attr);
	if (r != 0)
		return err_sys(err, r, "vCPU thread");
	vcpu->has_thread = true;
	return 0;
}
