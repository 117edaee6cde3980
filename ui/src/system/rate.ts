// How many records arrive per second, from one look at the books to the next.

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  stored: number;
}

const SAMPLES_MAX = 90;

/** The samples with one more; a number that falls is another process: begin anew. */
export function withSample(samples: Sample[], more: Sample): Sample[] {
  const last = samples.at(-1);
  if (last && more.at <= last.at) return samples;
  if (last && more.stored < last.stored) return [more];
  return [...samples, more].slice(-SAMPLES_MAX);
}

/** Records per second between each two samples. */
export function rates(samples: Sample[]): number[] {
  return samples.slice(1).map(({ at, stored }, index) => {
    const before = samples[index];
    return before ? ((stored - before.stored) * 1000) / (at - before.at) : 0;
  });
}
