import { fileName } from '../../remote/file-name.ts';
import type { UpgradeRemote } from './survey.ts';

/** What to call a file of a remote, or a member of a bundle, in messages. */
export function whereInRemote(
  { kind, name }: Pick<UpgradeRemote, 'kind' | 'name'>,
  path: string,
): string {
  return kind === 'bundle' ? `${name}, ${path}` : fileName(name, path);
}
