import type { Attempt } from '../attempts.ts';
import type { Machine } from '../machine.ts';
import { letInFile } from '../paths.ts';

/** What confirms the first trial of a take-over, besides its health checks. */
export type LetIn =
  /** Somebody logged in over SSH. `how` is empty where only the session was seen. */
  | { readonly kind: 'login'; readonly name: string; readonly how: string }
  /** So many seconds have passed, as `--confirm-after` allows. */
  | { readonly kind: 'time'; readonly seconds: number }
  /** `pinectl hijack --confirm`. */
  | { readonly kind: 'hand' };

const limit = 1024;
const stage = 'let in: ';

/** Reads `login NAME [METHOD ADDRESS]`, `time SECONDS` or `hand`, as overlay/usr/lib/pine/first-login writes it. */
export function parseLetIn(text: string): LetIn | undefined {
  const [kind, first = '', ...rest] = text.trim().split(' ');
  if (kind === 'hand' && first === '') return { kind };
  if (kind === 'time' && /^[0-9]{1,6}$/.test(first)) return { kind, seconds: Number(first) };
  if (kind !== 'login' || !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(first)) return undefined;
  const [method = '', address = ''] = rest;
  const known = /^[a-z/-]{1,40}$/.test(method) && /^[0-9A-Za-z:.%_-]{1,80}$/.test(address);
  return { kind, name: first, how: known ? ` by ${method} from ${address}` : '' };
}

/** In words: `a login of root by publickey from 10.0.2.2`. */
export function describeLetIn(letIn: LetIn): string {
  switch (letIn.kind) {
    case 'login':
      return `a login of ${letIn.name}${letIn.how}`;
    case 'time':
      return `${letIn.seconds} s without a login, as --confirm-after allows`;
    case 'hand':
      return 'pinectl hijack --confirm';
  }
}

/** Whether somebody got in during this boot. */
export async function readLetIn(machine: Machine): Promise<LetIn | undefined> {
  const bytes = await machine.files.readFile(letInFile(machine), limit).catch(() => undefined);
  return bytes && parseLetIn(bytes.toString('utf8'));
}

/** What an administrator says at the machine itself. */
export async function letInByHand(machine: Machine): Promise<void> {
  await machine.files.makeFolder(machine.volatile, 0o755);
  await machine.files.writeFile(letInFile(machine), Buffer.from('hand\n'), 0o644);
}

/** What the log of a trial says when it is confirmed. */
export function letInStage(letIn: LetIn): string {
  return `${stage}${describeLetIn(letIn)}`;
}

/** By what a trial was confirmed, as its log has it. */
export function letInBy(attempts: readonly Attempt[]): string | undefined {
  return attempts.findLast((attempt) => attempt.stage.startsWith(stage))?.stage.slice(stage.length);
}
