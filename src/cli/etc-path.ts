import { PineError } from '../error.ts';
import { isEtcPath } from '../etc/marks.ts';

/** A path below /etc as a user writes it, `/etc/ssh/` or `ssh`, as one relative to it; empty for /etc itself. */
export function etcPath(argument: string | undefined): string {
  const path = (argument ?? '').replace(/^\/etc(?=\/|$)/, '').replace(/^\/+|\/+$/g, '');
  if (path === '' && argument !== '') return '';
  if (isEtcPath(path) && (argument?.startsWith('/') !== true || argument.startsWith('/etc/'))) {
    return path;
  }
  throw new PineError('USAGE_COMMAND_LINE', 'this is no path below /etc', {
    expected: 'ssh/sshd_config, or /etc/ssh/sshd_config',
    found: JSON.stringify(argument),
    where: 'the command line',
    remedy: 'name a file or folder below /etc, without .. and without links',
  });
}

/** A path for a terminal: quoted when it has what a terminal would act on, or is not UTF-8. */
export function showPath(path: string): string {
  return path.isWellFormed() && !/[\p{Cc}"]/u.test(path) ? path : JSON.stringify(path);
}
