# What resize2fs writes over, kept in a file of the old file system until it is done: resize2fs writes inodes, and
# what they point to, with no flush between. Data that it moves stays where it was, so that with these blocks written
# back a shrink that was cut has never begun. Sourced by installer.sh, and run by the old system to learn how much it
# is (metadata-room.ts).
# Needs `root` (a device), `root_block` (bytes), `id`, `kept_at` (where the file lies: "START:COUNT START:COUNT …"),
# `tool`, which runs a program of e2fsprogs, `busybox`, by which awk and sort are found, `runs`, a file for the list of
# what is kept, and `left_alone`, a block that is written meanwhile: that of the count of starts. Positions are blocks.

# Prints the runs of blocks that hold metadata, "START COUNT" a line, in order: superblocks, group descriptors, bitmaps,
# inode tables as far as they are in use, folders, and blocks that say where files lie. The journal stays as it is.
# Runs with up to 15 blocks between them are one, since a program has to be started for each: but for the file itself and
# the block of the count nothing that lies between changes. Fails when a program does.
metadata_runs() {
	{
		tool debugfs -R 'stat <8>' "$root" | grep -o '([0-9-]*):[0-9-]*' | sed 's/.*:/journal /; s/-/ /'
		tool dumpe2fs "$root" || echo fault
		tool e2image -rnf "$root" /dev/null || echo fault
	} | $busybox awk '
		# Prints the first to the last block that text names, as in "Block bitmap at 76 (+76)" or "Inode table at 86-565".
		function place(name, text,    ends) {
			if (!match(text, name " at [0-9]+(-[0-9]+)?")) return
			text = substr(text, RSTART + length(name) + 4, RLENGTH - length(name) - 4)
			if (split(text, ends, "-") < 2) ends[2] = ends[1]
			first = ends[1] + 0
			last = ends[2] + 0
			return 1
		}
		function put() { printf "%d %d\n", first, last }
		function put_table(unused,    used) {
			if (!table) return
			used = int(((inodes - unused) * inode_size + size - 1) / size)
			if (used > 0) printf "%d %d\n", table, table + used - 1
			table = 0
		}
		$1 == "fault" { print "fault" }
		$1 == "journal" { from[++journals] = $2 + 0; to[journals] = ($3 == "" ? $2 : $3) + 0; next }
		/^Block count:/ { blocks = $3 + 0 }
		/^Block size:/ { size = $3 + 0 }
		/^Inodes per group:/ { inodes = $4 + 0 }
		/^Inode size:/ { inode_size = $3 + 0 }
		/^Group [0-9]+:/ { put_table(0) }
		/^  (Primary|Backup) superblock/ {
			if (place("superblock", $0)) put()
			if (place("Group descriptors", $0)) put()
			is_primary = $1 == "Primary"
		}
		is_primary && place("Reserved GDT blocks", $0) { put(); is_primary = 0 }
		place("Block bitmap", $0) { put() }
		place("Inode bitmap", $0) { put() }
		place("Inode table", $0) { table = first }
		/^  [0-9]+ free blocks/ { put_table(match($0, /[0-9]+ unused inodes/) ? substr($0, RSTART) + 0 : 0) }
		/^Writing block / {
			put_table(0)
			block = $3 + 0
			if (block >= blocks) next
			for (one = 1; one <= journals; one++) if (block >= from[one] && block <= to[one]) next
			printf "%d %d\n", block, block
			written = 1
		}
		END { if (!written) print "fault" }
	' | $busybox sort -n | $busybox awk -v apart="$kept_at ${left_alone:--1}:1" '
		BEGIN { count = split(apart, runs, " ") }
		function is_apart(from, to,    one, run) {
			for (one = 1; one <= count; one++) {
				split(runs[one], run, ":")
				if (run[1] < to && run[1] + run[2] > from) return 1
			}
		}
		$1 == "fault" { exit status = 1 }
		NR == 1 { first = $1; last = $2; next }
		$1 <= last + 1 || $1 <= last + 16 && !is_apart(last + 1, $1) { if ($2 > last) last = $2; next }
		{ printf "%d %d\n", first, last - first + 1; first = $1; last = $2 }
		END {
			if (status) exit status
			printf "%d %d\n", first, last - first + 1
		}
	'
}

# The file's first block says what is kept: `pine-hijack-kept 1 ID BLOCKS LIST SHA256`. Behind it come LIST blocks with
# the runs as text, then what they hold; BLOCKS is all of that, and SHA256 its hash.
kept_head() { set -- $kept_at && echo "${1%%:*}"; }

