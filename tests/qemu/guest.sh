#!/bin/sh
# Runs inside the guest. With “errand=cards”: two sound cards of the kernel's own loop-back driver. Otherwise: a simulated
# GPIO chip if the kernel can, a real USB keyboard, the process that watches the buttons.
set -eu
echo '@@ begun {}'
export PYTHONPATH=/repository:/repository/.venv/lib/python3.11/site-packages PYTHONDONTWRITEBYTECODE=1
if grep -q errand=cards /proc/cmdline; then
    if [ ! -x /usr/bin/aplay ] || ! ls /usr/lib/x86_64-linux-gnu/libportaudio.so.2 >/dev/null 2>&1; then
        echo '@@ missing {"what": "PortAudio: it is older than this test; remove its disk and make it anew"}'
        echo '@@ ended {}'
        exit 0
    fi
    exec python3 -m tests.qemu.guest_cards
fi
modprobe -q configfs || true
modprobe -q gpio-sim || insmod /lib/modules/gpio-simulated.ko || true
mountpoint -q /sys/kernel/config || mount -t configfs config /sys/kernel/config || true
if [ -d /sys/kernel/config/gpio-sim ]; then
    chip=/sys/kernel/config/gpio-sim/desk
    mkdir -p $chip/bank0
    echo 8 >$chip/bank0/num_lines
    echo mamori-desk >$chip/bank0/label
    echo 1 >$chip/live
    udevadm settle --timeout=10
fi
exec python3 -m tests.qemu.guest
