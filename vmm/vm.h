/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One virtual machine: its life cycle, and what it is made of.
 *
 *                  vm_prepare          vm_start           vm_pause
 *   (config) EMPTY ----------> READY ----------> RUNNING <--------> PAUSED
 *               ^                |                  |     vm_resume    |
 *               +--- vm_unprepare+        vm_end    v  ^               | vm_kill
 *               |                |                ENDED|<--------------+
 *               +- vm_loaded ----+---> LOADED ---------+
 *             (vmm/snapshot/load.h)        vm_start, vm_resume: it becomes another instance
 *
 * Threads: the device loop calls everything but the functions marked "vCPU thread". `state` and `parked` are under
 * state_lock; whoever holds it takes no other lock.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include "abi/identity.h"
#include "abi/platform.h"
#include "lib/util.h"
#include "vmm/arch/x86_64/boot_std.h"
#include "vmm/bus.h"
#include "vmm/config.h"
#include "vmm/dev/ports.h"
#include "vmm/devices.h"
#include "vmm/kvm.h"
#include "vmm/loader.h"
#include "vmm/mem.h"
#include "vmm/upcall.h"
#include "vmm/vcpu.h"

#include <pthread.h>
#include <sys/types.h>

struct err;
struct loop;
struct user_tables;
struct workset;

enum vm_state { VM_EMPTY, VM_READY, VM_LOADED, VM_RUNNING, VM_PAUSED, VM_ENDED };

enum vm_end_reason {
	END_NONE,
	END_POWEROFF, /* the guest powered off or reset */
	END_EXIT,     /* the program ended: code */
	END_SIGNAL,   /* the program was ended by a signal: code */
	END_PANIC,    /* the libOS found itself broken */
	END_NOEXEC,   /* the program could not be started: code is an errno */
	END_TRIPLE_FAULT,
	END_KILLED, /* from outside */
	END_ERROR,  /* the monitor or KVM failed */
};

#define VM_MILESTONES 5u /* indexed by enum uig_milestone */

/* Of the monitor's part of a start. */
enum vm_step {
	VM_STEP_PARSED,
	VM_STEP_IMAGE,
	VM_STEP_IDENTITY,
	VM_STEP_SANDBOX,
	VM_STEP_RELEASED,
	VM_STEPS
};

/* Times are loop_now_ns(); 0: not reached. */
struct vm_times {
	uint64_t prepare_ns; /* how long vm_prepare() took */
	uint64_t request_ns, run_ns, end_ns;
	uint64_t pause_ns; /* when the last pause was asked for */
	uint64_t milestone_ns[VM_MILESTONES];
	uint64_t milestone_exits[VM_MILESTONES]; /* that the guest had had until then */
	uint64_t step_ns[VM_STEPS];
};

struct vm {
	struct config config;
	struct loop *loop; /* borrowed */
	int console_fd;    /* borrowed */
	uint64_t console_max_bytes;
	int pagemap_fd; /* owned; of this process; -1: none */
	int notify_fd; /* owned eventfd: a milestone, a call that is missing, or the end. For the device loop */

	/* Made by vm_prepare(). */
	bool made;
	bool blank; /* without a libOS of its own: for a snapshot */
	struct kvm kvm;
	struct mem mem;
	struct vcpu vcpu;
	struct bus bus;
	struct devices devices;
	struct elf_plan libos;
	enum boot_kind kind; /* of what was prepared; a libOS or not is what most depends on */
	struct ports ports;  /* standard machines */
	int com1_irq_fd;     /* owned; -1: none */
	struct upcall upcall;
	uint64_t missing_calls[UIG_CALLS_MAX / 64]; /* of the program: a bit a number */
	uint64_t returned_bytes;        /* that the guest has given back, in all: vmm/giveback.h */
	uint64_t low_bytes, high_bytes; /* RAM below the device gap, from 4 GiB */
	uint64_t ram_ready;             /* of low_bytes, what KVM knows of: vmm/ram.h */
	uint64_t ram_wanted;            /* blank: what the snapshot's guest uses; 0: all */
	bool ram_asks;                  /* the guest's libOS asks before it uses more */
	dev_t memory_dev;      /* of the memory file of a snapshot that it was loaded from */
	ino_t memory_ino;      /* 0: of none */
	uint8_t *window;       /* host address of the image window: UIG_IMAGE_MAX_BYTES reserved */
	uint64_t window_bytes; /* of that known to KVM */
	uint64_t image_bytes;  /* of the image in it; 0: none */
	uint64_t tsc_khz;
	uint32_t generation; /* of the identity */
	uint32_t
		milestones_before; /* a bit each: reached before the snapshot was taken; told when the clone runs */
	uint64_t listen_port; /* told with UIG_MS_LISTEN; 0: none */
	gpa_t cr3;
	struct uig_identity *identity; /* in guest memory; NULL: not a libOS boot */
	bool record;                   /* the working set is to be recorded */
	int record_fd;                 /* its file, from the start on; -1: none */
	struct user_tables *tables;    /* owned; while that of a clone is recorded */

