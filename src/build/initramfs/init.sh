#!/bin/busybox sh
# pine's init: the first program of a machine. It finds the slot that GRUB chose, mounts it read-only,
# puts /etc, /var and the like from the data partition into place, and hands over to the slot's own init.
#
# What goes wrong here before the hand-over ends in a reboot, so that a trial falls back by itself.
# The data partition is the exception: without it the machine comes up degraded but reachable (S11).
# What is agreed with GRUB and with pinectl: docs/architecture.md. How it works: docs/initramfs.md.

PATH=/sbin:/bin
root=/sysroot
data=$root/data
mkdir -p /proc /sys /dev /run $root
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o nosuid,mode=755 devtmpfs /dev
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs /run
mkdir -p /run/pine

# --- Saying what happens -----------------------------------------------------------------------

# Prints on every console and into dmesg: say LEVEL TEXT (levels as the kernel's: 3 is an error).
say() { echo "<$1>pine: $2" >/dev/kmsg; }

# Appends a step to the log of a trial: how far it came tells why it fell back.
log_step() {
	[ "$choice" = trial ] && [ -d $data/pine ] || return 0
	mkdir -p $data/pine/attempts
	echo "$(date +%s) $1" >>"$data/pine/attempts/$deployment.log" && sync
}

# Ends this boot: a trial soon, so that GRUB falls back; another one with time to read the console.
fail() {
	say 2 "can't start: $1"
	log_step "initramfs failed: $1"
	[ -n "$(argument pine.shell)" ] && exec sh </dev/console >/dev/console 2>&1
	[ "$choice" = trial ] && sleep 5 || sleep 30
	reboot -f
	echo b >/proc/sysrq-trigger
	sleep 60
}

# --- What GRUB passed --------------------------------------------------------------------------

# GRUB puts an argument with blanks into quotes, and only one has any: the list of what it skipped.
arguments=$(sed ':again; s/\("pine.skipped=[^" ]*\) \([^"]*"\)/\1,\2/; t again; s/"//g' /proc/cmdline)

# Prints the value of a kernel argument, or 1 when it has none. The first of a name counts: pine's
# own stand before the deployment's.
argument() {
	local word
	set -f
	for word in $arguments; do
		case $word in
		"$1"=*) echo "${word#*=}" && break ;;
		"$1") echo 1 && break ;;
		esac
	done
	set +f
}

deployment=$(argument pine.deployment)
slot=$(argument pine.slot)
partuuid=$(argument pine.partuuid | tr A-F a-f)
choice=$(argument pine.choice)
deadline=$(argument pine.deadline)
case $deployment in .* | *[!0-9a-z.-]*) deployment= ;; esac # it becomes a path
case $choice in order | trial | emergency) ;; *) choice=order ;; esac
case $deadline in '' | 0* | *[!0-9]* | ???????*) deadline=300 ;; esac
case $slot in a | b) ;; *) fail "pine.slot is '$slot', not a or b" ;; esac

# --- Drivers, and the time limit of a trial ----------------------------------------------------

# A line has a driver and, before it, what it needs. One whose device is not there fails: no error.
while read -r chain; do
	for module in $chain; do
		insmod "/modules/$module" 2>/dev/null || break
	done
done </modules/order

watchdog=none
watchdog_fired=0
if [ -c /dev/watchdog0 ]; then
	watchdog=$(cat /sys/class/watchdog/watchdog0/identity)
	status=$(cat /sys/class/watchdog/watchdog0/bootstatus)
	watchdog_fired=$((${status:-0} >> 5 & 1)) # WDIOF_CARDRESET: it caused the last reset
fi

# From here on a trial that hangs ends by itself, here or in the system that is handed over to.
if [ "$choice" = trial ]; then
	setsid /bin/busybox sh /deadline "$deadline" "data/pine/attempts/$deployment.log" "$(date +%s)" &
fi

# --- The disk and its partitions ---------------------------------------------------------------

# The device of a kernel name: sda4, or cciss!c0d0p4.
device() {
	case $1 in
	*!*) echo "/dev/$(echo "$1" | tr '!' /)" ;;
	*) echo "/dev/$1" ;;
	esac
}

# Prints bytes of a disk in a format of hexdump: bytes DISK OFFSET COUNT FORMAT.
bytes() { dd if="$(device "$1")" bs=1 skip="$2" count="$3" 2>/dev/null | hexdump -v -e "$4"; }

