import type { Commit } from '../repo/commit-object.ts';
import { metadataValue } from '../repo/commit-object.ts';
import { printVariant } from '../repo/gvariant/print.ts';
import { contentChecksum } from '../repo/history.ts';
import { type Recipe, recipeOf } from '../repo/recipe.ts';

/** A commit as `ostree log` and `ostree show` print it. */
export function commitText(checksum: string, commit: Commit): string {
  const version = metadataValue(commit.metadata, 'version');
  const lines = [`commit ${checksum}`];
  if (commit.parent !== undefined) lines.push(`Parent:  ${commit.parent}`);
  lines.push(`ContentChecksum:  ${contentChecksum(commit)}`);
  lines.push(`Date:  ${formatTime(commit.timestamp)}`);
  if (version?.type === 's') lines.push(`Version: ${String(version.value)}`);
  const recipe = recipeOf(commit);
  if (recipe !== undefined) lines.push(`Recipe: ${recipeText(recipe)}`);
  const { subject, body } = commit;
  lines.push(...(subject === '' ? ['(no subject)'] : ['', ...indent(subject)]));
  if (body !== '') lines.push('', ...indent(body));
  return `${lines.join('\n')}\n`;
}

/** A commit as JSON: checksums in hex, metadata in GVariant's text form. */
export function commitJson(checksum: string, commit: Commit): object {
  return {
    commit: checksum,
    parent: commit.parent ?? null,
    contentChecksum: contentChecksum(commit),
    timestamp: commit.timestamp,
    subject: commit.subject,
    body: commit.body,
    rootTree: commit.rootTree,
    rootMeta: commit.rootMeta,
    recipe: recipeOf(commit) ?? null,
    metadata: Object.fromEntries(
      commit.metadata.map(([key, value]) => [
        key,
        typeof value.value === 'string' ? value.value : printVariant(value),
      ]),
    ),
  };
}

/** `REVISION (BRANCH, STATE), FOLDER of REMOTE`, as much of it as is known. */
function recipeText({ revision, branch, remote, folder, state }: Recipe): string {
  const where = [folder, remote].filter((part) => part !== undefined).join(' of ');
  const known = [branch, state].filter((part) => part !== undefined).join(', ');
  return `${revision} (${known})${where === '' ? '' : `, ${where}`}`;
}

function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `@${seconds}`;
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' +0000');
}

function indent(text: string): string[] {
  return text.split('\n').map((line) => `    ${line}`);
}
