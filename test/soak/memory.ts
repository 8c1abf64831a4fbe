/** One look at a broker: milliseconds of its life, resident bytes of its own. */
export interface Look {
  readonly at: number;
  readonly bytes: number;
}

export interface MemoryReport {
  readonly rule: string;
  /** Megabytes, anonymous and resident, idle, at each look. */
  readonly idleMB: readonly number[];
  /** Under load: the median of the part after warm-up that is compared, of the last part, and the most there was. */
  readonly loadedMB: readonly [first: number, last: number, most: number];
  readonly judged: boolean;
  readonly fault?: string;
}

/** Shorter than this a process is still warming up: V8 compiles, the allocator grows. */
const LEAST_LIFE_MS = 5 * 60_000;
/** More than this is too much at any time, warm or not. */
const MOST_MB = 256;
/** What a part may have more than the part before it without being called growth. */
const SLACK = 1.08;
const SLACK_MB = 4;

const RULE = `anonymous resident memory in one life of the broker, its first third left out as warm-up: the medians of the last third, idle and under load, are at most ${Math.round((SLACK - 1) * 100)} % and ${SLACK_MB} MB above those of the second third, and it never has more than ${MOST_MB} MB`;

/** Whether memory stays flat; what is too short to tell is held against the upper bound alone. */
export function judgeMemory(idle: readonly Look[], loaded: readonly Look[]): MemoryReport {
  const end = Math.max(0, ...[...idle, ...loaded].map(({ at }) => at));
  const third = (looks: readonly Look[], index: number): number =>
    median(
      looks
        .filter(({ at }) => at > (end * index) / 3 && at <= (end * (index + 1)) / 3)
        .map(({ bytes }) => megabytes(bytes)),
    );
  const most = Math.max(0, ...[...idle, ...loaded].map(({ bytes }) => megabytes(bytes)));
  const judged = end >= LEAST_LIFE_MS;
  const grown = ([idle, loaded] as const).flatMap((looks, index) => {
    const [before, after] = [third(looks, 1), third(looks, 2)];
    return judged && after > before * SLACK + SLACK_MB
      ? [`${index === 0 ? "idle" : "under load"} from ${before} to ${after} MB`]
      : [];
  });
  const fault =
    most > MOST_MB
      ? `the broker had ${most} MB`
      : grown.length > 0
        ? `memory grew: ${grown.join(", ")}`
        : undefined;
  return {
    rule: judged
      ? RULE
      : `too short a life to tell growth from warm-up: never more than ${MOST_MB} MB`,
    idleMB: idle.map(({ bytes }) => megabytes(bytes)),
    loadedMB: [third(loaded, 1), third(loaded, 2), most],
    judged,
    ...(fault === undefined ? {} : { fault }),
  };
}

export function median(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
