import { describeBundle } from '../bundle/describe-bundle.ts';
import { withBundle } from './bundle-input.ts';
import { endsOf, withNothing } from './delta-ends.ts';
import { readPublicKeys } from './key-files.ts';
import { formatBytes, formatTime, print, visibleName } from './output.ts';

interface Options {
  readonly key?: readonly string[];
  readonly json?: boolean;
}

/** `pinectl bundle show`. */
export async function show(path: string, { key = [], json }: Options): Promise<void> {
  const keys = key.length === 0 ? undefined : await readPublicKeys(key);
  const description = await withBundle(path, (bundle, remote) =>
    describeBundle(bundle, remote, keys),
  );
  const { ref, commit, version, subject, timestamp, image, signatures, signedBy } = description;
  const deltas = description.deltas.map(withNothing);
  print(json, { ...description, deltas }, () =>
    [
      `ref     ${ref}`,
      `commit  ${commit}`,
      // It may be anyone's, and would tell lies about signatures.
      visibleName(`version ${version ?? '(none)'}  ${subject}`, { isTTY: true }).trimEnd(),
      `date    ${formatTime(timestamp)}`,
      `image   ${formatBytes(image.size)}`,
      signedBy === undefined
        ? `signed  ${signatures} signatures, not checked (--key)`
        : `signed  by ${signedBy}`,
      ...description.deltas.map((delta) => {
        const text = `delta   ${endsOf({ ...delta, to: commit })}  ${formatBytes(delta.size)}`;
        return delta.signedBy === undefined ? text : `${text}, signed by ${delta.signedBy}`;
      }),
    ].join('\n'),
  );
}
