import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { PineError } from '../error.ts';
import { generateKeyPair } from '../trust/generate.ts';
import { keyFileLimit, parsePublicHalf, parseSecretKey } from '../trust/key-file.ts';
import { encodeKey } from '../trust/keys.ts';
import { readText, requireFile } from './input-file.ts';
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
    .option('--ssh', 'as `ssh-keygen -Y verify` reads it')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  pinectl keys show release.secret > release.pub    make a lost .pub file again
  pinectl keys show /etc/pine/keys/release.pub
  echo "pine $(pinectl keys show --ssh release.pub)" > signers`,
    )
    .action(show);
  command
    .command('sign <file>')
    .description('sign a file, for a server that has no pinectl yet: writes FILE.sig')
    .requiredOption('--sign-key <file>', 'the .secret file to sign with')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  pinectl keys sign dist/pinectl-linux-x64.gz --sign-key release.secret
  ssh-keygen -Y verify -f signers -I pine -n file -s FILE.sig < FILE    on the server`,
    )
    .action(sign);
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

async function show(file: string, options: { ssh?: boolean; json?: boolean }): Promise<void> {
  const key = parsePublicHalf(await readText(file, keyFileLimit, 'a key file'), file);
  const { encodeSshKey } = await import('../trust/ssh-signature.ts');
  const publicKey = options.ssh ? encodeSshKey(key) : encodeKey(key);
  print(options.json, { file, publicKey }, () => publicKey);
}

async function sign(file: string, options: { signKey: string; json?: boolean }): Promise<void> {
  const { signFileHash } = await import('../trust/ssh-signature.ts');
  const { signKey } = options;
  await requireFile(file, 'a file to sign', 'check the path');
  const secretKey = parseSecretKey(
    await readText(signKey, keyFileLimit, 'a .secret file'),
    signKey,
  );
  const hash = createHash('sha512');
  for await (const piece of createReadStream(file)) hash.update(piece);
  const output = `${file}.sig`;
  // A signature of an older build may be there: it is replaced, and never half.
  await rm(`${output}.new`, { force: true });
  await writeNew(`${output}.new`, 0o644, await signFileHash(hash.digest(), secretKey));
  await rename(`${output}.new`, output);
  await syncFolder(dirname(output));
  print(options.json, { file, signature: output }, () => output);
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
