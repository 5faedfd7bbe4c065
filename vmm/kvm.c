/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/kvm.h"

#include "lib/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TSS_ADDRESS 0xfffbd000ul /* three pages for KVM's own, in the device gap */

int kvm_init(struct kvm *kvm, struct err *err)
{
	int version;

	*kvm = (struct kvm){.fd = -1, .vm_fd = -1};
	kvm->fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm->fd < 0)
		return err_sys(err, errno, "/dev/kvm");
	version = ioctl(kvm->fd, KVM_GET_API_VERSION, 0);
	if (version != KVM_API_VERSION)
		return err_set(
			err, ENOTSUP, "/dev/kvm: version %d, not %d", version, KVM_API_VERSION);
	kvm->run_bytes = ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (kvm->run_bytes < (int)sizeof(struct kvm_run))
		return err_set(err, ENOTSUP, "/dev/kvm: no vCPU mapping");
	kvm->vm_fd = ioctl(kvm->fd, KVM_CREATE_VM, 0);
	return kvm->vm_fd < 0 ? err_sys(err, errno, "KVM_CREATE_VM") : 0;
}

void kvm_fini(struct kvm *kvm)
{
	if (kvm->vm_fd >= 0)
		close(kvm->vm_fd);
	if (kvm->fd >= 0)
		close(kvm->fd);
	*kvm = (struct kvm){.fd = -1, .vm_fd = -1};
}

int kvm_add_slot(
	struct kvm *kvm, gpa_t gpa, uint64_t bytes, void *hva, bool readonly, struct err *err)
{
	struct kvm_userspace_memory_region slot = {
		.slot = kvm->nslots,
		.flags = readonly ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)hva,
	};

	if (ioctl(kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		return err_sys(err, errno, "memory slot at %#llx", (unsigned long long)gpa);
	kvm->nslots++;
	return 0;
}

int kvm_add_ioeventfd(struct kvm *kvm, gpa_t gpa, int fd, struct err *err)
{
	struct kvm_ioeventfd io = {.addr = gpa, .len = 4, .fd = fd};

	if (ioctl(kvm->vm_fd, KVM_IOEVENTFD, &io) < 0)
		return err_sys(err, errno, "ioeventfd at %#llx", (unsigned long long)gpa);
	return 0;
}

int kvm_make_irqchip(struct kvm *kvm, struct err *err)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};

	if (ioctl(kvm->vm_fd, KVM_SET_TSS_ADDR, TSS_ADDRESS) < 0)
		return err_sys(err, errno, "KVM_SET_TSS_ADDR");
	if (ioctl(kvm->vm_fd, KVM_CREATE_IRQCHIP, 0) < 0)
		return err_sys(err, errno, "KVM_CREATE_IRQCHIP");
	if (ioctl(kvm->vm_fd, KVM_CREATE_PIT2, &pit) < 0)
		return err_sys(err, errno, "KVM_CREATE_PIT2");
	return 0;
}

int kvm_add_irqfd(struct kvm *kvm, unsigned gsi, int fd, struct err *err)
{
	struct kvm_irqfd irq = {.fd = (uint32_t)fd, .gsi = gsi};

	if (ioctl(kvm->vm_fd, KVM_IRQFD, &irq) < 0)
		return err_sys(err, errno, "irqfd of line %u", gsi);
	return 0;
}

int kvm_new_vcpu(struct kvm *kvm, unsigned id, struct err *err)
{
	int fd = ioctl(kvm->vm_fd, KVM_CREATE_VCPU, id);

	return fd < 0 ? err_sys(err, errno, "KVM_CREATE_VCPU") : fd;
}
