import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DataDisk } from '../../../src/deploy/growth/data-disk.ts';
import { growData } from '../../../src/deploy/growth/grow-data.ts';
import type { Machine, ProgramResult } from '../../../src/deploy/machine.ts';
import { readExt4Size } from '../../../src/disk/ext4-size.ts';
import { readPartitions } from '../../../src/disk/gpt.ts';
import { readGptTable } from '../../../src/disk/gpt-table.ts';
import { slice } from '../../../src/disk/slice.ts';
import type { BlockDevice } from '../../../src/ports/block-device.ts';
import { keepAll } from '../../crash/world/loss.ts';
import { overriding } from '../../crash/world/overriding.ts';
import { makeReleases } from '../../crash/world/releases.ts';
import {
  afterCut,
  type MachineSettings,
  machineOf,
  makeWorld,
  type World,
} from '../../crash/world/world.ts';
import { codeOfAsync } from '../../support/code-of.ts';
import { MemoryDevice } from '../../support/memory-device.ts';
import { missing } from '../../support/requirements.ts';

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const mebibyte = 1 << 20;
const start = 5 * mebibyte;
/** MiB of the data partition before and after. */
const [short, long] = [34, 66];

/** A disk that has grown, as a machine sees it that was booted since. */
class GrownDisk {
  readonly device: MemoryDevice;
  /** How long the kernel takes the data partition to be, in bytes. */
  known = short * mebibyte;
  readonly calls: string[] = [];
  readonly answers: Record<string, ProgramResult> = {};

  constructor(bytes: Buffer) {
    this.device = new MemoryDevice(bytes);
  }

  get dataDisk(): DataDisk {
    const opener = (name: string, device: () => BlockDevice) => ({
      name,
      open: async () => device(),
      dropCache: async () => {},
    });
    return {
      disk: opener('/dev/vda', () => this.device),
      diskPath: '/dev/vda',
      partition: opener('/dev/vda2', () => slice(this.device, start, this.known)),
      partitionPath: '/dev/vda2',
    };
  }

  machine(world: World, settings?: MachineSettings): Machine {
    const machine = machineOf(world, settings);
    const runProgram: Machine['effects']['runProgram'] = async (
      path,
      _,
      { parameters = [] } = {},
    ) => {
      this.calls.push([path, ...parameters].join(' '));
      const answer = this.answers[path] ?? { passed: true, detail: 'exit 0' };
      if (!answer.passed) return answer;
      if (path === 'partx') await this.learn();
      // As resize2fs does, the file system is made as long as the kernel takes the partition to be.
      if (path === 'resize2fs')
        this.device.bytes.writeUInt32LE(this.known / 4096, start + 1024 + 4);
      return answer;
    };
    return { ...machine, effects: { ...machine.effects, runProgram } };
  }

  /** The kernel reads the table. */
  async learn(): Promise<void> {
    const partitions = await readPartitions(this.device);
    this.known = partitions.find(({ name }) => name === 'data')?.size ?? 0;
  }

  get writes(): number {
    return this.device.writes.length;
  }
}

