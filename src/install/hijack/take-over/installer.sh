#!/bin/busybox sh
# The installer of a take-over: the first program of a kernel that the old system's GRUB started, or kexec. It shrinks the
# old root file system, writes pine's partitions behind it, then the boot code, and reboots into pine.
# Every step is checked first and passed over when it is done, so that a run that was cut is simply done again.
#
# Until the first write whatever fails ends in a reboot, and GRUB's count is at 0: the old system starts.
# What is done in which order, and why a cut leaves something that boots: docs/hijack.md.
# What it is told: /hijack/plan (names and values), /hijack/steps and checks (src/install/hijack/take-over/steps.ts).

PATH=/sbin:/bin
tools=/debian # the old system's own e2fsprogs, with their libraries
old=/old
mkdir -p /proc /sys /dev /run $old $tools/dev $tools/proc
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o nosuid,mode=755 devtmpfs /dev

# Prints on every console and into dmesg: say LEVEL TEXT.
say() { echo "<$1>pine-hijack: $(cut -d. -f1 /proc/uptime) s: $2" >/dev/kmsg; }

# Keeps a line of the story, of all starts together: note KIND [TEXT]. It is written whole, to sectors outside of every
# file system, from the first write on; what a cut tears are lines at its end (src/take-over/story.ts).
note() {
	local text
	text=$(echo "$2" | tr -cd ' -~' | cut -c 1-300)
	echo "$(date +%s) $1${text:+ $text}" >>/story
	put_story
}
put_story() {
	[ "$stage" = writing ] && [ -n "$disk" ] && [ -n "$story_at" ] || return 0
	[ "$(stat -c %s /story)" -le 65536 ] || return 0
	dd if=/story of="$disk" bs=65536 seek=$((story_at / 65536)) conv=sync,notrunc,fsync 2>/dev/null
}

# What is there of the story: read once the disk is known.
read_story() {
	mv /story /story.now
	[ "$stage" = writing ] && [ -n "$story_at" ] &&
		dd if="$disk" bs=65536 skip=$((story_at / 65536)) count=1 2>/dev/null | tr -d '\0' >/story
	[ -f /story ] && [ "$(head -n 1 /story)" = "pine-hijack 1 $id" ] || echo "pine-hijack 1 $id" >/story
	cat /story.now >>/story
}

restart() {
	sync
	sleep 2
	reboot -f
	echo b >/proc/sysrq-trigger
	sleep 60
}

# Ends this run. Before the first write, and once the old system has its file system back: in the old system. After it:
# in another run, as long as GRUB counts.
fail() {
	say 2 "stopped: $1"
	note stopped "$1"
	if [ "$stage" = staged ] || [ -n "$is_back" ]; then
		put_stage staged 0 "$(echo "$1" | tr -cd 'A-Za-z0-9 ._:/-' | cut -c 1-200)"
		say 2 "${is_back:-nothing was written}: starting the old system"
	fi
	[ -d $tools/proc/self ] && umount $old 2>/dev/null
	restart
}

# A time limit of its own, in seconds: whatever hangs, here or in the kernel's drivers, ends.
time_limit() {
	[ -z "$limit_process" ] || kill "$limit_process"
	(sleep "$1" && echo "<2>pine-hijack: not done within $1 s: restarting" >/dev/kmsg &&
		echo s >/proc/sysrq-trigger && sleep 3 && echo b >/proc/sysrq-trigger) &
	limit_process=$!
}

limit_process=
is_back= # said when the old system got its file system back
time_limit 900
: >/story
. /hijack/plan
. /hijack/metadata
busybox=busybox
runs=/runs
left_alone=$(((stage_sector * 512 - root_start) / root_block))
# By GRUB, which read it, or by kexec: `staged` until the first write. Whatever else it says, nothing is written.
stage=$(sed -n 's/.*pine\.stage=\([a-z]*\).*/\1/p' /proc/cmdline)
note start "$stage"
while read -r chain; do
	for module in $chain; do
		insmod "/modules/$module" 2>/dev/null || break
	done
done </modules/order

# --- The disk -----------------------------------------------------------------------------------

# Prints bytes of the disk in hex: hex START COUNT.
hex() { dd if="$1" bs=1 skip="$2" count="$3" 2>/dev/null | hexdump -v -e '1/1 "%02x"'; }

# Sets `disk` and `root` (device nodes), by the disk's size and the file system's UUID.
find_disk() {
	local path part name
	for path in /sys/block/*; do
		[ "$(cat "$path/size")" = $((disk_size / 512)) ] || continue
		name=${path##*/}
		disk=/dev/$(echo "$name" | tr '!' /)
		[ "$(hex "$disk" $((root_start + 1024 + 104)) 16)" = "$root_uuid" ] || continue
		for part in "$path/$name"*; do
			[ "$(cat "$part/start")" = $((root_start / 512)) ] || continue
			part=${part##*/}
			root=/dev/$(echo "$part" | tr '!' /)
			return
		done
	done
	return 1
}

