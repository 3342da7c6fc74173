import { open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { PineError } from '../error.ts';
import { generateKeyPair } from '../trust/generate.ts';
import { keyFileLimit, parsePublicHalf } from '../trust/key-file.ts';
import { encodeKey } from '../trust/keys.ts';
import { print } from './output.ts';

/** `pinectl keys`: the key pairs that commits are signed with. */
export function define(command: Command): void {
  command
    .command('generate')
    .description('make a key pair: NAME.secret for the build host, NAME.pub for the machines')
    .option('-o, --output <name>', 'where to write, without the endings', 'pine')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Existing files are never overwritten.

Examples:
  pinectl keys generate -o release
  pinectl commit --ref alpine/x86_64/web --tree root --sign-key release.secret
  scp release.pub server:/etc/pine/keys/`,
    )
    .action(generate);
  command
    .command('show <file>')
    .description('print the public key of a .secret or .pub file')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  pinectl keys show release.secret > release.pub    make a lost .pub file again
  pinectl keys show /etc/pine/keys/release.pub`,
    )
    .action(show);
  command.addHelpText('after', '\nMore: docs/keys.md');
}

async function generate(options: { output: string; json?: boolean }): Promise<void> {
  const secretPath = `${options.output}.secret`;
  const publicPath = `${options.output}.pub`;
  const { secretKey, publicKey } = await generateKeyPair(options.output);
  await writeNew(secretPath, 0o600, `${encodeKey(secretKey)}\n`);
  try {
    await writeNew(publicPath, 0o644, `${encodeKey(publicKey)}\n`);
  } catch (error) {
    await unlink(secretPath);
    throw error;
  }
  await syncFolder(dirname(secretPath));
  const result = { secret: secretPath, public: publicPath, publicKey: encodeKey(publicKey) };
  print(options.json, result, () =>
    [
      `${secretPath}  signs: keep it on the build host, and a copy where it can't be lost`,
      `${publicPath}     verifies: put it in /etc/pine/keys of every machine`,
      `public key: ${result.publicKey}`,
    ].join('\n'),
  );
}

async function show(file: string, options: { json?: boolean }): Promise<void> {
  const key = encodeKey(parsePublicHalf(await readStart(file, keyFileLimit + 1), file));
  print(options.json, { file, publicKey: key }, () => key);
}

/** Creates a file that must not exist yet, with its content on stable storage. */
async function writeNew(path: string, mode: number, text: string): Promise<void> {
  const handle = await open(path, 'wx', mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new PineError('STATE_KEY_EXISTS', 'there is a key of this name already', {
      expected: 'a new name',
      found: 'a file, which is never overwritten',
      where: path,
      remedy: 'choose another name with -o, or move the old pair away first',
    });
  });
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await unlink(path);
    throw error;
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

/** At most `length` bytes from the start of a file, as text. */
async function readStart(path: string, length: number): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
