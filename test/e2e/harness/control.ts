import { createServer, type Server, type Socket } from 'node:net';

/** What a command in the guest gave. `output` is stdout and stderr together. */
export interface CommandResult {
  readonly status: number;
  readonly output: string;
}

/** A system that came up: the kernel's id of this boot, and the slot that it runs from. */
export interface Boot {
  readonly id: string;
  readonly slot: string;
}

/**
 * The harness's end of a guest's second serial port, where root/control.sh answers.
 *
 * It listens on a Unix socket that QEMU connects to, so that no byte can be sent before it is there.
 */
export class Control {
  readonly path: string;
  readonly #server: Server;
  #socket: Socket | undefined;
  #text = '';
  #next = 1;
  /** Boots seen so far, in order. */
  readonly boots: Boot[] = [];
  readonly #commands = new Map<string, (result: CommandResult) => void>();
  #changed: (() => void)[] = [];

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
    server.on('connection', (socket) => {
      this.#socket = socket;
      socket.on('error', () => {});
      socket.on('data', (bytes) => this.#receive(bytes.toString('latin1')));
    });
  }

  static async listen(path: string): Promise<Control> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(path, resolve);
    });
    return new Control(path, server);
  }

  /**
   * Resolves with the number of boots seen when one after the first `seen` has come up, in `slot` if
   * that is given. Never rejects: the caller sets the time limit.
   */
  async booted(seen: number, slot?: string): Promise<number> {
    for (;;) {
      const at = this.boots.findIndex(
        (boot, index) => index >= seen && (slot === undefined || boot.slot === slot),
      );
      if (at >= 0) return at + 1;
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  /** Runs a shell script in the guest. The answer never comes if the guest goes down meanwhile. */
  run(script: string): Promise<CommandResult> {
    const id = `c${this.#next++}`;
    const line = `${id} ${Buffer.from(script).toString('base64')}\n`;
    if (line.length > 3000) throw new Error(`too long for a serial line: ${script.slice(0, 80)}…`);
    return new Promise((resolve) => {
      this.#commands.set(id, resolve);
      this.#socket?.write(line);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }

  #receive(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end).trim();
      this.#text = this.#text.slice(end + 1);
      this.#line(line);
    }
  }

  #line(line: string): void {
    const [, ready, slot = ''] = /=ready ([0-9a-f-]{36}) ?(\w*)$/.exec(line) ?? [];
    // The control program is started again when it dies; only a new kernel is a new boot.
    if (ready !== undefined && this.boots.at(-1)?.id !== ready) {
      this.boots.push({ id: ready, slot });
      for (const resolve of this.#changed.splice(0)) resolve();
    }
    const [, id, status, output] = /=(c\d+) (\d+) ?(\S*)$/.exec(line) ?? [];
    if (id === undefined || status === undefined) return;
    this.#commands.get(id)?.({
      status: Number(status),
      output: Buffer.from(output ?? '', 'base64').toString(),
    });
    this.#commands.delete(id);
  }
}
