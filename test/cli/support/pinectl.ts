import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const program = new URL('../../../src/cli/main.ts', import.meta.url).pathname;

/** Runs `pinectl` with PINE_REPO set; standard input is a file's content. */
export class Pinectl {
  readonly #repository: string;
  readonly #folder: string;

  constructor(repository: string, folder: string) {
    this.#repository = repository;
    this.#folder = folder;
  }

  /** What it prints, as bytes; throws with stderr when it fails. */
  bytes(args: readonly string[], input?: string): Buffer {
    const { status, stdout, stderr } = this.#spawn(args, input);
    if (status !== 0) throw new Error(`pinectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  run(...args: string[]): string {
    return this.bytes(args).toString();
  }

  /** What it prints on stderr when all goes well. */
  notes(...args: string[]): string {
    return this.#spawn(args).stderr.toString();
  }

  json(...args: string[]) {
    return JSON.parse(this.run(...args, '--json'));
  }

  /** The code of the error that it must end in. */
  fail(...args: string[]): string {
    const { status, stderr } = this.#spawn([...args, '--json']);
    if (status === 0) throw new Error(`pinectl ${args.join(' ')} did not fail`);
    return JSON.parse(stderr.toString()).error.code;
  }

  #spawn(args: readonly string[], input?: string) {
    return spawnSync(process.execPath, [program, ...args], {
      cwd: this.#folder,
      env: { ...process.env, PINE_REPO: this.#repository, TZ: 'UTC' },
      maxBuffer: 256 * 1024 * 1024,
      ...(input === undefined ? {} : { input: readFileSync(input) }),
    });
  }
}
