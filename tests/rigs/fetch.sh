#!/usr/bin/env bash
# What the machine with the true BlueZ is made of, from Debian's packages into FOLDER: bash tests/rigs/fetch.sh FOLDER
# Nothing is installed: kernel, daemons and their libraries are unpacked there and run in the emulator alone.
set -euo pipefail

folder=$(realpath -m "$1")
# The generic kernel, since that for clouds has no Bluetooth.
kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
wanted=("$kernel" bluez dbus-daemon socat busybox-static
    libc6 libgcc-s1 libglib2.0-0 libpcre2-8-0 libdbus-1-3 libudev1 libreadline8 libtinfo6 libasound2 libdw1 libelf1
    zlib1g liblzma5 libbz2-1.0 libsystemd0 libgcrypt20 libgpg-error0 liblz4-1 libzstd1 libcap2 libcap-ng0 libaudit1
    libselinux1 libapparmor1 libexpat1 libwrap0 libssl3 libnsl2 libtirpc3 libgssapi-krb5-2 libkrb5-3 libk5crypto3
    libcom-err2 libkrb5support0 libkeyutils1)
if [[ -f "$folder/complete" && "$(cat "$folder/complete")" == "${wanted[*]}" ]]; then
    exit 0
fi
rm -rf "$folder"
mkdir -p "$folder/packages" "$folder/root"
cd "$folder/packages"
apt-get download -qq "${wanted[@]}"
for package in *.deb; do
    dpkg-deb --extract "$package" "$folder/root"
done
rm -rf "$folder/packages"
"$folder/root/bin/busybox" depmod -b "$folder/root" "${kernel#linux-image-}"
printf '%s' "${wanted[*]}" >"$folder/complete"