# Prints the kernel name of a disk's partition by its PARTUUID, which stands in its GPT entry and not
# in sysfs: partition_of DISK BLOCKSIZE UUID.
partition_of() {
	local disk=$1 block=$2 uuid=$3 path at
	# The table's first block (two halves: after a cut while the disk grew it is near the end), how many entries it has, and their size
	set -- $(bytes "$disk" $((block + 72)) 16 '4/4 "%u "')
	for path in "/sys/block/$disk/$disk"*; do
		at=$((($1 + ($2 << 32)) * block + ($(cat "$path/partition") - 1) * $4 + 16))
		[ "$(bytes "$disk" $at 16 '1/4 "%08x-" 2/2 "%04x-" 2/1 "%02x" "-" 6/1 "%02x"')" = "$uuid" ] || continue
		echo "${path##*/}"
		return
	done
	return 1
}

# Prints the kernel name of a disk's partition with a name: partition_named DISK NAME.
partition_named() {
	local path
	for path in "/sys/block/$1/$1"*; do
		grep -qsx "PARTNAME=$2" "$path/uevent" && echo "${path##*/}" && return
	done
	return 1
}

# Sets `disk` and `root_name`, by the unique id that GRUB passed or else by name: find_slot uuid|name.
find_slot() {
	local path block
	for path in /sys/block/*; do
		disk=${path##*/}
		case $disk in loop* | ram* | zram* | sr* | fd* | dm-* | md*) continue ;; esac
		block=$(cat "$path/queue/logical_block_size")
		# Opening a disk waits until the kernel has read its partition table.
		[ "$(bytes "$disk" "$block" 8 '8/1 "%c"')" = 'EFI PART' ] || continue
		case $1 in
		uuid) root_name=$(partition_of "$disk" "$block" "$partuuid") && return ;;
		name) root_name=$(partition_named "$disk" "root-$slot") && return ;;
		esac
	done
	return 1
}

seconds() { cut -d. -f1 /proc/uptime; }
patience=$(($(seconds) + 30)) # disks may take their time to appear
[ -n "$partuuid" ] && key=uuid || key=name
until find_slot $key; do
	if [ "$(seconds)" -ge $patience ]; then
		find_slot name || fail "no partition ${partuuid:-root-$slot} on any disk"
		break
	fi
	sleep 0.1
done
# Some disks ask for megabytes to be read at each missing page: with little memory they push out what is needed there.
ahead=/sys/block/$disk/queue/read_ahead_kb
[ "$(cat "$ahead")" -le 128 ] || echo 128 >"$ahead"
root_device=$(device "$root_name")
mount -t squashfs -o ro "$root_device" $root || fail "can't mount $root_device (root-$slot)"
boot_name=$(partition_named "$disk" boot) && boot_device=$(device "$boot_name")
data_name=$(partition_named "$disk" data) && data_device=$(device "$data_name")
swap_name=$(partition_named "$disk" swap) && swapon "$(device "$swap_name")" # e2fsck may need it

# --- The data partition: checked, repaired, or done without (S11) -------------------------------

# Runs the slot's own e2fsck on the data partition: check p|y. Sets `status`, and `data_detail` to the
# first lines of what it said (read to its end: it may say megabytes, and must not be cut off).
check() {
	data_detail=$({ chroot $root /bin/sh -c 'PATH=/usr/sbin:/sbin:$PATH; exec e2fsck "$@"' sh "-$1" \
		"$data_device"; echo $? >/run/pine/status; } 2>&1 | grep . | sed -n 1,3p | tr '\n\t' '; ')
	status=$(cat /run/pine/status)
}

# Repairs what can be repaired and mounts /data. The time limit of a trial stands still meanwhile.
mount_data() {
	data_detail="the disk $disk has no partition that is named data"
	[ -n "$data_device" ] || return 1
	: >/run/pine/checking
	mount --bind /dev $root/dev
	mount --bind /proc $root/proc
	check p
	case $status in
	0) state=ok data_detail= ;;
	126 | 127) state=ok ;; # no e2fsck in the slot: the kernel judges
	*)
		state=repaired
		[ "$status" -lt 4 ] || check y
		[ "$status" -lt 4 ] || check y # what one pass moves the next may have to mend
		;;
	esac
	umount $root/proc $root/dev
	rm /run/pine/checking
	case $status in 0 | 1 | 2 | 3 | 126 | 127) ;; *) return 1 ;; esac
	mount -t ext4 -o noatime,errors=remount-ro "$data_device" $data 2>/run/pine/status && return
	data_detail="$data_detail $(tr -s '\n' ' ' </run/pine/status)"
	return 1
}

