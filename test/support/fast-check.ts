import fc from 'fast-check';

// With PINE_FUZZ_SEED (scripts/test takes it from the commit) a run can be had again.
const seed = process.env.PINE_FUZZ_SEED;
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });

export * from 'fast-check';
export default fc;
