/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/vm.h"

#include "abi/layout.h"
#include "abi/platform.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "vmm/arch/x86_64/boot_libos.h"
#include "vmm/arch/x86_64/tables.h"
#include "vmm/arch/x86_64/user_pages.h"
#include "vmm/machine.h"
#include "vmm/ram.h"
#include "vmm/sandbox/sandbox.h"
#include "vmm/stat.h"
#include "vmm/workset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#define FREEZE_WAIT_NS                                                                             \
	(2 * NS_PER_S) /* for the guest to come to its freeze point; it takes microseconds */
#define FREEZE_LOOK_NS (5 * NS_PER_MS)

static const char *const state_names[] = {
	[VM_EMPTY] = "Not started",
	[VM_READY] = "Not started",
	[VM_LOADED] = "Paused",
	[VM_RUNNING] = "Running",
	[VM_PAUSED] = "Paused",
	[VM_ENDED] = "Ended",
};

static const char *const end_names[] = {
	[END_NONE] = "none",
	[END_POWEROFF] = "poweroff",
	[END_EXIT] = "exit",
	[END_SIGNAL] = "signal",
	[END_PANIC] = "panic",
	[END_NOEXEC] = "noexec",
	[END_TRIPLE_FAULT] = "triple_fault",
	[END_KILLED] = "killed",
	[END_ERROR] = "error",
};

const char *vm_state_name(enum vm_state state)
{
	return state_names[state];
}

const char *vm_end_name(enum vm_end_reason end)
{
	return end_names[end];
}

enum vm_state vm_state(struct vm *vm)
{
	enum vm_state state;

	pthread_mutex_lock(&vm->state_lock);
	state = vm->state;
	pthread_mutex_unlock(&vm->state_lock);
	return state;
}

static void set_state(struct vm *vm, enum vm_state state)
{
	pthread_mutex_lock(&vm->state_lock);
	if (vm->state != VM_ENDED || state == VM_ENDED)
		vm->state = state;
	pthread_cond_broadcast(&vm->state_changed);
	pthread_mutex_unlock(&vm->state_lock);
}

static void note_step(struct vm *vm, enum vm_step step)
{
	stat_set(&vm->times.step_ns[step], (uint64_t)loop_now_ns());
}

int vm_init(struct vm *vm, struct config *config, struct loop *loop, int console_fd,
	uint64_t console_max, struct err *err)
{
	*vm = (struct vm){
		.config = *config,
		.loop = loop,
		.console_fd = console_fd,
		.console_max_bytes = console_max,
		.kvm = {.fd = -1, .vm_fd = -1},
		.vcpu = {.fd = -1},
		.record_fd = -1,
		.pagemap_fd = -1,
		.upcall = {.timer_fd = -1},
		.com1_irq_fd = -1,
	};
	config_init(config);
	pthread_mutex_init(&vm->state_lock, NULL);
	pthread_cond_init(&vm->state_changed, NULL);
	vm->notify_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return vm->notify_fd < 0 ? err_sys(err, errno, "eventfd") : 0;
}

/* Teardown: the vCPU thread first, it is the only other user of everything; then the devices, whose watches hang in the
 * loop of this thread; then KVM and last the memory that its slots point to. */
static void teardown(struct vm *vm)
{
	if (!vm->made)
		return;
	vm->made = false;
	vcpu_fini(&vm->vcpu);
	upcall_fini(vm);
	devices_fini(&vm->devices);
	kvm_fini(&vm->kvm);
	mem_fini(&vm->mem);
	vm->bus = (struct bus){0};
	vm->identity = NULL;
	vm->parked = vm->blank = false;
	if (vm->com1_irq_fd >= 0)
		close(vm->com1_irq_fd);
	vm->com1_irq_fd = -1;
}