describe.skipIf(missing('disk') !== undefined)(
  'the data partition of a disk that has grown',
  () => {
    let bytes: Buffer;
    let before: World;
    let world: World;
    let disk: GrownDisk;

    beforeAll(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'pine-grow-'));
      const path = join(folder, 'disk.img');
      writeFileSync(path, '');
      truncateSync(path, 40 * mebibyte);
      const input = 'label: gpt\nname="boot", size=4MiB, type=L\nname="data", type=L\n';
      execFileSync('sfdisk', ['-q', '--no-reread', '--no-tell-kernel', path], { env, input });
      const mkfs = ['-q', '-F', '-b', '4096', '-E', `offset=${start}`, path, `${short}M`];
      execFileSync('mkfs.ext4', mkfs, { env, stdio: 'pipe' });
      truncateSync(path, 72 * mebibyte);
      bytes = readFileSync(path);
      rmSync(folder, { recursive: true });
      const releases = await makeReleases();
      before = await makeWorld({ a: releases.v1, b: releases.v0, order: [1, 2] });
    });
    beforeEach(() => {
      world = afterCut(before, keepAll);
      disk = new GrownDisk(bytes);
    });
    const grow = (automatic = true, settings?: MachineSettings) =>
      growData(disk.machine(world, settings), disk.dataDisk, automatic);
    const bootOf = (deployment: string): MachineSettings => ({ running: { deployment } });

    it('grows with its file system, once', async () => {
      expect(await readExt4Size(slice(disk.device, start, disk.known))).toBe(short * mebibyte);
      expect(await grow()).toEqual({
        kind: 'grown',
        before: short * mebibyte,
        size: long * mebibyte,
      });
      expect(disk.calls).toEqual(['partx --update --nr 2 /dev/vda', 'resize2fs /dev/vda2']);
      const { writes } = disk;
      const log = world.power.log.length;
      expect(await grow()).toEqual({ kind: 'unchanged', size: long * mebibyte });
      expect(disk.writes).toBe(writes);
      expect(world.power.log).toHaveLength(log);
      expect(disk.calls).toHaveLength(2);
    });

    it('S6 S7: has a whole table after a cut at any write, and the next boot goes on from there', async () => {
      await grow();
      const { writes } = disk;
      expect(writes).toBe(5);
      const end = disk.device.durable;
      for (let cut = 0; cut < writes; cut += 1) {
        disk = new GrownDisk(bytes);
        let count = 0;
        disk.device.beforeWrite = () => {
          if (count++ === cut) throw new Error('the power is gone');
        };
        await expect(grow(false)).rejects.toThrow('the power is gone');
        // Nothing that was not flushed is there.
        disk = new GrownDisk(disk.device.durable);
        expect(typeof (await readGptTable(disk.device, 1))).toBe('object');
        await disk.learn();
        expect((await grow(false)).kind).toBe('grown');
        // But for the file system's own size, which is not flushed here.
        expect(disk.device.durable.subarray(0, mebibyte)).toEqual(end.subarray(0, mebibyte));
        expect(disk.device.durable.subarray(-mebibyte)).toEqual(end.subarray(-mebibyte));
      }
    });

    it('S6: each stage is on the disk before the next is written', async () => {
      const durable: string[] = [];
      disk.device.beforeWrite = (position) => {
        const isFlushed = disk.device.durable.equals(disk.device.bytes);
        durable.push(`${position < mebibyte ? position / 512 : 'end'} ${isFlushed}`);
      };
      await grow();
      expect(durable).toEqual(['end true', 'end false', '1 true', '2 true', '1 true']);
      expect(disk.device.flushes).toBe(4);
    });

    it('waits for the next boot where the kernel can not be told', async () => {
      disk.answers.partx = { passed: false, detail: "can't be run (spawn partx ENOENT)" };
      expect(await grow()).toMatchObject({
        kind: 'next-boot',
        why: expect.stringMatching(/ENOENT/),
      });
      expect(disk.calls).toEqual(['partx --update --nr 2 /dev/vda']);
      const { writes } = disk;
      await disk.learn();
      expect(await grow()).toMatchObject({ kind: 'grown', size: long * mebibyte });
      expect(disk.calls.slice(1)).toEqual(['resize2fs /dev/vda2']);
      expect(disk.writes).toBe(writes);
    });

    it('is left alone after three boots that failed, until the release or the disk is another, or somebody asks', async () => {
      disk.answers.resize2fs = { passed: false, detail: "can't be run (spawn resize2fs ENOENT)" };
      for (const count of [1, 2, 3, 3, 3]) {
        expect(await grow()).toMatchObject({ kind: 'failed', size: short * mebibyte });
        expect(disk.calls.filter((call) => call.startsWith('resize2fs'))).toHaveLength(count);
      }
      expect(await grow()).toMatchObject({ why: expect.stringMatching(/too often.*state grow/) });
      await world.files.makeFolder('/data/etc/other.0', 0o755);
      expect(await grow(true, bootOf('other.0'))).toMatchObject({
        why: expect.stringMatching(/ENOENT/),
      });
      disk.answers.resize2fs = { passed: true, detail: '' };
      expect(await grow(false)).toMatchObject({ kind: 'grown' });
    });

    it('grows when it is full, where nothing can be counted', async () => {
      const machine = disk.machine(world);
      const files = overriding(world.files, {
        writeFile: async () => {
          throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        },
      });
      const outcome = await growData({ ...machine, files }, disk.dataDisk, true);
      expect(outcome).toMatchObject({ kind: 'grown' });
    });

    it('is not touched during a trial, nor without its data', async () => {
      const trial: MachineSettings = { running: { choice: 'trial' } };
      await world.boot.writeChoice({ order: [1, 2], trial: { block: 1, tries: 1 } });
      await codeOfAsync(() => grow(true, trial), 'STATE_ON_TRIAL');
      await world.boot.writeChoice({ order: [1, 2] });
      await codeOfAsync(() => grow(true, { running: { data: 'degraded' } }), 'STATE_DEGRADED');
      expect(disk.writes).toBe(0);
      expect(disk.calls).toEqual([]);
    });

    it('is not touched where the table is damaged', async () => {
      disk.device.bytes[1024] = 0xff;
      expect(await grow()).toMatchObject({ kind: 'unchanged' });
      expect(disk.writes).toBe(0);
    });
  },
);
