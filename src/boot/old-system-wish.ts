/** What is to become of the system that was here before pine, beside being kept. */
export type OldSystemWish = 'keep-data' | 'wipe';

/** Where that is written, below /etc: there a take-over can carry it over. */
export const wishFile = 'pine/old-system';
