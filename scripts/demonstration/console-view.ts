import { readFileSync } from 'node:fs';
import type { Narrator } from './narrator.ts';

/** Lines of a machine's console that tell where it is. */
const telling = /pine: (?!the next line)|Linux version|Kernel panic|health .* failed|Rebooting in/;

/** Shows what matters of a console while a machine runs. Returns how to stop it. */
export function watchConsole(path: string, narrator: Narrator): () => void {
  let shown = 0;
  const show = () => {
    let text = '';
    try {
      text = readFileSync(path, 'latin1');
    } catch {
      return; // the machine has not written anything yet
    }
    const end = text.lastIndexOf('\n') + 1;
    for (const line of text.slice(shown, end).split('\n')) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals' own codes
      const plain = line.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]/g, '');
      if (telling.test(plain)) narrator.quote(`console: ${plain.slice(0, 110)}`);
    }
    shown = Math.max(shown, end);
  };
  const timer = setInterval(show, 500);
  return () => {
    clearInterval(timer);
    show();
  };
}
