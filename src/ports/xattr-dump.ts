import { spawn } from 'node:child_process';
import { PineError } from '../error.ts';
import { bytesOfPath, compareNames, pathFromBytes } from './path-text.ts';

/** An extended attribute: its full name (`security.capability`) and raw value. Never zero-length. */
export interface Xattr {
  readonly name: string;
  readonly value: Uint8Array;
}

/**
 * Extended attributes in the text form of `getfattr -e hex` and `setfattr --restore`: Node has no
 * call for them. In names, a backslash and what would break a line are written as `\ooo`.
 */

/** The xattrs of everything below a folder, by path relative to it (`.` is the folder itself). */
export async function readTreeXattrs(folder: string): Promise<Map<string, Xattr[]>> {
  const found = new Map<string, Xattr[]>();
  const child = spawn('getfattr', ['-h', '-R', '-P', '-d', '-m', '-', '-e', 'hex', '--', '.'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = exit(child, 'getfattr', folder);
  let here: Xattr[] = [];
  // latin1 keeps every byte; `decodeName` makes text of them.
  child.stdout.setEncoding('latin1');
  for await (const line of lines(child.stdout)) {
    if (line.startsWith('# file: ')) {
      here = [];
      found.set(decodeName(line.slice('# file: '.length)), here);
    } else if (line !== '') {
      const equals = line.indexOf('=');
      const name = decodeName(equals < 0 ? line : line.slice(0, equals));
      const hex = equals < 0 ? '' : line.slice(equals + 1).replace(/^0x/, '');
      here.push({ name, value: Buffer.from(hex, 'hex') });
    }
  }
  await ended;
  for (const xattrs of found.values()) xattrs.sort((a, b) => compareNames(a.name, b.name));
  return found;
}

/** Sets xattrs below a folder, in the given order; paths are relative to it. */
export async function writeTreeXattrs(
  folder: string,
  entries: Iterable<readonly [string, readonly Xattr[]]>,
): Promise<void> {
  const list = [...entries].filter(([, xattrs]) => xattrs.length > 0);
  if (list.length === 0) return;
  const child = spawn('setfattr', ['-h', '--restore=-'], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const ended = exit(child, 'setfattr', folder);
  child.stdin.on('error', () => {}); // The exit status tells what went wrong.
  for (const [path, xattrs] of list) {
    const lines = xattrs.map(
      ({ name, value }) => `${encodeName(name)}=0x${Buffer.from(value).toString('hex')}`,
    );
    child.stdin.write(`# file: ${encodeName(path)}\n${lines.join('\n')}\n\n`, 'latin1');
  }
  child.stdin.end();
  await ended;
}

/** Lines end in `\n` alone: names may hold a carriage return, where readline would cut. */
async function* lines(stream: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const text of stream) {
    const found = (rest + text).split('\n');
    rest = found.pop() ?? '';
    yield* found;
  }
  yield rest;
}

function exit(child: ReturnType<typeof spawn>, program: string, where: string): Promise<void> {
  let message = '';
  child.stderr?.on('data', (text: Buffer) => {
    if (message.length < 4096) message += text.toString();
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (cause) => reject(failed(program, where, cause.message, 'MISSING')));
    child.on('close', (status) => {
      if (status === 0 && message === '') resolve();
      else reject(failed(program, where, message.trim() || `exit status ${status}`, 'XATTR'));
    });
  });
  ended.catch(() => {}); // Awaited once the output is read.
  return ended;
}

function failed(program: string, where: string, found: string, kind: 'MISSING' | 'XATTR') {
  return new PineError(`PROGRAM_${kind}`, 'extended attributes could not be handled', {
    expected: `\`${program}\` to succeed`,
    found: found.split('\n')[0] ?? '',
    where,
    remedy:
      kind === 'MISSING'
        ? 'install the package `attr`'
        : 'check that the tree does not change meanwhile and that its file system has xattrs',
  });
}

function decodeName(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return pathFromBytes(Buffer.from(bytes, 'latin1'));
}

function encodeName(text: string): string {
  return bytesOfPath(text)
    .toString('latin1')
    .replace(/[\\=\n\r]/g, (letter) => {
      return `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`;
    });
}
