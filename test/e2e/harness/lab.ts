import { constants, copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Machine, type MachineOptions } from './machine.ts';
import { refOf } from './release.ts';
import { serveFolder, type WebServer } from './web-server.ts';

/** What `pinectl status --json` says, as far as tests look at it. */
export interface Status {
  readonly [name: string]: unknown;
}

export interface LabOptions extends Partial<Omit<MachineOptions, 'disk'>> {
  /** The disk image in the release folder that the machine gets a copy of. */
  readonly from?: string;
}

/** One machine with a disk of its own, and the repository that it follows behind HTTP. */
export class Lab {
  readonly machine: Machine;
  readonly web: WebServer;
  readonly disk: string;

  private constructor(machine: Machine, web: WebServer) {
    this.machine = machine;
    this.web = web;
    this.disk = machine.options.disk;
  }

  /** Copies a disk (`change` may damage the copy), and switches a machine with it on. */
  static async start(
    folder: string,
    name: string,
    options: LabOptions = {},
    change: (disk: string) => void | Promise<void> = () => {},
  ): Promise<Lab> {
    const { from = 'v1.img', memory = 128, ...rest } = options;
    const disk = copyDisk(join(folder, from), join(folder, 'runs', `${name}.img`));
    await change(disk);
    const web = await serveFolder(join(folder, 'repo'));
    return new Lab(await Machine.start({ disk, memory, ...rest }), web);
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

  async status(): Promise<Status> {
    return JSON.parse(await this.machine.check('pinectl status --json'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine.kill();
    await this.web.close();
    if (process.env.PINE_E2E_FOLDER === undefined) rmSync(this.disk, { force: true });
  }
}

/** Copies a disk image, without its data where the file system can share it. */
export function copyDisk(from: string, to: string): string {
  mkdirSync(join(to, '..'), { recursive: true });
  rmSync(`${to}.console`, { force: true });
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  return to;
}
