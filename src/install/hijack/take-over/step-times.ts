import { formatStory, type StepTime, type StoryLine, tellStory } from '../../../take-over/story.ts';

/** Notes when each step of the preparation begins. */
export class StepTimes {
  readonly #now: () => number;
  readonly #lines: StoryLine[] = [];

  /** `now` gives seconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The step before it has ended. */
  begin(name: string): void {
    this.#lines.push({ time: this.#now(), kind: 'prepare', text: name });
  }

  /** How long each step took, up to now. */
  ended(): readonly StepTime[] {
    return tellStory(this.#withEnd()).preparation;
  }

  /** The lines that the installer's story begins with. */
  text(): string {
    return formatStory(this.#withEnd());
  }

  #withEnd(): StoryLine[] {
    return [...this.#lines, { time: this.#now(), kind: 'prepared', text: '' }];
  }
}