static int make_memory(struct vm *vm, struct err *err)
{
	int r = ram_make(vm, vm->blank ? ram_enough(vm->ram_wanted) : RAM_ALL, err);

	if (r < 0 || vm->kind != BOOT_LIBOS)
		return r;
	/* Reserving the most that an image may have costs only address space; KVM gets to know the window. */
	vm->window = mem_reserve(&vm->mem, UIG_IMAGE_MAX_BYTES, false, err);
	if (!vm->window)
		return err ? -err->code : -ENOMEM;
	vm->window_bytes = vm->config.window_mib * MIB;
	return kvm_add_slot(&vm->kvm, UIG_GPA_IMAGE, vm->window_bytes, vm->window, true, err);
}

/* A set that can not be read is no reason to fail: the start is slower, that is all. NULL: there is none; else the caller's. */
static struct workset *load_workset(struct vm *vm)
{
	_cleanup_free_ struct workset *set = NULL;
	struct err err = {0};
	int r;

	if (!vm->config.workset)
		return NULL;
	set = malloc(sizeof(*set));
	r = set ? workset_load(vm->config.workset, set, &err) : -ENOMEM;
	vm->record = r == -ENOENT;
	if (r == 0) {
		workset_populate(set, &vm->mem);
		return steal_ptr(&set);
	}
	if (r != -ENOENT)
		log_warn("working set is not used", "error=\"%s\"", err.msg);
	return NULL;
}

static int find_workset(struct vm *vm, struct workset *set)
{
	int r;

	if (vm->generation <= 1)
		return workset_record(set, &vm->mem, boot_libos_free_start(vm), vm->low_bytes);
	r = workset_record_private(
		set, &vm->mem, vm->pagemap_fd, user_tables_unchanged, vm->tables);
	if (r == 0)
		user_pages_record(&vm->mem, vm->cr3, set);
	return r;
}

void vm_record_workset(struct vm *vm)
{
	_cleanup_free_ struct workset *set = NULL;
	struct err err = {0};

	if (vm->record_fd < 0)
		return;
	set = malloc(sizeof(*set));
	if (set && find_workset(vm, set) == 0 && workset_save(set, vm->record_fd, &err) < 0)
		log_warn("working set was not saved", "error=\"%s\"", err.msg);
	close(vm->record_fd);
	vm->record_fd = -1;
	user_tables_free(steal_ptr(&vm->tables));
}

static int find_kind(struct vm *vm, struct err *err)
{
	if (vm->blank) {
		vm->kind = BOOT_LIBOS;
		return 0;
	}
	vm->kind = vm->config.boot;
	return vm->kind == BOOT_AUTO ? boot_std_detect(vm->config.libos, &vm->kind, err) : 0;
}

/* A standard machine: what the kernel file says is looked at when it starts. */
static int prepare_standard(struct vm *vm, struct err *err)
{
	int r = kvm_make_irqchip(&vm->kvm, err);

	if (r == 0)
		r = vcpu_init(&vm->vcpu, vm, &vm->kvm, err);
	if (r == 0)
		r = machine_ports(vm, err);
	if (r == 0)
		r = boot_std_prepare(vm, err);
	return r < 0 ? r : vcpu_start_thread(&vm->vcpu, err);
}

static int prepare(struct vm *vm, struct err *err)
{
	int r = find_kind(vm, err);

	if (r == 0)
		r = kvm_init(&vm->kvm, err);
	if (r == 0)
		r = make_memory(vm, err);
	if (r == 0 && vm->kind != BOOT_LIBOS)
		return prepare_standard(vm, err);
	if (r == 0)
		r = vcpu_init(&vm->vcpu, vm, &vm->kvm, err);
	if (r == 0)
		r = machine_devices(vm, err);
	if (r == 0)
		r = boot_libos_prepare(vm, err);
	if (r < 0)
		return r;
	if (vm->pagemap_fd < 0)
		vm->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	vm->identity = mem_at(&vm->mem, UIG_GPA_IDENTITY, sizeof(*vm->identity));
	vm->devices.events = &vm->identity->events;
	vm->devices.tsc_khz = vm->tsc_khz;
	if (!vm->blank)
		free(load_workset(vm));
	return vcpu_start_thread(&vm->vcpu, err);
}

