/** What one bot may have collected at once, in bytes: many large bodies that wait would take the broker's memory from all. */
const MOST_PER_BOT = 64 * 1024 * 1024;

/** Counts the bytes of bodies that are collected until their calls are over. */
export class BodyRooms {
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  constructor(most = MOST_PER_BOT) {
    this.#most = most;
  }

  /** For one call of a bot. */
  enter(bot: string): BodyRoom {
    let own = 0;
    const move = (bytes: number): void => {
      own += bytes;
      const all = (this.#taken.get(bot) ?? 0) + bytes;
      if (all === 0) this.#taken.delete(bot);
      else this.#taken.set(bot, all);
    };
    return {
      take: (bytes) => {
        if ((this.#taken.get(bot) ?? 0) + bytes > this.#most) return false;
        move(bytes);
        return true;
      },
      leave: () => {
        if (own !== 0) move(-own);
      },
    };
  }
}

export interface BodyRoom {
  /** `false` when there is no room for so many bytes more. */
  take(bytes: number): boolean;
  /** When the call is over. */
  leave(): void;
}