# Copies folders of the image, each whole or not at all, in two steps: copy_new FROM TO; settle_new.
copy_new() {
	rm -rf "$2.new" && cp -a "$1" "$2.new" && new="$new $2"
}
settle_new() {
	local folder
	[ -n "$new" ] || return 0
	sync
	for folder in $new; do mv "$folder.new" "$folder" || return 1; done
	sync
}

# Where the contents of a folder that stays lie on the data partition.
area_folder() { echo "$data/state/$(echo "$1" | sed 's/-/--/g; s,/,-,g')"; }

# --- What stays (docs/state.md) -----------------------------------------------------------------

# Adds the folders that a list names to `areas`. What makes no sense is passed over: a list must never
# stop a boot. The same rules as in src/deploy/kept/state-list.ts.
add_areas() {
	local path rest area
	[ -f "$1" ] || return 0
	while read -r path rest || [ -n "$path" ]; do
		case $path in '' | '#'*) continue ;; esac
		case $path/ in
		*[!A-Za-z0-9._+@/-]* | *//* | */./* | */../* | */-* | *-/*) path= ;;
		/etc/* | /usr/etc/* | /dev/* | /proc/* | /sys/* | /run/* | /tmp/* | /data/* | /boot/*) path= ;;
		/usr/ | /bin/ | /sbin/ | /lib/ | /usr/bin/ | /usr/sbin/ | /usr/lib/) path= ;;
		/*) ;;
		*) path= ;;
		esac
		set -- "$1" $areas
		[ $# -le 64 ] || path=
		for area in $areas; do
			case "$path/" in "/$area/"*) path= ;; esac
			case "/$area/" in "$path/"*) path= ;; esac
		done
		if [ -n "$path" ]; then
			areas="$areas ${path#/}"
		else
			say 4 "a line of ${1#$root} is passed over (pinectl state list)"
		fi
	done <"$1"
}

# Copies what the image has under /var and the machine has not, each file whole or not at all; nothing
# is written over. Once for a release, so that what is deleted here stays away until the next one.
bring_along() {
	local release=${deployment%.*} name to skip=
	grep -qsx "$release" $data/pine/brought && return
	(cd $root/var && find . ! -path .) | {
		while IFS= read -r name; do
			to=$data/state/var/$name
			case $name in "${skip:-/}"/*) continue ;; esac # below what is no folder here
			if [ -d "$root/var/$name" ] && [ ! -L "$root/var/$name" ]; then
				[ -d "$to" ] && [ ! -L "$to" ] && continue
				if [ -e "$to" ] || [ -L "$to" ]; then skip=$name && continue; fi
				mkdir -m "$(stat -c %a "$root/var/$name")" "$to" &&
					chown "$(stat -c %u:%g "$root/var/$name")" "$to" || exit 1
			else
				[ -e "$to" ] || [ -L "$to" ] && continue
				cp -a "$root/var/$name" "$to.pine-part" && mv "$to.pine-part" "$to" && continue
				rm -f "$to.pine-part"
				exit 1
			fi
		done
	} && sync && echo "$release" >$data/pine/brought && sync
}

# Puts the copy of network settings and keys that the boot partition keeps into what is made new.
restore_rescue() {
	local file best= best_length best_sequence=-1 area folder
	mkdir -p /run/pine/mnt
	[ -n "$boot_device" ] && mount -t ext4 -o ro,noload "$boot_device" /run/pine/mnt || return
	set -f
	for file in /run/pine/mnt/grub/rescue-0 /run/pine/mnt/grub/rescue-1; do
		set -- $(head -c 512 "$file" 2>/dev/null | head -n 1) # pine-rescue 1 SEQUENCE LENGTH SHA256
		[ "$1 $2 $#" = 'pine-rescue 1 5' ] || continue
		case $3$4 in *[!0-9]* | ????????????????????*) continue ;; esac
		[ "$(dd if="$file" bs=512 skip=1 2>/dev/null | head -c "$4" | sha256sum)" = "$5  -" ] || continue
		[ "$3" -gt $best_sequence ] && best=$file best_sequence=$3 best_length=$4
	done
	set +f
	for area in etc root home; do
		case "$best $fresh " in /*" $area "*) ;; *) continue ;; esac
		[ $area = etc ] && folder=$etc || folder=$(area_folder $area)
		dd if="$best" bs=512 skip=1 2>/dev/null | head -c "$best_length" |
			tar -x -f - -C "$folder.new" --strip-components=1 $area 2>/dev/null
		say 5 "put the rescue copy $best_sequence into a new /$area"
	done
	umount /run/pine/mnt && rmdir /run/pine/mnt
}

# Makes what is missing under /data, out of the image. `fresh` tells which areas were made now.
fill_data() {
	local area folder own_list new=
	fresh=
	mkdir -p $data/etc $data/state $data/pine/attempts || return 1
	# An emergency boot may not know its deployment: the /etc that was used last is the best guess.
	[ -n "$deployment" ] || deployment=$(ls -t $data/etc | grep -v -e damaged -e '\.new$' | head -n 1)
	[ -n "$deployment" ] || deployment=emergency
	etc=$data/etc/$deployment
	if [ -d "$etc" ] && [ -s $root/etc/passwd ] && ! grep -q . "$etc/passwd"; then
		data_detail="$data_detail $etc was damaged" state=repaired
		mv "$etc" "$etc.damaged.$(date +%s)" || return 1
	fi
	own_list=$etc/pine/state.list
	if [ ! -d "$etc" ]; then
		copy_new $root/etc "$etc" || return 1
		fresh=etc own_list=$root/etc/pine/state.list
	fi
	areas=
	if [ -f $root/usr/lib/pine/state.list ]; then
		add_areas $root/usr/lib/pine/state.list
	else
		areas='var home root srv opt usr/local'
	fi
	listed=$areas
	add_areas "$own_list"
	for area in $areas; do
		folder=$(area_folder $area)
		is_folder $area && [ ! -d "$folder" ] || continue
		copy_new $root/$area "$folder" || return 1
		fresh="$fresh $area"
	done
	[ -z "$fresh" ] || restore_rescue
	settle_new || return 1
	[ ! -d $data/state/var ] || bring_along || say 4 "/var lacks something that this release ships: no room?"
}

# Whether the image has a folder there: a link in its place is the image's own way, and is left alone.
is_folder() { [ "$(cd "$root/$1" 2>/dev/null && pwd -P)" = "$root/$1" ]; }

if mount_data; then
	if ! fill_data; then
		umount $data
		state=degraded data_detail="$data_detail $data_device can't be written: full, or failing"
	fi
else
	state=degraded
fi
if [ $state = degraded ]; then
	say 3 "no data partition: $data_detail"
	say 3 "going on without it; /var, /etc and /home are in memory and lost at the next boot"
	mount -t tmpfs -o mode=755 tmpfs $data && fill_data || fail "can't make /data in memory"
fi
log_step initramfs

# --- The root as the system sees it ------------------------------------------------------------

[ ! -d $root/usr/etc ] || mount --bind $root/etc $root/usr/etc # the image's own, to compare with
mount --bind "$etc" $root/etc || fail "can't bind $etc"
for area in $areas; do
	is_folder $area || continue
	mount --bind "$(area_folder $area)" $root/$area && continue
	case " $listed " in *" $area "*) fail "can't bind /$area" ;; esac
	say 3 "can't bind /$area, which this machine lists: it is the image's in this boot"
done
[ $state = degraded ] && echo "pine: degraded, without the data partition: $data_detail" >>$root/etc/motd
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs $root/tmp

# apk can't change this root: a script in front of it says what to do instead, and calls it for the rest.
for apk in $root/sbin/apk $root/usr/sbin/apk $root/usr/bin/apk; do
	[ -f "$apk" ] && [ -f $root/usr/lib/pine/apk ] || continue
	: >/run/pine/apk
	mount --bind "$apk" /run/pine/apk && mount --bind $root/usr/lib/pine/apk "$apk"
	break
done

cat >/run/pine/boot <<END
deployment=$deployment
slot=$slot
block=$(argument pine.block)
choice=$choice
skipped=$(argument pine.skipped)
partuuid=$partuuid
disk=$disk
root_device=$root_device
boot_device=$boot_device
data_device=$data_device
data=$state
data_detail=${data_detail# }
watchdog=$watchdog
watchdog_fired=$watchdog_fired
deadline=$deadline
END

rm -f /run/pine/status
for folder in dev proc sys run; do
	mount --move /$folder $root/$folder || fail "can't move /$folder"
done
log_step handed-over
exec switch_root $root /sbin/init "$@"