static int make_shell(struct vm *vm, struct err *err)
{
	uint64_t from = (uint64_t)loop_now_ns();
	int r;

	if (vm->config.mem_mib > TABLES_RAM_MAX_MIB)
		return err_set(err, EINVAL, "mem_size_mib is above %u", TABLES_RAM_MAX_MIB);
	vm->made = true;
	r = devices_init(&vm->devices, vm->loop, err);
	if (r == 0)
		r = upcall_init(vm, err);
	if (r == 0)
		r = prepare(vm, err);
	if (r < 0) {
		teardown(vm);
		return r;
	}
	stat_set(&vm->times.prepare_ns, (uint64_t)loop_now_ns() - from);
	set_state(vm, VM_READY);
	return 0;
}

int vm_prepare(struct vm *vm, struct err *err)
{
	if (!vm->config.libos)
		return err_set(err, EINVAL, "no kernel image is configured");
	return make_shell(vm, err);
}

int vm_prepare_blank(struct vm *vm, uint64_t ram_used, struct err *err)
{
	vm->blank = true;
	vm->ram_wanted = ram_used;
	return make_shell(vm, err);
}

void vm_await_shell(struct vm *vm)
{
	pthread_mutex_lock(&vm->state_lock);
	while (!vm->parked && vm->state == VM_READY)
		pthread_cond_wait(&vm->state_changed, &vm->state_lock);
	pthread_mutex_unlock(&vm->state_lock);
}

/* The last thing before the guest's first instruction (of a clone: ahead of the request): from here on nothing is opened. */
static int close_the_door(struct vm *vm, struct err *err)
{
	struct err why = {0};
	int r;

	if (vm->record) {
		vm->record = false;
		vm->record_fd = workset_create(vm->config.workset, &why);
		if (vm->record_fd < 0 && vm->record_fd != -EAGAIN)
			log_warn("working set will not be recorded", "error=\"%s\"", why.msg);
	}
	r = sandbox_enter(SANDBOX_LOOP);
	return r < 0 ? err_sys(err, -r, "cannot enter the sandbox") : 0;
}

/* The guest may be anybody's: it gets a while, and is then interrupted. */
static bool rehearse(struct vm *vm)
{
	uint64_t until = (uint64_t)loop_now_ns() + FREEZE_WAIT_NS;
	struct timespec ts = {
		.tv_sec = (time_t)(until / NS_PER_S), .tv_nsec = (long)(until % NS_PER_S)};
	int r = 0;

	__atomic_store_n(
		&vm->identity->events, UIG_EVENT_IDENTITY | UIG_EVENT_FREEZE, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&vm->state_lock);
	vm->rehearse = true;
	pthread_cond_broadcast(&vm->state_changed);
	while (vm->rehearse && vm->state == VM_READY && r == 0)
		r = pthread_cond_clockwait(
			&vm->state_changed, &vm->state_lock, CLOCK_MONOTONIC, &ts);
	pthread_mutex_unlock(&vm->state_lock);
	return r == 0 && vm->rehearsed;
}

int vm_loaded(struct vm *vm, struct err *err)
{
	int r;

	vm->warm = load_workset(vm);
	if (vm->record)
		vm->tables = user_pages_forget(&vm->mem, vm->cr3);
	r = rehearse(vm) ? 0 : -EIO;
	free(vm->warm);
	vm->warm = NULL;
	if (r < 0)
		return err_set(err, EIO, "the guest does not come back to its freeze point");
	r = close_the_door(vm, err);
	if (r == 0)
		set_state(vm, VM_LOADED);
	return r;
}

void vm_set_mac(struct vm *vm)
{
	struct net_dev *net = &vm->devices.net;

	memcpy(net->config.mac, vm->config.mac, sizeof(vm->config.mac));
	memcpy(net->identity.mac, vm->config.mac, sizeof(vm->config.mac));
}

void vm_unprepare(struct vm *vm)
{
	if (vm_state(vm) != VM_READY)
		return;
	teardown(vm);
	set_state(vm, VM_EMPTY);
}