# Prints what lies behind the first block.
read_kept() {
	local run skip=1
	for run in $kept_at; do
		dd if="$root" bs="$root_block" skip=$((${run%%:*} + skip)) count=$((${run##*:} - skip)) 2>/dev/null
		skip=0
	done
}

# Writes what it reads there.
write_kept() {
	local run skip=1
	for run in $kept_at; do
		dd of="$root" bs="$root_block" seek=$((${run%%:*} + skip)) count=$((${run##*:} - skip)) \
			iflag=fullblock conv=notrunc 2>/dev/null
		skip=0
	done
}

read_kept_head() {
	[ -z "$kept_at" ] ||
		dd if="$root" bs="$root_block" skip="$(kept_head)" count=1 2>/dev/null | head -n 1 | tr -cd 'a-z0-9 -'
}
holds_metadata() {
	case $(read_kept_head) in "pine-hijack-kept 1 $id "*) ;; *) return 1 ;; esac
}
put_kept_head() { dd of="$root" bs="$root_block" seek="$(kept_head)" count=1 conv=sync,notrunc,fsync 2>/dev/null; }

# The list, filled up to whole blocks, and what it names.
print_metadata() {
	local start count
	dd if="$runs" bs="$root_block" conv=sync 2>/dev/null
	while read -r start count; do
		dd if="$root" bs="$root_block" skip="$start" count="$count" 2>/dev/null
	done <"$runs"
}

# How many blocks it takes to keep the runs that it reads.
blocks_to_keep() {
	$busybox awk -v size="$root_block" '
		{ sum += $2; text += length($0) + 1 }
		END { printf "%d\n", 1 + int((text + size - 1) / size) + sum }
	'
}

room_to_keep() {
	local run sum=0
	for run in $kept_at; do sum=$((sum + ${run##*:})); done
	echo $sum
}

# Whether the file lies where it was made, by its own first and last block of each run.
holds_room() {
	local run index=0 at
	for run in $kept_at; do
		for at in 0 $((${run##*:} - 1)); do
			[ "$(dd if="$root" bs="$root_block" skip=$((${run%%:*} + at)) count=1 2>/dev/null | head -n 1 | tr -d '\0')" = \
				"pine-hijack-room $id $((index + at))" ] || return 1
		done
		index=$((index + ${run##*:}))
	done
}

# Lists in $runs what has to be kept, and fails when there is no room for it.
list_metadata() { metadata_runs >"$runs" && [ "$(blocks_to_keep <"$runs")" -le "$(room_to_keep)" ]; }

# Keeps the metadata. What was kept before is given up first: nothing may be written back that is half of this.
keep_metadata() {
	local blocks list sum
	drop_metadata && list_metadata || return 1
	blocks=$(($(blocks_to_keep <"$runs") - 1))
	list=$((($(stat -c %s "$runs") + root_block - 1) / root_block))
	sum=$(print_metadata | sha256sum | cut -d ' ' -f 1)
	print_metadata | write_kept
	dd if=/dev/null of="$root" conv=notrunc,fsync 2>/dev/null
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(read_kept | head -c $((blocks * root_block)) | sha256sum)" = "$sum  -" ] || return 1
	echo "pine-hijack-kept 1 $id $blocks $list $sum" | put_kept_head
}

# Writes back what is kept, if something is: prints what it did. It can be done again.
# Fails with 1 when that is damaged, and with 2 when it is not on the disk then.
restore_metadata() {
	local start count
	holds_metadata || return 0
	set -- $(read_kept_head)
	if [ "$(read_kept | head -c $(($4 * root_block)) | sha256sum)" != "$6  -" ]; then
		echo "what was kept of the old root's metadata is damaged: going on without"
		return 1
	fi
	read_kept | head -c $(($5 * root_block)) | tr -d '\0' >"$runs"
	read_kept | {
		dd of=/dev/null bs="$root_block" count="$5" iflag=fullblock 2>/dev/null
		while read -r start count <&3; do
			dd of="$root" bs="$root_block" seek="$start" count="$count" iflag=fullblock conv=notrunc 2>/dev/null
		done 3<"$runs"
	}
	dd if=/dev/null of="$root" conv=notrunc,fsync 2>/dev/null
	echo 3 >/proc/sys/vm/drop_caches
	if [ "$(print_metadata | sha256sum)" != "$6  -" ]; then
		echo "the old root's metadata could not be written back"
		return 2
	fi
	echo "the old root's metadata is as it was before the shrink"
}

# From here on a shrink is not taken back. Where nothing is kept nothing is written: pine's partitions may be there.
# Fails when it is still there: written back over those it would be the end of them.
drop_metadata() {
	holds_metadata || return 0
	echo "pine-hijack-dropped $id" | put_kept_head
	echo 3 >/proc/sys/vm/drop_caches
	! holds_metadata
}