# The block that GRUB counts in, where the old file system had it before anything moved. In place: one
# sector, and only if it is what lies there: put_stage STAGE STARTS [REASON].
is_stage() { [ "$(dd if="$disk" bs=512 skip="$stage_sector" count=1 2>/dev/null | head -c 36)" = "# GRUB Environment Block
pine_stage=" ]; }
put_stage() {
	is_stage || return 1
	{
		echo "# GRUB Environment Block"
		echo "pine_stage=$1"
		echo "pine_starts=$2"
		[ -z "$3" ] || echo "pine_reason=$3"
		dd if=/dev/zero bs=512 count=1 2>/dev/null | tr '\0' '#'
	} | head -c 512 | dd of="$disk" bs=512 seek="$stage_sector" conv=notrunc,fsync 2>/dev/null
}

patience=60
until find_disk; do
	patience=$((patience - 1))
	[ $patience -gt 0 ] || fail "no disk of $disk_size bytes with the old root file system"
	sleep 0.5
done
say 5 "the disk is $disk, the old root $root"
read_story
case $stage in staged | writing) ;; *) stage=staged && fail "GRUB does not say how far this is" ;; esac

if [ "$stage" = staged ]; then
	# First thing: whatever comes, the next start is the old system's.
	put_stage staged 0 || fail "the block that counts is not at sector $stage_sector"
else
	say 5 "going on with a take-over that was cut"
fi

mount --bind /dev $tools/dev
mount --bind /proc $tools/proc
tool() { chroot $tools "/sbin/$@" 2>&1 </dev/null; }

# --- Everything is checked before the first write ---------------------------------------------------

# What lies on the disk, from the medium: hash_of BLOCK SKIP COUNT SIZE.
hash_of() {
	echo 3 >/proc/sys/vm/drop_caches
	dd if="$disk" bs="$1" skip="$2" count="$3" 2>/dev/null | head -c "$4" | sha256sum | cut -d ' ' -f 1
}

# Whether a sector has these bytes on the medium: sector_has FIELD SECTOR OFFSET:HEX[:HEX]...; field 2 is what was
# there, 3 what is to be there.
sector_has() {
	local field=$1 at=$2 one bytes
	shift 2
	echo 3 >/proc/sys/vm/drop_caches
	for one in "$@"; do
		bytes=$(echo "$one" | cut -d : -f "$field")
		[ "$(hex "$disk" $((at * 512 + ${one%%:*})) $((${#bytes} / 2)))" = "$bytes" ] || return 1
	done
}

check_all() {
	local check a b c d e f
	while read -r check a b c d e f; do
		case $check in
		sum) [ "$(hash_of "$a" "$b" "$c" "$d")" = "$e" ] || return 1 ;;
		bytes) sector_has 2 "$a" $b $c $d $e $f || return 1 ;;
		*) return 1 ;;
		esac
	done </hijack/checks
}

mount_old() { mount -t ext4 -o ro,noload "$root" $old || fail "can't mount $root"; }
files=$old$staging

if [ "$stage" = staged ]; then
	note step check
	tool e2fsck -fn "$root" >/run.log || fail "e2fsck finds faults in the old root: $(tail -n 3 /run.log | tr '\n' ' ')"
	holds_room || fail "the file that the old root's metadata is kept in is not where it was"
	[ -z "$kept_at" ] || list_metadata || fail "no room to keep the old root's metadata: $(blocks_to_keep <$runs) blocks, and the file has $(room_to_keep)"
	mount_old
	(cd $files && sha256sum -c /hijack/sums >/run.log 2>&1) || fail "what was prepared is damaged: $(grep -v ': OK' /run.log | head -n 1)"
	# What the old system did before: it comes first.
	{ head -n 1 /story && head -c 4096 $files/story && sed 1d /story; } >/story.now 2>/dev/null && mv /story.now /story
	umount $old
	check_all || fail "what was put on the EFI system partition has changed"
	say 5 "all that was prepared is whole"
	say 5 "FIRST WRITE: from here on the old system is no longer byte-identical"
	put_stage writing "$starts" || fail "can't write to $disk"
	stage=writing
	note first-write
fi
time_limit 7200

# --- The steps ------------------------------------------------------------------------------------

blocks_of_root() { tool dumpe2fs -h "$root" | sed -n 's/^Block count: *//p'; }

# A shrink that can't be done: the old root is as it was before, and nothing was written behind it: take_back REASON.
take_back() {
	is_back=$(restore_metadata) || is_back=
	[ -z "$is_back" ] || drop_metadata || is_back=
	fail "$1"
}