static int start_libos(struct vm *vm, struct err *err)
{
	int r = boot_libos_image(vm, vm->config.image, &vm->image_bytes, err);

	note_step(vm, VM_STEP_IMAGE);
	r = r < 0 ? r : boot_libos_identity(vm, vm->image_bytes, err);
	note_step(vm, VM_STEP_IDENTITY);
	return r;
}

/* The vCPU is released; with it everything may happen. */
static void release(struct vm *vm, uint64_t request_ns)
{
	net_set_ip(&vm->devices.net, vm->config.args);
	stat_set(&vm->times.request_ns, request_ns);
	note_step(vm, VM_STEP_RELEASED);
	devices_freeze(&vm->devices, false);
	set_state(vm, VM_RUNNING);
}

/* From here on it is an instance of its own: nothing of it has been given out before. */
static int start_clone(struct vm *vm, uint64_t request_ns, struct err *err)
{
	int r = boot_libos_thaw(vm, err);

	if (r < 0) {
		vm_end(vm, END_ERROR, 0, "%s", err->msg);
		return r;
	}
	note_step(vm, VM_STEP_IDENTITY);
	release(vm, request_ns);
	upcall_arm(vm);
	return 0;
}

int vm_start(struct vm *vm, uint64_t request_ns, struct err *err)
{
	int r = 0;

	note_step(vm, VM_STEP_PARSED);
	if (vm_state(vm) == VM_LOADED)
		return start_clone(vm, request_ns, err);
	if (vm_state(vm) == VM_EMPTY)
		r = vm_prepare(vm, err);
	if (r < 0)
		return r;
	if (vm_state(vm) != VM_READY)
		return err_set(err, EINVAL, "the VM has been started before");
	r = machine_late_devices(vm, err);
	if (r == 0)
		r = vm->kind == BOOT_LIBOS ? start_libos(vm, err) : boot_std_load(vm, err);
	if (r == 0)
		r = close_the_door(vm, err);
	note_step(vm, VM_STEP_SANDBOX);
	if (r < 0) {
		vm_unprepare(vm); /* half a start: the next one begins with a fresh shell */
		return r;
	}
	release(vm, request_ns);
	return 0;
}

/* Sleeps a moment, or until the guest is there. With state_lock. */
static void await_freeze(struct vm *vm)
{
	uint64_t until = (uint64_t)loop_now_ns() + FREEZE_LOOK_NS;
	struct timespec ts = {
		.tv_sec = (time_t)(until / NS_PER_S), .tv_nsec = (long)(until % NS_PER_S)};

	if (!vm->at_freeze && vm->state == VM_RUNNING)
		pthread_cond_clockwait(&vm->state_changed, &vm->state_lock, CLOCK_MONOTONIC, &ts);
}

/* Leads the guest to where it can be copied. It may be in the middle of anything, or spin in the program: it is told, and the program
 * interrupted, as for any event (vmm/upcall.h), again and again, since the timer that does this otherwise is this thread's. */
static void lead_to_freeze(struct vm *vm)
{
	uint64_t end = (uint64_t)loop_now_ns() + FREEZE_WAIT_NS;
	bool on = vm->identity && __atomic_load_n(&vm->identity->freezes, __ATOMIC_RELAXED) == 1;

	if (!on)
		return;
	pthread_mutex_lock(&vm->state_lock);
	vm->freeze_wanted = true;
	pthread_mutex_unlock(&vm->state_lock);
	__atomic_or_fetch(&vm->identity->events, UIG_EVENT_FREEZE, __ATOMIC_SEQ_CST);
	devices_wake(&vm->devices);
	while (on) {
		upcall_check(vm);
		pthread_mutex_lock(&vm->state_lock);
		await_freeze(vm);
		on = !vm->at_freeze && vm->state == VM_RUNNING && (uint64_t)loop_now_ns() < end;
		if (!on)
			vm->freeze_wanted = false;
		pthread_mutex_unlock(&vm->state_lock);
	}
	__atomic_and_fetch(&vm->identity->events, ~UIG_EVENT_FREEZE, __ATOMIC_SEQ_CST);
}

