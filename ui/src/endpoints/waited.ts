/** Durations are counted by 8 buckets of a doubling (the aggregator's `endpoints/sums.rs`); a latency is the middle of one. */
const BEGINS_AT = 2 ** (-0.5 / 8);

/** The filter for who waited as long as a latency says, or longer: from where its bucket begins, so that nobody in it is left out. */
export const waited = (latencyMs: number) => `took>=${Math.floor(latencyMs * BEGINS_AT)}ms`;
