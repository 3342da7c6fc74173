import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { CannotMeasure } from './measurement.ts';
import { runProgram } from './timed.ts';

/** Files on the disk are padded to so many bytes: no request reaches over an end. */
const unit = 1 << 20;
const patience = 5000;

/** A disk that reads and writes so many bytes a second, both together: files behind a program that holds them up. */
export class SlowDisk {
  readonly #folder: string;
  readonly #rate: number;
  readonly #names: string[] = [];
  #daemon: ReturnType<typeof spawn> | undefined;

  /** `rate` is in bytes a second. Nothing is on the disk yet. */
  constructor(folder: string, rate: number) {
    this.#folder = join(folder, 'slow');
    this.#rate = rate;
    for (const each of ['behind', 'disk']) mkdirSync(join(this.#folder, each), { recursive: true });
  }

  /** Puts a copy of a file on the disk, and gives its path there; good once `start` was awaited. */
  add(path: string, name: string): string {
    const behind = join(this.#folder, 'behind', name);
    copyFileSync(path, behind);
    truncateSync(behind, Math.ceil(statSync(behind).size / unit) * unit);
    writeFileSync(join(this.#folder, 'disk', name), '');
    this.#names.push(name);
    return join(this.#folder, 'disk', name);
  }

  /** Throws CannotMeasure where this machine lacks the program, or may mount nothing. */
  async start(): Promise<void> {
    const files = this.#names.flatMap((name) => [
      '--blockdev',
      `driver=file,node-name=file-${name},filename=${join(this.#folder, 'behind', name)}`,
      '--blockdev',
      `driver=throttle,node-name=slow-${name},throttle-group=all,file=file-${name}`,
      '--export',
      `type=fuse,id=export-${name},node-name=slow-${name},writable=on,mountpoint=${join(this.#folder, 'disk', name)}`,
    ]);
    const group = ['--object', `throttle-group,id=all,x-bps-total=${this.#rate}`];
    const daemon = spawn('qemu-storage-daemon', [...group, ...files], { stdio: 'ignore' });
    this.#daemon = daemon;
    let problem: string | undefined;
    daemon.once('error', (error) => {
      problem = error.message;
    });
    daemon.once('exit', (status) => {
      problem ??= `it ended with ${status}`;
    });
    const isThere = (name: string) => statSync(join(this.#folder, 'disk', name)).size > 0;
    for (let waited = 0; !this.#names.every(isThere); waited += 50) {
      if (problem !== undefined || waited > patience) {
        throw new CannotMeasure(`no slow disk by qemu-storage-daemon: ${problem ?? 'it waits'}`);
      }
      await setTimeout(50);
    }
  }

  async remove(): Promise<void> {
    for (const name of this.#names) {
      await runProgram(['umount', join(this.#folder, 'disk', name)]).catch(() => undefined);
    }
    const daemon = this.#daemon;
    if (daemon?.exitCode === null && daemon.kill()) await once(daemon, 'exit');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
