import type { BotPlan } from "../../src/plan/index.ts";
import { ownedSettings } from "../../src/openclaw/ownedSettings.ts";
import { catalogue } from "../../src/catalogue/index.ts";
import { jsonSchema } from "../../src/declaration/index.ts";
import { SHAPES } from "../../src/declaration/looksLikeSecret.ts";
import { listPins, latestPin, readPin } from "../../src/openclaw/index.ts";
import { SETTING_RULES } from "../../src/openclaw/settingRules.ts";
import { reproducibleFlags } from "../../src/openclaw/runNpm.ts";
import { HARDENING } from "../../src/targets/systemd/hardening.ts";
import { nixOptions } from "../../src/targets/index.ts";
import { posixPattern } from "../../src/targets/nix/posixPattern.ts";

/** Models that `services.openclaw` takes where none is named. */
const USUAL: Readonly<Record<string, string>> = { anthropic: "anthropic/claude-sonnet-4-6" };

/** What `openclaw/ownedSettings` decides of the gateway; what it leaves open is not here. */
const GATEWAY = ownedSettings(
  {
    openclaw: { model: "any/model", channels: [], tools: [], plugins: [], settings: {} },
    grants: [],
    commands: [],
    ingress: { port: 1, controlPage: false },
  } as unknown as BotPlan,
  { workspace: "", config: "" },
) as { readonly gateway: object };

const placeOf = (path: string): string => path.replace(/\.\*\*$/, "");

/** A place without any name in it, nothing below which may be set. */
function isWhole(place: string): boolean {
  return (
    !place.includes("*") &&
    !SETTING_RULES.some(({ allow, path }) => allow && path.startsWith(`${place}.`))
  );
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Every file of `nix/generated` by name, from the sources that they must not drift from. */
export function generated(): ReadonlyMap<string, string> {
  return new Map([
    ["options.nix", nixOptions(jsonSchema())],
    ["hardening.json", json(Object.fromEntries(HARDENING))],
    ["catalogue.json", json(catalogueFacts())],
    ["npm.json", json(npmFacts())],
  ]);
}

/** What evaluation can check by. */
function catalogueFacts(): object {
  return {
    latest: latestPin(),
    services: [...catalogue.keys()],
    models: Object.fromEntries(
      [...catalogue.values()].flatMap(({ name, provider, keyless }) =>
        provider === undefined
          ? []
          : [
              [
                provider,
                { service: name, keyless: keyless === true, usual: USUAL[provider] ?? null },
              ],
            ],
      ),
    ),
    // Which no package gives: Seawall brings them.
    commands: [...catalogue.values()].flatMap(({ command }) => command?.name ?? []).toSorted(),
    // Paths with a name that could be any are left to `seawall check`.
    ownedSettings: [
      ...Object.keys(GATEWAY.gateway).map((key) => ["gateway", key]),
      ...SETTING_RULES.filter(({ allow, path }) => !allow && isWhole(placeOf(path))).map(
        ({ path }) => placeOf(path).split("."),
      ),
    ],
    secretShapes: SHAPES.map((shape) => {
      const source = shape.source.replaceAll(String.raw`\b`, "");
      const whole = source.startsWith("^") ? source : `^.*(?:${source}).*$`;
      return posixPattern(whole);
    }).filter((pattern) => pattern !== undefined),
  };
}

function npmFacts(): object {
  return {
    flags: {
      "x86_64-linux": reproducibleFlags("linux-x64"),
      "aarch64-linux": reproducibleFlags("linux-arm64"),
      "aarch64-darwin": reproducibleFlags("darwin-arm64"),
      "x86_64-darwin": reproducibleFlags("darwin-x64"),
    },
    platforms: {
      "x86_64-linux": "linux-x64",
      "aarch64-linux": "linux-arm64",
      "aarch64-darwin": "darwin-arm64",
      "x86_64-darwin": "darwin-x64",
    },
    nodeRanges: Object.fromEntries(listPins().map((version) => [version, readPin(version).node])),
  };
}
