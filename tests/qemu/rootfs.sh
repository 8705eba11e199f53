#!/bin/sh
# Makes what a guest needs to boot: Debian's kernel, its initrd, and a disk with Python and udev. Some five minutes.
# Debian 12 leaves gpio-sim out of its kernel; it is built here from Debian's own source as a module. Without it the tests
# of pins are skipped.
# Usage: rootfs.sh FOLDER [MIRROR]
set -eu
folder=$1
mirror=${2:-}
mkdir -p "$folder"
tree=$(mktemp -d "$folder/tree.XXXXXX")
workshop=$(mktemp -d "$folder/workshop.XXXXXX")
trap 'rm -rf "$tree" "$workshop"' EXIT
# The mirrors of this machine, whatever they are.
# shellcheck disable=SC2086 # none, or one word
mmdebstrap --quiet --variant=minbase --include=linux-image-amd64,initramfs-tools,udev,kmod,python3,libportaudio2,alsa-utils \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    bookworm "$tree" $mirror
# A chip that is simulated: two files of the kernel's source, built as one module beside the kernel that was installed.
kernel=$(basename "$tree"/lib/modules/*)
if mmdebstrap --quiet --variant=minbase --include="linux-headers-$kernel,linux-source-6.1,make,gcc,xz-utils" \
    --aptopt='APT::Install-Recommends "false"' bookworm "$workshop" $mirror &&
    chroot "$workshop" sh -ec '
        mkdir /sim
        cd /sim
        tar -xJf /usr/src/linux-source-6.1.tar.xz --strip-components=1 linux-source-6.1/drivers/gpio linux-source-6.1/kernel/irq
        cp drivers/gpio/gpio-sim.c drivers/gpio/gpiolib.h kernel/irq/irq_sim.c .
        # The one function a module may not call has a twin that it may.
        sed -i "s/handle_simple_irq(irq_to_desc(irqnum))/generic_handle_irq(irqnum)/" irq_sim.c
        printf "obj-m := gpio-simulated.o\ngpio-simulated-y := gpio-sim.o irq_sim.o\n" >Makefile
        make -s -C /lib/modules/*/build M=/sim modules'; then
    cp "$workshop/sim/gpio-simulated.ko" "$tree/lib/modules/"
else
    echo "gpio-sim could not be built: the tests of pins will be skipped" >&2
fi

cat >"$tree/sbin/mamori-init" <<'INIT'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
modprobe -a evdev usbhid hid-generic xhci_pci 9p 9pnet_virtio
echo '@@ up {}'
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add
udevadm settle --timeout=30
mkdir -p /repository
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose repository /repository
cd /repository
sh tests/qemu/guest.sh
echo "GUEST ENDED $?"
sync
echo o >/proc/sysrq-trigger
sleep 30
INIT
chmod 755 "$tree/sbin/mamori-init"
cp "$tree"/boot/vmlinuz-* "$folder/vmlinuz"
cp "$tree"/boot/initrd.img-* "$folder/initrd"
rm -rf "$tree"/boot/* "$tree"/var/cache/apt/* "$tree"/var/lib/apt/lists/*
truncate -s 1500M "$folder/disk.new"
mke2fs -q -t ext4 -O ^has_journal -d "$tree" "$folder/disk.new"
mv "$folder/disk.new" "$folder/disk"