	pthread_mutex_t state_lock;
	pthread_cond_t state_changed;
	enum vm_state state;
	bool parked;        /* the vCPU thread obeys a pause, or is done with the shell */
	bool freeze_wanted; /* a pause waits for the guest to come to UIG_REG_FREEZE */
	bool at_freeze;     /* it is there */
	bool rehearse; /* the vCPU thread shall run a loaded snapshot up to its freeze point, once */
	bool rehearsed;       /* it did */
	struct workset *warm; /* while it does, the pages that it shall touch first; NULL: none */

	struct vm_times times; /* each written once, by one thread, with stat_set() */
	/* Written by vm_end(), before state becomes ENDED. */
	enum vm_end_reason end;
	uint32_t end_code;
	char end_detail[160];
};

/* config is taken. 0 or -errno. A process is one VM: it goes with the process. */
int vm_init(struct vm *vm, struct config *config, struct loop *loop, int console_fd,
	uint64_t console_max, struct err *err);

/* Makes everything that does not depend on the image: a shell. Needs config.libos. 0 or -errno (EMPTY again). */
int vm_prepare(struct vm *vm, struct err *err);
/* The same for a snapshot, with nothing in it; of a libOS that is configured only the headers are read. ram_used: see ram_enough(). */
int vm_prepare_blank(struct vm *vm, uint64_t ram_used, struct err *err);
/* Waits until the vCPU thread is done with preparing the shell: it sleeps. */
void vm_await_shell(struct vm *vm);
/* A snapshot stands in it: LOADED. Its guest has then become another instance once, with the identity that is in memory, and has come back to its
 * freeze point without a step of the program: code, data and page tables of that way are warm when the request comes. -EIO: it did not come back. */
int vm_loaded(struct vm *vm, struct err *err);
/* Gives a prepared shell the MAC of the configuration (it may come with the start). */
void vm_set_mac(struct vm *vm);
/* Throws the shell away (READY to EMPTY), because its configuration has changed. */
void vm_unprepare(struct vm *vm);

/* Maps the image, fills in the identity, releases the vCPU thread. Prepares first when that was not done. request_ns: when the
 * request came. 0 or -errno (state unchanged). */
int vm_start(struct vm *vm, uint64_t request_ns, struct err *err);
/* Returns when the vCPU thread has left the guest: where it may be copied, if it gets there in time (at_freeze). -EINVAL in another state. */
int vm_pause(struct vm *vm);
int vm_resume(struct vm *vm);
/* Sets bits of the identity's events. Nothing happens when it does not run. */
void vm_raise(struct vm *vm, uint32_t events);
/* Ends it from outside. */
void vm_kill(struct vm *vm, const char *detail);
/* Records the working set, when that is wanted and was not done. */
void vm_record_workset(struct vm *vm);
/* After the end: joins the vCPU thread and sends off what the guest has left in its rings. */
void vm_settle(struct vm *vm);

enum vm_state vm_state(struct vm *vm);
const char *vm_state_name(enum vm_state state); /* as GET / has it */
const char *vm_end_name(enum vm_end_reason end);

/* --- vCPU thread --- */
bool vm_vcpu_begin(struct vm *vm); /* sleeps until the start; false: there will be none */
bool vm_vcpu_obey(struct vm *vm);  /* does what vcpu.request says; false: stop */
bool vm_vcpu_wait(struct vm *vm, uint64_t deadline); /* true: interrupted, call again */
bool vm_vcpu_wanted(struct vm *vm);                  /* an upcall is pending: leave the guest */
void vm_vcpu_interrupted(struct vm *vm);             /* KVM_RUN was: deliver it */
bool vm_has_ended(struct vm *vm);
struct bus *vm_bus(struct vm *vm);
/* Ends the VM; the first reason counts. */
void vm_end(struct vm *vm, enum vm_end_reason reason, uint32_t code, const char *fmt, ...)
	_printf_(4, 5);
struct ports *vm_ports(struct vm *vm); /* NULL: there are none */
void vm_guest_wait(struct vm *vm, uint64_t deadline);
void vm_guest_exit(struct vm *vm, uint32_t kind, uint32_t code);
void vm_guest_milestone(struct vm *vm, uint64_t value); /* UIG_MILESTONE() */
/* A clone has come to its first exit, or its program was interrupted: what it had reached before the snapshot is told now. */
void vm_clone_runs(struct vm *vm);
void vm_guest_missing(struct vm *vm, uint64_t call);
void vm_guest_free(struct vm *vm, uint64_t list);
void vm_guest_freeze(struct vm *vm);
void vm_guest_debug(struct vm *vm, uint8_t byte);

/* --- any thread --- */
void vm_wake_vcpu(struct vm *vm); /* out of WAIT */

#endif
