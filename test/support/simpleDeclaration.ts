import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A declaration in `folder` of one bot that thinks with a secret of the vault.
 *
 * @param beside other secrets and bots.
 */
export function declareOneBot(
  folder: string,
  port: number,
  more: object = {},
  beside: { readonly secrets?: object; readonly bots?: object } = {},
): string {
  const bot = {
    openclaw: "2026.9.6",
    model: "anthropic/claude-sonnet-4-6",
    grants: { anthropic: { secret: "anthropic" } },
    port,
    ...more,
  };
  return write(folder, {
    secrets: { anthropic: { vault: "anthropic" }, ...beside.secrets },
    bots: { a: bot, ...beside.bots },
  });
}

/**
 * A declaration without bots: only the broker runs, which takes two seconds and not twenty.
 *
 * @param name another file makes another generation of the same content.
 */
export function declareNoBots(folder: string, name = "seawall.json5"): string {
  return write(folder, { bots: {} }, name);
}

function write(folder: string, content: object, name = "seawall.json5"): string {
  const file = join(folder, name);
  writeFileSync(file, `${JSON.stringify({ seawall: 1, ...content }, null, 2)}\n`);
  return file;
}
