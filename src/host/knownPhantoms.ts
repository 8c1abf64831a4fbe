import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { derivePhantom, type BotPlan } from "../plan/index.ts";
import { currentGeneration, readGeneration } from "./Generation.ts";
import { phantomKey } from "./hostKeys.ts";
import type { StatePaths } from "../paths/index.ts";

/**
 * The worthless tokens that bots hold, of the deployment in force and of others, and their gateways'
 * tokens, which they may know. They look like credentials and are none. Makes nothing that isn't there.
 */
export function knownPhantoms(
  paths: StatePaths,
  others: readonly BotPlan[],
): { readonly name: string; readonly value: string }[] {
  const number = currentGeneration(paths);
  const current = number === undefined ? [] : readGeneration(paths, number).plan.bots;
  const bots = existsSync(paths.phantomKey) ? [...current, ...others] : [];
  const phantoms = bots.flatMap((bot) =>
    [...botPhantoms(paths, bot)].map(([grant, value]) => ({ name: `${bot.name}/${grant}`, value })),
  );
  const tokens = existsSync(paths.tokens) ? readdirSync(paths.tokens) : [];
  return [
    ...phantoms,
    ...tokens.map((name) => ({
      name: `${name}/gateway`,
      value: readFileSync(join(paths.tokens, name), "utf8").trim(),
    })),
  ];
}

/** The phantoms that a bot will hold, by grant. Makes the deployment's key if there is none yet. */
export function botPhantoms(paths: StatePaths, bot: BotPlan): ReadonlyMap<string, string> {
  const key = phantomKey(paths);
  return new Map(
    bot.grants.flatMap((grant) =>
      grant.kind === "inject"
        ? [
            [
              grant.name,
              derivePhantom(grant.phantom, key, { bot: bot.name, grant: grant.name }),
            ] as const,
          ]
        : [],
    ),
  );
}