# The old root file system gets smaller: shrink KIB. One that was cut begins anew, from what was there before.
step_shrink() {
	restored=$(restore_metadata)
	[ $? -lt 2 ] || fail "$restored"
	[ -z "$restored" ] || say 5 "$restored"
	tool e2fsck -fy "$root" >/run.log
	[ $? -lt 4 ] || fail "e2fsck: $(tail -n 3 /run.log | tr '\n' ' ')"
	lost=$(grep -c '^Clear? yes' /run.log)
	[ "$lost" = 0 ] || say 3 "e2fsck cleared $lost pieces of files of the old root: $(sed -n 's/^\(Inode [0-9]*\) has.*/\1/p' /run.log | head -n 20 | tr '\n' ' ')"
	if [ "$(($(blocks_of_root) * root_block / 1024))" -gt "$1" ]; then
		keep_metadata || fail "can't keep the old root's metadata"
		say 5 "shrinking the old root to $1 KiB"
		tool resize2fs "$root" "${1}K" >/run.log || take_back "resize2fs: $(tail -n 3 /run.log | tr '\n' ' ')"
		sync
		tool e2fsck -fp "$root" >/run.log || take_back "e2fsck after resize2fs: $(tail -n 3 /run.log | tr '\n' ' ')"
		sync
	fi
	drop_metadata || fail "can't give up what is kept of the old root's metadata"
}

# Writes a file to its place and reads it back: write FILE BLOCK SEEK COUNT SIZE SHA256.
step_write() {
	[ "$(hash_of "$2" "$3" "$4" "$5")" = "$6" ] && return
	say 5 "writing $1"
	[ "$(sha256sum <"$files/$1")" = "$6  -" ] || fail "$1 is damaged"
	dd if="$files/$1" of="$disk" bs="$2" seek="$3" conv=notrunc,fsync 2>/dev/null || fail "can't write $1"
	sync
	[ "$(hash_of "$2" "$3" "$4" "$5")" = "$6" ] || fail "$1 is not what was written"
}

# Changes bytes of one sector, in one write: patch NAME SECTOR OFFSET:BEFORE:AFTER...
step_patch() {
	local name=$1 at=$2 one
	shift 2
	sector_has 3 "$at" "$@" && return
	sector_has 2 "$at" "$@" || fail "$name is not what it was"
	say 5 "writing $name"
	dd if="$disk" of=/sector bs=512 skip="$at" count=1 2>/dev/null
	for one in "$@"; do
		printf "$(echo "${one##*:}" | sed 's/../\\x&/g')" | dd of=/sector bs=1 seek="${one%%:*}" conv=notrunc 2>/dev/null
	done
	dd if=/sector of="$disk" bs=512 seek="$at" conv=notrunc,fsync 2>/dev/null || fail "can't write $name"
	sync
	sector_has 3 "$at" "$@" || fail "$name is not what was written"
}

# Makes an empty ext4: format START KIB LABEL UUID. One that is there and whole is left alone.
step_format() {
	[ "$(hex "$disk" $(($1 + 1024 + 104)) 16)" = "$(echo "$4" | tr -d - | tr A-F a-f)" ] &&
		tool e2fsck -fn "$disk?offset=$1" >/dev/null && return
	say 5 "making the file system $3"
	tool mke2fs -q -F -t ext4 -b 4096 -m 1 -L "$3" -U "$4" -E "offset=$1" "$disk" "${2}k" >/run.log ||
		fail "mke2fs: $(tail -n 3 /run.log | tr '\n' ' ')"
	sync
}

# The last step is done: nothing before it is looked at, since going back to it would be a step back.
set -- $(tail -n 1 /hijack/steps)
if [ "$(hash_of "$3" "$4" "$5" "$6")" = "$7" ]; then
	say 5 "all is written already: starting pine"
	note done
	restart
fi

# The old root is mounted while files are written from it, and not while a file system is changed: a disk
# with a mounted partition is one in use.
mounted=
while read -r step a b c d e f; do
	case $step in
	write) [ -n "$mounted" ] || { mount_old && mounted=1; } ;;
	*) [ -z "$mounted" ] || { umount $old && mounted=; } ;;
	esac
	case $step in
	shrink) note step shrink && step_shrink "$a" ;;
	write) note step "write $a" && step_write "$a" "$b" "$c" "$d" "$e" "$f" ;;
	patch) note step "write $a" && step_patch "$a" "$b" $c $d $e $f ;;
	format) note step "make $c" && step_format "$a" "$b" "$c" "$d" ;;
	commitment) say 5 "COMMITMENT: from here on this machine ends in pine" && note commitment ;;
	*) fail "an unknown step: $step" ;;
	esac
done </hijack/steps

[ -z "$mounted" ] || umount $old
note done
say 5 "done: starting pine"
restart
