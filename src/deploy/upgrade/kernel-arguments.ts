/** Seconds that the initramfs gives a trial when no argument says otherwise. */
const standardDeadline = 300;

/** The running deployment's kernel arguments with the trial's time limit of the configuration. */
export function argumentsForTrial(running: string, deadline: number): string {
  const words = running.split(' ').filter((word) => !/^(pine\.deadline=.*)?$/.test(word));
  if (deadline !== standardDeadline) words.push(`pine.deadline=${deadline}`);
  return words.join(' ');
}
