import { isDeepStrictEqual } from "node:util";
import type { ContainerLaunch } from "../containers/containerLaunches.ts";
import type { LogFile } from "../LogFile.ts";
import type { HealthWarning } from "../status.ts";
import { ContainerKeeper } from "./ContainerKeeper.ts";

/** The keepers of all bots' containers. */
export class ContainerKeepers {
  readonly #log: () => LogFile;
  readonly #keepers = new Map<string, ContainerKeeper>();

  /** @param log made when there is the first one. */
  constructor(log: () => LogFile) {
    this.#log = log;
  }

  /**
   * Puts launches in force; keepers whose launch stays run on, with their containers.
   *
   * @param forget whether what the others have kept goes as well: their images.
   * @throws HostError `containers`
   */
  async use(
    launches: readonly ContainerLaunch[],
    progress: (text: string) => void,
    forget = true,
  ): Promise<void> {
    const wanted = new Map(launches.map((launch) => [launch.bot, launch]));
    const leaving = [...this.#keepers.values()].filter(
      ({ launch }) => !isDeepStrictEqual(launch, wanted.get(launch.bot)),
    );
    await Promise.all(
      leaving.map(async (keeper) => {
        await keeper.stop(forget && !wanted.has(keeper.launch.bot));
        this.#keepers.delete(keeper.launch.bot);
      }),
    );
    for (const launch of launches) {
      if (this.#keepers.has(launch.bot)) continue;
      progress(`trying containers for ${launch.bot}`);
      const keeper = new ContainerKeeper(launch, this.#log());
      await keeper.start();
      this.#keepers.set(launch.bot, keeper);
    }
  }

  stop(): Promise<void> {
    return this.use([], () => undefined, false);
  }

  health(): HealthWarning[] {
    return [...this.#keepers.values()].flatMap((keeper) => keeper.health());
  }
}
