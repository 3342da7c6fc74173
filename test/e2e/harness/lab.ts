import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../scripts/root/programs.ts';
import type { Status } from '../../../src/deploy/status.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { refOf } from './release.ts';
import { serveFolder, type WebServer } from './web-server.ts';

export interface LabOptions extends Partial<Omit<MachineOptions, 'disk'>> {
  /** The disk image in the release folder that the machine gets a copy of. */
  readonly from?: string;
}

/** One machine with a disk of its own, and the repository that it follows behind HTTP. */
export class Lab {
  readonly machine: Machine;
  readonly web: WebServer;
  readonly disk: string;
  /** Whether the disk goes with the lab: one that was resumed belongs to whoever made it. */
  readonly #ownsDisk: boolean;

  private constructor(machine: Machine, web: WebServer, ownsDisk: boolean) {
    this.machine = machine;
    this.web = web;
    this.disk = machine.options.disk;
    this.#ownsDisk = ownsDisk;
  }

  /** Copies a disk (`change` may damage the copy), and switches a machine with it on. */
  static async start(
    folder: string,
    name: string,
    options: LabOptions = {},
    change: (disk: string) => void | Promise<void> = () => {},
  ): Promise<Lab> {
    const { from = 'v1.img', ...rest } = options;
    const disk = await copyDisk(join(folder, from), join(folder, 'runs', `${name}.img`));
    await change(disk);
    return Lab.#switchOn(folder, disk, rest, true);
  }

  /** Switches a machine on with a disk that it, or another one, had before, and leaves it the disk. */
  static async resume(
    folder: string,
    disk: string,
    options: Omit<LabOptions, 'from'> = {},
  ): Promise<Lab> {
    return Lab.#switchOn(folder, disk, options, false);
  }

  static async #switchOn(
    folder: string,
    disk: string,
    options: Omit<LabOptions, 'from'>,
    ownsDisk: boolean,
  ): Promise<Lab> {
    const web = await serveFolder(join(folder, 'repo'));
    return new Lab(await Machine.start({ disk, memory: 192, ...options }), web, ownsDisk);
  }

  /** Tells the machine where its repository is, and which ref to follow. */
  async follow(name: string, trial: { tries?: number; deadline?: number } = {}): Promise<void> {
    const lines = [
      `remote = "http://10.0.2.2:${this.web.port}"`,
      `ref = "${refOf(name)}"`,
      '[trial]',
      `tries = ${trial.tries ?? 2}`,
      `deadline = ${trial.deadline ?? 300}`,
    ];
    const text = lines.map((line) => `'${line}'`).join(' ');
    await this.machine.check(`printf '%s\\n' ${text} >/etc/pine/pinectl.toml`);
  }

  /** What `pinectl status --json` says on the machine. */
  async status(): Promise<Status> {
    return JSON.parse(await this.machine.check('pinectl status --json'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine.kill();
    await this.web.close();
    if (this.#ownsDisk && process.env.PINE_E2E_FOLDER === undefined)
      rmSync(this.disk, { force: true });
  }
}

/** Copies a disk image, and does not copy its zeros. */
export async function copyDisk(from: string, to: string): Promise<string> {
  mkdirSync(join(to, '..'), { recursive: true });
  for (const kept of ['console', 'vars']) rmSync(`${to}.${kept}`, { force: true });
  await run('cp', ['--sparse=always', '--reflink=auto', from, to]);
  return to;
}
