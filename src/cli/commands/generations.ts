import {
  currentSystemGeneration,
  listSystemGenerations,
  readSystemGeneration,
  systemPaths,
} from "../../host/index.ts";
import { comparePlans } from "../../plan/index.ts";
import type { Command } from "../Command.ts";
import { changeLine } from "./switch.ts";

export const generations: Command = {
  name: "generations",
  usage: "",
  summary: "what was switched to, when, and what each changed",
  help: "The newest last; * marks the one in force. As root.",
  options: {},
  words: { least: 0, most: 0 },
  run: async ({ output, paths, json }) => {
    const places = systemPaths(paths);
    const current = currentSystemGeneration(places);
    const all = listSystemGenerations(places).map((number) => readSystemGeneration(places, number));
    const listed = all.map((generation, index) => ({
      number: generation.number,
      created: generation.created,
      current: generation.number === current,
      bots: generation.plan.bots.map(({ name }) => name),
      changes: comparePlans(all[index - 1]?.plan, generation.plan),
    }));
    if (json) output.json({ generations: listed });
    else {
      for (const { number, created, bots, changes, ...rest } of listed) {
        output.line(`${rest.current ? "*" : " "} ${number}  ${created}  ${bots.join(", ")}`);
        for (const change of changes.slice(0, 20)) output.line(`      ${changeLine(change)}`);
      }
      if (listed.length === 0) output.line("there are none");
    }
    return 0;
  },
};