int vm_pause(struct vm *vm)
{
	if (vm_state(vm) != VM_RUNNING)
		return -EINVAL;
	vm->times.pause_ns = (uint64_t)loop_now_ns();
	lead_to_freeze(vm);
	devices_freeze(&vm->devices, true);
	vcpu_ask(&vm->vcpu, VCPU_PAUSE);
	pthread_mutex_lock(&vm->state_lock);
	while (!vm->parked && vm->state == VM_RUNNING)
		pthread_cond_wait(&vm->state_changed, &vm->state_lock);
	if (vm->state == VM_RUNNING)
		vm->state = VM_PAUSED;
	pthread_mutex_unlock(&vm->state_lock);
	return vm_state(vm) == VM_PAUSED ? 0 : -EINVAL;
}

int vm_resume(struct vm *vm)
{
	struct err err = {0};

	if (vm_state(vm) == VM_LOADED)
		return start_clone(vm, (uint64_t)loop_now_ns(), &err);
	if (vm_state(vm) != VM_PAUSED)
		return -EINVAL;
	vm->at_freeze = false; /* the vCPU thread sleeps elsewhere */
	set_state(vm, VM_RUNNING);
	devices_freeze(&vm->devices, false);
	devices_kick(&vm->devices);
	upcall_arm(vm);
	vcpu_ask(&vm->vcpu, VCPU_RUN);
	return 0;
}

void vm_raise(struct vm *vm, uint32_t events)
{
	enum vm_state state = vm_state(vm);

	if (state != VM_RUNNING && state != VM_PAUSED)
		return;
	if (!vm->identity) { /* our libOS takes it as SIGTERM there */
		if (events & UIG_EVENT_TERM)
			vcpu_nmi(&vm->vcpu);
		return;
	}
	__atomic_or_fetch(&vm->identity->events, events, __ATOMIC_SEQ_CST);
	devices_wake(&vm->devices);
	if (state == VM_RUNNING)
		upcall_check(vm);
}

void vm_kill(struct vm *vm, const char *detail)
{
	vm_end(vm, END_KILLED, 0, "%s", detail);
	if (vm->vcpu.run)
		vcpu_ask(&vm->vcpu, VCPU_STOP);
}

void vm_settle(struct vm *vm)
{
	if (!vm->made)
		return;
	vcpu_stop(&vm->vcpu);
	devices_drain(&vm->devices);
	pthread_mutex_lock(&vm->devices.lock);
	console_end(&vm->devices.console);
	pthread_mutex_unlock(&vm->devices.lock);
}

void vm_end(struct vm *vm, enum vm_end_reason reason, uint32_t code, const char *fmt, ...)
{
	bool first;
	va_list ap;

	pthread_mutex_lock(&vm->state_lock);
	first = vm->state != VM_ENDED;
	if (first) {
		vm->end = reason;
		vm->end_code = code;
		va_start(ap, fmt);
		vsnprintf(vm->end_detail, sizeof(vm->end_detail), fmt, ap);
		va_end(ap);
		vm->times.end_ns = (uint64_t)loop_now_ns();
		vm->state = VM_ENDED;
		pthread_cond_broadcast(&vm->state_changed);
	}
	pthread_mutex_unlock(&vm->state_lock);
	if (first)
		eventfd_write(vm->notify_fd, 1);
}

bool vm_has_ended(struct vm *vm)
{
	return vm_state(vm) == VM_ENDED;
}

struct bus *vm_bus(struct vm *vm)
{
	return &vm->bus;
}

struct ports *vm_ports(struct vm *vm)
{
	return vm->kind == BOOT_LIBOS ? NULL : &vm->ports;
}

void vm_wake_vcpu(struct vm *vm)
{
	devices_wake(&vm->devices);
	pthread_mutex_lock(&vm->state_lock);
	pthread_cond_broadcast(&vm->state_changed);
	pthread_mutex_unlock(&vm->state_lock);
}
