#!/bin/sh
# Runs inside the guest: a simulated GPIO chip if the kernel can, a real USB keyboard, the process that watches the buttons.
set -eu
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
export PYTHONPATH=/repository:/repository/.venv/lib/python3.11/site-packages PYTHONDONTWRITEBYTECODE=1
exec python3 -m tests.qemu.guest
