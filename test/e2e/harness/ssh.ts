import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../support/free-port.ts';

/** A user of a guest, who logs in from the host with OpenSSH's own client, by key, and asks nothing. */
export class SshClient {
  /** The port on the host's loopback that leads to the guest's port 22. */
  readonly port: number;
  readonly publicKey: string;
  readonly #folder: string;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
    this.publicKey = readFileSync(join(folder, 'id.pub'), 'utf8').trim();
  }

  /** Makes a key pair in `folder`, which is emptied, and finds a free port. */
  static async make(folder: string): Promise<SshClient> {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'id')]);
    return new SshClient(folder, await freePort());
  }

  /** From here on only a guest with this host key will do: what a `ssh_host_ed25519_key.pub` holds. */
  trust(hostKey: string): void {
    const [type, key] = hostKey.split(' ');
    const line = `[127.0.0.1]:${this.port} ${type} ${key}\n`;
    writeFileSync(join(this.#folder, 'known_hosts'), line);
  }

  /** What a command says on the guest. Rejects when the login or the command fails. */
  async run(user: string, command: string): Promise<string> {
    const options = {
      BatchMode: 'yes',
      ConnectTimeout: '60',
      IdentitiesOnly: 'yes',
      StrictHostKeyChecking: 'yes',
      GlobalKnownHostsFile: '/dev/null',
      UserKnownHostsFile: join(this.#folder, 'known_hosts'),
    };
    const { stdout } = await promisify(execFile)(
      'ssh',
      [
        ...['-q', '-F', '/dev/null', '-i', join(this.#folder, 'id'), '-p', String(this.port)],
        ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
        ...[`${user}@127.0.0.1`, command],
      ],
      { timeout: 180_000 },
    );
    return stdout.trimEnd();
  }
}
